import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { verifyDataset } from '../../src/dataset/verify.js';
import { RandomStream } from '../../src/random.js';
import { runNode } from '../cli/runCli.js';
import { CRASH_STREAM, digitsGrammar, generate, hashOf, inProcess, leftovers, newPath } from './datasets.js';

/** Kills of the command line; the bar of the project is 20. */
const CRASHES = Number(process.env.METASIM_CRASHES ?? 6);
const SHARDS = 60;
const IMAGES = 6;
const root = fileURLToPath(new URL('../..', import.meta.url));
const grammar = digitsGrammar({ most: 3, channels: 3 });
const random = new RandomStream({ seed: Number(process.env.METASIM_CRASH_SEED ?? 1), index: 0 });

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Starts the command line; `ended` tells how it went. */
function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stderr })));
  return { child, ended };
}

const entriesOf = (out: string) =>
  existsSync(join(out, '.metasim/shards')) ? readdirSync(join(out, '.metasim/shards')).length : 0;

/** Whole, unchanged, and nothing left behind. */
async function expectWhole(out: string, hash: string): Promise<void> {
  const { ok, faults, contentHash } = await verifyDataset(out);
  assert.ok(ok, JSON.stringify(faults));
  assert.is(contentHash, hash);
  assert.equal(leftovers(out), []);
}

for (const [format, crashes] of [
  ['webdataset', Math.ceil(CRASHES / 2)],
  ['imagefolder', Math.floor(CRASHES / 2)],
] as const) {
  const stream = { count: SHARDS * IMAGES, seed: 4, shardSize: IMAGES, format } as const;

  test(`${format}: killed ${crashes} times at random and resumed each time, it ends as if nothing had been`, async () => {
    const source = await inProcess(grammar);
    const hash = await hashOf(source, stream);
    const flags = ['--count', `${stream.count}`, '--seed', '4', '--shard-size', `${IMAGES}`, '--format', format];
    const places: string[] = [];
    let out = newPath();
    while (places.length < crashes) {
      const present = entriesOf(out);
      const resume = existsSync(out) ? ['--resume'] : [];
      const { child, ended } = start(['generate', grammar, ...flags, '--threads', '2', '--out', out, ...resume]);
      let running = true;
      ended.then(() => (running = false));
      // While it begins, in the midst of the shards, or when all are there and the dataset is being ended.
      const kind = random.integer(8);
      if (kind === 0) {
        await sleep(random.uniform() * 2500);
      } else {
        const target = kind <= 2 ? SHARDS : Math.min(SHARDS, present + 1 + random.integer(SHARDS / 4));
        while (running && entriesOf(out) < target) await sleep(1);
        await sleep(random.uniform() * (kind <= 2 ? 30 : 10));
      }
      child.kill('SIGKILL');
      const { code, signal, stderr } = await ended;
      if (signal === 'SIGKILL')
        places.push(`${entriesOf(out)}${existsSync(join(out, 'manifest.json')) ? ' (ended)' : ''}`);
      else assert.is(code, 0, stderr);
      if (entriesOf(out) < SHARDS) continue;
      if (signal === 'SIGKILL') await generate(source, stream, { out, resume: true });
      await expectWhole(out, hash);
      out = newPath();
    }
    const last = start(['generate', grammar, ...flags, '--out', out, ...(existsSync(out) ? ['--resume'] : [])]);
    const { code, stderr } = await last.ended;
    assert.is(code, 0, stderr);
    await expectWhole(out, hash);
    console.log(`# ${format}: killed with ${places.join(', ')} of ${SHARDS} shards there`);
  });
}

for (const format of ['webdataset', 'imagefolder'] as const) {
  test(`${format}: killed around chosen file operations, it is resumed to the same content`, async () => {
    const source = await inProcess(grammar);
    const stream = { ...CRASH_STREAM, format };
    const hash = await hashOf(source, stream);
    const run = (out: string, point: number) => runNode(['test/batch/killedRun.ts', grammar, out, format, `${point}`]);
    const whole = await run(newPath(), -1);
    assert.is(whole.code, 0, whole.stderr);
    const steps = JSON.parse(whole.stdout) as string[];
    const all = (name: string) => steps.flatMap((step, i) => (step === name ? [i] : []));
    const links = all('before link');
    const last = (name: string) => all(name).at(-1) as number;
    const points: Record<string, number> =
      format === 'webdataset'
        ? {
            'in a shard': all('after writeSync')[random.integer(all('after writeSync').length)],
            'between a shard’s file and its entry': links[3],
            'before the manifest': last('before rename'),
            'while tidying up': last('before rm'),
          }
        : {
            'before the header': links[0],
            'between the files of a shard': all('after rename')[random.integer(12)],
            'after an entry': links[3] + 1,
            'after the manifest': last('after rename') + random.integer(4),
          };
    const outs = await Promise.all(
      Object.entries(points).map(async ([name, point]) => {
        const out = newPath();
        const { code, stderr } = await run(out, point);
        assert.is(code, null, `${name}: killed ${stderr}`);
        return { name, out, point };
      }),
    );
    for (const { name, out, point } of outs) {
      const { manifest } = await generate(source, stream, { out, resume: true });
      assert.is(manifest?.contentHash, hash, `${name} (${steps[point]}, ${point} of ${steps.length})`);
      await expectWhole(out, hash);
    }
  });
}

test.run();
