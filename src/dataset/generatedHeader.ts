import { type MeshLibrary, meshBounds } from '../annotate/meshBounds.js';
import { ConfigError } from '../errors.js';
import { AttributeRole, NodeKind } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { DatasetHeader } from './header.js';
import { defaultIgnored, expectClasses } from './ignoredClasses.js';
import { layerFlags, layersOf } from './surfaceLayers.js';
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
  /** Of 3D scenes; default none. */
  readonly depth?: boolean;
  readonly normals?: boolean;
  readonly minimumPixels: number;
  /** Classes that formats of detection and classification leave out; default: as `defaultIgnored` says. */
  readonly ignore?: readonly string[] | undefined;
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

/**
 * The header of a dataset of generated scenes; `batch` holds one of them at least.
 * @param meshes what 3D scenes are drawn with: what lies on the ground is no thing
 * @throws ConfigError when depth or normals are asked for of scenes that have none, or a class is ignored that they lack
 */
export function generatedHeader(
  batch: SceneBatch,
  source: GeneratedHeaderSource,
  settings: GeneratedHeaderSettings,
  meshes?: MeshLibrary,
): DatasetHeader {
  const [{ width, height }] = batch.scenes;
  const { classes, attributes, channels, dimension } = batch.schema;
  const [layer] = layersOf(settings);
  if (layer && dimension !== 3) {
    throw new ConfigError(`Expected 3D scenes for ${layer} but received those of ${source.name}, which are flat`);
  }
  const stuff = meshes ? stuffClasses(batch, meshes) : new Set();
  expectClasses(settings.ignore ?? [], classes, source.name);
  const ignored = settings.ignore ?? defaultIgnored(settings.format, classes);
  const things = classes.filter((name) => !ignored.includes(name) && !stuff.has(name));
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
    ...layerFlags(settings),
    ...(dimension === 3 ? { dimension } : {}),
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

/**
 * Classes of a 3D batch that are no things: cameras, lights, curves and strips, and those of which all that is drawn lies on
 * the ground.
 */
function stuffClasses({ schema, scenes, assets }: SceneBatch, meshes: MeshLibrary): Set<string> {
  if (schema.dimension !== 3) return new Set();
  const bounds = meshBounds(meshes, assets);
  const drawn = schema.classes.map(() => ({ solid: false, ground: false }));
  for (const { classId, asset } of scenes) {
    for (const [v, position] of asset.entries()) {
      if (position < 0) continue;
      drawn[classId[v]][bounds[position]?.surface === 'ground' ? 'ground' : 'solid'] = true;
    }
  }
  const isStuff = (id: number) =>
    (schema.kinds?.[id] ?? NodeKind.Object) !== NodeKind.Object || (drawn[id].ground && !drawn[id].solid);
  return new Set(schema.classes.filter((_, id) => isStuff(id)));
}
