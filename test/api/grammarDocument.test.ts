import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import { loadGrammar, parseGrammar } from '../../src/grammar/grammar.js';
import { ROLE_NAMES } from '../../src/grammar/roles.js';
import { grammarSchema } from '../../src/grammar/schema.js';
import { grammarMessage, mesh, sprite } from '../grammar/helpers.js';
import { codeBlocks, INDEX_URL, temporaryFolder } from './runModule.js';

const document = readFileSync(fileURLToPath(new URL('../../docs/GRAMMAR.md', import.meta.url)), 'utf8');

const assets = new AssetLibrary(
  [
    ...['grounds/grass', 'grounds/sand-1', 'roads/asphalt', 'roads/dirt', 'cars/red', 'cars/red-old', 'cars/blue'],
    ...['buss/city', 'trees/oak', 'trees/small/bush', 'digits/7/0000', 'digits/9/0000'],
  ].map((name) => sprite(name)),
).concat(new AssetLibrary(['grounds/grass', 'strips/road', 'cars/sedan/00'].map((name) => mesh(`driving/${name}`))));

/** A grammar's text as its top-level entries, by key. */
function entries(text: string): Map<string, string> {
  const parts = text.split(/^(?=[a-z]+:)/m).filter((part) => /^[a-z]+:/.test(part));
  return new Map(parts.map((part) => [part.slice(0, part.indexOf(':')), part]));
}

test('every YAML block is a grammar, by itself or in the place of parts of the first, and gives scenes', () => {
  const [first, ...others] = codeBlocks(document, 'yaml');
  assert.ok(others.length >= 6);
  for (const block of [first, ...others]) {
    const text = [...new Map([...entries(first), ...entries(block)]).values()].join('');
    const grammar = parseGrammar(text, { assets, file: block.slice(0, 40) });
    const { scenes } = grammar.sampleBatch({ seed: 0, start: 0, count: 20 });
    assert.ok(
      scenes.some(({ parent }) => parent.length > 1),
      block,
    );
  }
});

test('the TypeScript block is a module whose default export is a grammar', async () => {
  const [block] = codeBlocks(document, 'ts');
  const folder = temporaryFolder();
  try {
    const path = join(folder.path, 'grammar.ts');
    writeFileSync(path, block.replace("from 'metasim'", `from '${INDEX_URL}'`));
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    const grammar = await loadGrammar(path, { assets });
    const { scenes } = grammar.sampleBatch({ seed: 0, start: 0, count: 50 });
    assert.equal(grammar.schema.classes, ['7', '9']);
    assert.ok(scenes.every(({ attributes }) => attributes[0] < attributes[3]));
  } finally {
    folder.remove();
  }
});

test('the error in the document is what such a mistake gives', () => {
  const [first] = codeBlocks(document, 'yaml');
  const few = new AssetLibrary(['grounds/a', 'roads/a', 'cars/a', 'trees/a'].map((name) => sprite(name)));
  const mistaken = first.replace('car: { asset: cars/*', 'car: { asset: car/*');
  const message = grammarMessage(() => parseGrammar(mistaken, { assets: few, file: 'street.yaml' }));
  assert.ok(document.includes(message), message);
});

test('every key of the schema and every role is in the document', () => {
  for (const key of Object.keys(grammarSchema.shape)) assert.match(document, new RegExp(`\\b${key}\\b`), key);
  for (const role of ROLE_NAMES) assert.ok(document.includes(`\`${role}\``), role);
});

test.run();
