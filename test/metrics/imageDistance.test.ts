import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeNpy, readNpy } from '../../src/dataset/npy.js';
import { encodePng } from '../../src/dataset/png.js';
import { ConfigError, DatasetError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import { Inception } from '../../src/learn/inception/inception.js';
import { tf } from '../../src/learn/tf.js';
import { featureDistance } from '../../src/metrics/featureDistance.js';
import { imageDistance } from '../../src/metrics/imageDistance.js';
import { openImageSource } from '../../src/metrics/imageSource.js';
import { RandomStream } from '../../src/random.js';
import { findPython } from '../helpers/python.js';
import { randomRows } from './rows.js';

await initBackend({ prefer: 'wasm' });

const folder = mkdtempSync(join(tmpdir(), 'metasim-distance-'));
test.after(() => rmSync(folder, { recursive: true }));

const SIDE = 16;

/** A bright square on noise, at random places between `low` and `high`. */
function picture(seed: number, low: number, high: number): Uint8Array {
  const stream = new RandomStream({ seed, index: 0 });
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, () => 40 * stream.uniform());
  const [x, y] = [0, 0].map(() => Math.floor(low + (high - low) * stream.uniform()));
  for (let r = y; r < y + 5; r++) pixels.fill(230, r * SIDE + x, r * SIDE + x + 5);
  return pixels;
}

/** Sixteen-pixel pictures as a folder of PNGs. */
function pictures(name: string, count: number, seed: number, low: number, high: number): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (let i = 0; i < count; i++) {
    const pixels = picture(seed + i, low, high);
    const bytes = encodePng({ width: SIDE, height: SIDE, channels: 1, pixels });
    writeFileSync(join(path, `${String(i).padStart(3, '0')}.png`), bytes);
  }
  return path;
}

/** The same pictures as IDX files. */
function idx(name: string, count: number, seed: number, low: number, high: number): string {
  const path = join(folder, name);
  mkdirSync(path);
  const header = (...numbers: number[]) => {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((value, i) => {
      bytes.writeUInt32BE(value, 4 * i);
    });
    return bytes;
  };
  const pixels = Array.from({ length: count }, (_, i) => picture(seed + i, low, high));
  writeFileSync(join(path, 'train-images-idx3-ubyte'), Buffer.concat([header(0x803, count, SIDE, SIDE), ...pixels]));
  writeFileSync(join(path, 'train-labels-idx1-ubyte'), Buffer.concat([header(0x801, count), Buffer.alloc(count)]));
  return path;
}

const left = pictures('left', 24, 1000, 0, 11);
const right = pictures('right', 20, 2000, 0, 11);
const corner = pictures('corner', 20, 3000, 0, 3);
const fast = { layer: 64, size: 32, weights: 'random', subsets: 5, resamples: 4 } as const;

test('pictures of one kind are at 0, others are not; names, counts and warnings are told; no tensor is left', async () => {
  const before = tf.memory().numTensors;
  const steps = new Set<string>();
  const same = await imageDistance(left, right, { ...fast, onProgress: (step) => steps.add(step) });
  const other = await imageDistance(left, corner, fast);
  for (const kind of ['kid', 'gaussianMmd'] as const) {
    const [low, high] = same[kind].interval;
    assert.ok(low <= 0 && high >= 0, `${kind} ${low} to ${high}`);
    assert.ok(other[kind].interval[0] > 0, `${kind} ${other[kind].interval}`);
  }
  assert.ok(other.frechet.value > same.frechet.value);
  assert.equal([same.countA, same.countB, same.dimensions], [24, 20, 64]);
  assert.equal(same.features, { layer: 64, size: 32, weights: 'random', source: 'seed 0' });
  assert.is(same.kid.subsets.size, 10);
  const told = same.warnings.join('\n');
  assert.match(told, /random stand-in/);
  assert.match(told, /20 images for 64 features/);
  assert.match(told, /20 images are few/);
  assert.equal(
    [...steps],
    ['features of a', 'features of b', 'KID', 'KID, subsets', 'Gaussian MMD', 'Fréchet, bootstrap'],
  );
  assert.is(tf.memory().numTensors, before);
});

test('a dataset and a folder of the same pictures are the same: no Fréchet distance, and a warning', async () => {
  const dataset = idx('idx', 24, 1000, 0, 11);
  const [a, b] = [await openImageSource(left), await openImageSource(dataset)];
  assert.equal([a.format, b.format, b.count], ['folder', 'idx', 24]);
  const [x, y] = [a.images(20)[Symbol.asyncIterator](), b.images(20)[Symbol.asyncIterator]()];
  for (let i = 0; i < 24; i++) assert.equal((await x.next()).value.pixels, (await y.next()).value.pixels);
  const { frechet, warnings } = await imageDistance(left, dataset, fast);
  assert.ok(frechet.value < 1e-6, String(frechet.value));
  assert.match(warnings.join('\n'), /24 images of b have the features of one of a/);
});

test('a picture that is there many times is said, for its set alone; an empty folder is called so', async () => {
  const repeated = join(folder, 'repeated');
  mkdirSync(repeated);
  for (let i = 0; i < 8; i++) {
    const pixels = picture(6000 + (i % 5), 0, 11).slice(0, 64);
    writeFileSync(join(repeated, `${i}.png`), encodePng({ width: 8, height: 8, channels: 1, pixels }));
  }
  const { warnings } = await imageDistance(left, repeated, fast);
  assert.match(warnings.join('\n'), /3 images of b have the features of an earlier one of b/);
  assert.not.match(warnings.join('\n'), /of an earlier one of a|of one of a/);
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  await refused(
    () => imageDistance(left, empty, fast),
    DatasetError,
    /images or a dataset in .*empty but received an empty/,
  );
});

test('sets of images of other sizes are told apart: resizing is seen by the features', async () => {
  const small = join(folder, 'small');
  mkdirSync(small);
  for (let i = 0; i < 20; i++) {
    const pixels = picture(4000 + i, 0, 11).slice(0, 64);
    writeFileSync(join(small, `${i}.png`), encodePng({ width: 8, height: 8, channels: 1, pixels }));
  }
  const { warnings } = await imageDistance(left, small, fast);
  assert.match(warnings.join('\n'), /images of a have about 16² px and those of b about 8² px/);
  const { warnings: alike } = await imageDistance(left, right, fast);
  assert.not.match(alike.join('\n'), /resizing/);
});

test('a limit draws evenly with the seed, keeps the order, and is what is reported', async () => {
  const names = async (seed: number) => {
    const drawn: string[] = [];
    const source = await openImageSource(left, { limit: 7, seed });
    assert.equal([source.count, source.available], [7, 24]);
    for await (const { name } of source.images(4)) drawn.push(name);
    return drawn;
  };
  const first = await names(1);
  assert.is(first.length, 7);
  assert.equal(first, [...first].sort());
  assert.equal(await names(1), first);
  assert.not.equal(await names(2), first);
  assert.is((await imageDistance(left, right, { ...fast, limit: 8 })).countA, 8);
});

test('saved features are those of the network; given back as .npy files they give the same numbers', async () => {
  const saveFeatures = join(folder, 'features');
  const direct = await imageDistance(left, right, { ...fast, saveFeatures });
  const [a, b] = [join(saveFeatures, 'a.npy'), join(saveFeatures, 'b.npy')];
  const given = await imageDistance(a, b, fast);
  for (const kind of ['kid', 'gaussianMmd', 'frechet'] as const) assert.equal(given[kind], direct[kind]);
  assert.is(given.features.weights, 'given');
  const record = JSON.parse(readFileSync(join(saveFeatures, 'features.json'), 'utf8'));
  assert.is(record.a.images[3], '003.png');
  // Row 3 by the network itself.
  const inception = await Inception.create({ layers: [64], weights: 'random' });
  const source = await openImageSource(left);
  const images: Uint8Array[] = [];
  for await (const { pixels } of source.images(32)) images.push(pixels);
  const [map] = inception.features(
    tf.tensor4d(
      Float32Array.from(images[3], (v) => v / 255),
      [1, 32, 32, 3],
    ),
  );
  const positions = map.dataSync();
  const { values, rows, columns } = await readNpy(a);
  assert.equal([rows, columns], [24, 64]);
  for (let k = 0; k < 64; k++) {
    let mean = 0;
    for (let i = k; i < positions.length; i += 64) mean += positions[i] / (positions.length / 64);
    assert.ok(Math.abs(values[3 * 64 + k] - mean) < 1e-5 * Math.max(1, mean), `${values[3 * 64 + k]} against ${mean}`);
  }
  inception.dispose();
  map.dispose();
  for (const [x, y, message] of [
    [a, right, /two \.npy files or none/],
    [left, b, /two \.npy files or none/],
  ] as const) {
    await refused(() => imageDistance(x, y, fast), ConfigError, message);
  }
});

test('.npy files: what NumPy writes is read, what we write it reads; others are refused by name', async () => {
  const path = join(folder, 'x.npy');
  const matrix = { values: Float32Array.of(1.5, -2, 3, 1e-20, 5, 6), rows: 2, columns: 3 };
  writeFileSync(path, encodeNpy(matrix));
  assert.equal(await readNpy(path), matrix);
  assert.is((encodeNpy(matrix).length - 24) % 64, 0);
  writeFileSync(path, encodeNpy(matrix).subarray(0, 140));
  await refused(() => readNpy(path), DatasetError, /x\.npy.*12 bytes for 2 × 3/);
  writeFileSync(path, 'text, which is no array');
  await refused(() => readNpy(path), DatasetError, /x\.npy.*no \.npy file/);
  await refused(() => readNpy(join(folder, 'none.npy')), DatasetError, /none\.npy/);
});

const python = findPython('numpy');
const IN_NUMPY =
  'numpy: KID and Gaussian MMD² on features that it reads from our files; its own float64 files are read';
if (!python) console.log(`# skip ${IN_NUMPY}: no Python with numpy`);
else {
  test(IN_NUMPY, async () => {
    const [x, y] = [randomRows(70, 12, 1), randomRows(50, 12, 2, 0.05)];
    for (const [name, { values, count, length }] of Object.entries({ x, y })) {
      writeFileSync(join(folder, `${name}.npy`), encodeNpy({ values, rows: count, columns: length }));
    }
    const script = `
import sys, json, numpy as np
x, y = (np.load(f"{sys.argv[1]}/{n}.npy") for n in "xy")
assert x.dtype == np.float32 and x.shape == (70, 12)
np.save(sys.argv[1] + "/double.npy", x.astype(np.float64))
x, y = x.astype(np.float64), y.astype(np.float64)
def mmd(k):
    xx, yy, xy = k(x, x), k(y, y), k(x, y)
    off = lambda m: (m.sum() - np.trace(m)) / (len(m) * (len(m) - 1))
    return off(xx) + off(yy) - 2 * xy.mean()
z = np.concatenate([x, y])
d = ((z[:, None] - z[None]) ** 2).sum(-1)
pairs = np.sort(d[np.triu_indices(len(z), 1)])
s = np.sqrt(pairs[len(pairs) // 2])
square = lambda a, b: ((a[:, None] - b[None]) ** 2).sum(-1)
print(json.dumps([mmd(lambda a, b: (a @ b.T / 12 + 1) ** 3), s, mmd(lambda a, b: np.exp(-square(a, b) / (2 * s * s)))]))`;
    const { stdout, stderr } = spawnSync(python, ['-c', script, folder], { encoding: 'utf8' });
    assert.is(stderr, '');
    const [kid, sigma, mmd] = JSON.parse(stdout) as number[];
    const ours = await featureDistance(x, y, { subsets: 2, resamples: 2 });
    for (const [value, expected] of [
      [ours.kid.value, kid],
      [ours.gaussianMmd.bandwidth, sigma],
      [ours.gaussianMmd.value, mmd],
    ]) {
      assert.ok(Math.abs(value - expected) < 1e-5, `${value} against ${expected}`);
    }
    assert.equal((await readNpy(join(folder, 'double.npy'))).values, x.values);
  });
}

test('warnings: a subset that is too large is cut and said so; enough images and features leave none', async () => {
  const few = await featureDistance(randomRows(60, 3, 1), randomRows(70, 3, 2), {
    subsetSize: 100,
    subsets: 2,
    resamples: 2,
  });
  assert.is(few.kid.subsets.size, 60);
  assert.match(few.warnings.join('\n'), /subset of 100 is larger than a set of 60/);
  assert.match(few.warnings.join('\n'), /share most of their images/);
  const enough = await featureDistance(randomRows(60, 3, 1), randomRows(70, 3, 2), { subsets: 2, resamples: 2 });
  assert.equal(enough.warnings, []);
  const wide = await featureDistance(randomRows(60, 7, 1), randomRows(70, 7, 2), { subsets: 2, resamples: 2 });
  assert.is(wide.warnings.length, 1);
  assert.match(wide.warnings[0], /60 images for 7 features.*or take 70/);
});

test('folders without images, damaged pictures and aborts are said', async () => {
  const empty = join(folder, 'empty');

  await refused(() => imageDistance(empty, left, fast), DatasetError, /empty/);
  await refused(() => imageDistance(join(folder, 'nowhere'), left, fast), DatasetError, /nowhere/);
  const damaged = pictures('damaged', 4, 1, 0, 11);
  writeFileSync(join(damaged, '002.png'), 'no picture');
  await refused(() => imageDistance(damaged, left, fast), DatasetError, /damaged.002\.png/);
  const reason = new RangeError('enough');
  await refused(() => imageDistance(left, right, { ...fast, signal: AbortSignal.abort(reason) }), RangeError, /enough/);
});

async function refused(
  run: () => Promise<unknown>,
  kind: new (...args: never[]) => Error,
  message: RegExp,
): Promise<void> {
  const before = tf.memory().numTensors;
  try {
    await run();
  } catch (error) {
    assert.instance(error, kind);
    assert.match((error as Error).message, message);
    assert.is(tf.memory().numTensors, before);
    return;
  }
  assert.unreachable(`expected ${message}`);
}

test.run();
