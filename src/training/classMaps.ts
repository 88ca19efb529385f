import { type FeatureLayout, forEachNode } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';

/**
 * How one mutable attribute of one class is moved: with d = u − centre, u' = centre + shift + spread · d + gap · sign(d),
 * all in units of the attribute's range, the short way round for a periodic one. Shift 0, spread 1 and gap 0 leave it as
 * the grammar has it.
 */
export interface ClassMap {
  readonly class: string;
  readonly attribute: string;
  /** Where the grammar's values lie in the middle, 0–1. */
  readonly centre: number;
  /** How far the middle moves. */
  readonly shift: number;
  /** How much of the grammar's variety about the middle is left; ≥ 0. */
  readonly spread: number;
  /** How far values are moved away from the middle, to the side on which they lie: two lanes, two sides of a road. */
  readonly gap: number;
}

/** The circular mean counts as the middle of a periodic attribute's values when the resultant is at least so long. */
const CONCENTRATED = 0.5;

/** One map, so far without effect, for each attribute that nodes of the batch may change, class by class. */
export function identityMaps(layout: FeatureLayout, batch: SceneBatch): ClassMap[] {
  const { schema, attributeCount } = layout;
  const units = layout.units(batch);
  const mutable = layout.mutableMask(batch);
  const values = new Map<number, number[]>();
  forEachNode(batch, layout.maxNodes(batch), (scene, node, row) => {
    for (let a = 0; a < attributeCount; a++) {
      if (!mutable[row * attributeCount + a]) continue;
      const key = scene.classId[node] * attributeCount + a;
      const list = values.get(key);
      if (list) list.push(units[row * attributeCount + a]);
      else values.set(key, [units[row * attributeCount + a]]);
    }
  });
  return [...values.keys()]
    .sort((a, b) => a - b)
    .map((key) => {
      const a = key % attributeCount;
      const own = values.get(key) as number[];
      return {
        class: schema.classes[Math.floor(key / attributeCount)],
        attribute: schema.attributes[a].name,
        centre: layout.periodic[a] ? circularMiddle(own) : own.reduce((sum, u) => sum + u, 0) / own.length,
        shift: 0,
        spread: 1,
        gap: 0,
      };
    });
}

/** The batch's attributes in units of their ranges [B, V, A], mutable ones moved as the maps of their class say. */
export function mapUnits(layout: FeatureLayout, batch: SceneBatch, maps: readonly ClassMap[]): Float32Array {
  const { schema, attributeCount, periodic } = layout;
  const mapOf = new Map(
    maps.map((map) => {
      const a = schema.attributes.findIndex(({ name }) => name === map.attribute);
      return [schema.classes.indexOf(map.class) * attributeCount + a, map];
    }),
  );
  const units = layout.units(batch);
  const mutable = layout.mutableMask(batch);
  forEachNode(batch, layout.maxNodes(batch), (scene, node, row) => {
    for (let a = 0; a < attributeCount; a++) {
      const i = row * attributeCount + a;
      const map = mutable[i] ? mapOf.get(scene.classId[node] * attributeCount + a) : undefined;
      if (!map) continue;
      const difference = units[i] - map.centre;
      const away = periodic[a] ? difference - Math.round(difference) : difference;
      units[i] = map.centre + map.shift + map.spread * away + (away < 0 ? -map.gap : map.gap);
    }
  });
  return units;
}

/** Circular mean of values in [0, 1), or ½ where they point everywhere. */
function circularMiddle(values: readonly number[]): number {
  let x = 0;
  let y = 0;
  for (const u of values) {
    x += Math.cos(2 * Math.PI * u);
    y += Math.sin(2 * Math.PI * u);
  }
  if (Math.hypot(x, y) < CONCENTRATED * values.length) return 0.5;
  const turn = Math.atan2(y, x) / (2 * Math.PI);
  return turn - Math.floor(turn);
}
