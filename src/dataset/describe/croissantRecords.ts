/** Record sets of a Croissant description: the classes, and the images with what is known of each. */
import type { DatasetInfo, SurfaceLayer } from '../sample.js';
import { layersOf } from '../surfaceLayers.js';

/** A JSON-LD node. */
export type Node = Readonly<Record<string, unknown>>;

/** A reference to a file object or set. */
type Source = Node;

/** Which of a dataset's files hold what a record is made of; what Croissant cannot reach is absent. */
export interface RecordSources {
  /** An image a file, and whether the file's name is the key of its record. */
  readonly images?: { readonly source: Source; readonly extension: string; readonly named: boolean };
  /** Label records: a line each, or a file each. */
  readonly records?: { readonly source: Source; readonly kind: 'jsonl' | 'json' };
  /** Rows with both. */
  readonly table?: { readonly source: Source };
}

/** Numbers of a record. */
const NUMBERS = [
  ['index', 'Index of the scene in the stream of the seed.'],
  ['width', 'Width of the image, px.'],
  ['height', 'Height of the image, px.'],
] as const;

export function croissantRecordSets(info: DatasetInfo, sources: RecordSources): Node[] {
  const { images, records, table } = sources;
  const sets: Node[] = [classSet(info), splitSet(info)];
  if (table) return [...sets, tableSet(table.source, info)];
  if (records) sets.push(recordSet(records.source, records.kind, info));
  if (images) sets.push(imageSet(images.source, images.extension, images.named && records !== undefined));
  return sets;
}

/** The classes as an enumeration with its data. */
function classSet({ things, classes }: DatasetInfo): Node {
  return {
    '@type': 'cr:RecordSet',
    '@id': 'classes',
    name: 'classes',
    description: 'All classes; those that formats of detection list have a position from 0, the others −1.',
    dataType: 'sc:Enumeration',
    key: { '@id': 'classes/name' },
    field: [field('classes', 'name', 'sc:Text'), field('classes', 'position', 'sc:Integer')],
    data: classes.map((name) => ({ 'classes/name': name, 'classes/position': things.indexOf(name) })),
  };
}

/** The one split. */
function splitSet({ split }: DatasetInfo): Node {
  const kinds: Readonly<Record<string, string>> = {
    train: 'cr:TrainingSplit',
    val: 'cr:ValidationSplit',
    validation: 'cr:ValidationSplit',
    test: 'cr:TestSplit',
  };
  const url = Object.hasOwn(kinds, split) ? { 'splits/url': kinds[split] } : {};
  return {
    '@type': 'cr:RecordSet',
    '@id': 'splits',
    name: 'splits',
    dataType: 'cr:Split',
    key: { '@id': 'splits/name' },
    field: [field('splits', 'name', 'sc:Text'), ...('splits/url' in url ? [field('splits', 'url', 'sc:URL')] : [])],
    data: [{ 'splits/name': split, ...url }],
  };
}

/** Rows of a table, as Hugging Face lays them out: an image is a structure whose `bytes` are the file. */
function tableSet(source: Source, info: DatasetInfo): Node {
  const column = (name: string, transform?: Node) => ({
    source: { ...source, extract: { column: name }, ...(transform ? { transform } : {}) },
  });
  return {
    '@type': 'cr:RecordSet',
    '@id': 'images',
    name: 'images',
    description: 'A row an image.',
    key: { '@id': 'images/key' },
    field: [
      field('images', 'key', 'sc:Text', column('key')),
      field('images', 'image', 'sc:ImageObject', column('image', { jsonPath: 'bytes' })),
      ...NUMBERS.map(([name, text]) => field('images', name, 'sc:Integer', { description: text, ...column(name) })),
      objectsField('images', [
        {
          ...field('images/objects', 'category', 'sc:Integer', column('objects', { jsonPath: 'category' })),
          references: { '@id': 'classes/position' },
        },
        boxField('images/objects', column('objects', { jsonPath: 'bbox' })),
        ...boxFields3d('images/objects', info, {
          location: column('objects', { jsonPath: 'location' }),
          dimensions: column('objects', { jsonPath: 'dimensions' }),
          rotationY: column('objects', { jsonPath: 'rotation_y' }),
        }),
      ]),
      ...layersOf(info).map((layer) =>
        field('images', layer, 'sc:ImageObject', {
          description: LAYER_TEXT[layer],
          ...column(layer, { jsonPath: 'bytes' }),
        }),
      ),
    ],
  };
}

/** The label records. */
function recordSet(source: Source, kind: 'jsonl' | 'json', info: DatasetInfo): Node {
  const from = (name: string, inside?: string) => {
    if (kind === 'json')
      return { source: { ...source, extract: { jsonPath: `$.${name}${inside ? `[*].${inside}` : ''}` } } };
    return {
      source: {
        ...source,
        extract: { column: name },
        ...(inside ? { transform: { jsonPath: `$[*].${inside}` } } : {}),
      },
    };
  };
  return {
    '@type': 'cr:RecordSet',
    '@id': 'labels',
    name: 'labels',
    description: 'The label record of each image.',
    key: { '@id': 'labels/key' },
    field: [
      field('labels', 'key', 'sc:Text', from('key')),
      ...NUMBERS.map(([name, text]) => field('labels', name, 'sc:Integer', { description: text, ...from(name) })),
      objectsField('labels', [
        {
          ...field('labels/objects', 'class', 'sc:Text', from('objects', 'class')),
          references: { '@id': 'classes/name' },
        },
        boxField('labels/objects', from('objects', 'box')),
        ...boxFields3d('labels/objects', info, {
          location: from('objects', 'box3d.location'),
          dimensions: from('objects', 'box3d.dimensions.*'),
          rotationY: from('objects', 'box3d.rotationY'),
        }),
      ]),
    ],
  };
}

/** The image files, joined with their records by key. */
function imageSet(source: Source, extension: string, joined: boolean): Node {
  return {
    '@type': 'cr:RecordSet',
    '@id': 'images',
    name: 'images',
    description: 'An image a file.',
    key: { '@id': 'images/key' },
    field: [
      field('images', 'key', 'sc:Text', {
        source: {
          ...source,
          extract: { fileProperty: 'filename' },
          transform: { regex: `([^\\/]*)\\.${extension}$` },
        },
        ...(joined ? { references: { '@id': 'labels/key' } } : {}),
      }),
      field('images', 'image', 'sc:ImageObject', { source: { ...source, extract: { fileProperty: 'content' } } }),
    ],
  };
}

/** What is known of each object, nested in its image. */
function objectsField(set: string, subField: readonly Node[]): Node {
  return {
    '@type': 'cr:Field',
    '@id': `${set}/objects`,
    name: 'objects',
    description: 'The objects of the image; those that are not visible have no box.',
    dataType: ['cr:RecordSet', 'cr:Label'],
    repeated: true,
    subField,
  };
}

/** `XYWH` of Keras's formats: left, top, width, height. */
function boxField(set: string, { source }: Node): Node {
  const withFormat = { source: { ...(source as Node), format: 'XYWH' } };
  return field(set, 'box', 'cr:BoundingBox', { description: 'Visible bounding box, px.', ...withFormat });
}

/** Of 3D boxes. */
const BOX_TEXT = {
  location: 'Centre of the bottom of the 3D box [x, y, z] in the frame of the camera (right, down, forward), m.',
  dimensions: 'Height, width and length of the 3D box, m.',
  rotationY: "Turn of the 3D box about the camera's y axis, rad; 0 faces right.",
} as const;
const LAYER_TEXT: Readonly<Record<SurfaceLayer, string>> = {
  depth: "16-bit PNG: metres along the camera's axis × 256, 0 where there is none.",
  normals: "RGB PNG: (n · ½ + ½) · 255 along the camera's x, y and z; 0, 0, 0 where there is no surface.",
};

function boxFields3d(
  set: string,
  { dimension }: DatasetInfo,
  from: Readonly<Record<keyof typeof BOX_TEXT, Node>>,
): Node[] {
  if (dimension !== 3) return [];
  return (['location', 'dimensions', 'rotationY'] as const).map((name) =>
    field(set, name, 'sc:Float', {
      description: BOX_TEXT[name],
      ...(name === 'rotationY' ? {} : { repeated: true }),
      ...from[name],
    }),
  );
}

function field(set: string, name: string, dataType: string, rest: Node = {}): Node {
  return { '@type': 'cr:Field', '@id': `${set}/${name}`, name, dataType, ...rest };
}
