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
