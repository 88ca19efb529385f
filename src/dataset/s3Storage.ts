import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GetObjectCommandOutput, S3 } from '@aws-sdk/client-s3';
import { DatasetError } from '../errors.js';
import { createS3Client } from './s3Client.js';
import { parseS3Location, type S3Location } from './s3Location.js';
import { PART_BYTES, uploadFile, uploadWhole } from './s3Upload.js';
import { checkRelativePath, type StagedFile } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** Requests under way at once while a shard is uploaded, or a folder removed. */
const CONCURRENCY = 8;
/** Times that reading goes on where a connection broke; and that a write is tried again that met another one. */
const MAX_RESUMES = 8;
const MAX_CONFLICTS = 8;
/** Entry of an object's metadata that names the call of `create` which wrote it. */
const WRITER = 'metasim-writer';

/**
 * Opens the dataset at `s3://bucket/prefix` in a bucket that exists.
 * @param environment what `createS3Client` reads; `METASIM_TMPDIR` is where shards are staged, else the system's folder
 * for temporary files
 * @throws ConfigError for another form, or when the S3 client is not installed; DatasetError when the bucket is missing or
 * cannot be reached
 */
export async function openS3Storage(place: string, environment: NodeJS.ProcessEnv = process.env): Promise<S3Storage> {
  const location = parseS3Location(place);
  const client = await createS3Client(environment);
  try {
    await client.headBucket({ Bucket: location.bucket });
  } catch (error) {
    // Whoever may not ask for the bucket may still be allowed to use it.
    if (statusOf(error) !== 403) {
      client.destroy();
      const reason = statusOf(error) === 404 ? 'none of that name' : reasonOf(error);
      throw new DatasetError(`Expected the bucket s3://${location.bucket} but received: ${reason}`, { cause: error });
    }
  }
  return new S3Storage(client, location, environment.METASIM_TMPDIR || tmpdir());
}

/**
 * A dataset in a bucket of S3 or of a server that speaks its language, for one or many machines. S3 shows objects whole or
 * not at all; `create` needs conditional puts (`If-None-Match: *`), without which two machines could both believe to
 * have written an entry: a server that ignores them is refused.
 */
export class S3Storage implements DatasetStorage {
  readonly place: string;
  readonly #client: S3;
  readonly #location: S3Location;
  readonly #temporary: string;
  #conditional: Promise<void> | undefined;

  /** @param temporary local folder for what is on its way */
  constructor(client: S3, location: S3Location, temporary: string) {
    this.place = `s3://${location.bucket}/${location.prefix}`;
    this.#client = client;
    this.#location = location;
    this.#temporary = temporary;
  }

  stagingFolder(shard: number): string {
    return join(this.#temporary, `metasim-${shard}-${process.pid}-${randomUUID()}`);
  }

  async commit(folder: string, files: readonly StagedFile[]): Promise<void> {
    await forEach(files, (file) =>
      this.#writing(file.path, () => uploadFile(this.#client, this.#address(file.path), join(folder, file.path), file)),
    );
    await rm(folder, { recursive: true, force: true });
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of this.#pieces(path)) pieces.push(piece);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#unreadable(path, error);
    }
    return Buffer.concat(pieces);
  }

  async *stream(path: string): AsyncIterable<Uint8Array> {
    try {
      yield* this.#pieces(path);
    } catch (error) {
      throw this.#unreadable(path, error);
    }
  }

  async size(path: string): Promise<number | undefined> {
    try {
      return (await this.#client.headObject(this.#address(path))).ContentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#unreadable(path, error);
    }
  }

  async first(): Promise<string | undefined> {
    const Prefix = `${this.#location.prefix}/`;
    try {
      const page = await this.#client.listObjectsV2({ Bucket: this.#location.bucket, Prefix, MaxKeys: 1 });
      return page.Contents?.[0]?.Key?.slice(Prefix.length);
    } catch (error) {
      throw this.#unreadable('', error);
    }
  }

  async list(folder: string): Promise<string[]> {
    checkRelativePath(folder);
    const root = `${this.#location.prefix}/`;
    const paths: string[] = [];
    try {
      let ContinuationToken: string | undefined;
      do {
        const Prefix = `${root}${folder}/`;
        const page = await this.#client.listObjectsV2({ Bucket: this.#location.bucket, Prefix, ContinuationToken });
        for (const { Key } of page.Contents ?? []) if (Key) paths.push(Key.slice(root.length));
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    } catch (error) {
      throw this.#unreadable(folder, error);
    }
    // Consoles leave empty objects behind that stand for folders.
    return paths.filter((path) => !path.endsWith('/')).sort();
  }

  async write(path: string, content: AsyncIterable<Uint8Array | string> | Uint8Array | string): Promise<StagedFile> {
    const address = this.#address(path);
    const folder = this.stagingFolder(0);
    try {
      return await this.#writing(path, async () => {
        const gathered = await gather(path, content, folder);
        if (gathered.bytes) await uploadWhole(this.#client, address, gathered.bytes, gathered.file);
        else await uploadFile(this.#client, address, join(folder, SPILL), gathered.file);
        return gathered.file;
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async create(path: string, content: Uint8Array | string): Promise<boolean> {
    this.#address(path);
    return this.#writing(path, async () => {
      this.#conditional ??= this.#expectConditionalPuts();
      await this.#conditional.catch((error) => {
        // What failed for once may go well the next time.
        this.#conditional = undefined;
        throw error;
      });
      return this.#putNew(path, content);
    });
  }

  async remove(path: string): Promise<void> {
    const within = await this.list(path);
    await this.#writing(path, () =>
      forEach([path, ...within], async (each) => void (await this.#client.deleteObject(this.#address(each)))),
    );
  }

  async free(): Promise<undefined> {
    return undefined;
  }

  /** The bytes of an object; goes on where a connection broke, as long as it is still the same object. */
  async *#pieces(path: string): AsyncGenerator<Uint8Array> {
    const address = this.#address(path);
    let at = 0;
    let tag: string | undefined;
    for (let resumes = 0; ; resumes++) {
      const rest = at > 0 ? { Range: `bytes=${at}-`, IfMatch: tag } : {};
      const { Body, ContentLength = 0, ETag } = await this.#client.getObject({ ...address, ...rest });
      const end = at + ContentLength;
      tag = ETag;
      try {
        for await (const piece of Body as GetObjectCommandOutput['Body'] & AsyncIterable<Uint8Array>) {
          at += piece.length;
          yield piece;
        }
        if (at >= end) return;
      } catch (error) {
        if (at >= end || resumes >= MAX_RESUMES) throw error;
      }
      if (resumes >= MAX_RESUMES) throw new Error(`${end} bytes were promised, ${at} came`);
      await sleep(pause(resumes));
    }
  }

  /** Writes an object unless there is one. @returns whether it was written */
  async #putNew(path: string, content: Uint8Array | string): Promise<boolean> {
    const writer = randomUUID();
    const Body = typeof content === 'string' ? Buffer.from(content) : content;
    const ChecksumSHA256 = createHash('sha256').update(Body).digest('base64');
    const request = { ...this.#address(path), Body, ChecksumSHA256, IfNoneMatch: '*', Metadata: { [WRITER]: writer } };
    for (let conflicts = 0; ; conflicts++) {
      try {
        await this.#client.putObject(request);
        return true;
      } catch (error) {
        if (statusOf(error) === 412) return attemptsOf(error) > 1 && (await this.#writerOf(path)) === writer;
        // Another write to the same key was under way, and may yet fail.
        if (statusOf(error) !== 409 || conflicts >= MAX_CONFLICTS) throw error;
        await sleep(pause(conflicts));
      }
    }
  }

  /** Which call of `create` wrote an object: a try may have succeeded though its answer was lost. */
  async #writerOf(path: string): Promise<string | undefined> {
    return (await this.#client.headObject(this.#address(path))).Metadata?.[WRITER];
  }

  /** @throws DatasetError when the server writes over an object though it was told not to */
  async #expectConditionalPuts(): Promise<void> {
    const path = `.metasim/probe-${randomUUID()}`;
    try {
      await this.#client.putObject({ ...this.#address(path), Body: Buffer.alloc(0) });
      if (!(await this.#putNew(path, ''))) return;
    } catch (error) {
      if (statusOf(error) !== 501) throw error;
    } finally {
      await this.#client.deleteObject(this.#address(path)).catch(() => {});
    }
    throw new DatasetError(
      `Expected a server with conditional puts (If-None-Match: *) at ${this.place} but received one without: ` +
        'shards of several machines could be written over each other',
    );
  }

  #address(path: string): { Bucket: string; Key: string } {
    checkRelativePath(path);
    return { Bucket: this.#location.bucket, Key: `${this.#location.prefix}/${path}` };
  }

  async #writing<T>(path: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      if (cause instanceof DatasetError) throw cause;
      throw new DatasetError(`Expected to be able to write ${this.place}/${path} but received: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  #unreadable(path: string, cause: unknown): DatasetError {
    if (cause instanceof DatasetError) return cause;
    const reason = reasonOf(cause);
    return new DatasetError(`Expected a readable file at ${this.place}/${path} but received: ${reason}`, { cause });
  }
}

/** Name of the file that takes content which is too large for memory. */
const SPILL = 'content';

/** Content on its way: in memory as long as it fits one request, else in a file of `folder`. */
async function gather(
  path: string,
  content: AsyncIterable<Uint8Array | string> | Uint8Array | string,
  folder: string,
): Promise<{ file: StagedFile; bytes?: Uint8Array }> {
  const hash = createHash('sha256');
  const held: Uint8Array[] = [];
  let bytes = 0;
  let spill: FileHandle | undefined;
  try {
    for await (const piece of typeof content === 'string' || content instanceof Uint8Array ? [content] : content) {
      // A copy: what is given may be a view that changes with the next piece.
      const chunk = Buffer.from(piece as Uint8Array);
      hash.update(chunk);
      bytes += chunk.length;
      held.push(chunk);
      if (bytes <= PART_BYTES) continue;
      if (!spill) {
        await mkdir(folder, { recursive: true });
        spill = await open(join(folder, SPILL), 'wx');
      }
      for (const each of held.splice(0)) await spill.appendFile(each);
    }
  } finally {
    await spill?.close();
  }
  const file = { path, bytes, sha256: hash.digest('hex') };
  return spill ? { file } : { file, bytes: Buffer.concat(held) };
}

/** Runs a step for every item, several at once; after a failure no more are begun, and it is thrown when all have ended. */
async function forEach<T>(items: readonly T[], step: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  let failed = false;
  const lane = async () => {
    for (const item of rest) {
      if (failed) return;
      await step(item).catch((error) => {
        failed = true;
        throw error;
      });
    }
  };
  const lanes = Array.from({ length: Math.min(CONCURRENCY, items.length) }, lane);
  const results = await Promise.allSettled(lanes);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Milliseconds before the next try: growing, and by chance, so that two writers part. */
function pause(tries: number): number {
  return Math.random() * Math.min(5000, 100 * 2 ** tries);
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function attemptsOf(error: unknown): number {
  return (error as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1;
}

/** No such object; a bucket that is missing is another matter. */
function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket';
}

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  return message && message !== name && message !== 'UnknownError' ? `${name}: ${message}` : name || String(error);
}
