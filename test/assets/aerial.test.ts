import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpriteAsset, SpriteImage } from '../../src/assets/assetLibrary.js';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { type ProceduralAerialOptions, proceduralAerial } from '../../src/assets/proceduralAerial.js';
import { AssetError } from '../../src/errors.js';

const load = (asset: SpriteAsset) => asset.load() as SpriteImage;
const SMALL = { cars: 12, trees: 6, houses: 6, grass: 2, roads: 2 };

/** First and one past the last column and row whose opacity is at least `alpha`. */
function extent({ width, height, pixels }: SpriteImage, alpha: number) {
  const at = [...Array(width * height).keys()].filter((i) => pixels[4 * i + 3] >= alpha);
  const xs = at.map((i) => i % width);
  const ys = at.map((i) => Math.floor(i / width));
  const range = (values: number[]) => [Math.min(...values), Math.max(...values) + 1];
  return { count: at.length, x: range(xs), y: range(ys) };
}

/** Mean colour of the opaque pixels in columns [from, to). */
function meanColour({ width, pixels }: SpriteImage, from: number, to: number): number[] {
  const sum = [0, 0, 0];
  let count = 0;
  for (let i = 0; i < pixels.length / 4; i++) {
    if (i % width < from || i % width >= to || pixels[4 * i + 3] < 200) continue;
    count++;
    for (let c = 0; c < 3; c++) sum[c] += pixels[4 * i + c];
  }
  return sum.map((value) => value / count);
}

test('names, counts, licence: those of the paper by default, drawn only on load', () => {
  const { assets } = proceduralAerial();
  const count = (kind: string) => assets.filter(({ name }) => name.startsWith(`aerial/${kind}/`)).length;
  assert.equal(['car', 'tree', 'house', 'grass', 'road'].map(count), [600, 40, 20, 7, 4]);
  assert.is(assets[7].name, 'aerial/car/0007');
  assert.ok(assets.every(({ licence, format }) => licence === 'CC0-1.0' && format === 'rgba8'));
});

test('textures are the same on every machine: hash of the pixels', () => {
  const hash = createHash('sha256');
  for (const asset of proceduralAerial({ ...SMALL, size: 32, seed: 5 }).assets) hash.update(load(asset).pixels);
  assert.is(hash.digest('hex'), GOLDEN);
});
const GOLDEN = '7a817d9442ed90cba09928f8223170729b5c421b8c3fdf9d58994524c009ebeb';

test('a texture depends on seed, kind and index only', () => {
  const few = proceduralAerial({ cars: 2, trees: 1, houses: 1, grass: 1, roads: 1, size: 48 });
  const many = proceduralAerial({ ...SMALL, size: 48 });
  const other = proceduralAerial({ ...SMALL, size: 48, seed: 1 });
  for (const asset of few.assets) {
    const pixels = load(asset).pixels;
    assert.equal(load(many.assets[many.indexOf(asset.name)]).pixels, pixels, asset.name);
    assert.not.equal(load(other.assets[other.indexOf(asset.name)]).pixels, pixels, asset.name);
  }
});

test('parts: generated scenes and a target can be drawn with textures of their own, and together they are all', async () => {
  const names = async (from: number, to: number) => {
    const library = await openAssetSources([{ kind: 'aerial', from, to }]);
    return library.names.filter((name) => name.startsWith('aerial/'));
  };
  const [first, second] = [await names(0, 0.55), await names(0.55, 1)];
  assert.is(first.filter((name) => second.includes(name)).length, 0);
  assert.is(first.length + second.length, 671);
  assert.equal(
    first.filter((name) => name.startsWith('aerial/road/')),
    ['aerial/road/0000', 'aerial/road/0001', 'aerial/road/0002'],
  );
});

test('sizes are what the library says, at any size of canvas', () => {
  for (const size of [16, 100, 256]) {
    for (const asset of proceduralAerial({ cars: 1, trees: 1, houses: 1, grass: 0, roads: size > 100 ? 0 : 1, size })
      .assets) {
      const { width, height, pixels } = load(asset);
      assert.equal([width, height, pixels.length], [asset.width, asset.height, 4 * width * height], asset.name);
    }
  }
});

test('cars: bodies are 22 to 31 by 11 to 16 px, shadows stay below half opacity, nothing touches the border', () => {
  const seen = new Set<string>();
  for (const asset of proceduralAerial({ cars: 60, trees: 0, houses: 0, grass: 0, roads: 0 }).assets) {
    const image = load(asset);
    const body = extent(image, 128);
    const [length, width] = [body.x[1] - body.x[0], body.y[1] - body.y[0]];
    assert.ok(length >= 22 && length <= 31 && width >= 11 && width <= 16, `${asset.name}: ${length} × ${width}`);
    // Rounded corners and mirrors: less than the box, but most of it.
    assert.ok(body.count > 0.7 * length * width && body.count < length * width, `${asset.name}: ${body.count}`);
    const all = extent(image, 1);
    assert.ok(all.count > body.count + 60, 'a shadow around it');
    assert.ok(all.x[0] > 0 && all.y[0] > 0 && all.x[1] < image.width && all.y[1] < image.height, asset.name);
    // Body and shadow are told apart by more than the anti-aliased rim: few pixels lie between.
    const between = extent(image, 115).count - extent(image, 200).count;
    assert.ok(between < 0.28 * body.count, `${asset.name}: ${between} of ${body.count}`);
    seen.add(Buffer.from(image.pixels).toString('base64'));
  }
  assert.is(seen.size, 60);
});

test('cars: red lights behind, pale ones in front: heading 0° differs from 180° in every one', () => {
  for (const asset of proceduralAerial({ cars: 60, trees: 0, houses: 0, grass: 0, roads: 0 }).assets) {
    const image = load(asset);
    const { width, pixels } = image;
    const { x } = extent(image, 128);
    const most = (from: number, to: number, measure: (red: number, green: number, blue: number) => number) => {
      let most = 0;
      for (let i = 0; i < pixels.length / 4; i++) {
        if (i % width < from || i % width >= to || pixels[4 * i + 3] < 200) continue;
        most = Math.max(most, measure(pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2]));
      }
      return most;
    };
    assert.ok(most(x[0], x[0] + 3, (red, green) => red - green) > 80, `${asset.name}: red behind`);
    assert.ok(most(x[1] - 5, x[1], (red, green, blue) => red + green + blue) > 560, `${asset.name}: pale in front`);
    // Turned by 180° the picture is another one.
    let difference = 0;
    for (let i = 0; i < pixels.length / 4; i++) {
      for (let c = 0; c < 3; c++) difference += Math.abs(pixels[4 * i + c] - pixels[pixels.length - 4 - 4 * i + c]);
    }
    const { count } = extent(image, 128);
    assert.ok(difference / (3 * count) > 8, `${asset.name}: ${difference / (3 * count)} levels`);
  }
});

test('trees and houses: within their sprites, crowns round, roofs filled', () => {
  const share: Record<string, readonly [number, number]> = { tree: [0.55, 0.9], house: [0.62, 1] };
  for (const asset of proceduralAerial({ cars: 0, trees: 20, houses: 20, grass: 0, roads: 0 }).assets) {
    const image = load(asset);
    const body = extent(image, 128);
    const area = (body.x[1] - body.x[0]) * (body.y[1] - body.y[0]);
    const [low, high] = share[asset.name.split('/')[1]];
    assert.ok(body.count >= low * area && body.count <= high * area, `${asset.name}: ${body.count / area}`);
    const all = extent(image, 1);
    assert.ok(all.x[0] > 0 && all.y[0] > 0 && all.x[1] < image.width && all.y[1] < image.height, asset.name);
  }
});

test('grass: opaque, green, mottled, and a tile: opposite edges are like neighbours', () => {
  for (const asset of proceduralAerial({ cars: 0, trees: 0, houses: 0, roads: 0, size: 64 }).assets) {
    const { width, height, pixels } = load(asset);
    assert.is(asset.edge, 'extend');
    const green = (x: number, y: number) => pixels[4 * (((y + height) % height) * width + ((x + width) % width)) + 1];
    let inside = 0;
    let across = 0;
    for (let i = 0; i < width * height; i++) assert.is(pixels[4 * i + 3], 255);
    for (let y = 0; y < height; y++) {
      across += Math.abs(green(width, y) - green(width - 1, y)) / height;
      for (let x = 1; x < width; x++) inside += Math.abs(green(x, y) - green(x - 1, y)) / (height * (width - 1));
    }
    assert.ok(inside > 2, 'mottled');
    assert.ok(across < 1.6 * inside, `${asset.name}: ${across} across the seam, ${inside} elsewhere`);
    const [red, middle, blue] = meanColour({ width, height, pixels, format: 'rgba8' }, 0, width);
    assert.ok(middle > red && middle > blue, asset.name);
  }
});

test('roads: as long as any way across the canvas, markings brighter than asphalt, edges clear of the border', () => {
  for (const asset of proceduralAerial({ cars: 0, trees: 0, houses: 0, grass: 0, size: 64 }).assets) {
    const image = load(asset);
    const body = extent(image, 128);
    assert.ok(body.x[1] - body.x[0] > 2 * 64 * Math.SQRT2, 'from any point in any direction');
    const width = (body.y[1] - body.y[0]) / (64 / 128);
    assert.ok(width > 34 && width < 42, `${asset.name}: ${width} units wide`);
    const row = (y: number) => {
      const at = Math.floor(image.height / 2 + y / 2) * image.width;
      let sum = 0;
      for (let x = 40; x < image.width - 40; x++) sum += image.pixels[4 * (at + x)];
      return sum / (image.width - 80);
    };
    // Edge lines at ±15.8 units, lanes at ±8.
    assert.ok(row(15.8) > row(8) + 15 && row(-15.8) > row(-8) + 15, asset.name);
    assert.ok(row(0.2) > row(4) + 5, `${asset.name}: dashes in the middle`);
  }
});

test('options out of range are refused', () => {
  const refused = (options: ProceduralAerialOptions, pattern: RegExp) =>
    assert.throws(
      () => proceduralAerial(options),
      (error: unknown) => error instanceof AssetError && pattern.test(error.message),
    );
  refused({ cars: -1 }, /integer from 0 to 10000 for cars but received -1/);
  refused({ size: 8 }, /from 16 to 1024 for size but received 8/);
  refused({ seed: 0.5 }, /for seed but received 0.5/);
  refused({ from: 0.6, to: 0.5 }, /0 ≤ from ≤ to ≤ 1 .* received 0.6 and 0.5/);
});

test.run();
