import { z } from 'zod';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { PlacedCamera } from '../scene/worldFrames.js';
import { isReachable } from './distributions.js';
import type { NodePoses } from './poses.js';
import { ROLE_NAMES } from './roles.js';
import type { ExpressionText, Quantity } from './scope.js';

/** Most nodes of one scene: random streams address nodes by 16 bits, and two addresses are the scene's own. */
export const MAX_NODES = 65534;
/** Largest canvas side, px. */
export const MAX_CANVAS = 16384;
/** Largest magnitude of a number in a grammar. */
const MAX_NUMBER = 1e9;
const MAX_ATTEMPTS = 65535;

/** An arbitrary constraint, in TypeScript grammars only: true accepts the scene. It must depend on its arguments alone. */
export type ScenePredicate = (scene: SceneGraph, context: PredicateContext) => boolean;

export interface PredicateContext {
  readonly schema: SceneSchema;
  /** 2D: where each node is on the canvas; empty in 3D. */
  readonly poses: NodePoses;
  /** 3D: [V × 12] row-major 3 × 4 matrices, node frame → world (`worldFrames`). */
  readonly frames?: Float64Array;
  /** 3D: what the scene is seen with. */
  readonly camera?: PlacedCamera;
}

/** What nodes of a class can be in 3D (`NodeKind`). */
export const KIND_NAMES = ['object', 'camera', 'light', 'curve', 'strip'] as const;
export type KindName = (typeof KIND_NAMES)[number];

const number = z.number().min(-MAX_NUMBER).max(MAX_NUMBER);
const positive = number.positive();
/** Marks an alternative of a union that only text beginning with "=" is meant for (issues.ts). */
export const EXPRESSION_ISSUE = { form: 'expression' };
const expression = z.custom<ExpressionText>((value) => typeof value === 'string' && value.startsWith('='), {
  error: 'an expression that begins with "="',
  params: EXPRESSION_ISSUE,
});
/** A number, or an expression of what has been drawn before. */
const quantity = z.union([number, expression]);
const weight = z.union([number.nonnegative(), expression]);
const className = z.string().min(1).max(100);
const classNames = z.union([className, z.array(className).min(1)]);
const identifier = z.string().regex(/^[A-Za-z_]\w*$/, 'a name of letters, digits and _');
const attributeName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'a name of letters, digits, _ and -');

/** `[min, max]` or `{ min, max }`, min ≤ max. */
const interval = z.union([z.tuple([quantity, quantity]), z.strictObject({ min: quantity, max: quantity })]);

/** Judges numbers that are known; expressions are judged when they are computed. */
function known(holds: (...numbers: number[]) => boolean, ...quantities: (Quantity | undefined)[]): boolean {
  return !quantities.every((value) => typeof value === 'number') || holds(...quantities);
}

/** Exactly one of the keys of a strict object of optional entries. */
function oneOf<S extends z.ZodRawShape>(shape: S) {
  const keys = Object.keys(shape);
  return z.strictObject(shape).refine((value) => keys.filter((key) => key in value).length === 1, {
    error: `exactly one of ${keys.join(', ')}`,
  });
}

/** One per value, ≥ 0, any sum; all equal when left out. */
const weightFields = { weights: z.array(weight).optional() };
type Weighted = { readonly values: readonly unknown[]; readonly weights?: readonly Quantity[] };
const MATCHING_WEIGHTS = [
  ({ values, weights }: Weighted) => weights === undefined || weights.length === values.length,
  { path: ['weights'], error: 'as many weights as values' },
] as [(value: Weighted) => boolean, { path: string[]; error: string }];
const SOME_WEIGHT = [
  ({ weights }: Weighted) => weights === undefined || weights.some((w) => w !== 0),
  { path: ['weights'], error: 'at least one weight above 0' },
] as [(value: Weighted) => boolean, { path: string[]; error: string }];

const categorical = z
  .strictObject({
    /** What is drawn. */
    values: z.array(quantity).min(1),
    ...weightFields,
  })
  .refine(...MATCHING_WEIGHTS)
  .refine(...SOME_WEIGHT);

const distributionForms = {
  constant: quantity.optional(),
  uniform: interval.optional(),
  normal: z.strictObject({ mean: quantity, sd: z.union([number.nonnegative(), expression]) }).optional(),
  truncatedNormal: z
    .strictObject({ mean: quantity, sd: z.union([positive, expression]), min: quantity, max: quantity })
    .refine(({ min, max }) => known((a, b) => a < b, min, max), {
      path: ['max'],
      error: 'a maximum above the minimum',
    })
    .refine(({ mean, sd, min, max }) => known(isReachable, mean, sd, min, max), {
      path: ['mean'],
      error: 'a mean within 30 standard deviations of [min, max]',
    })
    .optional(),
  /** `min` (default 0) and an exponential on top, together `mean` on average; given that it is at most `max`. */
  exponential: z
    .strictObject({ min: quantity.optional(), mean: quantity, max: quantity.optional() })
    .refine(({ min, mean }) => known((a, b) => a < b, min ?? 0, mean), {
      path: ['mean'],
      error: 'a mean above the minimum',
    })
    .refine(({ min, max }) => known((a, b) => a < b, min ?? 0, max), {
      path: ['max'],
      error: 'a maximum above the minimum',
    })
    .optional(),
  categorical: categorical.optional(),
  /** Degrees; `kappa` ≥ 0 is the concentration. */
  vonMises: z.strictObject({ mean: quantity, kappa: z.union([number.nonnegative(), expression]) }).optional(),
};

/** A plain number is a constant. Means, deviations and bounds are in the attribute's unit. */
const distribution = z.union([number, expression, oneOf(distributionForms)]);

/** Parameters may have names as values: 0, 1, … in expressions, where the names stand for these numbers. */
const parameter = z.union([
  number,
  expression,
  oneOf({
    ...distributionForms,
    categorical: z
      .strictObject({ values: z.union([z.array(quantity).min(1), z.array(identifier).min(1)]), ...weightFields })
      .refine(...MATCHING_WEIGHTS)
      .refine(...SOME_WEIGHT)
      .optional(),
  }),
]);

/** In order: each may depend on those before it. */
const parameters = z.record(identifier, parameter);

const wholeNumber = z.int().min(0).max(MAX_NODES);
const count = z.union([wholeNumber, expression]);
const countDistribution = z.union([
  wholeNumber,
  expression,
  oneOf({
    constant: count.optional(),
    uniform: z.union([z.tuple([count, count]), z.strictObject({ min: count, max: count })]).optional(),
    /** Given that the count is at most `max`. */
    poisson: z.strictObject({ mean: z.union([number.nonnegative(), expression]), max: count }).optional(),
    categorical: categorical
      .refine(({ values }) => values.every((v) => count.safeParse(v).success), {
        path: ['values'],
        error: `whole numbers from 0 to ${MAX_NODES}`,
      })
      .optional(),
  }),
]);

/** Nodes one behind the other: as many as fit between `from` and `to`. */
const spacing = z.strictObject({
  /** The attribute that gets their places: an x, y or z. */
  along: attributeName,
  /** Where the first gap begins. */
  from: distribution,
  /** No node begins beyond. */
  to: distribution,
  /** Free length before each node, from end to end of the sprites or meshes as drawn. */
  gap: distribution,
  /** As many at most. */
  most: countDistribution.optional(),
});

/** An end of a node instead of its origin: houses of any depth with their fronts on one line. */
const alignment = z.strictObject({
  /** Where the end is. */
  at: distribution,
  /** Above 0 the node lies beyond (its lower end is at `at`), below 0 before (its upper end is); 0: its middle is there. */
  side: quantity,
});
const alignments = z.record(z.string(), alignment);

const glob = z.string().min(1).max(1000);
/** Names or patterns of assets; one asset is drawn evenly among all that match. `none`: a frame without a sprite. */
const assets = z.union([
  glob,
  z
    .array(z.union([glob, z.strictObject({ glob, weight })]))
    .min(1)
    .refine((list) => list.some((entry) => typeof entry === 'string' || entry.weight !== 0), {
      error: 'at least one weight above 0',
    }),
]);

const attributeValues = z.record(z.string(), distribution);

const attributeFields = {
  /** What the renderer does with it; default: the role of the same name. */
  role: z.enum(ROLE_NAMES).optional(),
  /** As printed, e.g. `px`. */
  unit: z.string().max(20).optional(),
  /** What the learner normalises by; values are clamped to it, or wrapped when periodic. */
  range: z
    .tuple([number, number])
    .refine(([min, max]) => Math.fround(min) < Math.fround(max), {
      error: '[minimum, maximum] with minimum below maximum',
    })
    .optional(),
  /** The ends of the range are the same value. Default: rotations over 360°. */
  periodic: z.boolean().optional(),
  /** For classes that say nothing. Default: 1 for factors, else 0. */
  default: distribution.optional(),
};

const lookFields = {
  asset: assets.optional(),
  /** Distributions of the class's attributes. */
  attributes: attributeValues.optional(),
  /** Attributes that the distribution transformer may change. */
  mutable: z.array(z.string()).optional(),
};

const classFields = {
  /** 3D: what its nodes are. Default `object`. */
  kind: z.enum(KIND_NAMES).optional(),
  ...lookFields,
};

const productionFields = {
  /** How many; default 1. */
  count: countDistribution.optional(),
  /** Instead of `count`: one behind the other, as many as there is room for. */
  spacing: spacing.optional(),
  /** Instead of values of `attributes`, for an x, y or z. */
  align: alignments.optional(),
  /** Drawn for each of the `count` anew; for expressions here and in children. */
  parameters: parameters.optional(),
  /** The node's class, or several to draw from evenly. */
  class: classNames.optional(),
  /** Instead of `class`: one of several productions is drawn for each of the `count`. */
  choice: z.lazy(() => z.array(alternative).min(1)).optional(),
  ...lookFields,
  /** Nodes in this node's frame, drawn over it. */
  children: z.lazy(() => z.array(production)).optional(),
};

/** One rule of the grammar: makes `count` nodes of a class, or of alternatives, with children. */
export interface ProductionDefinition {
  count?: z.input<typeof countDistribution>;
  spacing?: z.input<typeof spacing>;
  align?: z.input<typeof alignments>;
  parameters?: z.input<typeof parameters>;
  class?: string | string[];
  choice?: ChoiceDefinition[];
  asset?: z.input<typeof assets>;
  attributes?: Record<string, z.input<typeof distribution>>;
  mutable?: string[];
  children?: ProductionDefinition[];
}

/** An alternative of a choice. */
export interface ChoiceDefinition extends ProductionDefinition {
  /** Relative probability, default 1. */
  weight?: Quantity;
}

const oneKind = (value: ProductionDefinition) => (value.class === undefined) !== (value.choice === undefined);
const onlyClass = (value: ProductionDefinition) =>
  value.choice === undefined ||
  (value.asset ?? value.align ?? value.attributes ?? value.mutable ?? value.children) === undefined;
const oneNumber = (value: ProductionDefinition) => value.count === undefined || value.spacing === undefined;
const ONE_NUMBER = { error: 'at most one of count, spacing' };
const ONLY_CLASS = { error: 'asset, align, attributes, mutable and children within the alternatives of the choice' };

const production: z.ZodType<ProductionDefinition> = z
  .strictObject(productionFields)
  .refine(oneKind, { error: 'exactly one of class, choice' })
  .refine(onlyClass, ONLY_CLASS)
  .refine(oneNumber, ONE_NUMBER);
const alternative: z.ZodType<ChoiceDefinition> = z
  .strictObject({ ...productionFields, weight: weight.optional() })
  .refine(oneKind, { error: 'exactly one of class, choice' })
  .refine(onlyClass, ONLY_CLASS)
  .refine(oneNumber, ONE_NUMBER);

const CONSTRAINT_KINDS = ['minDistance', 'noOverlap', 'insideCanvas', 'inView', 'predicate'];

const pairFields = {
  /** Classes of the one node; default all. */
  between: classNames.optional(),
  /** Classes of the other; default the same. */
  and: classNames.optional(),
};

/**
 * What a scene must satisfy; scenes that do not are drawn again.
 *
 * 2D: distances are px on the canvas; a node's circle is about its origin with half the diagonal of its sprite as drawn;
 * a node without a sprite has radius 0. 3D: distances are metres in the world; a node's footprint is that of its mesh's box
 * on the ground; strips and meshes that lie on the ground are not compared.
 */
const constraint = z
  .strictObject({
    /** In reports. */
    name: z.string().min(1).max(100).optional(),
    /** Origins of any two such nodes are at least `distance` apart. */
    minDistance: z.strictObject({ ...pairFields, distance: positive }).optional(),
    /**
     * Circles (2D), or footprints (3D: boxes that are grown by half of `margin` on all sides), of any two such nodes are at
     * least `margin` apart; a node and its ancestors are not compared.
     */
    noOverlap: z
      .strictObject({ ...pairFields, margin: number.optional(), extent: z.enum(['circle', 'box']).optional() })
      .optional(),
    /** Origins, or whole circles, are on the canvas and at least `margin` from its edges. */
    insideCanvas: z
      .strictObject({
        classes: classNames.optional(),
        margin: number.optional(),
        /** Default `circle`. */
        extent: z.enum(['origin', 'circle']).optional(),
      })
      .optional(),
    /** 3D: origins, or all corners of the mesh's box, are before the camera and in the image. */
    inView: z
      .strictObject({
        classes: classNames.optional(),
        /** From the edges of the image, px. */
        margin: number.optional(),
        /** Default `origin`. */
        extent: z.enum(['origin', 'box']).optional(),
        /** Least and greatest distance before the camera (z in its frame), m. */
        nearest: number.optional(),
        farthest: number.optional(),
      })
      .optional(),
    /** TypeScript only; `name` is required and stands for the function in the grammar's hash. */
    predicate: z.custom<ScenePredicate>((value) => typeof value === 'function', 'a function').optional(),
  })
  .refine((value) => CONSTRAINT_KINDS.filter((key) => key in value).length === 1, {
    error: `exactly one of ${CONSTRAINT_KINDS.join(', ')}`,
  })
  .refine((value) => value.predicate === undefined || value.name !== undefined, {
    path: ['name'],
    error: 'a name for the predicate',
  });

const named = <N extends z.ZodType<string>, S extends z.ZodRawShape>(name: N, fields: S) =>
  z.union([z.array(z.strictObject({ name, ...fields })).min(1), z.record(z.string(), z.strictObject(fields))]);

const canvas = z.strictObject({
  /** px */
  width: z.int().min(1).max(MAX_CANVAS),
  /** px */
  height: z.int().min(1).max(MAX_CANVAS),
  /** 1 grey, 3 RGB. Default 1. */
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
});

/** Shorter ones are 0 px in label records, which have six decimals. */
const focalLength = number.min(0.001);

/** What 3D scenes are seen with; a node of a class of kind `camera` takes its place, and by its field of view its focal lengths. */
const camera = z
  .strictObject({
    /** px; or [horizontal, vertical]. */
    focal: z.union([focalLength, z.tuple([focalLength, focalLength])]).optional(),
    /** Instead of `focal`: horizontal, degrees. */
    fieldOfView: positive.max(170).optional(),
    /** Principal point, px. Default: the middle of the canvas. */
    cx: number.optional(),
    cy: number.optional(),
    /** Place in the world, m, default 0: on the ground. The camera is above it where y is below 0. */
    x: number.optional(),
    y: number.optional(),
    z: number.optional(),
    /** Degrees, default 0: along z. */
    heading: number.optional(),
    pitch: number.optional(),
    roll: number.optional(),
    /** Nearest and farthest visible distance, m. Default 0.1 and 1000. */
    near: positive.optional(),
    far: positive.optional(),
  })
  .refine(({ focal, fieldOfView }) => (focal === undefined) !== (fieldOfView === undefined), {
    error: 'exactly one of focal, fieldOfView',
  });

const variable = z.union([number, z.string().max(1000), z.boolean(), z.array(z.union([number, z.string()]))]);

/**
 * The grammar language: what a YAML file holds and what `defineGrammar` takes. Any string may hold `${…}`: arithmetic on
 * variables (see variables.ts), known when the grammar is read. Numbers of productions may be `= …`: arithmetic on parameters
 * and `index` (see scope.ts), known when a scene is drawn. `classes` and `attributes` may be mappings, in order, or lists with a `name` each;
 * in TypeScript use a list when a class is called like a number, because objects put such keys first.
 */
export const grammarSchema = z.strictObject({
  /** For provenance; default: the file's name. */
  name: z.string().min(1).max(200).optional(),
  description: z.string().max(10000).optional(),
  /** Values for `${…}`, and what a command line or call may override. */
  variables: z.record(identifier, variable).optional(),
  /** 2 (default): sprites on a canvas, px. 3: meshes before a camera, m. */
  dimension: z.union([z.literal(2), z.literal(3)]).optional(),
  canvas,
  /** 3D, and required there. */
  camera: camera.optional(),
  /** What is drawn once a scene, for expressions in productions. */
  parameters: parameters.optional(),
  /** The A columns that all nodes share. */
  attributes: named(attributeName, attributeFields),
  /** What classes can `extends`. Merged before anything is checked; `${class}` is the name of the class that extends. */
  templates: z.record(z.string(), z.strictObject(classFields)).optional(),
  classes: named(className, { ...classFields, extends: z.string().optional() }),
  /** Productions of the roots; a root's frame is the canvas. */
  nodes: z.array(production).min(1),
  constraints: z.array(constraint).optional(),
  sampling: z
    .strictObject({
      /** Rejections after which a scene is given up. Default 1000. */
      maxAttempts: z.int().min(1).max(MAX_ATTEMPTS).optional(),
      /**
       * What is drawn again: `scene`: everything, so that scenes follow the grammar's distribution given the constraints
       * (default). `node`: the node that broke a constraint, as it is placed; crowded scenes succeed more often, but early nodes are favoured.
       */
      retry: z.enum(['scene', 'node']).optional(),
    })
    .optional(),
});

/** A grammar as written. */
export type GrammarDefinition = z.input<typeof grammarSchema>;

/** Types a grammar written in TypeScript; returns it unchanged. */
export function defineGrammar(definition: GrammarDefinition): GrammarDefinition {
  return definition;
}

export type DistributionDefinition = z.input<typeof distribution>;
export type CountDefinition = z.input<typeof countDistribution>;
export type AssetsDefinition = z.input<typeof assets>;
export type ConstraintDefinition = z.input<typeof constraint>;
export type AttributeDefinition = z.input<z.ZodObject<typeof attributeFields>>;
export type ClassDefinition = z.input<z.ZodObject<typeof classFields>>;
export type CameraDefinition = z.input<typeof camera>;
export type SpacingDefinition = z.input<typeof spacing>;
export type AlignmentDefinition = z.input<typeof alignment>;
export type ParameterDefinition = z.input<typeof parameter>;
