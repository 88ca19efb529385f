import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Folders of src/ along the road of the data: each knows itself and those before it. */
const ROAD = [
  ...['scene', 'assets', 'grammar', 'render', 'annotate', 'dataset'],
  ...['learn', 'loss', 'metrics', 'training', 'batch', 'experiments', 'report', 'cli'],
];
/** Files of src/ itself that everybody may use, and that use nothing from a folder. */
const COMMON = [
  'errors.ts',
  'config.ts',
  'random.ts',
  'deterministicMath.ts',
  'crc32.ts',
  'dataFolder.ts',
  'webassembly.d.ts',
];
/** Not along the road: the renderer takes scenes from anywhere. */
const FORBIDDEN = [['render', 'grammar']];

/** Pairs of the folder of a file and the folder (or file of src/) that it imports. */
function imports(): { file: string; from: string; to: string }[] {
  const files = readdirSync(join(root, 'src'), { recursive: true }).map(String);
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(root, 'src', file), 'utf8');
      const specifiers = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, specifier]) => specifier);
      return specifiers.map((specifier) => {
        const target = normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts');
        return { file, from: file.split('/')[0], to: target.split('/')[0] };
      });
    });
}

test('imports run one way along the road of the data', () => {
  const all = imports().filter(({ from }) => from !== 'index.ts' && from !== 'cli.ts');
  assert.ok(all.length > 300, String(all.length));
  const wrong = all.filter(({ from, to }) => {
    if (COMMON.includes(to) || from === to) return false;
    if (COMMON.includes(from) || FORBIDDEN.some(([a, b]) => a === from && b === to)) return true;
    return !ROAD.includes(to) || ROAD.indexOf(to) > ROAD.indexOf(from);
  });
  assert.equal(
    wrong.map(({ file, to }) => `${file} → ${to}`),
    [],
  );
});

test('docs/ARCHITECTURE.md names every folder of the project that holds code', () => {
  const document = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8');
  const folders = readdirSync(join(root, 'src')).filter((name) => statSync(join(root, 'src', name)).isDirectory());
  assert.equal(
    folders.filter((name) => !ROAD.includes(name)),
    [],
  );
  const places = [...folders.map((name) => `src/${name}`), 'assembly/engine', 'assembly/learn', 'bench', 'examples'];
  for (const place of [...places, 'schemas', 'scripts', 'test']) assert.ok(document.includes(`${place}/`), place);
  for (const [, path] of document.matchAll(/`((?:src|assembly|schemas|scripts|test|examples)\/[\w./-]+)`/g)) {
    assert.ok(statSync(join(root, path), { throwIfNoEntry: false }), `${path} exists`);
  }
});

test.run();
