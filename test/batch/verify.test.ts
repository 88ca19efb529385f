import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMAT_NAMES } from '../../src/dataset/formats/index.js';
import { encodePng } from '../../src/dataset/png.js';
import { type VerifiedDataset, verifyDataset } from '../../src/dataset/verify.js';
import { RandomStream } from '../../src/random.js';
import { runCli } from '../cli/runCli.js';
import { digitsGrammar, failure, generate, inProcess, newPath } from './datasets.js';

const source = await inProcess(digitsGrammar());
const STREAM = { count: 7, seed: 8, shardSize: 3, masks: true, scenes: true } as const;
const random = new RandomStream({ seed: 4, index: 0 });

/** Paths of all files of a dataset, `.metasim` included. */
function filesOf(out: string): string[] {
  const all = readdirSync(out, { recursive: true, encoding: 'utf8' });
  return all.filter((path) => statSync(join(out, path)).isFile()).sort();
}

/** One of each kind: files that differ in the digits of their name only are alike. */
function kindsOf(out: string): string[] {
  const kinds = new Map<string, string>();
  for (const path of filesOf(out)) kinds.set(path.replace(/\d{3,}/g, '#'), path);
  return [...kinds.values()];
}

const named = ({ faults }: VerifiedDataset, path: string) =>
  faults.some(({ where, message }) => where.includes(path) || message.includes(path));

/** Writes down all files anew, as if they had been made like this: only reading the samples tells. */
function reseal(out: string): void {
  const hashOf = (path: string) => {
    const bytes = readFileSync(join(out, path));
    return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const renew = ({ path }: { path: string }) => hashOf(path);
  const entries = createHash('sha256');
  for (const name of readdirSync(join(out, '.metasim/shards')).sort()) {
    const path = join(out, '.metasim/shards', name);
    const entry = JSON.parse(readFileSync(path, 'utf8'));
    const line = `${JSON.stringify({ ...entry, files: entry.files.map(renew) })}\n`;
    writeFileSync(path, line);
    entries.update(line);
  }
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const renewed = { ...manifest, entriesHash: entries.digest('hex'), files: manifest.files.map(renew) };
  writeFileSync(join(out, 'manifest.json'), JSON.stringify(renewed));
  const { sha256 } = hashOf('manifest.json');
  writeFileSync(join(out, '.metasim/manifest.sha256'), `${sha256}  manifest.json\n`);
}

for (const format of FORMAT_NAMES) {
  test(`${format}: a flipped bit and a missing file are found, and named, in every kind of file`, async () => {
    const { out } = await generate(source, { ...STREAM, format });
    const sound = await verifyDataset(out);
    assert.equal(sound.faults, []);
    assert.is(sound.samples, STREAM.count);
    for (const path of kindsOf(out)) {
      const full = join(out, path);
      const bytes = readFileSync(full);
      const flipped = Buffer.from(bytes);
      const at = random.integer(bytes.length);
      flipped[at] ^= 1 << random.integer(8);
      // The manifest's hash and the shards' entries are accounts: what is said to differ is what they are accounts of.
      const says = path === '.metasim/manifest.sha256' ? 'manifest' : path.replace(/\/shards\/.*/, '/shards');
      for (const quick of [true, false]) {
        writeFileSync(full, flipped);
        const changed = await verifyDataset(out, { quick });
        assert.not(changed.ok, `byte ${at} of ${path}`);
        assert.ok(named(changed, says), `${path}: ${JSON.stringify(changed.faults)}`);
        rmSync(full);
        const gone = await verifyDataset(out, { quick });
        assert.not(gone.ok, path);
        if (path.includes('/shards/')) assert.match(gone.faults[0].message, /1 are missing: 2/);
        else assert.ok(named(gone, path), `${path}: ${JSON.stringify(gone.faults)}`);
      }
      writeFileSync(full, bytes);
    }
    assert.ok((await verifyDataset(out)).ok, 'and all is well again');
  });
}

/** Members of a tar archive by name: header and data blocks. */
function membersOf(tar: Buffer): Map<string, Buffer> {
  const members = new Map<string, Buffer>();
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8);
    const end = at + 512 + Math.ceil(size / 512) * 512;
    members.set(name, tar.subarray(at, end));
    at = end;
  }
  return members;
}

const END_OF_TAR = Buffer.alloc(1024);
const tars = await generate(source, { ...STREAM, format: 'webdataset', masks: false, scenes: false, count: 12 });

/** A copy whose archive of shard 1 holds the samples of these numbers, as if it had been made so. */
function withSamples(numbers: readonly number[]): string {
  const out = newPath();
  cpSync(tars.out, out, { recursive: true });
  const path = join(out, 'train-000001.tar');
  const members = [...membersOf(readFileSync(path))];
  const all = new Map([...members, ...membersOf(readFileSync(join(out, 'train-000000.tar')))]);
  const kept = numbers.flatMap((number) =>
    [...all].filter(([name]) => name.startsWith(String(number).padStart(9, '0'))).map(([, blocks]) => blocks),
  );
  writeFileSync(path, Buffer.concat([...kept, END_OF_TAR]));
  reseal(out);
  return out;
}

const summary = ({ faults }: VerifiedDataset) => faults.map(({ kind, where }) => `${kind} ${where}`);

/** Without what the format's reader says in the end: it counts too. */
const sampleFaults = (result: VerifiedDataset) =>
  summary({
    ...result,
    faults: result.faults.filter(({ message }) => !/^Expected \d+ (samples|rows) in/.test(message)),
  });

test('a sample that is missing from a tar is named, and those behind it are not blamed', async () => {
  const first = await verifyDataset(withSamples([4, 5]));
  assert.equal(sampleFaults(first), ['missing sample 000000003']);
  assert.is(first.samples, 11);
  assert.equal(sampleFaults(await verifyDataset(withSamples([3, 5]))), ['missing sample 000000004']);
  assert.equal(sampleFaults(await verifyDataset(withSamples([]))), [
    'missing sample 000000003',
    'missing sample 000000004',
    'missing sample 000000005',
  ]);
  const last = newPath();
  cpSync(tars.out, last, { recursive: true });
  writeFileSync(join(last, 'train-000003.tar'), END_OF_TAR);
  reseal(last);
  const { faults } = await verifyDataset(last);
  assert.match(faults[0].message, /; 3 samples were not read, from 000000009 on$/);
  assert.ok((await verifyDataset(withSamples([4, 5]), { quick: true })).ok, 'the files are as they were resealed');
});

test('a sample that is there twice is named, next to itself and far from it', async () => {
  const far = await verifyDataset(withSamples([3, 1, 4, 5]));
  assert.equal(sampleFaults(far), ['surplus sample 000000001']);
  assert.is(far.samples, 13);
  const instead = await verifyDataset(withSamples([3, 1, 5]));
  assert.equal(sampleFaults(instead).sort(), ['missing sample 000000004', 'surplus sample 000000001']);
});

test('a line taken from or doubled in metadata.jsonl is found, and so is a changed label and a changed pixel', async () => {
  const { out } = await generate(source, { ...STREAM, masks: false, scenes: false, format: 'imagefolder' });
  const path = join(out, 'metadata.jsonl');
  const text = readFileSync(path, 'utf8');
  const lines = text.trimEnd().split('\n');
  const withLines = async (changed: readonly string[]) => {
    writeFileSync(path, `${changed.join('\n')}\n`);
    reseal(out);
    const result = await verifyDataset(out);
    assert.not(result.ok);
    return result;
  };
  assert.equal(sampleFaults(await withLines(lines.filter((_, i) => i !== 2))), ['missing sample 000000002']);
  const doubled = await withLines([...lines.slice(0, 3), lines[1], ...lines.slice(3)]);
  assert.equal(sampleFaults(doubled), ['surplus sample 000000001']);
  const turned = lines.map((line, i) => (i === 5 ? line.replace(/"rotation":-?\d/, '"rotation":7') : line));
  assert.is.not(turned[5], lines[5]);
  assert.equal(summary(await withLines(turned)), ['changed sample 000000005']);
  writeFileSync(path, text);
  const image = join(out, JSON.parse(lines[6]).file_name);
  const { decode } = await import('fast-png');
  const { width, height, data } = decode(readFileSync(image));
  data[17] ^= 1;
  writeFileSync(image, encodePng({ width, height, channels: 1, pixels: data as Uint8Array }));
  reseal(out);
  assert.equal(summary(await verifyDataset(out)), ['changed sample 000000006']);
});

test('a label record that is kept beside a format: what was changed, taken away or added is found', async () => {
  const { out } = await generate(source, { ...STREAM, masks: false, scenes: false, format: 'kitti' });
  const path = join(out, '.metasim/labels/000001.jsonl');
  const text = readFileSync(path, 'utf8');
  const lines = text.trimEnd().split('\n');
  const withLines = async (changed: readonly string[]) => {
    writeFileSync(path, `${changed.join('\n')}\n`);
    reseal(out);
    return verifyDataset(out);
  };
  const changed = lines.map((line, i) => (i === 0 ? line.replace(/"rotation":-?\d/, '"rotation":7') : line));
  assert.is.not(changed[0], lines[0]);
  assert.equal(summary(await withLines(changed)), ['changed sample 000000003']);
  for (const wrong of [lines.slice(1), [...lines, lines[0]]]) {
    const result = await withLines(wrong);
    assert.not(result.ok);
    assert.ok(named(result, '.metasim/labels/'), JSON.stringify(result.faults));
  }
});

test('entries that are not those of the manifest are found, sound as they may be', async () => {
  const { out } = await generate(source, { ...STREAM, format: 'tfrecord' });
  const other = await generate(source, { ...STREAM, format: 'tfrecord', seed: 9 });
  cpSync(join(other.out, '.metasim/shards/000001.json'), join(out, '.metasim/shards/000001.json'));
  const { faults } = await verifyDataset(out);
  assert.ok(faults.some(({ kind }) => kind === 'changed entry'));
  assert.ok(faults.some(({ kind, where }) => kind === 'changed file' && where.includes('00001-of-00003')));
  assert.is(faults.filter(({ kind }) => kind === 'changed sample').length, 3);
});

test('an unfinished dataset: what is missing is named, and what is there is checked', async () => {
  const part = await generate(
    source,
    { ...STREAM, count: 20, format: 'webdataset' },
    { machine: { index: 1, count: 3 } },
  );
  const result = await verifyDataset(part.out);
  assert.equal(summary(result), [`unfinished ${part.out}`]);
  assert.match(result.faults[0].message, /5 are missing: 0–1, 4–6/);
  assert.is(result.contentHash, '');
  assert.is(result.files, 2);
  const tar = join(part.out, 'train-000003.tar');
  const bytes = readFileSync(tar);
  bytes[1000] ^= 4;
  writeFileSync(tar, bytes);
  assert.equal(summary(await verifyDataset(part.out)), [`unfinished ${part.out}`, 'changed file train-000003.tar']);
  const whole = await generate(source, { ...STREAM, format: 'webdataset' });
  rmSync(join(whole.out, 'manifest.json'));
  assert.match((await verifyDataset(whole.out)).faults[0].message, /has not been completed/);
});

test('faults beyond the limit are counted; no dataset is an error', async () => {
  const out = withSamples([]);
  rmSync(join(out, 'README.md'));
  const { faults, faultCount } = await verifyDataset(out, { limit: 1 });
  assert.equal([faults.length, faultCount], [1, 5]);
  assert.match((await failure(verifyDataset(newPath()))).message, /Expected a dataset made by metasim/);
});

test('the command line: exit code 0 and the hash, 1 and a line a fault', async () => {
  const good = await runCli(['verify', tars.out, '--json']);
  assert.is(good.code, 0, good.stderr);
  const { ok, contentHash, count, samples } = JSON.parse(good.stdout);
  assert.equal([ok, contentHash, count, samples], [true, tars.manifest?.contentHash, 12, 12]);
  const bad = withSamples([3, 1, 5]);
  const [told, quick] = await Promise.all([runCli(['verify', bad]), runCli(['verify', bad, '--quick'])]);
  assert.is(told.code, 1, told.stderr);
  assert.match(told.stdout, /\n2 faults:\n {2}surplus sample: 000000001: .*\n {2}missing sample: 000000004: /);
  assert.is(quick.code, 0, quick.stderr);
  assert.match(quick.stdout, /nothing is missing, doubled or changed/);
});

test.run();
