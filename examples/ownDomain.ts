/**
 * A domain of one's own, in small: target images in a folder, a grammar, textures and a configuration.
 *
 *   node --import tsx examples/ownDomain.ts     # makes data/ownDomain: stands for photographs of yours
 *   npx metasim train examples/train/digits.yaml
 *   npx metasim generate runs/digits --count 1000 --out data/adapted
 *
 * The "photographs" are drawn by metasim: built-in digits that hang askew on a noisy wall. Training is not told how
 * askew; it sees the unlabelled images in `real/` and the few labelled ones in `validation/⟨class⟩/`.
 */
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineGrammar, generateDataset, loadGrammar, openAssetSources } from 'metasim';

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Where the target's digits stand: what training has to find out. */
const TILT = { mean: 60, sd: 8 };

const targetGrammar = defineGrammar({
  name: 'askew',
  canvas: { width: 32, height: 32 },
  attributes: { rotation: {}, x: { default: 16 }, y: { default: 16 } },
  classes: [
    { name: 'wall', asset: 'backgrounds/grey-noise/*' },
    ...DIGITS.map((name) => ({ name, asset: `digits/${name}/*`, attributes: { rotation: { normal: TILT } } })),
  ],
  nodes: [{ class: 'wall' }, { class: DIGITS }],
});

export interface OwnDomainOptions {
  /** Folder to write; what is in it is replaced. */
  readonly out: string;
  /** Unlabelled images in `real/`. */
  readonly real: number;
  /** Labelled images in `validation/⟨class⟩/`. */
  readonly validation: number;
}

/** Writes the target images. */
export async function makeOwnDomain({ out, real, validation }: OwnDomainOptions): Promise<void> {
  // Variants 40 … 59 of each digit: training draws with 0 … 39, so no image shows a digit that it has seen.
  const assets = await openAssetSources([{ kind: 'digits', variants: 60, from: 40 }]);
  const grammar = await loadGrammar(targetGrammar, { assets });
  const dataset = join(out, 'all');
  await rm(out, { recursive: true, force: true });
  await generateDataset({ source: { source: grammar, assets }, settings: { count: real + validation }, out: dataset });
  const lines = (await readFile(join(dataset, 'metadata.jsonl'), 'utf8')).trim().split('\n');
  for (const [i, line] of lines.entries()) {
    const { file_name: file, objects } = JSON.parse(line);
    const folder = i < real ? join(out, 'real') : join(out, 'validation', objects[1].class);
    await mkdir(folder, { recursive: true });
    await copyFile(join(dataset, file), join(folder, file.replace('images/', '')));
  }
  await rm(dataset, { recursive: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const out = process.argv[2] ?? 'data/ownDomain';
  await makeOwnDomain({ out, real: 200, validation: 200 });
  console.log(`target images in ${out}`);
}
