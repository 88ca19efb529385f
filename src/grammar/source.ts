import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { GrammarError } from '../errors.js';

/** Keys and indices from the root of a grammar to a value. */
export type Path = readonly (string | number)[];

/** Finds values in the file they come from. */
export interface Locate {
  /** `mnist.yaml:12:5`, or the grammar's name when there is no file; `atKey`: of the last step's key, not its value. */
  (path: Path, atKey?: boolean): string;
  /** Names of the entries of tables that were written as mappings, so that paths read as written: `classes.car`. */
  readonly tables?: ReadonlyMap<string, readonly string[]>;
}

/** A plain value: null-prototype objects, arrays, scalars, functions. Mutable, shared with nobody. */
export type Raw = unknown;
export type RawObject = { [key: string]: Raw };

const MAX_TEXT_LENGTH = 1 << 20;
const MAX_DEPTH = 64;
const MAX_VALUES = 200_000;
/** Deepest flow nesting or indentation a text may have; the YAML parser recurses. */
const MAX_TEXT_DEPTH = 400;
/** Tables whose entries have an order: mappings become lists of entries with a name. */
const ORDERED_TABLES = ['attributes', 'classes'];

export function isObject(value: Raw): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `nodes[0].children[1].class`, `classes.car.asset` */
export function formatPath(path: Path, locate: Locate): string {
  return path
    .map((written, i) => {
      const table = i === 1 && typeof written === 'number' ? locate.tables?.get(String(path[0])) : undefined;
      const step = table?.[Number(written)] ?? written;
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_$][\w$-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return i === 0 ? step : `.${step}`;
    })
    .join('');
}

/** A GrammarError that names place and path: `mnist.yaml:12:5: nodes[0].class: Expected …`. */
export function grammarError(locate: Locate, path: Path, message: string): GrammarError {
  const where = path.length > 0 ? `${formatPath(path, locate)}: ` : '';
  return new GrammarError(`${locate(path)}: ${where}${message}`);
}

/**
 * Reads YAML (or JSON) text into plain values and remembers where each stands.
 * @param file name for errors
 * @throws GrammarError when it is no YAML, holds several documents, or is too large, too deep or multiplied by aliases
 */
export function readText(text: string, file: string): { value: RawObject; locate: Locate } {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new GrammarError(`${file}: Expected at most ${MAX_TEXT_LENGTH} characters but received ${text.length}`);
  }
  checkTextDepth(text, file);
  const lines = new LineCounter();
  let document: Document.Parsed;
  let parsed: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
    // A warning is an unknown tag, whose value would silently be read as something else.
    const [error] = [...document.errors, ...document.warnings];
    if (error) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new GrammarError(`${file}:${line}:${col}: Expected valid YAML but received: ${error.message}`);
    }
    // Maps keep the order of keys that look like integers; objects do not.
    parsed = document.toJS({ mapAsMap: true, maxAliasCount: 100 });
  } catch (cause) {
    if (cause instanceof GrammarError) throw cause;
    throw new GrammarError(`${file}: Expected readable YAML but received: ${describe(cause)}`, { cause });
  }
  const locate = located((path, atKey) => `${file}${position(document, lines, path, atKey)}`, parsed);
  if (!(parsed instanceof Map)) {
    throw new GrammarError(`${locate([])}: Expected a mapping for the grammar but received ${show(parsed)}`);
  }
  return { value: toPlain(parsed, locate), locate };
}

/**
 * Copies a definition written in TypeScript into plain values.
 * @throws GrammarError when it is no object, too deep (a cycle) or too large
 */
export function readDefinition(definition: unknown, name: string): { value: RawObject; locate: Locate } {
  const locate = located(() => name, definition);
  if (!isObject(definition)) {
    throw new GrammarError(`${name}: Expected an object for the grammar but received ${show(definition)}`);
  }
  return { value: toPlain(definition, locate), locate };
}

/** Adds the names in mapped tables to a function that finds places. */
function located(place: (path: Path, atKey?: boolean) => string, source: unknown): Locate {
  const tables = new Map<string, readonly string[]>();
  for (const table of ORDERED_TABLES) {
    const entries = source instanceof Map ? source.get(table) : isObject(source) ? source[table] : undefined;
    if (entries instanceof Map) tables.set(table, [...entries.keys()].map(String));
    else if (isObject(entries)) tables.set(table, Object.keys(entries));
  }
  return Object.assign(place, { tables });
}

/** Plain null-prototype copy of Maps and objects; ordered tables become lists. */
function toPlain(source: unknown, locate: Locate): RawObject {
  let values = 0;
  const copy = (value: unknown, path: Path): Raw => {
    if (++values > MAX_VALUES) throw grammarError(locate, path, `Expected at most ${MAX_VALUES} values in a grammar`);
    if (path.length > MAX_DEPTH) throw grammarError(locate, path.slice(0, 4), `Expected at most ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) return value.map((item, i) => copy(item, [...path, i]));
    if (typeof value !== 'object' || value === null) return value;
    const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
    if (path.length === 1 && ORDERED_TABLES.includes(String(path[0]))) {
      if (!(value instanceof Map)) rejectReordered(entries, path, locate);
      return entries.map(([key, entry], i) => {
        const item = copy(entry ?? {}, [...path, i]);
        const fields = Object.assign(Object.create(null) as RawObject, { name: checkKey(key, path, locate) });
        return isObject(item) ? Object.assign(fields, item) : item;
      });
    }
    const object = Object.create(null) as RawObject;
    for (const [key, entry] of entries) {
      // An optional entry given as undefined is the same as one left out.
      if (entry === undefined) continue;
      const name = checkKey(key, path, locate);
      object[name] = copy(entry, [...path, name]);
    }
    return object;
  };
  return copy(source, []) as RawObject;
}

function checkKey(key: unknown, path: Path, locate: Locate): string {
  const usable = typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean';
  if (!usable || key === '__proto__') {
    throw grammarError(locate, path, `Expected plain names as keys but received ${show(key)}`);
  }
  return String(key);
}

/** JavaScript objects put integer-like keys first, so the order as written is lost. */
function rejectReordered(entries: [unknown, unknown][], path: Path, locate: Locate): void {
  const integers = entries.filter(([key]) => /^(0|[1-9]\d*)$/.test(String(key)));
  if (integers.length > 0 && integers.length < entries.length) {
    throw grammarError(
      locate,
      path,
      `Expected a list with names, [{ name: "${integers[0][0]}", … }, …], because objects put keys like "${integers[0][0]}" first`,
    );
  }
}

/** Refuses nesting that would overflow the parser's stack. Brackets inside strings count too: none need that many. */
function checkTextDepth(text: string, file: string): void {
  let open = 0;
  for (const [i, lineText] of text.split('\n').entries()) {
    const indent = /^[\s?:-]*/.exec(lineText)?.[0].length ?? 0;
    let deepest = open;
    for (const c of lineText) {
      if (c === '[' || c === '{') deepest = Math.max(deepest, ++open);
      else if ((c === ']' || c === '}') && open > 0) open--;
    }
    if (deepest > MAX_TEXT_DEPTH || indent > MAX_TEXT_DEPTH) {
      throw new GrammarError(`${file}:${i + 1}: Expected at most ${MAX_DEPTH} levels of nesting`);
    }
  }
}

/** `:line:column` of the value at `path`, or of the nearest thing above it that is in the file. */
function position(document: Document.Parsed, lines: LineCounter, path: Path, atKey = false): string {
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const next = child(document, node, step) ?? inheritedChild(document, path, depth);
    if (!next) break;
    offset = rangeStart(next.value) ?? rangeStart(next.key) ?? offset;
    // A key is the better place for nested values: that is where the reader looks.
    const asked = atKey && depth === path.length - 1;
    if (next.key !== undefined && (asked || !isScalarLike(next.value))) offset = rangeStart(next.key) ?? offset;
    node = next.value;
  }
  const { line, col } = lines.linePos(offset);
  return `:${line}:${col}`;
}

interface Child {
  readonly key?: unknown;
  readonly value: unknown;
}

function child(document: Document.Parsed, parent: unknown, step: string | number): Child | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) return node.items[Number(step)] === undefined ? undefined : { value: node.items[Number(step)] };
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
  // In an ordered table, an entry's number stands for its place.
  const found = pair ?? (typeof step === 'number' ? node.items[step] : undefined);
  return found && { key: found.key, value: found.value };
}

/** The value that `classes[i]` has from the template it extends. */
function inheritedChild(document: Document.Parsed, path: Path, depth: number): Child | undefined {
  if (path[0] !== 'classes' || depth < 2) return undefined;
  const extended = document.getIn(['classes', path[1], 'extends']) ?? templateOf(document, path[1]);
  if (typeof extended !== 'string') return undefined;
  let found: Child | undefined = child(document, document.get('templates', true), extended);
  for (const step of path.slice(2, depth + 1)) found = found && child(document, found.value, step);
  return found;
}

function templateOf(document: Document.Parsed, index: string | number): unknown {
  const entry = child(document, document.get('classes', true), index)?.value;
  return isMap(entry) ? entry.get('extends') : undefined;
}

function isScalarLike(node: unknown): boolean {
  return isScalar(node) || isAlias(node) || isSeq(node);
}

function rangeStart(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] } | null | undefined)?.range?.[0];
}

function describe(cause: unknown): string {
  if (cause instanceof RangeError) return 'nesting too deep to parse';
  return cause instanceof Error ? cause.message : String(cause);
}

/** A value as errors print it, cut to a readable length. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length > 6 ? `a list of ${value.length}` : `[${value.map(show).join(', ')}]`;
  if (value instanceof Map || (typeof value === 'object' && value !== null)) {
    const keys = value instanceof Map ? [...value.keys()].map(String) : Object.keys(value);
    return keys.length === 0 ? 'an empty mapping' : `a mapping of ${keys.slice(0, 6).join(', ')}`;
  }
  return String(value);
}
