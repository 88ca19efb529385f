import type { AssetLibrary } from '../assets/assetLibrary.js';
import { GrammarError } from '../errors.js';
import { RandomStream } from '../random.js';
import { type AttributeSpec, type SceneSchema, toRange } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { CompiledAssets, CompiledNode, CompiledProduction, CompiledVariant } from './compile.js';
import type { CompiledConstraint, PlacedNodes } from './constraints.js';
import { draw, drawCount, drawIndex } from './distributions.js';
import { emptyPoses, type NodePoses, type PoseColumns, placeNode, poseColumns } from './poses.js';
import { MAX_NODES } from './schema.js';

/** Everything sampling needs; immutable. */
export interface SamplerPlan {
  readonly schema: SceneSchema;
  readonly productions: readonly CompiledProduction[];
  readonly constraints: readonly CompiledConstraint[];
  readonly canvas: { readonly width: number; readonly height: number };
  readonly library: AssetLibrary;
  readonly sampling: { readonly maxAttempts: number; readonly retry: 'scene' | 'node' };
  /** Before messages: place of the constraints in the file. */
  readonly where: string;
}

/*
 * Addresses of random streams, all of one (seed, scene index, attempt):
 *   node v,     attribute a       value of attribute a of node v
 *   node v,     ASSET             asset of node v
 *   node v,     STRUCTURE         counts, choices and classes of v's children
 *   SCENE_NODE, STRUCTURE         the same of the roots
 * `attempt` is the number of rejections so far in the scene, so no draw ever repeats a rejected one.
 */
const STRUCTURE = 0xffff;
const ASSET = 0xfffe;
const SCENE_NODE = 0xffff;

/** Retries of one node before the whole scene starts again: the nodes before it may leave it no room. */
const NODE_TRIES = 32;

/** Draws the scene (seed, index). @throws GrammarError when attempts or nodes run out */
export function sampleScene(plan: SamplerPlan, seed: number, index: number): SceneGraph {
  return new SceneSampler(plan, seed, index).sample();
}

/** Of scenes that no constraint looks at. */
const NO_POSES = emptyPoses(0);
const FIRST_POSES = 8;

class SceneSampler {
  readonly #columns: PoseColumns;
  readonly #rejections = new Map<string, number>();
  #attempt = 0;
  #parent: number[] = [];
  #classId: number[] = [];
  #asset: number[] = [];
  #attributes: number[] = [];
  #mutable: number[] = [];
  #poses: NodePoses = NO_POSES;

  constructor(
    readonly plan: SamplerPlan,
    readonly seed: number,
    readonly index: number,
  ) {
    this.#columns = poseColumns(plan.schema);
  }

  sample(): SceneGraph {
    for (;;) {
      this.#clear();
      if (!this.#expand(this.plan.productions, -1)) continue;
      const scene = this.#graph();
      if (this.plan.constraints.length === 0) return scene;
      const broken = this.plan.constraints.filter(
        (constraint) => !constraint.acceptsScene(this.#placed(), () => scene),
      );
      if (broken.length === 0) return scene;
      this.#reject(broken);
    }
  }

  #clear(): void {
    this.#parent = [];
    this.#classId = [];
    this.#asset = [];
    this.#attributes = [];
    this.#mutable = [];
  }

  #stream(node: number, attribute: number): RandomStream {
    return new RandomStream({ seed: this.seed, index: this.index, node, attribute, attempt: this.#attempt });
  }

  /** Adds the nodes of `productions` below `parent`; false when a node found no place. */
  #expand(productions: readonly CompiledProduction[], parent: number): boolean {
    if (productions.length === 0) return true;
    const stream = this.#stream(parent < 0 ? SCENE_NODE : parent, STRUCTURE);
    for (let i = 0; i < productions.length; i++) if (!this.#produce(productions[i], parent, stream)) return false;
    return true;
  }

  #produce(production: CompiledProduction, parent: number, stream: RandomStream): boolean {
    const count = drawCount(production.count, stream);
    for (let i = 0; i < count; i++) {
      const placed =
        production.kind === 'choice'
          ? this.#produce(production.alternatives[drawIndex(production.weights, stream)], parent, stream)
          : this.#addNode(production, parent, stream);
      if (!placed) return false;
    }
    return true;
  }

  #addNode({ variants, children }: CompiledNode, parent: number, stream: RandomStream): boolean {
    const variant = variants[variants.length === 1 ? 0 : stream.integer(variants.length)];
    const node = this.#parent.length;
    if (node >= MAX_NODES) {
      throw new GrammarError(
        `${this.plan.where}: Expected at most ${MAX_NODES} nodes for seed ${this.seed}, index ${this.index} but received more`,
      );
    }
    this.#parent.push(parent);
    this.#classId.push(variant.classId);
    this.#mutable.push(...variant.mutable);
    return this.#fill(node, parent, variant) && this.#expand(children, node);
  }

  /** Draws a node's asset and attributes; with `retry: node` until it breaks no constraint. */
  #fill(node: number, parent: number, variant: CompiledVariant): boolean {
    const { schema, library, constraints, sampling } = this.plan;
    const columns = schema.attributes.length;
    for (let tries = 0; tries < NODE_TRIES; tries++) {
      const asset = this.#drawAsset(node, variant.assets);
      this.#asset[node] = asset;
      for (let a = 0; a < columns; a++) {
        this.#attributes[node * columns + a] = this.#drawAttribute(node, a, schema.attributes[a], variant);
      }
      if (constraints.length === 0) return true;
      this.#reservePose(node);
      const row = this.#attributes.slice(node * columns, (node + 1) * columns);
      const drawn = library.assets[asset];
      const sprite = drawn?.kind === 'sprite' ? drawn : undefined;
      placeNode(this.#poses, node, parent, row, this.#columns, sprite);
      if (sampling.retry === 'scene') return true;
      const placed = this.#placed();
      const broken = constraints.filter(({ acceptsNode }) => acceptsNode && !acceptsNode(placed));
      if (broken.length === 0) return true;
      this.#reject(broken);
    }
    return false;
  }

  #drawAsset(node: number, { weights, groups }: CompiledAssets): number {
    if (groups.length === 0) return -1;
    if (groups.length === 1 && groups[0].length === 1) return groups[0][0];
    const stream = this.#stream(node, ASSET);
    const group = groups[groups.length === 1 ? 0 : drawIndex(weights, stream)];
    return group[stream.integer(group.length)];
  }

  #drawAttribute(node: number, column: number, spec: AttributeSpec, variant: CompiledVariant): number {
    const distribution = variant.values[column];
    const value =
      distribution.kind === 'constant' ? distribution.value : draw(distribution, this.#stream(node, column));
    // Stored as float32; rounding may land on the far end of a turn, which is the near end.
    const stored = Math.fround(toRange(spec, value));
    return spec.periodic && stored >= spec.maximum ? spec.minimum : stored;
  }

  #reservePose(node: number): void {
    const size = this.#poses.x.length;
    if (node < size) return;
    const larger = emptyPoses(Math.max(FIRST_POSES, size * 2));
    for (const key of ['x', 'y', 'rotation', 'scale', 'radius'] as const) larger[key].set(this.#poses[key]);
    this.#poses = larger;
  }

  #placed(): PlacedNodes {
    return { count: this.#parent.length, parent: this.#parent, classId: this.#classId, poses: this.#poses };
  }

  #graph(): SceneGraph {
    return {
      width: this.plan.canvas.width,
      height: this.plan.canvas.height,
      index: this.index,
      parent: new Int32Array(this.#parent),
      classId: new Uint16Array(this.#classId),
      asset: new Int32Array(this.#asset),
      attributes: new Float32Array(this.#attributes),
      mutable: new Uint8Array(this.#mutable),
    };
  }

  /** Counts a rejection and moves on to fresh random numbers. */
  #reject(broken: readonly CompiledConstraint[]): void {
    for (const { name } of broken) this.#rejections.set(name, (this.#rejections.get(name) ?? 0) + 1);
    this.#attempt++;
    const { maxAttempts } = this.plan.sampling;
    if (this.#attempt < maxAttempts) return;
    const counts = [...this.#rejections].sort((a, b) => b[1] - a[1]);
    const report = counts.map(([name, count]) => `${name} failed ${count} times`).join(', ');
    throw new GrammarError(
      `${this.plan.where}: Expected a scene that satisfies all constraints within ${maxAttempts} attempts for ` +
        `seed ${this.seed}, index ${this.index} but received none: ${report}`,
    );
  }
}
