import { z } from 'zod';
import { evaluationSchema, segmentationTaskSchema, stageSchema } from '../../config.js';

/** All settings of the Aerial2D experiment. */
export const aerialExperimentSchema = stageSchema.extend({
  /** Canvas side, px. */
  size: z.number().int().min(32).max(1024).default(128),
  /** Images of V. X_R are others (`mmd.realImages`). */
  validationImages: z.number().int().min(2).max(100_000).default(100),
  task: segmentationTaskSchema.prefault({ kind: 'segmentation' }),
  evaluation: evaluationSchema,
});

export type AerialExperimentConfig = z.output<typeof aerialExperimentSchema>;
export type AerialExperimentConfigInput = z.input<typeof aerialExperimentSchema>;

/**
 * The kernel of scenes whose layout is random: maps blurred over their whole extent tell what is in the image and how its
 * parts lie to each other, wherever that is.
 */
const LAYOUT_FREE: AerialExperimentConfigInput['mmd'] = {
  blur: [20],
  bandwidth: { kind: 'mixture', scales: [0.2, 1] },
};

/** What table 2 is made with, within 90 minutes on two cores. */
export function aerialPreset(): AerialExperimentConfigInput {
  return {
    features: { layers: [192] },
    mmd: { realImages: 300, ...LAYOUT_FREE },
    transformer: { hidden: [64, 32] },
    pretrain: { steps: 800 },
    warmStart: { kind: 'classes', scenes: 32, positions: 9 },
    meta: { epochs: 20, iterations: 20, batchSize: 16, learningRate: 1e-3, pixelDelta: 0.3, halveEvery: 5 },
    task: { kind: 'segmentation', epochs: 1 },
    evaluation: { images: 3000, testImages: 500, poseScenes: 1000, epochs: 6, batchSize: 16, learningRate: 2e-3 },
  };
}

/** The experiment in a form that takes some minutes and still shows the cars turn: for a first look and for tests. */
export function quickAerialPreset(): AerialExperimentConfigInput {
  return {
    ...aerialPreset(),
    size: 64,
    validationImages: 20,
    mmd: { realImages: 100, ...LAYOUT_FREE },
    pretrain: { steps: 400 },
    warmStart: { kind: 'classes', scenes: 24, positions: 9, sweeps: 1 },
    meta: { epochs: 3, iterations: 10, batchSize: 16, learningRate: 1e-3, pixelDelta: 0.3, halveEvery: 1 },
    evaluation: { images: 400, testImages: 100, poseScenes: 300, epochs: 4, batchSize: 16, learningRate: 2e-3 },
  };
}
