import { createCanvas } from '@napi-rs/canvas';
import type { MeshData } from '../../src/assets/meshAsset.js';

/** Arrays of a primitive; which lengths they have decides which types they get. */
export interface TestPrimitive {
  readonly attributes: Record<string, readonly number[]>;
  readonly indices?: readonly number[];
  readonly material?: number;
  readonly mode?: number;
  readonly targets?: readonly Record<string, readonly number[]>[];
}

const COMPONENTS: Record<string, number> = {
  POSITION: 3,
  NORMAL: 3,
  TEXCOORD_0: 2,
  TEXCOORD_1: 2,
  COLOR_0: 4,
  JOINTS_0: 4,
  WEIGHTS_0: 4,
};
const TYPES = ['', 'SCALAR', 'VEC2', 'VEC3', 'VEC4'];

/** A glTF file under construction: JSON by hand, and one binary chunk that arrays are put into. */
export class TestGltf {
  readonly json: Record<string, unknown[]> & Record<string, unknown>;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(rest: Record<string, unknown> = {}) {
    this.json = {
      asset: { version: '2.0' } as unknown as unknown[],
      bufferViews: [],
      accessors: [],
      meshes: [],
      ...rest,
    };
  }

  /** Puts bytes into the binary chunk. @returns number of the buffer view */
  view(bytes: Uint8Array, more: object = {}): number {
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    this.json.bufferViews.push({ buffer: 0, byteOffset: this.#length, byteLength: bytes.length, ...more });
    this.#chunks.push(padded);
    this.#length += padded.length;
    return this.json.bufferViews.length - 1;
  }

  /** @returns number of the accessor: 32-bit floats, or 16-bit numbers for indices and joints */
  accessor(values: readonly number[], components: number, integer = false, type = TYPES[components]): number {
    const array = integer ? Uint16Array.from(values) : Float32Array.from(values);
    const bufferView = this.view(new Uint8Array(array.buffer));
    const componentType = integer ? 5123 : 5126;
    this.json.accessors.push({ bufferView, componentType, count: values.length / components, type });
    return this.json.accessors.length - 1;
  }

  /** @returns number of the mesh */
  mesh(...primitives: readonly TestPrimitive[]): number {
    const map = (attributes: Record<string, readonly number[]>) =>
      Object.fromEntries(
        Object.entries(attributes).map(([name, values]) => [
          name,
          this.accessor(values, COMPONENTS[name], name === 'JOINTS_0'),
        ]),
      );
    this.json.meshes.push({
      primitives: primitives.map(({ attributes, indices, targets, ...rest }) => ({
        attributes: map(attributes),
        ...(indices ? { indices: this.accessor(indices, 1, true) } : {}),
        ...(targets ? { targets: targets.map(map) } : {}),
        ...rest,
      })),
    });
    return this.json.meshes.length - 1;
  }

  /** An image in the file with a texture of the same number on it. */
  image(png: Uint8Array, sampler: object = {}): number {
    const { images = [], textures = [], samplers = [] } = this.json as Record<string, unknown[]>;
    images.push({ bufferView: this.view(png), mimeType: 'image/png' });
    samplers.push(sampler);
    textures.push({ source: images.length - 1, sampler: samplers.length - 1 });
    Object.assign(this.json, { images, textures, samplers });
    return textures.length - 1;
  }

  /** The JSON with one node a mesh, where no nodes are given, and the content of its buffer. */
  parts(): { json: Record<string, unknown>; binary: Buffer } {
    const nodes = this.json.nodes ?? this.json.meshes.map((_, mesh) => ({ mesh }));
    return {
      json: { ...this.json, nodes, buffers: [{ byteLength: this.#length }] },
      binary: Buffer.concat(this.#chunks),
    };
  }

  glb(): Buffer {
    const { json, binary } = this.parts();
    return glbOf(json, binary);
  }
}

/** A GLB file as the specification draws it (§4.4). */
export function glbOf(json: unknown, binary: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(json));
  const jsonChunk = Buffer.concat([text, Buffer.alloc((4 - (text.length % 4)) % 4, ' ')]);
  const head = Buffer.alloc(20);
  head.write('glTF', 0);
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(20 + jsonChunk.length + 8 + binary.length, 8);
  head.writeUInt32LE(jsonChunk.length, 12);
  head.write('JSON', 16);
  const binaryHead = Buffer.alloc(8);
  binaryHead.writeUInt32LE(binary.length, 0);
  binaryHead.write('BIN\0', 4);
  return Buffer.concat([head, jsonChunk, binaryHead, binary]);
}

/** A PNG whose pixels are CSS colours, row by row. */
export function pngOf(rows: readonly (readonly string[])[]): Uint8Array {
  const canvas = createCanvas(rows[0].length, rows.length);
  const context = canvas.getContext('2d');
  for (const [y, row] of rows.entries()) {
    for (const [x, colour] of row.entries()) {
      context.fillStyle = colour;
      context.fillRect(x, y, 1, 1);
    }
  }
  return new Uint8Array(canvas.toBuffer('image/png'));
}

/** Corners of a mesh's triangles, one a row. */
export function cornersOf({ positions, indices }: MeshData): number[][] {
  return Array.from(indices, (vertex) =>
    Array.from(positions.subarray(3 * vertex, 3 * vertex + 3), (value) => value + 0),
  );
}

/** Texture × vertex colour at a point of a triangle, bytes; between texels linear, at the edges the last texel goes on. */
export function colourAt(mesh: MeshData, triangle: number, weights: readonly [number, number, number]): number[] {
  const vertices = [0, 1, 2].map((k) => mesh.indices[3 * triangle + k]);
  const mean = (values: Float32Array, length: number, c: number) =>
    weights.reduce((sum, weight, k) => sum + weight * values[length * vertices[k] + c], 0);
  const { texture, uvs, colors } = mesh;
  return [0, 1, 2].map((c) => {
    let value = 255;
    if (texture && uvs) {
      const [x, y] = [mean(uvs, 2, 0) * texture.width - 0.5, mean(uvs, 2, 1) * texture.height - 0.5];
      const texel = (i: number, j: number) => {
        const column = Math.min(texture.width - 1, Math.max(0, i));
        const row = Math.min(texture.height - 1, Math.max(0, j));
        return texture.pixels[4 * (row * texture.width + column) + c];
      };
      const [i, j] = [Math.floor(x), Math.floor(y)];
      const across = (row: number) => (i + 1 - x) * texel(i, row) + (x - i) * texel(i + 1, row);
      value = (j + 1 - y) * across(j) + (y - j) * across(j + 1);
    }
    return Math.round(value * mean(colors, 3, c));
  });
}
