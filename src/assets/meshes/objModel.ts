import { AssetError } from '../../errors.js';
import type { ModelFolder } from './modelFolder.js';
import { readMtl } from './mtlFile.js';
import { MAX_TRIANGLES, PLAIN, type SourceMaterial, type SourceModel, type SourcePart } from './sourceModel.js';
import { triangulate } from './triangulate.js';

/** Cutting a polygon into triangles takes time with the cube of its corners, at worst. */
const MAX_CORNERS = 512;

/** A material's triangles while they are read. */
interface Group {
  readonly material: string;
  /** Vertex of a corner, from its numbers of position, texture coordinate and normal. */
  readonly vertices: Map<string, number>;
  readonly corners: Corner[];
  readonly indices: number[];
}

/** Numbers from 0; −1: none. */
interface Corner {
  readonly position: number;
  readonly uv: number;
  readonly normal: number;
}

/**
 * Reads a Wavefront OBJ file with its material files: faces of any number of corners, colours behind positions, relative
 * (negative) numbers, lines that go on after `\`. Groups and objects become one model; points, lines and curves are left
 * out. A small parser of our own: the published ones are unmaintained or parts of a whole 3D library, and none names the
 * line of what is wrong.
 * @param path of the file, for errors and for what it refers to
 * @param folder that everything the file refers to must lie in
 * @throws AssetError naming the file and the line
 */
export async function readObj(path: string, bytes: Uint8Array, folder: ModelFolder): Promise<SourceModel> {
  const text = new TextDecoder().decode(bytes).replace(/\\\r?\n/g, ' ');
  const positions: number[] = [];
  const colors: number[] = [];
  const uvs: number[] = [];
  const normals: number[] = [];
  const libraries: string[] = [];
  const groups = new Map<string, Group>();
  let material = '';
  let triangles = 0;
  for (const [at, line] of text.split('\n').entries()) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    const where = `${path}:${at + 1}`;
    switch (keyword) {
      case 'v': {
        positions.push(...numbers(words.slice(0, 3), 3, where));
        // Three more numbers are a colour; a fourth alone is a weight of curves.
        if (words.length >= 6) colors[positions.length / 3 - 1] = packed(numbers(words.slice(3, 6), 3, where));
        break;
      }
      case 'vt':
        uvs.push(...numbers(words.length === 1 ? [words[0], '0'] : words.slice(0, 2), 2, where));
        break;
      case 'vn':
        normals.push(...numbers(words.slice(0, 3), 3, where));
        break;
      case 'f': {
        const counts = [positions.length / 3, uvs.length / 2, normals.length / 3];
        if (words.length < 3 || words.length > MAX_CORNERS) {
          throw new AssetError(`${where}: Expected a face of 3 to ${MAX_CORNERS} corners but received ${words.length}`);
        }
        const corners = words.map((word) => corner(word, counts, where));
        const group: Group = groups.get(material) ?? { material, vertices: new Map(), corners: [], indices: [] };
        groups.set(material, group);
        const points = corners.flatMap(({ position }) => positions.slice(3 * position, 3 * position + 3));
        const vertices = corners.map((each) => vertexOf(group, each));
        for (const index of triangulate(points)) group.indices.push(vertices[index]);
        triangles += corners.length - 2;
        if (triangles > MAX_TRIANGLES) {
          throw new AssetError(`${path}: Expected at most ${MAX_TRIANGLES} triangles but received more`);
        }
        break;
      }
      case 'usemtl':
        material = words.join(' ');
        break;
      case 'mtllib':
        libraries.push(words.join(' '));
        break;
    }
  }
  const known = new Map<string, SourceMaterial>();
  for (const library of libraries) {
    for (const [name, read] of await readMtl(path, library, folder)) known.set(name, read);
  }
  const used = [...groups.values()];
  return {
    materials: used.map((group) => known.get(group.material) ?? PLAIN),
    parts: used.map((group, i) => partOf(group, i, { positions, colors, uvs, normals })),
  };
}

function numbers(words: readonly string[], count: number, where: string): number[] {
  const values = words.map(Number);
  if (values.length < count || !values.every((value) => Math.abs(value) < 1e30)) {
    throw new AssetError(`${where}: Expected ${count} numbers but received ${words.join(' ').slice(0, 100) || 'none'}`);
  }
  return values;
}

/** A colour in one number, 8 bits a channel. */
function packed([red, green, blue]: readonly number[]): number {
  const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));
  return (byte(red) << 16) | (byte(green) << 8) | byte(blue);
}

/** Reads `position[/uv[/normal]]`, numbers from 1, or from −1 backwards from the newest. */
function corner(word: string, counts: readonly number[], where: string): Corner {
  const [position, uv, normal] = [0, 1, 2].map((k) => {
    const text = word.split('/')[k] ?? '';
    if (text === '' && k > 0) return -1;
    const value = Number(text);
    const index = value < 0 ? counts[k] + value : value - 1;
    if (!Number.isInteger(value) || index < 0 || index >= counts[k]) {
      const what = ['positions', 'texture coordinates', 'normals'][k];
      throw new AssetError(
        `${where}: Expected one of the ${counts[k]} ${what} so far but received "${word.slice(0, 100)}"`,
      );
    }
    return index;
  });
  return { position, uv, normal };
}

function vertexOf(group: Group, corner: Corner): number {
  const key = `${corner.position}/${corner.uv}/${corner.normal}`;
  const known = group.vertices.get(key);
  if (known !== undefined) return known;
  const vertex = group.corners.push(corner) - 1;
  group.vertices.set(key, vertex);
  return vertex;
}

function partOf(
  { corners, indices }: Group,
  material: number,
  lists: Record<'positions' | 'colors' | 'uvs' | 'normals', readonly number[]>,
): SourcePart {
  const gather = (list: readonly number[], length: number, number: (corner: Corner) => number) =>
    Float32Array.from({ length: corners.length * length }, (_, i) => {
      const at = number(corners[Math.floor(i / length)]);
      return at < 0 ? 0 : list[length * at + (i % length)];
    });
  const uvs = gather(lists.uvs, 2, ({ uv }) => uv);
  // From the bottom upwards in OBJ.
  for (let i = 1; i < uvs.length; i += 2) uvs[i] = 1 - uvs[i];
  const colors = new Float32Array(4 * corners.length).fill(1);
  for (const [i, { position }] of corners.entries()) {
    const color = lists.colors[position] ?? 0xffffff;
    for (let c = 0; c < 3; c++) colors[4 * i + c] = ((color >> (16 - 8 * c)) & 255) / 255;
  }
  return {
    material,
    positions: gather(lists.positions, 3, ({ position }) => position),
    // A vertex without a normal gets that of its face later on.
    ...(corners.some(({ normal }) => normal >= 0) ? { normals: gather(lists.normals, 3, ({ normal }) => normal) } : {}),
    ...(corners.some(({ uv }) => uv >= 0) ? { uvs } : {}),
    ...(lists.colors.length > 0 ? { colors } : {}),
    indices: Uint32Array.from(indices),
  };
}
