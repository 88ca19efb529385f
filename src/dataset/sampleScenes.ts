import { setImmediate as breathe } from 'node:timers/promises';
import { DatasetError } from '../errors.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../scene/sceneSource.js';

/** Scenes sampled at a time: often enough for a signal and a progress bar. */
const CHUNK = 256;

export interface SampleScenesOptions extends SampleRequest {
  readonly signal?: AbortSignal;
  /** Called with the number of scenes done. */
  readonly onProgress?: (done: number) => void;
}

/** Samples `count` scenes of a source as one batch, a chunk at a time. */
export async function sampleScenes(source: SceneSource, options: SampleScenesOptions): Promise<SceneBatch> {
  const { seed, start, count, signal, onProgress } = options;
  const batches: SceneBatch[] = [];
  for (let done = 0; done < count; ) {
    signal?.throwIfAborted();
    const batch = await source.sampleBatch({ seed, start: start + done, count: Math.min(CHUNK, count - done) });
    if (batch.scenes.length === 0) throw new DatasetError(`Expected scenes from ${source.name} but received none`);
    batches.push(batch);
    done += batch.scenes.length;
    onProgress?.(done);
    await breathe();
  }
  return concatenateBatches(batches);
}

/**
 * Batches of one schema as one; scenes keep their order, and asset indices are rewritten where the tables differ.
 * @throws DatasetError when there is none
 */
export function concatenateBatches(batches: readonly SceneBatch[]): SceneBatch {
  const [first, ...rest] = batches;
  if (!first) throw new DatasetError('Expected at least one batch of scenes but received none');
  const assets = [...first.assets];
  const indexOf = new Map(assets.map((name, i) => [name, i]));
  const scenes: SceneGraph[] = [...first.scenes];
  for (const batch of rest) {
    const remap = batch.assets.map((name) => {
      const index = indexOf.get(name) ?? assets.push(name) - 1;
      indexOf.set(name, index);
      return index;
    });
    const same = remap.every((index, i) => index === i);
    for (const scene of batch.scenes) {
      scenes.push(same ? scene : { ...scene, asset: scene.asset.map((index) => (index < 0 ? -1 : remap[index])) });
    }
  }
  return { ...first, assets, scenes };
}

/** A source that gives out the scenes of a batch by position: the first one is at `start` 0, whatever the seed. */
export function batchSource(batch: SceneBatch): SceneSource {
  return {
    name: batch.provenance.grammar || 'scenes',
    sampleBatch({ start, count }) {
      const scenes = batch.scenes.slice(start, start + count);
      if (scenes.length < count) {
        throw new DatasetError(
          `Expected at least ${start + count} scenes in the batch but received ${batch.scenes.length}`,
        );
      }
      return { ...batch, scenes };
    },
  };
}
