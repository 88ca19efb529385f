import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MeshStage, type StagedInstance, type StagedView } from '../../bench/meshStage.js';
import { at, box, floor, quad, SMALL, soup } from './meshFixtures.js';

/** Coverage of one instance, by the names of its columns. */
function cover(stage: MeshStage, view: StagedView, instances: readonly StagedInstance[], which = 0) {
  const { constants: c, memory, coverMesh } = stage.kernels;
  const staged = stage.stage(view, instances, { ids: true });
  const out = stage.heap.allocate(c.COVERAGE_BYTES);
  const { addresses } = staged;
  const status = coverMesh(addresses.view, addresses.instances + which * c.INSTANCE_BYTES, addresses.scratch, out);
  assert.is(status, c.STATUS_OK);
  const record = new DataView(memory.buffer, out, c.COVERAGE_BYTES);
  const [pixels, inside, left, top, right, bottom] = [
    c.COVERAGE_PIXELS,
    c.COVERAGE_INSIDE,
    c.COVERAGE_LEFT,
    c.COVERAGE_TOP,
    c.COVERAGE_RIGHT,
    c.COVERAGE_BOTTOM,
  ].map((field) => record.getFloat64(field, true));
  return { pixels, inside, box: [left, top, right, bottom] };
}

test('a quad half outside: pixels in all, inside, and the box beyond the canvas', () => {
  const stage = new MeshStage([{ data: quad(2, 1) }]);
  for (const samples of [1, 4] as const) {
    // 16 × 8 px around (0, 24): half of it is left of the canvas.
    const { pixels, inside, box } = cover(stage, { ...SMALL, samples }, [{ mesh: 0, matrix: at(-4, 0, 5) }]);
    assert.equal([pixels, inside, ...box], [128, 64, -8, 20, 8, 28]);
  }
});

test('a pixel counts with two of four samples', () => {
  // 4 × 4 px at 5 m, moved by half a pixel: of the outer columns half of the samples are held, on both sides.
  const stage = new MeshStage([{ data: quad(0.5, 0.5) }]);
  const moved = cover(stage, { ...SMALL, samples: 4 }, [{ mesh: 0, matrix: at(0.0625, 0, 5) }]);
  assert.equal([moved.pixels, ...moved.box], [20, 30, 22, 35, 26]);
  const single = cover(stage, { ...SMALL, samples: 1 }, [{ mesh: 0, matrix: at(0.03, 0, 5) }]);
  assert.equal([single.pixels, ...single.box], [16, 30, 22, 34, 26]);
});

test('what hides an instance does not matter, and alone on the canvas it is what is drawn', () => {
  const stage = new MeshStage([{ data: soup(200, 1, 3) }, { data: box(3, 3, 1) }]);
  const own = { mesh: 0, matrix: at(0.3, 0.2, 5) };
  for (const samples of [1, 4] as const) {
    const view = { ...SMALL, samples };
    const alone = cover(stage, view, [own]);
    assert.equal(cover(stage, view, [own, { mesh: 1, matrix: at(0, 0, 3) }]), alone);
    const { ids } = stage.draw(view, [own], { ids: true });
    const drawn = ids!.filter((id) => id === 1).length;
    assert.is(alone.pixels, drawn);
    assert.is(alone.inside, drawn);
  }
});

test('nothing in sight covers nothing; ground that goes on for ever is cut', () => {
  const stage = new MeshStage([{ data: quad(2, 1) }, { data: floor(-5000, 5000, -5000, 5000), surface: 'ground' }]);
  const behind = cover(stage, SMALL, [{ mesh: 0, matrix: at(0, 0, -5) }]);
  assert.equal([behind.pixels, behind.inside, ...behind.box], [0, 0, 0, 0, 0, 0]);
  const ground = cover(stage, SMALL, [{ mesh: 1, matrix: at(0, 1.5, 0) }]);
  const { ids } = stage.draw(SMALL, [{ mesh: 1, matrix: at(0, 1.5, 0) }], { ids: true });
  assert.is(ground.inside, ids!.filter((id) => id === 1).length);
  assert.ok(ground.pixels >= ground.inside);
});

test.run();
