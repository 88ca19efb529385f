import { depthOf } from '../../dataset/depthCode.js';
import type { RawImage } from '../../dataset/imageCodec.js';
import { type DatasetInfo, type ImageLabels, isThing, type SampleObject, thingsOf } from '../../dataset/sample.js';
import type { Colour, Picture } from '../picture.js';
import { depthView } from '../sceneViews.js';
import { drawBox3d } from './boxOverlay.js';
import { classColour, instanceColour } from './labelColours.js';
import { placeTags, type Tag } from './tags.js';
import { type TileScale, tilePicture, tileScale, toTile } from './tileScale.js';

/** A sample that is shown. */
export interface ShownSample {
  readonly labels: ImageLabels;
  readonly image: RawImage;
  /** [H, W] node + 1, 0 where there is none; absent where there are no masks. */
  readonly instances?: Uint16Array;
  /** [H, W] and [H, W, 3] as in `DatasetSample`; absent where there are none. */
  readonly depth?: Uint16Array;
  readonly normals?: Uint8Array;
}

/** What is drawn over an image. */
export type TileStyle = 'plain' | 'boxes' | 'boxes3d' | 'masks' | 'depth' | 'normals';

const SHADOW: Colour = [0, 0, 0];
/** Dashes and the gaps between them, px: a power of two. */
const DASH = 4;
const MASK_OPACITY = 0.5;
/** Shorter side of an object that a tag is set on, px. */
const ROOM_FOR_TAG = 48;

/**
 * One sample enlarged, with its labels drawn.
 *
 * `boxes`: modal boxes in the colour of the class, amodal boxes dashed where they differ, class and node as tags. A box's
 * line lies inside it: its outer edge is the edge of the first and last pixel that the box holds.
 * `boxes3d`: the edges of 3D boxes in the colour of the class, a cross on the face that an object shows to the front; of the
 * farthest first. Class and distance as tags.
 * `depth`, `normals`: what these are instead of the image (`depthView`; x, y and z as red, green and blue).
 * `masks`: every instance of a class that detection lists tinted and outlined in a colour of its own, node as a tag.
 */
export function labelTile(sample: ShownSample, info: DatasetInfo, style: TileStyle): Picture {
  const { width, height } = sample.image;
  const scale = tileScale(width, height);
  const picture = tilePicture(imageOf(sample, style), scale);
  if (style === 'boxes') drawBoxes(picture, scale, sample, info);
  if (style === 'boxes3d') drawBoxes3d(picture, scale, sample, info);
  if (style === 'masks' && sample.instances) drawMasks(picture, scale, sample, sample.instances, info);
  return picture;
}

/** What a style draws on; black where the sample has nothing of it. */
function imageOf({ image, depth, normals }: ShownSample, style: TileStyle): RawImage {
  const { width, height } = image;
  const whole = (pixels: Uint8Array | undefined): RawImage => ({
    ...{ width, height, channels: 3 },
    pixels: pixels ?? new Uint8Array(width * height * 3),
  });
  if (style === 'depth') return whole(depth && depthView(Float32Array.from(depth, (code) => depthOf(code) || 0)));
  return style === 'normals' ? whole(normals) : image;
}

/** What an object is called in tags: its node, as in the instance mask less one, else its position in the list. */
export function objectName(object: SampleObject, position: number): string {
  return `#${object.node ?? position}`;
}

function drawBoxes(picture: Picture, scale: TileScale, { labels }: ShownSample, info: DatasetInfo): void {
  const tags: Tag[] = [];
  const things = thingsOf(labels, info);
  const line = scale.up > 2 ? 2 : 1;
  for (const object of things) {
    const colour = classColour(info.things.indexOf(object.class));
    const { amodalBox } = object;
    if (amodalBox && String(amodalBox) !== String(object.box)) drawBox(picture, scale, amodalBox, 1, colour, true);
  }
  for (const object of things) {
    if (!object.box) continue;
    const colour = classColour(info.things.indexOf(object.class));
    const { left, top, right, bottom } = drawBox(picture, scale, object.box, line, colour, false);
    const short = objectName(object, labels.objects.indexOf(object));
    tags.push({ text: `${object.class} ${short}`, short, colour, left, top, right, bottom });
  }
  placeTags(picture, tags);
}

function drawBoxes3d(picture: Picture, scale: TileScale, { labels }: ShownSample, info: DatasetInfo): void {
  const { camera } = labels;
  if (!camera) return;
  const depthAt = ({ box3d }: SampleObject) => box3d?.location[2] ?? 0;
  const tags: Tag[] = [];
  for (const object of thingsOf(labels, info).sort((a, b) => depthAt(b) - depthAt(a))) {
    const colour = classColour(info.things.indexOf(object.class));
    const edges = drawBox3d(picture, scale, object, camera, colour);
    if (!edges) continue;
    const [left, top, right, bottom] = edges.map((edge) => toTile(scale, edge));
    const metres = `${Math.round(object.distance ?? depthAt(object))} m`;
    tags.push({ text: `${object.class} ${metres}`, short: metres, colour, left, top, right, bottom });
  }
  placeTags(picture, tags);
}

/** Draws a box's outline over a dark one, so that it is seen on any image; returns its edges in the tile. */
function drawBox(
  picture: Picture,
  scale: TileScale,
  [x, y, width, height]: readonly [number, number, number, number],
  line: number,
  colour: Colour,
  dashed: boolean,
) {
  const left = toTile(scale, x);
  const top = toTile(scale, y);
  const right = Math.max(left + 1, toTile(scale, x + width));
  const bottom = Math.max(top + 1, toTile(scale, y + height));
  if (!dashed) {
    drawFrame(picture, left - 1, top - 1, right + 1, bottom + 1, 1, (px, py) =>
      picture.blend(px, py, 1, 1, SHADOW, 0.6),
    );
  }
  drawFrame(picture, left, top, right, bottom, line, (px, py) => {
    const gap = dashed && ((px + py) & DASH) !== 0;
    picture.fill(px, py, 1, 1, gap ? SHADOW : colour);
  });
  return { left, top, right, bottom };
}

/** Calls `dot` for every pixel of a frame that lies on the picture, once. */
function drawFrame(
  picture: Picture,
  left: number,
  top: number,
  right: number,
  bottom: number,
  line: number,
  dot: (x: number, y: number) => void,
): void {
  const lastX = Math.min(right, picture.width);
  const lastY = Math.min(bottom, picture.height);
  for (let y = Math.max(top, 0); y < lastY; y++) {
    const edgeRow = y < top + line || y >= bottom - line;
    for (let x = Math.max(left, 0); x < lastX; x++) {
      if (edgeRow || x < left + line || x >= right - line) dot(x, y);
    }
  }
}

function drawMasks(
  picture: Picture,
  scale: TileScale,
  { labels, image }: ShownSample,
  instances: Uint16Array,
  info: DatasetInfo,
): void {
  const shown = shownInstances(labels, info);
  const idAt = (x: number, y: number) => {
    if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) return 0;
    const column = Math.min(image.width - 1, Math.floor(((x + 0.5) * scale.down) / scale.up));
    const row = Math.min(image.height - 1, Math.floor(((y + 0.5) * scale.down) / scale.up));
    const id = instances[row * image.width + column];
    return shown(id) ? id : 0;
  };
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const id = idAt(x, y);
      if (id === 0) continue;
      const outline = idAt(x - 1, y) !== id || idAt(x + 1, y) !== id || idAt(x, y - 1) !== id || idAt(x, y + 1) !== id;
      picture.blend(x, y, 1, 1, instanceColour(id), outline ? 1 : MASK_OPACITY);
    }
  }
  const tags = labels.objects.flatMap((object, position): Tag[] => {
    if (!object.box || !isThing(object, info.things)) return [];
    const [x, y, width, height] = object.box;
    const text = objectName(object, position);
    const colour = instanceColour((object.node ?? position) + 1);
    const [left, top, right, bottom] = [x, y, x + width, y + height].map((edge) => toTile(scale, edge));
    // On an object too small for it a tag would hide what it names.
    if (Math.min(right - left, bottom - top) < ROOM_FOR_TAG) return [{ text, colour, left, top, right, bottom }];
    const [centreX, centreY] = object.centre ?? [x + width / 2, y + height / 2];
    const [middle, centre] = [toTile(scale, centreX), toTile(scale, centreY)];
    return [{ text, colour, left: middle, top: centre, right: middle, bottom: centre, centred: true }];
  });
  placeTags(picture, tags);
}

/** Whether the instance of a mask is one that detection lists: the background would cover everything. */
function shownInstances(labels: ImageLabels, info: DatasetInfo): (id: number) => boolean {
  const objects = new Map(labels.objects.map((object, position) => [(object.node ?? position) + 1, object]));
  return (id) => {
    if (id === 0) return false;
    const object = objects.get(id);
    return object === undefined || isThing(object, info.things);
  };
}
