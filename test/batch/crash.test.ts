import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import { digitsGrammar, expectWhole, generate, hashOf, inProcess, newPath } from './datasets.js';

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

for (const [format, crashes, threads] of [
  ['webdataset', Math.ceil(CRASHES / 2), 2],
  ['imagefolder', Math.floor(CRASHES / 2), 1],
] as const) {
  const stream = { count: SHARDS * IMAGES, seed: 4, shardSize: IMAGES, format } as const;

  test(`${format}: killed ${crashes} times at random and resumed each time, it ends as if nothing had been`, async () => {
    const source = await inProcess(grammar);
    const hash = await hashOf(source, stream);
    const flags = [
      '--count',
      `${stream.count}`,
      '--seed',
      '4',
      '--shard-size',
      `${IMAGES}`,
      '--format',
      format,
      '--threads',
      `${threads}`,
    ];
    const places: string[] = [];
    let out = newPath();
    while (places.length < crashes) {
      const present = entriesOf(out);
      const resume = existsSync(out) ? ['--resume'] : [];
      const { child, ended } = start(['generate', grammar, ...flags, '--out', out, ...resume]);
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
    if (existsSync(out)) {
      const { code, stderr } = await start(['generate', grammar, ...flags, '--out', out, '--resume']).ended;
      assert.is(code, 0, stderr);
      await expectWhole(out, hash);
    }
    console.log(`# ${format}: killed with ${places.join(', ')} of ${SHARDS} shards there`);
  });
}

test.run();
