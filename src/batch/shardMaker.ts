import { UsedAssets } from '../dataset/assetTable.js';
import { expectLicensed } from '../dataset/describe/licences.js';
import type { QuarantinedScene, ShardEntry } from '../dataset/entry.js';
import { type ImageEncoder, imageEncoder } from '../dataset/imageCodec.js';
import { MAX_ATTEMPTS, shardRange, standInIndex } from '../dataset/plan.js';
import { needsMasks, type RenderedScene, renderedSample } from '../dataset/renderedSample.js';
import type { DatasetSample } from '../dataset/sample.js';
import { type RecorderSetup, ShardRecorder } from '../dataset/shardRecorder.js';
import { layerFlags } from '../dataset/surfaceLayers.js';
import { DatasetError, MetasimError } from '../errors.js';
import type { Engine, RenderedBatch } from '../render/engine.js';
import { encodeScenes } from '../scene/encode.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';

/** Instances and classes of a pixel, its depth, its normal. */
const MASK_BYTES = 3;
const DEPTH_BYTES = 4;
const NORMAL_BYTES = 12;
const NOTHING = new Uint8Array(0);
/** Pixels and masks of a batch, bytes. */
const BATCH_BYTES = 8 << 20;
/**
 * More scenes at a time are drawn no faster, and live long enough to be taken for lasting: V8 then makes them where only
 * full garbage collections look, and the heap grows by 1 kB an image until the next one.
 */
const MAX_BATCH = 32;
/** Scenes of a shard that may fail before the shard does: so many, or this share. */
const TOLERATED_FAILURES = 10;
const TOLERATED_SHARE = 0.1;

export interface ShardMakerOptions {
  readonly source: SceneSource;
  /** Renders; stays open. */
  readonly engine: Pick<Engine, 'render' | 'assets'>;
  readonly setup: RecorderSetup;
  /** Accept assets that state no licence. */
  readonly allowUnlicensed: boolean;
  /**
   * Benches only: encodes in place of the dataset's codec.
   * @internal
   */
  readonly encode?: ImageEncoder;
}

/** Told about a shard while it is made. */
export interface ShardProgress {
  /** Throws to end the work: called between batches. */
  check(): void;
  /** Images and bytes that were added since the last call. */
  advance(images: number, bytes: number): void;
}

/**
 * Makes shards: samples, renders, labels, encodes, records. A shard is a pure function of the dataset's header and the
 * shard's number, so any thread of any machine may make it, twice too.
 */
export class ShardMaker {
  readonly #options: ShardMakerOptions;
  readonly #encode: ImageEncoder;
  readonly #masks: boolean;
  readonly #batchLength: number;
  /** The largest batch so far, whose arrays all others are drawn into. */
  #into: RenderedBatch<'u8'> | undefined;
  /** Shards on their way to their places. */
  #committing = 0;

  private constructor(options: ShardMakerOptions, encode: ImageEncoder) {
    this.#options = options;
    this.#encode = encode;
    const { header, format } = options.setup;
    this.#masks = needsMasks(header, format);
    const { width = 1, height = 1, channels = 1, depth, normals } = header;
    const layerBytes = (depth ? DEPTH_BYTES : 0) + (normals ? NORMAL_BYTES : 0);
    const bytes = width * height * (channels + (this.#masks ? MASK_BYTES : 0) + layerBytes);
    this.#batchLength = Math.max(1, Math.min(MAX_BATCH, Math.floor(BATCH_BYTES / bytes)));
  }

  static async create(options: ShardMakerOptions): Promise<ShardMaker> {
    const { codec, quality } = options.setup.header;
    return new ShardMaker(options, options.encode ?? (await imageEncoder(codec, quality)));
  }

  /**
   * Makes a shard and puts it in its place. Nothing is left of a shard that fails.
   * @throws DatasetError when the storage refuses, too many scenes fail, or an asset states no licence; what
   *   `progress.check` throws
   */
  async make(shard: number, progress: ShardProgress): Promise<ShardEntry> {
    const commit = await this.produce(shard, progress);
    return commit();
  }

  /**
   * The work of `make` but for the wait for the disk or the network: that is what the returned function does, which must be
   * called. Meanwhile the next shard may be produced; not two at once.
   * @throws as `make`
   */
  async produce(shard: number, progress: ShardProgress): Promise<() => Promise<ShardEntry>> {
    const { setup } = this.#options;
    const { first, count } = shardRange(setup.header, shard);
    const recorder = new ShardRecorder(setup, shard);
    try {
      const failures = new Failures(recorder, shard, count);
      let bytes = 0;
      for (let done = 0; done < count; ) {
        progress.check();
        if (this.#committing > 0) await new Promise(setImmediate);
        const length = Math.min(this.#batchLength, count - done);
        await this.#forEachScene(first + done, length, failures, (scene) => {
          recorder.used.addScene(scene.batch, scene.position);
          return recorder.add(this.#sample(scene));
        });
        this.#expectLicensed(recorder.used);
        progress.advance(length, recorder.bytes - bytes);
        bytes = recorder.bytes;
        done += length;
      }
    } catch (error) {
      await recorder.discard();
      throw error;
    }
    return () => this.#commit(recorder);
  }

  async #commit(recorder: ShardRecorder): Promise<ShardEntry> {
    this.#committing++;
    try {
      return await recorder.commit();
    } catch (error) {
      await recorder.discard();
      throw error;
    } finally {
      this.#committing--;
    }
  }

  /**
   * About how many bytes an image takes, from the first few: enough to know whether there is room. Scenes that cannot be
   * made are passed over.
   * @param images how many are made for it
   * @throws what the scenes failed with where all that may stand in for one failed; DatasetError when an asset states no
   *   licence
   */
  async bytesPerImage(images: number): Promise<number> {
    const { header, assets } = this.#options.setup;
    const { masks } = header;
    const used = new UsedAssets(assets);
    let bytes = 0;
    await this.#forEachScene(0, images, undefined, (scene) => {
      used.addScene(scene.batch, scene.position);
      const { image, labels, scene: graph, depth = NOTHING, normals = NOTHING } = this.#sample(scene);
      // Compressed masks and the labels in a format's own words are about as large as the image and the record.
      bytes +=
        image.bytes.length * (masks ? 2 : 1) +
        (depth.byteLength + normals.byteLength) / 2 +
        2 * JSON.stringify(labels).length +
        (graph?.length ?? 0);
    });
    this.#expectLicensed(used);
    return bytes / images;
  }

  /**
   * Hands over the scenes of images `first` … `first + count − 1` in order; where they fail together, they are made one by
   * one. A scene is taken before the next one is made, without a turn of the event loop if `take` needs none.
   */
  async #forEachScene(
    first: number,
    count: number,
    failures: Failures | undefined,
    take: (scene: RenderedScene) => void | Promise<void>,
  ): Promise<void> {
    const together = await this.#tryTogether(first, count);
    let row = 0;
    for (let i = 0; i < count; i++) {
      const number = first + i;
      const scene = together
        ? { batch: together.batch, rendered: together.rendered, number, position: i, row }
        : await this.#renderOne(number, failures);
      row += scene.batch.scenes[scene.position].parent.length;
      const taken = take(scene);
      if (taken) await taken;
    }
  }

  /** Samples and draws a range at once; undefined when that fails. */
  async #tryTogether(first: number, count: number) {
    try {
      return await this.#draw(await this.#sampleScenes(this.#options.setup.header.start + first, count));
    } catch {
      return undefined;
    }
  }

  /** The scene of one image, or the first of its stand-ins that can be made; failures are noted where there is a shard. */
  async #renderOne(number: number, failures: Failures | undefined): Promise<RenderedScene> {
    const { header } = this.#options.setup;
    let first: unknown;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const index = standInIndex(header.start + number, attempt);
      let batch: SceneBatch | undefined;
      try {
        batch = await this.#sampleScenes(index, 1);
        return { ...(await this.#draw(batch)), number, position: 0, row: 0 };
      } catch (error) {
        failures?.add(number, index, error, batch);
        // Of the image's own scene, which its index names; those of stand-ins are kept with the quarantined.
        first ??= error;
      }
    }
    if (!failures) throw first;
    throw new DatasetError(
      `Expected a scene for image ${number} but ${MAX_ATTEMPTS} failed, the first with: ${(first as Error).message}`,
      { cause: first },
    );
  }

  async #sampleScenes(start: number, count: number): Promise<SceneBatch> {
    const { header } = this.#options.setup;
    const batch = await this.#options.source.sampleBatch({ seed: header.seed, start, count });
    if (batch.scenes.length === count) return batch;
    throw new DatasetError(`Expected ${count} scenes from ${header.source} but received ${batch.scenes.length}`);
  }

  async #draw(batch: SceneBatch): Promise<Pick<RenderedScene, 'batch' | 'rendered'>> {
    const count = batch.scenes.length;
    const into = this.#intoFor(count);
    const labels = this.#masks ? true : 'regions';
    const options = {
      color: 'u8',
      labels,
      ...layerFlags(this.#options.setup.header),
      ...(into ? { into } : {}),
    } as const;
    const rendered = await this.#options.engine.render(batch, options);
    if (!into) this.#into = rendered;
    return { batch, rendered };
  }

  /** Arrays for a batch of `count`, where there are any. */
  #intoFor(count: number): RenderedBatch<'u8'> | undefined {
    const into = this.#into;
    if (!into || into.count < count) return undefined;
    return into.count === count ? into : firstOf(into, count);
  }

  #sample(scene: RenderedScene): DatasetSample {
    const { header, format } = this.#options.setup;
    return renderedSample({ ...scene, meshes: this.#options.engine.assets }, header, format, this.#encode);
  }

  #expectLicensed(used: UsedAssets): void {
    if (!this.#options.allowUnlicensed && used.anyUnlicensed) expectLicensed(used.licences(), false);
  }
}

/** The arrays of a batch as far as a smaller one needs them. */
function firstOf(
  { count: of, color, instances, classes, depth, normals, ...rest }: RenderedBatch<'u8'>,
  count: number,
) {
  const part = <T extends Uint8Array | Uint16Array | Float32Array>(array: T) =>
    array.subarray(0, (array.length / of) * count) as T;
  const masks = instances && classes ? { instances: part(instances), classes: part(classes) } : {};
  const layers = { ...(depth ? { depth: part(depth) } : {}), ...(normals ? { normals: part(normals) } : {}) };
  return { ...rest, count, color: part(color), ...masks, ...layers };
}

/** The scenes of a shard that failed; too many are a failure of the shard. */
class Failures {
  readonly #recorder: ShardRecorder;
  readonly #shard: number;
  readonly #limit: number;
  #count = 0;

  constructor(recorder: ShardRecorder, shard: number, images: number) {
    this.#recorder = recorder;
    this.#shard = shard;
    this.#limit = Math.max(TOLERATED_FAILURES, TOLERATED_SHARE * images);
  }

  add(number: number, index: number, error: unknown, batch: SceneBatch | undefined): void {
    const code = error instanceof MetasimError ? error.code : 'FAILURE';
    const message = error instanceof Error ? error.message : String(error);
    const scene: QuarantinedScene = { number, index, code, message };
    this.#count++;
    if (this.#count > this.#limit) {
      throw new DatasetError(
        `Expected at most ${Math.floor(this.#limit)} scenes of shard ${this.#shard} to fail but received one more; ` +
          `scene ${index}: ${message}`,
        { cause: error },
      );
    }
    this.#recorder.quarantine(scene, encoded(batch));
  }
}

/** A scene for the quarantine, unless it cannot even be encoded. */
function encoded(batch: SceneBatch | undefined): Uint8Array | undefined {
  try {
    return batch && encodeScenes(batch);
  } catch {
    return undefined;
  }
}
