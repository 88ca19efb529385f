/**
 * What the thread that owns the tensors and a helper thread say to each other: one control block of 32-bit integers per
 * helper, and one arena of shared WASM memory for all. Both sides only wait and notify; no message passes while they work,
 * so a kernel stays synchronous.
 *
 *   index  written by  meaning
 *   0      both        state: 4 · (number of the job) + POSTED, CLAIMED or DONE; both wait on it
 *   1      owner       which kernel: index in THREADED_KERNELS, or STOP
 *   2      helper      0, or 1 when the kernel trapped
 *   3      owner       number of arguments
 *   4…     owner       arguments, pointers into the arena among them
 *
 *            owner posts        helper claims         helper finishes
 *   DONE ───────────────▶ POSTED ─────────────▶ CLAIMED ───────────────▶ DONE
 *                           └──────────────────────────────────────────▶ DONE
 *                             owner, done with its own part, takes it back
 *
 * A job that no helper has begun when the owner is through is computed by the owner: on a busy machine, where the helper
 * gets no core, threads cost a copy and not a wait.
 */
export const STATE = 0;
export const KERNEL = 1;
export const STATUS = 2;
export const ARGUMENT_COUNT = 3;
export const ARGUMENTS = 4;
export const CONTROL_WORDS = 40;

export const POSTED = 0;
export const CLAIMED = 1;
export const DONE = 2;
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
