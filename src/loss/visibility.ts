/**
 * A penalty that keeps movable objects visible. Matching features or pleasing a task network, G_θ may find it easiest to
 * move what it cannot place below something else or off the canvas: the failure that Meta-Sim reports.
 *
 * With v_o the share of object o that is seen, P = 1/N Σ_o max(0, v_min − v_o)². v_o is geometry alone, not colour:
 *
 *   v_o = Σ_x w(x) α_o(x) Π_{j above o} (1 − α_j(x)) / Σ_x α_o(x)
 *
 * with α the sprites' blurred silhouettes and w the canvas, fading out over a margin. Both make P smooth where the
 * seen pixels themselves are flat: an object below a larger one, or just off the canvas, has a slope that leads out.
 * The slope goes to all attributes involved, those of the objects that hide it too.
 */
import { ConfigError } from '../errors.js';
import { Engine } from '../render/engine.js';
import { AttributeRole } from '../scene/attributeSchema.js';
import { type SceneBatch, totalNodes } from '../scene/sceneGraph.js';
import { SilhouetteLibrary } from './silhouettes.js';
import { type SilhouettePlan, silhouettePlan, silhouetteScenes, visibilityWindow } from './visibilityScenes.js';

export interface VisibilityPenaltyOptions {
  /** The engine that renders the scenes: its textures are what is looked at. Not closed. */
  readonly engine: Pick<Engine, 'assets'>;
  /**
   * v_min: the share above which an object costs nothing, in (0, 1]. Default 0.75: blurred, an object seen whole beside
   * another or at the canvas's edge still has about 0.85, and one below its equal about 0.45.
   */
  readonly minimum?: number;
}

/** The penalty of a batch and its derivative. */
export interface VisibilityValue {
  /** P ≥ 0; 0 where every object is seen enough. */
  readonly value: number;
  /** dP/dA, float32 [ΣV × A], per physical unit; 0 where an attribute is not mutable. */
  readonly gradient: Float32Array;
  /** v_o of the objects that count, by position of the scene in the batch and node. */
  readonly shares: readonly { readonly scene: number; readonly node: number; readonly share: number }[];
}

const DEFAULT_MINIMUM = 0.75;
/** Scenes drawn at once: bounds the window's copies. */
const CHUNK = 16;
/** Half-step of the central differences, px: silhouettes are smooth over more than that. */
const PIXEL_DELTA = 0.5;

/** The visibility penalty over the textures of an engine. Create it with {@link VisibilityPenalty.create}; close it after use. */
export class VisibilityPenalty {
  readonly #engine: Engine;
  readonly #library: SilhouetteLibrary;
  readonly #minimum: number;

  private constructor(engine: Engine, library: SilhouetteLibrary, minimum: number) {
    this.#engine = engine;
    this.#library = library;
    this.#minimum = minimum;
  }

  /** @throws ConfigError when `minimum` is not in (0, 1]; KernelError when the kernels are not built */
  static async create({ engine, minimum = DEFAULT_MINIMUM }: VisibilityPenaltyOptions): Promise<VisibilityPenalty> {
    if (!(minimum > 0 && minimum <= 1)) {
      throw new ConfigError(`Expected a number in (0, 1] for minimum but received ${minimum}`);
    }
    const library = new SilhouetteLibrary(engine.assets);
    // A few milliseconds a batch: no threads of its own.
    return new VisibilityPenalty(await Engine.create({ assets: library.assets, workers: 0 }), library, minimum);
  }

  /**
   * The penalty of 2D scenes of one canvas size, and its derivative.
   * @throws as `Engine.vjp`
   */
  async valueAndGradient(batch: SceneBatch, signal?: AbortSignal): Promise<VisibilityValue> {
    const gradient = new Float32Array(totalNodes(batch) * batch.schema.attributes.length);
    const plan = await silhouettePlan(batch, this.#library);
    const { counted } = plan;
    if (counted.length === 0) return { value: 0, gradient, shares: [] };
    const shares = await this.#shares(batch, plan, signal);
    // dP/dv of each object.
    const slopes = shares.map((share) => (-2 * Math.max(0, this.#minimum - share)) / counted.length);
    const value = shares.reduce((sum, share) => sum + Math.max(0, this.#minimum - share) ** 2, 0) / counted.length;
    if (value > 0) {
      await this.#addSeenGradient(batch, plan, slopes, gradient, signal);
      addSizeGradient(batch, plan, slopes, shares, gradient);
    }
    return {
      value,
      gradient,
      shares: counted.map(({ scene, node }, i) => ({ scene, node, share: shares[i] })),
    };
  }

  /** Stops what runs and frees the silhouettes. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  /** v_o of every counted object: what the sum of the image gains with the object's brightness, ÷ what it covers alone. */
  async #shares(batch: SceneBatch, plan: SilhouettePlan, signal?: AbortSignal): Promise<number[]> {
    const all = [...new Set(plan.counted.map(({ scene }) => scene))];
    const light = plan.counted.map(() => 1);
    const seen = new Map<number, number>();
    await this.#contract(batch, plan, all, light, 'brightness', signal, (scene, node, row) =>
      seen.set(scene * 65536 + node, row[plan.brightness]),
    );
    return plan.counted.map(({ scene, node, alone }) => (seen.get(scene * 65536 + node) ?? 0) / alone);
  }

  /** Adds Σ_o dP/dv_o · (dS_o/dA) / alone_o, with S_o what is seen of o: each object as bright as it counts. */
  async #addSeenGradient(
    batch: SceneBatch,
    plan: SilhouettePlan,
    slopes: readonly number[],
    gradient: Float32Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const { counted, shrink } = plan;
    const lacking = [...new Set(counted.filter((_, i) => slopes[i] !== 0).map(({ scene }) => scene))];
    const light = slopes.map((slope, i) => slope / counted[i].alone);
    const own = batch.schema.attributes.length;
    const starts = nodeStarts(batch);
    const roles = batch.schema.attributes.map(({ role }) => role);
    await this.#contract(batch, plan, lacking, light, 'attributes', signal, (scene, node, row) => {
      const isRoot = batch.scenes[scene].parent[node] < 0;
      for (let a = 0; a < own; a++) {
        const isShrunk = isRoot && [AttributeRole.X, AttributeRole.Y, AttributeRole.Scale].includes(roles[a]);
        gradient[(starts[scene] + node) * own + a] += isShrunk ? row[a] * shrink : row[a];
      }
    });
  }

  /** Derivatives of the window's sum of the silhouettes, node by node: `visit` gets a row [A'] of each. */
  async #contract(
    batch: SceneBatch,
    plan: SilhouettePlan,
    wanted: readonly number[],
    light: readonly number[],
    isMutable: 'attributes' | 'brightness',
    signal: AbortSignal | undefined,
    visit: (scene: number, node: number, row: Float32Array) => void,
  ): Promise<void> {
    const window = visibilityWindow(plan);
    for (let start = 0; start < wanted.length; start += CHUNK) {
      const positions = wanted.slice(start, start + CHUNK);
      const scenes = silhouetteScenes(batch, plan, positions, light, isMutable);
      const ones = new Float32Array(positions.length * window.length);
      for (let i = 0; i < positions.length; i++) ones.set(window, i * window.length);
      const rows = await this.#engine.vjp(scenes, ones, { pixelDelta: PIXEL_DELTA, signal });
      let at = 0;
      for (const position of positions) {
        for (let v = 0; v < batch.scenes[position].parent.length; v++, at += plan.columns) {
          visit(position, v, rows.subarray(at, at + plan.columns));
        }
      }
    }
  }
}

/** Adds −Σ_o dP/dv_o · v_o · d ln alone_o/dA: a larger object has more to show. */
function addSizeGradient(
  batch: SceneBatch,
  plan: SilhouettePlan,
  slopes: readonly number[],
  shares: readonly number[],
  gradient: Float32Array,
): void {
  const own = batch.schema.attributes.length;
  const column = (role: AttributeRole) => batch.schema.attributes.findIndex((spec) => spec.role === role);
  const scale = column(AttributeRole.Scale);
  const stretches = [column(AttributeRole.ScaleX), column(AttributeRole.ScaleY)];
  const starts = nodeStarts(batch);
  const add = (position: number, v: number, a: number, amount: number) => {
    const scene = batch.scenes[position];
    const value = a < 0 ? 0 : scene.attributes[v * own + a];
    if (value !== 0 && scene.mutable[v * own + a]) gradient[(starts[position] + v) * own + a] += amount / value;
  };
  for (const [i, { scene, node }] of plan.counted.entries()) {
    const amount = -slopes[i] * shares[i];
    for (const a of stretches) add(scene, node, a, amount);
    for (let v = node; v >= 0; v = batch.scenes[scene].parent[v]) add(scene, v, scale, 2 * amount);
  }
}

/** Where each scene's nodes begin among those of the batch. */
function nodeStarts(batch: SceneBatch): number[] {
  let start = 0;
  return batch.scenes.map(({ parent }) => {
    const own = start;
    start += parent.length;
    return own;
  });
}
