import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Slide } from './htmlReport.js';
import type { MetricsRecord } from './metricsWriter.js';

/** Sheets in a page, and bytes of all of them together. */
const MAX_SLIDES = 24;
const MAX_BYTES = 6 * 2 ** 20;
/** Sheets are not made narrower than this to save bytes, px. */
const LEAST_WIDTH = 420;

/** Name of an epoch's contact sheet in `sheets/`. */
export function sheetName(epoch: number): string {
  return `epoch-${String(epoch).padStart(4, '0')}.png`;
}

/**
 * Contact sheets of a run over its epochs, evenly chosen with first and last among them, made smaller where they would
 * swell the page. Sheets of epochs that were not recorded belong to another run and are left out.
 */
export async function sheetSlides(run: string, records: readonly MetricsRecord[]): Promise<Slide[]> {
  const byEpoch = new Map(records.map((record) => [record.step, record]));
  const names = await readdir(join(run, 'sheets')).catch(() => []);
  const epochs = names
    .flatMap((name) => /^epoch-(\d+)\.png$/.exec(name)?.slice(1, 2) ?? [])
    .map(Number)
    .filter((epoch) => byEpoch.has(epoch))
    .sort((a, b) => a - b);
  const chosen = evenly(epochs, MAX_SLIDES);
  const slides: Slide[] = [];
  for (const epoch of chosen) {
    const png = await readFile(join(run, 'sheets', sheetName(epoch))).catch(() => undefined);
    const small = png && (await shrunk(png, MAX_BYTES / chosen.length));
    if (small) slides.push({ png: small, epoch, text: caption(byEpoch.get(epoch) as MetricsRecord) });
  }
  return slides;
}

function caption({ step, mmd, score }: MetricsRecord): string {
  const parts = [
    ...(typeof mmd === 'number' ? [`MMD² ${mmd.toFixed(4)}`] : []),
    ...(typeof score === 'number' ? [`score ${score.toFixed(3)}`] : []),
  ];
  return [`meta-epoch ${step}`, ...parts].join(', ');
}

/** At most `count` of a list, evenly, both ends among them. */
export function evenly<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.round((i * (list.length - 1)) / (count - 1))]);
}

/** The picture in at most `bytes`, as far as its width allows; undefined where it is no picture. */
async function shrunk(png: Uint8Array, bytes: number): Promise<Uint8Array | undefined> {
  const image = await loadImage(Buffer.from(png)).catch(() => undefined);
  if (!image) return undefined;
  let small = png;
  for (let { width } = image; small.length > bytes && width * 0.7 >= LEAST_WIDTH; ) {
    width = Math.round(width * 0.7);
    const canvas = createCanvas(width, Math.round((image.height * width) / image.width));
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    small = await canvas.encode('png');
  }
  return small;
}
