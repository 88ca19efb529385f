import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Password of the tests' servers; holds what must be encoded in a URL. */
export const REDIS_PASSWORD = 'p@ss/w:rd#1';

/** Whether a program can be run. */
export function hasProgram(name: string): boolean {
  try {
    execFileSync(name, [name === 'openssl' ? 'version' : '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A redis-server of the test's own: loopback, a free port, a password, no persistence. */
export class RedisProcess {
  readonly port: number;
  readonly folder: string;
  readonly tls: boolean;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, tls: boolean) {
    this.port = port;
    this.folder = folder;
    this.tls = tls;
  }

  /** @param options.tls with a certificate that `caFile` vouches for */
  static async start({ tls = false } = {}): Promise<RedisProcess> {
    const server = new RedisProcess(await freePort(), mkdtempSync(join(tmpdir(), 'metasim-redis-')), tls);
    if (tls) makeCertificates(server.folder);
    await server.restart();
    return server;
  }

  get url(): string {
    return `${this.tls ? 'rediss' : 'redis'}://:${encodeURIComponent(REDIS_PASSWORD)}@127.0.0.1:${this.port}`;
  }

  /** The authority that signed the certificate. */
  get caFile(): string {
    return join(this.folder, 'ca.pem');
  }

  /** Starts the server again, on the same port, with nothing in it. */
  async restart(): Promise<void> {
    const port = this.tls
      ? ['--port', '0', '--tls-port', `${this.port}`, '--tls-auth-clients', 'no', ...this.#certificates()]
      : ['--port', `${this.port}`];
    const rest = ['--bind', '127.0.0.1', '--requirepass', REDIS_PASSWORD, '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', [...port, ...rest, '--dir', this.folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      let output = '';
      child.stdout.on('data', (text) => {
        output += text;
        if (output.includes('Ready to accept connections')) resolve();
      });
      child.once('exit', () => reject(new Error(`redis-server ended: ${output}`)));
      child.once('error', reject);
    });
  }

  /** As a crash: what was in it is lost. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #certificates(): string[] {
    const file = (name: string) => join(this.folder, name);
    return [
      '--tls-cert-file',
      file('server.pem'),
      '--tls-key-file',
      file('server.key'),
      '--tls-ca-cert-file',
      file('ca.pem'),
    ];
  }
}

/** An authority of the test's own, and a certificate for 127.0.0.1 that it signed. */
function makeCertificates(folder: string): void {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '1', '-subj', '/CN=test authority');
  openssl(
    'req',
    ...key,
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  );
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', '1'];
  openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.pem', ...signing);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
