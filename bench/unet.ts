/**
 * How long does a training step of the U-Net take? 16 images of 128 × 128 × 3, filters 16 to 64, five classes; the bar is
 * 400 ms on two threads. tfjs' WASM backend cannot train it (it has no gradient for filters), so the peer is tfjs' plain
 * JavaScript, on one image of 64 × 64. Processor time tells what a quiet machine would need where this one is not.
 */
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import type { SegmentedImages } from '../src/learn/taskNetwork.js';
import { UNet } from '../src/learn/unet.js';
import { RandomStream } from '../src/random.js';
import { type BenchResult, type BenchRow, median } from './bench.js';

const CLASSES = 5;

interface Step {
  readonly wallMs: number;
  /** Of all threads. */
  readonly processorMs: number;
}

function noise(count: number, size: number): SegmentedImages {
  const stream = new RandomStream({ seed: 1, index: 0 });
  const images = Uint8Array.from({ length: count * size * size * 3 }, () => stream.uint32() >>> 24);
  const masks = Uint8Array.from({ length: count * size * size }, () => stream.integer(CLASSES));
  return { count, width: size, height: size, channels: 3, images, masks };
}

/** Median over `steps` steps, after `warm` more. */
async function stepTime(batchSize: number, size: number, steps: number, warm: number): Promise<Step> {
  const network = new UNet({ width: size, height: size, channels: 3, classes: CLASSES, batchSize });
  const wall: number[] = [];
  const processor: number[] = [];
  let last = performance.now();
  let used = process.cpuUsage();
  await network.train(noise(batchSize, size), {
    epochs: steps + warm,
    onStep: () => {
      wall.push(performance.now() - last);
      const { user, system } = process.cpuUsage(used);
      processor.push((user + system) / 1000);
      last = performance.now();
      used = process.cpuUsage();
    },
  });
  network.dispose();
  return { wallMs: median(wall.slice(warm)), processorMs: median(processor.slice(warm)) };
}

export async function run(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const row = (label: string, { wallMs, processorMs }: Step) => {
    rows.push({ label, value: wallMs, unit: 'ms a step' });
    rows.push({ label: `${label}: processor time`, value: processorMs, unit: 'ms a step' });
  };
  for (const threads of [1, 2]) {
    await initBackend({ prefer: 'wasm', threads });
    row(`16 images of 128 × 128, ${threads} thread${threads > 1 ? 's' : ''}`, await stepTime(16, 128, 9, 3));
  }
  await initBackend({ prefer: 'wasm', threads: 1 });
  const ours = await stepTime(1, 64, 9, 3);
  row('1 image of 64 × 64, 1 thread', ours);
  await initBackend({ prefer: 'cpu' });
  const peer = await stepTime(1, 64, 3, 1);
  row('1 image of 64 × 64, JavaScript', peer);
  await disposeBackend();
  return {
    name: 'unet',
    rows,
    ratio: peer.wallMs / ours.wallMs,
    peer: "tfjs' JavaScript backend, which alone can train it on a CPU, 1 image of 64 × 64",
  };
}
