/** Two worker threads against one: generation (zero-copy), rendering and vjp of large batches, and their memory. */
import { Worker } from 'node:worker_threads';
import { Engine, type RenderedBatch } from '../src/render/engine.js';
import type { SceneBatch } from '../src/scene/sceneGraph.js';
import type { SceneSource } from '../src/scene/sceneSource.js';
import { type BenchResult, type BenchRow, consume, contest, median } from './bench.js';
import { aerialScenes, benchLibrary, mnistScenes } from './spriteScenes.js';

const TARGET = 1.7;
const MIB = 1 << 20;
/** Scenes a call: enough for many chunks, little enough that results stay in memory that is used again. */
const AERIAL_BATCH = 96;
const MNIST_BATCH = 2000;

/** Scenes made beforehand, again and again: the bench is about the engine, not about sampling. */
class Repeating implements SceneSource {
  readonly name = 'repeating';
  readonly #batch: SceneBatch;

  constructor(batch: SceneBatch) {
    this.#batch = batch;
  }

  sampleBatch({ start, count }: { start: number; count: number }): SceneBatch {
    const { scenes } = this.#batch;
    return { ...this.#batch, scenes: Array.from({ length: count }, (_, i) => scenes[(start + i) % scenes.length]) };
  }
}

export async function run(): Promise<BenchResult> {
  const engines = [
    await Engine.create({ assets: benchLibrary, workers: 1 }),
    await Engine.create({ assets: benchLibrary, workers: 2 }),
  ];
  const rows: BenchRow[] = [];
  try {
    const aerial = aerialScenes(AERIAL_BATCH);
    rows.push({ label: 'threads that only compute, 2 against 1', value: await machineScaling(), unit: '×' });
    const mnist = mnistScenes(MNIST_BATCH);
    const ratio = await compare('aerial 256², generate, bytes and labels', engines, rows, aerial, generating);
    await compare('aerial 256², render, bytes', engines, rows, aerial, rendering);
    await compare('aerial 256², vjp', engines, rows, aerial, differentiating);
    await compare('MNIST 64², vjp', engines, rows, mnist, differentiating);
    for (const engine of engines) {
      const { peakBytes, memoryBytes } = engine.stats();
      const label = `${engine.workers} worker${engine.workers > 1 ? 's' : ''}: kernels' memory`;
      rows.push({ label: `${label} in use at most`, value: peakBytes / MIB, unit: 'MiB' });
      rows.push({ label: `${label}`, value: memoryBytes / MIB, unit: 'MiB' });
    }
    rows.push({ label: 'peak memory of the whole process', value: process.resourceUsage().maxRSS / 1024, unit: 'MiB' });
    return { name: 'scaling', rows, ratio, peer: 'one worker, generating aerial scenes', target: TARGET };
  } finally {
    for (const engine of engines) await engine.close();
  }
}

/** What the machine itself gives: work done per second by two threads that share nothing, against one. */
async function machineScaling(): Promise<number> {
  const source = `
    let x = 0;
    for (let i = 0; i < 3e8; i++) x += i % 7;
    require('node:worker_threads').parentPort.postMessage(x);`;
  const spin = () => new Promise((resolve) => new Worker(source, { eval: true }).once('exit', resolve));
  const times = [1, 2, 1, 2, 1, 2].map((threads) => async () => {
    const started = performance.now();
    await Promise.all(Array.from({ length: threads }, spin));
    return performance.now() - started;
  });
  const taken: number[] = [];
  for (const time of times) taken.push(await time());
  const one = median(taken.filter((_, i) => i % 2 === 0));
  const two = median(taken.filter((_, i) => i % 2 === 1));
  return (2 * one) / two;
}

/** Does a batch of scenes `count` times over. */
type Work = (batch: SceneBatch, engine: Engine) => (count: number) => Promise<void>;

const generating: Work = (batch, engine) => async (count) => {
  const options = { count: count * batch.scenes.length, seed: 0, reuse: true };
  for await (const sample of engine.generate(new Repeating(batch), options)) consume(sample.image[0]);
};

/** Into arrays that are used again. */
const rendering: Work = (batch, engine) => {
  let into: RenderedBatch<'u8'> | undefined;
  return async (count) => {
    for (let i = 0; i < count; i++) {
      into = await engine.render(batch, { color: 'u8', ...(into ? { into } : {}) });
      consume(into.color[0]);
    }
  };
};

const differentiating: Work = (batch, engine) => {
  const { width, height } = batch.scenes[0];
  const values = batch.scenes.length * width * height * batch.schema.channels;
  const gradient = Float32Array.from({ length: values }, (_, i) => Math.sin(0.01 * i));
  return async (count) => {
    for (let i = 0; i < count; i++) consume((await engine.vjp(batch, gradient))[0]);
  };
};

/** Adds a row for each engine and their ratio; returns the ratio. */
async function compare(
  label: string,
  engines: readonly Engine[],
  rows: BenchRow[],
  batch: SceneBatch,
  work: Work,
): Promise<number> {
  const contestants = engines.map((engine) => ({ label: `${engine.workers}`, work: work(batch, engine) }));
  const [one, two] = (await contest(contestants, { rounds: 5, roundMs: 600 })).map(
    (batches) => batches * batch.scenes.length,
  );
  rows.push({ label: `${label}, 1 worker`, value: one, unit: 'scenes/s' });
  rows.push({ label: `${label}, 2 workers`, value: two, unit: 'scenes/s' });
  rows.push({ label: `${label}, ratio`, value: two / one, unit: '×' });
  return two / one;
}
