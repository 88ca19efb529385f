// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the grammar language has its own ${…}
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GrammarError } from '../../src/errors.js';
import { createGrammar, loadGrammar } from '../../src/grammar/grammar.js';
import type { GrammarDefinition } from '../../src/grammar/schema.js';
import { grammarMessage, LIBRARY, parse } from './helpers.js';

const GOOD = `canvas: { width: 32, height: 32 }
attributes: { rotation: {}, x: {} }
templates:
  base:
    mutable: [x]
classes:
  car: { asset: cars/* }
  frame:
    extends: base
nodes:
  - class: car
    count: 2
`;

/** What is said when `from` is replaced by `to`. */
function said(from: string, to: string): string {
  assert.ok(GOOD.includes(from));
  return grammarMessage(() => parse(GOOD.replace(from, to)));
}

const CASES: [title: string, from: string, to: string, expected: string][] = [
  [
    'misspelt key',
    'count: 2',
    'cuont: 2',
    'scene.yaml:12:5: nodes[0].cuont: Expected a known key but received "cuont" (did you mean "count"?)',
  ],
  [
    'misspelt table',
    'templates:',
    'template:',
    'scene.yaml:9:14: classes.frame.extends: Expected a declared template but received "base"',
  ],
  [
    'misspelt class',
    'class: car',
    'class: cra',
    'scene.yaml:11:12: nodes[0].class: Expected one of the classes "car" or "frame" but received "cra" (did you mean "car"?)',
  ],
  [
    'misspelt attribute in a template, found in the template',
    'mutable: [x]',
    'mutable: [rotatoin]',
    'scene.yaml:5:15: classes.frame.mutable[0]: Expected one of the attributes "rotation" or "x" but received "rotatoin" (did you mean "rotation"?)',
  ],
  ['attribute without a role', 'rotation: {}', 'rotaton: {}', '(did you mean "rotation"?)'],
  [
    'misspelt distribution',
    'count: 2',
    'count: { poison: { mean: 1, max: 2 } }',
    'scene.yaml:12:14: nodes[0].count.poison: Expected a known key but received "poison" (did you mean "poisson"?)',
  ],
  [
    'wrong type',
    'count: 2',
    'count: two',
    'scene.yaml:12:12: nodes[0].count: Expected a finite number or a mapping but received "two"',
  ],
  [
    'value below its minimum',
    'count: 2',
    'count: -1',
    'scene.yaml:12:12: nodes[0].count: Expected a number of at least 0 but received -1',
  ],
  [
    'infinite number',
    'count: 2',
    'attributes: { x: .inf }',
    'scene.yaml:12:22: nodes[0].attributes.x: Expected a finite number or a mapping but received Infinity',
  ],
  [
    'not a number',
    'count: 2',
    'attributes: { x: { normal: { mean: .nan, sd: 1 } } }',
    'nodes[0].attributes.x.normal.mean: Expected a finite number but received NaN',
  ],
  ['number too large for a double', 'count: 2', 'attributes: { x: 1e999 }', 'received Infinity'],
  [
    'value outside the range',
    'count: 2',
    'attributes: { x: 33 }',
    'nodes[0].attributes.x: Expected values within the range [-32, 32] of "x" but received 33',
  ],
  [
    'value outside a range whose ends are no float32: they are said as they were written',
    'attributes: { rotation: {}, x: {} }',
    'attributes: { rotation: {}, x: {}, scale: { range: [0.01, 3.3], default: 4 } }',
    'attributes.scale.default: Expected values within the range [0.01, 3.3] of "scale" but received 4',
  ],
  [
    'scale that labels would write as 0',
    'attributes: { rotation: {}, x: {} }',
    'attributes: { rotation: {}, x: {}, scale: { range: [1e-9, 3], default: 1e-9 } }',
    'attributes.scale.range: Expected a minimum of at least 0.001 for the range of the role "scale" but received 1e-9',
  ],
  [
    'two distributions at once',
    'count: 2',
    'attributes: { x: { constant: 1, uniform: [0, 1] } }',
    'Expected exactly one of constant, uniform',
  ],
  [
    'von Mises for a length',
    'count: 2',
    'attributes: { x: { vonMises: { mean: 0, kappa: 1 } } }',
    'Expected vonMises for a rotation only',
  ],
  [
    'weights that do not match',
    'count: 2',
    'attributes: { x: { categorical: { values: [1, 2], weights: [1] } } }',
    'categorical.weights: Expected as many weights as values but received [1]',
  ],
  [
    'weights that are all zero',
    'count: 2',
    'attributes: { x: { categorical: { values: [1, 2], weights: [0, 0] } } }',
    'Expected at least one weight above 0',
  ],
  [
    'truncation that is never reached',
    'count: 2',
    'attributes: { x: { truncatedNormal: { mean: -30, sd: 0.1, min: 20, max: 30 } } }',
    'Expected a mean within 30 standard deviations',
  ],
  [
    'no asset',
    'cars/*',
    'car/*',
    'scene.yaml:7:17: classes.car.asset: Expected a pattern that matches an asset but received "car/*" (did you mean "cars/"?)',
  ],
  ['unclosed brace in a pattern', 'cars/*', '"cars/{a,b"', 'classes.car.asset: Expected a closing }'],
  [
    'canvas beyond the cap',
    'width: 32',
    'width: 16385',
    'scene.yaml:1:18: canvas.width: Expected a number of at most 16384 but received 16385',
  ],
  [
    'canvas of more px than are rendered',
    '{ width: 32, height: 32 }',
    '{ width: 4097, height: 4096 }',
    'canvas: Expected at most 16777216 px in all for the canvas but received 4097 × 4096',
  ],
  ['canvas of a fraction', 'width: 32', 'width: 3.5', 'canvas.width: Expected a whole number but received 3.5'],
  [
    'nodes beyond the cap',
    'count: 2',
    'count: 60000\n    children: [{ class: car }]',
    'Expected at most 65534 nodes but received at least 120000',
  ],
  ['range upside down', 'x: {}', 'x: { range: [1, 1] }', 'Expected [minimum, maximum] with minimum below maximum'],
  [
    'periodic rotation of half a turn',
    'rotation: {}',
    'rotation: { range: [0, 180], periodic: true }',
    'Expected a range of 360°',
  ],
  ['class and choice at once', 'count: 2', 'choice: [{ class: car }]', 'Expected exactly one of class, choice'],
  [
    'unknown variable',
    'width: 32',
    'width: "${sise}"',
    'scene.yaml:1:18: canvas.width: Expected one of the variables "canvas.width" or "canvas.height" but received "sise"',
  ],
  ['bad expression', 'width: 32', 'width: "${3 * }"', 'Expected a number or a name in ${3 * }'],
  ['canvas in terms of itself', 'width: 32', 'width: "${canvas.height}"', 'OK'],
  [
    'cycle of variables',
    'width: 32',
    'width: "${canvas.width + 1}"',
    'Expected variables without a cycle but received canvas.width → canvas.width',
  ],
  ['duplicate key', '  frame:', '  car:', 'scene.yaml:8:3: Expected valid YAML but received: Map keys must be unique'],
  ['duplicate class in a list', '  - class: car', '  - class: car', 'OK'],
  ['__proto__ as a class', '  frame:', '  __proto__:', 'Expected plain names as keys but received "__proto__"'],
  ['unknown tag', 'count: 2', 'count: !!js/function "x"', 'Expected valid YAML but received: Unresolved tag'],
];

for (const [title, from, to, expected] of CASES) {
  test(`error: ${title}`, () => {
    if (expected === 'OK') parse(GOOD.replace(from, to));
    else assert.ok(said(from, to).includes(expected), said(from, to));
  });
}

test('all mistakes are reported at once, a line each', () => {
  const text = GOOD.replace('count: 2', 'count: -1').replace('width: 32', 'width: 0');
  assert.is(
    grammarMessage(() => parse(text)),
    'scene.yaml:1:18: canvas.width: Expected a number of at least 1 but received 0\n' +
      'scene.yaml:12:12: nodes[0].count: Expected a number of at least 0 but received -1',
  );
});

const HOSTILE: [title: string, text: string, expected: RegExp][] = [
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefg'
      .split('')
      .map((c, i) => `${c}: &${c} [${`*${'abcdef'[i]},`.repeat(9)}]\n`)
      .join('')}`,
    /alias/i,
  ],
  ['brackets without end', '['.repeat(100000), /nesting/],
  ['mappings without end', `a: ${'{b: '.repeat(200)}1${'}'.repeat(200)}`, /levels/],
  ['lists in lists', `${'- '.repeat(5000)}1`, /nesting/],
  ['a huge document', `# ${'x'.repeat(1 << 20)}\n${GOOD}`, /Expected at most 1048576 characters/],
  ['an alias to nothing', 'a: *b', /Unresolved alias/],
  ['two documents', `${GOOD}---\n${GOOD}`, /multiple documents/],
  ['no mapping', '- 1', /Expected a mapping for the grammar but received \[1\]/],
  ['nothing', '', /Expected a mapping for the grammar/],
  ['a key that is a list', '? [1, 2]\n: 3', /Expected plain names as keys/],
  [
    'variables that double',
    `variables: { v0: abcdefgh, ${Array.from({ length: 40 }, (_, i) => `v${i + 1}: "\${v${i}}\${v${i}}"`).join(', ')} }\nname: "\${v40}"`,
    /Expected at most 10000 characters/,
  ],
];

for (const [title, text, expected] of HOSTILE) {
  test(`hostile text ends with a GrammarError: ${title}`, () => {
    assert.match(
      grammarMessage(() => parse(text)),
      expected,
    );
  });
}

test('a definition that contains itself ends with a GrammarError', () => {
  const node: Record<string, unknown> = { class: 'a' };
  node.children = [node];
  const definition = { canvas: { width: 8, height: 8 }, attributes: { x: {} }, classes: { a: {} }, nodes: [node] };
  const message = grammarMessage(() => createGrammar(definition as unknown as GrammarDefinition, { assets: LIBRARY }));
  assert.match(message, /Expected at most 64 levels/);
});

test('files: YAML with its name from the file, a module, a missing file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-grammar-'));
  try {
    const yaml = join(folder, 'street.yaml');
    writeFileSync(yaml, GOOD);
    assert.is((await loadGrammar(yaml, { assets: LIBRARY })).name, 'street');
    const module = join(folder, 'street.mjs');
    writeFileSync(
      module,
      'export default { canvas: { width: 8, height: 8 }, attributes: { x: {} }, classes: { a: {} }, nodes: [{ class: "a" }] };',
    );
    assert.is((await loadGrammar(module, { assets: LIBRARY })).canvas.width, 8);
    const missing = join(folder, 'none.yaml');
    await loadGrammar(missing, { assets: LIBRARY }).then(
      () => assert.unreachable(),
      (error) => {
        assert.instance(error, GrammarError);
        assert.match(error.message, 'none.yaml: Expected a readable grammar file');
      },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('overrides: an unknown variable is named with a suggestion, a wrong type is refused', () => {
  const definition: GrammarDefinition = {
    variables: { size: 8 },
    canvas: { width: 8, height: 8 },
    attributes: { x: {} },
    classes: { a: {} },
    nodes: [{ class: 'a' }],
  };
  const override = (variables: Record<string, string>) =>
    grammarMessage(() => createGrammar(definition, { assets: LIBRARY, overrides: { variables } }));
  assert.match(
    override({ sise: '3' }),
    'Expected one of the variables "size" to override but received "sise" (did you mean "size"?)',
  );
  assert.match(override({ size: 'big' }), 'variables.size: Expected a number for the override but received "big"');
});

test('the largest canvas is a grammar', () => {
  const { canvas } = parse(GOOD.replace('{ width: 32, height: 32 }', '{ width: 16384, height: 1024 }'));
  assert.equal([canvas.width, canvas.height], [16384, 1024]);
});

test.run();
