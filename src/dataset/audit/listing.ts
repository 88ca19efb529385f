import { coversImage, isListedAs } from '../sameObject.js';
import { type ImageLabels, isThing, type SampleObject } from '../sample.js';
import type { AuditLedger } from './ledger.js';

/**
 * Checks what a format's own files list against the label record that is kept beside them: every object listed is one of
 * the record, and every thing that is seen is listed. Formats of classification say one class of the whole image: then
 * an object of that class has to be there.
 */
export function checkListing(
  listed: readonly SampleObject[],
  record: ImageLabels,
  things: readonly string[],
  ledger: AuditLedger,
): void {
  const open = new Set(record.objects.filter(({ box }) => box !== null));
  let whole = false;
  for (const [i, object] of listed.entries()) {
    whole ||= coversImage(object, record);
    const own = [...open].find((other) => isListedAs(other, object, record));
    if (own) open.delete(own);
    else ledger.note(i, 'listed', 'an object of the label record', { class: object.class, box: object.box });
  }
  if (whole) return;
  for (const object of open) {
    if (!isThing(object, things)) continue;
    ledger.note(object.node ?? null, 'listed', { class: object.class, box: object.box }, 'none');
  }
}
