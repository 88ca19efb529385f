import type { MeshoptSimplifier } from 'meshoptimizer/simplifier';
import { AssetError } from '../../errors.js';
import type { MeshData } from '../meshAsset.js';
import { type Placement, placePositions, turnNormals } from './placement.js';
import { type SimplifiableMesh, simplifyMesh } from './simplifyMesh.js';
import type { SourceImage } from './sourceModel.js';
import type { Surface } from './surface.js';
import { readTexels, type Texels } from './texels.js';
import { type Atlas, textureAtlas } from './textureAtlas.js';
import { withVertexColours } from './vertexColours.js';
import { visibleTriangles } from './visibleTriangles.js';

/** All surfaces of a model in one, before faces that are seen from behind get a back. */
interface Merged extends SimplifiableMesh {
  /** [NV] 1: the vertex's triangles get a back. */
  readonly twoSided: Uint8Array;
}

/**
 * One mesh with one texture from the surfaces of a model.
 * @param maxTriangles as in `MeshPlacement`
 * @param name of the model, for errors
 * @throws AssetError naming the texture when one is missing or damaged, or when nothing of the model can be seen
 */
export async function buildMesh(
  simplifier: typeof MeshoptSimplifier,
  surfaces: readonly Surface[],
  placement: Placement,
  maxTriangles: number | undefined,
  name: string,
): Promise<MeshData> {
  const images = new Map<SourceImage, Texels>();
  for (const { material } of surfaces) {
    const image = material.texture?.image;
    // One after the other: a decoded image is large.
    if (image && !images.has(image)) images.set(image, await readTexels(image));
  }
  const texelsOf = (image: SourceImage) => images.get(image) as Texels;
  const visible = surfaces
    .map((surface) => {
      const image = surface.material.texture?.image;
      if (!image) return surface;
      const texels = texelsOf(image);
      return withVertexColours({ ...surface, indices: visibleTriangles(surface, texels) }, texels);
    })
    .filter(({ indices }) => indices.length > 0);
  if (visible.length === 0) throw new AssetError(`Expected a model with opaque faces for ${name} but received none`);
  const atlas = textureAtlas(visible, texelsOf, name);
  const merged = withinBudget(simplifier, merge(visible, atlas, placement), maxTriangles);
  return { ...withBacks(merged), ...(atlas.texture ? { texture: atlas.texture } : {}) };
}

function merge(surfaces: readonly Surface[], atlas: Atlas, placement: Placement): Merged {
  const vertices = atlas.surfaces.reduce((sum, surface) => sum + surface.vertices.length, 0);
  const corners = atlas.surfaces.reduce((sum, surface) => sum + surface.indices.length, 0);
  const merged = {
    positions: new Float32Array(3 * vertices),
    normals: new Float32Array(3 * vertices),
    colors: new Float32Array(3 * vertices),
    ...(atlas.texture ? { uvs: new Float32Array(2 * vertices) } : {}),
    twoSided: new Uint8Array(vertices),
    indices: new Uint32Array(corners),
  };
  let [vertex, corner] = [0, 0];
  for (const [s, own] of atlas.surfaces.entries()) {
    const surface = surfaces[s];
    const positions = placePositions(placement, surface.positions);
    const normals = turnNormals(placement, surface.normals);
    for (const [i, source] of own.vertices.entries()) {
      merged.positions.set(positions.subarray(3 * source, 3 * source + 3), 3 * (vertex + i));
      merged.normals.set(normals.subarray(3 * source, 3 * source + 3), 3 * (vertex + i));
      merged.colors.set(surface.colors.subarray(4 * source, 4 * source + 3), 3 * (vertex + i));
      merged.twoSided[vertex + i] = surface.twoSided[source];
    }
    if (own.uvs) merged.uvs?.set(own.uvs, 2 * vertex);
    for (const [i, index] of own.indices.entries()) merged.indices[corner + i] = vertex + index;
    vertex += own.vertices.length;
    corner += own.indices.length;
  }
  return merged;
}

/** Triangles that will be drawn: those that get a back count twice. */
function drawnTriangles({ indices, twoSided }: Pick<Merged, 'indices' | 'twoSided'>): number {
  let count = 0;
  for (let t = 0; t < indices.length; t += 3) count += 1 + twoSided[indices[t]];
  return count;
}

function withinBudget(simplifier: typeof MeshoptSimplifier, mesh: Merged, maxTriangles = Infinity): Merged {
  let result = mesh;
  let target = mesh.indices.length / 3;
  // Backs are added afterwards, and their share may grow while the mesh shrinks.
  for (let attempt = 0; attempt < 4 && drawnTriangles(result) > maxTriangles; attempt++) {
    const share = result.indices.length / 3 / drawnTriangles(result);
    target = Math.max(1, Math.min(Math.floor(maxTriangles * share), target - 1));
    result = { ...mesh, indices: simplifyMesh(simplifier, mesh, target) };
  }
  return result;
}

/** Only vertices that triangles use, and a copy with turned normals of those whose triangles have a back. */
function withBacks({ positions, normals, colors, uvs, indices, twoSided }: Merged): MeshData {
  const front = new Int32Array(twoSided.length).fill(-1);
  const back = new Int32Array(twoSided.length).fill(-1);
  const sources: number[] = [];
  const corners: number[] = [];
  for (let t = 0; t < indices.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const source = indices[t + k];
      if (front[source] < 0) front[source] = sources.push(source) - 1;
      corners.push(front[source]);
    }
  }
  const fronts = sources.length;
  for (let t = 0; t < indices.length; t += 3) {
    if (!twoSided[indices[t]]) continue;
    for (const source of [indices[t], indices[t + 2], indices[t + 1]]) {
      if (back[source] < 0) back[source] = sources.push(source) - 1;
      corners.push(back[source]);
    }
  }
  const gather = (values: Float32Array, length: number) => {
    const gathered = new Float32Array(length * sources.length);
    for (const [i, source] of sources.entries())
      gathered.set(values.subarray(length * source, length * source + length), length * i);
    return gathered;
  };
  const turned = gather(normals, 3);
  for (let i = 3 * fronts; i < turned.length; i++) turned[i] = -turned[i];
  return {
    positions: gather(positions, 3),
    normals: turned,
    colors: gather(colors, 3),
    ...(uvs ? { uvs: gather(uvs, 2) } : {}),
    indices: Uint32Array.from(corners),
  };
}
