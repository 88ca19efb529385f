import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigError } from './errors.js';

/** A count: a whole number ≥ 1 and small enough to be meant. */
const count = z.number().int().min(1).max(1e8);
const positive = z.number().positive();
const fraction = z.number().min(0).max(1);
const textures = z.number().int().min(0).max(10000);
const meshes = z.number().int().min(0).max(1000);

const metres = z.number().gt(0).max(1e6);
const axis = z.enum(['x', 'y', 'z', '-x', '-y', '-z']);

/** How models in files are brought to metres and turned; one of the four sizes at most. */
export const meshPlacement = {
  scale: metres.optional().describe('metres a unit of the file; default: 1'),
  length: metres.optional().describe('instead: m from back to front'),
  width: metres.optional().describe('instead: m from left to right'),
  height: metres.optional().describe('instead: m from bottom to top'),
  up: axis.optional().describe('axis of the file that points up; default: y, as in glTF'),
  forward: axis.optional().describe('axis of the file that the front looks along; default: z, where up is z or -z: -y'),
  bodyWidth: metres
    .optional()
    .describe(
      'm that 3D boxes are wide, where mirrors or the like stand out; the middle of the model; default: all of it',
    ),
  bodyHeight: metres
    .optional()
    .describe('likewise, m that they are high from the lowest point, where aerials or the like stand out'),
  bodyLength: metres.optional().describe('likewise, m that they are long, where a hitch or the like stands out'),
  ground: z
    .boolean()
    .optional()
    .describe('put the lowest point on the ground and the middle of the footprint on the origin; default: true'),
  maxTriangles: count.optional().describe('simplify models that have more, as far as their shape and colours allow'),
  surface: z
    .enum(['solid', 'ground'])
    .optional()
    .describe(
      'ground: lies on the ground, casts no shadow, and is drawn over other ground at its height; default: solid',
    ),
};
const meshPlacementSchema = z.strictObject(meshPlacement);

/** Where textures and meshes come from. */
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
    kind: z.literal('aerial').describe('procedural, built in, from straight above: names aerial/⟨kind⟩/⟨index⟩'),
    cars: textures.default(600).describe('aerial/car/…: heading to the right'),
    trees: textures.default(40).describe('aerial/tree/…'),
    houses: textures.default(20).describe('aerial/house/…'),
    grass: textures.default(7).describe('aerial/grass/…: as large as the canvas'),
    roads: textures.default(4).describe('aerial/road/…: two lanes, running to the right'),
    size: z.number().int().min(16).max(1024).default(128).describe('side of the canvas they are drawn for, px'),
    seed: z.number().int().min(0).default(0).describe('of all drawings'),
    from: fraction.default(0).describe('first texture used, as a share of each count'),
    to: fraction.default(1).describe('one past the last texture used, as a share of each count'),
  }),
  z.strictObject({
    kind: z
      .literal('driving')
      .describe('procedural meshes, built in: names driving/⟨kind⟩/…, driving/strips/⟨name⟩, driving/grounds/⟨name⟩'),
    cars: meshes.default(84).describe('driving/cars/⟨hatchback, sedan, estate, suv, mpv, van, pickup, truck⟩/…'),
    trees: meshes.default(32).describe('driving/trees/⟨deciduous, conifer, column, bush, hedge⟩/…'),
    houses: meshes.default(20).describe('driving/houses/…: one or two storeys'),
    towers: meshes.default(16).describe('driving/towers/⟨terrace, highrise⟩/…'),
    pedestrians: meshes.default(24).describe('driving/pedestrians/…'),
    cyclists: meshes.default(8).describe('driving/cyclists/…'),
    poles: meshes.default(24).describe('driving/poles/⟨lamp, sign, light, post, mast⟩/…'),
    seed: z.number().int().min(0).default(0).describe('of all shapes and textures'),
    from: fraction.default(0).describe('first mesh used, as a share of each count'),
    to: fraction.default(1).describe('one past the last mesh used, as a share of each count'),
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
    licence: z
      .string()
      .optional()
      .describe('SPDX identifier or a short text, for files of which licences.yaml in the folder says nothing'),
  }),
  z.strictObject({
    kind: z.literal('meshes').describe('models, glTF (.glb, .gltf) or OBJ: names ⟨prefix⟩/⟨path without extension⟩'),
    folder: z.string().describe('searched with its sub-folders; or one file'),
    glob: z.string().default('**').describe('over paths relative to the folder, with extension'),
    prefix: z.string().default('meshes').describe('what the names begin with'),
    licence: z
      .string()
      .optional()
      .describe('SPDX identifier or a short text, for files of which licences.yaml in the folder says nothing'),
    ...meshPlacement,
  }),
]);

const limit = count.optional().describe('use at most this many images, drawn with the seed');
const fit = z
  .enum(['stretch', 'cover'])
  .default('stretch')
  .describe('images of another shape: stretched to the canvas, or cut off evenly where they are longer');

/** Unlabelled target images X_R. */
const imageSetSchema = z.strictObject({
  folder: z.string().describe('PNG, JPEG or WebP files of any size'),
  limit,
  fit,
});

/** A colour in a mask PNG. */
const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'a pixel value, or a colour "#rrggbb"');
const maskValue = z.union([z.number().int().min(0).max(65535), colour]);

/** The labelled validation set V. */
export const validationSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('folders').default('folders').describe('one sub-folder of images a class, named like it'),
    folder: z.string().describe('holds the sub-folders; for a command, whatever the command reads'),
    limit,
    fit,
  }),
  z.strictObject({
    kind: z.literal('coco').describe("COCO: the classes are the categories' names"),
    folder: z.string().describe('a COCO folder, or one of its annotation files (.json)'),
    limit,
    fit,
  }),
  z.strictObject({
    kind: z.literal('masks').describe('images/ and masks/, a PNG of the same name for each image'),
    folder: z.string().describe('holds images/ and masks/'),
    values: z
      .record(z.string(), z.union([maskValue, z.array(maskValue).min(1)]))
      .optional()
      .describe(
        'pixel values (or places in the palette), or colours "#rrggbb", of each class; default: 1, 2, … in the order of labels',
      ),
    limit,
    fit,
  }),
]);

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
    noiseSpread: z
      .record(z.string(), fraction)
      .default({})
      .describe(
        'how far noise moves mutable attributes after pre-training, to either side, by name, fractions of their range; default: 0.5 where periodic, 0.1 elsewhere',
      ),
  })
  .prefault({});

export const pretrainSchema = z
  .strictObject({
    steps: z
      .number()
      .int()
      .min(0)
      .max(1e8)
      .default(400)
      .describe('gradient steps of the autoencoder; 0 leaves random weights'),
    batchSize: count.default(64).describe('fresh scenes in a step'),
    learningRate: positive.default(0.02).describe('of Adam at first, falling to zero along half a cosine'),
  })
  .prefault({});

export const shiftSurveySchema = z.strictObject({
  kind: z
    .literal('survey')
    .default('survey')
    .describe('one shift of the mutable attributes, shared by all nodes, that matches the target best'),
  candidates: count.default(96).describe('offsets of the mutable attributes that are compared'),
  scenes: count.default(50).describe('scenes each candidate is judged on'),
  refine: z.number().int().min(0).max(1000).default(6).describe('best candidates that are then followed downhill'),
  steps: z.number().int().min(0).max(10000).default(24).describe('gradient steps of each'),
});

export const classSurveySchema = z.strictObject({
  kind: z
    .literal('classes')
    .describe(
      'a shift and a spread for each mutable attribute of each class: where objects of one class are to be aligned',
    ),
  scenes: count.default(48).describe('scenes each candidate is judged on'),
  positions: z
    .number()
    .int()
    .min(2)
    .max(1000)
    .default(12)
    .describe("places along an attribute's range that are compared"),
  sweeps: count.default(2).describe('times that all attributes are gone through'),
});

export const warmStartSchema = z
  .discriminatedUnion('kind', [
    shiftSurveySchema,
    classSurveySchema,
    z.strictObject({ kind: z.literal('none').describe('start at the grammar, as the paper does') }),
  ])
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
    visibilityWeight: z
      .number()
      .min(0)
      .default(0)
      .describe('weight of the penalty that keeps movable objects visible; 0 leaves it out'),
    visibilityMinimum: positive
      .max(1)
      .default(0.75)
      .describe('share of an object, blurred, from which on it costs nothing'),
  })
  .prefault({});

/** How a built-in task network is trained within a meta-epoch; defaults of the kinds differ. */
const taskTraining = (
  batchSize: number,
  optimizer: 'sgd' | 'adam',
  rates: { readonly learningRate: number; readonly momentum: number },
) => ({
  epochs: count.default(2).describe('passes over the data of one meta-epoch'),
  batchSize: count.default(batchSize).describe('images in a step'),
  optimizer: z.enum(['sgd', 'adam']).default(optimizer).describe('of the task network'),
  learningRate: positive.default(rates.learningRate).describe('of that optimiser'),
  momentum: z.number().min(0).lt(1).default(rates.momentum).describe('of sgd'),
  resetEachEpoch: z.boolean().default(false).describe('train the task network anew in every meta-epoch'),
});

/** Layers of the classifier. */
const classifierLayers = {
  convolutions: z
    .array(count)
    .min(1)
    .default([32, 64])
    .describe('channels of the convolutions, each 5×5 with 2×2 max pooling'),
  hidden: z.array(count).default([50, 100]).describe('units of the hidden fully connected layers'),
};

/** Layers and loss of the U-Net. */
const unetLayers = {
  filters: z
    .array(count)
    .min(2)
    .default([16, 32, 64])
    .describe('filters of the convolutions from the full size to the smallest: n levels are 2n + 1 convolutions'),
  balance: z.boolean().default(false).describe('weight classes by the inverse of their share of the training pixels'),
};

export const classificationTaskSchema = z.strictObject({
  kind: z.literal('classification').default('classification').describe("one class an image: the paper's classifier"),
  ...classifierLayers,
  dropout: z.number().min(0).lt(1).default(0.1).describe('of the hidden fully connected layers'),
  ...taskTraining(8, 'sgd', { learningRate: 0.01, momentum: 0.5 }),
});

export const segmentationTaskSchema = z.strictObject({
  kind: z
    .literal('segmentation')
    .describe('one class a pixel: a U-Net; pixels of none of the `labels` are background, which is not scored'),
  ...unetLayers,
  ...taskTraining(8, 'adam', { learningRate: 2e-3, momentum: 0.5 }),
});

/** The task network within the loop; without a kind it is a classifier. */
export const taskSchema = z.discriminatedUnion('kind', [classificationTaskSchema, segmentationTaskSchema]).prefault({});

/** Any other program as the task (§3: a black box). */
export const commandTaskSchema = z.strictObject({
  kind: z.literal('command').describe('another program, which prints its score'),
  command: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .describe(
      'program and arguments: a list, or text that is cut at spaces; no shell reads it; {dataset}, {validation}, {epoch} and {seed} are filled in',
    ),
  format: z.string().default('imagefolder').describe('dataset format that the command reads'),
  timeoutSeconds: positive.max(1e6).default(600).describe('until it and all it started are ended'),
  retries: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('further attempts after one that failed, each on a fresh copy of the dataset'),
  env: z.record(z.string(), z.string()).default({}).describe('environment variables, beside those of metasim'),
  cwd: z.string().optional().describe("folder that it runs in; default: this file's"),
  keep: z.boolean().default(false).describe("keep every epoch's dataset in the run folder"),
});

/** The task of a training configuration: a built-in network, or any other program. */
export const trainTaskSchema = z
  .discriminatedUnion('kind', [classificationTaskSchema, segmentationTaskSchema, commandTaskSchema])
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
    dropout: z.number().min(0).lt(1).default(0.25).describe('of the hidden fully connected layers of a classifier'),
    finalLearningRate: positive.default(5e-5).describe('reached geometrically over the epochs'),
    ...{ ...classifierLayers, ...unetLayers },
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
    validation: validationSchema.optional().describe('V; without it the built-in tasks are left out'),
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
  task: trainTaskSchema,
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
export type MeshPlacement = z.output<typeof meshPlacementSchema>;
export type AssetSource = z.output<typeof assetSourceSchema>;
export type AssetSourceInput = z.input<typeof assetSourceSchema>;
export type MetaConfig = z.output<typeof metaSchema>;
export type WarmStartConfig = z.output<typeof warmStartSchema>;
export type ShiftSurveyConfig = z.output<typeof shiftSurveySchema>;
export type ClassSurveyConfig = z.output<typeof classSurveySchema>;
export type ValidationConfig = z.output<typeof validationSchema>;
export type CommandTaskConfig = z.output<typeof commandTaskSchema>;
export type TaskConfig = z.output<typeof taskSchema>;
export type ClassificationTaskConfig = z.output<typeof classificationTaskSchema>;
export type SegmentationTaskConfig = z.output<typeof segmentationTaskSchema>;
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
    return `${where}: ${path}: ${unknownKind(issue, value) ?? issue.message}`;
  });
  throw new ConfigError(problems.join('\n'));
}

/** What to say of a `kind` that is none: zod's own message names neither what it received nor a default as such. */
function unknownKind(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_union' || !('options' in issue) || !Array.isArray(issue.options)) return undefined;
  const kinds = issue.options.filter((option) => typeof option === 'string');
  const received = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], value);
  return `Expected ${kinds.join(', ')} but received ${JSON.stringify(received) ?? 'nothing'}`;
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
