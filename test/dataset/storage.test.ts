import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Staging } from '../../src/dataset/staging.js';
import type { DatasetStorage } from '../../src/dataset/storage.js';
import { DatasetError } from '../../src/errors.js';
import { fakeS3Place, folderPlace, type StoragePlace, s3rverPlace } from '../helpers/storages.js';

/** One contract for every storage. Nothing of it is particular to folders or buckets. */
const PLACES: Record<string, () => Promise<StoragePlace>> = {
  folder: async () => folderPlace(),
  'fake S3': fakeS3Place,
  s3rver: s3rverPlace,
};

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

async function refused(step: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await step().then(
    () => undefined,
    (error) => error,
  );
  assert.instance(error, DatasetError, `${error}`);
  assert.match(error.message, pattern);
}

/** Stages files as a shard's and returns what `commit` takes. */
async function stage(storage: DatasetStorage, shard: number, files: Record<string, Uint8Array | string>) {
  const staging = new Staging(storage.stagingFolder(shard), shard);
  for (const [path, bytes] of Object.entries(files)) staging.write(path, bytes);
  return { folder: staging.folder, files: await staging.seal() };
}

for (const [name, makePlace] of Object.entries(PLACES)) {
  let place: StoragePlace;
  let storage: DatasetStorage;
  const test = suite(`storage: ${name}`);
  test.before(async () => {
    place = await makePlace();
    storage = await place.open();
  });
  test.after(async () => place.close());

  test('a new place is empty, until something is written', async () => {
    assert.is(await storage.first(), undefined);
    await storage.write('some/file', 'x');
    assert.type(await storage.first(), 'string');
    await storage.remove('some');
  });

  test('what was written is read, streamed, sized and listed', async () => {
    const bytes = randomBytes(1000);
    assert.equal(await storage.write('a/b/file.bin', bytes), {
      path: 'a/b/file.bin',
      bytes: 1000,
      sha256: sha256(bytes),
    });
    assert.equal(await storage.read('a/b/file.bin').then((read) => Buffer.from(read!)), bytes);
    assert.equal(await collect(storage.stream('a/b/file.bin')), bytes);
    assert.is(await storage.size('a/b/file.bin'), 1000);
    assert.equal(await storage.list('a'), ['a/b/file.bin']);
  });

  test('content may come in pieces, of text or bytes, or be empty', async () => {
    const pieces = async function* () {
      yield 'grün ';
      yield Buffer.from('blau');
    };
    const written = await storage.write('pieces.txt', pieces());
    assert.equal(written, { path: 'pieces.txt', bytes: 10, sha256: sha256('grün blau') });
    assert.is(text(await storage.read('pieces.txt')), 'grün blau');
    assert.is((await storage.write('empty', '')).bytes, 0);
    assert.is(await storage.size('empty'), 0);
    assert.is(text(await storage.read('empty')), '');
    assert.is((await collect(storage.stream('empty'))).length, 0);
  });

  test('writing again replaces; content that fails replaces nothing and leaves nothing', async () => {
    await storage.write('twice/file', 'first, and longer');
    await storage.write('twice/file', 'second');
    assert.is(text(await storage.read('twice/file')), 'second');
    const failing = async function* () {
      yield 'thi';
      throw new Error('the source broke');
    };
    await refused(() => storage.write('twice/file', failing()), /twice\/file.*the source broke/);
    await refused(() => storage.write('twice/other', failing()), /the source broke/);
    assert.is(text(await storage.read('twice/file')), 'second');
    assert.equal(await storage.list('twice'), ['twice/file']);
  });

  test('what is missing is undefined, empty, or an error that names it', async () => {
    assert.is(await storage.read('nothing/here'), undefined);
    assert.is(await storage.size('nothing/here'), undefined);
    assert.equal(await storage.list('nothing'), []);
    await storage.remove('nothing');
    await refused(() => collect(storage.stream('nothing/here')), /nothing\/here/);
  });

  test('lists what is below a folder, sorted, and not what only begins with its name', async () => {
    const names = ['z.txt', 'a b&c.txt', 'deep/er/ü+1#%41.txt', 'B.txt'].map((each) => `names/${each}`);
    for (const each of [...names, 'names2/other', 'name']) await storage.write(each, each);
    assert.equal(await storage.list('names'), [...names].sort());
    for (const each of names) assert.is(text(await storage.read(each)), each);
  });

  test('removes a file or a folder, and nothing beside', async () => {
    for (const each of ['gone/a', 'gone/b/c', 'gone2', 'kept/a', 'kept/b']) await storage.write(each, 'x');
    await storage.remove('gone');
    await storage.remove('kept/a');
    assert.equal(await storage.list('gone'), []);
    assert.is(await storage.size('gone2'), 1);
    assert.equal(await storage.list('kept'), ['kept/b']);
  });

  test('commit brings a shard to its place, over what is there, and clears the staging folder', async () => {
    const files = { 'shards/0.tar': randomBytes(70_000), 'shards/0.json': '{}', 'shards/none': '' };
    await storage.write('shards/0.json', 'what a killed run left');
    assert.not.equal(storage.stagingFolder(0), storage.stagingFolder(0));
    for (let round = 0; round < 2; round++) {
      const staged = await stage(storage, 0, files);
      await storage.commit(staged.folder, staged.files);
      assert.not.ok(existsSync(staged.folder), 'staging folder is gone');
      assert.equal(await storage.list('shards'), ['shards/0.json', 'shards/0.tar', 'shards/none']);
      for (const { path, sha256: expected } of staged.files) assert.is(sha256((await storage.read(path))!), expected);
    }
  });

  test('commit fails with the name of a file that is not there any more', async () => {
    const staged = await stage(storage, 1, { 'lost/a': 'a' });
    const files = [...staged.files, { path: 'lost/b', bytes: 1, sha256: sha256('b') }];
    await refused(() => storage.commit(staged.folder, files), /lost\/b/);
  });

  test('files larger than one request keep every byte', async () => {
    const bytes = randomBytes(20 << 20);
    const staged = await stage(storage, 2, { 'large/staged': bytes });
    await storage.commit(staged.folder, staged.files);
    const pieces = async function* () {
      // One buffer for all pieces: whoever keeps a piece must copy it.
      const view = Buffer.alloc(1 << 20);
      for (let at = 0; at < bytes.length; at += view.length) {
        bytes.copy(view, 0, at, at + view.length);
        yield view;
      }
    };
    const written = await storage.write('large/streamed', pieces());
    assert.equal(written, { path: 'large/streamed', bytes: bytes.length, sha256: sha256(bytes) });
    for (const path of ['large/staged', 'large/streamed']) {
      assert.is(await storage.size(path), bytes.length);
      assert.is(sha256(await collect(storage.stream(path))), sha256(bytes));
    }
  });

  test('of two writers that race to create a file one wins, and the file is its', async () => {
    if (!place.creates) {
      await refused(() => storage.create('race/0', 'mine'), /conditional puts/);
      assert.is(await storage.size('race/0'), undefined);
      assert.equal(await storage.list('.metasim'), []);
      return;
    }
    const rival = await place.open();
    assert.is(await storage.create('race/first', 'first'), true);
    assert.is(await rival.create('race/first', 'second'), false);
    assert.is(await storage.create('race/first', 'first'), false);
    assert.is(text(await rival.read('race/first')), 'first');
    for (let i = 0; i < 30; i++) {
      const path = `race/${i}`;
      const results = await Promise.all([storage.create(path, 'mine'), rival.create(path, 'its')]);
      assert.is(results.filter((created) => created).length, 1, path);
      assert.is(text(await storage.read(path)), results[0] ? 'mine' : 'its');
    }
    assert.is((await storage.list('race')).length, 31);
  });

  test('paths that leave the dataset are refused by every method', async () => {
    for (const path of ['../out', '/etc/passwd', 'a/../../b', 'a//b', '', 'a\0b', 'a\\b', '.']) {
      await refused(() => storage.read(path), /path within the dataset/);
      await refused(() => collect(storage.stream(path)), /path within the dataset/);
      await refused(() => storage.size(path), /path within the dataset/);
      await refused(() => storage.list(path), /path within the dataset/);
      await refused(() => storage.write(path, 'x'), /path within the dataset/);
      await refused(() => storage.create(path, 'x'), /path within the dataset/);
      await refused(() => storage.remove(path), /path within the dataset/);
      const folder = storage.stagingFolder(9);
      await refused(() => storage.commit(folder, [{ path, bytes: 1, sha256: '' }]), /path within the dataset/);
    }
  });

  test('room is known of folders only', async () => {
    const free = await storage.free();
    if (name === 'folder') assert.ok(Number.isSafeInteger(free) && free! > 0);
    else assert.is(free, undefined);
    assert.is(storage.place, place.out);
  });

  test.run();
}
