/** A labelled image set in memory, as task networks take it. */
export interface LabelledImages {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [N × H × W × C] bytes 0–255, or floats in [0, 1]. */
  readonly images: Uint8Array | Float32Array;
  /** [N] class of each image, in [0, number of classes). */
  readonly labels: Int32Array;
}

/** Options of one training call. */
export interface TaskTrainingOptions {
  /** Passes over the data. */
  readonly epochs?: number;
  readonly signal?: AbortSignal;
  /** Called after every step with the fraction done in [0, 1] and the step's loss. */
  readonly onStep?: (fraction: number, loss: number) => void;
}

/**
 * The task network of Meta-Sim (§3, a black box): trained on generated data, scored on the target's labelled
 * validation set V.
 */
export interface TaskNetwork {
  /** Trains on, from the current weights. */
  train(data: LabelledImages, options?: TaskTrainingOptions): Promise<void>;
  /** Metric on `data` in [0, 1], e.g. accuracy. */
  score(data: LabelledImages): Promise<number>;
  /** Predicted class of each image, [N]. */
  predict(data: LabelledImages): Promise<Int32Array>;
  /** Draws fresh weights (and forgets the optimiser's state). */
  reset(seed: number): void;
  /** Weights and optimiser state, for a checkpoint; `load` takes it back exactly. */
  state(): Promise<Record<string, Float32Array>>;
  load(state: Record<string, Float32Array>): void;
  dispose(): void;
}
