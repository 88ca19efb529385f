import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssets, openSource } from '../../src/batch/openSource.js';
import { parseAssetSource } from '../../src/cli/flags.js';
import { attributeIndex } from '../../src/scene/attributeSchema.js';
import { runCli } from './runCli.js';

const GRAMMAR = 'examples/grammars/meshes.yaml';
const folder = mkdtempSync(join(tmpdir(), 'metasim-meshes-example-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A box on the ground as OBJ has it, y upwards, red without a material. */
function box(width: number, height: number, length: number): string {
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1 ? width : 0, i & 2 ? height : 0, i & 4 ? length : 0]);
  const faces = ['1 3 4 2', '5 6 8 7', '1 5 7 3', '2 4 8 6', '3 7 8 4', '1 2 6 5'];
  return [...corners.map((corner) => `v ${corner.join(' ')} 0.9 0.05 0.05`), ...faces.map((face) => `f ${face}`)].join(
    '\n',
  );
}

// In units of 2 m, as packs are. One is as large as a house.
const models = join(folder, 'models');
for (const sub of ['cars', 'things']) mkdirSync(join(models, sub), { recursive: true });
writeFileSync(join(models, 'cars', 'saloon.obj'), box(0.9, 0.75, 2.2));
writeFileSync(join(models, 'things', 'bench.obj'), box(0.8, 0.25, 0.4));
writeFileSync(join(models, 'things', 'kiosk.obj'), box(5, 1.5, 6));
const assets = `meshes:${models},scale=2,licence=CC0-1.0`;

test('a folder is enough: its models stand beside the road and not on it, on built-in ground, and do not touch', async () => {
  const variables = { length: '60' };
  const opened = await openSource({ path: GRAMMAR, assets: [parseAssetSource(assets)], variables });
  const { schema, scenes } = await opened.source.sampleBatch({ seed: 3, start: 0, count: 20 });
  const drawn = new Set<string>();
  for (const { classId, asset, attributes, parent } of scenes) {
    const read = (v: number, name: string) => attributes[v * schema.attributes.length + attributeIndex(schema, name)];
    const nodes = [...classId.keys()].filter((v) => schema.classes[classId[v]] === 'Misc');
    const ends = nodes.map((v) => {
      const mesh = opened.assets.assets[asset[v]];
      assert.ok(mesh.kind === 'mesh' && mesh.name.startsWith('meshes/'), mesh.name);
      drawn.add(mesh.name);
      const [w, l] = [mesh.maximum[0], mesh.maximum[2]];
      // It looks at the road, within a few degrees: its length lies across, and is at least half of what it takes there.
      assert.ok(Math.abs(Math.abs(read(v, 'rotation')) - 90) < 15);
      assert.ok(Math.abs(read(v, 'x')) - l > 4.4, `${read(v, 'x')} ${l}`);
      return { side: parent[v], z: read(v, 'z'), half: w };
    });
    for (const a of ends) {
      for (const b of ends) {
        if (a.side === b.side && a.z < b.z) assert.ok(b.z - a.z > a.half + b.half + 0.9, `${a.z} ${b.z}`);
      }
    }
  }
  assert.equal([...drawn].sort(), ['meshes/cars/saloon', 'meshes/things/bench', 'meshes/things/kiosk']);
});

test('built-in meshes come beside sources of ones own where they are named, unless those bring the names', async () => {
  const kinds = async (text: string, naming: string) =>
    (await openAssets([parseAssetSource(text)], [naming])).sources.map(({ kind }) => kind);
  const named = 'asset: driving/grounds/grass';
  assert.equal(await kinds(assets, named), ['meshes', 'driving']);
  assert.equal(await kinds(assets, 'asset: meshes/driving/car'), ['meshes']);
  assert.equal(await kinds(`${assets},prefix=driving`, named), ['meshes']);
  assert.equal(await kinds(`${assets},prefix=driving/own`, named), ['meshes']);
  assert.equal(await kinds('driving,cars=2', named), ['driving']);
});

test('generate and audit: models are seen and labelled in metres under the class that --set gives them', async () => {
  const small = ['--set', 'width=240', '--set', 'height=136', '--set', 'length=40', '--seed', '2'];
  const swap = ['--set', 'cars=meshes/cars/*', '--set', 'things=meshes/things/bench', '--set', 'trees=none'];
  const [kitti, whole] = ['kitti', 'whole'].map((name) => join(folder, name));
  const given = ['--assets', assets, ...small, ...swap];
  const runs = await Promise.all([
    runCli(['generate', GRAMMAR, ...given, '--count', '6', '--format', 'kitti', '--out', kitti]),
    runCli(['generate', 'meshes', ...given, '--count', '2', '--masks', '--scenes', '--out', whole]),
  ]);
  for (const { code, stderr } of runs) assert.is(code, 0, stderr);
  const { width, height, channels, data } = decode(readFileSync(join(kitti, 'training', 'image_2', '000000.png')));
  assert.equal([width, height], [240, 136]);
  let red = 0;
  for (let i = 0; i < data.length; i += channels) red += Number(data[i] > 60 && data[i] > 4 * data[i + 1]);
  assert.ok(red > 100, `${red} px`);

  const labels = join(kitti, 'training', 'label_2');
  const rows = readdirSync(labels).flatMap((name) => readFileSync(join(labels, name), 'utf8').trim().split('\n'));
  const sizes = rows.map((row) => row.split(' ')).map((fields) => [fields[0], ...fields.slice(8, 11).map(Number)]);
  const kinds = new Set(sizes.filter(([name]) => name !== 'DontCare').map((size) => size.join(' ')));
  // Height, width, length: twice the units of the files.
  assert.equal([...kinds].sort(), ['Car 1.5 1.8 4.4', 'Misc 0.5 1.6 0.8']);

  const { code, stdout, stderr } = await runCli(['audit', whole, '--assets', assets, '--json']);
  assert.is(code, 0, stderr);
  const { rendered, disagreements } = JSON.parse(stdout);
  assert.equal({ rendered, disagreements }, { rendered: 2, disagreements: 0 });
});

test.run();
