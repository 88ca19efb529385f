import { attributesOf, poseOf } from '../../annotate/annotateScene.js';
import { meshGeometry } from '../../annotate/meshGeometry.js';
import type { MeshPose, ObjectPose } from '../../annotate/objectLabel.js';
import { boxOf, centreOf, visibleRegions } from '../../annotate/visibleRegions.js';
import { worldPoses } from '../../annotate/worldPoses.js';
import type { SceneSchema } from '../../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../scene/sceneGraph.js';
import type { SampleObject } from '../sample.js';

/** Labels of an object as far as they can be recomputed. */
export type ExpectedLabel = Partial<SampleObject>;

/** What the scene graph alone says of its objects, by node. */
export function expectedFromScene({ schema, assets, scenes: [scene] }: SceneBatch): Map<number, ExpectedLabel> {
  const poseAt = posesOf(schema, scene);
  const objects = new Map<number, ExpectedLabel>();
  for (let v = 0; v < scene.parent.length; v++) {
    if (scene.asset[v] < 0) continue;
    objects.set(v, {
      node: v,
      parent: scene.parent[v],
      class: schema.classes[scene.classId[v]],
      asset: assets[scene.asset[v]],
      pose: poseAt(v),
      attributes: attributesOf(schema, scene, v),
    });
  }
  return objects;
}

function posesOf(schema: SceneSchema, scene: SceneGraph): (node: number) => ObjectPose | MeshPose {
  if (schema.dimension === 3) return meshGeometry(schema, scene, []).pose;
  const poses = worldPoses(schema, scene);
  return (node) => poseOf(poses, node);
}

/**
 * What an instance mask says of its objects, by node; nodes that are not in it are not seen.
 * @param nodes how many there are at least
 */
export function expectedFromMask(
  instances: Uint16Array,
  width: number,
  height: number,
  nodes: number,
): Map<number, ExpectedLabel> {
  let count = nodes;
  for (const id of instances) if (id > count) count = id;
  const regions = visibleRegions(instances, width, height, count);
  const objects = new Map<number, ExpectedLabel>();
  for (let v = 0; v < count; v++) {
    const pixels = regions.pixels[v];
    const visible = pixels > 0;
    objects.set(v, {
      visible,
      pixels,
      box: visible ? boxOf(regions, v) : null,
      centre: visible ? centreOf(regions, v) : null,
    });
  }
  return objects;
}

/** An object of which fewer than `minimum` px are seen counts as not visible. */
export function withMinimum(label: ExpectedLabel, minimum: number): ExpectedLabel {
  if (label.pixels === undefined || label.pixels >= minimum) return label;
  return { ...label, visible: false, box: null, centre: null };
}
