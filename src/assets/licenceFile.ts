import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../config.js';
import { AssetError } from '../errors.js';
import { globToRegExp } from './assetLibrary.js';

/** What a folder of textures may hold beside them: who may do what with which file. */
export const LICENCE_FILE = 'licences.yaml';

const text = z.string().trim().min(1);
const entrySchema = z.strictObject({
  /** Glob over paths relative to the folder, with extension; the first entry that matches a file counts. */
  files: text,
  /** SPDX identifier, or a short text. */
  licence: text,
  author: text.optional(),
  /** Where the file comes from, e.g. an address. */
  source: text.optional(),
});
const fileSchema = z.array(entrySchema);

/** Licence of a file, from its path relative to the folder; undefined where nothing is said. */
export type LicenceLookup = (path: string) => string | undefined;

/**
 * Reads `licences.yaml` of a folder. A licence with an author or a source reads `CC-BY-4.0 (by Jane Doe, https://…)`, so
 * that manifests and dataset cards credit them.
 * @returns a lookup that knows nothing where there is no such file
 * @throws AssetError when it cannot be read; ConfigError naming what is wrong in it
 */
export async function readLicenceFile(folder: string): Promise<LicenceLookup> {
  const path = join(folder, LICENCE_FILE);
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return () => undefined;
    throw new AssetError(`Expected a readable file at ${path} but received: ${(cause as Error).message}`, { cause });
  }
  const entries = parseConfig(fileSchema, parsed(content, path), path).map(({ files, ...entry }) => ({
    pattern: globToRegExp(files),
    licence: credited(entry),
  }));
  return (file) => entries.find(({ pattern }) => pattern.test(file))?.licence;
}

function parsed(content: string, path: string): unknown {
  try {
    return parseYaml(content, { maxAliasCount: 100 });
  } catch (cause) {
    throw new AssetError(`Expected YAML in ${path} but received: ${(cause as Error).message}`, { cause });
  }
}

function credited({ licence, author, source }: Omit<z.output<typeof entrySchema>, 'files'>): string {
  const credits = [...(author ? [`by ${author}`] : []), ...(source ? [source] : [])];
  return credits.length > 0 ? `${licence} (${credits.join(', ')})` : licence;
}
