import { GrammarError } from '../errors.js';
import type { LabelledImages } from '../learn/taskNetwork.js';
import type { Engine } from '../render/engine.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';

/** Scenes rendered at once: bounds memory while keeping the threads busy. */
const CHUNK = 512;

/**
 * The classification label of a scene: the position in `labels` of the class of its first node that has one of them.
 * @throws GrammarError when no node of a scene has such a class
 */
export function sceneLabeller(schema: SceneSchema, labels: readonly string[]): (scene: SceneGraph) => number {
  const labelOf = schema.classes.map((name) => labels.indexOf(name));
  return (scene) => {
    for (const classId of scene.classId) if (labelOf[classId] >= 0) return labelOf[classId];
    const names = [...scene.classId].map((id) => schema.classes[id]).join(', ');
    throw new GrammarError(
      `Expected a node of one of the classes ${labels.join(', ')} in scene ${scene.index} but received ${names}`,
    );
  };
}

/** What to render. */
export interface LabelledScenesRequest {
  readonly seed: number;
  readonly start?: number;
  readonly count: number;
  readonly label: (scene: SceneGraph) => number;
  readonly signal?: AbortSignal;
  /** Called with the number of images done. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Renders `count` scenes of a source with their labels: a static dataset in memory, bytes [N, H, W, C].
 * Peak memory: the result plus one chunk of 512 scenes.
 */
export async function renderLabelledScenes(
  engine: Engine,
  source: SceneSource,
  request: LabelledScenesRequest,
): Promise<LabelledImages> {
  const { seed, start = 0, count, label, signal, onProgress } = request;
  let images: Uint8Array | undefined;
  let shape = { width: 0, height: 0, channels: 1 as 1 | 3 };
  const labels = new Int32Array(count);
  for (let done = 0; done < count; ) {
    signal?.throwIfAborted();
    const batch = await source.sampleBatch({ seed, start: start + done, count: Math.min(CHUNK, count - done) });
    const rendered = await engine.render(batch, { color: 'u8', signal });
    if (!images) {
      shape = { width: rendered.width, height: rendered.height, channels: rendered.channels as 1 | 3 };
      images = new Uint8Array(count * shape.width * shape.height * shape.channels);
    }
    images.set(rendered.color as Uint8Array, done * shape.width * shape.height * shape.channels);
    for (const [i, scene] of batch.scenes.entries()) labels[done + i] = label(scene);
    done += batch.scenes.length;
    onProgress?.(done);
  }
  return { count, ...shape, images: images ?? new Uint8Array(0), labels };
}
