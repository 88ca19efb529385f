import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Document, type Extension, WebIO } from '@gltf-transform/core';
import { EXTMeshoptCompression, KHRDracoMeshCompression } from '@gltf-transform/extensions';
import draco from 'draco3dgltf';
import { MeshoptEncoder } from 'meshoptimizer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MeshData } from '../../src/assets/meshAsset.js';
import { type MeshAssetOptions, meshAssets } from '../../src/assets/meshes/meshAssets.js';
import { cornersOf, TestGltf } from '../helpers/models.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-simplify-'));
test.after(() => rmSync(folder, { recursive: true }));
let files = 0;

async function imported(bytes: Uint8Array, options: MeshAssetOptions = {}) {
  const path = join(folder, `${files++}.glb`);
  writeFileSync(path, bytes);
  const [asset] = (await meshAssets(path, '**', options)).assets;
  return { asset, mesh: (await asset.load()) as MeshData };
}

const RINGS = 24;
const SECTORS = 48;

/** A sphere of radius 1 around the origin, its upper half red, its lower half blue, with smooth normals. */
function sphere(): { positions: number[]; colours: number[]; indices: number[] } {
  const positions: number[] = [];
  const colours: number[] = [];
  for (let ring = 0; ring <= RINGS; ring++) {
    const [height, radius] = [Math.cos((Math.PI * ring) / RINGS), Math.sin((Math.PI * ring) / RINGS)];
    for (let sector = 0; sector <= SECTORS; sector++) {
      const angle = (2 * Math.PI * sector) / SECTORS;
      positions.push(radius * Math.sin(angle), height, radius * Math.cos(angle));
      colours.push(...(height > 0 ? [1, 0, 0, 1] : [0, 0, 1, 1]));
    }
  }
  const indices: number[] = [];
  for (let ring = 0; ring < RINGS; ring++) {
    for (let sector = 0; sector < SECTORS; sector++) {
      const a = ring * (SECTORS + 1) + sector;
      const b = a + SECTORS + 1;
      indices.push(a, b, b + 1, a, b + 1, a + 1);
    }
  }
  return { positions, colours, indices };
}

/** Distance of a point from the surface of a mesh: from its nearest triangle. */
function distance(mesh: MeshData, point: readonly number[]): number {
  const corners = cornersOf(mesh);
  let least = Number.POSITIVE_INFINITY;
  for (let t = 0; t < corners.length; t += 3) {
    // Points spread over the triangle are near enough for a bound.
    for (let i = 0; i <= 16; i++) {
      for (let j = 0; i + j <= 16; j++) {
        const weights = [i / 16, j / 16, (16 - i - j) / 16];
        const square = [0, 1, 2].reduce((sum, c) => {
          const place = weights.reduce((total, weight, k) => total + weight * corners[t + k][c], 0);
          return sum + (place - point[c]) ** 2;
        }, 0);
        least = Math.min(least, square);
      }
    }
  }
  return Math.sqrt(least);
}

test('maxTriangles: a tenth of the triangles stays near the shape and keeps its colours, the same every time', async () => {
  const { positions, colours, indices } = sphere();
  const gltf = new TestGltf();
  gltf.mesh({ attributes: { POSITION: positions, NORMAL: positions, COLOR_0: colours }, indices });
  const bytes = gltf.glb();
  const options = { ground: false, maxTriangles: 230 };
  const { asset, mesh } = await imported(bytes, options);
  const count = mesh.indices.length / 3;
  assert.ok(count <= 230 && count > 150, String(count));
  assert.is(asset.triangles, 230);
  // Vertices stay on the sphere; faces are less than a sixth of its radius below it: most are spent on the edge between the colours.
  for (const corner of cornersOf(mesh)) assert.ok(Math.abs(Math.hypot(...corner) - 1) < 1e-6);
  for (let i = 0; i < positions.length; i += 3 * 61) {
    const place = [-positions[i], -positions[i + 1], positions[i + 2]];
    assert.ok(distance(mesh, place) < 0.15, `${place} ${distance(mesh, place)}`);
  }
  // y < 0 is up: what is clearly in a half has its colour.
  for (let vertex = 0; vertex < mesh.positions.length / 3; vertex++) {
    const height = -mesh.positions[3 * vertex + 1];
    if (Math.abs(height) > 0.2) assert.is(mesh.colors[3 * vertex], height > 0 ? 1 : 0);
  }
  assert.equal(await imported(bytes, options).then((again) => again.mesh), mesh);
  const whole = await imported(bytes, { ground: false, maxTriangles: 1e6 });
  // A ring of those at the upper pole has no area; at the lower one sin π is not quite 0.
  assert.is(whole.mesh.indices.length / 3, 2 * SECTORS * RINGS - SECTORS);
});

test('maxTriangles counts the backs of two-sided pieces', async () => {
  const { positions, indices } = sphere();
  const gltf = new TestGltf({ materials: [{ doubleSided: true }] });
  // Half a sphere is open.
  gltf.mesh({
    attributes: { POSITION: positions, NORMAL: positions },
    indices: indices.slice(0, indices.length / 2),
    material: 0,
  });
  const { mesh } = await imported(gltf.glb(), { maxTriangles: 300 });
  assert.ok(mesh.indices.length / 3 <= 300, String(mesh.indices.length / 3));
  assert.ok(mesh.indices.length / 3 > 200);
});

/** The sphere, written by the library with an extension that compresses it. */
async function compressed(extension: typeof Extension, dependencies: Record<string, unknown>): Promise<Uint8Array> {
  const { positions, indices } = sphere();
  const document = new Document();
  const buffer = document.createBuffer();
  const accessor = (array: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, type: 'SCALAR' | 'VEC3') =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const primitive = document
    .createPrimitive()
    .setIndices(accessor(Uint32Array.from(indices), 'SCALAR'))
    .setAttribute('POSITION', accessor(Float32Array.from(positions), 'VEC3'));
  document.createScene().addChild(document.createNode().setMesh(document.createMesh().addPrimitive(primitive)));
  document.createExtension(extension as never).setRequired(true);
  return new WebIO().registerExtensions([extension]).registerDependencies(dependencies).writeBinary(document);
}

test('geometry compressed with Draco or meshopt is read; damaged, it is refused', async () => {
  await MeshoptEncoder.ready;
  const written = [
    await compressed(KHRDracoMeshCompression, { 'draco3d.encoder': await draco.createEncoderModule() }),
    await compressed(EXTMeshoptCompression, { 'meshopt.encoder': MeshoptEncoder }),
  ];
  for (const bytes of written) {
    assert.ok(bytes.length < 15_000, `it is compressed: ${bytes.length}`);
    const { asset, mesh } = await imported(bytes, { ground: false });
    for (const corner of cornersOf(mesh)) assert.ok(Math.abs(Math.hypot(...corner) - 1) < 1e-3);
    // At the poles triangles without area may have got one.
    const triangles = 2 * SECTORS * RINGS - 2 * SECTORS;
    assert.ok(asset.triangles >= triangles && asset.triangles <= triangles + 2 * SECTORS, String(asset.triangles));
    const damaged = Uint8Array.from(bytes);
    damaged.fill(0xff, bytes.length - 3000, bytes.length - 40);
    const error = await imported(damaged).catch((reason: Error) => reason);
    assert.match((error as Error).message, /Expected readable geometry in .*\.glb but received/);
  }
});

test.run();
