/** Images of one size in memory, one after the other. */
export interface ImageStack {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [N × H × W × C] bytes 0–255, or floats in [0, 1]. */
  readonly images: Uint8Array | Float32Array;
}

/** A classified image set in memory, as task networks take it. */
export interface LabelledImages extends ImageStack {
  /** [N] class of each image, in [0, number of classes). */
  readonly labels: Int32Array;
}

/** In a mask: a pixel that is neither learned from nor scored. */
export const IGNORED = 255;

/** A segmented image set in memory, as task networks take it. */
export interface SegmentedImages extends ImageStack {
  /** [N × H × W] class of each pixel, in [0, number of classes), or 255 (`IGNORED`). */
  readonly masks: Uint8Array;
}

/** Options of one training call. */
export interface TaskTrainingOptions {
  /** Passes over the data. */
  readonly epochs?: number;
  readonly signal?: AbortSignal;
  /** Called after every step with the fraction done in [0, 1] and the step's loss. */
  readonly onStep?: (fraction: number, loss: number) => void;
}

/** How good a task network is on V. */
export interface TaskScore {
  /** In [0, 1] for the built-in networks, any number for an external command; larger is better. */
  readonly score: number;
  /** Numbers recorded beside it, e.g. `{ 'iou/car': 0.8 }`. */
  readonly details?: Readonly<Record<string, number>>;
}

/**
 * The task network of Meta-Sim (§3, a black box): trained on generated data, scored on the target's labelled
 * validation set V. `Data` is what it learns from, `Prediction` what it says of images.
 */
export interface TaskNetwork<Data extends ImageStack = LabelledImages, Prediction = Int32Array> {
  /** Trains on, from the current weights. */
  train(data: Data, options?: TaskTrainingOptions): Promise<void>;
  /** Metric on `data` in [0, 1], e.g. accuracy. */
  score(data: Data): Promise<number>;
  /** The same metric with the numbers it is made of; left out where there are none. */
  evaluate?(data: Data): Promise<TaskScore>;
  /** What it makes of each image: classes [N] of a classifier, class maps [N × H × W] of a segmentation. */
  predict(data: Data): Promise<Prediction>;
  /** Draws fresh weights (and forgets the optimiser's state). */
  reset(seed: number): void;
  /** Weights and optimiser state, for a checkpoint; `load` takes it back exactly. */
  state(): Promise<Record<string, Float32Array>>;
  load(state: Record<string, Float32Array>): void;
  dispose(): void;
}
