import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imageFolderFormat } from '../../src/dataset/formats/imageFolder.js';
import { fixture, writeFixture } from '../dataset/formats/harness.js';
import { runCli } from './runCli.js';

const made = await fixture({ count: 6 });
const folder = await writeFixture(imageFolderFormat, made);

test('a true dataset: exit code 0', async () => {
  const { code, stdout, stderr } = await runCli(['audit', folder, '--assets', 'digits,variants=2', '--json']);
  assert.is(code, 0, stderr);
  const { dataset, format, samples, masks, scenes, rendered, disagreements, listed } = JSON.parse(stdout);
  assert.equal([dataset, format, samples, masks, scenes, rendered], [folder, 'imagefolder', 6, 6, 6, 6]);
  assert.equal([disagreements, listed], [0, []]);
});

test('wrong labels: exit code 1, a line each up to the limit, all counted', async () => {
  const path = join(folder, 'metadata.jsonl');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replaceAll('"asset":"digits/', '"asset":"numbers/'));
  const digits = made.samples
    .flatMap(({ labels }) => labels.objects)
    .filter(({ asset }) => asset?.startsWith('digits/'));
  const { code, stdout } = await runCli(['audit', folder, '--from', 'imagefolder', '--limit', '2']);
  assert.is(code, 1);
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines[0], /\(imagefolder\): 6 samples with \d+ objects; 6 masks, 6 scene graphs, 0 rendered again/);
  assert.is(lines[1], `${digits.length} disagreements: asset ${digits.length}`);
  assert.match(lines[2], /^\d{9} object \d+: expected digits\/\S+ for asset but received numbers\//);
  assert.is(lines[4], `… and ${digits.length - 2} more`);
  writeFileSync(path, text);
});

test('no dataset, an unknown format and a bad limit are told apart', async () => {
  const missing = await runCli(['audit', join(folder, 'images')]);
  assert.is(missing.code, 1);
  assert.match(missing.stderr, /^error: Expected a dataset of a known format/);
  assert.is((await runCli(['audit', folder, '--from', 'zip'])).code, 2);
  assert.is((await runCli(['audit', folder, '--limit', '-1'])).code, 2);
});

test.run();
