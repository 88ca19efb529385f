import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { MeshPlacement } from '../../config.js';
import { AssetError } from '../../errors.js';
import { listFiles, readAssetFile } from '../assetFiles.js';
import { AssetLibrary, globToRegExp } from '../assetLibrary.js';
import { readLicenceFile } from '../licenceFile.js';
import type { MeshAsset, MeshData } from '../meshAsset.js';
import { buildMesh } from './buildMesh.js';
import { readGltf } from './gltfModel.js';
import { readMeshFile } from './meshFile.js';
import { ModelFolder } from './modelFolder.js';
import { readObj } from './objModel.js';
import { bodyOf, placementOf } from './placement.js';
import { type Surface, surfacesOf } from './surface.js';

export interface MeshAssetOptions extends MeshPlacement {
  /** SPDX identifier or a short text, for all files of which `licences.yaml` in the folder says nothing. */
  readonly licence?: string;
  /** Put before each name, e.g. `cars/`. Default none. */
  readonly namePrefix?: string;
}

const EXTENSION = /\.(glb|gltf|obj)$/i;

/**
 * Models in files (glTF 2.0 as .glb or .gltf, OBJ with MTL) as meshes in metres. Geometry is read here, for boxes and
 * counts, and again when an engine loads the asset; textures are decoded only then.
 * `meshes.yaml` beside the models overrides the options for files that match a glob.
 * @param path a folder, which is searched with its sub-folders, or one file
 * @param glob over paths relative to the folder with `/` between folders and with the extension, e.g. `cars/*.glb`, `**`
 * @returns a library in order of file names; a name is the prefix and the path without its extension
 * @throws AssetError naming the file when one is missing, damaged, beyond a cap, or refers to something outside of the
 *   folder, or when no file matches; ConfigError when options contradict each other, or a `meshes.yaml` or `licences.yaml`
 *   does not follow its schema
 */
export async function meshAssets(
  path: string,
  glob = '**',
  options: MeshAssetOptions = {},
): Promise<AssetLibrary<MeshAsset>> {
  const { licence, namePrefix = '', ...settings } = options;
  const isFile = await isModelFile(path);
  const dir = isFile ? dirname(path) : path;
  const pattern = globToRegExp(glob);
  const listed = isFile ? [basename(path)] : (await listFiles(dir, 'models')).filter((file) => pattern.test(file));
  const files = listed.filter((file) => EXTENSION.test(file));
  if (files.length === 0) {
    throw new AssetError(`Expected .glb, .gltf or .obj files that match ${glob} in ${path} but received none`);
  }
  const [licenceOf, settingsOf, folder] = await Promise.all([
    readLicenceFile(dir),
    readMeshFile(dir, settings),
    ModelFolder.open(dir),
  ]);
  const assets: MeshAsset[] = [];
  // One after the other: only one model is held in memory at a time.
  for (const file of files) {
    const own = licenceOf(file) ?? licence;
    const name = namePrefix + file.replace(EXTENSION, '');
    assets.push(await meshAsset(join(dir, file), folder, name, settingsOf(file), own));
  }
  return new AssetLibrary(assets);
}

/** @throws AssetError when there is nothing at `path`, or a file that is no model */
async function isModelFile(path: string): Promise<boolean> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return false;
  } catch (cause) {
    throw new AssetError(`Expected a folder of models or a model at ${path} (${String(cause)})`, { cause });
  }
  if (!EXTENSION.test(path)) throw new AssetError(`Expected a .glb, .gltf or .obj file but received ${path}`);
  return true;
}

async function meshAsset(
  path: string,
  folder: ModelFolder,
  name: string,
  settings: MeshPlacement,
  licence: string | undefined,
): Promise<MeshAsset> {
  const { surfaces, placement } = await placedModel(path, folder, settings);
  const { minimum, maximum } = placement;
  const triangles = drawnTriangles(surfaces);
  return {
    kind: 'mesh',
    name,
    minimum,
    maximum,
    ...bodyOf(placement, settings, path),
    triangles: Math.min(triangles, settings.maxTriangles ?? triangles),
    ...(settings.surface ? { surface: settings.surface } : {}),
    ...(licence === undefined ? {} : { licence }),
    load: () => load(path, folder, settings),
  };
}

async function load(path: string, folder: ModelFolder, settings: MeshPlacement): Promise<MeshData> {
  const [{ MeshoptSimplifier }, { surfaces, placement }] = await Promise.all([
    import('meshoptimizer/simplifier'),
    placedModel(path, folder, settings),
  ]);
  return buildMesh(MeshoptSimplifier, surfaces, placement, settings.maxTriangles, path);
}

async function placedModel(path: string, folder: ModelFolder, settings: MeshPlacement) {
  const bytes = await readAssetFile(path, 'model');
  const model = await (/\.obj$/i.test(path) ? readObj : readGltf)(path, bytes, folder);
  const { MeshoptSimplifier } = await import('meshoptimizer/simplifier');
  await MeshoptSimplifier.ready;
  const surfaces = surfacesOf(model, (positions) => MeshoptSimplifier.generatePositionRemap(positions, 3));
  if (surfaces.length === 0) throw new AssetError(`Expected a model with triangles for ${path} but received none`);
  return { surfaces, placement: placementOf(surfaces, settings, path) };
}

function drawnTriangles(surfaces: readonly Surface[]): number {
  let count = 0;
  for (const { indices, twoSided } of surfaces) {
    for (let t = 0; t < indices.length; t += 3) count += 1 + twoSided[indices[t]];
  }
  return count;
}
