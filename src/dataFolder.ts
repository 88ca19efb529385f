import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `../shared/data` beside the project. */
export const DEFAULT_DATA_FOLDER = fileURLToPath(new URL('../../shared/data', import.meta.url));

/** Where weights and data sets are looked for: the folder in METASIM_DATA, else {@link DEFAULT_DATA_FOLDER}. */
export function dataFolder(): string {
  return resolve(process.env.METASIM_DATA || DEFAULT_DATA_FOLDER);
}
