import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError } from '../../src/errors.js';
import { glyphRows } from '../../src/report/bitmapFont.js';
import { contactSheet } from '../../src/report/contactSheet.js';
import { renderHtmlReport } from '../../src/report/htmlReport.js';
import { MetricsWriter, readMetrics } from '../../src/report/metricsWriter.js';
import { Picture, textWidth } from '../../src/report/picture.js';
import { histogramCounts } from '../../src/report/plots.js';
import { textTable } from '../../src/report/textTable.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-report-'));
test.after(() => rmSync(folder, { recursive: true }));

/** RGBA bytes of a PNG, decoded by Skia. */
async function decode(png: Uint8Array) {
  const image = await loadImage(Buffer.from(png));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return { width: image.width, height: image.height, data: context.getImageData(0, 0, image.width, image.height).data };
}

test('a contact sheet shows every pixel of an image as a square of its colour', async () => {
  const input = { count: 1, width: 2, height: 2, channels: 1 as const, images: Uint8Array.of(0, 80, 160, 255) };
  const target = {
    count: 2,
    width: 2,
    height: 2,
    channels: 3 as const,
    images: Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, ...new Array(12).fill(0.5)]),
  };
  const groups = [
    { title: 'in', images: input },
    { title: 'out', images: target, captions: ['7'] },
  ];
  const { width, data } = await decode(contactSheet({ groups, scale: 10 }));
  const at = (x: number, y: number) => Array.from(data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3));
  // Margin 16, heading 2 × 8 + 6: the first row starts at (16, 38); its four squares are 10 px wide.
  assert.equal(at(16, 38), [0, 0, 0]);
  assert.equal(at(35, 47), [80, 80, 80]);
  assert.equal(at(16, 48), [160, 160, 160]);
  assert.equal(at(35, 57), [255, 255, 255]);
  // The first block is as wide as its heading or its image, the wider: textWidth('in', 2) = 22.
  const left = 16 + 22 + 24;
  assert.equal(at(left, 38), [255, 0, 0]);
  assert.equal(at(left + 19, 38), [0, 255, 0]);
  assert.equal(at(left, 57), [0, 0, 255]);
  // Second row: image height 20, caption 11, gap 6.
  assert.equal(at(left, 38 + 37), [128, 128, 128]);
});

test('a contact sheet refuses no groups and counts that are not', () => {
  const images = { count: 1, width: 1, height: 1, channels: 1 as const, images: Uint8Array.of(0) };
  const refused = (options: Parameters<typeof contactSheet>[0]) =>
    assert.throws(
      () => contactSheet(options),
      (e: unknown) => e instanceof ConfigError,
    );
  refused({ groups: [] });
  refused({ groups: [{ title: '', images }], rows: 0 });
  refused({ groups: [{ title: '', images }], scale: Number.NaN });
});

test('the font has a different picture for every printable character', () => {
  const seen = new Map<string, string>();
  for (let code = 32; code < 127; code++) {
    const rows = glyphRows(String.fromCharCode(code));
    assert.is(rows.length, 8);
    assert.ok(rows.every((bits) => bits >= 0 && bits < 32));
    const shape = rows.join();
    assert.is(seen.get(shape), undefined, `${String.fromCharCode(code)} looks like ${seen.get(shape)}`);
    seen.set(shape, String.fromCharCode(code));
  }
});

test('text is drawn at its place and in its width', () => {
  const picture = new Picture(20, 12);
  picture.text('LL', 2, 3, [9, 9, 9]);
  assert.is(textWidth('LL'), 11);
  // An L: its left stroke is seven rows, its foot five columns; the second one stands six columns on.
  const dark: string[] = [];
  for (let y = 0; y < 12; y++) {
    for (let x = 0; x < 20; x++) if (picture.pixels[(y * 20 + x) * 3] === 9) dark.push(`${x},${y}`);
  }
  const expected: string[] = [];
  for (let y = 3; y < 10; y++) {
    for (const left of [2, 8]) {
      for (let x = left; x < left + (y === 9 ? 5 : 1); x++) expected.push(`${x},${y}`);
    }
  }
  assert.equal(dark, expected);
});

test('metrics: what was written is read, and a resumed run goes on from its checkpoint', () => {
  const path = join(folder, 'deep', 'metrics.jsonl');
  const first = MetricsWriter.open(path);
  for (let step = 0; step < 5; step++) first.write({ step, loss: step / 2, odd: Number.NaN });
  first.close();
  appendFileSync(path, '{"step": 5, "lo'); // torn by a crash
  assert.equal(readMetrics(path).at(-1), { step: 4, loss: 2, odd: null });

  const second = MetricsWriter.open(path, 2);
  second.write({ step: 3, loss: 'again' });
  second.close();
  assert.equal(
    readMetrics(path).map((record) => [record.step, record.loss]),
    [
      [0, 0],
      [1, 0.5],
      [2, 1],
      [3, 'again'],
    ],
  );
  assert.ok(readFileSync(path, 'utf8').endsWith('"again"}\n'));
  assert.throws(
    () => second.write({ step: 9 }),
    (error: unknown) => error instanceof ConfigError,
  );
  MetricsWriter.open(path).close();
  assert.equal(readMetrics(path), [], 'without a checkpoint the file starts anew');
});

test('metrics: a damaged line is named', () => {
  const path = join(folder, 'damaged.jsonl');
  MetricsWriter.open(path).close();
  appendFileSync(path, '{"step":0}\nnonsense\n{"step":1}\n');
  assert.throws(() => readMetrics(path), /damaged\.jsonl:2/);
});

test('histogram counts agree with a naive count; values beyond the ends go into the outer bins', () => {
  const values = [-5, 0, 0.1, 0.24, 0.25, 0.99, 1, 7, Number.NaN];
  assert.equal(Array.from(histogramCounts(values, [0, 1], 4)), [4, 1, 0, 3]);
});

test('the HTML report stands alone and escapes what it is given', () => {
  const html = renderHtmlReport({
    title: 'a <script> & b',
    sections: [
      {
        heading: 'Results',
        blocks: [
          { kind: 'plot', svg: '<svg id="one"></svg>' },
          { kind: 'plot', svg: '<svg id="two"></svg>' },
          { kind: 'table', head: ['data', '%'], rows: [['<b>', 99.5]] },
          { kind: 'picture', png: Uint8Array.of(1, 2, 3), caption: 'q"' },
          { kind: 'config', title: 'Config', value: { path: '</pre>' } },
        ],
      },
    ],
  });
  assert.not.match(html, /<script/);
  assert.match(html, /<div class="plots"><svg id="one"><\/svg>\n<svg id="two"><\/svg><\/div>/);
  assert.match(html, /<td>&lt;b&gt;<\/td><td class="number">99\.5<\/td>/);
  assert.match(html, /data:image\/png;base64,AQID/);
  assert.match(html, /&lt;\/pre&gt;/);
  assert.not.match(html, /(?:src|href)="(?!data:)/, 'nothing is loaded from elsewhere');
});

test('a text table sets numbers flush right and words flush left', () => {
  const table = textTable(
    ['data', 'accuracy'],
    [
      ['grammar', 14.8],
      ['Meta-Sim', 99],
      ['none', undefined],
    ],
  );
  assert.is(
    table,
    ['data      accuracy', '────────  ────────', 'grammar       14.8', 'Meta-Sim        99', 'none'].join('\n'),
  );
});

test.run();
