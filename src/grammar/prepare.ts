import { GrammarError } from '../errors.js';
import { grammarError, isObject, type Locate, type Raw, type RawObject, show } from './source.js';
import { didYouMean, listNames } from './suggest.js';
import { Substitution, type VariableValue } from './variables.js';

/** What a call or command line sets over what the grammar says. */
export interface GrammarOverrides {
  readonly name?: string;
  /** Values of variables that the grammar declares. Text is read as the declared value's type: `"64"`, `"rotation,x"`. */
  readonly variables?: Readonly<Record<string, VariableValue>>;
  readonly canvas?: { readonly width?: number; readonly height?: number; readonly channels?: 1 | 3 };
}

/**
 * From a grammar as written to one that the schema can check: overrides set, templates merged into classes, variables
 * replaced.
 * @throws GrammarError for an unknown variable or template, a cycle, or a bad expression
 */
export function prepare(written: RawObject, locate: Locate, overrides: GrammarOverrides): RawObject {
  const root: RawObject = Object.assign(Object.create(null), written);
  if (overrides.name !== undefined) root.name = overrides.name;
  if (overrides.canvas && isObject(root.canvas))
    root.canvas = Object.assign(Object.create(null), root.canvas, defined(overrides.canvas));
  if (overrides.variables) root.variables = overrideVariables(root, locate, overrides.variables);
  root.classes = mergeTemplates(root, locate);
  delete root.templates;
  const substitution = new Substitution(root, locate);
  const prepared = Object.create(null) as RawObject;
  for (const [key, value] of Object.entries(root)) {
    if (key === 'classes' && Array.isArray(value)) {
      prepared[key] = value.map((entry, i) => {
        const name = isObject(entry) ? substitution.apply(entry.name, [key, i, 'name']) : undefined;
        return substitution.apply(entry, [key, i], typeof name === 'string' ? name : undefined);
      });
    } else prepared[key] = substitution.apply(value, [key]);
  }
  return prepared;
}

function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function overrideVariables(root: RawObject, locate: Locate, values: Readonly<Record<string, VariableValue>>): Raw {
  const declared: RawObject = isObject(root.variables) ? root.variables : {};
  const variables: RawObject = Object.assign(Object.create(null), declared);
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(declared, name)) {
      const names = Object.keys(declared);
      const expected = names.length > 0 ? `one of the variables ${listNames(names)}` : 'no variables';
      throw new GrammarError(
        `${locate([])}: Expected ${expected} to override but received "${name}"${didYouMean(name, names)}`,
      );
    }
    variables[name] = likeDeclared(value, declared[name], (expected) =>
      grammarError(locate, ['variables', name], `Expected ${expected} for the override but received ${show(value)}`),
    );
  }
  return variables;
}

/** Text from a command line as a value of the declared type. */
function likeDeclared(value: VariableValue, declared: Raw, error: (expected: string) => GrammarError): Raw {
  if (typeof value !== 'string') return Array.isArray(value) ? [...value] : value;
  if (typeof declared === 'number') {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) throw error('a number');
    return number;
  }
  if (typeof declared === 'boolean') {
    if (value !== 'true' && value !== 'false') throw error('true or false');
    return value === 'true';
  }
  if (Array.isArray(declared))
    return value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  return value;
}

/** Classes with the fields of the template they extend; a class's own fields win, attribute by attribute. */
function mergeTemplates(root: RawObject, locate: Locate): Raw {
  if (!Array.isArray(root.classes)) return root.classes;
  const templates: RawObject = isObject(root.templates) ? root.templates : {};
  return root.classes.map((entry: Raw, i) => {
    if (!isObject(entry) || entry.extends === undefined) return entry;
    const { extends: name, ...own } = entry;
    if (typeof name !== 'string' || !Object.hasOwn(templates, name) || !isObject(templates[name])) {
      const names = Object.keys(templates);
      const hint = typeof name === 'string' ? didYouMean(name, names) : '';
      const expected = names.length > 0 ? `one of the templates ${listNames(names)}` : 'a declared template';
      throw grammarError(locate, ['classes', i, 'extends'], `Expected ${expected} but received ${show(name)}${hint}`);
    }
    const template = templates[name];
    const merged: RawObject = Object.assign(Object.create(null), template, own);
    if (isObject(template.attributes) && isObject(own.attributes)) {
      merged.attributes = Object.assign(Object.create(null), template.attributes, own.attributes);
    }
    return merged;
  });
}
