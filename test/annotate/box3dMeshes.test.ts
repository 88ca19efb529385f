import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch } from '../../src/annotate/annotateScene.js';
import { cameraProjection, projectBox, tiltedBoxCorners } from '../../src/annotate/box3d.js';
import { imageCamera } from '../../src/annotate/meshGeometry.js';
import type { MeshLabel } from '../../src/annotate/objectLabel.js';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { kittiLabelOf, type SeenObject } from '../../src/dataset/formats/kittiObjects.js';
import { RandomStream } from '../../src/random.js';
import { Engine } from '../../src/render/engine.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';
import { CAMERA, type MeshNode, meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';

const SCENES = 4;
const [width, height] = [414, 125];
/** KITTI's camera at a third of its size. */
const camera = { ...CAMERA, fx: 240, fy: 240, cx: 203, cy: 58 };

const assets = proceduralDriving({ cars: 6, pedestrians: 2, trees: 0, houses: 0, towers: 0, cyclists: 1, poles: 0 });
const ground = assets.names.indexOf('driving/grounds/asphalt');
const moving = [...assets.names.keys()].filter((i) => /^driving\/(cars|pedestrians|cyclists)\//.test(assets.names[i]));

/** Cars, people and cyclists around a camera that is tilted a little. */
function scene(index: number): SceneGraph {
  const random = new RandomStream({ seed: 21, index });
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const nodes: MeshNode[] = [
    { kind: 'camera', y: -1.65, rotation: between(-9, 9), pitch: between(-4, 3), roll: between(-3, 3) },
    { asset: ground },
  ];
  for (let i = 0; i < 14; i++) {
    const place = { x: between(-12, 12), z: between(1, 45), rotation: between(-180, 180) };
    nodes.push({ asset: moving[random.integer(moving.length)], ...place, scaleZ: between(0.9, 1.1) });
  }
  return meshScene(nodes, { index, width, height, camera });
}

test('what is drawn of a mesh lies within its projected 3D box, and fills it but for its rounded corners', async () => {
  const batch = meshBatch(
    Array.from({ length: SCENES }, (_, i) => scene(i)),
    assets.names,
  );
  const engine = await Engine.create({ assets, workers: 0 });
  const rendered = await engine.render(batch, { color: 'u8', labels: true });
  await engine.close();
  const labels = annotateBatch(batch, rendered.instances as Uint16Array, rendered.coverage as Float64Array, assets);
  let compared = 0;
  const filled: number[] = [];
  for (const [i, objects] of labels.entries()) {
    const seenBy = imageCamera(meshSchema, batch.scenes[i]);
    for (const object of objects as MeshLabel[]) {
      const { box, amodalBox, box3d, pose } = object;
      if (!box || !box3d || !amodalBox) continue;
      const corners = tiltedBoxCorners(box3d, pose, seenBy.pose);
      const edges = projectBox(corners, cameraProjection(seenBy), seenBy.near).edges!;
      const [left, top, w, h] = amodalBox;
      // A pixel is the object's where half of its samples are.
      const margins = [left - edges[0], top - edges[1], edges[2] - left - w, edges[3] - top - h];
      // A car's mirrors stand 55 mm out of its box.
      const mirror = (1.1 * 0.055 * seenBy.fx) / Math.max(seenBy.near, Math.min(...corners.map(([, , z]) => z)));
      assert.ok(Math.min(...margins) > -0.8 - mirror, `${object.asset}: ${amodalBox} leaves ${edges}`);
      const row = kittiLabelOf(object as SeenObject, { width, height, camera: seenBy });
      const slack = 0.3 + mirror;
      assert.ok(row.box[0] <= box[0] + slack && row.box[1] <= box[1] + slack);
      assert.ok(row.box[2] >= box[0] + box[2] - 1 - slack && row.box[3] >= box[1] + box[3] - 1 - slack);
      compared++;
      if (object.occluded === 0 && object.truncation === 0) {
        filled.push((w * h) / ((edges[2] - edges[0]) * (edges[3] - edges[1])));
      }
    }
  }
  assert.ok(compared > 30, String(compared));
  filled.sort((a, b) => a - b);
  assert.ok(filled[filled.length >> 1] > 0.55, `${filled[filled.length >> 1]} of the box is filled`);
});

test.run();
