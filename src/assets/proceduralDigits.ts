import { cosDegrees, log, sinDegrees } from '../deterministicMath.js';
import { AssetError } from '../errors.js';
import { RandomStream } from '../random.js';
import { AssetLibrary, type SpriteAsset } from './assetLibrary.js';
import { DIGIT_GLYPHS, type GlyphStroke } from './digitGlyphs.js';
import { rasteriseStrokes, type StrokeSegment } from './strokeRasteriser.js';

export interface ProceduralDigitOptions {
  /** How many ways of writing each digit, 1 … 10000. Default 200. */
  readonly variants?: number;
  /** Seed of the handwriting, an integer in [0, 2^53). Default 0. */
  readonly seed?: number;
}

/** Side of a digit's texture, px, as in MNIST. */
export const DIGIT_SIZE = 28;
/** Height of the writing within it, px: MNIST fits its digits into 20 × 20. */
const GLYPH_HEIGHT = 19;
const MAX_VARIANTS = 10000;
/** Straight pieces that a curve has between two of its points. */
const CURVE_STEPS = 8;

type Point = readonly [number, number];

/**
 * Handwritten-looking digits drawn by strokes: names `digits/⟨0…9⟩/⟨variant⟩`, 28 × 28 `ink8`, edge `fade`, licence
 * CC0-1.0. Variant n of a digit depends on the seed, the digit and n only, so a larger library begins with a smaller one.
 * @throws AssetError when `variants` is out of range
 */
export function proceduralDigits(options: ProceduralDigitOptions = {}): AssetLibrary<SpriteAsset> {
  const { variants = 200, seed = 0 } = options;
  if (!Number.isInteger(variants) || variants < 1 || variants > MAX_VARIANTS) {
    throw new AssetError(`Expected an integer from 1 to ${MAX_VARIANTS} for variants but received ${variants}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new AssetError(`Expected an integer from 0 to 2^53 − 1 for seed but received ${seed}`);
  }
  const assets: SpriteAsset[] = [];
  for (let digit = 0; digit < 10; digit++) {
    for (let variant = 0; variant < variants; variant++) {
      assets.push({
        kind: 'sprite',
        name: `digits/${digit}/${String(variant).padStart(4, '0')}`,
        width: DIGIT_SIZE,
        height: DIGIT_SIZE,
        format: 'ink8',
        edge: 'fade',
        licence: 'CC0-1.0',
        load: () => ({
          width: DIGIT_SIZE,
          height: DIGIT_SIZE,
          format: 'ink8',
          pixels: rasteriseStrokes(digitSegments(seed, digit, variant), DIGIT_SIZE, DIGIT_SIZE),
        }),
      });
    }
  }
  return new AssetLibrary(assets);
}

/** The pen's path for one digit, in texture px: a form of the digit under a random hand. */
function digitSegments(seed: number, digit: number, variant: number): StrokeSegment[] {
  const stream = new RandomStream({ seed, index: variant, node: digit });
  const forms = DIGIT_GLYPHS[digit];
  const glyph = forms[stream.integer(forms.length)];
  const between = (low: number, high: number) => low + (high - low) * stream.uniform();
  const hand = {
    radius: between(0.75, 1.6),
    slant: between(-0.12, 0.34),
    tilt: between(-6, 6),
    width: GLYPH_HEIGHT * between(0.66, 0.98),
    height: GLYPH_HEIGHT * between(0.92, 1.04),
    wobble: between(0.012, 0.034),
  };
  const strokes = glyph.map((stroke) => flatten(jitter(stroke, hand.wobble, stream)));
  const placed = strokes.map((points) => points.map((point) => place(point, hand)));
  return centred(placed).flatMap((points) =>
    points.slice(1).map(([x1, y1], i) => {
      const [x0, y0] = points[i];
      return { x0, y0, x1, y1, radius: hand.radius };
    }),
  );
}

/** Moves each control point by a normal distance with standard deviation `wobble`. */
function jitter(stroke: GlyphStroke, wobble: number, stream: RandomStream): GlyphStroke {
  const points = stroke.points.map(([x, y]): Point => {
    // Box–Muller: a radius and a direction.
    const radius = wobble * Math.sqrt(-2 * log(1 - stream.uniform()));
    const direction = 360 * stream.uniform();
    return [x + radius * cosDegrees(direction), y + radius * sinDegrees(direction)];
  });
  return { ...stroke, points };
}

/** The stroke as a polyline; a curve is the Catmull–Rom spline through its points. */
function flatten({ kind, points }: GlyphStroke): Point[] {
  if (kind === 'line') return [...points];
  const path: Point[] = [points[0]];
  for (let i = 0; i + 1 < points.length; i++) {
    const p0 = points[Math.max(0, i - 1)];
    const p1 = points[i];
    const p2 = points[i + 1];
    const p3 = points[Math.min(points.length - 1, i + 2)];
    for (let step = 1; step <= CURVE_STEPS; step++) {
      const t = step / CURVE_STEPS;
      path.push([catmullRom(p0[0], p1[0], p2[0], p3[0], t), catmullRom(p0[1], p1[1], p2[1], p3[1], t)]);
    }
  }
  return path;
}

function catmullRom(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/** From the unit square to px about the origin: size, slant (shear), tilt. */
function place(
  [u, v]: Point,
  hand: { readonly slant: number; readonly tilt: number; readonly width: number; readonly height: number },
): Point {
  const y = (v - 0.5) * hand.height;
  const x = (u - 0.5) * hand.width - hand.slant * y;
  const c = cosDegrees(hand.tilt);
  const s = sinDegrees(hand.tilt);
  return [c * x - s * y, s * x + c * y];
}

/** Moves the middle of the strokes' bounding box to the texture's. */
function centred(strokes: readonly Point[][]): Point[][] {
  const xs = strokes.flatMap((points) => points.map(([x]) => x));
  const ys = strokes.flatMap((points) => points.map(([, y]) => y));
  const dx = (DIGIT_SIZE - Math.min(...xs) - Math.max(...xs)) / 2;
  const dy = (DIGIT_SIZE - Math.min(...ys) - Math.max(...ys)) / 2;
  return strokes.map((points) => points.map(([x, y]): Point => [x + dx, y + dy]));
}
