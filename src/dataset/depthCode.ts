import { ShapeError } from '../errors.js';

/**
 * Depth in 16 bits as KITTI's development kits of depth and stereo define it: metres along the camera's axis × 256, 0 where
 * there is no value. So a step is 3.9 mm and the largest value just under 256 m.
 */
export const DEPTH_STEPS = 256;
const LARGEST = 65535;

/**
 * Codes of depths. What lies beyond 65,535 ∕ 256 m has no value, as the sky: a clamped one would be wrong.
 * @param depth   [H × W] m; 0, or what is not finite, where there is nothing
 * @param into    [H × W] receives the codes; default: a new array
 * @throws ShapeError when `into` has another length
 */
export function encodeDepth(depth: Float32Array, into: Uint16Array = new Uint16Array(depth.length)): Uint16Array {
  if (into.length !== depth.length) {
    throw new ShapeError(`Expected ${depth.length} entries for the depth codes but received ${into.length}`);
  }
  for (let i = 0; i < depth.length; i++) {
    const code = Math.round(depth[i] * DEPTH_STEPS);
    // What is nearer than half a step is still there; NaN fails every comparison.
    into[i] = depth[i] > 0 && code <= LARGEST ? Math.max(1, code) : 0;
  }
  return into;
}

/** Metres of a code; NaN for 0, no value. */
export function depthOf(code: number): number {
  return code === 0 ? Number.NaN : code / DEPTH_STEPS;
}
