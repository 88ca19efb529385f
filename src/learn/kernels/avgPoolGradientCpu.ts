/**
 * AvgPoolGrad for tfjs' cpu backend, whose own divides by the whole window at the border with SAME padding although its
 * forward pass averages over the pixels inside the image.
 */
import { tf } from '../tf.js';

interface Args {
  readonly inputs: { readonly dy: tf.TensorInfo; readonly input: tf.TensorInfo };
  readonly attrs: Record<string, unknown>;
  readonly backend: {
    readonly data: { get(dataId: object): { values: Float32Array } };
    makeTensorInfo(shape: number[], dtype: string, values: Float32Array): tf.TensorInfo;
  };
}

function avgPoolGradient({ inputs, attrs, backend }: Args): tf.TensorInfo {
  const shape = inputs.input.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(
    shape,
    attrs.filterSize as [number, number],
    attrs.strides as [number, number],
    1,
    attrs.pad as 'valid' | 'same',
    attrs.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
  );
  const [n, h, w, c] = shape;
  const dy = backend.data.get(inputs.dy.dataId).values;
  const dx = new Float32Array(n * h * w * c);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < info.outHeight; oy++) {
      const top = oy * info.strideHeight - info.padInfo.top;
      const y0 = Math.max(0, top);
      const y1 = Math.min(h, top + info.filterHeight);
      for (let ox = 0; ox < info.outWidth; ox++, at += c) {
        const left = ox * info.strideWidth - info.padInfo.left;
        const x0 = Math.max(0, left);
        const x1 = Math.min(w, left + info.filterWidth);
        const inside = (y1 - y0) * (x1 - x0);
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) {
            const to = ((i * h + y) * w + x) * c;
            for (let o = 0; o < c; o++) dx[to + o] += dy[at + o] / inside;
          }
        }
      }
    }
  }
  return backend.makeTensorInfo(shape, 'float32', dx);
}

/** Replaces the kernel in tfjs' registry. */
export function registerAvgPoolGradientCpu(): void {
  if (tf.getKernel(tf.AvgPoolGrad, 'cpu')) tf.unregisterKernel(tf.AvgPoolGrad, 'cpu');
  tf.registerKernel({
    kernelName: tf.AvgPoolGrad,
    backendName: 'cpu',
    kernelFunc: avgPoolGradient as unknown as tf.KernelFunc,
  });
}
