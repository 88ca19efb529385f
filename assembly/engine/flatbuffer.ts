/**
 * Reading flatbuffers in place. Addresses are those of linear memory; the buffer has been verified (verify.ts).
 *
 * A table begins with the signed distance back to its vtable; a vtable holds its own length, the table's length, and
 * for field i at 4 + 2i the field's distance from the start of the table (0: absent, the default holds).
 */

/** Where the vtable holds each field of schemas/sceneGraph.fbs: 4 + 2 × its place in the table's declaration. */
export const BATCH_VERSION: u32 = 4;
export const BATCH_DIMENSION: u32 = 6;
export const BATCH_CHANNELS: u32 = 8;
export const BATCH_SCHEMA: u32 = 10;
export const BATCH_CLASSES: u32 = 12;
export const BATCH_ASSETS: u32 = 14;
export const BATCH_SCENES: u32 = 16;
export const BATCH_GRAMMAR: u32 = 18;
export const BATCH_GRAMMAR_HASH: u32 = 20;
export const BATCH_SEED: u32 = 22;
export const BATCH_KINDS: u32 = 24;
export const SPEC_NAME: u32 = 4;
export const SPEC_ROLE: u32 = 6;
export const SPEC_UNIT: u32 = 8;
export const SPEC_MINIMUM: u32 = 10;
export const SPEC_MAXIMUM: u32 = 12;
export const SPEC_PERIODIC: u32 = 14;
export const SCENE_WIDTH: u32 = 4;
export const SCENE_HEIGHT: u32 = 6;
export const SCENE_INDEX: u32 = 8;
export const SCENE_PARENT: u32 = 10;
export const SCENE_CLASS: u32 = 12;
export const SCENE_ASSET: u32 = 14;
export const SCENE_ATTRIBUTES: u32 = 16;
export const SCENE_MUTABLE: u32 = 18;
export const SCENE_CAMERA: u32 = 20;

/** Address of the root table of the buffer at `buffer`. */
export function rootTable(buffer: usize): usize {
  return buffer + load<u32>(buffer);
}

/** Address of the field at vtable entry `slot` of a table, 0 when it is absent. */
export function fieldOf(table: usize, slot: u32): usize {
  const vtable = table - load<i32>(table);
  if (slot + 2 > <u32>load<u16>(vtable)) return 0;
  const offset = <usize>load<u16>(vtable + slot);
  return offset == 0 ? 0 : table + offset;
}

/** An unsigned byte field. */
export function readU8(table: usize, slot: u32): u32 {
  const field = fieldOf(table, slot);
  return field == 0 ? 0 : <u32>load<u8>(field);
}

/** An unsigned 16-bit field. */
export function readU16(table: usize, slot: u32): u32 {
  const field = fieldOf(table, slot);
  return field == 0 ? 0 : <u32>load<u16>(field);
}

/** Number of entries of the vector at vtable entry `slot`. */
export function vectorLength(table: usize, slot: u32): u32 {
  const field = fieldOf(table, slot);
  return field == 0 ? 0 : load<u32>(field + load<u32>(field));
}

/** Address of the first entry of the vector at vtable entry `slot`; meaningless when the field is absent. */
export function vectorData(table: usize, slot: u32): usize {
  const field = fieldOf(table, slot);
  return field == 0 ? 0 : field + load<u32>(field) + 4;
}

/** Address of table `i` of a vector of tables. */
export function tableAt(data: usize, i: u32): usize {
  const entry = data + ((<usize>i) << 2);
  return entry + load<u32>(entry);
}
