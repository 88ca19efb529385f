// A thread that encodes the same images as PNG again and again, for bench/dataset.ts; tsx as in src/batch/shardWorkerFromSource.mjs.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { encodePng } = await import('../src/dataset/png.ts');

/** Images between two looks at the counters. */
const STRIDE = 16;
/** counters: images encoded by all threads, and 1 once they are to end. */
const { width, height, channels, pixels, counters } = workerData;
const size = width * height * channels;
const count = pixels.length / size;
for (let i = 0; Atomics.load(counters, 1) === 0; ) {
  for (const end = i + STRIDE; i < end; i++) {
    const at = (i % count) * size;
    encodePng({ width, height, channels, pixels: pixels.subarray(at, at + size) });
  }
  Atomics.add(counters, 0, STRIDE);
}
