import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import { COVERAGE_COLUMNS, CoverageColumn } from '../../src/render/coverage.js';
import { Engine } from '../../src/render/engine.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import { AttributeRole } from '../../src/scene/attributeSchema.js';
import { type SceneBatch, totalNodes } from '../../src/scene/sceneGraph.js';
import { SpriteSource, spriteBatch as sourceBatch, spriteLibrary as sourceLibrary } from '../helpers/sprites.js';
import { referenceInstances } from './referenceRenderer.js';
import { type NodeSpec, spriteBatch, spriteImages, spriteLibrary } from './spriteFixtures.js';
import { arbitraryNodes } from './spriteScenes.js';

const simd = await LocalRenderer.create(spriteLibrary, 'simd');
const scalar = await LocalRenderer.create(spriteLibrary, 'scalar');

interface Cover {
  readonly pixels: number;
  readonly inside: number;
  /** Left, top, right, bottom; zeros where there are no pixels. */
  readonly box: readonly number[];
}

/** Row of node `v`. */
function coverOf(coverage: Float64Array, v: number): Cover {
  const row = coverage.subarray(v * COVERAGE_COLUMNS, (v + 1) * COVERAGE_COLUMNS);
  const { Pixels, Inside, Left, Bottom } = CoverageColumn;
  return { pixels: row[Pixels], inside: row[Inside], box: Array.from(row.subarray(Left, Bottom + 1)) };
}

function quadOf(coverage: Float64Array, v: number): number[] {
  return Array.from(coverage.subarray(v * COVERAGE_COLUMNS, v * COVERAGE_COLUMNS + 4));
}

/** Counted pixel by pixel on a canvas of `width` × `height` whose pixel (0, 0) is pixel (−left, −top) of the map. */
function count(map: ArrayLike<number>, side: number, pad: number, width: number, height: number): Cover {
  let [pixels, inside, left, top, right, bottom] = [0, 0, Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < side * side; i++) {
    if (map[i] === 0) continue;
    const x = (i % side) - pad;
    const y = Math.floor(i / side) - pad;
    pixels++;
    if (x >= 0 && y >= 0 && x < width && y < height) inside++;
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + 1);
    bottom = Math.max(bottom, y + 1);
  }
  return { pixels, inside, box: pixels === 0 ? [0, 0, 0, 0] : [left, top, right, bottom] };
}

/** The batch's first scene on a square of `side` px, moved by `pad` px, with all sprites but that of node `v` taken off. */
function aloneAndMoved(batch: SceneBatch, v: number, side: number, pad: number): SceneBatch {
  const [scene] = batch.scenes;
  const columns = batch.schema.attributes.length;
  const attributes = scene.attributes.slice();
  for (const role of [AttributeRole.X, AttributeRole.Y]) {
    const column = batch.schema.attributes.findIndex((spec) => spec.role === role);
    scene.parent.forEach((parent, node) => {
      if (parent < 0) attributes[node * columns + column] += pad;
    });
  }
  const asset = scene.asset.map((index, node) => (node === v ? index : -1));
  return { ...batch, scenes: [{ ...scene, width: side, height: side, asset, attributes }] };
}

test('columns are where the kernel writes them', () => {
  const { constants } = simd.kernels;
  const names: Record<string, CoverageColumn> = {
    COVERAGE_CENTRE_X: CoverageColumn.CentreX,
    COVERAGE_CENTRE_Y: CoverageColumn.CentreY,
    COVERAGE_WIDTH: CoverageColumn.Width,
    COVERAGE_HEIGHT: CoverageColumn.Height,
    COVERAGE_PIXELS: CoverageColumn.Pixels,
    COVERAGE_INSIDE: CoverageColumn.Inside,
    COVERAGE_LEFT: CoverageColumn.Left,
    COVERAGE_TOP: CoverageColumn.Top,
    COVERAGE_RIGHT: CoverageColumn.Right,
    COVERAGE_BOTTOM: CoverageColumn.Bottom,
  };
  for (const [name, column] of Object.entries(names)) assert.is(constants[name], 8 * column, name);
  assert.is(constants.COVERAGE_BYTES, 8 * COVERAGE_COLUMNS);
});

test('a tile over the corner, worked by hand', () => {
  // 20 × 12 px, centre (5, 4): columns −5 … 14, rows −2 … 9. On an 11 × 8 canvas: columns 0 … 10, rows 0 … 7.
  const batch = spriteBatch({ width: 11, height: 8, channels: 3 }, [[{ asset: 'tile', x: 5, y: 4 }]]);
  const { coverage } = simd.render(batch)[0];
  assert.equal(coverOf(coverage!, 0), { pixels: 240, inside: 88, box: [-5, -2, 15, 10] });
  assert.equal(quadOf(coverage!, 0), [5, 4, 20, 12]);
});

test('of an opaque quad between pixels those are counted that it covers by half or more', () => {
  // Twice as large and moved by a quarter pixel: columns from −15 + ¼ to 25 + ¼ px, so 40 columns −15 … 24, as the one
  // on the left is covered by ¾ and the 26th by ¼ only; rows likewise from −8.25 to 15.75: −8 … 15.
  const batch = spriteBatch({ width: 11, height: 8, channels: 1 }, [[{ asset: 'tile', x: 5.25, y: 3.75, scale: 2 }]]);
  const { coverage } = simd.render(batch)[0];
  assert.equal(coverOf(coverage!, 0), { pixels: 960, inside: 88, box: [-15, -8, 25, 16] });
  assert.equal(quadOf(coverage!, 0), [5.25, 3.75, 40, 24]);
});

test('the quad is that of the content: margins do not count, hierarchy and stretch do', () => {
  const image = spriteImages.get('arrow')!;
  const filled = [...Array(image.width * image.height).keys()].filter((i) => image.pixels[4 * i + 3] > 0);
  const columns = filled.map((i) => i % image.width);
  const rows = filled.map((i) => Math.floor(i / image.width));
  const [left, right, top, bottom] = [
    Math.min(...columns),
    Math.max(...columns) + 1,
    Math.min(...rows),
    Math.max(...rows) + 1,
  ];
  assert.ok(left > 0 && right < image.width, 'the arrow has a margin');
  // The child's frame: at (10, 0) of a frame turned by 90° (x → down) and twice as large, so at (30, 40). It is mirrored
  // and half as wide: texels along u are 2 · −½ px downwards, along v 2 px to the left.
  const batch = spriteBatch({ width: 64, height: 64, channels: 3 }, [
    [
      { x: 30, y: 20, rotation: 90, scale: 2 },
      { asset: 'arrow', parent: 0, x: 10, y: 0, scaleX: -0.5 },
    ],
  ]);
  const quad = quadOf(simd.render(batch)[0].coverage!, 1);
  const u = (left + right) / 2 - image.width / 2;
  const v = (top + bottom) / 2 - image.height / 2;
  const expected = [30 - 2 * v, 40 - u, right - left, 2 * (bottom - top)];
  for (const [i, value] of quad.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-9, `${quad} is ${expected}`);
  assert.equal(quadOf(simd.render(batch)[0].coverage!, 0), [0, 0, 0, 0], 'a frame has none');
});

test('what is too transparent, too small, empty or without a sprite covers nothing', () => {
  const nodes: NodeSpec[] = [
    { asset: 'tile', x: 8, y: 8, opacity: 0.49 },
    { asset: 'seven', x: 8, y: 8, opacity: 0.2 },
    { asset: 'tile', x: 8.5, y: 8, scale: 0.01 },
    { asset: 'blank', x: 8, y: 8 },
    { x: 8, y: 8 },
    { asset: 'tile', x: 8, y: 8, opacity: -1 },
    { asset: 'tile', x: 8, y: 8, scale: 0 },
  ];
  const batch = spriteBatch({ width: 16, height: 16, channels: 3 }, [nodes]);
  const { coverage } = simd.render(batch)[0];
  for (const v of nodes.keys())
    assert.equal(coverOf(coverage!, v), { pixels: 0, inside: 0, box: [0, 0, 0, 0] }, `${v}`);
  const half = spriteBatch({ width: 16, height: 16, channels: 3 }, [[{ asset: 'tile', x: 8, y: 8, opacity: 0.5 }]]);
  assert.is(coverOf(simd.render(half)[0].coverage!, 0).pixels, 240);
});

test('an object far off the canvas is counted where it is', () => {
  const batch = spriteBatch({ width: 16, height: 16, channels: 3 }, [[{ asset: 'tile', x: -5000, y: 900 }]]);
  assert.equal(coverOf(simd.render(batch)[0].coverage!, 0), { pixels: 240, inside: 0, box: [-5010, 894, -4990, 906] });
});

test('random scenes: each node as it is rendered alone on a large canvas, in both builds', () => {
  const width = 45;
  const height = 37;
  // No sprite of these scenes reaches farther: 256 px of grass, three nested scales of 1.8 and stretches of 1.6.
  let counted = 0;
  fc.assert(
    fc.property(arbitraryNodes(), fc.constantFrom<1 | 3>(1, 3), (nodes, channels) => {
      const batch = spriteBatch({ width, height, channels }, [nodes]);
      const { coverage, instances } = simd.render(batch)[0];
      assert.equal(scalar.render(batch)[0].coverage, coverage);
      const reach = 40 + Math.max(...coverage!.map(Math.abs));
      // Whole multiples of 64 px keep the attributes' float32 as they are, but for a rounding that is checked below.
      const pad = 64 * Math.ceil(reach / 64);
      const side = 2 * pad + 64;
      if (side > 2048) return;
      nodes.forEach((_, v) => {
        const own = coverOf(coverage!, v);
        const alone = spriteBatch({ width, height, channels }, [nodes]);
        alone.scenes[0].asset.fill(-1);
        alone.scenes[0].asset[v] = batch.scenes[0].asset[v];
        const onCanvas = simd.render(alone, 'none')[0].instances!;
        assert.is(
          own.inside,
          onCanvas.reduce((sum, id) => sum + Number(id > 0), 0),
        );
        const moved = simd.render(aloneAndMoved(batch, v, side, pad), 'none')[0].instances!;
        const expected = count(moved, side, pad, width, height);
        // Positions around −10 … 50 lose up to 2^-15 px when some hundred are added: no more than single pixels differ.
        assert.ok(Math.abs(own.pixels - expected.pixels) <= 2, `${own.pixels} of ${expected.pixels} px`);
        if (own.pixels > 0 && expected.pixels > 0) {
          const apart = Math.max(...own.box.map((edge, i) => Math.abs(edge - expected.box[i])));
          assert.ok(apart <= 1, `${own.box}, ${expected.box}`);
        }
        const seen = instances!.reduce((sum, id) => sum + Number(id === v + 1), 0);
        assert.ok(seen <= own.inside, 'no more is seen than there is');
        counted++;
      });
    }),
    { numRuns: 60, seed: 3 },
  );
  assert.ok(counted > 80, `${counted} nodes were compared`);
});

test('positions that float32 holds when moved too: equal to the last pixel, also to the reference in float64', () => {
  const nodes: NodeSpec[] = [
    { asset: 'tile', x: 3.5, y: -2.25, rotation: 30, scale: 1.5 },
    { asset: 'seven', parent: 0, x: -9.25, y: 12.5, rotation: -75 },
    { asset: 'car', x: 44.75, y: 20.5, rotation: 200, scaleX: 1.25, opacity: 0.75 },
    { asset: 'glass', x: 20, y: 30, rotation: 10 },
    { asset: 'stamp', parent: 2, x: 6, y: -4, scale: 2, rotation: 45 },
    { asset: 'background/grass', x: 20, y: 18, rotation: 3 },
    { asset: 'disc', x: -60, y: 18 },
  ];
  for (const channels of [1, 3] as const) {
    const batch = spriteBatch({ width: 48, height: 36, channels }, [nodes]);
    const { coverage } = simd.render(batch)[0];
    nodes.forEach((_, v) => {
      const alone = aloneAndMoved(batch, v, 512, 192);
      const expected = count(simd.render(alone, 'none')[0].instances!, 512, 192, 48, 36);
      assert.equal(coverOf(coverage!, v), expected, `node ${v}`);
      assert.ok(expected.pixels > 0);
      const reference = referenceInstances(alone);
      const unclear = reference.filter(Number.isNaN).length;
      const sure = reference.filter((id) => id > 0).length;
      assert.ok(expected.pixels >= sure && expected.pixels <= sure + unclear, `node ${v} against the reference`);
    });
  }
});

test('what is seen of a node alone is what is inside: the two tests agree to the pixel', () => {
  const batch = sourceBatch(40, 64, 9);
  const single = {
    ...batch,
    scenes: batch.scenes.map((scene) => ({
      ...scene,
      asset: scene.asset.map((index, v) => (v === scene.asset.length - 1 ? index : -1)),
    })),
  };
  return LocalRenderer.create(sourceLibrary).then((renderer) => {
    const together = renderer.render(batch);
    for (const [i, image] of renderer.render(single).entries()) {
      const last = batch.scenes[i].asset.length - 1;
      const seen = together[i].instances!.filter((id) => id === last + 1).length;
      assert.is(coverOf(image.coverage!, last).inside, seen);
      assert.is(coverOf(together[i].coverage!, last).inside, seen);
    }
  });
});

test('an opaque sprite of ink, counted by spans: upright and turned, as it is drawn', async () => {
  const pixels = new Uint8Array(20 * 12).fill(255);
  const block = { width: 20, height: 12, format: 'ink8' as const, pixels };
  const library = new AssetLibrary([{ kind: 'sprite', name: 'block', edge: 'extend', ...block, load: () => block }]);
  const renderer = await LocalRenderer.create(library);
  const poses = [
    { x: 3.5, y: 30.25 },
    { x: 40.75, y: 3.5, rotation: 90, scaleX: 2.5 },
    { x: 4, y: 5, rotation: 33 },
  ];
  for (const pose of poses) {
    for (const opacity of [0.5, 0.625, 1]) {
      const own = spriteBatch({ width: 48, height: 36, channels: 1 }, [[{ asset: 'tile', opacity, ...pose }]]);
      const batch = { ...own, assets: own.assets.map((name) => (name === 'tile' ? 'block' : name)) };
      const alone = aloneAndMoved(batch, 0, 192, 64);
      const expected = count(renderer.render(alone, 'none')[0].instances!, 192, 64, 48, 36);
      assert.ok(expected.inside > 0 && expected.inside < expected.pixels);
      assert.equal(coverOf(renderer.render(batch)[0].coverage!, 0), expected, JSON.stringify({ ...pose, opacity }));
    }
  }
});

test('absurd sizes end soon, cut to the neighbourhood of the canvas', () => {
  const sizes: NodeSpec[] = [
    { asset: 'stamp', x: 8, y: 8, scale: 9e5 },
    { asset: 'disc', x: 8, y: 8, scale: 9e5, rotation: 45 },
    { asset: 'tile', x: 8, y: 8, scale: 9e5, rotation: 45 },
    { asset: 'tile', x: 8, y: 8, scale: 1e5, scaleY: 1e-6 },
    { asset: 'tile', x: 8, y: 8, scale: 100 },
    { asset: 'disc', x: -9e5, y: 8, scale: 9e5 },
  ];
  const batch = spriteBatch({ width: 16, height: 16, channels: 3 }, [sizes]);
  const { coverage } = simd.render(batch)[0];
  assert.equal(scalar.render(batch)[0].coverage, coverage);
  // Four canvas sizes on every side: 144 × 144 px.
  assert.equal(coverOf(coverage!, 1), { pixels: 144 ** 2, inside: 256, box: [-64, -64, 80, 80] });
  assert.equal(coverOf(coverage!, 2), { pixels: 144 ** 2, inside: 256, box: [-64, -64, 80, 80] });
  // An opaque one of 1,200 rows is counted whole.
  assert.equal(coverOf(coverage!, 4), { pixels: 2_400_000, inside: 256, box: [-992, -592, 1008, 608] });
});

test('batches: scenes of different lengths, the same for any number of workers', async () => {
  const batch = sourceBatch(90, 64, 4);
  const local = await LocalRenderer.create(sourceLibrary);
  const expected = local.render(batch, 'none').flatMap((image) => Array.from(image.coverage!));
  assert.is(expected.length, totalNodes(batch) * COVERAGE_COLUMNS);
  for (const workers of [0, 2]) {
    const engine = await Engine.create({ assets: sourceLibrary, workers });
    try {
      const rendered = await engine.render(batch, { color: 'u8', labels: true });
      assert.equal(Array.from(rendered.coverage!), expected, `${workers} workers`);
      const shorter = { ...batch, scenes: batch.scenes.slice(0, 90).reverse() };
      const again = await engine.render(shorter, { color: 'u8', labels: true, into: rendered });
      assert.is(again.instances, rendered.instances);
      assert.is.not(again.coverage, rendered.coverage);
      assert.is((await engine.render(batch, { color: 'u8' })).coverage, undefined);
      for (const reuse of [false, true]) {
        let at = 0;
        for await (const sample of engine.generate(new SpriteSource(64), { count: 90, seed: 4, reuse })) {
          const own = expected.slice(at, (at += sample.scene.parent.length * COVERAGE_COLUMNS));
          assert.equal(Array.from(sample.coverage), own, `scene ${sample.index}`);
        }
        assert.is(at, expected.length);
      }
    } finally {
      await engine.close();
    }
  }
});

test.run();
