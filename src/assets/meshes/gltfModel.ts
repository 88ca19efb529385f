import type { Document } from '@gltf-transform/core';
import { AssetError } from '../../errors.js';
import { MAX_FILE_BYTES } from '../assetFiles.js';
import { glbChunks, isGlb } from './glb.js';
import { decodeGeometry } from './gltfGeometry.js';
import { checkExtents, checkGltf, type Gltf } from './gltfJson.js';
import { gltfMaterials, primitiveUvs } from './gltfMaterials.js';
import { placedPrimitives } from './gltfNodes.js';
import type { ModelFolder } from './modelFolder.js';
import type { SourceModel, SourcePart } from './sourceModel.js';

/**
 * Reads a glTF 2.0 file (.gltf or .glb): the nodes of its default scene, each mesh in its place, skins and morph targets as
 * they stand in the file, base colours. Points and lines have no surface and are left out.
 * @param path of the file, for errors and for what it refers to
 * @param folder that everything the file refers to must lie in
 * @throws AssetError naming the file and the place in it
 */
export async function readGltf(path: string, bytes: Uint8Array, folder: ModelFolder): Promise<SourceModel> {
  const { json, binary } = isGlb(bytes) ? glbChunks(bytes, path) : { json: bytes, binary: undefined };
  const gltf = checkGltf(parseJson(json, path), path);
  const buffers: Uint8Array[] = [];
  for (const [i, { uri, byteLength, extensions }] of gltf.buffers.entries()) {
    const where = `buffers.${i}`;
    const fallback = extensions?.EXT_meshopt_compression?.fallback;
    if (uri !== undefined) buffers.push(await resource(uri, where));
    else if (i === 0 && binary) buffers.push(binary);
    else if (fallback) buffers.push(new Uint8Array(0));
    else throw new AssetError(`${path}: Expected a uri or a binary chunk for ${where} but received none`);
    if (!fallback && buffers[i].length < byteLength) {
      throw new AssetError(`${path}: Expected ${byteLength} bytes for ${where} but received ${buffers[i].length}`);
    }
  }
  checkExtents(
    gltf,
    buffers.map(({ length }) => length),
    MAX_FILE_BYTES,
    path,
  );
  const document = await decodeGeometry(gltf, buffers, path);
  return { parts: partsOf(gltf, document, path), materials: gltfMaterials(gltf, imageBytes, path) };

  async function resource(uri: string, where: string): Promise<Uint8Array> {
    const data = /^data:[^,]*?(;base64)?,/i.exec(uri);
    if (data?.[1]) return Buffer.from(uri.slice(data[0].length), 'base64');
    try {
      return await folder.read(path, decodeURIComponent(uri), where);
    } catch (cause) {
      if (!(cause instanceof URIError)) throw cause;
      throw new AssetError(`${path}: Expected a uri for ${where} but received ${uri.slice(0, 200)}`, { cause });
    }
  }

  function imageBytes(i: number): Promise<Uint8Array> {
    const { uri, bufferView } = gltf.images[i];
    if (uri !== undefined) return resource(uri, `images.${i}`);
    if (bufferView === undefined) {
      throw new AssetError(`${path}: Expected a uri or a bufferView for images.${i} but received neither`);
    }
    const { buffer, byteOffset, byteLength } = gltf.bufferViews[bufferView];
    return Promise.resolve(buffers[buffer].subarray(byteOffset, byteOffset + byteLength));
  }
}

function partsOf(gltf: Gltf, document: Document, path: string): SourcePart[] {
  const parts: SourcePart[] = [];
  for (const placed of placedPrimitives(gltf, document, path)) {
    const { definition, attribute, ...geometry } = placed;
    // The last material stands for none: see gltfMaterials.
    const material = definition.material ?? gltf.materials.length;
    const uvs = primitiveUvs(gltf, definition, attribute);
    const colors = attribute('COLOR_0');
    parts.push({ ...geometry, material, ...(uvs ? { uvs } : {}), ...(colors ? { colors } : {}) });
  }
  return parts;
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AssetError(`Expected JSON in the glTF file ${path} but received: ${(cause as Error).message}`, { cause });
  }
}
