import { createHash } from 'node:crypto';
import { z } from 'zod';
import { headerSchema, parseJson } from './header.js';
import type { DatasetStorage } from './storage.js';

/** Written last: a dataset without it is not finished. */
export const MANIFEST_PATH = 'manifest.json';
/** SHA-256 of the manifest, as sha256sum writes it: the one file that the manifest cannot hold the hash of. */
export const MANIFEST_HASH_PATH = '.metasim/manifest.sha256';

const natural = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const licenceSchema = z.strictObject({
  /** As the asset states it; "unknown" where it states none. */
  licence: z.string(),
  /** Number of different assets used. */
  assets: natural,
  /** Folders of their names, e.g. `mnist/train/7`, sorted. */
  from: z.array(z.string()),
});

/** A licence and what was used under it. */
export type LicenceUse = z.output<typeof licenceSchema>;

const manifestSchema = headerSchema.extend({
  shards: natural,
  /** SHA-256 over the samples' digests in order: the same whatever threads, shards or machines made the dataset. */
  contentHash: sha256,
  /** Of the shards' files and the files of the whole. */
  bytes: natural,
  /** SHA-256 over the shards' entries (`.metasim/shards`) in order, which hold the hashes of their files. */
  entriesHash: sha256,
  /** Scenes that could not be made, so that others stand in for them. */
  quarantined: natural,
  licences: z.array(licenceSchema),
  /** Files that span the shards, sorted by path; `manifest.json` itself is not among them. */
  files: z.array(z.strictObject({ path: z.string(), bytes: natural, sha256 })),
});

/** `manifest.json`: what a dataset holds, how to make it again, and how to know that it is whole. */
export type Manifest = z.output<typeof manifestSchema>;

/** What `MANIFEST_HASH_PATH` holds for a manifest. */
export function manifestHashLine(manifest: Uint8Array | string): string {
  return `${createHash('sha256').update(manifest).digest('hex')}  ${MANIFEST_PATH}\n`;
}

/** The manifest of a finished dataset; undefined where there is none. @throws ConfigError when it is damaged */
export async function readManifest(storage: DatasetStorage): Promise<Manifest | undefined> {
  const bytes = await storage.read(MANIFEST_PATH);
  return bytes && parseJson(bytes, manifestSchema, `${storage.place}/${MANIFEST_PATH}`);
}
