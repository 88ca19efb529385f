import { DEPTH_STEPS } from '../depthCode.js';
import { normalComponent } from '../normalCode.js';
import type { DatasetSample, SampleObject } from '../sample.js';
import { depthRange, type Overhang } from './boxes3d.js';
import type { AuditLedger } from './ledger.js';

/** Depths are rounded to 1 ∕ 256 m and computed in float32, and boxes to 0.1 mm. */
const DEPTH_TOLERANCE = 0.01;
const RELATIVE_TOLERANCE = 1e-3;
/** The largest depth that 16 bits hold, m. */
const FARTHEST = 65535 / DEPTH_STEPS;
/** A unit vector in bytes is as long as this allows. */
const NORMAL_TOLERANCE = 0.02;

/** How far an object's mesh stands out of its 3D box. */
type OverhangLookup = (object: SampleObject) => Overhang | undefined;

/** Pixels of one object at which a layer is not what it should be. */
interface Faults {
  readonly range: readonly [number, number] | undefined;
  pixels: number;
  /** Without depth, nearer or farther than its box. */
  missing: number;
  outside: number;
  /** The worst of them, m. */
  worst: number;
}

/**
 * Checks depth and normals against the instance mask and the 3D boxes: where an object is seen its depth lies between the
 * nearest and the farthest corner of its box, and its normal is a unit vector; where nothing is seen there is neither.
 * @param objects by node
 * @param overhangOf an object's mesh, undefined where that is not known
 */
export function checkSurfaces(
  sample: DatasetSample,
  objects: ReadonlyMap<number, SampleObject>,
  ledger: AuditLedger,
  overhangOf: OverhangLookup = () => undefined,
): void {
  const { labels, instances, depth, normals } = sample;
  const count = labels.width * labels.height;
  if (depth && depth.length !== count) ledger.note(null, 'depth', `${count} px`, `${depth.length} px`);
  else if (depth && instances) checkDepth(sample, depth, instances, objects, ledger, overhangOf);
  if (normals && normals.length !== 3 * count)
    ledger.note(null, 'normals', `${3 * count} bytes`, `${normals.length} bytes`);
  else if (normals && instances) checkNormals(normals, instances, ledger);
}

function checkDepth(
  { labels }: DatasetSample,
  depth: Uint16Array,
  instances: Uint16Array,
  objects: ReadonlyMap<number, SampleObject>,
  ledger: AuditLedger,
  overhangOf: OverhangLookup,
): void {
  const found = new Map<number, Faults>();
  let sky = 0;
  for (let i = 0; i < instances.length; i++) {
    const id = instances[i];
    if (id === 0) {
      if (depth[i] !== 0) sky++;
      continue;
    }
    let faults = found.get(id - 1);
    if (!faults) {
      const object = objects.get(id - 1);
      faults = {
        range: object && depthRange(object, labels, overhangOf(object)),
        pixels: 0,
        missing: 0,
        outside: 0,
        worst: 0,
      };
      found.set(id - 1, faults);
    }
    faults.pixels++;
    const { range } = faults;
    if (!range) continue;
    const metres = depth[i] / DEPTH_STEPS;
    if (depth[i] === 0) {
      // What is farther than 16 bits reach has no value.
      if (range[1] < FARTHEST) faults.missing++;
      continue;
    }
    const off = Math.max(range[0] - metres, metres - range[1]);
    if (off <= DEPTH_TOLERANCE + RELATIVE_TOLERANCE * metres) continue;
    faults.outside++;
    faults.worst = Math.max(faults.worst, off);
  }
  if (sky > 0) ledger.note(null, 'depth', 'no depth where nothing is seen', `${sky} px`);
  for (const [node, { range, pixels, missing, outside, worst }] of found) {
    if (missing > 0) ledger.note(node, 'depth', `a depth at all of its ${pixels} px`, `none at ${missing}`);
    if (outside === 0) continue;
    const expected = `a depth from ${range?.map((metres) => metres.toFixed(2)).join(' to ')} m, as its 3D box`;
    ledger.note(node, 'depth', expected, `${outside} of ${pixels} px up to ${worst.toFixed(2)} m off`);
  }
}

function checkNormals(normals: Uint8Array, instances: Uint16Array, ledger: AuditLedger): void {
  let sky = 0;
  let wrong = 0;
  for (let i = 0; i < instances.length; i++) {
    const [x, y, z] = [normals[3 * i], normals[3 * i + 1], normals[3 * i + 2]];
    const isThere = x !== 0 || y !== 0 || z !== 0;
    if (instances[i] === 0) {
      if (isThere) sky++;
      continue;
    }
    const length = Math.hypot(normalComponent(x), normalComponent(y), normalComponent(z));
    if (!isThere || Math.abs(length - 1) > NORMAL_TOLERANCE) wrong++;
  }
  if (sky > 0) ledger.note(null, 'normals', 'no normal where nothing is seen', `${sky} px`);
  if (wrong > 0) ledger.note(null, 'normals', 'a unit vector where something is seen', `${wrong} px`);
}
