import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse as parseYaml } from 'yaml';
import { type DatasetFacts, describeDataset } from '../../../src/dataset/describe/describe.js';
import { FileTally } from '../../../src/dataset/describe/fileTally.js';
import { StatisticsCollector } from '../../../src/dataset/describe/statistics.js';
import { openFormat } from '../../../src/dataset/formats/index.js';
import type { StagedFile } from '../../../src/dataset/staging.js';
import { findPython } from '../../helpers/python.js';
import { type Fixture, fixture, writeFixture } from '../formats/harness.js';

// biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into by name
type Node = Record<string, any>;

const SHARDS = 3;
const made = await fixture({ count: 7 });

/** A dataset of a format on the disk with its description, as the pipeline leaves it. */
async function describedFolder(layout: string, { info, samples }: Fixture = made) {
  const format = await openFormat(layout);
  const folder = await writeFixture(format, { info, samples }, SHARDS);
  if (!format.holdsRecords) {
    mkdirSync(join(folder, '.metasim/labels'), { recursive: true });
    const lines = samples.map(({ labels }) => `${JSON.stringify(labels)}\n`);
    writeFileSync(join(folder, '.metasim/labels/000000.jsonl'), lines.slice(0, 4).join(''));
    writeFileSync(join(folder, '.metasim/labels/000001.jsonl'), lines.slice(4).join(''));
  }
  const texts = describeDataset(factsOf(layout, { info, samples }, filesOf(folder)));
  for (const [path, text] of Object.entries(texts)) writeFileSync(join(folder, path), text);
  return { folder, croissant: JSON.parse(texts['croissant.json']) as Node, card: texts['README.md'], texts };
}

function factsOf(layout: string, { info, samples }: Fixture, files: readonly StagedFile[]): DatasetFacts {
  const collector = new StatisticsCollector(info, []);
  for (const { labels } of samples) collector.add(labels);
  return {
    ...{ info, layout, tool: { version: '1.2.3' }, count: samples.length, seed: 5, start: 0, shards: SHARDS },
    ...{ source: 'fixture', grammarHash: 'ab'.repeat(32), contentHash: 'cd'.repeat(32) },
    licences: [{ licence: 'CC0-1.0', assets: 4, from: ['digits/3'] }],
    statistics: collector.result(),
    files,
  };
}

function filesOf(folder: string): StagedFile[] {
  return pathsOf(folder).map((path) => {
    const bytes = readFileSync(join(folder, path));
    return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
}

/** Relative paths of all files of a folder. */
function pathsOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll('\\', '/'));
  return names.filter((name) => statSync(join(folder, name)).isFile()).sort();
}

/** Whether a glob of Croissant matches: `*` within a name. */
function matches(glob: string, path: string): boolean {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(path);
}

function asList<T>(value: T | readonly T[] | undefined): T[] {
  return value === undefined ? [] : Array.isArray(value) ? [...value] : [value as T];
}

/** All nodes below a value that have a type or an identifier. */
function nodesOf(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== 'object' || value === null) return [];
  const node = value as Node;
  const inner = Object.entries(node).flatMap(([key, child]) =>
    key === '@context' || key === 'data' ? [] : nodesOf(child),
  );
  return ['@type' in node || '@id' in node ? [node] : [], inner].flat();
}

/**
 * The rules of the specification, section by section; `datePublished` is left to who publishes. Terms of schema.org that
 * need no place in the context are listed here.
 */
const SCHEMA_ORG = [
  ...['name', 'description', 'license', 'url', 'creator', 'version', 'keywords', 'identifier', 'alternateName'],
  ...['distribution', 'contentUrl', 'contentSize', 'encodingFormat', 'sha256', 'containedIn'],
];
function checkCroissant(dataset: Node): void {
  for (const property of ['@context', '@type', 'conformsTo', 'description', 'license', 'name', 'url', 'creator']) {
    assert.ok(dataset[property] !== undefined && dataset[property] !== '', property);
  }
  assert.is(dataset['@type'], 'sc:Dataset');
  assert.is(dataset.conformsTo, 'http://mlcommons.org/croissant/1.0');
  const context = dataset['@context'];
  assert.is(context['@vocab'], 'https://schema.org/');
  assert.is(context.conformsTo, 'dct:conformsTo');
  assert.is(context.cr, 'http://mlcommons.org/croissant/');
  assert.match(dataset.version, /^\d+\.\d+\.\d+$/);

  const nodes = nodesOf(dataset);
  const defined = nodes.filter((node) => '@type' in node && '@id' in node).map((node) => node['@id']);
  assert.is(new Set(defined).size, defined.length, 'identifiers are unique');
  for (const node of nodes) {
    for (const key of Object.keys(node)) {
      assert.ok(key.startsWith('@') || key in context || SCHEMA_ORG.includes(key), `${key} is a term of the context`);
    }
    // A reference has nothing but an identifier that is defined somewhere.
    if (!('@type' in node)) assert.ok(defined.includes(node['@id']), `${node['@id']} is defined`);
  }
  const kinds = new Set(dataset.distribution.map((node: Node) => node['@type']));
  assert.ok(
    dataset.distribution.length > 0 &&
      [...kinds].every((kind) => ['cr:FileObject', 'cr:FileSet'].includes(kind as string)),
  );
  for (const node of dataset.distribution as Node[]) {
    assert.match(node.name, /^[A-Za-z0-9\-_./]+$/);
    assert.match(node.encodingFormat, /^[a-z]+\/[a-z0-9.+-]+$/);
    if (node['@type'] === 'cr:FileSet') assert.ok(asList(node.includes).length > 0);
    else assert.ok(node.contentUrl && node.contentSize && /^[0-9a-f]{64}$/.test(node.sha256));
  }
  for (const set of dataset.recordSet as Node[]) {
    assert.is(set['@type'], 'cr:RecordSet');
    assert.ok(set.field.length > 0);
    const fields = set.field.map((field: Node) => field['@id']);
    for (const key of asList(set.key)) assert.ok(fields.includes(key['@id']), 'a key is a field of its set');
    for (const row of set.data ?? []) assert.equal(Object.keys(row).sort(), fields.toSorted());
    for (const field of [...set.field, ...set.field.flatMap((one: Node) => one.subField ?? [])] as Node[]) {
      assert.is(field['@type'], 'cr:Field');
      assert.ok(field['@id'].startsWith(`${set['@id']}/`) && field.dataType !== undefined);
      if (set.data || field.subField) continue;
      const { source } = field;
      assert.is(['fileObject', 'fileSet'].filter((kind) => kind in source).length, 1, `${field['@id']} has one source`);
      assert.is(['column', 'jsonPath', 'fileProperty'].filter((kind) => kind in source.extract).length, 1);
    }
  }
}

for (const layout of ['imagefolder', 'webdataset', 'parquet', 'coco', 'yolo', 'voc', 'kitti', 'tfrecord']) {
  test(`${layout}: the Croissant description follows the specification and names files that are there`, async () => {
    const { folder, croissant } = await describedFolder(layout);
    checkCroissant(croissant);
    const paths = pathsOf(folder).filter((path) => !['croissant.json', 'README.md'].includes(path));
    const described = new Set<string>();
    for (const node of croissant.distribution as Node[]) {
      if (node['@type'] === 'cr:FileObject') {
        const bytes = readFileSync(join(folder, decodeURIComponent(node.contentUrl)));
        assert.is(createHash('sha256').update(bytes).digest('hex'), node.sha256);
        assert.is(node.contentSize, `${bytes.length} B`);
        described.add(node.contentUrl);
      } else if (!node.containedIn) {
        const found = paths.filter((path) => asList<string>(node.includes).some((glob) => matches(glob, path)));
        assert.ok(found.length > 0, `${node.includes} matches files`);
        for (const path of found) described.add(path);
      }
    }
    assert.equal(
      [...described].sort(),
      paths.filter((path) => !path.startsWith('.metasim/parts')),
      'every file is described',
    );
  });
}

test('imagefolder: names of image files are the keys of the records that they are joined with', async () => {
  for (const layout of ['imagefolder', 'coco', 'yolo', 'voc']) {
    const { folder, croissant } = await describedFolder(layout);
    const images = croissant.recordSet.find((set: Node) => set['@id'] === 'images');
    const key = images.field.find((field: Node) => field['@id'] === 'images/key');
    assert.equal(key.references, { '@id': 'labels/key' });
    const set = croissant.distribution.find((node: Node) => node['@id'] === key.source.fileSet['@id']);
    const names = pathsOf(folder).filter((path) => matches(set.includes, path));
    const keys = names.map((path) => new RegExp(key.source.transform.regex).exec(path)?.[1]);
    assert.equal(
      keys,
      made.samples.map(({ labels }) => labels.key),
    );
  }
});

test('webdataset: the sets within the archives are the images, without masks, and the records', async () => {
  const { folder, croissant } = await describedFolder('webdataset');
  const sets = (croissant.distribution as Node[]).filter((node) => node.containedIn);
  const archives = asList(sets[0].containedIn).map((reference) => reference['@id']);
  assert.equal(
    archives,
    pathsOf(folder).filter((path) => path.endsWith('.tar')),
  );
  const members = archives.flatMap((name) => {
    const { stdout, status } = spawnSync('tar', ['-tf', join(folder, name)], { encoding: 'utf8' });
    assert.is(status, 0);
    return stdout.trim().split('\n');
  });
  const found = sets.map(({ includes, excludes }) =>
    members.filter((name) => matches(includes, name) && !asList<string>(excludes).some((glob) => matches(glob, name))),
  );
  const keys = made.samples.map(({ labels }) => labels.key);
  assert.equal(found, [keys.map((key) => `${key}.png`), keys.map((key) => `${key}.json`)]);
});

test('records: the columns and paths that the description names hold what it says', async () => {
  const { folder, croissant } = await describedFolder('imagefolder');
  const labels = croissant.recordSet.find((set: Node) => set['@id'] === 'labels');
  const rows = readFileSync(join(folder, 'metadata.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(labels.field[0].source.fileObject, { '@id': 'metadata.jsonl' });
  for (const field of labels.field as Node[]) {
    for (const { source, dataType } of asList(field.subField ?? field)) {
      for (const row of rows) {
        const value = row[source.extract.column];
        const path = /^\$\[\*\]\.(\w+)$/.exec(source.transform?.jsonPath ?? '')?.[1];
        const values = path ? value.map((object: Node) => object[path]) : [value];
        if (dataType === 'sc:Integer') assert.ok(values.every(Number.isInteger));
        else if (dataType === 'sc:Text') assert.ok(values.every((one: unknown) => typeof one === 'string'));
        else assert.ok(values.every((one: unknown) => one === null || (one as number[]).length === 4));
      }
    }
  }
});

test('the description depends on the facts only, and the order of files does not matter', async () => {
  const { folder, texts } = await describedFolder('coco');
  const files = filesOf(folder).filter(({ path }) => !(path in texts));
  const tally = new FileTally();
  for (const file of files.slice(3).reverse()) tally.add(file);
  const again = describeDataset({ ...factsOf('coco', made, files.slice(0, 3)), shardFiles: tally });
  // The three files first in order belong to groups of their own.
  assert.equal(JSON.parse(again['croissant.json']).distribution, JSON.parse(texts['croissant.json']).distribution);
  assert.equal(describeDataset(factsOf('coco', made, files)), texts);
  const year = String(new Date().getFullYear());
  for (const text of Object.values(texts)) assert.not.ok(text.includes(year) || text.includes(folder));
});

test('files are grouped in bounded memory: numbers in their names are wild cards', () => {
  const tally = new FileTally();
  const add = (path: string) => tally.add({ path, bytes: 10, sha256: '0'.repeat(64) });
  for (let i = 0; i < 5000; i++) add(`images/${Math.floor(i / 1000)}/any name ${i}.png`);
  for (let i = 0; i < 3; i++) add(`train-${String(i).padStart(5, '0')}-of-00003.tfrecord`);
  for (let i = 0; i < 2500; i++) add(`train-${String(i).padStart(6, '0')}.tar`);
  add('train-images-idx3-ubyte');
  add('.metasim/shards/000000.json');
  const groups = tally.groups();
  assert.equal(
    groups.map(({ glob, extension, count, bytes, files }) => [glob, extension, count, bytes, files?.length]),
    [
      ['images/*/*.png', 'png', 5000, 50000, undefined],
      ['train-*-of-*.tfrecord', 'tfrecord', 3, 30, 3],
      ['train-*.tar', 'tar', 2500, 25000, undefined],
      ['train-images-idx3-ubyte', 'ubyte', 1, 10, 1],
    ],
  );
});

test('hostile names: the front matter is YAML that says the names, and the card shows them as text', () => {
  const evil = 'a|b <script>alert(1)</script>\n---\n# `x` [l](javascript:1) ![i](http://evil/p.png) __proto__: {}';
  const info = { ...made.info, name: evil, classes: [evil, 'cat'], things: [evil] };
  const samples = [
    { ...made.samples[0], labels: { ...made.samples[0].labels, objects: [{ class: evil, box: null }] } },
  ];
  const file = { path: 'metadata.jsonl', bytes: 1, sha256: '0'.repeat(64) };
  const facts = factsOf('imagefolder', { info, samples }, [file]);
  const licences = [{ licence: evil, assets: 1, from: [evil] }];
  const { 'README.md': card, 'croissant.json': json } = describeDataset({ ...facts, source: evil, licences });
  const [, front, ...rest] = card.split(/^---$/m);
  const parsed = parseYaml(front);
  assert.is(parsed.pretty_name, evil);
  assert.is(parsed.license, 'other');
  assert.is(parsed.license_name, evil);
  assert.equal(parsed.size_categories, ['n<1K']);
  const body = rest.join('---');
  // What is left without code and escaped characters is what Markdown acts on.
  const markup = body.replace(/```.*?```|`[^`\n]*`|\\./gs, '');
  assert.not.match(markup, /<script|\]\(|\[i|:\/\//);
  // A row of a table stays a row: the name adds no column.
  const row = body.split('\n').find((line) => line.startsWith('| a\\|b'));
  assert.is(row?.replaceAll('\\|', '').split('|').length, 6);
  checkCroissant(JSON.parse(json));
  assert.is(JSON.parse(json).alternateName, evil);
});

test('sizes of datasets in the words of the hub', () => {
  const sizeOf = (count: number) => {
    const { 'README.md': card } = describeDataset({ ...factsOf('coco', made, []), count });
    return parseYaml(card.split(/^---$/m)[1]).size_categories[0];
  };
  const counts = [1, 999, 1000, 9999, 10_000, 100_000, 999_999, 1_000_000, 1_000_000_000];
  assert.equal(counts.map(sizeOf), [
    ...['n<1K', 'n<1K', '1K<n<10K', '1K<n<10K', '10K<n<100K', '100K<n<1M', '100K<n<1M', '1M<n<10M', '1B<n<10B'],
  ]);
});

test("the card's code loads the dataset in Python", async () => {
  for (const [layout, module] of [
    ['coco', 'pycocotools'],
    ['imagefolder', 'datasets'],
    ['parquet', 'datasets'],
    ['idx', 'numpy'],
    ['kitti', 'json'],
    ['voc', 'json'],
  ]) {
    const python = findPython(module);
    if (!python) {
      console.log(`# skip the card's code for ${layout}: no Python with ${module}`);
      continue;
    }
    const { folder, card } = await describedFolder(layout, layout === 'idx' ? single() : made);
    const code = /```python\n(.*?)```/s.exec(card)?.[1];
    assert.ok(code);
    const env = { ...process.env, HF_HOME: join(folder, '.hf'), HF_DATASETS_OFFLINE: '1', HF_HUB_OFFLINE: '1' };
    const check = layout === 'idx' ? 'print(len(images), images[0].shape, [classes[i] for i in labels])\n' : '';
    const run = spawnSync(python, ['-c', code + check], { cwd: folder, encoding: 'utf8', env });
    assert.is(run.status, 0, `${layout}: ${run.stderr}`);
    const { objects } = (layout === 'idx' ? single() : made).samples[0].labels;
    const seen = objects.find((object) => object.box !== null && object.class !== 'background');
    assert.ok(seen && run.stdout.includes(seen.class), `${layout}: ${run.stdout}`);
  }
});

test("the hub's library finds the archives of a webdataset by the front matter of its card", async () => {
  const python = findPython('datasets');
  if (!python) {
    console.log('# skip the front matter of a webdataset: no Python with datasets');
    return;
  }
  const { folder } = await describedFolder('webdataset');
  const code = `import os
from datasets import load_dataset
for row in load_dataset(os.getcwd(), split="train"):
    print(row["__key__"], row["png"].size, row["json"]["width"])`;
  const env = { ...process.env, HF_HOME: join(folder, '.hf'), HF_DATASETS_OFFLINE: '1', HF_HUB_OFFLINE: '1' };
  const { status, stdout, stderr } = spawnSync(python, ['-c', code], { cwd: folder, encoding: 'utf8', env });
  assert.is(status, 0, stderr);
  const rows = made.samples.map(({ labels: { key, width, height } }) => `${key} (${width}, ${height}) ${width}`);
  assert.equal(stdout.trim().split('\n'), rows);
});

/** The samples with exactly one thing, as IDX wants them. */
function single(): Fixture {
  const { info, samples } = made;
  const things = (objects: readonly { class: string; box: unknown }[]) =>
    objects.filter((object) => object.box !== null && info.things.includes(object.class));
  return { info, samples: samples.filter(({ labels }) => things(labels.objects).length === 1) };
}

test.run();
