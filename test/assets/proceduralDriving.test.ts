import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../src/assets/assetSources.js';
import type { MeshAsset, MeshData } from '../../src/assets/meshAsset.js';
import { type ProceduralDrivingOptions, proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { AssetError } from '../../src/errors.js';

type Vector = [number, number, number];
/** Every variety of every kind at least once. */
const SMALL = { cars: 16, trees: 12, houses: 4, towers: 4, pedestrians: 4, cyclists: 2, poles: 14 };

const load = (asset: MeshAsset) => asset.load() as MeshData;
const all = proceduralDriving();
const few = proceduralDriving(SMALL);
const meshes = few.assets.map((asset) => ({ asset, mesh: load(asset) }));
const under = (prefix: string) => meshes.filter(({ asset }) => asset.name.startsWith(`driving/${prefix}`));

function sizeOf({ minimum, maximum }: MeshAsset): Vector {
  return [maximum[0] - minimum[0], maximum[1] - minimum[1], maximum[2] - minimum[2]];
}

function vector(values: ArrayLike<number>, index: number): Vector {
  return [values[3 * index], values[3 * index + 1], values[3 * index + 2]];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** Corners of each triangle, as indices of vertices. */
function triangles({ indices }: MeshData): [number, number, number][] {
  return Array.from({ length: indices.length / 3 }, (_, t) => [indices[3 * t], indices[3 * t + 1], indices[3 * t + 2]]);
}

/** Six times the volume between the origin and a closed surface seen from outside is Σ p₀ · (p₁ × p₂). */
function volume(mesh: MeshData): number {
  let sum = 0;
  for (const [a, b, c] of triangles(mesh)) {
    sum += dot(vector(mesh.positions, a), cross(vector(mesh.positions, b), vector(mesh.positions, c)));
  }
  return sum / 6;
}

/** Directed edges, by the places of their ends, that have no partner in the other direction. */
function openEdges(mesh: MeshData): number {
  const balance = new Map<string, number>();
  const key = (i: number) =>
    vector(mesh.positions, i)
      .map((value) => Math.round(value * 1e5))
      .join();
  for (const corners of triangles(mesh)) {
    for (let i = 0; i < 3; i++) {
      const [from, to] = [key(corners[i]), key(corners[(i + 1) % 3])];
      if (from === to) continue;
      balance.set(`${from} ${to}`, (balance.get(`${from} ${to}`) ?? 0) + 1);
      balance.set(`${to} ${from}`, (balance.get(`${to} ${from}`) ?? 0) - 1);
    }
  }
  return [...balance.values()].filter((count) => count > 0).length;
}

test('names: unique, by kind and variety; counts by default; licence', () => {
  const count = (glob: string) => all.match(`driving/${glob}`).length;
  assert.is(new Set(all.names).size, all.names.length);
  const kinds = ['cars/*/*', 'trees/*/*', 'houses/*', 'towers/*/*', 'pedestrians/*', 'cyclists/*', 'poles/*/*'];
  assert.equal(kinds.map(count), [84, 32, 20, 16, 24, 8, 24]);
  for (const body of ['hatchback', 'sedan', 'estate', 'suv', 'mpv', 'van', 'pickup', 'truck']) {
    assert.ok(count(`cars/${body}/*`) >= 2, body);
  }
  for (const strip of ['road', 'marking-solid', 'marking-dashed', 'sidewalk', 'verge', 'curb', 'median']) {
    assert.is(count(`strips/${strip}`), 1, strip);
  }
  assert.ok(all.assets.every(({ licence, kind }) => licence === 'CC0-1.0' && kind === 'mesh'));
});

test('meshes are the same on every machine: hash of all numbers and pixels', () => {
  const hash = createHash('sha256');
  const some = proceduralDriving({
    seed: 5,
    cars: 3,
    trees: 5,
    houses: 1,
    towers: 2,
    pedestrians: 1,
    cyclists: 1,
    poles: 5,
  });
  for (const asset of some.assets) {
    if (/strips\/(?!curb|marking-dashed$)|grounds\/(?!grass)/.test(asset.name)) continue;
    const { positions, normals, colors, uvs, indices, texture } = load(asset);
    for (const part of [positions, normals, colors, uvs, indices, texture?.pixels]) {
      if (part) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    }
  }
  assert.is(hash.digest('hex'), GOLDEN);
});
const GOLDEN = '60ca0902bddbf7357d1b30cbaec81cecc7085de8d6a260e0cfe320847ae3daf6';

test('a mesh depends on seed, kind, variety and number only; loading again gives it again', () => {
  const one = { cars: 1, trees: 1, houses: 1, towers: 0, pedestrians: 1, cyclists: 0, poles: 1 };
  const other = proceduralDriving({ ...one, seed: 1 });
  for (const asset of proceduralDriving(one).assets.slice(0, 5)) {
    const again = load(asset);
    assert.equal(again.positions, load(asset).positions, asset.name);
    assert.equal(again.positions, load(few.assets[few.indexOf(asset.name)]).positions, asset.name);
    const others = other.indexOf(asset.name);
    if (others >= 0) assert.not.equal(again.positions, load(other.assets[others]).positions, asset.name);
  }
});

test('bounds are known before loading, and are those of the points; what stands, stands on y = 0', () => {
  for (const { asset, mesh } of meshes) {
    for (let axis = 0; axis < 3; axis++) {
      const values = mesh.positions.filter((_, i) => i % 3 === axis);
      const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
      assert.ok(
        Math.abs(low - asset.minimum[axis]) < 2e-5,
        `${asset.name} minimum ${axis}: ${low} ${asset.minimum[axis]}`,
      );
      assert.ok(
        Math.abs(high - asset.maximum[axis]) < 2e-5,
        `${asset.name} maximum ${axis}: ${high} ${asset.maximum[axis]}`,
      );
    }
    assert.is(asset.maximum[1], 0, asset.name);
    assert.is(mesh.indices.length / 3, asset.triangles, asset.name);
    if (/cars|houses|towers|pedestrians|cyclists|trees/.test(asset.name)) {
      assert.ok(
        Math.abs(asset.minimum[0] + asset.maximum[0]) < 1e-6 && Math.abs(asset.minimum[2] + asset.maximum[2]) < 1e-6,
      );
    }
  }
});

test('the body of a car is all of it but for its mirrors', () => {
  for (const { asset, mesh } of under('cars/')) {
    const { minimum, maximum } = asset.body!;
    const spare = minimum[0] - asset.minimum[0];
    assert.ok(spare > 0.05 && spare < 0.06 && Math.abs(asset.maximum[0] - maximum[0] - spare) < 1e-6, asset.name);
    assert.equal(
      [minimum[1], minimum[2], maximum[1], maximum[2]],
      [asset.minimum[1], asset.minimum[2], asset.maximum[1], asset.maximum[2]],
    );
    // What stands out of it is near the front doors, at the height of the windows, and small.
    const outside = Array.from({ length: mesh.positions.length / 3 }, (_, i) => vector(mesh.positions, i)).filter(
      ([x]) => Math.abs(x) > maximum[0] + 1e-4,
    );
    assert.ok(outside.length > 0, asset.name);
    const [ys, zs] = [1, 2].map((axis) => outside.map((point) => point[axis]));
    assert.ok(Math.max(...ys) < -0.8 && Math.min(...zs) > 0, asset.name);
    assert.ok(Math.max(...zs) - Math.min(...zs) < 0.2, asset.name);
  }
});

test('numbers: finite, normals of length 1, colours within 0 … 1, indices of vertices, no triangle without area', () => {
  for (const { asset, mesh } of meshes) {
    const { positions, normals, colors, uvs, indices } = mesh;
    const vertices = positions.length / 3;
    assert.is(normals.length, 3 * vertices, asset.name);
    assert.is(colors.length, 3 * vertices, asset.name);
    assert.is(uvs?.length, mesh.texture ? 2 * vertices : undefined, asset.name);
    for (const values of [positions, normals, colors, uvs ?? []]) {
      assert.ok(values.every(Number.isFinite), asset.name);
    }
    assert.ok(
      colors.every((value) => value >= 0 && value <= 1),
      asset.name,
    );
    assert.ok(
      indices.every((index) => index < vertices),
      asset.name,
    );
    for (let v = 0; v < vertices; v++) {
      const n = vector(normals, v);
      assert.ok(Math.abs(dot(n, n) - 1) < 1e-5, `${asset.name} normal ${v}: ${n}`);
    }
    for (const [a, b, c] of triangles(mesh)) {
      const [p, q, r] = [a, b, c].map((v) => vector(positions, v));
      const n = cross(minus(q, p), minus(r, p));
      assert.ok(dot(n, n) > 0, `${asset.name}: triangle ${[a, b, c]} has no area`);
    }
  }
});

test('triangles face the way their normals point', () => {
  for (const { asset, mesh } of meshes) {
    for (const [a, b, c] of triangles(mesh)) {
      const [p, q, r] = [a, b, c].map((v) => vector(mesh.positions, v));
      const n = cross(minus(q, p), minus(r, p));
      const sum = [a, b, c].reduce((total, v) => total + dot(n, vector(mesh.normals, v)), 0);
      assert.ok(sum > 0, `${asset.name}: ${[p, q, r]}`);
    }
  }
});

test('cars, people and walls are closed, and what they enclose is inside', () => {
  for (const kind of ['cars/', 'pedestrians/', 'poles/mast']) {
    for (const { asset, mesh } of under(kind)) {
      if (kind !== 'poles/mast') assert.is(openEdges(mesh), 0, asset.name);
      const [width, height, length] = sizeOf(asset);
      const share = volume(mesh) / (width * height * length);
      // A body fills a part of its box: a car more than half, a person with swinging limbs less.
      if (kind === 'cars/') assert.ok(share > 0.35 && share < 1.05, `${asset.name}: ${share}`);
      else assert.ok(share > 0.01 && share < 0.6, `${asset.name}: ${share}`);
    }
  }
});

test('cars: sizes of real ones', () => {
  const passenger = all.assets.filter(({ name }) => /cars\/(hatchback|sedan|estate|suv|mpv)/.test(name));
  const sizes = passenger.map(sizeOf);
  const mean = [0, 1, 2].map((axis) => sizes.reduce((sum, size) => sum + size[axis], 0) / sizes.length);
  // Mean of the class Car over KITTI's training labels: 1.63 m wide (without mirrors), 1.53 m high, 3.88 m long.
  for (const [axis, kitti] of [1.63, 1.53, 3.88].entries()) {
    assert.ok(Math.abs(mean[axis] / kitti - 1) < 0.15, `axis ${axis}: ${mean[axis]}`);
  }
  const within = (body: string, real: Vector) => {
    const of = all.assets.filter(({ name }) => name.startsWith(`driving/cars/${body}/`)).map(sizeOf);
    const near = of.map((size) => Math.max(...size.map((value, axis) => Math.abs(value - real[axis]) / real[axis])));
    assert.ok(Math.min(...near) < 0.06, `${body}: ${Math.min(...near)}`);
  };
  // Manufacturers' data sheets; mirrors add about 0.11 m here.
  within('hatchback', [1.65 + 0.11, 1.467, 3.916]); // VW Polo 9N
  within('sedan', [1.77 + 0.11, 1.447, 4.581]); // Mercedes C-class W204
  within('estate', [1.746 + 0.11, 1.498, 4.682]); // VW Passat B5 Variant
  within('suv', [1.809 + 0.11, 1.683, 4.427]); // VW Tiguan
  within('mpv', [1.794 + 0.11, 1.635, 4.391]); // VW Touran
  within('van', [1.904 + 0.11, 1.97, 4.892]); // VW T5
  within('pickup', [1.76 + 0.11, 1.81, 5.135]); // Toyota Hilux
});

test('other sizes, m', () => {
  const ranges: readonly (readonly [glob: string, axis: number, low: number, high: number])[] = [
    ['pedestrians/*', 1, 1.1, 1.95],
    ['pedestrians/*', 0, 0.3, 0.75],
    ['cyclists/*', 1, 1.6, 2],
    ['cyclists/*', 2, 1.6, 1.9],
    ['trees/deciduous/*', 1, 5.5, 13],
    ['trees/bush/*', 1, 0.7, 2.2],
    ['houses/*', 1, 4.5, 14],
    ['houses/*', 0, 8, 19],
    ['towers/terrace/*', 1, 11, 26],
    ['towers/highrise/*', 1, 20, 62],
    ['poles/lamp/*', 1, 5.5, 11],
    ['poles/sign/*', 1, 2.4, 3.5],
    ['strips/curb', 1, 0.1, 0.15],
  ];
  for (const [glob, axis, low, high] of ranges) {
    const names = all.match(`driving/${glob}`);
    assert.ok(names.length > 0, glob);
    for (const name of names) {
      const size = sizeOf(all.assets[all.indexOf(name)])[axis];
      assert.ok(size >= low && size <= high, `${name}: ${size}`);
    }
  }
});

test('triangles: within what a frame can afford', () => {
  const budgets: readonly (readonly [prefix: string, low: number, high: number])[] = [
    ['cars/', 700, 1650],
    ['trees/', 100, 1500],
    ['houses', 40, 400],
    ['towers/', 40, 1500],
    ['pedestrians/', 300, 800],
    ['cyclists/', 500, 1200],
    ['poles/', 20, 300],
    ['strips/', 100, 1500],
    ['grounds/', 100, 1000],
  ];
  for (const { name, triangles: count } of all.assets) {
    const [, low, high] = budgets.find(([prefix]) => name.startsWith(`driving/${prefix}`)) as (typeof budgets)[number];
    assert.ok(count >= low && count <= high, `${name}: ${count}`);
  }
});

test('strips: of unit size, in 64 pieces, flat ones look straight up, textures repeat', () => {
  for (const { asset, mesh } of under('strips/')) {
    const name = asset.name.slice('driving/strips/'.length);
    // Fences and railings stand in the middle of theirs.
    assert.ok(asset.minimum[0] === -0.5 || /fence|railing/.test(name), name);
    assert.ok(asset.minimum[0] < 0 && asset.maximum[0] <= 0.5, name);
    assert.ok(asset.minimum[2] >= 0 && asset.maximum[2] <= 1, name);
    const solid = /guard-rail|wall|hedge|fence|railing|wires|wood|thicket/.test(name);
    assert.is(asset.surface, solid ? 'solid' : 'ground', name);
    const along = new Set(mesh.positions.filter((_, i) => i % 3 === 2));
    assert.ok(name.startsWith('marking-dashed') ? along.size >= 50 : along.size >= 65, `${name}: ${along.size}`);
    if (asset.minimum[1] === 0)
      assert.ok(
        mesh.normals.every((value, i) => value === [0, -1, 0][i % 3]),
        name,
      );
    const rows = (mesh.uvs as Float32Array).filter((_, i) => i % 2 === 1);
    assert.ok(Math.max(...rows) > 8, name);
  }
});

test('textures: opaque, sides powers of two up to 512', () => {
  for (const { asset, mesh } of meshes) {
    if (!mesh.texture) continue;
    const { width, height, pixels, format } = mesh.texture;
    for (const side of [width, height]) assert.ok(side <= 512 && Math.log2(side) % 1 === 0, asset.name);
    assert.is(format, 'rgba8');
    assert.is(pixels.length, 4 * width * height);
    assert.ok(
      pixels.every((value, i) => i % 4 !== 3 || value === 255),
      asset.name,
    );
  }
});

test('parts: generated scenes and a target can have meshes of their own, and together they are all', async () => {
  const names = async (from: number, to: number) => {
    const library = await openAssetSources([{ kind: 'driving', from, to }]);
    return library.names.filter((name) => /driving\/(?!strips|grounds)/.test(name));
  };
  const [first, second] = [await names(0, 0.5), await names(0.5, 1)];
  assert.is(first.filter((name) => second.includes(name)).length, 0);
  assert.is(first.length + second.length, 208);
  // Both have every body, as varieties take turns.
  for (const body of ['hatchback', 'truck', 'pickup']) {
    assert.ok(first.some((name) => name.includes(body)) && second.some((name) => name.includes(body)), body);
  }
});

test('options out of range are named', () => {
  const bad: readonly [ProceduralDrivingOptions, RegExp][] = [
    [{ cars: -1 }, /integer from 0 to 1000 for cars but received -1/],
    [{ poles: 1.5 }, /for poles but received 1.5/],
    [{ seed: -1 }, /for seed/],
    [{ from: 0.6, to: 0.5 }, /0\.6 and 0\.5/],
  ];
  for (const [options, message] of bad) {
    assert.throws(
      () => proceduralDriving(options),
      (error: Error) => error instanceof AssetError && message.test(error.message),
    );
  }
});

test.run();
