import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse as parseYaml, stringify } from 'yaml';
import { makeOwnDomain } from '../../examples/ownDomain.js';
import {
  disposeBackend,
  initBackend,
  loadConfig,
  loadRun,
  type TrainConfigInput,
  trainFromConfig,
} from '../../src/index.js';
import { temporaryFolder } from './runModule.js';

const example = fileURLToPath(new URL('../../examples/train/digits.yaml', import.meta.url));
const grammar = fileURLToPath(new URL('../../examples/grammars/mnist.yaml', import.meta.url));

test('the example of an own domain, in small: images in folders, a configuration, a run that can be sampled', async () => {
  const folder = temporaryFolder();
  try {
    const target = join(folder.path, 'ownDomain');
    await makeOwnDomain({ out: target, real: 40, validation: 80 });
    assert.is(readdirSync(join(target, 'real')).length, 40);
    const labelled = readdirSync(join(target, 'validation'));
    assert.equal(labelled.sort(), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);

    // The example's file, with less of everything. Its paths stay relative to where it lies.
    const written = parseYaml(readFileSync(example, 'utf8')) as TrainConfigInput;
    const config: TrainConfigInput = {
      ...written,
      grammar,
      target: { images: { folder: '../ownDomain/real' }, validation: { folder: '../ownDomain/validation' } },
      features: { weights: 'random' },
      mmd: { realImages: 40 },
      warmStart: { candidates: 24, scenes: 20, refine: 2, steps: 6 },
      pretrain: { steps: 120 },
      meta: { epochs: 1, iterations: 3, batchSize: 10 },
    };
    const path = join(folder.path, 'config', 'small.yaml');
    mkdirSync(join(folder.path, 'config'));
    writeFileSync(path, stringify(config));
    await initBackend({ prefer: 'wasm' });
    const out = join(folder.path, 'run');
    const scores: number[] = [];
    await trainFromConfig({
      path,
      config: await loadConfig(path),
      out,
      observer: { onEpoch: ({ score }) => void scores.push(score) },
    });
    assert.is(scores.length, 1);
    assert.ok(scores[0] >= 0 && scores[0] <= 1);

    const run = await loadRun(out);
    try {
      assert.is(run.epoch, 1);
      const { schema, scenes } = await run.source.sampleBatch({ seed: 9, start: 0, count: 50 });
      const rotation = schema.attributes.findIndex(({ name }) => name === 'rotation');
      const angles = scenes.map(({ attributes }) => attributes[schema.attributes.length + rotation]);
      const mean = angles.reduce((sum, angle) => sum + angle, 0) / angles.length;
      // The grammar's digits stand at 0°, the target's at 60°.
      assert.ok(Math.abs(mean - 60) < 25, String(mean));
    } finally {
      run.dispose();
    }
  } finally {
    await disposeBackend();
    folder.remove();
  }
});

test.run();
