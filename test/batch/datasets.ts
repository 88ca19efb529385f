import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  type GenerateDatasetOptions,
  type GeneratedDataset,
  generateDataset,
  type InProcessSource,
} from '../../src/batch/generateDataset.js';
import { openAssets } from '../../src/batch/openSource.js';
import type { DatasetSettingsInput } from '../../src/batch/settings.js';
import { DIGEST_BYTES } from '../../src/dataset/contentHash.js';
import { verifyDataset } from '../../src/dataset/verify.js';
import { MetasimError } from '../../src/errors.js';
import { loadGrammar } from '../../src/grammar/grammar.js';

let folder: string | undefined;
let made = 0;

/** A path that nothing lies at; removed with all in it when the process ends. */
export function newPath(name = 'dataset'): string {
  folder ??= temporaryFolder();
  return join(folder, `${name}-${made++}`);
}

/** What `killedRun.ts` generates. */
export const CRASH_STREAM = { count: 24, seed: 9, shardSize: 10 } as const;

function temporaryFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'metasim-batch-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}

export interface DigitsGrammar {
  /** Canvas side, px. */
  readonly size?: number;
  readonly channels?: 1 | 3;
  /** Digits of a scene: 1 to `most`. */
  readonly most?: number;
  /** YAML lines at the end of the grammar. */
  readonly more?: string;
}

/** A grammar file: a noisy background and turned digits that may overlap and leave the canvas. */
export function digitsGrammar({ size = 32, channels = 1, most = 1, more = '' }: DigitsGrammar = {}): string {
  const path = `${newPath('grammar')}.yaml`;
  const half = size / 2;
  writeFileSync(
    path,
    `
name: digits
canvas: { width: ${size}, height: ${size}, channels: ${channels} }
attributes: { x: {}, y: {}, rotation: {} }
templates:
  digit:
    mutable: [rotation]
    asset: digits/\${class}/*
    attributes: { x: { uniform: [-${half}, ${half}] }, y: { uniform: [-${half}, ${half}] }, rotation: { uniform: [-90, 90] } }
classes:
  background: { asset: backgrounds/grey-noise/*, attributes: { x: ${half}, y: ${half} } }
  "3": { extends: digit }
  "7": { extends: digit }
  "8": { extends: digit }
nodes:
  - class: background
    children:
      - class: ["3", "7", "8"]
        count: { uniform: [1, ${most}] }
${more}`,
  );
  return path;
}

/** The same as an object of this process: without worker threads to start, tests are faster. */
export async function inProcess(path: string): Promise<InProcessSource> {
  const { library: assets } = await openAssets(undefined);
  const source = await loadGrammar(path, { assets });
  return { source, assets, hash: source.hash };
}

/** Generates into a new folder on one thread, unless told otherwise. */
export async function generate(
  source: GenerateDatasetOptions['source'] | string,
  settings: DatasetSettingsInput,
  more: Partial<GenerateDatasetOptions> = {},
): Promise<GeneratedDataset & { readonly out: string }> {
  const out = more.out ?? newPath();
  const spec = typeof source === 'string' ? { path: source } : source;
  return { ...(await generateDataset({ source: spec, out, settings, threads: 1, ...more })), out };
}

/** Content hash of a dataset that is generated and, unless it is a machine's part, ended. */
export async function hashOf(...args: Parameters<typeof generate>): Promise<string> {
  const { manifest } = await generate(...args);
  assert.ok(manifest, 'the dataset is ended');
  return manifest.contentHash;
}

/** Digests of all samples in order, as the entries hold them, hexadecimal. */
export function digestsOf(out: string): string[] {
  const entries = join(out, '.metasim/shards');
  return readdirSync(entries)
    .sort()
    .flatMap((name) => {
      const { digests } = JSON.parse(readFileSync(join(entries, name), 'utf8'));
      const bytes = Buffer.from(digests, 'base64');
      return Array.from({ length: bytes.length / DIGEST_BYTES }, (_, i) =>
        bytes.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES).toString('hex'),
      );
    });
}

/** What is in a dataset's own folder that only an unfinished one needs; and temporary names anywhere. */
export function leftovers(out: string): string[] {
  return readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /^\.metasim\/(staging|parts)|\.partial$|file-\d+-/.test(path),
  );
}

/** Whole, unchanged, and nothing left behind. */
export async function expectWhole(out: string, hash: string): Promise<void> {
  const { ok, faults, contentHash } = await verifyDataset(out);
  assert.ok(ok, JSON.stringify(faults));
  assert.is(contentHash, hash);
  assert.equal(leftovers(out), []);
}

/** The error that some work ends with, which must be one of ours. */
export async function failure(work: Promise<unknown>): Promise<MetasimError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: Error) => reason,
  );
  assert.instance(error, MetasimError, (error as Error).stack);
  return error as MetasimError;
}
