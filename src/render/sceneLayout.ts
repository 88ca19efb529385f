import { ConfigError, ShapeError } from '../errors.js';
import { COVERAGE_COLUMNS } from './coverage.js';
import type { Kernels } from './kernels.js';
import type { BatchShape, PlacedBatch } from './placedBatch.js';
import { REGION_COLUMNS } from './regions.js';
import type { Slot } from './slots.js';
import type { RenderTask, VjpTask } from './task.js';

/** `f32`: linear, not clamped. `u8`: clamped to [0, 1], times 255, rounded. `none`: labels only. */
export type ColorFormat = 'f32' | 'u8' | 'none';

/**
 * What is known of the objects besides colours: nothing; `masks`: instances, classes and coverage; `regions`: coverage and
 * regions, the instances of one scene at a time being drawn for them; `all`.
 */
export type LabelOutput = 'none' | 'masks' | 'regions' | 'all';

/** What is drawn of a batch. */
export interface RenderOutputs {
  readonly color: ColorFormat;
  readonly labels: LabelOutput;
  /** Of 3D scenes only, like the two below; 2D scenes have 0 of them. */
  readonly samples: 0 | 1 | 4;
  readonly depth: boolean;
  readonly normals: boolean;
}

/** Options of calls that render 3D scenes; `MeshOutputOptions` of 2D ones are refused but for `samples`. */
export interface MeshOutputOptions {
  /** 3D: samples a pixel. 4 (default) smooth the edges of triangles; 1 is faster. Without meaning in 2D. */
  readonly samples?: 1 | 4;
  /** 3D: give `depth` too. Default false. */
  readonly depth?: boolean;
  /** 3D: give `normals` too. Default false. */
  readonly normals?: boolean;
}

const DEFAULT_SAMPLES = 4;
/** The output record of the kernel, which is smaller. */
const OUTPUT_AREA_BYTES = 64;

/**
 * What is to be drawn of a batch.
 * @throws ConfigError for another number of samples, and for depth or normals of 2D scenes
 */
export function renderOutputs(
  shape: BatchShape,
  color: ColorFormat,
  labels: LabelOutput,
  { samples = DEFAULT_SAMPLES, depth = false, normals = false }: MeshOutputOptions,
): RenderOutputs {
  if (samples !== 1 && samples !== 4) {
    throw new ConfigError(`Expected 1 or 4 for samples but received ${samples}`);
  }
  if (shape.dimension === 3) return { color, labels, samples, depth, normals };
  if (depth || normals) {
    throw new ConfigError(`Expected 3D scenes for ${depth ? 'depth' : 'normals'} but received 2D ones`);
  }
  return { color, labels, samples: 0, depth, normals };
}

/**
 * Where a slot holds the results of a chunk of scenes: one area an output, in this order, each [chunk, …]
 * ```
 *  scratch     of the kernel, one scene at a time
 *  outputs     3D: the record that tells the kernel where to write, one scene at a time
 *  color       f32 or u8 [H, W, C] a scene
 *  instances   u16 [H, W] a scene
 *  classes     u8 [H, W] a scene
 *  coverage    f64 [V, COVERAGE_COLUMNS] a scene, room for the largest scene each
 *  regions     f64 [V, REGION_COLUMNS] likewise
 *  depth       f32 [H, W] a scene
 *  normals     f32 [H, W, 3] a scene
 * ```
 */
export interface RenderLayout extends RenderOutputs {
  readonly scratchBytes: number;
  readonly outputBytes: number;
  /** Bytes of the instances of the one scene in work, where they are not a result. */
  readonly passingBytes: number;
  /** Bytes a scene of each output, 0 when it is left out. */
  readonly colorBytes: number;
  readonly instanceBytes: number;
  readonly classBytes: number;
  readonly coverageBytes: number;
  readonly regionBytes: number;
  readonly depthBytes: number;
  readonly normalBytes: number;
}

/** @param scratch bytes that the kernel needs (`Runtime.scratchBytes`) */
export function renderLayout(shape: BatchShape, outputs: RenderOutputs, scratch: number): RenderLayout {
  const { color, labels } = outputs;
  const pixels = shape.width * shape.height;
  const bytesPerValue = { none: 0, u8: 1, f32: 4 }[color];
  const masks = labels === 'masks' || labels === 'all';
  return {
    ...outputs,
    scratchBytes: roundUp(scratch),
    outputBytes: outputs.samples > 0 ? OUTPUT_AREA_BYTES : 0,
    colorBytes: pixels * shape.channels * bytesPerValue,
    passingBytes: labels === 'regions' ? 2 * pixels : 0,
    instanceBytes: masks ? 2 * pixels : 0,
    classBytes: masks ? pixels : 0,
    coverageBytes: labels === 'none' ? 0 : 8 * COVERAGE_COLUMNS * shape.maxNodes,
    regionBytes: knowsRegions(labels) ? 8 * REGION_COLUMNS * shape.maxNodes : 0,
    depthBytes: outputs.depth ? 4 * pixels : 0,
    normalBytes: outputs.normals ? 12 * pixels : 0,
  };
}

/** Whether regions are among the results. */
export function knowsRegions(labels: LabelOutput): boolean {
  return labels === 'regions' || labels === 'all';
}

/** Bytes of results that one scene leaves in a slot. */
export function resultBytes(layout: RenderLayout): number {
  const { colorBytes, instanceBytes, classBytes, coverageBytes, regionBytes, depthBytes, normalBytes } = layout;
  return colorBytes + instanceBytes + classBytes + coverageBytes + regionBytes + depthBytes + normalBytes;
}

/** Addresses of the areas of a slot for `chunk` scenes. */
export function renderAreas(layout: RenderLayout, slot: Slot, chunk: number) {
  const outputs = slot.start + layout.scratchBytes;
  const color = outputs + layout.outputBytes;
  const instances = color + roundUp(chunk * layout.colorBytes);
  const classes = instances + roundUp(chunk * layout.instanceBytes + layout.passingBytes);
  const coverage = classes + roundUp(chunk * layout.classBytes);
  const regions = coverage + roundUp(chunk * layout.coverageBytes);
  const depth = regions + roundUp(chunk * layout.regionBytes);
  const normals = depth + roundUp(chunk * layout.depthBytes);
  return { outputs, color, instances, classes, coverage, regions, depth, normals };
}

/** Bytes of a slot for `chunk` scenes. */
export function renderSlotBytes(layout: RenderLayout, chunk: number): number {
  const { normals } = renderAreas(layout, { start: 0, bytes: 0 }, chunk);
  return normals + roundUp(chunk * layout.normalBytes);
}

export function renderTask(
  layout: RenderLayout,
  placed: PlacedBatch,
  slot: Slot,
  first: number,
  count: number,
  assetTable: number,
  constants: Kernels['constants'],
): RenderTask {
  const { outputs, color, instances, classes, coverage, regions, depth, normals } = renderAreas(layout, slot, count);
  const formats = { none: constants.COLOR_NONE, f32: constants.COLOR_F32, u8: constants.COLOR_U8 };
  return {
    kind: 'render',
    batch: placed.batch,
    remap: placed.remap,
    assetTable,
    scratch: slot.start,
    first,
    count,
    colorFormat: formats[layout.color],
    color: layout.colorBytes ? color : 0,
    colorStride: layout.colorBytes,
    instances: layout.instanceBytes + layout.passingBytes > 0 ? instances : 0,
    instanceStride: layout.instanceBytes,
    classes: layout.classBytes ? classes : 0,
    classStride: layout.classBytes,
    coverage: layout.coverageBytes ? coverage : 0,
    coverageStride: layout.coverageBytes,
    regions: layout.regionBytes ? regions : 0,
    regionStride: layout.regionBytes,
    samples: layout.samples,
    room: 1,
    outputs: layout.outputBytes ? outputs : 0,
    depth: layout.depthBytes ? depth : 0,
    depthStride: layout.depthBytes,
    normals: layout.normalBytes ? normals : 0,
    normalStride: layout.normalBytes,
  };
}

/**
 * Where a slot holds a chunk of a vjp: scratch, then f32 [H, W, C] gradients of the images, then f32 [V × A] of the
 * attributes, each scene's at a multiple of `outStride`.
 */
export interface VjpLayout {
  readonly scratchBytes: number;
  readonly gradientBytes: number;
  /** Bytes from one scene's result to the next: that of the largest scene. */
  readonly outStride: number;
}

export function vjpLayout(shape: BatchShape, scratch: number): VjpLayout {
  return {
    scratchBytes: roundUp(scratch),
    gradientBytes: 4 * shape.width * shape.height * shape.channels,
    outStride: roundUp(4 * shape.maxNodes * shape.columns),
  };
}

/** Addresses of the areas of a slot for `chunk` scenes. */
export function vjpAreas(layout: VjpLayout, slot: Slot, chunk: number) {
  const gradient = slot.start + layout.scratchBytes;
  return { gradient, out: gradient + roundUp(chunk * layout.gradientBytes) };
}

/** Bytes of a slot for `chunk` scenes. */
export function vjpSlotBytes(layout: VjpLayout, chunk: number): number {
  return vjpAreas(layout, { start: 0, bytes: 0 }, chunk).out + chunk * layout.outStride;
}

export function vjpTask(
  layout: VjpLayout,
  placed: PlacedBatch,
  slot: Slot,
  first: number,
  count: number,
  assetTable: number,
  pixelDelta: number,
): VjpTask {
  const { gradient, out } = vjpAreas(layout, slot, count);
  return {
    kind: 'vjp',
    dimension: placed.dimension,
    room: 1,
    batch: placed.batch,
    remap: placed.remap,
    assetTable,
    scratch: slot.start,
    first,
    count,
    gradient,
    gradientStride: layout.gradientBytes,
    delta: placed.delta,
    pixelDelta,
    out,
    outStride: layout.outStride,
  };
}

/** @throws ShapeError when `array` has not `length` entries */
export function expectLength(name: string, array: { readonly length: number } | undefined, length: number): void {
  if (array?.length !== length) {
    throw new ShapeError(`Expected ${length} entries for ${name} but received ${array?.length ?? 'none'}`);
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
