/**
 * The derivative of a node that moves several sprites at once: the rectangle that they paint before or after is drawn
 * once with the node at value + δ and once at value − δ, and the difference is contracted with dL/dimage.
 */
import {
  CALL_BOTTOM, CALL_CANVAS, CALL_CHANNELS, CALL_FIELD, CALL_LEFT, CALL_MOVED, CALL_NODES, CALL_NODE_COUNT, CALL_PITCH,
  CALL_RIGHT, CALL_TOP, CALL_WIDTH, NODE_BYTES, NODE_FIRST, NODE_MOVES,
} from './layout';
import { paintNodes, paintSprite } from './paint';
import { addBounds, emptyRectangle, placeSubtree } from './subtree';

/** @returns Σ dL/dimage · (image at `high` − image at `low`) */
export function differenceOf(call: usize, node: i32, role: i32, high: f64, low: f64, gradient: usize): f64 {
  emptyRectangle(call);
  placeSubtree(call, node, role, high);
  addBounds(call, node);
  placeSubtree(call, node, role, low);
  addBounds(call, node);
  const rows = load<i32>(call, CALL_BOTTOM) - load<i32>(call, CALL_TOP);
  if (rows <= 0 || load<i32>(call, CALL_RIGHT) <= load<i32>(call, CALL_LEFT)) return 0;

  const nodes = <usize>load<u32>(call, CALL_NODES);
  const first = load<i32>(nodes + <usize>node * NODE_BYTES, NODE_FIRST);
  paintNodes(call, first, 0, 0);
  const lower = load<u32>(call, CALL_CANVAS);
  const upper = load<u32>(call, CALL_FIELD);
  const shift: usize = load<u32>(call, CALL_CHANNELS) == 1 ? 2 : 4;
  memory.copy(upper, lower, (<usize>rows * <usize>load<u32>(call, CALL_PITCH)) << shift);
  // The subtree stands at `low`.
  paintFrom(call, first);
  placeSubtree(call, node, role, high);
  store<u32>(call, upper, CALL_CANVAS);
  paintFrom(call, first);
  store<u32>(call, lower, CALL_CANVAS);
  return contractDifference(call, upper, lower, gradient);
}

/** Paints all nodes from `first` on, the perturbed subtree where it stands. */
function paintFrom(call: usize, first: i32): void {
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = first; v < count; v++) {
    const offset = <usize>v * NODE_BYTES;
    const moved = <usize>load<u32>(call, CALL_MOVED) + offset;
    const moves = load<u32>(moved, NODE_MOVES) != 0;
    paintSprite(call, moves ? moved : <usize>load<u32>(call, CALL_NODES) + offset, v, 0, 0);
  }
}

function contractDifference(call: usize, upper: usize, lower: usize, gradient: usize): f64 {
  const left = load<i32>(call, CALL_LEFT);
  const top = load<i32>(call, CALL_TOP);
  const width = load<i32>(call, CALL_RIGHT) - left;
  const rows = load<i32>(call, CALL_BOTTOM) - top;
  const pitch = <usize>load<u32>(call, CALL_PITCH);
  const channels = <usize>load<u32>(call, CALL_CHANNELS);
  const pixelBytes: usize = channels == 1 ? 4 : 16;
  let sum: f64 = 0;
  for (let y = 0; y < rows; y++) {
    let offset = <usize>y * pitch * pixelBytes;
    let g = gradient + ((<usize>((top + y) * load<i32>(call, CALL_WIDTH) + left) * channels) << 2);
    for (let x = 0; x < width; x++) {
      for (let c: usize = 0; c < channels; c++) {
        const at = offset + (c << 2);
        sum += <f64>load<f32>(g) * (<f64>load<f32>(upper + at) - <f64>load<f32>(lower + at));
        g += 4;
      }
      offset += pixelBytes;
    }
  }
  return sum;
}
