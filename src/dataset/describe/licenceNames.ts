/** Licences in the words of others: SPDX's list (https://spdx.org/licenses) and the identifiers of Hugging Face's cards. */
import { isLicence } from './licences.js';

/**
 * SPDX identifiers that textures, sprites and their like come under, and for each whether Hugging Face's `license` knows
 * it (in lower case).
 */
const KNOWN: Readonly<Record<string, boolean>> = {
  'CC0-1.0': true,
  'CC-BY-2.0': true,
  'CC-BY-2.5': true,
  'CC-BY-3.0': true,
  'CC-BY-4.0': true,
  'CC-BY-SA-2.0': false,
  'CC-BY-SA-3.0': true,
  'CC-BY-SA-4.0': true,
  'CC-BY-NC-2.0': true,
  'CC-BY-NC-3.0': true,
  'CC-BY-NC-4.0': true,
  'CC-BY-ND-4.0': true,
  'CC-BY-NC-ND-3.0': true,
  'CC-BY-NC-ND-4.0': true,
  'CC-BY-NC-SA-2.0': true,
  'CC-BY-NC-SA-3.0': true,
  'CC-BY-NC-SA-4.0': true,
  'CC-PDDC': false,
  'PDDL-1.0': true,
  'ODbL-1.0': false,
  'ODC-By-1.0': false,
  'CDLA-Permissive-1.0': true,
  'CDLA-Permissive-2.0': true,
  'CDLA-Sharing-1.0': true,
  'Apache-2.0': true,
  MIT: true,
  'MIT-0': false,
  ISC: true,
  Zlib: true,
  Unlicense: true,
  '0BSD': false,
  'BSD-2-Clause': true,
  'BSD-3-Clause': true,
  'BSL-1.0': true,
  'GPL-2.0-only': false,
  'GPL-2.0-or-later': false,
  'GPL-3.0-only': false,
  'GPL-3.0-or-later': false,
  'LGPL-3.0-only': false,
  'LGPL-3.0-or-later': false,
  'MPL-2.0': true,
  'OFL-1.1': true,
  'Artistic-2.0': true,
  WTFPL: true,
};

const CANONICAL = new Map(Object.keys(KNOWN).map((id) => [id.toLowerCase(), id]));

/** SPDX identifier of a licence, with or without credits behind it (`CC-BY-4.0 (by Jane Doe)`). */
function identifierOf(licence: string): string | undefined {
  return CANONICAL.get(
    licence
      .replace(/ \(.*\)$/s, '')
      .trim()
      .toLowerCase(),
  );
}

/** A licence as Croissant has it: the address of a known one, else a work by its name. */
export function croissantLicence(licence: string): string | { '@type': string; name: string } {
  const id = identifierOf(licence);
  if (id) return `https://spdx.org/licenses/${id}.html`;
  return { '@type': 'sc:CreativeWork', name: isLicence(licence) ? licence : 'unknown' };
}

/** The `license` of a Hugging Face card: identifiers, `other` where it has none, `unknown` where nobody knows. */
export function cardLicences(licences: readonly string[]): string[] {
  const names = licences.map((licence) => {
    if (!isLicence(licence)) return 'unknown';
    const id = identifierOf(licence);
    if (id === 'PDDL-1.0') return 'pddl';
    return id && KNOWN[id] ? id.toLowerCase() : 'other';
  });
  return names.length > 0 ? [...new Set(names)].sort() : ['unknown'];
}
