import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { openSource } from '../batch/openSource.js';
import { sampleScenes } from '../dataset/sampleScenes.js';
import { writeSceneFile } from '../dataset/sceneFile.js';
import { DatasetError } from '../errors.js';
import { assetsFlag, countFlag, outFlag, SOURCE_TEXT, seedFlag, setFlag, startFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import { type SourceFlags, sourceOf } from './generate.js';

/** All scenes of a `.msg` file are held in memory. */
const MAX_SCENES = 1_000_000;

interface Flags extends SourceFlags {
  readonly count: number;
  readonly seed: number;
  readonly start: number;
  readonly out: string;
}

/** `metasim sample`: scene graphs from a grammar or a trained run, as a flatbuffer batch. */
export function addSample(program: Command, outcome: Outcome): void {
  const command = program
    .command('sample')
    .description('sample scene graphs and write them as a .msg file')
    .argument('<source>', SOURCE_TEXT)
    .addOption(countFlag('number of scenes', MAX_SCENES))
    .addOption(seedFlag())
    .addOption(startFlag())
    .addOption(outFlag('file to write'))
    .addOption(assetsFlag())
    .addOption(setFlag());
  const examples = [
    'metasim sample examples/grammars/mnist.yaml --set digits=digits --count 1000 --seed 7 --out scenes.msg',
    'metasim sample runs/mnist --count 100 --out transformed.msg',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    const { count, seed, start, out } = flags;
    if (statSync(out, { throwIfNoEntry: false })?.isDirectory()) {
      throw new DatasetError(`Expected a file name for --out but received the folder ${out}`);
    }
    const { source, dispose } = await openSource(sourceOf(path, flags));
    try {
      const progress = context.progress('sample', count);
      const batch = await sampleScenes(source, {
        seed,
        start,
        count,
        signal: context.signal,
        onProgress: (done) => progress.update(done),
      });
      await writeSceneFile(out, batch);
      progress.stop();
      const { grammarHash } = batch.provenance;
      return {
        json: { out, count, seed, start, source: source.name, grammarHash },
        text: `${count} scenes of ${source.name} (seed ${seed}) in ${out}`,
      };
    } finally {
      dispose();
    }
  });
}
