/** Part of an image, px; may begin and end between pixels. */
export interface ImageWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How an image of another shape is brought to the canvas: stretched, or filling it with what is beyond cut off evenly. */
export type ImageFit = 'stretch' | 'cover';

/** The part of a source image that lands on a canvas. */
export function fitWindow(
  source: { readonly width: number; readonly height: number },
  canvas: { readonly width: number; readonly height: number },
  fit: ImageFit,
): ImageWindow {
  if (fit === 'stretch') return { x: 0, y: 0, width: source.width, height: source.height };
  const scale = Math.min(source.width / canvas.width, source.height / canvas.height);
  const [width, height] = [canvas.width * scale, canvas.height * scale];
  return { x: (source.width - width) / 2, y: (source.height - height) / 2, width, height };
}

/** Weights of the source samples that an output sample is the sum of. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/**
 * Resizes with a triangle filter that is as wide as two output pixels, or two source pixels where the image grows: each
 * output pixel is a weighted mean of all source pixels under it, so that fine patterns turn grey instead of aliasing.
 * (PIL's `BILINEAR` and torchvision's `antialias=True` do the same.) Rows first, then columns, in double precision;
 * the edge's pixels weigh more where the filter reaches beyond it. A source of the output's size comes out as it is.
 * @param source  [H × W × C], any numbers
 * @param window  part of the source that fills the output
 * @returns [h × w × C] float64
 */
export function resample(
  source: ArrayLike<number>,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
  output: { readonly width: number; readonly height: number },
  window: ImageWindow,
): Float64Array {
  const columns = tapsOf(width, output.width, window.x, window.width);
  const rows = tapsOf(height, output.height, window.y, window.height);
  const top = rows[0].first;
  const last = rows[rows.length - 1];
  const bottom = last.first + last.weights.length;
  const stride = output.width * channels;
  const wide = new Float64Array((bottom - top) * stride);
  for (let y = top; y < bottom; y++) {
    for (let x = 0; x < output.width; x++) {
      const { first, weights } = columns[x];
      const to = (y - top) * stride + x * channels;
      for (let k = 0; k < weights.length; k++) {
        const from = (y * width + first + k) * channels;
        for (let c = 0; c < channels; c++) wide[to + c] += weights[k] * source[from + c];
      }
    }
  }
  const out = new Float64Array(output.height * stride);
  for (let y = 0; y < output.height; y++) {
    const { first, weights } = rows[y];
    for (let k = 0; k < weights.length; k++) {
      const from = (first + k - top) * stride;
      for (let i = 0; i < stride; i++) out[y * stride + i] += weights[k] * wide[from + i];
    }
  }
  return out;
}

/** For each output sample along one side, the source samples under the triangle around its centre. */
function tapsOf(size: number, outputs: number, start: number, length: number): Taps[] {
  const scale = length / outputs;
  const reach = Math.max(1, scale);
  return Array.from({ length: outputs }, (_, i) => {
    const centre = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach));
    const end = Math.min(size, Math.ceil(centre + reach));
    const weights = Float64Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / reach),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/**
 * The source pixel at the centre of each output pixel: for numbers that are names, which have no mean. Aligned with
 * `resample` of the same window.
 * @param source [H × W]
 * @returns [h × w] positions in `source`
 */
export function nearestPixels(
  { width, height }: { readonly width: number; readonly height: number },
  output: { readonly width: number; readonly height: number },
  window: ImageWindow,
): Int32Array {
  const nearest = (size: number, outputs: number, start: number, length: number) =>
    Int32Array.from({ length: outputs }, (_, i) =>
      Math.min(size - 1, Math.max(0, Math.floor(start + ((i + 0.5) * length) / outputs))),
    );
  const columns = nearest(width, output.width, window.x, window.width);
  const rows = nearest(height, output.height, window.y, window.height);
  return Int32Array.from(
    { length: output.width * output.height },
    (_, i) => rows[Math.floor(i / output.width)] * width + columns[i % output.width],
  );
}
