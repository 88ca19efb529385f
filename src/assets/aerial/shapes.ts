/**
 * Plane shapes as signed distances: negative inside, positive outside, in units. Formulas are the usual ones of
 * computer graphics (J. C. Hart, "Sphere tracing", 1996, for the set operations); where a union makes them bounds
 * rather than distances, they are exact at the outline, which is all that painting needs.
 */
export interface Shape {
  /** Signed distance of a point, units. */
  readonly distance: (x: number, y: number) => number;
  /** Left, top, right, bottom of a rectangle that holds the shape. */
  readonly bounds: readonly [number, number, number, number];
}

export type Point = readonly [number, number];

/** A disc. */
export function disc(cx: number, cy: number, radius: number): Shape {
  return {
    distance: (x, y) => length(x - cx, y - cy) - radius,
    bounds: [cx - radius, cy - radius, cx + radius, cy + radius],
  };
}

/** An upright rectangle with rounded corners; `rx`, `ry` are half its sides. */
export function box(cx: number, cy: number, rx: number, ry: number, rounding = 0): Shape {
  return {
    distance: (x, y) => {
      const dx = Math.abs(x - cx) - rx + rounding;
      const dy = Math.abs(y - cy) - ry + rounding;
      return length(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - rounding;
    },
    bounds: [cx - rx, cy - ry, cx + rx, cy + ry],
  };
}

/** A line with round ends. */
export function line([x0, y0]: Point, [x1, y1]: Point, radius: number): Shape {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const squared = dx * dx + dy * dy;
  return {
    distance: (x, y) => {
      const t = squared > 0 ? Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / squared)) : 0;
      return length(x - x0 - t * dx, y - y0 - t * dy) - radius;
    },
    bounds: [
      Math.min(x0, x1) - radius,
      Math.min(y0, y1) - radius,
      Math.max(x0, x1) + radius,
      Math.max(y0, y1) + radius,
    ],
  };
}

/** A simple polygon, its corners rounded outwards by `rounding`. */
export function polygon(points: readonly Point[], rounding = 0): Shape {
  const xs = Float64Array.from(points, ([x]) => x);
  const ys = Float64Array.from(points, ([, y]) => y);
  const count = points.length;
  return {
    distance: (x, y) => {
      let nearest = Number.POSITIVE_INFINITY;
      let inside = false;
      for (let i = 0, j = count - 1; i < count; j = i++) {
        const ax = xs[i];
        const ay = ys[i];
        const by = ys[j];
        const ex = xs[j] - ax;
        const ey = by - ay;
        const px = x - ax;
        const py = y - ay;
        const t = Math.min(1, Math.max(0, (px * ex + py * ey) / (ex * ex + ey * ey)));
        const qx = px - t * ex;
        const qy = py - t * ey;
        nearest = Math.min(nearest, qx * qx + qy * qy);
        if (ay > y !== by > y && x < ((y - ay) / ey) * ex + ax) inside = !inside;
      }
      const distance = Math.sqrt(nearest);
      return (inside ? -distance : distance) - rounding;
    },
    bounds: [
      Math.min(...xs) - rounding,
      Math.min(...ys) - rounding,
      Math.max(...xs) + rounding,
      Math.max(...ys) + rounding,
    ],
  };
}

/** A polygon with corners at (x, ±y): given from front to back by its upper half. */
export function mirrored(half: readonly Point[], rounding = 0): Shape {
  const lower = [...half].reverse().map(([x, y]): Point => [x, -y]);
  return polygon([...half, ...lower], rounding);
}

export function union(...shapes: readonly Shape[]): Shape {
  return {
    distance: (x, y) =>
      shapes.reduce((least, shape) => Math.min(least, shape.distance(x, y)), Number.POSITIVE_INFINITY),
    bounds: [
      Math.min(...shapes.map(({ bounds }) => bounds[0])),
      Math.min(...shapes.map(({ bounds }) => bounds[1])),
      Math.max(...shapes.map(({ bounds }) => bounds[2])),
      Math.max(...shapes.map(({ bounds }) => bounds[3])),
    ],
  };
}

/** What is in both. */
export function intersection(a: Shape, b: Shape): Shape {
  return {
    distance: (x, y) => Math.max(a.distance(x, y), b.distance(x, y)),
    bounds: [
      Math.max(a.bounds[0], b.bounds[0]),
      Math.max(a.bounds[1], b.bounds[1]),
      Math.min(a.bounds[2], b.bounds[2]),
      Math.min(a.bounds[3], b.bounds[3]),
    ],
  };
}

/** A shape grown by `by` units (shrunk when negative). */
export function grown(shape: Shape, by: number): Shape {
  const [left, top, right, bottom] = shape.bounds;
  return { distance: (x, y) => shape.distance(x, y) - by, bounds: [left - by, top - by, right + by, bottom + by] };
}

/** A shape moved by (dx, dy). */
export function moved(shape: Shape, dx: number, dy: number): Shape {
  const [left, top, right, bottom] = shape.bounds;
  return { distance: (x, y) => shape.distance(x - dx, y - dy), bounds: [left + dx, top + dy, right + dx, bottom + dy] };
}

function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}
