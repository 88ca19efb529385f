/** Signals that ask a process to end, with the exit code shells expect (128 + number). */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Listens for Ctrl-C and termination while a command runs. */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 130 or 143 once interrupted, else undefined. */
  exitCode(): number | undefined;
  /** Stops listening. */
  release(): void;
}

/** A signal so soon after the first is the same one, ms: under `npm run` Ctrl-C arrives from the terminal and from npm. */
const ECHO_MS = 300;

/**
 * The first signal aborts `signal`, so that the command can put things in order; the next that is no echo of it ends
 * the process at once, whatever it is doing.
 * @param announce is told what happens now
 */
export function listenForInterrupt(announce: (line: string) => void): Interrupt {
  const controller = new AbortController();
  let code: number | undefined;
  let first = 0;
  const handlers = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const handler = () => {
      if (code !== undefined) {
        if (performance.now() - first < ECHO_MS) return;
        process.exit(exitCode);
      }
      code = exitCode;
      first = performance.now();
      announce('interrupted: finishing up; press Ctrl-C again to stop at once');
      controller.abort(new DOMException('interrupted', 'AbortError'));
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
