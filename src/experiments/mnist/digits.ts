import { join } from 'node:path';
import { type AssetSource, assetSourceSchema } from '../../config.js';
import { dataFolder } from '../../dataFolder.js';

/** Digit images, split so that no image serves two purposes. */
export interface DigitSplits {
  /** What generated datasets are made of. */
  readonly train: AssetSource;
  /** What X_R and V are made of. */
  readonly target: AssetSource;
  /** What the target's test set is made of. */
  readonly test: AssetSource;
  /** Asset names begin with this, then `/⟨digit⟩/`: of `train` and `target`, and of `test`. */
  readonly prefix: string;
  readonly testPrefix: string;
  /** For reports. */
  readonly description: string;
}

/** The last 5,000 training digits are kept for the target. */
const MNIST_TRAIN_COUNT = 55_000;

/** Real MNIST from a folder that holds the four IDX files. */
export function mnistSplits(folder: string): DigitSplits {
  const part = (range: object) => assetSourceSchema.parse({ kind: 'mnist', folder, ...range });
  return {
    train: part({ split: 'train', from: 0, to: MNIST_TRAIN_COUNT }),
    target: part({ split: 'train', from: MNIST_TRAIN_COUNT }),
    test: part({ split: 'test' }),
    prefix: 'mnist/train',
    testPrefix: 'mnist/test',
    description: 'MNIST: 55,000 digits to generate with, 5,000 for the target, 10,000 to test on',
  };
}

/** Procedural digits: nothing to download. */
export function proceduralSplits(variants: number, seed: number): DigitSplits {
  const [target, test] = [Math.floor(variants * 0.6), Math.floor(variants * 0.8)];
  const part = (range: object) => assetSourceSchema.parse({ kind: 'digits', variants, seed, ...range });
  return {
    train: part({ from: 0, to: target }),
    target: part({ from: target, to: test }),
    test: part({ from: test }),
    prefix: 'digits',
    testPrefix: 'digits',
    description: `procedural digits, ${variants} variants of each (60 % to generate with, 20 % target, 20 % test)`,
  };
}

/** Where MNIST is looked for unless a folder is given: `$METASIM_DATA/mnist`, else `../shared/data/mnist` beside the project. */
export function mnistFolder(): string {
  return join(dataFolder(), 'mnist');
}
