import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStorage } from '../../src/dataset/openStorage.js';
import type { DatasetStorage } from '../../src/dataset/storage.js';
import { FakeS3 } from './fakeS3.js';

/** A place for datasets in a test: `open` gives a new handle on the same one, as another machine would have it. */
export interface StoragePlace {
  readonly name: string;
  /** As `--out` names it. */
  readonly out: string;
  /** Environment variables that lead to it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Whether it can keep two writers apart. */
  readonly creates: boolean;
  open(): Promise<DatasetStorage>;
  close(): Promise<void>;
}

const BUCKET = 'datasets';

/** A new folder. */
export function folderPlace(): StoragePlace {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-storage-'));
  const out = join(folder, 'dataset');
  return {
    name: 'folder',
    out,
    environment: {},
    creates: true,
    open: () => openStorage(out),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The local S3 server of `fakeS3.ts`, which is reached as `server`. */
export async function fakeS3Place(): Promise<StoragePlace & { readonly server: FakeS3 }> {
  const server = new FakeS3(BUCKET);
  const place = s3Place('fake S3', await server.listen(), true, () => server.close());
  return { ...place, server };
}

/** s3rver of npm, which knows no conditional puts. */
export async function s3rverPlace(): Promise<StoragePlace> {
  const S3rver = createRequire(import.meta.url)('s3rver') as new (
    options: object,
  ) => { run(): Promise<AddressInfo>; close(): Promise<void> };
  const folder = mkdtempSync(join(tmpdir(), 'metasim-s3rver-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  return s3Place('s3rver', `http://127.0.0.1:${port}`, false, async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

function s3Place(name: string, endpoint: string, creates: boolean, stop: () => Promise<void>): StoragePlace {
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_REGION: 'eu-central-1',
  };
  // Credentials are the SDK's business: it looks for them in the process's own environment.
  Object.assign(process.env, environment);
  const out = `s3://${BUCKET}/sets/first`;
  return { name, out, environment, creates, open: () => openStorage(out, environment), close: stop };
}
