/**
 * Where the nodes of a 3D scene stand: the same formulas as src/scene/worldFrames.ts, in f64, so that a perturbation of
 * a tenth of a millimetre does not drown in rounding.
 */
import {
  CALL_ATTRIBUTES, CALL_COLUMNS, KIND_CURVE, KIND_STRIP, ROLE_CURVATURE, ROLE_CURVATURE_RATE, ROLE_PITCH, ROLE_ROLL,
  ROLE_ROTATION, ROLE_SCALE, ROLE_X, ROLE_Y, ROLE_Z,
} from '../layout';
import { cosine, sine } from '../trigonometry';
import { curvePoint } from './curve';
import {
  FRAME_CURVATURE, FRAME_CURVATURE_RATE, FRAME_CURVE, FRAME_KIND, FRAME_OFFSET, FRAME_ORIGIN, FRAME_ROTATION, FRAME_SCALE,
  MESH_CALL_CHANGED_NODE, MESH_CALL_CHANGED_ROLE, MESH_CALL_CHANGED_VALUE, MESH_CALL_COLUMN, MESH_CALL_POINT, MESH_CALL_TURN,
} from './layout';

/** A node's attribute, perturbed where it is the one that is; `fallback` when the schema has no such role. */
export function meshAttribute(call: usize, node: i32, role: i32, fallback: f64): f64 {
  if (node == load<i32>(call, MESH_CALL_CHANGED_NODE) && role == load<i32>(call, MESH_CALL_CHANGED_ROLE)) {
    return load<f64>(call, MESH_CALL_CHANGED_VALUE);
  }
  const column = load<i32>(call + (<usize>role << 2), MESH_CALL_COLUMN);
  if (column < 0) return fallback;
  const index = <usize>node * <usize>load<u32>(call, CALL_COLUMNS) + <usize>column;
  return <f64>load<f32>(<usize>load<u32>(call, CALL_ATTRIBUTES) + (index << 2));
}

/**
 * Fills rotation, scale, origin and what concerns curves in a node's frame record; FRAME_KIND stands there already.
 * @param parent the parent's frame record, 0 for a root
 */
export function placeFrame(call: usize, node: i32, frame: usize, parent: usize): void {
  const kind = load<u32>(frame, FRAME_KIND);
  const x = meshAttribute(call, node, ROLE_X, 0);
  const y = meshAttribute(call, node, ROLE_Y, 0);
  const z = meshAttribute(call, node, ROLE_Z, 0);
  const curve: usize = parent == 0 ? 0 : <usize>load<u32>(parent, FRAME_CURVE);
  store<u32>(frame, 0, FRAME_CURVE);
  if (curve != 0) {
    // Children of a curve begin at its own coordinates' origin, those of a strip where the strip does.
    const across = load<f64>(parent, FRAME_OFFSET) + x;
    const down = load<f64>(parent, FRAME_OFFSET + 8) + y;
    const along = load<f64>(parent, FRAME_OFFSET + 16) + z;
    standOn(call, curve, across, down, along, frame);
    if (kind == KIND_STRIP) {
      store<f64>(frame, across, FRAME_OFFSET);
      store<f64>(frame, down, FRAME_OFFSET + 8);
      store<f64>(frame, along, FRAME_OFFSET + 16);
      store<u32>(frame, <u32>curve, FRAME_CURVE);
      return;
    }
  } else if (parent != 0) {
    memory.copy(frame + FRAME_ROTATION, parent + FRAME_ROTATION, 72);
    store<f64>(frame, load<f64>(parent, FRAME_SCALE), FRAME_SCALE);
    carry(parent, x, y, z, frame);
  } else {
    for (let i: usize = 0; i < 9; i++) store<f64>(frame + (i << 3), i % 4 == 0 ? 1 : 0, FRAME_ROTATION);
    store<f64>(frame, 1, FRAME_SCALE);
    store<f64>(frame, x, FRAME_ORIGIN);
    store<f64>(frame, y, FRAME_ORIGIN + 8);
    store<f64>(frame, z, FRAME_ORIGIN + 16);
  }
  const turn = call + MESH_CALL_TURN;
  writeRotation(
    turn,
    meshAttribute(call, node, ROLE_ROTATION, 0),
    meshAttribute(call, node, ROLE_PITCH, 0),
    meshAttribute(call, node, ROLE_ROLL, 0),
  );
  turnBy(frame, turn);
  store<f64>(frame, load<f64>(frame, FRAME_SCALE) * meshAttribute(call, node, ROLE_SCALE, 1), FRAME_SCALE);
  if (kind != KIND_CURVE) return;
  memory.fill(frame + FRAME_OFFSET, 0, 24);
  store<f64>(frame, meshAttribute(call, node, ROLE_CURVATURE, 0), FRAME_CURVATURE);
  store<f64>(frame, meshAttribute(call, node, ROLE_CURVATURE_RATE, 0), FRAME_CURVATURE_RATE);
  store<u32>(frame, <u32>frame, FRAME_CURVE);
}

/** The frame that moves along a curve, at (across, down, along): rotation, scale and origin. */
function standOn(call: usize, curve: usize, across: f64, down: f64, along: f64, frame: usize): void {
  curvePoint(load<f64>(curve, FRAME_CURVATURE), load<f64>(curve, FRAME_CURVATURE_RATE), along, call + MESH_CALL_POINT);
  const x = load<f64>(call, MESH_CALL_POINT);
  const z = load<f64>(call, MESH_CALL_POINT + 8);
  const s = load<f64>(call, MESH_CALL_POINT + 16);
  const c = load<f64>(call, MESH_CALL_POINT + 24);
  carry(curve, x + across * c, down, z - across * s, frame);
  store<f64>(frame, load<f64>(curve, FRAME_SCALE), FRAME_SCALE);
  for (let row: usize = 0; row < 72; row += 24) {
    const right = load<f64>(curve + row, FRAME_ROTATION);
    const ahead = load<f64>(curve + row, FRAME_ROTATION + 16);
    store<f64>(frame + row, right * c - ahead * s, FRAME_ROTATION);
    store<f64>(frame + row, load<f64>(curve + row, FRAME_ROTATION + 8), FRAME_ROTATION + 8);
    store<f64>(frame + row, right * s + ahead * c, FRAME_ROTATION + 16);
  }
}

/** A point (x, y, z) of frame `base` becomes the origin of `frame`. */
function carry(base: usize, x: f64, y: f64, z: f64, frame: usize): void {
  const scale = load<f64>(base, FRAME_SCALE);
  for (let row: usize = 0; row < 3; row++) {
    const r = base + row * 24;
    const moved =
      load<f64>(r, FRAME_ROTATION) * x + load<f64>(r, FRAME_ROTATION + 8) * y + load<f64>(r, FRAME_ROTATION + 16) * z;
    store<f64>(frame + (row << 3), load<f64>(base + (row << 3), FRAME_ORIGIN) + scale * moved, FRAME_ORIGIN);
  }
}

/** Stores Ry(heading)·Rx(pitch)·Rz(roll), degrees, f64 [3, 3]. */
export function writeRotation(out: usize, heading: f64, pitch: f64, roll: f64): void {
  const ch = cosine(heading);
  const sh = sine(heading);
  const cp = cosine(pitch);
  const sp = sine(pitch);
  const cr = cosine(roll);
  const sr = sine(roll);
  store<f64>(out, ch * cr + sh * sp * sr);
  store<f64>(out, sh * sp * cr - ch * sr, 8);
  store<f64>(out, sh * cp, 16);
  store<f64>(out, cp * sr, 24);
  store<f64>(out, cp * cr, 32);
  store<f64>(out, -sp, 40);
  store<f64>(out, ch * sp * sr - sh * cr, 48);
  store<f64>(out, sh * sr + ch * sp * cr, 56);
  store<f64>(out, ch * cp, 64);
}

/** Multiplies a frame's rotation by `turn` from the right. */
function turnBy(frame: usize, turn: usize): void {
  for (let row: usize = 0; row < 72; row += 24) {
    const a = load<f64>(frame + row, FRAME_ROTATION);
    const b = load<f64>(frame + row, FRAME_ROTATION + 8);
    const c = load<f64>(frame + row, FRAME_ROTATION + 16);
    for (let column: usize = 0; column < 24; column += 8) {
      const t = turn + column;
      store<f64>(frame + row + column, a * load<f64>(t) + b * load<f64>(t, 24) + c * load<f64>(t, 48), FRAME_ROTATION);
    }
  }
}
