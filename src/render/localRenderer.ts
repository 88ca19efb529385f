import { type AssetLibrary, expectAsset } from '../assets/assetLibrary.js';
import { AssetError, KernelError } from '../errors.js';
import { encodeScenes } from '../scene/encode.js';
import { type SceneBatch, totalNodes } from '../scene/sceneGraph.js';
import { COVERAGE_COLUMNS } from './coverage.js';
import { decodeAsset } from './decodedAsset.js';
import { compileKernels, instantiateKernels, type KernelBuild, type Kernels } from './kernels.js';
import { writeMeshOutputs } from './meshOutputs.js';
import { meshLoad } from './placedBatch.js';
import { MORE_ROOM } from './task.js';

/** Colour of a rendered scene: `f32` is not clamped, `u8` is clamped to [0, 1], times 255, rounded half up. */
export type ColorFormat = 'none' | 'f32' | 'u8';

/** One rendered scene; copies, owned by the caller. */
export interface LocalImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [H, W, C]; undefined for `none`. */
  readonly color: Float32Array | Uint8Array | undefined;
  /** [H, W] node index + 1 of the topmost node with alpha × opacity ≥ ½, 0 for none; undefined without labels. */
  readonly instances: Uint16Array | undefined;
  /** [H, W] class index + 1 likewise. */
  readonly classes: Uint8Array | undefined;
  /** [V × COVERAGE_COLUMNS] what each node would cover alone (`CoverageColumn`); undefined without labels. */
  readonly coverage: Float64Array | undefined;
  /** [H, W] m, 0 for the sky; of 3D scenes, with labels. */
  readonly depth: Float32Array | undefined;
  /** [H, W, 3] unit vectors in the camera's frame, 0 for the sky; likewise. */
  readonly normals: Float32Array | undefined;
}

/** Steps of the central differences. */
export interface LocalVjpOptions {
  /** [A] half-step of each column in its unit; ≤ 0 or NaN: automatic. Default: all automatic. */
  readonly delta?: ArrayLike<number>;
  /** How far an automatic step moves the image, px. Default 0.5. */
  readonly pixelDelta?: number;
}

/** A batch in the renderer's memory: addresses for the kernels; the last three of 3D scenes only. */
export interface LoadedBatch {
  readonly batch: SceneBatch;
  /** Scratch bytes with so much room for triangles (`MORE_ROOM`). */
  readonly scratchBytes: (room: number) => number;
  /** First address behind all that follows. */
  readonly end: number;
  readonly pointer: number;
  readonly remap: number;
  readonly scratch: number;
  readonly color: number;
  readonly instances: number;
  readonly classes: number;
  readonly coverage: number;
  readonly delta: number;
  readonly gradient: number;
  readonly out: number;
  readonly outputs: number;
  readonly depth: number;
  readonly normals: number;
}

const PAGE_BYTES = 65536;
const MOST_SAMPLES = 4;

/**
 * The kernels on the calling thread, for tests, benches and single pictures. Synchronous; `Engine` is the pool.
 * Batches come from memory and are trusted: what comes from a file passes `decodeScenes` first.
 */
export class LocalRenderer {
  readonly kernels: Kernels;
  readonly assetTable: number;
  readonly #library: AssetLibrary;
  readonly #memory: WebAssembly.Memory;
  /** First address behind the asset store. */
  readonly #floor: number;

  private constructor(kernels: Kernels, library: AssetLibrary, assetTable: number, floor: number) {
    this.kernels = kernels;
    this.#memory = kernels.memory;
    this.#library = library;
    this.assetTable = assetTable;
    this.#floor = floor;
  }

  /**
   * Loads all assets of the library.
   * @throws KernelError when the kernels are not built; AssetError when an asset cannot be loaded
   */
  static async create(library: AssetLibrary, build: KernelBuild = 'simd'): Promise<LocalRenderer> {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
    const kernels = instantiateKernels(compileKernels(build), memory);
    const layout = kernels.constants;
    const assetTable = align(kernels.heapBase, 64);
    let floor = align(assetTable + library.assets.length * layout.ASSET_BYTES, 64);
    const textures = new Map<string, number>();
    for (const [i, asset] of library.assets.entries()) {
      const { bytes, texture, write } = await decodeAsset(asset, layout);
      reserve(memory, floor + bytes + (texture?.bytes ?? 0) + 64);
      let place = texture && textures.get(texture.key);
      if (texture && place === undefined) {
        place = floor;
        texture.write(memory.buffer, place);
        textures.set(texture.key, place);
        floor = align(floor + texture.bytes, 64);
      }
      write(memory.buffer, floor, assetTable + i * layout.ASSET_BYTES, place);
      floor = align(floor + bytes, 64);
    }
    return new LocalRenderer(kernels, library, assetTable, floor);
  }

  /**
   * Puts a batch into the memory, in place of the one before.
   * @throws AssetError when the library lacks one of its assets
   */
  load(batch: SceneBatch): LoadedBatch {
    const bytes = encodeScenes(batch);
    // The encoder writes only the assets in use, in order of first use.
    const used = [...new Set(batch.scenes.flatMap((scene) => [...scene.asset].filter((index) => index >= 0)))];
    const { channels, attributes, dimension } = batch.schema;
    let at = align(this.#floor, 64);
    const take = (size: number) => {
      const start = at;
      at = align(at + size, 64);
      return start;
    };
    const width = Math.max(0, ...batch.scenes.map((scene) => scene.width));
    const height = Math.max(0, ...batch.scenes.map((scene) => scene.height));
    const nodes = Math.max(0, ...batch.scenes.map((scene) => scene.parent.length));
    const { vertices, triangles } = meshLoad(batch, this.#library);
    // A vjp needs more than a rendering.
    const scratchBytes = (room: number) =>
      dimension === 3
        ? this.kernels.meshVjpScratchBytes(nodes, width, height, vertices, room * triangles)
        : this.kernels.sceneScratchBytes(nodes, width, height, channels);
    const meshPixels = dimension === 3 ? width * height : 0;
    const areas = {
      pointer: take(bytes.length),
      remap: take(used.length * 4),
      scratch: take(scratchBytes(1)),
      color: take(width * height * channels * 4),
      instances: take(width * height * 2),
      classes: take(width * height),
      coverage: take(nodes * 8 * COVERAGE_COLUMNS),
      delta: take(attributes.length * 4),
      gradient: take(width * height * channels * 4),
      out: take(nodes * attributes.length * 4),
      outputs: take(this.kernels.constants.OUTPUT_BYTES),
      depth: take(meshPixels * 4),
      normals: take(meshPixels * 12),
    };
    const loaded: LoadedBatch = { batch, scratchBytes, end: at, ...areas };
    reserve(this.#memory, at);
    new Uint8Array(this.#memory.buffer).set(bytes, loaded.pointer);
    const remap = new Int32Array(this.#memory.buffer, loaded.remap, used.length);
    for (const [i, index] of used.entries()) {
      remap[i] = this.#library.indexOf(batch.assets[index]);
      if (remap[i] < 0) throw new AssetError(`Expected "${batch.assets[index]}" in the asset library`);
      expectAsset(this.#library.assets[remap[i]], dimension === 3 ? 'mesh' : 'sprite');
    }
    return loaded;
  }

  /** Draws every scene of a batch. Labels cost little; `labels: false` leaves them out. */
  render(batch: SceneBatch, format: ColorFormat = 'f32', labels = true): LocalImage[] {
    const loaded = this.load(batch);
    return batch.scenes.map((_, i) => this.renderLoaded(loaded, i, format, labels));
  }

  /**
   * Draws one scene of a loaded batch.
   * @param samples a pixel, of 3D scenes
   */
  renderLoaded(
    loaded: LoadedBatch,
    sceneIndex: number,
    format: ColorFormat = 'f32',
    labels = true,
    samples: 1 | 4 = MOST_SAMPLES,
  ): LocalImage {
    const { width, height } = loaded.batch.scenes[sceneIndex];
    const { channels, dimension } = loaded.batch.schema;
    const { COLOR_NONE, COLOR_F32, COLOR_U8 } = this.kernels.constants;
    const colorFormat = { none: COLOR_NONE, f32: COLOR_F32, u8: COLOR_U8 }[format];
    const meshes = dimension === 3;
    const status = meshes
      ? this.#renderMeshes(loaded, sceneIndex, colorFormat, labels, samples)
      : this.kernels.renderScene(
          loaded.pointer,
          sceneIndex,
          loaded.remap,
          this.assetTable,
          loaded.scratch,
          loaded.color,
          colorFormat,
          labels ? loaded.instances : 0,
          labels ? loaded.classes : 0,
          labels ? loaded.coverage : 0,
        );
    this.#check(status);
    const { buffer } = this.#memory;
    const pixels = width * height;
    const rows = loaded.batch.scenes[sceneIndex].parent.length;
    const values = pixels * channels;
    const color = {
      none: () => undefined,
      f32: () => new Float32Array(buffer, loaded.color, values).slice(),
      u8: () => new Uint8Array(buffer, loaded.color, values).slice(),
    }[format]();
    return {
      width,
      height,
      channels,
      color,
      instances: labels ? new Uint16Array(buffer, loaded.instances, pixels).slice() : undefined,
      classes: labels ? new Uint8Array(buffer, loaded.classes, pixels).slice() : undefined,
      coverage: labels ? new Float64Array(buffer, loaded.coverage, rows * COVERAGE_COLUMNS).slice() : undefined,
      depth: labels && meshes ? new Float32Array(buffer, loaded.depth, pixels).slice() : undefined,
      normals: labels && meshes ? new Float32Array(buffer, loaded.normals, 3 * pixels).slice() : undefined,
    };
  }

  #renderMeshes(loaded: LoadedBatch, scene: number, colorFormat: number, labels: boolean, samples: number): number {
    const { pointer, remap, outputs } = loaded;
    return this.#withRoom(loaded, (scratch, room) => {
      writeMeshOutputs(this.kernels, outputs, {
        samples,
        colorFormat,
        color: loaded.color,
        instances: labels ? loaded.instances : 0,
        classes: labels ? loaded.classes : 0,
        depth: labels ? loaded.depth : 0,
        normals: labels ? loaded.normals : 0,
        coverage: labels ? loaded.coverage : 0,
        room,
      });
      return this.kernels.renderMeshScene(pointer, scene, remap, this.assetTable, scratch, outputs);
    });
  }

  /** Calls a kernel, and again with more room behind the batch as long as it asks for it. */
  #withRoom({ scratch, scratchBytes, end }: LoadedBatch, call: (scratch: number, room: number) => number): number {
    let status = call(scratch, 1);
    for (const room of MORE_ROOM) {
      if (status !== this.kernels.constants.STATUS_ROOM) break;
      reserve(this.#memory, end + scratchBytes(room));
      status = call(end, room);
    }
    return status;
  }

  /**
   * dL/dattributes of every scene.
   * @param gradient dL/dimage, one [H, W, C] after the other
   * @returns [ΣV × A] float32, per physical unit; 0 where not mutable or not drawn
   */
  vjp(batch: SceneBatch, gradient: Float32Array, options: LocalVjpOptions = {}): Float32Array {
    const loaded = this.load(batch);
    const columns = batch.schema.attributes.length;
    const out = new Float32Array(totalNodes(batch) * columns);
    let from = 0;
    let to = 0;
    for (const [i, scene] of batch.scenes.entries()) {
      const values = scene.width * scene.height * batch.schema.channels;
      out.set(this.vjpLoaded(loaded, i, gradient.subarray(from, from + values), options), to);
      from += values;
      to += scene.parent.length * columns;
    }
    return out;
  }

  /** dL/dattributes [V × A] of one scene of a loaded batch. */
  vjpLoaded(
    loaded: LoadedBatch,
    sceneIndex: number,
    gradient: Float32Array,
    options: LocalVjpOptions = {},
  ): Float32Array {
    const { buffer } = this.#memory;
    const { pointer, remap, batch, out } = loaded;
    const columns = batch.schema.attributes.length;
    const nodes = batch.scenes[sceneIndex].parent.length;
    new Float32Array(buffer, loaded.gradient, gradient.length).set(gradient);
    const delta = new Float32Array(buffer, loaded.delta, columns);
    for (let a = 0; a < columns; a++) delta[a] = options.delta?.[a] ?? 0;
    const { kernels, assetTable } = this;
    const scene = [pointer, sceneIndex, remap, assetTable] as const;
    const what = [loaded.gradient, loaded.delta, options.pixelDelta ?? 0.5, out] as const;
    this.#check(
      batch.schema.dimension === 3
        ? this.#withRoom(loaded, (scratch, room) => kernels.meshPerturbationVjp(...scene, scratch, ...what, room))
        : kernels.perturbationVjp(...scene, loaded.scratch, ...what),
    );
    return new Float32Array(this.#memory.buffer, out, nodes * columns).slice();
  }

  #check(status: number): void {
    if (status !== this.kernels.constants.STATUS_OK)
      throw new KernelError(`Expected a scene of the batch but received status ${status}`);
  }
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function reserve(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil(bytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (missing > 0) memory.grow(missing);
}
