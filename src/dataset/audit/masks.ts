import type { DatasetInfo, SampleObject } from '../sample.js';
import type { AuditLedger } from './ledger.js';

/** Class of a node's pixels in the class mask. */
interface MaskClass {
  /** Position + 1 of its first pixel's class. */
  readonly id: number;
  /** Pixels, and those of another class than the first. */
  pixels: number;
  others: number;
}

/**
 * Checks that both masks and the objects go together: every instance has an object, every pixel of it the object's
 * class, and where there is no instance there is no class.
 * @param objects by node
 */
export function checkMasks(
  instances: Uint16Array,
  classes: Uint8Array | undefined,
  objects: ReadonlyMap<number, SampleObject>,
  info: Pick<DatasetInfo, 'classes'>,
  ledger: AuditLedger,
): void {
  const found = new Map<number, MaskClass>();
  let stray = 0;
  for (let i = 0; i < instances.length; i++) {
    const id = instances[i];
    const classId = classes ? classes[i] : 0;
    if (id === 0) {
      if (classId !== 0) stray++;
      continue;
    }
    let entry = found.get(id - 1);
    if (!entry) found.set(id - 1, (entry = { id: classId, pixels: 0, others: 0 }));
    entry.pixels++;
    if (classId !== entry.id) entry.others++;
  }
  if (stray > 0) ledger.note(null, 'classes', 'no class where there is no object', `${stray} px`);
  for (const [node, { id, pixels, others }] of found) {
    const object = objects.get(node);
    if (!object) ledger.note(node, 'object', 'an object for its id in the instance mask', `none, but ${pixels} px`);
    if (!classes) continue;
    if (others > 0) ledger.note(node, 'classes', `one class at all of its ${pixels} px`, `another at ${others}`);
    const name = info.classes[id - 1] ?? null;
    if (object && object.class !== name) ledger.note(node, 'class', name, object.class);
  }
}

/** Number of entries that differ; all of them where the lengths do. */
export function differingEntries(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Math.max(a.length, b.length);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}
