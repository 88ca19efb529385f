import { fileURLToPath } from 'node:url';
import type { AssetLibrary } from '../../assets/assetLibrary.js';
import type { AssetSourceInput } from '../../config.js';
import { type Grammar, loadGrammar } from '../../grammar/grammar.js';
import { attributeIndex } from '../../scene/attributeSchema.js';
import type { SceneBatch } from '../../scene/sceneGraph.js';

/** The classes of table 2, in its order; grass is background. */
export const AERIAL_LABELS = ['car', 'road', 'house', 'tree'] as const;
export type AerialLabel = (typeof AERIAL_LABELS)[number];

const GRAMMARS = new URL('../../../examples/grammars/', import.meta.url);

/** The textures of the experiment: about those the paper counts, drawn by code. */
export function aerialAssetSource(size: number, seed: number): AssetSourceInput {
  return { kind: 'aerial', size, seed };
}

/** The grammar, and the same with realistic parameters, which the target is drawn from (§4.2). */
export async function loadAerialGrammars(
  assets: AssetLibrary,
  size: number,
): Promise<{ grammar: Grammar; target: Grammar }> {
  const overrides = { variables: { size, textures: size } };
  const [grammar, target] = await Promise.all(
    ['aerial.yaml', 'aerial-target.yaml'].map((name) =>
      loadGrammar(fileURLToPath(new URL(name, GRAMMARS)), { assets, overrides }),
    ),
  );
  return { grammar, target };
}

/**
 * Mean absolute angle between the cars of a batch and their road, degrees in [0, 90]: 45 where they head anywhere. Cars
 * stand in the road's frame, so their rotation is that angle; a car that heads the other way is aligned too.
 */
export function carAngle(batch: SceneBatch): number {
  const width = batch.schema.attributes.length;
  const column = attributeIndex(batch.schema, 'rotation');
  const car = batch.schema.classes.indexOf('car');
  let sum = 0;
  let cars = 0;
  for (const { classId, attributes } of batch.scenes) {
    for (let node = 0; node < classId.length; node++) {
      if (classId[node] !== car) continue;
      const turn = attributes[node * width + column];
      sum += Math.abs(turn - 180 * Math.round(turn / 180));
      cars++;
    }
  }
  return sum / cars;
}
