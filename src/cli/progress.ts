import { Presets, SingleBar } from 'cli-progress';

/** Shows how far a long step is. */
export interface Progress {
  /** @param done  steps done so far, 0 … total @param detail a few words behind the bar */
  update(done: number, detail?: string): void;
  /** Ends the bar; a second call does nothing. */
  stop(): void;
}

/** Share of the whole between two plain lines. */
const PLAIN_STEP = 0.1;

/**
 * A bar on standard error when that is a terminal, otherwise a plain line at every tenth. Standard output stays free for
 * results.
 */
export function startProgress(label: string, total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
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
    update(done, detail = '') {
      if (running) single.update(done, { detail });
    },
    stop() {
      if (running) single.stop();
      running = false;
    },
  };
}

function plainLines(label: string, total: number, stream: NodeJS.WriteStream): Progress {
  let next = PLAIN_STEP;
  return {
    update(done, detail) {
      const share = total > 0 ? done / total : 1;
      if (share < next - 1e-9) return;
      stream.write(`${label}: ${done}/${total} (${Math.floor(share * 100 + 1e-9)} %)${detail ? ` ${detail}` : ''}\n`);
      next = Math.floor(share / PLAIN_STEP + 1e-9) * PLAIN_STEP + PLAIN_STEP;
    },
    stop() {},
  };
}
