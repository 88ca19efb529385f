import type { MeshPlacement } from '../../config.js';
import { AssetError, ConfigError } from '../../errors.js';
import type { MeshBox } from '../meshAsset.js';

/** Keys of {@link MeshPlacement} that say how large a model is. */
export const SIZE_KEYS = ['scale', 'width', 'height', 'length'] as const;

/** Longest side of a model, m: labels have four decimals, and images of float32 no room for more than this. */
const SMALLEST = 0.001;
const LARGEST = 1e6;

/** File's frame → the asset's frame, which is a turn by quarters, a factor and a shift. */
export interface Placement {
  /** [3 × 3] row-major, metres a unit. */
  readonly turn: readonly number[];
  /** m */
  readonly offset: readonly [number, number, number];
  /** Corners of the placed model's box, m. */
  readonly minimum: readonly [number, number, number];
  readonly maximum: readonly [number, number, number];
}

/**
 * Where a model comes to stand: turned so that its up is −y and its forward z, scaled, and put with its lowest point on
 * y = 0 and the middle of its footprint on the origin.
 * @param clouds positions [NV × 3] and the vertices that are used, in units of the file
 * @param name of the model, for errors
 * @throws ConfigError when up and forward are on one line, or more than one size is given; AssetError when the model has no
 *   extent along the size that is given, or is out of all measure (1 mm to 1000 km)
 */
export function placementOf(
  clouds: readonly { readonly positions: Float32Array; readonly indices: Uint32Array }[],
  { up = 'y', forward = up.endsWith('z') ? '-y' : 'z', ground = true, ...size }: MeshPlacement,
  name: string,
): Placement {
  const axes = axesOf(up, forward, name);
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const { positions, indices } of clouds) {
    for (const vertex of indices) {
      for (let row = 0; row < 3; row++) {
        const value = along(axes, row, positions, vertex);
        if (value < low[row]) low[row] = value;
        if (value > high[row]) high[row] = value;
      }
    }
  }
  const sides = [high[0] - low[0], high[1] - low[1], high[2] - low[2]];
  const factor = factorOf(size, sides, name);
  const largest = factor * Math.max(...sides);
  if (!(largest >= SMALLEST && largest <= LARGEST)) {
    throw new AssetError(
      `Expected a model of ${SMALLEST} to ${LARGEST} m for ${name} but received one of ${largest}; its scale, length, width or height say otherwise`,
    );
  }
  const shift = ground ? [-(low[0] + high[0]) / 2, -high[1], -(low[2] + high[2]) / 2] : [0, 0, 0];
  const corner = (values: readonly number[]) =>
    // In the very steps of placePositions, so that vertices lie on the box.
    [0, 1, 2].map((row) => Math.fround(factor * values[row] + factor * shift[row])) as [number, number, number];
  return {
    turn: axes.map((value) => value * factor),
    offset: shift.map((value) => factor * value) as [number, number, number],
    minimum: corner(low),
    maximum: corner(high),
  };
}

/**
 * The part of a placed model that labels measure, where its settings say how large that is: in the middle of the model's
 * width and length, and upwards from its lowest point.
 * @param name of the model, for errors
 * @throws ConfigError when a side is longer than the model's
 */
export function bodyOf(
  { minimum, maximum }: MeshBox,
  { bodyWidth, bodyHeight, bodyLength }: MeshPlacement,
  name: string,
): { readonly body?: MeshBox } {
  const sides = { bodyWidth, bodyHeight, bodyLength };
  const given = Object.entries(sides);
  if (given.every(([, side]) => side === undefined)) return {};
  const [low, high] = [[...minimum], [...maximum]] as [[number, number, number], [number, number, number]];
  for (const [axis, [key, side]] of given.entries()) {
    const own = high[axis] - low[axis];
    if (side === undefined) continue;
    if (side > own * (1 + 1e-6)) {
      throw new ConfigError(`Expected at most ${own} m, the model's own, for ${key} of ${name} but received ${side}`);
    }
    const spare = Math.max(0, own - side);
    // y points down.
    low[axis] += axis === 1 ? spare : spare / 2;
    high[axis] -= axis === 1 ? 0 : spare / 2;
  }
  return { body: { minimum: low, maximum: high } };
}

/** Positions in the asset's frame, m. */
export function placePositions({ turn, offset }: Placement, positions: Float32Array): Float32Array {
  const placed = new Float32Array(positions.length);
  for (let i = 0; i < placed.length; i++) placed[i] = along(turn, i % 3, positions, Math.floor(i / 3)) + offset[i % 3];
  return placed;
}

/** Unit normals in the asset's frame. */
export function turnNormals({ turn }: Placement, normals: Float32Array): Float32Array {
  const axes = turn.map(Math.sign);
  return normals.map((_, i) => along(axes, i % 3, normals, Math.floor(i / 3)));
}

function along(rows: readonly number[], row: number, values: Float32Array, vertex: number): number {
  const [x, y, z] = [values[3 * vertex], values[3 * vertex + 1], values[3 * vertex + 2]];
  return rows[3 * row] * x + rows[3 * row + 1] * y + rows[3 * row + 2] * z;
}

/** Rows right, down, forward. */
function axesOf(up: string, forward: string, name: string): number[] {
  const unit = (axis: string) =>
    ['x', 'y', 'z'].map((letter) => (axis.endsWith(letter) ? (axis.length > 1 ? -1 : 1) : 0));
  const [u, f] = [unit(up), unit(forward)];
  // right = down × forward, so that the frame is right-handed and nothing is mirrored.
  const right = [u[2] * f[1] - u[1] * f[2], u[0] * f[2] - u[2] * f[0], u[1] * f[0] - u[0] * f[1]];
  if (right.every((value) => value === 0)) {
    throw new ConfigError(`Expected up and forward on different axes for ${name} but received ${up} and ${forward}`);
  }
  return [...right, ...u.map((value) => -value), ...f];
}

function factorOf(
  size: Pick<MeshPlacement, (typeof SIZE_KEYS)[number]>,
  [width, height, length]: readonly number[],
  name: string,
): number {
  const given = SIZE_KEYS.filter((key) => size[key] !== undefined);
  if (given.length > 1)
    throw new ConfigError(`Expected one of ${SIZE_KEYS.join(', ')} for ${name} but received ${given.join(' and ')}`);
  const [key] = given;
  const value = size[key] ?? 1;
  if (key === undefined || key === 'scale') return value;
  const extent = { width, height, length }[key];
  if (!(extent > 0)) throw new AssetError(`Expected a model that has a ${key} for ${name} but received a flat one`);
  return value / extent;
}
