import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeImage, decodeMask } from '../../src/dataset/imageCodec.js';
import { encodePalettePng } from '../../src/dataset/palettePng.js';
import { DatasetError, ShapeError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';

const stream = new RandomStream({ seed: 8, index: 0 });
const palette = Uint8Array.from({ length: 768 }, () => stream.integer(256));

test('numbers and colours come back from another decoder, checks included', () => {
  for (const [width, height] of [
    [1, 1],
    [37, 5],
    [300, 200],
  ]) {
    const pixels = Uint8Array.from({ length: width * height }, () => stream.integer(256));
    const decoded = decode(encodePalettePng({ width, height, pixels, palette }), { checkCrc: true });
    assert.equal([decoded.width, decoded.height, decoded.depth, decoded.channels], [width, height, 8, 1]);
    assert.equal(decoded.data, pixels);
    assert.equal(Uint8Array.from((decoded.palette as number[][]).flat()), palette);
  }
});

test('it is read as a mask by its numbers and as a picture by its colours', async () => {
  const pixels = Uint8Array.of(0, 1, 1, 0);
  const bytes = encodePalettePng({ width: 2, height: 2, pixels, palette: Uint8Array.of(9, 8, 7, 1, 2, 3) });
  assert.equal(decodeMask(bytes, 2, 2, 'mask'), pixels);
  const { channels, pixels: colours } = await decodeImage({ codec: 'png', bytes }, 'picture');
  assert.is(channels, 3);
  assert.equal([...colours], [9, 8, 7, 1, 2, 3, 1, 2, 3, 9, 8, 7]);
});

test('pixels beyond the palette, odd palettes and bad sizes are refused', () => {
  const image = { width: 2, height: 1, pixels: Uint8Array.of(0, 1), palette: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const refused = (change: object, type: typeof DatasetError | typeof ShapeError) =>
    assert.throws(
      () => encodePalettePng({ ...image, ...change }),
      (error: Error) => error instanceof type,
    );
  refused({ pixels: Uint8Array.of(0, 2) }, ShapeError);
  refused({ pixels: Uint8Array.of(0) }, ShapeError);
  refused({ palette: Uint8Array.of(1, 2) }, ShapeError);
  refused({ palette: new Uint8Array(0) }, ShapeError);
  refused({ palette: new Uint8Array(771) }, ShapeError);
  refused({ width: 0, pixels: new Uint8Array(0) }, DatasetError);
});

test.run();
