import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.js';

/** One line of metrics: what was measured at a step. */
export interface MetricsRecord {
  /** Step or epoch, an integer ≥ 0; does not fall from one record to the next. */
  readonly step: number;
  readonly [name: string]: unknown;
}

/**
 * Appends metrics to a file of JSON lines. Every record is on disk (handed to the system) when `write` returns, so a killed run loses none.
 * Numbers that JSON lacks (NaN, ±Infinity) are written as null.
 */
export class MetricsWriter {
  #file: number | undefined;

  private constructor(file: number) {
    this.#file = file;
  }

  /**
   * Opens a file for metrics; folders on the way are made.
   * @param resumeAt step of the checkpoint that the run goes on from: records after it, and a torn last line, are cut
   *   off. Without it the file is started anew.
   * @throws ConfigError when a line before the checkpoint is no metrics record
   */
  static open(path: string, resumeAt?: number): MetricsWriter {
    mkdirSync(dirname(path), { recursive: true });
    if (resumeAt === undefined || !existsSync(path)) return new MetricsWriter(openSync(path, 'w'));
    const keep = lengthUpTo(path, resumeAt);
    const file = openSync(path, 'r+');
    ftruncateSync(file, keep);
    closeSync(file);
    return new MetricsWriter(openSync(path, 'a'));
  }

  /** Appends one record. @throws ConfigError after `close` */
  write(record: MetricsRecord): void {
    if (this.#file === undefined) throw new ConfigError('Expected an open metrics file but received a closed one');
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
  }

  /** Closes the file; a second call does nothing. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** Every record of a metrics file, in order; a torn last line is left out. */
export function readMetrics(path: string): MetricsRecord[] {
  return [...records(path, readFileSync(path))].map(({ record }) => record);
}

/** Bytes of the file up to and including the last record whose step is at most `step`. */
function lengthUpTo(path: string, step: number): number {
  let length = 0;
  for (const { record, end } of records(path, readFileSync(path))) {
    if (record.step > step) break;
    length = end;
  }
  return length;
}

/** Records with the byte offset behind each. A line without its line break was torn by a crash. */
function* records(path: string, bytes: Buffer): Generator<{ record: MetricsRecord; end: number }> {
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(10, start);
    if (newline < 0) return;
    const text = bytes.toString('utf8', start, newline);
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch (cause) {
      throw new ConfigError(`Expected a JSON object for ${path}:${line} but received "${text.slice(0, 80)}"`, {
        cause,
      });
    }
    if (typeof (record as MetricsRecord | null)?.step !== 'number') {
      throw new ConfigError(`Expected a number for ${path}:${line}: step but received "${text.slice(0, 80)}"`);
    }
    start = newline + 1;
    yield { record: record as MetricsRecord, end: start };
  }
}
