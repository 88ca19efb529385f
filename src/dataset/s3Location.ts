import { ConfigError } from '../errors.js';

/** Where in a bucket a dataset lies. */
export interface S3Location {
  readonly bucket: string;
  /** What the keys of all its files begin with, without `/` at the end. */
  readonly prefix: string;
}

/** 3 to 63 of lower-case letters, digits, dots and hyphens ("Bucket naming rules", Amazon S3 User Guide). */
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Keys have at most 1024 bytes: half of them are left for the paths within the dataset. */
const MAX_PREFIX_BYTES = 512;

/**
 * Reads `s3://bucket/prefix`.
 * @throws ConfigError for a name that is no bucket's, and for a prefix that is missing or long, or has parts that are
 * empty, `.` or `..`, or hold a control character or a backslash
 */
export function parseS3Location(text: string): S3Location {
  const refuse = (what: string) =>
    new ConfigError(`Expected ${what} for the output but received ${JSON.stringify(text)}`);
  const match = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(text);
  if (!match) throw refuse('s3://bucket/prefix');
  const [, bucket, rest = ''] = match;
  if (!BUCKET.test(bucket)) throw refuse('the name of a bucket behind s3://');
  const prefix = rest.replace(/\/$/, '');
  if (prefix === '') throw refuse('a prefix behind the bucket, as in s3://bucket/prefix,');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f\\]/.test(prefix)) throw refuse('a prefix without control characters and backslashes');
  if (prefix.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw refuse('a prefix without empty parts, "." and ".."');
  }
  if (Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) throw refuse(`a prefix of at most ${MAX_PREFIX_BYTES} bytes`);
  return { bucket, prefix };
}
