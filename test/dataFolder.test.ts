import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_DATA_FOLDER, dataFolder } from '../src/dataFolder.js';
import { mnistFolder } from '../src/experiments/mnist/digits.js';
import { inceptionSearchFolders } from '../src/learn/inception/weightFiles.js';

const saved = process.env.METASIM_DATA;
test.after(() => {
  if (saved === undefined) delete process.env.METASIM_DATA;
  else process.env.METASIM_DATA = saved;
});

test('METASIM_DATA is where digits and weights are looked for, relative paths from the working folder; unset or empty, a folder beside the project', () => {
  process.env.METASIM_DATA = 'some/where';
  assert.is(dataFolder(), resolve('some/where'));
  assert.is(mnistFolder(), resolve('some/where/mnist'));
  assert.is(inceptionSearchFolders()[0], resolve('some/where/inception_v3'));
  assert.is(inceptionSearchFolders().length, 3);
  for (const unset of [undefined, '']) {
    if (unset === undefined) delete process.env.METASIM_DATA;
    else process.env.METASIM_DATA = unset;
    assert.is(dataFolder(), resolve('..', 'shared', 'data'));
    assert.is(mnistFolder(), join(DEFAULT_DATA_FOLDER, 'mnist'));
    assert.is(inceptionSearchFolders().at(-1), join(DEFAULT_DATA_FOLDER, 'inception_v3'));
    assert.is(inceptionSearchFolders().length, 2);
  }
});

test.run();
