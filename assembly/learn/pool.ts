// Gradients of 2D pooling, NHWC. Windows are clipped to the image; margins count neither as values nor in the average.
import { addFloats } from './conv2dInputGradientStrided';

/**
 * dx of max pooling. A window's gradient goes to its first largest value in row order, as in tfjs' cpu backend, whatever
 * the sign of that value.
 * @param x [n, h, w, c], dy [n, oh, ow, c], dx [n, h, w, c]
 */
export function maxPoolGradient(
  dy: usize, x: usize, dx: usize,
  n: i32, h: i32, w: i32, c: i32, oh: i32, ow: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32,
): void {
  const image = <usize>(h * w * c) << 2;
  const rowBytes = <usize>(w * c) << 2;
  const pixel = <usize>c << 2;
  memory.fill(dx, 0, <usize>n * image);
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < oh; oy++) {
      const y0 = max(0, oy * sh - top), y1 = min(h, oy * sh - top + kh);
      for (let ox = 0; ox < ow; ox++) {
        const x0 = max(0, ox * sw - left), x1 = min(w, ox * sw - left + kw);
        const width = x1 - x0;
        const corner = <usize>y0 * rowBytes + <usize>x0 * pixel;
        if (width > 0 && y1 > y0) {
          let o: i32 = 0;
          for (; o + 4 <= c; o += 4) {
            const at = corner + (<usize>o << 2);
            let best = v128.load(x + at);
            let winner = i32x4.splat(0);
            let index = 0;
            for (let y = y0; y < y1; y++) {
              let from = x + at + <usize>(y - y0) * rowBytes;
              for (let k = 0; k < width; k++) {
                const value = v128.load(from);
                const greater = f32x4.gt(value, best);
                best = v128.bitselect(value, best, greater);
                winner = v128.bitselect(i32x4.splat(index), winner, greater);
                index++;
                from += pixel;
              }
            }
            const g = v128.load(dy + (<usize>o << 2));
            index = 0;
            for (let y = y0; y < y1; y++) {
              let to = dx + at + <usize>(y - y0) * rowBytes;
              for (let k = 0; k < width; k++) {
                v128.store(to, f32x4.add(v128.load(to), v128.and(g, i32x4.eq(winner, i32x4.splat(index)))));
                index++;
                to += pixel;
              }
            }
          }
          for (; o < c; o++) {
            const at = corner + (<usize>o << 2);
            let best = load<f32>(x + at);
            let winner = at;
            for (let y = y0; y < y1; y++) {
              let from = at + <usize>(y - y0) * rowBytes;
              for (let k = 0; k < width; k++) {
                const value = load<f32>(x + from);
                if (value > best) {
                  best = value;
                  winner = from;
                }
                from += pixel;
              }
            }
            store<f32>(dx + winner, load<f32>(dx + winner) + load<f32>(dy + (<usize>o << 2)));
          }
        }
        dy += pixel;
      }
    }
    x += image;
    dx += image;
  }
}

/**
 * dx of average pooling: each pixel inside the window gets dy / (number of pixels inside).
 * @param line scratch of c floats
 */
export function avgPoolGradient(
  dy: usize, dx: usize, line: usize,
  n: i32, h: i32, w: i32, c: i32, oh: i32, ow: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32,
): void {
  const image = <usize>(h * w * c) << 2;
  const rowBytes = <usize>(w * c) << 2;
  const pixel = <usize>c << 2;
  memory.fill(dx, 0, <usize>n * image);
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < oh; oy++) {
      const y0 = max(0, oy * sh - top), y1 = min(h, oy * sh - top + kh);
      for (let ox = 0; ox < ow; ox++) {
        const x0 = max(0, ox * sw - left), x1 = min(w, ox * sw - left + kw);
        const inside = max(0, y1 - y0) * max(0, x1 - x0);
        if (inside > 0) {
          const share: f32 = 1 / <f32>inside;
          for (let o = 0; o < c; o++) store<f32>(line + (<usize>o << 2), load<f32>(dy + (<usize>o << 2)) * share);
          for (let y = y0; y < y1; y++) {
            for (let k = x0; k < x1; k++) addFloats(dx + <usize>y * rowBytes + <usize>k * pixel, line, c);
          }
        }
        dy += pixel;
      }
    }
    dx += image;
  }
}
