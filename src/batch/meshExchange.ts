import process from 'node:process';
import { BroadcastChannel } from 'node:worker_threads';
import { AssetLibrary, type SpriteImage } from '../assets/assetLibrary.js';
import type { MeshAsset, MeshData } from '../assets/meshAsset.js';

/** Where a thread finds the meshes that others have made. */
export interface MeshHandover {
  /** Name of the `BroadcastChannel` on which new ones are told. */
  readonly channel: string;
  /** Those that there are, by name, in shared memory. */
  readonly made: ReadonlyMap<string, MeshData>;
  /** [1] bytes that may still be taken for meshes, in shared memory: one account of all threads. */
  readonly room: Int32Array;
}

/** A mesh that has been made, as it is told to other threads. */
interface Told {
  readonly name: string;
  readonly data: MeshData;
}

/** Bytes of meshes that are kept, all threads together: the driving world takes some 60 MB. Beyond, meshes are made anew. */
const MOST_BYTES = 128 << 20;

let channels = 0;

/**
 * Meshes that the threads of a process make for each other: each is made by the thread that needs it first, and lies in shared
 * memory for all. Two that need one at the same moment both make it, which does no harm: a mesh is the same whoever makes it.
 * Each keeps its own then, and the room of both is taken.
 */
export class MeshExchange {
  readonly #made: Map<string, MeshData>;
  readonly #channel: BroadcastChannel;
  readonly #name: string;
  readonly #room: Int32Array;

  /**
   * @param handover of the thread that started this one; without it the exchange is a new one
   * @param mostBytes of meshes that a new exchange keeps, below 2³¹
   */
  constructor(handover?: MeshHandover, mostBytes = MOST_BYTES) {
    this.#name = handover?.channel ?? `metasim-meshes-${process.pid}-${channels++}`;
    this.#made = new Map(handover?.made);
    this.#room = handover?.room ?? new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(mostBytes);
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = (event) => {
      const { name, data } = (event as { data: Told }).data;
      // Its room was taken by the thread that made it.
      if (!this.#made.has(name)) this.#made.set(name, data);
    };
    // Nobody waits for a mesh: the thread may end.
    this.#channel.unref();
  }

  /** For `workerData` of threads; current whenever one is started. */
  get handover(): MeshHandover {
    return { channel: this.#name, made: this.#made, room: this.#room };
  }

  /** The same library, whose meshes are taken from the exchange, and told to it. */
  wrap(library: AssetLibrary): AssetLibrary {
    if (!library.assets.some(({ kind }) => kind === 'mesh')) return library;
    return new AssetLibrary(library.assets.map((asset) => (asset.kind === 'mesh' ? this.#wrap(asset) : asset)));
  }

  /** Tells and hears nothing any more, and forgets what there is. */
  close(): void {
    this.#channel.close();
    this.#made.clear();
  }

  #wrap(asset: MeshAsset): MeshAsset {
    const made = this.#made;
    return {
      kind: 'mesh',
      name: asset.name,
      get minimum() {
        return asset.minimum;
      },
      get maximum() {
        return asset.maximum;
      },
      get body() {
        return asset.body;
      },
      get surface() {
        return asset.surface;
      },
      get triangles() {
        const data = made.get(asset.name);
        return data ? data.indices.length / 3 : asset.triangles;
      },
      ...(asset.licence === undefined ? {} : { licence: asset.licence }),
      load: async () => {
        const known = made.get(asset.name);
        if (known) return known;
        const own = await asset.load();
        const told = made.get(asset.name);
        if (told) return told;
        if (!this.#takeRoom(bytesOf(own))) return own;
        const data = inSharedMemory(own);
        made.set(asset.name, data);
        this.#channel.postMessage({ name: asset.name, data } satisfies Told);
        return data;
      },
    };
  }

  /** Takes so many bytes of the room, unless there is less: whichever thread asks, no more is taken than there was. */
  #takeRoom(bytes: number): boolean {
    for (;;) {
      const left = Atomics.load(this.#room, 0);
      if (bytes > left) return false;
      if (Atomics.compareExchange(this.#room, 0, left, left - bytes) === left) return true;
    }
  }
}

function bytesOf({ positions, normals, colors, uvs, indices, texture }: MeshData): number {
  return [positions, normals, colors, uvs, indices, texture?.pixels].reduce((sum, a) => sum + (a?.byteLength ?? 0), 0);
}

function inSharedMemory({ positions, normals, colors, uvs, indices, texture }: MeshData): MeshData {
  return {
    positions: shared(positions, Float32Array),
    normals: shared(normals, Float32Array),
    colors: shared(colors, Float32Array),
    indices: shared(indices, Uint32Array),
    ...(uvs ? { uvs: shared(uvs, Float32Array) } : {}),
    ...(texture ? { texture: sharedImage(texture) } : {}),
  };
}

function sharedImage(image: SpriteImage): SpriteImage {
  return { ...image, pixels: shared(image.pixels, Uint8Array) };
}

function shared<T extends Float32Array | Uint32Array | Uint8Array>(
  array: T,
  Kind: new (buffer: SharedArrayBuffer) => T,
): T {
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
}
