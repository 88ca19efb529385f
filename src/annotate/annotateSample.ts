import type { Sample } from '../render/generate.js';
import { annotateScene } from './annotateScene.js';
import type { ObjectLabel } from './objectLabel.js';

/**
 * Labels of the objects of a sample of `Engine.generate`: see `annotateScene`. They are plain objects of their own, and
 * outlive the sample's arrays.
 */
export function annotateSample({ schema, assets, scene, instances, coverage }: Sample): ObjectLabel[] {
  return annotateScene(schema, assets, scene, instances, coverage);
}
