import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MeshAsset, MeshData } from '../../src/assets/meshAsset.js';
import { meshAssets } from '../../src/assets/meshes/meshAssets.js';
import { dataFolder } from '../../src/dataFolder.js';

const folder = join(dataFolder(), 'assets');

function check({ name, minimum, maximum, triangles }: MeshAsset, mesh: MeshData): void {
  const { positions, normals, colors, uvs, indices, texture } = mesh;
  const vertices = positions.length / 3;
  assert.is(indices.length / 3, triangles, name);
  assert.ok(
    indices.every((vertex) => vertex < vertices) && new Set(indices).size === vertices,
    `${name}: vertices in use`,
  );
  assert.equal(
    [normals.length, colors.length, uvs?.length],
    [3 * vertices, 3 * vertices, texture && 2 * vertices],
    name,
  );
  const isInside = (value: number, i: number) => value >= minimum[i % 3] && value <= maximum[i % 3];
  assert.ok(positions.every(isInside), `${name}: within its box`);
  assert.ok(
    colors.every((value) => value >= 0 && value <= 1),
    `${name}: colours`,
  );
  assert.is(maximum[1] + 0, 0, `${name}: on the ground`);
  const isUnit = (_: number, i: number) =>
    i % 3 > 0 || Math.abs(normals[i] ** 2 + normals[i + 1] ** 2 + normals[i + 2] ** 2 - 1) < 1e-5;
  assert.ok(normals.every(isUnit), `${name}: unit normals`);
  if (!texture || !uvs) return;
  for (const side of [texture.width, texture.height])
    assert.ok(Number.isInteger(Math.log2(side)) && side <= 2048, name);
  // The texture may be used as it is, where corners on its edge are rounded.
  assert.ok(
    uvs.every((value) => value > -0.02 && value < 1.02),
    `${name}: on the texture`,
  );
}

if (!existsSync(folder)) {
  console.log(`# skip every model of the packs is imported: no ${folder}`);
} else {
  test('every model of the packs is imported, in its box, on the ground, with textures', async () => {
    const { assets } = await meshAssets(folder, '**');
    assert.ok(assets.length >= 161, String(assets.length));
    let textured = 0;
    for (const asset of assets) {
      const mesh = await asset.load();
      check(asset, mesh);
      if (mesh.texture) textured++;
    }
    assert.ok(textured > 50, String(textured));
  });

  test('one model as GLB with a two-sided material and as OBJ is the same body', async () => {
    const pair = async (name: string) => {
      const { assets } = await meshAssets(join(folder, 'kenney_car-kit'), `**/${name}.*`, { length: 4.5 });
      assert.is(assets.length, 2);
      return assets;
    };
    const [glb, obj] = await pair('sedan');
    assert.is(glb.triangles, obj.triangles);
    for (let c = 0; c < 3; c++) assert.ok(Math.abs(glb.minimum[c] - obj.minimum[c]) < 1e-4);
    assert.ok(Math.abs(glb.maximum[2] - glb.minimum[2] - 4.5) < 1e-5);
  });
}

test.run();
