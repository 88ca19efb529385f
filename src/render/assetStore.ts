import { type AssetLibrary, expectAsset, type SpriteAsset, type SpriteImage } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';
import type { SharedHeap } from './sharedHeap.js';
import { type LayoutConstants, texelBytes, writeTexels } from './texels.js';

/**
 * The assets of a library in the kernels' memory: a table of asset records (assembly/engine/layout.ts), one for each
 * asset of the library in its order, and the texels they point to. Each asset is decoded when a batch first uses it, and
 * stays until the texels are more than a limit: then all make way that no batch in work uses. So a library of 70,000
 * digits costs what is drawn of it, and one of 70,000 photographs no more than the limit, or than what the batches in work
 * need together. Written by the engine's thread only, before any task that uses it is handed out; read by all.
 */
export class AssetStore {
  /** Address of the asset records. */
  readonly table: number;
  readonly #library: AssetLibrary;
  readonly #heap: SharedHeap;
  readonly #layout: LayoutConstants;
  readonly #maxBytes: number;
  /** Where the texels of an asset lie, 0 where they do not, and how many bytes they are. */
  readonly #texels: Float64Array;
  readonly #sizes: Float64Array;
  /** How many batches in work use an asset. */
  readonly #users: Uint32Array;
  /** Bytes of all texels, and of those that no batch uses. */
  #bytes = 0;
  #idleBytes = 0;
  readonly #loading = new Map<number, Promise<void>>();

  /** @param maxBytes texels that are kept; the batches in work may need more */
  constructor(library: AssetLibrary, heap: SharedHeap, layout: LayoutConstants, maxBytes: number) {
    this.#library = library;
    this.#heap = heap;
    this.#layout = layout;
    this.#maxBytes = maxBytes;
    this.#texels = new Float64Array(library.assets.length);
    this.#sizes = new Float64Array(library.assets.length);
    this.#users = new Uint32Array(library.assets.length);
    const bytes = library.assets.length * layout.ASSET_BYTES;
    this.table = heap.allocate(bytes);
    heap.bytes(this.table, bytes).fill(0);
  }

  /**
   * Where the named assets stand in the table, as a batch's `remap`; loads those that are not there yet. They stay until
   * they are released.
   * @returns at once when all are loaded, so that the common case costs no turn of the event loop
   * @throws AssetError when a name is not in the library or its pixels cannot be used; then nothing is to be released
   */
  resolve(names: readonly string[]): Int32Array | Promise<Int32Array> {
    const records = this.#find(names);
    const missing: number[] = [];
    for (const index of records) {
      if (this.#texels[index] === 0) missing.push(index);
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

  #find(names: readonly string[]): Int32Array {
    return Int32Array.from(names, (name) => {
      const index = this.#library.indexOf(name);
      if (index >= 0) return index;
      throw new AssetError(
        `Expected an asset of the engine's library (${this.#library.assets.length} assets) but received "${name}"`,
      );
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
    if (this.#texels[index] !== 0) return;
    const asset = expectAsset(this.#library.assets[index], 'sprite');
    try {
      const image = await asset.load();
      checkSize(asset, image);
      const bytes = texelBytes(image, asset.edge, this.#layout);
      if (this.#bytes + bytes > this.#maxBytes) this.#dropIdle();
      const texels = this.#heap.allocate(bytes);
      const record = this.table + index * this.#layout.ASSET_BYTES;
      try {
        writeTexels(image, asset.edge, this.#heap.memory.buffer, texels, record, this.#layout);
      } catch (error) {
        this.#heap.free(texels);
        throw error;
      }
      this.#texels[index] = texels;
      this.#sizes[index] = bytes;
      this.#bytes += bytes;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AssetError(`Asset "${asset.name}": ${reason}`, { cause });
    }
  }

  /** All at once: their memory becomes whole again. */
  #dropIdle(): void {
    if (this.#idleBytes === 0) return;
    for (const [index, texels] of this.#texels.entries()) {
      if (texels === 0 || this.#users[index] > 0) continue;
      this.#heap.free(texels);
      this.#bytes -= this.#sizes[index];
      this.#texels[index] = 0;
      this.#sizes[index] = 0;
    }
    this.#idleBytes = 0;
  }
}

function checkSize(asset: SpriteAsset, image: SpriteImage): void {
  if (image.width === asset.width && image.height === asset.height && image.format === asset.format) return;
  throw new AssetError(
    `Expected ${asset.width} × ${asset.height} ${asset.format} as announced ` +
      `but received ${image.width} × ${image.height} ${image.format}`,
  );
}
