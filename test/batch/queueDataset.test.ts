import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateDataset } from '../../src/batch/generateDataset.js';
import { absoluteSource, beginQueuedDataset, openQueuedDataset, QueuedDatasets } from '../../src/batch/queueDataset.js';
import { completeDataset } from '../../src/dataset/complete.js';
import { ConfigError, DatasetError } from '../../src/errors.js';
import { fakeS3Place } from '../helpers/storages.js';

let folder: string;
let root: string;
let out: string;

/** A grammar within a root, with its variables. */
const grammar = () => ({ path: join(root, 'scenes/mnist.yaml'), variables: { digits: 'digits' } });
const settings = { count: 10, shardSize: 4, format: 'webdataset', seed: 3 } as const;
const begin = (more = {}) =>
  beginQueuedDataset({ root, out, dataset: 'digits', source: grammar(), settings, allowUnlicensed: false, ...more });

test.before.each(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'metasim-queued-')));
  [root, out] = [join(folder, 'root'), join(folder, 'out')];
  mkdirSync(join(root, 'scenes'), { recursive: true });
  cpSync('examples/grammars/mnist.yaml', join(root, 'scenes/mnist.yaml'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const failure = (step: Promise<unknown>): Promise<Error> =>
  step.then(
    () => assert.unreachable('did not fail'),
    (error) => error,
  );

test('a dataset that was begun elsewhere is made by workers with another root, once, to the same content', async () => {
  const begun = await begin();
  assert.equal([begun.shards, begun.missing], [3, [0, 1, 2]]);
  // The same folder under another name, as another machine would have mounted it.
  const mounted = join(folder, 'mounted');
  cpSync(root, mounted, { recursive: true });
  rmSync(root, { recursive: true });
  const workers = [1, 2].map((threads) => new QueuedDatasets({ root: mounted, out }, threads));
  try {
    const results = await Promise.all([0, 1, 2].map((shard, i) => workers[i % 2].make({ ...begun.ref, shard })));
    assert.equal(
      results.map(({ made }) => made),
      [true, true, true],
    );
    assert.match(results[2].text, /^2 images in/);
    assert.equal(await workers[0].make({ ...begun.ref, shard: 1 }), { made: false, text: 'there already' });
    assert.equal((await openQueuedDataset({ out, dataset: 'digits' })).missing, []);
    const { contentHash } = await completeDataset(begun.storage);
    const source = { path: join(mounted, 'scenes/mnist.yaml'), variables: { digits: 'digits' } };
    const single = await generateDataset({ source, out: join(folder, 'single'), settings, threads: 1 });
    assert.is(contentHash, single.manifest?.contentHash);
  } finally {
    for (const worker of workers) await worker.close();
  }
});

test('beginning again goes on with the same dataset, and refuses another', async () => {
  const { ref } = await begin();
  assert.equal((await begin()).ref, ref);
  assert.match((await failure(begin({ settings: { ...settings, seed: 4 } }))).message, /"seed"/);
  mkdirSync(join(out, 'mine'), { recursive: true });
  writeFileSync(join(out, 'mine/thesis.txt'), 'x');
  const foreign = await failure(begin({ dataset: 'mine' }));
  assert.instance(foreign, DatasetError);
  assert.match(foreign.message, /thesis\.txt/);
});

test('jobs that name what is not there are refused for good: dataset, settings, shard', async () => {
  const { ref } = await begin();
  const worker = new QueuedDatasets({ root, out }, 1);
  try {
    const jobs = [
      { ...ref, shard: 3 },
      { ...ref, dataset: 'other', shard: 0 },
      { ...ref, dataset: '../out/digits', shard: 0 },
      { ...ref, header: 'ab'.repeat(32), shard: 0 },
    ];
    for (const job of jobs) assert.instance(await failure(worker.make(job)), ConfigError, JSON.stringify(job));
    // A dataset that was begun, but not for the queue.
    await generateDataset({ source: grammar(), out: join(out, 'plain'), settings, threads: 1 });
    const plain = await openQueuedDataset({ out, dataset: 'plain' });
    assert.match((await failure(worker.make({ ...plain.ref, shard: 0 }))).message, /was it submitted/);
  } finally {
    await worker.close();
  }
});

test('sources outside the root are refused, on the way in and on the way out, through links too', async () => {
  writeFileSync(join(folder, 'outside.yaml'), 'x');
  mkdirSync(join(folder, 'root2'));
  symlinkSync(join(folder, 'outside.yaml'), join(root, 'link.yaml'));
  for (const path of ['outside.yaml', 'root/link.yaml', 'root/../outside.yaml']) {
    const error = await failure(begin({ source: { path: join(folder, path) } }));
    assert.instance(error, ConfigError);
    assert.match(error.message, /to lie in the root/);
  }
  const textures = { ...grammar(), assets: [{ kind: 'images', folder: join(folder, 'root2') }] };
  assert.match((await failure(begin({ source: textures }))).message, /root2 to lie in the root/);
  assert.match((await failure(begin({ source: { path: join(root, 'none.yaml') } }))).message, /none\.yaml/);
  for (const path of [
    '../outside.yaml',
    '/etc/passwd',
    'scenes/../../outside.yaml',
    'a\0b',
    'link.yaml',
    'none.yaml',
  ]) {
    const error = await failure(absoluteSource(root, { path }));
    assert.ok(error instanceof ConfigError || error instanceof DatasetError, path);
  }
  assert.equal(await absoluteSource(root, { path: 'scenes/mnist.yaml' }), { path: join(root, 'scenes/mnist.yaml') });
});

test('a grammar of ours goes by its name, as everywhere: workers have it whatever their root', async () => {
  const source = { path: 'mnist', variables: { digits: 'digits' } };
  const begun = await begin({ source });
  // The file beside it is the same grammar, and is found within the root.
  assert.is(begun.header.sourceHash, (await begin({ dataset: 'copy' })).header.sourceHash);
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  const worker = new QueuedDatasets({ root: elsewhere, out }, 1);
  try {
    assert.is((await worker.make({ ...begun.ref, shard: 2 })).made, true);
  } finally {
    await worker.close();
  }
  assert.instance(await failure(begin({ dataset: 'none', source: { path: 'minst' } })), ConfigError);
  assert.instance(await failure(absoluteSource(root, { path: '../mnist', ours: true })), ConfigError);
});

test('names that lead elsewhere are refused before anything is written', async () => {
  for (const dataset of ['', '.', '..', '../x', '/x', 'a/b', 'a\\b', 'a\0', ' a', 'x'.repeat(101)]) {
    const error = await failure(begin({ dataset }));
    assert.instance(error, ConfigError, JSON.stringify(dataset));
  }
  assert.equal(
    await openQueuedDataset({ out, dataset: 'digits' }).then(
      () => 'there',
      (error) => error.code,
    ),
    'CONFIG',
  );
});

test('a worker that stops gives up its shard and leaves nothing of it', async () => {
  const large = { ...settings, count: 20_000, shardSize: 20_000 };
  const { ref, storage } = await begin({ settings: large });
  const worker = new QueuedDatasets({ root, out }, 1);
  const making = failure(worker.make({ ...ref, shard: 0 }));
  while ((await storage.list('.metasim/staging')).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  worker.stop();
  assert.is((await making).name, 'StoppedError');
  assert.equal(await storage.list('.metasim/staging'), []);
  assert.equal(await storage.list('.metasim/shards'), []);
  await worker.close();
});

test('the same through a bucket', async () => {
  const place = await fakeS3Place();
  try {
    const bucket = { out: 's3://datasets/queue' };
    const { ref, storage } = await begin(bucket);
    const workers = [1, 2].map(() => new QueuedDatasets({ root, ...bucket }, 1));
    // Every shard twice, at two workers at once.
    await Promise.all([0, 1, 2].flatMap((shard) => workers.map((worker) => worker.make({ ...ref, shard }))));
    for (const worker of workers) await worker.close();
    const { contentHash, count } = await completeDataset(storage);
    assert.is(count, 10);
    const single = await generateDataset({ source: grammar(), out: join(folder, 'single'), settings, threads: 1 });
    assert.is(contentHash, single.manifest?.contentHash);
    assert.equal(
      (await storage.list('.metasim')).filter((path) => /parts|staging|probe/.test(path)),
      [],
    );
  } finally {
    await place.close();
  }
});

test.run();
