import { realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { AssetError } from '../../errors.js';
import { readAssetFile } from '../assetFiles.js';

/** Reads what a model refers to; nothing outside a folder. */
export class ModelFolder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** @throws AssetError when there is no such folder */
  static async open(folder: string): Promise<ModelFolder> {
    try {
      return new ModelFolder(await realpath(folder));
    } catch (cause) {
      throw new AssetError(`Expected a readable folder of models at ${folder} (${String(cause)})`, { cause });
    }
  }

  /**
   * A file that a model names.
   * @param model path of the model's file
   * @param reference relative to the model's file, `/` or `\` between folders
   * @param what it is, for the error, e.g. `texture`
   * @throws AssetError naming the model when the file is missing, too large, or outside the folder (also by a link)
   */
  async read(model: string, reference: string, what: string): Promise<Uint8Array> {
    const relative = reference.replaceAll('\\', '/');
    const refuse = (why: string, cause?: unknown) =>
      new AssetError(`Expected the ${what} "${reference}" of ${model} ${why}`, { cause });
    // A scheme of one letter is a drive.
    if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(relative) || relative.includes('\0')) {
      throw refuse('to be a path relative to the model');
    }
    let path: string;
    try {
      path = await realpath(resolve(dirname(model), relative));
    } catch (cause) {
      throw refuse('to be there but received none', cause);
    }
    if (!path.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) {
      throw refuse(`to lie in the folder of the models`);
    }
    return readAssetFile(path, what);
  }
}
