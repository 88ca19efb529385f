import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MeshData } from '../../src/assets/meshAsset.js';
import { meshAssets } from '../../src/assets/meshes/meshAssets.js';
import { triangulate } from '../../src/assets/meshes/triangulate.js';
import { AssetError } from '../../src/errors.js';
import { colourAt, cornersOf, pngOf } from '../helpers/models.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-obj-'));
test.after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'maps'));
let files = 0;

async function imported(text: string): Promise<MeshData> {
  const path = join(folder, `${files++}.obj`);
  writeFileSync(path, text);
  return (await meshAssets(path, '**', { ground: false })).assets[0].load();
}

async function refused(text: string): Promise<string> {
  const error = await imported(text).catch((reason: unknown) => reason);
  assert.instance(error, AssetError);
  return (error as Error).message;
}

/** x and y as in the file, of each triangle. */
const flat = (mesh: MeshData) => cornersOf(mesh).map(([x, y]) => `${-x + 0},${-y + 0}`);

test('faces: numbers from 1 or backwards, any slashes, polygons of any shape, groups in one', async () => {
  const mesh = await imported(`
# a comment
o body
v 0 0 0
v 1 \\
0 0
v 1 1 0
v 0 1 0
g one
f 1 2 3 4
g two
vn 0 0 1
vt 0.5
f -4//1 -3//1 -1/1/1
p 1
l 1 2
s off
`);
  assert.equal(flat(mesh), ['0,0', '1,0', '1,1', '0,0', '1,1', '0,1', '0,0', '1,0', '0,1']);
  for (let i = 0; i < mesh.normals.length; i += 3)
    assert.equal(
      [...mesh.normals.subarray(i, i + 3)].map((v) => v + 0),
      [0, 0, 1],
    );
});

test('polygons: ears stay inside a hollow outline, in any plane', () => {
  // An L: its area is 3 of 4.
  const l = [
    [0, 0],
    [2, 0],
    [2, 1],
    [1, 1],
    [1, 2],
    [0, 2],
  ];
  for (const place of [
    ([x, y]: number[]) => [x, y, 5],
    ([x, y]: number[]) => [7, x, y],
    ([x, y]: number[]) => [y, -3, x],
  ]) {
    const triangles = triangulate(l.flatMap(place));
    assert.is(triangles.length, 12);
    let area = 0;
    for (let t = 0; t < 12; t += 3) {
      const [a, b, c] = triangles.slice(t, t + 3).map((i) => l[i]);
      const twice = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
      assert.ok(twice > 0, 'the same way round as the outline');
      area += twice / 2;
    }
    assert.is(area, 3);
  }
  assert.equal(triangulate([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0]).length, 6);
  assert.equal(triangulate([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), [0, 1, 2, 0, 2, 3], 'collapsed: a fan');
});

test('materials: Kd as displayed, map_Kd from the bottom up, vertex colours, d and Tr', async () => {
  writeFileSync(
    join(folder, 'maps/two by two.png'),
    pngOf([
      ['#ff0000', '#00ff00'],
      ['#0000ff', '#ffffff'],
    ]),
  );
  writeFileSync(
    join(folder, 'all.mtl'),
    `newmtl plain
Kd 0.2 0.4 0.6
newmtl mapped
Kd 1 1 1
map_Kd -s 1 1 1 -o 0 0 -clamp on maps\\two by two.png
newmtl ghost
Kd 1 0 0
d 0
newmtl gone
Tr 1
newmtl fine
d 1
Tr 1
`,
  );
  const square = 'v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n';
  const mesh = await imported(`mtllib all.mtl
${square}usemtl plain
f 1 2 3
usemtl mapped
f 1/1 2/2 3/3 4/4
usemtl ghost
f 1 2 3
usemtl gone
f 1 2 3
usemtl fine
f 2 3 4`);
  assert.is(mesh.indices.length / 3, 4);
  assert.equal(colourAt(mesh, 0, [1 / 3, 1 / 3, 1 / 3]), [51, 102, 153]);
  // Triangles of the square: 0 1 2 and 0 2 3; bottom left of the texture is blue, right white; top right green, left red.
  const near = (triangle: number, k: number) =>
    colourAt(mesh, triangle, [0, 1, 2].map((i) => (i === k ? 1 : 0)) as [number, number, number]);
  assert.equal(
    [near(1, 0), near(1, 1), near(1, 2), near(2, 2)],
    [
      [0, 0, 255],
      [255, 255, 255],
      [0, 255, 0],
      [255, 0, 0],
    ],
  );
  const coloured = await imported('v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nf 1 2 3');
  assert.equal([...coloured.colors], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
});

test('what is wrong is named with its line', async () => {
  const points = 'v 0 0 0\nv 1 0 0\nv 0 1 0\n';
  assert.match(
    await refused(`${points}f 1 2 9`),
    /\d+\.obj:4: Expected one of the 3 positions so far but received "9"/,
  );
  assert.match(await refused(`${points}f 0 1 2`), /received "0"/);
  assert.match(await refused(`${points}f -4 1 2`), /received "-4"/);
  assert.match(await refused(`${points}f 1/1 2/1 3/1`), /one of the 0 texture coordinates/);
  assert.match(await refused(`${points}f 1 2`), /a face of 3 to 512 corners but received 2/);
  assert.match(await refused(`${points}f ${'1 '.repeat(600)}`), /but received 600/);
  assert.match(await refused('v 1 2\n'), /:1: Expected 3 numbers but received 1 2/);
  assert.match(await refused('v 1 2 NaN\n'), /:1: Expected 3 numbers/);
  assert.match(await refused(points), /Expected a model with triangles for .*\.obj but received none/);
  assert.match(
    await refused(`mtllib none.mtl\n${points}f 1 2 3`),
    /the material file "none\.mtl" of .*\.obj to be there but received none/,
  );
  assert.match(
    await refused(`mtllib ../../etc/hosts\n${points}f 1 2 3`),
    /the material file "\.\.\/\.\.\/etc\/hosts" of/,
  );
  assert.match(await refused(`mtllib /etc/hosts\n${points}f 1 2 3`), /to be a path relative to the model/);
  writeFileSync(join(folder, 'bad.mtl'), 'newmtl a\nKd one two three');
  assert.match(await refused(`mtllib bad.mtl\n${points}f 1 2 3`), /bad\.mtl:2: Expected a number but received "one"/);
});

test.run();
