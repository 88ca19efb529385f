import { ConfigError, SceneGraphError } from '../errors.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { COVERAGE_COLUMNS } from './coverage.js';
import { type BatchShape, type PlacedBatch, placeBatch, removeBatch, shapeOf } from './placedBatch.js';
import type { Runtime } from './runtime.js';
import {
  type MeshOutputOptions,
  type RenderLayout,
  renderAreas,
  renderLayout,
  renderOutputs,
  renderSlotBytes,
  renderTask,
} from './sceneLayout.js';
import { type Slot, SlotPool } from './slots.js';
import { renderWork } from './workEstimate.js';

export interface GenerateOptions extends MeshOutputOptions {
  /** Number of scenes, ≥ 0. */
  readonly count: number;
  /** Seed of the source's stream, an integer in [0, 2^53). */
  readonly seed: number;
  /** Index of the first scene in the stream; default 0. */
  readonly start?: number;
  /**
   * Default false: a sample's arrays are the consumer's own. True: they are views of a slot, valid until the next
   * sample is asked for, which spares copies; for consumers that are done with a sample before they take the next.
   */
  readonly reuse?: boolean;
  readonly signal?: AbortSignal;
}

/** A rendered scene with what its labels are made of (`annotateSample`). */
export interface Sample {
  /** Index of the scene in the stream of the seed. */
  readonly index: number;
  readonly scene: SceneGraph;
  /** What the scene's attributes and classes mean. */
  readonly schema: SceneSchema;
  /** Names that the scene's `asset` column points to. */
  readonly assets: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [H, W, C] 0–255. How long this and the other arrays live: see `GenerateOptions.reuse`. */
  readonly image: Uint8Array;
  /** [H, W] node index + 1 of the topmost node, 0 where there is none. */
  readonly instances: Uint16Array;
  /** [H, W] class index + 1 of that node. */
  readonly classes: Uint8Array;
  /** [V × COVERAGE_COLUMNS] what each node would cover alone on a canvas without bounds (`CoverageColumn`). */
  readonly coverage: Float64Array;
  /** [H, W] metres before the camera, along its axis, of the node in `instances`; 0: sky; with `depth`. */
  readonly depth?: Float32Array;
  /** [H, W, 3] its surface's normal there, a unit vector in the camera's frame; 0: sky; with `normals`. */
  readonly normals?: Float32Array;
}

/** Scenes of the first batch, whose canvas size is not known before. */
const FIRST_BATCH = 16;
const MAX_BATCH = 256;
/** Results of a batch, bytes. */
const BATCH_BYTES = 8 << 20;

/** A batch that lies rendered in a slot. */
interface RenderedSlot {
  readonly slot: Slot;
  readonly batch: SceneBatch;
  readonly shape: BatchShape;
  readonly layout: RenderLayout;
}

/** The body of `Engine.generate`. Each generator has slots of its own, so that one that rests blocks nobody. */
export async function* generateSamples(
  runtime: Runtime,
  source: SceneSource,
  options: GenerateOptions,
): AsyncGenerator<Sample, void, void> {
  const { count, seed, start = 0, reuse = false, signal } = options;
  expectInteger('count', count);
  expectInteger('seed', seed);
  expectInteger('start', start);
  runtime.assertOpen();
  signal?.throwIfAborted();
  // One batch in the consumer's hands, one on each thread, one being sampled.
  const ahead = runtime.workers + 1;
  const slots = new SlotPool(runtime.heap, ahead + 1);
  const pending: Promise<RenderedSlot>[] = [];
  let sampling: Promise<unknown> = Promise.resolve();
  let next = start;
  let batchLength = FIRST_BATCH;
  const end = start + count;
  const launch = () => {
    const request = { seed, start: next, count: Math.min(batchLength, end - next) };
    next += request.count;
    // One batch is sampled at a time: a source may use machinery that is not made for more.
    const sampled = sampling.then(async () => {
      signal?.throwIfAborted();
      return expectCount(await source.sampleBatch(request), request.count);
    });
    sampling = sampled.catch(() => {});
    const rendered = sampled.then((batch) => renderToSlot(runtime, slots, batch, options));
    rendered.catch(() => {});
    pending.push(rendered);
    return sampled;
  };
  try {
    // The first batch tells how large the others should be.
    if (next < end) batchLength = lengthFor(shapeOf(await runtime.settle(launch(), signal), runtime.assets), options);
    while (pending.length > 0) {
      while (next < end && pending.length <= ahead) launch();
      const rendered = await runtime.settle(pending[0], signal);
      for (let i = 0; i < rendered.shape.count; i++) {
        signal?.throwIfAborted();
        runtime.assertOpen();
        yield sampleAt(runtime, rendered, i, reuse);
      }
      slots.release(rendered.slot);
      pending.shift();
    }
  } finally {
    // Whatever a worker still writes to is given back once it has finished.
    slots.close(new ConfigError('Expected a running generator but received a finished one'));
    for (const outcome of await Promise.allSettled(pending)) {
      if (outcome.status === 'fulfilled') slots.release(outcome.value.slot);
    }
    slots.freeAll();
  }
}

async function renderToSlot(
  runtime: Runtime,
  slots: SlotPool,
  batch: SceneBatch,
  options: GenerateOptions,
): Promise<RenderedSlot> {
  const { signal } = options;
  const { heap, store, kernels } = runtime;
  const shape = shapeOf(batch, runtime.assets);
  const outputs = renderOutputs(shape, 'u8', 'masks', options);
  const layout = renderLayout(shape, outputs, runtime.scratchBytes(shape, outputs.samples));
  const slot = await slots.acquire(renderSlotBytes(layout, shape.count), signal);
  let placed: PlacedBatch | undefined;
  try {
    signal?.throwIfAborted();
    placed = await placeBatch(batch, shape, undefined, heap, store, kernels);
    const task = renderTask(layout, placed, slot, 0, shape.count, store.table, kernels.constants);
    const nameScene = (i: number) => `scene ${batch.scenes[i].index} of seed ${batch.provenance.seed}`;
    await runtime.run(task, shape, renderWork(shape, outputs), nameScene);
    return { slot, batch, shape, layout };
  } catch (error) {
    slots.release(slot);
    throw error;
  } finally {
    if (placed) removeBatch(placed, heap, store);
  }
}

function sampleAt(runtime: Runtime, rendered: RenderedSlot, i: number, reuse: boolean): Sample {
  const { slot, batch, shape, layout } = rendered;
  const { width, height, channels, count } = shape;
  const pixels = width * height;
  const areas = renderAreas(layout, slot, count);
  const memory = runtime.heap.memory.buffer;
  const image = new Uint8Array(memory, areas.color + i * layout.colorBytes, pixels * channels);
  const instances = new Uint16Array(memory, areas.instances + i * layout.instanceBytes, pixels);
  const classes = new Uint8Array(memory, areas.classes + i * layout.classBytes, pixels);
  const scene = batch.scenes[i];
  const length = scene.parent.length * COVERAGE_COLUMNS;
  const coverage = new Float64Array(memory, areas.coverage + i * layout.coverageBytes, length);
  const floats = (address: number, stride: number) => {
    const view = new Float32Array(memory, address + i * stride, stride / Float32Array.BYTES_PER_ELEMENT);
    return reuse ? view : new Float32Array(view);
  };
  return {
    index: scene.index,
    scene,
    schema: batch.schema,
    assets: batch.assets,
    width,
    height,
    channels,
    // The constructors copy into ordinary memory; slice() would make another shared buffer.
    image: reuse ? image : new Uint8Array(image),
    instances: reuse ? instances : new Uint16Array(instances),
    classes: reuse ? classes : new Uint8Array(classes),
    coverage: reuse ? coverage : new Float64Array(coverage),
    ...(layout.depth ? { depth: floats(areas.depth, layout.depthBytes) } : {}),
    ...(layout.normals ? { normals: floats(areas.normals, layout.normalBytes) } : {}),
  };
}

/** Scenes a batch: bytes, two label maps, and what is asked for besides. */
function lengthFor({ width, height, channels }: BatchShape, { depth, normals }: GenerateOptions): number {
  const pixelBytes = channels + 3 + (depth ? 4 : 0) + (normals ? 12 : 0);
  return Math.min(MAX_BATCH, Math.max(1, Math.floor(BATCH_BYTES / (width * height * pixelBytes))));
}

function expectCount(batch: SceneBatch, count: number): SceneBatch {
  if (batch.scenes.length === count) return batch;
  throw new SceneGraphError(`Expected ${count} scenes from the source but received ${batch.scenes.length}`);
}

function expectInteger(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new ConfigError(`Expected an integer from 0 to 2^53 − 1 for ${name} but received ${value}`);
}
