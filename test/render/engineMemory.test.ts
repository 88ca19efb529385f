import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KernelError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { SharedHeap } from '../../src/render/sharedHeap.js';
import { SlotPool } from '../../src/render/slots.js';

function heap(maximum = 64): SharedHeap {
  return new SharedHeap(new WebAssembly.Memory({ initial: 1, maximum, shared: true }), 1000);
}

test('blocks never overlap, stay inside the memory and above its base; freed ones merge again', () => {
  const tested = heap();
  const stream = new RandomStream({ seed: 4, index: 0 });
  const live: { start: number; bytes: number }[] = [];
  for (let step = 0; step < 3000; step++) {
    if (live.length > 0 && (live.length > 30 || stream.uniform() < 0.5)) {
      const [block] = live.splice(stream.integer(live.length), 1);
      tested.free(block.start);
      continue;
    }
    const bytes = stream.integer(20_000);
    const start = tested.allocate(bytes);
    assert.is(start % 64, 0);
    assert.ok(start >= 1000 && start + bytes <= tested.memory.buffer.byteLength);
    for (const other of live) assert.ok(start + bytes <= other.start || other.start + other.bytes <= start);
    live.push({ start, bytes });
  }
  for (const block of live) tested.free(block.start);
  assert.is(tested.usedBytes, 0);
  // All in one piece again: the first block of all starts where the very first one did.
  assert.is(tested.allocate(100_000), 1024);
  assert.ok(tested.peakBytes <= 31 * 20_096);
});

test('the heap says when its memory is used up, and frees nothing twice', () => {
  const tested = heap(4);
  const start = tested.allocate(100_000);
  assert.throws(
    () => tested.allocate(300_000),
    (error: unknown) => error instanceof KernelError,
  );
  tested.free(start);
  assert.throws(
    () => tested.free(start),
    (error: unknown) => error instanceof KernelError,
  );
  assert.is(tested.allocate(200_000), start);
});

test('slots are handed out first come, first served, and grow', async () => {
  const slots = new SlotPool(heap(), 2);
  const a = await slots.acquire(1000);
  const b = await slots.acquire(2000);
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (i) => {
    const slot = await slots.acquire(5000 * i);
    order.push(i);
    assert.ok(slot.bytes >= 5000 * i);
    slots.release(slot);
  });
  await new Promise(setImmediate);
  assert.is(slots.waiting, 3);
  slots.release(b);
  slots.release(a);
  await Promise.all(waiting);
  assert.equal(order, [1, 2, 3]);
  assert.is(slots.inUse, 0);
  assert.is(slots.peakInUse, 2);
});

test('who aborts while waiting leaves the queue; closing rejects the rest', async () => {
  const slots = new SlotPool(heap(), 1);
  const slot = await slots.acquire(10);
  const controller = new AbortController();
  const reason = new Error('enough');
  const aborted = slots.acquire(10, controller.signal).catch((error) => error);
  const closed = slots.acquire(10).catch((error) => error);
  controller.abort(reason);
  assert.is(await aborted, reason);
  assert.is(slots.waiting, 1);
  const error = new KernelError('closed');
  slots.close(error);
  assert.is(await closed, error);
  assert.is(await slots.acquire(10).catch((e) => e), error);
  slots.release(slot);
});

test('a slot whose memory cannot grow goes back to the pool', async () => {
  const slots = new SlotPool(heap(4), 1);
  assert.instance(await slots.acquire(1_000_000).catch((error) => error), KernelError);
  assert.is(slots.inUse, 0);
  slots.release(await slots.acquire(1000));
});

test.run();
