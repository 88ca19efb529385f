import { SceneGraphError, ShapeError } from '../errors.js';
import { type AttributeSpec, attributeRange, type SceneSchema, toRange } from './attributeSchema.js';
import type { SceneBatch, SceneGraph } from './sceneGraph.js';
import { totalNodes } from './sceneGraph.js';
import { shortestFloat32 } from './shortestFloat32.js';

/** Where an attribute stands in the feature matrix. */
export interface AttributeColumns {
  /** First column, counted from the start of the row (the class one-hot comes first). */
  readonly start: number;
  /** 1, or 2 for a periodic attribute: (cos, sin). */
  readonly length: 1 | 2;
}

const TURN = 2 * Math.PI;

/**
 * Scene graphs as the matrices that the distribution transformer reads and writes (Meta-Sim §3.1), and back.
 *
 * A node's feature row is its class one-hot (C columns), then its continuous attributes (K columns): each scaled by its
 * range, a periodic one as two columns ½ + ½ cos and ½ + ½ sin, so that no angle lies at a seam.
 *
 * "Units" are attributes as fractions of their range, u = (a − minimum) / (maximum − minimum); for a periodic
 * attribute u counts turns. Rows of a batch are padded to the V of its largest scene; padding is zero everywhere.
 */
export class FeatureLayout {
  readonly schema: SceneSchema;
  /** C. */
  readonly classCount: number;
  /** A. */
  readonly attributeCount: number;
  /** K: continuous columns. */
  readonly columnCount: number;
  /** F = C + K. */
  readonly featureCount: number;
  /** [A] the columns of each attribute. */
  readonly columns: readonly AttributeColumns[];
  /** [A] 1 for a periodic attribute, else 0. */
  readonly periodic: Uint8Array;

  constructor(schema: SceneSchema) {
    this.schema = schema;
    this.classCount = schema.classes.length;
    this.attributeCount = schema.attributes.length;
    const columns: AttributeColumns[] = [];
    let start = this.classCount;
    for (const spec of schema.attributes) {
      if (!(attributeRange(spec) > 0)) {
        throw new SceneGraphError(
          `Expected minimum < maximum for attribute "${spec.name}" but received ${spec.minimum} and ${spec.maximum}`,
        );
      }
      const length = spec.periodic ? 2 : 1;
      columns.push({ start, length });
      start += length;
    }
    this.columns = columns;
    this.featureCount = start;
    this.columnCount = start - this.classCount;
    this.periodic = Uint8Array.from(schema.attributes, (spec) => (spec.periodic ? 1 : 0));
  }

  /** V of the batch's largest scene: the length its rows are padded to. */
  maxNodes(batch: SceneBatch): number {
    return batch.scenes.reduce((most, scene) => Math.max(most, scene.parent.length), 0);
  }

  /**
   * Feature matrix of every scene.
   * @returns [B, V, F]
   * @throws SceneGraphError when the batch has another schema
   */
  encodeFeatures(batch: SceneBatch): Float32Array {
    const units = this.units(batch);
    const nodes = this.maxNodes(batch);
    const features = this.#padded(batch, this.featureCount);
    forEachNode(batch, nodes, (scene, node, row) => {
      features[row * this.featureCount + scene.classId[node]] = 1;
      this.#writeColumns(units, row, features, row * this.featureCount + this.classCount);
    });
    return features;
  }

  /**
   * Attributes as fractions of their range; outside [0, 1] where the value is outside its range.
   * @returns [B, V, A]
   */
  units(batch: SceneBatch): Float32Array {
    this.expectSchema(batch.schema);
    const width = this.attributeCount;
    const units = this.#padded(batch, width);
    forEachNode(batch, this.maxNodes(batch), (scene, node, row) => {
      for (let a = 0; a < width; a++) {
        const spec = this.schema.attributes[a];
        units[row * width + a] = (scene.attributes[node * width + a] - spec.minimum) / attributeRange(spec);
      }
    });
    return units;
  }

  /**
   * Continuous columns of given units, as an autoencoder's target: clamped to the range first, because that is all a
   * decoder can say.
   * @param units [B, V, A] of this batch's shape
   * @returns [B, V, K]
   */
  columnsFromUnits(units: Float32Array, batch: SceneBatch): Float32Array {
    this.#expectUnits(units, batch);
    const columns = this.#padded(batch, this.columnCount);
    forEachNode(batch, this.maxNodes(batch), (_scene, _node, row) => {
      this.#writeColumns(units, row, columns, row * this.columnCount);
    });
    for (let i = 0; i < columns.length; i++) columns[i] = Math.min(1, Math.max(0, columns[i]));
    return columns;
  }

  /** s_A,mut: [B, V, A], 1 where the transformer may change the value, else 0. */
  mutableMask(batch: SceneBatch): Float32Array {
    this.expectSchema(batch.schema);
    const width = this.attributeCount;
    const mask = this.#padded(batch, width);
    forEachNode(batch, this.maxNodes(batch), (scene, node, row) => {
      for (let a = 0; a < width; a++) mask[row * width + a] = scene.mutable[node * width + a] ? 1 : 0;
    });
    return mask;
  }

  /** [B, V], 1 for a node, 0 for padding. */
  nodeMask(batch: SceneBatch): Float32Array {
    const mask = this.#padded(batch, 1);
    forEachNode(batch, this.maxNodes(batch), (_scene, _node, row) => {
      mask[row] = 1;
    });
    return mask;
  }

  /**
   * Units back to physical values: a periodic attribute is wrapped, any other clamped to its range. Entries that are
   * not mutable are the batch's own, to the bit.
   * @param units [B, V, A] of this batch's shape
   * @returns [ΣV × A], for `withAttributes`
   */
  toPhysical(units: Float32Array, batch: SceneBatch): Float32Array {
    this.#expectUnits(units, batch);
    const width = this.attributeCount;
    const physical = new Float32Array(totalNodes(batch) * width);
    let out = 0;
    forEachNode(batch, this.maxNodes(batch), (scene, node, row) => {
      for (let a = 0; a < width; a++, out++) {
        const spec = this.schema.attributes[a];
        const own = scene.attributes[node * width + a];
        const value = spec.minimum + units[row * width + a] * attributeRange(spec);
        physical[out] = scene.mutable[node * width + a] ? toRange(spec, value) : own;
      }
    });
    return physical;
  }

  /**
   * A gradient with respect to physical attributes as one with respect to units: dL/du = dL/da · range. Zero for
   * entries that are not mutable, and where a value already at the end of its range would be pushed further out by
   * descent, because clamping makes the loss flat there.
   * @param gradient dL/da [ΣV × A]
   * @param batch the scenes at which it was taken
   * @returns [B, V, A]
   */
  padGradient(gradient: Float32Array, batch: SceneBatch): Float32Array {
    this.expectSchema(batch.schema);
    const width = this.attributeCount;
    expectLength('gradient', gradient, totalNodes(batch) * width);
    const padded = this.#padded(batch, width);
    let from = 0;
    forEachNode(batch, this.maxNodes(batch), (scene, node, row) => {
      for (let a = 0; a < width; a++, from++) {
        const spec = this.schema.attributes[a];
        if (!scene.mutable[node * width + a]) continue;
        if (pushesOut(spec, scene.attributes[node * width + a], gradient[from])) continue;
        padded[row * width + a] = gradient[from] * attributeRange(spec);
      }
    });
    return padded;
  }

  /** @throws SceneGraphError when `schema` would be laid out differently; names the first difference. */
  expectSchema(schema: SceneSchema): void {
    if (schema === this.schema) return;
    const own = describe(this.schema);
    const other = describe(schema);
    for (let i = 0; i < Math.max(own.length, other.length); i++) {
      if (own[i] !== other[i]) {
        throw new SceneGraphError(
          `Expected ${own[i] ?? 'no further entry'} for the scenes' schema but received ${other[i] ?? 'none'}`,
        );
      }
    }
  }

  #writeColumns(units: Float32Array, row: number, out: Float32Array, at: number): void {
    for (let a = 0; a < this.attributeCount; a++) {
      const u = units[row * this.attributeCount + a];
      const column = at + this.columns[a].start - this.classCount;
      if (this.periodic[a]) {
        out[column] = 0.5 + 0.5 * Math.cos(TURN * u);
        out[column + 1] = 0.5 + 0.5 * Math.sin(TURN * u);
      } else {
        out[column] = u;
      }
    }
  }

  #expectUnits(units: Float32Array, batch: SceneBatch): void {
    this.expectSchema(batch.schema);
    expectLength('units', units, batch.scenes.length * this.maxNodes(batch) * this.attributeCount);
  }

  #padded(batch: SceneBatch, width: number): Float32Array {
    return new Float32Array(batch.scenes.length * this.maxNodes(batch) * width);
  }
}

/** The feature layout of a schema. */
export function featureLayout(schema: SceneSchema): FeatureLayout {
  return new FeatureLayout(schema);
}

/** Calls `visit` with each node of each scene and its row in arrays padded to `maxNodes` nodes a scene. */
export function forEachNode(
  batch: SceneBatch,
  maxNodes: number,
  visit: (scene: SceneGraph, node: number, row: number, position: number) => void,
): void {
  for (const [b, scene] of batch.scenes.entries()) {
    for (let v = 0; v < scene.parent.length; v++) visit(scene, v, b * maxNodes + v, b);
  }
}

/** Whether descent along `gradient` would leave the range of a clamped attribute that is at its end. */
function pushesOut(spec: AttributeSpec, value: number, gradient: number): boolean {
  if (spec.periodic) return false;
  // Attributes are stored as float32, so the ends are compared as float32.
  return (gradient > 0 && value <= Math.fround(spec.minimum)) || (gradient < 0 && value >= Math.fround(spec.maximum));
}

function describe(schema: SceneSchema): string[] {
  const attributes = schema.attributes.map((spec) => {
    // Ranges pass through float32 in a file.
    const [minimum, maximum] = [spec.minimum, spec.maximum].map((end) => shortestFloat32(Math.fround(end)));
    const range = `[${minimum}, ${maximum}]`;
    return `attribute "${spec.name}" in ${range}${spec.periodic ? ', periodic' : ''}`;
  });
  return [...attributes, ...schema.classes.map((name) => `class "${name}"`)];
}

function expectLength(name: string, array: Float32Array, length: number): void {
  if (array.length !== length) {
    throw new ShapeError(`Expected ${length} entries for ${name} but received ${array.length}`);
  }
}
