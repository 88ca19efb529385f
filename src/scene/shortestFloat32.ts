/** 10^k, exact in float64. */
const POWERS = Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));
/** Whole numbers below have at most six digits. */
const SIX_DIGITS = 1e6;
/** Digits that always suffice for a float32, and those that are tried before. */
const MOST_DIGITS = 9;
const FEWEST_DIGITS = 6;

/**
 * The shortest decimal of at least six digits that rounds to the same float32: 0.1, not 0.10000000149011612.
 * @param value a float32
 */
export function shortestFloat32(value: number): number {
  const size = Math.abs(value);
  if (size < SIX_DIGITS && Math.floor(size) === size) return value + 0;
  // Digits before the point; 0 and less: zeros behind it.
  let whole = 0;
  if (size >= 1) while (whole < 7 && size >= POWERS[whole]) whole++;
  else while (whole > -7 && size * POWERS[1 - whole] < 1) whole--;
  // An integer below 2^53 over a power of ten up to 10^22 is the decimal itself, correctly rounded.
  if (whole === 7 || whole === -7) return shortestSlowly(value);
  for (let digits = FEWEST_DIGITS; digits <= MOST_DIGITS; digits++) {
    const power = POWERS[digits - whole];
    const short = Math.round(value * power) / power;
    if (Math.fround(short) === value) return short + 0;
  }
  return shortestSlowly(value);
}

/** For very large and very small numbers. */
function shortestSlowly(value: number): number {
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short + 0;
  }
  return Number(value.toPrecision(MOST_DIGITS)) + 0;
}
