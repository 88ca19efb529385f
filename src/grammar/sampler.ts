import type { AssetLibrary } from '../assets/assetLibrary.js';
import { GrammarError } from '../errors.js';
import { RandomStream } from '../random.js';
import { type AttributeSpec, NodeKind, type SceneSchema, toRange } from '../scene/attributeSchema.js';
import type { Camera, SceneGraph } from '../scene/sceneGraph.js';
import { type Body, placeBody } from './bodies.js';
import {
  type CompiledAlignment,
  type CompiledAssets,
  type CompiledNode,
  type CompiledParameter,
  type CompiledProduction,
  type CompiledProductions,
  type CompiledSpacing,
  type CompiledVariant,
  weightsAt,
} from './compile.js';
import { draw, drawCount, drawIndex } from './distributions.js';
import type { CompiledConstraint, PlacedNodes } from './placedNodes.js';
import { emptyPoses, type NodePoses, type PoseColumns, placeNode, poseColumns } from './poses.js';
import { MAX_NODES } from './schema.js';
import { resolved } from './scope.js';
import { reachAlong, type roleReader } from './spacing.js';

/** Everything sampling needs; immutable. */
export interface SamplerPlan {
  readonly schema: SceneSchema;
  /** Reads attributes by role. */
  readonly reader: ReturnType<typeof roleReader>;
  readonly productions: CompiledProductions;
  readonly constraints: readonly CompiledConstraint[];
  readonly canvas: { readonly width: number; readonly height: number };
  /** 3D. */
  readonly camera?: Camera;
  readonly library: AssetLibrary;
  readonly sampling: { readonly maxAttempts: number; readonly retry: 'scene' | 'node' };
  /** Before messages: place of the constraints in the file … */
  readonly where: string;
  /** … and of the nodes. */
  readonly nodesWhere: string;
}

/*
 * Addresses of random streams, all of one (seed, scene index, attempt):
 *   node v,     attribute a       value of attribute a of node v
 *   node v,     ASSET             asset of node v
 *   node v,     STRUCTURE         counts, choices, classes, gaps and parameters of v's children
 *   SCENE_NODE, STRUCTURE         the same of the roots
 *   SCENE_NODE, p                 parameter p of the scene
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

/** Where a production puts its nodes one after another. */
interface Row {
  readonly spacing: CompiledSpacing;
  /** Where the next one begins; afterwards, where it ends. */
  front: number;
}

class SceneSampler {
  readonly #columns: PoseColumns;
  /** Values of `index` and parameters, by slot. */
  readonly #values: number[];
  readonly #rejections = new Map<string, number>();
  #attempt = 0;
  #parent: number[] = [];
  #classId: number[] = [];
  #asset: number[] = [];
  #attributes: number[] = [];
  #mutable: number[] = [];
  #poses: NodePoses = NO_POSES;
  /** In 3D, of the nodes that a constraint has asked for. */
  #bodies: (Body | undefined)[] = [];

  constructor(
    readonly plan: SamplerPlan,
    readonly seed: number,
    readonly index: number,
  ) {
    this.#columns = poseColumns(plan.schema);
    this.#values = new Array<number>(plan.productions.slots).fill(0);
  }

  sample(): SceneGraph {
    for (;;) {
      this.#clear();
      this.#drawParameters();
      if (!this.#expand(this.plan.productions.roots, -1)) continue;
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
    this.#bodies = [];
  }

  #drawParameters(): void {
    for (const [p, { slot, distribution }] of this.plan.productions.parameters.entries()) {
      this.#values[slot] = draw(resolved(distribution, this.#values), this.#stream(SCENE_NODE, p));
    }
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

  #produce(production: CompiledProduction, parent: number, stream: RandomStream, row?: Row): boolean {
    if (production.spacing) return this.#produceRow(production, production.spacing, parent, stream);
    const count = drawCount(resolved(production.count, this.#values), stream);
    for (let i = 0; i < count; i++) {
      this.#enter(production, i, stream);
      if (!this.#place(production, parent, stream, row)) return false;
    }
    return true;
  }

  /** Nodes one behind the other, as many as begin before the end. */
  #produceRow(production: CompiledProduction, spacing: CompiledSpacing, parent: number, stream: RandomStream): boolean {
    const row = { spacing, front: draw(resolved(spacing.from, this.#values), stream) };
    const end = draw(resolved(spacing.to, this.#values), stream);
    const most = spacing.most ? drawCount(resolved(spacing.most, this.#values), stream) : Infinity;
    for (let i = 0; i < most; i++) {
      this.#enter(production, i, stream);
      row.front += draw(resolved(spacing.gap, this.#values), stream);
      // Asked before the node is drawn, so that it depends on nothing but its place.
      if (!(row.front < end)) break;
      if (!this.#place(production, parent, stream, row)) return false;
    }
    return true;
  }

  /** Sets what holds for the i-th node of a production and what is below it. */
  #enter(
    { index, parameters }: { readonly index: number; readonly parameters: readonly CompiledParameter[] },
    i: number,
    stream: RandomStream,
  ): void {
    if (index >= 0) this.#values[index] = i;
    for (const { slot, distribution } of parameters) {
      this.#values[slot] = draw(resolved(distribution, this.#values), stream);
    }
  }

  #place(production: CompiledProduction, parent: number, stream: RandomStream, row: Row | undefined): boolean {
    if (production.kind === 'node') return this.#addNode(production, parent, stream, row);
    const chosen = drawIndex(weightsAt(production.weights, this.#values), stream);
    return this.#produce(production.alternatives[chosen], parent, stream, row);
  }

  #addNode(
    { variants, align, children }: CompiledNode,
    parent: number,
    stream: RandomStream,
    row: Row | undefined,
  ): boolean {
    const variant = variants[variants.length === 1 ? 0 : stream.integer(variants.length)];
    const node = this.#parent.length;
    if (node >= MAX_NODES) {
      const last = `the last a "${this.plan.schema.classes[variant.classId]}"`;
      const end = row ? '; longer gaps, a nearer "to" or "most" end its spacing' : '';
      throw new GrammarError(
        `${this.plan.nodesWhere}: Expected at most ${MAX_NODES} nodes for seed ${this.seed}, index ${this.index} but received more, ${last}${end}`,
      );
    }
    this.#parent.push(parent);
    this.#classId.push(variant.classId);
    this.#mutable.push(...variant.mutable);
    return this.#fill(node, parent, variant, align, row) && this.#expand(children, node);
  }

  /** Draws a node's asset and attributes; with `retry: node` until it breaks no constraint. */
  #fill(
    node: number,
    parent: number,
    variant: CompiledVariant,
    align: readonly CompiledAlignment[],
    row: Row | undefined,
  ): boolean {
    const { schema, constraints, sampling } = this.plan;
    const columns = schema.attributes.length;
    const start = row?.front ?? 0;
    for (let tries = 0; tries < NODE_TRIES; tries++) {
      this.#asset[node] = this.#drawAsset(node, variant.assets);
      for (let a = 0; a < columns; a++) {
        this.#attributes[node * columns + a] = this.#drawAttribute(node, a, schema.attributes[a], variant);
      }
      for (const alignment of align) this.#align(node, alignment);
      if (row) this.#standInRow(node, row, start);
      if (constraints.length === 0) return true;
      this.#locate(node, parent);
      if (sampling.retry === 'scene') return true;
      const placed = this.#placed();
      const broken = constraints.filter(({ acceptsNode }) => acceptsNode && !acceptsNode(placed));
      if (broken.length === 0) return true;
      this.#reject(broken);
    }
    return false;
  }

  /** Moves a node to where its rear end is at `start`. */
  #standInRow(node: number, row: Row, start: number): void {
    const { column, axis } = row.spacing;
    const [rear, front] = this.#reach(node, axis);
    this.#store(node, column, start - rear);
    row.front = start - rear + front;
  }

  /** Moves a node from where its origin is drawn to be to where an end of it is there. */
  #align(node: number, { column, axis, side }: CompiledAlignment): void {
    const [lower, upper] = this.#reach(node, axis);
    const sign = side(this.#values);
    const end = sign > 0 ? lower : sign < 0 ? upper : (lower + upper) / 2;
    this.#store(node, column, this.#attributes[node * this.plan.schema.attributes.length + column] - end);
  }

  #reach(node: number, axis: 0 | 1 | 2): readonly [number, number] {
    const { schema, library } = this.plan;
    const read = this.plan.reader(this.#attributes, node * schema.attributes.length);
    return reachAlong(axis, library.assets[this.#asset[node]], this.#kind(node), read);
  }

  #store(node: number, column: number, value: number): void {
    const { attributes } = this.plan.schema;
    this.#attributes[node * attributes.length + column] = stored(attributes[column], value);
  }

  #kind(node: number): NodeKind {
    return this.plan.schema.kinds?.[this.#classId[node]] ?? NodeKind.Object;
  }

  /** Where a node is, for constraints. */
  #locate(node: number, parent: number): void {
    const { schema, library } = this.plan;
    const columns = schema.attributes.length;
    const asset = library.assets[this.#asset[node]];
    if (schema.dimension === 3) {
      this.#bodies[node] = undefined;
      return;
    }
    this.#reservePose(node);
    const row = this.#attributes.slice(node * columns, (node + 1) * columns);
    placeNode(this.#poses, node, parent, row, this.#columns, asset?.kind === 'sprite' ? asset : undefined);
  }

  #drawAsset(node: number, { weights, groups }: CompiledAssets): number {
    if (groups.length === 0) return -1;
    if (groups.length === 1 && groups[0].length === 1) return groups[0][0];
    const stream = this.#stream(node, ASSET);
    const group = groups[groups.length === 1 ? 0 : drawIndex(weightsAt(weights, this.#values), stream)];
    return group[stream.integer(group.length)];
  }

  #drawAttribute(node: number, column: number, spec: AttributeSpec, variant: CompiledVariant): number {
    const distribution = resolved(variant.values[column], this.#values);
    return stored(
      spec,
      distribution.kind === 'constant' ? distribution.value : draw(distribution, this.#stream(node, column)),
    );
  }

  #reservePose(node: number): void {
    const size = this.#poses.x.length;
    if (node < size) return;
    const larger = emptyPoses(Math.max(FIRST_POSES, size * 2));
    for (const key of ['x', 'y', 'rotation', 'scale', 'radius'] as const) larger[key].set(this.#poses[key]);
    this.#poses = larger;
  }

  #placed(): PlacedNodes {
    return {
      count: this.#parent.length,
      parent: this.#parent,
      classId: this.#classId,
      poses: this.#poses,
      body: this.#body,
    };
  }

  readonly #body = (node: number): Body => {
    const known = this.#bodies[node];
    if (known) return known;
    const { schema, library } = this.plan;
    const parent = this.#parent[node];
    const body = placeBody(
      this.#kind(node),
      parent < 0 ? undefined : this.#body(parent).placed,
      library.assets[this.#asset[node]],
      this.plan.reader(this.#attributes, node * schema.attributes.length),
    );
    this.#bodies[node] = body;
    return body;
  };

  #graph(): SceneGraph {
    const { camera } = this.plan;
    if (camera) this.#checkSingle();
    return {
      width: this.plan.canvas.width,
      height: this.plan.canvas.height,
      index: this.index,
      parent: new Int32Array(this.#parent),
      classId: new Uint16Array(this.#classId),
      asset: new Int32Array(this.#asset),
      attributes: new Float32Array(this.#attributes),
      mutable: new Uint8Array(this.#mutable),
      ...(camera ? { camera } : {}),
    };
  }

  /** A scene is seen with one camera and lit by one sun. */
  #checkSingle(): void {
    for (const [kind, name] of [
      [NodeKind.Camera, 'camera'],
      [NodeKind.Light, 'light'],
    ] as const) {
      const number = this.#parent.filter((_, node) => this.#kind(node) === kind).length;
      if (number < 2) continue;
      throw new GrammarError(
        `${this.plan.nodesWhere}: Expected at most one ${name} for seed ${this.seed}, index ${this.index} but received ${number}`,
      );
    }
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

/** A value as scenes hold it: within its range, float32. */
function stored(spec: AttributeSpec, value: number): number {
  const rounded = Math.fround(toRange(spec, value));
  // Rounding may land on the far end of a turn, which is the near end.
  return spec.periodic && rounded >= spec.maximum ? spec.minimum : rounded;
}
