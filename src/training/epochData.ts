import type { LabelledImages } from '../learn/taskNetwork.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';

/** Images as the engine returns them. */
interface Rendered {
  readonly color: Uint8Array | Float32Array;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** The data of one meta-epoch (Algorithm 1, lines 6 and 11): images and labels, collected batch by batch. */
export class EpochData {
  readonly #capacity: number;
  readonly #labels: Int32Array;
  #images = new Float32Array(0);
  #shape = { width: 0, height: 0, channels: 1 as 1 | 3 };
  #count = 0;

  /** @param capacity number of scenes of the epoch */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#labels = new Int32Array(capacity);
  }

  /** Copies a rendered batch; without `label` the labels stay 0 and the images are not kept. */
  add(rendered: Rendered, scenes: SceneBatch, label?: (scene: SceneGraph) => number): void {
    if (!label) return;
    const { color, count, width, height, channels } = rendered;
    const pixels = width * height * channels;
    if (this.#count === 0) {
      this.#shape = { width, height, channels: channels as 1 | 3 };
      this.#images = new Float32Array(this.#capacity * pixels);
    }
    this.#images.set(color, this.#count * pixels);
    for (const [i, scene] of scenes.scenes.entries()) this.#labels[this.#count + i] = label(scene);
    this.#count += count;
  }

  /** What has been collected so far, as views. */
  labelled(): LabelledImages {
    const pixels = this.#shape.width * this.#shape.height * this.#shape.channels;
    return {
      count: this.#count,
      ...this.#shape,
      images: this.#images.subarray(0, this.#count * pixels),
      labels: this.#labels.subarray(0, this.#count),
    };
  }
}
