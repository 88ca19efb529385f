import { cos, PI, sin } from '../../deterministicMath.js';
import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import type { SpriteImage } from '../assetLibrary.js';

/** A texture from a colour by pixel. */
export function surface(width: number, height: number, colour: (x: number, y: number) => Colour): SpriteImage {
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const values = colour(x + 0.5, y + 0.5);
      pixels[at] = byte(values[0]);
      pixels[at + 1] = byte(values[1]);
      pixels[at + 2] = byte(values[2]);
      pixels[at + 3] = 255;
    }
  }
  return { width, height, format: 'rgba8', pixels };
}

/**
 * Leaves over leaves, those on top lighter: grey, so that a vertex colour makes them green. Repeats without a seam.
 * @param count of leaves
 * @param radius of the largest, px
 */
export function drawLeaves(draw: Draw, size: number, count: number, radius: number): SpriteImage {
  const values = new Float32Array(size * size).fill(0.3);
  for (let i = 0; i < count; i++) {
    const [cx, cy] = [draw.between(0, size), draw.between(0, size)];
    const angle = draw.between(0, PI);
    const [c, s] = [cos(angle), sin(angle)];
    const long = radius * draw.between(0.6, 1);
    const wide = 0.55 * long;
    const value = 0.38 + 0.5 * (i / count) + draw.between(-0.12, 0.2);
    for (let y = Math.floor(cy - long); y <= cy + long; y++) {
      for (let x = Math.floor(cx - long); x <= cx + long; x++) {
        const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
        const [u, v] = [(dx * c + dy * s) / long, (dy * c - dx * s) / wide];
        if (u * u + v * v > 1) continue;
        values[(((y % size) + size) % size) * size + (((x % size) + size) % size)] = value * (1 - 0.12 * v);
      }
    }
  }
  return surface(size, size, (x, y) => {
    const value = 255 * Math.min(1, values[Math.floor(y) * size + Math.floor(x)]);
    return [value, value, 0.96 * value];
  });
}

/**
 * Foliage from near by: boughs, lit from above, over dark gaps, and leaves on them; grey, as `drawLeaves`. Repeats without a
 * seam.
 * @param boughs on the tile
 */
export function drawFoliage(draw: Draw, size: number, boughs: number): SpriteImage {
  const values = new Float32Array(size * size).fill(0.08);
  const wrap = (at: number) => ((at % size) + size) % size;
  const radius = 0.9 * (size / Math.sqrt(boughs));
  const leaf = size / 72;
  for (let i = 0; i < boughs; i++) {
    const [cx, cy] = [draw.between(0, size), draw.between(0, size)];
    const shade = draw.between(0.35, 1.25);
    const leaves = Math.round(draw.between(50, 90));
    for (let k = 0; k < leaves; k++) {
      // From the bottom of the bough, in its own shade, to the top.
      const share = k / leaves;
      const reach = radius * Math.sqrt(draw.between(0, 1));
      const turn = draw.between(0, 2 * PI);
      const [x, y] = [cx + 1.2 * reach * cos(turn), cy + 0.7 * reach * sin(turn) + (0.5 - share) * 0.8 * radius];
      const value = shade * (0.2 + 0.95 * share * share) * draw.between(0.55, 1.45);
      const long = leaf * draw.between(0.6, 1.5);
      for (let py = Math.floor(y - long); py <= y + long; py++) {
        for (let px = Math.floor(x - long); px <= x + long; px++) {
          const [u, v] = [(px + 0.5 - x) / long, (py + 0.5 - y) / (0.6 * long)];
          if (u * u + v * v <= 1) values[wrap(py) * size + wrap(px)] = value;
        }
      }
    }
  }
  return surface(size, size, (x, y) => {
    const value = 255 * Math.min(1, values[Math.floor(y) * size + Math.floor(x)]);
    return [value, value, 0.94 * value];
  });
}

/** A colour's channel as it is stored. */
export function byte(value: number): number {
  // Math.round is several times slower.
  return value > 0 ? (value < 255 ? (value + 0.5) | 0 : 255) : 0;
}
