import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { loadConfig } from '../../src/config.js';
import { encodePng } from '../../src/dataset/png.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { Engine } from '../../src/render/engine.js';
import type { Dashboard } from '../../src/report/dashboard/dashboard.js';
import { TrainingReporter } from '../../src/report/trainingReporter.js';
import { trainFromConfig } from '../../src/training/trainFromConfig.js';

const GRAMMAR = resolve('examples/grammars/mnist.yaml');
export const EPOCHS = 3;
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Writes target images (digits that are turned) and a configuration of a very small training into a folder. */
export async function writeTinyConfig(folder: string): Promise<string> {
  const assets = await openAssetSources([{ kind: 'digits', variants: 4 }]);
  const grammar = await loadGrammar(GRAMMAR, { assets, overrides: { variables: { digits: 'digits', turn: 40 } } });
  const engine = await Engine.create({ assets, workers: 0 });
  try {
    const batch = await grammar.sampleBatch({ seed: 1, start: 0, count: 80 });
    const { color, width, height, channels } = await engine.render(batch, { color: 'u8' });
    const size = width * height * channels;
    for (const part of ['real', ...DIGITS.map((digit) => `v/${digit}`)])
      await mkdir(join(folder, part), { recursive: true });
    for (const [i, scene] of batch.scenes.entries()) {
      const pixels = (color as Uint8Array).subarray(i * size, (i + 1) * size);
      const png = encodePng({ width, height, channels: channels as 1 | 3, pixels });
      if (i < 20) await writeFile(join(folder, 'real', `${i}.png`), png);
      const name = batch.schema.classes[scene.classId[scene.classId.length - 1]];
      await writeFile(join(folder, 'v', name, `${i}.png`), png);
    }
  } finally {
    await engine.close();
  }
  const path = join(folder, 'tiny.yaml');
  await writeFile(
    path,
    `
name: tiny
grammar: ${GRAMMAR}
variables: { digits: digits, mutable: rotation }
assets: [{ kind: digits, variants: 4 }]
target: { images: { folder: real }, validation: { folder: v } }
features: { weights: random, layers: [64, 192] }
transformer: { hidden: [8] }
pretrain: { steps: 20, batchSize: 8 }
warmStart: { candidates: 4, scenes: 8, refine: 1, steps: 2 }
meta: { epochs: ${EPOCHS}, iterations: 2, batchSize: 8 }
task: { epochs: 1 }
workers: 0
`,
  );
  return path;
}

/** Trains as the command line does, with its records and its page. */
export async function trainTiny(
  path: string,
  out: string,
  options: { dashboard?: Dashboard; signal?: AbortSignal; onEpoch?: (epoch: number) => void | Promise<void> } = {},
): Promise<void> {
  const { dashboard, signal, onEpoch } = options;
  let reporter: TrainingReporter | undefined;
  try {
    await trainFromConfig({
      path,
      config: await loadConfig(path),
      out,
      signal,
      observer: {
        onProgress: (stage, fraction, detail) => dashboard?.progress(stage, fraction, detail),
        onStart: async ({ engine, realImages }) => {
          reporter = await TrainingReporter.open({ out, engine, target: realImages, dashboard });
        },
        onWarmStart: (survey) => reporter?.warmStart(survey, ['rotation', 'x', 'y']),
        onPretrain: (result) => reporter?.pretrain(result),
        onEpoch: async (report) => {
          await reporter?.epoch(report);
          await onEpoch?.(report.epoch);
        },
      },
    });
    await reporter?.finish();
  } finally {
    reporter?.close();
  }
}
