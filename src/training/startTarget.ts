import type { DistributionTransformer } from '../learn/distributionTransformer.js';
import { latentNoise } from '../learn/sampling.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { shiftUnits } from './warmStart.js';

/** What pre-training teaches beside the grammar's own attributes. */
export interface StartTarget {
  /** [A] shift of the mutable attributes, as a fraction of their range (the warm start's). */
  readonly offsets?: readonly number[];
  /**
   * How far latent noise moves a mutable attribute to either side, as a fraction of its range: the network must hear its
   * noise from the start, or distribution matching finds no difference between a scene's outputs to widen.
   */
  readonly spread: number;
}

/**
 * What pre-training is to reproduce: the batch's own units, mutable entries moved by the offsets and by the noise. The
 * k-th mutable attribute of a node is moved by the node's (k mod K)-th number, so that attributes move independently
 * where there are numbers enough.
 * @returns undefined where it is the batch's own units; else [B, V, A] for each batch
 */
export function startTarget(
  transformer: DistributionTransformer,
  { offsets, spread }: StartTarget,
): ((batch: SceneBatch) => Float32Array) | undefined {
  const { noise: columns = 0 } = transformer.config;
  const isSpread = columns > 0 && spread > 0;
  if (!offsets && !isSpread) return undefined;
  return (batch) => {
    const units = offsets ? mutableShift(transformer, batch, offsets) : transformer.layout.units(batch);
    return isSpread ? spreadUnits(transformer, batch, units, spread, columns) : units;
  };
}

/** The batch's own units, those of mutable entries moved by the offsets. */
function mutableShift(
  { layout }: DistributionTransformer,
  batch: SceneBatch,
  offsets: readonly number[],
): Float32Array {
  const own = layout.units(batch);
  const moved = shiftUnits(layout, batch, offsets);
  const mutable = layout.mutableMask(batch);
  return own.map((value, i) => (mutable[i] ? moved[i] : value));
}

/** Mutable entries of `units` moved by ± spread, as the latent noise of the batch's own seed says. */
function spreadUnits(
  { layout }: DistributionTransformer,
  batch: SceneBatch,
  units: Float32Array,
  spread: number,
  columns: number,
): Float32Array {
  const noise = latentNoise(batch, columns, batch.provenance.seed);
  const mutable = layout.mutableMask(batch);
  const width = layout.attributeCount;
  const moved = units.slice();
  for (let row = 0; row * width < moved.length; row++) {
    let k = 0;
    for (let a = 0; a < width; a++) {
      if (mutable[row * width + a]) moved[row * width + a] += spread * noise[row * columns + (k++ % columns)];
    }
  }
  return moved;
}
