import { Presets, SingleBar } from 'cli-progress';

/** Shows how far a long step is. */
export interface Progress {
  /**
   * @param done steps done so far, 0 … total
   * @param detail a few words behind the bar
   * @param total where it has become another
   */
  update(done: number, detail?: string, total?: number): void;
  /** Ends the bar; a second call does nothing. */
  stop(): void;
}

/** How progress is shown: `text` for people, `json` for log collectors. */
export type LogFormat = 'text' | 'json';

/** Share of the whole between two plain lines, and the time after which there is one in any case, ms. */
const PLAIN_STEP = 0.1;
const PLAIN_MS = 5000;

/**
 * A bar on standard error when that is a terminal, otherwise a plain line at every tenth and every few seconds, or JSON
 * lines. Standard output stays free for results.
 */
export function startProgress(
  label: string,
  total: number,
  log: LogFormat = 'text',
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  if (log === 'json') return jsonLines(label, total);
  return stream.isTTY ? bar(label, total, stream) : plainLines(label, total, stream);
}

function bar(label: string, total: number, stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar(
    {
      stream,
      format: `${label} {bar} {percentage}% {value}/{total} eta {eta_formatted} {detail}`,
      hideCursor: true,
      fps: 8,
    },
    Presets.rect,
  );
  single.start(total, 0, { detail: '' });
  let running = true;
  return {
    update(done, detail = '', newTotal) {
      if (!running) return;
      if (newTotal !== undefined) single.setTotal(newTotal);
      single.update(done, { detail });
    },
    stop() {
      if (running) single.stop();
      running = false;
    },
  };
}

/** Calls `write` at every tenth of the way, and when nothing was written for a few seconds. */
function sparsely(
  total: number,
  write: (done: number, total: number, share: number, detail?: string) => void,
): Progress {
  let next = PLAIN_STEP;
  let last = performance.now();
  let lastDone = 0;
  return {
    update(done, detail, newTotal) {
      const whole = newTotal ?? total;
      const share = whole > 0 ? done / whole : 1;
      const late = performance.now() - last >= PLAIN_MS && done !== lastDone;
      if (share < next - 1e-9 && !late) return;
      write(done, whole, share, detail);
      next = Math.floor(share / PLAIN_STEP + 1e-9) * PLAIN_STEP + PLAIN_STEP;
      last = performance.now();
      lastDone = done;
    },
    stop() {},
  };
}

function plainLines(label: string, total: number, stream: NodeJS.WriteStream): Progress {
  return sparsely(total, (done, whole, share, detail) => {
    const percent = Math.floor(share * 100 + 1e-9);
    stream.write(`${label}: ${done}/${whole} (${percent} %)${detail ? ` ${detail}` : ''}\n`);
  });
}

/** Lines of pino on standard error: `{"level":30,"time":…,"step":"generate","done":…,"total":…}`. */
function jsonLines(label: string, total: number): Progress {
  const logger = import('pino').then(({ pino }) => pino({ base: null }, pino.destination({ dest: 2, sync: true })));
  return sparsely(total, (done, whole, _, detail) => {
    void logger.then((log) => log.info({ step: label, done, total: whole, ...(detail ? { detail } : {}) }));
  });
}
