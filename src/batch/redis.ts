import { readFileSync } from 'node:fs';
import { importPeer } from '../dataset/optionalPeer.js';
import { ConfigError, MetasimError } from '../errors.js';

/** How long the first connection may take, ms. */
const CONNECT_TIMEOUT = 5000;
/** Longest pause between attempts to connect again, ms. */
const MAX_RECONNECT_PAUSE = 2000;

/** The queue's server cannot be reached, or refuses. */
export class QueueError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('QUEUE', message, options);
  }
}

/** A Redis or Valkey server. Holds the password: `place` is what may be printed. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Present where the connection is encrypted; `ca` in PEM where it is not one of the system's. */
  readonly tls?: { readonly ca?: string; readonly servername?: string };
  /** Scheme, host, port and database, for messages. */
  readonly place: string;
}

/**
 * Reads `redis://user:password@host:port/database`, or `rediss://…` for TLS; everything but the host may be left out.
 * Special characters of user and password are percent-encoded.
 * @param caFile PEM file of the authority that signed the server's certificate, where it is not one the system knows
 * @throws ConfigError, which never holds the text: it may hold a password
 */
export function parseRedisUrl(text: string, caFile?: string): RedisServer {
  const refuse = (what: string) =>
    new ConfigError(`Expected ${what} for --redis or REDIS_URL but received another form`);
  if (!URL.canParse(text)) throw refuse('redis://[user:password@]host[:port][/database] or rediss://…');
  const url = new URL(text);
  const encrypted = url.protocol === 'rediss:';
  if (!encrypted && url.protocol !== 'redis:') throw refuse('redis://… or rediss://…');
  if (url.hostname === '') throw refuse('a host');
  if (url.search !== '' || url.hash !== '') throw refuse('no "?" and no "#" (write them as %3F and %23 in a password)');
  const db = /^\/?(\d{0,5})\/?$/.exec(url.pathname)?.[1];
  if (db === undefined) throw refuse('the number of a database behind the host');
  if (caFile !== undefined && !encrypted) throw refuse('rediss:// together with a certificate authority');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || 6379);
  return {
    ...{ host, port, db: Number(db) },
    ...(url.username ? { username: decode(url.username) } : {}),
    ...(url.password ? { password: decode(url.password) } : {}),
    ...(encrypted ? { tls: caFile === undefined ? {} : { ca: readCertificate(caFile) } } : {}),
    place: `${url.protocol}//${url.hostname}:${port}/${Number(db)}`,
  };

  function decode(part: string): string {
    try {
      return decodeURIComponent(part);
    } catch {
      throw refuse('percent-encoded user and password');
    }
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(
      `Expected a certificate authority (PEM) at ${path} but received: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Options of ioredis for a server: it is connected to again and again until it answers. */
export function connectionOptions({ place: _, ...server }: RedisServer) {
  return {
    ...server,
    // Commands wait for the connection to come back; a worker that gave up would drop its shards.
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_TIMEOUT,
    retryStrategy: (attempt: number) => Math.min(MAX_RECONNECT_PAUSE, 50 * 2 ** Math.min(attempt, 10)),
  };
}

/**
 * Makes sure once that a server answers, with these credentials and this certificate.
 * @throws QueueError that says why not, without the password; ConfigError when ioredis is not installed
 */
export async function expectRedis(server: RedisServer): Promise<void> {
  const { Redis } = await importPeer('ioredis', 'the queue', () => import('ioredis'));
  const client = new Redis({
    ...connectionOptions(server),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: string | undefined;
  client.on('error', (error: Error) => {
    reason ??= error.message;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    // No cause: errors of the client hold the commands they failed with, AUTH and its password among them.
    throw new QueueError(
      `Expected a Redis server at ${server.place} but received: ${reason ?? (error as Error).message}`,
    );
  } finally {
    client.disconnect();
  }
}
