import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { evaluationSchema, parseConfig, trainConfigSchema } from '../../src/config.js';
import { DEFAULT_MMD } from '../../src/loss/mmd.js';
import { codeBlocks } from './runModule.js';

/** The parts of JSON Schema that zod writes for our schemas. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

const path = fileURLToPath(new URL('../../docs/CONFIGURATION.md', import.meta.url));
const document = readFileSync(path, 'utf8');
const train = z.toJSONSchema(trainConfigSchema, { io: 'input' }) as Schema;
const settings = train.properties as Readonly<Record<string, Schema>>;
const evaluation = z.toJSONSchema(evaluationSchema, { io: 'input' }) as Schema;

/** Values that a limit only means "a number". */
const UNLIMITED = new Set([Number.MAX_SAFE_INTEGER, 1e8]);

/** What may be written, in words. */
function values(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return either.every(({ type }) => type === 'object') ? 'mapping' : either.map(values).join(', ');
  if (schema.type === 'array') return `list of ${values(schema.items ?? {})}`.replace('list of mapping', 'list');
  if (schema.type === 'object') return 'mapping';
  if (schema.type === 'boolean') return '`true`, `false`';
  if (schema.type !== 'number' && schema.type !== 'integer') return 'text';
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const limits = [
    minimum === undefined ? '' : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    maximum === undefined || UNLIMITED.has(maximum) ? '' : `≤ ${maximum}`,
    exclusiveMaximum === undefined ? '' : `< ${exclusiveMaximum}`,
  ].filter(Boolean);
  return `${schema.type === 'integer' ? 'integer' : 'number'} ${limits.join(', ')}`.trim();
}

function rowsOf(schema: Schema, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, entry]) => {
    const key = `${prefix}${name}`;
    if (entry.properties && prefix === '' && schema === settings.target) return rowsOf(entry, `${key}.`);
    const required = schema.required?.includes(name);
    const written = entry.default === undefined ? '' : `\`${JSON.stringify(entry.default)}\``;
    const fallback = required ? 'required' : written;
    assert.ok(entry.description, `${key} has a description`);
    return [`| \`${key}\` | ${values(entry)} | ${fallback} | ${entry.description} |`];
  });
}

/** Settings of the top level that have a section of their own. */
const SECTIONS = ['features', 'mmd', 'transformer', 'pretrain', 'meta'];
/** Settings that come in kinds, each with a table of its own. */
const KINDS: Readonly<Record<string, readonly Schema[]>> = {
  assets: settings.assets.items?.oneOf ?? [],
  validation: settings.target.properties?.validation.oneOf ?? [],
  warmStart: settings.warmStart.oneOf ?? [],
  task: settings.task.oneOf ?? [],
};

function table(name: string): string {
  const head = ['| setting | values | default | meaning |', '| --- | --- | --- | --- |'];
  return [...head, ...tableRows(name)].join('\n');
}

function tableRows(name: string): string[] {
  if (name === 'top') {
    const plain = Object.entries(settings).filter(
      ([key]) => ![...SECTIONS, 'target', 'warmStart', 'task'].includes(key),
    );
    return rowsOf({ properties: Object.fromEntries(plain), required: train.required });
  }
  if (name === 'evaluation') return rowsOf(evaluation);
  if (name === 'target') return rowsOf(settings.target);
  const [section, kind] = name.split('.');
  if (kind === undefined) return rowsOf(settings[section]);
  return rowsOf(KINDS[section].find(({ properties }) => properties?.kind.const === kind) as Schema);
}

test('the tables of docs/CONFIGURATION.md say what the schema says, of every setting', () => {
  const names: string[] = [];
  const expected = document.replace(/<!-- table: (\S+) -->\n[\s\S]*?<!-- end -->/g, (_, name: string) => {
    names.push(name);
    return `<!-- table: ${name} -->\n${table(name)}\n<!-- end -->`;
  });
  const kinds = Object.entries(KINDS).flatMap(([section, schemas]) =>
    schemas.map(({ properties }) => `${section}.${properties?.kind.const}`),
  );
  assert.ok(kinds.length >= 9, kinds.join());
  assert.equal(names.sort(), ['top', 'target', 'evaluation', ...SECTIONS, ...kinds].sort());
  if (process.env.METASIM_UPDATE_GOLDEN) writeFileSync(path, expected);
  else assert.is(document, expected, 'METASIM_UPDATE_GOLDEN=1 npm test -- api/configuration writes them anew');
});

test('the default kernel in the document is that of the loss', () => {
  assert.ok(document.includes(`\`${JSON.stringify(DEFAULT_MMD)}\``), JSON.stringify(DEFAULT_MMD));
});

test('a kind that is none is answered with those there are, and what came', () => {
  const smallest = parseYaml(codeBlocks(document, 'yaml')[0]) as object;
  const read = (more: object) => () => parseConfig(trainConfigSchema, { ...smallest, ...more }, 'a.yaml');
  assert.throws(
    read({ task: { kind: 'segmentaton' } }),
    (error: Error) =>
      error.message === 'a.yaml: task.kind: Expected classification, segmentation, command but received "segmentaton"',
  );
  assert.throws(
    read({ assets: [{}] }),
    (error: Error) =>
      error.message ===
      'a.yaml: assets.0.kind: Expected mnist, digits, aerial, driving, images, meshes but received nothing',
  );
});

test('every configuration in the documents is one', () => {
  const blocks = codeBlocks(document, 'yaml');
  assert.ok(blocks.length >= 4, String(blocks.length));
  const example = readFileSync(fileURLToPath(new URL('../../examples/train/digits.yaml', import.meta.url)), 'utf8');
  for (const text of [...blocks, example]) {
    const written = parseYaml(text) as object;
    // Some show one section, in place of that of the smallest configuration.
    const whole = 'name' in written ? written : { ...(parseYaml(blocks[0]) as object), ...written };
    parseConfig(trainConfigSchema, whole, text);
  }
});

test.run();
