import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { importPeer } from './optionalPeer.js';

/** Tries of one request before it fails, pauses between them growing to 20 s: a night's run outlasts a busy server. */
const MAX_ATTEMPTS = 8;
/** Without an answer or a byte for so long, a request is tried again; ms. */
const CONNECT_TIMEOUT = 10_000;
const SILENCE_TIMEOUT = 60_000;

/**
 * A client with the settings that all tools of AWS read from the environment and from its configuration files:
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`,
 * `AWS_MAX_ATTEMPTS` … With an endpoint of one's own the region is `us-east-1` where none is named, and buckets stand in
 * the path, as MinIO, Ceph and others want it; `METASIM_S3_PATH_STYLE=0` puts them into the host name.
 * @throws ConfigError when @aws-sdk/client-s3 is not installed
 */
export async function createS3Client(environment: NodeJS.ProcessEnv): Promise<S3> {
  const sdk = await importPeer('@aws-sdk/client-s3', 'datasets in s3:// buckets', () => import('@aws-sdk/client-s3'));
  return new sdk.S3(clientConfig(environment));
}

/** The part of a client's settings that is decided here; the rest is the SDK's own business. */
export function clientConfig(environment: NodeJS.ProcessEnv): S3ClientConfig {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || undefined;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || (endpoint ? 'us-east-1' : undefined);
  const style = environment.METASIM_S3_PATH_STYLE;
  return {
    ...(endpoint ? { endpoint } : {}),
    ...(region ? { region } : {}),
    forcePathStyle: style ? !['0', 'false', 'no'].includes(style.toLowerCase()) : endpoint !== undefined,
    maxAttempts: Number(environment.AWS_MAX_ATTEMPTS) || MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT, socketTimeout: SILENCE_TIMEOUT },
  };
}
