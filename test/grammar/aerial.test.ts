import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { POSE_STRIDE, worldPoses } from '../../src/annotate/worldPoses.js';
import { proceduralAerial } from '../../src/assets/proceduralAerial.js';
import { type Grammar, loadGrammar } from '../../src/grammar/grammar.js';
import { Engine } from '../../src/render/engine.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';

const assets = proceduralAerial({ cars: 40, trees: 10, houses: 10 });
const grammarOf = (file: string, variables: Record<string, string> = {}) =>
  loadGrammar(`examples/grammars/${file}.yaml`, { assets, overrides: { variables } });
const free = await grammarOf('aerial');
const target = await grammarOf('aerial-target');
const engine = await Engine.create({ assets, workers: 0 });

const [GRASS, ROAD, CAR, HOUSE, TREE] = [0, 1, 2, 3, 4];
const COLUMNS = 5;
const [X, Y, ROTATION] = [0, 1, 2];
const attribute = ({ attributes }: SceneGraph, node: number, column: number) => attributes[node * COLUMNS + column];

test('both grammars make the same graphs: grass, a road on it, and in its frame two cars, a house and a tree', () => {
  assert.equal(target.schema, free.schema);
  assert.equal(free.schema.classes, ['grass', 'road', 'car', 'house', 'tree']);
  assert.equal(
    free.schema.attributes.map(({ name }) => name),
    ['x', 'y', 'rotation', 'scaleX', 'scaleY'],
  );
  for (const grammar of [free, target]) {
    for (const scene of grammar.sampleBatch({ seed: 1, start: 0, count: 20 }).scenes) {
      assert.equal([...scene.classId], [GRASS, ROAD, CAR, CAR, HOUSE, TREE]);
      assert.equal([...scene.parent], [-1, 0, 1, 1, 1, 1]);
      const own = [1, 1, 1, 0, 0];
      const none = [0, 0, 0, 0, 0];
      assert.equal([...scene.mutable], [none, none, own, own, own, own].flat());
    }
  }
});

test('what may change is a variable of each class', async () => {
  const grammar = await grammarOf('aerial', { mutableCar: 'rotation', mutableTree: '', mutableRoad: 'x,y' });
  const { mutable } = grammar.sample({ seed: 0, index: 0 });
  assert.equal([...mutable.slice(5, 15)], [1, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
  assert.equal([...mutable.slice(25)], [0, 0, 0, 0, 0]);
});

test('the grammar leaves headings and places free', () => {
  const { scenes } = free.sampleBatch({ seed: 2, start: 0, count: 400 });
  const headings = scenes.map((scene) => attribute(scene, 2, ROTATION));
  // Even over the circle: no mean direction (each component has standard deviation √(1/800) = 0.035), and 45° from the
  // road's line on average, as the issue says of the state before training (standard deviation 26° / 20 = 1.3°).
  const radians = headings.map((degrees) => (degrees * Math.PI) / 180);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(radians.map(Math.cos))) < 0.14 && Math.abs(mean(radians.map(Math.sin))) < 0.14);
  const fromLine = headings.map((degrees) => Math.min(Math.abs(degrees), 180 - Math.abs(degrees)));
  assert.ok(Math.abs(mean(fromLine) - 45) < 6, String(mean(fromLine)));
  const across = scenes.map((scene) => Math.abs(attribute(scene, 2, Y)));
  assert.ok(across.some((y) => y > 24) && across.some((y) => y < 2), 'on and off the road');
});

test('the target: cars in their lanes, heading along them, apart; house and tree beside the road', async () => {
  const check = (grammar: Grammar, oncoming: number) => {
    let left = 0;
    for (const scene of grammar.sampleBatch({ seed: 3, start: 0, count: 200 }).scenes) {
      for (const car of [2, 3]) {
        const y = attribute(scene, car, Y);
        assert.ok(Math.abs(Math.abs(y) - 8) < 4.5 * 0.8);
        if (y < 0) left++;
        const off = attribute(scene, car, ROTATION) - (y < 0 ? oncoming : 0);
        assert.ok(Math.abs(((off + 540) % 360) - 180) < 4.5 * 3, `${off}`);
      }
      const apart = Math.hypot(
        attribute(scene, 2, X) - attribute(scene, 3, X),
        attribute(scene, 2, Y) - attribute(scene, 3, Y),
      );
      assert.ok(apart >= 32);
      assert.ok(Math.abs(attribute(scene, 4, Y)) >= 38 && Math.abs(attribute(scene, 5, Y)) >= 36);
    }
    // Half of 400, standard deviation 10.
    assert.ok(Math.abs(left - 200) < 40, String(left));
  };
  check(target, 0);
  check(await grammarOf('aerial-target', { oncoming: '180' }), 180);
});

/** Instance map of the first `nodes` nodes of a scene. */
async function instances(batch: SceneBatch, scene: SceneGraph, nodes: readonly number[]): Promise<Uint16Array> {
  const rows = (values: ArrayLike<number>) =>
    nodes.flatMap((v) => Array.from(values).slice(v * COLUMNS, (v + 1) * COLUMNS));
  const part: SceneGraph = {
    ...scene,
    parent: Int32Array.from(nodes, (v) => nodes.indexOf(scene.parent[v])),
    classId: Uint16Array.from(nodes, (v) => scene.classId[v]),
    asset: Int32Array.from(nodes, (v) => scene.asset[v]),
    attributes: Float32Array.from(rows(scene.attributes)),
    mutable: Uint8Array.from(rows(scene.mutable)),
  };
  const rendered = await engine.render({ ...batch, scenes: [part] }, { labels: true });
  return rendered.instances as Uint16Array;
}

test('in the target every car is on the road, and house and tree are off it, pixel by pixel', async () => {
  const batch = target.sampleBatch({ seed: 4, start: 0, count: 20 });
  for (const scene of batch.scenes) {
    const road = await instances(batch, scene, [0, 1]);
    for (const node of [2, 3, 4, 5]) {
      // The node alone above its road: its instance is the third.
      const map = await instances(batch, scene, [0, 1, node]);
      let seen = 0;
      let onRoad = 0;
      for (let i = 0; i < map.length; i++) {
        if (map[i] !== 3) continue;
        seen++;
        if (road[i] === 2) onRoad++;
      }
      assert.ok(seen > 100, `scene ${scene.index}, node ${node}: ${seen} px`);
      assert.is(onRoad, node < 4 ? seen : 0, `scene ${scene.index}, node ${node}`);
    }
  }
});

test("a car's label ends with its body: the texels of at least half opacity, none of the shadow", async () => {
  const batch = target.sampleBatch({ seed: 5, start: 0, count: 1 });
  for (let car = 0; car < 12; car++) {
    const asset = assets.assets[car];
    const image = await asset.load();
    // Texel on pixel: 40 × 24 texels about (64, 64).
    const scene: SceneGraph = {
      ...batch.scenes[0],
      parent: Int32Array.of(-1),
      classId: Uint16Array.of(CAR),
      asset: Int32Array.of(car),
      attributes: Float32Array.of(64, 64, 0, 1, 1),
      mutable: new Uint8Array(5),
    };
    const rendered = await engine.render({ ...batch, scenes: [scene] }, { labels: true });
    const map = rendered.instances as Uint16Array;
    for (let i = 0; i < map.length; i++) {
      const x = (i % 128) - 44;
      const y = Math.floor(i / 128) - 52;
      const inside = x >= 0 && x < 40 && y >= 0 && y < 24;
      assert.is(map[i] === 1, inside && image.pixels[4 * (40 * y + x) + 3] >= 128, `${asset.name} at ${x}, ${y}`);
    }
  }
});

test('moving and turning the road moves all that stands in its frame by the same motion (§3.1): poses', () => {
  const [dx, dy, turn] = [7, -4, 25];
  const c = Math.cos((turn * Math.PI) / 180);
  const s = Math.sin((turn * Math.PI) / 180);
  for (const scene of free.sampleBatch({ seed: 6, start: 0, count: 30 }).scenes) {
    const attributes = scene.attributes.slice();
    attributes[COLUMNS + X] += dx;
    attributes[COLUMNS + Y] += dy;
    attributes[COLUMNS + ROTATION] += turn;
    const before = worldPoses(free.schema, scene);
    const after = worldPoses(free.schema, { ...scene, attributes });
    const at = (poses: Float64Array, node: number) => [...poses.subarray(node * POSE_STRIDE, (node + 1) * POSE_STRIDE)];
    assert.equal(at(after, GRASS), at(before, GRASS));
    const [roadX, roadY] = at(before, ROAD);
    for (const node of [1, 2, 3, 4, 5]) {
      const [x, y, rotation] = at(before, node);
      const [newX, newY, newRotation] = at(after, node);
      // A turn about the road's place, then the shift; the grass is upright, so its frame is a shifted canvas.
      assert.ok(Math.abs(newX - (roadX + dx + c * (x - roadX) - s * (y - roadY))) < 1e-4);
      assert.ok(Math.abs(newY - (roadY + dy + s * (x - roadX) + c * (y - roadY))) < 1e-4);
      assert.ok(Math.abs(((newRotation - rotation - turn + 540) % 360) - 180) < 1e-3);
    }
  }
});

/** Middle of each node's visible pixels. */
function middles(map: Uint16Array, width: number): (readonly [number, number])[] {
  return [2, 3, 4, 5].map((node) => {
    let [x, y, count] = [0, 0, 0];
    for (let i = 0; i < map.length; i++) {
      if (map[i] !== node + 1) continue;
      x += (i % width) + 0.5;
      y += Math.floor(i / width) + 0.5;
      count++;
    }
    assert.ok(count > 20);
    return [x / count, y / count] as const;
  });
}

test('moving and turning the road moves all that stands in its frame by the same motion (§3.1): pixels', async () => {
  const [dx, dy, turn] = [7, -4, 25];
  const c = Math.cos((turn * Math.PI) / 180);
  const s = Math.sin((turn * Math.PI) / 180);
  const batch = target.sampleBatch({ seed: 7, start: 0, count: 4 });
  for (const sampled of batch.scenes) {
    // On a canvas of twice the size nothing leaves the picture.
    const attributes = sampled.attributes.slice();
    attributes.set([128, 128], 0);
    const scene = { ...sampled, width: 256, height: 256, attributes };
    const moved = { ...scene, attributes: attributes.slice() };
    moved.attributes[COLUMNS + X] += dx;
    moved.attributes[COLUMNS + Y] += dy;
    moved.attributes[COLUMNS + ROTATION] += turn;
    const all = [0, 1, 2, 3, 4, 5];
    const before = middles(await instances(batch, scene, all), 256);
    const after = middles(await instances(batch, moved, all), 256);
    const roadX = 128 + attribute(scene, ROAD, X);
    const roadY = 128 + attribute(scene, ROAD, Y);
    for (const [i, [x, y]] of before.entries()) {
      const [expectedX, expectedY] = [
        roadX + dx + c * (x - roadX) - s * (y - roadY),
        roadY + dy + s * (x - roadX) + c * (y - roadY),
      ];
      const off = Math.hypot(after[i][0] - expectedX, after[i][1] - expectedY);
      // Pixels that are in or out move a middle by up to half a pixel where an edge lies along them.
      assert.ok(off < 0.5, `scene ${scene.index}, object ${i}: ${off} px`);
    }
  }
});

test('the grammar at 256 px is the one at 128 px, twice as large', async () => {
  const large = await grammarOf('aerial-target', { size: '256' });
  const [a, b] = [target.sample({ seed: 8, index: 3 }), large.sample({ seed: 8, index: 3 })];
  assert.equal([b.width, b.height], [256, 256]);
  for (let node = 0; node < 6; node++) {
    for (const [column, factor] of [2, 2, 1, 2, 2].entries()) {
      const [small, twice] = [attribute(a, node, column) * factor, attribute(b, node, column)];
      assert.ok(Math.abs(small - twice) < 1e-3, `node ${node}, column ${column}: ${small} and ${twice}`);
    }
  }
  const crisp = await grammarOf('aerial-target', { size: '256', textures: '256' });
  assert.is(attribute(crisp.sample({ seed: 8, index: 3 }), CAR, 3), 1);
});

test('pictures of other sizes and headings: factors on sprites, and a turn of the cars', async () => {
  const pack = await grammarOf('aerial-target', {
    carScale: '0.5',
    facing: '90',
    roadWidth: '2',
    cars: 'aerial/car/000*',
  });
  const scene = pack.sample({ seed: 9, index: 0 });
  assert.is(attribute(scene, ROAD, 4), 2);
  assert.is(attribute(scene, ROAD, 3), 1);
  assert.is(attribute(scene, 2, 3), 0.5);
  assert.ok(Math.abs(attribute(scene, 2, ROTATION) - 90) < 4.5 * 3);
  assert.ok(pack.assets[scene.asset[2]].startsWith('aerial/car/000'));
});

test('golden scenes: the same pictures on every machine', async () => {
  const hash = createHash('sha256');
  for (const grammar of [free, target]) {
    const { color } = await engine.render(grammar.sampleBatch({ seed: 0, start: 0, count: 3 }), { color: 'u8' });
    hash.update(color);
  }
  assert.is(hash.digest('hex'), GOLDEN);
});
const GOLDEN = 'ba77d9dd88cc499fc62b4be7b9428c88699378a3ee2bb2e6925b627398df582b';

test.after(() => engine.close());
test.run();
