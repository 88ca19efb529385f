import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MeshData } from '../../src/assets/meshAsset.js';
import { type MeshAssetOptions, meshAssets } from '../../src/assets/meshes/meshAssets.js';
import { cornersOf, TestGltf } from '../helpers/models.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-gltf-'));
test.after(() => rmSync(folder, { recursive: true }));
let files = 0;

/** As it comes out when nothing is moved to the ground. */
async function imported(model: TestGltf | Uint8Array, options: MeshAssetOptions = { ground: false }) {
  const path = join(folder, `${files++}.glb`);
  writeFileSync(path, model instanceof TestGltf ? model.glb() : model);
  const [asset] = (await meshAssets(path, '**', options)).assets;
  return { asset, mesh: (await asset.load()) as MeshData };
}

const close = (a: readonly number[], b: readonly number[], what = '') => {
  assert.is(a.length, b.length, what);
  for (const [i, value] of a.entries()) assert.ok(Math.abs(value - b[i]) < 1e-5, `${what} ${a} ~ ${b}`);
};

/** Front of something that faces +z in glTF: seen from there, (0,0), (1,0), (0,1) run counter-clockwise. */
const TRIANGLE = [0, 0, 0, 1, 0, 0, 0, 1, 0];

test('glTF, whose front is +z and whose left is +x, becomes x right, y down, z forward without being mirrored', async () => {
  const gltf = new TestGltf();
  gltf.mesh({ attributes: { POSITION: TRIANGLE } });
  const { asset, mesh } = await imported(gltf);
  // (x, y, z) → (−x, −y, z): what is on the model's left stays there, what is above it is above.
  assert.equal(cornersOf(mesh), [
    [0, 0, 0],
    [-1, 0, 0],
    [0, -1, 0],
  ]);
  assert.equal(
    [asset.minimum, asset.maximum],
    [
      [-1, -1, 0],
      [0, 0, 0],
    ].map((corner) => corner.map((v) => v + 0)),
  );
  // Flat normals where the file has none, outwards: (p₁ − p₀) × (p₂ − p₀) = (−1,0,0) × (0,−1,0) = (0,0,1).
  for (let i = 0; i < 3; i++) close([...mesh.normals.subarray(3 * i, 3 * i + 3)], [0, 0, 1]);
  assert.equal([...mesh.colors], new Array(9).fill(1));
  assert.is(asset.triangles, 1);
  assert.is(mesh.texture, undefined);
});

test('nodes: translation, rotation, scale and matrices down the tree, several meshes and primitives in one', async () => {
  const half = Math.SQRT1_2;
  const gltf = new TestGltf({
    nodes: [
      // A quarter turn about y takes x to −z and z to x.
      { children: [1, 2], translation: [10, 0, 0], rotation: [0, half, 0, half] },
      { mesh: 0, scale: [2, 3, 1] },
      // Column-major: moved by (0, 5, 0).
      { mesh: 1, matrix: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 5, 0, 1] },
    ],
    scenes: [{ nodes: [] }, { nodes: [0] }],
    scene: 1,
  });
  gltf.mesh({ attributes: { POSITION: TRIANGLE } }, { attributes: { POSITION: [0, 0, 1, 1, 0, 1, 0, 1, 1] } });
  gltf.mesh({ attributes: { POSITION: TRIANGLE } });
  const { asset, mesh } = await imported(gltf);
  assert.is(asset.triangles, 3);
  const corners = cornersOf(mesh);
  // (1,0,0) · scale = (2,0,0) → turned (0,0,−2) → moved (10,0,−2) → ours (−10, 0, −2).
  close(corners[1], [-10, 0, -2]);
  // (0,1,0) → (0,3,0) → (10,3,0) → (−10,−3,0).
  close(corners[2], [-10, -3, 0]);
  // Second primitive: (0,0,1) → turned (1,0,0) → (11,0,0) → (−11,0,0).
  close(corners[3], [-11, 0, 0]);
  // Second mesh: (0,1,0) + (0,5,0) = (0,6,0) → (10,6,0) → (−10,−6,0).
  close(corners[8], [-10, -6, 0]);
});

test('a node that mirrors keeps faces outwards, with their normals', async () => {
  const gltf = new TestGltf({ nodes: [{ mesh: 0, scale: [-1, 1, 1] }] });
  gltf.mesh({ attributes: { POSITION: TRIANGLE, NORMAL: [0, 0, 2, 0, 0, 2, 0, 0, 2] } });
  const { mesh } = await imported(gltf);
  // Mirrored: (0,0), (−1,0), (0,1) in glTF, which would run clockwise: two corners change places.
  assert.equal(cornersOf(mesh), [
    [0, 0, 0],
    [0, -1, 0],
    [1, 0, 0],
  ]);
  assert.equal(
    [...mesh.normals].map((v) => v + 0),
    [0, 0, 1, 0, 0, 1, 0, 0, 1],
  );
});

test('strips and fans are cut into triangles; points and lines are left out', async () => {
  const square = [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0];
  const gltf = new TestGltf();
  gltf.mesh(
    { attributes: { POSITION: square }, mode: 5 },
    { attributes: { POSITION: square }, indices: [0, 1, 3, 2], mode: 6 },
    { attributes: { POSITION: square }, mode: 1 },
    { attributes: { POSITION: square }, mode: 0 },
  );
  const { mesh } = await imported(gltf);
  const triangles = cornersOf(mesh).map(([x, y]) => `${-x}${-y}`.replaceAll('-0', '0'));
  // Strip 0 1 2, 2 1 3 (as 1 3 2); fan 1 2 0, 2 3 0 by place in its list 0 1 3 2: all counter-clockwise.
  assert.equal(triangles, ['00', '10', '01', '10', '11', '01', '10', '11', '00', '11', '01', '00']);
});

test('colours: base colour factors and vertex colours are amounts of light, and multiply as displayed', async () => {
  const gltf = new TestGltf({ materials: [{ pbrMetallicRoughness: { baseColorFactor: [0.5, 1, 0, 1] } }] });
  gltf.mesh({ attributes: { POSITION: TRIANGLE, COLOR_0: [1, 0.2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] }, material: 0 });
  const { mesh } = await imported(gltf);
  // sRGB: 1.055 · 0.5^(1/2.4) − 0.055 = 0.7353570; 1.055 · 0.2^(1/2.4) − 0.055 = 0.4845292.
  close([...mesh.colors.subarray(0, 6)], [0.735357, 0.4845292, 0, 0.735357, 1, 0]);
});

test('skins stand as their joints do in the file; morph targets have their default weights', async () => {
  // The skin's inverse bind matrices move by −1 in y; joint 1 has come to stand at y = 4.
  const up = (y: number) => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, y, 0, 1];
  const gltf = new TestGltf({
    nodes: [{ mesh: 0, skin: 0, translation: [100, 0, 0] }, { children: [2] }, { translation: [0, 4, 0] }],
  });
  gltf.json.skins = [{ joints: [1, 2], inverseBindMatrices: gltf.accessor([...up(0), ...up(-1)], 16, false, 'MAT4') }];
  gltf.mesh({
    attributes: {
      POSITION: TRIANGLE,
      JOINTS_0: [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0],
      WEIGHTS_0: [1, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 1, 0, 0],
    },
    targets: [{ POSITION: [0, 0, 0, 0, 0, 8, 0, 0, 0] }, { POSITION: [7, 7, 7, 0, 0, 0, 0, 0, 0] }],
  });
  (gltf.json.meshes[0] as { weights: number[] }).weights = [0.25, 0];
  const { mesh } = await imported(gltf);
  const corners = cornersOf(mesh);
  // Joint 0 does nothing, joint 1 lifts by 4 − 1 = 3; the node's own translation does not count.
  close(corners[0], [0, 0, 0]);
  // Half of each: 1.5 up; the first target adds 0.25 · 8 in z.
  close(corners[1], [-1, -1.5, 2]);
  close(corners[2], [0, -4, 0]);
});

/** A cube of side 1 around the origin with four vertices a face, counter-clockwise from outside. */
function cube(): { positions: number[]; normals: number[]; indices: number[] } {
  const [positions, normals, indices]: [number[], number[], number[]] = [[], [], []];
  for (let axis = 0; axis < 3; axis++) {
    for (const side of [-1, 1]) {
      const first = positions.length / 3;
      for (const [u, v] of [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ]) {
        const corner = [0, 0, 0];
        corner[axis] = side / 2;
        corner[(axis + 1) % 3] = (side * u) / 2;
        corner[(axis + 2) % 3] = v / 2;
        positions.push(...corner);
        const normal = [0, 0, 0];
        normal[axis] = side;
        normals.push(...normal);
      }
      indices.push(...[0, 1, 2, 0, 2, 3].map((i) => first + i));
    }
  }
  return { positions, normals, indices };
}

/** Six times the volume that faces enclose, > 0 when they look outwards. */
function volume(mesh: MeshData): number {
  const corners = cornersOf(mesh);
  let sum = 0;
  for (let t = 0; t < corners.length; t += 3) {
    const [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = corners.slice(t, t + 3);
    sum += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
  }
  return sum;
}

test('two-sided materials: open pieces get backs, closed bodies none, those that are inside out are turned', async () => {
  const materials = [{ doubleSided: true }];
  const { positions, normals, indices } = cube();
  const model = (list: readonly number[], normal = normals) => {
    const gltf = new TestGltf({ materials });
    gltf.mesh({ attributes: { POSITION: positions, NORMAL: normal }, indices: list, material: 0 });
    return gltf;
  };
  const closed = await imported(model(indices));
  assert.is(closed.mesh.indices.length / 3, 12);
  assert.ok(Math.abs(volume(closed.mesh) - 6) < 1e-6);
  const inverted = await imported(
    model(
      [...indices].reverse(),
      normals.map((value) => -value),
    ),
  );
  assert.is(inverted.mesh.indices.length / 3, 12);
  assert.ok(Math.abs(volume(inverted.mesh) - 6) < 1e-6);
  const lidless = await imported(model(indices.slice(6)));
  assert.is(lidless.asset.triangles, 20);
  assert.is(lidless.mesh.indices.length / 3, 20);
  assert.ok(Math.abs(volume(lidless.mesh)) < 1e-6, 'each face once from each side');
  // The back of a face has its normal turned: normals and faces agree everywhere.
  const corners = cornersOf(lidless.mesh);
  for (let t = 0; t < 20; t++) {
    const [a, b, c] = corners.slice(3 * t, 3 * t + 3);
    const [u, v] = [b, c].map((corner) => corner.map((value, k) => value - a[k]));
    const face = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const vertex = lidless.mesh.indices[3 * t];
    close(face, [...lidless.mesh.normals.subarray(3 * vertex, 3 * vertex + 3)]);
  }
});

test('sizes: scale, length, width, height; ground and axes', async () => {
  const { positions, normals, indices } = cube();
  const long = positions.map((value, i) => value * [2, 1, 4][i % 3] + [7, 3, 0][i % 3]);
  const gltf = new TestGltf();
  gltf.mesh({ attributes: { POSITION: long, NORMAL: normals }, indices });
  const box = async (options: MeshAssetOptions) => {
    const { asset, mesh } = await imported(gltf, options);
    const values = cornersOf(mesh);
    for (let c = 0; c < 3; c++) {
      assert.is(
        Math.min(...values.map((corner) => corner[c])),
        asset.minimum[c] + 0,
        'the box is that of the vertices',
      );
      assert.is(Math.max(...values.map((corner) => corner[c])), asset.maximum[c] + 0);
    }
    return [...asset.minimum, ...asset.maximum].map((value) => value + 0);
  };
  // 2 wide, 1 high, 4 long, stood on the ground around the origin.
  assert.equal(await box({}), [-1, -1, -2, 1, 0, 2]);
  assert.equal(await box({ scale: 0.5 }), [-0.5, -0.5, -1, 0.5, 0, 1]);
  assert.equal(await box({ length: 8 }), [-2, -2, -4, 2, 0, 4]);
  assert.equal(await box({ width: 1 }), [-0.5, -0.5, -1, 0.5, 0, 1]);
  assert.equal(await box({ height: 4 }), [-4, -4, -8, 4, 0, 8]);
  // x from 6 to 8 becomes −8 to −6; y from 2.5 to 3.5 becomes −3.5 to −2.5.
  assert.equal(await box({ ground: false }), [-8, -3.5, -2, -6, -2.5, 2]);
  // Blender's axes: z up, front −y. Right = −x there; 2 wide, 4 high, 1 long.
  assert.equal(await box({ up: 'z' }), [-1, -4, -0.5, 1, 0, 0.5]);
  assert.equal(await box({ forward: 'x', scale: 1 }), [-2, -1, -1, 2, 0, 1]);
  const error = async (options: MeshAssetOptions) => {
    const reason = await imported(gltf, options).catch((thrown: unknown) => thrown);
    return (reason as Error).message;
  };
  assert.match(
    await error({ scale: 2, length: 3 }),
    /one of scale, width, height, length for .*\.glb but received scale and length/,
  );
  assert.match(await error({ up: 'x', forward: '-x' }), /different axes/);
  // A model of 4 units.
  assert.match(
    await error({ scale: 1e6 }),
    /a model of 0\.001 to 1000000 m for .*\.glb but received one of 4000000; its/,
  );
  assert.match(
    await error({ scale: 1e-4 }),
    /a model of 0\.001 to 1000000 m for .*\.glb but received one of 0\.0004; its/,
  );
});

test('axes: up z with front −y is the model turned, not mirrored', async () => {
  const gltf = new TestGltf();
  // Seen from the front (from −y), x runs to the right of the picture: the model's left.
  gltf.mesh({ attributes: { POSITION: [0, 0, 0, 1, 0, 0, 0, 0, 1] } });
  const { mesh } = await imported(gltf, { up: 'z', ground: false });
  assert.equal(cornersOf(mesh), [
    [0, 0, 0],
    [-1, 0, 0],
    [0, -1, 0],
  ]);
});

test('interleaved, sparse and normalised accessors; data: and relative files of .gltf', async () => {
  const gltf = new TestGltf();
  // Interleaved: 12 bytes of position, 4 bytes of padding.
  const bytes = Buffer.alloc(48);
  for (const [i, value] of [0, 0, 0, 1, 0, 0, 0, 0, 0].entries())
    bytes.writeFloatLE(value, 16 * Math.floor(i / 3) + 4 * (i % 3));
  const bufferView = gltf.view(bytes, { byteStride: 16 });
  const indices = gltf.view(Uint8Array.of(2));
  const values = gltf.view(new Uint8Array(Float32Array.of(0, 1, 0).buffer));
  const colours = gltf.view(Uint8Array.of(255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255));
  gltf.json.accessors.push(
    {
      bufferView,
      componentType: 5126,
      count: 3,
      type: 'VEC3',
      sparse: { count: 1, indices: { bufferView: indices, componentType: 5121 }, values: { bufferView: values } },
    },
    { bufferView: colours, componentType: 5121, normalized: true, count: 3, type: 'VEC4' },
  );
  gltf.json.meshes.push({ primitives: [{ attributes: { POSITION: 0, COLOR_0: 1 } }] });
  const expected = [
    [0, 0, 0],
    [-1, 0, 0],
    [0, -1, 0],
  ];
  const { mesh } = await imported(gltf);
  assert.equal(cornersOf(mesh), expected);
  assert.equal([...mesh.colors.subarray(0, 6)], [1, 0, 1, 1, 1, 1]);
  const { json, binary } = gltf.parts();
  const pack = join(folder, 'pack');
  mkdirSync(join(pack, 'data files'), { recursive: true });
  const write = (name: string, uri: string) =>
    writeFileSync(join(pack, name), JSON.stringify({ ...json, buffers: [{ uri, byteLength: binary.length }] }));
  write('a.gltf', `data:application/octet-stream;base64,${binary.toString('base64')}`);
  write('b.gltf', 'data%20files/b.bin');
  writeFileSync(join(pack, 'data files/b.bin'), binary);
  const { assets, names } = await meshAssets(pack, '**', {
    ground: false,
    namePrefix: 'p/',
    licence: 'MIT',
    surface: 'ground',
  });
  assert.equal(names, ['p/a', 'p/b']);
  for (const asset of assets) {
    assert.equal(cornersOf(await asset.load()), expected);
    assert.equal([asset.licence, asset.surface], ['MIT', 'ground']);
  }
});

test('meshes.yaml: entries that match a file override the source, later ones more; licences.yaml as for images', async () => {
  const pack = join(folder, 'sized');
  mkdirSync(join(pack, 'cars'), { recursive: true });
  const gltf = new TestGltf();
  gltf.mesh({ attributes: { POSITION: [0, 0, 0, 1, 0, 0, 1, 2, 0, 0, 0, 4] }, indices: [0, 1, 2, 0, 2, 3] });
  for (const name of ['cars/a', 'cars/b', 'post']) writeFileSync(join(pack, `${name}.glb`), gltf.glb());
  writeFileSync(
    join(pack, 'meshes.yaml'),
    '- { files: "cars/*", length: 8 }\n- { files: "*/b.glb", scale: 3, surface: ground }\n',
  );
  writeFileSync(join(pack, 'licences.yaml'), '- { files: "cars/*", licence: CC0-1.0 }');
  const { assets } = await meshAssets(pack, '**', { height: 1 });
  assert.equal(
    assets.map(({ minimum, maximum, licence, surface }) => [maximum[2] - minimum[2], licence, surface]),
    [
      [8, 'CC0-1.0', undefined],
      [12, 'CC0-1.0', 'ground'],
      [2, undefined, undefined],
    ],
  );
  writeFileSync(join(pack, 'meshes.yaml'), '- { files: "*", lenght: 8 }');
  const error = await meshAssets(pack).catch((reason: Error) => reason);
  assert.match((error as Error).message, /meshes\.yaml: 0: Unrecognized key: "lenght"/);
});

test('settings say how large the body is that labels measure: in the middle, and from the ground upwards', async () => {
  const gltf = new TestGltf();
  // 2 m wide (x 0 … 2), 4 m high, 6 m long, as far as its box goes.
  gltf.mesh({ attributes: { POSITION: [0, 0, 0, 2, 0, 6, 0, 4, 0] } });
  const size = { bodyWidth: 1.5, bodyHeight: 3, bodyLength: 6 };
  const { asset } = await imported(gltf, size);
  assert.equal(
    [asset.minimum, asset.maximum],
    [
      [-1, -4, -3],
      [1, 0, 3],
    ],
  );
  assert.equal(asset.body, { minimum: [-0.75, -3, -3], maximum: [0.75, 0, 3] });
  assert.is((await imported(gltf, {})).asset.body, undefined);
  assert.equal((await imported(gltf, { bodyWidth: 1 })).asset.body, { minimum: [-0.5, -4, -3], maximum: [0.5, 0, 3] });
  try {
    await imported(gltf, { bodyLength: 7 });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /at most 6 m, the model's own, for bodyLength .* received 7/);
  }
});

test.run();
