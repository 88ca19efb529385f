import type { Asset, AssetLibrary, SpriteImage } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';
import type { SharedHeap } from './sharedHeap.js';
import { type LayoutConstants, texelBytes, writeTexels } from './texels.js';

/**
 * The assets of a library in the kernels' memory: a table of asset records (assembly/engine/layout.ts), one for each
 * asset of the library in its order, and the texels they point to. Each asset is decoded when a batch first uses it, and
 * stays until the texels are more than a limit: then, when no batch is in use, all of them make way. So a library of
 * 70,000 digits costs what is drawn of it, and one of 70,000 photographs no more than the limit. Written by the engine's
 * thread only, before any task that uses it is handed out; read by all.
 */
export class AssetStore {
  /** Address of the asset records. */
  readonly table: number;
  readonly #library: AssetLibrary;
  readonly #heap: SharedHeap;
  readonly #layout: LayoutConstants;
  readonly #maxBytes: number;
  /** Where the texels of an asset lie; 0 where they do not. */
  readonly #texels: Float64Array;
  #bytes = 0;
  #batches = 0;
  readonly #loading = new Map<number, Promise<void>>();

  /** @param maxBytes texels that are kept from batch to batch; one batch may need more */
  constructor(library: AssetLibrary, heap: SharedHeap, layout: LayoutConstants, maxBytes: number) {
    this.#library = library;
    this.#heap = heap;
    this.#layout = layout;
    this.#maxBytes = maxBytes;
    this.#texels = new Float64Array(library.assets.length);
    const bytes = library.assets.length * layout.ASSET_BYTES;
    this.table = heap.allocate(bytes);
    heap.bytes(this.table, bytes).fill(0);
  }

  /** Before a batch is placed: what it resolves stays until `release`. */
  acquire(): void {
    if (this.#batches === 0 && this.#bytes > this.#maxBytes) this.#clear();
    this.#batches++;
  }

  /** When no task reads a batch any more. */
  release(): void {
    this.#batches--;
  }

  /**
   * Where the named assets stand in the table, as a batch's `remap`; loads those that are not there yet.
   * @returns at once when all are loaded, so that the common case costs no turn of the event loop
   * @throws AssetError when a name is not in the library or its pixels cannot be used
   */
  resolve(names: readonly string[]): Int32Array | Promise<Int32Array> {
    const records = new Int32Array(names.length);
    const missing: number[] = [];
    for (let i = 0; i < names.length; i++) {
      const index = this.#library.indexOf(names[i]);
      if (index < 0) {
        throw new AssetError(
          `Expected an asset of the engine's library (${this.#library.assets.length} assets) but received "${names[i]}"`,
        );
      }
      records[i] = index;
      if (this.#texels[index] === 0) missing.push(index);
    }
    return missing.length === 0 ? records : this.#loadAll(missing).then(() => records);
  }

  async #loadAll(indices: readonly number[]): Promise<void> {
    for (const index of indices) {
      let loading = this.#loading.get(index);
      if (!loading) {
        loading = this.#load(index).finally(() => this.#loading.delete(index));
        this.#loading.set(index, loading);
      }
      await loading;
    }
  }

  async #load(index: number): Promise<void> {
    if (this.#texels[index] !== 0) return;
    const asset = this.#library.assets[index];
    try {
      const image = await asset.load();
      checkSize(asset, image);
      const bytes = texelBytes(image, asset.edge, this.#layout);
      const texels = this.#heap.allocate(bytes);
      const record = this.table + index * this.#layout.ASSET_BYTES;
      try {
        writeTexels(image, asset.edge, this.#heap.memory.buffer, texels, record, this.#layout);
      } catch (error) {
        this.#heap.free(texels);
        throw error;
      }
      this.#texels[index] = texels;
      this.#bytes += bytes;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AssetError(`Asset "${asset.name}": ${reason}`, { cause });
    }
  }

  #clear(): void {
    for (const [index, texels] of this.#texels.entries()) {
      if (texels !== 0) this.#heap.free(texels);
      this.#texels[index] = 0;
    }
    this.#bytes = 0;
  }
}

function checkSize(asset: Asset, image: SpriteImage): void {
  if (image.width === asset.width && image.height === asset.height && image.format === asset.format) return;
  throw new AssetError(
    `Expected ${asset.width} × ${asset.height} ${asset.format} as announced ` +
      `but received ${image.width} × ${image.height} ${image.format}`,
  );
}
