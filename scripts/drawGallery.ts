// Draws the pictures of docs/GALLERY.md: `node --import tsx scripts/drawGallery.ts` from the project's root. A scene of
// each scenario of examples/grammars/driving.yaml, beside its labels, as a dataset holds them and `metasim inspect` draws them.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateDataset } from '../src/batch/generateDataset.js';
import { assetSourceSchema } from '../src/config.js';
import { openFormat } from '../src/dataset/formats/index.js';
import { imageEncoder } from '../src/dataset/imageCodec.js';
import { inspectDataset } from '../src/report/inspect/inspectDataset.js';
import { labelTile, type TileStyle } from '../src/report/inspect/labelTile.js';
import { Picture } from '../src/report/picture.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The scene of each scenario that is shown. */
const SCENES = { rural: 10, suburban: 5, urban: 3 } as const;
const STYLES: readonly TileStyle[] = ['plain', 'boxes3d', 'boxes', 'masks', 'depth', 'normals'];
const COLUMNS = 2;
const WIDTH = 528;
const HEIGHT = 160;
const GAP = 4;
const QUALITY = 82;
/** Classes that boxes and masks leave out: those of things in the street are what detectors learn. */
const STUFF = ['background', 'building', 'tree', 'bush', 'pole'];

const encode = await imageEncoder('jpeg', QUALITY);
await mkdir(join(ROOT, 'docs/gallery'), { recursive: true });
for (const [scenario, start] of Object.entries(SCENES)) {
  const folder = await mkdtemp(join(tmpdir(), 'metasim-gallery-'));
  try {
    const others = Object.keys(SCENES).filter((name) => name !== scenario);
    await generateDataset({
      source: {
        path: join(ROOT, 'examples/grammars/driving.yaml'),
        assets: [assetSourceSchema.parse({ kind: 'driving' })],
        variables: { width: `${WIDTH}`, height: `${HEIGHT}`, ...Object.fromEntries(others.map((name) => [name, '0'])) },
      },
      settings: {
        count: 1,
        start,
        seed: 0,
        format: 'webdataset',
        ignore: STUFF,
        masks: true,
        depth: true,
        normals: true,
      },
      out: join(folder, scenario),
    });
    const { shown, info } = await inspectDataset(await (await openFormat('webdataset')).open(join(folder, scenario)));
    const tiles = STYLES.map((style) => labelTile(shown[0], info, style));
    const rows = Math.ceil(tiles.length / COLUMNS);
    const sheet = new Picture(COLUMNS * (WIDTH + GAP) - GAP, rows * (HEIGHT + GAP) - GAP);
    for (const [i, tile] of tiles.entries()) {
      sheet.paste(tile, (i % COLUMNS) * (WIDTH + GAP), Math.floor(i / COLUMNS) * (HEIGHT + GAP));
    }
    const { width, height, pixels } = sheet;
    await writeFile(join(ROOT, `docs/gallery/${scenario}.jpg`), encode({ width, height, channels: 3, pixels }));
  } finally {
    await rm(folder, { recursive: true });
  }
}
