import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type MeshPlacement, meshPlacement, parseConfig } from '../../config.js';
import { AssetError } from '../../errors.js';
import { globToRegExp } from '../assetLibrary.js';
import { SIZE_KEYS } from './placement.js';

/** What a folder of models may hold beside them: how large which of them is, and where its front is. */
export const MESH_FILE = 'meshes.yaml';

const fileSchema = z.array(
  z.strictObject({
    /** Glob over paths relative to the folder, with extension; all entries that match a file count, later ones more. */
    files: z.string().trim().min(1),
    ...meshPlacement,
  }),
);

/** Settings of a file, from its path relative to the folder. */
export type MeshSettingsLookup = (path: string) => MeshPlacement;

/**
 * Reads `meshes.yaml` of a folder.
 * @param settings of files of which it says nothing; a size in an entry replaces any other size
 * @throws AssetError when it cannot be read; ConfigError naming what is wrong in it
 */
export async function readMeshFile(folder: string, settings: MeshPlacement): Promise<MeshSettingsLookup> {
  const path = join(folder, MESH_FILE);
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return () => settings;
    throw new AssetError(`Expected a readable file at ${path} but received: ${(cause as Error).message}`, { cause });
  }
  const entries = parseConfig(fileSchema, parsed(content, path), path).map(({ files, ...entry }) => ({
    pattern: globToRegExp(files),
    entry,
  }));
  return (file) =>
    entries.reduce((before, { pattern, entry }) => (pattern.test(file) ? overridden(before, entry) : before), settings);
}

function overridden(before: MeshPlacement, entry: MeshPlacement): MeshPlacement {
  const sized = SIZE_KEYS.some((key) => entry[key] !== undefined);
  const kept = Object.entries(before).filter(([key]) => !sized || !(SIZE_KEYS as readonly string[]).includes(key));
  return { ...Object.fromEntries(kept), ...entry };
}

function parsed(content: string, path: string): unknown {
  try {
    return parseYaml(content, { maxAliasCount: 100 });
  } catch (cause) {
    throw new AssetError(`Expected YAML in ${path} but received: ${(cause as Error).message}`, { cause });
  }
}
