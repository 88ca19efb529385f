/** From the padded f32 canvas to the image that the caller gets. */
import { CALL_CANVAS, CALL_CHANNELS, CALL_HEIGHT, CALL_PITCH, CALL_WIDTH, COLOR_F32 } from './layout';

const TWO_23: f32 = 8388608;

/** Writes the whole canvas to `color` as f32 or u8 [H, W, C], without padding. */
export function packCanvas(call: usize, color: usize, format: u32): void {
  const width = load<u32>(call, CALL_WIDTH);
  const height = load<u32>(call, CALL_HEIGHT);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  const pitch = <usize>load<u32>(call, CALL_PITCH) << (grey ? 2 : 4);
  const bytes = <usize>(width * (grey ? 1 : 3)) << (format == COLOR_F32 ? 2 : 0);
  let row = <usize>load<u32>(call, CALL_CANVAS);
  for (let y: u32 = 0; y < height; y++) {
    if (format == COLOR_F32) {
      if (grey) memory.copy(color, row, bytes);
      else packFloats(row, color, width);
    } else if (grey) packGreyBytes(row, color, width);
    else packColourBytes(row, color, width);
    row += pitch;
    color += bytes;
  }
}

/** RGBx floats to RGB floats. */
function packFloats(row: usize, out: usize, width: u32): void {
  let x: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    for (; x + 4 <= width; x += 4) {
      const a = v128.load(row);
      const b = v128.load(row, 16);
      const c = v128.load(row, 32);
      const d = v128.load(row, 48);
      v128.store(out, i32x4.shuffle(a, b, 0, 1, 2, 4));
      v128.store(out, i32x4.shuffle(b, c, 1, 2, 4, 5), 16);
      v128.store(out, i32x4.shuffle(c, d, 2, 4, 5, 6), 32);
      row += 64;
      out += 48;
    }
  }
  for (; x < width; x++) {
    store<u64>(out, load<u64>(row));
    store<u32>(out, load<u32>(row, 8), 8);
    row += 16;
    out += 12;
  }
}

/** floor(255·clamp(value) + ½) in the low byte of a lane; 2^23 rounds to an integer, the comparison makes it floor. */
// @ts-ignore: decorator
@inline
function toBytes(values: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(values, f32x4.splat(0)), f32x4.splat(1));
  const scaled = f32x4.add(f32x4.mul(clamped, f32x4.splat(255)), f32x4.splat(0.5));
  const rounded = f32x4.add(scaled, f32x4.splat(TWO_23));
  const above = f32x4.gt(f32x4.sub(rounded, f32x4.splat(TWO_23)), scaled);
  return i32x4.add(rounded, above);
}

// @ts-ignore: decorator
@inline
function toByte(value: f32): u8 {
  const raised: f32 = value < 0 ? 0 : value;
  const clamped: f32 = 1 < raised ? 1 : raised;
  return <u8>(clamped * 255 + 0.5);
}

function packGreyBytes(row: usize, out: usize, width: u32): void {
  let x: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    const low = i32x4.splat(0xff);
    for (; x + 16 <= width; x += 16) {
      const a = v128.and(toBytes(v128.load(row)), low);
      const b = v128.and(toBytes(v128.load(row, 16)), low);
      const c = v128.and(toBytes(v128.load(row, 32)), low);
      const d = v128.and(toBytes(v128.load(row, 48)), low);
      v128.store(out, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
      row += 64;
      out += 16;
    }
  }
  for (; x < width; x++) {
    store<u8>(out, toByte(load<f32>(row)));
    row += 4;
    out += 1;
  }
}

function packColourBytes(row: usize, out: usize, width: u32): void {
  let x: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    for (; x + 4 <= width; x += 4) {
      // Byte k of a lane is pixel k; lanes are channels. The bits of 2^23 above the low byte are shifted out.
      const a = v128.and(toBytes(v128.load(row)), i32x4.splat(0xff));
      const b = i32x4.shl(v128.and(toBytes(v128.load(row, 16)), i32x4.splat(0xff)), 8);
      const c = i32x4.shl(v128.and(toBytes(v128.load(row, 32)), i32x4.splat(0xff)), 16);
      const d = i32x4.shl(toBytes(v128.load(row, 48)), 24);
      const mixed = v128.or(v128.or(a, b), v128.or(c, d));
      const bytes = i8x16.shuffle(mixed, mixed, 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 12, 13, 14, 15);
      v128.store_lane<u64>(out, bytes, 0);
      v128.store_lane<u32>(out, bytes, 2, 8);
      row += 64;
      out += 12;
    }
  }
  for (; x < width; x++) {
    store<u8>(out, toByte(load<f32>(row)));
    store<u8>(out, toByte(load<f32>(row, 4)), 1);
    store<u8>(out, toByte(load<f32>(row, 8)), 2);
    row += 16;
    out += 3;
  }
}
