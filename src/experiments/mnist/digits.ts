import { join } from 'node:path';
import { AssetLibrary } from '../../assets/assetLibrary.js';
import { mnistAssets } from '../../assets/mnist.js';
import { proceduralBackgrounds } from '../../assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../assets/proceduralDigits.js';

/** Digit images, split so that no image serves two purposes; each library has the backgrounds too. */
export interface DigitSplits {
  /** What generated datasets are made of. */
  readonly train: AssetLibrary;
  /** What X_R and V are made of. */
  readonly target: AssetLibrary;
  /** What the target's test set is made of. */
  readonly test: AssetLibrary;
  /** All of them, for the engine. */
  readonly all: AssetLibrary;
  /** Asset names begin with this, then `/⟨digit⟩/`: of `train` and `target`, and of `test`. */
  readonly prefix: string;
  readonly testPrefix: string;
  /** For reports. */
  readonly description: string;
}

/** The last 5,000 training digits are kept for the target. */
const MNIST_TRAIN_COUNT = 55_000;

/** Real MNIST from a folder that holds the four IDX files, or has them in a sub-folder `mnist`. */
export function mnistSplits(folder: string): DigitSplits {
  const backgrounds = proceduralBackgrounds();
  const train = mnistAssets(folder, 'train', { from: 0, to: MNIST_TRAIN_COUNT });
  const target = mnistAssets(folder, 'train', { from: MNIST_TRAIN_COUNT });
  const test = mnistAssets(folder, 'test');
  return {
    train: backgrounds.concat(train),
    target: backgrounds.concat(target),
    test: backgrounds.concat(test),
    all: new AssetLibrary([backgrounds, train, target, test].flatMap(({ assets }) => assets)),
    prefix: 'mnist/train',
    testPrefix: 'mnist/test',
    description: `MNIST (${join(folder)}): 55,000 digits to generate with, 5,000 for the target, 10,000 to test on`,
  };
}

/** Procedural digits: nothing to download. */
export function proceduralSplits(variants: number, seed: number): DigitSplits {
  const backgrounds = proceduralBackgrounds();
  const digits = proceduralDigits({ variants, seed });
  const [targetStart, testStart] = [Math.floor(variants * 0.6), Math.floor(variants * 0.8)];
  const part = (from: number, to: number) => {
    const assets = digits.assets.filter(({ name }) => {
      const variant = Number(name.slice(name.lastIndexOf('/') + 1));
      return variant >= from && variant < to;
    });
    return backgrounds.concat(new AssetLibrary(assets));
  };
  return {
    train: part(0, targetStart),
    target: part(targetStart, testStart),
    test: part(testStart, variants),
    all: backgrounds.concat(digits),
    prefix: 'digits',
    testPrefix: 'digits',
    description: `procedural digits, ${variants} variants of each (60 % to generate with, 20 % target, 20 % test)`,
  };
}
