import type { Colour } from '../picture.js';

/** Okabe and Ito's colours from the brightest on, told apart also by colour-blind readers. */
const CLASS_COLOURS: readonly Colour[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [213, 94, 0],
  [204, 121, 167],
  [0, 114, 178],
];
/** Steps of this many degrees around the colour circle never come close to an earlier one for long. */
const GOLDEN_ANGLE = 137.508;

/** Colour of a class by its position among the things; the first seven are easy to tell apart. */
export function classColour(position: number): Colour {
  return CLASS_COLOURS[position] ?? hueColour(position * GOLDEN_ANGLE, 0.6, 0.95);
}

/** Colour of an instance by its number: neighbours in number are far apart in hue. */
export function instanceColour(instance: number): Colour {
  return hueColour(instance * GOLDEN_ANGLE, 0.85, instance % 2 === 0 ? 1 : 0.8);
}

/** Black or white, whichever is easier to read on a colour. */
export function inkOn([red, green, blue]: Colour): Colour {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? [0, 0, 0] : [255, 255, 255];
}

/** HSV to RGB. @param hue degrees; saturation and value 0–1 */
export function hueColour(hue: number, saturation: number, value: number): Colour {
  const part = (offset: number) => {
    const k = (offset + hue / 60) % 6;
    return Math.round(255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [part(5), part(3), part(1)];
}
