import { generatedHeader } from '../dataset/generatedHeader.js';
import type { DatasetHeader } from '../dataset/header.js';
import { MAX_ATTEMPTS, standInIndex } from '../dataset/plan.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import type { OpenedSource } from './openSource.js';
import type { DatasetSettings } from './settings.js';

/** The header of the dataset that a source makes with these settings: one scene is sampled for it. */
export async function headerFor(
  { source, hash, config, assets }: Omit<OpenedSource, 'dispose'>,
  settings: DatasetSettings,
): Promise<DatasetHeader> {
  return generatedHeader(await firstScene(source, settings), { name: source.name, hash, config }, settings, assets);
}

/** The first scene that can be sampled at all. @throws what the scene at `start` did, where no stand-in can be either */
async function firstScene(source: SceneSource, { seed, start }: DatasetSettings): Promise<SceneBatch> {
  let first: unknown;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      return await source.sampleBatch({ seed, start: standInIndex(start, attempt), count: 1 });
    } catch (error) {
      // Indices of stand-ins say nothing to anybody; this one can be asked for again.
      first ??= error;
    }
  }
  throw first;
}
