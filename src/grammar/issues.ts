import type { z } from 'zod';
import { GrammarError } from '../errors.js';
import { EXPRESSION_ISSUE } from './schema.js';
import { formatPath, isObject, type Locate, type Path, type Raw, show } from './source.js';
import { closest, listNames } from './suggest.js';

type Issue = z.core.$ZodIssue;

/** What is wrong at one place. */
interface Finding {
  readonly path: Path;
  readonly message: string;
  /** The key is wrong, not the value. */
  readonly atKey?: boolean;
}

const SHOWN = 8;

/**
 * The issues of a failed parse as one error, a line each: `mnist.yaml:12:5: classes[1].mutable: Expected …`.
 * @param value what was parsed, to print what was received
 */
export function schemaError(error: z.ZodError, value: Raw, locate: Locate): GrammarError {
  const findings = withoutEchoes(error.issues).flatMap((issue) => explain(issue, [], value));
  const lines = findings.slice(0, SHOWN).map(({ path, message, atKey }) => {
    const where = path.length > 0 ? `${formatPath(path, locate)}: ` : '';
    return `${locate(path, atKey)}: ${where}${message}`;
  });
  if (findings.length > SHOWN) lines.push(`and ${findings.length - SHOWN} more`);
  return new GrammarError(lines.join('\n'), { cause: error });
}

/** Without refinements where a key is unknown: a misspelt key is also a missing one, and once is enough. */
function withoutEchoes(issues: readonly Issue[]): Issue[] {
  const here = (issue: Issue) => JSON.stringify(issue.path);
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(here));
  return issues.filter((issue) => issue.code !== 'custom' || !misspelt.has(here(issue)));
}

function explain(issue: Issue, base: Path, root: Raw): Finding[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const received = () => show(valueAt(root, path));
  const expected = (what: string): Finding[] => [{ path, message: `Expected ${what} but received ${received()}` }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `Expected a known key but received ${JSON.stringify(key)}${suggestion(key, path)}`,
        atKey: true,
      }));
    case 'invalid_union':
      return explainUnion(issue.errors as Issue[][], path, root);
    case 'invalid_type':
      return expected(typeName(issue.expected));
    case 'invalid_value': {
      const names = issue.values.map(String);
      const value = valueAt(root, path);
      const close = typeof value === 'string' ? closest(value, names) : undefined;
      const hint = close === undefined ? '' : ` (did you mean "${close}"?)`;
      return [{ path, message: `Expected ${listNames(names)} but received ${received()}${hint}` }];
    }
    case 'too_small':
      return expected(bound(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum));
    case 'too_big':
      return expected(bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum));
    default:
      // Refinements word their message as what is expected.
      return expected(issue.message);
  }
}

/** The branch of a union that was meant: the one whose outer type fits; or all outer types when none does. */
function explainUnion(branches: Issue[][], path: Path, root: Raw): Finding[] {
  const fitting = branches.filter((issues) => !issues.some((issue) => isOuterType(issue)));
  const best = fitting.sort((a, b) => depth(b) - depth(a))[0];
  if (best) return withoutEchoes(best).flatMap((issue) => explain(issue, path, root));
  const types = [
    ...new Set(
      branches.flatMap((issues) =>
        issues.filter((issue) => isOuterType(issue) && !isExpressionIssue(issue)).map(outerType),
      ),
    ),
  ];
  return [{ path, message: `Expected ${types.join(' or ')} but received ${show(valueAt(root, path))}` }];
}

/** Said of everything that is no text with "=" in front; not worth saying where numbers are meant. */
function isExpressionIssue(issue: Issue): boolean {
  return issue.code === 'custom' && issue.params?.form === EXPRESSION_ISSUE.form;
}

function isOuterType(issue: Issue): boolean {
  if (isExpressionIssue(issue)) return issue.path.length === 0;
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function outerType(issue: Issue): string {
  if (issue.code === 'invalid_value') return issue.values.map(String).join(' or ');
  return issue.code === 'invalid_type' ? typeName(issue.expected) : issue.code;
}

function depth(issues: Issue[]): number {
  return Math.max(...issues.map((issue) => issue.path.length));
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    number: 'a finite number',
    int: 'a whole number',
    string: 'a name or text',
    array: 'a list',
    tuple: 'a list [minimum, maximum]',
    object: 'a mapping',
    record: 'a mapping',
    boolean: 'true or false',
  };
  return names[type] ?? type;
}

function bound(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === 'array') return `${comparison} ${limit} entries`;
  if (origin === 'string') return `${comparison} ${limit} characters`;
  return `a number of ${comparison} ${limit}`;
}

function valueAt(root: Raw, path: Path): Raw {
  let value: Raw = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isObject(value)) value = value[String(step)];
    else return undefined;
  }
  return value;
}

/** All keys of the language, by the key or table they stand in; only for suggestions. */
const KEYS = {
  grammar: [
    'name',
    'description',
    'variables',
    'dimension',
    'canvas',
    'camera',
    'parameters',
    'attributes',
    'templates',
    'classes',
    'nodes',
    'constraints',
    'sampling',
  ],
  canvas: ['width', 'height', 'channels'],
  attribute: ['role', 'unit', 'range', 'periodic', 'default'],
  camera: ['focal', 'fieldOfView', 'cx', 'cy', 'x', 'y', 'z', 'heading', 'pitch', 'roll', 'near', 'far'],
  class: ['kind', 'asset', 'attributes', 'mutable', 'extends'],
  node: [
    ...[
      'count',
      'spacing',
      'align',
      'parameters',
      'class',
      'choice',
      'asset',
      'attributes',
      'mutable',
      'children',
      'weight',
    ],
  ],
  spacing: ['along', 'from', 'to', 'gap', 'most'],
  align: ['at', 'side'],
  constraint: ['name', 'minDistance', 'noOverlap', 'insideCanvas', 'inView', 'predicate'],
  sampling: ['maxAttempts', 'retry'],
  distribution: [
    'constant',
    'uniform',
    'normal',
    'truncatedNormal',
    'exponential',
    'categorical',
    'vonMises',
    'poisson',
  ],
  parameter: ['mean', 'sd', 'min', 'max', 'kappa', 'values', 'weights', 'glob', 'weight'],
  pair: ['between', 'and', 'distance', 'margin', 'classes', 'extent', 'nearest', 'farthest'],
};

function suggestion(key: string, path: Path): string {
  const near = closest(key, keysFor(path)) ?? closest(key, Object.values(KEYS).flat());
  return near === undefined ? '' : ` (did you mean "${near}"?)`;
}

/** Keys that may stand directly below `path`. */
function keysFor(path: Path): string[] {
  if (path.length === 0) return KEYS.grammar;
  if (path[0] === 'canvas') return KEYS.canvas;
  if (path[0] === 'camera') return KEYS.camera;
  if (path[0] === 'sampling') return KEYS.sampling;
  if (path.length === 2 && path[0] === 'attributes') return KEYS.attribute;
  if (path.length === 2 && path[0] === 'classes') return KEYS.class;
  if (path[0] === 'constraints') return path.length === 2 ? KEYS.constraint : KEYS.pair;
  const parent = path.at(-2);
  if (parent === 'nodes' || parent === 'children' || parent === 'choice') return KEYS.node;
  if (path.at(-1) === 'spacing') return KEYS.spacing;
  if (parent === 'align') return KEYS.align;
  return parent === 'attributes' || parent === 'parameters' || parent === 'spacing' || path.at(-1) === 'count'
    ? KEYS.distribution
    : KEYS.parameter;
}
