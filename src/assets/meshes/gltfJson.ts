import { z } from 'zod';
import { parseConfig } from '../../config.js';
import { AssetError, ConfigError } from '../../errors.js';

/**
 * The parts of a glTF 2.0 file that are read (Khronos specification, §5), checked so that the reader behind can trust
 * them: the reader itself checks nothing. Everything else of the file is dropped: animations, cameras, lights.
 */

const index = z.number().int().min(0);
const size = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31);
const finite = z.number().gte(-1e30).lte(1e30);
const vector = (length: number) => z.array(finite).length(length);

const COMPONENT_BYTES: Record<number, number> = { 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 };
const TYPE_COMPONENTS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT2: 4, MAT3: 9, MAT4: 16 } as const;

const componentType = z.number().refine((value) => value in COMPONENT_BYTES, {
  error: ({ input }) => `Expected a component type of glTF but received ${input}`,
});

const textureInfo = z.object({
  index,
  texCoord: index.max(31).default(0),
  extensions: z
    .object({
      KHR_texture_transform: z
        .object({
          offset: vector(2).default([0, 0]),
          rotation: finite.default(0),
          scale: vector(2).default([1, 1]),
          texCoord: index.max(31).optional(),
        })
        .optional(),
    })
    .optional(),
});

const meshoptView = z.object({
  buffer: index,
  byteOffset: size.default(0),
  byteLength: size,
  byteStride: z.number().int().min(1).max(256),
  count: size,
  mode: z.enum(['ATTRIBUTES', 'TRIANGLES', 'INDICES']),
  filter: z.enum(['NONE', 'OCTAHEDRAL', 'QUATERNION', 'EXPONENTIAL']).default('NONE'),
});

const primitive = z.object({
  attributes: z.record(z.string(), index),
  indices: index.optional(),
  material: index.optional(),
  mode: z.number().int().min(0).max(6).default(4),
  targets: z.array(z.record(z.string(), index)).max(1024).default([]),
  extensions: z
    .object({
      KHR_draco_mesh_compression: z.object({ bufferView: index, attributes: z.record(z.string(), index) }).optional(),
    })
    .optional(),
});

const gltfSchema = z.object({
  asset: z.object({ version: z.string().regex(/^2\.\d+$/, 'Expected glTF 2') }),
  extensionsUsed: z.array(z.string()).default([]),
  extensionsRequired: z.array(z.string()).default([]),
  buffers: z
    .array(
      z.object({
        uri: z.string().optional(),
        byteLength: size,
        extensions: z
          .object({ EXT_meshopt_compression: z.object({ fallback: z.boolean().optional() }).optional() })
          .optional(),
      }),
    )
    .max(1024)
    .default([]),
  bufferViews: z
    .array(
      z.object({
        buffer: index,
        byteOffset: size.default(0),
        byteLength: size,
        byteStride: z.number().int().min(4).max(252).optional(),
        extensions: z.object({ EXT_meshopt_compression: meshoptView.optional() }).optional(),
      }),
    )
    .default([]),
  accessors: z
    .array(
      z.object({
        bufferView: index.optional(),
        byteOffset: size.default(0),
        componentType,
        normalized: z.boolean().optional(),
        count: size,
        type: z.enum(['SCALAR', 'VEC2', 'VEC3', 'VEC4', 'MAT2', 'MAT3', 'MAT4']),
        sparse: z
          .object({
            count: size,
            indices: z.object({ bufferView: index, byteOffset: size.default(0), componentType }),
            values: z.object({ bufferView: index, byteOffset: size.default(0) }),
          })
          .optional(),
      }),
    )
    .default([]),
  images: z.array(z.object({ uri: z.string().optional(), bufferView: index.optional() })).default([]),
  samplers: z.array(z.object({ wrapS: index.default(10497), wrapT: index.default(10497) })).default([]),
  textures: z
    .array(
      z.object({
        source: index.optional(),
        sampler: index.optional(),
        extensions: z.object({ EXT_texture_webp: z.object({ source: index }).optional() }).optional(),
      }),
    )
    .default([]),
  materials: z
    .array(
      z.object({
        pbrMetallicRoughness: z
          .object({ baseColorFactor: vector(4).default([1, 1, 1, 1]), baseColorTexture: textureInfo.optional() })
          .prefault({}),
        alphaMode: z.enum(['OPAQUE', 'MASK', 'BLEND']).default('OPAQUE'),
        alphaCutoff: z.number().min(0).default(0.5),
        doubleSided: z.boolean().default(false),
        extensions: z
          .object({
            KHR_materials_pbrSpecularGlossiness: z
              .object({ diffuseFactor: vector(4).default([1, 1, 1, 1]), diffuseTexture: textureInfo.optional() })
              .optional(),
          })
          .optional(),
      }),
    )
    .default([]),
  meshes: z.array(z.object({ primitives: z.array(primitive), weights: z.array(finite).optional() })).default([]),
  nodes: z
    .array(
      z.object({
        children: z.array(index).optional(),
        mesh: index.optional(),
        skin: index.optional(),
        translation: vector(3).optional(),
        rotation: vector(4).optional(),
        scale: vector(3).optional(),
        matrix: vector(16).optional(),
        weights: z.array(finite).optional(),
        extensions: z.object({ EXT_mesh_gpu_instancing: z.unknown().optional() }).optional(),
      }),
    )
    .max(100_000)
    .default([]),
  skins: z.array(z.object({ inverseBindMatrices: index.optional(), joints: z.array(index).min(1) })).default([]),
  scene: index.optional(),
  scenes: z.array(z.object({ nodes: z.array(index).default([]) })).default([]),
});

export type Gltf = z.output<typeof gltfSchema>;
export type GltfPrimitive = Gltf['meshes'][number]['primitives'][number];
export type GltfTextureInfo = z.output<typeof textureInfo>;

/** Extensions that are understood, or that change nothing here (how a surface shines, what is not drawn at all). */
const KNOWN = new Set([
  ...['KHR_draco_mesh_compression', 'EXT_meshopt_compression', 'KHR_mesh_quantization', 'KHR_texture_transform'],
  ...['KHR_materials_unlit', 'KHR_materials_pbrSpecularGlossiness', 'EXT_texture_webp', 'KHR_materials_variants'],
  ...['KHR_materials_emissive_strength', 'KHR_materials_specular', 'KHR_materials_ior', 'KHR_materials_clearcoat'],
  ...['KHR_materials_sheen', 'KHR_materials_transmission', 'KHR_materials_volume', 'KHR_materials_iridescence'],
  ...['KHR_materials_anisotropy', 'KHR_lights_punctual', 'KHR_xmp_json_ld'],
]);

/**
 * Checks the JSON of a glTF file: its form, that what it refers to exists, extensions, that nodes form trees.
 * @param path of the file, for errors
 * @throws AssetError naming the file and the place in it
 */
export function checkGltf(value: unknown, path: string): Gltf {
  let gltf: Gltf;
  try {
    gltf = parseConfig(gltfSchema, value, path);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    // A damaged file can be wrong in a thousand places.
    throw new AssetError(cause.message.split('\n').slice(0, 5).join('\n'), { cause });
  }
  const unknown = gltf.extensionsRequired.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new AssetError(
      `Expected a model without the required extension ${unknown} for ${path} but received one with it`,
    );
  }
  checkReferences(gltf, path);
  checkTrees(gltf, path);
  return gltf;
}

function checkReferences(gltf: Gltf, path: string): void {
  const refer = (where: string, list: readonly unknown[], name: string, ...indices: (number | undefined)[]) => {
    for (const i of indices) {
      if (i !== undefined && i >= list.length) {
        throw new AssetError(`${path}: Expected one of ${list.length} ${name} for ${where} but received number ${i}`);
      }
    }
  };
  const { buffers, bufferViews, accessors, images, samplers, textures, materials, meshes, nodes, skins, scenes } = gltf;
  for (const [i, view] of bufferViews.entries()) {
    const compressed = view.extensions?.EXT_meshopt_compression;
    refer(`bufferViews.${i}`, buffers, 'buffers', view.buffer, compressed?.buffer);
  }
  for (const [i, { bufferView, sparse }] of accessors.entries()) {
    refer(
      `accessors.${i}`,
      bufferViews,
      'bufferViews',
      bufferView,
      sparse?.indices.bufferView,
      sparse?.values.bufferView,
    );
  }
  for (const [i, { bufferView }] of images.entries()) refer(`images.${i}`, bufferViews, 'bufferViews', bufferView);
  for (const [i, { source, sampler, extensions }] of textures.entries()) {
    refer(`textures.${i}`, images, 'images', source, extensions?.EXT_texture_webp?.source);
    refer(`textures.${i}`, samplers, 'samplers', sampler);
  }
  for (const [i, { pbrMetallicRoughness, extensions }] of materials.entries()) {
    const old = extensions?.KHR_materials_pbrSpecularGlossiness?.diffuseTexture;
    refer(`materials.${i}`, textures, 'textures', pbrMetallicRoughness.baseColorTexture?.index, old?.index);
  }
  for (const [i, { primitives }] of meshes.entries()) {
    for (const [j, { attributes, indices, material, targets, extensions }] of primitives.entries()) {
      const where = `meshes.${i}.primitives.${j}`;
      refer(where, accessors, 'accessors', indices, ...Object.values(attributes), ...targets.flatMap(Object.values));
      refer(where, materials, 'materials', material);
      refer(where, bufferViews, 'bufferViews', extensions?.KHR_draco_mesh_compression?.bufferView);
    }
  }
  for (const [i, { mesh, skin, children, extensions }] of nodes.entries()) {
    refer(`nodes.${i}`, meshes, 'meshes', mesh);
    refer(`nodes.${i}`, skins, 'skins', skin);
    refer(`nodes.${i}`, nodes, 'nodes', ...(children ?? []));
    if (extensions?.EXT_mesh_gpu_instancing) {
      throw new AssetError(`${path}: Expected no EXT_mesh_gpu_instancing for nodes.${i} but received it`);
    }
  }
  for (const [i, { inverseBindMatrices, joints }] of skins.entries()) {
    refer(`skins.${i}`, accessors, 'accessors', inverseBindMatrices);
    refer(`skins.${i}`, nodes, 'nodes', ...joints);
  }
  for (const [i, scene] of scenes.entries()) refer(`scenes.${i}`, nodes, 'nodes', ...scene.nodes);
  refer('scene', scenes, 'scenes', gltf.scene);
}

/** Every node has one parent at most, and none is its own ancestor. */
function checkTrees({ nodes }: Gltf, path: string): void {
  const parent = new Int32Array(nodes.length).fill(-1);
  for (const [i, { children = [] }] of nodes.entries()) {
    for (const child of children) {
      if (parent[child] >= 0) throw new AssetError(`${path}: Expected one parent for nodes.${child} but received two`);
      parent[child] = i;
    }
  }
  // With one parent each, whoever is not reached from a root is in a circle.
  const reached = nodes.flatMap((_, i) => (parent[i] < 0 ? [i] : []));
  for (let k = 0; k < reached.length; k++) reached.push(...(nodes[reached[k]].children ?? []));
  if (reached.length < nodes.length) throw new AssetError(`${path}: Expected trees of nodes but received a circle`);
}

/**
 * Checks that buffer views lie in their buffers and accessors in their views, and how much memory they take once read.
 * @param bufferBytes bytes that each buffer really has
 * @param maxBytes of all accessors together
 * @throws AssetError naming the file and the place in it
 */
export function checkExtents(gltf: Gltf, bufferBytes: readonly number[], maxBytes: number, path: string): void {
  const fits = (where: string, end: number, length: number) => {
    if (end > length)
      throw new AssetError(`${path}: Expected at least ${end} bytes for ${where} but received ${length}`);
  };
  for (const [i, { buffer, byteOffset, byteLength, extensions }] of gltf.bufferViews.entries()) {
    const compressed = extensions?.EXT_meshopt_compression;
    if (!compressed) fits(`the buffer of bufferViews.${i}`, byteOffset + byteLength, bufferBytes[buffer]);
    else {
      const end = compressed.byteOffset + compressed.byteLength;
      fits(`the buffer of bufferViews.${i}`, end, bufferBytes[compressed.buffer]);
      fits(`bufferViews.${i}`, byteLength, compressed.count * compressed.byteStride);
      fits(`bufferViews.${i}`, compressed.count * compressed.byteStride, byteLength);
    }
  }
  let total = 0;
  const views = gltf.bufferViews;
  for (const [i, accessor] of gltf.accessors.entries()) {
    const element = COMPONENT_BYTES[accessor.componentType] * TYPE_COMPONENTS[accessor.type];
    const { bufferView, byteOffset, count, sparse } = accessor;
    total += count * element;
    if (total > maxBytes) {
      throw new AssetError(`${path}: Expected at most ${maxBytes} bytes in all accessors but received more`);
    }
    if (bufferView !== undefined && count > 0) {
      const stride = views[bufferView].byteStride ?? element;
      fits(
        `the buffer view of accessors.${i}`,
        byteOffset + stride * (count - 1) + element,
        views[bufferView].byteLength,
      );
    }
    if (sparse) {
      const { indices, values } = sparse;
      fits(`accessors.${i}`, sparse.count, count);
      const indexBytes = COMPONENT_BYTES[indices.componentType] * sparse.count;
      fits(
        `the sparse indices of accessors.${i}`,
        indices.byteOffset + indexBytes,
        views[indices.bufferView].byteLength,
      );
      const valueEnd = values.byteOffset + element * sparse.count;
      fits(`the sparse values of accessors.${i}`, valueEnd, views[values.bufferView].byteLength);
    }
  }
}
