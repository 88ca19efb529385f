/**
 * The whole pipeline (sample, render, label, encode, tar, hash, sync) to WebDataset: against PNG encoding alone on as many
 * threads, against itself with Skia's PNG encoder, two threads against one; and whether memory grows with the images.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createCanvas } from '@napi-rs/canvas';
import { type GenerateDatasetOptions, generateDataset } from '../src/batch/generateDataset.js';
import { type OpenedSource, openSource, type SourceSpec } from '../src/batch/openSource.js';
import { headerFor } from '../src/batch/prepare.js';
import { resolveSettings } from '../src/batch/settings.js';
import { ShardMaker } from '../src/batch/shardMaker.js';
import { assetTable } from '../src/dataset/assetTable.js';
import { openFormat } from '../src/dataset/formats/index.js';
import { infoOf } from '../src/dataset/header.js';
import type { ImageEncoder, RawImage } from '../src/dataset/imageCodec.js';
import { LocalStorage } from '../src/dataset/localStorage.js';
import { Engine } from '../src/render/engine.js';
import { type BenchResult, type BenchRow, contest, median } from './bench.js';
import { aerialSource, mnistSource } from './datasetScenes.js';

/** Share of the rate of PNG encoding alone; times the rate with Skia's encoder; two threads against one; growth, MB. */
const SHARE_TARGET = 0.6;
const CANVAS_TARGET = 3;
const SCALING_TARGET = 1.7;
const GROWTH_TARGET = 100;

const SEED = 3;
const ROUNDS = 3;
/** Length of one measurement, s; it begins when every thread has made its first shard, so that no start counts. */
const STEADY_SECONDS = Number(process.env.METASIM_LONG ? 8 : 2);
/** More images than any measurement makes: it is stopped. */
const ENDLESS = 10_000_000;

/** What a measurement found: images a second, and µs of all processors an image. */
interface Rate {
  readonly rate: number;
  readonly cost: number;
}

/** One kind of images. */
interface Kind {
  readonly label: string;
  readonly source: SourceSpec;
  readonly shardSize: number;
  /** Different images that PNG encoding alone goes through. */
  readonly pictures: number;
}

export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-bench-'));
  try {
    const rows: BenchRow[] = [];
    const grey = { label: '64² grey', source: mnistSource, shardSize: 1000, pictures: 2000 };
    const rgb = { label: '256² RGB', source: aerialSource(folder), shardSize: 100, pictures: 100 };
    const shares = [await compare(grey, folder, rows), await compare(rgb, folder, rows)];
    measureMemory(rows);
    const ratio = Math.min(...shares);
    return { name: 'dataset', rows, ratio, peer: 'PNG encoding alone, the lowest share', target: SHARE_TARGET };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All rows of one kind of images. @returns the lower share of the rate of PNG encoding alone, on one thread and on two */
async function compare(kind: Kind, folder: string, rows: BenchRow[]): Promise<number> {
  const opened = await openSource(kind.source);
  try {
    const pictures = await render(opened, kind.pictures);
    // In turn, and ratios within a round, so that what else the machine does falls on all alike.
    const rounds: { png: Rate[]; all: Rate[] }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const png: Rate[] = [];
      const all: Rate[] = [];
      for (const threads of [1, 2]) {
        png.push(await pngRate(pictures, threads));
        all.push(await pipelineRate(kind, join(folder, 'out'), threads));
      }
      rounds.push({ png, all });
    }
    const row = (label: string, value: number, unit: string) =>
      rows.push({ label: `${kind.label}: ${label}`, value, unit });
    const over = (value: (round: (typeof rounds)[number]) => number) => median(rounds.map(value));
    const shares = [0, 1].map((i) => over(({ png, all }) => all[i].rate / png[i].rate));
    for (const [i, threads] of ['1 thread', '2 threads'].entries()) {
      row(
        `PNG encoding alone, ${threads}`,
        over(({ png }) => png[i].rate),
        'images/s',
      );
      row(
        `whole pipeline, ${threads}`,
        over(({ all }) => all[i].rate),
        'images/s',
      );
      row(`share (bar ${SHARE_TARGET})`, shares[i], '×');
      // Of use where other programs run beside: they take time from whoever waits for the disk.
      row(
        "share, by the processors' time",
        over(({ png, all }) => png[i].cost / all[i].cost),
        '×',
      );
    }
    row(
      `2 threads against 1 (bar ${SCALING_TARGET})`,
      over(({ all }) => all[1].rate / all[0].rate),
      '×',
    );
    row(
      'PNG encoding alone, 2 threads against 1',
      over(({ png }) => png[1].rate / png[0].rate),
      '×',
    );
    const [own, canvas] = await encoderRates(kind, opened, join(folder, 'out'));
    row('pipeline on the calling thread, own PNG encoder', own, 'images/s');
    row('the same with the PNG encoder of @napi-rs/canvas', canvas, 'images/s');
    row(`own against that (bar ${CANVAS_TARGET})`, own / canvas, '×');
    return Math.min(...shares);
  } finally {
    opened.dispose();
  }
}

/** The first images of the stream, in memory that threads share. */
async function render({ source, assets }: OpenedSource, count: number): Promise<RawImage> {
  const engine = await Engine.create({ assets, workers: 0 });
  const batch = await source.sampleBatch({ seed: SEED, start: 0, count });
  const { width, height, channels, color } = await engine.render(batch, { color: 'u8' });
  await engine.close();
  const pixels = new Uint8Array(new SharedArrayBuffer(color.length));
  pixels.set(color);
  return { width, height, channels, pixels };
}

/** Takes the images made since it was started. */
type Watch = (images: number) => Rate;

function startWatch(): Watch {
  const started = performance.now();
  const usage = process.cpuUsage();
  return (images) => {
    const { user, system } = process.cpuUsage(usage);
    return { rate: (1000 * images) / (performance.now() - started), cost: (user + system) / images };
  };
}

/** Images a second that threads encode which do nothing else. */
async function pngRate(pictures: RawImage, threads: number): Promise<Rate> {
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const path = new URL('./pngWorker.mjs', import.meta.url);
  const workers = Array.from(
    { length: threads },
    () => new Worker(path, { workerData: { ...pictures, counters }, execArgv: [] }),
  );
  const ended = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  // Until all are warm.
  while (Atomics.load(counters, 0) < 1000 * threads && Atomics.load(counters, 1) === 0) await wait(50);
  await wait(500);
  const first = Atomics.load(counters, 0);
  const watch = startWatch();
  await wait(STEADY_SECONDS * 1000);
  const rate = watch(Atomics.load(counters, 0) - first);
  Atomics.store(counters, 1, 1);
  await ended;
  return rate;
}

/** Images a second that `generateDataset` makes once every thread has its first shard behind it. */
async function pipelineRate(kind: Kind, out: string, threads: number): Promise<Rate> {
  const controller = new AbortController();
  let first: { images: number; at: number; watch: Watch } | undefined;
  let rate: Rate = { rate: 0, cost: 0 };
  const options: GenerateDatasetOptions = {
    source: kind.source,
    out,
    threads,
    settings: { format: 'webdataset', count: ENDLESS, seed: SEED, shardSize: kind.shardSize },
    checkSpace: false,
    signal: controller.signal,
    onProgress({ made }) {
      if (made < 2 * threads * kind.shardSize || controller.signal.aborted) return;
      const at = performance.now();
      first ??= { images: made, at, watch: startWatch() };
      if (at - first.at < 1000 * STEADY_SECONDS) return;
      rate = first.watch(made - first.images);
      controller.abort();
    },
  };
  try {
    await generateDataset(options);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  return rate;
}

/** Images a second with our PNG encoder and with Skia's, on the calling thread, shard by shard. */
async function encoderRates(kind: Kind, opened: OpenedSource, out: string): Promise<number[]> {
  const settings = await resolveSettings({
    format: 'webdataset',
    count: ENDLESS,
    seed: SEED,
    shardSize: kind.shardSize,
  });
  const header = await headerFor(opened, settings);
  const format = await openFormat('webdataset');
  const engine = await Engine.create({ assets: opened.assets, workers: 0 });
  const progress = { check() {}, advance() {} };
  let shard = 0;
  const contestant = async (label: string, encode?: ImageEncoder) => {
    const setup = {
      ...{ header, format, writer: format.writer(infoOf(header)), assets: assetTable(opened.assets) },
      storage: new LocalStorage(join(out, label)),
    };
    const { source } = opened;
    const maker = await ShardMaker.create({ source, engine, setup, allowUnlicensed: false, ...(encode && { encode }) });
    return {
      label,
      async work(count: number) {
        for (let i = 0; i < count; i++) await maker.make(shard++, progress);
      },
    };
  };
  try {
    const contestants = [await contestant('own'), await contestant('canvas', canvasEncoder())];
    const rates = await contest(contestants, { rounds: ROUNDS, roundMs: 500 * STEADY_SECONDS });
    return rates.map((shards) => shards * kind.shardSize);
  } finally {
    await engine.close();
    rmSync(out, { recursive: true, force: true });
  }
}

/** PNG as Skia writes it: always RGBA. */
function canvasEncoder(): ImageEncoder {
  let canvas = createCanvas(1, 1);
  let data = canvas.getContext('2d').createImageData(1, 1);
  return ({ width, height, channels, pixels }) => {
    if (canvas.width !== width || canvas.height !== height) {
      canvas = createCanvas(width, height);
      data = canvas.getContext('2d').createImageData(width, height);
      data.data.fill(255);
    }
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) data.data[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
    }
    canvas.getContext('2d').putImageData(data, 0, 0);
    return canvas.encodeSync('png');
  };
}

/** Peak memory of a process that makes few images and of one that makes many, on two threads. */
function measureMemory(rows: BenchRow[]): void {
  const [few, many] = process.env.METASIM_LONG ? [5000, 100_000] : [5000, 20_000];
  const mnist = fileURLToPath(new URL('../../shared/data/mnist', import.meta.url));
  const { path, variables } = mnistSource;
  const sources: [string, SourceSpec][] = [['built-in digits', mnistSource]];
  if (existsSync(mnist)) {
    const assets = [{ kind: 'mnist', folder: mnist, split: 'train', from: 0 } as const];
    sources.push(['MNIST', { path, assets, variables: { ...variables, digits: 'mnist/train' } }]);
  }
  for (const [label, source] of sources) {
    const peaks = [few, many].map((count) => peakMegabytes(source, count));
    for (const [i, count] of [few, many].entries()) {
      rows.push({
        label: `${label}: peak memory, ${count.toLocaleString('en-US')} images`,
        value: peaks[i],
        unit: 'MB',
      });
    }
    rows.push({ label: `${label}: growth (bar ${GROWTH_TARGET})`, value: peaks[1] - peaks[0], unit: 'MB' });
  }
}

function peakMegabytes(source: SourceSpec, count: number): number {
  const options = { source, threads: 2, settings: { format: 'webdataset', count, seed: SEED } };
  const script = fileURLToPath(new URL('./peakMemory.ts', import.meta.url));
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
    encoding: 'utf8',
  });
  return Number(output) / 1e6;
}
