/**
 * Central differences of a scalar function of an array, in place: `values` is restored.
 * @param evaluate reads `values`
 * @param step half the difference's width
 */
export function numericGradient(values: Float32Array, evaluate: () => number, step = 1e-2): Float64Array {
  return Float64Array.from(values, (_, i) => {
    const original = values[i];
    values[i] = original + step;
    const above = evaluate();
    const upper = values[i];
    values[i] = original - step;
    const below = evaluate();
    const lower = values[i];
    values[i] = original;
    // Divided by the step as float32 stored it.
    return (above - below) / (upper - lower);
  });
}

/** Largest absolute difference, divided by the largest absolute value of `expected`. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  let largest = 1e-12;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return actual.length === expected.length ? worst / largest : Number.POSITIVE_INFINITY;
}

/** Numbers in [−1, 1) that look random and are the same every time. */
export function scrambled(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });
}
