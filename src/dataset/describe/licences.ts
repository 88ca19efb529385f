import { DatasetError } from '../../errors.js';
import type { LicenceUse } from '../manifest.js';

/** Most folders of assets that the error names. */
const NAMED_FOLDERS = 10;
/** What says that nobody knows the licence; the last two are SPDX's words for it. */
const UNKNOWN = new Set(['', 'unknown', 'none', 'noassertion']);

/** Whether a licence as an asset states it is one. */
export function isLicence(text: string): boolean {
  return !UNKNOWN.has(text.trim().toLowerCase());
}

/**
 * Refuses assets that nobody knows the licence of: what is drawn with them may not be passed on.
 * @param summary what the dataset draws, or may draw
 * @param allowUnlicensed `--allow-unlicensed`
 * @throws DatasetError naming the assets and the flag
 */
export function expectLicensed(summary: readonly LicenceUse[], allowUnlicensed: boolean): void {
  if (allowUnlicensed) return;
  const unknown = summary.filter(({ licence }) => !isLicence(licence));
  if (unknown.length === 0) return;
  const assets = unknown.reduce((sum, use) => sum + use.assets, 0);
  const folders = [...new Set(unknown.flatMap(({ from }) => from))].sort();
  const more = folders.length - NAMED_FOLDERS;
  const named = folders.slice(0, NAMED_FOLDERS).join(', ') + (more > 0 ? ` and ${more} more` : '');
  throw new DatasetError(
    `Expected a licence for every asset but received none for ${assets} of them: ${named}. State it ` +
      '(--assets …,licence=CC0-1.0, or licence under assets in a configuration), or pass --allow-unlicensed',
  );
}
