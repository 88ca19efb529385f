/** From the padded f32 canvas to the image that the caller gets. */
import {
  CALL_255, CALL_BOTTOM, CALL_CANVAS, CALL_CHANNELS, CALL_HALF, CALL_PITCH, CALL_TOP, CALL_TWO_23, CALL_WIDTH, COLOR_F32,
} from './layout';

/** Writes the rows of the call's rectangle, which is as wide as the canvas, to `color`: f32 or u8 [H, W, C]. */
export function packCanvas(call: usize, color: usize, format: u32): void {
  const width = load<u32>(call, CALL_WIDTH);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  const pitch = <usize>load<u32>(call, CALL_PITCH) << (grey ? 2 : 4);
  const bytes = <usize>(width * (grey ? 1 : 3)) << (format == COLOR_F32 ? 2 : 0);
  const top = load<i32>(call, CALL_TOP);
  const bottom = load<i32>(call, CALL_BOTTOM);
  let row = <usize>load<u32>(call, CALL_CANVAS);
  let out = color + bytes * <usize>top;
  for (let y = top; y < bottom; y++) {
    if (format == COLOR_F32) {
      if (grey) memory.copy(out, row, bytes);
      else packFloats(row, out, width);
    } else if (grey) packGreyBytes(call, row, out, width);
    else packColourBytes(row, out, width, call + CALL_255, call + CALL_HALF, call + CALL_TWO_23);
    row += pitch;
    out += bytes;
  }
}

/** RGBx floats to RGB floats. */
export function packFloats(row: usize, out: usize, width: u32): void {
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

/** floor(255·value + ½), 0 for what is below; saturating narrowing cuts off what is above 255. */
// @ts-ignore: decorator
@inline
function toIntegers(values: v128, most: v128, half: v128, two23: v128): v128 {
  const scaled = f32x4.add(f32x4.mul(values, most), half);
  // An integer plus 2^23 shows its bits at the bottom of the sum; larger sums stay large. ½ is a floor of 0.
  const whole = f32x4.floor(f32x4.pmax(scaled, half));
  return i32x4.sub(f32x4.add(whole, two23), two23);
}

/** 16 bytes of four vectors of four values. */
// @ts-ignore: decorator
@inline
export function toBytes(row: usize, most: v128, half: v128, two23: v128): v128 {
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(toIntegers(v128.load(row), most, half, two23), toIntegers(v128.load(row, 16), most, half, two23)),
    i16x8.narrow_i32x4_s(toIntegers(v128.load(row, 32), most, half, two23), toIntegers(v128.load(row, 48), most, half, two23)),
  );
}

// @ts-ignore: decorator
@inline
export function toByte(value: f32): u8 {
  const raised: f32 = value < 0 ? 0 : value;
  const clamped: f32 = 1 < raised ? 1 : raised;
  return <u8>(clamped * 255 + 0.5);
}

function packGreyBytes(call: usize, row: usize, out: usize, width: u32): void {
  let x: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    const most = v128.load(call, CALL_255);
    const half = v128.load(call, CALL_HALF);
    const two23 = v128.load(call, CALL_TWO_23);
    for (; x + 16 <= width; x += 16) {
      v128.store(out, toBytes(row, most, half, two23));
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

/**
 * A row of colours, f32×4 a pixel, as three bytes each.
 * @param most255 address of 255 four times; of ½ and of 2^23 likewise
 */
export function packColourBytes(
  row: usize, out: usize, width: u32, most255: usize, half4: usize, two23At: usize,
): void {
  let x: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    const most = v128.load(most255);
    const half = v128.load(half4);
    const two23 = v128.load(two23At);
    for (; x + 4 <= width; x += 4) {
      const pixels = toBytes(row, most, half, two23);
      const packed = i8x16.shuffle(pixels, pixels, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
      v128.store_lane<u64>(out, packed, 0);
      v128.store_lane<u32>(out, packed, 2, 8);
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
