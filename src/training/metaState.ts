import type { AdamState } from '../learn/optimizer.js';
import type { StoredTensor } from '../learn/variables.js';
import type { BaselineState } from '../loss/reinforce.js';
import { arraysUnder, type Checkpoint, flatArrays, flatArraysUnder, type Json, prefixed } from './checkpoint.js';

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

/** A state as a checkpoint; `metadata` says which run it belongs to. */
export function stateToCheckpoint(state: MetaState, metadata: Checkpoint['metadata']): Checkpoint {
  return {
    metadata: {
      ...metadata,
      epoch: state.epoch,
      optimiserStep: state.optimiser.step,
      baseline: { ...state.baseline } as unknown as Json,
    },
    arrays: {
      ...prefixed('transformer', state.transformer),
      ...prefixed('optimiser', state.optimiser.moments),
      ...flatArrays('task', state.task),
    },
  };
}

/** The state that `stateToCheckpoint` wrote. @throws TrainingError when an array has another type */
export function stateFromCheckpoint(checkpoint: Checkpoint): MetaState {
  const { epoch, optimiserStep, baseline } = checkpoint.metadata;
  return {
    epoch: epoch as number,
    transformer: arraysUnder(checkpoint, 'transformer'),
    optimiser: { step: optimiserStep as number, moments: arraysUnder(checkpoint, 'optimiser') },
    baseline: baseline as unknown as BaselineState,
    task: flatArraysUnder(checkpoint, 'task'),
  };
}
