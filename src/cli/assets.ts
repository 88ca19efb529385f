import { Argument, type Command, Option } from 'commander';
import { type Asset, AssetLibrary, globToRegExp } from '../assets/assetLibrary.js';
import { openAssetSources } from '../assets/assetSources.js';
import type { AssetSource } from '../config.js';
import { writeFileWhole } from '../dataset/files.js';
import { AssetError, ConfigError } from '../errors.js';
import { parseAssetSource } from './flags.js';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly match: string;
  readonly sheet?: string;
}

/** `metasim assets`: what grammars can name, how large it is, and what meshes look like. */
export function addAssets(program: Command, outcome: Outcome): void {
  let sources: readonly AssetSource[] = [];
  const command = program
    .command('assets')
    .description('list textures and meshes with their sizes and licences, and draw meshes on a sheet')
    .addArgument(
      new Argument(
        '<source...>',
        'digits | aerial | driving | mnist:DIR | images:DIR | meshes:DIR, each with ,key=value behind it',
      ).argParser((text: string, before: readonly string[] | undefined) => {
        sources = [...sources, parseAssetSource(text)];
        return [...(before ?? []), text];
      }),
    )
    .addOption(new Option('--match <glob>', 'only names that match').default('**'))
    .addOption(new Option('--sheet <file>', 'PNG to draw all meshes on'));
  const examples = [
    'metasim assets meshes:models/cars,prefix=cars,length=4.4 --sheet cars.png',
    'metasim assets driving --match "driving/cars/**" --sheet driving.png',
    'metasim assets images:textures --json',
  ];
  define<Flags>(outcome, command, examples, async (_, { match, sheet }, context) => {
    if (sheet !== undefined && !/\.png$/i.test(sheet)) {
      throw new ConfigError(`Expected a .png file for --sheet but received ${sheet}`);
    }
    const all = await openAssetSources(sources);
    const pattern = globToRegExp(match);
    const assets = all.assets.filter(({ name }) => pattern.test(name) && !name.startsWith('backgrounds/'));
    if (assets.length === 0) throw new AssetError(`Expected names that match ${match} but received none`);
    const [{ assetSheet, sizeOf }, { textTable }] = await Promise.all([
      import('../report/assetSheet.js'),
      import('../report/textTable.js'),
    ]);
    if (sheet !== undefined) {
      const meshes = assets.filter(({ kind }) => kind === 'mesh');
      const progress = context.progress('draw', meshes.length);
      const { signal } = context;
      const png = await assetSheet(new AssetLibrary(assets), { signal, onProgress: (done) => progress.update(done) });
      progress.stop();
      await writeFileWhole(sheet, png);
    }
    const size = (asset: Asset) => (asset.kind === 'mesh' ? sizeOf(asset) : `${asset.width} x ${asset.height} px`);
    return {
      json: { assets: assets.map(({ load, ...facts }) => facts), ...(sheet === undefined ? {} : { sheet }) },
      text: [
        textTable(
          ['name', 'kind', 'size', 'triangles', 'licence'],
          assets.map((asset) => [
            asset.name,
            asset.kind,
            size(asset),
            asset.kind === 'mesh' ? asset.triangles : undefined,
            asset.licence ?? 'unknown',
          ]),
        ),
        '',
        'Sizes of meshes: width x height x length.',
        ...(sheet === undefined ? [] : [`sheet: ${sheet}`]),
      ].join('\n'),
    };
  });
}
