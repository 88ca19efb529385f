import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  arraysUnder,
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  hasCheckpoint,
  loadCheckpoint,
  prefixed,
  saveCheckpoint,
} from '../../src/training/checkpoint.js';

const checkpoint: Checkpoint = {
  metadata: { epoch: 3, grammarHash: 'abc', baseline: { value: 0.1, count: 3 }, name: 'ünïcode' },
  arrays: {
    w: { shape: [3], data: Float32Array.of(0.1, -0, Number.MAX_VALUE) },
    odd: { shape: [1, 1], data: Int32Array.of(-(2 ** 31)) },
    'a/b': { shape: [2, 2], data: Float64Array.of(0.1, Math.PI, Number.NaN, Number.NEGATIVE_INFINITY) },
    empty: { shape: [0, 4], data: new Float32Array(0) },
  },
};

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'metasim-checkpoint-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function refuses(work: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: Error & { code: string }) => reason,
  );
  assert.is(error?.code, 'TRAINING');
  assert.match((error as Error).message, pattern);
}

const bits = (array: Checkpoint['arrays'][string]) => [
  array.data.constructor.name,
  array.shape,
  [...new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength)],
];

test('what is loaded equals what was saved, to the bit', () =>
  inFolder(async (folder) => {
    assert.not(await hasCheckpoint(folder));
    const path = await saveCheckpoint(join(folder, 'new'), checkpoint);
    assert.ok(await hasCheckpoint(join(folder, 'new')));
    for (const from of [path, join(folder, 'new')]) {
      const loaded = await loadCheckpoint(from);
      assert.equal(loaded.metadata, checkpoint.metadata);
      assert.equal(Object.keys(loaded.arrays), Object.keys(checkpoint.arrays));
      for (const [name, array] of Object.entries(checkpoint.arrays))
        assert.equal(bits(loaded.arrays[name]), bits(array));
    }
  }));

test('every flipped byte and every truncation is noticed', () => {
  const bytes = encodeCheckpoint(checkpoint);
  const refused = (changed: Buffer) => {
    try {
      decodeCheckpoint(changed, 'here');
    } catch (error) {
      return (error as { code: string }).code === 'TRAINING' && /here/.test((error as Error).message);
    }
    return false;
  };
  assert.not(refused(bytes));
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] ^= 1 << (i % 8);
    assert.ok(refused(changed), `byte ${i}`);
    assert.ok(refused(bytes.subarray(0, i)), `length ${i}`);
  }
});

test('latest is the last one saved, old ones are removed, a half-written file is ignored', () =>
  inFolder(async (folder) => {
    for (let epoch = 1; epoch <= 4; epoch++) {
      const name = `epoch-${String(epoch).padStart(6, '0')}`;
      await saveCheckpoint(folder, { ...checkpoint, metadata: { epoch } }, { name });
    }
    await writeFile(join(folder, 'epoch-000005.ckpt.tmp'), 'half');
    assert.is((await loadCheckpoint(folder)).metadata.epoch, 4);
    const files = (await readdir(folder)).sort();
    assert.equal(files, ['epoch-000003.ckpt', 'epoch-000004.ckpt', 'epoch-000005.ckpt.tmp', 'latest']);
    assert.is((await readFile(join(folder, 'latest'), 'utf8')).trim(), 'epoch-000004.ckpt');
  }));

test('the same name again replaces the file', () =>
  inFolder(async (folder) => {
    await saveCheckpoint(folder, { ...checkpoint, metadata: { epoch: 1 } });
    await saveCheckpoint(folder, { ...checkpoint, metadata: { epoch: 2 } });
    assert.is((await loadCheckpoint(folder)).metadata.epoch, 2);
    assert.equal((await readdir(folder)).sort(), ['checkpoint.ckpt', 'latest']);
  }));

test('errors say what is missing or differs, and where', () =>
  inFolder(async (folder) => {
    await refuses(loadCheckpoint(folder), /Expected a checkpoint in .*metasim-checkpoint-.*"latest"/);
    await refuses(loadCheckpoint(join(folder, 'none.ckpt')), /readable checkpoint at .*none\.ckpt/);
    const path = await saveCheckpoint(folder, checkpoint);
    assert.is(
      (await loadCheckpoint(folder, { grammarHash: 'abc', baseline: { count: 3, value: 0.1 } })).metadata.epoch,
      3,
    );
    await refuses(loadCheckpoint(folder, { grammarHash: 'xyz' }), /Expected "xyz" for grammarHash .*received "abc"/);
    await refuses(loadCheckpoint(folder, { seed: 1 }), /Expected 1 for seed .*received nothing/);
    const baseline = { value: 0.2, count: 3 };
    await refuses(loadCheckpoint(folder, { baseline }), /Expected 0\.2 for baseline\.value .*received 0\.1/);
    await refuses(
      loadCheckpoint(folder, { baseline: { value: 0.1 } }),
      /Expected nothing for baseline\.count .*received 3/,
    );
    await rm(path);
    await refuses(loadCheckpoint(folder), /readable checkpoint/);
  }));

test('arrays of several models share a checkpoint under prefixes', () => {
  const w = { shape: [2], data: Float32Array.of(1, 2) };
  const arrays = { ...prefixed('theta', { 'encoder/w': w }), ...prefixed('task', { w }) };
  assert.equal(Object.keys(arrays), ['theta/encoder/w', 'task/w']);
  assert.equal(arraysUnder({ metadata: {}, arrays }, 'theta'), { 'encoder/w': w });
  const wrong = { 'theta/n': { shape: [1], data: Int32Array.of(1) } };
  assert.throws(() => arraysUnder({ metadata: {}, arrays: wrong }, 'theta'), /float32 for "theta\/n"/);
  const short = { w: { shape: [3], data: Float32Array.of(1) } };
  assert.throws(() => encodeCheckpoint({ metadata: {}, arrays: short }), /Expected 3 values for "w"/);
});

test.run();
