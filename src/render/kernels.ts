import { readFileSync } from 'node:fs';
import { KernelError } from '../errors.js';

/** Which build of the kernels: both give the same bytes, `scalar` needs no SIMD. */
export type KernelBuild = 'simd' | 'scalar';

/** What a failed `verifyBatch` found: scene and element are −1 where they do not apply. */
export interface VerifyDetails {
  readonly scene: number;
  readonly element: number;
  readonly value: number;
  readonly expected: number;
}

/** Typed calls into one instance of the engine's kernels. Pointers are byte addresses in `memory`. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** First byte that no instance touches on its own; the host lays out everything from here on. */
  readonly heapBase: number;
  /** Every constant that the module exports: offsets, sizes and codes of assembly/engine/layout.ts and verify.ts. */
  readonly constants: Readonly<Record<string, number>>;

  /**
   * Checks an encoded batch of `length` bytes at `pointer` (a multiple of 8).
   * @returns 0 when it is sound, else a field and problem code (see verify.ts)
   */
  verifyBatch(pointer: number, length: number): number;
  /** Details of this instance's last failed `verifyBatch`. */
  verifyDetails(): VerifyDetails;

  /** Scratch bytes that one call of `renderScene` or `perturbationVjp` needs; 4294967295 when it cannot be had. */
  sceneScratchBytes(nodes: number, width: number, height: number, channels: number): number;
  /**
   * Draws one scene of a verified batch.
   * @param batch address of the batch, a multiple of 8
   * @param remap address of i32 [assets of the batch]: entry in the asset table, −1 to draw nothing
   * @param assetTable address of the asset records
   * @param scratch address of `sceneScratchBytes` bytes, a multiple of 16, used by this call alone
   * @param color address of the image [H, W, C], 0 with `COLOR_NONE`
   * @param colorFormat `COLOR_NONE`, `COLOR_F32` (not clamped) or `COLOR_U8` of `constants`
   * @param instances address of u16 [H, W], 0 to skip: node index + 1 of the topmost node whose alpha × opacity is at
   *   least ½ at the pixel's centre, 0 where there is none
   * @param classes address of u8 [H, W], 0 to skip: class index + 1 likewise
   * @param coverage address of coverage records [V], a multiple of 8, 0 to skip: what each node would cover alone
   * @returns `STATUS_OK`, `STATUS_DIMENSION` or `STATUS_INDEX` of `constants`
   */
  renderScene(
    batch: number,
    sceneIndex: number,
    remap: number,
    assetTable: number,
    scratch: number,
    color: number,
    colorFormat: number,
    instances: number,
    classes: number,
    coverage: number,
  ): number;
  /**
   * Where each node of the scene is seen that `renderScene` or `renderMeshScene` drew last.
   * @param scratch what it had
   * @param instances what it wrote
   * @param regions address of region records [V], a multiple of 8
   */
  findRegions(scratch: number, instances: number, regions: number): void;
  /**
   * dL/dattributes by central differences, for every mutable attribute that is drawn; 0 elsewhere.
   * @param gradient address of dL/dimage, f32 [H, W, C]
   * @param delta address of f32 [A]: half-steps in physical units; ≤ 0 or NaN: the step that moves the image by
   *   `pixelDelta` px
   * @param out address of f32 [V, A], per physical unit
   * @returns as `renderScene`
   */
  perturbationVjp(
    batch: number,
    sceneIndex: number,
    remap: number,
    assetTable: number,
    scratch: number,
    gradient: number,
    delta: number,
    pixelDelta: number,
    out: number,
  ): number;

  /**
   * Frames, instances and view of a 3D scene (assembly/engine/mesh/layout.ts draws the records).
   * @param samples 1 or 4 a pixel
   * @param scratch an address, a multiple of 16: `MESH_CALL_BYTES`, twice a frame and an instance record a node, and two view
   *   records
   * @param room how many times the scene's triangles the scratch behind them has room for, ≥ 1
   * @returns as `renderScene`
   */
  openMeshScene(
    batch: number,
    sceneIndex: number,
    remap: number,
    assetTable: number,
    samples: number,
    scratch: number,
    room: number,
  ): number;
  /**
   * Scratch bytes of `drawMeshes`; 4294967295 when so much cannot be addressed.
   * @param instances instance records of the view
   * @param vertices of the largest mesh: VIEW_VERTICES
   * @param triangles of all instances together: VIEW_TRIANGLES
   */
  meshScratchBytes(
    width: number,
    height: number,
    samples: number,
    instances: number,
    vertices: number,
    triangles: number,
  ): number;
  /**
   * Draws meshes.
   * @param view address of a view record (assembly/engine/mesh/layout.ts)
   * @param scratch address of `meshScratchBytes` bytes, a multiple of 16, used by this call alone
   * @returns `STATUS_OK`, or `STATUS_ROOM` when the instances have more vertices or triangles than the view says
   */
  drawMeshes(view: number, scratch: number): number;
  /**
   * Writes what one instance would cover alone on a canvas without bounds.
   * @param instance address of one of the view's instance records
   * @param coverage address of a coverage record (assembly/engine/layout.ts), a multiple of 8
   * @returns as `drawMeshes`
   */
  coverMesh(view: number, instance: number, scratch: number, coverage: number): number;
  /**
   * Scratch bytes that one call of `renderMeshScene` needs; 4294967295 when it cannot be had.
   * @param vertices of the largest mesh, at least
   * @param triangles of all of a scene's meshes together, at least, times the room wanted for them
   */
  meshSceneScratchBytes(
    nodes: number,
    width: number,
    height: number,
    samples: number,
    vertices: number,
    triangles: number,
  ): number;
  /** Scratch bytes that one call of `meshPerturbationVjp` needs; the numbers as in `meshSceneScratchBytes`. */
  meshVjpScratchBytes(nodes: number, width: number, height: number, vertices: number, triangles: number): number;
  /**
   * dL/dattributes of a 3D scene, drawn with 4 samples a pixel: arguments and result as in `perturbationVjp`.
   * @param scratch address of `meshVjpScratchBytes` bytes, a multiple of 16, used by this call alone
   * @param room how many times the scene's triangles it has room for, ≥ 1
   * @returns as `renderMeshScene`
   */
  meshPerturbationVjp(
    ...args: [...vjp: Parameters<Kernels['perturbationVjp']>, room: number]
  ): ReturnType<Kernels['perturbationVjp']>;
  /**
   * Draws one 3D scene of a verified batch.
   * @param scratch address of `meshSceneScratchBytes` bytes, a multiple of 16, used by this call alone
   * @param outputs address of an output record (assembly/engine/mesh/layout.ts): samples, colour format, where results go
   * @returns as `renderScene`, or `STATUS_ROOM` when there are more triangles, cut by the near plane, than scratch has room for
   */
  renderMeshScene(
    batch: number,
    sceneIndex: number,
    remap: number,
    assetTable: number,
    scratch: number,
    outputs: number,
  ): number;
  /**
   * What depends on one attribute of one node of the scene that `openMeshScene` or `renderMeshScene` opened, placed anew.
   * @returns `MOVED_NOTHING`, `MOVED_NODES` or `MOVED_ALL` of `constants`
   */
  placeMeshSubtree(scratch: number, node: number, role: number, value: number): number;
}

const FILES: Record<KernelBuild, string> = { simd: 'engine.wasm', scalar: 'engine.scalar.wasm' };
const compiled = new Map<KernelBuild, WebAssembly.Module>();

/**
 * The compiled module, made once; workers can be handed it as it is.
 * @throws KernelError when the kernels have not been built
 */
export function compileKernels(build: KernelBuild = 'simd'): WebAssembly.Module {
  const known = compiled.get(build);
  if (known) return known;
  const url = new URL(`../../build/${FILES[build]}`, import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new KernelError(
      `Expected the kernels at build/${FILES[build]}: run "npm run build:wasm" (${cause instanceof Error ? cause.message : cause})`,
      { cause },
    );
  }
  const module = new WebAssembly.Module(bytes);
  compiled.set(build, module);
  return module;
}

/** Exports as WebAssembly hands them out: functions, and constants as globals. */
interface RawExports {
  heapBase(): number;
  verifyBatch(pointer: number, length: number): number;
  sceneScratchBytes: Kernels['sceneScratchBytes'];
  renderScene: Kernels['renderScene'];
  findRegions: Kernels['findRegions'];
  perturbationVjp: Kernels['perturbationVjp'];
  openMeshScene: Kernels['openMeshScene'];
  meshScratchBytes: Kernels['meshScratchBytes'];
  drawMeshes: Kernels['drawMeshes'];
  coverMesh: Kernels['coverMesh'];
  placeMeshSubtree: Kernels['placeMeshSubtree'];
  meshSceneScratchBytes: Kernels['meshSceneScratchBytes'];
  renderMeshScene: Kernels['renderMeshScene'];
  meshVjpScratchBytes: Kernels['meshVjpScratchBytes'];
  meshPerturbationVjp: Kernels['meshPerturbationVjp'];
  problemScene: WebAssembly.Global;
  problemElement: WebAssembly.Global;
  problemValue: WebAssembly.Global;
  problemExpected: WebAssembly.Global;
}

/**
 * An instance of the kernels on `memory`. Any number of instances, on any number of threads, may share it.
 * @param memory shared, of at least 16 and at most 65536 pages
 */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const raw = instance.exports as unknown as RawExports;
  const constants: Record<string, number> = {};
  for (const [name, value] of Object.entries(instance.exports)) {
    if (value instanceof WebAssembly.Global && /^[A-Z0-9_]+$/.test(name)) constants[name] = Number(value.value);
  }
  return {
    memory,
    heapBase: raw.heapBase(),
    constants,
    verifyBatch: (pointer, length) => raw.verifyBatch(pointer, length) >>> 0,
    verifyDetails: () => ({
      scene: raw.problemScene.value,
      element: raw.problemElement.value,
      value: raw.problemValue.value,
      expected: raw.problemExpected.value,
    }),
    sceneScratchBytes: (nodes, width, height, channels) => raw.sceneScratchBytes(nodes, width, height, channels) >>> 0,
    renderScene: raw.renderScene,
    findRegions: raw.findRegions,
    perturbationVjp: raw.perturbationVjp,
    openMeshScene: raw.openMeshScene,
    meshScratchBytes: (...sizes) => raw.meshScratchBytes(...sizes) >>> 0,
    drawMeshes: raw.drawMeshes,
    coverMesh: raw.coverMesh,
    placeMeshSubtree: raw.placeMeshSubtree,
    meshSceneScratchBytes: (...sizes) => raw.meshSceneScratchBytes(...sizes) >>> 0,
    renderMeshScene: raw.renderMeshScene,
    meshVjpScratchBytes: (...sizes) => raw.meshVjpScratchBytes(...sizes) >>> 0,
    meshPerturbationVjp: raw.meshPerturbationVjp,
  };
}
