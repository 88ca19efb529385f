import '@tensorflow/tfjs-backend-cpu';
import { tf } from '../../src/learn/tf.js';

/** Makes tfjs' plain JavaScript backend active: exact enough for numeric gradients, nothing to load. */
export async function useCpu(): Promise<void> {
  await tf.setBackend('cpu');
}

/** Makes tfjs' WASM backend active, as it comes, on one thread. */
export async function useWasm(): Promise<void> {
  const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
  setThreadsCount(1);
  await tf.setBackend('wasm');
}

/** Runs `work` and returns by how many tensors the engine grew. */
export async function leakedTensors(work: () => unknown): Promise<number> {
  const before = tf.memory().numTensors;
  await work();
  return tf.memory().numTensors - before;
}
