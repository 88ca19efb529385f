import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { philox4x32, RandomStream } from '../src/random.js';

function block(counter: [number, number, number, number], key: [number, number]): string {
  const out = new Uint32Array(4);
  philox4x32(counter, key, out);
  return [...out].map((word) => word.toString(16).padStart(8, '0')).join(' ');
}

test('Philox4x32-10 gives the published known answers', () => {
  // kat_vectors of the Random123 distribution (Salmon et al., SC 2011).
  assert.is(block([0, 0, 0, 0], [0, 0]), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  const ones = 0xffffffff;
  assert.is(block([ones, ones, ones, ones], [ones, ones]), '408f276d 41c83b0e a20bc7c6 6d5451fd');
  assert.is(
    block([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    'd16cfe09 94fdcceb 5001e420 24126ea1',
  );
});

test('uniform numbers fill [0, 1) evenly: chi-squared over 256 cells, mean and variance', () => {
  const stream = new RandomStream({ seed: 5, index: 0 });
  const draws = 256000;
  const cells = new Array<number>(256).fill(0);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < draws; i++) {
    const u = stream.uniform();
    assert.ok(u >= 0 && u < 1);
    cells[Math.floor(u * 256)]++;
    sum += u;
    squares += u * u;
  }
  const chi2 = cells.reduce((total, count) => total + (count - 1000) ** 2 / 1000, 0);
  // 255 degrees of freedom: mean 255, standard deviation 22.6; within four.
  assert.ok(Math.abs(chi2 - 255) < 4 * 22.6, `chi² ${chi2}`);
  // Standard errors: 0.2887 / √n, and √(1/180n) for the variance.
  const mean = sum / draws;
  assert.ok(Math.abs(mean - 0.5) < (4 * 0.2887) / Math.sqrt(draws), `mean ${mean}`);
  const variance = squares / draws - mean * mean;
  assert.ok(Math.abs(variance - 1 / 12) < 4 * Math.sqrt(1 / (180 * draws)), `variance ${variance}`);
});

test('every part of the address, and nothing else, changes the stream', () => {
  const first = (address: ConstructorParameters<typeof RandomStream>[0]) => new RandomStream(address).uint32();
  const base = { seed: 1, index: 2, node: 3, attribute: 4, attempt: 5 };
  const variants = [
    base,
    { ...base, seed: 0 },
    { ...base, seed: 1 + 2 ** 32 },
    { ...base, index: 3 },
    { ...base, index: 2 + 2 ** 32 },
    { ...base, node: 4 },
    { ...base, attribute: 3 },
    { ...base, attempt: 6 },
  ];
  assert.is(new Set(variants.map(first)).size, variants.length);
  assert.is(first({ seed: 1, index: 2 }), first({ seed: 1, index: 2, node: 0, attribute: 0, attempt: 0 }));
});

test('successive draws are uncorrelated, and so are neighbouring addresses', () => {
  const draws = 20000;
  const along = new RandomStream({ seed: 9, index: 9 });
  let previous = along.uniform() - 0.5;
  let lag = 0;
  let neighbours = 0;
  for (let i = 0; i < draws; i++) {
    const next = along.uniform() - 0.5;
    lag += previous * next;
    previous = next;
    const a = new RandomStream({ seed: 9, index: i }).uniform() - 0.5;
    const b = new RandomStream({ seed: 9, index: i + 1 }).uniform() - 0.5;
    neighbours += a * b;
  }
  // Each product has variance 1/144: the sum of n has standard deviation √n / 12.
  const limit = (4 * Math.sqrt(draws)) / 12;
  assert.ok(Math.abs(lag) < limit, `lag ${lag}`);
  assert.ok(Math.abs(neighbours) < limit, `neighbours ${neighbours}`);
});

test('integer(n) gives each of 0 … n − 1', () => {
  const stream = new RandomStream({ seed: 0, index: 0 });
  const counts = [0, 0, 0];
  for (let i = 0; i < 3000; i++) counts[stream.integer(3)]++;
  // Binomial: standard deviation 26.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 4 * 26, counts.join(' '));
});

test.run();
