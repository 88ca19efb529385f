/** What the formats' tests share: samples written in shards and read back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finishContext } from '../../../src/dataset/finishContext.js';
import type { DatasetFormat } from '../../../src/dataset/format.js';
import { LocalStorage } from '../../../src/dataset/localStorage.js';
import type { DatasetInfo, DatasetSample } from '../../../src/dataset/sample.js';
import { Staging } from '../../../src/dataset/staging.js';

export interface Fixture {
  readonly info: DatasetInfo;
  readonly samples: readonly DatasetSample[];
}

/** Writes samples as a dataset of `shards` shards, the last shard first; returns its folder, removed at exit. */
export async function writeFixture(format: DatasetFormat, { info, samples }: Fixture, shards = 2): Promise<string> {
  const folder = temporaryFolder();
  const storage = new LocalStorage(folder);
  const writer = format.writer(info);
  const each = Math.ceil(samples.length / shards);
  for (let shard = shards - 1; shard >= 0; shard--) {
    const own = samples.slice(shard * each, (shard + 1) * each);
    const staging = new Staging(storage.stagingFolder(shard), shard);
    const sink = writer.openShard({ shard, shards, first: shard * each, count: own.length, files: staging });
    for (const sample of own) await sink.add(sample);
    await sink.end();
    await storage.commit(staging.folder, await staging.seal());
  }
  await writer.finish(finishContext(storage, shards, samples.length));
  return folder;
}

const temporary: string[] = [];
process.once('exit', () => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-formats-'));
  temporary.push(folder);
  return folder;
}

/** All samples of a dataset, with arrays of their own. */
export async function readAll(format: DatasetFormat, folder: string): Promise<Fixture> {
  const reader = await format.open(folder);
  const samples: DatasetSample[] = [];
  for await (const sample of reader.samples()) samples.push(structuredClone(sample));
  return { info: reader.info, samples };
}
