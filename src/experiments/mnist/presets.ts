import {
  featuresSchema,
  metaSchema,
  mmdSchema,
  pretrainSchema,
  taskSchema,
  transformerSchema,
  warmStartSchema,
} from '../../config.js';
import { z } from 'zod';

/** How the offline task network of the table is trained (§4.1: a static dataset, then the target's test set). */
export const evaluationSchema = z
  .strictObject({
    images: z.number().int().min(100).max(1e7).default(50_000).describe('generated training images'),
    testImages: z.number().int().min(100).max(1e6).default(10_000).describe('fresh target test images'),
    poseScenes: z.number().int().min(10).max(1e5).default(1000).describe('scenes whose learned pose is measured'),
    epochs: z.number().int().min(1).max(1000).default(6),
    batchSize: z.number().int().min(1).max(4096).default(32),
    optimizer: z.enum(['sgd', 'adam']).default('adam'),
    learningRate: z.number().positive().default(1e-3),
    finalLearningRate: z.number().positive().default(5e-5).describe('reached geometrically over the epochs'),
  })
  .prefault({});

/** All settings of an MNIST experiment. */
export const mnistExperimentSchema = z.strictObject({
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  /** Real images X_R offered to the MMD, and images of V; both from digits no generated image uses. */
  validationImages: z.number().int().min(10).max(100_000).default(1000),
  features: featuresSchema,
  mmd: mmdSchema,
  transformer: transformerSchema,
  pretrain: pretrainSchema,
  warmStart: warmStartSchema,
  meta: metaSchema,
  task: taskSchema,
  evaluation: evaluationSchema,
});

export type MnistExperimentConfig = z.output<typeof mnistExperimentSchema>;
export type MnistExperimentConfigInput = z.input<typeof mnistExperimentSchema>;
export type EvaluationConfig = z.output<typeof evaluationSchema>;

/** The experiment in a form that takes a minute or two and still shows the metric move: for a first look and for tests. */
export const QUICK: MnistExperimentConfigInput = {
  validationImages: 200,
  mmd: { realImages: 100 },
  warmStart: { candidates: 24, scenes: 32, refine: 3, steps: 10 },
  meta: { epochs: 4, iterations: 10, batchSize: 25, learningRate: 2e-3, halveEvery: 2 },
  task: { epochs: 1 },
  evaluation: { images: 4000, testImages: 1000, poseScenes: 200, epochs: 3 },
};
