import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tf } from '../../src/learn/tf.js';
import { reconstructionLoss } from '../../src/loss/reconstruction.js';
import { leakedTensors, useCpu } from '../helpers/backend.js';

test.before(useCpu);

/** Two nodes of two classes and two columns, and one row of padding that must not count. */
function example() {
  return {
    output: {
      classLogits: tf.tensor3d([
        [
          [0, 0],
          [Math.log(3), 0],
          [9, -9],
        ],
      ]),
      columns: tf.tensor3d([
        [
          [0.5, 0.2],
          [1, 0.4],
          [0.9, 0.9],
        ],
      ]),
    },
    target: {
      classes: tf.tensor3d([
        [
          [1, 0],
          [1, 0],
          [0, 0],
        ],
      ]),
      columns: tf.tensor3d([
        [
          [0.1, 0.2],
          [1, 1],
          [0, 0],
        ],
      ]),
      nodeMask: tf.tensor2d([[1, 1, 0]]),
    },
  };
}

test('§3.2.1 by hand: cross-entropy and L1, averaged over the real nodes', () => {
  const { output, target } = example();
  // Cross-entropies −ln ½ and −ln ¾; L1 means (0.4 + 0)/2 = 0.2 and (0 + 0.6)/2 = 0.3.
  const expected = (classWeight: number) => (classWeight * (-Math.log(0.5) - Math.log(0.75))) / 2 + (0.2 + 0.3) / 2;
  for (const classWeight of [0.1, 0, 2]) {
    const loss = reconstructionLoss(output, target, { classWeight }).dataSync()[0];
    assert.ok(Math.abs(loss - expected(classWeight)) < 1e-6);
  }
  assert.ok(Math.abs(reconstructionLoss(output, target).dataSync()[0] - expected(0.1)) < 1e-6);
});

test('padding gets no gradient', () => {
  const { output, target } = example();
  const gradient = tf.grad((columns: tf.Tensor) =>
    reconstructionLoss({ ...output, columns: columns as tf.Tensor3D }, target),
  )(output.columns);
  // sign / (2 columns · 2 nodes)
  const expected = [0.25, 0, 0, -0.25, 0, 0];
  gradient.dataSync().forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-6);
  });
});

test('nothing leaks', async () => {
  const { output, target } = example();
  assert.is(await leakedTensors(() => reconstructionLoss(output, target).dispose()), 0);
});

test.run();
