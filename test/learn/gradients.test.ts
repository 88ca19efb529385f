import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tf } from '../../src/learn/tf.js';
import { useCpu } from '../helpers/backend.js';
import { numericGradient, relativeError, scrambled } from '../helpers/numericGradient.js';

test.before(useCpu);

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Compares the gradient of Σ w ⊙ f(inputs), w fixed and uneven, with central differences, in every input. */
function check(name: string, shapes: number[][], f: Operation, map: (x: number) => number = (x) => x): void {
  const values = shapes.map((shape, i) => scrambled(tf.util.sizeFromShape(shape), i + 1).map(map));
  const tensors = () => values.map((v, i) => tf.tensor(v.slice(), shapes[i]));
  const weighted = (inputs: tf.Tensor[]) => {
    const y = f(...inputs);
    return tf.sum(tf.mul(y, tf.tensor(scrambled(y.size, 9), y.shape))) as tf.Scalar;
  };
  tf.tidy(() => {
    const gradients = tf.grads((...inputs: tf.Tensor[]) => weighted(inputs))(tensors());
    for (const [i, gradient] of gradients.entries()) {
      const numeric = numericGradient(values[i], () => tf.tidy(() => weighted(tensors()).dataSync()[0]), 2e-3);
      assert.equal(gradient.shape, shapes[i], `${name}: shape of gradient ${i}`);
      const error = relativeError(gradient.dataSync(), numeric);
      assert.ok(error < 5e-3, `${name}: gradient ${i} is off by ${error}`);
    }
  });
}

const positive = (x: number) => 0.6 + 0.4 * x;
/** Away from kinks at 0. */
const split = (x: number) => (x < 0 ? x - 0.1 : x + 0.1);
const mat = [3, 4];

test('operations of one tensor have the gradients of central differences', () => {
  check('abs', [mat], tf.abs, split);
  check('clip', [mat], (x) => tf.clipByValue(x, -0.5, 0.5));
  check('cos', [mat], tf.cos);
  check('elu', [mat], tf.elu);
  check('exp', [mat], tf.exp);
  check('leakyRelu', [mat], (x) => tf.leakyRelu(x, 0.2), split);
  check('log', [mat], tf.log, positive);
  check('neg', [mat], tf.neg);
  check('reciprocal', [mat], tf.reciprocal, positive);
  check('relu', [mat], tf.relu, split);
  check('relu6', [mat], (x) => tf.relu6(tf.mul(x, 8)), split);
  check('rsqrt', [mat], tf.rsqrt, positive);
  check('sigmoid', [mat], tf.sigmoid);
  check('sin', [mat], tf.sin);
  check('softplus', [mat], tf.softplus);
  check('sqrt', [mat], tf.sqrt, positive);
  check('square', [mat], tf.square);
  check('tanh', [mat], tf.tanh);
  check('identity', [mat], tf.clone);
});

test('operations of two tensors: same shape, and broadcast in either', () => {
  const shapes = [
    [mat, mat],
    [mat, [4]],
    [[3, 1], mat],
    [[], mat],
    [
      [2, 1, 4],
      [3, 1],
    ],
  ];
  for (const pair of shapes) {
    check('add', pair, tf.add);
    check('sub', pair, tf.sub);
    check('mul', pair, tf.mul);
    check('div', pair, tf.div, positive);
    check('maximum', pair, tf.maximum);
    check('minimum', pair, tf.minimum);
    check('squaredDifference', pair, tf.squaredDifference);
    check('pow', pair, tf.pow, positive);
  }
  const condition = tf.tensor2d([1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0], [3, 4], 'bool');
  check('where', [mat, mat], (a, b) => tf.where(condition, a, b));
  check('addN', [mat, mat, mat], (a, b, c) => tf.addN([a, b, c]));
});

test('reductions, over all and over some axes, with and without kept axes', () => {
  for (const [axis, keep] of [
    [undefined, false],
    [0, false],
    [[1], true],
    [[0, 2], false],
    [-1, true],
  ] as const) {
    const axes = axis as number | number[] | undefined;
    check('sum', [[2, 3, 4]], (x) => tf.sum(x, axes, keep));
    check('mean', [[2, 3, 4]], (x) => tf.mean(x, axes, keep));
    check('max', [[2, 3, 4]], (x) => tf.max(x, axes, keep));
    check('min', [[2, 3, 4]], (x) => tf.min(x, axes, keep));
  }
  check('softmax', [mat], (x) => tf.softmax(x));
  check('logSoftmax', [mat], (x) => tf.logSoftmax(x));
});

test('operations on shapes', () => {
  check('reshape', [mat], (x) => tf.reshape(x, [2, 6]));
  check('expandDims', [mat], (x) => tf.expandDims(x, 1));
  check('transpose', [[2, 3, 4]], (x) => tf.transpose(x, [2, 0, 1]));
  check('tile', [mat], (x) => tf.tile(x, [2, 3]));
  check('broadcastTo', [[3, 1]], (x) => tf.broadcastTo(x, [2, 3, 4]));
  check('concat', [mat, [3, 2]], (a, b) => tf.concat([a, b], -1));
  check('stack', [mat, mat], (a, b) => tf.stack([a, b], 1));
  check('unstack', [mat], (x) => tf.mul(tf.unstack(x, 1)[2], tf.unstack(x, 1)[0]));
  check('split', [mat], (x) => tf.mul(tf.split(x, 2, 1)[0], tf.split(x, 2, 1)[1]));
  check('slice', [mat], (x) => tf.slice(x, [1, 1], [-1, 2]));
  check('pad', [mat], (x) =>
    tf.pad(x, [
      [1, 0],
      [2, 1],
    ]),
  );
});

test('matrix products: each transposition, batches, a matrix shared by a batch', () => {
  for (const [ta, tb] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const a = ta ? [4, 3] : [3, 4];
    const b = tb ? [2, 4] : [4, 2];
    check(`matMul ${ta} ${tb}`, [a, b], (x, y) => tf.matMul(x, y, ta, tb));
    check(
      `batched matMul ${ta} ${tb}`,
      [
        [2, ...a],
        [2, ...b],
      ],
      (x, y) => tf.matMul(x, y, ta, tb),
    );
    check(
      `shared matMul ${ta} ${tb}`,
      [
        [2, ...a],
        [1, ...b],
      ],
      (x, y) => tf.matMul(x, y, ta, tb),
    );
  }
});

test('convolution, depthwise and transposed convolution, pooling', () => {
  const image = [2, 6, 6, 2];
  const conv = (x: tf.Tensor, f: tf.Tensor, stride: number) =>
    tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, 'same');
  check('conv2d', [image, [3, 3, 2, 3]], (x, f) => conv(x, f, 1));
  check('strided conv2d', [image, [3, 3, 2, 3]], (x, f) => conv(x, f, 2));
  check('depthwise', [image, [3, 3, 2, 2]], (x, f) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, 'valid'),
  );
  check(
    'conv2dTranspose',
    [
      [1, 3, 3, 2],
      [2, 2, 3, 2],
    ],
    (x, f) => tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, [1, 6, 6, 3], 2, 'same'),
  );
  check('maxPool', [image], (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'));
  check('avgPool', [image], (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid'));
});

test.run();
