import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TrainingError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import { attributeHistograms, readAttributeHistograms } from '../../src/report/attributeHistograms.js';
import { Dashboard } from '../../src/report/dashboard/dashboard.js';
import { readMetrics } from '../../src/report/metricsWriter.js';
import { writeRunReport } from '../../src/report/runReport.js';
import { evenly } from '../../src/report/sheetSlides.js';
import { loadRun } from '../../src/training/run.js';
import { CHROMIUM, launchChromium, openWatched } from '../helpers/browser.js';
import { EPOCHS, trainTiny, writeTinyConfig } from './tinyRun.js';

await initBackend({ prefer: 'wasm' });
const folder = mkdtempSync(join(tmpdir(), 'metasim-pages-'));
const run = join(folder, 'run');
let browser: Browser | undefined;
test.after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});
const inBrowser = CHROMIUM ? test : test.skip;
if (!CHROMIUM) {
  console.log('# skip live page in Chromium: no chromium here');
  console.log('# skip report in Chromium: no chromium here');
}

const config = await writeTinyConfig(folder);

/** Trains once for all tests, with a reader at the live page where there is a browser. */
let trained: Promise<void> | undefined;
function train(dashboard?: Dashboard, onEpoch?: (epoch: number) => Promise<void>): Promise<void> {
  trained ??= trainTiny(config, run, { dashboard, onEpoch });
  return trained;
}

inBrowser('the live page shows a training as it goes: stages, growing curves, the newest images, its end', async () => {
  browser = await launchChromium();
  const dashboard = await Dashboard.open({ title: 'tiny <run>' });
  const { page, complaints } = await openWatched(browser, dashboard.url, dashboard.url);
  const points: number[] = [];
  await train(dashboard, async (epoch) => {
    await page.waitForFunction(`document.querySelector('#facts dd').textContent === '${epoch}'`);
    const source = `document.querySelector('#sheet img').src.endsWith('epoch=${epoch}')`;
    await page.waitForFunction(source);
    await page.waitForTimeout(200);
    points.push(await page.locator('.plots').first().locator('.chart').first().locator('.mark-symbol path').count());
  });
  await dashboard.close('finished & done');
  await page.waitForFunction("document.getElementById('state').textContent === 'finished & done'");
  assert.equal(points, [1, 2, 3], 'points of the first curve after each epoch');
  assert.is(await page.textContent('h1'), 'tiny <run>');
  assert.equal(await page.locator('#stages .name').allTextContents(), [
    ...['target features', 'warm start', 'pre-training', 'meta-training'],
  ]);
  assert.equal(await page.locator('h2').allTextContents(), [
    ...['Loss and score', 'Visibility', 'Time', 'Pre-training', 'Newest images'].filter(
      (heading) => heading !== 'Visibility' || readMetrics(join(run, 'metrics.jsonl'))[0]['hidden/input'] !== undefined,
    ),
  ]);
  assert.equal(complaints, []);
});

test("a run's records: MMD² of each layer, whose mean is the MMD²; what it ran on, without names or folders", async () => {
  await train();
  for (const record of readMetrics(join(run, 'metrics.jsonl'))) {
    const mean = ((record['mmd/64'] as number) + (record['mmd/192'] as number)) / 2;
    assert.ok(Math.abs(mean - (record.mmd as number)) < 1e-6, `${mean} against ${record.mmd}`);
  }
  const machine = readFileSync(join(run, 'machine.json'), 'utf8');
  assert.match(machine, /"processor"/);
  const html = readFileSync(join(run, 'report.html'), 'utf8');
  for (const [name, text] of Object.entries({ machine, html })) {
    assert.not.ok(text.includes(folder), `${name} holds no folder of the machine`);
    assert.not.ok(hostname().length > 3 && text.includes(hostname()), `${name} does not hold its name`);
    assert.not.ok(homedir().length > 5 && text.includes(homedir()), `${name} does not hold a home folder`);
  }
});

test('attributes before and after are those of the grammar and of the trained transformer', async () => {
  await train();
  const { input, learned } = await readAttributeHistograms(run);
  const loaded = await loadRun(run);
  try {
    const request = { seed: loaded.record.seed, start: 2 ** 40, count: 512 };
    for (const [recorded, source] of [
      [input, loaded.grammar],
      [learned, loaded.source],
    ] as const) {
      const batch = await source.sampleBatch(request);
      // Counted naively: ten degrees a bin, digits of class 3 only.
      const counts = new Array(36).fill(0);
      const three = batch.schema.classes.indexOf('3');
      for (const scene of batch.scenes) {
        scene.classId.forEach((id, node) => {
          if (id === three) counts[Math.floor((scene.attributes[node * batch.schema.attributes.length] + 180) / 10)]++;
        });
      }
      assert.is(batch.schema.attributes[0].name, 'rotation');
      assert.equal(recorded?.classes['3'].rotation.counts, counts);
      assert.equal(attributeHistograms(batch).classes['3'].rotation.counts, counts);
    }
  } finally {
    loaded.dispose();
  }
  assert.is(learned?.epoch, EPOCHS);
  assert.is(learned?.classes['3'].rotation.mutable, true);
});

test('metasim report makes the page that training left, and a page of a run that was killed', async () => {
  await train();
  const again = join(folder, 'again.html');
  const { bytes, epochs, plannedEpochs } = await writeRunReport(run, again);
  assert.equal([epochs, plannedEpochs], [EPOCHS, EPOCHS]);
  assert.ok(bytes < 4 * 2 ** 20, `${bytes} bytes`);
  assert.ok(readFileSync(again).equals(readFileSync(join(run, 'report.html'))), 'one page, made in two ways');

  const killed = join(folder, 'killed');
  await cp(run, killed, { recursive: true });
  for (const name of ['checkpoints', 'attributes.json', 'sheets']) rmSync(join(killed, name), { recursive: true });
  writeFileSync(join(killed, 'start.json'), '{"warmSt');
  writeFileSync(join(killed, 'metrics.jsonl'), '{"step":1,"mmd":0.5,"score":null}\n');
  appendFileSync(join(killed, 'metrics.jsonl'), '{"step":2,"mm');
  await writeRunReport(killed);
  const page = readFileSync(join(killed, 'report.html'), 'utf8');
  assert.match(page, /unfinished: 1 of 3 meta-epochs/);
  assert.match(page, /no trained transformer to sample/);
  rmSync(join(killed, 'metrics.jsonl'));
  await writeRunReport(killed);
  assert.match(readFileSync(join(killed, 'report.html'), 'utf8'), /No meta-epoch has been finished/);
  let refused: unknown;
  await writeRunReport(folder).catch((error) => {
    refused = error;
  });
  assert.instance(refused, TrainingError);
  assert.not.ok(existsSync(join(folder, 'report.html')));
});

inBrowser('the report draws all its charts without any network, and its slider goes through the epochs', async () => {
  await train();
  browser ??= await launchChromium();
  const address = pathToFileURL(join(run, 'report.html')).href;
  const { page, complaints } = await openWatched(browser, address, address);
  await page.waitForFunction("document.querySelectorAll('[data-chart]:not([data-drawn])').length === 0");
  for (const details of await page.locator('details').all()) {
    if (!(await details.evaluate((element) => (element as { open: boolean }).open)))
      await details.locator('summary').first().click();
  }
  const charts = await page.locator('[data-chart]').all();
  assert.ok(charts.length >= 8, `${charts.length} charts`);
  for (const chart of charts) {
    const marks = await chart.locator('svg :is(.mark-line, .mark-symbol, .mark-rect, .mark-area) path').count();
    const { width } = (await chart.locator('svg').boundingBox()) ?? { width: 0 };
    assert.ok(marks > 0 && width > 200, `${await chart.getAttribute('data-chart')}: ${marks} marks, ${width} px wide`);
  }
  const points = page.locator('[data-chart=chart-mmd] .mark-symbol path');
  assert.is(await points.count(), EPOCHS);
  assert.ok((await page.locator('[data-chart^=chart-attribute-mutable]').count()) >= 2, 'a histogram a class');

  const picture = page.locator('.slides img');
  const marker = () =>
    page.locator('[data-chart=chart-mmd] .mark-rule line[stroke-dasharray]').first().getAttribute('transform');
  const seen = [];
  const places = [];
  for (let slide = EPOCHS - 1; slide >= 0; slide--) {
    assert.match((await page.locator('.slides output').textContent()) ?? '', new RegExp(`^meta-epoch ${slide + 1},`));
    assert.ok(await picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 100));
    await page.waitForTimeout(150);
    seen.push(await picture.getAttribute('src'));
    places.push(await marker());
    if (slide > 0) await page.locator('.slides input').press('ArrowLeft');
  }
  assert.is(new Set(seen).size, EPOCHS, 'every epoch has a picture of its own');
  assert.is(new Set(places).size, EPOCHS, 'the marker in the curves moves along');
  assert.is(seen[0], `data:image/png;base64,${readFileSync(join(run, 'sheets/epoch-0003.png')).toString('base64')}`);

  await page.locator('[data-chart=chart-mmd]').scrollIntoViewIfNeeded();
  await page.mouse.move(...(await middle(page.locator('[data-chart=chart-mmd] svg'))));
  await page.waitForSelector('.tip:not([hidden])');
  assert.match((await page.locator('.tip').textContent()) ?? '', /meta-epoch\d.*MMD²0\.\d/);
  assert.equal(complaints, []);
});

async function middle(locator: {
  boundingBox(): Promise<{ x: number; y: number; width: number; height: number } | null>;
}) {
  const { x, y, width, height } = (await locator.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return [x + width / 2, y + height / 2] as const;
}

test('of many sheets a page holds some, evenly, with the first and the last', () => {
  assert.equal(evenly([1, 2, 3], 5), [1, 2, 3]);
  assert.equal(evenly([1, 2, 3, 4, 5, 6, 7, 8, 9], 3), [1, 5, 9]);
});

test.run();
