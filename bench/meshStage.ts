/** Views for the mesh kernels, written by hand: meshes, instances, a view record and its results in one memory. */
import type { MeshData } from '../src/assets/meshAsset.js';
import { compileKernels, instantiateKernels, type KernelBuild, type Kernels } from '../src/render/kernels.js';
import { meshBytes, writeMesh } from '../src/render/meshMemory.js';
import { SharedHeap } from '../src/render/sharedHeap.js';

export interface StagedMesh {
  readonly data: MeshData;
  readonly surface?: 'solid' | 'ground';
}

export interface StagedInstance {
  /** Index of a mesh. */
  readonly mesh: number;
  readonly id?: number;
  readonly class?: number;
  /** 3 × 4 row-major: mesh → camera; bent: curve → camera. Default: the identity. */
  readonly matrix?: readonly number[];
  readonly tint?: readonly number[];
  readonly bent?: {
    readonly stretch: readonly number[];
    readonly offset: readonly number[];
    readonly curvature: number;
    readonly curvatureRate: number;
  };
}

export interface StagedView {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly near?: number;
  readonly far?: number;
  readonly samples?: 1 | 4;
  readonly light?: readonly number[];
  readonly sun?: readonly number[];
  readonly ambient?: readonly number[];
  readonly haze?: number;
  readonly hazeColor?: readonly number[];
  readonly zenith?: readonly number[];
  readonly horizon?: readonly number[];
  readonly up?: readonly number[];
  readonly ground?: number;
  readonly shadows?: boolean;
  readonly sky?: boolean;
  readonly shadow?: number;
  readonly channels?: 1 | 3;
}

export interface Outputs {
  readonly color?: 'f32' | 'u8';
  readonly ids?: boolean;
  readonly classes?: boolean;
  readonly depth?: boolean;
  readonly normals?: boolean;
}

export interface Drawn {
  readonly color?: Float32Array | Uint8Array;
  readonly ids?: Uint16Array;
  readonly classes?: Uint8Array;
  readonly depth?: Float32Array;
  readonly normals?: Float32Array;
}

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

/** Meshes in kernel memory, and calls that draw views of them. */
export class MeshStage {
  readonly kernels: Kernels;
  readonly heap: SharedHeap;
  readonly #addresses: number[];
  readonly #meshes: readonly StagedMesh[];

  constructor(meshes: readonly StagedMesh[], build: KernelBuild = 'simd') {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
    this.kernels = instantiateKernels(compileKernels(build), memory);
    this.heap = new SharedHeap(memory, this.kernels.heapBase);
    this.#meshes = meshes;
    const { constants } = this.kernels;
    this.#addresses = meshes.map(({ data, surface = 'solid' }) => {
      const address = this.heap.allocate(meshBytes(data, constants));
      writeMesh(data, surface, memory.buffer, address, constants);
      return address;
    });
  }

  /** Writes a view and gives what a call needs; `draw` may be called again and again. */
  stage(view: StagedView, instances: readonly StagedInstance[], outputs: Outputs): Staged {
    const c = this.kernels.constants;
    const { width, height } = view;
    const pixels = width * height;
    const channels = view.channels ?? 3;
    const samples = view.samples ?? 1;
    const vertices = Math.max(0, ...this.#meshes.map(({ data }) => data.positions.length / 3));
    const triangles = instances.reduce((sum, { mesh }) => sum + this.#meshes[mesh].data.indices.length / 3, 0);
    const scratchBytes = this.kernels.meshScratchBytes(width, height, samples, instances.length, vertices, triangles);
    const addresses = {
      view: this.heap.allocate(c.VIEW_BYTES),
      instances: this.heap.allocate(c.INSTANCE_BYTES * instances.length),
      scratch: this.heap.allocate(scratchBytes),
      color: outputs.color ? this.heap.allocate(pixels * channels * (outputs.color === 'f32' ? 4 : 1)) : 0,
      ids: outputs.ids ? this.heap.allocate(2 * pixels) : 0,
      classes: outputs.classes ? this.heap.allocate(pixels) : 0,
      depth: outputs.depth ? this.heap.allocate(4 * pixels) : 0,
      normals: outputs.normals ? this.heap.allocate(12 * pixels) : 0,
    };
    const record = new DataView(this.heap.memory.buffer);
    const at = addresses.view;
    for (let i = 0; i < c.VIEW_BYTES; i += 4) record.setUint32(at + i, 0, true);
    const u32 = (field: number, value: number) => record.setUint32(at + field, value, true);
    const f32 = (field: number, ...values: readonly number[]) =>
      values.forEach((value, i) => {
        record.setFloat32(at + field + 4 * i, value, true);
      });
    u32(c.VIEW_WIDTH, width);
    u32(c.VIEW_HEIGHT, height);
    f32(c.VIEW_FX, view.fx, view.fy, view.cx, view.cy, view.near ?? 0.3, view.far ?? 0);
    f32(c.VIEW_LIGHT, ...(view.light ?? [0, -1, 0]));
    f32(c.VIEW_SUN, ...(view.sun ?? [0, 0, 0]));
    f32(c.VIEW_AMBIENT, ...(view.ambient ?? [1, 1, 1]));
    f32(c.VIEW_HAZE, view.haze ?? 0, ...(view.hazeColor ?? [0, 0, 0]));
    f32(c.VIEW_ZENITH, ...(view.zenith ?? [0, 0, 0]));
    f32(c.VIEW_HORIZON, ...(view.horizon ?? [0, 0, 0]));
    f32(c.VIEW_UP, ...(view.up ?? [0, -1, 0]), view.ground ?? 0);
    u32(c.VIEW_SAMPLES, samples);
    u32(c.VIEW_FLAGS, (view.shadows ? c.VIEW_SHADOWS : 0) | (view.sky ? c.VIEW_SKY : 0));
    u32(c.VIEW_INSTANCES, addresses.instances);
    u32(c.VIEW_COUNT, instances.length);
    u32(c.VIEW_CHANNELS, channels);
    u32(c.VIEW_COLOR_FORMAT, outputs.color ? (outputs.color === 'f32' ? c.COLOR_F32 : c.COLOR_U8) : c.COLOR_NONE);
    u32(c.VIEW_COLOR, addresses.color);
    u32(c.VIEW_IDS, addresses.ids);
    u32(c.VIEW_CLASSES, addresses.classes);
    u32(c.VIEW_DEPTH, addresses.depth);
    u32(c.VIEW_NORMALS, addresses.normals);
    f32(c.VIEW_SHADOW, view.shadow ?? 0.6);
    u32(c.VIEW_VERTICES, vertices);
    u32(c.VIEW_TRIANGLES, triangles);
    for (const [i, instance] of instances.entries()) this.#writeInstance(record, addresses.instances, i, instance);
    return new Staged(this.kernels, addresses, scratchBytes, pixels, channels, outputs.color ?? 'u8');
  }

  /** Stages, draws once, copies the results. */
  draw(view: StagedView, instances: readonly StagedInstance[], outputs: Outputs = ALL_OUTPUTS): Drawn {
    const staged = this.stage(view, instances, outputs);
    staged.draw();
    const results = staged.results();
    staged.free(this.heap);
    return results;
  }

  #writeInstance(record: DataView, base: number, i: number, instance: StagedInstance): void {
    const c = this.kernels.constants;
    const at = base + c.INSTANCE_BYTES * i;
    for (let j = 0; j < c.INSTANCE_BYTES; j += 4) record.setUint32(at + j, 0, true);
    const f32 = (field: number, values: readonly number[]) =>
      values.forEach((value, j) => {
        record.setFloat32(at + field + 4 * j, value, true);
      });
    record.setUint32(at + c.INSTANCE_MESH, this.#addresses[instance.mesh], true);
    record.setUint16(at + c.INSTANCE_ID, instance.id ?? i + 1, true);
    record.setUint8(at + c.INSTANCE_CLASS, instance.class ?? 1);
    f32(c.INSTANCE_MATRIX, instance.matrix ?? IDENTITY);
    f32(c.INSTANCE_TINT, instance.tint ?? [1, 1, 1]);
    if (!instance.bent) return;
    record.setUint8(at + c.INSTANCE_FLAGS, c.INSTANCE_BENT);
    f32(c.INSTANCE_STRETCH, instance.bent.stretch);
    f32(c.INSTANCE_OFFSET, instance.bent.offset);
    f32(c.INSTANCE_CURVATURE, [instance.bent.curvature, instance.bent.curvatureRate]);
  }
}

export const ALL_OUTPUTS: Outputs = { color: 'f32', ids: true, classes: true, depth: true, normals: true };

interface Addresses {
  readonly view: number;
  readonly instances: number;
  readonly scratch: number;
  readonly color: number;
  readonly ids: number;
  readonly classes: number;
  readonly depth: number;
  readonly normals: number;
}

/** One view in kernel memory. */
export class Staged {
  readonly addresses: Addresses;
  readonly scratchBytes: number;
  readonly #kernels: Kernels;
  readonly #pixels: number;
  readonly #channels: number;
  readonly #format: 'f32' | 'u8';

  constructor(
    kernels: Kernels,
    addresses: Addresses,
    scratchBytes: number,
    pixels: number,
    channels: number,
    format: 'f32' | 'u8',
  ) {
    this.#kernels = kernels;
    this.addresses = addresses;
    this.scratchBytes = scratchBytes;
    this.#pixels = pixels;
    this.#channels = channels;
    this.#format = format;
  }

  /** @throws Error when the kernel reports anything but success */
  draw(): void {
    const status = this.#kernels.drawMeshes(this.addresses.view, this.addresses.scratch);
    if (status !== this.#kernels.constants.STATUS_OK) throw new Error(`drawMeshes reported ${status}`);
  }

  /** Copies of what was drawn last. */
  results(): Drawn {
    const { buffer } = this.#kernels.memory;
    const { color, ids, classes, depth, normals } = this.addresses;
    const values = this.#pixels * this.#channels;
    const Colors = this.#format === 'f32' ? Float32Array : Uint8Array;
    return {
      ...(color ? { color: new Colors(buffer, color, values).slice() } : {}),
      ...(ids ? { ids: new Uint16Array(buffer, ids, this.#pixels).slice() } : {}),
      ...(classes ? { classes: new Uint8Array(buffer, classes, this.#pixels).slice() } : {}),
      ...(depth ? { depth: new Float32Array(buffer, depth, this.#pixels).slice() } : {}),
      ...(normals ? { normals: new Float32Array(buffer, normals, 3 * this.#pixels).slice() } : {}),
    };
  }

  free(heap: SharedHeap): void {
    for (const address of Object.values(this.addresses)) if (address !== 0) heap.free(address);
  }
}
