import { ShapeError } from '../errors.js';
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

/**
 * Where a slot holds the results of a chunk of scenes: one area an output, in this order, each [chunk, …]
 * ```
 *  scratch     of the kernel, one scene at a time
 *  color       f32 or u8 [H, W, C] a scene
 *  instances   u16 [H, W] a scene
 *  classes     u8 [H, W] a scene
 *  coverage    f64 [V, COVERAGE_COLUMNS] a scene, room for the largest scene each
 *  regions     f64 [V, REGION_COLUMNS] likewise
 * ```
 */
export interface RenderLayout {
  readonly color: ColorFormat;
  readonly labels: LabelOutput;
  readonly scratchBytes: number;
  /** Bytes of the instances of the one scene in work, where they are not a result. */
  readonly passingBytes: number;
  /** Bytes a scene of each output, 0 when it is left out. */
  readonly colorBytes: number;
  readonly instanceBytes: number;
  readonly classBytes: number;
  readonly coverageBytes: number;
  readonly regionBytes: number;
}

export function renderLayout(
  shape: BatchShape,
  color: ColorFormat,
  labels: LabelOutput,
  scratch: number,
): RenderLayout {
  const pixels = shape.width * shape.height;
  const bytesPerValue = { none: 0, u8: 1, f32: 4 }[color];
  const masks = labels === 'masks' || labels === 'all';
  return {
    color,
    labels,
    scratchBytes: roundUp(scratch),
    colorBytes: pixels * shape.channels * bytesPerValue,
    passingBytes: labels === 'regions' ? 2 * pixels : 0,
    instanceBytes: masks ? 2 * pixels : 0,
    classBytes: masks ? pixels : 0,
    coverageBytes: labels === 'none' ? 0 : 8 * COVERAGE_COLUMNS * shape.maxNodes,
    regionBytes: knowsRegions(labels) ? 8 * REGION_COLUMNS * shape.maxNodes : 0,
  };
}

/** Whether regions are among the results. */
export function knowsRegions(labels: LabelOutput): boolean {
  return labels === 'regions' || labels === 'all';
}

/** Bytes of results that one scene leaves in a slot. */
export function resultBytes(layout: RenderLayout): number {
  const { colorBytes, instanceBytes, classBytes, coverageBytes, regionBytes } = layout;
  return colorBytes + instanceBytes + classBytes + coverageBytes + regionBytes;
}

/** Addresses of the areas of a slot for `chunk` scenes. */
export function renderAreas(layout: RenderLayout, slot: Slot, chunk: number) {
  const color = slot.start + layout.scratchBytes;
  const instances = color + roundUp(chunk * layout.colorBytes);
  const classes = instances + roundUp(chunk * layout.instanceBytes + layout.passingBytes);
  const coverage = classes + roundUp(chunk * layout.classBytes);
  const regions = coverage + roundUp(chunk * layout.coverageBytes);
  return { color, instances, classes, coverage, regions };
}

/** Bytes of a slot for `chunk` scenes. */
export function renderSlotBytes(layout: RenderLayout, chunk: number): number {
  const { regions } = renderAreas(layout, { start: 0, bytes: 0 }, chunk);
  return regions + roundUp(chunk * layout.regionBytes);
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
  const { color, instances, classes, coverage, regions } = renderAreas(layout, slot, count);
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
