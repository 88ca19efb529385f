import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeImage } from '../../src/assets/decodeImage.js';
import { TestGltf } from '../helpers/models.js';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-assets-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A green wall that looks forward, 1 wide and 2 high, in units of the file. */
const gltf = new TestGltf({ materials: [{ pbrMetallicRoughness: { baseColorFactor: [0, 1, 0, 1] } }] });
gltf.mesh({ attributes: { POSITION: [0, 0, 0, 1, 0, 0, 1, 2, 0, 0, 2, 0] }, indices: [0, 1, 2, 0, 2, 3], material: 0 });
writeFileSync(join(folder, 'wall.glb'), gltf.glb());

test('models are listed with size in metres and licence, and drawn on a sheet', async () => {
  const sheet = join(folder, 'sheet.png');
  const source = `meshes:${folder},prefix=w,height=3,licence=CC0-1.0,surface=ground`;
  const { code, stdout, stderr } = await runCli(['assets', source, '--sheet', sheet, '--json']);
  assert.is(code, 0, stderr);
  assert.equal(JSON.parse(stdout), {
    assets: [
      {
        ...{ kind: 'mesh', name: 'w/wall', minimum: [-0.75, -3, 0], maximum: [0.75, 0, 0] },
        ...{ triangles: 2, surface: 'ground', licence: 'CC0-1.0' },
      },
    ],
    sheet,
  });
  const { width, pixels } = await decodeImage(readFileSync(sheet), sheet);
  // The wall's middle is that of the only picture, 192 px wide behind a margin of 16 px, below two headings.
  const at = 4 * ((16 + 22 + 96) * width + 16 + 96);
  const [red, green, blue] = pixels.subarray(at, at + 3);
  assert.ok(green > 150 && red < 20 && blue < 20, `${red} ${green} ${blue}`);
});

test('a sheet is a PNG and is called so', async () => {
  const { code, stderr } = await runCli(['assets', 'driving', '--sheet', join(folder, 'sheet.jpg')]);
  assert.is(code, 2);
  assert.match(stderr, /Expected a \.png file for --sheet but received .*sheet\.jpg/);
});

test('textures are listed too; a pattern that nothing matches is an error', async () => {
  const listed = await runCli(['assets', 'digits,variants=1', '--match', 'digits/{3,7}/*']);
  assert.is(listed.code, 0, listed.stderr);
  assert.equal(
    listed.stdout.split('\n').flatMap((line) => /^digits\/\d/.exec(line)?.[0] ?? []),
    ['digits/3', 'digits/7'],
  );
  const none = await runCli(['assets', 'digits', '--match', 'cars/**']);
  assert.is(none.code, 1);
  assert.match(none.stderr, /Expected names that match cars\/\*\* but received none/);
});

test.run();
