import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cameraProjection, projectBox, tiltedBoxCorners } from '../../src/annotate/box3d.js';
import { isMeshLabel, type MeshPose } from '../../src/annotate/objectLabel.js';
import { overhangOf } from '../../src/dataset/audit/boxes3d.js';
import { auditSamples } from '../../src/dataset/audit.js';
import { type DatasetSample, isThing, type SampleObject } from '../../src/dataset/sample.js';
import { boxFixture } from '../helpers/boxScenes.js';

const { info, samples } = await boxFixture(4);

const fieldsOf = async (changed: readonly DatasetSample[]) => (await auditSamples({ info, samples: changed })).byField;

/** Where an object is that is seen well: sample and position. */
const [AT, OBJECT] = (() => {
  for (const [i, { labels }] of samples.entries()) {
    const k = labels.objects.findIndex(({ pixels, box3d, truncation }) => pixels! > 100 && box3d && truncation === 0);
    if (k >= 0) return [i, k];
  }
  throw new Error('the fixture has no such object');
})();

function withObject(change: (object: SampleObject) => Partial<SampleObject>): DatasetSample[] {
  const { labels, ...rest } = samples[AT];
  const objects = labels.objects.map((object, k) => (k === OBJECT ? { ...object, ...change(object) } : object));
  return [{ ...rest, labels: { ...labels, objects } }];
}

function withBox(change: (box: NonNullable<SampleObject['box3d']>) => Partial<NonNullable<SampleObject['box3d']>>) {
  return withObject(({ box3d }) => ({ box3d: { ...box3d!, ...change(box3d!) } }));
}

test('true labels of 3D scenes have no disagreement', async () => {
  const { listed, ...summary } = await auditSamples({ info, samples });
  assert.equal(listed, []);
  assert.equal([summary.samples, summary.masks, summary.scenes, summary.disagreements], [4, 4, 4, 0]);
});

test('the 3D box of an object that is wholly seen projects onto its amodal box', () => {
  // A box's mesh is its 3D box, so that rays through pixel centres find it to within a pixel on every side.
  let compared = 0;
  for (const { labels } of samples) {
    for (const object of labels.objects) {
      if (!isMeshLabel(object) || !object.box3d || !object.amodalBox || object.box3d.location[2] < 6) continue;
      const corners = tiltedBoxCorners(object.box3d, object.pose!, labels.camera!.pose);
      const { edges } = projectBox(corners, cameraProjection(labels.camera!));
      const [left, top, width, height] = object.amodalBox;
      for (const [i, edge] of [left, top, left + width, top + height].entries()) {
        assert.ok(Math.abs(edge - edges![i]) <= 1, `${labels.key} ${object.node}: ${object.amodalBox} and ${edges}`);
      }
      compared++;
    }
  }
  assert.ok(compared >= 8, `${compared}`);
});

test('each label of a 3D box that is not true is found by name', async () => {
  const shift = (dx: number, dz: number) => withBox(({ location: [x, y, z] }) => ({ location: [x + dx, y, z + dz] }));
  assert.ok('box3d' in (await fieldsOf(shift(1.5, 0))));
  assert.ok('depth' in (await fieldsOf(shift(0, 6))));
  assert.ok('distance' in (await fieldsOf(shift(0, 0.5))));
  assert.ok('box3d.alpha' in (await fieldsOf(withBox(({ alpha }) => ({ alpha: alpha + 0.01 })))));
  assert.ok('box3d.rotationY' in (await fieldsOf(withBox(({ rotationY }) => ({ rotationY: rotationY + 0.01 })))));
  const sized = (height: number, width: number, length: number) =>
    fieldsOf(withBox(() => ({ dimensions: { height, width, length } })));
  assert.ok('box3d.dimensions' in (await sized(-1, 1, 1)));
  assert.ok('box3d.dimensions' in (await sized(0, 0, 0)));
  // Flat things there are, but this one has pixels above the ground.
  const flat = await sized(0, 1, 1);
  assert.ok('box3d' in flat && !('box3d.dimensions' in flat), Object.keys(flat).join());
  assert.ok('box3d' in (await fieldsOf(withObject(() => ({ box3d: undefined })))));
  assert.ok('distance' in (await fieldsOf(withObject(({ distance }) => ({ distance: distance! + 0.01 })))));
  const turned = ({ pose }: SampleObject) => ({ ...(pose as MeshPose), heading: (pose as MeshPose).heading + 1 });
  assert.ok('pose.heading' in (await fieldsOf(withObject((object) => ({ pose: turned(object) })))));
});

test('boxes of others, without poses, may have the alpha of KITTI’s annotators, but not of another convention', async () => {
  const annotated = (change: number) =>
    fieldsOf(
      withObject(({ box3d }) => ({
        pose: undefined,
        attributes: undefined,
        box3d: { ...box3d!, alpha: box3d!.alpha + change },
      })),
    );
  assert.not.ok('box3d.alpha' in (await annotated(0.1)));
  assert.ok('box3d.alpha' in (await annotated(0.2)));
});

test('a camera that is not the scene’s is found, number by number', async () => {
  const { labels, ...rest } = samples[0];
  const camera = { ...labels.camera!, fx: labels.camera!.fx + 1 };
  const fields = await fieldsOf([{ ...rest, labels: { ...labels, camera } }]);
  assert.is(fields['camera.fx'], 1);
  const pose = { ...labels.camera!.pose, pitch: labels.camera!.pose.pitch + 0.1 };
  assert.ok(
    'camera.pitch' in (await fieldsOf([{ ...rest, labels: { ...labels, camera: { ...labels.camera!, pose } } }])),
  );
});

test('depth and normals are held against what is seen', async () => {
  const sample = samples[AT];
  const { instances, labels } = sample;
  const first = instances!.indexOf(labels.objects[OBJECT].node! + 1);
  const sky = instances!.indexOf(0);
  const depth = (at: number, code: number) => {
    const changed = sample.depth!.slice();
    changed[at] = code;
    return [{ ...sample, depth: changed }];
  };
  const normals = (at: number, bytes: readonly number[]) => {
    const changed = sample.normals!.slice();
    changed.set(bytes, 3 * at);
    return [{ ...sample, normals: changed }];
  };
  assert.equal(await fieldsOf(depth(first, 0)), { depth: 1 });
  assert.equal(await fieldsOf(depth(first, 60_000)), { depth: 1 });
  assert.equal(await fieldsOf(depth(sky, 100)), { depth: 1 });
  assert.equal(await fieldsOf(normals(first, [0, 0, 0])), { normals: 1 });
  assert.equal(await fieldsOf(normals(first, [127, 127, 90])), { normals: 1 });
  assert.equal(await fieldsOf(normals(sky, [127, 127, 0])), { normals: 1 });
  assert.equal(await fieldsOf([{ ...sample, depth: sample.depth!.slice(1) }]), { depth: 1 });
});

test('a thing of the record that a format did not list is missed, the lawn is not', async () => {
  const [sample] = samples;
  const listed = sample.labels.objects.filter((object) => object.box !== null && isThing(object, info.things));
  const audited = async (list: readonly SampleObject[]) =>
    (await auditSamples({ info, samples: [{ ...sample, listed: list }] })).byField;
  assert.equal(await audited(listed), {});
  assert.equal(await audited(listed.slice(1)), { listed: 1 });
});

test('stuff that shares a segment is not held against the mask, things are', async () => {
  const [sample] = samples;
  const merged = { ...info, things: ['nothing else'], mergesStuff: true };
  const blank = { ...sample, instances: new Uint16Array(sample.instances!.length), classes: undefined };
  const { depth: _, normals: __, scene: ___, ...plain } = blank;
  const fields = async (about: typeof merged) => (await auditSamples({ info: about, samples: [plain] })).byField;
  assert.equal(await fields(merged), {});
  assert.ok('pixels' in (await fields({ ...merged, mergesStuff: false })));
  assert.ok('pixels' in (await fields({ ...merged, things: info.things as string[] })));
});

test('an object may stand out of its box as a mirror does, and no farther; with its mesh at hand as far as that does', async () => {
  const narrower = (share: number) =>
    withBox(({ dimensions }) => ({ dimensions: { ...dimensions, width: share * dimensions.width } }));
  assert.not.ok('box3d' in (await fieldsOf(narrower(0.88))));
  assert.ok('box3d' in (await fieldsOf(narrower(0.5))));
  const bounds = { minimum: [-1.2, -2, -2.5], maximum: [1, 0, 2] } as const;
  const body = { minimum: [-1, -2, -2], maximum: [1, 0, 2] } as const;
  // 0.2 m of 2 on the left count as if they were on both sides, and 0.5 m of 4 behind.
  assert.equal(overhangOf({ ...bounds, body }), [1.2, 1, 1.25]);
  assert.equal(overhangOf(bounds), [1, 1, 1]);
});

test.run();
