import { ConfigError } from '../errors.js';
import { type Colour, type ImageStack, Picture, textHeight, textWidth } from './picture.js';

/** A block of images under one heading, e.g. "input", "generated" or "target". */
export interface SheetGroup {
  readonly title: string;
  readonly images: ImageStack;
  /** One line under each image; those without an entry have none. */
  readonly captions?: readonly string[];
}

/** How a sheet is laid out. */
export interface SheetOptions {
  /** Blocks, from left to right. */
  readonly groups: readonly SheetGroup[];
  /** Rows of images; default as many as the fullest block needs, at most 8. */
  readonly rows?: number;
  /** Images side by side in a block; default 1. */
  readonly columns?: number;
  /** Size of an image pixel in the sheet, px; default so that an image is about 96 wide. */
  readonly scale?: number;
  /** Line above everything. */
  readonly title?: string;
}

const PAPER: Colour = [250, 250, 248];
const INK: Colour = [40, 40, 40];
const FAINT: Colour = [120, 120, 120];
const FRAME: Colour = [205, 205, 200];
const MARGIN = 16;
/** Between the images of a block, and between blocks. */
const GAP = 6;
const GROUP_GAP = 24;
const TITLE_SIZE = 2;
const AIM_WIDTH = 96;
const DEFAULT_ROWS = 8;

/**
 * Images side by side as one PNG, in the manner of the paper's figures 7 and 8: a block a group, the first rows ×
 * columns images of each, enlarged without smoothing so that single pixels can be seen.
 * @throws ConfigError when there is no group or a count is not a positive integer
 */
export function contactSheet(options: SheetOptions): Uint8Array {
  const { groups, columns = 1, title } = options;
  if (groups.length === 0) throw new ConfigError('Expected at least one group for the contact sheet but received none');
  const fullest = Math.max(...groups.map((group) => Math.ceil(group.images.count / columns)));
  const rows = options.rows ?? Math.max(1, Math.min(DEFAULT_ROWS, fullest));
  for (const [name, value] of Object.entries({ rows, columns, scale: options.scale ?? 1 })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ConfigError(`Expected an integer ≥ 1 for the contact sheet's ${name} but received ${value}`);
    }
  }
  const captioned = groups.some((group) => (group.captions?.length ?? 0) > 0);
  const blocks = groups.map((group) => block(group, columns, options.scale));
  const captionHeight = captioned ? textHeight() + 3 : 0;
  const cellHeight = Math.max(...blocks.map((b) => b.cellHeight)) + captionHeight;
  const head = title ? textHeight(TITLE_SIZE) + 12 : 0;
  const subhead = textHeight(TITLE_SIZE) + 6;
  const width = Math.max(
    2 * MARGIN + blocks.reduce((sum, b) => sum + b.width, 0) + GROUP_GAP * (blocks.length - 1),
    2 * MARGIN + textWidth(title ?? '', TITLE_SIZE),
  );
  const height = 2 * MARGIN + head + subhead + rows * cellHeight + (rows - 1) * GAP;

  const picture = new Picture(width, height, PAPER);
  if (title) picture.text(title, MARGIN, MARGIN, INK, TITLE_SIZE);
  let left = MARGIN;
  for (const [g, group] of groups.entries()) {
    const { scale, cellWidth, titleSize } = blocks[g];
    picture.text(group.title, left, MARGIN + head, FAINT, titleSize);
    const shown = Math.min(group.images.count, rows * columns);
    for (let i = 0; i < shown; i++) {
      const x = left + (i % columns) * (cellWidth + GAP);
      const y = MARGIN + head + subhead + Math.floor(i / columns) * (cellHeight + GAP);
      const w = group.images.width * scale;
      const h = group.images.height * scale;
      picture.fill(x - 1, y - 1, w + 2, h + 2, FRAME);
      picture.image(group.images, i, x, y, scale);
      const caption = group.captions?.[i];
      if (caption) picture.text(fit(caption, cellWidth), x, y + h + 4, FAINT);
    }
    left += blocks[g].width + GROUP_GAP;
  }
  return picture.png();
}

/** Sizes of a group's block. */
function block(group: SheetGroup, columns: number, wanted: number | undefined) {
  const scale = wanted ?? Math.max(1, Math.round(AIM_WIDTH / group.images.width));
  const cellWidth = group.images.width * scale;
  const gridWidth = columns * cellWidth + (columns - 1) * GAP;
  const titleSize = textWidth(group.title, TITLE_SIZE) <= gridWidth + GROUP_GAP / 2 ? TITLE_SIZE : 1;
  return {
    scale,
    cellWidth,
    cellHeight: group.images.height * scale,
    titleSize,
    width: Math.max(gridWidth, textWidth(group.title, titleSize)),
  };
}

/** As much of a line as fits into `width`. */
function fit(line: string, width: number): string {
  if (textWidth(line) <= width) return line;
  let short = [...line];
  while (short.length > 1 && textWidth(`${short.join('')}..`) > width) short = short.slice(0, -1);
  return `${short.join('')}..`;
}
