import { basename } from 'node:path';
import { ConfigError } from '../errors.js';

/** What `{…}` in a command may name. */
export const PLACEHOLDERS = ['dataset', 'validation', 'epoch', 'seed'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];
/** Values by name; a name without a value may not be used. */
export type PlaceholderValues = Readonly<Partial<Record<Placeholder, string>>>;

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;
/** What a shell would act upon: outside of quotes, and in double quotes. Braces belong to placeholders. */
const OPERATORS = '|&;<>`$()*?\n';
const QUOTED_OPERATORS = '`$';
/** Programs whose `-c` takes a program text. */
const SHELLS = /^(?:sh|bash|dash|zsh|ksh|fish)$/;

/**
 * Cuts a command into words, without a shell: at spaces; `'…'` is taken as it is, in `"…"` and outside of quotes a
 * backslash takes the next character as it is. Nothing is expanded.
 * @throws ConfigError for an empty command, a quote that does not end, and what only a shell understands (`|`, `&`, `;`,
 *   `<`, `>`, `$`, backticks, brackets, wildcards) outside of single quotes
 */
export function splitCommand(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < command.length; i++) {
    const c = command[i];
    if (quote === "'") {
      if (c === "'") quote = '';
      else word += c;
    } else if (c === '\\' && i + 1 < command.length) {
      word = (word ?? '') + command[++i];
    } else if (quote === '"') {
      if (c === '"') quote = '';
      else word += refuseShell(c, command, QUOTED_OPERATORS);
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (/\s/.test(c) && c !== '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (c === '\n' && command.slice(i).trim() === '') {
      break;
    } else {
      word = (word ?? '') + refuseShell(c, command, OPERATORS);
    }
  }
  if (quote) throw new ConfigError(`Expected a closing ${quote} in task.command but received ${command}`);
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new ConfigError('Expected a program in task.command but received an empty one');
  return words;
}

/**
 * A command's words, its placeholders checked.
 * @param command a list of words, taken as they are, or one text for `splitCommand`
 * @param known names that will have values
 * @throws ConfigError also for an unknown name in braces, one without a value, and for a placeholder in a program text
 *   for a shell (`sh -c`), where a path with a quote in it would become part of the program
 */
export function parseCommand(command: string | readonly string[], known: readonly Placeholder[]): string[] {
  const words = typeof command === 'string' ? splitCommand(command) : [...command];
  if (words.length === 0 || words[0] === '') {
    throw new ConfigError('Expected a program in task.command but received an empty one');
  }
  for (const [i, word] of words.entries()) {
    for (const [text, name] of word.matchAll(PLACEHOLDER)) {
      if (!(PLACEHOLDERS as readonly string[]).includes(name)) {
        const names = PLACEHOLDERS.map((each) => `{${each}}`).join(', ');
        throw new ConfigError(`Expected ${names} in task.command but received ${text}`);
      }
      if (!known.includes(name as Placeholder)) {
        throw new ConfigError(`Expected target.${name} for ${text} in task.command but received none`);
      }
      if (i > 1 && SHELLS.test(basename(words[0])) && /^-[a-z]*c$/.test(words[i - 1])) {
        throw new ConfigError(
          `Expected "$METASIM_${name.toUpperCase()}" in the program text for ${words[0]} but received ${text}: ` +
            'a path could become part of the program',
        );
      }
    }
  }
  return words;
}

/** The words with their placeholders filled in: a value stays one word whatever is in it. */
export function fillCommand(words: readonly string[], values: PlaceholderValues): string[] {
  return words.map((word) => word.replace(PLACEHOLDER, (text, name: string) => values[name as Placeholder] ?? text));
}

/** Words as one line that a person can read, and paste into a shell. */
export function commandText(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

function refuseShell(c: string, command: string, operators: string): string {
  if (!operators.includes(c)) return c;
  throw new ConfigError(
    `Expected words without ${JSON.stringify(c)} in task.command, which no shell reads, but received ${command}; ` +
      "put it into single quotes to mean the character, or write [sh, -c, '…'] for a shell",
  );
}
