import type { Sample } from '../render/generate.js';
import { annotateScene } from './annotateScene.js';
import type { MeshLibrary } from './meshBounds.js';
import type { ObjectLabel } from './objectLabel.js';

/**
 * Labels of the objects of a sample of `Engine.generate`: see `annotateScene`. They are plain objects of their own, and
 * outlive the sample's arrays.
 * @param library with the meshes of a 3D scene: `engine.assets`
 */
export function annotateSample(sample: Sample, library?: MeshLibrary): ObjectLabel[] {
  const { schema, assets, scene, instances, coverage } = sample;
  return annotateScene(schema, assets, scene, instances, coverage, library);
}
