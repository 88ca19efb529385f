import { RandomStream } from '../../src/random.js';
import { AttributeRole, type AttributeSpec, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../../src/scene/sceneSource.js';

/** An attribute column with few words. */
export function attribute(
  name: string,
  role: AttributeRole,
  minimum: number,
  maximum: number,
  periodic = false,
): AttributeSpec {
  return { name, role, unit: '', minimum, maximum, periodic };
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => `digit${digit}`);

/** Background and ten digits on a 64 × 64 canvas: the schema of the paper's MNIST experiment. */
export const mnistSchema: SceneSchema = {
  dimension: 2,
  channels: 1,
  attributes: [
    attribute('x', AttributeRole.X, -64, 64),
    attribute('y', AttributeRole.Y, -64, 64),
    attribute('rotation', AttributeRole.Rotation, -180, 180, true),
    attribute('scale', AttributeRole.Scale, 0, 4),
    attribute('brightness', AttributeRole.Brightness, 0, 1),
  ],
  classes: ['background', ...DIGITS],
};

/** Two nodes a scene, as the paper's grammar makes them: a digit of a random class, upright, in the middle. */
export class MnistLikeSource implements SceneSource {
  readonly name = 'mnist-like';

  sampleBatch({ seed, start, count }: SampleRequest): SceneBatch {
    const scenes = Array.from({ length: count }, (_, i) => {
      const digit = new RandomStream({ seed, index: start + i, node: 1, attribute: 99 }).integer(10);
      return scene(start + i, {
        parent: [-1, 0],
        classId: [0, 1 + digit],
        attributes: [32, 32, 0, 2.5, 0.2, 0, 0, 0, 1, 1],
        mutable: [0, 0, 0, 0, 0, 1, 1, 1, 0, 0],
      });
    });
    return { schema: mnistSchema, assets: [], scenes, provenance: provenance(this.name, seed) };
  }
}

/** Three classes and six attributes, two of them periodic. */
export const randomSchema: SceneSchema = {
  dimension: 2,
  channels: 3,
  attributes: [
    attribute('x', AttributeRole.X, -100, 100),
    attribute('y', AttributeRole.Y, 0, 50),
    attribute('rotation', AttributeRole.Rotation, 0, 360, true),
    attribute('scale', AttributeRole.Scale, 0.5, 2),
    attribute('hue', AttributeRole.None, -1, 1, true),
    attribute('opacity', AttributeRole.Opacity, 0, 1),
  ],
  classes: ['road', 'car', 'tree'],
};

/** Random trees of 1 to `maxNodes` nodes of any schema; classes, attributes and masks uniform at random. */
export class RandomSource implements SceneSource {
  readonly name = 'random';
  readonly #schema: SceneSchema;
  readonly #maxNodes: number;

  constructor(schema: SceneSchema = randomSchema, maxNodes = 12) {
    this.#schema = schema;
    this.#maxNodes = maxNodes;
  }

  sampleBatch({ seed, start, count }: SampleRequest): SceneBatch {
    const scenes = Array.from({ length: count }, (_, i) => this.#scene(seed, start + i));
    return { schema: this.#schema, assets: [], scenes, provenance: provenance(this.name, seed) };
  }

  #scene(seed: number, index: number): SceneGraph {
    const { attributes, classes } = this.#schema;
    const stream = new RandomStream({ seed, index });
    const nodes = 1 + stream.integer(this.#maxNodes);
    const rows = Array.from({ length: nodes }, (_, node) => ({
      parent: stream.integer(node + 1) - 1,
      classId: stream.integer(classes.length),
      values: attributes.map(({ minimum, maximum }) => minimum + stream.uniform() * (maximum - minimum)),
      mutable: attributes.map(() => stream.integer(2)),
    }));
    return scene(index, {
      parent: rows.map((row) => row.parent),
      classId: rows.map((row) => row.classId),
      attributes: rows.flatMap((row) => row.values),
      mutable: rows.flatMap((row) => row.mutable),
    });
  }
}

/** A scene graph from plain lists, on a 64 × 64 canvas, without assets. */
export function scene(
  index: number,
  lists: { parent: number[]; classId: number[]; attributes: number[]; mutable: number[] },
): SceneGraph {
  return {
    width: 64,
    height: 64,
    index,
    parent: Int32Array.from(lists.parent),
    classId: Uint16Array.from(lists.classId),
    asset: new Int32Array(lists.parent.length).fill(-1),
    attributes: Float32Array.from(lists.attributes),
    mutable: Uint8Array.from(lists.mutable),
  };
}

function provenance(grammar: string, seed: number) {
  return { grammar, grammarHash: '', seed };
}
