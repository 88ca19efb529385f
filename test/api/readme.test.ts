import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageLabels } from '../../src/dataset/sample.js';
import { codeBlocks, runModule, temporaryFolder } from './runModule.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

const examples = codeBlocks(readme, 'ts').filter((code) => code.includes("from 'metasim'"));

test("the README's module example runs as printed, and learns the target's 75°", async () => {
  const [example] = examples;
  const folder = temporaryFolder();
  try {
    const { code, stdout, stderr } = await runModule(example, folder.path);
    assert.is(code, 0, stderr);
    assert.is(stdout, '', 'a module prints nothing');
    const lines = readFileSync(join(folder.path, 'turned', 'metadata.jsonl'), 'utf8')
      .trim()
      .split('\n');
    assert.is(lines.length, 100);
    const angles = lines.map((line) => (JSON.parse(line) as ImageLabels).objects[0].attributes?.rotation as number);
    const mean = angles.reduce((sum, angle) => sum + angle, 0) / angles.length;
    // The grammar alone has 0°; the false minimum of the loss is at −105°.
    assert.ok(Math.abs(mean - 75) < 12, `mean ${mean}`);
    assert.ok(angles.every((angle) => Math.abs(angle - 75) < 25));
  } finally {
    folder.remove();
  }
});

test("the README's 3D example runs as printed: sky, the camera's gradient, and cars before it", async () => {
  assert.is(examples.length, 2);
  const folder = temporaryFolder();
  symlinkSync(join(root, 'examples'), join(folder.path, 'examples'));
  try {
    const { code, stdout, stderr } = await runModule(examples[1], folder.path);
    assert.is(code, 0, stderr);
    const [first, ...cars] = stdout.trim().split('\n');
    const [, sky, gradient] = /^(\d+) px of sky; (-?[\d.e-]+) per degree$/.exec(first) ?? [];
    assert.ok(Number(sky) > 1000 && Number(sky) < 2 * 414 * 80, first);
    // Nose up shows more of the sky, which is brighter or darker than the road, but never the same.
    assert.ok(Math.abs(Number(gradient)) > 1e-6 && Math.abs(Number(gradient)) < 0.1, first);
    assert.ok(cars.length >= 2, stdout);
    for (const line of cars) {
      const [, x, y, z] = /^[01] Car at (\S+) (\S+) (\S+)$/.exec(line) ?? [];
      assert.ok(Math.abs(Number(x)) < Number(z) && Number(z) > 1 && Number(z) < 90, line);
      // On the ground, below a camera that looks nearly level.
      assert.ok(Number(y) > 0 && Number(y) < 1.65 + 0.05 * Number(z), line);
    }
  } finally {
    folder.remove();
  }
});

test('what the README and the documents link to exists', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md', 'docs/DEVIATIONS.md', 'docs/DATASETS.md'];
  for (const document of [...documents, 'docs/GRAMMAR.md', 'docs/CONFIGURATION.md', 'docs/MANY_MACHINES.md']) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, document, '..', target)), `${document}: ${target}`);
    }
  }
});

test.run();
