import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageLabels } from '../../src/dataset/sample.js';
import { codeBlocks, runModule, temporaryFolder } from './runModule.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test("the README's module example runs as printed, and learns the target's 75°", async () => {
  const [example, ...others] = codeBlocks(readme, 'ts').filter((code) => code.includes("from 'metasim'"));
  assert.is(others.length, 0, 'one example');
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
