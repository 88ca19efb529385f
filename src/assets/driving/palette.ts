import type { Colour } from '../aerial/painter.js';
import type { Tint } from './meshBuilder.js';

/** 0–255 as 0–1. */
export function tint([red, green, blue]: Colour, factor = 1): Tint {
  return [clamp((red / 255) * factor), clamp((green / 255) * factor), clamp((blue / 255) * factor)];
}

/** A grey tint: how much light reaches a place. */
export function light(share: number): Tint {
  return [share, share, share];
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/**
 * Paints of cars by their share on roads: new registrations in Germany in the 2000s were about a third silver and grey, a
 * third black, then blue, red, white, and a few of everything else (KBA statistics of registrations by colour).
 */
export const PAINTS: readonly (readonly [weight: number, colour: Colour])[] = [
  [15, [158, 162, 166]],
  [8, [182, 186, 188]],
  [9, [104, 108, 113]],
  [8, [64, 67, 72]],
  [16, [26, 27, 30]],
  [5, [36, 38, 46]],
  [13, [218, 219, 217]],
  [7, [30, 46, 88]],
  [4, [58, 92, 142]],
  [3, [108, 134, 164]],
  [7, [148, 26, 30]],
  [3, [98, 22, 30]],
  [3, [32, 66, 52]],
  [2, [140, 130, 104]],
  [1.5, [98, 74, 56]],
  [1.5, [214, 182, 40]],
  [1, [204, 98, 34]],
];
