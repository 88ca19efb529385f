import { attributeDifference, attributeRange } from '../scene/attributeSchema.js';
import { type FeatureLayout, forEachNode } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { PretrainResult } from './pretrain.js';

/** Below this share, users are told. */
const TOLD_BELOW = 0.5;
/** Aims closer together than this standard deviation, as a fraction of the range, have no variation to keep. */
const ALIKE = 1e-3;

/**
 * Share of the variation within a class that comes through a transformer, over the mutable values: 1 − Σ error² / Σ deviation²,
 * where deviations are those of the aims from their class's mean. 1: each object keeps its own value; 0 or less: the objects
 * of a class come out alike, as if the grammar drew no distribution at all.
 * @param decoded [B, V, A] what comes out, in units of the range
 * @param target  [B, V, A] what should
 * @returns [A]; undefined where nothing is mutable or the aims are alike anyway
 */
export function keptVariation(
  layout: FeatureLayout,
  batch: SceneBatch,
  decoded: Float32Array,
  target: Float32Array,
): (number | undefined)[] {
  const mutable = layout.mutableMask(batch);
  const specs = layout.schema.attributes;
  return specs.map((spec, a) => {
    // Of each class: number of values, sum and sum of squares of their distances from the first, the short way round.
    const classes = new Map<number, { first: number; count: number; sum: number; squares: number }>();
    const range = attributeRange(spec);
    const away = (to: number, from: number) => attributeDifference(spec, to * range, from * range) / range;
    let errors = 0;
    forEachNode(batch, layout.maxNodes(batch), (scene, node, row) => {
      const i = row * specs.length + a;
      if (!mutable[i]) return;
      const aim = spec.periodic ? target[i] : Math.min(1, Math.max(0, target[i]));
      const of = classes.get(scene.classId[node]) ?? { first: aim, count: 0, sum: 0, squares: 0 };
      classes.set(scene.classId[node], of);
      const distance = away(aim, of.first);
      of.count++;
      of.sum += distance;
      of.squares += distance ** 2;
      errors += away(decoded[i], aim) ** 2;
    });
    let [deviations, values] = [0, 0];
    for (const { count, sum, squares } of classes.values()) {
      deviations += squares - sum ** 2 / count;
      values += count;
    }
    return deviations > values * ALIKE ** 2 ? 1 - errors / deviations : undefined;
  });
}

/** What is said when pre-training was too short for the grammar's distributions; undefined when it was not. */
export function variationWarning({
  attributes,
  steps,
}: Pick<PretrainResult, 'attributes' | 'steps'>): string | undefined {
  const lost = attributes.filter(({ kept }) => kept !== undefined && kept < TOLD_BELOW);
  if (lost.length === 0) return undefined;
  const shares = lost.map(({ name, kept = 0 }) => `${name} ${Math.round(100 * Math.max(0, kept))} %`);
  return `pre-training kept little of the variation that the grammar draws (${shares.join(', ')}): objects of a class come out nearly alike; more pretrain.steps (${steps} were taken) keep it`;
}
