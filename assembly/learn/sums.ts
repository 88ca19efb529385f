// Sums over rows: by segment (the gradient of gather) and over all (the gradient of a bias).
import { addFloats } from './conv2dInputGradientStrided';

/** Rows summed in one go before the result is added to the total: keeps rounding near that of pairwise summation. */
const ROW_BLOCK: i32 = 256;

/**
 * out[segments, width]: the sum of the rows of x[rows, width] of each segment. Rows with an id outside [0, segments)
 * count nowhere.
 */
export function segmentSum(x: usize, ids: usize, out: usize, rows: i32, width: i32, segments: i32): void {
  memory.fill(out, 0, <usize>(segments * width) << 2);
  for (let i = 0; i < rows; i++) {
    const id = load<i32>(ids + (<usize>i << 2));
    if (<u32>id < <u32>segments) addFloats(out + (<usize>(id * width) << 2), x, width);
    x += <usize>width << 2;
  }
}

/**
 * out[width] = Σ over rows of x[rows, width].
 * @param block scratch of `width` floats
 */
export function rowSum(x: usize, out: usize, block: usize, rows: i32, width: i32): void {
  const bytes = <usize>width << 2;
  memory.fill(out, 0, bytes);
  for (let first = 0; first < rows; first += ROW_BLOCK) {
    const last = min(first + ROW_BLOCK, rows);
    memory.fill(block, 0, bytes);
    let o = 0;
    // 16 columns at a time stay in registers while the rows pass by.
    for (; o + 16 <= width; o += 16) {
      let from = x + (<usize>o << 2);
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (let i = first; i < last; i++) {
        s0 = f32x4.add(s0, v128.load(from));
        s1 = f32x4.add(s1, v128.load(from, 16));
        s2 = f32x4.add(s2, v128.load(from, 32));
        s3 = f32x4.add(s3, v128.load(from, 48));
        from += bytes;
      }
      const to = block + (<usize>o << 2);
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
    }
    if (o < width) {
      let from = x;
      for (let i = first; i < last; i++) {
        addFloats(block + (<usize>o << 2), from + (<usize>o << 2), width - o);
        from += bytes;
      }
    }
    addFloats(out, block, width);
    x += <usize>(last - first) * bytes;
  }
}
