import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readMetrics } from '../../src/report/metricsWriter.js';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-cli-train-'));
test.after(() => rmSync(folder, { recursive: true }));

const configPath = join(folder, 'tiny.yaml');
const out = join(folder, 'run');
writeFileSync(
  configPath,
  `
name: tiny
grammar: ${resolve('examples/grammars/mnist.yaml')}
variables: { digits: digits, mutable: rotation }
assets: [{ kind: digits, variants: 4 }]
target: { images: { folder: real/images } }
features: { weights: random, layers: [64] }
transformer: { hidden: [8] }
pretrain: { steps: 20, batchSize: 8 }
warmStart: { candidates: 4, scenes: 8, refine: 1, steps: 2 }
meta: { epochs: 3, iterations: 2, batchSize: 8 }
workers: 0
`,
);

/** Paths of all files below a folder. */
function files(path: string): string[] {
  return (readdirSync(path, { recursive: true }) as string[]).filter((name) => /\.\w+$/.test(name)).sort();
}

test('train: Ctrl-C ends it with 130 and whole files; the same command then goes on', async () => {
  const real = join(folder, 'real');
  const target = ['examples/grammars/mnist.yaml', '--set', 'digits=digits', '--set', 'turn=5'];
  const made = await runCli(['generate', ...target, '--count', '20', '--out', real, '--threads', '1']);
  assert.is(made.code, 0, made.stderr);

  let sent = false;
  const stopped = await runCli(['train', configPath, '--out', out, '--json'], {}, (child, stderr) => {
    if (!sent && /epoch 2\/3/.test(stderr)) sent = child.kill('SIGINT');
  });
  assert.is(stopped.code, 130, stopped.stderr);
  assert.equal(JSON.parse(stopped.stdout), { error: { code: 'INTERRUPTED', message: 'interrupted' } });
  const kept = readMetrics(join(out, 'metrics.jsonl')).length;
  assert.ok(kept >= 1 && kept < 3, `${kept} epochs`);

  const finished = await runCli(['train', configPath, '--out', out, '--json']);
  assert.is(finished.code, 0, finished.stderr);
  assert.match(finished.stderr, new RegExp(`going on after epoch ${kept}`));
  const { mmd, report, features } = JSON.parse(finished.stdout);
  assert.type(mmd, 'number');
  assert.is(features.weights, 'random');
  assert.equal(
    readMetrics(join(out, 'metrics.jsonl')).map(({ step }) => step),
    [1, 2, 3],
  );
  const held = files(out);
  for (const name of ['run.json', 'metrics.jsonl', 'report.html', 'sheets/epoch-0001.png', 'sheets/epoch-0003.png']) {
    assert.ok(held.includes(name), `${name} in ${held.join(' ')}`);
  }
  assert.ok(held.some((name) => /^tensorboard\/events\.out\.tfevents/.test(name)));
  assert.not(
    held.some((name) => /partial|tmp/.test(name)),
    held.join(' '),
  );
  const page = readFileSync(report, 'utf8');
  for (const heading of ['Loss and score', 'Warm start', 'Pre-training']) {
    assert.ok(page.includes(heading), `the report of a resumed run tells of ${heading}`);
  }
});

test('a trained run is a source of scenes and images', async () => {
  const images = join(folder, 'images');
  const { code, stdout, stderr } = await runCli(['generate', out, '--count', '3', '--out', images, '--json']);
  assert.is(code, 0, stderr);
  assert.is(JSON.parse(stdout).count, 3);
  assert.is(readdirSync(join(images, 'images')).length, 3);
});

test('evaluate asks for test images when a run has no V, and refuses what it would not use', async () => {
  const experiment = join(folder, 'experiment');
  mkdirSync(experiment);
  const record = { format: 'metasim-run', version: 1, kind: 'experiment', name: 'x', seed: 0 };
  const config = { target: 'mnist-rotation', data: 'procedural', config: {} };
  writeFileSync(
    join(experiment, 'run.json'),
    JSON.stringify({ ...record, grammar: {}, assets: [], hidden: [8], config }),
  );
  const [none, other, unused] = await Promise.all([
    runCli(['evaluate', out, '--json']),
    runCli(['evaluate', join(folder, 'real'), '--json']),
    runCli(['evaluate', experiment, '--images', '5', '--json']),
  ]);
  assert.is(none.code, 2);
  assert.match(JSON.parse(none.stdout).error.message, /labelled test images/);
  assert.is(other.code, 1);
  assert.match(JSON.parse(other.stdout).error.message, /without run\.json/);
  assert.is(unused.code, 2);
  assert.match(JSON.parse(unused.stdout).error.message, /Expected no --images/);
});

test('demo does not write over a dataset that is not its own', async () => {
  const own = join(folder, 'mine');
  mkdirSync(join(own, 'dataset'), { recursive: true });
  writeFileSync(join(own, 'dataset', 'precious.txt'), 'mine');
  const { code, stderr } = await runCli(['demo', '--out', own]);
  assert.is(code, 1);
  assert.match(stderr, /new or empty folder .*precious\.txt/);
  assert.ok(existsSync(join(own, 'dataset', 'precious.txt')));
});

test.run();
