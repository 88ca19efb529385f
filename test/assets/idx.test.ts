import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpriteImage } from '../../src/assets/assetLibrary.js';
import { readIdx } from '../../src/assets/idx.js';
import { mnistAssets, readMnist } from '../../src/assets/mnist.js';
import { DatasetError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-idx-'));

function write(name: string, bytes: Uint8Array | number[]): string {
  const path = join(folder, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return path;
}

const size = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const idx = (shape: number[], data: number[]) => [0, 0, 8, shape.length, ...shape.flatMap(size), ...data];

function message(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.instance(error, DatasetError);
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

test('readIdx: header by hand, plain and gzipped', () => {
  // Two images of 1 × 3.
  const bytes = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];
  for (const path of [write('a', bytes), write('a.gz', gzipSync(Uint8Array.from(bytes)))]) {
    const { shape, data } = readIdx(path);
    assert.equal(shape, [2, 1, 3]);
    assert.equal([...data], [10, 20, 30, 40, 50, 60]);
  }
});

test('readIdx: every damage is a DatasetError that names the file', () => {
  const cases: [number[] | Uint8Array, RegExp][] = [
    [[], /header of 4 bytes/],
    [[0, 0, 8], /header of 4 bytes for .*bad/],
    [[1, 0, 8, 1, 0, 0, 0, 0], /two zero bytes first/],
    [[0, 0, 0x0d, 1, 0, 0, 0, 0], /type 0x08 \(unsigned byte\) .* received 0x0d/],
    [[0, 0, 8, 0], /1 to 8 dimensions/],
    [[0, 0, 8, 3, 0, 0], /header of 16 bytes/],
    [idx([2, 2], [1, 2, 3]), /2 × 2 = 4 bytes of data for .* received 3/],
    [idx([1], [1, 2]), /received 2/],
    [idx([0xffffffff, 0xffffffff, 0xffffffff], []), /bytes of data/],
    [gzipSync(Uint8Array.from(idx([1], [1]))).subarray(0, 15), /intact gzip file/],
  ];
  for (const [bytes, expected] of cases) {
    const said = message(() => readIdx(write('bad', bytes)));
    assert.match(said, expected);
    assert.match(said, join(folder, 'bad'));
  }
  assert.match(
    message(() => readIdx(join(folder, 'missing'))),
    /Expected a readable IDX file at .*missing/,
  );
});

test('readMnist and mnistAssets: a tiny test split, its range, its mistakes', () => {
  write('t10k-images-idx3-ubyte', idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
  write('t10k-labels-idx1-ubyte', idx([3], [7, 0, 7]));
  const library = mnistAssets(folder, 'test');
  assert.equal(library.names, ['mnist/test/7/00000', 'mnist/test/0/00001', 'mnist/test/7/00002']);
  assert.equal(library.match('mnist/test/7/*'), ['mnist/test/7/00000', 'mnist/test/7/00002']);
  const { licence, edge, format, load } = library.assets[1];
  assert.equal([licence, edge, format], ['CC-BY-SA-3.0', 'fade', 'ink8']);
  assert.equal([...(load() as SpriteImage).pixels], [5, 6, 7, 8]);
  const range = readMnist(folder, 'test', { from: 1, to: 3 });
  assert.equal([range.count, [...range.labels], [...range.images]], [2, [0, 7], [5, 6, 7, 8, 9, 10, 11, 12]]);
  assert.equal(mnistAssets(folder, 'test', { from: 2 }).names, ['mnist/test/7/00002']);
  assert.match(
    message(() => readMnist(folder, 'test', { to: 4 })),
    /0 ≤ from < to ≤ 3/,
  );
  assert.match(
    message(() => readMnist(folder, 'train')),
    /train-images-idx3-ubyte.gz or train-images-idx3-ubyte in/,
  );
  write('t10k-labels-idx1-ubyte', idx([2], [7, 0]));
  assert.match(
    message(() => readMnist(folder, 'test')),
    /as many labels as images \(3 in .*\) .* received 2/,
  );
  write('t10k-labels-idx1-ubyte', idx([3], [7, 10, 0]));
  assert.match(
    message(() => readMnist(folder, 'test')),
    /a digit for label 1 .* received 10/,
  );
});

const data = join(process.env.METASIM_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url)), 'mnist');
const real = existsSync(data) ? test : test.skip;
if (!existsSync(data)) console.log(`# skip real MNIST: no data in ${data}`);

real('real MNIST: sizes, first labels, mean ink', () => {
  const train = readMnist(data, 'train');
  assert.equal([train.count, train.width, train.height], [60000, 28, 28]);
  assert.equal([...train.labels.slice(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  // The well-known mean of the training pixels, 0.1307 of full ink.
  let sum = 0;
  for (const ink of train.images) sum += ink;
  assert.ok(Math.abs(sum / train.images.length / 255 - 0.1307) < 0.0001);
  const library = mnistAssets(data, 'test');
  assert.is(library.names.length, 10000);
  assert.equal(library.names.slice(0, 2), ['mnist/test/7/00000', 'mnist/test/2/00001']);
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
