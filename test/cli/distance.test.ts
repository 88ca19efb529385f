import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePng } from '../../src/dataset/png.js';
import { RandomStream } from '../../src/random.js';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-cli-distance-'));
test.after(() => rmSync(folder, { recursive: true }));

/** Noise around a mean brightness. */
function noise(name: string, count: number, seed: number, mean: number): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (let i = 0; i < count; i++) {
    const stream = new RandomStream({ seed, index: i });
    const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, () => mean + 60 * stream.uniform());
    writeFileSync(join(path, `${i}.png`), encodePng({ width: 12, height: 12, channels: 3, pixels }));
  }
  return path;
}

const dark = noise('dark', 12, 1, 20);
const bright = noise('bright', 12, 2, 150);
const fast = ['--layer', '64', '--size', '24', '--weights', 'random', '--subsets', '3', '--resamples', '3'];

test('distance: the three numbers with intervals as text and as one JSON object; the same seed, the same numbers', async () => {
  const [text, json, again] = await Promise.all([
    runCli(['distance', dark, bright, ...fast]),
    runCli(['distance', dark, bright, ...fast, '--seed', '3', '--confidence', '0.8', '--json']),
    runCli(['distance', dark, bright, ...fast, '--seed', '3', '--confidence', '0.8', '--json']),
  ]);
  assert.is(text.code, 0, text.stderr);
  assert.match(text.stdout, /^a: .*dark, 12 images\nb: .*bright, 12 images\n/);
  assert.match(text.stdout, /stand-in .*layer 64 pooled, images at 24 × 24 px/);
  assert.match(text.stdout, /not with published/);
  assert.match(text.stdout, /\nKID +-?\d+\.\d+ +95 %: \S+ to \S+ +above 0\n/);
  assert.match(text.stdout, /\nGaussian MMD² .*σ \d/);
  assert.match(text.stdout, /\nFréchet +\d/);
  assert.match(text.stdout, /3 subsets of 6/);
  assert.match(text.stdout, /warning: .*stand-in/);
  assert.match(text.stderr, /features of a: 12\/12/);
  const result = JSON.parse(json.stdout);
  assert.is(json.stdout, again.stdout);
  assert.equal([result.seed, result.confidence, result.features.layer], [3, 0.8, 64]);
  const { value, interval, standardError } = result.kid;
  // 80 %: 1.2816 standard errors to each side.
  assert.ok(Math.abs(interval[1] - value - 1.2815515655 * standardError) < 1e-9);
});

test('distance: flags out of range are usage errors, folders that are not there are named', async () => {
  const [confidence, missing] = await Promise.all([
    runCli(['distance', dark, bright, '--confidence', '1']),
    runCli(['distance', dark, join(folder, 'none'), ...fast]),
  ]);
  assert.is(confidence.code, 2);
  assert.match(confidence.stderr, /--confidence.*between 0 and 1/);
  assert.is(missing.code, 1);
  assert.match(missing.stderr, /^error: .*none.*\n$/);
});

test('distance: Ctrl-C while features are computed ends with 130 and no numbers', async () => {
  let sent = false;
  const slow = ['--layer', '192', '--size', '299', '--weights', 'random', '--log', 'json'];
  const { code, stdout } = await runCli(['distance', dark, bright, ...slow], {}, (child, stderr) => {
    if (!sent && stderr.includes('features of a')) {
      sent = true;
      child.kill('SIGINT');
    }
  });
  assert.ok(sent);
  assert.is(code, 130);
  assert.is(stdout, '');
});

test.run();
