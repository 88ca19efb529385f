import {
  type BoxCorners,
  boxCorners,
  cameraProjection,
  FRONT_FACE,
  type ImageEdges,
  type ImageSegment,
  projectBox,
  tiltedBoxCorners,
} from '../../annotate/box3d.js';
import { type Box3d, type ImageCamera, isMeshLabel } from '../../annotate/objectLabel.js';
import type { SampleObject } from '../../dataset/sample.js';
import type { Colour, Picture } from '../picture.js';
import type { TileScale } from './tileScale.js';

const SHADOW: Colour = [0, 0, 0];
/** Width of an edge, and of the dark line under it, px. */
const LINE = 1.4;
const UNDERLINE = 3;
const SHADOW_OPACITY = 0.45;
/** Of the diagonals of the front face, which show where an object faces. */
const FRONT_OPACITY = 0.6;

/**
 * Draws the 3D box of an object over a picture of its image: twelve edges, and a cross on the face that it shows to the
 * front. Tilted as it stands where its pose is known, else upright as KITTI's numbers say.
 * @param scale of the picture to the image
 * @returns the box's edges on the image (not the picture), px; null for an object without a 3D box, or behind the camera
 */
export function drawBox3d(
  picture: Picture,
  scale: TileScale,
  object: SampleObject,
  camera: ImageCamera,
  colour: Colour,
): ImageEdges | null {
  const corners = cornersOf(object, camera);
  if (!corners) return null;
  const { segments, edges } = projectBox(corners, cameraProjection(camera), Math.max(0.1, camera.near));
  const lines = segments.filter((segment) => segment !== null).map((segment) => toPicture(scale, segment));
  const [a, b, c, d] = FRONT_FACE.map((i) => corners[i]);
  const cross = [[a, c] as const, [b, d] as const]
    .filter((ends) => ends.every(([, , z]) => z > Math.max(0.1, camera.near)))
    .map(([from, to]) => toPicture(scale, [...pixelOf(from, camera), ...pixelOf(to, camera)]));
  for (const line of lines) drawLine(picture, line, UNDERLINE, SHADOW, SHADOW_OPACITY);
  for (const line of cross) drawLine(picture, line, LINE, colour, FRONT_OPACITY);
  for (const line of lines) drawLine(picture, line, LINE, colour, 1);
  return edges;
}

/**
 * Draws a straight line with soft edges; what lies outside the picture is cut off.
 * @param line its ends, px: a pixel's centre is at half a pixel
 * @param width px
 * @param opacity 0–1
 */
export function drawLine(picture: Picture, line: ImageSegment, width: number, colour: Colour, opacity: number): void {
  const reach = width / 2 + 1;
  const cut = cutLine(line, [-reach, -reach, picture.width + reach, picture.height + reach]);
  if (!cut) return;
  const [x0, y0, x1, y1] = cut;
  const length = Math.hypot(x1 - x0, y1 - y0);
  const [dx, dy] = length > 0 ? [(x1 - x0) / length, (y1 - y0) / length] : [1, 0];
  const steep = Math.abs(dy) > Math.abs(dx);
  // From one row (or column) to the next the line moves by at most one pixel, and is at most this wide there.
  const half = Math.ceil(reach * Math.SQRT2);
  const [from, to] = steep ? [Math.min(y0, y1), Math.max(y0, y1)] : [Math.min(x0, x1), Math.max(x0, x1)];
  for (let major = Math.floor(from - reach); major <= Math.ceil(to + reach); major++) {
    const t = steep ? (major + 0.5 - y0) / (dy || 1) : (major + 0.5 - x0) / (dx || 1);
    const middle = Math.floor(steep ? x0 + t * dx : y0 + t * dy);
    for (let minor = middle - half; minor <= middle + half; minor++) {
      const [x, y] = steep ? [minor, major] : [major, minor];
      const along = Math.min(length, Math.max(0, (x + 0.5 - x0) * dx + (y + 0.5 - y0) * dy));
      const distance = Math.hypot(x + 0.5 - x0 - along * dx, y + 0.5 - y0 - along * dy);
      const cover = Math.min(1, Math.max(0, width / 2 + 0.5 - distance));
      if (cover > 0) picture.blend(x, y, 1, 1, colour, cover * opacity);
    }
  }
}

function cornersOf(object: SampleObject, camera: ImageCamera): BoxCorners | undefined {
  if (!isMeshLabel(object)) return undefined;
  const { box3d, pose }: { box3d: Box3d | null; pose?: Parameters<typeof tiltedBoxCorners>[1] } = object;
  if (!box3d) return undefined;
  return pose ? tiltedBoxCorners(box3d, pose, camera.pose) : boxCorners(box3d);
}

function pixelOf([x, y, z]: BoxCorners[number], { fx, fy, cx, cy }: ImageCamera): [number, number] {
  return [(fx * x) / z + cx, (fy * y) / z + cy];
}

function toPicture({ up, down }: TileScale, [x0, y0, x1, y1]: ImageSegment): ImageSegment {
  const factor = up / down;
  return [x0 * factor, y0 * factor, x1 * factor, y1 * factor];
}

/** The part of a line within a rectangle (Liang and Barsky 1984); undefined where there is none. */
function cutLine([x0, y0, x1, y1]: ImageSegment, [left, top, right, bottom]: ImageEdges): ImageSegment | undefined {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [start, end] = [0, 1];
  for (const [step, room] of [
    [-dx, x0 - left],
    [dx, right - x0],
    [-dy, y0 - top],
    [dy, bottom - y0],
  ]) {
    if (step === 0) {
      if (room < 0) return undefined;
    } else if (step < 0) start = Math.max(start, room / step);
    else end = Math.min(end, room / step);
  }
  return start <= end ? [x0 + start * dx, y0 + start * dy, x0 + end * dx, y0 + end * dy] : undefined;
}
