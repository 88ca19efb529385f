import type { ImageCamera } from '../../annotate/objectLabel.js';
import type { SampleObject } from '../sample.js';
import type { ExpectedLabel } from './expected.js';
import type { AuditLedger } from './ledger.js';

/** Numbers that differ by less, relative to the larger of 1 and themselves, are the same: labels have four decimals. */
const TOLERANCE = 1e-6;

/** Labels that are compared as they are; pose and attributes are compared entry by entry. */
const FIELDS = [
  'parent',
  'class',
  'asset',
  'visible',
  'box',
  'pixels',
  'centre',
  'amodalBox',
  'rotatedBox',
  'box3d',
  'distance',
  'visibleFraction',
  'truncation',
  'occluded',
  'occlusion',
] as const satisfies readonly (keyof SampleObject)[];

/** Notes every label of an object that is not the expected one. What either side does not know is passed over. */
export function compareLabels(object: SampleObject, expected: ExpectedLabel, name: number, ledger: AuditLedger): void {
  for (const field of FIELDS) {
    if (object[field] === undefined || expected[field] === undefined) continue;
    if (!isSame(object[field], expected[field])) ledger.note(name, field, expected[field], object[field]);
  }
  if (object.pose && expected.pose) {
    const own = new Map<string, unknown>(Object.entries(object.pose));
    for (const [part, value] of Object.entries(expected.pose)) {
      if (!isSame(own.get(part), value)) ledger.note(name, `pose.${part}`, value, own.get(part));
    }
  }
  if (object.attributes && expected.attributes) {
    compareAttributes(object.attributes, expected.attributes, name, ledger);
  }
}

/** Notes every number of an image's camera that is not the scene's. */
export function compareCamera(camera: ImageCamera, expected: ImageCamera, ledger: AuditLedger): void {
  const { pose, ...numbers } = camera;
  const own: Readonly<Record<string, unknown>> = { ...numbers, ...pose };
  for (const [name, value] of Object.entries({ ...expected, ...expected.pose })) {
    if (name !== 'pose' && !isSame(own[name], value)) ledger.note(null, `camera.${name}`, value, own[name]);
  }
}

function compareAttributes(
  received: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
  name: number,
  ledger: AuditLedger,
): void {
  for (const [attribute, value] of Object.entries(expected)) {
    const own = Object.hasOwn(received, attribute) ? received[attribute] : undefined;
    // Scene graphs hold float32: what rounds to the same one is the same.
    if (own !== undefined && Math.fround(own) === Math.fround(value)) continue;
    ledger.note(name, `attributes.${attribute}`, value, own ?? null);
  }
  const unknown = Object.keys(received).filter((attribute) => !Object.hasOwn(expected, attribute));
  if (unknown.length > 0) ledger.note(name, 'attributes', Object.keys(expected), Object.keys(received));
}

/** Equal, numbers within the tolerance; arrays and objects entry by entry. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return a === b || Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => isSame((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]));
}
