import { sampleKey } from '../sample.js';
import { withoutExtension } from './imageFile.js';

/** What a key may look like that is taken from a dataset of somebody else: it becomes a file name. */
const TAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

/**
 * Key of a sample from elsewhere: the stem of its file's name, or its number where there is no name or no harmless one.
 * @param index position in the dataset
 */
export function foreignKey(path: string | undefined, index: number): string {
  const name = path?.split(/[\\/]/).at(-1) ?? '';
  const stem = withoutExtension(name);
  return TAME.test(stem) ? stem : sampleKey(index);
}
