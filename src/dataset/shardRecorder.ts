import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { DatasetError } from '../errors.js';
import { type AssetTable, UsedAssets } from './assetTable.js';
import { DIGEST_BYTES, payloadOf, sampleDigest } from './contentHash.js';
import { StatisticsCollector } from './describe/statistics.js';
import { entryLine, entryPath, isPart, type QuarantinedScene, readEntry, type ShardEntry } from './entry.js';
import type { DatasetFormat, DatasetWriter, ShardWriter, StagedStream } from './format.js';
import { type DatasetHeader, infoOf } from './header.js';
import { shardRange, shardsOf } from './plan.js';
import type { DatasetSample } from './sample.js';
import { partName, Staging } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** Label records of shards in formats that do not hold them (`DatasetFormat.holdsRecords`): one JSON line an image. */
export const LABELS_FOLDER = '.metasim/labels';
/** Scenes that could not be made. */
export const QUARANTINE_FOLDER = '.metasim/quarantine';

/** What the shards of a dataset are recorded with. */
export interface RecorderSetup {
  readonly storage: DatasetStorage;
  readonly header: DatasetHeader;
  readonly format: DatasetFormat;
  /** The dataset's own, made once by `format.writer`. */
  readonly writer: DatasetWriter;
  readonly assets: AssetTable;
}

/**
 * Takes the samples of one shard in order, hands them to the format, and keeps account of them: digests, label records,
 * statistics, licences. `commit` then moves the shard's files to their places and writes its entry, in this order and
 * each durably: whatever is interrupted, the entry says the truth.
 */
export class ShardRecorder {
  readonly used: UsedAssets;
  readonly #setup: RecorderSetup;
  readonly #shard: number;
  readonly #staging: Staging;
  readonly #sink: ShardWriter;
  readonly #records: StagedStream | undefined;
  readonly #statistics: StatisticsCollector;
  readonly #quarantined: QuarantinedScene[] = [];
  /** Of the samples in order, as many as the shard is to have. */
  readonly #digests: Buffer;
  #taken = 0;

  constructor(setup: RecorderSetup, shard: number) {
    const { storage, header, format, writer } = setup;
    this.#setup = setup;
    this.#shard = shard;
    this.#digests = Buffer.alloc(shardRange(header, shard).count * DIGEST_BYTES);
    this.used = new UsedAssets(setup.assets);
    this.#statistics = new StatisticsCollector(infoOf(header), header.attributes);
    this.#staging = new Staging(storage.stagingFolder(shard), shard);
    try {
      const shards = shardsOf(header);
      this.#sink = writer.openShard({ shard, shards, ...shardRange(header, shard), files: this.#staging });
      if (!format.holdsRecords) this.#records = this.#staging.stream(`${LABELS_FOLDER}/${partName(shard)}.jsonl`);
    } catch (error) {
      this.#staging.abandon();
      rmSync(this.#staging.folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Bytes of the shard so far. */
  get bytes(): number {
    return this.#staging.bytes;
  }

  /** Takes the next sample; its arrays may change afterwards. */
  add(sample: DatasetSample): void | Promise<void> {
    const payload = payloadOf(sample);
    if (payload instanceof Uint8Array) return this.#take(sample, payload);
    return payload.then((bytes) => this.#take(sample, bytes));
  }

  #take(sample: DatasetSample, payload: Uint8Array): void | Promise<void> {
    const json = JSON.stringify(sample.labels);
    this.#addDigest(sampleDigest(json, payload));
    if (this.#records) {
      this.#records.write(json);
      this.#records.write('\n');
    }
    this.#statistics.add(sample.labels);
    return this.#sink.add(sample, json);
  }

  #addDigest(digest: Uint8Array): void {
    const at = this.#taken++ * DIGEST_BYTES;
    if (at >= this.#digests.length) throw this.#wrongCount();
    this.#digests.set(digest, at);
  }

  #wrongCount(): DatasetError {
    const { count } = shardRange(this.#setup.header, this.#shard);
    return new DatasetError(`Expected ${count} images for shard ${this.#shard} but received ${this.#taken}`);
  }

  /**
   * Keeps a scene that could not be made.
   * @param scene encoded, where it could be sampled
   */
  quarantine(scene: QuarantinedScene, bytes: Uint8Array | undefined): void {
    const name = `${QUARANTINE_FOLDER}/${String(scene.index).padStart(9, '0')}`;
    this.#staging.write(`${name}.json`, `${JSON.stringify(scene, null, 2)}\n`);
    if (bytes) this.#staging.write(`${name}.msg`, bytes);
    this.#quarantined.push(scene);
  }

  /** Makes the shard part of the dataset. @returns its entry */
  async commit(): Promise<ShardEntry> {
    const { storage, header } = this.#setup;
    const made = await readEntry(storage, header, this.#shard);
    if (made) {
      // Somebody else was faster: what lies there stays, byte for byte.
      await this.discard();
      return made;
    }
    const { first, count } = shardRange(header, this.#shard);
    if (this.#taken !== count) throw this.#wrongCount();
    await this.#sink.end();
    const files = await this.#staging.seal();
    const entry: ShardEntry = {
      shard: this.#shard,
      first,
      count,
      digests: this.#digests.toString('base64'),
      files: files.filter(({ path }) => !isPart(path)),
      parts: files.filter(({ path }) => isPart(path)),
      assets: this.used.base64(),
      statistics: this.#statistics.result(),
      quarantined: this.#quarantined,
    };
    await storage.commit(this.#staging.folder, files);
    await storage.create(entryPath(this.#shard), entryLine(entry));
    return entry;
  }

  /** Leaves nothing behind; after a failure. */
  async discard(): Promise<void> {
    this.#staging.abandon();
    await rm(this.#staging.folder, { recursive: true, force: true });
  }
}
