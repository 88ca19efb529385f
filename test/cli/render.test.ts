import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeSceneFile } from '../../src/dataset/sceneFile.js';
import { type MeshNode, meshBatch, meshScene } from '../helpers/meshScenes.js';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-cli-render-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A cube of 2 m on the ground, as Wavefront OBJ has it: y upwards. */
const CUBE_OBJ = `
v -1 0 -1
v 1 0 -1
v 1 2 -1
v -1 2 -1
v -1 0 1
v 1 0 1
v 1 2 1
v -1 2 1
f 1 4 3 2
f 5 6 7 8
f 1 5 8 4
f 2 3 7 6
f 4 8 7 3
f 1 2 6 5
`;

const picture = (path: string) => {
  const { width, height, channels, data } = decode(readFileSync(path));
  return {
    width,
    height,
    pixel: (x: number, y: number) => [...data.slice((y * width + x) * channels).slice(0, channels)],
  };
};

test('render draws one 3D scene of a file, with views of depth, normals and instances', async () => {
  mkdirSync(join(folder, 'models'));
  writeFileSync(join(folder, 'models', 'cube.obj'), CUBE_OBJ);
  const nodes: MeshNode[] = [
    { kind: 'light', brightness: 0, ambient: 0.45 },
    { asset: 0, z: 11, brightness: 0.5 },
  ];
  const scenes = [meshScene([]), meshScene(nodes, { index: 7 })];
  await writeSceneFile(join(folder, 'scenes.msg'), meshBatch(scenes, ['meshes/cube']));
  const out = join(folder, 'pictures', 'scene.png');
  const assets = `meshes:${join(folder, 'models')}`;
  const flags = ['--index', '1', '--depth', '--normals', '--instances', '--json'];
  const { code, stdout, stderr } = await runCli([
    'render',
    join(folder, 'scenes.msg'),
    '--assets',
    assets,
    '--out',
    out,
    ...flags,
  ]);
  assert.is(code, 0, stderr);
  const names = ['scene.png', 'scene.depth.png', 'scene.normals.png', 'scene.instances.png'];
  const files = names.map((name) => join(folder, 'pictures', name));
  assert.equal(JSON.parse(stdout), { out, files, width: 160, height: 80, index: 7, nodes: 2 });
  const [color, depth, normals, instances] = files.map(picture);
  for (const { width, height } of [color, depth, normals, instances]) assert.equal([width, height], [160, 80]);
  // The cube's front fills the middle; what is beside it is sky, above the horizon as below, darker for want of a sun.
  assert.equal(
    color.pixel(5, 79),
    [0.82, 0.88, 0.94].map((full) => Math.round((255 * full * 0.45) / (0.45 + 0.5 * 0.65))),
  );
  assert.ok(color.pixel(80, 50)[0] < 140, `${color.pixel(80, 50)}`);
  assert.equal(depth.pixel(5, 50), [0, 0, 0]);
  assert.ok(depth.pixel(80, 50)[0] > 200);
  assert.equal(normals.pixel(80, 50), [128, 128, 0]);
  assert.equal(instances.pixel(5, 50), [0, 0, 0]);
  assert.ok(instances.pixel(80, 50).some((value) => value > 0));
});

test('render draws one scene of a grammar; the same scene as in a file', async () => {
  const [grammar, scenes] = ['examples/grammars/mnist.yaml', join(folder, 'scenes.msg')];
  const pick = ['--set', 'digits=digits', '--seed', '3'];
  const [direct, through] = [join(folder, 'direct.png'), join(folder, 'through.png')];
  const sampled = await runCli(['sample', grammar, ...pick, '--count', '3', '--out', scenes]);
  assert.is(sampled.code, 0, sampled.stderr);
  const runs = await Promise.all([
    runCli(['render', grammar, ...pick, '--index', '2', '--out', direct]),
    runCli(['render', scenes, '--index', '2', '--out', through]),
    runCli(['render', scenes, '--index', '3', '--out', join(folder, 'none.png')]),
    runCli(['render', scenes, '--depth', '--out', join(folder, 'flat.png')]),
  ]);
  assert.equal(
    runs.map(({ code }) => code === 0),
    [true, true, false, false],
  );
  assert.equal(readFileSync(direct), readFileSync(through));
  assert.match(runs[2].stderr, 'Expected --index below 3');
  assert.match(runs[3].stderr, 'Expected 3D scenes for depth');
});

test('render finds the driving grammar by its name, and the meshes that it names without --assets', async () => {
  const small = ['--set', 'width=124', '--set', 'height=38', '--seed', '3'];
  const [named, spelled] = [join(folder, 'named.png'), join(folder, 'spelled.png')];
  const runs = await Promise.all([
    runCli(['render', 'driving', ...small, '--out', named]),
    runCli(['render', 'examples/grammars/driving.yaml', '--assets', 'driving', ...small, '--out', spelled]),
  ]);
  for (const { code, stderr } of runs) assert.is(code, 0, stderr);
  assert.equal(readFileSync(named), readFileSync(spelled));
  assert.equal(picture(named).width, 124);
});

test('a grammar is drawn as a PNG only, and what is no scene file is named', async () => {
  const [dataset, other] = [join(folder, 'dataset'), join(folder, 'text.msg')];
  writeFileSync(other, 'no scenes, but long enough to hold an identifier');
  const runs = await Promise.all([
    runCli(['render', 'examples/grammars/driving.yaml', '--out', dataset]),
    runCli(['render', other, '--out', dataset]),
    runCli(['render', 'driving', '--out', 'street.jpg']),
    runCli(['render', 'driving', '--masks', '--out', join(folder, 'masks.png')]),
  ]);
  assert.equal(
    runs.map(({ code }) => code),
    [2, 1, 2, 2],
  );
  assert.match(runs[2].stderr, /Expected a \.png file for --out, to draw a scene of driving, but received street\.jpg/);
  assert.match(runs[3].stderr, /Expected --instances.+masks\.png but received --masks/);
  assert.not.ok(existsSync(join(folder, 'masks.png')));
  assert.match(runs[0].stderr, /Expected a \.png file for --out, to draw a scene of .+driving\.yaml, but received/);
  assert.match(runs[1].stderr, /text\.msg: Expected "MSG1" at byte 4/);
  assert.not.ok(existsSync(dataset));
});

test.run();
