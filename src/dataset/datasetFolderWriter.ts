import { rmSync } from 'node:fs';
import { DatasetError, ShapeError } from '../errors.js';
import type { RenderedBatch } from '../render/engine.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { type AssetTable, claimAssetTable } from './assetTable.js';
import { completeDataset } from './complete.js';
import { expectNewOrEmpty } from './files.js';
import { openFormat } from './formats/index.js';
import { type GeneratedHeaderSource, generatedHeader } from './generatedHeader.js';
import { claimHeader, type DatasetHeader, infoOf } from './header.js';
import { DEFAULT_QUALITY, type ImageEncoder, imageEncoder } from './imageCodec.js';
import { LocalStorage } from './localStorage.js';
import type { Manifest } from './manifest.js';
import { DEFAULT_SHARD_SIZE } from './plan.js';
import { renderedSample } from './renderedSample.js';
import { type RecorderSetup, ShardRecorder } from './shardRecorder.js';

export interface DatasetFolderOptions {
  /** A folder that does not exist or is empty. */
  readonly folder: string;
  /** A dataset format, as `--format` names it. */
  readonly format: string;
  /** Images there will be, ≥ 1. */
  readonly count: number;
  /** Of the scenes' stream. */
  readonly seed: number;
  /** All textures that may be drawn (`assetTable`). */
  readonly assets: AssetTable;
  readonly source: GeneratedHeaderSource;
  /** Write masks, where the format has a place for them; default true. */
  readonly masks?: boolean;
  /** Classes that formats of detection and classification leave out; default none, for KITTI those that it does not have. */
  readonly ignore?: readonly string[];
}

/**
 * Writes scenes that somebody else has rendered as a dataset folder like those of `metasim generate`: images, labels,
 * manifest; `metasim verify` reads it. Batches come in order; memory does not grow with them. Encoding and writing run on
 * the calling thread.
 */
export class DatasetFolderWriter {
  readonly #options: DatasetFolderOptions;
  readonly #storage: LocalStorage;
  #begun: { readonly setup: RecorderSetup; readonly encode: ImageEncoder } | undefined;
  #recorder: ShardRecorder | undefined;
  #taken = 0;
  /** Pixels of a batch in bytes, used again. */
  #bytes = new Uint8Array(0);

  private constructor(options: DatasetFolderOptions) {
    this.#options = options;
    this.#storage = new LocalStorage(options.folder);
  }

  /** @throws DatasetError when the folder is not empty; ConfigError for an unknown format */
  static async create(options: DatasetFolderOptions): Promise<DatasetFolderWriter> {
    await openFormat(options.format);
    if (!Number.isInteger(options.count) || options.count < 1) {
      throw new DatasetError(`Expected an integer ≥ 1 for the dataset's count but received ${options.count}`);
    }
    await expectNewOrEmpty(options.folder);
    return new DatasetFolderWriter(options);
  }

  /**
   * Takes the next images. Arrays are only read during the call.
   * @param rendered of `batch`, with labels; float32 colour is clamped to [0, 1] and rounded to bytes, as the engine's own
   *   bytes are
   * @throws ShapeError when the batch was rendered without labels; DatasetError when there are more images than counted
   *   on, or the disk refuses
   */
  async add(rendered: RenderedBatch<'f32' | 'u8'>, batch: SceneBatch): Promise<void> {
    if (!rendered.instances || !rendered.classes || !rendered.coverage) {
      throw new ShapeError('Expected a batch rendered with labels for a dataset but received one without');
    }
    const { setup, encode } = (this.#begun ??= await this.#begin(batch));
    const { header, format } = setup;
    const bytes = { ...rendered, color: this.#toBytes(rendered.color) } as RenderedBatch<'u8'>;
    for (let position = 0, row = 0; position < batch.scenes.length; position++) {
      const number = this.#taken++;
      if (number >= header.count) throw this.#wrongCount();
      this.#recorder ??= new ShardRecorder(setup, Math.floor(number / header.shardSize));
      this.#recorder.used.addScene(batch, position);
      await this.#recorder.add(
        renderedSample({ number, batch, position, row, rendered: bytes }, header, format, encode),
      );
      row += batch.scenes[position].parent.length;
      if (this.#taken % header.shardSize === 0 || this.#taken === header.count) {
        await this.#recorder.commit();
        this.#recorder = undefined;
      }
    }
  }

  /** Ends the dataset. @throws DatasetError when images are missing */
  async finish(): Promise<Manifest> {
    if (this.#taken !== this.#options.count) throw this.#wrongCount();
    return completeDataset(this.#storage);
  }

  /** Takes away all that was written. */
  discard(): void {
    // Closes its files at once; what it removes then is gone already.
    this.#recorder?.discard().catch(() => {});
    this.#recorder = undefined;
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  async #begin(batch: SceneBatch): Promise<{ setup: RecorderSetup; encode: ImageEncoder }> {
    const { count, seed, assets, source, masks = true, ignore } = this.#options;
    const format = await openFormat(this.#options.format);
    const header: DatasetHeader = generatedHeader(batch, source, {
      format: format.name,
      codec: format.codecs[0],
      quality: DEFAULT_QUALITY,
      split: 'train',
      count,
      shardSize: DEFAULT_SHARD_SIZE,
      seed,
      start: batch.scenes[0].index,
      masks,
      scenes: false,
      minimumPixels: 1,
      ignore: ignore ?? (format.name === 'kitti' ? undefined : []),
    });
    await claimHeader(this.#storage, header);
    await claimAssetTable(this.#storage, assets);
    const setup = { storage: this.#storage, header, format, writer: format.writer(infoOf(header)), assets };
    return { setup, encode: await imageEncoder(header.codec) };
  }

  #toBytes(color: Uint8Array | Float32Array): Uint8Array {
    if (color instanceof Uint8Array) return color;
    if (this.#bytes.length < color.length) this.#bytes = new Uint8Array(color.length);
    for (let i = 0; i < color.length; i++) this.#bytes[i] = Math.round(255 * Math.min(1, Math.max(0, color[i])));
    return this.#bytes;
  }

  #wrongCount(): DatasetError {
    return new DatasetError(
      `Expected ${this.#options.count} images for ${this.#options.folder} but received ${this.#taken}`,
    );
  }
}
