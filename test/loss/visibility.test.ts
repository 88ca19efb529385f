import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { blurredSilhouette } from '../../src/loss/silhouettes.js';
import { VisibilityPenalty } from '../../src/loss/visibility.js';
import { visibilityOf } from '../../src/metrics/visibility.js';
import { RandomStream } from '../../src/random.js';
import { Engine } from '../../src/render/engine.js';
import { AttributeRole, attributeIndex } from '../../src/scene/attributeSchema.js';
import { type SceneBatch, withAttributes } from '../../src/scene/sceneGraph.js';
import { carGrammar, carLibrary, type Placed } from '../helpers/carScenes.js';
import { attribute } from '../helpers/scenes.js';

const SIZE = 64;
const MUTABLE = ['x', 'y', 'rotation'];

const engine = await Engine.create({ assets: carLibrary, workers: 0 });
const penalty = await VisibilityPenalty.create({ engine });

async function scene(objects: readonly Placed[], count = 1): Promise<SceneBatch> {
  return (await carGrammar(SIZE, objects)).sampleBatch({ seed: 0, start: 0, count });
}

function car(x: number, y: number, rotation = 0, mutable: readonly string[] = MUTABLE): Placed {
  return { class: 'car', attributes: { x, y, rotation }, mutable };
}

function house(x: number, y: number, mutable: readonly string[] = []): Placed {
  return { class: 'house', attributes: { x, y }, mutable };
}

/** All attributes of a batch in one array. */
function flat(batch: SceneBatch): Float32Array {
  return Float32Array.from(batch.scenes.flatMap(({ attributes }) => [...attributes]));
}

function mutableOf(batch: SceneBatch): number[] {
  return batch.scenes.flatMap(({ mutable }) => [...mutable]);
}

/** Σ over mutable entries of (a − b)², relative to b's, where b is by central differences of the penalty itself. */
async function errorOfGradient(batch: SceneBatch, steps: Readonly<Record<string, number>>): Promise<number> {
  const { gradient, value } = await penalty.valueAndGradient(batch);
  assert.ok(value > 0, 'something is hidden');
  const names = batch.schema.attributes.map(({ name }) => name);
  let difference = 0;
  let size = 0;
  for (const [i, flag] of mutableOf(batch).entries()) {
    if (!flag) {
      assert.is(gradient[i], 0);
      continue;
    }
    const step = steps[names[i % names.length]];
    const valueAt = async (move: number) => {
      const moved = flat(batch);
      moved[i] += move;
      return (await penalty.valueAndGradient(withAttributes(batch, moved))).value;
    };
    const numeric = ((await valueAt(step)) - (await valueAt(-step))) / (2 * step);
    difference += (gradient[i] - numeric) ** 2;
    size += numeric ** 2;
  }
  assert.ok(size > 0);
  return Math.sqrt(difference / size);
}

test('the gradient is that of the penalty: hidden below another, cut by the edge, turned, several scenes', async () => {
  const steps = { x: 0.5, y: 0.5, rotation: 2 };
  const scenes: Placed[][] = [
    [car(30, 31, 20), house(34, 30, MUTABLE)],
    [car(-4, 20, 70), car(40, 66, 10)],
    [car(20, 20, 5), car(23, 22, 40), house(27, 20, ['x'])],
  ];
  for (const objects of scenes) {
    const error = await errorOfGradient(await scene(objects), steps);
    assert.ok(error < 0.02, `off by ${error}`);
  }
  const [first, second] = await Promise.all([scene(scenes[0]), scene([car(30, 31, 50), house(30, 36, MUTABLE)])]);
  const both = { ...first, scenes: [...first.scenes, ...second.scenes] };
  const error = await errorOfGradient(both, steps);
  assert.ok(error < 0.02, `two scenes: off by ${error}`);
});

test('the gradient of scale and opacity, and through a parent that carries its children', async () => {
  const specs = [
    attribute('x', AttributeRole.X, -64, 128),
    attribute('y', AttributeRole.Y, -64, 128),
    attribute('rotation', AttributeRole.Rotation, -180, 180, true),
    attribute('scale', AttributeRole.Scale, 0.1, 4),
    attribute('scaleX', AttributeRole.ScaleX, 0.1, 4),
    attribute('opacity', AttributeRole.Opacity, 0, 1),
  ];
  const batch: SceneBatch = {
    schema: { dimension: 2, channels: 3, attributes: specs, classes: ['frame', 'car', 'house'] },
    assets: ['car', 'house'],
    provenance: { grammar: 'test', grammarHash: '', seed: 0 },
    scenes: [
      {
        ...{ width: SIZE, height: SIZE, index: 0 },
        // A frame with two cars, and a house above one of them.
        parent: Int32Array.of(-1, 0, 0, -1),
        classId: Uint16Array.of(0, 1, 1, 2),
        asset: Int32Array.of(-1, 0, 0, 1),
        attributes: Float32Array.of(
          ...[30, 30, 15, 0.9, 1, 1],
          ...[-8, 2, 10, 1.1, 0.8, 0.9],
          ...[38, 4, -20, 1, 1.2, 0.55],
          ...[24, 28, 5, 1.1, 1, 0.95],
        ),
        mutable: new Uint8Array(24).fill(1),
      },
    ],
  };
  const steps = { x: 0.5, y: 0.5, rotation: 1.5, scale: 0.02, scaleX: 0.03, opacity: 0.05 };
  const error = await errorOfGradient(batch, steps);
  assert.ok(error < 0.02, `off by ${error}`);
});

test('the share of an object alone in the middle is 1, whatever its turn; half of it on the canvas is between', async () => {
  for (const rotation of [0, 30, 77]) {
    const { shares, value } = await penalty.valueAndGradient(await scene([car(32, 32, rotation)]));
    assert.ok(Math.abs(shares[0].share - 1) < 0.01, String(shares[0].share));
    assert.is(value, 0);
  }
  // At the edge, half of the silhouette is on the canvas and half beyond, where it counts less than a quarter.
  const { shares } = await penalty.valueAndGradient(await scene([car(0, 32)]));
  assert.ok(shares[0].share > 0.5 && shares[0].share < 0.625, String(shares[0].share));
});

test('where everything can be seen the penalty and its gradient are zero; what cannot move does not count', async () => {
  const visible = await penalty.valueAndGradient(await scene([car(16, 20), car(48, 20, 90), house(32, 46, MUTABLE)]));
  assert.is(visible.value, 0);
  assert.is(visible.shares.length, 3);
  assert.ok(visible.gradient.every((slope) => slope === 0));
  const fixed = await penalty.valueAndGradient(await scene([car(32, 32, 0, []), house(32, 32)]));
  assert.equal(fixed.shares, []);
  assert.is(fixed.value, 0);
});

/** Follows −gradient with steps of at most 2 px and 3° until nothing is hidden. @returns the last scene and the steps */
async function descend(start: SceneBatch, most: number): Promise<{ batch: SceneBatch; steps: number }> {
  let batch = start;
  for (let steps = 0; steps < most; steps++) {
    const { value, gradient } = await penalty.valueAndGradient(batch);
    if (value === 0) return { batch, steps };
    const longest = Math.max(...gradient.map(Math.abs));
    assert.ok(longest > 0, 'there is a way out');
    batch = withAttributes(
      batch,
      flat(batch).map((a, i) => a - (2 * gradient[i]) / longest),
    );
  }
  return { batch, steps: most };
}

/** Visible fraction of the least visible movable object, in the pixels of the labels. */
async function leastVisible(batch: SceneBatch): Promise<number> {
  const rendered = await engine.render(batch, { color: 'none', labels: true });
  return Math.min(...Object.values(visibilityOf(batch, rendered).byClass));
}

test('a few steps down the slope reveal a car that lies wholly below a house', async () => {
  // Every pixel of the car is covered: counting pixels, nothing would change with a step of one.
  const hidden = await scene([car(33, 30), house(32, 32)]);
  assert.is(await leastVisible(hidden), 0);
  const { batch, steps } = await descend(hidden, 20);
  console.log(`# below a house: ${steps} steps`);
  assert.ok(steps < 20);
  assert.ok((await leastVisible(batch)) > 0.3, String(await leastVisible(batch)));
});

test('the slope moves what hides, too', async () => {
  const below = [car(33, 30, 0, []), house(32, 32, ['x', 'y'])];
  const start = await scene(below);
  // The car cannot move, and what cannot move does not count: let it be turned by next to nothing.
  const turned = await scene([car(33, 30, 0, ['rotation']), below[1]]);
  const { gradient } = await penalty.valueAndGradient(turned);
  const columns = start.schema.attributes.length;
  const houseX = gradient[2 * columns + attributeIndex(start.schema, 'x')];
  assert.ok(houseX > 0, `the house goes left, to where it has less of the car: ${houseX}`);
});

test('an object off the canvas comes back', async () => {
  for (const start of [await scene([car(-20, 32, 30)]), await scene([car(32, 85)])]) {
    assert.is(await leastVisible(start), 0);
    const { batch, steps } = await descend(start, 30);
    assert.ok(steps < 30);
    assert.ok((await leastVisible(batch)) > 0.25, String(await leastVisible(batch)));
  }
});

test('a canvas of any size, and one too large for its silhouettes: shares hardly change, gradients are per px of it', async () => {
  const small = await scene([car(30, 31, 20), house(34, 30, MUTABLE)]);
  const columns = small.schema.attributes.length;
  const [xColumn, yColumn] = ['x', 'y'].map((name) => attributeIndex(small.schema, name));
  const scale = attribute('scale', AttributeRole.Scale, 0, 10);
  /** The same picture `times` larger. */
  const enlarged = (times: number): SceneBatch => ({
    ...small,
    schema: { ...small.schema, attributes: [...small.schema.attributes, scale] },
    scenes: small.scenes.map((one) => ({
      ...one,
      width: SIZE * times,
      height: SIZE * times,
      attributes: Float32Array.from({ length: one.parent.length * (columns + 1) }, (_, i) => {
        const [v, a] = [Math.floor(i / (columns + 1)), i % (columns + 1)];
        if (a === columns) return times;
        return one.attributes[v * columns + a] * (a === xColumn || a === yColumn ? times : 1);
      }),
      mutable: Uint8Array.from({ length: one.parent.length * (columns + 1) }, (_, i) => {
        const [v, a] = [Math.floor(i / (columns + 1)), i % (columns + 1)];
        return a === columns ? 0 : one.mutable[v * columns + a];
      }),
    })),
  });
  const one = await penalty.valueAndGradient(enlarged(1));
  const five = await penalty.valueAndGradient(enlarged(5));
  for (const [i, { share }] of one.shares.entries()) {
    assert.ok(Math.abs(share - five.shares[i].share) < 0.02, `${share} and ${five.shares[i].share}`);
  }
  const at = (columns + 1) * 1 + xColumn;
  assert.ok(Math.abs(five.gradient[at] * 5 - one.gradient[at]) < 0.1 * Math.abs(one.gradient[at]));
});

test('the blurred silhouette keeps its area and its middle', () => {
  const stream = new RandomStream({ seed: 1, index: 0 });
  const pixels = Uint8Array.from({ length: 21 * 33 * 4 }, () => stream.integer(256));
  const blurred = blurredSilhouette({ width: 21, height: 33, format: 'rgba8', pixels });
  const moments = (width: number, values: ArrayLike<number>, step: number) => {
    let [mass, x, y] = [0, 0, 0];
    for (let i = step - 1; i < values.length; i += step) {
      const at = (i - step + 1) / step;
      mass += values[i];
      x += values[i] * ((at % width) + 0.5);
      y += values[i] * (Math.floor(at / width) + 0.5);
    }
    return { mass, x: x / mass, y: y / mass };
  };
  const [before, after] = [moments(21, pixels, 4), moments(blurred.width, blurred.pixels, 1)];
  assert.ok(Math.abs(after.mass / before.mass - 1) < 0.01);
  assert.ok(Math.abs(after.x - before.x - (blurred.width - 21) / 2) < 0.1);
  assert.ok(Math.abs(after.y - before.y - (blurred.height - 33) / 2) < 0.1);
  const corner = blurred.pixels[0];
  assert.is(corner, 0, 'the margin holds the whole blur');
});

test('a share out of (0, 1] is refused', async () => {
  for (const minimum of [0, 1.5, Number.NaN]) {
    try {
      await VisibilityPenalty.create({ engine, minimum });
      assert.unreachable('it should have been refused');
    } catch (error) {
      assert.match((error as Error).message, /in \(0, 1\] for minimum/);
    }
  }
});

test.after(async () => {
  await penalty.close();
  await engine.close();
});

test.run();
