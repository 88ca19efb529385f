import fs, { mkdirSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalStorage } from '../../src/dataset/localStorage.js';
import { Staging } from '../../src/dataset/staging.js';
import { newPath } from '../batch/datasets.js';

/** What was done to the disk, in order: `sync PATH` when a folder has been synced, and the names of other steps. */
const steps: string[] = [];

const promises = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
const { open, link, rename } = promises;
promises.open = async (...args) => {
  const handle = (await open.apply(fs.promises, args)) as fs.promises.FileHandle;
  const path = resolve(args[0] as string);
  const sync = handle.sync.bind(handle);
  handle.sync = async () => {
    await sync();
    if (statSync(path).isDirectory()) steps.push(`sync ${path}`);
  };
  return handle;
};
promises.link = async (...args) => {
  steps.push('link');
  return link.apply(fs.promises, args);
};
promises.rename = async (...args) => {
  steps.push('rename');
  return rename.apply(fs.promises, args);
};
syncBuiltinESMExports();

/** Puts a shard with one file in its place. */
async function commit(storage: LocalStorage, shard: number, path: string): Promise<void> {
  const staging = new Staging(storage.stagingFolder(shard), shard);
  staging.write(path, 'x');
  await storage.commit(staging.folder, await staging.seal());
}

/** Checks that the folders were synced, in the steps before the given one. */
function expectSynced(before: number, folders: readonly string[]): void {
  assert.ok(before >= 0);
  for (const folder of folders) {
    const at = steps.indexOf(`sync ${folder}`);
    assert.ok(at >= 0 && at < before, `${folder} is on the disk before\n${steps.slice(0, before).join('\n')}`);
  }
}

/** The folders of `a/b` in a dataset, whose names must be on the disk. */
const chain = (out: string) => [out, join(out, 'a'), join(out, 'a/b')];

test('an entry is written when its files and all folders on the way to them are on the disk, whoever made them', async () => {
  for (const made of [false, true]) {
    const out = newPath();
    // As another process would have, which was killed or has not come to sync them yet.
    if (made) mkdirSync(join(out, 'a/b'), { recursive: true });
    steps.length = 0;
    const storage = new LocalStorage(out);
    await commit(storage, 0, 'a/b/file');
    await storage.create('.metasim/shards/0.json', '{}');
    expectSynced(steps.indexOf('link'), [...chain(out), join(out, '.metasim')]);
    const [moved, kept] = [steps.indexOf('rename'), steps.lastIndexOf(`sync ${join(out, 'a/b')}`)];
    assert.ok(moved < kept && kept < steps.indexOf('link'), 'the folder is synced with the new name in it');
    assert.is(steps.at(-1), `sync ${join(out, '.metasim/shards')}`);
  }
});

test('all folders above a new dataset that had to be made are on the disk too', async () => {
  const above = newPath();
  mkdirSync(above);
  steps.length = 0;
  await new LocalStorage(join(above, 'x/y/dataset')).create('file', '');
  expectSynced(steps.indexOf('link'), [above, join(above, 'x'), join(above, 'x/y'), join(above, 'x/y/dataset')]);
});

test('of shards that arrive at once none is done before the folders that another one made are on the disk', async () => {
  const out = newPath();
  const storage = new LocalStorage(out);
  await storage.create('file', '');
  steps.length = 0;
  const shards = Array.from({ length: 6 }, (_, shard) => shard);
  await Promise.all(
    shards.map(async (shard) => {
      await commit(storage, shard, `a/b/${shard}`);
      steps.push('done');
    }),
  );
  expectSynced(steps.indexOf('done'), chain(out));
  // Once is enough: shards that come later do not pay for it again.
  steps.length = 0;
  await commit(storage, 6, 'a/b/6');
  assert.not(steps.includes(`sync ${out}`));
});

test.run();
