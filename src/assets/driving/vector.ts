/** A point or direction, m: x right, y down, z forward. */
export type Vector = readonly [number, number, number];

export function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vector, factor: number): Vector {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function length(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** The unit vector along `a`; straight up where `a` has no direction. */
export function unit(a: Vector): Vector {
  const size = length(a);
  return size > 0 ? scale(a, 1 / size) : [0, -1, 0];
}

/** `a` for share 0, `b` for share 1. */
export function between(a: Vector, b: Vector, share: number): Vector {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

/** Two unit vectors that span the plane across `axis`. */
export function across(axis: Vector): readonly [Vector, Vector] {
  const aside: Vector = Math.abs(axis[1]) < 0.9 ? [0, 1, 0] : [0, 0, 1];
  const first = unit(cross(aside, axis));
  return [first, unit(cross(axis, first))];
}
