/**
 * How long does a training step of the classifier take? The bar is 100 ms for 32 images of 32 × 32 on one thread; the
 * ratio is bar / time, as tfjs' WASM backend cannot train it at all (it has no gradient for filters).
 */
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import { Classifier } from '../src/learn/classifier.js';
import type { LabelledImages } from '../src/learn/taskNetwork.js';
import { RandomStream } from '../src/random.js';
import { type BenchResult, type BenchRow, median } from './bench.js';

const BAR_MS = 100;
const STEPS = 25;
const CASES = [
  { batchSize: 32, size: 32 },
  { batchSize: 8, size: 32 },
  { batchSize: 8, size: 64 },
] as const;

function noise(count: number, size: number): LabelledImages {
  const stream = new RandomStream({ seed: 1, index: 0 });
  const images = Uint8Array.from({ length: count * size * size }, () => stream.uint32() >>> 24);
  const labels = Int32Array.from({ length: count }, () => stream.integer(10));
  return { count, width: size, height: size, channels: 1, images, labels };
}

/** Median time of a step, ms. */
async function stepTime(batchSize: number, size: number): Promise<number> {
  const network = new Classifier({ width: size, height: size, channels: 1, classes: 10, batchSize });
  const times: number[] = [];
  let last = performance.now();
  await network.train(noise(batchSize * STEPS, size), {
    epochs: 1,
    onStep: () => {
      times.push(performance.now() - last);
      last = performance.now();
    },
  });
  network.dispose();
  return median(times.slice(5));
}

export async function run(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  let ratio = 0;
  for (const threads of [1, 2]) {
    await initBackend({ prefer: 'wasm', threads });
    for (const { batchSize, size } of CASES) {
      const value = await stepTime(batchSize, size);
      if (threads === 1 && batchSize === 32) ratio = BAR_MS / value;
      rows.push({
        label: `${batchSize} images of ${size} × ${size}, ${threads} thread${threads > 1 ? 's' : ''}`,
        value,
        unit: 'ms a step',
      });
    }
  }
  await disposeBackend();
  return {
    name: 'classifier',
    rows,
    ratio,
    peer: `the bar of ${BAR_MS} ms for 32 images of 32 × 32 on one thread`,
    target: 1,
  };
}
