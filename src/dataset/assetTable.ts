import { z } from 'zod';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { DatasetError } from '../errors.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { isLicence } from './describe/licences.js';
import { parseJson } from './header.js';
import type { LicenceUse } from './manifest.js';
import type { DatasetStorage } from './storage.js';

/** Where the table lies. */
export const ASSET_TABLE_PATH = '.metasim/assets.json';
/** What assets count as that state no licence. */
export const UNKNOWN_LICENCE = 'unknown';

const tableSchema = z.array(z.tuple([z.string(), z.string()]));

/** [name, licence] of every asset that a dataset may draw; shards say by position which of them they did. */
export type AssetTable = readonly (readonly [name: string, licence: string])[];

export function assetTable(library: AssetLibrary): AssetTable {
  return library.assets.map(({ name, licence }) => [name, licence || UNKNOWN_LICENCE]);
}

/**
 * Keeps the table with the dataset; where it is there already, it must be the same.
 * @throws DatasetError when textures were added, removed or renamed since the dataset was begun
 */
export async function claimAssetTable(storage: DatasetStorage, table: AssetTable): Promise<void> {
  const text = `${JSON.stringify(table)}\n`;
  if (table.length === 0 || (await storage.create(ASSET_TABLE_PATH, text))) return;
  const present = await storage.read(ASSET_TABLE_PATH);
  if (present && Buffer.from(present).toString('utf8') === text) return;
  throw new DatasetError(
    `Expected the textures that the dataset in ${storage.place} was begun with but received others: ` +
      'some were added, removed or renamed, or their licence changed',
  );
}

/** The table of a dataset; empty where it has none. */
export async function readAssetTable(storage: DatasetStorage): Promise<AssetTable> {
  const bytes = await storage.read(ASSET_TABLE_PATH);
  return bytes ? parseJson(bytes, tableSchema, `${storage.place}/${ASSET_TABLE_PATH}`) : [];
}

/** What every shard looks up in the table. */
interface TableIndex {
  readonly positions: ReadonlyMap<string, number>;
  /** One bit for each asset, lowest first: 1 where it states no licence. */
  readonly unlicensed: Uint8Array;
}

/** Of tables seen before: one of 70,000 digits takes longer to index than a shard of them to draw. */
const indices = new WeakMap<AssetTable, TableIndex>();

function indexOf(table: AssetTable): TableIndex {
  let index = indices.get(table);
  if (!index) {
    const unlicensed = new Uint8Array(Math.ceil(table.length / 8));
    for (const [i, [, licence]] of table.entries()) if (!isLicence(licence)) unlicensed[i >> 3] |= 1 << (i & 7);
    index = { positions: new Map(table.map(([name], i) => [name, i])), unlicensed };
    indices.set(table, index);
  }
  return index;
}

/** Which assets of a table were drawn. */
export class UsedAssets {
  readonly #bits: Uint8Array;
  readonly #index: TableIndex;
  readonly #table: AssetTable;

  constructor(table: AssetTable) {
    this.#table = table;
    this.#bits = new Uint8Array(Math.ceil(table.length / 8));
    this.#index = indexOf(table);
  }

  /** Forgets all. */
  clear(): void {
    this.#bits.fill(0);
  }

  /** Notes the assets of one scene. */
  addScene(batch: SceneBatch, scene: number): void {
    for (const index of batch.scenes[scene].asset) {
      if (index < 0) continue;
      const name = batch.assets[index];
      const position = this.#index.positions.get(name);
      if (position === undefined)
        throw new DatasetError(`Expected an asset of the dataset's table but received "${name}"`);
      this.#bits[position >> 3] |= 1 << (position & 7);
    }
  }

  /** Notes what another one noted. */
  addBase64(text: string): void {
    const bits = Buffer.from(text, 'base64');
    if (bits.length > this.#bits.length) {
      throw new DatasetError(`Expected at most ${this.#bits.length} bytes of asset bits but received ${bits.length}`);
    }
    for (const [i, byte] of bits.entries()) this.#bits[i] |= byte;
  }

  /** Whether some of them state no licence: quicker than to look for it in `licences()`. */
  get anyUnlicensed(): boolean {
    const { unlicensed } = this.#index;
    return this.#bits.some((byte, i) => (byte & unlicensed[i]) !== 0);
  }

  base64(): string {
    return Buffer.from(this.#bits).toString('base64');
  }

  /** Used assets by licence, sorted. */
  licences(): LicenceUse[] {
    const groups = new Map<string, { assets: number; from: Set<string> }>();
    for (const [i, [name, licence]] of this.#table.entries()) {
      if ((this.#bits[i >> 3] & (1 << (i & 7))) === 0) continue;
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
