/**
 * Intersection over union, the measure of segmentations (the paper's table 2): of one class, the pixels that are it and
 * are called it, divided by those that are it or are called it. Counted over a whole set of images, not averaged over
 * images, as is usual since Pascal VOC.
 */
import { Confusion, meanOfKnown } from '../learn/confusion.js';

export interface IntersectionOverUnion {
  /** Of each class in [0, 1]; NaN for a class that neither is there nor predicted. */
  readonly perClass: readonly number[];
  /** Mean over the classes that count and are not NaN; NaN where there is none. */
  readonly mean: number;
}

export interface IouOptions {
  readonly classes: number;
  /** Classes left out of the mean, such as the background. Their pixels count for the others. */
  readonly leaveOut?: readonly number[];
}

/**
 * @param truth class of each pixel, or 255 where it does not count
 * @param predicted as many classes
 * @throws ShapeError when the lengths differ or there is no such class
 */
export function intersectionOverUnion(
  truth: Uint8Array,
  predicted: Uint8Array,
  { classes, leaveOut = [] }: IouOptions,
): IntersectionOverUnion {
  const confusion = new Confusion(classes);
  confusion.add(truth, predicted);
  const perClass = [...confusion.intersectionOverUnion()];
  return { perClass, mean: meanOfKnown(perClass.filter((_, k) => !leaveOut.includes(k))) };
}
