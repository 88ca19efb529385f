import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as deterministic from '../src/deterministicMath.js';

/** Largest error over an even grid; relative where `relative`. */
function worst(
  own: (x: number) => number,
  native: (x: number) => number,
  [low, high]: [number, number],
  relative = false,
): number {
  const steps = 20011;
  let largest = 0;
  for (let i = 0; i <= steps; i++) {
    const x = low + ((high - low) * i) / steps;
    const error = Math.abs(own(x) - native(x)) / (relative ? Math.abs(native(x)) : 1);
    // A NaN must fail too.
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

test('elementary functions agree with Math within 1e-12', () => {
  const errors = {
    exp: worst(deterministic.exp, Math.exp, [-700, 700], true),
    expNearZero: worst(deterministic.exp, Math.exp, [-1, 1], true),
    log: worst(deterministic.log, Math.log, [1e-12, 1e3]),
    logOverAllExponents: worst(
      (x) => deterministic.log(2 ** x),
      (x) => Math.log(2 ** x),
      [-1073, 1023],
    ),
    sin: worst(deterministic.sin, Math.sin, [-1e5, 1e5]),
    cos: worst(deterministic.cos, Math.cos, [-1e3, 1e3]),
    sinDegrees: worst(deterministic.sinDegrees, (x) => Math.sin((x * Math.PI) / 180), [-720, 720]),
    cosDegrees: worst(deterministic.cosDegrees, (x) => Math.cos((x * Math.PI) / 180), [-720, 720]),
    atan: worst(deterministic.atan, Math.atan, [-100, 100]),
    acos: worst(deterministic.acos, Math.acos, [-1, 1]),
    atan2: worst(
      (x) => deterministic.atan2(3 * Math.sin(x), 3 * Math.cos(x)),
      (x) => Math.atan2(3 * Math.sin(x), 3 * Math.cos(x)),
      [-3.14, 3.14],
    ),
  };
  for (const [name, error] of Object.entries(errors)) assert.ok(error < 1e-12, `${name}: ${error}`);
});

test('quarter turns in degrees are exact', () => {
  const turns = [-450, -360, -270, -180, -90, 0, 90, 180, 270, 360, 450];
  assert.equal(turns.map(deterministic.sinDegrees), [-1, 0, 1, 0, -1, 0, 1, 0, -1, 0, 1]);
  assert.equal(turns.map(deterministic.cosDegrees), [0, 1, 0, -1, 0, 1, 0, -1, 0, 1, 0]);
});

test('limits: overflow, underflow, poles, outside the domain', () => {
  assert.is(deterministic.exp(710), Number.POSITIVE_INFINITY);
  assert.is(deterministic.exp(-746), 0);
  assert.is(deterministic.exp(0), 1);
  assert.is(deterministic.log(0), Number.NEGATIVE_INFINITY);
  assert.is(deterministic.log(1), 0);
  assert.ok(Number.isNaN(deterministic.log(-1)));
  assert.is(deterministic.acos(-1), Math.PI);
  assert.is(deterministic.acos(1), 0);
  assert.ok(Number.isNaN(deterministic.acos(1.1)));
  const axes = [
    [0, 1],
    [1, 0],
    [0, -1],
    [-1, 0],
    [0, 0],
  ]; // y, x
  assert.equal(
    axes.map(([y, x]) => deterministic.atan2(y, x)),
    [0, Math.PI / 2, Math.PI, -Math.PI / 2, 0],
  );
});

test.run();
