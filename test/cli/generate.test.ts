import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpriteLabel } from '../../src/annotate/objectLabel.js';
import type { ImageLabels } from '../../src/dataset/sample.js';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-cli-'));
test.after(() => rmSync(folder, { recursive: true }));

const grammar = join(folder, 'tiny.yaml');
writeFileSync(
  grammar,
  `
name: tiny
variables: { size: 32 }
canvas: { width: "\${size}", height: "\${size}", channels: 1 }
attributes:
  x: { unit: px, range: [-64, 64] }
  y: { unit: px, range: [-64, 64] }
  rotation: { unit: deg, range: [-180, 180] }
classes:
  background: { asset: backgrounds/grey-noise/* }
  three: { asset: digits/3/* }
  seven: { asset: digits/7/* }
nodes:
  - class: background
    attributes: { x: "\${size / 2}", y: "\${size / 2}" }
    children:
      - class: [three, seven]
        mutable: [rotation]
        attributes: { rotation: { uniform: [-30, 30] } }
`,
);

const labelsOf = (out: string): (ImageLabels & { file_name: string; objects: SpriteLabel[] })[] =>
  readFileSync(join(out, 'metadata.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('generate writes images, masks and labels, and says so in one JSON object', async () => {
  const out = join(folder, 'generated');
  const args = ['generate', grammar, '--count', '20', '--seed', '3', '--out', out, '--masks', '--set', 'size=48'];
  const { code, stdout, stderr } = await runCli([...args, '--threads', '1', '--json']);
  assert.is(code, 0, stderr);
  const result = JSON.parse(stdout);
  assert.equal([result.count, result.seed, result.width, result.height, result.channels], [20, 3, 48, 48, 1]);
  assert.match(stderr, /generate: 20\/20 \(100 %\)/);
  const labels = labelsOf(out);
  assert.is(labels.length, 20);
  for (const { file_name, objects } of labels) {
    const image = await loadImage(join(out, file_name));
    assert.equal([image.width, image.height], [48, 48]);
    const [background, digit] = objects;
    assert.equal(background.box, [0, 0, 48, 48]);
    assert.equal([digit.pose.x, digit.pose.y], [24, 24]);
    assert.ok(digit.visible && digit.pixels > 20);
    assert.ok(Math.abs(digit.pose.rotation) <= 30);
    assert.ok(['three', 'seven'].includes(digit.class));
    assert.match(digit.asset, digit.class === 'three' ? /^digits\/3\// : /^digits\/7\//);
  }
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  assert.is(manifest.source, 'tiny');
  assert.match(manifest.grammarHash, /^[0-9a-f]{64}$/);
  assert.equal(
    manifest.licences.map((entry: { licence: string }) => entry.licence),
    ['CC0-1.0'],
  );
});

test('sample and render make the same images and labels as generate, on any number of threads', async () => {
  const scenes = join(folder, 'scenes.msg');
  const [rendered, generated] = [join(folder, 'rendered'), join(folder, 'again')];
  const stream = ['--count', '30', '--seed', '11', '--start', '0'];
  const sampled = await runCli(['sample', grammar, ...stream, '--out', scenes]);
  assert.is(sampled.code, 0, sampled.stderr);
  assert.match(sampled.stdout, /^30 scenes of tiny \(seed 11\) in /);
  const runs = await Promise.all([
    runCli(['render', scenes, '--out', rendered, '--threads', '1']),
    runCli(['generate', grammar, ...stream, '--out', generated, '--threads', '2']),
  ]);
  for (const { code, stderr } of runs) assert.is(code, 0, stderr);
  assert.is(
    readFileSync(join(rendered, 'metadata.jsonl'), 'utf8'),
    readFileSync(join(generated, 'metadata.jsonl'), 'utf8'),
  );
  for (const { file_name } of labelsOf(rendered)) {
    assert.equal(readFileSync(join(rendered, file_name)), readFileSync(join(generated, file_name)));
  }
});

test('the example of --help runs as it is printed', async () => {
  const help = await runCli(['--help']);
  const line = /\$ metasim (generate .+)/.exec(help.stdout)?.[1] ?? '';
  const words = line.split(' ');
  assert.is(words[0], 'generate');
  const out = join(folder, 'example');
  words[words.indexOf('--out') + 1] = out;
  words[words.indexOf('--count') + 1] = '10';
  const { code, stderr } = await runCli(words);
  assert.is(code, 0, stderr);
  assert.is(labelsOf(out).length, 10);
});

test('a folder with something in it is refused with code 1 and stays as it is', async () => {
  const out = join(folder, 'full');
  mkdirSync(out);
  writeFileSync(join(out, 'mine.txt'), '');
  const { code, stderr, stdout } = await runCli(['generate', grammar, '--out', out]);
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, /^error: Expected a new or empty place for the dataset but received .+ mine\.txt\n$/);
  assert.equal(readdirSync(out), ['mine.txt']);
});

test('an unknown variable of the grammar and a texture that is missing are named', async () => {
  const [variable, texture] = await Promise.all([
    runCli(['generate', grammar, '--out', join(folder, 'v'), '--set', 'sise=3']),
    runCli(['generate', grammar, '--out', join(folder, 't'), '--assets', 'digits,to=1,variants=1', '--set', 'size=0']),
  ]);
  assert.is(variable.code, 2);
  assert.match(variable.stderr, /^error: .*sise/);
  assert.is(texture.code, 2);
  assert.match(texture.stderr, /^error: .*canvas/);
  assert.not.ok(existsSync(join(folder, 'v')));
  assert.not.ok(existsSync(join(folder, 't')));
});

test('a damaged scene file is refused before anything is written', async () => {
  const path = join(folder, 'damaged.msg');
  writeFileSync(path, Buffer.alloc(64, 7));
  const out = join(folder, 'damaged');
  const { code, stderr } = await runCli(['render', path, '--out', out]);
  assert.is(code, 1);
  assert.match(stderr, /^error: .+damaged\.msg: Expected .+ but received .+\n$/);
  assert.not.ok(existsSync(out));
});

test('Ctrl-C ends with code 130 and keeps what is finished for --resume', async () => {
  const out = join(folder, 'interrupted');
  let sent = false;
  const stream = [
    'generate',
    grammar,
    '--count',
    '8000',
    '--shard-size',
    '200',
    '--threads',
    '1',
    '--json',
    '--format',
    'webdataset',
  ];
  const args = [...stream, '--out', out];
  const { code, stdout, stderr } = await runCli(args, {}, (child, text) => {
    // Some shards of 200 are whole by then, however slow the machine is.
    const made = [...text.matchAll(/generate: (\d+)\/8000/g)].map((match) => Number(match[1]));
    if (!sent && Math.max(0, ...made) >= 800) sent = child.kill('SIGINT');
  });
  assert.is(code, 130, stderr);
  assert.is(JSON.parse(stdout).error.code, 'INTERRUPTED');
  assert.match(stderr, /error: interrupted\n$/);
  assert.not.ok(existsSync(join(out, 'manifest.json')));
  const refused = await runCli(args);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /holds one already; pass --resume/);
  const resumed = await runCli([...args, '--resume']);
  assert.is(resumed.code, 0, resumed.stderr);
  const { images, count, contentHash } = JSON.parse(resumed.stdout);
  assert.is(count, 8000);
  assert.ok(images < 8000 && images >= 4000, `${images} images were left to make`);
  const whole = await runCli([...stream, '--out', join(folder, 'uninterrupted')]);
  assert.is(JSON.parse(whole.stdout).contentHash, contentHash);
});

test.run();
