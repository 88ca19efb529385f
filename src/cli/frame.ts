import { type Command, Option } from 'commander';
import { type Interrupt, listenForInterrupt } from './interrupt.js';
import { type LogFormat, type Progress, startProgress } from './progress.js';

/** What a command may use besides its flags. */
export interface CommandContext {
  /** Aborted by Ctrl-C: pass it down. */
  readonly signal: AbortSignal;
  /** A line for the person in front, on standard error. */
  note(line: string): void;
  /** A progress bar on standard error; stopped for you when the command ends. */
  progress(label: string, total: number): Progress;
}

/** What a command found out. */
export interface CommandResult {
  /** The one object that `--json` prints. */
  readonly json: object;
  /** What is printed without it; empty for nothing. */
  readonly text: string;
  /** Default 0; 1 when the command ran and the answer is bad. */
  readonly exitCode?: number;
}

/** Where a command's outcome is put for `main`, which alone prints and sets the exit code. */
export interface Outcome {
  result?: CommandResult;
  interrupt?: Interrupt;
}

/**
 * Adds the flags that every command has and runs `handler` as its action: with a signal that Ctrl-C aborts, and with its
 * progress bars ended whatever happens.
 * @param examples lines under "Examples:" of `--help`, without the leading `$ `
 * @param handler gets the command's positional arguments and its flags
 */
export function define<Flags extends object>(
  outcome: Outcome,
  command: Command,
  examples: readonly string[],
  handler: (positional: string[], flags: Flags, context: CommandContext) => Promise<CommandResult>,
): Command {
  return command
    .option('--json', 'print exactly one JSON object on standard output')
    .addOption(
      new Option('--log <format>', 'progress on standard error: text, or json lines')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`)
    .action(async () => {
      const { log } = command.opts<{ log: LogFormat }>();
      const note = (line: string) =>
        void process.stderr.write(`${log === 'json' ? JSON.stringify({ level: 30, msg: line }) : line}\n`);
      const bars: Progress[] = [];
      const interrupt = listenForInterrupt((line) => {
        for (const bar of bars) bar.stop();
        note(line);
      });
      outcome.interrupt = interrupt;
      try {
        outcome.result = await handler(command.processedArgs.flat().filter(isGiven), command.opts<Flags>(), {
          signal: interrupt.signal,
          note,
          progress(label, total) {
            const progress = startProgress(label, total, log);
            bars.push(progress);
            return progress;
          },
        });
      } finally {
        for (const bar of bars) bar.stop();
        interrupt.release();
      }
    });
}

function isGiven(value: unknown): value is string {
  return value !== undefined;
}
