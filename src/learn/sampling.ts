import { type RandomAddress, RandomStream } from '../random.js';
import { forEachNode } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';

/** Addresses in a seed's streams from which the seeds of the attribute noise and of the latent noise are derived. */
const NOISE_PURPOSE = { index: Number.MAX_SAFE_INTEGER, node: 0xffff, attribute: 0xfffe };
const LATENT_PURPOSE = { index: Number.MAX_SAFE_INTEGER, node: 0xffff, attribute: 0xfffd };

/**
 * A standard normal number for each attribute of each node, as a pure function of (seed, scene index, node,
 * attribute). The streams are others than a grammar's of the same seed: noise must not repeat what was sampled.
 * @returns [B, V, A], padded to the largest scene; zero in the padding and where nothing is mutable
 */
export function attributeNoise(batch: SceneBatch, attributeCount: number, seed: number): Float32Array {
  const maxNodes = batch.scenes.reduce((most, scene) => Math.max(most, scene.parent.length), 0);
  const noise = new Float32Array(batch.scenes.length * maxNodes * attributeCount);
  const ownSeed = derivedSeed(seed, NOISE_PURPOSE);
  forEachNode(batch, maxNodes, (scene, node, row) => {
    for (let a = 0; a < attributeCount; a++) {
      if (!scene.mutable[node * attributeCount + a]) continue;
      const stream = new RandomStream({ seed: ownSeed, index: scene.index, node, attribute: a });
      noise[row * attributeCount + a] = polarNormal(stream);
    }
  });
  return noise;
}

/**
 * Latent noise: numbers uniform in [−1, 1) for each node, as a pure function of (seed, scene index, node), from streams
 * of their own. Uniform, because a network that parts them at a threshold then leaves few scenes between two modes.
 * @param columns K, numbers a node
 * @returns [B, V, K], padded to the largest scene; zero in the padding
 */
export function latentNoise(batch: SceneBatch, columns: number, seed: number): Float32Array {
  const maxNodes = batch.scenes.reduce((most, scene) => Math.max(most, scene.parent.length), 0);
  const noise = new Float32Array(batch.scenes.length * maxNodes * columns);
  const ownSeed = derivedSeed(seed, LATENT_PURPOSE);
  forEachNode(batch, maxNodes, (scene, node, row) => {
    const stream = new RandomStream({ seed: ownSeed, index: scene.index, node });
    for (let k = 0; k < columns; k++) noise[row * columns + k] = 2 * stream.uniform() - 1;
  });
  return noise;
}

/** μ + σ ε, elementwise: a sample of N(μ, σ²). */
export function addNoise(means: Float32Array, noise: Float32Array, sigma: number): Float32Array {
  return means.map((mean, i) => mean + sigma * noise[i]);
}

/** A seed whose streams share nothing with those of `seed`. */
function derivedSeed(seed: number, purpose: Omit<RandomAddress, 'seed'>): number {
  return Math.floor(new RandomStream({ seed, ...purpose }).uniform() * Number.MAX_SAFE_INTEGER);
}

/** One draw of N(0, 1) by the polar method (Marsaglia and Bray, 1964), which needs no trigonometry. */
function polarNormal(stream: RandomStream): number {
  for (;;) {
    const x = 2 * stream.uniform() - 1;
    const y = 2 * stream.uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}
