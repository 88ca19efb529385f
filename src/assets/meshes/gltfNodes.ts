import type { Accessor, Document, Mesh, Primitive } from '@gltf-transform/core';
import { AssetError } from '../../errors.js';
import { displayed } from './displayColor.js';
import type { Gltf, GltfPrimitive } from './gltfJson.js';
import { compose, IDENTITY, type Matrix4, multiply, normalMatrix } from './matrix4.js';
import { MAX_TRIANGLES } from './sourceModel.js';

/** A primitive where its node puts it. */
export interface PlacedPrimitive {
  readonly definition: GltfPrimitive;
  /** [NV × 3] in the scene's frame. */
  readonly positions: Float32Array;
  /** [NV × 3] of any length. */
  readonly normals?: Float32Array;
  /** [NT × 3] counter-clockwise from outside, also under nodes that mirror. */
  readonly indices: Uint32Array;
  /** [NV × 2] texture coordinates, or [NV × 4] colour as displayed and opacity; undefined where there are none. */
  readonly attribute: (semantic: `TEXCOORD_${number}` | 'COLOR_0') => Float32Array | undefined;
}

/**
 * The triangles of the default scene (of the first, where none is named; of all nodes, where there is none).
 * @throws AssetError when attributes do not fit together, an index has no vertex, a position is not finite, or there are
 *   more than MAX_TRIANGLES in all
 */
export function placedPrimitives(gltf: Gltf, document: Document, path: string): PlacedPrimitive[] {
  const worlds = worldMatrices(gltf);
  const meshes = document.getRoot().listMeshes();
  const placed: PlacedPrimitive[] = [];
  const shown = nodesOfScene(gltf);
  checkTriangles(gltf, meshes, shown, path);
  for (const i of shown) {
    const node = gltf.nodes[i];
    if (node.mesh === undefined) continue;
    const mesh = gltf.meshes[node.mesh];
    for (const [j, primitive] of meshes[node.mesh].listPrimitives().entries()) {
      const definition = mesh.primitives[j];
      const where = `${path}: meshes.${node.mesh}.primitives.${j}`;
      if (definition.mode < 4 || definition.attributes.POSITION === undefined) continue;
      const indices = trianglesOf(primitive, definition.mode, where);
      const weights = node.weights ?? mesh.weights ?? [];
      const shape = morphed(primitive, weights, where);
      const joints = node.skin === undefined ? undefined : jointMatrices(gltf, document, node.skin, worlds, where);
      const moved = joints ? skinned(primitive, shape, joints, where) : transformed(shape, worlds[i]);
      // Skinned vertices take nothing from their node.
      if (!joints && normalMatrix(worlds[i]).mirrors) reverseTriangles(indices);
      if (!moved.positions.every(Number.isFinite)) {
        throw new AssetError(`${where}: Expected finite positions but received others`);
      }
      placed.push({ definition, ...moved, indices, attribute: (semantic) => attribute(primitive, semantic, where) });
    }
  }
  return placed;
}

/** Counts before anything is made: a few bytes can ask for a mesh any number of times. */
function checkTriangles({ nodes, meshes }: Gltf, read: readonly Mesh[], shown: readonly number[], path: string): void {
  const trianglesOfMesh = read.map((mesh, m) =>
    mesh.listPrimitives().reduce((sum, primitive, p) => {
      const corners = primitive.getIndices()?.getCount() ?? vertexCount(primitive);
      return sum + (meshes[m].primitives[p].mode > 4 ? corners : corners / 3);
    }, 0),
  );
  const total = shown.reduce((sum, i) => sum + (trianglesOfMesh[nodes[i].mesh ?? -1] ?? 0), 0);
  if (total > MAX_TRIANGLES) {
    throw new AssetError(`${path}: Expected at most ${MAX_TRIANGLES} triangles but received more`);
  }
}

function nodesOfScene({ nodes, scenes, scene }: Gltf): number[] {
  const roots = scenes.length > 0 ? scenes[scene ?? 0].nodes : allRoots(nodes);
  const list = [...new Set(roots)];
  for (let k = 0; k < list.length; k++) list.push(...(nodes[list[k]].children ?? []));
  // A scene that names a node and its child, against the specification, still shows it once.
  return [...new Set(list)];
}

function allRoots(nodes: Gltf['nodes']): number[] {
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  return nodes.flatMap((_, i) => (children.has(i) ? [] : [i]));
}

/** Node → scene, of every node. */
function worldMatrices({ nodes }: Gltf): Matrix4[] {
  const worlds: Matrix4[] = new Array(nodes.length);
  const list = allRoots(nodes);
  for (const root of list) worlds[root] = IDENTITY;
  for (let k = 0; k < list.length; k++) {
    const i = list[k];
    const { matrix, translation = [0, 0, 0], rotation = [0, 0, 0, 1], scale = [1, 1, 1], children = [] } = nodes[i];
    worlds[i] = multiply(worlds[i], matrix ?? compose(translation, rotation, scale));
    for (const child of children) worlds[child] = worlds[i];
    list.push(...children);
  }
  return worlds;
}

/** Elements of an accessor as numbers, normalised integers as fractions. */
function floats(accessor: Accessor, components: number, where: string, count?: number): Float32Array {
  if (accessor.getElementSize() !== components || (count !== undefined && accessor.getCount() !== count)) {
    throw new AssetError(
      `${where}: Expected ${count ?? 'any number of'} × ${components} numbers for an attribute but received ` +
        `${accessor.getCount()} × ${accessor.getElementSize()}`,
    );
  }
  const array = accessor.getArray();
  if (array instanceof Float32Array) return array;
  const values = new Float32Array(accessor.getCount() * components);
  const element: number[] = [];
  for (let i = 0; i < accessor.getCount(); i++) values.set(accessor.getElement(i, element), i * components);
  return values;
}

function vertexCount(primitive: Primitive): number {
  return primitive.getAttribute('POSITION')?.getCount() ?? 0;
}

function attribute(
  primitive: Primitive,
  semantic: `TEXCOORD_${number}` | 'COLOR_0',
  where: string,
): Float32Array | undefined {
  const accessor = primitive.getAttribute(semantic);
  if (!accessor) return undefined;
  const count = vertexCount(primitive);
  if (semantic !== 'COLOR_0') {
    const uvs = floats(accessor, 2, where, count);
    if (!uvs.every(Number.isFinite)) throw new AssetError(`${where}: Expected finite ${semantic} but received others`);
    return uvs;
  }
  const components = accessor.getElementSize() === 4 ? 4 : 3;
  const light = floats(accessor, components, where, count);
  const colors = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) colors[4 * i + c] = displayed(light[components * i + c]);
    const opacity = components === 4 ? light[4 * i + 3] : 1;
    colors[4 * i + 3] = opacity >= 0 ? Math.min(1, opacity) : 0;
  }
  return colors;
}

/** Vertices of triangles, of strips and fans (modes 5 and 6) too. */
function trianglesOf(primitive: Primitive, mode: number, where: string): Uint32Array {
  const vertices = vertexCount(primitive);
  const accessor = primitive.getIndices();
  const own = accessor?.getArray();
  const list = own ? Uint32Array.from(own) : Uint32Array.from({ length: vertices }, (_, i) => i);
  const last = list.find((vertex) => vertex >= vertices);
  if (last !== undefined) {
    throw new AssetError(`${where}: Expected indices below ${vertices} but received ${last}`);
  }
  if (mode === 4) return list.slice(0, list.length - (list.length % 3));
  const triangles = new Uint32Array(3 * Math.max(0, list.length - 2));
  for (let i = 0; i + 2 < list.length; i++) {
    const corners = mode === 6 ? [i + 1, i + 2, 0] : i % 2 === 0 ? [i, i + 1, i + 2] : [i, i + 2, i + 1];
    for (let k = 0; k < 3; k++) triangles[3 * i + k] = list[corners[k]];
  }
  return triangles;
}

function reverseTriangles(indices: Uint32Array): void {
  for (let i = 0; i < indices.length; i += 3) {
    [indices[i + 1], indices[i + 2]] = [indices[i + 2], indices[i + 1]];
  }
}

interface Shape {
  readonly positions: Float32Array;
  readonly normals?: Float32Array;
}

/** Positions and normals with the morph targets' default weights. */
function morphed(primitive: Primitive, weights: readonly number[], where: string): Shape {
  const count = vertexCount(primitive);
  const sum = (semantic: string): Float32Array | undefined => {
    const accessor = primitive.getAttribute(semantic);
    if (!accessor) return undefined;
    const base = floats(accessor, 3, where, count);
    let total = base;
    for (const [t, target] of primitive.listTargets().entries()) {
      const delta = target.getAttribute(semantic);
      if (!delta || !weights[t]) continue;
      const values = floats(delta, 3, where, count);
      if (total === base) total = base.slice();
      for (let i = 0; i < total.length; i++) total[i] += weights[t] * values[i];
    }
    return total;
  };
  const normals = sum('NORMAL');
  return { positions: sum('POSITION') ?? new Float32Array(0), ...(normals ? { normals } : {}) };
}

function transformed({ positions, normals }: Shape, matrix: Matrix4): Shape {
  const { matrix: turn } = normalMatrix(matrix);
  const moved = new Float32Array(positions.length);
  const turned = normals ? new Float32Array(normals.length) : undefined;
  for (let i = 0; i < positions.length; i += 3) {
    movePoint(matrix, positions, moved, i);
    if (normals && turned) turnNormal(turn, normals, turned, i);
  }
  return { positions: moved, ...(turned ? { normals: turned } : {}) };
}

function movePoint(m: ArrayLike<number>, from: Float32Array, to: Float32Array, i: number): void {
  const [x, y, z] = [from[i], from[i + 1], from[i + 2]];
  for (let row = 0; row < 3; row++) to[i + row] = m[row] * x + m[4 + row] * y + m[8 + row] * z + m[12 + row];
}

function turnNormal(m: ArrayLike<number>, from: Float32Array, to: Float32Array, i: number): void {
  const [x, y, z] = [from[i], from[i + 1], from[i + 2]];
  for (let row = 0; row < 3; row++) to[i + row] = m[row] * x + m[3 + row] * y + m[6 + row] * z;
}

/** What each joint does to vertices: inverse bind matrix, then the joint's place in the scene. */
function jointMatrices(
  gltf: Gltf,
  document: Document,
  skin: number,
  worlds: readonly Matrix4[],
  where: string,
): Matrix4[] {
  const { joints, inverseBindMatrices } = gltf.skins[skin];
  if (inverseBindMatrices === undefined) return joints.map((joint) => worlds[joint]);
  const inverse = floats(document.getRoot().listAccessors()[inverseBindMatrices], 16, where);
  if (inverse.length < 16 * joints.length) {
    throw new AssetError(
      `${where}: Expected ${joints.length} inverse bind matrices but received ${inverse.length / 16}`,
    );
  }
  return joints.map((joint, k) => multiply(worlds[joint], inverse.subarray(16 * k, 16 * k + 16)));
}

function skinned(primitive: Primitive, shape: Shape, joints: readonly Matrix4[], where: string): Shape {
  const { positions, normals } = shape;
  const count = positions.length / 3;
  const sets: { joints: Float32Array; weights: Float32Array }[] = [];
  for (let k = 0; primitive.getAttribute(`JOINTS_${k}`) && primitive.getAttribute(`WEIGHTS_${k}`); k++) {
    sets.push({
      joints: floats(primitive.getAttribute(`JOINTS_${k}`) as Accessor, 4, where, count),
      weights: floats(primitive.getAttribute(`WEIGHTS_${k}`) as Accessor, 4, where, count),
    });
  }
  const moved = new Float32Array(positions.length);
  const turned = normals ? new Float32Array(normals.length) : undefined;
  const blend = new Float64Array(16);
  for (let i = 0; i < count; i++) {
    blend.fill(0);
    let total = 0;
    for (const set of sets) {
      for (let k = 4 * i; k < 4 * i + 4; k++) {
        const weight = set.weights[k];
        if (!(weight > 0)) continue;
        const joint = joints[set.joints[k]];
        if (!joint)
          throw new AssetError(`${where}: Expected joints below ${joints.length} but received ${set.joints[k]}`);
        for (let e = 0; e < 16; e++) blend[e] += weight * joint[e];
        total += weight;
      }
    }
    // Weights that do not sum to 1 (rounded ones) would scale the vertex; without any it stays.
    for (let e = 0; e < 16; e++) blend[e] = total > 0 ? blend[e] / total : IDENTITY[e];
    movePoint(blend, positions, moved, 3 * i);
    if (normals && turned) turnNormal(normalMatrix(blend).matrix, normals, turned, 3 * i);
  }
  return { positions: moved, ...(turned ? { normals: turned } : {}) };
}
