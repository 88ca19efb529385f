import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpriteAsset, SpriteImage } from '../../src/assets/assetLibrary.js';
import { proceduralBackgrounds } from '../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../src/assets/proceduralDigits.js';
import { rasteriseStrokes, type StrokeSegment } from '../../src/assets/strokeRasteriser.js';
import { AssetError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';

/** The definition in float64: ink = 255 · clamp(r + ½ − distance), the darkest segment wins. */
function naive(segments: StrokeSegment[], width: number, height: number): number[] {
  return Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
    const inks = segments.map(({ x0, y0, x1, y1, radius }) => {
      const [dx, dy] = [x1 - x0, y1 - y0];
      const squared = dx * dx + dy * dy;
      const t = squared > 0 ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / squared)) : 0;
      const distance = Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
      return 255 * Math.min(1, Math.max(0, radius + 0.5 - distance));
    });
    return Math.max(0, ...inks);
  });
}

test('strokes: the kernel draws the distance to the nearest segment, within one grey level', () => {
  const stream = new RandomStream({ seed: 1, index: 0 });
  const at = (size: number) => (stream.uniform() * 1.4 - 0.2) * size;
  for (let round = 0; round < 20; round++) {
    const [width, height] = [5 + stream.integer(30), 5 + stream.integer(30)];
    const segments = Array.from({ length: 1 + stream.integer(6) }, () => ({
      x0: at(width),
      y0: at(height),
      x1: at(width),
      y1: at(height),
      radius: 3 * stream.uniform(),
    }));
    // A dot: both ends in one place.
    segments.push({ ...segments[0], x1: segments[0].x0, y1: segments[0].y0, radius: 2.5 });
    const drawn = rasteriseStrokes(segments, width, height);
    const expected = naive(segments, width, height);
    for (const [i, ink] of drawn.entries()) {
      assert.ok(Math.abs(ink - expected[i]) <= 0.51, `round ${round}, pixel ${i}: ${ink} for ${expected[i]}`);
    }
  }
});

test('strokes: by hand, a line along pixel centres', () => {
  // Radius ½ at y = 1½: row 1 has distance 0, ink 255; rows 0 and 2 distance 1, ink 0. Beyond the end at x = 2½: none.
  const drawn = rasteriseStrokes([{ x0: 0.5, y0: 1.5, x1: 2.5, y1: 1.5, radius: 0.5 }], 4, 3);
  assert.equal([...drawn], [0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0]);
});

const load = (asset: SpriteAsset) => asset.load() as SpriteImage;

test('digits: names, format, licence; a larger library begins with the smaller one, and pixels come back the same', () => {
  const small = proceduralDigits({ variants: 2, seed: 4 });
  const large = proceduralDigits({ variants: 5, seed: 4 });
  assert.is(small.names.length, 20);
  assert.is(small.names[15], 'digits/7/0001');
  const asset = small.assets[15];
  assert.equal(
    [asset.width, asset.height, asset.format, asset.edge, asset.licence],
    [28, 28, 'ink8', 'fade', 'CC0-1.0'],
  );
  const again = large.assets[large.indexOf('digits/7/0001')];
  assert.equal(load(again).pixels, load(asset).pixels);
  assert.equal(load(asset).pixels, load(asset).pixels);
  const other = proceduralDigits({ variants: 2, seed: 5 }).assets[15];
  assert.not.equal(load(other).pixels, load(asset).pixels);
});

test('digits: ink like MNIST’s, clear of the border, full strokes, all different', () => {
  const seen = new Set<string>();
  for (const asset of proceduralDigits({ variants: 40 }).assets) {
    const { pixels } = load(asset);
    assert.is(pixels.length, 28 * 28);
    assert.is(Math.max(...pixels), 255, asset.name);
    // MNIST's digits cover 2 to 40 % of the image; its mean is 13 %.
    const mean = pixels.reduce((sum, ink) => sum + ink, 0) / 255 / pixels.length;
    assert.ok(mean > 0.03 && mean < 0.3, `${asset.name}: ${mean}`);
    const border = [...pixels.keys()].filter((i) => i < 28 || i >= 27 * 28 || i % 28 === 0 || i % 28 === 27);
    assert.ok(
      border.every((i) => pixels[i] === 0),
      `${asset.name} touches the border`,
    );
    seen.add(Buffer.from(pixels).toString('base64'));
  }
  assert.is(seen.size, 400);
});

/** A digit turned by k quarter turns. */
function turned(pixels: Uint8Array, k: number): Uint8Array {
  let image = pixels;
  for (let turn = 0; turn < k; turn++) {
    image = image.map((_, i) => image[(27 - (i % 28)) * 28 + Math.floor(i / 28)]);
  }
  return image;
}

test('digits: the nearest neighbour tells unseen digits upright, and finds the 9 and the 6 apart under half a turn', () => {
  const { assets } = proceduralDigits({ variants: 120 });
  const images = assets.map((asset) => load(asset).pixels);
  const ofDigit = (digit: number) => images.slice(digit * 120, digit * 120 + 120);
  const nearest = (image: Uint8Array, references: { label: number; image: Uint8Array }[]) => {
    let best = { label: -1, distance: Number.POSITIVE_INFINITY };
    for (const reference of references) {
      let distance = 0;
      for (let i = 0; i < image.length; i++) distance += (image[i] - reference.image[i]) ** 2;
      if (distance < best.distance) best = { label: reference.label, distance };
    }
    return best.label;
  };
  const references = Array.from({ length: 10 }, (_, label) =>
    ofDigit(label)
      .slice(0, 80)
      .map((image) => ({ label, image })),
  ).flat();
  let right = 0;
  for (let label = 0; label < 10; label++) {
    for (const image of ofDigit(label).slice(80)) right += nearest(image, references) === label ? 1 : 0;
  }
  assert.ok(right >= 0.95 * 400, `${right} of 400`);
  // A 6 against nines upside down and sixes upright, and the other way round.
  const pairs = [
    ...ofDigit(6)
      .slice(0, 80)
      .map((image) => ({ label: 6, image })),
    ...ofDigit(9)
      .slice(0, 80)
      .map((image) => ({ label: 9, image: turned(image, 2) })),
  ];
  let apart = 0;
  for (const image of ofDigit(6).slice(80)) apart += nearest(image, pairs) === 6 ? 1 : 0;
  for (const image of ofDigit(9).slice(80)) apart += nearest(turned(image, 2), pairs) === 9 ? 1 : 0;
  assert.ok(apart >= 0.95 * 80, `${apart} of 80`);
});

test('backgrounds: opaque, black is black, noise is grey, smooth, and different per variant', () => {
  const library = proceduralBackgrounds({ width: 40, height: 30, variants: 2 });
  assert.equal(library.names, ['backgrounds/black', 'backgrounds/grey-noise/0000', 'backgrounds/grey-noise/0001']);
  const [black, first, second] = library.assets.map((asset) => load(asset).pixels);
  assert.ok(library.assets.every(({ edge, format, width }) => edge === 'extend' && format === 'rgba8' && width === 40));
  assert.equal([...black.slice(0, 8)], [0, 0, 0, 255, 0, 0, 0, 255]);
  assert.is(first.length, 40 * 30 * 4);
  assert.not.equal(first, second);
  for (let i = 0; i < first.length; i += 4) {
    assert.ok(first[i] >= 16 && first[i] <= 112 && first[i] === first[i + 1] && first[i] === first[i + 2]);
    assert.is(first[i + 3], 255);
    if ((i / 4) % 40 > 0) assert.ok(Math.abs(first[i] - first[i - 4]) < 24, 'no jumps between neighbours');
  }
  assert.ok(new Set(first).size > 20);
});

test('options out of range are refused', () => {
  assert.throws(() => proceduralDigits({ variants: 0 }), /integer from 1 to 10000 for variants but received 0/);
  assert.throws(() => proceduralDigits({ seed: 0.5 }), /for seed but received 0.5/);
  assert.throws(
    () => proceduralBackgrounds({ width: 1e6 }),
    (error: unknown) => error instanceof AssetError && /for width but received 1000000/.test(error.message),
  );
});

test.run();
