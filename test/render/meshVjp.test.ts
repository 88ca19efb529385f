/** dL/dattributes of 3D scenes against the naive way: differences of images that the engine renders. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine } from '../../src/render/engine.js';
import { attributeIndex } from '../../src/scene/attributeSchema.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { entryOf, type MeshNode, meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';
import {
  BOX,
  CAR,
  COLUMNS,
  DRIVING_NODES,
  GROUND,
  MESHES,
  meshLibrary,
  naiveVjp,
  norm,
  perturbed,
  randomGradients,
  STEPS,
  TREE,
  withChannels,
} from './meshVjpScenes.js';

const engine = await Engine.create({ assets: meshLibrary, workers: 0 });
const SIZE = { width: 160, height: 80 };
const GRADIENTS = 3;
/** f32 images on both sides; what is left is how their differences are summed. */
const BAR = 2e-5;

/** Only what is named is mutable: `node.attribute`. */
function onlyMutable(batch: SceneBatch, names: readonly [node: number, attribute: string][]): SceneBatch {
  const scenes = batch.scenes.map((scene) => {
    const mutable = new Uint8Array(scene.mutable.length);
    for (const [node, attribute] of names) mutable[entryOf(node, attribute)] = 1;
    return { ...scene, mutable };
  });
  return { ...batch, scenes };
}

/**
 * Compares mutable entries with the naive way: norm of the differences over several gradients, relative to the norm of the
 * derivatives.
 * @returns the worst entry of each attribute, by attribute
 */
async function compareWithNaive(batch: SceneBatch): Promise<Map<string, number>> {
  const gradients = randomGradients(batch, GRADIENTS);
  const ours = await Promise.all(gradients.map((gradient) => engine.vjp(batch, gradient, { delta: STEPS })));
  const worst = new Map<string, number>();
  for (const [entry, mutable] of batch.scenes[0].mutable.entries()) {
    const name = COLUMNS[entry % COLUMNS.length];
    const node = Math.floor(entry / COLUMNS.length);
    if (mutable === 0) {
      for (const out of ours) assert.is(out[entry], 0, `${name} of node ${node} is not mutable`);
      continue;
    }
    const expected = await naiveVjp(engine, batch, gradients, entry, STEPS[name]);
    const difference = norm(expected.map((value, k) => ours[k][entry] - value));
    const scale = norm(expected);
    if (scale === 0) assert.is(difference, 0, `${name} of node ${node} changes nothing`);
    else worst.set(name, Math.max(worst.get(name) ?? 0, difference / scale));
    assert.ok(scale === 0 || difference / scale < BAR, `${name} of node ${node}: ${difference / scale} of ${scale}`);
  }
  return worst;
}

function printWorst(name: string, worst: Map<string, number>): void {
  console.log(`# ${name}: ${[...worst].map(([key, value]) => `${key} ${value.toExponential(1)}`).join(', ')}`);
}

test('driving scene: every attribute of every node is the naive difference to 2e-5', async () => {
  const worst = await compareWithNaive(withChannels([meshScene(DRIVING_NODES, SIZE)], 3));
  printWorst('driving scene', worst);
  assert.is(worst.size, COLUMNS.length, `something changes with each of ${COLUMNS.join(', ')}`);
});

test.after(() => engine.close());

test.run();
