/** The kernel that draws a scene: colour, instance and class buffers from one pass in painter's order. */
import {
  CALL_CHANNELS, CALL_HEIGHT, CALL_NODE_COUNT, CALL_PITCH, CALL_WIDTH, COLOR_NONE, STATUS_OK,
} from './layout';
import { coverNodes } from './coverage';
import { packCanvas } from './pack';
import { paintNodes } from './paint';
import { openScene, setRectangle } from './scene';

export { sceneScratchBytes } from './scene';

/** The image is drawn in bands of rows that stay in the first-level cache from the background to the packed bytes. */
const BAND_BYTES: usize = 32768;

/** First byte behind the module's static data: the host lays out everything from here on. */
export function heapBase(): usize {
  return (__heap_base + 15) & ~15;
}

/**
 * Draws one scene of a verified batch.
 * @param remap i32[]: asset of the batch → entry of the asset table, −1 for none
 * @param scratch sceneScratchBytes() bytes, 16-byte aligned, used by this call alone
 * @param color f32 or u8 [H, W, C], as `colorFormat` says
 * @param instances u16 [H, W] or 0: node index + 1 of the topmost node with alpha × opacity ≥ ½ at the pixel
 * @param classes u8 [H, W] or 0: class index + 1 likewise
 * @param coverage coverage records [V], 8-byte aligned, or 0: what each node would cover alone
 * @returns STATUS_OK, STATUS_DIMENSION or STATUS_INDEX
 */
export function renderScene(
  batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, scratch: usize, color: usize, colorFormat: u32,
  instances: usize, classes: usize, coverage: usize,
): u32 {
  const status = openScene(batch, sceneIndex, remap, assetTable, scratch);
  if (status != STATUS_OK) return status;
  const width = load<i32>(scratch, CALL_WIDTH);
  const height = load<i32>(scratch, CALL_HEIGHT);
  const count = load<i32>(scratch, CALL_NODE_COUNT);
  const rowBytes = <usize>load<u32>(scratch, CALL_PITCH) << (load<u32>(scratch, CALL_CHANNELS) == 1 ? 2 : 4);
  const rows = max(1, <i32>(BAND_BYTES / rowBytes));
  if (coverage != 0) coverNodes(scratch, coverage);
  for (let top = 0; top < height; top += rows) {
    setRectangle(scratch, 0, top, width, min(top + rows, height));
    paintNodes(scratch, count, instances, classes);
    if (colorFormat != COLOR_NONE) packCanvas(scratch, color, colorFormat);
  }
  return STATUS_OK;
}
