import { ConfigError, ShapeError } from '../errors.js';
import type { Engine } from '../render/engine.js';
import type { GenerateOptions, Sample } from '../render/generate.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { tf } from './tf.js';

/** What a sample is to be learned with: what `tf.tensor` takes, 16-bit masks, or a tensor, which is taken over. */
export type SampleTarget = tf.TensorLike | Uint16Array | tf.Tensor;

export interface TensorSamplesOptions extends Omit<GenerateOptions, 'reuse'> {
  /**
   * The target of a sample: a class index, a mask, boxes. Numbers become float32 and typed arrays vectors, as in
   * `tf.tensor`; return a tensor for another dtype or shape, e.g. `tf.tensor2d(classes, [height, width], 'int32')`. In a
   * batch all targets have one shape. The sample's arrays are the function's to keep.
   */
  readonly target: (sample: Sample) => SampleTarget;
  /** Samples of a batch, ≥ 1; without it samples come one by one, and tensors have no batch axis. */
  readonly batchSize?: number;
  /** Whether a last batch with fewer samples comes too; default true. */
  readonly smallLastBatch?: boolean;
}

/** Input and target, the consumer's to dispose; under the names that `fitDataset` of tfjs-layers expects. */
export interface TensorSample {
  /** float32 in [0, 1]: [H, W, C], or [B, H, W, C] in batches. */
  readonly xs: tf.Tensor;
  /** The targets; in batches stacked along a new first axis. */
  readonly ys: tf.Tensor;
}

/**
 * Renders scenes as tensors, for a training loop: `for await (const { xs, ys } of tensorSamples(…))`. A backend has to be
 * there (`initBackend`). Every tensor that comes out belongs to the consumer; nothing else stays, also when the loop is
 * left early, the signal aborts or `target` throws.
 * @throws ConfigError for a batch size that is none; ShapeError when the samples of a batch differ in size, or their
 *   targets in shape; as `Engine.generate`
 */
export async function* tensorSamples(
  engine: Engine,
  source: SceneSource,
  options: TensorSamplesOptions,
): AsyncGenerator<TensorSample, void, void> {
  const { target, batchSize, smallLastBatch = true, ...generate } = options;
  if (batchSize !== undefined && !(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    throw new ConfigError(`Expected an integer of at least 1 for batchSize but received ${batchSize}`);
  }
  const samples = engine.generate(source, { ...generate, reuse: false });
  if (batchSize === undefined) {
    for await (const sample of samples) yield single(sample, target);
    return;
  }
  let waiting: Sample[] = [];
  for await (const sample of samples) {
    waiting.push(sample);
    if (waiting.length < batchSize) continue;
    const batch = waiting;
    waiting = [];
    yield stacked(batch, target);
  }
  if (waiting.length > 0 && smallLastBatch) yield stacked(waiting, target);
}

/**
 * `tensorSamples` as what `tf.data.generator` of @tensorflow/tfjs-data takes: a function that returns a new iterator for
 * every pass over the data, `{ value, done }` at each step
 * (https://js.tensorflow.org/api/latest/#data.generator). Every pass gives the same samples. tfjs-data is not a dependency of this
 * package; used are nothing but that contract, and one tfjs-core for both (see `tf`):
 *
 *     const dataset = tf.data.generator(tensorDataset(engine, grammar, { count: 10_000, seed: 1, batchSize: 32, target }));
 *     await model.fitDataset(dataset, { epochs: 3 });
 *
 * tfjs-data disposes the tensors, and reads each pass to its end. Where it does not (`dataset.take(n)`) the pass's slots in
 * the engine's memory stay taken until `Engine.close`: give `count` what is wanted.
 */
export function tensorDataset(
  engine: Engine,
  source: SceneSource,
  options: TensorSamplesOptions,
): () => AsyncGenerator<TensorSample, void, void> {
  return () => tensorSamples(engine, source, options);
}

function single(sample: Sample, target: TensorSamplesOptions['target']): TensorSample {
  const ys = toTensor(target(sample));
  return { xs: tf.tensor3d(floatsOf([sample]), shapeOf(sample)), ys };
}

function stacked(samples: readonly Sample[], target: TensorSamplesOptions['target']): TensorSample {
  const shape = shapeOf(samples[0]);
  for (const sample of samples) expectShape('the image', sample, shapeOf(sample), shape);
  const targets: tf.Tensor[] = [];
  try {
    for (const sample of samples) {
      targets.push(toTensor(target(sample)));
      expectShape('the target', sample, targets[targets.length - 1].shape, targets[0].shape);
    }
    const ys = tf.stack(targets);
    return { xs: tf.tensor4d(floatsOf(samples), [samples.length, ...shape]), ys };
  } finally {
    tf.dispose(targets);
  }
}

function shapeOf({ height, width, channels }: Sample): [number, number, number] {
  return [height, width, channels];
}

function toTensor(value: SampleTarget): tf.Tensor {
  if (value instanceof tf.Tensor) return value;
  // tfjs knows no 16-bit integers.
  return tf.tensor(value instanceof Uint16Array ? Int32Array.from(value) : value);
}

/** The images one behind the other, 0–255 as 0–1. */
function floatsOf(samples: readonly Sample[]): Float32Array {
  const length = samples[0].image.length;
  const floats = new Float32Array(samples.length * length);
  for (const [n, { image }] of samples.entries()) {
    for (let i = 0; i < length; i++) floats[n * length + i] = image[i] / 255;
  }
  return floats;
}

function expectShape(what: string, { index }: Sample, shape: readonly number[], expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) return;
  throw new ShapeError(
    `Expected [${expected.join(', ')}], the shape of the batch's first sample, for ${what} of scene ${index} ` +
      `but received [${shape.join(', ')}]`,
  );
}
