import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../errors.js';
import type { DatasetReader } from './format.js';
import { checkLabelRecord, parseForeignJson } from './formats/labelRecord.js';
import { readLines } from './formats/textLines.js';
import { LocalStorage } from './localStorage.js';
import { isListedAs } from './sameObject.js';
import type { ImageLabels } from './sample.js';
import { LABELS_FOLDER } from './shardRecorder.js';

/** Whether label records are kept beside the files of a dataset, because its format does not hold them. */
export async function hasKeptRecords(folder: string): Promise<boolean> {
  return (await stat(join(folder, LABELS_FOLDER)).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * A reader whose samples have the label records that are kept beside the dataset, instead of what its format says.
 * @param folder of a dataset of ours with kept records
 * @throws DatasetError, from `samples`, when records and samples do not go together
 */
export function withKeptRecords(reader: DatasetReader, folder: string): DatasetReader {
  return {
    info: reader.info,
    count: reader.count,
    async *samples(options) {
      const records = keptRecords(folder);
      let position = 0;
      try {
        for await (const sample of reader.samples(options)) {
          const { value, done } = await records.next();
          if (done)
            throw new DatasetError(`Expected a label record for ${sample.labels.key} in ${folder} but it has none`);
          expectSameSample(value.labels, sample.labels, position++, value.where);
          yield { ...sample, labels: value.labels };
        }
        const { value, done } = await records.next();
        if (!done) throw new DatasetError(`Expected a sample for the record in ${value.where} but there is none`);
      } finally {
        await records.return(undefined);
      }
    },
  };
}

interface KeptRecord {
  readonly labels: ImageLabels;
  /** File and line. */
  readonly where: string;
}

/** The records of all shards in order. */
async function* keptRecords(folder: string): AsyncGenerator<KeptRecord, undefined, undefined> {
  const storage = new LocalStorage(folder);
  const number = (path: string) => Number(/(\d+)\.jsonl$/.exec(path)?.[1] ?? Number.NaN);
  const paths = (await storage.list(LABELS_FOLDER)).filter((path) => !Number.isNaN(number(path)));
  for (const path of paths.sort((a, b) => number(a) - number(b))) {
    const place = join(folder, path);
    for await (const line of readLines(storage.stream(path), place)) {
      const where = `${place}:${line.number}`;
      yield { labels: checkLabelRecord(parseForeignJson(line.text, where), where), where };
    }
  }
}

/** Some formats name a sample by its position in the dataset: then the objects have to be the same ones. */
function expectSameSample(record: ImageLabels, read: ImageLabels, position: number, where: string): void {
  const sameKey = record.key === read.key || (Number(read.key) === position && holdsObjects(record, read));
  if (sameKey && record.width === read.width && record.height === read.height) return;
  throw new DatasetError(
    `Expected sample ${record.key} of ${record.width} × ${record.height} px, as in ${where}, ` +
      `but received ${read.key} of ${read.width} × ${read.height}`,
  );
}

/** Whether the record has every object that was read. */
function holdsObjects(record: ImageLabels, read: ImageLabels): boolean {
  return read.objects.every((listed) => record.objects.some((object) => isListedAs(object, listed, read)));
}
