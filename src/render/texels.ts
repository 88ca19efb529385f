import type { SpriteAsset, SpriteImage } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';

/** Offsets, sizes and codes that the kernels export (`Kernels.constants`, drawn in assembly/engine/layout.ts). */
export type LayoutConstants = Readonly<Record<string, number>>;

/** A rectangle of an image, px; `width` 0 when there is nothing to see. */
interface Content {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Bytes that `writeTexels` needs for a sprite, a multiple of 16.
 * A sprite that fades is stored without its empty margin: a digit of MNIST covers half of its 28 × 28 px.
 * @throws AssetError when the image is larger than the kernels can address or its pixels do not fit its size
 */
export function texelBytes(image: SpriteImage, edge: SpriteAsset['edge'], layout: LayoutConstants): number {
  checkImage(image, layout);
  const { width, height } = contentOf(image, edge);
  const border = 2 * layout.TEXEL_BORDER;
  return width === 0 ? 0 : rowBytes(image, width, layout) * (height + border);
}

/**
 * Writes a sprite's texels with their border and its asset record (assembly/engine/layout.ts).
 * @param buffer the kernels' memory
 * @param texels address of `texelBytes` bytes, a multiple of 16
 * @param record address of the asset record, `layout.ASSET_BYTES` bytes, a multiple of 4
 * @throws AssetError as `texelBytes`
 */
export function writeTexels(
  image: SpriteImage,
  edge: SpriteAsset['edge'],
  buffer: ArrayBufferLike,
  texels: number,
  record: number,
  layout: LayoutConstants,
): void {
  checkImage(image, layout);
  const content = contentOf(image, edge);
  const ink = image.format === 'ink8';
  const stride = rowBytes(image, content.width, layout);
  const rows = content.height + 2 * layout.TEXEL_BORDER;
  let flags = layout.FLAG_SOLID;
  if (content.width > 0) {
    const place = { buffer, texels, stride, rows, border: layout.TEXEL_BORDER };
    const { opaque, solid } = ink ? writeInk(image, content, edge, place) : writeColor(image, content, edge, place);
    flags = (opaque ? layout.FLAG_OPAQUE : 0) | (solid ? layout.FLAG_SOLID : 0);
  }
  const view = new DataView(buffer, record, layout.ASSET_BYTES);
  for (let i = 0; i < layout.ASSET_BYTES; i += 4) view.setUint32(i, 0, true);
  view.setUint32(layout.ASSET_TEXELS, texels, true);
  view.setUint32(layout.ASSET_WIDTH, content.width, true);
  view.setUint32(layout.ASSET_HEIGHT, content.height, true);
  view.setUint32(layout.ASSET_STRIDE, stride, true);
  view.setUint8(layout.ASSET_FORMAT, ink ? layout.FORMAT_INK8 : layout.FORMAT_RGBA32F);
  view.setUint8(layout.ASSET_EDGE, edge === 'fade' ? layout.EDGE_FADE : layout.EDGE_EXTEND);
  view.setUint8(layout.ASSET_FLAGS, flags);
  view.setFloat32(layout.ASSET_CENTRE_X, image.width / 2 - content.left, true);
  view.setFloat32(layout.ASSET_CENTRE_Y, image.height / 2 - content.top, true);
}

function checkImage(image: SpriteImage, layout: LayoutConstants): void {
  const { width, height, format, pixels } = image;
  const side = layout.MAX_SPRITE_SIDE;
  if (!(width >= 1 && height >= 1 && width <= side && height <= side)) {
    throw new AssetError(`Expected a sprite of 1 × 1 to ${side} × ${side} px but received ${width} × ${height}`);
  }
  const expected = width * height * (format === 'ink8' ? 1 : 4);
  if (pixels.length !== expected) {
    throw new AssetError(`Expected ${expected} bytes for a ${format} sprite but received ${pixels.length}`);
  }
}

/** Bytes from one stored row to the next: a multiple of 16, so that f32 texels stay aligned. */
function rowBytes(image: SpriteImage, width: number, layout: LayoutConstants): number {
  const bytes = (width + 2 * layout.TEXEL_BORDER) * (image.format === 'ink8' ? 1 : 16);
  return Math.ceil(bytes / 16) * 16;
}

/** The part that is not transparent; all of it when the edge extends. */
function contentOf(image: SpriteImage, edge: SpriteAsset['edge']): Content {
  const { width, height, pixels } = image;
  if (edge === 'extend') return { left: 0, top: 0, width, height };
  const step = image.format === 'ink8' ? 1 : 4;
  let left = width;
  let right = -1;
  let top = height;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[(y * width + x) * step + step - 1] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return { left: 0, top: 0, width: 0, height: 0 };
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Where texels go: address and bytes between rows, number of rows and width of the border. */
interface Place {
  readonly buffer: ArrayBufferLike;
  readonly texels: number;
  readonly stride: number;
  readonly rows: number;
  readonly border: number;
}

/** Position in the image of stored row or column `i`, −1 where a fading sprite has its transparent border. */
function source(i: number, border: number, start: number, length: number, edge: SpriteAsset['edge']): number {
  const inside = i - border;
  if (inside >= 0 && inside < length) return start + inside;
  return edge === 'fade' ? -1 : start + Math.min(length - 1, Math.max(0, inside));
}

function writeInk(image: SpriteImage, content: Content, edge: SpriteAsset['edge'], place: Place) {
  const { border, stride, rows } = place;
  const out = new Uint8Array(place.buffer, place.texels, stride * rows).fill(0);
  let opaque = true;
  let solid = true;
  const first = image.pixels[content.top * image.width + content.left];
  for (let row = 0; row < rows; row++) {
    const y = source(row, border, content.top, content.height, edge);
    for (let column = 0; column < content.width + 2 * border; column++) {
      const x = source(column, border, content.left, content.width, edge);
      if (x < 0 || y < 0) continue;
      const value = image.pixels[y * image.width + x];
      out[row * stride + column] = value;
      opaque &&= value === 255;
      solid &&= value === first;
    }
  }
  return { opaque, solid };
}

function writeColor(image: SpriteImage, content: Content, edge: SpriteAsset['edge'], place: Place) {
  const { border, stride, rows } = place;
  const pitch = stride / 16;
  const out = new Float32Array(place.buffer, place.texels, (stride * rows) / 4).fill(0);
  const { pixels } = image;
  let opaque = true;
  let solid = true;
  const first = (content.top * image.width + content.left) * 4;
  for (let row = 0; row < rows; row++) {
    const y = source(row, border, content.top, content.height, edge);
    for (let column = 0; column < content.width + 2 * border; column++) {
      const x = source(column, border, content.left, content.width, edge);
      if (x < 0 || y < 0) continue;
      const from = (y * image.width + x) * 4;
      const to = (row * pitch + column) * 4;
      const alpha = pixels[from + 3] / 255;
      for (let c = 0; c < 3; c++) out[to + c] = (pixels[from + c] / 255) * alpha;
      out[to + 3] = alpha;
      opaque &&= pixels[from + 3] === 255;
      for (let c = 0; c < 4; c++) solid &&= pixels[from + c] === pixels[first + c];
    }
  }
  return { opaque, solid };
}
