import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { CompletedPart, S3 } from '@aws-sdk/client-s3';
import { DatasetError } from '../errors.js';
import type { StagedFile } from './staging.js';

/** Files up to this size go in one request, larger ones in parts of it: what an upload holds in memory. */
export const PART_BYTES = 8 << 20;
/** Most parts of an upload, by the limits of S3: larger files have larger parts. */
const MAX_PARTS = 10_000;

/** An object of a bucket. */
export interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Uploads a local file: seen whole or not at all, over what is there. What is read must be what was hashed when the file
 * was written; S3 checks the same of what it receives (SHA-256 of a single request, CRC-32 of parts).
 * @param full where the file lies
 * @param file its size and hash
 * @throws DatasetError when the file has changed; what the client throws
 */
export async function uploadFile(client: S3, address: ObjectAddress, full: string, file: StagedFile): Promise<void> {
  const handle = await open(full, 'r');
  try {
    if (file.bytes > PART_BYTES) await uploadParts(client, address, handle, file);
    else await uploadWhole(client, address, await readExactly(handle, 0, file.bytes, file), file);
  } finally {
    await handle.close();
  }
}

/** Uploads bytes that are in memory. @throws as `uploadFile` */
export async function uploadWhole(
  client: S3,
  address: ObjectAddress,
  bytes: Uint8Array,
  file: Pick<StagedFile, 'path' | 'sha256'>,
): Promise<void> {
  const digest = createHash('sha256').update(bytes).digest();
  expectHash(digest, file);
  await client.putObject({ ...address, Body: bytes, ChecksumSHA256: digest.toString('base64') });
}

async function uploadParts(client: S3, address: ObjectAddress, handle: FileHandle, file: StagedFile): Promise<void> {
  const partBytes = partSize(file.bytes);
  const { UploadId } = await client.createMultipartUpload({ ...address, ChecksumAlgorithm: 'CRC32' });
  try {
    const hash = createHash('sha256');
    const parts: CompletedPart[] = [];
    for (let at = 0; at < file.bytes; at += partBytes) {
      const Body = await readExactly(handle, at, Math.min(partBytes, file.bytes - at), file);
      hash.update(Body);
      const PartNumber = parts.length + 1;
      const part = { ...address, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' as const };
      const { ETag, ChecksumCRC32 } = await client.uploadPart(part);
      parts.push({ ETag, PartNumber, ...(ChecksumCRC32 ? { ChecksumCRC32 } : {}) });
    }
    expectHash(hash.digest(), file);
    await client.completeMultipartUpload({ ...address, UploadId, MultipartUpload: { Parts: parts } });
  } catch (error) {
    // Parts of an upload that is neither completed nor aborted are kept, and paid for.
    await client.abortMultipartUpload({ ...address, UploadId }).catch(() => {});
    throw error;
  }
}

/**
 * Size of the parts of a file, bytes: all parts but the last have it.
 * @param bytes size of the file
 */
export function partSize(bytes: number): number {
  const least = Math.ceil(bytes / MAX_PARTS);
  return Math.max(PART_BYTES, Math.ceil(least / (1 << 20)) * (1 << 20));
}

async function readExactly(handle: FileHandle, at: number, bytes: number, file: StagedFile): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, at + done);
    if (bytesRead === 0) throw changed(file);
    done += bytesRead;
  }
  return buffer;
}

function expectHash(digest: Buffer, file: Pick<StagedFile, 'path' | 'sha256'>): void {
  if (digest.toString('hex') !== file.sha256) throw changed(file);
}

function changed(file: Pick<StagedFile, 'path'>): DatasetError {
  return new DatasetError(`Expected ${file.path} as it was written but received other bytes from the staging folder`);
}
