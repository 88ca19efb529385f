import { CommanderError } from 'commander';
import { ConfigError, GrammarError, MetasimError } from '../errors.js';
import type { Outcome } from './frame.js';
import { buildProgram } from './program.js';

/** Exit codes: documented in `metasim --help`. */
const OK = 0;
const FAILURE = 1;
const USAGE = 2;

/**
 * Runs the command line and ends the process: 0 fine, 1 failed, 2 wrong usage or configuration, 130 interrupted.
 * Without `--json` results go to standard output and all else to standard error; with it exactly one object goes to
 * standard output: the result, or `{ "error": { "code", "message" } }`.
 * @param argv the words behind the program's name
 */
export async function main(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  // Libraries that print (tfjs does) must not get between the results.
  console.log = console.info = console.debug = console.error;
  ignoreClosedPipes();
  const outcome: Outcome = {};
  let exitCode = OK;
  try {
    await buildProgram(outcome).parseAsync(argv, { from: 'user' });
    const { result } = outcome;
    if (result) {
      const text = json ? JSON.stringify(result.json) : result.text;
      if (text) await print(`${text}\n`);
      exitCode = result.exitCode ?? OK;
    }
    exitCode = outcome.interrupt?.exitCode() ?? exitCode;
  } catch (error) {
    exitCode = await report(error, json, outcome);
  }
  process.exit(exitCode);
}

/** Prints an error as one line (its stack with METASIM_DEBUG) and says which exit code it means. */
async function report(error: unknown, json: boolean, outcome: Outcome): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return OK;
    // Commander has already written its own line to standard error.
    if (json) await print(`${JSON.stringify(errorObject('USAGE', error.message.replace(/^error: /, '')))}\n`);
    return USAGE;
  }
  const interrupted = outcome.interrupt?.exitCode();
  const message = interrupted === undefined ? messageOf(error) : 'interrupted';
  const code = interrupted !== undefined ? 'INTERRUPTED' : error instanceof MetasimError ? error.code : 'FAILURE';
  process.stderr.write(`error: ${message}\n`);
  if (process.env.METASIM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (json) await print(`${JSON.stringify(errorObject(code, message))}\n`);
  return interrupted ?? (error instanceof ConfigError || error instanceof GrammarError ? USAGE : FAILURE);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

function errorObject(code: string, message: string): object {
  return { error: { code, message } };
}

/** Writes to standard output and waits until it is out: a pipe loses what is in flight when the process exits. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

/** `metasim … | head` closes the pipe early: that is no failure. */
function ignoreClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(OK);
    throw error;
  });
}
