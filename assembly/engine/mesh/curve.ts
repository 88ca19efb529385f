/**
 * Points of a curve whose curvature changes linearly with the distance (a clothoid), the same rule as `curvePoint` of
 * src/scene/worldFrames.ts: θ(s) = κ·s + κ′·s²/2, p(s) = ∫₀ˢ (sin θ, cos θ) by Gauss–Legendre with 8 points on parts that
 * turn by no more than two radians.
 */
import { cosine, sine } from '../trigonometry';

const DEGREES: f64 = 57.29577951308232;
const PANEL_TURN: f64 = 2;
const MOST_PANELS: f64 = 64;

/**
 * Writes what stands at the distance `along`.
 * @param out f64[4]: x and z of the point, sine and cosine of the direction
 */
export function curvePoint(curvature: f64, rate: f64, along: f64, out: usize): void {
  const angle = (curvature + 0.5 * rate * along) * along;
  store<f64>(out, sine(angle * DEGREES), 16);
  store<f64>(out, cosine(angle * DEGREES), 24);
  // The direction turns fastest at one of the ends.
  const fastest = max(abs(curvature), abs(curvature + rate * along));
  const turn = fastest * abs(along);
  if (turn == 0) {
    store<f64>(out, 0, 0);
    store<f64>(out, along, 8);
    return;
  }
  const panels: f64 = turn < PANEL_TURN * MOST_PANELS ? floor(turn / PANEL_TURN) + 1 : MOST_PANELS;
  const half = (0.5 * along) / panels;
  store<f64>(out, 0, 0);
  store<f64>(out, 0, 8);
  for (let panel: f64 = 0; panel < panels; panel++) {
    const middle = (2 * panel + 1) * half;
    addPair(curvature, rate, middle, half * 0.1834346424956498, 0.362683783378362, out);
    addPair(curvature, rate, middle, half * 0.525532409916329, 0.3137066458778873, out);
    addPair(curvature, rate, middle, half * 0.7966664774136267, 0.2223810344533745, out);
    addPair(curvature, rate, middle, half * 0.9602898564975363, 0.1012285362903763, out);
  }
  store<f64>(out, half * load<f64>(out, 0), 0);
  store<f64>(out, half * load<f64>(out, 8), 8);
}

/** Adds the direction at middle ± reach, weighted. */
function addPair(curvature: f64, rate: f64, middle: f64, reach: f64, weight: f64, out: usize): void {
  const before = middle - reach;
  const behind = middle + reach;
  const a = (curvature + 0.5 * rate * before) * before * DEGREES;
  const b = (curvature + 0.5 * rate * behind) * behind * DEGREES;
  store<f64>(out, load<f64>(out, 0) + weight * (sine(a) + sine(b)), 0);
  store<f64>(out, load<f64>(out, 8) + weight * (cosine(a) + cosine(b)), 8);
}
