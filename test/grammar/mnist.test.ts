import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mnistGrammar } from '../../examples/grammars/mnist-ts.js';
import { proceduralBackgrounds } from '../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../src/assets/proceduralDigits.js';
import { createGrammar, loadGrammar } from '../../src/grammar/grammar.js';

const PATH = 'examples/grammars/mnist.yaml';
const assets = proceduralDigits({ variants: 3 }).concat(proceduralBackgrounds({ variants: 1 }));

function yaml(variables: Record<string, string>) {
  return loadGrammar(PATH, { assets, overrides: { variables: { digits: 'digits', ...variables } } });
}

test('the YAML and the TypeScript grammar are the same grammar: hash and scenes', async () => {
  for (const [size, mutable] of [
    [32, ['rotation']],
    [64, ['rotation', 'x', 'y']],
  ] as const) {
    const fromYaml = await yaml({ size: String(size), mutable: mutable.join(',') });
    const fromTypeScript = createGrammar(mnistGrammar({ size, digits: 'digits', mutable: [...mutable] }), { assets });
    assert.equal(fromTypeScript.definition, fromYaml.definition);
    assert.is(fromTypeScript.hash, fromYaml.hash);
    const request = { seed: 3, start: 5, count: 50 };
    assert.equal(fromTypeScript.sampleBatch(request), fromYaml.sampleBatch(request));
  }
});

test('one upright, centred digit on a background, even over ten classes', async () => {
  const grammar = await yaml({ size: '64' });
  assert.equal(grammar.schema.classes, ['background', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  assert.equal(
    grammar.schema.attributes.map(({ name, minimum, maximum, periodic }) => [name, minimum, maximum, periodic]),
    [
      ['rotation', -180, 180, true],
      ['x', -32, 32, false],
      ['y', -32, 32, false],
    ],
  );
  const counts = new Array<number>(11).fill(0);
  const variants = new Set<string>();
  for (const scene of grammar.sampleBatch({ seed: 0, start: 0, count: 2000 }).scenes) {
    assert.equal([...scene.parent], [-1, 0]);
    assert.equal([...scene.attributes], [0, 32, 32, 0, 0, 0]);
    assert.equal([...scene.mutable], [0, 0, 0, 1, 1, 1]);
    const [background, digit] = [...scene.asset].map((index) => grammar.assets[index]);
    assert.is(background, 'backgrounds/black');
    assert.ok(digit.startsWith(`digits/${scene.classId[1] - 1}/`));
    counts[scene.classId[1]]++;
    variants.add(digit);
  }
  assert.is(variants.size, 30);
  // 200 each, standard deviation 13.4.
  for (const count of counts.slice(1)) assert.ok(Math.abs(count - 200) < 4 * 13.4, counts.join(' '));
});

test('the optional spread moves digits, rotation alone can be mutable, the canvas can be 32', async () => {
  const grammar = await yaml({ turn: '5', shift: '1', mutable: 'rotation' });
  assert.equal([grammar.canvas.width, grammar.canvas.height], [32, 32]);
  const { scenes } = grammar.sampleBatch({ seed: 0, start: 0, count: 300 });
  assert.equal([...scenes[0].mutable], [0, 0, 0, 1, 0, 0]);
  for (const [column, sd] of [
    [3, 5],
    [4, 1],
    [5, 1],
  ]) {
    const variance = scenes.reduce((sum, { attributes }) => sum + attributes[column] ** 2, 0) / scenes.length;
    assert.ok(Math.abs(Math.sqrt(variance) / sd - 1) < 0.17, `column ${column}: ${Math.sqrt(variance)}`);
  }
});

test.run();
