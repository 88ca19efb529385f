import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { convertDataset } from '../../src/dataset/convert.js';
import type { FormatName } from '../../src/dataset/formats/index.js';
import { encodePng } from '../../src/dataset/png.js';
import { writeSceneFile } from '../../src/dataset/sceneFile.js';
import { runCli } from '../cli/runCli.js';
import { digitsGrammar, expectWhole, failure, generate, inProcess, newPath } from './datasets.js';

const grammar = digitsGrammar();
const near = await inProcess(grammar);

/** Runs a command that must fail: with one line on standard error, nothing on standard output, and no output. */
async function refused(args: readonly string[], out: string, code: number, message: RegExp): Promise<void> {
  const result = await runCli([...args, '--out', out]);
  assert.is(result.code, code, result.stderr);
  assert.match(result.stderr, message);
  // A grammar with several mistakes has a line for each; here there is one.
  assert.match(result.stderr, /^error: [^\n]+\n(\(add --help[^\n]*\)\n)?$/);
  assert.is(result.stdout, '');
  assert.not(existsSync(out), 'nothing was written');
}

const GENERATE = ['generate', grammar, '--count', '3', '--threads', '1'];

test('places that cannot be written: below a file, a file, /proc, which has no room; code 1', async () => {
  const file = newPath('file');
  writeFileSync(file, 'mine');
  const rows: [string, RegExp][] = [
    [join(file, 'sub/out'), /ENOTDIR|not a directory/],
    ['/proc/metasim/out', /of free space for 3 images in \/proc\/metasim\/out,/],
  ];
  await Promise.all(rows.map(([out, message]) => refused(GENERATE, out, 1, message)));
  const itself = await runCli([...GENERATE, '--out', file]);
  assert.is(itself.code, 1);
  assert.match(itself.stderr, /^error: Expected a folder for the dataset but received the file [^\n]+\n$/);
  assert.is(readFileSync(file, 'utf8'), 'mine');
});

test('folders on the way that are missing are made', async () => {
  const out = join(newPath(), 'a/b/c');
  const { manifest } = await generate(near, { count: 3 }, { out });
  await expectWhole(out, manifest?.contentHash ?? '');
});

test('formats, counts and parts that are none: code 2', async () => {
  const out = newPath();
  await Promise.all([
    refused([...GENERATE, '--format', 'gif'], out, 2, /--format.* Allowed choices are imagefolder/),
    refused(['generate', grammar, '--count', '1.5'], out, 2, /--count.*Expected an integer from 1 to/),
    refused([...GENERATE, '--shard-index', '1'], out, 2, /Expected --shard-count .* beside --shard-index/),
    refused([...GENERATE, '--shard-index', '2', '--shard-count', '2'], out, 2, /from 0 to 1 for --shard-index/),
  ]);
});

test('a texture that claims 60000 × 60000 px is refused by its header; code 1', async () => {
  const textures = newPath('textures');
  mkdirSync(textures);
  const png = encodePng({ width: 8, height: 8, channels: 1, pixels: new Uint8Array(64) });
  new DataView(png.buffer, png.byteOffset).setUint32(16, 60000);
  new DataView(png.buffer, png.byteOffset).setUint32(20, 60000);
  writeFileSync(join(textures, 'huge.png'), png);
  const assets = ['--assets', `images:${textures},licence=MIT`, '--assets', 'digits'];
  await refused([...GENERATE, ...assets], newPath(), 1, /huge\.png but received 60000 × 60000/);
});

const CANVAS = 'canvas: { width: 8, height: 8 }\nattributes: { x: {} }\nclasses: { a: {} }\nnodes: [{ class: a }]\n';
const HOSTILE: [title: string, text: string, expected: RegExp][] = [
  ['an alias bomb', `${bomb()}\n${CANVAS}`, /alias/i],
  ['20,000 brackets', `${CANVAS}variables: { v: ${'['.repeat(20_000)}${']'.repeat(20_000)} }\n`, /nesting|levels/],
  ['20,000 mappings', `${CANVAS}variables: ${'{ v: '.repeat(20_000)}1${' }'.repeat(20_000)}\n`, /nesting|levels/],
  ['20,000 lists', `${CANVAS}variables: { v: 1 }\nname:\n  ${'- '.repeat(20_000)}1\n`, /nesting|levels/],
  [
    '__proto__ as a key',
    `${CANVAS}variables: { __proto__: { polluted: 1 } }\n`,
    /plain names as keys but received "__proto__"/,
  ],
  ['constructor as a key', `${CANVAS}constructor: { prototype: { polluted: 1 } }\n`, /constructor/],
  ['.nan', CANVAS.replace('width: 8', 'width: .nan'), /canvas\.width: .*NaN/],
  ['1e400', CANVAS.replace('width: 8', 'width: 1e400'), /canvas\.width: .*Infinity/],
  [
    'a canvas of 10⁹ px',
    CANVAS.replace('width: 8', 'width: 1e9'),
    /canvas\.width: .*at most 16384 but received 1000000000/,
  ],
  ['a canvas of −1 px', CANVAS.replace('width: 8', 'width: -1'), /canvas\.width: .*at least 1 but received -1/],
  ['a canvas of 0 px', CANVAS.replace('width: 8', 'width: 0'), /canvas\.width: .*at least 1 but received 0/],
];

function bomb(): string {
  const lines = 'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]},`.repeat(9)}]`);
  return ['a: &a [x,x,x,x,x,x,x,x,x]', ...lines].join('\n');
}

for (const [title, text, expected] of HOSTILE) {
  test(`a grammar with ${title} ends before anything is written`, async () => {
    const path = `${newPath('hostile')}.yaml`;
    writeFileSync(path, text);
    const out = newPath();
    const error = await failure(generate({ path }, { count: 3 }, { out }));
    assert.match(error.message, expected);
    assert.match(error.message, new RegExp(path.split('/').at(-1) as string), 'the file is named');
    assert.not(existsSync(out));
    assert.is(({} as Record<string, unknown>).polluted, undefined);
  });
}

test('hostile variables on the command line are refused by the grammar; code 2', async () => {
  const path = `${newPath('sized')}.yaml`;
  writeFileSync(path, `variables: { size: 8 }\n${CANVAS.replace('width: 8', 'width: "${' + 'size}"')}`);
  const out = newPath();
  for (const size of ['0', '-1', '1e9', '1e400', 'NaN', '__proto__']) {
    const error = await failure(generate({ path, variables: { size } }, { count: 3 }, { out }));
    assert.ok(['GRAMMAR', 'CONFIG'].includes(error.code));
    assert.match(error.message, /size|width/);
  }
  assert.not(existsSync(out));
  await refused(['generate', path, '--set', 'size=1e9'], out, 2, /at most 16384 but received 1000000000/);
});

test('scene files that are hostile, cut off or none are refused before anything is written; code 1', async () => {
  const scenes = `${newPath('scenes')}.msg`;
  await writeSceneFile(scenes, await near.source.sampleBatch({ seed: 0, start: 0, count: 4 }));
  const bytes = readFileSync(scenes);
  truncateSync(scenes, bytes.length - 40);
  // The root offset leads far out of the file.
  const offset = `${newPath('offset')}.msg`;
  const moved = Buffer.from(bytes);
  moved.writeUInt32LE(0x7ffffff0, 0);
  writeFileSync(offset, moved);
  const folder = newPath('folder');
  mkdirSync(folder);
  await Promise.all([
    refused(['render', scenes], newPath(), 1, /Expected .+ but received/),
    refused(['render', offset], newPath(), 1, /Expected .+ but received/),
    refused(['render', folder], newPath(), 1, /Expected a scene file but received/),
  ]);
});

const secret = newPath('secret');
writeFileSync(secret, encodePng({ width: 32, height: 32, channels: 1, pixels: new Uint8Array(1024).fill(7) }));

/** Converting must fail, take away what it wrote and leave nothing elsewhere. */
async function refusedSource(source: string, from: FormatName, message: RegExp, to: FormatName = 'imagefolder') {
  const parent = newPath('converted');
  mkdirSync(parent);
  const out = join(parent, 'deep/out');
  const error = await failure(convertDataset({ source, from, to, out }));
  assert.match(error.message, message);
  assert.equal(readdirSync(parent), []);
}

for (const format of ['imagefolder', 'coco', 'yolo', 'voc', 'kitti'] as const) {
  test(`${format}: an image that is a link out of the dataset is not read`, async () => {
    const { out } = await generate(near, { count: 4, format, codec: 'png' });
    const image = readdirSync(out, { recursive: true, encoding: 'utf8' }).find((path) => /0*2\.png$/.test(path)) ?? '';
    rmSync(join(out, image));
    symlinkSync(secret, join(out, image));
    await refusedSource(out, format, /out of|outside|within|link|not a plain file|leads/i);
  });
}

for (const name of ['../../secret.png', '/etc/hostname', 'a\0b.png', '..\\..\\secret.png', 'train/../../secret.png']) {
  test(`names of files in annotations: ${JSON.stringify(name)} is refused`, async () => {
    const folder = await generate(near, { count: 3, format: 'imagefolder' });
    const metadata = join(folder.out, 'metadata.jsonl');
    const rows = readFileSync(metadata, 'utf8').trimEnd().split('\n');
    rows[1] = JSON.stringify({ ...JSON.parse(rows[1]), file_name: name });
    writeFileSync(metadata, `${rows.join('\n')}\n`);
    await refusedSource(folder.out, 'imagefolder', /metadata\.jsonl:2/);
    const coco = await generate(near, { count: 3, format: 'coco' });
    const path = join(coco.out, 'annotations/instances_train.json');
    const annotations = JSON.parse(readFileSync(path, 'utf8'));
    annotations.images[1].file_name = name;
    writeFileSync(path, JSON.stringify(annotations));
    await refusedSource(coco.out, 'coco', /instances_train\.json|file_name|within/, 'webdataset');
  });
}

/** A tar member: header (POSIX ustar) and data. */
function member(name: string, data: Uint8Array, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write('0000644\0', 100);
  header.write(`${(type === '0' ? data.length : 0).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = type === '0' ? Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]) : Buffer.alloc(0);
  return Buffer.concat([header, body]);
}

test('archives with names that lead out, and links, write nothing outside', async () => {
  const image = new Uint8Array(readFileSync(secret));
  const archive = (...members: Buffer[]) => {
    const folder = newPath('tars');
    mkdirSync(folder);
    writeFileSync(join(folder, 'train-000000.tar'), Buffer.concat([...members, Buffer.alloc(1024)]));
    return folder;
  };
  for (const name of ['../evil', '../../evil', '/tmp/evil', 'a/../../evil', 'a\\..\\evil']) {
    const source = archive(member(`${name}.png`, image), member(`${name}.cls`, Buffer.from('0')));
    for (const to of ['imagefolder', 'coco', 'yolo', 'kitti', 'voc', 'tfrecord'] as const) {
      const parent = newPath('converted');
      mkdirSync(parent);
      const before = readdirSync(dirname(parent)).length;
      await convertDataset({ source, from: 'webdataset', to, out: join(parent, 'out'), codec: 'png' }).catch(() => {});
      // Whether it is refused or the name made harmless, it stays below the output.
      assert.equal(
        readdirSync(parent).filter((each) => each !== 'out'),
        [],
      );
      assert.is(readdirSync(dirname(parent)).length, before);
    }
  }
  assert.not(existsSync('/tmp/evil.png'));
  const linked = archive(member('a.png', image, '2', secret), member('a.cls', Buffer.from('0')));
  await refusedSource(linked, 'webdataset', /Expected/);
});

test.run();
