import type { AssetLibrary } from '../assets/assetLibrary.js';
import { openAssets, openSource } from '../batch/openSource.js';
import { writeFileWhole } from '../dataset/files.js';
import { encodeNormals } from '../dataset/normalCode.js';
import { encodePng } from '../dataset/png.js';
import { sampleScenes } from '../dataset/sampleScenes.js';
import { readSceneFile } from '../dataset/sceneFile.js';
import { DatasetError } from '../errors.js';
import { Engine, type RenderedBatch } from '../render/engine.js';
import { depthView, instanceView } from '../report/sceneViews.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { CommandResult } from './frame.js';
import { type SourceFlags, sourceOf } from './generate.js';

/** Flags of one picture. */
export interface PictureFlags extends SourceFlags {
  readonly out: string;
  readonly seed: number;
  readonly index: number;
  readonly samples: 1 | 4;
  readonly depth?: boolean;
  readonly normals?: boolean;
  readonly instances?: boolean;
}

/** Whether `--out` asks for one picture instead of a dataset. */
export function isPicture(out: string): boolean {
  return /\.png$/i.test(out);
}

/**
 * One scene of a `.msg` file (by its position), of a grammar or of a trained run (by its index in the seed's stream) as a
 * PNG, and beside it, as `⟨name⟩.depth.png` and so on, the views that are asked for.
 */
export async function renderPicture(path: string, flags: PictureFlags, signal: AbortSignal): Promise<CommandResult> {
  const { out, samples, depth = false, normals = false, instances = false } = flags;
  const { batch, assets, dispose } = await openScene(path, flags, signal);
  const engine = await Engine.create({ assets, workers: 0 });
  try {
    const options = { color: 'u8', labels: instances, samples, depth, normals, signal } as const;
    const rendered = await engine.render(batch, options);
    const files = await writeViews(out, rendered);
    const { width, height } = rendered;
    const { index, parent } = batch.scenes[0];
    const text = `scene ${index} (${parent.length} nodes), ${width} × ${height} px: ${files.join(', ')}`;
    return { json: { out, files, width, height, index, nodes: parent.length }, text };
  } finally {
    await engine.close();
    dispose();
  }
}

/** Writes the colours and whatever else was rendered. @returns the files' names */
async function writeViews(out: string, rendered: RenderedBatch<'u8'>): Promise<string[]> {
  const { width, height, channels, color, instances, depth, normals } = rendered;
  const views = {
    ...(depth ? { depth: depthView(depth) } : {}),
    ...(normals ? { normals: encodeNormals(normals) } : {}),
    ...(instances ? { instances: instanceView(instances) } : {}),
  };
  await writeFileWhole(out, encodePng({ width, height, channels, pixels: color }));
  const files = [out];
  for (const [name, pixels] of Object.entries(views)) {
    const file = out.replace(/\.png$/i, `.${name}.png`);
    await writeFileWhole(file, encodePng({ width, height, channels: 3, pixels }));
    files.push(file);
  }
  return files;
}

interface OpenedScene {
  /** Of one scene. */
  readonly batch: SceneBatch;
  readonly assets: AssetLibrary;
  dispose(): void;
}

async function openScene(path: string, flags: PictureFlags, signal: AbortSignal): Promise<OpenedScene> {
  const { index, seed } = flags;
  if (/\.msg$/i.test(path)) {
    const batch = await readSceneFile(path);
    const scene = batch.scenes[index];
    if (!scene) {
      throw new DatasetError(
        `Expected --index below ${batch.scenes.length}, the scenes of ${path}, but received ${index}`,
      );
    }
    const { library } = await openAssets(flags.assets, batch.assets);
    return { batch: { ...batch, scenes: [scene] }, assets: library, dispose() {} };
  }
  const { source, assets, dispose } = await openSource(sourceOf(path, flags));
  try {
    return { batch: await sampleScenes(source, { seed, start: index, count: 1, signal }), assets, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
