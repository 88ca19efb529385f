import { ConfigError } from '../errors.js';

/**
 * Imports a package that metasim works with but does not install.
 * @param name package name, as `npm install` takes it
 * @param use what it is needed for, e.g. "datasets in s3:// buckets"
 * @param load `() => import(name)`, written out so that its types are known
 * @throws ConfigError that says how to install it, when it is not there
 */
export async function importPeer<Module>(name: string, use: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new ConfigError(
      `Expected the package ${name} for ${use} but received none. Install it with: npm install ${name}`,
      { cause },
    );
  }
}
