import { RandomStream } from '../../random.js';
import { attributeIndex } from '../../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../../scene/sceneSource.js';

/** Address of the random stream that orders digits; no grammar draws from it. */
const ORDER = { index: Number.MAX_SAFE_INTEGER, node: 0xffff, attribute: 0xfffd };

/** A digit's true pose in the target images: what Meta-Sim has to find. */
export interface DigitPose {
  /** Degrees, clockwise. */
  readonly rotation: number;
  /** px from the canvas centre, to the right. */
  readonly x: number;
  /** px from the canvas centre, downwards. */
  readonly y: number;
}

/** One of the MNIST domain gaps (§4.1), and what the transformer may change to close it. */
export interface MnistTarget {
  readonly name: string;
  /** Canvas side, px. */
  readonly size: 32 | 64;
  readonly pose: DigitPose;
  readonly mutable: readonly ('rotation' | 'x' | 'y')[];
}

/** The paper's two targets (table 1), and a third that it does not have. */
export const MNIST_TARGETS = {
  'mnist-rotation': {
    name: 'mnist-rotation',
    size: 32,
    pose: { rotation: 90, x: 0, y: 0 },
    mutable: ['rotation'],
  },
  'mnist-rotation-translation': {
    name: 'mnist-rotation-translation',
    size: 64,
    pose: { rotation: 90, x: -18, y: 18 },
    mutable: ['rotation', 'x', 'y'],
  },
  'mnist-217': {
    name: 'mnist-217',
    size: 64,
    pose: { rotation: 217, x: 14, y: -14 },
    mutable: ['rotation', 'x', 'y'],
  },
} as const satisfies Record<string, MnistTarget>;

export type MnistTargetName = keyof typeof MNIST_TARGETS;

/**
 * The grammar's scenes with every digit put into the target's pose: the distribution the real images come from.
 * A digit is a node with mutable attributes.
 */
export class PosedSource implements SceneSource {
  readonly name: string;
  readonly #source: SceneSource;
  readonly #pose: DigitPose;

  constructor(source: SceneSource, pose: DigitPose, name: string) {
    this.#source = source;
    this.#pose = pose;
    this.name = name;
  }

  async sampleBatch(request: SampleRequest): Promise<SceneBatch> {
    const batch = await this.#source.sampleBatch(request);
    return { ...batch, scenes: batch.scenes.map((scene) => this.#posed(batch, scene)) };
  }

  #posed(batch: SceneBatch, scene: SceneGraph): SceneGraph {
    const columns = batch.schema.attributes.length;
    const attributes = scene.attributes.slice();
    for (const name of ['rotation', 'x', 'y'] as const) {
      const column = attributeIndex(batch.schema, name);
      const spec = batch.schema.attributes[column];
      const value = this.#pose[name];
      const stored = spec.periodic && value > spec.maximum ? value - (spec.maximum - spec.minimum) : value;
      for (let v = 0; v < scene.parent.length; v++) {
        const isDigit = scene.mutable.subarray(v * columns, (v + 1) * columns).includes(1);
        if (isDigit) attributes[v * columns + column] = stored;
      }
    }
    return { ...scene, attributes };
  }
}

/**
 * Every digit image of a library exactly once, in an order drawn with a seed: digits are the assets whose name ends in
 * `⟨digit⟩/⟨number⟩`. Sampling would repeat some and leave out others; here two ranges of indices share no digit, and
 * any range holds all classes, however the library is sorted.
 */
export class EveryDigitSource implements SceneSource {
  readonly name: string;
  readonly count: number;
  readonly #template: SceneBatch;
  readonly #digits: readonly { asset: number; classId: number }[];

  /**
   * @param template a batch of the grammar over the same library; its first scene lends the structure
   * @param seed of the order
   */
  constructor(template: SceneBatch, name: string, seed = 0) {
    this.name = name;
    this.#template = template;
    const digits: { asset: number; classId: number }[] = [];
    for (const [asset, assetName] of template.assets.entries()) {
      const digit = /\/(\d)\/\d+$/.exec(assetName)?.[1];
      const classId = digit === undefined ? -1 : template.schema.classes.indexOf(digit);
      if (classId >= 0) digits.push({ asset, classId });
    }
    const stream = new RandomStream({ seed, ...ORDER });
    // Fisher and Yates' shuffle.
    for (let i = digits.length - 1; i > 0; i--) {
      const j = stream.integer(i + 1);
      [digits[i], digits[j]] = [digits[j], digits[i]];
    }
    this.#digits = digits;
    this.count = digits.length;
  }

  /** The order is that of the constructor's seed, whatever the request's; indices from `count` on give no scene. */
  sampleBatch({ start, count }: SampleRequest): SceneBatch {
    const [model] = this.#template.scenes;
    const columns = this.#template.schema.attributes.length;
    const node = model.parent.findIndex((_, v) => model.mutable.subarray(v * columns, (v + 1) * columns).includes(1));
    const scenes = this.#digits.slice(start, start + count).map(({ asset, classId }, i) => {
      const scene = { ...model, index: start + i, asset: model.asset.slice(), classId: model.classId.slice() };
      scene.asset[node] = asset;
      scene.classId[node] = classId;
      return scene;
    });
    return { ...this.#template, scenes };
  }
}
