import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.js';

/**
 * Reads a shell line as the command line would, without running anything: the command and its flags must exist, and have
 * values that they take.
 * @param line e.g. `metasim verify data/x --json   # a comment`; variables may stand before it
 * @returns what is wrong; undefined for nothing
 */
export async function parseLine(line: string): Promise<string | undefined> {
  const [name, ...words] = shellWords(line);
  if (name !== 'metasim') return `Expected metasim but received ${name}`;
  const program = buildProgram({});
  for (const command of leavesOf(program)) {
    command.action(() => {});
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  }
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Commands that do something, sub-commands too. */
export function leavesOf(program: Command): Command[] {
  return program.commands.flatMap((each) => (each.commands.length > 0 ? leavesOf(each) : [each]));
}

/** The words of a line without quotes in words, variables before and a comment behind. */
function shellWords(line: string): string[] {
  const words = line.replace(/\s#.*$/, '').match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const start = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  return words.slice(start).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}
