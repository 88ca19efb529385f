import { DatasetError } from '../errors.js';

/** Largest document, characters, and how many elements it may have and how deep they may lie. */
const MAX_LENGTH = 2 ** 24;
const MAX_ELEMENTS = 500_000;
const MAX_DEPTH = 64;

/** An element of a document. Attributes are checked and forgotten. */
export interface XmlElement {
  readonly name: string;
  /** Line it begins on, from 1. */
  readonly line: number;
  /** All text directly in it, as written but for references and CDATA, which are resolved. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** What XML 1.0 allows in a document. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
const NAME = '[A-Za-z_][\\w.-]*';
const OPEN = new RegExp(`<(${NAME})`, 'y');
const ATTRIBUTE = /\s+([A-Za-z_][\w.:-]*)\s*=\s*("[^<"]*"|'[^<']*')/y;
const OPEN_END = /\s*(\/?)>/y;
const CLOSE = new RegExp(`</(${NAME})\\s*>`, 'y');
const DECLARATION =
  /<\?xml\s+version\s*=\s*["']1\.\d["'](?:\s+encoding\s*=\s*["']([\w.-]+)["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>/y;
const INSTRUCTION = new RegExp(`<\\?(${NAME})(?:\\s[^]*?)?\\?>`, 'y');
const SPACE_ONLY = /^[ \t\n]*$/;
const REFERENCE = /&(?:([a-z]+)|#(\d{1,7})|#x([\da-fA-F]{1,6}));|&/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Text is decoded as UTF-8 before it comes here: a document that claims another encoding was read wrongly. */
const ENCODINGS = /^(utf-?8|us-ascii|ascii)$/i;

/**
 * Reads the part of XML 1.0 that annotation files use: elements, attributes, text, the five entities, character
 * references, comments, processing instructions and CDATA. There is no document type, so no entity that could multiply
 * and no file that could be fetched: one is refused, as are prefixes of namespaces in element names.
 * @param text the document, decoded
 * @param place name of its file, for errors
 * @returns its root
 * @throws DatasetError naming file and line when it is not well-formed in that sense, is longer than 16 million
 *   characters, or has more than 500,000 elements or 64 levels
 */
export function parseXml(text: string, place: string): XmlElement {
  if (text.length > MAX_LENGTH) {
    throw new DatasetError(`Expected at most ${MAX_LENGTH} characters of XML in ${place} but received ${text.length}`);
  }
  return new XmlReader(text.replace(/\r\n?/g, '\n'), place).read();
}

/** An element that is still open. */
interface OpenElement extends XmlElement {
  text: string;
  readonly children: OpenElement[];
}

class XmlReader {
  readonly #text: string;
  readonly #place: string;
  readonly #open: OpenElement[] = [];
  #root: OpenElement | undefined;
  #at = 0;
  #elements = 0;
  /** Line of the offset that was asked for last, and where the next one begins; offsets only grow. */
  #line = 0;
  #nextLineAt = 0;

  constructor(text: string, place: string) {
    this.#text = text;
    this.#place = place;
  }

  read(): XmlElement {
    const bad = FORBIDDEN.exec(this.#text);
    if (bad)
      throw this.#error(`no character U+${(bad[0].codePointAt(0) as number).toString(16).padStart(4, '0')}`, bad.index);
    this.#declaration();
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] === '<') this.#markup();
      else this.#characters();
    }
    const left = this.#open.at(-1);
    if (left) throw this.#error(`an end of <${left.name}>, which begins on line ${left.line},`);
    if (!this.#root) throw this.#error('an element');
    return this.#root;
  }

  #declaration(): void {
    const match = this.#match(DECLARATION);
    if (!match) return;
    const [, encoding = 'UTF-8'] = match;
    if (!ENCODINGS.test(encoding)) throw this.#error(`XML in UTF-8, not "${encoding}",`, 0);
  }

  #markup(): void {
    const text = this.#text;
    const at = this.#at;
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('--', at + 4);
      if (end < 0 || text[end + 2] !== '>') throw this.#error('a comment that "-->" ends');
      this.#at = end + 3;
    } else if (text.startsWith('<![CDATA[', at)) {
      const end = text.indexOf(']]>', at);
      const element = this.#open.at(-1);
      if (end < 0 || !element) throw this.#error('CDATA within an element that "]]>" ends');
      element.text += text.slice(at + '<![CDATA['.length, end);
      this.#at = end + 3;
    } else if (text.startsWith('<!', at)) {
      throw this.#error('no document type');
    } else if (text.startsWith('<?', at)) {
      const match = this.#match(INSTRUCTION);
      if (!match || match[1].toLowerCase() === 'xml') throw this.#error('a processing instruction that "?>" ends');
    } else if (text.startsWith('</', at)) {
      this.#close();
    } else {
      this.#openElement();
    }
  }

  #openElement(): void {
    const line = this.#lineOf(this.#at);
    const match = this.#match(OPEN);
    if (!match) throw this.#error('an element');
    if (this.#open.length === 0 && this.#root) throw this.#error('only one element at the top');
    if (this.#open.length === MAX_DEPTH) throw this.#error(`at most ${MAX_DEPTH} levels of elements`);
    if (++this.#elements > MAX_ELEMENTS) throw this.#error(`at most ${MAX_ELEMENTS} elements`);
    const names = new Set<string>();
    for (let found = this.#match(ATTRIBUTE); found; found = this.#match(ATTRIBUTE)) {
      const [, name, value] = found;
      if (names.size === names.add(name).size) throw this.#error(`only one attribute "${name}"`);
      this.#resolve(value, this.#at - value.length);
    }
    const end = this.#match(OPEN_END);
    if (!end) throw this.#error(`attributes and an end of the tag <${match[1]}`);
    const element: OpenElement = { name: match[1], line, text: '', children: [] };
    this.#open.at(-1)?.children.push(element);
    this.#root ??= element;
    if (end[1] === '') this.#open.push(element);
  }

  #close(): void {
    const element = this.#open.pop();
    const match = this.#match(CLOSE);
    if (!element || match?.[1] !== element.name) throw this.#error(element ? `</${element.name}>` : 'nothing to end');
  }

  #characters(): void {
    const end = this.#text.indexOf('<', this.#at);
    const raw = this.#text.slice(this.#at, end < 0 ? this.#text.length : end);
    const element = this.#open.at(-1);
    if (raw.includes(']]>')) throw this.#error('no "]]>" in text');
    if (element) element.text += this.#resolve(raw, this.#at);
    else if (!SPACE_ONLY.test(raw)) throw this.#error('text only within elements');
    this.#at += raw.length;
  }

  /**
   * Text with its references resolved.
   * @param offset where it begins
   */
  #resolve(raw: string, offset: number): string {
    if (!raw.includes('&')) return raw;
    return raw.replace(REFERENCE, (reference, name, decimal, hexadecimal, index: number) => {
      if (name && Object.hasOwn(ENTITIES, name)) return ENTITIES[name];
      const code = decimal ? Number(decimal) : Number.parseInt(hexadecimal ?? '', 16);
      const character = code <= 0x10ffff ? String.fromCodePoint(code) : '';
      if (character !== '' && !FORBIDDEN.test(character)) return character;
      const known = `&${Object.keys(ENTITIES).join(';, &')};`;
      throw this.#error(`${known} or the number of a character, not "${reference}",`, offset + index);
    });
  }

  /** Matches here, and goes on behind. */
  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #lineOf(offset: number): number {
    while (this.#nextLineAt <= offset) {
      this.#line++;
      const end = this.#text.indexOf('\n', this.#nextLineAt);
      this.#nextLineAt = end < 0 ? Number.POSITIVE_INFINITY : end + 1;
    }
    return this.#line;
  }

  #error(expected: string, offset = this.#at): DatasetError {
    const line = this.#lineOf(offset);
    const found = JSON.stringify(this.#text.slice(offset, offset + 24));
    return new DatasetError(`${this.#place}:${line}: Expected ${expected} but received ${found}`);
  }
}

/**
 * Text as the content of an element.
 * @param name what it is, for errors
 * @throws DatasetError when it holds characters that XML 1.0 cannot hold
 */
export function escapeXml(text: string, name: string): string {
  if (FORBIDDEN.test(text)) {
    throw new DatasetError(`Expected characters that XML can hold for ${name} but received ${JSON.stringify(text)}`);
  }
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}
