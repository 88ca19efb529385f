import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expectNewOrEmpty } from '../dataset/files.js';
import { seedFlag, threadsFlag } from './flags.js';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly out?: string;
  readonly seed: number;
  readonly threads?: number;
}

/** Images of the dataset that the demo leaves behind, and the first one's scene: beyond those that training saw. */
const FIRST_SCENE = 1_000_000;
const DATASET_COUNT = 100;

/** `metasim demo`: the whole loop on built-in digits, without any data. */
export function addDemo(program: Command, outcome: Outcome): void {
  const command = program
    .command('demo')
    .description('learn the rotation gap on built-in digits in a few minutes; needs no data')
    .option('--out <folder>', 'run folder (default: runs/demo, with -SEED behind it for other seeds than 0)')
    .addOption(seedFlag())
    .addOption(threadsFlag());
  define<Flags>(
    outcome,
    command,
    ['metasim demo', 'metasim demo --seed 3 --out runs/third'],
    async (_, flags, context) => {
      const [
        { runMnistToFolder },
        { mnistResultText },
        { DEMO },
        { MNIST_TARGETS },
        { loadRun },
        { generateWithProgress },
      ] = await Promise.all([
        import('./mnistRun.js'),
        import('../report/mnistReport.js'),
        import('../experiments/mnist/presets.js'),
        import('../experiments/mnist/targets.js'),
        import('../training/run.js'),
        import('./generate.js'),
      ]);
      const { seed, threads, out = seed === 0 ? 'runs/demo' : `runs/demo-${seed}` } = flags;
      const target = MNIST_TARGETS['mnist-rotation'];
      const config = { ...DEMO, seed };
      const dataset = join(out, 'dataset');
      // The dataset of an earlier demo makes way; a folder of somebody else's that is called so does not.
      if (!existsSync(join(out, 'run.json'))) await expectNewOrEmpty(dataset);
      const result = await runMnistToFolder({ target, data: 'procedural', out, config, threads }, context);
      await rm(dataset, { recursive: true, force: true });
      const run = await loadRun(out);
      try {
        const { source, assets, record, hash } = run;
        await generateWithProgress(
          {
            source: { source, assets, config: { run: record }, hash },
            out: dataset,
            settings: { count: DATASET_COUNT, seed, start: FIRST_SCENE, masks: true },
            ...(threads === undefined ? {} : { threads }),
          },
          context,
        );
      } finally {
        run.dispose();
      }
      const places = [`report: ${join(out, 'report.html')}`, `dataset: ${dataset} (${DATASET_COUNT} labelled images)`];
      return { json: { ...result, dataset }, text: `${mnistResultText(result)}\n${places.join('\n')}` };
    },
  );
}
