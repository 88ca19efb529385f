import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './errors.js';

/** A count: a whole number ≥ 1 and small enough to be meant. */
const count = z.number().int().min(1).max(1e8);
const positive = z.number().positive();
const fraction = z.number().min(0).max(1);

/** Where textures come from. */
export const assetSourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('mnist').describe('IDX files of MNIST: names mnist/⟨split⟩/⟨digit⟩/⟨index⟩'),
    folder: z.string().describe('holds the four IDX files, gzipped or not'),
    split: z.enum(['train', 'test']).default('train').describe('60,000 digits, or 10,000 of other writers'),
    from: z.number().int().min(0).default(0).describe('first digit used'),
    to: count.optional().describe('one past the last digit used; default: all'),
  }),
  z.strictObject({
    kind: z.literal('digits').describe('procedural strokes, built in: names digits/⟨digit⟩/⟨variant⟩'),
    variants: count.default(64).describe('ways of writing each digit'),
    seed: z.number().int().min(0).default(0).describe('of the handwriting'),
    from: z.number().int().min(0).default(0).describe('first variant used'),
    to: count.optional().describe('one past the last variant used; default: all'),
  }),
  z.strictObject({
    kind: z.literal('images').describe('PNG, JPEG or WebP files: names ⟨prefix⟩/⟨path without extension⟩'),
    folder: z.string().describe('searched with its sub-folders'),
    glob: z.string().default('**').describe('over paths relative to the folder, with extension'),
    prefix: z.string().default('images').describe('what the names begin with'),
    edge: z
      .enum(['fade', 'extend'])
      .default('fade')
      .describe('beyond the edge: transparent (sprites), or the edge goes on (backgrounds)'),
    licence: z.string().optional().describe('SPDX identifier or a short text, for manifests'),
  }),
]);

/** Unlabelled target images X_R, or the labelled validation set V (a folder per class). */
const imageSetSchema = z.strictObject({
  folder: z.string().describe('PNG, JPEG or WebP files; for a labelled set one sub-folder per class name'),
  limit: count.optional().describe('use at most this many images, drawn with the seed'),
});

export const featuresSchema = z
  .strictObject({
    weights: z.string().default('auto').describe('folder of the Inception weights, "auto" to look for it, or "random"'),
    layers: z
      .array(z.union([z.literal(64), z.literal(192), z.literal(768)]))
      .min(1)
      .default([64, 192])
      .describe('Inception layers that are compared, by their number of channels'),
  })
  .prefault({});

const bandwidthSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), value: positive }),
  z.strictObject({ kind: z.literal('median'), scale: positive.default(1) }),
  z.strictObject({ kind: z.literal('mixture'), scales: z.array(positive).min(1) }),
]);

export const mmdSchema = z
  .strictObject({
    realImages: count.default(200).describe('target images M held in the loss'),
    bandwidth: bandwidthSchema.optional().describe('how σ is chosen: see below'),
    blur: z
      .array(z.number().min(0))
      .min(1)
      .optional()
      .describe('σ of the blurred copies of the maps, in their cells; 0 is the plain map'),
  })
  .prefault({});

export const transformerSchema = z
  .strictObject({
    hidden: z.array(count).min(1).default([30, 18]).describe('widths of the encoder; the decoder mirrors them'),
    freezeEncoder: z.boolean().default(true).describe('train only the decoder after pre-training'),
    noise: z
      .number()
      .int()
      .min(0)
      .max(64)
      .default(0)
      .describe('numbers of latent noise a node: with them one scene can become different ones, several modes'),
    noiseSpread: fraction
      .default(0.25)
      .describe(
        'how far the noise moves a mutable attribute after pre-training, to either side, fraction of its range',
      ),
  })
  .prefault({});

export const pretrainSchema = z
  .strictObject({
    steps: count.default(400).describe('gradient steps of the autoencoder'),
    batchSize: count.default(64).describe('fresh scenes in a step'),
    learningRate: positive.default(0.02).describe('of Adam at first, falling to zero along half a cosine'),
  })
  .prefault({});

export const warmStartSchema = z
  .strictObject({
    kind: z.enum(['survey', 'none']).default('survey').describe('"none" starts at the grammar, as the paper does'),
    candidates: count.default(96).describe('offsets of the mutable attributes that are compared'),
    scenes: count.default(50).describe('scenes each candidate is judged on'),
    refine: z.number().int().min(0).max(1000).default(6).describe('best candidates that are then followed downhill'),
    steps: z.number().int().min(0).max(10000).default(24).describe('gradient steps of each'),
  })
  .prefault({});

export const metaSchema = z
  .strictObject({
    epochs: count.default(30).describe('E_m'),
    iterations: count.default(20).describe('I_m, batches in an epoch'),
    batchSize: count.default(50).describe('B_m, scenes in a batch'),
    learningRate: positive.default(1e-3).describe('of Adam'),
    weightDecay: z.number().min(0).default(1e-5).describe('λ, added to the gradient as λθ'),
    halveEvery: count.default(200).describe('epochs after which the learning rate is halved'),
    sigma: positive.max(1).default(0.02).describe('σ of the sampled attributes, as a fraction of their range'),
    optimiseEvery: z
      .enum(['batch', 'epoch'])
      .default('batch')
      .describe('"epoch" is Algorithm 1 to the letter: one step an epoch'),
    mmdWeight: z.number().min(0).default(100).describe('weight of the squared MMD'),
    taskWeight: z.number().min(0).default(1).describe('weight of the REINFORCE term, log p averaged over scenes'),
    baselineDecay: fraction.default(0.8).describe('of the moving average of previous scores'),
    mmdOf: z
      .enum(['mean', 'samples'])
      .default('mean')
      .describe("images whose MMD is taken: of the transformer's mean, as in eq. (1), or with the noise σ"),
    pixelDelta: positive.default(0.1).describe('half-step of the central differences, as motion in the image, px'),
  })
  .prefault({});

export const taskSchema = z
  .strictObject({
    epochs: count.default(2).describe('passes over the data of one meta-epoch'),
    batchSize: count.default(8).describe('images in a step'),
    optimizer: z.enum(['sgd', 'adam']).default('sgd').describe('of the task network'),
    learningRate: positive.default(0.01).describe('of that optimiser'),
    momentum: z.number().min(0).lt(1).default(0.5).describe('of sgd'),
    dropout: z.number().min(0).lt(1).default(0.1).describe('of the hidden fully connected layers'),
    resetEachEpoch: z.boolean().default(false).describe('train the task network anew in every meta-epoch'),
  })
  .prefault({});

/** How the offline task network of the table is trained (§4.1: a static dataset, then the target's test set). */
export const evaluationSchema = z
  .strictObject({
    images: count.default(50_000).describe('generated training images'),
    testImages: count.default(10_000).describe('fresh target test images'),
    poseScenes: count.default(1000).describe('scenes whose learned pose is measured'),
    epochs: count.default(6).describe('passes over the training images'),
    batchSize: count.default(32).describe('images in a step'),
    optimizer: z.enum(['sgd', 'adam']).default('adam').describe('of the task network'),
    learningRate: positive.default(1e-3).describe('in the first epoch'),
    dropout: z.number().min(0).lt(1).default(0.25).describe('of the hidden fully connected layers'),
    finalLearningRate: positive.default(5e-5).describe('reached geometrically over the epochs'),
  })
  .prefault({});

/** Everything `metasim train` needs, grouped by stage. */
export const trainConfigSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/, 'letters, digits, "_", "." and "-" only')
    .describe('of the run; letters, digits, "_", "." and "-"'),
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe('of everything random; 0 is a seed'),
  grammar: z.string().describe('path of a grammar, relative to this file'),
  variables: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('values for the grammar\'s variables; lists as text: "rotation,x"'),
  assets: z.array(assetSourceSchema).min(1).describe('where textures come from; backgrounds/… are always there'),
  target: z.strictObject({
    images: imageSetSchema.describe('X_R'),
    validation: imageSetSchema.optional().describe('V; without it the task term is left out'),
  }),
  labels: z
    .array(z.string())
    .optional()
    .describe("class names that are labels of the task, in order; default: the classes of V's folders"),
  features: featuresSchema,
  mmd: mmdSchema,
  transformer: transformerSchema,
  pretrain: pretrainSchema,
  warmStart: warmStartSchema,
  meta: metaSchema,
  task: taskSchema,
  workers: z.number().int().min(0).max(1024).optional().describe('render threads; default: all cores'),
});

/** Those settings of a training configuration that `trainTransformer` reads. */
export const stageSchema = trainConfigSchema.pick({
  seed: true,
  features: true,
  mmd: true,
  transformer: true,
  pretrain: true,
  warmStart: true,
  meta: true,
});

/** A filled-in training configuration. */
export type TrainConfig = z.output<typeof trainConfigSchema>;
/** What a user writes: everything with a default may be left out. */
export type TrainConfigInput = z.input<typeof trainConfigSchema>;
export type AssetSource = z.output<typeof assetSourceSchema>;
export type AssetSourceInput = z.input<typeof assetSourceSchema>;
export type MetaConfig = z.output<typeof metaSchema>;
export type WarmStartConfig = z.output<typeof warmStartSchema>;
export type TaskConfig = z.output<typeof taskSchema>;
export type EvaluationConfig = z.output<typeof evaluationSchema>;

/** What `stageConfig` takes: everything may be left out. */
export type StageConfigInput = z.input<typeof stageSchema>;

/**
 * The settings of `trainTransformer`: those given, defaults for the others.
 * @throws ConfigError with one line per problem, each naming the path
 */
export function stageConfig(input: StageConfigInput = {}): z.output<typeof stageSchema> {
  return parseConfig(stageSchema, input, 'stageConfig');
}

/**
 * Checks a value against a schema and fills in the defaults.
 * @param where what the message starts with, e.g. a file name
 * @throws ConfigError with one line per problem, each naming the path
 */
export function parseConfig<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.') || '(top level)';
    return `${where}: ${path}: ${issue.message}`;
  });
  throw new ConfigError(problems.join('\n'));
}

/**
 * Reads a training configuration (YAML, or JSON, which is YAML too).
 * @throws ConfigError when the file is missing, is not YAML, or does not follow the schema
 */
export async function loadConfig(path: string): Promise<TrainConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`Expected a readable configuration at ${path} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 100, prettyErrors: true });
  } catch (cause) {
    throw new ConfigError(`${path}: ${(cause as Error).message}`, { cause });
  }
  return parseConfig(trainConfigSchema, value, path);
}
