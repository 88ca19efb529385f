import { ShapeError } from '../errors.js';
import { IGNORED } from './taskNetwork.js';

/** How often pixels of one class are taken for another, summed over as many images as are added. */
export class Confusion {
  readonly classes: number;
  /** [classes × classes] pixels by true class (rows) and predicted class (columns). */
  readonly counts: Float64Array;

  constructor(classes: number) {
    this.classes = classes;
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * @param truth class of each pixel, or 255 where it does not count
   * @param predicted as many classes
   * @throws ShapeError when the lengths differ or there is no such class
   */
  add(truth: Uint8Array, predicted: Uint8Array): void {
    if (truth.length !== predicted.length) {
      throw new ShapeError(`Expected ${truth.length} predicted pixels but received ${predicted.length}`);
    }
    const { classes, counts } = this;
    for (let i = 0; i < truth.length; i++) {
      const row = truth[i];
      if (row === IGNORED) continue;
      if (row >= classes || predicted[i] >= classes) {
        throw new ShapeError(`Expected classes below ${classes} but received ${row} and ${predicted[i]} at pixel ${i}`);
      }
      counts[row * classes + predicted[i]]++;
    }
  }

  /** Intersection over union of each class; NaN for one that neither is there nor predicted. */
  intersectionOverUnion(): Float64Array {
    const { classes, counts } = this;
    return Float64Array.from({ length: classes }, (_, k) => {
      const both = counts[k * classes + k];
      let union = -both;
      for (let j = 0; j < classes; j++) union += counts[k * classes + j] + counts[j * classes + k];
      return both / union;
    });
  }
}

/** Mean of the numbers that are not NaN; NaN where all are. */
export function meanOfKnown(values: Iterable<number>): number {
  const known = [...values].filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
