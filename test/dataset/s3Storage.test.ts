import { createHash, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openStorage } from '../../src/dataset/openStorage.js';
import { importPeer } from '../../src/dataset/optionalPeer.js';
import { clientConfig } from '../../src/dataset/s3Client.js';
import { partSize } from '../../src/dataset/s3Upload.js';
import { Staging } from '../../src/dataset/staging.js';
import type { DatasetStorage } from '../../src/dataset/storage.js';
import { ConfigError, DatasetError } from '../../src/errors.js';
import type { FakeRequest, FakeS3, Fault } from '../helpers/fakeS3.js';
import { fakeS3Place, type StoragePlace } from '../helpers/storages.js';

let place: StoragePlace & { readonly server: FakeS3 };
let server: FakeS3;
let storage: DatasetStorage;

test.before(async () => {
  place = await fakeS3Place();
  server = place.server;
  storage = await place.open();
  // What `create` finds out about the server once, so that the tests below see their own requests only.
  await storage.create('warm', 'x');
});
test.before.each(() => {
  server.fault = () => undefined;
  server.log.length = 0;
});
test.after(async () => place.close());

const failure = (step: Promise<unknown>): Promise<Error & { code?: string }> =>
  step.then(
    () => assert.unreachable('did not fail'),
    (error) => error,
  );

/** The fault for the first `times` requests that `where` picks. */
function first(times: number, fault: Fault, where: (request: FakeRequest) => boolean = () => true) {
  return (request: FakeRequest) => (where(request) && times-- > 0 ? fault : undefined);
}

async function stage(shard: number, files: Record<string, Uint8Array>) {
  const staging = new Staging(storage.stagingFolder(shard), shard);
  for (const [path, bytes] of Object.entries(files)) staging.write(path, bytes);
  return { folder: staging.folder, files: await staging.seal() };
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

test('a busy server and broken connections are outlasted by every request', async () => {
  for (const fault of ['slowDown', 'reset', 'lostAnswer'] as const) {
    const path = `busy/${fault}`;
    const steps: Record<string, () => Promise<unknown>> = {
      write: () => storage.write(path, 'content'),
      read: () => storage.read(path).then((bytes) => Buffer.from(bytes!).toString()),
      size: () => storage.size(path),
      list: () => storage.list('busy').then((paths) => paths.includes(path)),
      remove: () => storage.remove(path),
    };
    const answers: Record<string, unknown> = { read: 'content', size: 7, list: true };
    for (const [name, step] of Object.entries(steps)) {
      server.fault = first(1, fault);
      const result = await step();
      if (name in answers) assert.equal(result, answers[name], `${fault} ${name}`);
    }
    assert.not.ok(server.objects.has(`sets/first/${path}`), fault);
  }
});

test('a file that was created although the answer was lost counts as created by its writer, and by no other', async () => {
  server.fault = first(1, 'lostAnswer', ({ method }) => method === 'PUT');
  assert.is(await storage.create('lost/mine', 'mine'), true);
  assert.is(server.log.filter((line) => line.startsWith('PUT')).length, 2, 'was tried twice');
  const rival = await place.open();
  assert.is(await rival.create('lost/other', 'its'), true);
  server.fault = first(1, 'slowDown', ({ method }) => method === 'PUT');
  assert.is(await storage.create('lost/other', 'mine'), false);
  assert.is(Buffer.from((await storage.read('lost/other'))!).toString(), 'its');
});

test('a conflict with another write is tried again until it is decided', async () => {
  server.fault = first(2, 'conflict');
  assert.is(await storage.create('conflict/a', 'x'), true);
  server.fault = first(2, 'conflict');
  assert.is(await storage.create('conflict/a', 'y'), false);
});

test('reading goes on where the connection broke', async () => {
  const bytes = randomBytes(3 << 20);
  await storage.write('cut/file', bytes);
  server.log.length = 0;
  server.fault = first(2, 'cutBody');
  assert.ok((await collect(storage.stream('cut/file'))).equals(bytes));
  assert.is(server.log.length, 3);
  server.fault = first(1, 'cutBody');
  assert.ok(Buffer.from((await storage.read('cut/file'))!).equals(bytes));
});

test('a file that was replaced while it was read is an error, not a mixture', async () => {
  await storage.write('mixed/file', Buffer.alloc(1 << 20, 1));
  let cuts = 0;
  server.fault = ({ method }) => {
    if (method !== 'GET') return undefined;
    return cuts++ === 0 ? 'cutBody' : undefined;
  };
  const read = (async () => {
    let seen = 0;
    for await (const piece of storage.stream('mixed/file')) {
      if (seen === 0) await storage.write('mixed/file', Buffer.alloc(1 << 20, 2));
      seen += piece.length;
    }
  })();
  const error = await failure(read);
  assert.instance(error, DatasetError);
  assert.match(error.message, /mixed\/file.*PreconditionFailed/);
});

test('lists of more than a page are complete', async () => {
  server.pageKeys = 3;
  const names = Array.from({ length: 10 }, (_, i) => `pages/${i}`);
  for (const name of names) await storage.write(name, name);
  server.log.length = 0;
  assert.equal(await storage.list('pages'), names);
  assert.is(server.log.length, 4);
  await storage.remove('pages');
  assert.equal(await storage.list('pages'), []);
  server.pageKeys = 1000;
});

test('large files go in parts of bounded size, and leave no upload open when one fails', async () => {
  const bytes = randomBytes(18 << 20);
  server.largestBody = 0;
  const good = await stage(1, { 'parts/large.tar': bytes });
  await storage.commit(good.folder, good.files);
  assert.is(server.largestBody, 8 << 20);
  assert.is(server.uploads.size, 0);
  assert.match(server.objects.get('sets/first/parts/large.tar')!.etag, /-3"$/);
  // A part that is never taken: the upload is given up, and the staged files stay for the caller.
  const bad = await stage(2, { 'parts/bad.tar': bytes, 'parts/small': Buffer.from('x') });
  server.fault = (request) => (request.query.get('partNumber') === '2' ? 'conflict' : undefined);
  const error = await failure(storage.commit(bad.folder, bad.files));
  assert.instance(error, DatasetError);
  assert.match(error.message, /s3:\/\/datasets\/sets\/first\/parts\/bad\.tar.*ConditionalRequestConflict/);
  assert.is(server.uploads.size, 0);
  assert.is(await storage.size('parts/bad.tar'), undefined);
  assert.ok(existsSync(join(bad.folder, 'parts/bad.tar')));
  server.fault = () => undefined;
  await storage.commit(bad.folder, bad.files);
  assert.is(await storage.size('parts/bad.tar'), bytes.length);
});

test('a staged file that is not what was hashed is not uploaded', async () => {
  for (const size of [100, 9 << 20]) {
    const { folder, files } = await stage(3, { 'flipped/file': Buffer.alloc(size) });
    const changed = Buffer.alloc(size);
    changed[size >> 1] = 1;
    writeFileSync(join(folder, 'flipped/file'), changed);
    assert.match((await failure(storage.commit(folder, files))).message, /flipped\/file.*other bytes/);
    writeFileSync(join(folder, 'flipped/file'), changed.subarray(1));
    assert.match((await failure(storage.commit(folder, files))).message, /flipped\/file.*other bytes/);
    assert.is(await storage.size('flipped/file'), undefined);
    assert.is(server.uploads.size, 0);
  }
});

test('parts are 8 MiB, and as much larger as 10,000 of them need', () => {
  assert.is(partSize(9 << 20), 8 << 20);
  // 80,000 MiB are 10,000 parts of 8 MiB; a byte more needs 9 MiB each.
  assert.is(partSize(80_000 * 2 ** 20), 8 << 20);
  assert.is(partSize(80_000 * 2 ** 20 + 1), 9 << 20);
});

test('the bytes that arrive are checked: the server gets their checksum', async () => {
  const sums: unknown[] = [];
  server.fault = ({ method, headers }) => {
    if (method === 'PUT') sums.push(headers['x-amz-checksum-sha256'] ?? headers['x-amz-checksum-crc32']);
    return undefined;
  };
  await storage.write('sum/a', 'abc');
  // SHA-256 of "abc" from FIPS 180-2, in base64.
  const expected = Buffer.from('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'hex');
  assert.equal(sums, [expected.toString('base64')]);
  assert.is(createHash('sha256').update('abc').digest('base64'), sums[0]);
});

test('a bucket that is missing and a server that is not there are errors at once', async () => {
  const missing = await failure(openStorage('s3://nobodys/sets', place.environment));
  assert.instance(missing, DatasetError);
  assert.match(missing.message, /s3:\/\/nobodys but received: none of that name/);
  const nowhere = { ...place.environment, AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
  const unreachable = await failure(openStorage('s3://datasets/sets', nowhere));
  assert.instance(unreachable, DatasetError);
  assert.match(unreachable.message, /ECONNREFUSED/);
});

test('outputs that are no folder and no s3://bucket/prefix are refused', async () => {
  const bad = ['', '  ', 'a\0b', 'gs://bucket/x', 'file:///tmp/x', 'S3X://a/b', 's3://', 's3://bucket', 's3://bucket/'];
  bad.push('s3://Bucket/x', 's3://ab/x', 's3://a..b/x', 's3://-ab/x', `s3://${'b'.repeat(64)}/x`, 's3:///x');
  bad.push('s3://bucket/a//b', 's3://bucket/../x', 's3://bucket/a/..', 's3://bucket/.', 's3://bucket/a\nb');
  bad.push('s3://bucket/a\\b', 's3://bucket//', `s3://bucket/${'ü'.repeat(257)}`, 's3://user:secret@bucket/x');
  for (const out of bad) {
    const error = await failure(openStorage(out, place.environment));
    assert.instance(error, ConfigError, JSON.stringify(out));
    assert.match(error.message, /^Expected .* for the output but received/, JSON.stringify(out));
  }
  assert.is((await openStorage('s3://datasets/sets/first/', place.environment)).place, 's3://datasets/sets/first');
});

test('settings come from the environment', () => {
  assert.equal(
    Object.entries(clientConfig({})).filter(([key]) => ['endpoint', 'region', 'forcePathStyle'].includes(key)),
    [['forcePathStyle', false]],
  );
  const own = clientConfig({ AWS_ENDPOINT_URL: 'http://minio:9000' });
  assert.is(own.endpoint, 'http://minio:9000');
  assert.is(own.region, 'us-east-1');
  assert.is(own.forcePathStyle, true);
  const set = { AWS_ENDPOINT_URL: 'a', AWS_ENDPOINT_URL_S3: 'b', AWS_REGION: 'eu', METASIM_S3_PATH_STYLE: '0' };
  const all = clientConfig({ ...set, AWS_MAX_ATTEMPTS: '2' });
  assert.equal([all.endpoint, all.region, all.forcePathStyle, all.maxAttempts], ['b', 'eu', false, 2]);
});

test('a package that is not installed is named with the command that installs it', async () => {
  const name: string = 'metasim-no-such-package';
  const error = await failure(importPeer(name, 'tests', () => import(name)));
  assert.instance(error, ConfigError);
  assert.match(error.message, /npm install metasim-no-such-package/);
  const broken = await failure(importPeer('x', 'tests', () => Promise.reject(new TypeError('broken'))));
  assert.instance(broken, TypeError);
});

test.run();
