import type { LicenceUse } from '../manifest.js';
import type { DatasetInfo } from '../sample.js';
import type { StagedFile } from '../staging.js';
import { layersOf } from '../surfaceLayers.js';
import type { FileTally } from './fileTally.js';
import type { DatasetStatistics } from './statistics.js';

/** What the description of a dataset is written from: a header and a manifest hold most of it. */
export interface DatasetFacts {
  readonly info: DatasetInfo;
  /** The dataset format, as `--format` names it. */
  readonly layout: string;
  readonly tool: { readonly version: string };
  readonly count: number;
  readonly seed: number;
  /** Scene index of the first image. */
  readonly start: number;
  readonly shards: number;
  readonly shardSize?: number;
  /** Of JPEG and WebP, 0–100. */
  readonly quality?: number;
  /** Visible px that an object needs to count as visible. */
  readonly minimumPixels?: number;
  /** Images whose first scene could not be made. */
  readonly quarantined?: number;
  /** Name of the grammar or run. */
  readonly source: string;
  /** Empty where there is none: for a dataset that was converted. */
  readonly grammarHash: string;
  readonly contentHash: string;
  readonly licences: readonly LicenceUse[];
  readonly statistics: DatasetStatistics;
  /** Files that span the shards. */
  readonly files: readonly StagedFile[];
  /** The shards' own files. */
  readonly shardFiles?: FileTally;
  /** A sentence or two; default: what is in the images. */
  readonly description?: string;
  /** Page of the dataset; default: its card. */
  readonly url?: string;
  /** Who answers for it; default: metasim, which made it. */
  readonly creator?: string;
  /** ISO 8601. Not known before it is published, and never today's date: the same run has to give the same files. */
  readonly datePublished?: string;
}

/** One sentence on what the dataset is. */
export function describeInWords({ info, count, source, description }: DatasetFacts): string {
  if (description) return description;
  const images = `${count.toLocaleString('en-US')} synthetic ${count === 1 ? 'image' : 'images'}`;
  const things = info.things.length;
  const extras = [...(info.masks ? ['instance and class masks'] : []), ...layersOf(info)];
  const last = extras.pop();
  const masks = last === undefined ? '' : `, with ${extras.length > 0 ? `${extras.join(', ')} and ` : ''}${last}`;
  return `${images} of ${things} ${things === 1 ? 'class' : 'classes'}, rendered from scene graphs of ${source} by metasim, with labels that are exact because the scenes are known${masks}.`;
}
