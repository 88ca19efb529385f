import type { AdamState } from '../learn/optimizer.js';
import type { StoredTensor } from '../learn/variables.js';
import type { BaselineState } from '../loss/reinforce.js';

/** All that meta-training needs to go on after an epoch as if it had never stopped. */
export interface MetaState {
  /** Epochs finished. */
  readonly epoch: number;
  /** θ */
  readonly transformer: Record<string, StoredTensor>;
  readonly optimiser: AdamState;
  readonly baseline: BaselineState;
  /** Weights and optimiser state of the task network; empty without a task. */
  readonly task: Record<string, Float32Array>;
}
