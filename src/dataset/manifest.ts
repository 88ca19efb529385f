import type { AssetLibrary } from '../assets/assetLibrary.js';
import { AttributeRole, type SceneSchema } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { toolVersion } from './toolVersion.js';

/** A licence and what was used under it. */
export interface LicenceUse {
  /** As the asset states it; "unknown" where it states none. */
  readonly licence: string;
  /** Number of different assets used. */
  readonly assets: number;
  /** Folders of their names, e.g. `mnist/train/7`, sorted. */
  readonly from: readonly string[];
}

/** `manifest.json`: what a dataset holds and how to make it again. Written last: a folder without it is incomplete. */
export interface Manifest {
  readonly format: 'metasim-dataset';
  readonly version: 1;
  readonly tool: { readonly name: 'metasim'; readonly version: string };
  /** Number of images. */
  readonly count: number;
  readonly seed: number;
  /** Scene index of the first image. */
  readonly start: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly source: string;
  /** SHA-256 of the resolved grammar; empty when there is none. */
  readonly grammarHash: string;
  /** Class names; a class mask holds the position here + 1, 0 is nothing. */
  readonly classes: readonly string[];
  readonly attributes: readonly { name: string; role: string; unit: string; minimum: number; maximum: number }[];
  /** Which masks were written. */
  readonly masks: boolean;
  readonly licences: readonly LicenceUse[];
  /** The resolved configuration that the caller gave. */
  readonly config: unknown;
}

/** Facts that only the caller of `buildManifest` knows. */
export type ManifestFacts = Pick<
  Manifest,
  'count' | 'seed' | 'start' | 'width' | 'height' | 'channels' | 'source' | 'masks' | 'config' | 'grammarHash'
>;

export function buildManifest(schema: SceneSchema, licences: readonly LicenceUse[], facts: ManifestFacts): Manifest {
  return {
    format: 'metasim-dataset',
    version: 1,
    tool: { name: 'metasim', version: toolVersion() },
    ...facts,
    classes: schema.classes,
    attributes: schema.attributes.map(({ name, role, unit, minimum, maximum }) => ({
      name,
      role: AttributeRole[role],
      unit,
      minimum,
      maximum,
    })),
    licences,
  };
}

/** Notes which assets scenes use, and sums up under which licences. */
export class LicenceRegister {
  readonly #used = new Set<string>();

  /** Notes the assets of every scene of the batch. */
  add(batch: SceneBatch): void {
    for (const scene of batch.scenes) {
      for (const index of scene.asset) if (index >= 0) this.#used.add(batch.assets[index]);
    }
  }

  /** One entry a licence, sorted by name. Assets that `library` does not know count as unknown. */
  summary(library: AssetLibrary | undefined): LicenceUse[] {
    const groups = new Map<string, { assets: number; from: Set<string> }>();
    for (const name of this.#used) {
      const index = library?.indexOf(name) ?? -1;
      const licence = (index >= 0 && library?.assets[index].licence) || 'unknown';
      const group = groups.get(licence) ?? { assets: 0, from: new Set<string>() };
      group.assets++;
      group.from.add(name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : name);
      groups.set(licence, group);
    }
    return [...groups.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([licence, { assets, from }]) => ({ licence, assets, from: [...from].sort() }));
  }
}
