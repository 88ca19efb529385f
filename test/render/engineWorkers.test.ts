import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KernelError } from '../../src/errors.js';
import { Engine } from '../../src/render/engine.js';
import { compileKernels, instantiateKernels } from '../../src/render/kernels.js';
import { WorkerPool } from '../../src/render/pool.js';
import type { RenderTask } from '../../src/render/task.js';
import { encodeScenes } from '../../src/scene/encode.js';
import { noise, SpriteSource, spriteBatch, spriteLibrary } from '../helpers/sprites.js';

const batch = spriteBatch(16, 192);

/** [scene, deaths left]: see `WorkerSetup.fault`. */
function fault(scene: number, deaths: number): Int32Array {
  return Int32Array.from([scene, deaths]);
}

function shared(values: Int32Array): Int32Array {
  const array = new Int32Array(new SharedArrayBuffer(values.byteLength));
  array.set(values);
  return array;
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('expected a rejection') as never,
    (error: Error) => error,
  );
}

test('a worker that dies once is replaced and its scenes are rendered all the same', async () => {
  const sound = await Engine.create({ assets: spriteLibrary, workers: 0 });
  const expected = await sound.render(batch, { color: 'u8' });
  const gradient = noise(16 * 192 * 192 * 3);
  const derivatives = await sound.vjp(batch, gradient);
  await sound.close();
  const deaths = shared(fault(5, 1));
  const engine = await Engine.create({ assets: spriteLibrary, workers: 2, fault: deaths });
  try {
    assert.equal(await engine.render(batch, { color: 'u8' }), expected);
    assert.ok(deaths[1] <= 0, 'the worker did die');
    deaths.set([12, 1]);
    assert.equal(await engine.vjp(batch, gradient), derivatives);
    assert.ok(deaths[1] <= 0, 'and again');
  } finally {
    await engine.close();
  }
});

test('a scene that kills its workers is named; the engine goes on', async () => {
  const deaths = shared(fault(6, 1000));
  const engine = await Engine.create({ assets: spriteLibrary, workers: 2, fault: deaths });
  try {
    const error = await rejection(
      engine.render({ ...batch, scenes: batch.scenes.map((s) => ({ ...s, index: s.index + 100 })) }),
    );
    assert.instance(error, KernelError);
    assert.match(error.message, 'for scenes[6] (scene 106 of its stream) but its worker died, twice');
    assert.is(1000 - deaths[1], 2, 'one try and one retry');
    deaths.set([6, 0]);
    assert.is((await engine.render(batch)).count, 16);
    assert.is(engine.stats().slotsInUse, 0);
    deaths.set([2, 1000]);
    const samples = engine.generate(new SpriteSource(192), { count: 100, seed: 9, start: 50 });
    const generated = await rejection(samples.next());
    assert.instance(generated, KernelError);
    assert.match(generated.message, 'for scene 52 of seed 9 but its worker died, twice');
  } finally {
    await engine.close();
  }
});

test('a kernel that refuses is reported by class, code and scene across the thread', async () => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const module = compileKernels('simd');
  const kernels = instantiateKernels(module, memory);
  const bytes = encodeScenes(batch);
  const start = Math.ceil(kernels.heapBase / 64) * 64;
  new Uint8Array(memory.buffer).set(bytes, start);
  const pool = new WorkerPool({ module, memory }, 1);
  try {
    const task: RenderTask = {
      kind: 'render',
      batch: start,
      remap: 0,
      assetTable: 0,
      scratch: 0,
      first: 99,
      count: 1,
      room: 1,
      colorFormat: 0,
      color: 0,
      colorStride: 0,
      instances: 0,
      instanceStride: 0,
      classes: 0,
      classStride: 0,
      coverage: 0,
      coverageStride: 0,
      regions: 0,
      regionStride: 0,
      samples: 0,
      outputs: 0,
      depth: 0,
      depthStride: 0,
      normals: 0,
      normalStride: 0,
    };
    const error = await rejection(pool.run(task, String));
    assert.instance(error, KernelError);
    assert.is((error as KernelError).code, 'KERNEL');
    assert.match(
      error.message,
      `Expected status 0 of render for scenes[99] but received ${kernels.constants.STATUS_INDEX}`,
    );
    // Scratch memory beyond the end of the memory: the kernel traps, the worker lives.
    const trap = await rejection(pool.run({ ...task, first: 0, scratch: 0xfffffe00, colorFormat: 1 }, String));
    assert.instance(trap, KernelError);
    assert.match(trap.message, 'scenes[0]');
  } finally {
    await pool.close();
  }
});

test('workers that cannot start are reported, not waited for', async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  // The smallest module there is: it exports none of the kernels.
  const module = new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const pool = new WorkerPool({ module, memory }, 2);
  const error = await rejection(pool.ready());
  assert.instance(error, KernelError);
  assert.match(error.message, 'Expected worker threads to start but received');
  await pool.close();
});

test.run();
