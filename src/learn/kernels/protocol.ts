/**
 * What the thread that owns the tensors and a helper thread say to each other: one control block of 32-bit integers per
 * helper, and one arena of shared WASM memory for all. Both sides only wait and notify; no message passes while they work,
 * so a kernel stays synchronous.
 *
 *   index  written by  meaning
 *   0      owner       number of the job, one more with each; the helper waits on it
 *   1      helper      number of the last job finished; the owner waits on it
 *   2      owner       which kernel: index in THREADED_KERNELS, or STOP
 *   3      helper      0, or 1 when the kernel trapped
 *   4      owner       number of arguments
 *   5…     owner       arguments, pointers into the arena among them
 */
export const JOB = 0;
export const FINISHED = 1;
export const KERNEL = 2;
export const STATUS = 3;
export const ARGUMENT_COUNT = 4;
export const ARGUMENTS = 5;
export const CONTROL_WORDS = 40;
export const STOP = -1;

/** Kernels a helper may be asked to run. */
export const THREADED_KERNELS = [
  'conv2d',
  'conv2dInputGradient',
  'conv2dInputGradientStrided',
  'conv2dFilterGradient',
  'matMul',
  'maxPoolGradient',
] as const;
export type ThreadedKernel = (typeof THREADED_KERNELS)[number];

/** What a helper is started with. */
export interface HelperData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
}
