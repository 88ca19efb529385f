import { ShapeError } from '../errors.js';

/** Feature vectors of a set of images. */
export interface FeatureRows {
  /** [count × length], an image a row. */
  readonly values: Float32Array;
  readonly count: number;
  readonly length: number;
}

/** @throws ShapeError unless both hold at least `minimum` finite rows of one length */
export function checkFeatureRows(a: FeatureRows, b: FeatureRows, minimum: number): void {
  for (const [name, { values, count, length }] of Object.entries({ a, b })) {
    if (count < minimum || length < 1 || values.length !== count * length) {
      throw new ShapeError(
        `Expected at least ${minimum} rows of features, an image each, for ${name} but received ${count} × ${length} (${values.length} numbers)`,
      );
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new ShapeError(
        `Expected finite features for ${name} but received ${values[bad]} in row ${Math.floor(bad / length)}`,
      );
    }
  }
  if (a.length !== b.length) {
    throw new ShapeError(
      `Expected feature vectors of one length but received ${a.length} numbers a row in a and ${b.length} in b`,
    );
  }
}
