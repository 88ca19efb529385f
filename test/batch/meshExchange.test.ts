// Threads of one process make meshes for each other.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Asset, AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset, MeshData } from '../../src/assets/meshAsset.js';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { MeshExchange } from '../../src/batch/meshExchange.js';
import { spriteLibrary } from '../helpers/sprites.js';

const driving = proceduralDriving({ cars: 2, trees: 1, houses: 0, towers: 0, pedestrians: 0, cyclists: 0, poles: 0 });

/** The same meshes, and how often each was made. */
function counted(): { library: AssetLibrary; loads: Map<string, number> } {
  const loads = new Map<string, number>();
  const assets = driving.assets.map(
    (asset): MeshAsset => ({
      ...asset,
      load: () => {
        loads.set(asset.name, (loads.get(asset.name) ?? 0) + 1);
        return asset.load();
      },
    }),
  );
  return { library: new AssetLibrary<Asset>(assets), loads };
}

const mesh = (library: AssetLibrary, i: number) => library.assets[i] as MeshAsset;
/** Long enough for a message to arrive. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 30));

test('what one makes the others have, those that begin later too; nothing of a mesh changes', async () => {
  const [mine, theirs, late] = [counted(), counted(), counted()];
  const first = new MeshExchange();
  const second = new MeshExchange(first.handover);
  const here = first.wrap(mine.library);
  const there = second.wrap(theirs.library);
  for (const i of [0, 1, 2]) {
    const { load, ...described } = mesh(here, i);
    const { load: own, ...expected } = driving.assets[i];
    assert.equal(described, { body: undefined, surface: undefined, ...expected });
    assert.equal(await load(), await own());
  }
  await turn();
  const third = new MeshExchange(first.handover);
  const later = third.wrap(late.library);
  const made = (await mesh(here, 1).load()) as MeshData;
  for (const library of [there, later]) {
    const data = await mesh(library, 1).load();
    assert.equal(data, made);
    assert.is(data.positions.buffer instanceof SharedArrayBuffer, true);
    assert.is(mesh(library, 1).triangles, made.indices.length / 3);
  }
  assert.equal([...mine.loads.values()], [1, 1, 1]);
  assert.is(theirs.loads.size + late.loads.size, 0);
  // And the other way.
  await mesh(later, 3).load();
  await turn();
  await mesh(here, 3).load();
  assert.is(mine.loads.get(mesh(here, 3).name), undefined);
  for (const exchange of [first, second, third]) exchange.close();
});

test('exchanges that do not know each other share nothing; sprites are left alone', async () => {
  const [mine, theirs] = [counted(), counted()];
  const [first, second] = [new MeshExchange(), new MeshExchange()];
  await mesh(first.wrap(mine.library), 0).load();
  await turn();
  await mesh(second.wrap(theirs.library), 0).load();
  assert.is(theirs.loads.size, 1);
  assert.is(first.wrap(spriteLibrary), spriteLibrary);
  first.close();
  second.close();
});

test('a handover reaches a worker thread as the same memory', async () => {
  const exchange = new MeshExchange();
  const data = await mesh(exchange.wrap(counted().library), 0).load();
  const code = `
    const { workerData } = require('node:worker_threads');
    for (const { indices } of workerData.made.values()) indices[0] = 77;`;
  const worker = new Worker(code, { eval: true, workerData: exchange.handover });
  const [exit] = await once(worker, 'exit');
  assert.is(exit, 0);
  assert.is(data.indices[0], 77);
  exchange.close();
});

test.run();
