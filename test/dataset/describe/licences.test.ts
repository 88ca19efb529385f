import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../../src/assets/assetSources.js';
import { cardLicences, croissantLicence } from '../../../src/dataset/describe/licenceNames.js';
import { expectLicensed, isLicence } from '../../../src/dataset/describe/licences.js';
import { DatasetError } from '../../../src/errors.js';

test('assets without a licence are refused by name, with the flag that allows them', () => {
  const summary = [
    { licence: 'CC0-1.0', assets: 3, from: ['digits/3'] },
    { licence: 'unknown', assets: 12, from: ['textures/cars', 'textures/roads'] },
    { licence: '  ', assets: 1, from: ['logo'] },
  ];
  assert.throws(
    () => expectLicensed(summary, false),
    (e: unknown) =>
      e instanceof DatasetError &&
      /none for 13 of them: logo, textures\/cars, textures\/roads\..*--allow-unlicensed/.test(e.message) &&
      !e.message.includes('digits'),
  );
  expectLicensed(summary, true);
  expectLicensed(summary.slice(0, 1), false);
  expectLicensed([], false);
});

test('a message about very many folders stays short', () => {
  const from = Array.from({ length: 5000 }, (_, i) => `folder-${i}`);
  assert.throws(
    () => expectLicensed([{ licence: 'NOASSERTION', assets: 5000, from }], false),
    (e: unknown) => e instanceof Error && e.message.includes('and 4990 more') && e.message.length < 600,
  );
});

test('every built-in asset states a licence', async () => {
  const library = await openAssetSources([{ kind: 'digits', variants: 2 }]);
  assert.ok(library.assets.length > 20);
  for (const { name, licence } of library.assets) assert.ok(licence !== undefined && isLicence(licence), name);
});

test('licences in the words of Croissant and of the hub', () => {
  assert.is(croissantLicence('cc-by-sa-3.0'), 'https://spdx.org/licenses/CC-BY-SA-3.0.html');
  assert.equal(croissantLicence('mine, ask me'), { '@type': 'sc:CreativeWork', name: 'mine, ask me' });
  assert.equal(croissantLicence('unknown'), { '@type': 'sc:CreativeWork', name: 'unknown' });
  assert.equal(cardLicences(['CC0-1.0', 'CC-BY-SA-3.0']), ['cc-by-sa-3.0', 'cc0-1.0']);
  assert.equal(cardLicences(['mine, ask me', '']), ['other', 'unknown']);
  assert.equal(cardLicences([]), ['unknown']);
});

test.run();
