import { DatasetError } from '../errors.js';
import { type AuditedSample, type AuditOptions, type AuditSummary, auditSamples } from './audit.js';
import type { DatasetFormat, DatasetReader } from './format.js';
import { openFormat, recogniseFormat } from './formats/index.js';
import { readHeader } from './header.js';
import { hasKeptRecords, withKeptRecords } from './keptRecords.js';
import { LocalStorage } from './localStorage.js';

export interface AuditDatasetOptions extends AuditOptions {
  /** Format of the dataset; default: as it looks. */
  readonly from?: string;
  /** Called once, with the number of samples where it is known without reading all of them. */
  readonly onOpen?: (count: number | undefined) => void;
}

/**
 * Audits the dataset in a folder, ours or anybody's: see `auditSamples`. Where its label records are kept beside the files
 * of its format, the records are audited, and what those files list is compared with them.
 * @throws ConfigError for an unknown format; DatasetError when there is no dataset or it is damaged
 */
export async function auditDataset(
  folder: string,
  options: AuditDatasetOptions = {},
): Promise<AuditSummary & { readonly format: string }> {
  const { from, onOpen, ...rest } = options;
  const format = from ? await openFormat(from) : await recogniseFormat(folder);
  const reader = await format.open(folder);
  const header = await readHeader(new LocalStorage(folder));
  onOpen?.(reader.count);
  const samples = (await hasKeptRecords(folder))
    ? withListings(reader, format, folder, options.signal)
    : reader.samples(options.signal ? { signal: options.signal } : {});
  const minimumPixels = options.minimumPixels ?? header?.minimumPixels ?? 1;
  const info = { ...reader.info, mergesStuff: format.mergesStuff };
  const summary = await auditSamples({ info, samples }, { ...rest, minimumPixels });
  return { format: format.name, ...summary };
}

/** Samples with their kept records, and what the format's own files list. */
async function* withListings(
  reader: DatasetReader,
  format: DatasetFormat,
  folder: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<AuditedSample> {
  const options = signal ? { signal } : {};
  // Both readers walk the same files side by side: a record takes the place of what was listed.
  const again = (await format.open(folder)).samples(options)[Symbol.asyncIterator]();
  try {
    for await (const sample of withKeptRecords(reader, folder).samples(options)) {
      const { value, done } = await again.next();
      if (done) throw new DatasetError(`Expected ${sample.labels.key} in ${folder} to be read again but it was not`);
      yield { ...sample, listed: value.labels.objects };
    }
  } finally {
    await again.return?.();
  }
}
