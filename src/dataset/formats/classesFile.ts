import { DatasetError } from '../../errors.js';
import type { DatasetFolder } from './datasetFolder.js';

/** Names of classes, one a line, where a format has no place of its own for them. */
export const CLASSES_PATH = 'classes.txt';

/** @throws DatasetError when a name is empty or would break its line */
export function formatClasses(names: readonly string[]): string {
  const bad = names.find((name) => name === '' || /[\r\n]/.test(name));
  if (bad === undefined) return names.map((name) => `${name}\n`).join('');
  throw new DatasetError(
    `Expected class names without line ends for ${CLASSES_PATH} but received ${JSON.stringify(bad)}`,
  );
}

/**
 * The names in a folder's `classes.txt`, in their order; undefined where there is none.
 * @throws DatasetError naming the line where a name is empty or stands twice
 */
export async function readClasses(folder: DatasetFolder): Promise<string[] | undefined> {
  if (!(await folder.has(CLASSES_PATH))) return undefined;
  const names = new Set<string>();
  for await (const { number, text } of folder.lines(CLASSES_PATH)) {
    if (text === '' || names.has(text)) {
      throw new DatasetError(
        `Expected a class a line, each once, in ${folder.at(CLASSES_PATH)}:${number} but received ${JSON.stringify(text)}`,
      );
    }
    names.add(text);
  }
  return [...names];
}
