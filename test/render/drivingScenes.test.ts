// Random driving scenes, from the grammar to the labels. For 10,000 of them (half an hour):
// METASIM_SCENES=10000 METASIM_TEST_TIMEOUT=36000 npm test -- render/drivingScenes
import { createHash } from 'node:crypto';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch } from '../../src/annotate/annotateScene.js';
import { isMeshLabel } from '../../src/annotate/objectLabel.js';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { Engine, type RenderedBatch } from '../../src/render/engine.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';

const SCENES = Number(process.env.METASIM_SCENES ?? 8);
const BATCH = 8;
const GRAMMAR = fileURLToPath(new URL('../../examples/grammars/driving.yaml', import.meta.url));

const assets = proceduralDriving();
const grammar = await loadGrammar(GRAMMAR, { assets });

/** Bytes of all that a rendering holds. */
function digest({ color, instances, classes, depth, coverage }: RenderedBatch<'f32'>): string {
  const hash = createHash('sha256');
  for (const array of [color, instances, classes, depth, coverage]) {
    assert.ok(array);
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return hash.digest('hex');
}

/** Every pixel's node has a label that holds the pixel, every label with pixels has an area, numbers are numbers. */
function check(batch: SceneBatch, rendered: RenderedBatch<'f32'>): { objects: number; seen: number } {
  const { instances, coverage, depth, color, width, height } = rendered;
  assert.ok(instances && coverage && depth);
  const plane = width * height;
  const labels = annotateBatch(batch, instances, coverage, assets);
  let objects = 0;
  let seen = 0;
  for (const [i, scene] of batch.scenes.entries()) {
    const where = `scene ${scene.index}`;
    const byNode = new Map(labels[i].map((label) => [label.node, label]));
    const pixels = new Uint32Array(scene.parent.length + 1);
    for (let p = 0; p < plane; p++) {
      const id = instances[i * plane + p];
      pixels[id]++;
      const z = depth[i * plane + p];
      if (id === 0 ? z !== 0 : !(z > 0 && z < 1e6))
        assert.unreachable(`${where}: depth ${z} at pixel ${p} of node ${id - 1}`);
      if (id === 0) continue;
      const box = byNode.get(id - 1)?.box;
      const [x, y] = [p % width, Math.floor(p / width)];
      if (!box || x < box[0] || y < box[1] || x >= box[0] + box[2] || y >= box[1] + box[3]) {
        assert.unreachable(`${where}: pixel (${x}, ${y}) of node ${id - 1} is not in its box ${box}`);
      }
    }
    for (const label of labels[i]) {
      objects++;
      assert.is(label.pixels, pixels[label.node + 1], `${where}: pixels of node ${label.node}`);
      assert.is(label.visible, label.pixels > 0);
      if (!label.visible) continue;
      seen++;
      assert.ok(label.box && label.box[2] > 0 && label.box[3] > 0, `${where}: box of node ${label.node}`);
      // Four decimals: a pixel of a lawn is 0.
      assert.ok(
        label.visibleFraction >= 0 && label.visibleFraction <= 1,
        `${where}: node ${label.node} ${label.visibleFraction}`,
      );
      if (!isMeshLabel(label) || label.box3d === null) continue;
      const { location, dimensions, rotationY, alpha } = label.box3d;
      for (const value of [...location, ...Object.values(dimensions), rotationY, alpha])
        assert.ok(Number.isFinite(value), where);
      for (const size of Object.values(dimensions)) assert.ok(size > 0, where);
    }
  }
  for (let p = 0; p < color.length; p++) {
    if (!(color[p] >= 0 && color[p] < 100)) assert.unreachable(`colour ${color[p]} at ${p}`);
  }
  return { objects, seen };
}

test(`${SCENES} random driving scenes: all that is seen is labelled, no box without area, no NaN, the same bytes on one worker and two`, async () => {
  const engines = await Promise.all([1, 2].map((workers) => Engine.create({ assets, workers })));
  let [objects, seen] = [0, 0];
  try {
    for (let start = 0; start < SCENES; start += BATCH) {
      const batch = grammar.sampleBatch({ seed: 5, start, count: Math.min(BATCH, SCENES - start) });
      const options = { color: 'f32', labels: true, depth: true } as const;
      const [one, two] = await Promise.all(engines.map((engine) => engine.render(batch, options)));
      assert.is(digest(one), digest(two), `scenes from ${start}`);
      const counts = check(batch, one);
      objects += counts.objects;
      seen += counts.seen;
      if (SCENES > 1000 && start % 400 === 0) console.log(`# ${start} of ${SCENES}`);
    }
  } finally {
    for (const engine of engines) await engine.close();
  }
  console.log(`# ${objects} objects, ${seen} of them seen`);
  assert.ok(seen > 10 * SCENES, `${seen} objects seen in ${SCENES} scenes`);
});

test.run();
