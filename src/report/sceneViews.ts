import { hueColour, instanceColour } from './inspect/labelColours.js';

/** Hues of the nearest and the farthest surface, degrees: red and blue. */
const NEAR_HUE = 0;
const FAR_HUE = 250;

/**
 * Depth to look at: hues from red, the nearest surface of the image, over yellow and green to blue, the farthest, evenly in
 * the logarithm of the distance; the sky is black.
 * @param depth [H × W] m, 0 where there is nothing
 * @returns [H × W × 3] bytes
 */
export function depthView(depth: Float32Array): Uint8Array {
  let nearest = Number.POSITIVE_INFINITY;
  let farthest = 0;
  for (const metres of depth) {
    if (!(metres > 0)) continue;
    nearest = Math.min(nearest, metres);
    farthest = Math.max(farthest, metres);
  }
  const range = Math.log(farthest / nearest);
  const view = new Uint8Array(3 * depth.length);
  for (const [i, metres] of depth.entries()) {
    if (!(metres > 0)) continue;
    const part = range > 0 ? Math.log(metres / nearest) / range : 0;
    view.set(hueColour(NEAR_HUE + part * (FAR_HUE - NEAR_HUE), 0.9, 1 - 0.5 * part), 3 * i);
  }
  return view;
}

/**
 * Instances to look at: a colour for each node, black where there is none.
 * @param instances [H × W] node index + 1, 0 where there is none
 * @returns [H × W × 3] bytes
 */
export function instanceView(instances: Uint16Array): Uint8Array {
  const view = new Uint8Array(3 * instances.length);
  for (const [i, id] of instances.entries()) if (id > 0) view.set(instanceColour(id), 3 * i);
  return view;
}
