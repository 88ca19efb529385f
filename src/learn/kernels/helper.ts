/** A helper thread: waits for a job, runs one kernel on the shared arena, says that it is done. See protocol.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  ARGUMENT_COUNT,
  ARGUMENTS,
  CLAIMED,
  DONE,
  type HelperData,
  KERNEL,
  POSTED,
  STATE,
  STATUS,
  STOP,
  THREADED_KERNELS,
} from './protocol.js';

const { module, memory, control } = workerData as HelperData;
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
  string,
  (...args: number[]) => void
>;

parentPort?.postMessage('ready');
for (;;) {
  const state = Atomics.load(control, STATE);
  if ((state & 3) !== POSTED) {
    Atomics.wait(control, STATE, state);
    continue;
  }
  // The owner may take the job back at the same moment; one of the two succeeds.
  if (Atomics.compareExchange(control, STATE, state, state + CLAIMED) !== state) continue;
  const index = control[KERNEL];
  if (index === STOP) break;
  let status = 0;
  try {
    kernels[THREADED_KERNELS[index]](...control.subarray(ARGUMENTS, ARGUMENTS + control[ARGUMENT_COUNT]));
  } catch {
    status = 1;
  }
  control[STATUS] = status;
  Atomics.store(control, STATE, state + DONE);
  Atomics.notify(control, STATE);
}
