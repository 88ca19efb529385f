import type { GrammarError } from '../errors.js';
import { compileExpression, parseExpression } from './expression.js';
import { grammarError, isObject, type Locate, type Path, type Raw, type RawObject, show } from './source.js';
import { didYouMean, listNames } from './suggest.js';

/** What a variable may be. */
export type VariableValue = number | string | boolean | readonly (number | string)[];

const MAX_TEXT = 10000;

/** Looks a name of an expression up; throws a GrammarError when there is none. */
type Lookup = (name: string, path: Path) => Raw;

/**
 * Replaces `${expression}` in all strings of a grammar. A string that is one expression becomes its value, of any type; within a
 * longer string the value is inserted. Expressions (expression.ts) have the names of the grammar's variables,
 * `canvas.width`, `canvas.height`, `canvas.channels`, and `class` within a class. `$${` writes `${`.
 * Variables may refer to each other, in any order.
 */
export class Substitution {
  readonly #root: RawObject;
  readonly #locate: Locate;
  readonly #resolved = new Map<string, Raw>();
  readonly #open: string[] = [];

  constructor(root: RawObject, locate: Locate) {
    this.#root = root;
    this.#locate = locate;
  }

  /** A copy of `value` with every expression replaced. */
  apply(value: Raw, path: Path, className?: string): Raw {
    if (typeof value === 'string') {
      return this.#replace(value, path, (name, at) =>
        name === 'class' && className !== undefined ? className : this.#lookup(name, at),
      );
    }
    if (Array.isArray(value)) return value.map((item, i) => this.apply(item, [...path, i], className));
    if (!isObject(value)) return value;
    const copy = Object.create(null) as RawObject;
    for (const [key, item] of Object.entries(value)) copy[key] = this.apply(item, [...path, key], className);
    return copy;
  }

  /** Value of a variable or of `canvas.…`, resolved at first use. */
  #lookup(name: string, path: Path): Raw {
    if (this.#resolved.has(name)) return this.#resolved.get(name);
    if (this.#open.includes(name)) {
      throw this.#error(path, `Expected variables without a cycle but received ${[...this.#open, name].join(' → ')}`);
    }
    const variables = isObject(this.#root.variables) ? this.#root.variables : {};
    const canvas = isObject(this.#root.canvas) ? this.#root.canvas : {};
    const field = name.startsWith('canvas.') ? name.slice('canvas.'.length) : undefined;
    const inCanvas = field !== undefined && field in canvas;
    if (!inCanvas && !Object.hasOwn(variables, name)) {
      const known = [...Object.keys(variables), ...Object.keys(canvas).map((key) => `canvas.${key}`)];
      const names = known.length > 0 ? `one of the variables ${listNames(known)}` : 'a declared variable';
      throw this.#error(path, `Expected ${names} but received "${name}"${didYouMean(name, known)}`);
    }
    this.#open.push(name);
    const own: Path = inCanvas ? ['canvas', field] : ['variables', name];
    const value = this.apply(inCanvas ? canvas[field] : variables[name], own);
    this.#open.pop();
    this.#resolved.set(name, value);
    return value;
  }

  #replace(text: string, path: Path, lookup: Lookup): Raw {
    const pieces: Raw[] = [];
    let at = 0;
    for (;;) {
      const start = text.indexOf('${', at);
      if (start < 0) break;
      if (start > 0 && text[start - 1] === '$') {
        pieces.push(text.slice(at, start - 1), '${');
        at = start + 2;
        continue;
      }
      const end = text.indexOf('}', start);
      if (end < 0) throw this.#error(path, `Expected a closing } but received ${show(text)}`);
      pieces.push(text.slice(at, start), this.#evaluate(text.slice(start + 2, end), path, lookup));
      at = end + 1;
    }
    if (pieces.length === 0) return text;
    pieces.push(text.slice(at));
    const parts = pieces.filter((piece) => piece !== '');
    if (parts.length === 1) return parts[0];
    for (const part of parts) {
      if (typeof part !== 'object') continue;
      throw this.#error(path, `Expected a number or text in ${show(text)} but received ${show(part)}`);
    }
    const joined = parts.join('');
    // Variables made of variables can double at each step.
    if (joined.length > MAX_TEXT) throw this.#error(path, `Expected at most ${MAX_TEXT} characters from ${show(text)}`);
    return joined;
  }

  #evaluate(expression: string, path: Path, lookup: Lookup): Raw {
    const fail = (message: string): never => {
      throw this.#error(path, `${message} in \${${expression}}`);
    };
    const parsed = parseExpression(expression, fail);
    // One name alone may stand for anything; numbers are calculated with.
    if (parsed.kind === 'name') return lookup(parsed.name, path);
    return compileExpression(parsed, (name) => () => {
      const value = lookup(name, path);
      return typeof value === 'number' ? value : fail(`Expected numbers to calculate with but received ${show(value)}`);
    })([]);
  }

  #error(path: Path, message: string): GrammarError {
    return grammarError(this.#locate, path, message);
  }
}
