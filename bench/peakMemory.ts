/**
 * Generates a dataset in this process and prints the peak of its memory, bytes: `peakMemory.ts JSON`, the JSON being
 * `GenerateDatasetOptions` without `out`. For processes of their own, since the peak never falls.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateDataset } from '../src/batch/generateDataset.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-memory-'));
try {
  await generateDataset({ ...JSON.parse(process.argv[2]), out: join(folder, 'dataset') });
  console.log(process.resourceUsage().maxRSS * 1024);
} finally {
  rmSync(folder, { recursive: true });
}
