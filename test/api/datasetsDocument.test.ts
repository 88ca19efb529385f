import { spawn } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMAT_NAMES } from '../../src/dataset/formats/index.js';
import type { ImageLabels } from '../../src/dataset/sample.js';
import { parseLine } from '../cli/parseLine.js';
import { compilePackage } from './compiledPackage.js';
import { codeBlocks, runModule, temporaryFolder } from './runModule.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const document = read('docs/DATASETS.md');

/** Blocks that stand by themselves, so that two of them can run at once. */
const isLone = (block: string) =>
  /^metasim generate .* --out data\/(webdataset|parquet|tfrecord|coco|yolo|voc|kitti|idx|splits|logged)/.test(block);

const folder = temporaryFolder();
test.after(() => folder.remove());

let programs = '';
test.before(() => {
  symlinkSync(join(root, 'examples'), join(folder.path, 'examples'));
  programs = dirname(compilePackage(join(folder.path, 'package')));
});

/** Runs a block as a user would paste it; the first command that fails ends it. */
function runShell(block: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-euc', block], {
      cwd: folder.path,
      env: { ...process.env, METASIM_DEBUG: '', PATH: `${programs}:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

test('the runnable commands run one after the other, and say what the text says', async () => {
  const blocks = codeBlocks(document, 'sh run');
  assert.ok(blocks.length >= 15, String(blocks.length));
  const output = new Map<string, { stdout: string; stderr: string }>();
  const run = async (block: string) => {
    const { code, ...streams } = await runShell(block);
    assert.is(code, 0, `${block}\n${streams.stderr}`);
    output.set(block, streams);
  };
  const lone = blocks.filter(isLone);
  assert.ok(lone.length >= 8, String(lone.length));
  const alone = (async () => {
    for (const block of lone) await run(block);
  })();
  // The last one uses the dataset that the imagefolder's block made.
  for (const block of blocks) if (!isLone(block)) await run(block);
  await alone;

  const textOf = (part: string) => output.get(blocks.find((block) => block.includes(part))!)!;
  assert.match(textOf('metasim verify data/digits\n').stdout, /content hash [0-9a-f]{64}\nnothing is missing/);
  assert.match(textOf('parts/a').stdout, /the same 60 samples, pixel for pixel and label for label/);
  assert.match(textOf('metasim distance').stdout, /\nKID +\S+ +95 %: .* not above 0\n/);
  assert.match(textOf('audit data/digits').stdout, /no disagreement/);
  assert.match(textOf('audit data/streets').stdout, /3 samples .* 3 rendered again\nno disagreement\n/);
  // Every object that counts is found, and nothing else.
  const found = textOf('average-precision').stdout.match(/^\w+ +(easy|moderate|hard) +0\.5 +[1-9]\d* .*$/gm) ?? [];
  assert.ok(found.length > 0, textOf('average-precision').stdout);
  const { stdout, stderr } = textOf('--log json');
  assert.is(JSON.parse(stdout).count, 20);
  const [shown] = [...document.matchAll(/^\{"level".*\}$/gm)].map(([line]) => JSON.parse(line));
  for (const line of stderr.trim().split('\n')) assert.equal(Object.keys(JSON.parse(line)), Object.keys(shown));
});

test('the Python in the document is that of the datasets’ own cards', () => {
  const shown = codeBlocks(document, 'python');
  assert.is(shown.length, FORMAT_NAMES.length - 1, 'one for both of YOLO');
  for (const name of FORMAT_NAMES) {
    const [code] = codeBlocks(readFileSync(join(folder.path, 'data', name, 'README.md'), 'utf8'), 'python');
    assert.ok(shown.includes(code.replace('yolo11n-seg.pt', 'yolo11n.pt')), `${name}\n${code}`);
    assert.ok(document.includes(`| \`${name}\` |`), `${name} has a row in the table`);
  }
});

test('every field of the label record is in the document', () => {
  const lines = readFileSync(join(folder.path, 'data/imagefolder/metadata.jsonl'), 'utf8').trim().split('\n');
  const [{ objects, ...labels }] = lines.map((line) => JSON.parse(line) as ImageLabels);
  const fields = [...Object.keys(labels).filter((name) => name !== 'file_name'), ...Object.keys(objects[0])];
  assert.ok(fields.length > 20, fields.join());
  for (const field of fields) assert.ok(document.includes(`\`${field}\``), field);
});

test('the TypeScript blocks run over what the commands made', async () => {
  const printed: string[] = [];
  for (const block of codeBlocks(document, 'ts')) {
    const { code, stdout, stderr } = await runModule(block, folder.path);
    assert.is(code, 0, stderr);
    printed.push(stdout);
  }
  assert.is(printed.length, 2);
  assert.match(printed[0], /^webdataset 60 background \d true\n$/);
  assert.is(printed[1], '0 1024 true\n1 1024 true\n2 1024 true\n32 × 32 × 32 × 1 32\n32 × 32 × 32 × 1 32\n');
});

test('commands that are not run, here and in the other documents, exist with their flags', async () => {
  const documents = [
    'docs/DATASETS.md',
    'docs/MANY_MACHINES.md',
    'README.md',
    'docs/CONFIGURATION.md',
    'docs/GRAMMAR.md',
    'docs/TUTORIAL.md',
    'docs/GALLERY.md',
  ];
  let count = 0;
  for (const path of documents) {
    const text = read(path);
    // A line that ends in a backslash goes on.
    const lines = codeBlocks(text, 'sh(?: run)?').flatMap((block) => block.replace(/\\\n\s*/g, ' ').split('\n'));
    const inline = [...text.matchAll(/^\| `(metasim [^`]+)`/gm)].map(([, line]) => line);
    for (const line of [...lines, ...inline].filter((each) => /^([A-Z_]+=\S+ )*metasim /.test(each))) {
      assert.is(await parseLine(line), undefined, `${path}: ${line}`);
      count++;
    }
  }
  assert.ok(count > 30, String(count));
});

test.run();
