import { readFile, stat } from 'node:fs/promises';
import { DatasetError, SceneGraphError } from '../errors.js';
import { decodeScenes } from '../render/verify.js';
import { encodeScenes } from '../scene/encode.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { writeFileWhole } from './files.js';

/** Flatbuffers address with 31 bits. */
const MAX_BYTES = 2 ** 31 - 1;

/** Writes a batch of scenes as a `.msg` file (schemas/sceneGraph.fbs), whole or not at all. */
export async function writeSceneFile(path: string, batch: SceneBatch): Promise<void> {
  await writeFileWhole(path, encodeScenes(batch));
}

/**
 * Reads and verifies a `.msg` file.
 * @throws DatasetError when it cannot be read; SceneGraphError, naming file and field, when it is malformed
 */
export async function readSceneFile(path: string): Promise<SceneBatch> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw new DatasetError(`Expected a scene file but received ${path}, which is not a file`);
  if (info.size > MAX_BYTES) {
    throw new DatasetError(`Expected at most ${MAX_BYTES} bytes for ${path} but received ${info.size}`);
  }
  const bytes = new Uint8Array(await readFile(path));
  try {
    return decodeScenes(bytes);
  } catch (cause) {
    if (cause instanceof SceneGraphError) throw new SceneGraphError(`${path}: ${cause.message}`, { cause });
    throw cause;
  }
}
