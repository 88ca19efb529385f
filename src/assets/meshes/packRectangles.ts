/** Rectangles on a sheet whose sides are powers of two. */
export interface Packing {
  readonly width: number;
  readonly height: number;
  /** Left and top of each rectangle, in the order given. */
  readonly places: readonly (readonly [number, number])[];
}

/**
 * Puts rectangles on the smallest sheet that shelves fit on: rows as high as their first and highest rectangle.
 * @param sizes width and height of each
 * @param maxSide of the sheet, a power of two
 * @returns undefined where they do not fit
 */
export function packRectangles(sizes: readonly (readonly [number, number])[], maxSide: number): Packing | undefined {
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b][1] - sizes[a][1] || sizes[b][0] - sizes[a][0] || a - b);
  const area = sizes.reduce((sum, [w, h]) => sum + w * h, 0);
  const sheets: [number, number][] = [];
  for (let width = 1; width <= maxSide; width *= 2) {
    for (let height = 1; height <= maxSide; height *= 2) if (width * height >= area) sheets.push([width, height]);
  }
  // Small ones first; of equal ones those that are most like a square.
  sheets.sort(([a, b], [c, d]) => a * b - c * d || Math.max(a, b) - Math.max(c, d) || c - a);
  for (const [width, height] of sheets) {
    const places = onShelves(sizes, order, width, height);
    if (places) return { width, height, places };
  }
  return undefined;
}

function onShelves(
  sizes: readonly (readonly [number, number])[],
  order: readonly number[],
  width: number,
  height: number,
): [number, number][] | undefined {
  const places: [number, number][] = [];
  let [x, y, shelf] = [0, 0, 0];
  for (const i of order) {
    const [w, h] = sizes[i];
    if (x + w > width) [x, y, shelf] = [0, y + shelf, 0];
    if (x + w > width || y + h > height) return undefined;
    places[i] = [x, y];
    x += w;
    shelf = Math.max(shelf, h);
  }
  return places;
}
