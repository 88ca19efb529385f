// Rearranging operands into what the micro-kernels read.
//
// A panel holds 8 columns of B, k-major:   panel p:  B[0][8p..8p+7]  B[1][8p..8p+7]  …  B[K−1][8p..8p+7]
// Panels follow one another; columns beyond N are zero.   bytes = ceil(N / 8) · K · 32

/** Bytes of the packed form of a K × N matrix. */
@inline
export function panelBytes(k: i32, n: i32): usize {
  return <usize>(((n + 7) >> 3) * k) << 5;
}

/** Packs columns [0, n) of a row-major K × n matrix whose rows are `stride` floats apart. */
export function packPanels(b: usize, k: i32, n: i32, stride: i32, out: usize): void {
  for (let c = 0; c < n; c += 8) {
    const width = n - c;
    let from = b + (<usize>c << 2);
    if (width >= 8) {
      for (let i = 0; i < k; i++) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
        from += <usize>stride << 2;
        out += 32;
      }
    } else {
      for (let i = 0; i < k; i++) {
        for (let j = 0; j < 8; j++) store<f32>(out + (<usize>j << 2), j < width ? load<f32>(from + (<usize>j << 2)) : 0);
        from += <usize>stride << 2;
        out += 32;
      }
    }
  }
}

/**
 * Packs the transpose of a row-major n × k matrix (rows `stride` floats apart) into panels whose k rows begin at row
 * `row` of `total` rows.
 */
export function packTransposedPanels(b: usize, k: i32, n: i32, stride: i32, row: i32, total: i32, out: usize): void {
  const bytes = <usize>stride << 2;
  for (let c = 0; c < n; c += 8) {
    let panel = out + (<usize>((c >> 3) * total + row) << 5);
    const from = b + <usize>c * bytes;
    const width = min(8, n - c);
    if (width < 8) memory.fill(panel, 0, <usize>k << 5);
    // Four rows of B at a time, each read along its length, become four columns of the panel.
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      let r0 = from + <usize>j * bytes;
      let r1 = r0 + bytes, r2 = r1 + bytes, r3 = r2 + bytes;
      let to = panel + (<usize>j << 2);
      let i = 0;
      for (; i + 4 <= k; i += 4) {
        const x0 = v128.load(r0), x1 = v128.load(r1), x2 = v128.load(r2), x3 = v128.load(r3);
        const low0 = i32x4.shuffle(x0, x1, 0, 4, 1, 5), low1 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
        const high0 = i32x4.shuffle(x0, x1, 2, 6, 3, 7), high1 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
        v128.store(to, i64x2.shuffle(low0, low1, 0, 2));
        v128.store(to, i64x2.shuffle(low0, low1, 1, 3), 32);
        v128.store(to, i64x2.shuffle(high0, high1, 0, 2), 64);
        v128.store(to, i64x2.shuffle(high0, high1, 1, 3), 96);
        r0 += 16;
        r1 += 16;
        r2 += 16;
        r3 += 16;
        to += 128;
      }
      for (; i < k; i++) {
        store<f32>(to, load<f32>(r0));
        store<f32>(to, load<f32>(r1), 4);
        store<f32>(to, load<f32>(r2), 8);
        store<f32>(to, load<f32>(r3), 12);
        r0 += 4;
        r1 += 4;
        r2 += 4;
        r3 += 4;
        to += 32;
      }
    }
    for (; j < width; j++) {
      let from1 = from + <usize>j * bytes;
      let to = panel + (<usize>j << 2);
      for (let i = 0; i < k; i++) {
        store<f32>(to, load<f32>(from1));
        from1 += 4;
        to += 32;
      }
    }
  }
}

/** Copies one H × W × C image into the middle of a zeroed one with margins. Sizes in pixels. */
export function padImage(x: usize, h: i32, w: i32, c: i32, top: i32, bottom: i32, left: i32, right: i32, out: usize): void {
  const row = <usize>(w * c) << 2;
  const leftBytes = <usize>(left * c) << 2;
  const rightBytes = <usize>(right * c) << 2;
  const full = leftBytes + row + rightBytes;
  memory.fill(out, 0, <usize>top * full);
  out += <usize>top * full;
  for (let y = 0; y < h; y++) {
    if (leftBytes) memory.fill(out, 0, leftBytes);
    memory.copy(out + leftBytes, x, row);
    if (rightBytes) memory.fill(out + leftBytes + row, 0, rightBytes);
    out += full;
    x += row;
  }
  memory.fill(out, 0, <usize>bottom * full);
}

/**
 * Lays out the windows of one (padded) image as rows of `kh · run` floats, `width` floats apart (the rest zero).
 * @param rowBytes bytes of one image row; `run` = kw · channels floats, contiguous in NHWC
 */
export function windowsToRows(
  x: usize, rowBytes: usize, kh: i32, run: i32, oh: i32, ow: i32, strideY: usize, strideX: usize, width: i32, out: usize,
): void {
  const rest = width - kh * run;
  for (let y = 0; y < oh; y++) {
    let from = x + <usize>y * strideY;
    for (let i = 0; i < ow; i++) {
      let line = from;
      for (let r = 0; r < kh; r++) {
        let k = 0;
        for (; k + 4 <= run; k += 4) v128.store(out + (<usize>k << 2), v128.load(line + (<usize>k << 2)));
        for (; k < run; k++) store<f32>(out + (<usize>k << 2), load<f32>(line + (<usize>k << 2)));
        out += <usize>run << 2;
        line += rowBytes;
      }
      for (let k = 0; k < rest; k++) store<f32>(out + (<usize>k << 2), 0);
      out += <usize>rest << 2;
      from += strideX;
    }
  }
}
