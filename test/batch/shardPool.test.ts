import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Counters } from '../../src/batch/counters.js';
import { beginQueuedDataset } from '../../src/batch/queueDataset.js';
import { ShardPool, type ShardPoolOptions } from '../../src/batch/shardPool.js';
import { missingShards } from '../../src/dataset/complete.js';
import { fakeS3Place } from '../helpers/storages.js';
import { failure, leftovers, newPath } from './datasets.js';

const IMAGES = 5;
const IDLE_MS = 300;

/** One turned digit a scene; `body` is a function of `scene` that accepts it; the threads that ask are noted. */
function grammarModule(body = 'return true;'): { path: string; threads: () => Set<string> } {
  const [path, seen] = [`${newPath('grammar')}.mjs`, newPath('seen')];
  writeFileSync(
    path,
    `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
export default {
  name: 'noted',
  canvas: { width: 24, height: 24, channels: 1 },
  attributes: { x: {}, y: {}, rotation: {} },
  classes: [{ name: 'digit', asset: 'digits/4/*', attributes: { rotation: { uniform: [-90, 90] } } }],
  nodes: [{ class: 'digit' }],
  constraints: [{ name: 'noted', predicate: (scene) => {
    if (!isMainThread) appendFileSync(${JSON.stringify(seen)}, threadId + '\\n');
    ${body}
  } }],
};
`,
  );
  return { path, threads: () => new Set(existsSync(seen) ? readFileSync(seen, 'utf8').trim().split('\n') : []) };
}

/** A dataset that was begun, and a pool for it. */
async function begin(path: string, out: string, shards: number, more: Partial<ShardPoolOptions> = {}) {
  const settings = { count: shards * IMAGES, shardSize: IMAGES, format: 'webdataset', seed: 1 } as const;
  const source = { path };
  const place = { root: dirname(path), out, dataset: 'noted' };
  const { header, storage } = await beginQueuedDataset({ ...place, source, settings, allowUnlicensed: false });
  const counters = new Counters();
  const options = { source, header, out: storage.place, allowUnlicensed: false, counters, threads: 2, ...more };
  return { pool: new ShardPool(options), counters, storage, header };
}

/** The numbers below `count`. */
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('threads whose shards are on their way for long are not ended for want of work', async () => {
  const place = await fakeS3Place();
  const { path, threads } = grammarModule();
  const { pool, counters } = await begin(path, 's3://datasets/sets', 4, { threads: 3, idleMs: IDLE_MS });
  try {
    place.server.hold = ({ method, key }) =>
      method === 'PUT' && key.endsWith('.tar') ? sleep(6 * IDLE_MS) : undefined;
    await Promise.all(upTo(4).map((shard) => pool.make(shard)));
    const uploads = place.server.log.filter((request) => /^PUT .*\.tar/.test(request));
    assert.is(uploads.length, 4, 'each shard is uploaded once');
    assert.is(counters.images, 4 * IMAGES);
    // All end when none is in hand, and the next shard finds new ones.
    const before = threads();
    await sleep(3 * IDLE_MS);
    place.server.objects.clear();
    await pool.make(0);
    assert.ok(threads().size > before.size, 'another thread');
  } finally {
    await pool.close();
    await place.close();
  }
});

test('a thread that dies with a shard on its way: both are made again, and counted once', async () => {
  const place = await fakeS3Place();
  const marker = newPath('marker');
  const at = 2 * IMAGES + 3;
  const { path } = grammarModule(
    `if (!isMainThread && scene.index === ${at} && !existsSync(${JSON.stringify(marker)})) {
      writeFileSync(${JSON.stringify(marker)}, ''); process.exit(7); } return true;`,
  );
  const { pool, counters, storage, header } = await begin(path, 's3://datasets/sets', 4, { threads: 1 });
  try {
    await Promise.all(upTo(4).map((shard) => pool.make(shard)));
    assert.equal(await missingShards(storage, header), []);
    assert.is(counters.images, 4 * IMAGES);
    assert.ok(existsSync(marker), 'a thread died');
  } finally {
    await pool.close();
    await place.close();
  }
});

test('a shard that cannot be put in its place fails alone: the next one is made, nothing is counted or left of it', async () => {
  const out = newPath();
  const { path } = grammarModule();
  const { pool, counters, storage } = await begin(path, out, 4, { threads: 1 });
  try {
    // A folder lies where the second shard's file belongs.
    await storage.write('train-000001.tar/in-the-way', 'x');
    const results = await Promise.allSettled(upTo(4).map((shard) => pool.make(shard)));
    assert.equal(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    assert.match((results[1] as PromiseRejectedResult).reason.message, /train-000001\.tar.*(EISDIR|ENOTEMPTY|EEXIST)/);
    assert.is(counters.images, 3 * IMAGES);
    assert.equal(await storage.list('.metasim/staging'), []);
    assert.equal(
      leftovers(storage.place).filter((path) => /staging\//.test(path)),
      [],
    );
  } finally {
    await pool.close();
  }
});

test('asked to stop, a shard on its way arrives and the others are given up', async () => {
  const place = await fakeS3Place();
  // Slowly, so that shards are left when the first one is on its way.
  const { path } = grammarModule('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); return true;');
  const { pool, counters, storage } = await begin(path, 's3://datasets/sets', 12, { threads: 1, idleMs: IDLE_MS });
  try {
    place.server.hold = async ({ method, key }) => {
      if (method !== 'GET' || !key.endsWith('shards/000000.json')) return;
      counters.stop();
      await sleep(4 * IDLE_MS);
    };
    const results = await Promise.allSettled(upTo(12).map((shard) => pool.make(shard)));
    assert.is(results[0].status, 'fulfilled', 'what is on its way arrives');
    assert.is((results.at(-1) as PromiseRejectedResult).reason.name, 'StoppedError');
    const made = results.filter(({ status }) => status === 'fulfilled').length;
    assert.is((await storage.list('.metasim/shards')).length, made);
    assert.is(counters.images, made * IMAGES);
  } finally {
    await pool.close();
    await place.close();
  }
});

test('a pool that was closed starts no threads any more', async () => {
  const { path, threads } = grammarModule();
  const { pool } = await begin(path, newPath(), 2);
  await pool.close();
  assert.match((await failure(pool.make(0))).message, /closed/);
  assert.equal(threads(), new Set());
});

test.run();
