import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError } from '../../src/errors.js';
import { backendInfo, disposeBackend, initBackend, withStockKernels } from '../../src/learn/backend.js';
import { doctorReport } from '../../src/learn/doctor.js';
import { HelperThreads, type Part } from '../../src/learn/kernels/helpers.js';
import type { WasmBackend } from '../../src/learn/kernels/wasmHeap.js';
import { tf } from '../../src/learn/tf.js';
import { RandomStream } from '../../src/random.js';

test.after(disposeBackend);

function random(shape: number[], seed: number): tf.Tensor {
  const stream = new RandomStream({ seed, index: 0 });
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.uniform() * 2 - 1);
  return tf.tensor(values, shape);
}

/** Output and all gradients of operations large enough for helper threads, as bytes. */
function largeOperations(): Uint8Array[] {
  return tf.tidy(() => {
    const results: tf.Tensor[] = [];
    const record = (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, a: tf.Tensor, b: tf.Tensor) => {
      const y = f(a, b);
      const dy = random(y.shape, 9);
      const scalar = (p: tf.Tensor, q: tf.Tensor) => tf.sum(tf.mul(f(p, q), dy)) as tf.Scalar;
      results.push(y, ...tf.grads((p, q) => scalar(p, q))([a, b]));
    };
    type Image = tf.Tensor4D;
    record(
      (x, w) => tf.conv2d(x as Image, w as Image, 1, 'same'),
      random([7, 13, 13, 19], 1),
      random([3, 3, 19, 21], 2),
    );
    record(
      (x, w) => tf.conv2d(x as Image, w as Image, 2, 'valid'),
      random([9, 41, 41, 3], 3),
      random([3, 3, 3, 32], 4),
    );
    record(
      (x, w) => tf.maxPool(tf.conv2d(x as Image, w as Image, 1, 'valid'), 3, 2, 'same'),
      random([5, 28, 28, 8], 5),
      random([5, 5, 8, 18], 6),
    );
    record((a, b) => tf.matMul(a, b, false, true), random([150, 121], 5), random([133, 121], 6));
    record((a, b) => tf.matMul(a, b, true, false), random([5, 90, 101], 7), random([5, 90, 103], 8));
    return results.map((tensor) => new Uint8Array(Float32Array.from(tensor.dataSync()).buffer));
  });
}

test('wasm is active in Node, says why gpu is not, and adds no process-wide error listeners', async () => {
  const before = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
  const info = await initBackend();
  assert.is(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection'), before);
  assert.equal(backendInfo(), info);
  if (info.backend === 'gpu') return;
  assert.is(info.backend, 'wasm');
  assert.is(info.tfjsName, tf.getBackend());
  assert.match(info.description, 'SIMD');
  assert.is(info.rejected[0].backend, 'gpu');
  assert.ok(info.rejected[0].reason.length > 10);
});

test('two and three threads give the bytes of one', async () => {
  await initBackend({ prefer: 'wasm', threads: 1 });
  const before = tf.memory().numTensors;
  const expected = largeOperations();
  for (const threads of [2, 3]) {
    const info = await initBackend({ prefer: 'wasm', threads });
    assert.is(info.threads, threads, info.description);
    for (let round = 0; round < 3; round++) {
      const got = largeOperations();
      for (const [i, bytes] of got.entries()) {
        assert.ok(Buffer.from(bytes).equals(Buffer.from(expected[i])), `${threads} threads, result ${i}`);
      }
    }
  }
  assert.is(tf.memory().numTensors, before);
  await disposeBackend();
});

test('a helper computes its part in the arena and the result comes back', async () => {
  const wasm = new URL('../../build/learn.shared.wasm', import.meta.url);
  const helpers = await HelperThreads.start(new WebAssembly.Module(readFileSync(wasm)), 1);
  // A heap with a [1, 2], b [2, 1] and room for c: (1, 2) · (3, 4) = 11.
  const heap = new Float32Array(64);
  heap.set([1, 2, 3, 4]);
  const backend = { wasm: { HEAPU8: new Uint8Array(heap.buffer) } } as unknown as WasmBackend;
  const part: Part = {
    kernel: 'matMul',
    args: [
      { kind: 'in', pointer: 0, bytes: 8 },
      { kind: 'in', pointer: 8, bytes: 8 },
      0,
      { kind: 'out', pointer: 64, bytes: 4 },
      { kind: 'scratch', bytes: 1024 },
      ...[1, 1, 2, 1, 2, 0, 0, 0, 0, 0],
    ],
  };
  const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  let takenBack = 0;
  for (let i = 0; i < 50 && takenBack === i; i++) {
    heap[16] = 0;
    helpers.run(
      backend,
      [part],
      () => pause(20 * (i + 1)),
      () => takenBack++,
    );
  }
  assert.is(heap[16], 11);
  await helpers.close();
});

test('withStockKernels computes the same with tfjs’ own convolution', async () => {
  await initBackend({ prefer: 'wasm' });
  const [x, w] = [random([2, 9, 9, 4], 1) as tf.Tensor4D, random([3, 3, 4, 5], 2) as tf.Tensor4D];
  const run = () => tf.tidy(() => tf.conv2d(x, w, 1, 'same').dataSync());
  const [own, stock] = [run(), withStockKernels(run)];
  for (let i = 0; i < own.length; i++) assert.ok(Math.abs(own[i] - stock[i]) < 1e-4);
  tf.dispose([x, w]);
});

test('cpu on demand; its AvgPool gradient is right at the border with SAME padding', async () => {
  const { backend, rejected } = await initBackend({ prefer: 'cpu' });
  assert.is(backend, 'cpu');
  assert.equal(
    rejected.map((r) => r.backend),
    ['gpu', 'wasm'],
  );
  // One row of 3 pixels, windows of 2 with stride 2: {0, 1} and {2} (the fourth pixel is margin). dy = (1, 1).
  const gradient = tf.tidy(() =>
    tf
      .grad((x) => tf.sum(tf.avgPool(x as tf.Tensor4D, [1, 2], [1, 2], 'same')))(tf.zeros([1, 1, 3, 1]))
      .dataSync(),
  );
  assert.equal([...gradient], [0.5, 0.5, 1]);
});

test('wrong options are refused by name', async () => {
  for (const [options, word] of [
    [{ threads: 0 }, 'threads'],
    [{ threads: 1.5 }, 'threads'],
    [{ prefer: 'tpu' as never }, 'prefer'],
  ] as const) {
    try {
      await initBackend(options);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, ConfigError);
      assert.match((error as Error).message, word);
    }
  }
});

test('the doctor tells Node, cores, backends, GPU, canvas and weights', async () => {
  const report = await doctorReport();
  assert.is(report.node, process.versions.node);
  assert.ok(report.cores >= 1);
  assert.ok(report.wasm.simd && report.wasm.threads);
  assert.ok(report.canvas.ok, report.canvas.reason);
  assert.match(report.version, /^\d+\.\d+\.\d+/);
  assert.is(typeof report.gpu.installed, 'boolean');
  assert.is(report.backend.backend, report.gpu.installed ? report.backend.backend : 'wasm');
  assert.is(typeof report.data.found, 'boolean');
  JSON.stringify(report);
});

test.run();
