/** What moves when a node is perturbed: its subtree, whose frames are inherited. */
import {
  ASSET_CENTRE_X, ASSET_CENTRE_Y, ASSET_HEIGHT, ASSET_WIDTH, CALL_BOTTOM, CALL_HEIGHT, CALL_LEFT, CALL_MOVED, CALL_NODES,
  CALL_NODE_COUNT, CALL_RIGHT, CALL_TOP, CALL_WIDTH, NODE_ASSET, NODE_AXIS_X, NODE_AXIS_Y, NODE_BOTTOM, NODE_BYTES,
  NODE_FIRST, NODE_FRAME_X, NODE_FRAME_Y, NODE_LAST, NODE_LEFT, NODE_MOVERS, NODE_MOVES, NODE_PARENT, NODE_PLACED,
  NODE_RIGHT, NODE_TOP, ROLE_SCALE_X, ROLE_SCALE_Y,
} from './layout';
import { attributeOf, placeNode } from './pose';
import { setRectangle } from './scene';

/** Counts, for every node, the sprites of its subtree; children stand behind their parents. */
export function countMovers(call: usize): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    const node = nodes + <usize>v * NODE_BYTES;
    const drawn = load<u32>(node, NODE_ASSET) != 0;
    store<i32>(node, drawn ? 1 : 0, NODE_MOVERS);
    store<i32>(node, drawn ? v : count, NODE_FIRST);
    store<i32>(node, v, NODE_LAST);
    store<u32>(<usize>load<u32>(call, CALL_MOVED) + <usize>v * NODE_BYTES, 0, NODE_MOVES);
  }
  for (let v = count - 1; v >= 0; v--) {
    const node = nodes + <usize>v * NODE_BYTES;
    const parent = load<i32>(node, NODE_PARENT);
    if (parent < 0) continue;
    const above = nodes + <usize>parent * NODE_BYTES;
    store<i32>(above, load<i32>(above, NODE_MOVERS) + load<i32>(node, NODE_MOVERS), NODE_MOVERS);
    store<i32>(above, min(load<i32>(above, NODE_FIRST), load<i32>(node, NODE_FIRST)), NODE_FIRST);
    store<i32>(above, max(load<i32>(above, NODE_LAST), load<i32>(node, NODE_LAST)), NODE_LAST);
  }
}

/** Marks the subtree of `node` in the moved records, or unmarks it. */
export function markSubtree(call: usize, node: i32, marked: bool): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const moved = <usize>load<u32>(call, CALL_MOVED);
  const last = load<i32>(nodes + <usize>node * NODE_BYTES, NODE_LAST);
  for (let v = node; v <= last; v++) {
    const offset = <usize>v * NODE_BYTES;
    const parent = load<i32>(nodes + offset, NODE_PARENT);
    const inside = v == node || (parent >= node && load<u32>(moved + <usize>parent * NODE_BYTES, NODE_MOVES) != 0);
    if (!inside) continue;
    if (marked) memory.copy(moved + offset, nodes + offset, NODE_BYTES);
    store<u32>(moved + offset, 1, NODE_MOVES);
  }
  if (!marked) for (let v = node; v <= last; v++) store<u32>(moved + <usize>v * NODE_BYTES, 0, NODE_MOVES);
}

/** Places the marked subtree of `node` with the node's attribute `role` at `value`. */
export function placeSubtree(call: usize, node: i32, role: i32, value: f64): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const moved = <usize>load<u32>(call, CALL_MOVED);
  const last = load<i32>(nodes + <usize>node * NODE_BYTES, NODE_LAST);
  for (let v = node; v <= last; v++) {
    const record = moved + <usize>v * NODE_BYTES;
    if (load<u32>(record, NODE_MOVES) == 0) continue;
    const parent = load<i32>(record, NODE_PARENT);
    const frames = v == node ? nodes : moved;
    const above: usize = parent < 0 ? 0 : frames + <usize>parent * NODE_BYTES;
    placeNode(call, v, record, above, v == node ? role : 0, value);
  }
}

/** Makes the call's rectangle empty, for addBounds to grow. */
export function emptyRectangle(call: usize): void {
  setRectangle(call, load<i32>(call, CALL_WIDTH), load<i32>(call, CALL_HEIGHT), 0, 0);
}

/** Grows the call's rectangle by the sprites of the marked subtree where they stand, within the canvas. */
export function addBounds(call: usize, node: i32): void {
  const moved = <usize>load<u32>(call, CALL_MOVED);
  const last = load<i32>(<usize>load<u32>(call, CALL_NODES) + <usize>node * NODE_BYTES, NODE_LAST);
  for (let v = node; v <= last; v++) {
    const record = moved + <usize>v * NODE_BYTES;
    if (load<u32>(record, NODE_MOVES) != 0) addBoundsOf(call, record);
  }
}

/** Grows the call's rectangle by one sprite. */
export function addBoundsOf(call: usize, record: usize): void {
  if (load<u32>(record, NODE_ASSET) == 0 || load<u32>(record, NODE_PLACED) == 0) return;
  const left = max(0, load<i32>(record, NODE_LEFT));
  const top = max(0, load<i32>(record, NODE_TOP));
  const right = min(load<i32>(call, CALL_WIDTH), load<i32>(record, NODE_RIGHT));
  const bottom = min(load<i32>(call, CALL_HEIGHT), load<i32>(record, NODE_BOTTOM));
  if (left >= right || top >= bottom) return;
  setRectangle(
    call,
    min(load<i32>(call, CALL_LEFT), left),
    min(load<i32>(call, CALL_TOP), top),
    max(load<i32>(call, CALL_RIGHT), right),
    max(load<i32>(call, CALL_BOTTOM), bottom),
  );
}

/**
 * How many px what the node moves moves, per radian or per relative scale: the distance of a sprite's centre from the
 * node's origin plus `part` of its half-diagonal, the largest of the subtree (which is marked).
 */
export function leverage(call: usize, node: i32, part: f64): f64 {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const moved = <usize>load<u32>(call, CALL_MOVED);
  const origin = nodes + <usize>node * NODE_BYTES;
  const last = load<i32>(origin, NODE_LAST);
  let radius: f64 = 0;
  for (let v = node; v <= last; v++) {
    const record = nodes + <usize>v * NODE_BYTES;
    if (load<u32>(moved + <usize>v * NODE_BYTES, NODE_MOVES) == 0 || load<u32>(record, NODE_ASSET) == 0) continue;
    const x = load<f64>(record, NODE_FRAME_X) - load<f64>(origin, NODE_FRAME_X);
    const y = load<f64>(record, NODE_FRAME_Y) - load<f64>(origin, NODE_FRAME_Y);
    const u = halfWidth(record) * attributeOf(call, v, ROLE_SCALE_X, 1);
    const v_ = halfHeight(record) * attributeOf(call, v, ROLE_SCALE_Y, 1);
    radius = max(radius, sqrt<f64>(x * x + y * y) + part * sqrt<f64>(u * u + v_ * v_));
  }
  return radius;
}

/** Farthest edge left or right of the sprite's centre, px at a stretch of 1. */
export function halfWidth(record: usize): f64 {
  const asset = <usize>load<u32>(record, NODE_ASSET);
  const centre = <f64>load<f32>(asset, ASSET_CENTRE_X);
  return frameScale(record) * max(abs(centre), abs(<f64>load<u32>(asset, ASSET_WIDTH) - centre));
}

/** Farthest edge above or below the sprite's centre, px at a stretch of 1. */
export function halfHeight(record: usize): f64 {
  const asset = <usize>load<u32>(record, NODE_ASSET);
  const centre = <f64>load<f32>(asset, ASSET_CENTRE_Y);
  return frameScale(record) * max(abs(centre), abs(<f64>load<u32>(asset, ASSET_HEIGHT) - centre));
}

/** Length of a frame's unit, px. */
export function frameScale(record: usize): f64 {
  const x = load<f64>(record, NODE_AXIS_X);
  const y = load<f64>(record, NODE_AXIS_Y);
  return sqrt<f64>(x * x + y * y);
}
