import { cos, sin } from '../../deterministicMath.js';
import { AssetError } from '../../errors.js';
import { displayed } from './displayColor.js';
import type { Gltf, GltfPrimitive, GltfTextureInfo } from './gltfJson.js';
import { PLAIN, type SourceImage, type SourceMaterial, type SourceTexture, type Wrap } from './sourceModel.js';

/** Least opacity of what is drawn with the alpha mode BLEND: half-transparent faces are drawn as opaque ones. */
const BLEND_CUTOFF = 0.05;

const WRAPS: Record<number, Wrap> = { 10497: 'repeat', 33648: 'mirror', 33071: 'clamp' };

/**
 * Base colours of all materials, and one more for primitives that have none.
 * @param imageBytes content of an image; called when its texture is needed
 */
export function gltfMaterials(
  gltf: Gltf,
  imageBytes: (image: number) => Promise<Uint8Array>,
  path: string,
): SourceMaterial[] {
  const images: SourceImage[] = gltf.images.map(({ uri }, i) => ({
    name: uri === undefined || uri.startsWith('data:') ? `${path} (images.${i})` : `${path} (${uri})`,
    read: async () => imageBytes(i),
  }));
  const textureOf = ({ index }: GltfTextureInfo): SourceTexture => {
    const { source, sampler, extensions } = gltf.textures[index];
    const image = extensions?.EXT_texture_webp?.source ?? source;
    if (image === undefined) {
      throw new AssetError(`${path}: Expected a PNG, JPEG or WebP image for textures.${index} but received none`);
    }
    const { wrapS, wrapT } = sampler === undefined ? { wrapS: 10497, wrapT: 10497 } : gltf.samplers[sampler];
    return { image: images[image], wrap: [WRAPS[wrapS] ?? 'repeat', WRAPS[wrapT] ?? 'repeat'] };
  };
  const materials = gltf.materials.map((material): SourceMaterial => {
    const { alphaMode, alphaCutoff, doubleSided } = material;
    const { factor, info } = baseColor(material);
    return {
      color: [displayed(factor[0]), displayed(factor[1]), displayed(factor[2]), factor[3]],
      ...(info ? { texture: textureOf(info) } : {}),
      alphaCutoff: { OPAQUE: 0, MASK: alphaCutoff, BLEND: BLEND_CUTOFF }[alphaMode],
      doubleSided,
    };
  });
  return [...materials, PLAIN];
}

/** Colour and texture; of the older specular-glossiness materials their diffuse part. */
function baseColor({ pbrMetallicRoughness, extensions }: Gltf['materials'][number]) {
  const old = extensions?.KHR_materials_pbrSpecularGlossiness;
  if (old) return { factor: old.diffuseFactor, info: old.diffuseTexture };
  return { factor: pbrMetallicRoughness.baseColorFactor, info: pbrMetallicRoughness.baseColorTexture };
}

/**
 * Texture coordinates of a primitive, with its material's texture transform; undefined where it has no texture or no
 * coordinates.
 * @param attribute see `PlacedPrimitive`
 */
export function primitiveUvs(
  gltf: Gltf,
  { material }: GltfPrimitive,
  attribute: (semantic: `TEXCOORD_${number}`) => Float32Array | undefined,
): Float32Array | undefined {
  const info = material === undefined ? undefined : baseColor(gltf.materials[material]).info;
  if (!info) return undefined;
  const transform = info.extensions?.KHR_texture_transform;
  const uvs = attribute(`TEXCOORD_${transform?.texCoord ?? info.texCoord}`);
  if (!uvs || !transform) return uvs;
  const { offset, rotation, scale } = transform;
  // Counter-clockwise as one looks at the image, whose v runs down.
  const [c, s] = [cos(rotation), sin(rotation)];
  const moved = new Float32Array(uvs.length);
  for (let i = 0; i < uvs.length; i += 2) {
    const [u, v] = [uvs[i] * scale[0], uvs[i + 1] * scale[1]];
    moved[i] = c * u + s * v + offset[0];
    moved[i + 1] = c * v - s * u + offset[1];
  }
  return moved;
}
