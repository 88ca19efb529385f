/** The kernel that draws a scene: colour, instance and class buffers from one pass in painter's order. */
import {
  CALL_CANVAS, CALL_CHANNELS, CALL_HEIGHT, CALL_NODES, CALL_NODE_COUNT, CALL_PITCH, CALL_WIDTH, COLOR_NONE, NODE_BYTES,
  STATUS_OK,
} from './layout';
import { packCanvas } from './pack';
import { paintSprite } from './paint';
import { openScene } from './scene';

export { sceneScratchBytes } from './scene';

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
 * @returns STATUS_OK, STATUS_DIMENSION or STATUS_INDEX
 */
export function renderScene(
  batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, scratch: usize, color: usize, colorFormat: u32,
  instances: usize, classes: usize,
): u32 {
  const status = openScene(batch, sceneIndex, remap, assetTable, scratch);
  if (status != STATUS_OK) return status;
  const height = <usize>load<u32>(scratch, CALL_HEIGHT);
  const pixels = <usize>load<u32>(scratch, CALL_WIDTH) * height;
  const grey = load<u32>(scratch, CALL_CHANNELS) == 1;
  const plane = (<usize>load<u32>(scratch, CALL_PITCH) * height) << (grey ? 2 : 4);
  memory.fill(load<u32>(scratch, CALL_CANVAS), 0, plane);
  if (instances != 0) memory.fill(instances, 0, pixels << 1);
  if (classes != 0) memory.fill(classes, 0, pixels);
  const nodes = <usize>load<u32>(scratch, CALL_NODES);
  const count = load<i32>(scratch, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) paintSprite(scratch, nodes + <usize>v * NODE_BYTES, v, instances, classes);
  if (colorFormat != COLOR_NONE) packCanvas(scratch, color, colorFormat);
  return STATUS_OK;
}
