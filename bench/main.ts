/**
 * `npm run bench -- [NAME] [--json]`: runs one bench, or all of them one after the other, and prints what it measured
 * beside its peer. With --json standard output holds one object and nothing else.
 */
import type { BenchResult } from './bench.js';

/** Name → file; one question each. */
const BENCHES: Readonly<Record<string, () => Promise<{ run(): Promise<BenchResult> }>>> = {
  sprites: () => import('./sprites.js'),
  perturbations: () => import('./perturbations.js'),
  scaling: () => import('./scaling.js'),
  convolution: () => import('./convolution.js'),
  classifier: () => import('./classifier.js'),
  unet: () => import('./unet.js'),
  inception: () => import('./inception.js'),
  metaEpoch: () => import('./metaEpoch.js'),
  convergence: () => import('./convergence.js'),
  aerial: () => import('./aerial.js'),
  dataset: () => import('./dataset.js'),
  modes: () => import('./modes.js'),
  visibility: () => import('./visibility.js'),
  driving: () => import('./driving.js'),
};

const args = process.argv.slice(2);
const json = args.includes('--json');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`Expected one of ${Object.keys(BENCHES).join(', ')} but received ${unknown.join(', ')}`);
  process.exit(2);
}

const results: BenchResult[] = [];
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  const { run } = await BENCHES[name]();
  const result = await run();
  results.push(result);
  if (!json) print(result);
}
if (json) {
  const objects = results.map(({ fields, ...result }) => ({ ...result, ...fields }));
  console.log(JSON.stringify(objects.length === 1 ? objects[0] : { benches: objects }, null, 2));
}

function print({ name, rows, ratio, peer, target }: BenchResult): void {
  console.log(`\n${name}`);
  const width = Math.max(...rows.map((row) => row.label.length));
  for (const { label, value, unit } of rows) {
    const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    const text = value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
    console.log(`  ${label.padEnd(width)}  ${text.padStart(12)} ${unit}`);
  }
  const bar = target === undefined ? '' : ` (target ${target}: ${ratio >= target ? 'reached' : 'missed'})`;
  console.log(`  ratio to ${peer}: ${ratio.toFixed(2)}${bar}`);
}
