import { DatasetError } from '../../errors.js';
import type { SampleObject } from '../sample.js';
import { escapeXml, parseXml, type XmlElement } from '../xml.js';
import { boxOnCanvas, parseDecimal } from './decimals.js';

/**
 * Pascal VOC's annotation files (VOC2012 development kit, section 10; annotation guidelines of VOC2012). Coordinates are
 * those of pixels, from 1, and the box holds its first and its last pixel: `xmin = left + 1`, `xmax = left + width`.
 */

/** Guidelines: "truncated" when more than 15–20 % of an object lie outside the box, "occluded" when 5 % are hidden in it. */
const TRUNCATED = 0.15;
const OCCLUDED = 0.05;

/** What a file says of its image. */
export interface VocImage {
  readonly folder: string;
  readonly filename: string;
  readonly database: string;
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 3;
  /** Whether there are masks of it. */
  readonly segmented: boolean;
}

/**
 * The text of an annotation file. `pose` is unspecified, and nothing is `difficult`: those are judgements of annotators.
 * @param objects with boxes on the canvas; fractions are rounded outwards, to the pixels that the box touches
 * @throws DatasetError when a name holds characters that XML cannot
 */
export function writeVocAnnotation(image: VocImage, objects: readonly SampleObject[]): string {
  const { width, height, depth, segmented } = image;
  const element = (indent: string, name: string, value: string | number) =>
    `${indent}<${name}>${typeof value === 'string' ? escapeXml(value, `<${name}>`) : value}</${name}>\n`;
  return [
    '<annotation>\n',
    element('\t', 'folder', image.folder),
    element('\t', 'filename', image.filename),
    '\t<source>\n',
    element('\t\t', 'database', image.database),
    element('\t\t', 'annotation', 'metasim'),
    element('\t\t', 'image', 'metasim'),
    '\t</source>\n',
    '\t<size>\n',
    element('\t\t', 'width', width),
    element('\t\t', 'height', height),
    element('\t\t', 'depth', depth),
    '\t</size>\n',
    element('\t', 'segmented', segmented ? 1 : 0),
    ...objects.flatMap((object) => {
      const [xmin, ymin, xmax, ymax] = vocBox(object, width, height);
      return [
        '\t<object>\n',
        element('\t\t', 'name', object.class),
        element('\t\t', 'pose', 'Unspecified'),
        element('\t\t', 'truncated', (object.truncation ?? 0) > TRUNCATED ? 1 : 0),
        element('\t\t', 'occluded', (object.occluded ?? 0) > OCCLUDED ? 1 : 0),
        element('\t\t', 'difficult', 0),
        '\t\t<bndbox>\n',
        element('\t\t\t', 'xmin', xmin),
        element('\t\t\t', 'ymin', ymin),
        element('\t\t\t', 'xmax', xmax),
        element('\t\t\t', 'ymax', ymax),
        '\t\t</bndbox>\n',
        '\t</object>\n',
      ];
    }),
    '</annotation>\n',
  ].join('');
}

/** First and last pixel of a box in each direction, from 1. */
function vocBox(object: SampleObject, width: number, height: number): [number, number, number, number] {
  const [left, top, boxWidth, boxHeight] = object.box as NonNullable<SampleObject['box']>;
  return [
    Math.max(Math.floor(left), 0) + 1,
    Math.max(Math.floor(top), 0) + 1,
    Math.min(Math.ceil(left + boxWidth), width),
    Math.min(Math.ceil(top + boxHeight), height),
  ];
}

/** Whether any of an object's box is on the canvas. */
export function isOnCanvas({ box }: SampleObject, width: number, height: number): boolean {
  return box !== null && boxOnCanvas([box[0], box[1], box[0] + box[2], box[1] + box[3]], width, height) !== undefined;
}

/** An object that was read. */
export interface VocObject {
  /** As written, with the space around it. */
  readonly name: string;
  /** First and last pixel, from 1: xmin, ymin, xmax, ymax; may be fractions. */
  readonly bounds: readonly [number, number, number, number];
  /** File and line, for errors. */
  readonly where: string;
}

/** An annotation file that was read. */
export interface VocAnnotation {
  /** File and line of `<filename>`, and what it says; undefined where there is none. */
  readonly filename?: { readonly text: string; readonly where: string };
  /** Undefined where it is missing or zero. */
  readonly size?: { readonly width: number; readonly height: number; readonly where: string };
  readonly objects: readonly VocObject[];
}

/**
 * Reads an annotation file, ours or anybody's: what is not needed may be missing or more; the parts of objects are
 * passed over.
 * @param place name of the file, for errors
 * @throws DatasetError naming file and line for XML that is none, objects without name or box, and numbers that are none
 */
export function parseVocAnnotation(text: string, place: string): VocAnnotation {
  const root = parseXml(text, place);
  if (root.name !== 'annotation') {
    throw new DatasetError(`${place}:${root.line}: Expected <annotation> but received <${root.name}>`);
  }
  const filename = child(root, 'filename', place);
  const size = child(root, 'size', place);
  return {
    ...(filename?.text.trim()
      ? { filename: { text: filename.text.trim(), where: `${place}:${filename.line}` } }
      : undefined),
    ...(size ? sizeOf(size, place) : undefined),
    objects: root.children.filter(({ name }) => name === 'object').map((object) => objectOf(object, place)),
  };
}

function objectOf(object: XmlElement, place: string): VocObject {
  const where = `${place}:${object.line}`;
  const name = child(object, 'name', place);
  const box = child(object, 'bndbox', place);
  if (!name || !box) {
    throw new DatasetError(
      `${where}: Expected <name> and <bndbox> in <object> but received no <${name ? 'bndbox' : 'name'}>`,
    );
  }
  const edge = (key: string) => {
    const found = child(box, key, place);
    if (!found) throw new DatasetError(`${place}:${box.line}: Expected <${key}> in <bndbox> but received none`);
    return numberOf(found, place);
  };
  return { name: name.text, bounds: [edge('xmin'), edge('ymin'), edge('xmax'), edge('ymax')], where };
}

function sizeOf(size: XmlElement, place: string): Pick<VocAnnotation, 'size'> {
  const [width, height] = ['width', 'height'].map((key) => {
    const found = child(size, key, place);
    return found ? numberOf(found, place) : 0;
  });
  return width > 0 && height > 0 ? { size: { width, height, where: `${place}:${size.line}` } } : {};
}

function numberOf(element: XmlElement, place: string): number {
  const value = parseDecimal(element.text.trim());
  if (value !== undefined) return value;
  throw new DatasetError(
    `${place}:${element.line}: Expected a finite number for <${element.name}> but received ${JSON.stringify(element.text.slice(0, 40))}`,
  );
}

function child(parent: XmlElement, name: string, place: string): XmlElement | undefined {
  const [first, second] = parent.children.filter((element) => element.name === name);
  if (!second) return first;
  throw new DatasetError(`${place}:${second.line}: Expected one <${name}> in <${parent.name}> but received another`);
}

/**
 * The box of an object on an image. Tools that count pixels from 0 write boxes that begin at 0: they are cut to the
 * image.
 * @returns [left, top, width, height], px
 * @throws DatasetError when nothing of it lies on the image
 */
export function boxOfVoc({ bounds, where }: VocObject, width: number, height: number) {
  const [xmin, ymin, xmax, ymax] = bounds;
  const box = boxOnCanvas([xmin - 1, ymin - 1, xmax, ymax], width, height);
  if (box) return box;
  throw new DatasetError(
    `${where}: Expected a box with an area on ${width} × ${height} px but received ${bounds.join(', ')}`,
  );
}
