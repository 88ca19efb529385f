/**
 * The scene of the peers folder (`scene.bin`, format in the README there) for our kernels. Its y points up, ours down, so
 * y changes its sign and triangles their winding.
 */
import { readFileSync } from 'node:fs';
import type { MeshData } from '../src/assets/meshAsset.js';

export interface PeerInstance {
  /** Index in `meshes`. */
  readonly mesh: number;
  readonly id: number;
  /** 3 × 4 row-major: mesh → camera. */
  readonly matrix: readonly number[];
  readonly tint: readonly number[];
}

export interface PeerScene {
  readonly meshes: readonly MeshData[];
  readonly instances: readonly PeerInstance[];
}

/** The camera that the README gives. */
export const PEER_CAMERA = { width: 1242, height: 375, fx: 721.5, fy: 721.5, cx: 609.6, cy: 172.9, near: 0.3 };
/** Camera height, m. */
const EYE = 1.65;
/** Towards the light. */
export const PEER_LIGHT = normalised([0.35, -0.85, -0.4]);
export const PEER_AMBIENT = 0.45;
export const PEER_SUN = 0.65;
/** Clear colour of glpeer.c. */
export const PEER_SKY = [0.6, 0.8, 0.95];

/** Reads the scene; a mesh that is drawn with several textures appears once for each. */
export function readPeerScene(path: string): PeerScene {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  const view = new DataView(buffer, byteOffset, byteLength);
  let at = 0;
  const int = () => view.getInt32((at += 4) - 4, true);
  const floats = (count: number) => Float32Array.from({ length: count }, () => view.getFloat32((at += 4) - 4, true));
  const plain = Array.from({ length: int() }, () => {
    const vertices = int();
    const triangles = int();
    const positions = mirrored(floats(3 * vertices));
    const normals = mirrored(floats(3 * vertices));
    const uvs = floats(2 * vertices);
    const colors = floats(3 * vertices);
    const indices = Uint32Array.from({ length: 3 * triangles }, int);
    for (let t = 0; t < indices.length; t += 3) {
      [indices[t + 1], indices[t + 2]] = [indices[t + 2], indices[t + 1]];
    }
    return { positions, normals, uvs, colors, indices };
  });
  const placed = Array.from({ length: int() }, () => ({
    mesh: int(),
    id: int(),
    texture: int(),
    matrix: mirroredMatrix([...floats(12)]),
    tint: [...floats(3)],
  }));
  const count = int();
  const side = int();
  const textures = Array.from({ length: count }, (_, i) => {
    const pixels = new Uint8Array(
      buffer.slice(byteOffset + at + 4 * side * side * i, byteOffset + at + 4 * side * side * (i + 1)),
    );
    return { width: side, height: side, format: 'rgba8' as const, pixels };
  });
  const pairs = [...new Set(placed.map(({ mesh, texture }) => `${mesh} ${texture}`))];
  return {
    meshes: pairs.map((pair) => {
      const [mesh, texture] = pair.split(' ').map(Number);
      const { uvs, ...data } = plain[mesh];
      return texture === 0 ? data : { ...data, uvs, texture: textures[texture] };
    }),
    instances: placed.map(({ mesh, texture, ...rest }) => ({ ...rest, mesh: pairs.indexOf(`${mesh} ${texture}`) })),
  };
}

function mirrored(vectors: Float32Array): Float32Array {
  return vectors.map((value, i) => (i % 3 === 1 ? -value : value));
}

/** The same map between frames whose y points down, to a camera at the eye's height. */
function mirroredMatrix(m: number[]): number[] {
  return m.map((value, i) => {
    const [row, column] = [i >> 2, i & 3];
    const moved = row === 1 && column === 3 ? value - EYE : value;
    return (row === 1) !== (column === 1) ? -moved : moved;
  });
}

function normalised(v: number[]): number[] {
  const length = Math.hypot(...v);
  return v.map((value) => value / length);
}
