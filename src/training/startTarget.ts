import type { DistributionTransformer } from '../learn/distributionTransformer.js';
import { latentNoise } from '../learn/sampling.js';
import { attributeIndex } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';

/** What pre-training teaches beside the grammar's own attributes. */
export interface StartTarget {
  /** Units to reproduce in place of the batch's own, [B, V, A] (the warm start's). */
  readonly units?: (batch: SceneBatch) => Float32Array;
  /**
   * How far latent noise moves a mutable attribute to either side, as a fraction of its range, by name: the network must
   * hear its noise from the start, or distribution matching finds no difference between a scene's outputs to widen.
   * Default 0.5 for a periodic attribute, all directions: opposite ones look alike, so that no gradient leads from one to
   * the other, and each has to be there at the start. Default 0.1 for any other: spread wider, objects leave the canvas.
   */
  readonly spread?: Readonly<Record<string, number>>;
}

const PERIODIC_SPREAD = 0.5;
const OTHER_SPREAD = 0.1;

/**
 * What pre-training is to reproduce: the batch's units as the warm start has them, mutable entries moved by the noise. The
 * k-th mutable attribute of a node is moved by the node's (k mod K)-th number, so that attributes move independently
 * where there are numbers enough.
 * @returns undefined where it is the batch's own units; else [B, V, A] for each batch
 * @throws SceneGraphError when `spread` names an attribute that the schema lacks
 */
export function startTarget(
  transformer: DistributionTransformer,
  { units: moved, spread = {} }: StartTarget,
): ((batch: SceneBatch) => Float32Array) | undefined {
  const { noise: columns = 0 } = transformer.config;
  const spreads = spreadsOf(transformer, spread);
  if (columns === 0) return moved;
  return (batch) => {
    const units = moved ? moved(batch) : transformer.layout.units(batch);
    return spreadUnits(transformer, batch, units, spreads, columns);
  };
}

/** [A] how far each attribute is moved. */
function spreadsOf({ layout }: DistributionTransformer, given: Readonly<Record<string, number>>): number[] {
  const spreads: number[] = Array.from(layout.periodic, (periodic) => (periodic ? PERIODIC_SPREAD : OTHER_SPREAD));
  for (const [name, value] of Object.entries(given)) spreads[attributeIndex(layout.schema, name)] = value;
  return spreads;
}

/** Mutable entries of `units` moved to either side, as the latent noise of the batch's own seed says. */
function spreadUnits(
  { layout }: DistributionTransformer,
  batch: SceneBatch,
  units: Float32Array,
  spreads: readonly number[],
  columns: number,
): Float32Array {
  const noise = latentNoise(batch, columns, batch.provenance.seed);
  const mutable = layout.mutableMask(batch);
  const width = layout.attributeCount;
  const moved = units.slice();
  for (let row = 0; row * width < moved.length; row++) {
    let k = 0;
    for (let a = 0; a < width; a++) {
      if (mutable[row * width + a]) moved[row * width + a] += spreads[a] * noise[row * columns + (k++ % columns)];
    }
  }
  return moved;
}
