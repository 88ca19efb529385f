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
 * The kernel of scenes whose layout is random: how an image's parts lie to each other is seen by a deep layer, and maps
 * blurred over their whole extent see it wherever it is. Shallow layers see textures, which the grammar has right.
 */
const LAYOUT_FREE: Pick<AerialExperimentConfigInput, 'features' | 'mmd'> = {
  features: { layers: [768] },
  mmd: { blur: [1, 20], bandwidth: { kind: 'mixture', scales: [0.2, 1] } },
};

/** What table 2 is made with, within 90 minutes on two cores. */
export function aerialPreset(): AerialExperimentConfigInput {
  return {
    ...LAYOUT_FREE,
    mmd: { ...LAYOUT_FREE.mmd, realImages: 300 },
    transformer: { hidden: [64, 64] },
    pretrain: { steps: 3000 },
    warmStart: { kind: 'classes', scenes: 32, positions: 9 },
    meta: { epochs: 15, iterations: 20, batchSize: 16, learningRate: 3e-4, pixelDelta: 0.3, halveEvery: 5 },
    task: { kind: 'segmentation', epochs: 1 },
    evaluation: {
      images: 2500,
      testImages: 500,
      poseScenes: 1000,
      epochs: 6,
      batchSize: 8,
      learningRate: 4e-3,
      finalLearningRate: 1e-4,
    },
  };
}

/** The experiment in a form that takes some minutes and still shows the cars turn: for a first look. */
export function quickAerialPreset(): AerialExperimentConfigInput {
  return {
    ...aerialPreset(),
    size: 96,
    validationImages: 20,
    mmd: { ...LAYOUT_FREE.mmd, realImages: 120 },
    pretrain: { steps: 1000 },
    warmStart: { kind: 'classes', scenes: 24, positions: 9, sweeps: 1 },
    meta: { epochs: 3, iterations: 10, batchSize: 16, learningRate: 3e-4, pixelDelta: 0.3, halveEvery: 1 },
    evaluation: {
      images: 400,
      testImages: 100,
      poseScenes: 300,
      epochs: 4,
      batchSize: 8,
      learningRate: 4e-3,
      finalLearningRate: 1e-4,
    },
  };
}
