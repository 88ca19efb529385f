import { readFile } from 'node:fs/promises';

/** A JSON file's value; undefined where there is no such file, or it was torn: a report shows what is there. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
