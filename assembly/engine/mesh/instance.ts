/** From a node's frame to its instance record. */
import {
  CALL_CHANNELS, KIND_STRIP, ROLE_BLUE, ROLE_BRIGHTNESS, ROLE_GREEN, ROLE_RED, ROLE_SCALE_X, ROLE_SCALE_Y, ROLE_SCALE_Z,
} from '../layout';
import { meshAttribute } from './frames';
import {
  FRAME_CLASS, FRAME_CURVATURE, FRAME_CURVATURE_RATE, FRAME_CURVE, FRAME_KIND, FRAME_MESH, FRAME_OFFSET, FRAME_ORIGIN,
  FRAME_ROTATION, FRAME_SCALE, INSTANCE_BENT, INSTANCE_BYTES, INSTANCE_CLASS, INSTANCE_CURVATURE, INSTANCE_CURVATURE_RATE,
  INSTANCE_FLAGS, INSTANCE_ID, INSTANCE_MATRIX, INSTANCE_MESH, INSTANCE_OFFSET, INSTANCE_STRETCH, INSTANCE_TINT,
} from './layout';

/** What stands farther away, or is larger, is not drawn: f32 coordinates would lose it. m. */
const FARTHEST: f64 = 1e6;
/** What is stretched by less is not drawn. */
const SMALLEST: f64 = 1e-6;

/**
 * Writes the instance of a node. Nothing is drawn of one that is too far away, shrunk to nothing or mirrored (its faces
 * would be seen from behind): its INSTANCE_MESH is 0.
 * @param frame its frame record
 * @param toCamera f64 [3, 4]
 */
export function writeInstance(call: usize, node: i32, frame: usize, toCamera: usize, out: usize): void {
  memory.fill(out, 0, INSTANCE_BYTES);
  const mesh = load<u32>(frame, FRAME_MESH);
  if (mesh == 0) return;
  const stretchX = meshAttribute(call, node, ROLE_SCALE_X, 1);
  const stretchY = meshAttribute(call, node, ROLE_SCALE_Y, 1);
  const stretchZ = meshAttribute(call, node, ROLE_SCALE_Z, 1);
  store<u16>(out, <u16>(node + 1), INSTANCE_ID);
  store<u8>(out, <u8>(load<u32>(frame, FRAME_CLASS) + 1), INSTANCE_CLASS);
  writeTint(call, node, out);
  const drawn =
    load<u32>(frame, FRAME_KIND) == KIND_STRIP
      ? writeBent(frame, toCamera, stretchX, stretchY, stretchZ, out)
      : writeMatrix(frame, toCamera, stretchX, stretchY, stretchZ, out);
  if (drawn) store<u32>(out, mesh, INSTANCE_MESH);
}

/** The mesh of a strip: bent along its curve, whose frame it is given in. */
function writeBent(frame: usize, toCamera: usize, stretchX: f64, stretchY: f64, stretchZ: f64, out: usize): bool {
  const curve = <usize>load<u32>(frame, FRAME_CURVE);
  const across = load<f64>(frame, FRAME_OFFSET);
  const down = load<f64>(frame, FRAME_OFFSET + 8);
  const along = load<f64>(frame, FRAME_OFFSET + 16);
  const curvature = load<f64>(curve, FRAME_CURVATURE);
  const curvatureRate = load<f64>(curve, FRAME_CURVATURE_RATE);
  store<u8>(out, <u8>INSTANCE_BENT, INSTANCE_FLAGS);
  store<f32>(out, <f32>stretchX, INSTANCE_STRETCH);
  store<f32>(out, <f32>stretchY, INSTANCE_STRETCH + 4);
  store<f32>(out, <f32>stretchZ, INSTANCE_STRETCH + 8);
  store<f32>(out, <f32>across, INSTANCE_OFFSET);
  store<f32>(out, <f32>down, INSTANCE_OFFSET + 4);
  store<f32>(out, <f32>along, INSTANCE_OFFSET + 8);
  store<f32>(out, <f32>curvature, INSTANCE_CURVATURE);
  store<f32>(out, <f32>curvatureRate, INSTANCE_CURVATURE_RATE);
  return (
    writeMatrix(curve, toCamera, 1, 1, 1, out) &&
    isWithin(stretchX) && isWithin(stretchY) && isWithin(stretchZ) && stretchX * stretchY * stretchZ > 0 &&
    abs(across) <= FARTHEST && abs(down) <= FARTHEST && abs(along) <= FARTHEST &&
    abs(curvature) <= FARTHEST && abs(curvatureRate) <= FARTHEST
  );
}

/** Mesh → camera: a frame with a stretch of its own. @returns false where it is too far, too small or mirrored */
function writeMatrix(frame: usize, toCamera: usize, stretchX: f64, stretchY: f64, stretchZ: f64, out: usize): bool {
  const scale = load<f64>(frame, FRAME_SCALE);
  const x = load<f64>(frame, FRAME_ORIGIN);
  const y = load<f64>(frame, FRAME_ORIGIN + 8);
  const z = load<f64>(frame, FRAME_ORIGIN + 16);
  const sx = scale * stretchX;
  const sy = scale * stretchY;
  const sz = scale * stretchZ;
  // Written so that NaN fails.
  let drawn = isWithin(sx) && isWithin(sy) && isWithin(sz) && sx * sy * sz > 0;
  for (let row: usize = 0; row < 3; row++) {
    const m = toCamera + (row << 5);
    const a = load<f64>(m);
    const b = load<f64>(m, 8);
    const c = load<f64>(m, 16);
    const at = out + (row << 4);
    store<f32>(at, <f32>(sx * turned(frame, a, b, c, 0)), INSTANCE_MATRIX);
    store<f32>(at, <f32>(sy * turned(frame, a, b, c, 8)), INSTANCE_MATRIX + 4);
    store<f32>(at, <f32>(sz * turned(frame, a, b, c, 16)), INSTANCE_MATRIX + 8);
    const origin = a * x + b * y + c * z + load<f64>(m, 24);
    drawn = drawn && abs(origin) <= FARTHEST;
    store<f32>(at, <f32>origin, INSTANCE_MATRIX + 12);
  }
  return drawn;
}

/** A row (a, b, c) times a column of the frame's rotation. */
// @ts-ignore: decorator
@inline
function turned(frame: usize, a: f64, b: f64, c: f64, column: usize): f64 {
  const r = frame + column;
  return a * load<f64>(r, FRAME_ROTATION) + b * load<f64>(r, FRAME_ROTATION + 24) + c * load<f64>(r, FRAME_ROTATION + 48);
}

function isWithin(size: f64): bool {
  return abs(size) >= SMALLEST && abs(size) <= FARTHEST;
}

/** Factors on the colour; a grey canvas knows one, the red one. */
function writeTint(call: usize, node: i32, out: usize): void {
  const brightness = meshAttribute(call, node, ROLE_BRIGHTNESS, 1);
  const red = brightness * meshAttribute(call, node, ROLE_RED, 1);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  store<f32>(out, <f32>red, INSTANCE_TINT);
  store<f32>(out, <f32>(grey ? red : brightness * meshAttribute(call, node, ROLE_GREEN, 1)), INSTANCE_TINT + 4);
  store<f32>(out, <f32>(grey ? red : brightness * meshAttribute(call, node, ROLE_BLUE, 1)), INSTANCE_TINT + 8);
}
