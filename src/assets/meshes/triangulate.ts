/**
 * Cuts a flat polygon into triangles by ears: a corner is cut off when it is convex and no other corner lies in its
 * triangle. Where none is left (crossing or collapsed outlines), the rest becomes a fan.
 * @param points [N × 3] corners in order
 * @returns [(N − 2) × 3] numbers of corners, in the polygon's order of rotation
 */
export function triangulate(points: readonly number[]): number[] {
  const rest = Array.from({ length: points.length / 3 }, (_, i) => i);
  const triangles: number[] = [];
  if (rest.length > 3) {
    const flat = flattened(points);
    const cross = (a: number, b: number, c: number) =>
      (flat[2 * b] - flat[2 * a]) * (flat[2 * c + 1] - flat[2 * a + 1]) -
      (flat[2 * b + 1] - flat[2 * a + 1]) * (flat[2 * c] - flat[2 * a]);
    const inside = (p: number, a: number, b: number, c: number) =>
      cross(a, b, p) >= 0 && cross(b, c, p) >= 0 && cross(c, a, p) >= 0;
    const isEar = (k: number) => {
      const [a, b, c] = [rest.at(k - 1) as number, rest[k], rest[(k + 1) % rest.length]];
      if (!(cross(a, b, c) > 0)) return false;
      return rest.every((p) => p === a || p === b || p === c || !inside(p, a, b, c));
    };
    while (rest.length > 3) {
      // From the second corner, so that a convex polygon becomes a fan around its first.
      let ear = 1;
      while (ear <= rest.length && !isEar(ear % rest.length)) ear++;
      if (ear > rest.length) break;
      ear %= rest.length;
      triangles.push(rest.at(ear - 1) as number, rest[ear], rest[(ear + 1) % rest.length]);
      rest.splice(ear, 1);
    }
  }
  for (let k = 1; k + 1 < rest.length; k++) triangles.push(rest[0], rest[k], rest[k + 1]);
  return triangles;
}

/** The two coordinates in which the polygon is largest, so that it runs counter-clockwise. */
function flattened(points: readonly number[]): number[] {
  const normal = [0, 0, 0];
  for (let i = 0; i < points.length; i += 3) {
    const j = (i + 3) % points.length;
    // Newell: twice the area of each projection.
    for (let c = 0; c < 3; c++) {
      const [a, b] = [(c + 1) % 3, (c + 2) % 3];
      normal[c] += (points[i + a] - points[j + a]) * (points[i + b] + points[j + b]);
    }
  }
  const largest = normal.map(Math.abs).indexOf(Math.max(...normal.map(Math.abs)));
  const [a, b] = normal[largest] >= 0 ? [(largest + 1) % 3, (largest + 2) % 3] : [(largest + 2) % 3, (largest + 1) % 3];
  const flat: number[] = [];
  for (let i = 0; i < points.length; i += 3) flat.push(points[i + a], points[i + b]);
  return flat;
}
