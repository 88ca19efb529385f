/** A non-horizontal side of a polygon, from its upper end down. */
interface Side {
  /** First and past-the-last row whose pixel centres it passes. */
  readonly first: number;
  readonly end: number;
  /** Its upper end, and how far x moves from one row to the next. */
  readonly x: number;
  readonly y: number;
  readonly slope: number;
}

/**
 * Fills a polygon by the even-odd rule: a pixel belongs to it when its centre (x + 0.5, y + 0.5) does. Centres on a left
 * or upper side are inside, on a right or lower one outside, so polygons that share a side share no pixel. The polygon
 * is closed from its last point to its first; it may cross itself, touch itself and leave the canvas. A bridge that is
 * walked there and back covers nothing.
 * @param points [2P] x and y of each point in turn, px from the top left corner of the canvas; finite
 * @param visit called with row, first column and past-the-last column of every run of pixels, top to bottom and left to
 *   right, within the canvas
 */
export function fillPolygon(
  points: ArrayLike<number>,
  width: number,
  height: number,
  visit: (y: number, from: number, to: number) => void,
): void {
  const sides = sidesOf(points, height);
  let active: Side[] = [];
  let next = 0;
  for (let y = sides[0]?.first ?? height; y < height; y++) {
    active = active.filter(({ end }) => end > y);
    while (next < sides.length && sides[next].first <= y) active.push(sides[next++]);
    if (active.length === 0) {
      if (next === sides.length) return;
      continue;
    }
    const crossings = Float64Array.from(active, (side) => side.x + (y + 0.5 - side.y) * side.slope).sort();
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i] - 0.5));
      const to = Math.min(width, Math.ceil(crossings[i + 1] - 0.5));
      if (from < to) visit(y, from, to);
    }
  }
}

/** The sides that pass pixel centres of rows 0 … height − 1, by their first row. */
function sidesOf(points: ArrayLike<number>, height: number): Side[] {
  const sides: Side[] = [];
  const count = points.length >> 1;
  for (let i = 0; i < count; i++) {
    const j = i + 1 === count ? 0 : i + 1;
    // Always from the upper end: a bridge crosses a row at the very same x on its way there and back.
    const [upper, lower] = points[2 * i + 1] <= points[2 * j + 1] ? [i, j] : [j, i];
    const [x, y] = [points[2 * upper], points[2 * upper + 1]];
    const first = Math.max(0, Math.ceil(y - 0.5));
    const end = Math.min(height, Math.ceil(points[2 * lower + 1] - 0.5));
    if (first >= end) continue;
    sides.push({ first, end, x, y, slope: (points[2 * lower] - x) / (points[2 * lower + 1] - y) });
  }
  return sides.sort((a, b) => a.first - b.first);
}
