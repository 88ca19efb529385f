import type { SceneBatch } from './sceneGraph.js';

/** Which scenes of a stream to make: those with indices start … start + count − 1 of `seed`. */
export interface SampleRequest {
  /** Integer in [0, 2^53). */
  readonly seed: number;
  /** First scene index, ≥ 0. */
  readonly start: number;
  /** Number of scenes, ≥ 1. */
  readonly count: number;
}

/**
 * Anything that makes scenes as a pure function of (seed, index): a grammar, or a grammar followed by a trained
 * distribution transformer.
 */
export interface SceneSource {
  /** Name for provenance. */
  readonly name: string;
  sampleBatch(request: SampleRequest): SceneBatch | Promise<SceneBatch>;
}

/** Scenes from this index on are never trained on: what evaluations and reports draw. */
export const FRESH_SCENES = 2 ** 40;
