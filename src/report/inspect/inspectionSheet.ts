import type { DatasetInfo } from '../../dataset/sample.js';
import { DatasetError } from '../../errors.js';
import { type Colour, Picture, textHeight, textWidth } from '../picture.js';
import { classColour } from './labelColours.js';
import { labelTile, type ShownSample, type TileStyle } from './labelTile.js';
import { fitted } from './tags.js';
import { tileScale, tileSize } from './tileScale.js';

/** Widest sheet, px, unless a single tile is wider: the width of a report's column, where it is shown pixel for pixel. */
const SHEET_WIDTH = 1078;
const MARGIN = 8;
const GAP = 6;
const CAPTION = textHeight() + 3;
const PAPER: Colour = [250, 250, 248];
const INK: Colour = [40, 40, 40];
const FAINT: Colour = [110, 110, 110];
/** Classes that the legend names. */
const LEGEND_CLASSES = 28;
const SWATCH = 14;

/** A sheet and where its tiles are. */
export interface InspectionSheet {
  readonly picture: Picture;
  /** Top left corner of each sample's tile, px. */
  readonly tiles: readonly (readonly [left: number, top: number])[];
}

/**
 * Samples side by side with their labels drawn, each named by its key; above them, for boxes, which colour is which
 * class.
 * @throws DatasetError when there is no sample
 */
export function inspectionSheet(samples: readonly ShownSample[], info: DatasetInfo, style: TileStyle): InspectionSheet {
  if (samples.length === 0) throw new DatasetError('Expected at least one sample to show but received none');
  const sizes = samples.map(({ image }) => tileSize(tileScale(image.width, image.height), image.width, image.height));
  const cellWidth = Math.max(...sizes.map(({ width }) => width));
  const columns = Math.min(
    samples.length,
    Math.max(1, Math.floor((SHEET_WIDTH - 2 * MARGIN + GAP) / (cellWidth + GAP))),
  );
  const width = Math.max(2 * MARGIN + columns * (cellWidth + GAP) - GAP, 4 * SWATCH);
  const legend = style === 'boxes' || style === 'boxes3d' ? legendPlaces(info, width) : { entries: [], height: 0 };

  const tiles: [number, number][] = [];
  let top = MARGIN + legend.height;
  for (let first = 0; first < samples.length; first += columns) {
    const row = sizes.slice(first, first + columns);
    for (let column = 0; column < row.length; column++) tiles.push([MARGIN + column * (cellWidth + GAP), top]);
    top += Math.max(...row.map(({ height }) => height)) + CAPTION + GAP;
  }

  const picture = new Picture(width, top - GAP + MARGIN, PAPER);
  for (const { left, top: y, text, colour } of legend.entries) {
    picture.fill(left, y, SWATCH, textHeight(), colour);
    picture.text(text, left + SWATCH + 4, y, INK);
  }
  for (const [i, sample] of samples.entries()) {
    const [x, y] = tiles[i];
    picture.paste(labelTile(sample, info, style), x, y);
    picture.text(fitted(sample.labels.key, cellWidth, 1), x, y + sizes[i].height + 2, FAINT);
  }
  return { picture, tiles };
}

/** Where the legend's entries stand, in lines of the sheet's width. */
function legendPlaces(info: DatasetInfo, width: number) {
  const entries: { left: number; top: number; text: string; colour: Colour }[] = [];
  const shown = info.things.slice(0, LEGEND_CLASSES);
  let left = MARGIN;
  let top = MARGIN;
  for (const [position, name] of shown.entries()) {
    const text = fitted(name, Math.min(200, width - 2 * MARGIN - SWATCH - 4), 1);
    const entryWidth = SWATCH + 4 + textWidth(text);
    if (left > MARGIN && left + entryWidth > width - MARGIN) {
      left = MARGIN;
      top += textHeight() + 4;
    }
    entries.push({ left, top, text, colour: classColour(position) });
    left += entryWidth + 14;
  }
  return { entries, height: entries.length > 0 ? top - MARGIN + textHeight() + 10 : 0 };
}
