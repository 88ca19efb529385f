import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from '../../src/crc32.js';

/** What goes wrong with a request: an answer of S3, or a connection that breaks. */
export type Fault =
  /** 503 SlowDown. */
  | 'slowDown'
  /** 409 ConditionalRequestConflict. */
  | 'conflict'
  /** The connection breaks before anything was done. */
  | 'reset'
  /** The connection breaks when all was done, in place of the answer. */
  | 'lostAnswer'
  /** The connection breaks in the middle of the answer's body. */
  | 'cutBody';

/** A request as faults are chosen by. */
export interface FakeRequest {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

interface StoredObject {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly metadata: Record<string, string>;
}

interface Upload {
  readonly key: string;
  readonly metadata: Record<string, string>;
  readonly parts: Map<number, StoredObject>;
}

/** The limits of Amazon's S3. */
const MIN_PART_BYTES = 5 << 20;

/** An answer that is an error, as S3 words it. */
class S3Failure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * A local S3 server for tests, in memory, path style: the requests that metasim makes, answered as the API reference of
 * Amazon S3 has it, conditional puts and checksums included. Signatures are not checked. What it does not know is answered
 * with 501, never with a wrong success.
 */
export class FakeS3 {
  /** Objects by key, of the one bucket. */
  readonly objects = new Map<string, StoredObject>();
  /** Uploads that are neither completed nor aborted, by id. */
  readonly uploads = new Map<string, Upload>();
  /** All requests so far, as `PUT key`. */
  readonly log: string[] = [];
  /** Largest body received, bytes. */
  largestBody = 0;
  /** Most keys on a page of a listing. */
  pageKeys = 1000;
  /** Chooses what goes wrong. */
  fault: (request: FakeRequest) => Fault | undefined = () => undefined;
  /** Waits before a request is answered. */
  hold: (request: FakeRequest) => Promise<void> | undefined = () => undefined;
  readonly bucket: string;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(bucket: string) {
    this.bucket = bucket;
  }

  /** @returns the endpoint's URL */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const [bucket, ...rest] = decodeURIComponent(url.pathname).slice(1).split('/');
    const asked = {
      method: request.method ?? '',
      key: rest.join('/'),
      query: url.searchParams,
      headers: request.headers,
    };
    this.log.push(`${asked.method} ${asked.key}${url.search ? `?${[...url.searchParams.keys()].join('&')}` : ''}`);
    const fault = this.fault(asked);
    if (fault === 'reset') {
      request.socket.destroy();
      return;
    }
    try {
      const body = await bodyOf(request);
      await this.hold(asked);
      this.largestBody = Math.max(this.largestBody, body.length);
      if (fault === 'slowDown') throw new S3Failure(503, 'SlowDown', 'Please reduce your request rate.');
      if (fault === 'conflict') {
        throw new S3Failure(409, 'ConditionalRequestConflict', 'A conflicting operation occurred during the request.');
      }
      if (bucket !== this.bucket) throw new S3Failure(404, 'NoSuchBucket', 'The specified bucket does not exist');
      const answer = this.#answer(asked, body);
      if (fault === 'lostAnswer') {
        request.socket.destroy();
        return;
      }
      const bytes = typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0));
      response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length });
      if (fault === 'cutBody') {
        response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
        return;
      }
      response.end(asked.method === 'HEAD' ? undefined : bytes);
    } catch (error) {
      const { status, code, message } =
        error instanceof S3Failure ? error : new S3Failure(500, 'InternalError', (error as Error).message);
      const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>0</RequestId></Error>`;
      response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) });
      response.end(asked.method === 'HEAD' ? undefined : xml);
    }
  }

  #answer(request: FakeRequest, body: Buffer): Answer {
    const { method, key, query } = request;
    if (key === '') {
      if (method === 'HEAD') return { status: 200 };
      if (method === 'GET' && query.get('list-type') === '2') return this.#list(query);
    } else {
      const upload = query.get('uploadId');
      if (method === 'POST' && query.has('uploads')) return this.#startUpload(request);
      if (method === 'PUT' && upload !== null) return this.#uploadPart(upload, request, body);
      if (method === 'POST' && upload !== null) return this.#completeUpload(upload, body.toString());
      if (method === 'DELETE' && upload !== null) return this.#abortUpload(upload);
      if (method === 'PUT') return this.#put(request, body);
      if (method === 'GET' || method === 'HEAD') return this.#get(request);
      if (method === 'DELETE') {
        this.objects.delete(key);
        return { status: 204 };
      }
    }
    throw new S3Failure(501, 'NotImplemented', `A header or query you provided is not implemented: ${method} ${query}`);
  }

  #put({ key, headers }: FakeRequest, body: Buffer): Answer {
    const condition = headers['if-none-match'];
    if (condition !== undefined && condition !== '*') throw new S3Failure(501, 'NotImplemented', 'If-None-Match');
    if (headers['if-match'] !== undefined) throw new S3Failure(501, 'NotImplemented', 'If-Match');
    checkSums(headers, body);
    if (condition === '*' && this.objects.has(key)) {
      throw new S3Failure(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
    const object = { bytes: body, etag: `"${md5(body)}"`, metadata: metadataOf(headers) };
    this.objects.set(key, object);
    return { status: 200, headers: { etag: object.etag } };
  }

  #get({ key, headers }: FakeRequest): Answer {
    const object = this.objects.get(key);
    if (!object) throw new S3Failure(404, 'NoSuchKey', 'The specified key does not exist.');
    if (headers['if-match'] !== undefined && headers['if-match'] !== object.etag) {
      throw new S3Failure(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    }
    const common: Record<string, string> = { etag: object.etag, 'content-type': 'application/octet-stream' };
    for (const [name, value] of Object.entries(object.metadata)) common[`x-amz-meta-${name}`] = value;
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    if (!range) return { status: 200, headers: common, body: object.bytes };
    const first = Number(range[1]);
    const last = Math.min(range[2] ? Number(range[2]) : Number.POSITIVE_INFINITY, object.bytes.length - 1);
    if (first > last) throw new S3Failure(416, 'InvalidRange', 'The requested range is not satisfiable');
    common['content-range'] = `bytes ${first}-${last}/${object.bytes.length}`;
    return { status: 206, headers: common, body: object.bytes.subarray(first, last + 1) };
  }

  #list(query: URLSearchParams): Answer {
    if (query.has('delimiter')) throw new S3Failure(501, 'NotImplemented', 'delimiter');
    const prefix = query.get('prefix') ?? '';
    const token = query.get('continuation-token');
    const after = token === null ? undefined : Buffer.from(token, 'base64').toString();
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const rest = keys.slice(after === undefined ? 0 : keys.indexOf(after) + 1);
    const maxKeys = Math.min(Number(query.get('max-keys') ?? this.pageKeys), this.pageKeys);
    const page = rest.slice(0, maxKeys);
    const truncated = page.length < rest.length;
    const contents = page.map((key) => {
      const { bytes, etag } = this.objects.get(key) as StoredObject;
      return `<Contents><Key>${escapeXml(key)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>${escapeXml(etag)}</ETag><Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
    });
    const next = truncated ? Buffer.from(page[page.length - 1]).toString('base64') : '';
    const tail = truncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : '';
    return xmlAnswer(
      'ListBucketResult',
      `<Name>${this.bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount><MaxKeys>${maxKeys}</MaxKeys><IsTruncated>${truncated}</IsTruncated>${contents.join('')}${tail}`,
    );
  }

  #startUpload({ key, headers }: FakeRequest): Answer {
    const id = randomUUID();
    this.uploads.set(id, { key, metadata: metadataOf(headers), parts: new Map() });
    return xmlAnswer(
      'InitiateMultipartUploadResult',
      `<Bucket>${this.bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`,
    );
  }

  #uploadPart(id: string, { query, headers }: FakeRequest, body: Buffer): Answer {
    const number = Number(query.get('partNumber'));
    if (!Number.isInteger(number) || number < 1 || number > 10_000) {
      throw new S3Failure(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    }
    checkSums(headers, body);
    const etag = `"${md5(body)}"`;
    this.#upload(id).parts.set(number, { bytes: body, etag, metadata: {} });
    const sum = headers['x-amz-checksum-crc32'];
    return { status: 200, headers: { etag, ...(sum ? { 'x-amz-checksum-crc32': String(sum) } : {}) } };
  }

  #completeUpload(id: string, xml: string): Answer {
    const { key, metadata, parts } = this.#upload(id);
    const named = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
    }));
    if (named.length === 0) throw new S3Failure(400, 'MalformedXML', 'The XML you provided was not well-formed');
    const pieces = named.map(({ number, etag }, i) => {
      const part = parts.get(number);
      if (part?.etag !== etag) throw new S3Failure(400, 'InvalidPart', 'One or more of the parts could not be found.');
      if (i > 0 && number <= named[i - 1].number) {
        throw new S3Failure(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
      }
      if (i < named.length - 1 && part.bytes.length < MIN_PART_BYTES) {
        throw new S3Failure(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
      }
      return part.bytes;
    });
    const sums = Buffer.concat(pieces.map((piece) => createHash('md5').update(piece).digest()));
    const etag = `"${md5(sums)}-${pieces.length}"`;
    this.objects.set(key, { bytes: Buffer.concat(pieces), etag, metadata });
    this.uploads.delete(id);
    return xmlAnswer(
      'CompleteMultipartUploadResult',
      `<Bucket>${this.bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>${escapeXml(etag)}</ETag>`,
    );
  }

  #abortUpload(id: string): Answer {
    this.#upload(id);
    this.uploads.delete(id);
    return { status: 204 };
  }

  #upload(id: string): Upload {
    const upload = this.uploads.get(id);
    if (!upload) throw new S3Failure(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
    return upload;
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  if (String(request.headers['content-encoding'] ?? '').includes('aws-chunked')) {
    throw new S3Failure(501, 'NotImplemented', 'aws-chunked');
  }
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Compares a body with the checksums that came with it. */
function checkSums(headers: IncomingMessage['headers'], body: Buffer): void {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(body) >>> 0);
  const sums: Record<string, string> = {
    'x-amz-checksum-crc32': crc.toString('base64'),
    'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64'),
    'content-md5': createHash('md5').update(body).digest('base64'),
  };
  for (const [name, sum] of Object.entries(sums)) {
    if (headers[name] === undefined || headers[name] === sum) continue;
    throw new S3Failure(400, 'BadDigest', `The ${name} you specified did not match the calculated checksum.`);
  }
}

function metadataOf(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)]));
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

function xmlAnswer(root: string, content: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
