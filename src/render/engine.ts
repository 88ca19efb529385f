import { availableParallelism } from 'node:os';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { ConfigError } from '../errors.js';
import { attributeIndex, type SceneSchema } from '../scene/attributeSchema.js';
import { MAX_CANVAS_PIXELS, type SceneBatch, totalNodes } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { COVERAGE_COLUMNS } from './coverage.js';
import { type GenerateOptions, generateSamples, type Sample } from './generate.js';
import type { KernelBuild } from './kernels.js';
import { type BatchShape, type PlacedBatch, placeBatch, removeBatch, shapeOf } from './placedBatch.js';
import { REGION_COLUMNS } from './regions.js';
import { Runtime } from './runtime.js';
import {
  type ColorFormat,
  expectLength,
  knowsRegions,
  type MeshOutputOptions,
  type RenderLayout,
  renderAreas,
  renderLayout,
  renderOutputs,
  renderSlotBytes,
  renderTask,
  resultBytes,
  vjpAreas,
  vjpLayout,
  vjpSlotBytes,
  vjpTask,
} from './sceneLayout.js';
import type { Slot } from './slots.js';
import type { Task } from './task.js';
import { renderWork, vjpWork } from './workEstimate.js';

export interface EngineOptions {
  /** What scenes refer to by name: sprites in 2D, meshes in 3D. An asset is decoded when a batch first uses it. */
  readonly assets: AssetLibrary;
  /**
   * Threads besides the calling one, an integer from 0 to 256; default: as many as there are processors. They start
   * when the first call is large enough to need them; small calls, and with 0 all calls, run on the calling thread.
   * Results do not depend on it, byte for byte.
   */
  readonly workers?: number;
  /** Default `simd`; `scalar` gives the same bytes, slower. */
  readonly build?: KernelBuild;
  /** Largest canvas that is rendered, px; default 16,777,216. */
  readonly maxScenePixels?: number;
  /**
   * Bytes of textures and meshes that are kept decoded, ≥ 0; default 1 GiB. Beyond it those that no call uses are dropped,
   * and decoded again when they are next used. A pixel of a colour sprite takes 16 bytes, one of a grey one 1; a vertex of a
   * mesh some 50.
   */
  readonly maxAssetBytes?: number;
  /**
   * Tests only: see `WorkerSetup.fault`.
   * @internal
   */
  readonly fault?: Int32Array;
}

export type ColorArray<C extends ColorFormat> = C extends 'f32'
  ? Float32Array
  : C extends 'u8'
    ? Uint8Array
    : C extends 'none'
      ? undefined
      : never;

/** Images and labels of N scenes, each scene's after the other, in ordinary memory of the caller. */
export interface RenderedBatch<C extends ColorFormat = ColorFormat> {
  /** N. */
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /**
   * [N, H, W, C]. `f32`: 0 is black, 1 white, not clamped; `u8`: 0–255. Where nothing is drawn a 2D scene's canvas is black,
   * and a 3D scene shows its sky.
   */
  readonly color: ColorArray<C>;
  /**
   * [N, H, W] node index + 1 of the topmost node at the pixel (3D: of the one that most of its samples show, the nearest of
   * those that as many show), 0 where there is none; with `labels`.
   */
  readonly instances?: Uint16Array;
  /** [N, H, W] class index + 1 of that node; with `labels`. */
  readonly classes?: Uint8Array;
  /**
   * [ΣV × COVERAGE_COLUMNS] what each node would cover alone on a canvas without bounds, scenes one after the other
   * (`CoverageColumn`); with `labels`, `true` or `'regions'`.
   */
  readonly coverage?: Float64Array;
  /** [ΣV × REGION_COLUMNS] where each node is seen (`RegionColumn`); likewise. */
  readonly regions?: Float64Array;
  /** [N, H, W] metres before the camera, along its axis, of the node in `instances`; 0: sky; with `depth`. */
  readonly depth?: Float32Array;
  /** [N, H, W, 3] its surface's normal there, a unit vector in the camera's frame; 0: sky; with `normals`. */
  readonly normals?: Float32Array;
}

/** Which labels are rendered. */
export type LabelChoice = boolean | 'regions';

/** Parts of a batch that `Required` makes certain: what was asked for is there, which the compiler knows. */
type Certain<K extends keyof RenderedBatch> = Required<Pick<RenderedBatch, K>>;

/**
 * What `render` returns with such options: `depth: true` gives a batch that has `depth`. Of what is only known when the program
 * runs (a `boolean`), it may be there, as in `RenderedBatch`.
 */
export type Rendered<
  C extends ColorFormat,
  L extends LabelChoice,
  D extends boolean,
  N extends boolean,
> = RenderedBatch<C> &
  ([L] extends [true] ? Certain<'instances' | 'classes'> : unknown) &
  ([L] extends [true | 'regions'] ? Certain<'coverage' | 'regions'> : unknown) &
  ([D] extends [true] ? Certain<'depth'> : unknown) &
  ([N] extends [true] ? Certain<'normals'> : unknown);

export interface RenderOptions<
  C extends ColorFormat = ColorFormat,
  L extends LabelChoice = LabelChoice,
  D extends boolean = boolean,
  N extends boolean = boolean,
> extends MeshOutputOptions {
  /** Default `f32`. */
  readonly color?: C;
  /** 3D: give `depth` too. Default false. */
  readonly depth?: D;
  /** 3D: give `normals` too. Default false. */
  readonly normals?: N;
  /**
   * Render `instances`, `classes`, `coverage` and `regions` too; `'regions'`: only the last two, which is all that
   * `annotateRegions` needs. Default false.
   */
  readonly labels?: L;
  /**
   * A result of the same sizes and options whose arrays are overwritten and returned, which spares fresh memory; but for
   * `coverage` and `regions`, whose length is that of the scenes: they are always fresh arrays.
   */
  readonly into?: RenderedBatch<C>;
  readonly signal?: AbortSignal;
}

export interface VjpOptions {
  /**
   * Half-step of the central differences in the attributes' units, for all of them or by name. Where it is missing or
   * ≤ 0 the step is chosen for each node: the one that moves the image by `pixelDelta`.
   */
  readonly delta?: number | Readonly<Record<string, number>>;
  /** px, > 0; default 0.5. */
  readonly pixelDelta?: number;
  readonly signal?: AbortSignal;
}

/** What an engine uses, for benches and tests. */
export interface EngineStats {
  /** Bytes of the kernels' memory, shared by all threads. */
  readonly memoryBytes: number;
  /** The most of them that were in use at once. */
  readonly peakBytes: number;
  /** Result slots, those taken now, and the most that were ever taken. */
  readonly slots: number;
  readonly slotsInUse: number;
  readonly peakSlotsInUse: number;
}

const DEFAULT_MAX_ASSET_BYTES = 2 ** 30;
const DEFAULT_PIXEL_DELTA = 0.5;
const MAX_WORKERS = 256;
/** Results of a chunk, bytes: large enough to pay for the hand-over, small enough to stay in the caches. */
const CHUNK_BYTES = 4 << 20;
/** Estimated work of a chunk where scenes are a lot of it, ns: some fifty times what handing it over costs. */
const CHUNK_WORK_NS = 5_000_000;
/** The calling thread gives way to other events after that long, ms. */
const YIELD_AFTER_MS = 8;

/**
 * Renders scenes and differentiates the rendering, on any number of threads with one result. Calls may overlap; memory
 * does not grow with their number or with the number of scenes beyond the results themselves: a call waits for one of
 * a few slots.
 */
export class Engine {
  /** What scenes refer to by name. */
  readonly assets: AssetLibrary;
  readonly #runtime: Runtime;

  private constructor(assets: AssetLibrary, runtime: Runtime) {
    this.assets = assets;
    this.#runtime = runtime;
  }

  /**
   * @throws ConfigError for an option out of range; KernelError when the kernels are not built
   */
  static async create(options: EngineOptions): Promise<Engine> {
    const { assets, workers = Math.min(MAX_WORKERS, availableParallelism()), build = 'simd' } = options;
    const { maxScenePixels = MAX_CANVAS_PIXELS, maxAssetBytes = DEFAULT_MAX_ASSET_BYTES, fault } = options;
    if (!Number.isInteger(workers) || workers < 0 || workers > MAX_WORKERS) {
      throw new ConfigError(`Expected an integer from 0 to ${MAX_WORKERS} for workers but received ${workers}`);
    }
    if (!(maxScenePixels >= 1)) {
      throw new ConfigError(`Expected a number of at least 1 for maxScenePixels but received ${maxScenePixels}`);
    }
    if (!(maxAssetBytes >= 0)) {
      throw new ConfigError(`Expected a number of at least 0 for maxAssetBytes but received ${maxAssetBytes}`);
    }
    const limits = { maxScenePixels, maxAssetBytes };
    return new Engine(assets, new Runtime({ assets, workers, build, ...limits, ...(fault ? { fault } : {}) }));
  }

  /** Threads besides the calling one. */
  get workers(): number {
    return this.#runtime.workers;
  }

  stats(): EngineStats {
    const { heap, slots } = this.#runtime;
    return {
      memoryBytes: heap.memory.buffer.byteLength,
      peakBytes: heap.peakBytes,
      slots: slots.count,
      slotsInUse: slots.inUse,
      peakSlotsInUse: slots.peakInUse,
    };
  }

  /**
   * Renders a batch: one or more scenes that share a canvas size.
   * @returns arrays of the caller's own (or `into`)
   * @throws SceneGraphError for a malformed scene; ShapeError for no scenes, different canvas sizes or an `into` that
   *   does not fit; ConfigError for depth or normals of 2D scenes; AssetError for an unknown or unreadable asset, a sprite in a
   *   3D scene or a mesh in a 2D one; KernelError for a scene that is too large or that
   *   killed its workers, and once closed; the signal's reason when aborted
   */
  async render<
    C extends ColorFormat = 'f32',
    L extends LabelChoice = false,
    D extends boolean = false,
    N extends boolean = false,
  >(batch: SceneBatch, options: RenderOptions<C, L, D, N> = {}): Promise<Rendered<C, L, D, N>> {
    const { labels = false, into, signal } = options;
    const color: ColorFormat = options.color ?? 'f32';
    const shape = this.#begin(batch, signal);
    const labelled = labels === 'regions' ? 'regions' : labels ? 'all' : 'none';
    const outputs = renderOutputs(shape, color, labelled, options);
    const layout = renderLayout(shape, outputs, this.#runtime.scratchBytes(shape, outputs.samples));
    const result = resultArrays<C>(batch, shape, layout, into);
    const rows = nodeRows(batch);
    const { store, kernels, heap } = this.#runtime;
    const work = renderWork(shape, outputs);
    const chunk = this.#chunkLength(shape, resultBytes(layout), work);
    const call: ChunkedCall = {
      shape,
      chunk,
      slotBytes: renderSlotBytes(layout, chunk),
      work,
      task: (placed, slot, first, count) =>
        renderTask(layout, placed, slot, first, count, store.table, kernels.constants),
      done: (slot, first, count) => copyRendered(heap.memory.buffer, layout, slot, first, count, rows, result),
    };
    await this.#runtime.settle(this.#runChunks(batch, call, undefined, signal), signal);
    // `renderOutputs` has what the options ask for, or has thrown.
    return result as Rendered<C, L, D, N>;
  }

  /**
   * Vector–Jacobian product of the renderer: dL/dA from dL/dimage, by central differences over every mutable attribute
   * that is drawn (Meta-Sim §3.2.2); 0 for all others. 3D scenes are drawn with 4 samples a pixel.
   * @param dLdImage float32 [N, H, W, C], the gradient of a scalar with respect to `render`'s f32 colours; copied
   *   chunk by chunk, so leave it unchanged until the promise settles
   * @returns float32 [ΣV × A], scenes one after the other, per physical unit of each attribute
   * @throws as `render`; ShapeError when `dLdImage` has another length; SceneGraphError for an unknown name in `delta`
   */
  async vjp(batch: SceneBatch, dLdImage: Float32Array, options: VjpOptions = {}): Promise<Float32Array> {
    const { delta, pixelDelta = DEFAULT_PIXEL_DELTA, signal } = options;
    const shape = this.#begin(batch, signal);
    const values = shape.width * shape.height * shape.channels;
    expectLength('dLdImage', dLdImage, shape.count * values);
    if (!(pixelDelta > 0 && Number.isFinite(pixelDelta))) {
      throw new ConfigError(`Expected a number above 0 for pixelDelta but received ${pixelDelta}`);
    }
    const deltas = deltaOf(batch.schema, delta);
    const layout = vjpLayout(shape, this.#runtime.scratchBytes(shape, 'vjp'));
    const rows = nodeRows(batch).map((row) => row * shape.columns);
    const result = new Float32Array(rows[shape.count]);
    const { store, heap } = this.#runtime;
    const work = vjpWork(batch, shape, this.assets);
    const chunk = this.#chunkLength(shape, layout.gradientBytes + layout.outStride, work);
    const call: ChunkedCall = {
      shape,
      chunk,
      slotBytes: vjpSlotBytes(layout, chunk),
      work,
      task: (placed, slot, first, count) => {
        const { gradient } = vjpAreas(layout, slot, count);
        const target = new Float32Array(heap.memory.buffer, gradient, count * values);
        target.set(dLdImage.subarray(first * values, (first + count) * values));
        return vjpTask(layout, placed, slot, first, count, store.table, pixelDelta);
      },
      done: (slot, first, count) => {
        const { out } = vjpAreas(layout, slot, count);
        for (let i = 0; i < count; i++) {
          const length = rows[first + i + 1] - rows[first + i];
          result.set(new Float32Array(heap.memory.buffer, out + i * layout.outStride, length), rows[first + i]);
        }
      },
    };
    await this.#runtime.settle(this.#runChunks(batch, call, deltas, signal), signal);
    return result;
  }

  /**
   * Renders the scenes `start` … `start + count − 1` of a source with their labels, in that order. A few batches are
   * sampled and rendered ahead while the consumer works; not more, however slow it is.
   * @throws as `render`, and what the source throws
   */
  generate(source: SceneSource, options: GenerateOptions): AsyncGenerator<Sample, void, void> {
    return generateSamples(this.#runtime, source, options);
  }

  /**
   * Stops the threads. What is under way is rejected with a KernelError, as is every later call. May be called again.
   */
  close(): Promise<void> {
    return this.#runtime.close();
  }

  /** The checks that every call begins with. */
  #begin(batch: SceneBatch, signal: AbortSignal | undefined): BatchShape {
    this.#runtime.assertOpen();
    signal?.throwIfAborted();
    return shapeOf(batch, this.assets);
  }

  /**
   * Scenes a task: a slot's worth at most, and as many tasks for one thread as for another, but at least two. Where scenes are
   * so much work that handing one over costs nothing, tasks are smaller: threads end together.
   * @param work of the whole call, ns of one thread
   */
  #chunkLength(shape: BatchShape, bytesPerScene: number, work: number): number {
    const fitting = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(bytesPerScene, 1)));
    const round = 2 * Math.max(1, this.#runtime.workers);
    const wanted = Math.max(shape.count / fitting, Math.min(shape.count, work / CHUNK_WORK_NS));
    const tasks = Math.ceil(Math.ceil(wanted) / round) * round;
    return Math.ceil(shape.count / tasks);
  }

  /** Places the batch, then sends chunk after chunk through the slots. */
  async #runChunks(
    batch: SceneBatch,
    call: ChunkedCall,
    deltas: Float32Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { calls, slots, heap, store, kernels } = this.#runtime;
    const ticket = await calls.acquire(0, signal);
    let placed: PlacedBatch | undefined;
    const running: Promise<void>[] = [];
    const failures: unknown[] = [];
    try {
      placed = await placeBatch(batch, call.shape, deltas, heap, store, kernels);
      let resumed = performance.now();
      for (let first = 0; first < call.shape.count; first += call.chunk) {
        const count = Math.min(call.chunk, call.shape.count - first);
        const slot = await slots.acquire(call.slotBytes, signal);
        if (failures.length > 0 || signal?.aborted) {
          slots.release(slot);
          break;
        }
        running.push(
          this.#runChunk(batch, call, placed, slot, first, count).catch((error) => void failures.push(error)),
        );
        if (performance.now() - resumed > YIELD_AFTER_MS) {
          await new Promise(setImmediate);
          resumed = performance.now();
        }
      }
    } finally {
      // A worker may still read the batch: only then is its memory given back.
      await Promise.all(running);
      if (placed) removeBatch(placed, heap, store);
      calls.release(ticket);
    }
    signal?.throwIfAborted();
    if (failures.length > 0) throw failures[0];
  }

  async #runChunk(
    batch: SceneBatch,
    call: ChunkedCall,
    placed: PlacedBatch,
    slot: Slot,
    first: number,
    count: number,
  ): Promise<void> {
    const { slots } = this.#runtime;
    try {
      const task = call.task(placed, slot, first, count);
      const nameScene = (i: number) => `scenes[${i}] (scene ${batch.scenes[i].index} of its stream)`;
      await this.#runtime.run(task, call.shape, call.work, nameScene);
      call.done(slot, first, count);
    } finally {
      slots.release(slot);
    }
  }
}

/** A call as chunks of scenes. */
interface ChunkedCall {
  readonly shape: BatchShape;
  /** Scenes a chunk. */
  readonly chunk: number;
  readonly slotBytes: number;
  /** Estimated cost, ns of one thread. */
  readonly work: number;
  /** Fills the slot with what the kernel reads and says what to do. */
  readonly task: (placed: PlacedBatch, slot: Slot, first: number, count: number) => Task;
  /** Takes the results out of the slot. */
  readonly done: (slot: Slot, first: number, count: number) => void;
}

/** Fresh arrays, or those of `into` when they fit. */
function resultArrays<C extends ColorFormat>(
  batch: SceneBatch,
  shape: BatchShape,
  layout: RenderLayout,
  into: RenderedBatch<C> | undefined,
): RenderedBatch<C> {
  const { count, width, height, channels } = shape;
  const pixels = count * width * height;
  const nodes = totalNodes(batch);
  // Not by their bytes: of scenes without nodes they are empty, but there.
  const tables = {
    ...(layout.labels !== 'none' ? { coverage: new Float64Array(nodes * COVERAGE_COLUMNS) } : {}),
    ...(knowsRegions(layout.labels) ? { regions: new Float64Array(nodes * REGION_COLUMNS) } : {}),
  };
  const masks = layout.instanceBytes > 0;
  if (into) {
    if (layout.color !== 'none') expectLength('into.color', into.color as Uint8Array, pixels * channels);
    if (layout.color === 'f32' && !((into.color as unknown) instanceof Float32Array)) {
      expectLength('into.color as a Float32Array', undefined, pixels * channels);
    }
    if (layout.color === 'u8' && !((into.color as unknown) instanceof Uint8Array)) {
      expectLength('into.color as a Uint8Array', undefined, pixels * channels);
    }
    if (masks) {
      expectLength('into.instances', into.instances, pixels);
      expectLength('into.classes', into.classes, pixels);
    }
    if (layout.depth) expectLength('into.depth', into.depth, pixels);
    if (layout.normals) expectLength('into.normals', into.normals, 3 * pixels);
    return { ...into, count, width, height, channels, ...tables };
  }
  const color =
    layout.color === 'none' ? undefined : new (layout.color === 'f32' ? Float32Array : Uint8Array)(pixels * channels);
  return {
    count,
    width,
    height,
    channels,
    color: color as ColorArray<C>,
    ...(masks ? { instances: new Uint16Array(pixels), classes: new Uint8Array(pixels) } : {}),
    ...(layout.depth ? { depth: new Float32Array(pixels) } : {}),
    ...(layout.normals ? { normals: new Float32Array(3 * pixels) } : {}),
    ...tables,
  };
}

/** Takes a chunk's results out of its slot. @param rows as `nodeRows` gives them */
function copyRendered(
  memory: ArrayBufferLike,
  layout: RenderLayout,
  slot: Slot,
  first: number,
  count: number,
  rows: Float64Array,
  result: RenderedBatch,
): void {
  const areas = renderAreas(layout, slot, count);
  const copy = (target: ArrayBufferView | undefined, address: number, bytes: number) => {
    if (!target || bytes === 0) return;
    const view = new Uint8Array(target.buffer, target.byteOffset + first * bytes, count * bytes);
    view.set(new Uint8Array(memory, address, count * bytes));
  };
  copy(result.color, areas.color, layout.colorBytes);
  copy(result.instances, areas.instances, layout.instanceBytes);
  copy(result.classes, areas.classes, layout.classBytes);
  copy(result.depth, areas.depth, layout.depthBytes);
  copy(result.normals, areas.normals, layout.normalBytes);
  const copyTable = (target: Float64Array | undefined, address: number, bytes: number, columns: number) => {
    if (!target || bytes === 0) return;
    const from = rows[first] * columns;
    const stride = bytes / Float64Array.BYTES_PER_ELEMENT;
    const source = new Float64Array(memory, address, count * stride);
    if ((rows[first + count] - rows[first]) * columns === source.length) {
      target.set(source, from);
      return;
    }
    // Scenes of different lengths, each with room for the largest.
    for (let i = 0; i < count; i++) {
      const length = (rows[first + i + 1] - rows[first + i]) * columns;
      target.set(source.subarray(i * stride, i * stride + length), rows[first + i] * columns);
    }
  };
  copyTable(result.coverage, areas.coverage, layout.coverageBytes, COVERAGE_COLUMNS);
  copyTable(result.regions, areas.regions, layout.regionBytes, REGION_COLUMNS);
}

/** [A] half-steps; 0 leaves the choice to the kernel. */
function deltaOf(schema: SceneSchema, delta: VjpOptions['delta']): Float32Array {
  const deltas = new Float32Array(schema.attributes.length);
  if (typeof delta === 'number') deltas.fill(delta);
  else for (const [name, value] of Object.entries(delta ?? {})) deltas[attributeIndex(schema, name)] = value;
  const wrong = deltas.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new ConfigError(
      `Expected a finite number for delta.${schema.attributes[wrong].name} but received ${deltas[wrong]}`,
    );
  }
  return deltas;
}

/** [N + 1] where each scene's nodes begin among the ΣV of the batch. */
function nodeRows(batch: SceneBatch): Float64Array {
  const rows = new Float64Array(batch.scenes.length + 1);
  for (let i = 0; i < batch.scenes.length; i++) rows[i + 1] = rows[i] + batch.scenes[i].parent.length;
  return rows;
}
