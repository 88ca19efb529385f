import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Staging } from '../../src/dataset/staging.js';
import { TarWriter, tarHeader } from '../../src/dataset/tar.js';
import { readTar } from '../../src/dataset/tarReader.js';
import { DatasetError } from '../../src/errors.js';
import { findPython } from '../helpers/python.js';
import { temporaryFolder } from './formats/harness.js';

const long = (length: number) => 'n'.repeat(length);
const content = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + length) % 256));
/** Short after long, sizes about a block, names at the limits of name, prefix and both, not ASCII, too long for ustar. */
const FILES: readonly [name: string, bytes: Uint8Array][] = [
  ['000000000.png', content(700)],
  ['a', content(0)],
  ['folder/b.json', content(511)],
  ['c', content(512)],
  ['d', content(513)],
  [long(100), content(1)],
  [`${long(155)}/${long(100)}`, content(2)],
  [`f/${long(99)}`, content(3)],
  ['größe/Ω.txt', content(4)],
  [long(101), content(5)],
  [`${long(200)}/x`, content(6)],
  [`ü${long(99)}`, content(7)],
  ['last.cls', content(8)],
];

async function writeTar(files: readonly (readonly [string, Uint8Array])[]): Promise<string> {
  const folder = temporaryFolder();
  const staging = new Staging(folder, 0);
  const tar = new TarWriter(staging.stream('test.tar'));
  for (const [name, bytes] of files) tar.add(name, bytes);
  tar.end();
  await staging.seal();
  return join(folder, 'test.tar');
}

const archive = await writeTar(FILES);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function entriesOf(path: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { name, bytes } of readTar(path, 'test.tar')) found.push([name, sha256(bytes)]);
  return found;
}

/** Writes bytes as an archive and gives the message with which reading it fails. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const path = join(temporaryFolder(), 'bad.tar');
  writeFileSync(path, bytes);
  const error = await entriesOf(path).catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  assert.match((error as Error).message, /test\.tar/);
  return (error as Error).message;
}

/** An archive of one file by another writer, with a header as given. */
async function foreignTar(headers: Parameters<ReturnType<typeof pack>['entry']>[0], text = ''): Promise<Buffer> {
  const out = pack();
  out.entry(headers, text);
  out.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of out) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

test('GNU tar lists and extracts what was written, with mode 0644, user 0 and time 0', () => {
  if (spawnSync('tar', ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU') !== true) {
    console.log('# skip GNU tar: there is none');
    return;
  }
  const list = execFileSync('tar', ['--utc', '--numeric-owner', '--quoting-style=literal', '-tvf', archive], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  const expected = FILES.map(([name, { length }]) => `-rw-r--r-- 0/0 ${length} 1970-01-01 00:00 ${name}`);
  assert.equal(
    list
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ +/g, ' ')),
    expected,
  );
  const folder = temporaryFolder();
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  for (const [name, bytes] of FILES) assert.equal(readFileSync(join(folder, name)), Buffer.from(bytes), name);
});

test("Python's tarfile reads what was written", () => {
  const python = findPython('tarfile');
  if (!python) {
    console.log('# skip tarfile: no Python');
    return;
  }
  const script = `
import hashlib, json, sys, tarfile
with tarfile.open(sys.argv[1], 'r:', errorlevel=2) as tar:
    print(json.dumps([[m.name, m.size, m.mode, m.uid, m.gid, m.uname, m.gname, m.mtime, hashlib.sha256(tar.extractfile(m).read()).hexdigest()] for m in tar]))
`;
  assert.equal(
    JSON.parse(execFileSync(python, ['-c', script, archive], { encoding: 'utf8' })),
    FILES.map(([name, bytes]) => [name, bytes.length, 0o644, 0, 0, '', '', 0, sha256(bytes)]),
  );
});

test('our reader gives the same names and bytes back', async () => {
  assert.equal(
    await entriesOf(archive),
    FILES.map(([name, bytes]) => [name, sha256(bytes)]),
  );
});

test('a header is the same bytes whatever was written before it', () => {
  const alone = tarHeader('k.json', 1234).slice();
  tarHeader(long(100), 8 ** 11 - 1);
  assert.equal(tarHeader('k.json', 1234), alone);
  // The sum of all bytes with blanks in place of the check, worked over again.
  const blank = alone.map((byte, i) => (i >= 148 && i < 156 ? 32 : byte));
  const sum = blank.reduce((total, byte) => total + byte, 0);
  assert.is(Buffer.from(alone.subarray(148, 156)).toString('latin1'), `${sum.toString(8).padStart(6, '0')}\0 `);
  assert.is(Buffer.from(alone.subarray(124, 136)).toString('latin1'), `${(1234).toString(8).padStart(11, '0')}\0`);
});

test('8 GiB and more do not fit', () => {
  assert.is(Buffer.from(tarHeader('x', 8 ** 11 - 1).subarray(124, 135)).toString(), '77777777777');
  for (const size of [8 ** 11, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => tarHeader('x', size), /Expected at most 8589934591 bytes for x/);
  }
});

test('an archive that was cut off anywhere is refused; the error names the last file', async () => {
  const bytes = readFileSync(await writeTar(FILES.slice(0, 3)));
  const ends = { 'in the header': 200, 'in the bytes': 512 + 300, 'in the padding': 512 + 710 };
  for (const [where, end] of Object.entries(ends)) {
    const message = await refusal(bytes.subarray(0, end));
    assert.match(message, where === 'in the header' ? /at its first file/ : /in or after 000000000\.png/, where);
  }
  // Between two files: 512 + 700 + padding.
  assert.match(await refusal(bytes.subarray(0, 512 + 1024)), /in or after 000000000\.png: its end is missing/);
  assert.match(await refusal(new Uint8Array(0)), /its end is missing/);
});

test('a damaged header is refused, and so is what is no archive', async () => {
  const bytes = readFileSync(await writeTar(FILES.slice(0, 3)));
  const second = 512 + 1024;
  for (const at of [second, second + 124 + 9, second + 150]) {
    const damaged = Buffer.from(bytes);
    damaged[at] ^= 1;
    assert.match(await refusal(damaged), /in or after 000000000\.png/);
  }
  await refusal(Buffer.from('no archive at all '.repeat(100)));
});

test('names that lead out, and files beyond 256 MiB, are refused before a byte is kept', async () => {
  for (const name of ['../x.png', '/etc/x.png', 'a/../../x.png', 'a\\x.png']) {
    assert.match(await refusal(await foreignTar({ name }, 'x')), /Expected a path within the dataset/, name);
  }
  // A NUL can only come in a pax header.
  const nul = pack();
  nul.entry({ name: 'x', pax: { path: 'a\0b' } } as Parameters<typeof nul.entry>[0], 'x');
  nul.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of nul) pieces.push(piece as Buffer);
  assert.match(await refusal(Buffer.concat(pieces)), /Expected a path within the dataset .* "a\\u0000b"/);
  const huge = Buffer.concat([tarHeader('big.png', 2 ** 28 + 1), new Uint8Array(2048)]);
  assert.match(await refusal(huge), /Expected at most 268435456 bytes for big\.png/);
});

test('GNU and pax archives are read; folders, links and a leading ./ are no matter', async () => {
  const folder = temporaryFolder();
  const out = pack();
  out.entry({ name: './', type: 'directory' });
  out.entry({ name: './a/', type: 'directory' });
  out.entry({ name: './a/x.txt' }, 'x');
  out.entry({ name: './link', type: 'symlink', linkname: '/etc/passwd' });
  out.entry({ name: `./${'ä'.repeat(120)}` }, 'y');
  out.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of out) pieces.push(piece as Buffer);
  writeFileSync(join(folder, 'x.tar'), Buffer.concat(pieces));
  assert.equal(await entriesOf(join(folder, 'x.tar')), [
    ['a/x.txt', sha256(Buffer.from('x'))],
    ['ä'.repeat(120), sha256(Buffer.from('y'))],
  ]);
});

test('a reader that stops early closes the archive', async () => {
  for await (const { name } of readTar(archive, 'test.tar')) {
    assert.is(name, '000000000.png');
    break;
  }
  assert.is((await entriesOf(archive)).length, FILES.length);
});

test.run();
