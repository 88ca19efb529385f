import { AssetError } from '../../errors.js';
import type { ModelFolder } from './modelFolder.js';
import type { SourceImage, SourceMaterial, SourceTexture } from './sourceModel.js';

/** Words that a texture's option takes behind it, at most; `-o`, `-s` and `-t` take one to three numbers. */
const OPTION_WORDS: Record<string, number> = {
  ...{ '-blendu': 1, '-blendv': 1, '-boost': 1, '-mm': 2, '-o': 3, '-s': 3, '-t': 3, '-texres': 1 },
  ...{ '-clamp': 1, '-bm': 1, '-imfchan': 1, '-type': 1, '-colorspace': 1 },
};

/** Materials that are (almost) invisible. */
const INVISIBLE = 0.05;

/**
 * Diffuse colours (`Kd`, as displayed), textures (`map_Kd`) and opacity (`d`, `Tr`) of a material file; what shines or glows
 * is left out.
 * @param model path of the OBJ file that refers to it
 * @param reference as written there
 * @throws AssetError when the file is missing, or lies outside the folder
 */
export async function readMtl(
  model: string,
  reference: string,
  folder: ModelFolder,
): Promise<ReadonlyMap<string, SourceMaterial>> {
  const text = new TextDecoder().decode(await folder.read(model, reference, 'material file'));
  const base = reference.replaceAll('\\', '/').split('/').slice(0, -1);
  const images = new Map<string, SourceImage>();
  const materials = new Map<string, SourceMaterial>();
  const dissolved = new Set<string>();
  let name = '';
  const change = (values: Partial<SourceMaterial>) => {
    const before = materials.get(name) ?? { color: [1, 1, 1, 1], alphaCutoff: INVISIBLE, doubleSided: false };
    materials.set(name, { ...before, ...values });
  };
  const color = () => materials.get(name)?.color ?? [1, 1, 1, 1];
  for (const [at, line] of text.split('\n').entries()) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    const where = `${reference}:${at + 1}`;
    switch (keyword) {
      case 'newmtl':
        name = words.join(' ');
        change({});
        break;
      case 'Kd': {
        // One number stands for all three; spectral curves and CIE colours are not read.
        if (words[0] === 'spectral' || words[0] === 'xyz') break;
        const [red, green = red, blue = red] = words.map((word) => fraction(word, where));
        change({ color: [red, green, blue, color()[3]] });
        break;
      }
      case 'd':
      case 'Tr': {
        const value = fraction(words.at(-1) ?? '', where);
        // Exporters disagree on which way `Tr` runs where they write both.
        if (keyword === 'Tr' && dissolved.has(name)) break;
        if (keyword === 'd') dissolved.add(name);
        const [red, green, blue] = color();
        change({ color: [red, green, blue, keyword === 'd' ? value : 1 - value] });
        break;
      }
      case 'map_Kd':
        change({ texture: texture(words) });
        break;
    }
  }
  return materials;

  function texture(words: readonly string[]): SourceTexture {
    let at = 0;
    let clamp = false;
    while (at < words.length - 1 && words[at] in OPTION_WORDS) {
      const option = words[at++];
      if (option === '-clamp') clamp = words[at] === 'on';
      const most = at + OPTION_WORDS[option];
      const numeric = ['-o', '-s', '-t', '-mm'].includes(option);
      while (at < most && at < words.length - 1 && !(numeric && Number.isNaN(Number(words[at])))) at++;
    }
    const path = [...base, words.slice(at).join(' ')].join('/');
    const image = images.get(path) ?? {
      name: `${model} (${path})`,
      read: () => folder.read(model, path, 'texture'),
    };
    images.set(path, image);
    return { image, wrap: clamp ? ['clamp', 'clamp'] : ['repeat', 'repeat'] };
  }
}

function fraction(word: string, where: string): number {
  const value = Number(word);
  if (word === '' || Number.isNaN(value)) throw new AssetError(`${where}: Expected a number but received "${word}"`);
  return Math.min(1, Math.max(0, value));
}
