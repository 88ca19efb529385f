import type { AerialExperimentConfigInput } from './presets.js';

/** A setting of the experiment with one part of the method taken out or exchanged. */
interface Ablation {
  readonly description: string;
  change(config: AerialExperimentConfigInput): AerialExperimentConfigInput;
}

const layer = (channels: 64 | 192 | 768): Ablation => ({
  description: `features of layer ${channels} alone`,
  change: (config) => ({ ...config, features: { ...config.features, layers: [channels] } }),
});

/** What the full method is compared with. */
export const AERIAL_ABLATIONS = {
  'no-warm-start': {
    description: 'training starts at the grammar, as in the paper',
    change: (config) => ({ ...config, warmStart: { kind: 'none' } }),
  },
  'no-pretraining': {
    description: 'training starts with random weights, all of them trained',
    change: (config) => ({
      ...config,
      warmStart: { kind: 'none' },
      pretrain: { ...config.pretrain, steps: 0 },
      transformer: { ...config.transformer, freezeEncoder: false },
    }),
  },
  'mmd-only': {
    description: 'distribution matching without the task',
    change: (config) => ({ ...config, meta: { ...config.meta, taskWeight: 0 } }),
  },
  'task-only': {
    description:
      'REINFORCE on the validation score alone, without distribution matching and what it finds at the start',
    change: (config) => ({ ...config, warmStart: { kind: 'none' }, meta: { ...config.meta, mmdWeight: 0 } }),
  },
  'layer-64': layer(64),
  'layer-192': layer(192),
  'layer-768': layer(768),
  'stand-in-features': {
    description: 'features of a random network of the same architecture',
    change: (config) => ({ ...config, features: { ...config.features, weights: 'random' } }),
  },
} as const satisfies Record<string, Ablation>;

export type AerialAblationName = keyof typeof AERIAL_ABLATIONS;
