import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { verifyDataset } from '../../src/dataset/verify.js';
import { RandomStream } from '../../src/random.js';
import type { SceneSource } from '../../src/scene/sceneSource.js';
import { runCli } from '../cli/runCli.js';
import { digitsGrammar, failure, generate, inProcess, leftovers, newPath } from './datasets.js';

const DISK_BYTES = 8 << 20;
const disk = newPath('disk');
mkdirSync(disk);
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]);
const skipped = mounted.status !== 0;
if (skipped) console.log(`# skip diskFull: no small disk can be mounted (${mounted.error?.message ?? mounted.stderr})`);
// Before the folder is removed that it lies in.
else process.prependOnceListener('exit', () => void spawnSync('umount', ['-l', disk]));
const check = skipped ? test.skip : test;

const ballast = join(disk, 'ballast');
const grammar = digitsGrammar({ most: 3, channels: 3, size: 48 });
const source = await inProcess(grammar);
const stream = { count: 120, seed: 2, shardSize: 15 } as const;
const random = new RandomStream({ seed: 3, index: 0 });

/** Fills the disk but for some bytes. */
function leave(bytes: number): void {
  rmSync(ballast, { force: true });
  try {
    writeFileSync(ballast, Buffer.alloc(DISK_BYTES));
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
  truncateSync(ballast, Math.max(0, statSync(ballast).size - bytes));
}

/** Hashes of the files that somebody who knows nothing of `.metasim` sees. */
function visible(out: string): Map<string, string> {
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(out, path).startsWith('.metasim'));
  return new Map(
    files.map((path) => [relative(out, path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

/** What lies there is whole: the same as in the dataset that had room. */
function expectNothingHalf(out: string, whole: ReadonlyMap<string, string>): void {
  for (const [path, hash] of visible(out)) assert.is(hash, whole.get(path), `${path} is whole`);
  const staged = readdirSync(join(out, '.metasim'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath.includes('staging'),
  );
  assert.equal(staged, [], 'a run that failed leaves no staged files');
}

for (const format of ['webdataset', 'imagefolder', 'coco'] as const) {
  check(`${format}: wherever the disk gets full, nothing half is seen, and --resume ends it`, async () => {
    const whole = await generate(source, { ...stream, format });
    const files = visible(whole.out);
    const bytes = whole.manifest?.bytes as number;
    const out = join(disk, format);
    let failures = 0;
    for (let i = 0; i < 6; i++) {
      // Evenly over all that is written, parts and rounding up to pages included; the last ones near the end.
      leave(Math.floor(((i + random.uniform()) / 5) * bytes * 1.4));
      const result = await generate(source, { ...stream, format }, { out, checkSpace: false }).catch((error) => error);
      if (result instanceof Error) {
        failures++;
        assert.match(result.message, /Expected .+ENOSPC.+--resume/s);
        expectNothingHalf(out, files);
      }
      rmSync(ballast);
      const { manifest } = await generate(source, { ...stream, format }, { out, resume: true, checkSpace: false });
      assert.is(manifest?.contentHash, whole.manifest?.contentHash);
      assert.equal(leftovers(out), []);
      const { ok, faults } = await verifyDataset(out);
      assert.ok(ok, JSON.stringify(faults));
      rmSync(out, { recursive: true });
    }
    assert.ok(failures >= 3, `${failures} of 6 runs met the full disk`);
  });
}

check('a disk that gets full while a run is under way, again and again', async () => {
  const whole = await generate(source, { ...stream, format: 'tfrecord' });
  const out = join(disk, 'growing');
  let failures = 0;
  for (;;) {
    // Somebody else takes the room when a random scene is sampled, and gives it back after the failure.
    let left = 2 + random.integer(4);
    const hungry: SceneSource = {
      name: source.source.name,
      sampleBatch(request) {
        if (left-- === 0) leave(random.integer(20_000));
        return source.source.sampleBatch(request);
      },
    };
    const options = { out, resume: failures > 0, checkSpace: false };
    const result = await generate({ ...source, source: hungry }, { ...stream, format: 'tfrecord' }, options).catch(
      (error) => error,
    );
    rmSync(ballast, { force: true });
    if (!(result instanceof Error)) {
      assert.is(result.manifest.contentHash, whole.manifest?.contentHash);
      break;
    }
    failures++;
    assert.match(result.message, /ENOSPC.+--resume/s);
    expectNothingHalf(out, visible(whole.out));
  }
  assert.ok(failures >= 1);
  assert.equal(leftovers(out), []);
  rmSync(out, { recursive: true });
});

check('on worker threads: exit code 1, one line that says what to do; the other threads stop too', async () => {
  const out = join(disk, 'cli');
  const flags = ['--count', '120', '--seed', '2', '--shard-size', '15', '--format', 'webdataset', '--threads', '2'];
  const whole = await generate(source, { ...stream, format: 'webdataset' });
  leave(Math.floor((whole.manifest?.bytes as number) * 0.4));
  const full = await runCli(['generate', grammar, ...flags, '--out', out, '--no-check-space']);
  assert.is(full.code, 1);
  assert.match(full.stderr, /^error: Expected .*ENOSPC.*--resume goes on from there\n$/m);
  expectNothingHalf(out, visible(whole.out));
  rmSync(ballast);
  const resumed = await runCli(['generate', grammar, ...flags, '--out', out, '--no-check-space', '--resume', '--json']);
  assert.is(resumed.code, 0, resumed.stderr);
  assert.is(JSON.parse(resumed.stdout).contentHash, whole.manifest?.contentHash);
  rmSync(out, { recursive: true });
});

check('the room is looked at before: what is needed and what there is; nothing is begun', async () => {
  leave(3 << 20);
  const out = join(disk, 'refused');
  const { bavail, bsize } = statfsSync(disk);
  const error = await failure(generate(source, { ...stream, count: 2000 }, { out }));
  const [, needed, free] = /about ([\d.]+) MB of free space for 2000 images .* received ([\d.]+) MB/.exec(
    error.message,
  ) as RegExpExecArray;
  assert.is(free, ((bavail * bsize) / 1e6).toFixed(1));
  const whole = await generate(source, { ...stream, count: 500 });
  const real = ((whole.manifest?.bytes as number) * 4) / 1e6;
  const images = Number(needed) - 16.8;
  assert.ok(images > 0.7 * real && images < 2 * real, `${needed} MB for ${real} MB and 16.8 to spare`);
  assert.equal(readdirSync(disk), ['ballast']);
});

test.run();
