// What a U-Net's training does between its convolutions, each in one pass over memory. NHWC, float32.

/** dx = dy where y > 0, else 0: the gradient of ReLU from its output. `count` floats. */
export function reluGradient(dy: usize, y: usize, dx: usize, count: i32): void {
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)));
    dy += 16;
    y += 16;
    dx += 16;
  }
  for (; i < count; i++) {
    store<f32>(dx, load<f32>(y) > 0 ? load<f32>(dy) : 0);
    dy += 4;
    y += 4;
    dx += 4;
  }
}

@inline
function copyFloats(from: usize, to: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) v128.store(to + (<usize>i << 2), v128.load(from + (<usize>i << 2)));
  for (; i < count; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + (<usize>i << 2)));
}

/**
 * Channels of `low`, each pixel twice in both directions, followed by those of `skip`.
 * @param low [n, h, w, c], skip [n, 2h, 2w, s], out [n, 2h, 2w, c + s]
 */
export function upsampleConcat(low: usize, skip: usize, out: usize, n: i32, h: i32, w: i32, c: i32, s: i32): void {
  const lowBytes = <usize>c << 2, skipBytes = <usize>s << 2;
  for (let row = 0, rows = n * h; row < rows; row++) {
    for (let twice = 0; twice < 2; twice++) {
      let from = low;
      for (let x = 0; x < w; x++) {
        copyFloats(from, out, c);
        copyFloats(skip, out + lowBytes, s);
        skip += skipBytes;
        out += lowBytes + skipBytes;
        copyFloats(from, out, c);
        copyFloats(skip, out + lowBytes, s);
        skip += skipBytes;
        out += lowBytes + skipBytes;
        from += lowBytes;
      }
    }
    low += <usize>w * lowBytes;
  }
}

/**
 * Gradients of `upsampleConcat`: that of a pixel of `low` is the sum over its four copies.
 * @param dy [n, 2h, 2w, c + s], low [n, h, w, c] and skip [n, 2h, 2w, s] are written
 */
export function upsampleConcatGradient(
  dy: usize, low: usize, skip: usize, n: i32, h: i32, w: i32, c: i32, s: i32,
): void {
  const lowBytes = <usize>c << 2, skipBytes = <usize>s << 2;
  const pixel = lowBytes + skipBytes;
  const line = <usize>(2 * w) * pixel;
  const skipLine = <usize>(2 * w) * skipBytes;
  for (let row = 0, rows = n * h; row < rows; row++) {
    for (let x = 0; x < w; x++) {
      const right = dy + pixel, below = dy + line, across = below + pixel;
      let i = 0;
      for (; i + 4 <= c; i += 4) {
        const at = <usize>i << 2;
        v128.store(low + at, f32x4.add(
          f32x4.add(v128.load(dy + at), v128.load(right + at)),
          f32x4.add(v128.load(below + at), v128.load(across + at)),
        ));
      }
      for (; i < c; i++) {
        const at = <usize>i << 2;
        store<f32>(low + at,
          load<f32>(dy + at) + load<f32>(right + at) + (load<f32>(below + at) + load<f32>(across + at)));
      }
      copyFloats(dy + lowBytes, skip, s);
      copyFloats(right + lowBytes, skip + skipBytes, s);
      copyFloats(below + lowBytes, skip + skipLine, s);
      copyFloats(across + lowBytes, skip + skipLine + skipBytes, s);
      low += lowBytes;
      skip += 2 * skipBytes;
      dy += 2 * pixel;
    }
    dy += line;
    skip += skipLine;
  }
}
