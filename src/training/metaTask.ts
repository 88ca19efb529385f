import type { TaskScore } from '../learn/taskNetwork.js';
import type { RenderedBatch } from '../render/engine.js';
import type { SceneBatch } from '../scene/sceneGraph.js';

export type { TaskScore };

/**
 * The task objective (§3.2.3) as meta-training sees it: something that is trained on the scenes of a meta-epoch and
 * then scored on V. `NetworkTask` is one of the built-in networks, `CommandTask` any other program.
 */
export interface MetaTask {
  /** Batches handed to `add` must hold label maps (`instances`, `classes`). */
  readonly needsLabels: boolean;
  /** Algorithm 1, line 6: an empty dataset for meta-epoch `epoch` (1 for the first) of `scenes` scenes. */
  begin(epoch: number, scenes: number): void | Promise<void>;
  /** Line 11: adds rendered scenes, colour float32 in [0, 1]. The arrays are valid only during the call. */
  add(rendered: RenderedBatch<'f32'>, scenes: SceneBatch): void | Promise<void>;
  /** Lines 15, 16: trains on what was added since `begin`, then scores on V. */
  score(options?: { readonly signal?: AbortSignal }): Promise<TaskScore>;
  /** Weights and optimiser state for a checkpoint; {} where the task keeps none. */
  state(): Promise<Record<string, Float32Array>>;
  /** Takes back what `state` gave. */
  load(state: Record<string, Float32Array>): void;
  dispose(): void;
}
