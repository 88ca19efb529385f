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

test('room is one account of all threads: what fits into none any more is made anew, and nothing is told of it', async () => {
  const sizes = await Promise.all(
    [0, 1].map(async (i) => {
      const { positions, normals, colors, uvs, indices, texture } = await (driving.assets[i] as MeshAsset).load();
      const arrays = [positions, normals, colors, indices, ...(uvs ? [uvs] : []), ...(texture ? [texture.pixels] : [])];
      return arrays.reduce((sum, array) => sum + array.byteLength, 0);
    }),
  );
  const [mine, theirs] = [counted(), counted()];
  // Room for the first, and for the second less one byte.
  const first = new MeshExchange(undefined, sizes[0] + sizes[1] - 1);
  const second = new MeshExchange(first.handover);
  const here = first.wrap(mine.library);
  const there = second.wrap(theirs.library);
  await mesh(here, 0).load();
  // At once, before the other can have heard of the first.
  const own = (await mesh(there, 1).load()) as MeshData;
  assert.equal([first.handover.room[0], second.handover.room[0]], [sizes[1] - 1, sizes[1] - 1]);
  assert.is(own.positions.buffer instanceof SharedArrayBuffer, false);
  await turn();
  for (const library of [here, there]) {
    for (const i of [0, 1]) {
      assert.equal(await mesh(library, i).load(), await (driving.assets[i] as MeshAsset).load());
    }
  }
  const [kept, tooMuch] = [0, 1].map((i) => driving.assets[i].name);
  assert.equal([mine.loads.get(kept), theirs.loads.get(kept)], [1, undefined]);
  assert.equal([mine.loads.get(tooMuch), theirs.loads.get(tooMuch)], [1, 2]);
  assert.equal([...first.handover.made.keys(), ...second.handover.made.keys()], [kept, kept]);
  first.close();
  second.close();
});

test('two that make one mesh at the same moment take room for both; each keeps one and the same', async () => {
  const first = new MeshExchange(undefined, 1 << 30);
  const second = new MeshExchange(first.handover);
  const [here, there] = [first.wrap(counted().library), second.wrap(counted().library)];
  const [a, b] = (await Promise.all([mesh(here, 0).load(), mesh(there, 0).load()])) as MeshData[];
  assert.equal(a, b);
  const bytes = [...new Set(Object.values(a).map((part) => ('pixels' in part ? part.pixels : part)))];
  const size = bytes.reduce((sum, array) => sum + array.byteLength, 0);
  assert.is(first.handover.room[0], (1 << 30) - 2 * size);
  await turn();
  assert.is(await mesh(here, 0).load(), a);
  assert.is(await mesh(there, 0).load(), b);
  // And in one thread: the second finds what the first has made meanwhile.
  const [c, d] = await Promise.all([mesh(here, 1).load(), mesh(here, 1).load()]);
  assert.is(c, d);
  first.close();
  second.close();
});

test.run();
