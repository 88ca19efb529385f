import { ShapeError } from '../errors.js';
import type { ImageStack, LabelledImages, SegmentedImages } from '../learn/taskNetwork.js';
import type { RenderedBatch } from '../render/engine.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';

/** What the renderer gives when it is asked for colours. */
export type ColouredBatch = RenderedBatch<'f32' | 'u8'>;

/** Rendered scenes gathered in memory, batch by batch, with what a task network learns from them. */
export interface SceneData<Data extends ImageStack> {
  /** `add` needs label maps. */
  readonly needsLabels: boolean;
  /** Forgets everything and makes room for `scenes` scenes. */
  begin(scenes: number): void;
  /** Copies a rendered batch. */
  add(rendered: ColouredBatch, scenes: SceneBatch): void;
  /** What has been added since `begin`, as views. */
  data(): Data;
}

/** Images with a class each. Memory: the images in the type they are rendered in, float32 or bytes. */
export class LabelledSceneData implements SceneData<LabelledImages> {
  readonly needsLabels = false;
  readonly #label: (scene: SceneGraph) => number;
  readonly #images = new ImageRoom();
  #labels = new Int32Array(0);

  /** @param label class of a scene for the task */
  constructor(label: (scene: SceneGraph) => number) {
    this.#label = label;
  }

  begin(scenes: number): void {
    this.#images.begin(scenes);
    this.#labels = new Int32Array(scenes);
  }

  add(rendered: ColouredBatch, { scenes }: SceneBatch): void {
    const first = this.#images.count;
    this.#images.add(rendered, rendered.color);
    for (const [i, scene] of scenes.entries()) this.#labels[first + i] = this.#label(scene);
  }

  data(): LabelledImages {
    const stack = this.#images.stack();
    return { ...stack, labels: this.#labels.subarray(0, stack.count) };
  }
}

/** Images with a class for each pixel. Memory: C + 1 bytes a pixel. */
export class SegmentedSceneData implements SceneData<SegmentedImages> {
  readonly needsLabels = true;
  readonly #classes: Uint8Array;
  readonly #images = new ImageRoom();
  #masks = new Uint8Array(0);

  /** @param classes [256] class for the task of each value in the renderer's class maps (`sceneSegmenter`) */
  constructor(classes: Uint8Array) {
    this.#classes = classes;
  }

  begin(scenes: number): void {
    this.#images.begin(scenes);
    this.#masks = new Uint8Array(0);
  }

  /** @throws ShapeError when the batch was rendered without labels */
  add(rendered: ColouredBatch): void {
    const { classes, width, height } = rendered;
    if (!classes) throw new ShapeError('Expected class maps of the rendered scenes but received none');
    const pixels = width * height;
    if (this.#masks.length === 0) this.#masks = new Uint8Array(this.#images.capacity * pixels);
    const first = this.#images.count * pixels;
    for (let i = 0; i < classes.length; i++) this.#masks[first + i] = this.#classes[classes[i]];
    this.#images.add(rendered, bytes(rendered.color));
  }

  data(): SegmentedImages {
    const stack = this.#images.stack();
    return { ...stack, masks: this.#masks.subarray(0, stack.count * stack.width * stack.height) };
  }
}

/** Room for a known number of images; their size and type are those of the first batch. */
class ImageRoom {
  capacity = 0;
  count = 0;
  #images: Uint8Array | Float32Array = new Uint8Array(0);
  #shape = { width: 0, height: 0, channels: 1 as 1 | 3 };

  begin(capacity: number): void {
    this.capacity = capacity;
    this.count = 0;
    this.#images = new Uint8Array(0);
  }

  add({ count, width, height, channels }: ColouredBatch, color: Uint8Array | Float32Array): void {
    const pixels = width * height * channels;
    if (this.count === 0) {
      this.#shape = { width, height, channels };
      const Type = color instanceof Uint8Array ? Uint8Array : Float32Array;
      this.#images = new Type(this.capacity * pixels);
    }
    this.#images.set(color, this.count * pixels);
    this.count += count;
  }

  stack(): ImageStack {
    const { width, height, channels } = this.#shape;
    return {
      ...this.#shape,
      count: this.count,
      images: this.#images.subarray(0, this.count * width * height * channels),
    };
  }
}

/** Colours as the renderer writes its bytes: clamped and rounded. */
function bytes(color: Uint8Array | Float32Array): Uint8Array {
  if (color instanceof Uint8Array) return color;
  const out = new Uint8Array(color.length);
  for (let i = 0; i < color.length; i++) out[i] = Math.min(255, Math.max(0, Math.round(255 * color[i])));
  return out;
}
