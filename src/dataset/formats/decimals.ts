/** Numbers in the text files of detection formats. */

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Boxes that were computed from text are given to a ten-thousandth of a pixel. */
const BOX_DECIMALS = 1e4;

/** A finite number as C, Python and JavaScript write it; undefined for all else: `nan`, `1e400`, `0x10`, nothing. */
export function parseDecimal(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A number with at most so many decimals, without zeros at its end and never with an exponent. */
export function formatDecimal(value: number, decimals: number): string {
  const fixed = value.toFixed(decimals);
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/**
 * The part of a box that lies on the canvas.
 * @param edges left, top, right, bottom, px
 * @param tolerance edges as near as this to a whole pixel are meant to be there, px
 * @returns [left, top, width, height], px; undefined when nothing is left
 */
export function boxOnCanvas(
  edges: readonly [number, number, number, number],
  width: number,
  height: number,
  tolerance = 0,
): [number, number, number, number] | undefined {
  const [left, top, right, bottom] = edges.map((edge, i) => {
    const whole = Math.round(edge);
    const snapped = Math.abs(edge - whole) <= tolerance ? whole : edge;
    return Math.min(Math.max(snapped, 0), i % 2 === 0 ? width : height);
  });
  const box = [left, top, right - left, bottom - top].map(
    (value) => Math.round(value * BOX_DECIMALS) / BOX_DECIMALS + 0,
  );
  return box[2] > 0 && box[3] > 0 ? (box as [number, number, number, number]) : undefined;
}
