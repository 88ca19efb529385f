import type { Document, Extension } from '@gltf-transform/core';
import { AssetError } from '../../errors.js';
import type { Gltf } from './gltfJson.js';

/**
 * Reads accessors: interleaved, sparse, or compressed with Draco or meshopt. Meshes and their primitives keep their
 * numbers. Only what geometry needs is handed to the library, which checks nothing: the file has been checked before.
 * @param buffers content of `gltf.buffers`
 * @throws AssetError when compressed data is damaged
 */
export async function decodeGeometry(gltf: Gltf, buffers: readonly Uint8Array[], path: string): Promise<Document> {
  const { Logger, WebIO } = await import('@gltf-transform/core');
  const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT));
  const extensionsUsed: string[] = [];
  const use = (extension: typeof Extension, dependency: string, module: unknown) => {
    io.registerExtensions([extension]).registerDependencies({ [dependency]: module });
    extensionsUsed.push(extension.EXTENSION_NAME);
  };
  // Loaded where a file needs them: each brings a WebAssembly module.
  if (gltf.bufferViews.some(({ extensions }) => extensions?.EXT_meshopt_compression)) {
    const [{ EXTMeshoptCompression }, { MeshoptDecoder }] = await Promise.all([
      import('@gltf-transform/extensions'),
      import('meshoptimizer/decoder'),
    ]);
    await MeshoptDecoder.ready;
    use(EXTMeshoptCompression, 'meshopt.decoder', MeshoptDecoder);
  }
  const primitives = gltf.meshes.flatMap((mesh) => mesh.primitives);
  if (primitives.some(({ extensions }) => extensions?.KHR_draco_mesh_compression)) {
    const [{ KHRDracoMeshCompression }, { default: draco }] = await Promise.all([
      import('@gltf-transform/extensions'),
      import('draco3dgltf'),
    ]);
    use(KHRDracoMeshCompression, 'draco3d.decoder', await draco.createDecoderModule());
  }
  const json = {
    asset: { version: '2.0' },
    extensionsUsed,
    buffers: gltf.buffers.map((buffer, i) => ({ ...buffer, uri: `${i}.bin` })),
    bufferViews: gltf.bufferViews,
    accessors: gltf.accessors,
    meshes: gltf.meshes.map((mesh) => ({
      ...mesh,
      primitives: mesh.primitives.map(({ material, ...primitive }) => primitive),
    })),
  };
  const resources = Object.fromEntries(buffers.map((bytes, i) => [`${i}.bin`, bytes as Uint8Array<ArrayBuffer>]));
  try {
    // The definitions have been checked; the library's type knows them as literals.
    return await io.readJSON({ json: json as Parameters<typeof io.readJSON>[0]['json'], resources });
  } catch (cause) {
    throw new AssetError(`Expected readable geometry in ${path} but received: ${String(cause)}`, { cause });
  }
}
