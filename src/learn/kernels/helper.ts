/** A helper thread: waits for a job, runs one kernel on the shared arena, says that it is done. See protocol.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  ARGUMENT_COUNT,
  ARGUMENTS,
  FINISHED,
  type HelperData,
  JOB,
  KERNEL,
  STATUS,
  STOP,
  THREADED_KERNELS,
} from './protocol.js';

const { module, memory, control } = workerData as HelperData;
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
  string,
  (...args: number[]) => void
>;

let job = 0;
parentPort?.postMessage('ready');
for (;;) {
  Atomics.wait(control, JOB, job);
  job = Atomics.load(control, JOB);
  const index = Atomics.load(control, KERNEL);
  if (index === STOP) break;
  let status = 0;
  try {
    const count = control[ARGUMENT_COUNT];
    kernels[THREADED_KERNELS[index]](...control.subarray(ARGUMENTS, ARGUMENTS + count));
  } catch {
    status = 1;
  }
  Atomics.store(control, STATUS, status);
  Atomics.store(control, FINISHED, job);
  Atomics.notify(control, FINISHED);
}
