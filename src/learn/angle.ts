import { tf } from './tf.js';

/** Below this radius the derivative of the angle (∝ 1/radius) is bounded instead of growing without end. */
const LEAST_RADIUS = 0.05;

/**
 * The angle of (x, y) in turns: atan2(y, x) / 2π, in [0, 1).
 *
 * Its gradient is that of the angle, (−y, x) / (2π r²), with r² bounded from below: at the origin the angle is
 * undefined and the gradient zero, and nowhere is it longer than 1 / (2π · 0.05).
 * @param x,y same shape
 */
export const turns = tf.customGrad((...inputs) => {
  const [x, y, save] = inputs as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
  save([x, y]);
  const raw = tf.div(tf.atan2(y, x), 2 * Math.PI);
  const wrapped = tf.sub(raw, tf.floor(raw));
  // A tiny negative angle plus one rounds to one.
  const value = tf.where(tf.less(wrapped, 1), wrapped, tf.zerosLike(wrapped));
  const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
    const [a, b] = saved;
    const squaredRadius = tf.maximum(tf.add(tf.square(a), tf.square(b)), LEAST_RADIUS ** 2);
    const scale = tf.div(dy, tf.mul(squaredRadius, 2 * Math.PI));
    return [tf.neg(tf.mul(scale, b)), tf.mul(scale, a)];
  };
  return { value, gradFunc };
}) as (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;
