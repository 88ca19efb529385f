import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TrainingError } from '../errors.js';

/** What is kept of the end of each stream, bytes: a score's line must fit. */
const TAIL_BYTES = 1 << 18;
/** What a log holds of the beginning of the output, bytes; its end is written behind a gap. */
const LOG_BYTES = 32 << 20;
const LOG_END_BYTES = 1 << 16;
/** Between the request to end and the end by force, ms. */
const GRACE_MS = 3000;
/** For what is still in the pipes when the process has ended, ms: someone else may hold them open. */
const DRAIN_MS = 1000;

export interface ProcessRequest {
  /** Program and arguments; no shell reads them. */
  readonly words: readonly string[];
  readonly cwd: string;
  /** Added to this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds until the process and all it started are ended. */
  readonly timeoutSeconds: number;
  /** File that takes both streams as they come. */
  readonly log: string;
  /** Append to the log instead of writing it anew. */
  readonly append?: boolean;
  /** Lines of the log before the output. */
  readonly heading: string;
  readonly signal?: AbortSignal;
  /** Between SIGTERM and SIGKILL, ms; default 3000. */
  readonly graceMs?: number;
}

export interface ProcessResult {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  /** The end of standard output: all of it, or the last 256 KiB. */
  readonly stdout: string;
  /** The end of both streams as they came. */
  readonly output: string;
}

/**
 * Runs a program to its end. It leads a process group of its own; at the time limit, when aborted, and when this process
 * ends, the whole group gets SIGTERM and after a grace SIGKILL. What it leaves running in its group when it ends is ended,
 * too. Memory does not grow with its output: the log takes the first 32 MiB, and the end of each stream is kept.
 * @throws TrainingError when the program cannot be started; the signal's reason when aborted, after the end of the group
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const { words, cwd, environment, timeoutSeconds, signal, graceMs = GRACE_MS } = request;
  signal?.throwIfAborted();
  const log = new Log(request);
  const stdout = new Tail(TAIL_BYTES);
  const both = new Tail(TAIL_BYTES);
  try {
    const child = await start(words, cwd, environment);
    const group = new ProcessGroup(child, graceMs);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      group.end();
    }, timeoutSeconds * 1000);
    const abort = () => group.end();
    signal?.addEventListener('abort', abort, { once: true });
    // It may have been aborted while the program started.
    if (signal?.aborted) abort();
    const take = (isStdout: boolean) => (chunk: Buffer) => {
      if (isStdout) stdout.add(chunk);
      both.add(chunk);
      log.write(chunk);
    };
    child.stdout?.on('data', take(true));
    child.stderr?.on('data', take(false));
    try {
      const { code, signal: by } = await ended(child, group);
      signal?.throwIfAborted();
      return { code, signal: by, timedOut, stdout: stdout.text(), output: both.text() };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      group.release();
    }
  } finally {
    log.close(both);
  }
}

/** @throws TrainingError when there is no such program or folder */
async function start(
  words: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const [program, ...args] = words;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child));
    child.once('error', (cause) =>
      reject(
        new TrainingError(`Expected to be able to start ${program} in ${cwd} but received: ${cause.message}`, {
          cause,
        }),
      ),
    );
  });
}

/** Exit of the process, when its output has been read as well. */
function ended(
  child: ChildProcess,
  group: ProcessGroup,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      group.endRest();
      const done = () => resolve({ code, signal });
      const timer = setTimeout(() => {
        // Held open by something that left the group.
        child.stdout?.destroy();
        child.stderr?.destroy();
        done();
      }, DRAIN_MS);
      child.once('close', () => {
        clearTimeout(timer);
        done();
      });
    });
  });
}

/** A process with all that it started. */
class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #atExit = () => this.#send('SIGKILL');

  constructor(child: ChildProcess, graceMs: number) {
    this.#child = child;
    this.#graceMs = graceMs;
    process.on('exit', this.#atExit);
  }

  /** Asks the group to end, and makes it end after the grace. */
  end(): void {
    if (this.#timer) return;
    this.#send('SIGTERM');
    this.#timer = setTimeout(() => this.#send('SIGKILL'), this.#graceMs);
  }

  /** Ends what the process left behind when it ended itself. */
  endRest(): void {
    this.#send('SIGKILL');
  }

  release(): void {
    clearTimeout(this.#timer);
    process.off('exit', this.#atExit);
  }

  #send(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // Nothing is left of the group.
    }
  }
}

/** The last bytes of a stream. */
class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - this.#chunks[0].length >= this.#limit) this.#bytes -= (this.#chunks.shift() as Buffer).length;
  }

  text(bytes = this.#limit): string {
    const whole = Buffer.concat(this.#chunks);
    return whole.subarray(Math.max(0, whole.length - bytes)).toString('utf8');
  }
}

/** A log file of bounded size. */
class Log {
  readonly #descriptor: number;
  #written = 0;
  #lost = 0;

  constructor({ log, append = false, heading }: ProcessRequest) {
    try {
      mkdirSync(dirname(log), { recursive: true });
      this.#descriptor = openSync(log, append ? 'a' : 'w');
      writeSync(this.#descriptor, heading);
    } catch (cause) {
      throw new TrainingError(`Expected to be able to write ${log} but received: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  write(chunk: Buffer): void {
    const kept = Math.min(chunk.length, LOG_BYTES - this.#written);
    this.#lost += chunk.length - kept;
    this.#written += kept;
    // A full disk is no reason to end the task.
    if (kept > 0) this.#try(() => writeSync(this.#descriptor, chunk, 0, kept));
  }

  close(end: Tail): void {
    if (this.#lost > 0) {
      const note = `\n… ${this.#lost} bytes are left out of this log; it ends with:\n`;
      this.#try(() => writeSync(this.#descriptor, note + end.text(LOG_END_BYTES)));
    }
    closeSync(this.#descriptor);
  }

  #try(write: () => void): void {
    try {
      write();
    } catch {
      // The log is for reading, not for the result.
    }
  }
}
