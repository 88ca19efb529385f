import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOutputFolder, writeFileWhole } from '../../src/dataset/files.js';
import { DatasetError } from '../../src/errors.js';

const folder = await mkdtemp(join(tmpdir(), 'metasim-files-'));
test.after(() => rm(folder, { recursive: true }));

test('a file is written with the folders on its way, over what was there, and nothing else is left', async () => {
  const path = join(folder, 'a', 'b', 'c.txt');
  await writeFileWhole(path, 'one');
  await writeFileWhole(path, 'two');
  assert.is(await readFile(path, 'utf8'), 'two');
  assert.equal(await readdir(join(folder, 'a', 'b')), ['c.txt']);
});

test('a folder on the way that is a file, or a folder in the place of the file, is a DatasetError with the path', async () => {
  await writeFile(join(folder, 'file'), 'here');
  for (const path of [join(folder, 'file', 'run.json'), join(folder, 'a')]) {
    const error = await writeFileWhole(path, 'x').catch((reason: Error) => reason);
    assert.instance(error, DatasetError);
    assert.ok((error as Error).message.includes(path), (error as Error).message);
  }
  assert.is(await readFile(join(folder, 'file'), 'utf8'), 'here');
  assert.equal((await readdir(folder)).sort(), ['a', 'file'], 'no half-written file stays');
});

test('an output folder that cannot be made is a DatasetError with the path', async () => {
  const path = join(folder, 'file', 'out');
  const error = await openOutputFolder(path).catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  assert.ok((error as Error).message.includes(path), (error as Error).message);
});

test.run();
