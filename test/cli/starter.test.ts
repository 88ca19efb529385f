import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse as parseYaml, stringify } from 'yaml';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { STARTER_TARGET, writeStarterDomain } from '../../src/cli/starter/starterDomain.js';
import { STARTER_TASKS } from '../../src/cli/starter/tasks.js';
import { TOOLS } from '../../src/cli/starter/tools.js';
import { loadConfig, type TrainConfigInput } from '../../src/config.js';
import { DatasetError } from '../../src/errors.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { DistributionTransformer } from '../../src/learn/distributionTransformer.js';
import { tf } from '../../src/learn/tf.js';
import { evaluateRun } from '../../src/training/evaluateRun.js';
import { learnedAttributes } from '../../src/training/learnedAttributes.js';
import { pretrain } from '../../src/training/pretrain.js';
import { trainFromConfig } from '../../src/training/trainFromConfig.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-starter-'));
test.after(() => rmSync(folder, { recursive: true }));

test('the domain: pictures, labels and a configuration for each kind of task; a folder with something in it is refused', async () => {
  for (const task of STARTER_TASKS) {
    const path = join(folder, task);
    const files = await writeStarterDomain({ folder: path, task, target: 3, validation: 12 });
    for (const file of files) assert.ok(existsSync(join(path, file)), file);
    const config = await loadConfig(join(path, 'config.yaml'));
    assert.is(config.task.kind, task);
    assert.is(config.target.validation?.kind, task === 'segmentation' ? 'masks' : 'folders');
    assert.is(readdirSync(join(path, 'target')).length, 3);
    const readme = readFileSync(join(path, 'README.md'), 'utf8');
    assert.ok(readme.includes(`turned by ${STARTER_TARGET.rotation.mean}°`) && !readme.includes('{{'), readme);
    if (task === 'segmentation') {
      const values = new Set<number>();
      for (const name of readdirSync(join(path, 'validation/masks'))) {
        const mask = decode(readFileSync(join(path, 'validation/masks', name)));
        const used = new Set(mask.data);
        assert.is(used.size, 2, 'the tray and one tool');
        for (const value of used) values.add(value);
      }
      assert.equal([...values].sort(), [0, 1, 2, 3]);
    } else {
      assert.equal(readdirSync(join(path, 'validation')).sort(), [...TOOLS]);
    }
  }
  const again = await writeStarterDomain({ folder: join(folder, 'command') }).catch((error) => error);
  assert.instance(again, DatasetError);
  assert.match(again.message, /new or empty folder .* which holds/);
  assert.is((await loadConfig(join(folder, 'command/config.yaml'))).task.kind, 'command', 'nothing was touched');
});

test('its pre-training is long enough: every tool keeps its own place, angle and size', async () => {
  await initBackend({ threads: 1 });
  const path = join(folder, 'whole');
  await writeStarterDomain({ folder: path, target: 2, validation: 3 });
  const config = await loadConfig(join(path, 'config.yaml'));
  const assets = await openAssetSources([{ kind: 'images', folder: join(path, 'textures'), prefix: 'textures' }]);
  const source = await loadGrammar(join(path, 'grammar.yaml'), { assets });
  const transformer = new DistributionTransformer({ schema: source.schema, hidden: config.transformer.hidden });
  const { attributes } = await pretrain({ source, transformer, ...config.pretrain });
  // With 300 steps x and scale kept less than a tenth.
  for (const { name, kept = 0 } of attributes) assert.ok(kept > 0.7, `${name}: ${kept}`);
  transformer.dispose();
  await disposeBackend();
});

test('it learns: MMD falls by half, the external task scores more, and the camera is found', async () => {
  await initBackend({ threads: 1 });
  const before = tf.memory().numTensors;
  const path = join(folder, 'small');
  await writeStarterDomain({ folder: path, task: 'command', target: 40, validation: 30 });
  // The same configuration with less of everything, and features that need no download.
  const file = join(path, 'config.yaml');
  const written = parseYaml(readFileSync(file, 'utf8')) as TrainConfigInput;
  const config: TrainConfigInput = {
    ...written,
    features: { weights: 'random', layers: [64] },
    mmd: { realImages: 40 },
    warmStart: { candidates: 128, scenes: 16, refine: 4, steps: 20 },
    pretrain: { steps: 200 },
    meta: { epochs: 2, iterations: 3, batchSize: 16, learningRate: 0.002 },
    workers: 0,
  };
  writeFileSync(file, stringify(config));
  const out = join(path, 'runs/first');
  const mmds: number[] = [];
  let learned = new Map<string, number>();
  await trainFromConfig({
    path: file,
    config: await loadConfig(file),
    out,
    observer: {
      onWarmStart: (found) => void mmds.push(found.kind === 'survey' ? found.survey[0].mmd : found.grammarMmd),
      onEpoch: ({ mmd, input, mean }) => {
        mmds.push(mmd);
        learned = new Map(
          learnedAttributes(input, mean).map((each) => [`${each.class} ${each.attribute}`, each.after]),
        );
      },
    },
  });
  const [ofGrammar, ...ofEpochs] = mmds;
  assert.ok((ofEpochs.at(-1) as number) < ofGrammar / 2, mmds.join());
  for (const tool of TOOLS) {
    const error = Math.abs((learned.get(`${tool} rotation`) as number) - STARTER_TARGET.rotation.mean);
    assert.ok(error < 15, `${tool}: ${error}° off`);
  }

  // A relative path is meant from here, not from the folder that the command runs in.
  const labelled = relative(process.cwd(), join(path, 'validation'));
  const { grammar, metasim } = await evaluateRun(out, { images: 90, epochs: 1, test: labelled });
  assert.ok(metasim.score > grammar.score + 0.15, `${grammar.score} → ${metasim.score}`);
  assert.equal(readdirSync(join(out, 'logs')).sort(), [
    'task-epoch-0001.log',
    'task-epoch-0002.log',
    'task-evaluate-grammar-0000.log',
    'task-evaluate-metasim-0000.log',
  ]);
  const missing = evaluateRun(out, { images: 90, epochs: 1, test: join(folder, 'nowhere') });
  const reason = await missing.catch((error: Error) => error);
  assert.instance(reason, DatasetError);
  assert.match((reason as Error).message, /Expected readable test images at .*nowhere/);
  assert.is(tf.memory().numTensors, before);
  await disposeBackend();
});

test.run();
