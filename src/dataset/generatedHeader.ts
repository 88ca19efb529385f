import { AttributeRole } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { DatasetHeader } from './header.js';
import { toolVersion } from './toolVersion.js';

/** What the maker of a dataset chooses; the rest of a header follows from its scenes. */
export interface GeneratedHeaderSettings {
  readonly format: string;
  readonly codec?: DatasetHeader['codec'] | undefined;
  readonly quality: number;
  readonly split: string;
  readonly count: number;
  readonly shardSize: number;
  readonly seed: number;
  readonly start: number;
  readonly masks: boolean;
  readonly scenes: boolean;
  readonly minimumPixels: number;
  /** Classes that formats of detection and classification leave out. */
  readonly ignore: readonly string[];
  /** Default: the source's. */
  readonly name?: string | undefined;
}

/** Where the scenes come from. */
export interface GeneratedHeaderSource {
  readonly name: string;
  /** SHA-256 of what decides the scenes; empty when unknown. */
  readonly hash: string;
  /** Kept in the manifest; must survive JSON. */
  readonly config?: unknown;
}

/** The header of a dataset of generated scenes; `batch` holds one of them at least. */
export function generatedHeader(
  batch: SceneBatch,
  source: GeneratedHeaderSource,
  settings: GeneratedHeaderSettings,
): DatasetHeader {
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
    sourceHash: source.hash,
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
    config: JSON.parse(JSON.stringify(source.config ?? null)),
  };
}
