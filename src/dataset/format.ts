import type { DatasetInfo, DatasetSample, ImageCodec, SurfaceLayer } from './sample.js';

/** A file that grows by appending; closed when its shard is. */
export interface StagedStream {
  /** Bytes written so far. */
  readonly length: number;
  write(bytes: Uint8Array | string): void;
}

/**
 * Where a shard puts its files. They come into being in a staging folder of the shard's own and are moved to their place
 * when all of the shard is on the disk: a format need not care about crashes. Paths are relative to the dataset, with
 * `/`. Writing is synchronous: shards are written on worker threads.
 */
export interface StagedFiles {
  /** Writes a whole file. */
  write(path: string, bytes: Uint8Array | string): void;
  /** Starts a file that grows. */
  stream(path: string): StagedStream;
  /**
   * The shard's part of something that spans the dataset (rows of one annotation file, say): kept aside until
   * `DatasetWriter.finish` joins the parts in the order of the shards. The same stream for the same name.
   */
  part(name: string): StagedStream;
}

/** The shard to be written. */
export interface ShardContext {
  /** Number of the shard, from 0. */
  readonly shard: number;
  /** How many shards the whole dataset has. */
  readonly shards: number;
  /** Number of the shard's first image in the dataset, from 0, and how many images it has. */
  readonly first: number;
  readonly count: number;
  readonly files: StagedFiles;
}

/** Takes the samples of one shard in order. */
export interface ShardWriter {
  /** @param recordJson `JSON.stringify(sample.labels)`, from a caller who has it already */
  add(sample: DatasetSample, recordJson?: string): void | Promise<void>;
  /** Called once, after the last sample. */
  end(): void | Promise<void>;
}

/** All shards are there: what remains is what spans them. */
export interface FinishContext {
  /** Number of shards and images of the whole dataset. */
  readonly shards: number;
  readonly count: number;
  /** The bytes of a part, shard after shard, in pieces of bounded size (which end anywhere, not at line ends). */
  part(name: string): AsyncIterable<Uint8Array>;
  /** Total bytes of a part. */
  partBytes(name: string): Promise<number>;
  /** Writes a file of the whole, as a stream, whole or not at all. */
  write(path: string, content: AsyncIterable<Uint8Array | string> | Uint8Array | string): Promise<void>;
}

/** Writes datasets of one format: shards in any order, on any thread or machine, then `finish` once. */
export interface DatasetWriter {
  openShard(context: ShardContext): ShardWriter;
  /** May run again after a crash: it writes the same files. */
  finish(context: FinishContext): Promise<void>;
}

/** An opened dataset. */
export interface DatasetReader {
  readonly info: DatasetInfo;
  /** Number of samples where it is known without reading all of them. */
  readonly count?: number;
  /**
   * Samples in the dataset's order, read as they are asked for; memory does not grow with their number.
   * @throws DatasetError naming file and place where one is damaged
   */
  samples(options?: { readonly signal?: AbortSignal }): AsyncIterable<DatasetSample>;
}

/** A dataset format: what `--format` names. */
export interface DatasetFormat {
  /** e.g. `webdataset`. */
  readonly name: string;
  /** A line for `--help`. */
  readonly description: string;
  /** Codecs its images may have; the first is the default. */
  readonly codecs: readonly ImageCodec[];
  /** Whether the whole label record (`ImageLabels`) is in the format's own files; if not, it is kept beside them. */
  readonly holdsRecords: boolean;
  /** Whether the writer needs `instances` and `classes` of every sample (else only where `info.masks` says so). */
  readonly needsMasks: boolean;
  /** Whether its masks hold one segment for all of a class that is no thing; default false. */
  readonly mergesStuff?: boolean;
  /** What of 3D scenes it has a place for beside images and masks; default: nothing. */
  readonly layers?: readonly SurfaceLayer[];
  writer(info: DatasetInfo): DatasetWriter;
  /** Whether the folder looks like this format; only looks at names. */
  recognises(folder: string): Promise<boolean>;
  /**
   * Opens a dataset of this format, ours or anybody's.
   * @throws DatasetError when there is none at `folder`
   */
  open(folder: string): Promise<DatasetReader>;
}
