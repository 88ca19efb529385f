/**
 * Contractions of whole images: with a moved camera or light, or so much that is moved that nothing stays; and of the scene
 * at rest, by who is seen, for what the image is linear in. Each is one rendering of which no image is kept.
 */
import { CALL_NODE_COUNT, STATUS_OK } from '../layout';
import { drawView } from './draw';
import {
  FRAME_BYTES, FRAME_MOVES, INSTANCE_BYTES, INSTANCE_TINT, MESH_CALL_INSTANCES, MESH_CALL_MOVED, MESH_CALL_MOVED_INSTANCES,
  MESH_CALL_MOVED_VIEW, MESH_CALL_VIEW, MOVED_NODES, VIEW_BYTES, VIEW_HAZE_COLOR, VIEW_INSTANCES,
} from './layout';
import { VJP_BY_NODE, VJP_CALL, VJP_DRAW, VJP_LINEAR, VJP_OPENED, VJP_STATUS, VJP_SUM } from './vjpLayout';

/** Σ dL/dimage · image of the scene as placeMeshSubtree has just placed it; `placed` is what it returned. */
export function contractMoved(vjp: usize, placed: u32): f64 {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const view = <usize>load<u32>(call, MESH_CALL_MOVED_VIEW);
  if (placed == MOVED_NODES) {
    const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
    const count = <usize>load<u32>(call, CALL_NODE_COUNT);
    for (let v: usize = 0; v < count; v++) {
      if (load<u32>(moved + v * FRAME_BYTES, FRAME_MOVES) == 0) copyInstance(call, v);
    }
    copyView(call, view);
  }
  store<u32>(vjp, 0, VJP_BY_NODE);
  memory.fill(vjp + VJP_SUM, 0, 32);
  drawIt(vjp, view);
  return load<f64>(vjp, VJP_SUM) + load<f64>(vjp, VJP_SUM + 8) + load<f64>(vjp, VJP_SUM + 16);
}

/**
 * Fills VJP_LINEAR: what light on its mesh, with a tint of 1, contributes to Σ dL/dimage · image, for every node. The part
 * that haze adds does not depend on the tint, and is left out by taking black haze.
 */
export function contractLight(vjp: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const view = <usize>load<u32>(call, MESH_CALL_MOVED_VIEW);
  const count = <usize>load<u32>(call, CALL_NODE_COUNT);
  for (let v: usize = 0; v < count; v++) takeUntinted(call, v);
  copyView(call, view);
  for (let c: usize = 0; c < 12; c += 4) store<f32>(view + c, 0, VIEW_HAZE_COLOR);
  for (let v: usize = 0; v < count; v++) memory.fill(<usize>load<u32>(vjp, VJP_LINEAR) + (v << 5), 0, 24);
  store<u32>(vjp, 1, VJP_BY_NODE);
  drawIt(vjp, view);
}

/** The instance of a node at rest, but with a tint of 1, as moved instance. */
export function takeUntinted(call: usize, v: usize): void {
  copyInstance(call, v);
  const instance = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES) + v * INSTANCE_BYTES;
  for (let c: usize = 0; c < 12; c += 4) store<f32>(instance + c, 1, INSTANCE_TINT);
}

function copyInstance(call: usize, v: usize): void {
  const offset = v * INSTANCE_BYTES;
  memory.copy(
    <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES) + offset, <usize>load<u32>(call, MESH_CALL_INSTANCES) + offset, INSTANCE_BYTES,
  );
}

/** The scene's view, of the moved instances. */
function copyView(call: usize, view: usize): void {
  memory.copy(view, load<u32>(call, MESH_CALL_VIEW), VIEW_BYTES);
  store<u32>(view, load<u32>(call, MESH_CALL_MOVED_INSTANCES), VIEW_INSTANCES);
}

function drawIt(vjp: usize, view: usize): void {
  store<u32>(vjp, 0, VJP_OPENED);
  const status = drawView(view, load<u32>(vjp, VJP_DRAW), vjp);
  if (status != STATUS_OK) store<u32>(vjp, status, VJP_STATUS);
}
