import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { meshAssets } from '../../src/assets/meshes/meshAssets.js';
import { AssetError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { glbOf, pngOf, TestGltf } from '../helpers/models.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-hostile-'));
test.after(() => rmSync(folder, { recursive: true }));
const inner = join(folder, 'models');
mkdirSync(inner);
writeFileSync(join(folder, 'secret.png'), pngOf([['#ff0000']]));
let files = 0;

/** The message with which a file is refused, when it is listed or when it is loaded. */
async function refused(content: Uint8Array | string, extension = 'glb'): Promise<string> {
  const path = join(inner, `${files++}.${extension}`);
  writeFileSync(path, content);
  const error = await meshAssets(path)
    .then(({ assets }) => assets[0].load())
    .then(
      () => new Error(`${path} was imported`),
      (reason: unknown) => reason,
    );
  assert.instance(error, AssetError, String(error));
  assert.ok((error as Error).message.includes(path), `names the file: ${(error as Error).message}`);
  return (error as Error).message;
}

const TRIANGLE = [0, 0, 0, 1, 0, 0, 0, 1, 0];

function triangle(rest: Record<string, unknown> = {}): TestGltf {
  const gltf = new TestGltf(rest);
  gltf.mesh({ attributes: { POSITION: TRIANGLE, TEXCOORD_0: [0, 0, 1, 0, 0, 1] }, indices: [0, 1, 2] });
  return gltf;
}

// biome-ignore lint/suspicious/noExplicitAny: files are damaged at any place, against every type.
type Damaged = any;

/** A file of a triangle with its JSON changed. */
function changed(change: (json: Damaged) => void, gltf = triangle()): Buffer {
  const { json, binary } = gltf.parts();
  const copy = structuredClone(json);
  change(copy);
  return glbOf(copy, binary);
}

test('a GLB file that is cut off anywhere is refused, never read beyond its end', async () => {
  const whole = triangle().glb();
  for (const length of [0, 3, 4, 11, 19, 20, 60, whole.length - 60, whole.length - 1]) {
    const message = await refused(whole.subarray(0, length));
    assert.match(message, /Expected (at least 20 bytes|\d+ bytes as its header says|JSON in)/, String(length));
  }
  const version = Buffer.from(whole);
  version.writeUInt32LE(1, 4);
  assert.match(await refused(version), /Expected version 2 for the GLB file/);
  assert.match(await refused('{ "asset": '), /Expected JSON in the glTF file/);
  assert.match(await refused('[]', 'gltf'), /expected object/);
});

test('numbers that refer to nothing, sizes that do not fit, and counts that are huge are refused with their place', async () => {
  const cases: [(json: Damaged) => void, RegExp][] = [
    [(json) => (json.asset.version = '1.0'), /asset\.version: Expected glTF 2/],
    [(json) => (json.nodes[0].mesh = 7), /Expected one of 1 meshes for nodes\.0 but received number 7/],
    [(json) => (json.meshes[0].primitives[0].attributes.POSITION = 99), /accessors for meshes\.0\.primitives\.0/],
    [(json) => (json.meshes[0].primitives[0].material = 0), /one of 0 materials/],
    [(json) => (json.accessors[0].bufferView = 9), /bufferViews for accessors\.0/],
    [(json) => (json.accessors[0].count = 4), /at least 48 bytes for the buffer view of accessors\.0 but received 36/],
    [(json) => (json.accessors[0].byteOffset = 4), /at least 40 bytes/],
    [
      (json) => (json.accessors[0].componentType = 5124),
      /accessors\.0\.componentType: Expected a component type of glTF/,
    ],
    [(json) => (json.bufferViews[0].byteOffset = 1e6), /bytes for the buffer of bufferViews\.0/],
    [(json) => (json.bufferViews[0].byteOffset = -4), /bufferViews\.0\.byteOffset/],
    [(json) => (json.buffers[0].byteLength = 1e6), /Expected 1000000 bytes for buffers\.0 but received/],
    [(json) => delete json.buffers, /one of 0 buffers for bufferViews\.0/],
    [(json) => (json.buffers = [{ byteLength: 0, uri: 'none.bin' }]), /the buffers\.0 "none\.bin" of .* to be there/],
    // Zero-filled: nothing in the file stands for it.
    [
      (json) => json.accessors.push({ componentType: 5126, count: 2 ** 30, type: 'MAT4' }),
      /at most 268435456 bytes in all/,
    ],
    [(json) => (json.accessors[2].count = 2), /Expected a model with triangles/],
    [(json) => (json.nodes = [{ children: [1] }, { children: [0], mesh: 0 }]), /trees of nodes but received a circle/],
    [(json) => (json.nodes = [{ children: [0], mesh: 0 }]), /trees of nodes but received a circle/],
    [(json) => (json.nodes = [{ children: [2] }, { children: [2] }, { mesh: 0 }]), /one parent for nodes\.2/],
    [(json) => (json.nodes = [{ mesh: 0, scale: [1e200, 1, 1] }]), /nodes\.0\.scale/],
    [
      (json) =>
        (json.nodes = [
          { scale: [1e30, 1, 1], children: [1] },
          { mesh: 0, scale: [1e30, 1, 1] },
        ]),
      /finite positions/,
    ],
    [(json) => (json.extensionsRequired = ['KHR_texture_basisu']), /without the required extension KHR_texture_basisu/],
    [(json) => (json.nodes[0].extensions = { EXT_mesh_gpu_instancing: {} }), /no EXT_mesh_gpu_instancing for nodes\.0/],
    [(json) => (json.meshes[0].primitives[0].mode = 1), /Expected a model with triangles/],
  ];
  for (const [change, expected] of cases) assert.match(await refused(changed(change)), expected);
  const bad = new TestGltf();
  bad.mesh({ attributes: { POSITION: TRIANGLE }, indices: [0, 1, 3] });
  assert.match(await refused(bad.glb()), /Expected indices below 3 but received 3/);
  const infinite = new TestGltf();
  infinite.mesh({ attributes: { POSITION: TRIANGLE.map((v, i) => (i === 4 ? Number.NaN : v)) } });
  assert.match(await refused(infinite.glb()), /meshes\.0\.primitives\.0: Expected finite positions/);
  // Fifty thousand nodes that each show the same hundred triangles.
  const many = new TestGltf({ nodes: Array.from({ length: 50_000 }, () => ({ mesh: 0 })) });
  many.mesh({ attributes: { POSITION: Array.from({ length: 900 }, (_, i) => i % 7) } });
  assert.match(await refused(many.glb()), /at most 4000000 triangles/);
});

test('textures: missing, damaged, too large, or outside of the folder', async () => {
  const materials = [{ pbrMetallicRoughness: { baseColorTexture: { index: 0 } } }];
  const withImage = (image: object) => {
    const { json, binary } = triangle({ materials }).parts();
    (json.meshes as Damaged)[0].primitives[0].material = 0;
    return glbOf({ ...json, images: [image], textures: [{ source: 0 }] }, binary);
  };
  assert.match(
    await refused(withImage({ uri: 'gone.png' })),
    /the images\.0 "gone\.png" of .* to be there but received none/,
  );
  assert.match(
    await refused(withImage({ uri: '../secret.png' })),
    /"\.\.\/secret\.png" of .* to lie in the folder of the models/,
  );
  assert.match(await refused(withImage({ uri: '%2e%2e/secret.png' })), /to lie in the folder/);
  assert.match(await refused(withImage({ uri: '..\\secret.png' })), /to lie in the folder/);
  assert.match(await refused(withImage({ uri: join(folder, 'secret.png') })), /to be a path relative to the model/);
  assert.match(await refused(withImage({ uri: 'file:///etc/hosts' })), /to be a path relative to the model/);
  assert.match(await refused(withImage({ uri: 'https://example.org/a.png' })), /to be a path relative to the model/);
  assert.match(await refused(withImage({ uri: '%' })), /Expected a uri for images\.0/);
  symlinkSync(join(folder, 'secret.png'), join(inner, 'link.png'));
  assert.match(await refused(withImage({ uri: 'link.png' })), /to lie in the folder/);
  assert.match(await refused(withImage({})), /a uri or a bufferView for images\.0/);
  assert.match(
    await refused(withImage({ uri: 'data:image/png;base64,aGVsbG8=' })),
    /Expected a PNG, JPEG or WebP file/,
  );
  const bomb = Buffer.from(pngOf([['#ff0000']]));
  bomb.writeUInt32BE(30000, 16);
  assert.match(await refused(withImage({ uri: `data:;base64,${bomb.toString('base64')}` })), /at most 16384 px a side/);
});

test('whatever bytes are flipped, a file is imported or refused as an AssetError', async () => {
  const gltf = triangle({ materials: [{ doubleSided: true }] });
  const whole = gltf.glb();
  const random = new RandomStream({ seed: 5, index: 0 });
  let imported = 0;
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(whole);
    const flips = 1 + Math.floor(random.uniform() * 3);
    for (let i = 0; i < flips; i++)
      bytes[Math.floor(random.uniform() * bytes.length)] ^= 1 << Math.floor(random.uniform() * 8);
    const path = join(inner, 'flipped.glb');
    writeFileSync(path, bytes);
    try {
      const mesh = await (await meshAssets(path)).assets[0].load();
      assert.ok(mesh.positions.every(Number.isFinite) && mesh.normals.every(Number.isFinite));
      assert.ok(mesh.indices.every((index) => index < mesh.positions.length / 3));
      imported++;
    } catch (error) {
      assert.instance(error, AssetError, String((error as Error).stack));
    }
  }
  assert.ok(imported > 5 && imported < 145, String(imported));
});

test('folders: missing, without models, a file that is none', async () => {
  const message = async (path: string, glob?: string) =>
    ((await meshAssets(path, glob).catch((reason: unknown) => reason)) as Error).message;
  assert.match(await message(join(folder, 'nowhere')), /Expected a folder of models or a model at .*nowhere/);
  assert.match(await message(folder, '*.glb'), /files that match \*\.glb in .* but received none/);
  assert.match(await message(join(folder, 'secret.png')), /Expected a \.glb, \.gltf or \.obj file but received/);
});

test.run();
