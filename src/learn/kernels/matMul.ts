/** BatchMatMul and _FusedMatMul on assembly/learn/matMul.ts, for every combination of transposed operands. Float32. */
import { tf } from '../tf.js';
import { ACTIVATIONS } from './activation.js';
import type { KernelHost } from './kernelHost.js';
import type { KernelArgs, OwnKernel } from './register.js';
import { pointerOf } from './wasmHeap.js';

function multiply(host: KernelHost, { inputs, attrs }: KernelArgs, activation: number): tf.TensorInfo | undefined {
  const { a, b, bias } = inputs;
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return undefined;
  const transposeA = attrs.transposeA === true;
  const transposeB = attrs.transposeB === true;
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [kB, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  const batchA = tf.util.sizeFromShape(a.shape.slice(0, -2));
  const batchB = tf.util.sizeFromShape(b.shape.slice(0, -2));
  const batch = Math.max(batchA, batchB);
  // Batches that broadcast in part, empty products and mistakes are left to tfjs.
  if (k !== kB || (batchA !== batch && batchA !== 1) || (batchB !== batch && batchB !== 1)) return undefined;
  if (batch * m * n * k === 0 || (bias && (bias.shape.length !== 1 || bias.shape[0] !== n))) return undefined;

  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (tf.util.sizeFromShape(outer) !== batch) return undefined;
  const { backend } = host;
  const out = backend.makeOutput([...outer, m, n], 'float32');
  const aAt = pointerOf(backend, a);
  const bAt = pointerOf(backend, b);
  const outAt = pointerOf(backend, out);
  const aBytes = m * k * 4;
  const bBytes = k * n * 4;
  const biasArg = bias ? ({ kind: 'in', pointer: pointerOf(backend, bias), bytes: n * 4 } as const) : 0;
  const strideA = batchA === 1 ? 0 : aBytes;
  const strideB = batchB === 1 ? 0 : bBytes;
  const codes = [transposeA ? 1 : 0, transposeB ? 1 : 0, activation];
  const work = 2 * batch * m * n * k;
  if (batch === 1) {
    // Rows of the result; those of a transposed `a` are columns, so it is passed whole.
    host.split(work, m, (first, last) => ({
      kernel: 'matMul',
      args: [
        transposeA
          ? { kind: 'in', pointer: aAt + first * 4, bytes: aBytes - first * 4 }
          : { kind: 'in', pointer: aAt + first * k * 4, bytes: (last - first) * k * 4 },
        { kind: 'in', pointer: bAt, bytes: bBytes },
        biasArg,
        { kind: 'out', pointer: outAt + first * n * 4, bytes: (last - first) * n * 4 },
        { kind: 'scratch', bytes: host.ask('matMulScratch', last - first, k, n) },
        1,
        last - first,
        k,
        n,
        transposeA ? m : k,
        0,
        0,
        ...codes,
      ],
    }));
  } else {
    const scratch = host.ask('matMulScratch', m, k, n);
    host.split(work, batch, (first, last) => ({
      kernel: 'matMul',
      args: [
        { kind: 'in', pointer: aAt + first * strideA, bytes: strideA ? (last - first) * aBytes : aBytes },
        { kind: 'in', pointer: bAt + first * strideB, bytes: strideB ? (last - first) * bBytes : bBytes },
        biasArg,
        { kind: 'out', pointer: outAt + first * m * n * 4, bytes: (last - first) * m * n * 4 },
        { kind: 'scratch', bytes: scratch },
        last - first,
        m,
        k,
        n,
        transposeA ? m : k,
        strideA,
        strideB,
        ...codes,
      ],
    }));
  }
  return out;
}

const batchMatMul: OwnKernel = (host, args) => multiply(host, args, ACTIVATIONS.linear);

const fusedMatMul: OwnKernel = (host, args) => {
  const activation = ACTIVATIONS[(args.attrs.activation as string | undefined) ?? 'linear'];
  return activation === undefined ? undefined : multiply(host, args, activation);
};

export const MAT_MUL_KERNELS: Readonly<Record<string, OwnKernel>> = {
  [tf.BatchMatMul]: batchMatMul,
  [tf._FusedMatMul]: fusedMatMul,
};
