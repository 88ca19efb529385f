/** From camera and light of a 3D scene to a view record. */
import {
  CALL_CHANNELS, CALL_HEIGHT, CALL_NODE_COUNT, CALL_WIDTH, ROLE_AMBIENT, ROLE_BLUE, ROLE_BRIGHTNESS, ROLE_FIELD_OF_VIEW, ROLE_GREEN,
  ROLE_HAZE, ROLE_RED,
} from '../layout';
import { cosine, sine } from '../trigonometry';
import { meshAttribute, writeRotation } from './frames';
import {
  FRAME_BYTES, FRAME_ORIGIN, FRAME_ROTATION, MESH_CALL_CAMERA, MESH_CALL_CAMERA_NODE, MESH_CALL_LIGHT_NODE, MESH_CALL_SAMPLES,
  MESH_CALL_TRIANGLES, MESH_CALL_TURN, MESH_CALL_VERTICES, VIEW_AMBIENT, VIEW_BYTES, VIEW_CHANNELS, VIEW_COUNT, VIEW_CX, VIEW_CY, VIEW_FAR, VIEW_FLAGS, VIEW_FX, VIEW_FY,
  VIEW_GROUND, VIEW_HAZE, VIEW_HAZE_COLOR, VIEW_HEIGHT, VIEW_HORIZON, VIEW_INSTANCES, VIEW_LIGHT, VIEW_NEAR, VIEW_SAMPLES,
  VIEW_SHADOW, VIEW_SHADOWS, VIEW_SKY, VIEW_SUN, VIEW_TRIANGLES, VIEW_UP, VIEW_VERTICES, VIEW_WIDTH, VIEW_ZENITH,
} from './layout';

// Byte offsets in the Camera struct of schemas/sceneGraph.fbs: f32 each.
const CAMERA_FX: usize = 0;
const CAMERA_FY: usize = 4;
const CAMERA_CX: usize = 8;
const CAMERA_CY: usize = 12;
const CAMERA_X: usize = 16;
const CAMERA_Y: usize = 20;
const CAMERA_Z: usize = 24;
const CAMERA_HEADING: usize = 28;
const CAMERA_PITCH: usize = 32;
const CAMERA_ROLL: usize = 36;
const CAMERA_NEAR: usize = 40;
const CAMERA_FAR: usize = 44;

/** A wider field of view is taken as this one, degrees. */
const WIDEST_FIELD_OF_VIEW: f64 = 179;
// The light where a scene has no light node, or a schema no such attribute.
const SUN_HEADING: f64 = 40;
const SUN_HEIGHT: f64 = 45;
const SUN: f64 = 0.65;
const AMBIENT: f64 = 0.45;
/** What the sun adds to the brightness of the sky, against what the ambient light does: a sunny sky is brighter than its shade. */
const SUNNY_SKY: f64 = 0.5;
/** Share of the sun's light that a shadow takes away. */
const SHADOW: f32 = 0.9;

/**
 * Fills a view record but for its outputs, and the matrix that takes the world to the camera.
 * @param frames frame record of node 0, of the scene as it is or as it is perturbed
 * @param toCamera f64 [3, 4]
 * @param instances address of the instance records that the view shows
 */
export function writeView(call: usize, view: usize, frames: usize, toCamera: usize, instances: usize): void {
  memory.fill(view, 0, VIEW_BYTES);
  store<i32>(view, load<i32>(call, CALL_WIDTH), VIEW_WIDTH);
  store<i32>(view, load<i32>(call, CALL_HEIGHT), VIEW_HEIGHT);
  store<u32>(view, load<u32>(call, CALL_CHANNELS), VIEW_CHANNELS);
  store<u32>(view, load<u32>(call, MESH_CALL_SAMPLES), VIEW_SAMPLES);
  store<u32>(view, VIEW_SHADOWS | VIEW_SKY, VIEW_FLAGS);
  store<u32>(view, <u32>instances, VIEW_INSTANCES);
  store<u32>(view, load<u32>(call, CALL_NODE_COUNT), VIEW_COUNT);
  store<f32>(view, SHADOW, VIEW_SHADOW);
  store<u32>(view, load<u32>(call, MESH_CALL_VERTICES), VIEW_VERTICES);
  store<u32>(view, load<u32>(call, MESH_CALL_TRIANGLES), VIEW_TRIANGLES);
  writeCamera(call, view, frames, toCamera);
  writeLight(call, view, frames, toCamera);
}

function writeCamera(call: usize, view: usize, frames: usize, toCamera: usize): void {
  const camera = <usize>load<u32>(call, MESH_CALL_CAMERA);
  const node = load<i32>(call, MESH_CALL_CAMERA_NODE);
  let fx = <f64>load<f32>(camera, CAMERA_FX);
  let fy = <f64>load<f32>(camera, CAMERA_FY);
  let rotation = call + MESH_CALL_TURN;
  let x: f64, y: f64, z: f64;
  if (node < 0) {
    writeRotation(
      rotation,
      <f64>load<f32>(camera, CAMERA_HEADING),
      <f64>load<f32>(camera, CAMERA_PITCH),
      <f64>load<f32>(camera, CAMERA_ROLL),
    );
    x = <f64>load<f32>(camera, CAMERA_X);
    y = <f64>load<f32>(camera, CAMERA_Y);
    z = <f64>load<f32>(camera, CAMERA_Z);
  } else {
    const frame = frames + <usize>node * FRAME_BYTES;
    rotation = frame + FRAME_ROTATION;
    x = load<f64>(frame, FRAME_ORIGIN);
    y = load<f64>(frame, FRAME_ORIGIN + 8);
    z = load<f64>(frame, FRAME_ORIGIN + 16);
    const fieldOfView = meshAttribute(call, node, ROLE_FIELD_OF_VIEW, 0);
    if (fieldOfView > 0) {
      const half = min(fieldOfView, WIDEST_FIELD_OF_VIEW) * 0.5;
      const focal = (<f64>load<i32>(call, CALL_WIDTH) * 0.5 / sine(half)) * cosine(half);
      fy = focal * (fy / fx);
      fx = focal;
    }
  }
  for (let row: usize = 0; row < 3; row++) {
    // The inverse of a rotation is its transpose.
    const r = rotation + (row << 3);
    const a = load<f64>(r);
    const b = load<f64>(r, 24);
    const c = load<f64>(r, 48);
    const out = toCamera + (row << 5);
    store<f64>(out, a);
    store<f64>(out, b, 8);
    store<f64>(out, c, 16);
    store<f64>(out, -(a * x + b * y + c * z), 24);
    // Upwards is against the world's y.
    store<f32>(view + (row << 2), <f32>-b, VIEW_UP);
  }
  store<f32>(view, <f32>fx, VIEW_FX);
  store<f32>(view, <f32>fy, VIEW_FY);
  store<f32>(view, load<f32>(camera, CAMERA_CX), VIEW_CX);
  store<f32>(view, load<f32>(camera, CAMERA_CY), VIEW_CY);
  store<f32>(view, load<f32>(camera, CAMERA_NEAR), VIEW_NEAR);
  store<f32>(view, load<f32>(camera, CAMERA_FAR), VIEW_FAR);
  store<f32>(view, <f32>-y, VIEW_GROUND);
}

function writeLight(call: usize, view: usize, frames: usize, toCamera: usize): void {
  const node = load<i32>(call, MESH_CALL_LIGHT_NODE);
  let sun = SUN;
  let red: f64 = 1;
  let green: f64 = 1;
  let blue: f64 = 1;
  let ambient = AMBIENT;
  let haze: f64 = 0;
  let rotation = call + MESH_CALL_TURN;
  if (node < 0) {
    writeRotation(rotation, SUN_HEADING, SUN_HEIGHT, 0);
  } else {
    rotation = frames + <usize>node * FRAME_BYTES + FRAME_ROTATION;
    sun = meshAttribute(call, node, ROLE_BRIGHTNESS, SUN);
    red = meshAttribute(call, node, ROLE_RED, 1);
    // A grey canvas knows one colour factor, as in 2D.
    const grey = load<u32>(call, CALL_CHANNELS) == 1;
    green = grey ? red : meshAttribute(call, node, ROLE_GREEN, 1);
    blue = grey ? red : meshAttribute(call, node, ROLE_BLUE, 1);
    ambient = meshAttribute(call, node, ROLE_AMBIENT, AMBIENT);
    haze = meshAttribute(call, node, ROLE_HAZE, 0) * 0.001;
  }
  const x = load<f64>(rotation, 16);
  const y = load<f64>(rotation, 40);
  const z = load<f64>(rotation, 64);
  for (let row: usize = 0; row < 3; row++) {
    const m = toCamera + (row << 5);
    store<f32>(view + (row << 2), <f32>(load<f64>(m) * x + load<f64>(m, 8) * y + load<f64>(m, 16) * z), VIEW_LIGHT);
  }
  const sky = (ambient + SUNNY_SKY * sun) / (AMBIENT + SUNNY_SKY * SUN);
  writeColor(view + VIEW_SUN, sun * red, sun * green, sun * blue);
  writeColor(view + VIEW_AMBIENT, ambient, ambient, ambient);
  writeColor(view + VIEW_ZENITH, sky * 0.36, sky * 0.56, sky * 0.86);
  writeColor(view + VIEW_HORIZON, sky * 0.82, sky * 0.88, sky * 0.94);
  writeColor(view + VIEW_HAZE_COLOR, sky * 0.82, sky * 0.88, sky * 0.94);
  store<f32>(view, <f32>haze, VIEW_HAZE);
}

function writeColor(at: usize, red: f64, green: f64, blue: f64): void {
  store<f32>(at, <f32>red);
  store<f32>(at, <f32>green, 4);
  store<f32>(at, <f32>blue, 8);
}
