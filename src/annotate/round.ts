/** Pixels, fractions and pose components are given to a ten-thousandth. */
const DECIMALS = 1e4;

/** Rounded for print; −0 becomes 0. */
export function round(value: number): number {
  return Math.round(value * DECIMALS) / DECIMALS + 0;
}
