/**
 * Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html), the description of a dataset as JSON-LD:
 * what it is, which files it has, and where in them a record's fields are.
 */
import { CODEC_EXTENSION, type DatasetInfo } from '../sample.js';
import { layersOf } from '../surfaceLayers.js';
import { croissantRecordSets, type Node, type RecordSources } from './croissantRecords.js';
import { type DatasetFacts, describeInWords } from './facts.js';
import type { FileGroup } from './fileTally.js';
import { croissantLicence } from './licenceNames.js';

export const CROISSANT_VERSION = 'http://mlcommons.org/croissant/1.0';

/** The context that the specification recommends (appendix 1), with the terms that its text uses besides. */
const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  excludes: 'cr:excludes',
  extract: 'cr:extract',
  field: 'cr:field',
  fileObject: 'cr:fileObject',
  fileProperty: 'cr:fileProperty',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};

/** MIME types of what datasets are made of. */
const ENCODING: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  json: 'application/json',
  jsonl: 'application/jsonlines',
  tar: 'application/x-tar',
  parquet: 'application/x-parquet',
  txt: 'text/plain',
  xml: 'application/xml',
  yaml: 'application/yaml',
};
const UNKNOWN_ENCODING = 'application/octet-stream';
/** Where label records lie in formats that do not hold them. */
const RECORDS_FOLDER = '.metasim/labels/';
/** Paths of images that are labels. */
const MASKS = /mask|panoptic|segmentation|instance|semantic|depth|normals/i;

/**
 * The text of `croissant.json`.
 *
 * The specification wants `datePublished` of every dataset; it is there only where the facts have one.
 */
export function croissantJson(facts: DatasetFacts, groups: readonly FileGroup[]): string {
  const { info, licences } = facts;
  const name = plainName(info.name);
  const { distribution, sources } = distributionOf(facts, groups);
  const licenceNodes = [...new Map(licences.map(({ licence }) => croissantLicence(licence)).map(byContent)).values()];
  const dataset: Node = {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    name,
    ...(name === info.name ? {} : { alternateName: info.name }),
    conformsTo: CROISSANT_VERSION,
    description: describeInWords(facts),
    license: licenceNodes.length > 0 ? licenceNodes : [croissantLicence('unknown')],
    url: facts.url ?? 'README.md',
    creator: { '@type': 'sc:Organization', name: facts.creator ?? `metasim ${facts.tool.version}` },
    ...(facts.datePublished ? { datePublished: facts.datePublished } : {}),
    version: '1.0.0',
    keywords: ['synthetic', 'computer vision', 'metasim', facts.layout],
    identifier: `sha256:${facts.contentHash}`,
    isLiveDataset: false,
    distribution,
    recordSet: croissantRecordSets(info, sources),
  };
  return `${JSON.stringify(dataset, null, 2)}\n`;
}

function byContent(licence: ReturnType<typeof croissantLicence>) {
  return [JSON.stringify(licence), licence] as const;
}

/** File objects and sets of all groups, and which of them hold the records. */
function distributionOf({ info, layout }: DatasetFacts, groups: readonly FileGroup[]) {
  const distribution: Node[] = [];
  const sources: { -readonly [K in keyof RecordSources]: RecordSources[K] } = {};
  const extension = CODEC_EXTENSION[info.codec];
  for (const group of groups) {
    const encodingFormat = ENCODING[group.extension] ?? UNKNOWN_ENCODING;
    const listed = group.files?.map(
      ({ path, bytes, sha256 }): Node => ({
        '@type': 'cr:FileObject',
        '@id': path,
        name: path,
        contentUrl: path.split('/').map(encodeURIComponent).join('/'),
        contentSize: `${bytes} B`,
        encodingFormat,
        sha256,
      }),
    );
    const id = setId(group.glob);
    const set: Node = { '@type': 'cr:FileSet', '@id': id, name: id, encodingFormat, includes: group.glob };
    const alone = listed?.length === 1;
    distribution.push(...(listed ?? []));
    const source = alone ? { fileObject: { '@id': listed[0]['@id'] } } : { fileSet: { '@id': id } };

    if (group.extension === 'tar') {
      // Archives are named one by one where they are few enough: then every reader knows their contents' union.
      const containedIn = listed ? listed.map((file) => ({ '@id': file['@id'] })) : { '@id': id };
      if (!listed) distribution.push(set);
      distribution.push(...archiveContents(containedIn, extension, info));
      sources.images = { source: { fileSet: { '@id': 'archived-images' } }, extension, named: true };
      sources.records = { source: { fileSet: { '@id': 'archived-records' } }, kind: 'json' };
      continue;
    }
    if (!alone) distribution.push(set);
    if (group.extension === 'parquet') sources.table = { source };
    if (group.extension === extension && !MASKS.test(group.glob)) {
      // KITTI's files are named by their number with fewer digits.
      sources.images = { source, extension, named: layout !== 'kitti' };
    }
    const holdsRecords =
      layout === 'imagefolder' ? group.glob === 'metadata.jsonl' : group.glob.startsWith(RECORDS_FOLDER);
    if (holdsRecords) sources.records = { source, kind: 'jsonl' };
  }
  return { distribution, sources };
}

/** What a WebDataset archive holds. */
function archiveContents(containedIn: unknown, extension: string, info: DatasetInfo): Node[] {
  const set = (id: string, pattern: string, encodingFormat: string, excludes?: string[]): Node => ({
    '@type': 'cr:FileSet',
    '@id': id,
    name: id,
    containedIn,
    encodingFormat,
    includes: pattern,
    ...(excludes ? { excludes } : {}),
  });
  const layers = layersOf(info);
  const masks = ['*.instances.png', '*.classes.png', ...layers.map((layer) => `*.${layer}.png`)];
  return [
    set('archived-images', `*.${extension}`, ENCODING[extension], extension === 'png' ? masks : undefined),
    set('archived-records', '*.json', ENCODING.json),
    ...layers.map((layer) => set(`archived-${layer}`, `*.${layer}.png`, ENCODING.png)),
  ];
}

/** A glob as an identifier. */
function setId(glob: string): string {
  return `${plainName(glob.replaceAll('*', 'N'))}-files`;
}

/** Letters, digits, `-`, `_`, `.` and `/`: names become identifiers and parts of addresses. */
export function plainName(text: string): string {
  return text.replace(/[^A-Za-z0-9\-_./]+/g, '_').slice(0, 200) || 'dataset';
}
