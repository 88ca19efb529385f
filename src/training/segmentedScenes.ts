import { GrammarError } from '../errors.js';
import type { SegmentedImages } from '../learn/taskNetwork.js';
import type { Engine } from '../render/engine.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { renderInto, type ScenesRequest } from './labelledScenes.js';
import { SegmentedSceneData } from './sceneData.js';

/** What pixels are that show none of the labels; the last class of a segmentation. */
export const BACKGROUND = 'background';

/** Classes of a segmentation in the order of their numbers: the labels, then the background. */
export function segmentationClasses(labels: readonly string[]): string[] {
  return [...labels, BACKGROUND];
}

/**
 * What the values of the renderer's class maps mean for a segmentation: position in `labels`, or `labels.length` (the
 * background) for nodes of other classes and where there is no node.
 * @returns [256]
 * @throws GrammarError when a label is no class of the scenes
 */
export function sceneSegmenter(schema: SceneSchema, labels: readonly string[]): Uint8Array {
  const classes = new Uint8Array(256).fill(labels.length);
  for (const [number, label] of labels.entries()) {
    const index = schema.classes.indexOf(label);
    if (index < 0) {
      throw new GrammarError(
        `Expected classes of the scenes (${schema.classes.join(', ')}) for labels but received ${label}`,
      );
    }
    classes[index + 1] = number;
  }
  return classes;
}

export interface SegmentedScenesRequest extends ScenesRequest {
  /** [256] as `sceneSegmenter` gives it. */
  readonly classes: Uint8Array;
}

/**
 * Renders `count` scenes of a source with the class of each pixel: a static dataset in memory, C + 1 bytes a pixel.
 * Peak memory: the result plus one chunk of 512 scenes.
 */
export function renderSegmentedScenes(
  engine: Engine,
  source: SceneSource,
  request: SegmentedScenesRequest,
): Promise<SegmentedImages> {
  return renderInto(new SegmentedSceneData(request.classes), engine, source, request);
}
