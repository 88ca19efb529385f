import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { decodeScenes } from '../../src/render/verify.js';
import { attributeIndex } from '../../src/scene/attributeSchema.js';
import { encodeScenes } from '../../src/scene/encode.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';
import { cameraOf, worldFrames } from '../../src/scene/worldFrames.js';

const assets = proceduralDriving();
const load = (variables: Record<string, string | number> = {}) =>
  loadGrammar(fileURLToPath(new URL('../../examples/grammars/driving.yaml', import.meta.url)), {
    assets,
    overrides: { variables },
  });
const grammar = await load();
const COUNT = 500;
const { schema } = grammar;
const { scenes } = grammar.sampleBatch({ seed: 11, start: 0, count: COUNT });
const VEHICLES = ['Car', 'Van', 'Truck'];

const className = (scene: SceneGraph, v: number) => schema.classes[scene.classId[v]];
const read = (scene: SceneGraph, v: number, name: string) =>
  scene.attributes[v * schema.attributes.length + attributeIndex(schema, name)];
const nodesOf = (scene: SceneGraph, ...names: string[]) =>
  [...scene.classId.keys()].filter((v) => names.includes(className(scene, v)));

test('500 scenes: 40 to 130 nodes, one camera 1.45 to 1.85 m above the ground, values that are finite and in range', () => {
  for (const scene of scenes) {
    assert.ok(scene.parent.length >= 40 && scene.parent.length <= 130, String(scene.parent.length));
    assert.is(nodesOf(scene, 'camera').length, 1);
    const { toCamera: m, fx } = cameraOf(schema, scene);
    // The camera's place is −Rᵀt.
    const height = m[1] * m[3] + m[5] * m[7] + m[9] * m[11];
    assert.ok(height > 1.44 && height < 1.86, String(height));
    assert.ok(fx > 680 && fx < 760, String(fx));
    assert.ok(scene.attributes.every(Number.isFinite));
  }
});

test('the verifier takes the scenes, and they come back the same', () => {
  const batch = grammar.sampleBatch({ seed: 11, start: 0, count: 20 });
  const decoded = decodeScenes(encodeScenes(batch));
  assert.equal(decoded.schema.kinds, schema.kinds);
  for (const [i, scene] of decoded.scenes.entries())
    assert.equal([...scene.attributes], [...batch.scenes[i].attributes]);
});

test('cars keep to their lanes and do not touch: bumpers in a lane at least 3 m apart, or ½ m where they park', () => {
  let moving = 0;
  for (const scene of scenes) {
    for (const lane of nodesOf(scene, 'lane')) {
      const cars = nodesOf(scene, ...VEHICLES).filter((v) => scene.parent[v] === lane);
      const isMoving = cars.every((v) => Math.abs(read(scene, v, 'rotation')) < 10) || read(scene, lane, 'x') < 0;
      const ends = cars.map((v) => {
        const asset = assets.assets[scene.asset[v]];
        assert.ok(asset.kind === 'mesh' && Math.abs(read(scene, v, 'x')) < 1.2);
        return { z: read(scene, v, 'z'), half: (asset.maximum[2] - asset.minimum[2]) / 2 };
      });
      for (let i = 1; i < ends.length; i++) {
        const gap = ends[i].z - ends[i - 1].z - ends[i].half - ends[i - 1].half;
        // Headings off by a degree or two make the reach along z a little longer than half the length.
        assert.ok(gap > 0.3, `scene ${scene.index}: ${gap}`);
        if (isMoving) moving++;
      }
    }
  }
  assert.ok(moving > 100);
});

test('oncoming traffic is on the left and faces us, ours on the right; the camera is in the middle of a lane', () => {
  for (const scene of scenes) {
    const [camera] = nodesOf(scene, 'camera');
    assert.is(className(scene, scene.parent[camera]), 'lane');
    assert.ok(read(scene, scene.parent[camera], 'x') > 1.3);
    for (const v of nodesOf(scene, 'Truck')) {
      const isLeft = read(scene, scene.parent[v], 'x') < 0;
      assert.is(Math.abs(read(scene, v, 'rotation')) > 90, isLeft);
    }
  }
});

test('houses stand behind the kerb with their fronts to the road', () => {
  let houses = 0;
  for (const scene of scenes.slice(0, 200)) {
    const frames = worldFrames(schema, scene);
    for (const v of nodesOf(scene, 'building')) {
      const side = Math.sign(read(scene, v, 'x'));
      const heading = read(scene, v, 'rotation');
      assert.ok(Math.abs(heading + 90 * side) < 60, `${heading} on side ${side}`);
      assert.ok(Math.abs(frames[12 * v + 7]) < 1e-9, 'on the ground');
      houses++;
    }
  }
  assert.ok(houses > 1000);
});

test('trees and bushes do not stand in houses', () => {
  let pairs = 0;
  for (const scene of scenes.slice(0, 200)) {
    const frames = worldFrames(schema, scene);
    // Footprint in the world's x and z, and the directions of its sides.
    const outline = (v: number) => {
      const asset = assets.assets[scene.asset[v]];
      assert.ok(asset.kind === 'mesh');
      const f = frames.subarray(12 * v, 12 * v + 12);
      const shrunk = 0.31;
      const scale = Math.hypot(f[0], f[4], f[8]);
      const at = (x: number, z: number) => [f[0] * x + f[2] * z + f[3], f[8] * x + f[10] * z + f[11]] as const;
      const [x, z] = [asset.maximum[0] - shrunk / scale, asset.maximum[2] - shrunk / scale];
      const corners = [at(-x, -z), at(x, -z), at(x, z), at(-x, z)];
      const sides = [
        [f[0], f[8]],
        [f[2], f[10]],
      ] as const;
      return { corners, sides };
    };
    const plants = nodesOf(scene, 'tree', 'bush').map(outline);
    for (const house of nodesOf(scene, 'building').map(outline)) {
      for (const plant of plants) {
        const apart = [...house.sides, ...plant.sides].some(([x, z]) => {
          const along = ({ corners }: typeof house) => corners.map((corner) => corner[0] * x + corner[1] * z);
          const [a, b] = [along(house), along(plant)];
          return Math.max(...a) <= Math.min(...b) || Math.max(...b) <= Math.min(...a);
        });
        assert.ok(apart, `scene ${scene.index}`);
        pairs++;
      }
    }
  }
  assert.ok(pairs > 10000, String(pairs));
});

test('guard rails stand on both sides, posts away from the road', () => {
  const sides = { '-1': 0, '1': 0 };
  for (const scene of scenes) {
    for (const v of nodesOf(scene, 'edging')) {
      const { name } = assets.assets[scene.asset[v]];
      if (!name.includes('guard-rail')) continue;
      const side = Math.sign(read(scene, v, 'x')) as 1 | -1;
      assert.is(name, side > 0 ? 'driving/strips/guard-rail' : 'driving/strips/guard-rail-left');
      sides[side]++;
    }
  }
  assert.ok(sides[1] > 4 && sides[-1] > 4, JSON.stringify(sides));
});

test('cars are as high, wide and long as those of KITTI’s labels, without their mirrors', () => {
  // Mean and standard deviation of the 349 cars and 29 vans in 76 frames of KITTI's training set, m.
  const labelled = {
    Car: { height: [1.506, 0.127], width: [1.62, 0.103], length: [3.883, 0.399] },
    Van: { height: [2.296, 0.303], width: [1.958, 0.14], length: [5.314, 0.782] },
  };
  for (const [name, sides] of Object.entries(labelled)) {
    const boxes = scenes.flatMap((scene) =>
      nodesOf(scene, name).map((v) => {
        const asset = assets.assets[scene.asset[v]];
        assert.ok(asset.kind === 'mesh' && asset.body);
        return asset.body;
      }),
    );
    for (const [axis, [mean, sd]] of [sides.width, sides.height, sides.length].entries()) {
      const own = boxes.map(({ minimum, maximum }) => maximum[axis] - minimum[axis]);
      const ownMean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const ownSd = Math.sqrt(own.reduce((sum, value) => sum + (value - ownMean) ** 2, 0) / own.length);
      assert.ok(Math.abs(ownMean - mean) < 0.75 * sd, `${name} ${axis}: mean ${ownMean}, of labels ${mean}`);
      assert.ok(ownSd > 0.35 * sd && ownSd < 1.5 * sd, `${name} ${axis}: spread ${ownSd}, of labels ${sd}`);
    }
  }
});

test('scenarios are drawn as the variables say, and look different', async () => {
  const counts = async (only: string) => {
    const one = await load({ rural: 0, suburban: 0, urban: 0, [only]: 1 });
    const some = one.sampleBatch({ seed: 1, start: 0, count: 60 }).scenes;
    const mean = (name: string) => some.reduce((sum, scene) => sum + nodesOf(scene, name).length, 0) / some.length;
    return {
      sidewalks: mean('sidewalk'),
      buildings: mean('building'),
      people: mean('Pedestrian'),
      trees: mean('tree'),
    };
  };
  const [rural, suburban, urban] = [await counts('rural'), await counts('suburban'), await counts('urban')];
  assert.equal([rural.sidewalks, suburban.sidewalks, urban.sidewalks], [0, 2, 2]);
  assert.ok(rural.buildings < 5 && suburban.buildings > 8 && urban.buildings > 10);
  assert.ok(urban.people > suburban.people && suburban.people > rural.people);
  assert.ok(rural.trees > urban.trees);
});

test('a smaller canvas sees the same scene; stages choose what may change', async () => {
  const small = await load({ width: 621, height: 188, mutableTree: '', mutableCamera: 'y,pitch,rotation' });
  const [scene, large] = [small.sample({ seed: 11, index: 3 }), scenes[3]];
  assert.equal(scene.attributes, large.attributes);
  assert.ok(Math.abs(cameraOf(schema, scene).fx / cameraOf(schema, large).fx - 0.5) < 1e-6);
  const isMutable = (of: SceneGraph, v: number, name: string) =>
    of.mutable[v * schema.attributes.length + attributeIndex(schema, name)];
  const [camera] = nodesOf(large, 'camera');
  assert.equal(
    ['y', 'pitch', 'rotation'].map((name) => [isMutable(large, camera, name), isMutable(scene, camera, name)]),
    [
      [1, 1],
      [1, 1],
      [0, 1],
    ],
  );
  const trees = nodesOf(large, 'tree').filter((v) => className(large, large.parent[v]) === 'side');
  assert.ok(trees.length > 0 && trees.every((v) => isMutable(large, v, 'x') === 1 && isMutable(scene, v, 'x') === 0));
});

test('any order of scenes, any grammar object', async () => {
  const other = await load();
  assert.is(other.hash, grammar.hash);
  for (const i of [77, 3, 250]) assert.equal(other.sample({ seed: 11, index: i }), scenes[i]);
});

test.run();
