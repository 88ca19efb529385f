/** A closed line along pixel edges. */
export interface Contour {
  /**
   * [2P] x and y of its corners in turn, px from the top left corner of the canvas: whole numbers 0 … W and 0 … H. Only
   * corners: no two sides in a row go the same way. At least 4 of them; the last is joined to the first.
   */
  readonly points: Int32Array;
  /** Whether it bounds a hole. Outlines run clockwise on screen, holes counter-clockwise. */
  readonly hole: boolean;
}

/** Part of a canvas: columns left … right − 1 and rows top … bottom − 1. */
export interface MaskWindow {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Steps right, down, left, up. */
const STEP_X = [1, 0, -1, 0];
const STEP_Y = [0, 1, 0, -1];
/** From a corner to the pixel ahead on the left, and ahead on the right, of one who walks in each direction. */
const AHEAD_LEFT_X = [0, 0, -1, -1];
const AHEAD_LEFT_Y = [-1, 0, 0, -1];
const AHEAD_RIGHT_X = [0, -1, -1, 0];
const AHEAD_RIGHT_Y = [0, 0, -1, -1];

/**
 * Follows the borders of a region along pixel edges, the region on the right hand: outlines of its parts and of its
 * holes, in order of their topmost, then leftmost corner. Pixels that touch at a corner belong together, so a line may
 * touch itself there. The pixels whose centres lie within an odd number of these lines are the region's, exactly.
 * @param mask   [H × W] row by row
 * @param width  W
 * @param value  the region is where `mask` has it
 * @param window where to look; the region is taken to end there
 */
export function traceContours(
  mask: ArrayLike<number>,
  width: number,
  value: number,
  window: MaskWindow,
): readonly Contour[] {
  const { left, top, right, bottom } = window;
  const columns = right - left;
  const rows = bottom - top;
  // A frame of outside pixels saves the tests for the window's edges.
  const stride = columns + 2;
  const region = new Uint8Array(stride * (rows + 2));
  for (let y = 0; y < rows; y++) {
    const from = (top + y) * width + left;
    for (let x = 0; x < columns; x++) if (mask[from + x] === value) region[(y + 1) * stride + x + 1] = 1;
  }
  // Upper edges of region pixels below outside pixels are walked to the right, and every closed line has one.
  const walked = new Uint8Array(region.length);
  const contours: Contour[] = [];
  for (let y = 1; y <= rows; y++) {
    for (let x = 1; x <= columns; x++) {
      const at = y * stride + x;
      if (region[at] && !region[at - stride] && !walked[at]) {
        contours.push(follow(region, walked, stride, x, y, left - 1, top - 1));
      }
    }
  }
  return contours;
}

/**
 * One closed line, from the upper left corner of a pixel of the framed region to the right.
 * @param offsetX canvas position of the frame's corner
 */
function follow(
  region: Uint8Array,
  walked: Uint8Array,
  stride: number,
  startX: number,
  startY: number,
  offsetX: number,
  offsetY: number,
): Contour {
  const points: number[] = [];
  let doubleArea = 0;
  let [x, y, direction] = [startX, startY, 0];
  do {
    points.push(x + offsetX, y + offsetY);
    const [fromX, fromY] = [x, y];
    let turn = 0;
    while (turn === 0) {
      if (direction === 0) walked[y * stride + x] = 1;
      x += STEP_X[direction];
      y += STEP_Y[direction];
      // Left first: across a corner that two region pixels share, the line stays with the region.
      if (region[(y + AHEAD_LEFT_Y[direction]) * stride + x + AHEAD_LEFT_X[direction]]) turn = 3;
      else if (!region[(y + AHEAD_RIGHT_Y[direction]) * stride + x + AHEAD_RIGHT_X[direction]]) turn = 1;
    }
    doubleArea += fromX * y - x * fromY;
    direction = (direction + turn) % 4;
  } while (x !== startX || y !== startY || direction !== 0);
  return { points: Int32Array.from(points), hole: doubleArea < 0 };
}
