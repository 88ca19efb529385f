/**
 * Gradients of the elementary tfjs operations. tfjs-core's build for Node leaves its own out, and its ES modules that hold
 * them cannot be loaded by Node; so those that metasim's losses and networks use are registered here, when `tf.ts` is
 * first imported. An operation that something else has registered before is left alone. Convolution and pooling register
 * theirs with their kernels.
 */
import * as tf from '@tensorflow/tfjs-core';

type Tensor = tf.Tensor;
/** Gradient functions of an operation's inputs, by input name or (for lists of tensors) position. */
type InputGradients = Record<string, () => Tensor> | (() => Tensor)[];

interface Rule {
  /** Names of the inputs, of `y` for the output, or `all` inputs of a list: what `gradient` gets, in this order. */
  readonly save?: readonly string[] | 'all';
  // biome-ignore lint/suspicious/noExplicitAny: each operation has attributes of its own.
  readonly gradient: (dy: Tensor, saved: Tensor[], attributes: any) => InputGradients;
}

/** Rule of an operation of one input `x` with derivative `dy · f(saved)`. */
function unary(save: 'x' | 'y', derivative: (saved: Tensor) => Tensor): Rule {
  return { save: [save], gradient: (dy, [saved]) => ({ x: () => tf.mul(dy, derivative(saved)) }) };
}

/** Rule of an operation that is flat almost everywhere. */
const flat: Rule = { gradient: (dy) => ({ x: () => tf.zerosLike(dy) }) };

/** Rule of a broadcasting operation of `a` and `b`, from the two partial derivatives times dy. */
function binary(
  partialA: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
  partialB: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
): Rule {
  return {
    save: ['a', 'b'],
    gradient: (dy, [a, b]) => ({
      a: () => sumTo(partialA(dy, a, b), a.shape),
      b: () => sumTo(partialB(dy, a, b), b.shape),
    }),
  };
}

/** Rule of max and min: dy goes to the entries that equal the extreme value. */
const extreme: Rule = {
  save: ['x', 'y'],
  gradient: (dy, [x, y], { reductionIndices, axis, keepDims }) => ({
    x: () => {
      const shape = reducedShape(x.shape, reductionIndices ?? axis);
      const chosen = tf.cast(tf.equal(x, keepDims ? y : tf.reshape(y, shape)), 'float32');
      return tf.mul(chosen, keepDims ? dy : tf.reshape(dy, shape));
    },
  }),
};

/** `dy` where `chosen`, else 0. */
const gated = (dy: Tensor, chosen: Tensor) => tf.mul(dy, tf.cast(chosen, 'float32'));

const RULES: Readonly<Record<string, Rule>> = {
  // Of one tensor, element by element.
  Abs: unary('x', (x) => tf.sign(x)),
  Cast: { gradient: (dy) => ({ x: () => tf.cast(dy, 'float32') }) },
  ClipByValue: {
    save: ['x'],
    gradient: (dy, [x], { clipValueMin, clipValueMax }) => ({
      x: () => gated(dy, tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax))),
    }),
  },
  Cos: unary('x', (x) => tf.neg(tf.sin(x))),
  Elu: unary('y', (y) => tf.where(tf.greater(y, 0), tf.onesLike(y), tf.add(y, 1))),
  Exp: unary('y', (y) => y),
  Floor: flat,
  Identity: { gradient: (dy) => ({ x: () => tf.clone(dy) }) },
  LeakyRelu: {
    save: ['x'],
    gradient: (dy, [x], { alpha }) => ({ x: () => tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha)) }),
  },
  Log: unary('x', (x) => tf.reciprocal(x)),
  Neg: { gradient: (dy) => ({ x: () => tf.neg(dy) }) },
  Reciprocal: unary('y', (y) => tf.neg(tf.square(y))),
  Relu: unary('y', (y) => tf.cast(tf.greater(y, 0), 'float32')),
  Relu6: unary('x', (x) => tf.cast(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6)), 'float32')),
  Rsqrt: unary('y', (y) => tf.mul(tf.mul(tf.square(y), y), -0.5)),
  Sigmoid: unary('y', (y) => tf.mul(y, tf.sub(1, y))),
  Sign: flat,
  Sin: unary('x', (x) => tf.cos(x)),
  Softplus: unary('x', (x) => tf.sigmoid(x)),
  Sqrt: unary('y', (y) => tf.div(0.5, y)),
  Square: unary('x', (x) => tf.mul(x, 2)),
  Step: flat,
  Tanh: unary('y', (y) => tf.sub(1, tf.square(y))),
  ZerosLike: flat,

  // Of several tensors, element by element, broadcasting.
  Add: binary(
    (dy) => dy,
    (dy) => dy,
  ),
  AddN: { save: 'all', gradient: (dy, inputs) => inputs.map(() => () => tf.clone(dy)) },
  Maximum: binary(
    (dy, a, b) => gated(dy, tf.greaterEqual(a, b)),
    (dy, a, b) => gated(dy, tf.less(a, b)),
  ),
  Minimum: binary(
    (dy, a, b) => gated(dy, tf.lessEqual(a, b)),
    (dy, a, b) => gated(dy, tf.greater(a, b)),
  ),
  Multiply: binary(
    (dy, _a, b) => tf.mul(dy, b),
    (dy, a) => tf.mul(dy, a),
  ),
  Pow: binary(
    (dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, 1)))),
    // a^b has no real derivative in b for a ≤ 0: zero there.
    (dy, a, b) => {
      const positive = tf.greater(a, 0);
      const logarithm = tf.where(positive, tf.log(tf.where(positive, a, tf.onesLike(a))), tf.zerosLike(a));
      return tf.mul(dy, tf.mul(tf.pow(a, b), logarithm));
    },
  ),
  RealDiv: binary(
    (dy, _a, b) => tf.div(dy, b),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(b))),
  ),
  Select: {
    save: ['condition'],
    gradient: (dy, [condition]) => ({
      condition: () => tf.zeros(condition.shape),
      t: () => tf.where(tf.cast(condition, 'bool'), dy, tf.zerosLike(dy)),
      e: () => tf.where(tf.cast(condition, 'bool'), tf.zerosLike(dy), dy),
    }),
  },
  SquaredDifference: binary(
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  ),
  Sub: binary(
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),

  // Along axes.
  Max: extreme,
  Mean: {
    save: ['x'],
    gradient: (dy, [x], { axis }) => ({
      x: () => {
        const shape = reducedShape(x.shape, axis);
        const spread = tf.div(tf.reshape(dy, shape), size(x.shape) / size(shape));
        return tf.mul(spread, tf.onesLike(x));
      },
    }),
  },
  Min: extreme,
  Softmax: {
    save: ['y'],
    gradient: (dy, [y], { dim }) => ({
      logits: () => {
        const weighted = tf.mul(dy, y);
        return tf.sub(weighted, tf.mul(tf.sum(weighted, dim, true), y));
      },
    }),
  },
  Sum: {
    save: ['x'],
    gradient: (dy, [x], { axis }) => ({
      x: () => tf.mul(tf.reshape(dy, reducedShape(x.shape, axis)), tf.onesLike(x)),
    }),
  },

  // Shapes.
  Concat: {
    save: 'all',
    gradient: (dy, inputs, { axis }) => {
      const along = (axis + dy.rank) % dy.rank;
      let start = 0;
      return inputs.map(({ shape }) => {
        const begin = new Array<number>(dy.rank).fill(0);
        begin[along] = start;
        start += shape[along];
        return () => tf.slice(dy, begin, shape);
      });
    },
  },
  ExpandDims: {
    save: ['input'],
    gradient: (dy, [input]) => ({ input: () => tf.reshape(dy, input.shape) }),
  },
  Pack: {
    save: 'all',
    gradient: (dy, inputs, { axis }) => inputs.map((_, i) => () => tf.unstack(dy, axis)[i]),
  },
  PadV2: {
    save: ['x'],
    gradient: (dy, [x], { paddings }) => ({
      x: () =>
        tf.slice(
          dy,
          paddings.map((pair: [number, number]) => pair[0]),
          x.shape,
        ),
    }),
  },
  Reshape: { save: ['x'], gradient: (dy, [x]) => ({ x: () => tf.reshape(dy, x.shape) }) },
  Slice: {
    save: ['x'],
    gradient: (dy, [x], { begin }) => ({
      x: () => {
        const starts: number[] = Array.isArray(begin) ? begin : [begin];
        const paddings = x.shape.map((length, i): [number, number] => {
          const start = starts[i] ?? 0;
          return [start, length - start - dy.shape[i]];
        });
        return tf.pad(dy, paddings);
      },
    }),
  },
  SplitV: { gradient: (dy, _saved, { axis }) => ({ x: () => tf.concat([dy].flat(), axis) }) },
  Tile: {
    save: ['x'],
    gradient: (dy, [x], { reps }) => ({
      x: () => {
        // [r₀, n₀, r₁, n₁, …], summed over the repetitions.
        const split = x.shape.flatMap((length, i) => [reps[i] as number, length]);
        const repetitions = x.shape.map((_, i) => 2 * i);
        return tf.reshape(tf.sum(tf.reshape(dy, split), repetitions), x.shape);
      },
    }),
  },
  Transpose: {
    gradient: (dy, _saved, { perm }) => ({
      x: () => {
        const inverse = new Array<number>(perm.length);
        for (const [to, from] of (perm as number[]).entries()) inverse[from] = to;
        return tf.transpose(dy, inverse);
      },
    }),
  },
  Unpack: { gradient: (dy, _saved, { axis }) => ({ value: () => tf.stack([dy].flat(), axis) }) },

  // Products.
  BatchMatMul: {
    save: ['a', 'b'],
    gradient: (dy, [a, b], { transposeA, transposeB }) => {
      const product = (x: Tensor, y: Tensor, transposeX: boolean, transposeY: boolean) =>
        tf.matMul(x, y, transposeX, transposeY);
      return {
        a: () => sumTo(transposeA ? product(b, dy, transposeB, true) : product(dy, b, false, !transposeB), a.shape),
        b: () => sumTo(transposeB ? product(dy, a, true, transposeA) : product(a, dy, !transposeA, false), b.shape),
      };
    },
  },
};

/** Sums a gradient over the axes along which its input was broadcast. */
function sumTo(gradient: Tensor, shape: readonly number[]): Tensor {
  const offset = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((length, axis) => {
    const own = axis < offset ? 1 : shape[axis - offset];
    return axis < offset || (own === 1 && length > 1) ? [axis] : [];
  });
  const summed = axes.length > 0 ? tf.sum(gradient, axes) : gradient;
  return tf.reshape(summed, [...shape]);
}

/** `shape` with ones in place of the reduced axes (all of them when none is named). */
function reducedShape(shape: readonly number[], axis: number | readonly number[] | undefined | null): number[] {
  const named = axis === undefined || axis === null ? shape.map((_, i) => i) : [axis].flat();
  const reduced = new Set((named as number[]).map((i) => (i + shape.length) % shape.length));
  return shape.map((length, i) => (reduced.has(i) ? 1 : length));
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Registers a rule with tfjs, unless the operation has a gradient already. */
function register(kernelName: string, { save, gradient }: Rule): void {
  if (tf.getGradient(kernelName)) return;
  const inputs = save === 'all' ? [] : (save ?? []).filter((name) => name !== 'y');
  tf.registerGradient({
    kernelName,
    inputsToSave: [...inputs],
    saveAllInputs: save === 'all',
    outputsToSave: save !== 'all' && save?.includes('y') ? [true] : [],
    gradFunc: (dy, saved, attributes) =>
      gradient(dy as Tensor, saved, attributes) as tf.NamedTensorMap & InputGradients,
  } as tf.GradConfig);
}

for (const [kernelName, rule] of Object.entries(RULES)) register(kernelName, rule);
