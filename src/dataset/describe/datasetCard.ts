/**
 * The dataset's card, `README.md`, with the front matter that Hugging Face's hub reads
 * (https://huggingface.co/docs/hub/datasets-cards, https://huggingface.co/docs/hub/datasets-manual-configuration).
 */
import { stringify } from 'yaml';
import type { DatasetInfo } from '../sample.js';
import { layersOf } from '../surfaceLayers.js';
import { type DatasetFacts, describeInWords } from './facts.js';
import type { FileGroup } from './fileTally.js';
import { cardLicences } from './licenceNames.js';
import { isLicence } from './licences.js';
import { loadingCode } from './loadingCode.js';

/** Rows of a table; what is more is summed up. */
const MAX_ROWS = 200;
/** Folders of assets that are named in a row. */
const MAX_FOLDERS = 12;
/** The hub's words for how many there are. */
const SIZES = ['n<1K', '1K<n<10K', '10K<n<100K', '100K<n<1M', '1M<n<10M', '10M<n<100M', '100M<n<1B', '1B<n<10B'];

/** The text of `README.md`. */
export function datasetCard(facts: DatasetFacts, groups: readonly FileGroup[]): string {
  const sections = [
    `---\n${stringify(frontMatter(facts, groups), { lineWidth: 0 })}---`,
    `# ${markdown(facts.info.name)}`,
    markdown(describeInWords(facts)),
    '## What it holds',
    table(['', ''], contentRows(facts)),
    '## Class balance',
    balanceTable(facts),
    '## Files',
    table(
      ['files', 'number', 'bytes'],
      groups.map(({ glob, count, bytes }) => [code(glob), number(count), number(bytes)]),
    ),
    ...loadingSection(facts, groups),
    '## How it was made',
    table(['', ''], originRows(facts)),
    ...commandBlock(facts),
    '## Licences of what is drawn',
    licenceTable(facts),
  ];
  return `${sections.join('\n\n')}\n`;
}

function frontMatter({ info, layout, licences, count }: DatasetFacts, groups: readonly FileGroup[]): object {
  const names = cardLicences(licences.map(({ licence }) => licence));
  const stated = [...new Set(licences.map(({ licence }) => licence).filter(isLicence))].sort();
  const dataFiles = dataFilesOf(layout, groups);
  return {
    license: names.length === 1 ? names[0] : names,
    ...(names.includes('other') ? { license_name: stated.join(', ') } : {}),
    pretty_name: info.name,
    task_categories: taskCategories(info, layout),
    size_categories: [SIZES[Math.min(SIZES.length - 1, Math.max(0, String(count).length - 3))]],
    tags: ['synthetic', 'metasim', layout],
    ...(dataFiles
      ? { configs: [{ config_name: 'default', data_files: [{ split: hubSplit(info.split), path: dataFiles }] }] }
      : {}),
  };
}

/** What the hub's loaders are to read, in the formats that they know. */
function dataFilesOf(layout: string, groups: readonly FileGroup[]): string | string[] | undefined {
  const globs = (...extensions: string[]) =>
    groups.filter(({ extension }) => extensions.includes(extension)).map(({ glob }) => glob);
  if (layout === 'webdataset') return globs('tar');
  if (layout === 'parquet') return globs('parquet');
  if (layout === 'imagefolder') return ['metadata.jsonl', ...globs('png', 'jpg', 'webp')];
  return undefined;
}

function taskCategories(info: DatasetInfo, layout: string): string[] {
  if (layout === 'idx') return ['image-classification'];
  return [
    'object-detection',
    ...(info.masks ? ['image-segmentation'] : []),
    ...(info.depth ? ['depth-estimation'] : []),
  ];
}

/** Names of splits on the hub are words. */
function hubSplit(split: string): string {
  return split.replace(/[^\w.]+/g, '_') || 'train';
}

function contentRows({ info, layout, count, shards, statistics, contentHash }: DatasetFacts): string[][] {
  const { width, height, channels } = info;
  const canvas = width === undefined || height === undefined ? 'of different sizes' : `${width} × ${height} px`;
  const colour = channels === undefined ? '' : channels === 1 ? ', grey' : ', RGB';
  const things = statistics.classes.filter(({ name }) => info.things.includes(name));
  const objects = things.reduce((sum, one) => sum + one.objects, 0);
  return [
    ['images', `${number(count)}, ${canvas}${colour}, ${info.codec.toUpperCase()}`],
    ['visible objects', number(objects)],
    ['classes', `${info.things.length} listed, ${info.classes.length} in all`],
    ['masks', info.masks ? 'instances and classes' : 'none'],
    ['scene graphs', info.scenes ? 'one an image' : 'none'],
    ...(info.dimension === 3
      ? [['3D boxes', 'one an object, in metres in the frame of the camera that is in its record']]
      : []),
    ...(info.depth ? [['depth', 'PNG of 16 bits, metres along the camera’s axis × 256, 0 where there is none']] : []),
    ...(info.normals
      ? [
          [
            'normals',
            'PNG of RGB, (n · ½ + ½) · 255 along x (right), y (down), z (forward); 0, 0, 0 where there is none',
          ],
        ]
      : []),
    ['split', code(info.split)],
    ['format', `${code(layout)}, ${number(shards)} ${shards === 1 ? 'shard' : 'shards'}`],
    ['content hash', code(contentHash)],
  ];
}

function balanceTable({ info, statistics }: DatasetFacts): string {
  const rows = statistics.classes.slice(0, MAX_ROWS).map(({ name, objects, images, hidden }) => {
    const listed = info.things.includes(name) ? '' : ' (not listed by detection)';
    return [markdown(name) + listed, number(objects), number(images), number(hidden)];
  });
  const rest = statistics.classes.slice(MAX_ROWS);
  if (rest.length > 0) {
    rows.push([`${rest.length} more`, number(rest.reduce((sum, { objects }) => sum + objects, 0)), '', '']);
  }
  return table(['class', 'visible objects', 'images with one', 'hidden objects'], rows);
}

function loadingSection({ layout, info }: DatasetFacts, groups: readonly FileGroup[]): string[] {
  const loading = loadingCode(layout, info, groups);
  if (!loading) return [];
  const install = loading.packages ? ` after \`pip install ${loading.packages}\`` : '';
  return ['## Loading it', `In this folder${install}:`, ['```python', ...loading.lines, '```'].join('\n')];
}

function originRows(facts: DatasetFacts): string[][] {
  const { source, seed, start, count, shardSize, quarantined, grammarHash, tool } = facts;
  const rows: [string, string | undefined][] = [
    ['source', markdown(source)],
    ['grammar hash', grammarHash ? code(grammarHash) : undefined],
    ['seed', grammarHash ? String(seed) : undefined],
    ['scenes', grammarHash ? `${start} to ${start + count - 1}` : undefined],
    ['images a shard', shardSize === undefined ? undefined : number(shardSize)],
    ['scenes replaced', quarantined ? `${number(quarantined)} that could not be made` : undefined],
    ['made with', `metasim ${markdown(tool.version)}`],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

/** The command that makes the same content again; there is none for what was converted. */
function commandBlock(facts: DatasetFacts): string[] {
  const { grammarHash, layout, count, seed, start, shardSize, quality, minimumPixels = 1, info } = facts;
  if (!grammarHash) return [];
  const lossy = info.codec !== 'png' && quality !== undefined;
  const flags = [
    `--format ${layout} --count ${count} --seed ${seed}`,
    ...(start > 0 ? [`--start ${start}`] : []),
    ...(shardSize === undefined ? [] : [`--shard-size ${shardSize}`]),
    ...(info.codec === 'png' ? [] : [`--codec ${info.codec}`]),
    ...(lossy ? [`--quality ${quality}`] : []),
    ...(minimumPixels > 1 ? [`--min-pixels ${minimumPixels}`] : []),
    ...(info.masks ? ['--masks'] : []),
    ...(info.scenes ? ['--scenes'] : []),
    ...layersOf(info).map((layer) => `--${layer}`),
    `--split ${info.split} --out DIR`,
  ];
  return [
    'The same content, by the hash above, comes of that grammar or run and its assets with:',
    `\`\`\`sh\nmetasim generate GRAMMAR ${flags.join(' ')}\n\`\`\``,
  ];
}

function licenceTable({ licences }: DatasetFacts): string {
  if (licences.length === 0) return 'Nothing is known of what the images are made of.';
  const rows = licences.slice(0, MAX_ROWS).map(({ licence, assets, from }) => {
    const more = from.length - MAX_FOLDERS;
    const folders = from.slice(0, MAX_FOLDERS).map(code).join(', ') + (more > 0 ? ` and ${more} more` : '');
    return [isLicence(licence) ? markdown(licence) : '**unknown**', number(assets), folders];
  });
  return table(['licence', 'assets', 'from'], rows);
}

/** A table of cells that are Markdown already. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text as Markdown that shows just that, in one line: no markup, no HTML, no table column. */
export function markdown(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return oneLine(text)
    .replace(/[\\`*_[\]|~]|^\s*[#+-]|^\s*\d+[.)]/g, (markup) => `${markup.slice(0, -1)}\\${markup.slice(-1)}`)
    .replace(/[&<>]/g, (character) => entities[character])
    .replace(/:(?=\/\/)/g, '&#58;');
}

/** Text as code in a cell of a table; what would end the code or the cell is replaced. */
export function code(text: string): string {
  return `\`${oneLine(text).replaceAll('`', "'").replaceAll('|', '¦') || ' '}\``;
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
