import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch, annotateRegions } from '../../src/annotate/annotateScene.js';
import { regionTable, visibleRegions } from '../../src/annotate/visibleRegions.js';
import { ShapeError } from '../../src/errors.js';
import { Engine } from '../../src/render/engine.js';
import { compileKernels, instantiateKernels } from '../../src/render/kernels.js';
import { REGION_COLUMNS } from '../../src/render/regions.js';
import { type SceneBatch, totalNodes } from '../../src/scene/sceneGraph.js';
import { spriteBatch, spriteLibrary } from '../helpers/sprites.js';

test('the table has the columns of the record', () => {
  for (const build of ['simd', 'scalar'] as const) {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
    const { constants } = instantiateKernels(compileKernels(build), memory);
    assert.is(constants.REGION_BYTES, 8 * REGION_COLUMNS);
  }
});

/** What `visibleRegions`, which has tests of its own, finds in the instance masks. */
function expectedRegions({ scenes }: SceneBatch, instances: Uint16Array): Float64Array[] {
  let at = 0;
  return scenes.map(({ width, height, parent }) =>
    regionTable(visibleRegions(instances.subarray(at, (at += width * height)), width, height, parent.length)),
  );
}

for (const build of ['simd', 'scalar'] as const) {
  for (const workers of [0, 2]) {
    test(`regions are those of the instance masks, drawn with masks and without (${build}, ${workers} workers)`, async () => {
      const engine = await Engine.create({ assets: spriteLibrary, workers, build });
      try {
        for (const size of [5, 37, 64]) {
          const batch = spriteBatch(60, size, 4);
          assert.ok(new Set(batch.scenes.map(({ parent }) => parent.length)).size > 1, 'scenes of different lengths');
          const all = await engine.render(batch, { color: 'u8', labels: true });
          const expected = expectedRegions(batch, all.instances as Uint16Array);
          const flat = expected.flatMap((table) => Array.from(table));
          assert.is(flat.length, totalNodes(batch) * REGION_COLUMNS);
          assert.equal(Array.from(all.regions as Float64Array), flat);
          const few = await engine.render(batch, { color: 'u8', labels: 'regions' });
          assert.equal(few.regions, all.regions);
          assert.equal(few.coverage, all.coverage);
          assert.equal(few.color, all.color);
          assert.is(few.instances, undefined);
          assert.is(few.classes, undefined);
          const again = await engine.render(batch, { color: 'u8', labels: 'regions', into: few });
          assert.is(again.color, few.color);
          assert.equal(again.regions, all.regions);
        }
      } finally {
        await engine.close();
      }
    });
  }
}

/** The same scenes on a canvas of another size, of which they may now lie outside. */
function onCanvas(batch: SceneBatch, width: number, height: number): SceneBatch {
  return { ...batch, scenes: batch.scenes.map((scene) => ({ ...scene, width, height })) };
}

/** A batch's first scene, left with no node. */
function withoutNodes(batch: SceneBatch): SceneBatch {
  const [scene] = batch.scenes;
  const none = { parent: new Int32Array(0), classId: new Uint16Array(0), asset: new Int32Array(0) };
  return {
    ...batch,
    scenes: [{ ...scene, ...none, attributes: new Float32Array(0), mutable: new Uint8Array(0) }],
  };
}

test('a canvas of one pixel, rows that are no multiple of the lanes, and higher than wide', async () => {
  for (const build of ['simd', 'scalar'] as const) {
    const engine = await Engine.create({ assets: spriteLibrary, workers: 0, build });
    for (const [width, height] of [
      [1, 1],
      [1, 40],
      [7, 3],
      [8, 8],
      [9, 31],
      [15, 2],
      [17, 16],
    ]) {
      const batch = onCanvas(spriteBatch(20, 16, 8), width, height);
      const { regions, instances } = await engine.render(batch, { color: 'none', labels: true });
      const flat = expectedRegions(batch, instances as Uint16Array).flatMap((table) => Array.from(table));
      assert.equal(Array.from(regions as Float64Array), flat, `${width} × ${height}`);
      assert.ok(
        flat.some((value) => value > 0),
        'something is seen',
      );
      const few = await engine.render(batch, { color: 'none', labels: 'regions' });
      assert.equal(few.regions, regions);
    }
    await engine.close();
  }
});

test('scenes without nodes have tables without rows, alone and among others', async () => {
  const some = spriteBatch(2, 16);
  const none = withoutNodes(some);
  const mixed = { ...some, scenes: [none.scenes[0], ...some.scenes, none.scenes[0]] };
  const engine = await Engine.create({ assets: spriteLibrary, workers: 0 });
  for (const labels of [true, 'regions'] as const) {
    const into = await engine.render(none, { color: 'u8', labels });
    assert.equal([into.regions, into.coverage], [new Float64Array(0), new Float64Array(0)]);
    const alone = await engine.render(some, { color: 'u8', labels });
    const among = await engine.render(mixed, { color: 'u8', labels });
    assert.equal([among.regions, among.coverage], [alone.regions, alone.coverage]);
    const [scene] = some.scenes;
    const one = await engine.render({ ...some, scenes: [scene] }, { color: 'u8', labels });
    const again = await engine.render(none, { color: 'u8', labels, into: one });
    assert.equal([again.regions?.length, again.coverage?.length], [0, 0], 'not those of the scene before');
  }
  const bare = await engine.render(none, { color: 'u8' });
  assert.equal([bare.regions, bare.coverage], [undefined, undefined]);
  await engine.close();
});

test('as many nodes as a scene can have', async () => {
  const side = 256;
  const nodes = 65_534;
  const batch = spriteBatch(1, side);
  const dot = [1 / 32, 1];
  const attributes = Array.from({ length: nodes }, (_, v) => [(v % side) + 0.5, Math.floor(v / side) + 0.5, 0, ...dot]);
  const scene = {
    ...batch.scenes[0],
    parent: new Int32Array(nodes).fill(-1),
    classId: new Uint16Array(nodes).fill(2),
    asset: new Int32Array(nodes).fill(1),
    attributes: Float32Array.from(attributes.flat()),
    mutable: new Uint8Array(5 * nodes),
  };
  const many = { ...batch, scenes: [scene] };
  const engine = await Engine.create({ assets: spriteLibrary, workers: 0 });
  const { regions, instances } = await engine.render(many, { color: 'none', labels: true });
  await engine.close();
  assert.is(instances?.[nodes - 1], nodes, 'the last node is seen');
  assert.equal([regions], expectedRegions(many, instances as Uint16Array));
});

test('labels from regions are those from the masks', async () => {
  const engine = await Engine.create({ assets: spriteLibrary, workers: 0 });
  const batch = spriteBatch(40, 48, 4);
  const { instances, coverage, regions } = await engine.render(batch, { color: 'none', labels: true });
  await engine.close();
  const expected = annotateBatch(batch, instances as Uint16Array, coverage as Float64Array);
  let row = 0;
  for (const [i, scene] of batch.scenes.entries()) {
    const tables = [regions, coverage] as [Float64Array, Float64Array];
    assert.equal(annotateRegions(batch.schema, batch.assets, scene, ...tables, row), expected[i]);
    row += scene.parent.length;
  }
  const [scene] = batch.scenes;
  const short = new Float64Array(scene.parent.length * REGION_COLUMNS - 1);
  assert.throws(
    () => annotateRegions(batch.schema, batch.assets, scene, short, coverage as Float64Array),
    (error: unknown) => error instanceof ShapeError && /at least .* for regions/.test(error.message),
  );
});

test.run();
