import * as fc from 'fast-check';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';

/** Limits of `arbitraryBatch`. */
interface BatchLimits {
  readonly minNodes?: number;
  readonly maxNodes?: number;
  readonly maxSide?: number;
}

/** fast-check's records may lack a prototype; decoded ones have it. */
const record: typeof fc.record = ((model: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(model, { noNullPrototype: true })) as typeof fc.record;
const finite = () => fc.float({ noNaN: true, noDefaultInfinity: true });
const safeInteger = () => fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** Any batch that the format can hold, small: all roles, hierarchies, names in any script, zero attributes too. */
export function arbitraryBatch({
  minNodes = 0,
  maxNodes = 6,
  maxSide = 300,
}: BatchLimits = {}): fc.Arbitrary<SceneBatch> {
  const names = (minLength: number, maxLength: number) =>
    fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 12 }), { minLength, maxLength });
  return record({
    columns: names(0, 5),
    classes: names(1, 4),
    assets: names(1, 4),
    channels: fc.constantFrom(1, 3),
  }).chain(({ columns, classes, assets, channels }) =>
    record({
      schema: record({
        dimension: fc.constant<2>(2),
        channels: fc.constant(channels as 1 | 3),
        classes: fc.constant(classes),
        attributes: arbitrarySpecs(columns),
      }),
      assets: fc.constant(assets),
      provenance: record({ grammar: fc.string(), grammarHash: fc.string(), seed: safeInteger() }),
      scenes: fc.array(
        fc
          .integer({ min: minNodes, max: maxNodes })
          .chain((nodes) => arbitraryScene(nodes, columns.length, classes.length, assets.length, maxSide)),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  );
}

function arbitrarySpecs(names: readonly string[]) {
  return fc
    .tuple(
      fc.shuffledSubarray([1, 2, 4, 7, 8, 9, 11, 12, 13, 14, 15], { minLength: names.length, maxLength: names.length }),
      fc.string(),
    )
    .map(([roles, unit]) =>
      names.map((name, a) => ({
        name,
        role: roles[a],
        unit,
        minimum: -1.5 * a,
        maximum: a + 0.25,
        periodic: a % 2 === 1,
      })),
    );
}

function arbitraryScene(
  nodes: number,
  columns: number,
  classes: number,
  assets: number,
  maxSide: number,
): fc.Arbitrary<SceneGraph> {
  const array = <T>(entry: fc.Arbitrary<T>, length: number) =>
    fc.array(entry, { minLength: length, maxLength: length });
  return record({
    width: fc.integer({ min: 1, max: maxSide }),
    height: fc.integer({ min: 1, max: maxSide }),
    index: safeInteger(),
    parent: fc.tuple(...Array.from({ length: nodes }, (_, v) => fc.integer({ min: -1, max: v - 1 }))),
    classId: array(fc.integer({ min: 0, max: classes - 1 }), nodes),
    asset: array(fc.integer({ min: -1, max: assets - 1 }), nodes),
    attributes: array(finite(), nodes * columns),
    mutable: array(fc.integer({ min: 0, max: 1 }), nodes * columns),
  }).map(({ parent, classId, asset, attributes, mutable, ...rest }) => ({
    ...rest,
    parent: Int32Array.from(parent),
    classId: Uint16Array.from(classId),
    asset: Int32Array.from(asset),
    attributes: Float32Array.from(attributes),
    mutable: Uint8Array.from(mutable),
  }));
}
