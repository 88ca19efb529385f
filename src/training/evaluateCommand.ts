import type { AssetLibrary } from '../assets/assetLibrary.js';
import type { CommandTaskConfig } from '../config.js';
import type { Engine } from '../render/engine.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { CommandTask } from './commandTask.js';

/** Scenes rendered at once. */
const CHUNK = 64;

export interface EvaluateCommandOptions {
  readonly engine: Engine;
  /** What the dataset is generated from. */
  readonly source: SceneSource;
  readonly config: CommandTaskConfig;
  /** V, absolute. */
  readonly validation?: string;
  /** Run folder: the dataset in `task/`, captured output in `logs/`. */
  readonly out: string;
  /** What dataset and log are called. */
  readonly label: string;
  readonly assets: AssetLibrary;
  readonly seed: number;
  readonly images: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, detail: string) => void;
}

/**
 * Lets an external task train on a static dataset of a source, and score.
 * @throws as `CommandTask`
 */
export async function evaluateCommand(options: EvaluateCommandOptions): Promise<{ score: number; seconds: number }> {
  const { engine, source, config, validation, out, label, assets, seed, images, signal, onProgress } = options;
  const started = performance.now();
  // Its working folder is in the configuration: that of a run has been made absolute.
  const cwd = config.cwd ?? out;
  const task = new CommandTask({ config, cwd, out, validation, seed, assets, name: source.name, label });
  try {
    await task.begin(0, images);
    for (let done = 0; done < images; ) {
      signal?.throwIfAborted();
      const batch = await source.sampleBatch({ seed, start: done, count: Math.min(CHUNK, images - done) });
      await task.add(await engine.render(batch, { color: 'f32', labels: true, signal }), batch);
      done += batch.scenes.length;
      onProgress?.(done / images / 2, 'writing the dataset');
    }
    onProgress?.(0.5, 'the command runs');
    const { score } = await task.score({ signal });
    return { score, seconds: (performance.now() - started) / 1000 };
  } finally {
    task.dispose();
  }
}
