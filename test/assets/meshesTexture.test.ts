import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MeshData } from '../../src/assets/meshAsset.js';
import { meshAssets } from '../../src/assets/meshes/meshAssets.js';
import { packRectangles } from '../../src/assets/meshes/packRectangles.js';
import { colourAt, pngOf, TestGltf } from '../helpers/models.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-textures-'));
test.after(() => rmSync(folder, { recursive: true }));
let files = 0;

async function imported(gltf: TestGltf): Promise<MeshData> {
  const path = join(folder, `${files++}.glb`);
  writeFileSync(path, gltf.glb());
  return (await meshAssets(path)).assets[0].load();
}

const QUAD = [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0];
const TWO = [0, 1, 2, 0, 2, 3];
/** Corner weights a sixth inside of a triangle's corners. */
const NEAR = [
  [2 / 3, 1 / 6, 1 / 6],
  [1 / 6, 2 / 3, 1 / 6],
  [1 / 6, 1 / 6, 2 / 3],
] as const;

const textured = (index: number, more: object = {}) => ({
  pbrMetallicRoughness: { baseColorTexture: { index, ...more } },
});

/** 8 × 8 in four quarters: red green / blue white. */
const quarters = pngOf(
  Array.from({ length: 8 }, (_, y) =>
    Array.from({ length: 8 }, (_, x) => (y < 4 ? (x < 4 ? '#ff0000' : '#00ff00') : x < 4 ? '#0000ff' : '#ffffff')),
  ),
);
const [RED, GREEN, BLUE, WHITE] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
];

/** Colours of a primitive of one triangle at a third of the way to each corner. */
async function coloursOf(uvs: readonly number[], sampler: object, more: object = {}): Promise<number[][]> {
  const gltf = new TestGltf({ materials: [textured(0, more)] });
  gltf.image(quarters, sampler);
  gltf.mesh({ attributes: { POSITION: QUAD.slice(0, 9), TEXCOORD_0: uvs }, material: 0 });
  const mesh = await imported(gltf);
  // Where the triangle lies within one quarter its vertices hold the colour.
  const { width, height } = mesh.texture ?? { width: 1, height: 1 };
  for (const side of [width, height]) assert.is(Math.log2(side) % 1, 0, String(side));
  return NEAR.map((weights) => colourAt(mesh, 0, weights));
}

const CLAMP = { wrapS: 33071, wrapT: 33071 };
const MIRROR = { wrapS: 33648, wrapT: 33648 };

test('a texture lies as the file has it: (0, 0) is its top left', async () => {
  // Near the corners: (0.1, 0.1), (0.9, 0.1), (0.1, 0.9).
  assert.equal(await coloursOf([-0.1, -0.1, 1.3, -0.1, -0.1, 1.3], CLAMP), [RED, GREEN, BLUE]);
});

test('coordinates beyond the texture: repeated, mirrored, or the edge goes on', async () => {
  // At (1.25, 0.25), (1.75, 0.25), (1.25, 0.75), a whole repeat to the right.
  const right = [1.25, 0.25, 1.75, 0.25, 1.25, 0.75].map(
    (value, i) => value + 0.3 * (value - (i % 2 === 0 ? 1.42 : 0.42)),
  );
  assert.equal(await coloursOf(right, {}), [RED, GREEN, BLUE]);
  assert.equal(await coloursOf(right, MIRROR), [GREEN, RED, WHITE]);
  assert.equal(await coloursOf(right, CLAMP), [GREEN, GREEN, WHITE]);
  // Across three repeats at once, and far to the left: at u = −5.75, −4.25 and −5.75, which are 0.25 and 0.75 of a repeat.
  const wide = [-6.25, 0.25, -3.25, 0.25, -6.25, 0.25];
  assert.equal(await coloursOf(wide, {}), [RED, GREEN, RED]);
  // Mirrored, −5.75 is 0.25 of a repeat that runs forwards, and −4.25 is 0.75 of one that runs backwards.
  assert.equal(await coloursOf(wide, MIRROR), [RED, RED, RED]);
});

test('texture transforms: scale, then a turn counter-clockwise, then offset', async () => {
  const transform = (values: object) => ({ extensions: { KHR_texture_transform: values } });
  const uvs = [0.1, 0.1, 0.4, 0.1, 0.1, 0.4];
  assert.equal(await coloursOf(uvs, {}, transform({ offset: [0.5, 0] })), [GREEN, GREEN, GREEN]);
  assert.equal(await coloursOf(uvs, {}, transform({ offset: [0.5, 0.5], scale: [0.9, 0.9] })), [WHITE, WHITE, WHITE]);
  // A quarter turn takes u to −v (upwards) and v to u: (u, v) → (v, −u), here lowered by one: v′ from 0.6 to 0.9.
  assert.equal(await coloursOf(uvs, {}, transform({ offset: [0, 1], rotation: Math.PI / 2 })), [BLUE, BLUE, BLUE]);
});

test('several textures and plain colours become one texture, without mixing at their borders', async () => {
  const plain = (colour: string) => pngOf(Array.from({ length: 4 }, () => new Array(4).fill(colour)));
  const gltf = new TestGltf({
    materials: [textured(0), textured(1), { pbrMetallicRoughness: { baseColorFactor: [0, 0, 1, 1] } }, textured(2)],
  });
  gltf.image(quarters);
  gltf.image(plain('#ff00ff'));
  gltf.image(plain('#00ffff'));
  const uv = [0, 0, 1, 0, 1, 1, 0, 1];
  const primitive = (material: number, z: number) => ({
    attributes: { POSITION: QUAD.map((v, i) => (i % 3 === 2 ? z : v)), TEXCOORD_0: uv },
    indices: TWO,
    material,
  });
  gltf.mesh(primitive(0, 0), primitive(1, 1), primitive(2, 2), primitive(3, 3));
  const mesh = await imported(gltf);
  // To the very corners, where linear sampling reaches into what lies beside.
  const at = (triangle: number) =>
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ].map((w) => colourAt(mesh, triangle, w as [number, number, number]));
  for (const colour of [...at(2), ...at(3)]) assert.equal(colour, [255, 0, 255]);
  for (const colour of [...at(4), ...at(5)]) assert.equal(colour, [0, 0, 255]);
  for (const colour of [...at(6), ...at(7)]) assert.equal(colour, [0, 255, 255]);
  // 1/6 inside of the corners of (0,0), (1,0), (1,1): red, green, white.
  assert.equal(
    NEAR.map((w) => colourAt(mesh, 0, w)),
    [RED, GREEN, WHITE],
  );
  const { texture } = mesh;
  assert.ok(texture && texture.width * texture.height <= 32 * 64, 'as small as it may be');
  assert.ok(
    texture?.pixels.every((value, i) => i % 4 < 3 || value === 255),
    'opaque',
  );
});

test('plain colours and gradients from a palette become colours of vertices', async () => {
  const palette = pngOf(
    Array.from({ length: 256 }, (_, y) => Array.from({ length: 256 }, (_, x) => `rgb(${x & 0xf0}, ${y & 0xf0}, 7)`)),
  );
  const gltf = new TestGltf({ materials: [textured(0)] });
  gltf.image(palette);
  const swatch = (column: number, row: number) => [(16 * column + 8) / 256, (16 * row + 8) / 256];
  const face = (column: number, row: number, z: number) => ({
    attributes: {
      POSITION: QUAD.map((v, i) => (i % 3 === 2 ? z : v)),
      TEXCOORD_0: [0, 1, 2, 3].flatMap(() => swatch(column, row)),
    },
    indices: TWO,
    material: 0,
  });
  gltf.mesh(face(2, 3, 0), face(15, 14, 1), face(0, 15, 2));
  const mesh = await imported(gltf);
  assert.is(mesh.texture, undefined);
  const colours = [0, 2, 4].map((triangle) => colourAt(mesh, triangle, [1 / 3, 1 / 3, 1 / 3]));
  assert.equal(colours, [
    [32, 48, 7],
    [240, 224, 7],
    [0, 240, 7],
  ]);
});

test('a texture of which all is used stays as it is; other sides than powers of two are resampled', async () => {
  const whole = async (width: number, height: number) => {
    const gltf = new TestGltf({ materials: [textured(0)] });
    gltf.image(
      pngOf(
        Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (_, x) => `rgb(${x}, ${y}, ${9 + 90 * ((x ^ y) & 1)})`),
        ),
      ),
      CLAMP,
    );
    gltf.mesh({ attributes: { POSITION: QUAD, TEXCOORD_0: [0, 0, 1, 0, 1, 1, 0, 1] }, indices: TWO, material: 0 });
    const { texture } = await imported(gltf);
    if (!texture) throw new Error('Expected a texture');
    return texture;
  };
  const same = await whole(64, 32);
  assert.equal([same.width, same.height], [64, 32]);
  for (const [x, y] of [
    [0, 0],
    [63, 31],
    [17, 5],
  ]) {
    assert.equal([...same.pixels.subarray(4 * (64 * y + x), 4 * (64 * y + x) + 4)], [x, y, 9, 255]);
  }
  const grown = await whole(48, 24);
  assert.equal([grown.width, grown.height], [64, 32]);
  // Texel 32 of 64 is centred at (32.5 · 48/64) − 0.5 = 23.875 of 48; row 8 of 32 at 8.5 · 24/32 − 0.5 = 5.875.
  assert.equal([...grown.pixels.subarray(4 * (64 * 8 + 32), 4 * (64 * 8 + 32) + 2)], [24, 6]);
});

test('alpha: faces of which nothing shows are left out, others are drawn whole; opaque materials ignore it', async () => {
  // Left half invisible (alpha 0), right half visible.
  const halves = pngOf(
    Array.from({ length: 8 }, () => [0, 1, 2, 3, 4, 5, 6, 7].map((x) => (x < 4 ? 'transparent' : '#204060'))),
  );
  const count = async (alpha: object) => {
    const gltf = new TestGltf({ materials: [{ ...textured(0), ...alpha }] });
    gltf.image(halves, CLAMP);
    const strip = (left: number, right: number, z: number) => ({
      attributes: {
        POSITION: QUAD.slice(0, 9).map((v, i) => (i % 3 === 2 ? z : v)),
        TEXCOORD_0: [left, 0, right, 0, right, 1],
      },
      material: 0,
    });
    gltf.mesh(strip(0.05, 0.4, 0), strip(0.1, 0.9, 1), strip(0.7, 0.9, 2));
    const mesh = await imported(gltf);
    // What hides behind no opacity is the colour of the rest, not black.
    assert.equal(colourAt(mesh, 0, [1 / 3, 1 / 3, 1 / 3]), [0x20, 0x40, 0x60]);
    return mesh.indices.length / 3;
  };
  assert.is(await count({ alphaMode: 'MASK' }), 2);
  assert.is(await count({ alphaMode: 'BLEND' }), 2);
  assert.is(await count({}), 3);
  const gltf = new TestGltf({
    materials: [{ alphaMode: 'BLEND', pbrMetallicRoughness: { baseColorFactor: [1, 1, 1, 0] } }, {}],
  });
  const triangle = { POSITION: QUAD.slice(0, 9) };
  gltf.mesh({ attributes: triangle, material: 0 }, { attributes: triangle, material: 1 });
  assert.is((await imported(gltf)).indices.length, 3);
});

test('rectangles are packed without overlap, on the smallest sheet that shelves fit on', () => {
  const sizes = Array.from({ length: 40 }, (_, i): [number, number] => [3 + ((7 * i) % 23), 2 + ((11 * i) % 17)]);
  const packing = packRectangles(sizes, 2048);
  if (!packing) throw new Error('Expected a packing');
  const used = new Uint8Array(packing.width * packing.height);
  for (const [i, [left, top]] of packing.places.entries()) {
    for (let y = top; y < top + sizes[i][1]; y++)
      for (let x = left; x < left + sizes[i][0]; x++) used[y * packing.width + x]++;
  }
  assert.ok(used.every((count) => count <= 1));
  const area = sizes.reduce((sum, [w, h]) => sum + w * h, 0);
  assert.is(
    used.reduce((sum, count) => sum + count, 0),
    area,
  );
  assert.ok(packing.width * packing.height < 4 * area);
  assert.is(packRectangles([[5, 5]], 4), undefined);
  assert.equal(packRectangles([[4, 4]], 4), { width: 4, height: 4, places: [[0, 0]] });
});

test.run();
