import { DatasetError } from '../errors.js';

/** The disk is full: no other shard will fare better. */
export class NoSpaceError extends DatasetError {}

/** Whether an error is, or was caused by, a full disk or a used-up share of it. */
export function isNoSpace(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}
