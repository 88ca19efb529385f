import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import h5wasm from 'h5wasm/node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import { convolutionsOf, stagesUpTo } from '../../src/learn/inception/architecture.js';
import { type FetchInceptionOptions, fetchInception, INCEPTION_MD5 } from '../../src/learn/inception/fetch.js';
import { Inception } from '../../src/learn/inception/inception.js';
import {
  findInceptionWeights,
  inceptionCacheFolder,
  readInceptionWeights,
} from '../../src/learn/inception/weightFiles.js';
import { tf } from '../../src/learn/tf.js';
import { RandomStream } from '../../src/random.js';

await initBackend({ prefer: 'wasm' });
await h5wasm.ready;

const ROOT = mkdtempSync(join(tmpdir(), 'metasim-fetch-'));
const CONVOLUTIONS = convolutionsOf(stagesUpTo('max_pooling2d_2'));

/** Tensors of convolution n, as they stand in the file. */
const expected = new Map<string, Float32Array>();

/** A file of the five convolutions of layer 192, laid out as Keras lays out such files, numbered from `start`. */
function writeKerasFile(path: string, start = 1, wrongShape = false): void {
  const file = new h5wasm.File(path, 'w');
  const names: string[] = [];
  for (const { index, size, inChannels, outChannels } of CONVOLUTIONS) {
    const number = index + start - 1;
    const put = (layer: string, tensors: [string, number[], number, number][]) => {
      const inner = file.create_group(layer).create_group(layer);
      names.push(layer);
      for (const [name, shape, low, high] of tensors) {
        const stream = new RandomStream({ seed: 1, index, node: expected.size });
        const data = Float32Array.from(
          { length: shape.reduce((a, b) => a * b, 1) },
          () => low + (high - low) * stream.uniform(),
        );
        expected.set(`${name} of ${index}`, data);
        inner.create_dataset({ name: `${name}:0`, data, shape, dtype: '<f' });
      }
      (file.get(layer) as InstanceType<typeof h5wasm.Group>).create_attribute(
        'weight_names',
        tensors.map(([name]) => `${layer}/${name}:0`),
      );
    };
    const limit = Math.sqrt(6 / (size[0] * size[1] * inChannels));
    const out = wrongShape && index === 4 ? outChannels + 1 : outChannels;
    put(`conv2d_${number}`, [['kernel', [...size, inChannels, out], -limit, limit]]);
    put(`batch_normalization_${number}`, [
      ['beta', [outChannels], -0.1, 0.1],
      ['moving_mean', [outChannels], -0.1, 0.1],
      ['moving_variance', [outChannels], 0.5, 2],
    ]);
    file.create_group(`activation_${number}`);
  }
  file.create_attribute('layer_names', names);
  file.close();
}

function serve(
  path: string,
  behaviour: 'whole' | 'cut' | 'missing' = 'whole',
): Promise<{ server: Server; url: string }> {
  const server = createServer((_, response) => {
    const content = readFileSync(path);
    if (behaviour === 'missing') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-length': content.length });
    if (behaviour === 'whole') response.end(content);
    else response.write(content.subarray(0, 1000), () => response.destroy());
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5` }),
    ),
  );
}

const stop = (server: Server) => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
};
const md5 = (path: string) => createHash('md5').update(readFileSync(path)).digest('hex');

async function failure(options: FetchInceptionOptions): Promise<Error> {
  try {
    await fetchInception(options);
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

test.after(() => rmSync(ROOT, { recursive: true, force: true }));

test('a Keras file is downloaded, converted, and read back tensor for tensor', async () => {
  const path = join(ROOT, 'keras.h5');
  expected.clear();
  writeKerasFile(path);
  const { server, url } = await serve(path);
  const cacheDir = join(ROOT, 'cache');
  const progress: [number, number | undefined][] = [];
  const onProgress = (received: number, total: number | undefined) => progress.push([received, total]);
  const fetched = await fetchInception({ url, md5: md5(path), cacheDir, layer: 192, onProgress });
  await stop(server);
  assert.equal(fetched, { folder: cacheDir, downloaded: true });
  assert.equal(readdirSync(cacheDir).sort(), ['stem_to_mixed2.bin', 'stem_to_mixed2.json']);
  const size = readFileSync(path).length;
  assert.equal(progress.at(-1), [size, size]);
  const weights = await readInceptionWeights(cacheDir, CONVOLUTIONS);
  for (const { index } of CONVOLUTIONS) {
    const { kernel, beta, mean, variance } = weights.get(index)!;
    assert.equal(kernel, expected.get(`kernel of ${index}`));
    assert.equal(beta, expected.get(`beta of ${index}`));
    assert.equal(mean, expected.get(`moving_mean of ${index}`));
    assert.equal(variance, expected.get(`moving_variance of ${index}`));
  }
  // The server is gone: what is there is not fetched again.
  assert.equal(await fetchInception({ url, cacheDir, layer: 192 }), { folder: cacheDir, downloaded: false });
});

test('weights are looked for in METASIM_DATA first, then in the cache under XDG_CACHE_HOME', () => {
  const saved = { data: process.env.METASIM_DATA, cache: process.env.XDG_CACHE_HOME };
  const [data, cache] = [join(ROOT, 'data'), join(ROOT, 'xdg')];
  try {
    process.env.METASIM_DATA = data;
    process.env.XDG_CACHE_HOME = cache;
    assert.is(inceptionCacheFolder(), join(cache, 'metasim', 'inception_v3'));
    cpSync(join(ROOT, 'cache'), inceptionCacheFolder(), { recursive: true });
    assert.is(findInceptionWeights(5), inceptionCacheFolder());
    cpSync(join(ROOT, 'cache'), join(data, 'inception_v3'), { recursive: true });
    assert.is(findInceptionWeights(5), join(data, 'inception_v3'));
    // Layer 768 needs the second pair of files, which neither has.
    assert.ok(![inceptionCacheFolder(), join(data, 'inception_v3')].includes(findInceptionWeights(70) ?? ''));
  } finally {
    for (const [name, value] of [
      ['METASIM_DATA', saved.data],
      ['XDG_CACHE_HOME', saved.cache],
    ] as const) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

test('the network with converted weights is convolution, batch norm and ReLU, written out', async () => {
  const inception = await Inception.create({ layers: [64], weights: join(ROOT, 'cache') });
  const side = 11;
  const stream = new RandomStream({ seed: 2, index: 0 });
  const pixels = Float32Array.from({ length: side * side * 3 }, () => stream.uniform());
  const [map] = inception.features(tf.tensor4d(pixels, [1, side, side, 3]));
  // Float64 loops: three layers, then the maximum over the one 3 × 3 window.
  let current = Array.from(pixels, (v) => 2 * v - 1);
  let [size, channels] = [side, 3];
  for (const { index, outChannels, stride, padding } of CONVOLUTIONS.slice(0, 3)) {
    const get = (name: string) => expected.get(`${name} of ${index}`)!;
    const pad = padding === 'same' ? 1 : 0;
    const outSize = Math.floor((size + 2 * pad - 3) / stride) + 1;
    const next: number[] = [];
    for (let y = 0; y < outSize; y++) {
      for (let x = 0; x < outSize; x++) {
        for (let o = 0; o < outChannels; o++) {
          let sum = 0;
          for (let i = 0; i < 3; i++) {
            for (let j = 0; j < 3; j++) {
              const [r, c] = [y * stride + i - pad, x * stride + j - pad];
              if (r < 0 || c < 0 || r >= size || c >= size) continue;
              for (let k = 0; k < channels; k++) {
                sum +=
                  current[(r * size + c) * channels + k] *
                  get('kernel')[((i * 3 + j) * channels + k) * outChannels + o];
              }
            }
          }
          const normal = (sum - get('moving_mean')[o]) / Math.sqrt(get('moving_variance')[o] + 1e-3) + get('beta')[o];
          next.push(Math.max(0, normal));
        }
      }
    }
    [current, size, channels] = [next, outSize, outChannels];
  }
  assert.equal(map.shape, [1, 1, 1, 64]);
  assert.is(size, 3);
  const values = map.dataSync();
  for (let o = 0; o < 64; o++) {
    const maximum = Math.max(...Array.from({ length: 9 }, (_, i) => current[i * 64 + o]));
    assert.ok(Math.abs(values[o] - maximum) < 1e-4 * Math.max(1, maximum), `${values[o]} against ${maximum}`);
  }
  inception.dispose();
});

test('numbering that starts elsewhere (a second model in one session) converts to the same', async () => {
  const path = join(ROOT, 'second.h5');
  writeKerasFile(path, 95);
  const { server, url } = await serve(path);
  const cacheDir = join(ROOT, 'second');
  await fetchInception({ url, md5: md5(path), cacheDir, layer: 192 });
  await stop(server);
  const weights = await readInceptionWeights(cacheDir, CONVOLUTIONS);
  assert.is(weights.get(5)!.kernel.length, 3 * 3 * 80 * 192);
});

test('a wrong hash, a wrong file, a lost connection and no network: said, and nothing left behind', async () => {
  const path = join(ROOT, 'keras.h5');
  const wrong = join(ROOT, 'wrong.h5');
  writeKerasFile(wrong, 1, true);
  const text = join(ROOT, 'text.h5');
  writeFileSync(text, 'not HDF5');
  const cases: [string, string, 'whole' | 'cut' | 'missing', string | undefined, RegExp][] = [
    ['hash', path, 'whole', undefined, new RegExp(`Expected MD5 ${INCEPTION_MD5}.*${md5(path)}`)],
    ['shape', wrong, 'whole', md5(wrong), /\[1, 1, 64, 80\].*convolution 4.*\[1, 1, 64, 81\]/],
    ['text', text, 'whole', md5(text), /HDF5/],
    ['cut', path, 'cut', md5(path), /Expected to download/],
    ['404', path, 'missing', md5(path), /404/],
  ];
  for (const [name, file, behaviour, hash, message] of cases) {
    const { server, url } = await serve(file, behaviour);
    const cacheDir = join(ROOT, `failed-${name}`);
    const error = await failure({ url, cacheDir, layer: 192, ...(hash ? { md5: hash } : {}) });
    await stop(server);
    assert.instance(error, AssetError, name);
    assert.match(error.message, message);
    assert.equal(readdirSync(cacheDir), [], name);
  }
  const { server, url } = await serve(path);
  await stop(server);
  const offline = await failure({ url, cacheDir: join(ROOT, 'offline') });
  assert.instance(offline, AssetError);
  assert.match(offline.message, /Expected to download .*--inception/);
});

test('an abort ends the download with its reason', async () => {
  const path = join(ROOT, 'keras.h5');
  const { server, url } = await serve(path);
  const controller = new AbortController();
  const reason = new Error('enough');
  const error = await failure({
    url,
    cacheDir: join(ROOT, 'aborted'),
    md5: md5(path),
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await stop(server);
  assert.is(error, reason);
});

test('damaged weight files are refused with file and tensor', async () => {
  const damage = async (change: (folder: string) => void): Promise<string> => {
    const folder = mkdtempSync(join(ROOT, 'damaged-'));
    cpSync(join(ROOT, 'cache'), folder, { recursive: true });
    change(folder);
    try {
      await readInceptionWeights(folder, CONVOLUTIONS);
    } catch (error) {
      assert.instance(error, AssetError);
      return (error as Error).message;
    }
    throw new Error('nothing was thrown');
  };
  const bin = 'stem_to_mixed2.bin';
  const json = 'stem_to_mixed2.json';
  assert.match(await damage((folder) => truncateSync(join(folder, bin), 100)), /stem_to_mixed2\.bin but received 100/);
  assert.match(await damage((folder) => writeFileSync(join(folder, json), '{')), /stem_to_mixed2\.json/);
  assert.match(await damage((folder) => writeFileSync(join(folder, json), '{"bytes": 1}')), /tensors/);
  const edit = (from: string, to: string) => (folder: string) => {
    const text = readFileSync(join(folder, json), 'utf8');
    assert.ok(text.includes(from));
    writeFileSync(join(folder, json), text.replace(from, to));
  };
  assert.match(await damage(edit('conv2d_2/kernel', 'elsewhere')), /conv2d_2\/kernel .*no such tensor/);
  assert.match(
    await damage((folder) => {
      const bytes = readFileSync(join(folder, bin));
      bytes.writeFloatLE(Number.NaN, 40);
      writeFileSync(join(folder, bin), bytes);
    }),
    /conv2d_1\/kernel .*NaN at position 10/,
  );
  assert.ok(existsSync(join(ROOT, 'cache', bin)));
});

test.run();
