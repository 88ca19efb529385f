import { z } from 'zod';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { NodePoses } from './poses.js';

/** Most nodes of one scene: random streams address nodes by 16 bits, and two addresses are the scene's own. */
export const MAX_NODES = 65534;
/** Largest canvas side, px. */
export const MAX_CANVAS = 16384;
/** Largest magnitude of a number in a grammar. */
const MAX_NUMBER = 1e9;
const MAX_ATTEMPTS = 65535;

/** Roles that 2D grammars can name, with what the renderer does: see `AttributeRole` in schemas/sceneGraph.fbs. */
export const ROLE_NAMES = [
  'none',
  'x',
  'y',
  'rotation',
  'scale',
  'scaleX',
  'scaleY',
  'brightness',
  'opacity',
  'red',
  'green',
  'blue',
] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** An arbitrary constraint, in TypeScript grammars only: true accepts the scene. It must depend on its arguments alone. */
export type ScenePredicate = (scene: SceneGraph, context: PredicateContext) => boolean;

export interface PredicateContext {
  readonly schema: SceneSchema;
  /** Where each node is on the canvas. */
  readonly poses: NodePoses;
}

const number = z.number().min(-MAX_NUMBER).max(MAX_NUMBER);
const positive = number.positive();
const weight = number.nonnegative();
const className = z.string().min(1).max(100);
const classNames = z.union([className, z.array(className).min(1)]);
const attributeName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'a name of letters, digits, _ and -');

/** `[min, max]` or `{ min, max }`, min ≤ max. */
const interval = z.union([z.tuple([number, number]), z.strictObject({ min: number, max: number })]);

/** Exactly one of the keys of a strict object of optional entries. */
function oneOf<S extends z.ZodRawShape>(shape: S) {
  const keys = Object.keys(shape);
  return z.strictObject(shape).refine((value) => keys.filter((key) => key in value).length === 1, {
    error: `exactly one of ${keys.join(', ')}`,
  });
}

const categorical = z
  .strictObject({
    /** What is drawn. */
    values: z.array(number).min(1),
    /** One per value, ≥ 0, any sum; all equal when left out. */
    weights: z.array(weight).optional(),
  })
  .refine(({ values, weights }) => weights === undefined || weights.length === values.length, {
    path: ['weights'],
    error: 'as many weights as values',
  })
  .refine(({ weights }) => weights === undefined || weights.some((w) => w > 0), {
    path: ['weights'],
    error: 'at least one weight above 0',
  });

/** A plain number is a constant. Means, deviations and bounds are in the attribute's unit. */
const distribution = z.union([
  number,
  oneOf({
    constant: number.optional(),
    uniform: interval.optional(),
    normal: z.strictObject({ mean: number, sd: number.nonnegative() }).optional(),
    truncatedNormal: z
      .strictObject({ mean: number, sd: positive, min: number, max: number })
      .refine(({ min, max }) => min < max, { path: ['max'], error: 'a maximum above the minimum' })
      .refine(({ mean, sd, min, max }) => min - mean < 30 * sd && mean - max < 30 * sd, {
        path: ['mean'],
        error: 'a mean within 30 standard deviations of [min, max]',
      })
      .optional(),
    categorical: categorical.optional(),
    /** Degrees; `kappa` ≥ 0 is the concentration. */
    vonMises: z.strictObject({ mean: number, kappa: number.nonnegative() }).optional(),
  }),
]);

const count = z.int().min(0).max(MAX_NODES);
const countDistribution = z.union([
  count,
  oneOf({
    constant: count.optional(),
    uniform: z.union([z.tuple([count, count]), z.strictObject({ min: count, max: count })]).optional(),
    /** Given that the count is at most `max`. */
    poisson: z.strictObject({ mean: number.nonnegative(), max: count }).optional(),
    categorical: categorical
      .refine(({ values }) => values.every((v) => count.safeParse(v).success), {
        path: ['values'],
        error: `whole numbers from 0 to ${MAX_NODES}`,
      })
      .optional(),
  }),
]);

const glob = z.string().min(1).max(1000);
/** Names or patterns of assets; one asset is drawn evenly among all that match. `none`: a frame without a sprite. */
const assets = z.union([
  glob,
  z
    .array(z.union([glob, z.strictObject({ glob, weight })]))
    .min(1)
    .refine((list) => list.some((entry) => typeof entry === 'string' || entry.weight > 0), {
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

const classFields = {
  asset: assets.optional(),
  /** Distributions of the class's attributes. */
  attributes: attributeValues.optional(),
  /** Attributes that the distribution transformer may change. */
  mutable: z.array(z.string()).optional(),
};

const productionFields = {
  /** How many; default 1. */
  count: countDistribution.optional(),
  /** The node's class, or several to draw from evenly. */
  class: classNames.optional(),
  /** Instead of `class`: one of several productions is drawn for each of the `count`. */
  choice: z.lazy(() => z.array(alternative).min(1)).optional(),
  ...classFields,
  /** Nodes in this node's frame, drawn over it. */
  children: z.lazy(() => z.array(production)).optional(),
};

/** One rule of the grammar: makes `count` nodes of a class, or of alternatives, with children. */
export interface ProductionDefinition {
  count?: z.input<typeof countDistribution>;
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
  weight?: number;
}

const oneKind = (value: ProductionDefinition) => (value.class === undefined) !== (value.choice === undefined);
const onlyClass = (value: ProductionDefinition) =>
  value.choice === undefined || (value.asset ?? value.attributes ?? value.mutable ?? value.children) === undefined;
const ONLY_CLASS = { error: 'asset, attributes, mutable and children within the alternatives of the choice' };

const production: z.ZodType<ProductionDefinition> = z
  .strictObject(productionFields)
  .refine(oneKind, { error: 'exactly one of class, choice' })
  .refine(onlyClass, ONLY_CLASS);
const alternative: z.ZodType<ChoiceDefinition> = z
  .strictObject({ ...productionFields, weight: weight.optional() })
  .refine(oneKind, { error: 'exactly one of class, choice' })
  .refine(onlyClass, ONLY_CLASS);

const pairFields = {
  /** Classes of the one node; default all. */
  between: classNames.optional(),
  /** Classes of the other; default the same. */
  and: classNames.optional(),
};

/**
 * What a scene must satisfy; scenes that do not are drawn again. Distances are px on the canvas. A node's circle is
 * about its origin with half the diagonal of its sprite as drawn; a node without a sprite has radius 0.
 */
const constraint = z
  .strictObject({
    /** In reports. */
    name: z.string().min(1).max(100).optional(),
    /** Origins of any two such nodes are at least `distance` apart. */
    minDistance: z.strictObject({ ...pairFields, distance: positive }).optional(),
    /** Circles of any two such nodes are at least `margin` apart; a node and its ancestors are not compared. */
    noOverlap: z.strictObject({ ...pairFields, margin: number.optional() }).optional(),
    /** Origins, or whole circles, are on the canvas and at least `margin` from its edges. */
    insideCanvas: z
      .strictObject({
        classes: classNames.optional(),
        margin: number.optional(),
        /** Default `circle`. */
        extent: z.enum(['origin', 'circle']).optional(),
      })
      .optional(),
    /** TypeScript only; `name` is required and stands for the function in the grammar's hash. */
    predicate: z.custom<ScenePredicate>((value) => typeof value === 'function', 'a function').optional(),
  })
  .refine(
    (value) => ['minDistance', 'noOverlap', 'insideCanvas', 'predicate'].filter((key) => key in value).length === 1,
    { error: 'exactly one of minDistance, noOverlap, insideCanvas, predicate' },
  )
  .refine((value) => value.predicate === undefined || value.name !== undefined, {
    path: ['name'],
    error: 'a name for the predicate',
  });

const named = <N extends z.ZodType<string>, S extends z.ZodRawShape>(name: N, fields: S) =>
  z.union([z.array(z.strictObject({ name, ...fields })).min(1), z.record(z.string(), z.strictObject(fields))]);

const variable = z.union([number, z.string().max(1000), z.boolean(), z.array(z.union([number, z.string()]))]);

/**
 * The grammar language: what a YAML file holds and what `defineGrammar` takes. Any string may hold `${…}`: arithmetic on
 * variables (see variables.ts). `classes` and `attributes` may be mappings, in order, or lists with a `name` each;
 * in TypeScript use a list when a class is called like a number, because objects put such keys first.
 */
export const grammarSchema = z.strictObject({
  /** For provenance; default: the file's name. */
  name: z.string().min(1).max(200).optional(),
  description: z.string().max(10000).optional(),
  /** Values for `${…}`, and what a command line or call may override. */
  variables: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'a name of letters, digits and _'), variable).optional(),
  canvas: z.strictObject({
    /** px */
    width: z.int().min(1).max(MAX_CANVAS),
    /** px */
    height: z.int().min(1).max(MAX_CANVAS),
    /** 1 grey, 3 RGB. Default 1. */
    channels: z.union([z.literal(1), z.literal(3)]).optional(),
  }),
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
