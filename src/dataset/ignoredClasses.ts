import { ConfigError } from '../errors.js';
import { DONT_CARE, KITTI_TYPES } from './formats/kittiLabel.js';

/** The class that formats of detection leave out by default. */
export const BACKGROUND = 'background';

const KITTI_CLASSES: readonly string[] = [...KITTI_TYPES, DONT_CARE];

/**
 * Classes that a format lists no objects of, where nobody says which: the background, and for KITTI every class that it
 * does not have (a house, a tree), as its readers stumble over them. Where no class has a name of KITTI's there is nobody to
 * please: all are listed then.
 * @param format name of the format
 * @param classes of the scenes
 */
export function defaultIgnored(format: string, classes: readonly string[]): string[] {
  if (format !== 'kitti' || !classes.some(isKittiClass)) return [BACKGROUND];
  return [BACKGROUND, ...classes.filter((name) => name !== BACKGROUND && !isKittiClass(name))];
}

/** @throws ConfigError that names the first of `ignore` that is no class of `name`'s; the background always is */
export function expectClasses(ignore: readonly string[], classes: readonly string[], name: string): void {
  const unknown = ignore.find((each) => each !== BACKGROUND && !classes.includes(each));
  if (unknown === undefined) return;
  throw new ConfigError(
    `Expected a class of ${name} for ignore but received ${JSON.stringify(unknown)}; it has ${classes.join(', ')}`,
  );
}

/** Whether KITTI's own labels have such a type. */
export function isKittiClass(name: string): boolean {
  return KITTI_CLASSES.includes(name);
}
