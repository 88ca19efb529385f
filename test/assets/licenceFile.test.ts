import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imageAssets } from '../../src/assets/imageAssets.js';
import { croissantLicence } from '../../src/dataset/describe/licenceNames.js';
import { encodePng } from '../../src/dataset/png.js';
import { ConfigError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-licences-'));
test.after(() => rmSync(folder, { recursive: true }));
const png = encodePng({ width: 1, height: 1, channels: 1, pixels: Uint8Array.of(9) });
for (const name of ['cars/a', 'cars/b', 'trees/c']) {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, `${name}.png`), png);
}
const write = (text: string) => writeFileSync(join(folder, 'licences.yaml'), text);
const licences = async (licence?: string) =>
  (await imageAssets(folder, '**', { licence })).assets.map((asset) => asset.licence);

test('the first entry that matches a file counts, with its credits; the rest has the licence of the source', async () => {
  assert.equal(await licences('MIT'), ['MIT', 'MIT', 'MIT']);
  write(`
- { files: "cars/a.png", licence: CC-BY-4.0, author: Jane Doe, source: "https://example.org/a" }
- { files: "cars/*", licence: CC0-1.0 }
`);
  const credited = 'CC-BY-4.0 (by Jane Doe, https://example.org/a)';
  assert.equal(await licences('MIT'), [credited, 'CC0-1.0', 'MIT']);
  assert.equal(await licences(), [credited, 'CC0-1.0', undefined]);
  assert.is(croissantLicence(credited), 'https://spdx.org/licenses/CC-BY-4.0.html', 'credits hide no identifier');
});

test('what is wrong in the file is named', async () => {
  write('- { files: "*", license: MIT }');
  const error = await licences().catch((reason: Error) => reason);
  assert.instance(error, ConfigError);
  assert.match((error as Error).message, /licences\.yaml: 0\.licence/);
});

test.run();
