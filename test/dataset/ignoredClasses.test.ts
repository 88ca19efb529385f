import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generatedHeader } from '../../src/dataset/generatedHeader.js';
import { defaultIgnored } from '../../src/dataset/ignoredClasses.js';
import { NodeKind } from '../../src/scene/attributeSchema.js';
import { boxLibrary } from '../helpers/boxMesh.js';
import { meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';

const STREET = ['background', 'Car', 'building', 'Pedestrian', 'Person_sitting', 'tree', 'DontCare', 'car'];

test('KITTI lists what KITTI labels, other formats all but the background', () => {
  assert.equal(defaultIgnored('kitti', STREET), ['background', 'building', 'tree', 'car']);
  assert.equal(defaultIgnored('coco', STREET), ['background']);
});

test('where no class has a name of KITTI’s, KITTI lists all of them', () => {
  assert.equal(defaultIgnored('kitti', ['background', '7', '9']), ['background']);
});

test('the header of a KITTI dataset has only its types among the things, unless a list of ignored classes is given', () => {
  const batch = meshBatch([meshScene([{ asset: 0 }])], boxLibrary.names);
  const { classes, kinds = [] } = meshSchema;
  const [, ...others] = classes;
  const named = {
    ...batch,
    schema: { ...batch.schema, classes: ['Van', ...others, 'building'], kinds: [...kinds, NodeKind.Object] },
  };
  const settings = { quality: 90, split: 'train', count: 1, shardSize: 1, seed: 0, start: 0, masks: false };
  const things = (format: string, ignore?: readonly string[]) =>
    generatedHeader(
      named,
      { name: 'street', hash: '' },
      { ...settings, format, ignore, scenes: false, minimumPixels: 1 },
      boxLibrary,
    ).things;
  assert.equal(things('kitti'), ['Van']);
  // Cameras, lights, curves and strips are no things anyway.
  assert.equal(things('coco'), ['Van', 'building']);
  assert.equal(things('kitti', ['background']), ['Van', 'building']);
  assert.throws(
    () => things('coco', ['Building']),
    /a class of street for ignore but received "Building"; it has Van, .*building/,
  );
});

test.run();
