// Verifier of encoded scene batches (schemas/sceneGraph.fbs). It runs before anything else touches a buffer, and after
// it has passed a kernel may follow every offset and index without a check of its own.
//
// What it proves: every table, vtable, vector and string lies inside the buffer and is aligned; lengths fit V and V × A;
// parents stand before their children; classes, assets, roles and masks are in range; numbers are finite; counts and
// canvas sizes are within the limits below; what only 3D scenes know (kinds of nodes, roles) stands in none of 2D; a 3D scene
// has a camera, at most one node each for camera and light, and strips below curves only; and together they use no more bytes than the file has, so that shared data
// cannot make the check, or a reader, do more work than the file is long. A batch without scenes, a scene without nodes, a schema without
// attributes are allowed. The depth of a hierarchy is not limited: nothing walks it recursively.
//
// Top-level variables are WASM globals: each instance (each thread) has its own.

import {
  BATCH_ASSETS, BATCH_CHANNELS, BATCH_CLASSES, BATCH_DIMENSION, BATCH_GRAMMAR, BATCH_GRAMMAR_HASH, BATCH_KINDS, BATCH_SCENES,
  BATCH_SCHEMA, BATCH_SEED, BATCH_VERSION, SCENE_ASSET, SCENE_ATTRIBUTES, SCENE_CAMERA, SCENE_CLASS, SCENE_HEIGHT,
  SCENE_INDEX, SCENE_MUTABLE, SCENE_PARENT, SCENE_WIDTH, SPEC_MAXIMUM, SPEC_MINIMUM, SPEC_NAME, SPEC_PERIODIC,
  SPEC_ROLE, SPEC_UNIT,
} from "./flatbuffer";
import {
  KIND_CAMERA, KIND_CURVE, KIND_LIGHT, KIND_OBJECT, KIND_STRIP, MESH_ROLE_COUNT, ROLE_COUNT, ROLE_OPACITY, ROLE_PITCH, ROLE_ROLL,
  ROLE_SCALE_Z, ROLE_Z,
} from "./layout";

// ── Limits ─────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Instance ids are node index + 1 in 16 bits; 65535 stays free. */
export const MAX_NODES: u32 = 65534;
/** Class ids are class + 1 in 8 bits; 255 stays free. */
export const MAX_CLASSES: u32 = 254;
export const MAX_ATTRIBUTES: u32 = 256;
export const MAX_ASSETS: u32 = 1 << 24;
export const MAX_SCENES: u32 = 1 << 24;
/** px. */
export const MAX_CANVAS_SIDE: u32 = 16384;
/** px. */
export const MAX_CANVAS_AREA: u32 = 64 << 20;

// ── Fields an error can name (src/render/verify.ts holds their paths) ──────────────────────────────────────────────
export const FIELD_BUFFER: u32 = 1;
export const FIELD_IDENTIFIER: u32 = 2;
export const FIELD_ROOT: u32 = 3;
export const FIELD_VERSION: u32 = 4;
export const FIELD_DIMENSION: u32 = 5;
export const FIELD_CHANNELS: u32 = 6;
export const FIELD_SCHEMA: u32 = 7;
export const FIELD_SPEC_NAME: u32 = 8;
export const FIELD_SPEC_ROLE: u32 = 9;
export const FIELD_SPEC_UNIT: u32 = 10;
export const FIELD_SPEC_MINIMUM: u32 = 11;
export const FIELD_SPEC_MAXIMUM: u32 = 12;
export const FIELD_SPEC_PERIODIC: u32 = 13;
export const FIELD_CLASSES: u32 = 14;
export const FIELD_ASSETS: u32 = 15;
export const FIELD_SCENES: u32 = 16;
export const FIELD_GRAMMAR: u32 = 17;
export const FIELD_GRAMMAR_HASH: u32 = 18;
export const FIELD_SEED: u32 = 19;
export const FIELD_WIDTH: u32 = 20;
export const FIELD_HEIGHT: u32 = 21;
export const FIELD_AREA: u32 = 22;
export const FIELD_INDEX: u32 = 23;
export const FIELD_PARENT: u32 = 24;
export const FIELD_CLASS_ID: u32 = 25;
export const FIELD_ASSET: u32 = 26;
export const FIELD_ATTRIBUTES: u32 = 27;
export const FIELD_MUTABLE: u32 = 28;
export const FIELD_CAMERA: u32 = 29;
export const FIELD_KINDS: u32 = 30;
export const FIELD_CAMERA_NODE: u32 = 31;
export const FIELD_LIGHT_NODE: u32 = 32;
export const FIELD_STRIP_PARENT: u32 = 33;

// ── What can be wrong with it ──────────────────────────────────────────────────────────────────────────────────────
/** An offset, or the data behind it, leaves the buffer. */
export const PROBLEM_BOUNDS: u32 = 1;
export const PROBLEM_ALIGNMENT: u32 = 2;
export const PROBLEM_MISSING: u32 = 3;
/** A vector has not `problemExpected` entries. */
export const PROBLEM_LENGTH: u32 = 4;
/** A vector has more than `problemExpected` entries. */
export const PROBLEM_COUNT: u32 = 5;
/** A value is not one of the allowed ones; `problemExpected` is the bound where there is one. */
export const PROBLEM_VALUE: u32 = 6;
export const PROBLEM_FINITE: u32 = 7;
/** Not UTF-8, or without its closing zero byte. */
export const PROBLEM_TEXT: u32 = 8;
/** More data than the buffer has bytes: some of it is shared. */
export const PROBLEM_SHARED: u32 = 9;
/** The same name or role a second time. */
export const PROBLEM_DUPLICATE: u32 = 10;

// ── Details of the last failure of this instance, read by the host ─────────────────────────────────────────────────
/** Position of the scene in the batch, −1 outside of scenes. */
export let problemScene: i32 = -1;
/** Entry within the field, −1 for the field as a whole. */
export let problemElement: i32 = -1;
/** The value found. */
export let problemValue: f64 = 0;
/** The bound or length expected. */
export let problemExpected: f64 = 0;

/** Field | problem << 8; 0 while nothing is wrong. */
let problem: u32 = 0;
/** Address of the buffer, and its length in bytes. */
let base: usize = 0;
let size: u64 = 0;
/** Bytes that tables, vectors and strings may still claim: in a file that shares nothing they fit its length. */
let unclaimed: i64 = 0;
/** 2 or 3. */
let dimension: u32 = 0;
/** Position of the kinds' first entry, 0 where all nodes are objects. */
let kinds: u32 = 0;

const IDENTIFIER: u32 = 0x3147534d; // "MSG1", little-endian
const FORMAT_VERSION: u32 = 1;
const CAMERA_FLOATS: u32 = 12;
const LARGEST_SAFE_INTEGER: u64 = (1 << 53) - 1;

/**
 * Checks an encoded batch.
 * @param pointer address of the buffer, a multiple of 8
 * @param length its length in bytes
 * @returns 0 when it is sound, else field | problem << 8 with details in `problemScene` … `problemExpected`
 */
export function verifyBatch(pointer: usize, length: u32): u32 {
  base = pointer;
  size = length;
  unclaimed = length;
  problem = 0;
  problemScene = -1;
  if (length < 12) return fail(FIELD_BUFFER, PROBLEM_LENGTH, -1, length, 12);
  if (load<u32>(base + 4) != IDENTIFIER) return fail(FIELD_IDENTIFIER, PROBLEM_VALUE, -1, load<u32>(base + 4), 0);
  const root = follow(0, FIELD_ROOT, -1);
  if (!problem && checkTable(root, FIELD_ROOT, -1)) verifyRoot(root);
  return problem;
}

function verifyRoot(root: u32): void {
  if (!oneOf(number(root, BATCH_VERSION, 2, FIELD_VERSION), FORMAT_VERSION, FORMAT_VERSION, FIELD_VERSION)) return;
  dimension = <u32>number(root, BATCH_DIMENSION, 1, FIELD_DIMENSION);
  if (!oneOf(dimension, 2, 3, FIELD_DIMENSION)) return;
  if (!oneOf(number(root, BATCH_CHANNELS, 1, FIELD_CHANNELS), 1, 3, FIELD_CHANNELS)) return;
  if (!oneOf(number(root, BATCH_SEED, 8, FIELD_SEED), 0, LARGEST_SAFE_INTEGER, FIELD_SEED)) return;

  const schema = vector(root, BATCH_SCHEMA, 4, FIELD_SCHEMA, MAX_ATTRIBUTES);
  if (problem) return;
  const columns = load<u32>(base + schema);
  for (let a: u32 = 0; a < columns; a++) if (!verifySpec(schema, a)) return;

  const classes = names(root, BATCH_CLASSES, FIELD_CLASSES, MAX_CLASSES, true);
  if (problem || !verifyKinds(root, classes)) return;
  const assets = names(root, BATCH_ASSETS, FIELD_ASSETS, MAX_ASSETS, false);
  optionalText(root, BATCH_GRAMMAR, FIELD_GRAMMAR, -1);
  optionalText(root, BATCH_GRAMMAR_HASH, FIELD_GRAMMAR_HASH, -1);
  const scenes = vector(root, BATCH_SCENES, 4, FIELD_SCENES, MAX_SCENES);
  if (problem) return;
  const count = load<u32>(base + scenes);
  for (let i: u32 = 0; i < count; i++) {
    problemScene = i;
    const scene = follow(entry(scenes, i), FIELD_SCENES, -1);
    if (problem || !checkTable(scene, FIELD_SCENES, -1)) return;
    if (!verifyScene(scene, columns, classes, assets)) return;
  }
}

/** What the nodes of each class are: nothing, or one kind a class; in 2D all are objects. */
function verifyKinds(root: u32, classes: u32): bool {
  kinds = 0;
  if (!slot(root, BATCH_KINDS)) return true;
  const list = vector(root, BATCH_KINDS, 1, FIELD_KINDS, MAX_CLASSES);
  if (problem) return false;
  const length = load<u32>(base + list);
  if (length == 0) return true;
  if (length != classes) return reject(FIELD_KINDS, PROBLEM_LENGTH, -1, length, classes);
  const last = dimension == 2 ? KIND_OBJECT : KIND_STRIP;
  for (let i: u32 = 0; i < length; i++) {
    if (!oneOf(load<u8>(base + list + 4 + i), KIND_OBJECT, last, FIELD_KINDS, i)) return false;
  }
  kinds = list + 4;
  return true;
}

/** Whether scenes of the batch's dimension know a role: the third axis in 3D only, opacity in 2D only. */
function knowsRole(role: u32): bool {
  if (dimension == 3) return role < <u32>MESH_ROLE_COUNT && role != <u32>ROLE_OPACITY;
  return (
    role < <u32>ROLE_COUNT && role != <u32>ROLE_Z && role != <u32>ROLE_PITCH && role != <u32>ROLE_ROLL && role != <u32>ROLE_SCALE_Z
  );
}

/** Column `a`: name and role of its own, finite ordered range. */
function verifySpec(schema: u32, a: u32): bool {
  const spec = follow(entry(schema, a), FIELD_SCHEMA, a);
  if (problem || !checkTable(spec, FIELD_SCHEMA, a)) return false;
  const nameField = fieldAt(spec, SPEC_NAME, 4, FIELD_SPEC_NAME, a);
  if (!problem && !nameField) fail(FIELD_SPEC_NAME, PROBLEM_MISSING, a, 0, 0);
  if (problem || !checkText(follow(nameField, FIELD_SPEC_NAME, a), FIELD_SPEC_NAME, a)) return false;
  if (!optionalText(spec, SPEC_UNIT, FIELD_SPEC_UNIT, a)) return false;
  const role = <u32>number(spec, SPEC_ROLE, 1, FIELD_SPEC_ROLE, a);
  if (problem) return false;
  if (!knowsRole(role)) return reject(FIELD_SPEC_ROLE, PROBLEM_VALUE, a, role, dimension);
  if (!oneOf(number(spec, SPEC_PERIODIC, 1, FIELD_SPEC_PERIODIC, a), 0, 1, FIELD_SPEC_PERIODIC, a)) return false;
  const minimum = float(spec, SPEC_MINIMUM, FIELD_SPEC_MINIMUM, a);
  const maximum = float(spec, SPEC_MAXIMUM, FIELD_SPEC_MAXIMUM, a);
  if (problem) return false;
  // The learner divides by the range: it must be a positive, finite float32.
  if (!(maximum > minimum) || !isFinite<f32>(maximum - minimum)) {
    fail(FIELD_SPEC_MAXIMUM, PROBLEM_VALUE, a, maximum, minimum);
    return false;
  }
  // The columns before this one have passed: they can be compared with.
  for (let other: u32 = 0; other < a; other++) {
    const before = target(entry(schema, other));
    if (sameText(target(nameField), target(slot(before, SPEC_NAME)))) {
      fail(FIELD_SPEC_NAME, PROBLEM_DUPLICATE, a, other, 0);
      return false;
    }
    const roleField = slot(before, SPEC_ROLE);
    if (role != 0 && roleField && load<u8>(base + roleField) == role) {
      fail(FIELD_SPEC_ROLE, PROBLEM_DUPLICATE, a, role, 0);
      return false;
    }
  }
  return true;
}

function verifyScene(scene: u32, columns: u32, classes: u32, assets: u32): bool {
  const width = <u32>number(scene, SCENE_WIDTH, 2, FIELD_WIDTH);
  const height = <u32>number(scene, SCENE_HEIGHT, 2, FIELD_HEIGHT);
  if (!oneOf(width, 1, MAX_CANVAS_SIDE, FIELD_WIDTH)) return false;
  if (!oneOf(height, 1, MAX_CANVAS_SIDE, FIELD_HEIGHT)) return false;
  if (!oneOf(width * height, 1, MAX_CANVAS_AREA, FIELD_AREA)) return false;
  if (!oneOf(number(scene, SCENE_INDEX, 8, FIELD_INDEX), 0, LARGEST_SAFE_INTEGER, FIELD_INDEX)) return false;

  const parent = vector(scene, SCENE_PARENT, 4, FIELD_PARENT, MAX_NODES);
  if (problem) return false;
  const nodes = load<u32>(base + parent);
  const classId = sized(scene, SCENE_CLASS, 2, FIELD_CLASS_ID, nodes);
  const asset = sized(scene, SCENE_ASSET, 4, FIELD_ASSET, nodes);
  const attributes = sized(scene, SCENE_ATTRIBUTES, 4, FIELD_ATTRIBUTES, nodes * columns);
  const mutable = sized(scene, SCENE_MUTABLE, 1, FIELD_MUTABLE, nodes * columns);
  if (problem) return false;

  for (let v: u32 = 0; v < nodes; v++) {
    const p = load<i32>(base + parent + 4 + (v << 2));
    if (p < -1 || p >= <i32>v) return reject(FIELD_PARENT, PROBLEM_VALUE, v, p, <i32>v - 1);
    const c = load<u16>(base + classId + 4 + (v << 1));
    if (c >= classes) return reject(FIELD_CLASS_ID, PROBLEM_VALUE, v, c, classes);
    const a = load<i32>(base + asset + 4 + (v << 2));
    if (a < -1 || a >= <i32>assets) return reject(FIELD_ASSET, PROBLEM_VALUE, v, a, <i32>assets - 1);
  }
  if (kinds && !verifyNodeKinds(parent + 4, classId + 4, nodes)) return false;
  for (let i: u32 = 0; i < nodes * columns; i++) {
    const value = load<f32>(base + attributes + 4 + (i << 2));
    if (!isFinite<f32>(value)) return reject(FIELD_ATTRIBUTES, PROBLEM_FINITE, i, value, 0);
    const mask = load<u8>(base + mutable + 4 + i);
    if (mask > 1) return reject(FIELD_MUTABLE, PROBLEM_VALUE, i, mask, 1);
  }
  return verifyCamera(scene);
}

/** At most one camera and one light; strips lie in curves or in other strips, so that every chain of them ends at a curve. */
function verifyNodeKinds(parents: u32, classIds: u32, nodes: u32): bool {
  let camera = -1;
  let light = -1;
  for (let v: u32 = 0; v < nodes; v++) {
    const kind = kindOf(classIds, v);
    if (kind == KIND_CAMERA) {
      if (camera >= 0) return reject(FIELD_CAMERA_NODE, PROBLEM_VALUE, v, camera, 1);
      camera = v;
    } else if (kind == KIND_LIGHT) {
      if (light >= 0) return reject(FIELD_LIGHT_NODE, PROBLEM_VALUE, v, light, 1);
      light = v;
    } else if (kind == KIND_STRIP) {
      const p = load<i32>(base + parents + (v << 2));
      const above = p < 0 ? KIND_OBJECT : kindOf(classIds, p);
      if (above != KIND_CURVE && above != KIND_STRIP) return reject(FIELD_STRIP_PARENT, PROBLEM_VALUE, v, p, 0);
    }
  }
  return true;
}

/** Kind of node `v`, whose class has been checked. */
function kindOf(classIds: u32, v: u32): u32 {
  return load<u8>(base + kinds + load<u16>(base + classIds + (v << 1)));
}

/** A camera, which a 3D scene must have: finite, positive focal lengths, 0 < near < far. */
function verifyCamera(scene: u32): bool {
  const camera = fieldAt(scene, SCENE_CAMERA, CAMERA_FLOATS * 4, FIELD_CAMERA);
  if (problem) return false;
  if (!camera) return dimension == 2 || reject(FIELD_CAMERA, PROBLEM_MISSING, -1, 0, 0);
  for (let i: u32 = 0; i < CAMERA_FLOATS; i++) {
    const value = load<f32>(base + camera + (i << 2));
    if (!isFinite<f32>(value)) return reject(FIELD_CAMERA, PROBLEM_FINITE, i, value, 0);
  }
  for (let i: u32 = 0; i < 2; i++) {
    const focal = load<f32>(base + camera + (i << 2));
    if (!(focal > 0)) return reject(FIELD_CAMERA, PROBLEM_VALUE, i, focal, 0);
  }
  const near = load<f32>(base + camera + 40);
  const far = load<f32>(base + camera + 44);
  if (!(near > 0)) return reject(FIELD_CAMERA, PROBLEM_VALUE, 10, near, 0);
  if (!(far > near)) return reject(FIELD_CAMERA, PROBLEM_VALUE, 11, far, near);
  return true;
}

// ── Pieces of a flatbuffer ─────────────────────────────────────────────────────────────────────────────────────────
// Positions are bytes from the start of the buffer. 0 stands for "none": the root offset lies there, nothing else can.

/** Where the offset stored at `position` points to. The position has been checked. */
@inline
function target(position: u32): u32 {
  return position + load<u32>(base + position);
}

/** Position of entry i of a vector of offsets. */
@inline
function entry(list: u32, i: u32): u32 {
  return list + 4 + (i << 2);
}

/** Position of a field of a checked table, 0 when absent. */
function slot(table: u32, vtableSlot: u32): u32 {
  const vtable = table - load<i32>(base + table);
  if (vtableSlot + 2 > <u32>load<u16>(base + vtable)) return 0;
  const offset = <u32>load<u16>(base + vtable + vtableSlot);
  return offset ? table + offset : 0;
}

/** Follows the offset at `position`, whose own four bytes are known to be inside; its target holds at least 4 bytes. */
function follow(position: u32, field: u32, element: i32): u32 {
  const offset = load<u32>(base + position);
  const to = <u64>position + <u64>offset;
  if (offset == 0 || to + 4 > size) {
    fail(field, PROBLEM_BOUNDS, element, <f64>to, 0);
    return 0;
  }
  if (to & 3) {
    fail(field, PROBLEM_ALIGNMENT, element, <f64>to, 0);
    return 0;
  }
  return <u32>to;
}

/** The table at `table` and its vtable are inside the buffer. */
function checkTable(table: u32, field: u32, element: i32): bool {
  const vtable = <i64>table - <i64>load<i32>(base + table);
  if (vtable < 0 || vtable + 4 > <i64>size) return reject(field, PROBLEM_BOUNDS, element, <f64>vtable, 0);
  if (vtable & 1) return reject(field, PROBLEM_ALIGNMENT, element, <f64>vtable, 0);
  const vtableSize = <u32>load<u16>(base + <usize>vtable);
  const tableSize = <u32>load<u16>(base + <usize>vtable + 2);
  if (vtableSize < 4 || vtableSize & 1 || vtable + vtableSize > <i64>size) {
    return reject(field, PROBLEM_BOUNDS, element, vtableSize, 0);
  }
  if (tableSize < 4 || <u64>table + tableSize > size) return reject(field, PROBLEM_BOUNDS, element, tableSize, 0);
  return claim(tableSize, field, element);
}

/** Position of a field of `bytes` bytes, inside its table and aligned; 0 when it is absent or damaged. */
function fieldAt(table: u32, vtableSlot: u32, bytes: u32, field: u32, element: i32 = -1): u32 {
  const position = slot(table, vtableSlot);
  if (!position) return 0;
  const vtable = table - load<i32>(base + table);
  const offset = position - table;
  if (offset < 4 || offset + bytes > <u32>load<u16>(base + vtable + 2)) {
    fail(field, PROBLEM_BOUNDS, element, offset, 0);
    return 0;
  }
  // Scalars and offsets are aligned to their size; the camera, a struct of floats, to 4.
  const alignment = min<u32>(bytes, bytes == 8 ? 8 : 4);
  if (position & (alignment - 1)) {
    fail(field, PROBLEM_ALIGNMENT, element, position, 0);
    return 0;
  }
  return position;
}

/** An unsigned integer field of 1, 2 or 8 bytes; 0 when absent, as in the schema. */
function number(table: u32, vtableSlot: u32, bytes: u32, field: u32, element: i32 = -1): u64 {
  const position = fieldAt(table, vtableSlot, bytes, field, element);
  if (!position) return 0;
  if (bytes == 1) return load<u8>(base + position);
  if (bytes == 2) return load<u16>(base + position);
  return load<u64>(base + position);
}

/** A finite float field; 0 when absent, as in the schema. */
function float(table: u32, vtableSlot: u32, field: u32, element: i32): f32 {
  const position = fieldAt(table, vtableSlot, 4, field, element);
  if (!position) return 0;
  const value = load<f32>(base + position);
  if (!isFinite<f32>(value)) fail(field, PROBLEM_FINITE, element, value, 0);
  return value;
}

/** Position of a required vector's length, at most `limit` entries; 0 when damaged. */
function vector(table: u32, vtableSlot: u32, entryBytes: u32, field: u32, limit: u32): u32 {
  if (problem) return 0;
  const offset = fieldAt(table, vtableSlot, 4, field);
  if (problem) return 0;
  if (!offset) {
    fail(field, PROBLEM_MISSING, -1, 0, 0);
    return 0;
  }
  const start = follow(offset, field, -1);
  if (problem) return 0;
  const length = load<u32>(base + start);
  const bytes = <u64>length * <u64>entryBytes;
  if (<u64>start + 4 + bytes > size) {
    fail(field, PROBLEM_BOUNDS, -1, length, 0);
    return 0;
  }
  if (length > limit) {
    fail(field, PROBLEM_COUNT, -1, length, limit);
    return 0;
  }
  return claim(4 + bytes, field, -1) ? start : 0;
}

/** A required vector of exactly `length` entries. */
function sized(table: u32, vtableSlot: u32, entryBytes: u32, field: u32, length: u32): u32 {
  const start = vector(table, vtableSlot, entryBytes, field, 0xffffffff);
  if (problem) return 0;
  const found = load<u32>(base + start);
  if (found != length) fail(field, PROBLEM_LENGTH, -1, found, length);
  return start;
}

/** Checks a required vector of strings. @returns its length */
function names(table: u32, vtableSlot: u32, field: u32, limit: u32, unique: bool): u32 {
  const list = vector(table, vtableSlot, 4, field, limit);
  if (problem) return 0;
  const length = load<u32>(base + list);
  for (let i: u32 = 0; i < length; i++) {
    const text = follow(entry(list, i), field, i);
    if (problem || !checkText(text, field, i)) return 0;
    if (!unique) continue;
    for (let other: u32 = 0; other < i; other++) {
      if (sameText(text, target(entry(list, other)))) {
        fail(field, PROBLEM_DUPLICATE, i, other, 0);
        return 0;
      }
    }
  }
  return length;
}

/** Checks a string field that may be absent. */
function optionalText(table: u32, vtableSlot: u32, field: u32, element: i32): bool {
  if (problem) return false;
  const position = fieldAt(table, vtableSlot, 4, field, element);
  if (problem) return false;
  if (!position) return true;
  const text = follow(position, field, element);
  return !problem && checkText(text, field, element);
}

/** The string at `text`: inside the buffer, closed by a zero byte, valid UTF-8. */
function checkText(text: u32, field: u32, element: i32): bool {
  if (problem) return false;
  const length = load<u32>(base + text);
  const end = <u64>text + 4 + length;
  if (end + 1 > size) return reject(field, PROBLEM_BOUNDS, element, length, 0);
  if (!claim(<u64>length + 5, field, element)) return false;
  if (load<u8>(base + <usize>end) != 0 || !isUtf8(base + text + 4, length)) {
    return reject(field, PROBLEM_TEXT, element, 0, 0);
  }
  return true;
}

/** Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
function isUtf8(pointer: usize, length: u32): bool {
  let i: u32 = 0;
  while (i < length) {
    const lead = <u32>load<u8>(pointer + i++);
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const more: u32 = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (i + more > length) return false;
    const second = <u32>load<u8>(pointer + i);
    // The second byte's range excludes overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
    const low: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const high: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (let k: u32 = 1; k < more; k++) if ((load<u8>(pointer + i + k) & 0xc0) != 0x80) return false;
    i += more;
  }
  return true;
}

/** Two checked strings hold the same bytes. */
function sameText(a: u32, b: u32): bool {
  const length = load<u32>(base + a);
  if (load<u32>(base + b) != length) return false;
  return memory.compare(base + a + 4, base + b + 4, length) == 0;
}

/** Takes `bytes` from what is left of the buffer, so that data cannot be shared to multiply the work. */
function claim(bytes: u64, field: u32, element: i32): bool {
  unclaimed -= <i64>bytes;
  if (unclaimed < 0) return reject(field, PROBLEM_SHARED, element, <f64>bytes, 0);
  return true;
}

// ── Failing ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `value` is one of [low, high]; channels, 1 or 3, leave out the 2 between. */
function oneOf(value: u64, low: u64, high: u64, field: u32, element: i32 = -1): bool {
  if (problem) return false;
  if (value < low || value > high || (field == FIELD_CHANNELS && value == 2)) {
    return reject(field, PROBLEM_VALUE, element, <f64>value, <f64>high);
  }
  return true;
}

function reject(field: u32, what: u32, element: i32, value: f64, expected: f64): bool {
  fail(field, what, element, value, expected);
  return false;
}

/** Notes the first failure. */
function fail(field: u32, what: u32, element: i32, value: f64, expected: f64): u32 {
  if (problem) return problem;
  problem = field | (what << 8);
  problemElement = element;
  problemValue = value;
  problemExpected = expected;
  return problem;
}
