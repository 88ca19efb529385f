import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  circularWasserstein,
  directionHistogram,
  modeShares,
  totalVariation,
} from '../../src/metrics/directionHistogram.js';
import { RandomStream } from '../../src/random.js';

test('bins are centred on 0°, and whole turns change nothing', () => {
  // Four bins: 0° has −45 … 45, 90° has 45 … 135, and so on.
  assert.equal([...directionHistogram([0, -44, 44, 360, 720], 4)], [1, 0, 0, 0]);
  assert.equal([...directionHistogram([90, 180, -180, -90], 4)], [0, 0.25, 0.5, 0.25]);
});

test('total variation: the share that has to move', () => {
  assert.is(totalVariation([0.5, 0.5, 0], [0.5, 0, 0.5]), 0.5);
  assert.is(totalVariation([1, 0], [0, 1]), 1);
  assert.is(totalVariation([0.25, 0.75], [0.25, 0.75]), 0);
});

test('Wasserstein on the circle: half of the cars turned by 180° is 90°', () => {
  const one = directionHistogram([0, 0]);
  const two = directionHistogram([0, 180]);
  assert.ok(Math.abs(circularWasserstein(one, two) - 90) < 1e-9);
  // The short way round: from 350° to 10° are 20°, not 340°.
  assert.ok(Math.abs(circularWasserstein(directionHistogram([350]), directionHistogram([10])) - 20) < 1e-9);
});

test('Wasserstein on the circle is the cheapest assignment, tried in every order', () => {
  const stream = new RandomStream({ seed: 3, index: 0 });
  for (let round = 0; round < 20; round++) {
    // Bin centres, so that binning moves nothing.
    const angles = () => Array.from({ length: 5 }, () => 10 * stream.integer(36));
    const [from, to] = [angles(), angles()];
    const cost = (order: readonly number[]) =>
      from.reduce((sum, angle, i) => {
        const apart = Math.abs(angle - to[order[i]]);
        return sum + Math.min(apart, 360 - apart) / from.length;
      }, 0);
    const cheapest = Math.min(...permutations([0, 1, 2, 3, 4]).map(cost));
    const ours = circularWasserstein(directionHistogram(from), directionHistogram(to));
    assert.ok(Math.abs(ours - cheapest) < 1e-9, `${ours}, by trying ${cheapest}`);
  }
});

test('mode shares: each direction counts for its nearest mode, the short way round', () => {
  assert.equal(modeShares([-175, 170, 5, 90], [0, 180], 20), [0.25, 0.5]);
});

test('histograms of different lengths, no directions and no bins are refused', () => {
  assert.throws(() => totalVariation([1], [0.5, 0.5]), /one length/);
  assert.throws(() => directionHistogram([]), /at least one direction/);
  assert.throws(() => directionHistogram([1], 0), /bins/);
});

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => permutations(items.filter((_, k) => k !== i)).map((rest) => [item, ...rest]));
}

test.run();
