import {
  type CountDistribution,
  type Distribution,
  distributionNumbers,
  distributionProblem,
} from './distributions.js';
import {
  compileExpression,
  type Evaluate,
  type ExpressionFail,
  FUNCTION_NAMES,
  parseExpression,
} from './expression.js';
import { didYouMean, listNames } from './suggest.js';

/** A number, or `= …`: an expression that becomes one when a scene is drawn. */
export type Quantity = number | ExpressionText;
export type ExpressionText = `=${string}`;

/** What nodes with no `count` above them have as `index`, and what it is called. */
export const INDEX = 'index';

/** A place in the values of a scene that is being drawn, or a number that is known. */
type Meaning = { readonly slot: number } | { readonly value: number };

/**
 * The names that expressions can use at one place of a grammar: scene parameters, those of the productions above, and
 * `index`. Each has a slot in the values of a scene; productions beside each other share slots, as they are never drawn
 * at the same time.
 */
export class Scope {
  readonly #meanings: ReadonlyMap<string, Meaning>;
  /** Slots in use. */
  readonly size: number;

  private constructor(meanings: ReadonlyMap<string, Meaning>, size: number) {
    this.#meanings = meanings;
    this.size = size;
  }

  /** Nothing but `index`, in slot 0. */
  static readonly root = new Scope(new Map([[INDEX, { slot: 0 }]]), 1);

  /** With another name, in slot `this.size`; its namesake, if any, is hidden. */
  with(name: string): Scope {
    return new Scope(new Map([...this.#meanings, [name, { slot: this.size }]]), this.size + 1);
  }

  /** With names of numbers. */
  withConstants(names: readonly string[]): Scope {
    const meanings = names.map((name, value): [string, Meaning] => [name, { value }]);
    return new Scope(new Map([...this.#meanings, ...meanings]), this.size);
  }

  has(name: string): boolean {
    return this.#meanings.has(name);
  }

  /** Reads and compiles an expression; `fail` is told what is wrong with it. */
  compile(text: ExpressionText, fail: ExpressionFail): Evaluate {
    const parsed = parseExpression(text.slice(1), (message) => fail(`${message} in ${text}`));
    return compileExpression(parsed, (name) => this.#evaluator(name, text, fail));
  }

  #evaluator(name: string, text: string, fail: ExpressionFail): Evaluate {
    const meaning = this.#meanings.get(name);
    if (!meaning) {
      const known = [...this.#meanings.keys()];
      const hint = didYouMean(name, [...known, ...FUNCTION_NAMES]);
      return fail(`Expected one of the names ${listNames(known)} in ${text} but received "${name}"${hint}`);
    }
    if ('value' in meaning) return () => meaning.value;
    return (values) => values[meaning.slot];
  }
}

/** A distribution some of whose numbers follow from what has been drawn before. */
export interface Computed<D> {
  readonly kind: 'computed';
  /** @throws GrammarError when the numbers make no distribution */
  readonly at: (values: ArrayLike<number>) => D;
}

export type CompiledDistribution = Distribution | Computed<Distribution>;
export type CompiledCount = CountDistribution | Computed<CountDistribution>;

/** As it is to be drawn from, with the values of the scene so far. */
export function resolved<D extends { readonly kind: string }>(compiled: D | Computed<D>, values: ArrayLike<number>): D {
  return isComputed(compiled) ? compiled.at(values) : compiled;
}

function isComputed<D extends { readonly kind: string }>(compiled: D | Computed<D>): compiled is Computed<D> {
  return compiled.kind === 'computed';
}

/** @param fail told what is wrong, when expressions are read and whenever they are computed */
export function compileDistribution(
  distribution: Distribution<Quantity>,
  scope: Scope,
  fail: ExpressionFail,
): CompiledDistribution {
  return compileNumbers<Distribution>(distribution, scope, fail, distributionProblem);
}

/** As `compileDistribution`, for counts from 0 to `most`. */
export function compileCount(
  distribution: CountDistribution<Quantity>,
  scope: Scope,
  most: number,
  fail: ExpressionFail,
): CompiledCount {
  return compileNumbers<CountDistribution>(distribution, scope, fail, (drawn) => {
    const isCount = (number: number) => Number.isInteger(number) && number >= 0 && number <= most;
    return countsOf(drawn).every(isCount) ? distributionProblem(drawn) : `whole numbers from 0 to ${most}`;
  });
}

type Writable = Record<string, unknown>;

/** @param problem what distributions of finite numbers lack */
function compileNumbers<D extends Distribution | CountDistribution>(
  written: Distribution<Quantity> | CountDistribution<Quantity>,
  scope: Scope,
  fail: ExpressionFail,
  problem: (drawn: D) => string | undefined,
): D | Computed<D> {
  const numbers = distributionNumbers<Quantity>(written);
  if (numbers.every((number) => typeof number === 'number')) return written as D;
  const { kind, ...fields } = written;
  const evaluators = Object.entries(fields).map(([key, entry]: [string, Quantity | readonly Quantity[]]) => ({
    key,
    one: Array.isArray(entry) ? undefined : compileQuantity(entry as Quantity, scope, fail),
    list: Array.isArray(entry) ? entry.map((number) => compileQuantity(number, scope, fail)) : [],
  }));
  // A scene has hundreds of these, so numbers are set one by one.
  const at = (values: ArrayLike<number>): D => {
    const drawn: Writable = { kind };
    let finite = true;
    for (const { key, one, list } of evaluators) {
      if (one) {
        const number = one(values);
        finite &&= Number.isFinite(number);
        drawn[key] = number;
      } else {
        const all = list.map((evaluate) => evaluate(values));
        finite &&= all.every(Number.isFinite);
        drawn[key] = all;
      }
    }
    const lacking = finite ? problem(drawn as unknown as D) : 'finite numbers';
    return lacking === undefined ? (drawn as unknown as D) : fail(complaint(lacking, numbers, drawn as unknown as D));
  };
  return { kind: 'computed', at };
}

/** A number as a function of the values. */
export function compileQuantity(quantity: Quantity, scope: Scope, fail: ExpressionFail): Evaluate {
  return typeof quantity === 'number' ? () => quantity : scope.compile(quantity, fail);
}

/** The numbers of a count distribution that must be whole. */
function countsOf(count: CountDistribution): readonly number[] {
  switch (count.kind) {
    case 'constant':
      return [count.value];
    case 'uniform':
      return [count.min, count.max];
    case 'poisson':
      return [count.max];
    case 'categorical':
      return count.values;
  }
}

function complaint(lacking: string, written: readonly Quantity[], drawn: Distribution | CountDistribution): string {
  const numbers = distributionNumbers<number>(drawn).flatMap((number, i) =>
    typeof written[i] === 'number' ? [] : [`${number} from "${written[i]}"`],
  );
  return `Expected ${lacking} but received ${numbers.join(', ')}`;
}
