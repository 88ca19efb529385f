import { type Colour, type Picture, textHeight, textWidth } from '../picture.js';
import { inkOn } from './labelColours.js';

/** A name that belongs to a box in a picture. */
export interface Tag {
  /** What it says where there is room; cut where there is less. */
  readonly text: string;
  /** What it says where there is very little; default the same. */
  readonly short?: string;
  readonly colour: Colour;
  /** Edges of the box, px; right and bottom lie one past it. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Set on the middle of the box rather than at one of its corners. */
  readonly centred?: boolean;
}

interface Place {
  readonly left: number;
  readonly top: number;
}

/** Px around a tag's letters. */
const PADDING = 2;
/** Longest name that is looked at; of longer ones the ends. */
const MAX_LETTERS = 120;
/** Share of a picture that tags may cover before they get smaller, and of its width that one may take. */
const COVERED = 0.12;
const WIDTH_SHARE = 0.5;
/** Share that they may cover at all; where even short ones take more, the smallest boxes have none. */
const MOST_COVERED = 0.15;

/**
 * Draws tags so that they do not cover each other as long as there is room: each at that corner of its box, outside
 * first, where it overlaps least with those already there; those of small boxes choose first. Where all of them would hide
 * the picture, only the largest boxes have one.
 */
export function placeTags(picture: Picture, tags: readonly Tag[]): void {
  const { size, textOf } = wording(picture, tags);
  const taken: (Place & { readonly width: number; readonly height: number })[] = [];
  const height = tagHeight(size);
  for (const tag of roomFor(picture, tags, size, textOf).sort((a, b) => area(a) - area(b))) {
    const text = textOf(tag);
    const width = textWidth(text, size) + 2 * PADDING;
    const overlap = ({ left, top }: Place) =>
      taken.reduce(
        (sum, other) =>
          sum +
          Math.max(0, Math.min(left + width, other.left + other.width) - Math.max(left, other.left)) *
            Math.max(0, Math.min(top + height, other.top + other.height) - Math.max(top, other.top)),
        0,
      );
    let best: Place | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const wanted of candidates(tag, width, height)) {
      const place = inside(wanted, width, height, picture);
      // A tag that had to be pushed back into the picture may lie over its own object: others are better.
      const pushed = Math.abs(place.left - wanted.left) + Math.abs(place.top - wanted.top);
      const cost = overlap(place) * 4 + pushed;
      if (cost < least) [best, least] = [place, cost];
    }
    if (!best) continue;
    taken.push({ ...best, width, height });
    picture.fill(best.left, best.top, width, height, tag.colour);
    picture.text(text, best.left + PADDING, best.top + PADDING, inkOn(tag.colour), size);
  }
}

/** The tags that there is room for, those of large boxes first. */
function roomFor(picture: Picture, tags: readonly Tag[], size: number, textOf: (tag: Tag) => string): Tag[] {
  let room = MOST_COVERED * picture.width * picture.height;
  return [...tags]
    .sort((a, b) => area(b) - area(a))
    .filter((tag, i) => {
      room -= (textWidth(textOf(tag), size) + 2 * PADDING) * tagHeight(size);
      return room >= 0 || i === 0;
    });
}

/** How large letters are and how much a tag says: as much as leaves most of the picture to be seen. */
function wording(picture: Picture, tags: readonly Tag[]): { size: number; textOf: (tag: Tag) => string } {
  const widest = Math.floor(picture.width * WIDTH_SHARE);
  const cut = (text: string, size: number) => fitted(text, widest - 2 * PADDING, size);
  const choices = [
    { size: 2, textOf: (tag: Tag) => plainText(tag.text) },
    { size: 1, textOf: (tag: Tag) => plainText(tag.text) },
    { size: 1, textOf: (tag: Tag) => cut(tag.text, 1) },
  ];
  const fits = ({ size, textOf }: (typeof choices)[number]) => {
    const widths = tags.map((tag) => textWidth(textOf(tag), size) + 2 * PADDING);
    const covered = widths.reduce((sum, width) => sum + width, 0) * tagHeight(size);
    return Math.max(0, ...widths) <= widest && covered <= COVERED * picture.width * picture.height;
  };
  return choices.find(fits) ?? { size: 1, textOf: (tag) => cut(tag.short ?? tag.text, 1) };
}

function tagHeight(size: number): number {
  return textHeight(size) + 2 * PADDING - size;
}

function area(tag: Tag): number {
  return (tag.right - tag.left) * (tag.bottom - tag.top);
}

/** Places for a tag, the best first. */
function candidates(tag: Tag, width: number, height: number): Place[] {
  const { left, top, right, bottom } = tag;
  const middle = { left: Math.round((left + right - width) / 2), top: Math.round((top + bottom - height) / 2) };
  if (tag.centred) {
    const { left: x, top: y } = middle;
    return [
      middle,
      ...[1, 2, 3].flatMap((step) => [
        { left: x, top: y - step * height },
        { left: x, top: y + step * height },
        { left: x - step * width, top: y },
        { left: x + step * width, top: y },
      ]),
    ];
  }
  return [
    { left, top: top - height },
    { left, top: bottom },
    { left: right - width, top: top - height },
    { left: right - width, top: bottom },
    { left: right, top },
    { left: left - width, top },
    { left: right, top: bottom - height },
    { left: left - width, top: bottom - height },
    { left, top },
    { left, top: bottom - height },
    middle,
  ];
}

function inside({ left, top }: Place, width: number, height: number, picture: Picture): Place {
  return {
    left: Math.max(0, Math.min(left, picture.width - width)),
    top: Math.max(0, Math.min(top, picture.height - height)),
  };
}

/** The text without accents, which the font lacks; of a very long one the two ends. */
function plainText(text: string): string {
  const letters = [...text.normalize('NFD').replace(/\p{M}/gu, '')];
  if (letters.length <= MAX_LETTERS) return letters.join('');
  return [...letters.slice(0, MAX_LETTERS / 2), ...letters.slice(-MAX_LETTERS / 2)].join('');
}

/** The text cut in its middle to a width, so that a number at its end stays. */
export function fitted(text: string, width: number, size: number): string {
  const plain = [...plainText(text)];
  if (textWidth(plain.join(''), size) <= width) return plain.join('');
  for (let kept = plain.length - 1; kept > 2; kept--) {
    const head = Math.ceil(kept / 2);
    const short = `${plain.slice(0, head).join('')}..${plain.slice(plain.length - (kept - head)).join('')}`;
    if (textWidth(short, size) <= width) return short;
  }
  return plain.slice(0, 1).join('');
}
