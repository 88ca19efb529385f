import * as fc from 'fast-check';
import { NodeKind } from '../../src/scene/attributeSchema.js';
import type { Camera, SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';

/** Limits of `arbitraryBatch`. */
interface BatchLimits {
  readonly minNodes?: number;
  readonly maxNodes?: number;
  readonly maxSide?: number;
  /** Default 2. */
  readonly dimension?: 2 | 3;
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
  dimension = 2,
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
        dimension: fc.constant(dimension),
        channels: fc.constant(channels as 1 | 3),
        classes: fc.constant(classes),
        attributes: arbitrarySpecs(columns, ROLES[dimension]),
      }),
      assets: fc.constant(assets),
      provenance: record({ grammar: fc.string(), grammarHash: fc.string(), seed: safeInteger() }),
      scenes: fc.array(
        fc
          .integer({ min: minNodes, max: maxNodes })
          .chain((nodes) => arbitraryScene(nodes, columns.length, classes.length, assets.length, maxSide)),
        { minLength: 1, maxLength: 3 },
      ),
      kinds: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: classes.length, maxLength: classes.length }),
      camera: arbitraryCamera(),
    }).map(({ kinds, camera, ...batch }) => (dimension === 3 ? asMeshBatch(batch, kinds, camera) : batch)),
  );
}

/** The roles that scenes of a dimension know, but for “none”. */
const ROLES = {
  2: [1, 2, 4, 7, 8, 9, 11, 12, 13, 14, 15],
  3: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20],
};

/** With a camera for every scene, and kinds for its classes, where its hierarchy allows them. */
function asMeshBatch(batch: SceneBatch, kinds: readonly NodeKind[], camera: Camera): SceneBatch {
  const schema = { ...batch.schema, kinds: [NodeKind.Object, ...kinds.slice(1)] };
  const scenes = batch.scenes.map((scene) => {
    const classId = scene.classId.slice();
    const seen = new Set<NodeKind>();
    for (const [v, parent] of scene.parent.entries()) {
      const kind = schema.kinds[classId[v]];
      const above = parent < 0 ? NodeKind.Object : schema.kinds[classId[parent]];
      const single = kind === NodeKind.Camera || kind === NodeKind.Light;
      const astray = kind === NodeKind.Strip && above !== NodeKind.Curve && above !== NodeKind.Strip;
      if (astray || (single && seen.has(kind))) classId[v] = 0;
      seen.add(kind);
    }
    return { ...scene, classId, camera };
  });
  return { ...batch, schema, scenes };
}

function arbitraryCamera(): fc.Arbitrary<Camera> {
  const positive = fc.float({ min: Math.fround(0.01), max: 1000, noNaN: true });
  return record({
    ...{ fx: positive, fy: positive, cx: finite(), cy: finite(), x: finite(), y: finite(), z: finite() },
    ...{ heading: finite(), pitch: finite(), roll: finite(), near: positive },
    far: fc.constant(5000),
  });
}

function arbitrarySpecs(names: readonly string[], known: number[]) {
  return fc
    .tuple(fc.shuffledSubarray(known, { minLength: names.length, maxLength: names.length }), fc.string())
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
