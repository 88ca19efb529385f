import {
  type CountDistribution,
  type Distribution,
  distributionNumbers,
  distributionProblem,
  mapDistribution,
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
  if (isFixed(distribution)) return distribution as Distribution;
  const evaluators = mapDistribution(distribution, (number) => compileQuantity(number, scope, fail));
  return {
    kind: 'computed',
    at: (values) => {
      const drawn = mapDistribution(evaluators, (evaluate) => evaluate(values));
      const problem = distributionProblem(drawn);
      return problem === undefined ? drawn : fail(complaint(problem, distribution, drawn));
    },
  };
}

/** As `compileDistribution`, for counts. */
export function compileCount(
  distribution: CountDistribution<Quantity>,
  scope: Scope,
  most: number,
  fail: ExpressionFail,
): CompiledCount {
  if (isFixed(distribution)) return distribution as CountDistribution;
  const evaluators = mapDistribution(distribution, (number) => compileQuantity(number, scope, fail));
  return {
    kind: 'computed',
    at: (values) => {
      const drawn = mapDistribution(evaluators, (evaluate) => evaluate(values));
      const counts = countsOf(drawn);
      const problem = counts.every((count) => Number.isInteger(count) && count >= 0 && count <= most)
        ? distributionProblem(drawn)
        : `whole numbers from 0 to ${most}`;
      return problem === undefined ? drawn : fail(complaint(problem, distribution, drawn));
    },
  };
}

/** A number as a function of the values. */
export function compileQuantity(quantity: Quantity, scope: Scope, fail: ExpressionFail): Evaluate {
  return typeof quantity === 'number' ? () => quantity : scope.compile(quantity, fail);
}

function isFixed(distribution: Distribution<Quantity> | CountDistribution<Quantity>): boolean {
  return distributionNumbers<Quantity>(distribution).every((number) => typeof number === 'number');
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

function complaint(
  problem: string,
  written: Distribution<Quantity> | CountDistribution<Quantity>,
  drawn: Distribution | CountDistribution,
): string {
  const texts = distributionNumbers<Quantity>(written);
  const numbers = distributionNumbers<number>(drawn).flatMap((number, i) =>
    typeof texts[i] === 'number' ? [] : [`${number} from "${texts[i]}"`],
  );
  return `Expected ${problem} but received ${numbers.join(', ')}`;
}
