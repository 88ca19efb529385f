import { ConfigError } from '../errors.js';
import { LocalStorage } from './localStorage.js';
import type { DatasetStorage } from './storage.js';

/**
 * The storage behind an output as users name it: a folder, or `s3://bucket/prefix`. A folder is made when something is
 * written; a bucket must exist and is asked for at once, so that a wrong name, endpoint or credential shows before work
 * begins.
 * @param environment where an S3 client's settings are looked for (see `openS3Storage`)
 * @throws ConfigError for an empty name, one with NUL, another scheme, a malformed bucket or prefix, or when the S3 client
 * is not installed; DatasetError when the bucket cannot be reached
 */
export async function openStorage(out: string, environment: NodeJS.ProcessEnv = process.env): Promise<DatasetStorage> {
  if (out.trim() === '' || out.includes('\0')) {
    throw new ConfigError(`Expected a folder or s3://bucket/prefix for the output but received ${JSON.stringify(out)}`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(out)?.[1];
  if (scheme === undefined) return new LocalStorage(out);
  if (scheme !== 's3') {
    throw new ConfigError(`Expected a folder or s3://bucket/prefix for the output but received ${scheme}://`);
  }
  const { openS3Storage } = await import('./s3Storage.js');
  return openS3Storage(out, environment);
}
