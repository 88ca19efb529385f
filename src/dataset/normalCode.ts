import { ShapeError } from '../errors.js';

/** Bytes of the components −1 and 1. */
const LARGEST = 255;

/**
 * Normals as the bytes of an RGB image: (n · ½ + ½) · 255, rounded, of the components along x (right, red), y (down, green)
 * and z (away from the camera, blue) of the camera's frame. What the camera sees faces it, so blue is mostly below 128.
 * Where there is no surface all three are 0, which no unit vector comes to.
 * @param normals [H × W × 3] unit vectors, zeros where there is no surface
 * @param into    [H × W × 3] receives the bytes; default: a new array
 * @throws ShapeError when a length is wrong
 */
export function encodeNormals(normals: Float32Array, into: Uint8Array = new Uint8Array(normals.length)): Uint8Array {
  if (normals.length % 3 !== 0 || into.length !== normals.length) {
    throw new ShapeError(
      `Expected three entries a pixel for the normals, and as many for their bytes, but received ${normals.length} and ${into.length}`,
    );
  }
  for (let i = 0; i < normals.length; i += 3) {
    const isThere = normals[i] !== 0 || normals[i + 1] !== 0 || normals[i + 2] !== 0;
    for (let c = 0; c < 3; c++) into[i + c] = isThere ? byteOf(normals[i + c]) : 0;
  }
  return into;
}

function byteOf(component: number): number {
  return Math.min(LARGEST, Math.max(0, Math.round((component * 0.5 + 0.5) * LARGEST)));
}

/** The component of a unit vector that a byte stands for, to within 0.002. */
export function normalComponent(byte: number): number {
  return (2 * byte) / LARGEST - 1;
}
