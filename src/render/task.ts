import { KernelError } from '../errors.js';
import type { Kernels } from './kernels.js';
import { writeMeshOutputs } from './meshOutputs.js';

/** What every task says: which scenes of which batch. All numbers but first and count are addresses. */
interface SceneRange {
  /** Encoded, verified batch. */
  readonly batch: number;
  /** i32 [assets of the batch] → record in the asset table. */
  readonly remap: number;
  readonly assetTable: number;
  /** Scratch memory of this task alone. */
  readonly scratch: number;
  /** Position of the first scene in the batch. */
  readonly first: number;
  readonly count: number;
  /** 3D scenes: how many times a scene's triangles the scratch memory has room for (`MORE_ROOM`). */
  readonly room: number;
}

/** Draws scenes; an address of 0 leaves that output out. Scene i writes at i × stride (bytes) from each address. */
export interface RenderTask extends SceneRange {
  readonly kind: 'render';
  /** COLOR_NONE, COLOR_F32 or COLOR_U8. */
  readonly colorFormat: number;
  readonly color: number;
  readonly colorStride: number;
  readonly instances: number;
  readonly instanceStride: number;
  readonly classes: number;
  readonly classStride: number;
  readonly coverage: number;
  readonly coverageStride: number;
  /** Needs `instances`, whose stride may be 0: then only the regions are kept. */
  readonly regions: number;
  readonly regionStride: number;
  /** 3D scenes: samples a pixel; 0 for sprites, and then all that follows is 0 too. */
  readonly samples: number;
  /** Address for the kernel's output record, one scene at a time. */
  readonly outputs: number;
  readonly depth: number;
  readonly depthStride: number;
  readonly normals: number;
  readonly normalStride: number;
}

/** Contracts the derivatives of scenes with image gradients; strides as in `RenderTask`. */
export interface VjpTask extends SceneRange {
  readonly kind: 'vjp';
  readonly dimension: 2 | 3;
  /** f32 [H, W, C]. */
  readonly gradient: number;
  readonly gradientStride: number;
  /** f32 [A]. */
  readonly delta: number;
  readonly pixelDelta: number;
  /** f32 [V × A]. */
  readonly out: number;
  readonly outStride: number;
}

/** What crosses to a worker: addresses and counts, never pixels. */
export type Task = RenderTask | VjpTask;

/**
 * Room for a scene's triangles that it is tried with when the usual one, 1, is too little. Scratch memory then holds so many
 * times its triangles, a quarter more and 4,096. 2 is enough when the near plane cuts every triangle into two, 5 when all five
 * planes of clipping cut every one into six, which is as many as there can be: a scene needs at most two more tries.
 */
export const MORE_ROOM: readonly number[] = [2, 5];

/**
 * Runs a task on the calling thread with that thread's kernel instance.
 * @returns scenes that are done: all, or those before the first that needs more room
 * @throws KernelError naming the scene when a kernel refuses or traps
 */
export function runTask(kernels: Kernels, task: Task): number {
  for (let i = 0; i < task.count; i++) {
    let status: number;
    try {
      status = task.kind === 'render' ? renderOne(kernels, task, i) : vjpOne(kernels, task, i);
    } catch (cause) {
      throw new KernelError(`Expected ${task.kind} to finish for scenes[${task.first + i}] but received ${cause}`, {
        cause,
      });
    }
    if (status === kernels.constants.STATUS_ROOM) return i;
    if (status !== 0) {
      throw new KernelError(`Expected status 0 of ${task.kind} for scenes[${task.first + i}] but received ${status}`);
    }
  }
  return task.count;
}

function renderOne(kernels: Kernels, task: RenderTask, i: number): number {
  const status = task.samples > 0 ? renderMeshes(kernels, task, i) : renderSprites(kernels, task, i);
  const instances = task.instances + i * task.instanceStride;
  if (status === 0 && task.regions) kernels.findRegions(task.scratch, instances, task.regions + i * task.regionStride);
  return status;
}

function renderMeshes(kernels: Kernels, task: RenderTask, i: number): number {
  const { samples, colorFormat, room, batch, first, remap, assetTable, scratch, outputs } = task;
  writeMeshOutputs(kernels, outputs, { samples, colorFormat, room, ...resultsOf(task, i) });
  return kernels.renderMeshScene(batch, first + i, remap, assetTable, scratch, outputs);
}

function renderSprites(kernels: Kernels, task: RenderTask, i: number): number {
  const { batch, first, remap, assetTable, scratch, colorFormat } = task;
  const { color, instances, classes, coverage } = resultsOf(task, i);
  // biome-ignore format: one line a kind of argument.
  return kernels.renderScene(
    batch, first + i, remap, assetTable, scratch,
    color, colorFormat, instances, classes, coverage,
  );
}

/** Where scene `i` of a task has its results; 0 stays 0. */
function resultsOf(task: RenderTask, i: number) {
  return {
    color: task.color && task.color + i * task.colorStride,
    instances: task.instances && task.instances + i * task.instanceStride,
    classes: task.classes && task.classes + i * task.classStride,
    coverage: task.coverage && task.coverage + i * task.coverageStride,
    regions: task.regions && task.regions + i * task.regionStride,
    depth: task.depth && task.depth + i * task.depthStride,
    normals: task.normals && task.normals + i * task.normalStride,
  };
}

function vjpOne(kernels: Kernels, task: VjpTask, i: number): number {
  const { batch, first, remap, assetTable, scratch, gradient, gradientStride, delta, pixelDelta, out, outStride } =
    task;
  // biome-ignore format: one line a kind of argument.
  const args = [
    batch, first + i, remap, assetTable, scratch,
    gradient + i * gradientStride, delta, pixelDelta, out + i * outStride,
  ] as const;
  return task.dimension === 3 ? kernels.meshPerturbationVjp(...args, task.room) : kernels.perturbationVjp(...args);
}

/** The part of a task that does its scenes from `i` on, or only `count` of them, writing to the same place. */
export function partOf(task: Task, i: number, count = task.count - i): Task {
  const range = { first: task.first + i, count };
  if (task.kind === 'vjp') {
    return {
      ...task,
      ...range,
      gradient: task.gradient + i * task.gradientStride,
      out: task.out + i * task.outStride,
    };
  }
  return { ...task, ...range, ...resultsOf(task, i) };
}
