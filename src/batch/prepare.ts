import type { DatasetHeader } from '../dataset/header.js';
import { MAX_ATTEMPTS, standInIndex } from '../dataset/plan.js';
import { toolVersion } from '../dataset/toolVersion.js';
import { AttributeRole } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import type { DatasetSettings } from './settings.js';

/** The header of the dataset that a source makes with these settings: one scene is sampled for it. */
export async function headerFor(
  source: SceneSource,
  hash: string,
  config: unknown,
  settings: DatasetSettings,
): Promise<DatasetHeader> {
  const batch = await firstScene(source, settings);
  const [{ width, height }] = batch.scenes;
  const { classes, attributes, channels } = batch.schema;
  const things = classes.filter((name) => !settings.ignore.includes(name));
  return {
    format: 'metasim-dataset',
    version: 2,
    tool: { name: 'metasim', version: toolVersion() },
    name: settings.name ?? source.name,
    layout: settings.format,
    codec: settings.codec ?? 'png',
    quality: settings.quality,
    split: settings.split,
    count: settings.count,
    shardSize: settings.shardSize,
    seed: settings.seed,
    start: settings.start,
    ...{ width, height, channels },
    masks: settings.masks,
    scenes: settings.scenes,
    minimumPixels: settings.minimumPixels,
    source: source.name,
    grammarHash: batch.provenance.grammarHash,
    sourceHash: hash,
    classes: [...classes],
    things: things.length > 0 ? things : [...classes],
    attributes: attributes.map(({ name, role, unit, minimum, maximum }) => ({
      name,
      role: AttributeRole[role],
      unit,
      minimum,
      maximum,
    })),
    // As it will be read back: a grammar's predicates are functions, which no thread and no file can take.
    config: JSON.parse(JSON.stringify(config ?? null)),
  };
}

/** The first scene that can be sampled at all. */
async function firstScene(source: SceneSource, { seed, start }: DatasetSettings): Promise<SceneBatch> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await source.sampleBatch({ seed, start: standInIndex(start, attempt), count: 1 });
    } catch (error) {
      if (attempt + 1 >= MAX_ATTEMPTS) throw error;
    }
  }
}
