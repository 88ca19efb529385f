/**
 * How fast are convolution, its gradients and the matrix product, ours against tfjs' own WASM kernels in the same
 * process? The shapes are those of the Inception stem on 64 × 64 images and of the classifier. Where tfjs has no kernel
 * (the filter's gradient) only ours is printed. The ratio is that of the stem's forward pass and gradient for its input.
 */
import { disposeBackend, initBackend, withStockKernels } from '../src/learn/backend.js';
import { tf } from '../src/learn/tf.js';
import { RandomStream } from '../src/random.js';
import { type BenchResult, type BenchRow, contest } from './bench.js';

interface Shape {
  readonly label: string;
  readonly size: number;
  readonly channels: readonly [number, number];
  readonly filter: number;
  readonly stride: 1 | 2;
  readonly pad: 'same' | 'valid';
}

const BATCH = 16;
const STEM: readonly Shape[] = [
  { label: 'stem 3×3 /2 3 → 32', size: 64, channels: [3, 32], filter: 3, stride: 2, pad: 'valid' },
  { label: 'stem 3×3 32 → 32', size: 31, channels: [32, 32], filter: 3, stride: 1, pad: 'valid' },
  { label: 'stem 3×3 same 32 → 64', size: 29, channels: [32, 64], filter: 3, stride: 1, pad: 'same' },
  { label: 'stem 1×1 64 → 80', size: 14, channels: [64, 80], filter: 1, stride: 1, pad: 'valid' },
  { label: 'stem 3×3 80 → 192', size: 14, channels: [80, 192], filter: 3, stride: 1, pad: 'valid' },
];
const CLASSIFIER: readonly Shape[] = [
  { label: 'classifier 5×5 1 → 32', size: 32, channels: [1, 32], filter: 5, stride: 1, pad: 'valid' },
  { label: 'classifier 5×5 32 → 64', size: 14, channels: [32, 64], filter: 5, stride: 1, pad: 'valid' },
];

function random(shape: number[], seed: number): tf.Tensor4D {
  const stream = new RandomStream({ seed, index: 0 });
  return tf.tensor4d(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.uniform() * 2 - 1),
    shape as [number, number, number, number],
  );
}

/** Calls per second of each, in turn. */
function rates(works: readonly (() => tf.Tensor)[]): Promise<number[]> {
  const contestants = works.map((work, i) => ({
    label: String(i),
    work: (count: number) => {
      for (let k = 0; k < count; k++) work().dispose();
    },
  }));
  return contest(contestants, { rounds: 5, roundMs: 60 });
}

export async function run(): Promise<BenchResult> {
  await initBackend({ prefer: 'wasm', threads: 1 });
  const rows: BenchRow[] = [];
  const stem = { ours: 0, stock: 0 };
  for (const shape of [...STEM, ...CLASSIFIER]) {
    const { label, size, channels, filter: k, stride, pad } = shape;
    const x = random([BATCH, size, size, channels[0]], 1);
    const w = random([k, k, ...channels], 2);
    const y = tf.conv2d(x, w, stride, pad);
    const work = (2 * y.size * k * k * channels[0]) / 1e9;
    const attrs = { strides: [stride, stride], pad, dataFormat: 'NHWC' };
    const call = (name: string, inputs: object, more: object) => () =>
      tf.engine().runKernel(name, inputs as never, { ...attrs, ...more } as never) as tf.Tensor;
    const forward = () => tf.conv2d(x, w, stride, pad);
    const inputGradient = call('Conv2DBackpropInput', { dy: y, filter: w }, { inputShape: x.shape });
    const filterGradient = call('Conv2DBackpropFilter', { x, dy: y }, { filterShape: w.shape });
    const stock = (f: () => tf.Tensor) => () => withStockKernels(f);
    const [own, theirs, ownInput, theirInput, ownFilter] = await rates([
      forward,
      stock(forward),
      inputGradient,
      stock(inputGradient),
      filterGradient,
    ]);
    rows.push(
      { label: `${label}, forward`, value: own * work, unit: `GFLOP/s (tfjs ${(theirs * work).toFixed(1)})` },
      { label: `${label}, to input`, value: ownInput * work, unit: `GFLOP/s (tfjs ${(theirInput * work).toFixed(1)})` },
      { label: `${label}, to filter`, value: ownFilter * work, unit: 'GFLOP/s (tfjs has none)' },
    );
    if (STEM.includes(shape)) {
      stem.ours += 1 / own + 1 / ownInput;
      stem.stock += 1 / theirs + 1 / theirInput;
    }
    tf.dispose([x, w, y]);
  }
  await disposeBackend();
  return {
    name: 'convolution',
    rows,
    ratio: stem.stock / stem.ours,
    peer: 'tfjs-backend-wasm, stem convolutions and gradients to the image, one thread',
    target: 4,
  };
}
