import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mergeDatasets } from '../../src/batch/mergeDatasets.js';
import { DatasetError } from '../../src/errors.js';
import { runCli } from '../cli/runCli.js';
import { digitsGrammar, expectWhole, failure, generate, hashOf, inProcess, newPath } from './datasets.js';

const source = await inProcess(digitsGrammar({ most: 3 }));
const STREAM = { count: 40, seed: 5, shardSize: 5, format: 'coco' } as const;
const hash = await hashOf(source, STREAM);
const parts: string[] = [];
for (const index of [0, 1, 2]) parts.push((await generate(source, STREAM, { machine: { index, count: 3 } })).out);

function copyOf(place: string): string {
  const out = newPath();
  cpSync(place, out, { recursive: true });
  return out;
}

test('missing shards are named, what is there is kept, and the rest may come later', async () => {
  const out = newPath();
  const error = await failure(mergeDatasets({ out, parts: [parts[2], parts[0]] }));
  assert.instance(error, DatasetError);
  assert.match(error.message, /Expected all 8 shards in .* but 3 are missing: 2–4$/);
  assert.not(existsSync(join(out, 'manifest.json')));
  const copied: [number, number][] = [];
  const onProgress = (done: number, total: number) => void copied.push([done, total]);
  const { contentHash } = await mergeDatasets({ out, parts: [parts[0], parts[1]], onProgress });
  assert.is(contentHash, hash);
  assert.equal(copied, [
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
  await expectWhole(out, hash);
  assert.is((await mergeDatasets({ out })).contentHash, hash, 'merging again does nothing');
});

test('shards that two machines made are taken once', async () => {
  const all = await generate(source, STREAM, { machine: { index: 0, count: 1 }, out: newPath() });
  rmSync(join(all.out, 'manifest.json'));
  const again = copyOf(parts[0]);
  const out = newPath();
  assert.is((await mergeDatasets({ out, parts: [again, parts[1], parts[0], parts[2]] })).contentHash, hash);
  await expectWhole(out, hash);
});

test('a damaged part is refused with file and shard; nothing of the shard is taken over', async () => {
  const damaged = copyOf(parts[1]);
  const image = readdirSync(damaged, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('000000013.png'))
    .sort()[0];
  const bytes = readFileSync(join(damaged, image));
  bytes[bytes.length >> 1] ^= 16;
  writeFileSync(join(damaged, image), bytes);
  const out = newPath();
  const error = await failure(mergeDatasets({ out, parts: [parts[0], damaged, parts[2]] }));
  assert.instance(error, DatasetError);
  assert.match(
    error.message,
    /Expected the bytes that were written in .*000000013\.png but received others: .*shard 2/,
  );
  assert.not(existsSync(join(out, image)), 'the damaged file is not left behind');
  assert.not(existsSync(join(out, '.metasim/shards/000002.json')));
  assert.is((await mergeDatasets({ out, parts })).contentHash, hash, 'a sound part makes up for it');
  await expectWhole(out, hash);
  rmSync(join(damaged, image));
  assert.match((await failure(mergeDatasets({ out: newPath(), parts: [damaged] }))).message, /000000013\.png/);
});

test('an entry that is damaged, or names files elsewhere, is refused', async () => {
  const path = (place: string) => join(place, '.metasim/shards/000002.json');
  const entry = JSON.parse(readFileSync(path(parts[1]), 'utf8'));
  const [first, ...files] = entry.files;
  const outside = newPath('outside');
  const wrong: [object | string, RegExp][] = [
    ['{"shard": 2', /Expected JSON in .*000002\.json/],
    [{ ...entry, count: 4 }, /Expected images 10 to 14 .* but received 4 from 10/],
    [{ ...entry, digests: entry.digests.slice(0, 44) }, /with 5 digests .* received 5 from 10 with 1/],
    [{ ...entry, files: [{ ...first, path: `../../${outside}` }, ...files] }, /Expected a path within the dataset/],
    [{ ...entry, files: [{ ...first, path: '/etc/hosts' }, ...files] }, /Expected a path within the dataset/],
    [{ ...entry, files: [{ ...first, path: 'a\0b' }, ...files] }, /Expected a path within the dataset/],
    [{ ...entry, more: 1 }, /more/],
  ];
  for (const [content, message] of wrong) {
    const part = copyOf(parts[1]);
    writeFileSync(path(part), typeof content === 'string' ? content : `${JSON.stringify(content)}\n`);
    const out = newPath();
    assert.match((await failure(mergeDatasets({ out, parts: [part] }))).message, message);
    assert.not(existsSync(join(out, 'manifest.json')));
  }
  assert.not(existsSync(outside));
});

test('parts of another dataset, places without one and a place with something else in it are refused', async () => {
  const out = newPath();
  await failure(mergeDatasets({ out, parts: [parts[0]] }));
  const other = await generate(source, { ...STREAM, seed: 6 }, { machine: { index: 1, count: 3 } });
  const foreign = await failure(mergeDatasets({ out, parts: [other.out] }));
  assert.match(
    foreign.message,
    /Expected the dataset in .* to go on with its own settings .*another "seed": 6 instead of 5/,
  );
  const sized = await generate(source, { ...STREAM, shardSize: 4 }, { machine: { index: 1, count: 3 } });
  assert.match((await failure(mergeDatasets({ out, parts: [sized.out] }))).message, /another "shardSize"/);
  const renamed = copyOf(parts[1]);
  const table = join(renamed, '.metasim/assets.json');
  writeFileSync(table, readFileSync(table, 'utf8').replace('CC0-1.0', 'MIT'));
  assert.match((await failure(mergeDatasets({ out, parts: [renamed] }))).message, /others: some were added/);
  assert.match((await failure(mergeDatasets({ out, parts: [newPath()] }))).message, /Expected shards of a dataset in/);
  assert.match(
    (await failure(mergeDatasets({ out: newPath() }))).message,
    /Expected a dataset in .* but received none/,
  );
  const full = newPath();
  mkdirSync(full);
  writeFileSync(join(full, 'mine.txt'), '');
  assert.match((await failure(mergeDatasets({ out: full, parts }))).message, /which holds mine\.txt/);
  assert.equal(readdirSync(full), ['mine.txt']);
  const ended = await generate(source, STREAM);
  assert.match((await failure(mergeDatasets({ out: newPath(), parts: [ended.out] }))).message, /a finished dataset/);
  assert.is((await mergeDatasets({ out, parts })).contentHash, hash, 'after all that it can still be ended');
});

test('the command line: parts, --out, and missing shards', async () => {
  const out = newPath();
  const some = await runCli(['merge', parts[0], parts[2], '--out', out]);
  assert.is(some.code, 1);
  assert.match(some.stderr, /error: Expected all 8 shards in .* but 3 are missing: 2–4\n$/);
  const all = await runCli(['merge', ...parts, '--out', out, '--json']);
  assert.is(all.code, 0, all.stderr);
  const { contentHash, shards, count } = JSON.parse(all.stdout);
  assert.equal([contentHash, shards, count], [hash, 8, 40]);
});

test.run();
