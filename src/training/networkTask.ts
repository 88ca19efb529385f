import type { ClassificationTaskConfig } from '../config.js';
import type { ImageStack, LabelledImages, SegmentedImages, TaskNetwork } from '../learn/taskNetwork.js';
import type { RenderedBatch } from '../render/engine.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import type { MetaTask, TaskScore } from './metaTask.js';
import { LabelledSceneData, type SceneData, SegmentedSceneData } from './sceneData.js';

export interface NetworkTaskOptions<Data extends ImageStack> {
  /** The task disposes it. */
  readonly network: TaskNetwork<Data, unknown>;
  /** Gathers an epoch's scenes. */
  readonly scenes: SceneData<Data>;
  /** V: the small labelled set of real images. */
  readonly validation: Data;
  readonly config: Pick<ClassificationTaskConfig, 'epochs' | 'resetEachEpoch'>;
  /** Of the weights that `resetEachEpoch` draws. */
  readonly seed: number;
}

/** A task network in this process. Memory: one epoch of images, as its `SceneData` keeps them. */
export class NetworkTask<Data extends ImageStack> implements MetaTask {
  readonly #options: NetworkTaskOptions<Data>;
  #epoch = 1;

  constructor(options: NetworkTaskOptions<Data>) {
    this.#options = options;
  }

  get needsLabels(): boolean {
    return this.#options.scenes.needsLabels;
  }

  begin(epoch: number, scenes: number): void {
    this.#epoch = epoch;
    this.#options.scenes.begin(scenes);
  }

  add(rendered: RenderedBatch<'f32'>, scenes: SceneBatch): void {
    this.#options.scenes.add(rendered, scenes);
  }

  async score({ signal }: { readonly signal?: AbortSignal } = {}): Promise<TaskScore> {
    const { network, scenes, validation, config, seed } = this.#options;
    if (config.resetEachEpoch) network.reset(seed + this.#epoch - 1);
    await network.train(scenes.data(), { epochs: config.epochs, signal });
    return network.evaluate ? network.evaluate(validation) : { score: await network.score(validation) };
  }

  state(): Promise<Record<string, Float32Array>> {
    return this.#options.network.state();
  }

  load(state: Record<string, Float32Array>): void {
    this.#options.network.load(state);
  }

  dispose(): void {
    this.#options.network.dispose();
  }
}

/** The ingredients of a built-in task but for what it learns from. */
type TaskOf<Data extends ImageStack> = Omit<NetworkTaskOptions<Data>, 'scenes'>;

/** A task whose network tells images apart. @param label class of a generated scene */
export function classificationTask(
  options: TaskOf<LabelledImages> & { readonly label: (scene: SceneGraph) => number },
): NetworkTask<LabelledImages> {
  return new NetworkTask({ ...options, scenes: new LabelledSceneData(options.label) });
}

/** A task whose network tells pixels apart. @param classes as `sceneSegmenter` gives them */
export function segmentationTask(
  options: TaskOf<SegmentedImages> & { readonly classes: Uint8Array },
): NetworkTask<SegmentedImages> {
  return new NetworkTask({ ...options, scenes: new SegmentedSceneData(options.classes) });
}
