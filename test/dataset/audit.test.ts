import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ObjectPose } from '../../src/annotate/objectLabel.js';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import { proceduralBackgrounds } from '../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../src/assets/proceduralDigits.js';
import { type AuditOptions, type AuditSummary, auditSamples } from '../../src/dataset/audit.js';
import { auditDataset } from '../../src/dataset/auditDataset.js';
import { convertDataset } from '../../src/dataset/convert.js';
import { imageFolderFormat } from '../../src/dataset/formats/imageFolder.js';
import type { DatasetSample, ImageLabels, SampleObject } from '../../src/dataset/sample.js';
import { AssetError, ConfigError } from '../../src/errors.js';
import { decodeScenes } from '../../src/render/verify.js';
import { encodeScenes } from '../../src/scene/encode.js';
import { fixture, temporaryFolder, writeFixture } from './formats/harness.js';

/** Those that the fixture's scenes are drawn with. */
const assets = new AssetLibrary([...proceduralBackgrounds().assets, ...proceduralDigits({ variants: 2 }).assets]);
const { info, samples } = await fixture({ count: 24 });

const audit = (changed: readonly DatasetSample[], options?: AuditOptions): Promise<AuditSummary> =>
  auditSamples({ info, samples: changed }, options);

/** A copy in which one sample is another one. */
function withSample(at: number, change: (sample: DatasetSample) => DatasetSample): DatasetSample[] {
  return samples.map((sample, i) => (i === at ? change(structuredClone(sample)) : sample));
}

function withLabels(sample: DatasetSample, labels: Partial<ImageLabels>): DatasetSample {
  return { ...sample, labels: { ...sample.labels, ...labels } };
}

/** Position of a sample, and its object, that is a digit of which something is seen and something is hidden. */
const [AT, OBJECT] = findObject((object) => object.class !== 'background' && (object.pixels ?? 0) > 20);
const NODE = samples[AT].labels.objects[OBJECT].node as number;

function findObject(fits: (object: SampleObject) => boolean): [number, number] {
  for (const [i, { labels }] of samples.entries()) {
    const k = labels.objects.findIndex(fits);
    if (k >= 0) return [i, k];
  }
  throw new Error('the fixture has no such object');
}

/** The object found above with other labels. */
function withObject(change: (object: SampleObject) => Partial<SampleObject>): DatasetSample[] {
  return withSample(AT, (sample) => {
    const objects = sample.labels.objects.map((object, k) =>
      k === OBJECT ? { ...object, ...change(object) } : object,
    );
    return withLabels(sample, { objects });
  });
}

/** The same, with another pose. */
function withPose(change: (pose: ObjectPose) => ObjectPose): DatasetSample[] {
  return withObject(({ pose }) => ({ pose: change(pose as ObjectPose) }));
}

/** Of each disagreement: sample, object and field. */
const named = ({ listed }: AuditSummary) => listed.map(({ key, object, field }) => [key, object, field]);
const KEY = samples[AT].labels.key;

test('a true dataset has no disagreement, with whatever there is to compare with', async () => {
  const complete = await audit(samples, { assets });
  assert.equal(complete, {
    samples: 24,
    objects: samples.reduce((sum, { labels }) => sum + labels.objects.length, 0),
    masks: 24,
    scenes: 24,
    rendered: 24,
    disagreements: 0,
    byField: {},
    listed: [],
  });
  assert.is((await audit(samples)).disagreements, 0);
  const without = (...fields: (keyof DatasetSample)[]) =>
    samples.map((sample) => {
      const copy: Record<string, unknown> = { ...sample };
      for (const field of fields) delete copy[field];
      return copy as unknown as DatasetSample;
    });
  for (const fields of [
    ['scene'],
    ['instances', 'classes'],
    ['classes'],
    ['pixels'],
    ['scene', 'instances'],
  ] as const) {
    assert.is((await audit(without(...fields), { assets })).disagreements, 0, `without ${fields}`);
  }
});

const colour = await fixture({ count: 6, channels: 3 });
test('so has one in colour, and one whose images lost pixels to JPEG', async () => {
  assert.is((await auditSamples(colour, { assets })).disagreements, 0);
  const jpeg = await fixture({ count: 4, codec: 'jpeg' });
  assert.is((await auditSamples(jpeg, { assets })).disagreements, 0);
});

/** One wrong label each, and the field that has to be named. */
const WRONG: Record<string, { change: () => DatasetSample[]; field: string; object?: number | null; also?: string[] }> =
  {
    'a box that is a pixel too far left': {
      change: () => withObject(({ box }) => ({ box: [box![0] - 1, box![1], box![2], box![3]] })),
      field: 'box',
      also: ['amodalBox'],
    },
    'a pixel count': { change: () => withObject(({ pixels }) => ({ pixels: pixels! + 1 })), field: 'pixels' },
    'a centre': {
      change: () => withObject(({ centre }) => ({ centre: [centre![0], centre![1] + 0.001] })),
      field: 'centre',
    },
    'a class': { change: () => withObject(({ class: name }) => ({ class: name === '3' ? '7' : '3' })), field: 'class' },
    'a texture': { change: () => withObject(() => ({ asset: 'digits/8/0' })), field: 'asset' },
    'a parent': { change: () => withObject(() => ({ parent: -1 })), field: 'parent' },
    'a position': {
      change: () => withPose((pose) => ({ ...pose, x: pose.x + 0.001 })),
      field: 'pose.x',
    },
    'a rotation': {
      change: () => withPose((pose) => ({ ...pose, rotation: -pose.rotation })),
      field: 'pose.rotation',
    },
    'an attribute': {
      change: () =>
        withObject(({ attributes }) => ({ attributes: { ...attributes, scale: attributes!.scale * 1.001 } })),
      field: 'attributes.scale',
    },
    'an attribute that is missing': {
      change: () =>
        withObject(({ attributes }) => ({ attributes: { ...attributes, x: undefined as unknown as number } })),
      field: 'attributes.x',
    },
    'an attribute that is none': {
      change: () => withObject(({ attributes }) => ({ attributes: { ...attributes, hue: 1 } })),
      field: 'attributes',
    },
    'an object called hidden': {
      change: () => withObject(() => ({ visible: false, box: null, centre: null })),
      field: 'visible',
      also: ['box', 'centre'],
    },
    'an object that is missing': {
      change: () =>
        withSample(AT, (sample) =>
          withLabels(sample, { objects: sample.labels.objects.filter(({ node }) => node !== NODE) }),
        ),
      field: 'object',
    },
    'an object listed twice': {
      change: () =>
        withSample(AT, (sample) => {
          const { objects } = sample.labels;
          return withLabels(sample, { objects: [...objects, objects[OBJECT]] });
        }),
      field: 'object',
    },
    'no object at all': {
      change: () => withSample(AT, (sample) => withLabels(sample, { objects: [] })),
      field: 'object',
      also: ['object', 'object', 'object'],
    },
    'the index of another scene': {
      change: () => withSample(AT, (sample) => withLabels(sample, { index: 99 })),
      field: 'index',
      object: null,
    },
    'a class mask that is wrong at some pixels': {
      change: () =>
        withSample(AT, (sample) => {
          sample.classes![sample.instances!.lastIndexOf(NODE + 1)] ^= 3;
          return sample;
        }),
      field: 'classes',
    },
  };

for (const [name, { change, field, object = NODE, also = [] }] of Object.entries(WRONG)) {
  test(`found and named, without assets: ${name}`, async () => {
    const found = await audit(change());
    const fields = found.listed.map((one) => one.field);
    assert.ok(
      named(found).some(([key, node, own]) => key === KEY && node === object && own === field),
      `${field} of ${object} among ${JSON.stringify(named(found))}`,
    );
    assert.equal(
      fields.filter((one) => one !== field && !also.includes(one)),
      [],
      'nothing else is blamed',
    );
    assert.ok(found.listed.every(({ key }) => key === KEY));
    assert.is(
      Object.values(found.byField).reduce((a, b) => a + b, 0),
      found.disagreements,
    );
  });
}

const AMODAL: Record<string, (object: SampleObject) => Partial<SampleObject>> = {
  amodalBox: ({ amodalBox }) => ({ amodalBox: [amodalBox![0] - 1, amodalBox![1], amodalBox![2] + 1, amodalBox![3]] }),
  rotatedBox: ({ rotatedBox }) => ({ rotatedBox: { ...rotatedBox!, width: rotatedBox!.width + 0.01 } }),
  visibleFraction: ({ visibleFraction }) => ({ visibleFraction: visibleFraction! - 1e-4 }),
  truncation: ({ truncation }) => ({ truncation: truncation! + 1e-4 }),
  occluded: ({ occluded }) => ({ occluded: occluded! + 1e-4 }),
  occlusion: ({ occlusion }) => ({ occlusion: occlusion === 0 ? 1 : 0 }),
};

for (const [field, change] of Object.entries(AMODAL)) {
  test(`amodal labels are found by rendering the scene again: ${field}`, async () => {
    assert.equal(named(await audit(withObject(change), { assets })), [[KEY, NODE, field]]);
  });
}

test('contradictions are found without anything to compare with', async () => {
  const bare = (change: (object: SampleObject) => Partial<SampleObject>) =>
    withObject(change).map(({ labels, image }) => ({ labels, image }));
  const fields = async (change: (object: SampleObject) => Partial<SampleObject>) =>
    (await audit(bare(change))).listed.map(({ field }) => field);
  assert.equal(await fields(() => ({})), []);
  assert.equal(await fields(({ box }) => ({ box: [box![0], box![1], 0, 4] })), ['box']);
  assert.equal(await fields(() => ({ box: [40, 4, 20, 4], amodalBox: [40, 4, 20, 4] })), ['box'], 'off the canvas');
  assert.equal(await fields(() => ({ box: [Number.NaN, 4, 2, 4] })), ['box', 'amodalBox']);
  assert.equal(await fields(() => ({ visible: false })), ['visible']);
  assert.equal(await fields(() => ({ amodalBox: null })), ['amodalBox', 'occlusion']);
  assert.equal(await fields(() => ({ occluded: 1.5 })), ['occluded', 'visibleFraction', 'occlusion']);
  assert.equal(await fields(({ visibleFraction }) => ({ visibleFraction: visibleFraction! - 0.01 })), [
    'visibleFraction',
  ]);
  assert.equal(await fields(({ occlusion }) => ({ occlusion: occlusion === 2 ? 1 : 2 })), ['occlusion']);
});

test('masks and images of another scene are found by rendering', async () => {
  const [one, two] = samples;
  const swapped = [{ ...one, image: two.image, pixels: undefined } as unknown as DatasetSample, ...samples.slice(1)];
  assert.equal(named(await audit(swapped, { assets })), [[one.labels.key, null, 'image']]);
  const masks = [{ ...one, instances: two.instances, classes: two.classes }, ...samples.slice(1)] as DatasetSample[];
  const fields = named(await audit(masks, { assets })).map(([, , field]) => field);
  assert.ok(fields.includes('instances') && fields.includes('classes') && fields.includes('box'), `${fields}`);
  assert.ok((await audit(masks)).byField.box >= 1, 'boxes disagree with the other masks without rendering too');
});

test('scenes that are damaged, of another size or seed are reported, not thrown', async () => {
  const damaged = withSample(AT, (sample) => ({ ...sample, scene: (sample.scene as Uint8Array).subarray(0, 100) }));
  assert.equal(named(await audit(damaged, { assets })), [[KEY, null, 'scene']]);
  const batch = decodeScenes(samples[AT].scene as Uint8Array);
  const scene = (change: object, provenance = batch.provenance) =>
    withSample(AT, (sample) => ({
      ...sample,
      scene: encodeScenes({ ...batch, provenance, scenes: [{ ...batch.scenes[0], ...change }] }),
    }));
  assert.equal(named(await audit(scene({ width: 50 }), { assets })), [[KEY, null, 'width']]);
  assert.equal(named(await audit(scene({}, { ...batch.provenance, seed: 6 }))), [[KEY, null, 'seed']]);
  const short = withSample(AT, (sample) => ({ ...sample, instances: sample.instances!.subarray(1) }));
  assert.equal(named(await audit(short)), [[KEY, null, 'instances']]);
});

test('with a minimum of pixels, objects below it have to be hidden, and others must not', async () => {
  const minimumPixels = samples[AT].labels.objects[OBJECT].pixels! + 1;
  const hidden = samples.map((sample) =>
    withLabels(sample, {
      objects: sample.labels.objects.map((object) =>
        object.pixels! < minimumPixels ? { ...object, visible: false, box: null, centre: null } : object,
      ),
    }),
  );
  assert.is((await audit(hidden, { assets, minimumPixels })).disagreements, 0);
  assert.ok((await audit(hidden, { assets })).disagreements > 0);
  assert.ok((await audit(samples, { assets, minimumPixels })).disagreements > 0);
});

test('it streams: a source of any length, a bounded list, all counted', async () => {
  let held = 0;
  let most = 0;
  const [wrong] = withObject(() => ({ parent: 7 })).slice(AT);
  async function* endless() {
    for (let i = 0; i < 300; i++) {
      held++;
      most = Math.max(most, held);
      yield wrong;
      held--;
    }
  }
  const done: number[] = [];
  const summary = await auditSamples({ info, samples: endless() }, { limit: 5, onProgress: (n) => done.push(n) });
  assert.is(summary.samples, 300);
  assert.is(summary.disagreements, 300);
  assert.is(summary.listed.length, 5);
  assert.equal(summary.byField, { parent: 300 });
  assert.is(most, 1);
  assert.is(done.at(-1), 300);
});

test('a texture that is not among the assets, a limit below 0 and an abort are errors', async () => {
  const failure = async (run: Promise<unknown>) =>
    run.then(
      () => undefined,
      (error: unknown) => error,
    );
  const poor = await failure(audit(samples, { assets: new AssetLibrary([...proceduralBackgrounds().assets]) }));
  assert.instance(poor, AssetError);
  assert.match((poor as Error).message, /000000000: Expected an asset of the engine's library/);
  assert.instance(await failure(audit(samples, { limit: -1 })), ConfigError);
  const reason = new Error('enough');
  assert.is(await failure(audit(samples, { signal: AbortSignal.abort(reason) })), reason);
});

test('a dataset on the disk: true, then with one digit of one box changed', async () => {
  const folder = await writeFixture(imageFolderFormat, { info, samples });
  const { format, ...summary } = await auditDataset(folder, { assets });
  assert.is(format, 'imagefolder');
  assert.equal(summary, await audit(samples, { assets }));
  const path = join(folder, 'metadata.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const row = lines.findIndex((line) => line.includes(`"key":"${KEY}"`));
  const { box } = samples[AT].labels.objects[OBJECT];
  const changed = JSON.stringify(box).replace(/\d+]$/, `${box![3] + 1}]`);
  lines[row] = lines[row].replace(`"box":${JSON.stringify(box)}`, `"box":${changed}`);
  writeFileSync(path, lines.join('\n'));
  const found = await auditDataset(folder, { assets });
  assert.equal(
    found.listed.filter(({ field }) => field === 'box'),
    [{ key: KEY, object: NODE, field: 'box', expected: box, received: JSON.parse(changed) }],
  );
});

test('formats that keep the records beside them: what their own files list is compared too', async () => {
  const source = await writeFixture(imageFolderFormat, { info, samples });
  for (const to of ['coco', 'yolo', 'kitti']) {
    const out = join(temporaryFolder(), to);
    await convertDataset({ source, out, to, shardSize: 10, scenes: false });
    const summary = await auditDataset(out);
    assert.equal(named(summary), [], to);
    assert.is(summary.samples, 24);
    if (to !== 'yolo') continue;
    // The first object of a file becomes one of another class, the second is lost.
    const file = (readdirSync(out, { recursive: true }) as string[]).find((path) =>
      path.endsWith(`${KEY}.txt`),
    ) as string;
    const lines = readFileSync(join(out, file), 'utf8').trimEnd().split('\n');
    const classId = Number(lines[0].split(' ')[0]);
    lines[0] = lines[0].replace(/^\d+/, String((classId + 1) % info.things.length));
    writeFileSync(join(out, file), `${lines[0]}\n`);
    const { listed, byField } = await auditDataset(out);
    assert.equal(byField, { listed: 1 + lines.length });
    assert.ok(listed.every(({ key }) => key === KEY));
  }
});

test.run();
