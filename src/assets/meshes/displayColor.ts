import { exp, log } from '../../deterministicMath.js';

/**
 * A channel of a colour as displayed, from its amount of light: the sRGB curve (IEC 61966-2-1). glTF gives factors as
 * amounts of light; textures hold colours as displayed, and so does `MeshData`.
 * @param light 0–1; what lies beyond is cut off
 */
export function displayed(light: number): number {
  if (!(light > 0)) return 0;
  if (light >= 1) return 1;
  return light <= 0.0031308 ? 12.92 * light : 1.055 * exp(log(light) / 2.4) - 0.055;
}
