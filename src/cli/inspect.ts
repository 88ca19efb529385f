import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { writeFileWhole } from '../dataset/files.js';
import { FORMAT_NAMES, openFormat, recogniseFormat } from '../dataset/formats/index.js';
import { DatasetError } from '../errors.js';
import type { TileStyle } from '../report/inspect/labelTile.js';
import { integerIn } from './flags.js';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly from?: string;
  readonly out: string;
  readonly count: number;
  readonly seed: number;
}

/** Most samples on a sheet. */
const MAX_SHOWN = 1024;
const PAGE = 'index.html';
const SHEETS: readonly TileStyle[] = ['boxes', 'boxes3d', 'masks', 'depth', 'normals', 'plain'];

/** `metasim inspect`: contact sheets with labels drawn, and a page of what a dataset holds. */
export function addInspect(program: Command, outcome: Outcome): void {
  const command = program
    .command('inspect')
    .description(
      'look at a dataset: contact sheets with boxes, 3D boxes, masks, depth and normals drawn, and an HTML page of histograms',
    )
    .argument('<dataset>', 'folder of a dataset')
    .addOption(new Option('--from <format>', 'its format (default: as it looks)').choices(FORMAT_NAMES))
    .addOption(new Option('--out <folder>', 'where sheets and page go').default('inspect'))
    .addOption(
      new Option('--count <n>', 'number of images shown, drawn evenly from all')
        .argParser(integerIn(1, MAX_SHOWN))
        .default(64),
    )
    .addOption(
      new Option('--seed <n>', 'chooses the images that are shown')
        .argParser(integerIn(0, Number.MAX_SAFE_INTEGER))
        .default(0),
    );
  const examples = ['metasim inspect data/digits', 'metasim inspect coco2017 --from coco --count 25 --out look'];
  define<Flags>(outcome, command, examples, async ([folder], { from, out, count, seed }, context) => {
    await expectOwnFiles(out);
    const format = from ? await openFormat(from) : await recogniseFormat(folder);
    const [{ inspectDataset }, { readOrigin }, page, { renderHtmlReport }, { textTable }] = await Promise.all([
      import('../report/inspect/inspectDataset.js'),
      import('../report/inspect/datasetFacts.js'),
      import('../report/inspect/inspectionPage.js'),
      import('../report/htmlReport.js'),
      import('../report/textTable.js'),
    ]);
    const [reader, origin] = await Promise.all([format.open(folder), readOrigin(folder)]);
    const progress = reader.count === undefined ? undefined : context.progress('read', reader.count);
    const inspection = await inspectDataset(reader, {
      count,
      seed,
      attributes: origin.attributes,
      signal: context.signal,
      onProgress: (done) => progress?.update(done),
    });
    progress?.stop();
    const sheets = page.inspectionSheets(inspection);
    const html = renderHtmlReport(await page.inspectionPage(inspection, format.name, origin, sheets));
    for (const [style, png] of Object.entries(sheets)) await writeFileWhole(join(out, `${style}.png`), png);
    await writeFileWhole(join(out, PAGE), html);
    const { images, shown, statistics } = inspection;
    const keys = shown.map(({ labels }) => labels.key);
    return {
      json: { out, page: join(out, PAGE), format: format.name, images, shown: keys, statistics },
      text: [
        textTable(page.BALANCE_HEAD, page.balanceRows(inspection)),
        '',
        `${images} images of ${folder} (${format.name}); ${shown.length} of them in ${join(out, PAGE)}`,
      ].join('\n'),
    };
  });
}

/** @throws DatasetError when the folder holds anything that another look did not write */
async function expectOwnFiles(folder: string): Promise<void> {
  const own = new Set([PAGE, ...SHEETS.map((style) => `${style}.png`)]);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new DatasetError(`Expected a folder for --out but received ${folder}: ${error.message}`, { cause: error });
  });
  const foreign = names.find((name) => !own.has(name));
  if (foreign !== undefined) {
    throw new DatasetError(
      `Expected a new or empty folder, or one of an earlier look, for --out but received ${folder}, which holds ${foreign}`,
    );
  }
}
