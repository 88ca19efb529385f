import { DatasetError } from '../../errors.js';

/** Longer lines are refused: 64 MiB. */
const MAX_LINE_BYTES = 2 ** 26;
const NEWLINE = 0x0a;

/** A line of a text file. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without its end (`\n` or `\r\n`). */
  readonly text: string;
}

/**
 * Cuts a stream of bytes into lines; memory is that of the longest line. A last line needs no end.
 * @param place name of the file, for errors
 * @throws DatasetError, naming file and line, when a line is not UTF-8 or longer than 64 MiB, or the stream fails
 */
export async function* readLines(pieces: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  const line = (end: Uint8Array): TextLine => {
    number++;
    const bytes = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    restBytes = 0;
    try {
      return { number, text: decoder.decode(bytes).replace(/\r$/, '') };
    } catch (cause) {
      throw new DatasetError(`Expected UTF-8 in ${place}:${number} but received other bytes`, { cause });
    }
  };
  for await (const piece of readable(pieces, place)) {
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      yield line(piece.subarray(start, end));
      start = end + 1;
    }
    if (start === piece.length) continue;
    rest.push(piece.subarray(start));
    restBytes += piece.length - start;
    if (restBytes > MAX_LINE_BYTES) {
      throw new DatasetError(`Expected at most ${MAX_LINE_BYTES} bytes for the line ${place}:${number + 1}`);
    }
  }
  if (restBytes > 0) yield line(new Uint8Array(0));
}

async function* readable(pieces: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (cause) {
    throw new DatasetError(`Expected a readable file at ${place} but received: ${(cause as Error).message}`, { cause });
  }
}
