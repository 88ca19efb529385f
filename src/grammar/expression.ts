/**
 * Arithmetic of grammars, in two places: `${…}` while a grammar is read (variables.ts), and `= …` where a number depends on
 * what is drawn (scope.ts). Numbers, names, + − * /, comparisons (1 where they hold, else 0), parentheses, functions.
 */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly function: string; readonly arguments: readonly Expression[] };

/** An expression made into a function of the values that names have at the time. */
export type Evaluate = (values: ArrayLike<number>) => number;

/** Says what is wrong with an expression; must throw. */
export type ExpressionFail = (message: string) => never;

const MAX_SYMBOLS = 1000;

/** Fewest and most arguments of the functions that expressions can call. */
const FUNCTIONS: Readonly<Record<string, readonly [number, number]>> = {
  min: [1, MAX_SYMBOLS],
  max: [1, MAX_SYMBOLS],
  abs: [1, 1],
  floor: [1, 1],
  ceil: [1, 1],
  round: [1, 1],
  if: [3, 3],
  pick: [2, MAX_SYMBOLS],
};

export const FUNCTION_NAMES: readonly string[] = Object.keys(FUNCTIONS);

/** Binary operators by how strongly they bind, weakest first. */
const LEVELS = [
  ['<', '<=', '>', '>=', '==', '!='],
  ['+', '-'],
  ['*', '/'],
];

function symbols(text: string): string[] {
  return text.match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[A-Za-z_][\w.]*|[<>=!]=|[-+*/()<>,]|\S/g) ?? [];
}

/** The expression with its symbols spaced in one way, so that equal ones are written equally. */
export function canonicalExpression(text: string): string {
  return symbols(text)
    .join(' ')
    .replace(/([A-Za-z_]\w*) \(/g, '$1(')
    .replaceAll('( ', '(')
    .replace(/ (?=[),])/g, '');
}

/** Reads an expression; `fail` is told what is wrong with it. */
export function parseExpression(text: string, fail: ExpressionFail): Expression {
  return new Parser(symbols(text), fail).expression();
}

/** Recursive descent. */
class Parser {
  #at = 0;

  constructor(
    readonly tokens: readonly string[],
    readonly fail: ExpressionFail,
  ) {}

  expression(): Expression {
    if (this.tokens.length > MAX_SYMBOLS) this.fail(`Expected at most ${MAX_SYMBOLS} symbols`);
    const whole = this.#binary(0);
    if (this.#at < this.tokens.length) this.fail(`Expected an operator but received "${this.tokens[this.#at]}"`);
    return whole;
  }

  #take(...tokens: string[]): string | undefined {
    return tokens.includes(this.tokens[this.#at]) ? this.tokens[this.#at++] : undefined;
  }

  #binary(level: number): Expression {
    if (level === LEVELS.length) return this.#factor();
    let left = this.#binary(level + 1);
    for (let symbol = this.#take(...LEVELS[level]); symbol; symbol = this.#take(...LEVELS[level])) {
      left = { kind: 'call', function: symbol, arguments: [left, this.#binary(level + 1)] };
    }
    return left;
  }

  #factor(): Expression {
    const sign = this.#take('+', '-');
    if (sign) {
      // 0 − 0 is 0; −0 would be printed and hashed differently. "+" checks that it is a number.
      const zero: Expression = { kind: 'number', value: 0 };
      return { kind: 'call', function: sign, arguments: [zero, this.#factor()] };
    }
    if (this.#take('(')) {
      const inner = this.#binary(0);
      if (!this.#take(')')) this.fail('Expected a closing parenthesis');
      return inner;
    }
    const token = this.tokens[this.#at++];
    if (token === undefined) return this.fail('Expected a number or a name');
    if (/^[\d.]/.test(token)) return { kind: 'number', value: Number(token) };
    if (!/^[A-Za-z_]/.test(token)) return this.fail(`Expected a number or a name but received "${token}"`);
    return this.#take('(') ? this.#call(token) : { kind: 'name', name: token };
  }

  /** Behind the opening parenthesis. */
  #call(name: string): Expression {
    const bounds = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (!bounds) return this.fail(`Expected one of the functions ${FUNCTION_NAMES.join(', ')} but received "${name}"`);
    const list: Expression[] = [];
    do list.push(this.#binary(0));
    while (this.#take(','));
    if (!this.#take(')')) this.fail('Expected a closing parenthesis');
    const [least, most] = bounds;
    if (list.length < least || list.length > most) {
      const expected = least === most ? `${least}` : `at least ${least}`;
      this.fail(`Expected ${expected} arguments for ${name} but received ${list.length}`);
    }
    return { kind: 'call', function: name, arguments: list };
  }
}

/**
 * Makes a function of an expression.
 * @param resolve how the value of a name is read
 */
export function compileExpression(expression: Expression, resolve: (name: string) => Evaluate): Evaluate {
  if (expression.kind === 'number') return () => expression.value;
  if (expression.kind === 'name') return resolve(expression.name);
  const parts = expression.arguments.map((part) => compileExpression(part, resolve));
  const [a, b, c] = parts;
  switch (expression.function) {
    case '+':
      return (values) => a(values) + b(values);
    case '-':
      return (values) => a(values) - b(values);
    case '*':
      return (values) => a(values) * b(values);
    case '/':
      return (values) => a(values) / b(values);
    case '<':
      return (values) => Number(a(values) < b(values));
    case '<=':
      return (values) => Number(a(values) <= b(values));
    case '>':
      return (values) => Number(a(values) > b(values));
    case '>=':
      return (values) => Number(a(values) >= b(values));
    case '==':
      return (values) => Number(a(values) === b(values));
    case '!=':
      return (values) => Number(a(values) !== b(values));
    case 'min':
      return (values) => Math.min(...parts.map((part) => part(values)));
    case 'max':
      return (values) => Math.max(...parts.map((part) => part(values)));
    case 'abs':
      return (values) => Math.abs(a(values));
    case 'floor':
      return (values) => Math.floor(a(values));
    case 'ceil':
      return (values) => Math.ceil(a(values));
    case 'round':
      return (values) => Math.floor(a(values) + 0.5);
    case 'if':
      return (values) => (a(values) === 0 ? c(values) : b(values));
    default:
      // pick(i, v₀, v₁, …); outside of the list there is no number, which whoever draws with it reports.
      return (values) => {
        const i = a(values);
        return i >= 0 ? (parts[1 + i]?.(values) ?? Number.NaN) : Number.NaN;
      };
  }
}
