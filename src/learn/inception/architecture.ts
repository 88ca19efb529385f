/**
 * InceptionV3 from the image to `mixed10`, as Keras Applications builds it, as a table.
 *
 * A network is a list of stages; a stage is a set of branches that read the same map and whose outputs are joined along
 * the channels; a branch is a list of steps, and may end in a fork into two convolutions. Every convolution is bias-free, followed by batch normalisation without
 * gamma and by ReLU. Convolutions are numbered from 1 in the order of this file, which is the order in which Keras
 * creates them, so number n is `conv2d_n` with `batch_normalization_n` in Keras' weight files.
 */
import { ShapeError } from '../../errors.js';

export interface ConvStep {
  readonly kind: 'conv';
  /** Number in Keras' order of creation, from 1. */
  readonly index: number;
  /** Kernel height and width. */
  readonly size: readonly [number, number];
  readonly inChannels: number;
  readonly outChannels: number;
  readonly stride: 1 | 2;
  readonly padding: 'same' | 'valid';
}

/** 3 × 3 pooling: maxima with stride 2 without padding, or means with stride 1, the padding left out of the mean. */
export interface PoolStep {
  readonly kind: 'maxPool' | 'averagePool';
}

/** The last step of a branch: convolutions that read the same map, joined along the channels. */
export interface ForkStep {
  readonly kind: 'fork';
  readonly convolutions: readonly ConvStep[];
}

export type Step = ConvStep | PoolStep | ForkStep;

export interface Stage {
  /** Keras' name of the last layer of the stage. */
  readonly name: string;
  readonly branches: readonly (readonly Step[])[];
  readonly outChannels: number;
}

/**
 * Feature layers that can be asked for, named by their number of channels. The last, whose mean over positions is what
 * Keras calls `avg_pool`, is for reports; training uses the others.
 */
export type InceptionLayer = 64 | 192 | 768 | 2048;

/** The stage after which a layer's features are read. */
export const STAGE_OF_LAYER: Readonly<Record<InceptionLayer, string>> = {
  64: 'max_pooling2d_1',
  192: 'max_pooling2d_2',
  768: 'mixed7',
  2048: 'mixed10',
};

/** Batch normalisation's epsilon, Keras Applications. */
export const BATCH_NORM_EPSILON = 1e-3;

type ConvSpec = readonly [filters: number, height: number, width: number, stride?: 1 | 2, padding?: 'same' | 'valid'];
type BranchSpec = readonly (ConvSpec | 'max' | 'average' | typeof FORK)[];

/** 384 filters of 1 × 3 beside 384 of 3 × 1. */
const FORK = [
  [384, 1, 3],
  [384, 3, 1],
] as const;

const tower = (filters: number): BranchSpec[] => [
  [[192, 1, 1]],
  [
    [filters, 1, 1],
    [filters, 1, 7],
    [192, 7, 1],
  ],
  [
    [filters, 1, 1],
    [filters, 7, 1],
    [filters, 1, 7],
    [filters, 7, 1],
    [192, 1, 7],
  ],
  ['average', [192, 1, 1]],
];

const block35 = (poolFilters: number): BranchSpec[] => [
  [[64, 1, 1]],
  [
    [48, 1, 1],
    [64, 5, 5],
  ],
  [
    [64, 1, 1],
    [96, 3, 3],
    [96, 3, 3],
  ],
  ['average', [poolFilters, 1, 1]],
];

const BLOCK8: readonly BranchSpec[] = [
  [[320, 1, 1]],
  [[384, 1, 1], FORK],
  [[448, 1, 1], [384, 3, 3], FORK],
  ['average', [192, 1, 1]],
];

const SPEC: readonly (readonly [name: string, branches: readonly BranchSpec[]])[] = [
  ['max_pooling2d_1', [[[32, 3, 3, 2, 'valid'], [32, 3, 3, 1, 'valid'], [64, 3, 3], 'max']]],
  ['max_pooling2d_2', [[[80, 1, 1, 1, 'valid'], [192, 3, 3, 1, 'valid'], 'max']]],
  ['mixed0', block35(32)],
  ['mixed1', block35(64)],
  ['mixed2', block35(64)],
  [
    'mixed3',
    [
      [[384, 3, 3, 2, 'valid']],
      [
        [64, 1, 1],
        [96, 3, 3],
        [96, 3, 3, 2, 'valid'],
      ],
      ['max'],
    ],
  ],
  ['mixed4', tower(128)],
  ['mixed5', tower(160)],
  ['mixed6', tower(160)],
  ['mixed7', tower(192)],
  [
    'mixed8',
    [
      [
        [192, 1, 1],
        [320, 3, 3, 2, 'valid'],
      ],
      [
        [192, 1, 1],
        [192, 1, 7],
        [192, 7, 1],
        [192, 3, 3, 2, 'valid'],
      ],
      ['max'],
    ],
  ],
  ['mixed9', BLOCK8],
  ['mixed10', BLOCK8],
];

function build(): Stage[] {
  let index = 0;
  let channels = 3;
  return SPEC.map(([name, branches]) => {
    const outputs: number[] = [];
    const steps = branches.map((branch) => {
      let current = channels;
      const convolution = (spec: ConvSpec): ConvStep => {
        const [outChannels, height, width, stride = 1, padding = 'same'] = spec;
        index += 1;
        return { kind: 'conv', index, size: [height, width], inChannels: current, outChannels, stride, padding };
      };
      const list = branch.map((spec): Step => {
        if (spec === 'max') return { kind: 'maxPool' };
        if (spec === 'average') return { kind: 'averagePool' };
        if (spec === FORK) {
          const convolutions = FORK.map(convolution);
          current = convolutions.reduce((sum, { outChannels }) => sum + outChannels, 0);
          return { kind: 'fork', convolutions };
        }
        const step = convolution(spec as ConvSpec);
        current = step.outChannels;
        return step;
      });
      outputs.push(current);
      return list;
    });
    channels = outputs.reduce((sum, count) => sum + count, 0);
    return { name, branches: steps, outChannels: channels };
  });
}

/** The stages from the image to `mixed10`. */
export const INCEPTION_STAGES: readonly Stage[] = build();

/** The stages up to and including `name`. */
export function stagesUpTo(name: string): readonly Stage[] {
  return INCEPTION_STAGES.slice(0, INCEPTION_STAGES.findIndex((stage) => stage.name === name) + 1);
}

/** All convolutions of `stages`, in order of their number. */
export function convolutionsOf(stages: readonly Stage[]): ConvStep[] {
  const steps = stages.flatMap((stage) => stage.branches.flat());
  return steps.flatMap((step) => (step.kind === 'conv' ? [step] : step.kind === 'fork' ? step.convolutions : []));
}

function outputSize(step: Step, size: number, axis: 0 | 1): number {
  if (step.kind === 'fork') return size;
  if (step.kind !== 'conv') return step.kind === 'averagePool' ? size : Math.floor((size - 3) / 2) + 1;
  if (step.padding === 'same') return Math.ceil(size / step.stride);
  return Math.floor((size - step.size[axis]) / step.stride) + 1;
}

/**
 * Height or width of the map after `stage` for an image of `size` pixels; 0 when nothing is left of it.
 * @param axis 0 for heights, 1 for widths
 */
export function mapSize(stage: string, size: number, axis: 0 | 1 = 0): number {
  return stagesUpTo(stage).reduce(
    (current, { branches }) =>
      Math.max(
        0,
        branches[0].reduce((s, step) => outputSize(step, s, axis), current),
      ),
    size,
  );
}

/** The smallest image side for which `layer` has at least one position: 11, 27, 43 and 75 pixels. */
export function minimumImageSize(layer: InceptionLayer): number {
  let size = 1;
  while (mapSize(STAGE_OF_LAYER[layer], size) < 1) size += 1;
  return size;
}

/** @throws ShapeError when an image of `height` × `width` pixels leaves nothing at `layer` */
export function checkImageSize(layer: InceptionLayer, height: number, width: number): void {
  const minimum = minimumImageSize(layer);
  if (height < minimum || width < minimum) {
    throw new ShapeError(
      `Expected at least ${minimum} × ${minimum} pixels for images of Inception layer ${layer} but received ${height} × ${width}`,
    );
  }
}
