// Gradients of depthwise convolution, NHWC: filter [kh, kw, c, q], output channel c · q + j.

/** dx[n, h, w, c]; dilation allowed. */
export function depthwiseInputGradient(
  dy: usize, filter: usize, dx: usize,
  n: i32, h: i32, w: i32, c: i32, q: i32, kh: i32, kw: i32, oh: i32, ow: i32,
  sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32,
): void {
  const image = <usize>(h * w * c) << 2;
  memory.fill(dx, 0, <usize>n * image);
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        for (let r = 0; r < kh; r++) {
          const y = oy * sh - top + r * dh;
          if (y < 0 || y >= h) continue;
          for (let s = 0; s < kw; s++) {
            const x = ox * sw - left + s * dw;
            if (x < 0 || x >= w) continue;
            const to = dx + (<usize>((y * w + x) * c) << 2);
            const weights = filter + (<usize>((r * kw + s) * c * q) << 2);
            if (q == 1) multiplyAdd(to, dy, weights, c);
            else {
              for (let o = 0, k = 0; o < c; o++) {
                let sum = load<f32>(to + (<usize>o << 2));
                for (let j = 0; j < q; j++, k++) {
                  sum += load<f32>(dy + (<usize>k << 2)) * load<f32>(weights + (<usize>k << 2));
                }
                store<f32>(to + (<usize>o << 2), sum);
              }
            }
          }
        }
        dy += <usize>(c * q) << 2;
      }
    }
    dx += image;
  }
}

/** dfilter[kh, kw, c, q]; dilation allowed. */
export function depthwiseFilterGradient(
  x: usize, dy: usize, dfilter: usize,
  n: i32, h: i32, w: i32, c: i32, q: i32, kh: i32, kw: i32, oh: i32, ow: i32,
  sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32,
): void {
  memory.fill(dfilter, 0, <usize>(kh * kw * c * q) << 2);
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        for (let r = 0; r < kh; r++) {
          const y = oy * sh - top + r * dh;
          if (y < 0 || y >= h) continue;
          for (let s = 0; s < kw; s++) {
            const column = ox * sw - left + s * dw;
            if (column < 0 || column >= w) continue;
            const from = x + (<usize>((y * w + column) * c) << 2);
            const to = dfilter + (<usize>((r * kw + s) * c * q) << 2);
            if (q == 1) multiplyAdd(to, dy, from, c);
            else {
              for (let o = 0, k = 0; o < c; o++) {
                const value = load<f32>(from + (<usize>o << 2));
                for (let j = 0; j < q; j++, k++) {
                  const at = to + (<usize>k << 2);
                  store<f32>(at, load<f32>(at) + value * load<f32>(dy + (<usize>k << 2)));
                }
              }
            }
          }
        }
        dy += <usize>(c * q) << 2;
      }
    }
    x += <usize>(h * w * c) << 2;
  }
}

/** to[i] += a[i] · b[i]. */
@inline
function multiplyAdd(to: usize, a: usize, b: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = <usize>i << 2;
    v128.store(to + at, f32x4.add(v128.load(to + at), f32x4.mul(v128.load(a + at), v128.load(b + at))));
  }
  for (; i < count; i++) {
    const at = <usize>i << 2;
    store<f32>(to + at, load<f32>(to + at) + load<f32>(a + at) * load<f32>(b + at));
  }
}
