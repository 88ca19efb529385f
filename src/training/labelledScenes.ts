import { GrammarError } from '../errors.js';
import type { ImageStack, LabelledImages } from '../learn/taskNetwork.js';
import type { Engine } from '../render/engine.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { LabelledSceneData, type SceneData } from './sceneData.js';

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
export interface ScenesRequest {
  readonly seed: number;
  readonly start?: number;
  readonly count: number;
  readonly signal?: AbortSignal;
  /** Called with the number of images done. */
  readonly onProgress?: (done: number) => void;
}

export interface LabelledScenesRequest extends ScenesRequest {
  readonly label: (scene: SceneGraph) => number;
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
  return renderInto(new LabelledSceneData(request.label), engine, source, request);
}

/** Renders scenes as bytes, a chunk at a time, into `data`. */
export async function renderInto<Data extends ImageStack>(
  data: SceneData<Data>,
  engine: Engine,
  source: SceneSource,
  { seed, start = 0, count, signal, onProgress }: ScenesRequest,
): Promise<Data> {
  data.begin(count);
  for (let done = 0; done < count; ) {
    signal?.throwIfAborted();
    const batch = await source.sampleBatch({ seed, start: start + done, count: Math.min(CHUNK, count - done) });
    data.add(await engine.render(batch, { color: 'u8', labels: data.needsLabels, signal }), batch);
    done += batch.scenes.length;
    onProgress?.(done);
  }
  return data.data();
}
