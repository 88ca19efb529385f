/**
 * Features of Inception layers 64 + 192 and their gradient to the images, our kernels against tfjs' own WASM kernels in
 * the same process. The ratio is the smallest of the cases'.
 */
import { disposeBackend, initBackend, withStockKernels } from '../src/learn/backend.js';
import { Inception } from '../src/learn/inception/inception.js';
import { tf } from '../src/learn/tf.js';
import { MmdLoss } from '../src/loss/mmd.js';
import { RandomStream } from '../src/random.js';
import { type BenchResult, type BenchRow, consume, contest } from './bench.js';

const TARGET = 4;
const REAL_IMAGES = 200;
const CASES = [
  { batch: 16, size: 64 },
  { batch: 50, size: 32 },
  { batch: 50, size: 64 },
] as const;

function randomImages(count: number, size: number, seed: number): tf.Tensor4D {
  const stream = new RandomStream({ seed, index: 0 });
  const pixels = Float32Array.from({ length: count * size * size }, () => stream.uniform());
  return tf.tensor4d(pixels, [count, size, size, 1]);
}

/** One batch forward, and backward with a gradient of ones at every layer: the network and nothing else. */
function gradientOfMaps(inception: Inception, images: tf.Tensor4D): void {
  tf.tidy(() => {
    const sumOfMaps = (x: tf.Tensor) => {
      const maps = inception.features(x as tf.Tensor4D);
      const gradFunc = () => maps.map((map) => tf.ones(map.shape));
      return tf.customGrad(() => ({ value: tf.scalar(0), gradFunc }))(...maps);
    };
    consume(tf.grad(sumOfMaps)(images).dataSync()[0]);
  });
}

const repeat = (work: () => void) => (count: number) => {
  for (let i = 0; i < count; i++) work();
};

/** Threads: METASIM_THREADS, by default 2. */
export async function run(): Promise<BenchResult> {
  const { threads } = await initBackend({ prefer: 'wasm', threads: Number(process.env.METASIM_THREADS ?? 2) });
  const inception = await Inception.create({ layers: [64, 192] });
  const rows: BenchRow[] = [];
  const ratios: number[] = [];
  for (const { batch, size } of CASES) {
    const images = randomImages(batch, size, 1);
    const real = randomImages(REAL_IMAGES, size, 2);
    const loss = await MmdLoss.create({ extractor: inception, real });
    const step = () => gradientOfMaps(inception, images);
    const withLoss = () => tf.tidy(() => consume(loss.valueAndGradient(images).gradient.dataSync()[0]));
    const [ours, stock, mmd] = await contest(
      [
        { label: 'ours', work: repeat(step) },
        { label: 'tfjs', work: (count) => withStockKernels(() => repeat(step)(count)) },
        { label: 'with MMD', work: repeat(withLoss) },
      ],
      { rounds: 5 },
    );
    const name = `${batch} of ${size}², ${threads} thread${threads > 1 ? 's' : ''}`;
    rows.push({ label: `${name}: ours`, value: 1000 / ours, unit: 'ms a batch' });
    rows.push({ label: `${name}: tfjs' kernels`, value: 1000 / stock, unit: 'ms a batch' });
    rows.push({ label: `${name}: 1000 images, ours`, value: 1000 / (ours * batch), unit: 's' });
    rows.push({ label: `${name}: 1000 images, ours with MMD`, value: 1000 / (mmd * batch), unit: 's' });
    ratios.push(ours / stock);
    rows.push({ label: `${name}: ratio`, value: ours / stock, unit: '×' });
    tf.dispose([images, real]);
    loss.dispose();
  }
  inception.dispose();
  await disposeBackend();
  return { name: 'inception', rows, ratio: Math.min(...ratios), peer: "tfjs' WASM kernels", target: TARGET };
}
