/**
 * The vector–Jacobian product of the renderer: dL/dattributes from dL/dimage by central differences (Meta-Sim §3.3.2),
 * re-rasterising only the pixels that change. A node that moves one sprite goes through the field of reverse
 * compositing; a node that moves several is composited anew in the rectangle that they touch. The image is linear in
 * brightness, opacity and colour, so that their central difference is, at any step, one contraction at rest.
 */
import { BATCH_SCENES, SCENE_MUTABLE, rootTable, tableAt, vectorData } from './flatbuffer';
import {
  ASSET_FORMAT, CALL_BOTTOM, CALL_CHANNELS, CALL_COLUMN, CALL_COLUMNS, CALL_LEFT, CALL_MOVED, CALL_NODES,
  CALL_NODE_COUNT, CALL_POSES, CALL_RIGHT, CALL_SUM, CALL_TOP, CALL_VALUES, FORMAT_INK8, NODE_ALPHA, NODE_ASSET, NODE_BLUE, NODE_BYTES,
  NODE_FIRST, NODE_GREEN, NODE_MOVERS, NODE_PARENT, NODE_PLACED, NODE_RED, ROLE_BLUE, ROLE_BRIGHTNESS, ROLE_COUNT, ROLE_GREEN,
  ROLE_OPACITY, ROLE_RED, ROLE_ROTATION, ROLE_SCALE, ROLE_SCALE_X, ROLE_SCALE_Y, ROLE_X, ROLE_Y, STATUS_OK,
} from './layout';
import { WITH_FIELD, WITH_WEIGHTS, buildField, buildWeights, contract, findSurroundings } from './field';
import { attributeOf, placeNode } from './pose';
import { differenceOf } from './recomposite';
import { openScene } from './scene';
import {
  addBoundsOf, countMovers, emptyRectangle, frameScale, halfHeight, halfWidth, markSubtree, placeSubtree,
  leverage,
} from './subtree';

/** Sets of roles, one bit each. */
const INHERITED: u32 = (1 << ROLE_X) | (1 << ROLE_Y) | (1 << ROLE_ROTATION) | (1 << ROLE_SCALE);
const STRETCH: u32 = (1 << ROLE_SCALE_X) | (1 << ROLE_SCALE_Y);
const LINEAR: u32 =
  (1 << ROLE_BRIGHTNESS) | (1 << ROLE_OPACITY) | (1 << ROLE_RED) | (1 << ROLE_GREEN) | (1 << ROLE_BLUE);

/** Half-step of a scale that is zero, where no sprite tells how far its image would move. */
const STEP_AT_ZERO: f64 = 0.015625;
const DEGREES: f64 = 57.29577951308232;

/**
 * dL/dattributes of one scene of a verified batch.
 * @param gradient dL/dimage, f32 [H, W, C]
 * @param delta f32 [A], half-step of each column in its unit; ≤ 0 or NaN: the step that moves the image by
 *   about `pixelDelta` px. Without meaning for the linear attributes
 * @param out f32 [V, A], per unit; 0 where the attribute is not mutable or not drawn
 * @returns STATUS_OK, STATUS_DIMENSION or STATUS_INDEX
 */
export function perturbationVjp(
  batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, scratch: usize, gradient: usize, delta: usize,
  pixelDelta: f32, out: usize,
): u32 {
  const status = openScene(batch, sceneIndex, remap, assetTable, scratch);
  if (status != STATUS_OK) return status;
  const count = load<i32>(scratch, CALL_NODE_COUNT);
  const columns = <usize>load<u32>(scratch, CALL_COLUMNS);
  memory.fill(out, 0, (<usize>count * columns) << 2);
  countMovers(scratch);
  const scene = tableAt(vectorData(rootTable(batch), BATCH_SCENES), sceneIndex);
  const mutable = vectorData(scene, SCENE_MUTABLE);
  for (let v = 0; v < count; v++) {
    const entry = <usize>v * columns;
    nodeGradient(scratch, v, mutableRoles(scratch, mutable + entry), gradient, delta, pixelDelta, out + (entry << 2));
  }
  return STATUS_OK;
}

/** Roles of a node that are mutable, as a set. */
function mutableRoles(call: usize, mutable: usize): u32 {
  let roles: u32 = 0;
  const wanted = INHERITED | STRETCH | LINEAR;
  for (let role = 1; role < ROLE_COUNT; role++) {
    if (((wanted >> role) & 1) == 0) continue;
    const column = load<i32>(call + (<usize>role << 2), CALL_COLUMN);
    if (column >= 0 && load<u8>(mutable + column) != 0) roles |= 1 << role;
  }
  return roles;
}

function nodeGradient(
  call: usize, node: i32, roles: u32, gradient: usize, delta: usize, pixelDelta: f32, out: usize,
): void {
  const record = <usize>load<u32>(call, CALL_NODES) + <usize>node * NODE_BYTES;
  const movers = load<i32>(record, NODE_MOVERS);
  if (load<u32>(record, NODE_ASSET) == 0) roles &= INHERITED;
  if (movers == 0 || roles == 0) return;
  markSubtree(call, node, true);
  let fused = roles;
  if (movers > 1) {
    fused = roles & ~INHERITED;
    for (let role = 1; role < ROLE_COUNT; role++) {
      if (((roles & INHERITED) >> role) & 1) differenceGradient(call, node, role, gradient, delta, pixelDelta, out);
    }
  }
  if (fused != 0) {
    const mover = movers > 1 ? node : load<i32>(record, NODE_FIRST);
    fusedGradient(call, node, mover, fused, gradient, delta, pixelDelta, out);
  }
  markSubtree(call, node, false);
}

/** An inherited attribute of a node that moves several sprites. */
function differenceGradient(
  call: usize, node: i32, role: i32, gradient: usize, delta: usize, pixelDelta: f32, out: usize,
): void {
  if (!findValues(call, node, role, delta, pixelDelta)) return;
  const high = highValue(call, role);
  const low = lowValue(call, role);
  storeGradient(call, role, out, differenceOf(call, node, role, high, low, gradient) / (high - low));
}

/** All attributes in `roles` of a node that moves one sprite, `mover`. */
function fusedGradient(
  call: usize, node: i32, mover: i32, roles: u32, gradient: usize, delta: usize, pixelDelta: f32, out: usize,
): void {
  const base = <usize>load<u32>(call, CALL_NODES) + <usize>mover * NODE_BYTES;
  const linear = (roles & LINEAR) != 0 && load<u32>(base, NODE_PLACED) != 0;
  let spatial = roles & (INHERITED | STRETCH);
  emptyRectangle(call);
  if (linear) addBoundsOf(call, base);
  for (let role = 1; role < ROLE_COUNT; role++) {
    if (((spatial >> role) & 1) == 0) continue;
    if (!findValues(call, node, role, delta, pixelDelta)) {
      spatial &= ~(1 << role);
      continue;
    }
    placeMover(call, node, mover, role, highValue(call, role), highPose(call, role));
    placeMover(call, node, mover, role, lowValue(call, role), lowPose(call, role));
    addBoundsOf(call, highPose(call, role));
    addBoundsOf(call, lowPose(call, role));
  }
  if (load<i32>(call, CALL_RIGHT) <= load<i32>(call, CALL_LEFT)) return;
  if (load<i32>(call, CALL_BOTTOM) <= load<i32>(call, CALL_TOP)) return;
  const ink = <u32>load<u8>(<usize>load<u32>(base, NODE_ASSET), ASSET_FORMAT) == FORMAT_INK8;
  findSurroundings(call, mover);
  if (linear || !ink) buildField(call, base, gradient);
  if (linear) {
    contract(call, base, WITH_FIELD);
    linearGradients(call, node, base, roles, out);
  }
  if (spatial == 0) return;
  if (ink) buildWeights(call, base, gradient);
  for (let role = 1; role < ROLE_COUNT; role++) {
    if (((spatial >> role) & 1) == 0) continue;
    const difference = imagePart(call, highPose(call, role), ink) - imagePart(call, lowPose(call, role), ink);
    storeGradient(call, role, out, difference / (highValue(call, role) - lowValue(call, role)));
  }
}

/** Writes into `pose` where the subtree's only sprite stands when the node's attribute has `value`. */
function placeMover(call: usize, node: i32, mover: i32, role: i32, value: f64, pose: usize): void {
  const moved = <usize>load<u32>(call, CALL_MOVED) + <usize>mover * NODE_BYTES;
  if (node != mover) {
    placeSubtree(call, node, role, value);
    memory.copy(pose, moved, NODE_BYTES);
    return;
  }
  const parent = load<i32>(moved, NODE_PARENT);
  const above: usize = parent < 0 ? 0 : <usize>load<u32>(call, CALL_NODES) + <usize>parent * NODE_BYTES;
  store<u32>(pose, load<u32>(moved, NODE_ASSET), NODE_ASSET);
  placeNode(call, node, pose, above, role, value);
}

// @ts-ignore: decorator
@inline
function highPose(call: usize, role: i32): usize {
  return <usize>load<u32>(call, CALL_POSES) + <usize>(2 * role) * NODE_BYTES;
}

// @ts-ignore: decorator
@inline
function lowPose(call: usize, role: i32): usize {
  return highPose(call, role) + NODE_BYTES;
}

// @ts-ignore: decorator
@inline
function highValue(call: usize, role: i32): f64 {
  return load<f64>(call + (<usize>role << 4), CALL_VALUES);
}

// @ts-ignore: decorator
@inline
function lowValue(call: usize, role: i32): f64 {
  return load<f64>(call + (<usize>role << 4), CALL_VALUES + 8);
}

/** Σ dL/dimage · image, as far as it depends on the sprite's pose. */
function imagePart(call: usize, sprite: usize, ink: bool): f64 {
  contract(call, sprite, ink ? WITH_WEIGHTS : WITH_FIELD);
  const a = load<f64>(call, CALL_SUM);
  const b = load<f64>(call, CALL_SUM + 8);
  const c = load<f64>(call, CALL_SUM + 16);
  const d = load<f64>(call, CALL_SUM + 24);
  if (ink) return a + b + (c + d);
  return (
    <f64>load<f32>(sprite, NODE_RED) * a +
    <f64>load<f32>(sprite, NODE_GREEN) * b +
    <f64>load<f32>(sprite, NODE_BLUE) * c +
    <f64>load<f32>(sprite, NODE_ALPHA) * d
  );
}

/** Brightness, opacity and colour from the contraction by channel at rest. */
function linearGradients(call: usize, node: i32, base: usize, roles: u32, out: usize): void {
  const unit: f64 = <u32>load<u8>(<usize>load<u32>(base, NODE_ASSET), ASSET_FORMAT) == FORMAT_INK8 ? 1.0 / 255.0 : 1.0;
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  const opacity = attributeOf(call, node, ROLE_OPACITY, 1);
  const brightness = attributeOf(call, node, ROLE_BRIGHTNESS, 1);
  let first = load<f64>(call, CALL_SUM);
  let second = load<f64>(call, CALL_SUM + 8);
  let third = load<f64>(call, CALL_SUM + 16);
  if (grey) {
    first += second + third;
    second = 0;
    third = 0;
  }
  const light =
    attributeOf(call, node, ROLE_RED, 1) * first +
    attributeOf(call, node, ROLE_GREEN, 1) * second +
    attributeOf(call, node, ROLE_BLUE, 1) * third;
  if ((roles >> ROLE_BRIGHTNESS) & 1) storeGradient(call, ROLE_BRIGHTNESS, out, unit * opacity * light);
  if ((roles >> ROLE_OPACITY) & 1) {
    storeGradient(call, ROLE_OPACITY, out, unit * (brightness * light + load<f64>(call, CALL_SUM + 24)));
  }
  if ((roles >> ROLE_RED) & 1) storeGradient(call, ROLE_RED, out, unit * opacity * brightness * first);
  if ((roles >> ROLE_GREEN) & 1) storeGradient(call, ROLE_GREEN, out, unit * opacity * brightness * second);
  if ((roles >> ROLE_BLUE) & 1) storeGradient(call, ROLE_BLUE, out, unit * opacity * brightness * third);
}

function storeGradient(call: usize, role: i32, out: usize, value: f64): void {
  const column = <usize>load<i32>(call + (<usize>role << 2), CALL_COLUMN);
  store<f32>(out + (column << 2), <f32>value);
}

/**
 * Finds the attribute's values one half-step up and down, as the f32 that a batch would hold.
 * @returns whether they differ
 */
function findValues(call: usize, node: i32, role: i32, delta: usize, pixelDelta: f32): bool {
  const column = <usize>load<i32>(call + (<usize>role << 2), CALL_COLUMN);
  const given = load<f32>(delta + (column << 2));
  const step: f64 = given > 0 ? <f64>given : automaticStep(call, node, role, <f64>pixelDelta);
  const value = attributeOf(call, node, role, 0);
  const high = <f64>(<f32>(value + step));
  const low = <f64>(<f32>(value - step));
  store<f64>(call + (<usize>role << 4), high, CALL_VALUES);
  store<f64>(call + (<usize>role << 4), low, CALL_VALUES + 8);
  return high > low;
}

/**
 * Outlines and strokes lie about half-way between a sprite's centre and its corners, and a turn moves them by about half
 * of its way across themselves; along themselves nothing shows. With these parts the central difference at half a pixel
 * is nearest to the derivative (test/render/vjpSmoothness.test.ts).
 */
const SEEN_OF_TURN: f64 = 0.25;
const SEEN_OF_GROWTH: f64 = 0.5;

/** The half-step that moves what the node moves by about `pixelDelta` px. */
function automaticStep(call: usize, node: i32, role: i32, pixelDelta: f64): f64 {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const record = nodes + <usize>node * NODE_BYTES;
  if (role == ROLE_X || role == ROLE_Y) {
    const parent = load<i32>(record, NODE_PARENT);
    const unit = parent < 0 ? 1.0 : frameScale(nodes + <usize>parent * NODE_BYTES);
    return unit > 1e-6 ? pixelDelta / unit : pixelDelta;
  }
  if (role == ROLE_ROTATION) return (pixelDelta * DEGREES) / max(1.0, leverage(call, node, SEEN_OF_TURN));
  if (role == ROLE_SCALE) {
    const scale = abs(attributeOf(call, node, ROLE_SCALE, 1));
    return scale > 0 ? (pixelDelta * scale) / max(1.0, leverage(call, node, SEEN_OF_GROWTH)) : STEP_AT_ZERO;
  }
  return pixelDelta / max(1.0, SEEN_OF_GROWTH * (role == ROLE_SCALE_X ? halfWidth(record) : halfHeight(record)));
}
