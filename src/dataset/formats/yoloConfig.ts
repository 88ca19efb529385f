import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  YAMLMap,
} from 'yaml';
import { DatasetError } from '../../errors.js';
import type { DatasetInfo } from '../sample.js';

/** Names under which a folder's description is looked for, in this order; the first is the one we write. */
export const CONFIG_NAMES = ['data.yaml', 'data.yml'] as const;
/** Keys of `data.yaml` that name images, in the order in which a split is chosen. */
const SPLITS = ['train', 'val', 'test'] as const;

const MAX_TEXT_LENGTH = 1 << 20;
/** Deepest flow nesting or indentation; the YAML parser recurses. */
const MAX_DEPTH = 400;
const MAX_CLASSES = 65535;

/** One split of a dataset. */
export interface YoloSplit {
  readonly name: string;
  /** Folders of images and lists of image paths (`.txt`), as written, with the line of each in `data.yaml`. */
  readonly sources: readonly { readonly path: string; readonly line: number }[];
}

/** What `data.yaml` says. */
export interface YoloConfig {
  /** Folder within the dataset that the paths start from, as written; undefined where it is the dataset itself. */
  readonly path?: { readonly path: string; readonly line: number };
  /** Class names by number. */
  readonly names: readonly string[];
  /** At least one. */
  readonly splits: readonly YoloSplit[];
}

/**
 * `data.yaml` of a dataset that has one split. There is no `path`: Ultralytics then looks beside the file, so that the
 * folder can be moved. It wants both `train` and `val`, so both name the split there is. Names are quoted, because YAML
 * 1.1, which Python's parser speaks, reads a bare `no` as a boolean and `1_000` as a number.
 */
export function writeYoloConfig({ things, split }: DatasetInfo): string {
  const images = `images/${split}`;
  const names = new YAMLMap<Scalar<number>, Scalar<string>>();
  for (const [i, name] of things.entries()) names.set(new Scalar(i), quoted(name));
  const keys = new Set<string>(['train', 'val', ...(split === 'test' ? ['test'] : [])]);
  const document = new Document({ ...Object.fromEntries([...keys].map((key) => [key, quoted(images)])) });
  document.commentBefore = ` The split "${split.replace(/\s/g, ' ')}"; train and val are required, so both name it.`;
  document.set('nc', things.length);
  document.set('names', names);
  return document.toString({ lineWidth: 0 });
}

function quoted(text: string): Scalar<string> {
  const scalar = new Scalar(text);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

/**
 * Reads `data.yaml`: names as a list or as a map from 0, splits as a path or a list of paths.
 * @param place name of the file, for errors
 * @throws DatasetError naming file and line when it is no YAML, too large or too deep, lacks names or images, or
 *   describes key points
 */
export function readYoloConfig(text: string, place: string): YoloConfig {
  const { root, at, follow } = parse(text, place);
  const field = (key: string): Node | undefined => {
    const value = root.get(key, true);
    return value === undefined ? undefined : follow(value);
  };
  if (root.has('kpt_shape')) {
    throw new DatasetError(`${at(root.get('kpt_shape', true))}: Expected boxes or polygons but received key points`);
  }
  const lineOf = (node: unknown) => Number(/:(\d+)$/.exec(at(node))?.[1]);
  const pathOf = (key: string, value: unknown) => {
    const node = follow(value);
    if (isScalar(node) && typeof node.value === 'string') return { path: node.value, line: lineOf(node) };
    throw new DatasetError(`${at(node)}: Expected a path for "${key}" but received something else`);
  };
  const splits = SPLITS.flatMap((name): YoloSplit[] => {
    const value = field(name);
    if (value === undefined || isEmpty(value)) return [];
    const sources = isSeq(value) ? value.items.map((item) => pathOf(name, item)) : [pathOf(name, value)];
    return sources.length > 0 ? [{ name, sources }] : [];
  });
  if (splits.length === 0) throw new DatasetError(`${place}: Expected a path for "train", "val" or "test"`);
  const path = field('path');
  const names = classNames(field('names'), field('nc'), at, follow, place);
  return { ...(path && !isEmpty(path) ? { path: pathOf('path', path) } : {}), names, splits };
}

function isEmpty(node: Node): boolean {
  return isScalar(node) && (node.value === null || node.value === '');
}

interface Parsed {
  readonly root: YAMLMap;
  /** `data.yaml:3`, where a node begins. */
  at(node: unknown): string;
  /** The node that an alias stands for, else the node. */
  follow(node: unknown): Node;
}

function parse(text: string, place: string): Parsed {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new DatasetError(`${place}: Expected at most ${MAX_TEXT_LENGTH} characters but received ${text.length}`);
  }
  checkDepth(text, place);
  const lines = new LineCounter();
  // Nothing is expanded: values are looked up one by one, so that aliases cannot multiply.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const lineAt = (offset: number) => `${place}:${lines.linePos(offset).line}`;
  const [error] = document.errors;
  if (error) throw new DatasetError(`${lineAt(error.pos[0])}: Expected valid YAML but received: ${error.message}`);
  const at = (node: unknown) => {
    const range = (node as Node | null | undefined)?.range;
    return range ? lineAt(range[0]) : place;
  };
  const follow = (node: unknown): Node => {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (!isScalar(target) && !isSeq(target) && !isMap(target)) {
      throw new DatasetError(`${at(node)}: Expected a value but received an alias of nothing`);
    }
    return target;
  };
  if (!isMap(document.contents)) throw new DatasetError(`${place}:1: Expected a mapping of train, val and names`);
  return { root: document.contents, at, follow };
}

function checkDepth(text: string, place: string): void {
  let open = 0;
  for (const [i, line] of text.split('\n').entries()) {
    const indent = /^[\s?:-]*/.exec(line)?.[0].length ?? 0;
    for (const character of line) {
      if (character === '[' || character === '{') open++;
      else if ((character === ']' || character === '}') && open > 0) open--;
    }
    if (open > MAX_DEPTH || indent > MAX_DEPTH) {
      throw new DatasetError(`${place}:${i + 1}: Expected at most ${MAX_DEPTH} levels of nesting`);
    }
  }
}

function classNames(
  names: Node | undefined,
  nc: Node | undefined,
  at: Parsed['at'],
  follow: Parsed['follow'],
  place: string,
): string[] {
  const items = isSeq(names) ? names.items : isMap(names) ? itemsByNumber(names, at) : undefined;
  if (!items) {
    throw new DatasetError(`${names ? at(names) : place}: Expected a list or a map of class names for "names"`);
  }
  if (items.length > MAX_CLASSES) {
    throw new DatasetError(`${at(names)}: Expected at most ${MAX_CLASSES} classes but received ${items.length}`);
  }
  const result = items.map((item) => nameOf(follow(item), at));
  const seen = new Set<string>();
  for (const [i, name] of result.entries()) {
    if (seen.size === seen.add(name).size) {
      throw new DatasetError(`${at(items[i])}: Expected classes of different names but received "${name}" twice`);
    }
  }
  const count = isScalar(nc) ? nc.value : undefined;
  if (nc && !isEmpty(nc) && count !== result.length) {
    throw new DatasetError(`${at(nc)}: Expected ${result.length}, the number of names, for "nc" but received ${count}`);
  }
  return result;
}

/** A name as it is written: `3`, `007` and `yes` are names too. */
function nameOf(node: Node, at: Parsed['at']): string {
  if (isScalar(node)) {
    if (typeof node.value === 'string') return node.value;
    if (node.source) return node.source;
  }
  throw new DatasetError(`${at(node)}: Expected a class name but received something else`);
}

/** The values of a map from numbers, which must be 0 … n − 1, by number. */
function itemsByNumber(map: YAMLMap, at: Parsed['at']): unknown[] {
  const items: unknown[] = new Array(map.items.length).fill(undefined);
  for (const { key, value } of map.items) {
    const text = isScalar(key) ? String(key.value) : '';
    const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number < items.length) || items[number] !== undefined) {
      throw new DatasetError(
        `${at(key)}: Expected class numbers 0 to ${items.length - 1} but received ${text || 'none'}`,
      );
    }
    items[number] = value ?? null;
  }
  return items;
}
