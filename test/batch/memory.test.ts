import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenerateDatasetOptions } from '../../src/batch/generateDataset.js';
import { digitsGrammar } from './datasets.js';

const SCRIPT = fileURLToPath(new URL('../../bench/peakMemory.ts', import.meta.url));
/** What garbage may differ by, bytes: kept samples, about 5 kB each, would be 90 MB. */
const TOLERANCE = 40 << 20;

/** Peak memory of a process that generates so many images on two threads, bytes. */
function peak(count: number, more: Partial<GenerateDatasetOptions['settings']>): number {
  const options = {
    source: { path: digitsGrammar({ most: 4 }) },
    settings: { count, seed: 1, shardSize: 500, ...more },
    threads: 2,
  };
  return Number(
    execFileSync(process.execPath, ['--import', 'tsx', SCRIPT, JSON.stringify(options)], { encoding: 'utf8' }),
  );
}

test('memory does not grow with the number of images', () => {
  const few = peak(2000, { format: 'webdataset' });
  const many = peak(20_000, { format: 'webdataset' });
  assert.ok(few > 50e6, `${few} bytes are a whole process`);
  assert.ok(many - few < TOLERANCE, `${few} bytes for 2,000 images, ${many} for 20,000`);
});

test.run();
