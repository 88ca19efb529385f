import { defineGrammar, type GrammarDefinition } from 'metasim';

export interface MnistGrammarOptions {
  /** Canvas side, px. */
  readonly size: number;
  /** Folder of the digits in the asset library. */
  readonly digits: string;
  /** What the distribution transformer may change on a digit. */
  readonly mutable: string[];
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** The grammar of mnist.yaml, written in TypeScript. */
export function mnistGrammar({ size, digits, mutable }: MnistGrammarOptions): GrammarDefinition {
  return defineGrammar({
    name: 'mnist',
    canvas: { width: size, height: size, channels: 1 },
    attributes: {
      rotation: { range: [-180, 180] },
      x: { range: [-size / 2, size / 2] },
      y: { range: [-size / 2, size / 2] },
    },
    // A list, because objects put keys like "0" before "background".
    classes: [
      { name: 'background', asset: 'backgrounds/black', attributes: { x: size / 2, y: size / 2 } },
      ...DIGITS.map((name) => ({
        name,
        asset: `${digits}/${name}/*`,
        mutable,
        attributes: {
          rotation: { normal: { mean: 0, sd: 0 } },
          x: { normal: { mean: 0, sd: 0 } },
          y: { normal: { mean: 0, sd: 0 } },
        },
      })),
    ],
    nodes: [{ class: 'background', children: [{ class: DIGITS }] }],
  });
}

export default mnistGrammar({ size: 32, digits: 'mnist/train', mutable: ['rotation', 'x', 'y'] });
