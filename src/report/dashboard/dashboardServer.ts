import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../../errors.js';

const ADDRESS = '127.0.0.1';
/** Readers at a time. */
const MAX_READERS = 32;
/** Bytes that may wait for a reader. */
const MAX_WAITING = 8 * 2 ** 20;
/** How long the end of a run waits for its readers, ms. */
const FAREWELL_MS = 500;

/** A document. */
export interface Answer {
  readonly type: string;
  readonly body: Uint8Array;
}

export interface DashboardServerOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** Document at a path; undefined where there is none. */
  readonly answer: (path: string) => Answer | undefined;
  /** What a reader of `/events` gets first, as server-sent events. */
  readonly missed: (lastId: string | undefined) => string;
}

/** HTTP on the loopback interface: documents, and server-sent events at `/events`. */
export class DashboardServer {
  readonly #options: DashboardServerOptions;
  readonly #server: Server;
  readonly #readers = new Set<ServerResponse>();
  #port = 0;
  #closed = false;

  constructor(options: DashboardServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#respond(request, response));
    // Neither the server nor a reader keeps the process alive.
    this.#server.unref();
    this.#server.on('connection', (socket) => socket.unref());
  }

  /** @throws ConfigError when the port cannot be had */
  async listen(): Promise<void> {
    const { port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new ConfigError(`Expected a free port of ${ADDRESS} for the dashboard but received ${port}: ${cause.code}`, {
            cause,
          }),
        ),
      );
      this.#server.listen(port, ADDRESS, resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${ADDRESS}:${this.#port}/`;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends text to every reader; one that does not keep up is dropped, and comes back by itself. */
  broadcast(text: string): void {
    for (const reader of this.#readers) {
      if (reader.writableLength > MAX_WAITING) reader.destroy();
      else reader.write(text);
    }
  }

  /** Stops listening, lets readers have what was sent, and hangs up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#server.close();
    const farewells = [...this.#readers].map((reader) => new Promise<void>((resolve) => reader.end(resolve)));
    const limit = new Promise<void>((resolve) => setTimeout(resolve, FAREWELL_MS));
    if (farewells.length > 0) await Promise.race([Promise.all(farewells), limit]);
    this.#server.closeAllConnections();
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const status = this.#refusal(request);
    if (status !== undefined) {
      refuse(response, status);
      return;
    }
    const path = pathOf(request);
    if (path === '/events') {
      this.#read(request, response);
      return;
    }
    const { type, body } = this.#options.answer(path) as Answer;
    response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  /** Why a request is turned away; undefined where it is not. */
  #refusal(request: IncomingMessage): number | undefined {
    // A name that another site made point here (DNS rebinding) stands in `Host`: only our own address may.
    const host = request.headers.host ?? '';
    if (host !== `${ADDRESS}:${this.#port}` && host !== `localhost:${this.#port}`) return 403;
    if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
    const path = pathOf(request);
    if (path !== '/events') return this.#options.answer(path) ? undefined : 404;
    return this.#closed || this.#readers.size >= MAX_READERS ? 503 : undefined;
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const id = request.headers['last-event-id'];
    response.write(`retry: 1000\n\n${this.#options.missed(Array.isArray(id) ? id[0] : id)}`);
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.replace(/[?#].*/s, '');
}

/** For this page's own use: not framed, not embedded, not kept. */
const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain' });
  response.end(`${status}\n`);
}
