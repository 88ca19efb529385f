import process from 'node:process';
import { workerData } from 'piscina';
import { MetasimError } from '../errors.js';
import { instantiateKernels } from './kernels.js';
import { runTask, type Task } from './task.js';

/** What a worker is given when it starts. */
export interface WorkerSetup {
  /** Compiled once, by the engine. */
  readonly module: WebAssembly.Module;
  /** The one memory of the engine, shared. */
  readonly memory: WebAssembly.Memory;
  /**
   * Tests only. Int32 [scene, deaths]: a worker that is asked for the scene at that position of a batch exits, as long
   * as deaths are left; it takes one away.
   */
  readonly fault?: Int32Array;
}

/** How a task ended: what `runTask` returned. Error classes do not survive the way back, so they travel as code and message. */
export type TaskOutcome = { readonly done: number } | { readonly code: string; readonly message: string };

const setup = workerData as WorkerSetup;
const kernels = instantiateKernels(setup.module, setup.memory);

/** Runs one task; `null`, sent once by the pool at the start, only shows that the worker is alive. */
export default function work(task: Task | null): TaskOutcome {
  if (task === null) return { done: 0 };
  if (setup.fault) dieWhenAsked(setup.fault, task);
  try {
    return { done: runTask(kernels, task) };
  } catch (error) {
    const code = error instanceof MetasimError ? error.code : 'KERNEL';
    return { code, message: error instanceof Error ? error.message : String(error) };
  }
}

function dieWhenAsked(fault: Int32Array, task: Task): void {
  const scene = Atomics.load(fault, 0);
  if (scene < task.first || scene >= task.first + task.count) return;
  if (Atomics.sub(fault, 1, 1) > 0) process.exit(1);
}
