import { type Asset, type AssetLibrary, expectAsset } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';
import { type DecodedTexture, decodeAsset } from './decodedAsset.js';
import type { SharedHeap } from './sharedHeap.js';
import type { LayoutConstants } from './texels.js';

/** The texture of one or more meshes that are loaded. */
interface HeldTexture {
  readonly address: number;
  readonly bytes: number;
  users: number;
}

/**
 * The assets of a library in the kernels' memory: a table of asset records (assembly/engine/layout.ts), one for each
 * asset of the library in its order, and the texels or meshes they point to. Each asset is decoded when a batch first uses it, and
 * stays until they are more than a limit: then all make way that no batch in work uses. So a library of 70,000
 * digits costs what is drawn of it, and one of 70,000 photographs no more than the limit, or than what the batches in work
 * need together. Equal textures of meshes are there once. Written by the engine's thread only, before any task that uses it is handed out; read by all.
 */
export class AssetStore {
  /** Address of the asset records. */
  readonly table: number;
  readonly #library: AssetLibrary;
  readonly #heap: SharedHeap;
  readonly #layout: LayoutConstants;
  readonly #maxBytes: number;
  /** Where an asset's texels or mesh lie, 0 where they do not, and how many bytes they are. */
  readonly #contents: Float64Array;
  readonly #sizes: Float64Array;
  /** How many batches in work use an asset. */
  readonly #users: Uint32Array;
  /** Textures of meshes by their key, and the key of each asset's. */
  readonly #textures = new Map<string, HeldTexture>();
  readonly #textureOf = new Map<number, string>();
  /** Bytes of all of them, and of those that no batch uses. */
  #bytes = 0;
  #idleBytes = 0;
  readonly #loading = new Map<number, Promise<void>>();

  /** @param maxBytes of texels and meshes that are kept; the batches in work may need more */
  constructor(library: AssetLibrary, heap: SharedHeap, layout: LayoutConstants, maxBytes: number) {
    this.#library = library;
    this.#heap = heap;
    this.#layout = layout;
    this.#maxBytes = maxBytes;
    this.#contents = new Float64Array(library.assets.length);
    this.#sizes = new Float64Array(library.assets.length);
    this.#users = new Uint32Array(library.assets.length);
    const bytes = library.assets.length * layout.ASSET_BYTES;
    this.table = heap.allocate(bytes);
    heap.bytes(this.table, bytes).fill(0);
  }

  /**
   * Where the named assets stand in the table, as a batch's `remap`; loads those that are not there yet. They stay until
   * they are released.
   * @param kind what the batch is drawn with
   * @returns at once when all are loaded, so that the common case costs no turn of the event loop
   * @throws AssetError when a name is not in the library, of the other kind, or cannot be used; then nothing is to be
   *   released
   */
  resolve(names: readonly string[], kind: Asset['kind']): Int32Array | Promise<Int32Array> {
    const records = this.#find(names, kind);
    const missing: number[] = [];
    for (const index of records) {
      if (this.#contents[index] === 0) missing.push(index);
      else if (this.#users[index] === 0) this.#idleBytes -= this.#sizes[index];
      this.#users[index]++;
    }
    return missing.length === 0 ? records : this.#loadAll(missing, records);
  }

  /** Gives back what `resolve` gave, once no task reads it any more. */
  release(records: Int32Array): void {
    for (const index of records) {
      this.#users[index]--;
      if (this.#users[index] === 0) this.#idleBytes += this.#sizes[index];
    }
  }

  #find(names: readonly string[], kind: Asset['kind']): Int32Array {
    return Int32Array.from(names, (name) => {
      const index = this.#library.indexOf(name);
      if (index < 0) {
        throw new AssetError(
          `Expected an asset of the engine's library (${this.#library.assets.length} assets) but received "${name}"`,
        );
      }
      expectAsset(this.#library.assets[index], kind);
      return index;
    });
  }

  async #loadAll(missing: readonly number[], records: Int32Array): Promise<Int32Array> {
    try {
      for (const index of missing) {
        let loading = this.#loading.get(index);
        if (!loading) {
          loading = this.#load(index).finally(() => this.#loading.delete(index));
          this.#loading.set(index, loading);
        }
        await loading;
      }
      return records;
    } catch (error) {
      this.release(records);
      throw error;
    }
  }

  async #load(index: number): Promise<void> {
    if (this.#contents[index] !== 0) return;
    const asset = this.#library.assets[index];
    try {
      const decoded = await decodeAsset(asset, this.#layout);
      const { bytes, texture } = decoded;
      const fresh = texture && !this.#textures.has(texture.key) ? texture.bytes : 0;
      if (this.#bytes + bytes + fresh > this.#maxBytes) this.#dropIdle();
      const held = texture && this.#holdTexture(texture);
      let contents = 0;
      try {
        contents = this.#heap.allocate(bytes);
        const record = this.table + index * this.#layout.ASSET_BYTES;
        decoded.write(this.#heap.memory.buffer, contents, record, held?.address);
      } catch (error) {
        if (contents !== 0) this.#heap.free(contents);
        if (texture) this.#releaseTexture(texture.key);
        throw error;
      }
      this.#contents[index] = contents;
      this.#sizes[index] = bytes;
      this.#bytes += bytes;
      if (texture) this.#textureOf.set(index, texture.key);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AssetError(`Asset "${asset.name}": ${reason}`, { cause });
    }
  }

  /** One more user of a texture, which is written when it has none yet. */
  #holdTexture({ key, bytes, write }: DecodedTexture): HeldTexture {
    let held = this.#textures.get(key);
    if (!held) {
      held = { address: this.#heap.allocate(bytes), bytes, users: 0 };
      write(this.#heap.memory.buffer, held.address);
      this.#textures.set(key, held);
      this.#bytes += bytes;
    }
    held.users++;
    return held;
  }

  #releaseTexture(key: string): void {
    const held = this.#textures.get(key);
    if (!held || --held.users > 0) return;
    this.#heap.free(held.address);
    this.#textures.delete(key);
    this.#bytes -= held.bytes;
  }

  /** All at once: their memory becomes whole again. */
  #dropIdle(): void {
    if (this.#idleBytes === 0) return;
    for (const [index, contents] of this.#contents.entries()) {
      if (contents === 0 || this.#users[index] > 0) continue;
      this.#heap.free(contents);
      this.#bytes -= this.#sizes[index];
      this.#contents[index] = 0;
      this.#sizes[index] = 0;
      const texture = this.#textureOf.get(index);
      if (texture !== undefined) this.#releaseTexture(texture);
      this.#textureOf.delete(index);
    }
    this.#idleBytes = 0;
  }
}
