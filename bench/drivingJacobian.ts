/**
 * Gradients through the renderer of driving scenes: dL/dattributes of a batch from dL/dimage, against the naive way, which
 * renders the whole scene at value + δ and value − δ for every attribute, subtracts, multiplies and sums.
 */
import { Engine } from '../src/render/engine.js';
import type { SceneBatch } from '../src/scene/sceneGraph.js';
import { consume } from './bench.js';
import { CARS, drivingLibrary, drivingScenes, HEIGHT, MUTABLE, WIDTH } from './drivingScenes.js';

const SCENES = 16;
const THREADS = 2;
const ROUNDS = 5;
/** Attributes that the naive way is measured with; the rest is scaled. */
const NAIVE_ATTRIBUTES = 16;
const STEP = 0.05;

/** What was measured, each with how. */
export interface JacobianResult {
  /** s for the batch on two threads: the fastest of some rounds. */
  readonly seconds: number;
  /** s of processor time that it took, all threads together: what is left of noise when other work runs beside. */
  readonly cpuSeconds: number;
  /** s for the same by re-rendering, on two threads too. */
  readonly naiveSeconds: number;
  /** Attributes that derivatives were taken of. */
  readonly attributes: number;
  readonly how: string;
  readonly naiveHow: string;
}

export async function measureJacobian(): Promise<JacobianResult> {
  const engine = await Engine.create({ assets: drivingLibrary, workers: THREADS });
  try {
    const batch = drivingScenes(SCENES);
    const attributes = batch.scenes.reduce((sum, { mutable }) => sum + mutable.reduce((all, flag) => all + flag, 0), 0);
    const values = WIDTH * HEIGHT * 3;
    const gradient = Float32Array.from({ length: SCENES * values }, (_, i) => Math.sin(i * 0.37) * 1e-3);
    const taken = await fastest(async () => {
      const out = await engine.vjp(batch, gradient);
      consume(out[0]);
    });
    const naive = await fastest(() => naiveJacobian(engine, batch, gradient.subarray(0, values)));
    return {
      seconds: taken.wall,
      cpuSeconds: taken.cpu,
      naiveSeconds: (naive.wall * attributes) / NAIVE_ATTRIBUTES,
      attributes,
      how:
        `fastest of ${ROUNDS}, ${THREADS} threads, ${SCENES} scenes of ${WIDTH} × ${HEIGHT} px with ${CARS} cars of some 1,400 to ` +
        `1,700 triangles, 4 samples a pixel, attributes ${MUTABLE.join(', ')} of every car`,
      naiveHow: `fastest of ${ROUNDS}, ${THREADS} threads, ${NAIVE_ATTRIBUTES} attributes of one scene, scaled to ${attributes}`,
    };
  } finally {
    await engine.close();
  }
}

/** Least wall-clock and processor time of some rounds, s. */
async function fastest(work: () => Promise<void>): Promise<{ wall: number; cpu: number }> {
  const best = { wall: Number.POSITIVE_INFINITY, cpu: Number.POSITIVE_INFINITY };
  // The first round starts threads and loads meshes.
  for (let round = 0; round <= ROUNDS; round++) {
    const started = performance.now();
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    if (round === 0) continue;
    best.wall = Math.min(best.wall, (performance.now() - started) / 1000);
    best.cpu = Math.min(best.cpu, (user + system) / 1e6);
  }
  return best;
}

/** NAIVE_ATTRIBUTES derivatives of the first scene: both poses of each as one batch, then a contraction here. */
async function naiveJacobian(engine: Engine, batch: SceneBatch, gradient: Float32Array): Promise<void> {
  const [scene] = batch.scenes;
  const entries = [...scene.mutable.keys()].filter((entry) => scene.mutable[entry] === 1).slice(0, NAIVE_ATTRIBUTES);
  for (const entry of entries) {
    const scenes = [STEP, -STEP].map((step) => {
      const attributes = scene.attributes.slice();
      attributes[entry] += step;
      return { ...scene, attributes };
    });
    const { color } = await engine.render({ ...batch, scenes }, { samples: 4 });
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i] * (color[i] - color[gradient.length + i]);
    consume(sum / (2 * STEP));
  }
}
