import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssets } from '../../src/batch/openSource.js';
import { loadConfig } from '../../src/config.js';
import { encodePng } from '../../src/dataset/png.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { DistributionTransformer } from '../../src/learn/distributionTransformer.js';
import { TransformedSource } from '../../src/learn/transformedSource.js';
import { trainFromConfig } from '../../src/training/trainFromConfig.js';
import { digestsOf, digitsGrammar, generate, hashOf, newPath } from './datasets.js';

await initBackend({ threads: 1 });
test.after(() => disposeBackend());

const grammar = digitsGrammar({ most: 6 });
const run = newPath('run');
await train();

/** A run of a few seconds, on scenes of very different size. */
async function train(): Promise<void> {
  const real = newPath('real');
  mkdirSync(real);
  for (let i = 0; i < 12; i++) {
    const pixels = Uint8Array.from({ length: 32 * 32 }, (_, at) => (at * (i + 3)) % 251);
    writeFileSync(join(real, `${i}.png`), encodePng({ width: 32, height: 32, channels: 1, pixels }));
  }
  const path = `${newPath('config')}.yaml`;
  writeFileSync(
    path,
    `
name: tiny
grammar: ${grammar}
assets: [{ kind: digits, variants: 3 }]
target: { images: { folder: ${real} } }
features: { weights: random, layers: [64] }
mmd: { realImages: 12 }
transformer: { hidden: [8] }
pretrain: { steps: 20, batchSize: 8 }
warmStart: { candidates: 2, scenes: 4, refine: 1, steps: 1 }
meta: { epochs: 1, iterations: 2, batchSize: 8 }
workers: 0
`,
  );
  await trainFromConfig({ path, config: await loadConfig(path), out: run });
}

test('a trained run as the source: the same content for any shards, threads and machines', async () => {
  const stream = { count: 60, seed: 5, format: 'webdataset' } as const;
  const hash = await hashOf(run, { ...stream, shardSize: 1000 });
  for (const shardSize of [7, 25]) assert.is(await hashOf(run, { ...stream, shardSize }), hash);
  const two = await generate(run, { ...stream, shardSize: 10 }, { threads: 2 });
  assert.is(two.manifest?.contentHash, hash);
  const end = await generate(run, { ...stream, count: 11, start: 49 });
  assert.equal(digestsOf(end.out), digestsOf(two.out).slice(49));
  assert.is.not(hash, await hashOf(grammar, stream), 'it has learned something');
});

test('a transformer gives a scene the same bits whatever stands beside it', async () => {
  const { library: assets } = await openAssets(undefined);
  const source = await loadGrammar(grammar, { assets });
  const { schema } = await source.sampleBatch({ seed: 0, start: 0, count: 1 });
  const transformer = new DistributionTransformer({ schema, seed: 1 });
  const transformed = new TransformedSource({ source, transformer, sigma: 0.02 });
  const sample = async (start: number, count: number) =>
    (await transformed.sampleBatch({ seed: 2, start, count })).scenes.map(({ attributes }) => attributes);
  const together = await sample(0, 300);
  for (const size of [1, 2, 3, 7, 50, 256]) {
    const apart: Float32Array[] = [];
    for (let start = 0; start < 300; start += size) apart.push(...(await sample(start, Math.min(size, 300 - start))));
    assert.equal(apart, together, `batches of ${size}`);
  }
  transformer.dispose();
});

test.run();
