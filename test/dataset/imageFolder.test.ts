import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { classFolders, readImageFolder, readLabelledFolder } from '../../src/dataset/imageFolder.js';
import { encodePng } from '../../src/dataset/png.js';
import { DatasetError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-images-'));
test.after(() => rmSync(folder, { recursive: true }));

const grey = (level: number) => encodePng({ width: 2, height: 2, channels: 1, pixels: new Uint8Array(4).fill(level) });
const shape = { width: 2, height: 2, channels: 1 } as const;

for (const [i, name] of ['b', 'a', 'empty'].entries()) {
  mkdirSync(join(folder, name));
  if (name === 'empty') writeFileSync(join(folder, name, 'notes.txt'), 'no image');
  else for (let n = 0; n < 5; n++) writeFileSync(join(folder, name, `${n}.png`), grey(100 * i + n));
}
const red = {
  width: 4,
  height: 4,
  channels: 3 as const,
  pixels: Uint8Array.from({ length: 48 }, (_, i) => (i % 3 ? 0 : 255)),
};
writeFileSync(join(folder, 'red.png'), encodePng(red));

async function refusal(work: Promise<unknown>): Promise<Error> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return error as Error;
}

test('the classes are the sub-folders that hold images, sorted', async () => {
  assert.equal(await classFolders(folder), ['a', 'b']);
});

test('labels follow the order of the classes, images the order of their names', async () => {
  const { count, images, labels } = await readLabelledFolder(folder, ['b', 'a'], shape);
  assert.is(count, 10);
  assert.equal([...labels], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  // Each image is four equal pixels.
  assert.equal(
    [...images].filter((_, i) => i % 4 === 0),
    [0, 1, 2, 3, 4, 100, 101, 102, 103, 104],
  );
});

test('a limit draws different images by the seed, and keeps image and label together', async () => {
  const drawn = await Promise.all(
    [1, 2, 1].map((seed) => readLabelledFolder(folder, ['b', 'a'], shape, { limit: 4, seed })),
  );
  for (const { count, images, labels } of drawn) {
    assert.is(count, 4);
    assert.equal(
      [...labels],
      [0, 4, 8, 12].map((i) => (images[i] >= 100 ? 1 : 0)),
    );
    assert.is(new Set([0, 4, 8, 12].map((i) => images[i])).size, 4, 'none is drawn twice');
  }
  assert.equal(drawn[0], drawn[2]);
  assert.not.equal(drawn[0].images, drawn[1].images);
});

test('images are brought to the canvas: size and channels', async () => {
  const { count, images } = await readImageFolder(folder, { width: 2, height: 1, channels: 1 });
  assert.is(count, 1, 'sub-folders are not searched');
  // Rec. 601: red weighs 0.299, and 0.299 · 255 = 76.2.
  assert.equal([...images], [76, 76]);
  const colour = await readImageFolder(folder, { width: 1, height: 1, channels: 3 });
  assert.equal([...colour.images], [255, 0, 0]);
});

test('what cannot be read is named', async () => {
  assert.match((await refusal(readImageFolder(join(folder, 'none'), shape))).message, /readable folder at .*none/);
  assert.match((await refusal(readImageFolder(join(folder, 'empty'), shape))).message, /files in .*empty/);
  assert.match((await refusal(readLabelledFolder(folder, ['a', 'empty'], shape))).message, /images in .*empty/);
  const noFolder = (await refusal(readLabelledFolder(folder, ['a', 'c'], shape))).message;
  assert.match(noFolder, /sub-folder of images for the class c in .* received a, b, empty$/);
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'torn.png'), grey(1).subarray(0, 40));
  assert.match((await refusal(readImageFolder(broken, shape))).message, /readable image at .*torn\.png/);
});

test.run();
