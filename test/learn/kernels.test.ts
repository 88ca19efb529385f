// Every kernel of assembly/learn against a plain loop in float64, on random small shapes.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { RandomStream } from '../../src/random.js';

test.before(async () => {
  const { backend } = await initBackend({ prefer: 'wasm' });
  assert.is(backend, 'wasm');
});
test.after(disposeBackend);

const RUNS = { numRuns: 60, seed: 7 };

function values(count: number, seed: number, shift = 0): Float32Array {
  const stream = new RandomStream({ seed, index: count });
  return Float32Array.from({ length: count }, () => stream.uniform() * 2 - 1 + shift);
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Runs a kernel by name; frees everything. */
function runKernel(
  name: string,
  inputs: Record<string, { shape: number[]; data: Float32Array | Int32Array }>,
  attrs: Record<string, unknown>,
): Float32Array {
  return tf.tidy(() => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([key, { shape, data }]) => [
        key,
        tf.tensor(data, shape, data instanceof Int32Array ? 'int32' : 'float32'),
      ]),
    );
    const result = tf.engine().runKernel(name, tensors, attrs as never) as tf.Tensor;
    return Float32Array.from(result.dataSync());
  });
}

function close(actual: Float32Array, expected: Float64Array | number[], what: string, tolerance = 2e-5): void {
  assert.is(actual.length, expected.length, `${what}: length`);
  let scale = 1;
  for (const value of expected) scale = Math.max(scale, Math.abs(value));
  for (let i = 0; i < actual.length; i++) {
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance * scale)) {
      assert.unreachable(`${what}: entry ${i} is ${actual[i]}, expected ${expected[i]}`);
    }
  }
}

/** A convolution's sizes, as tfjs computes them. */
interface Sizes {
  n: number;
  h: number;
  w: number;
  c: number;
  kh: number;
  kw: number;
  oc: number;
  oh: number;
  ow: number;
  s: number;
  top: number;
  left: number;
}

/** Calls `visit` with the flat indices of x, filter and y of every product in a convolution. */
function eachProduct(z: Sizes, visit: (x: number, filter: number, y: number) => void): void {
  for (let b = 0; b < z.n; b++)
    for (let oy = 0; oy < z.oh; oy++)
      for (let ox = 0; ox < z.ow; ox++)
        for (let r = 0; r < z.kh; r++)
          for (let q = 0; q < z.kw; q++) {
            const y = oy * z.s - z.top + r;
            const x = ox * z.s - z.left + q;
            if (y < 0 || y >= z.h || x < 0 || x >= z.w) continue;
            for (let i = 0; i < z.c; i++)
              for (let o = 0; o < z.oc; o++)
                visit(
                  ((b * z.h + y) * z.w + x) * z.c + i,
                  ((r * z.kw + q) * z.c + i) * z.oc + o,
                  ((b * z.oh + oy) * z.ow + ox) * z.oc + o,
                );
          }
}

const convolution = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    h: fc.integer({ min: 5, max: 13 }),
    w: fc.integer({ min: 5, max: 13 }),
    c: fc.constantFrom(1, 2, 3, 4, 8, 9, 17),
    oc: fc.constantFrom(1, 3, 4, 8, 10, 16, 19),
    k: fc.constantFrom([1, 1], [3, 3], [5, 5], [1, 5], [5, 1], [2, 3], [1, 7], [7, 1]),
    s: fc.constantFrom(1, 1, 2, 3),
    pad: fc.constantFrom('same' as const, 'valid' as const, 1),
  })
  .filter(
    ({ h, w, k, pad }) =>
      pad === 'same' || (h + 2 >= k[0] && w + 2 >= k[1] && (pad !== 'valid' || (h >= k[0] && w >= k[1]))),
  );

function sizesOf(shape: typeof convolution extends fc.Arbitrary<infer T> ? T : never): Sizes {
  const { n, h, w, c, oc, k, s, pad } = shape;
  const info = tf.backend_util.computeConv2DInfo([n, h, w, c], [k[0], k[1], c, oc], s, 1, pad);
  const { outHeight: oh, outWidth: ow, padInfo } = info;
  return { n, h, w, c, kh: k[0], kw: k[1], oc, oh, ow, s, top: padInfo.top, left: padInfo.left };
}

test('Conv2D and FusedConv2D are the sum of products, with bias and activation', () => {
  fc.assert(
    fc.property(convolution, fc.constantFrom('linear', 'relu', 'relu6'), (shape, activation) => {
      const z = sizesOf(shape);
      const x = values(z.n * z.h * z.w * z.c, 1);
      const filter = values(z.kh * z.kw * z.c * z.oc, 2);
      const bias = values(z.oc, 3);
      const expected = new Float64Array(z.n * z.oh * z.ow * z.oc);
      eachProduct(z, (i, f, o) => (expected[o] += x[i] * filter[f]));
      const attrs = { strides: [z.s, z.s], pad: shape.pad, dataFormat: 'NHWC', dilations: [1, 1] };
      const inputs = {
        x: { shape: [z.n, z.h, z.w, z.c], data: x },
        filter: { shape: [z.kh, z.kw, z.c, z.oc], data: filter },
      };
      close(runKernel('Conv2D', inputs, attrs), expected, 'Conv2D');
      const activate = (v: number) =>
        activation === 'linear' ? v : Math.min(Math.max(v, 0), activation === 'relu' ? Infinity : 6);
      const fused = runKernel(
        'FusedConv2D',
        { ...inputs, bias: { shape: [z.oc], data: bias } },
        { ...attrs, activation },
      );
      close(
        fused,
        expected.map((v, i) => activate(v + bias[i % z.oc])),
        'FusedConv2D',
      );
    }),
    RUNS,
  );
});

test('Conv2DBackpropInput and Conv2DBackpropFilter are the transposes of the convolution', () => {
  fc.assert(
    fc.property(convolution, (shape) => {
      const z = sizesOf(shape);
      const x = values(z.n * z.h * z.w * z.c, 4);
      const filter = values(z.kh * z.kw * z.c * z.oc, 5);
      const dy = values(z.n * z.oh * z.ow * z.oc, 6);
      const dx = new Float64Array(x.length);
      const dw = new Float64Array(filter.length);
      eachProduct(z, (i, f, o) => {
        dx[i] += dy[o] * filter[f];
        dw[f] += dy[o] * x[i];
      });
      const attrs = { strides: [z.s, z.s], pad: shape.pad, dataFormat: 'NHWC' };
      const dyInput = { shape: [z.n, z.oh, z.ow, z.oc], data: dy };
      const xShape = [z.n, z.h, z.w, z.c];
      const filterShape = [z.kh, z.kw, z.c, z.oc];
      const gotX = runKernel(
        'Conv2DBackpropInput',
        { dy: dyInput, filter: { shape: filterShape, data: filter } },
        { ...attrs, inputShape: xShape },
      );
      close(gotX, dx, 'dx');
      const gotW = runKernel(
        'Conv2DBackpropFilter',
        { x: { shape: xShape, data: x }, dy: dyInput },
        { ...attrs, filterShape },
      );
      close(gotW, dw, 'dw');
    }),
    RUNS,
  );
});

test('Conv2DBackpropFilter sums over blocks of lines longer than a block', () => {
  const z: Sizes = { n: 2, h: 40, w: 41, c: 6, kh: 3, kw: 3, oc: 9, oh: 38, ow: 39, s: 1, top: 0, left: 0 };
  const x = values(z.n * z.h * z.w * z.c, 1);
  const dy = values(z.n * z.oh * z.ow * z.oc, 2);
  const dw = new Float64Array(z.kh * z.kw * z.c * z.oc);
  eachProduct(z, (i, f, o) => (dw[f] += dy[o] * x[i]));
  const got = runKernel(
    'Conv2DBackpropFilter',
    { x: { shape: [z.n, z.h, z.w, z.c], data: x }, dy: { shape: [z.n, z.oh, z.ow, z.oc], data: dy } },
    { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', filterShape: [z.kh, z.kw, z.c, z.oc] },
  );
  close(got, dw, 'dw');
});

test('BatchMatMul and _FusedMatMul: every combination of transposes, batches and broadcasts', () => {
  const shapes = fc.record({
    m: fc.integer({ min: 1, max: 21 }),
    k: fc.integer({ min: 1, max: 40 }),
    n: fc.integer({ min: 1, max: 21 }),
    batch: fc.constantFrom([1, 1], [3, 3], [3, 1], [1, 3]),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
  });
  fc.assert(
    fc.property(shapes, ({ m, k, n, batch: [batchA, batchB], transposeA, transposeB }) => {
      const a = values(batchA * m * k, 1);
      const b = values(batchB * k * n, 2);
      const bias = values(n, 3);
      const batch = Math.max(batchA, batchB);
      const expected = new Float64Array(batch * m * n);
      for (let i = 0; i < batch; i++)
        for (let r = 0; r < m; r++)
          for (let c = 0; c < n; c++)
            for (let t = 0; t < k; t++) {
              const fromA = (batchA > 1 ? i * m * k : 0) + (transposeA ? t * m + r : r * k + t);
              const fromB = (batchB > 1 ? i * k * n : 0) + (transposeB ? c * k + t : t * n + c);
              expected[(i * m + r) * n + c] += a[fromA] * b[fromB];
            }
      const inputs = {
        a: { shape: transposeA ? [batchA, k, m] : [batchA, m, k], data: a },
        b: { shape: transposeB ? [batchB, n, k] : [batchB, k, n], data: b },
      };
      close(runKernel('BatchMatMul', inputs, { transposeA, transposeB }), expected, 'BatchMatMul');
      const fused = runKernel(
        '_FusedMatMul',
        { ...inputs, bias: { shape: [n], data: bias } },
        { transposeA, transposeB, activation: 'relu' },
      );
      close(
        fused,
        expected.map((v, i) => Math.max(0, v + bias[i % n])),
        '_FusedMatMul',
      );
    }),
    RUNS,
  );
});

test('BatchMatMul with a transposed: sums of more terms than one block', () => {
  const [m, k, n] = [7, 600, 11];
  const a = values(k * m, 1);
  const b = values(k * n, 2);
  const expected = new Float64Array(m * n);
  for (let r = 0; r < m; r++)
    for (let c = 0; c < n; c++) for (let t = 0; t < k; t++) expected[r * n + c] += a[t * m + r] * b[t * n + c];
  const inputs = { a: { shape: [1, k, m], data: a }, b: { shape: [1, k, n], data: b } };
  close(runKernel('BatchMatMul', inputs, { transposeA: true, transposeB: false }), expected, 'BatchMatMul');
});

const pooling = fc.record({
  n: fc.integer({ min: 1, max: 2 }),
  h: fc.integer({ min: 3, max: 9 }),
  w: fc.integer({ min: 3, max: 9 }),
  c: fc.constantFrom(1, 3, 4, 7, 8),
  k: fc.constantFrom(2, 3),
  s: fc.constantFrom(1, 2, 3),
  pad: fc.constantFrom('same' as const, 'valid' as const),
});

/** Calls `visit` with the window (flat indices of channel 0) of each output pixel. */
function eachWindow(
  shape: typeof pooling extends fc.Arbitrary<infer T> ? T : never,
  visit: (window: number[], output: number) => void,
): number {
  const { n, h, w, c, k, s, pad } = shape;
  const info = tf.backend_util.computePool2DInfo([n, h, w, c], k, s, 1, pad);
  let output = 0;
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < info.outHeight; oy++)
      for (let ox = 0; ox < info.outWidth; ox++, output += c) {
        const window: number[] = [];
        for (let r = 0; r < k; r++)
          for (let q = 0; q < k; q++) {
            const y = oy * s - info.padInfo.top + r;
            const x = ox * s - info.padInfo.left + q;
            if (y >= 0 && y < h && x >= 0 && x < w) window.push(((b * h + y) * w + x) * c);
          }
        visit(window, output);
      }
  return output;
}

test('MaxPoolGrad: the largest value of a window gets its gradient, also when it is negative or not alone', () => {
  fc.assert(
    fc.property(pooling, fc.boolean(), (shape, ties) => {
      const { n, h, w, c, k, s, pad } = shape;
      const x = values(n * h * w * c, 1, -1.5);
      if (ties) for (let i = 0; i < x.length; i++) x[i] = Math.round(x[i] * 2);
      const outputs = eachWindow(shape, () => {});
      const dy = values(outputs, 2);
      const expected = new Float64Array(x.length);
      eachWindow(shape, (window, output) => {
        for (let o = 0; o < c; o++) {
          let best = window[0] + o;
          for (const i of window) if (x[i + o] > x[best]) best = i + o;
          expected[best] += dy[output + o];
        }
      });
      const { outShape } = tf.backend_util.computePool2DInfo([n, h, w, c], k, s, 1, pad);
      const got = runKernel(
        'MaxPoolGrad',
        {
          dy: { shape: outShape, data: dy },
          input: { shape: [n, h, w, c], data: x },
          output: { shape: outShape, data: new Float32Array(outputs) },
        },
        { filterSize: [k, k], strides: [s, s], pad },
      );
      close(got, expected, 'MaxPoolGrad');
    }),
    RUNS,
  );
});

test('AvgPoolGrad is the transpose of AvgPool, SAME padding included', () => {
  fc.assert(
    fc.property(pooling, (shape) => {
      const { n, h, w, c, k, s, pad } = shape;
      const outputs = eachWindow(shape, () => {});
      const dy = values(outputs, 1);
      const dx = new Float64Array(n * h * w * c);
      eachWindow(shape, (window, output) => {
        for (const i of window) for (let o = 0; o < c; o++) dx[i + o] += dy[output + o] / window.length;
      });
      const { outShape } = tf.backend_util.computePool2DInfo([n, h, w, c], k, s, 1, pad);
      const input = { shape: [n, h, w, c], data: new Float32Array(dx.length) };
      const attrs = { filterSize: [k, k], strides: [s, s], pad };
      close(runKernel('AvgPoolGrad', { dy: { shape: outShape, data: dy }, input }, attrs), dx, 'AvgPoolGrad');
    }),
    RUNS,
  );
});

test('gradients of depthwise convolution are the transposes of it', () => {
  const shapes = fc.record({
    h: fc.integer({ min: 5, max: 9 }),
    w: fc.integer({ min: 5, max: 9 }),
    c: fc.constantFrom(1, 3, 4, 9),
    q: fc.constantFrom(1, 2),
    s: fc.constantFrom(1, 2),
    pad: fc.constantFrom('same' as const, 'valid' as const),
  });
  fc.assert(
    fc.property(shapes, ({ h, w, c, q, s, pad }) => {
      const [n, k] = [2, 3];
      const info = tf.backend_util.computeConv2DInfo([n, h, w, c], [k, k, c, q], s, 1, pad, undefined, true);
      const { outHeight: oh, outWidth: ow, padInfo } = info;
      const x = values(n * h * w * c, 1);
      const filter = values(k * k * c * q, 2);
      const dy = values(n * oh * ow * c * q, 3);
      const dx = new Float64Array(x.length);
      const dw = new Float64Array(filter.length);
      for (let b = 0; b < n; b++)
        for (let oy = 0; oy < oh; oy++)
          for (let ox = 0; ox < ow; ox++)
            for (let r = 0; r < k; r++)
              for (let p = 0; p < k; p++) {
                const y = oy * s - padInfo.top + r;
                const column = ox * s - padInfo.left + p;
                if (y < 0 || y >= h || column < 0 || column >= w) continue;
                for (let o = 0; o < c * q; o++) {
                  const xi = ((b * h + y) * w + column) * c + Math.floor(o / q);
                  const fi = (r * k + p) * c * q + o;
                  const g = dy[((b * oh + oy) * ow + ox) * c * q + o];
                  dx[xi] += g * filter[fi];
                  dw[fi] += g * x[xi];
                }
              }
      const attrs = { strides: [s, s], pad, dilations: [1, 1] };
      const dyInput = { shape: [n, oh, ow, c * q], data: dy };
      const gotX = runKernel(
        'DepthwiseConv2dNativeBackpropInput',
        { dy: dyInput, filter: { shape: [k, k, c, q], data: filter } },
        { ...attrs, inputShape: [n, h, w, c] },
      );
      close(gotX, dx, 'dx');
      const gotW = runKernel(
        'DepthwiseConv2dNativeBackpropFilter',
        { x: { shape: [n, h, w, c], data: x }, dy: dyInput },
        { ...attrs, filterShape: [k, k, c, q] },
      );
      close(gotW, dw, 'dw');
    }),
    { ...RUNS, numRuns: 25 },
  );
});

test('UnsortedSegmentSum adds rows to their segments and drops ids outside', () => {
  // Rows (1, 2), (3, 4), (5, 6), (7, 8) with segments 1, −1, 1, 0: segment 0 is (7, 8), segment 1 (6, 8), segment 2 empty.
  const got = runKernel(
    'UnsortedSegmentSum',
    {
      x: { shape: [4, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
      segmentIds: { shape: [4], data: Int32Array.of(1, -1, 1, 0) },
    },
    { numSegments: 3 },
  );
  assert.equal([...got], [7, 8, 6, 8, 0, 0]);
});

test('Sum over leading axes, other axes and all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      (shape, axes, keepDims) => {
        const leading = Math.min(axes, shape.length);
        const data = values(product(shape), 1);
        const width = product(shape.slice(leading));
        const expected = new Float64Array(width);
        for (let i = 0; i < data.length; i++) expected[i % width] += data[i];
        const result = tf.tidy(() => {
          const sum = tf.sum(
            tf.tensor(data, shape),
            Array.from({ length: leading }, (_, i) => i),
            keepDims,
          );
          return { shape: sum.shape, data: Float32Array.from(sum.dataSync()) };
        });
        close(result.data, expected, 'sum');
        assert.equal(result.shape, keepDims ? shape.map((s, i) => (i < leading ? 1 : s)) : shape.slice(leading));
      },
    ),
    RUNS,
  );
  const last = tf.tidy(() => [...tf.sum(tf.tensor2d([1, 2, 3, 4], [2, 2]), 1).dataSync()]);
  assert.equal(last, [3, 7]);
});

test('kernels leave no tensors behind', () => {
  const before = tf.memory().numTensors;
  runKernel(
    'BatchMatMul',
    { a: { shape: [1, 2, 2], data: values(4, 1) }, b: { shape: [1, 2, 2], data: values(4, 2) } },
    {},
  );
  assert.is(tf.memory().numTensors, before);
});

test.run();
