// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the grammar language has its own ${…}
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalExpression, compileExpression, parseExpression } from '../../src/grammar/expression.js';
import { createGrammar } from '../../src/grammar/grammar.js';
import { grammarMessage, LIBRARY, parse } from './helpers.js';

function fail(message: string): never {
  throw new Error(message);
}

function value(text: string, names: Readonly<Record<string, number>> = {}): number {
  return compileExpression(parseExpression(text, fail), (name) => () => names[name])([]);
}

/** A grammar of one node kind whose x, range ±1000, is what `nodes` say. */
function line(more: string, classes = 'a: {}'): string {
  return `canvas: { width: 8, height: 8 }
attributes: { x: { range: [-1000, 1000] }, y: {} }
classes: { ${classes} }
${more}
`;
}

const xs = (text: string, index = 0) => {
  const { attributes } = parse(text).sample({ seed: 3, index });
  return [...attributes].filter((_, i) => i % 2 === 0);
};

test('expressions: precedence, signs, comparisons, functions', () => {
  assert.is(value('1 + 2 * 3 - 4 / 2'), 5);
  assert.is(value('-(1 + 2) * -2'), 6);
  assert.is(value('2 - 3 - 4'), -5);
  assert.is(value('a * b + .5e1', { a: 2, b: 4 }), 13);
  assert.is(value('1 + 1 < 3'), 1);
  assert.is(value('(2 == 3) + (2 != 3) + (2 >= 2) + (2 <= 1) + (1 > 1)'), 2);
  assert.is(value('if(a > 1, 10, 20)', { a: 1 }), 20);
  assert.is(value('pick(a, 5, 6, 7)', { a: 2 }), 7);
  assert.ok(Number.isNaN(value('pick(a, 5, 6)', { a: 2 })) && Number.isNaN(value('pick(a, 5, 6)', { a: -1 })));
  assert.is(value('min(3, 1, 2) + max(3, 1) * 10 + abs(-4) * 100'), 431);
  assert.is(value('floor(-1.5) + 10 * ceil(1.2) + 100 * round(2.5)'), 318);
  assert.ok(Object.is(value('-0'), 0));
});

test('expressions are written in one way, whatever their spaces', () => {
  assert.is(canonicalExpression('a*( b+1)/min(a,-2)'), 'a * (b + 1) / min(a, - 2)');
  assert.is(value(canonicalExpression('3*( 2+1)/min(4,-2)')), -4.5);
  const text = (x: string) => line(`parameters: { p: 2 }\nnodes: [{ class: a, attributes: { x: "${x}" } }]`);
  assert.is(parse(text('=p*2')).hash, parse(text('= p  * 2')).hash);
  assert.is.not(parse(text('=p*2')).hash, parse(text('=p*3')).hash);
});

test('${…} knows the same arithmetic, and is replaced within expressions before a scene is drawn', () => {
  const text = line(
    'variables: { n: 3 }\nparameters: { p: 4 }\nnodes: [{ class: a, attributes: { x: "= p * ${n - 5}", y: "${max(n, 2) > 2}" } }]',
  );
  assert.equal([...parse(text).sample({ seed: 0, index: 0 }).attributes], [-8, 1]);
});

test('index counts the siblings of the production that has a count; one alone has that of what is above', () => {
  const text = line(`nodes:
  - class: a
    count: 2
    attributes: { x: "= index" }
    children:
      - { class: a, attributes: { x: "= 10 + index" } }
      - count: 2
        choice: [{ class: a, attributes: { x: "= 20 + index" } }]
  - { class: a, attributes: { x: "= 30 + index" } }`);
  assert.equal(xs(text), [0, 10, 20, 21, 1, 11, 20, 21, 30]);
});

test('parameters depend on those before them; a production’s own are drawn for each of its nodes, for its children too', () => {
  const text = line(
    `parameters: { mood: { categorical: { values: [calm, wild], weights: [0, 1] } }, base: "= 100 * mood", next: "= base + 1" }
nodes:
  - class: a
    count: 3
    parameters: { own: "= next + 10 * index", twice: "= 2 * own" }
    attributes: { x: "= own" }
    children: [{ class: b }, { class: a, count: "= wild" , attributes: { x: "= if(mood == wild, 7, 8)" } }]`,
    'a: {}, b: { attributes: { x: "= twice" } }',
  );
  assert.equal(xs(text), [101, 202, 7, 111, 222, 7, 121, 242, 7]);
});

test('numbers of distributions, counts, weights and assets follow from parameters, scene by scene', () => {
  const grammar = parse(`
canvas: { width: 8, height: 8 }
parameters: { p: { categorical: { values: [0, 1, 2] } } }
attributes: { x: { range: [-1000, 1000] } }
classes: { a: { asset: [{ glob: cars/red, weight: "= p == 0" }, { glob: cars/blue, weight: "= p > 0" }] }, b: {} }
nodes:
  - { class: b, attributes: { x: "= p" } }
  - count: "= 2 + p"
    choice:
      - { class: a, weight: "= p < 2", attributes: { x: { uniform: ["= 10 * p", "= 10 * p + 1"] } } }
      - { class: b, weight: "= p == 2", attributes: { x: { normal: { mean: "= 50 * p", sd: "= p - 2" } } } }
`);
  const seen = new Set<number>();
  for (let index = 0; index < 40; index++) {
    const { attributes, classId, asset } = grammar.sample({ seed: 1, index });
    const [p, ...others] = attributes;
    seen.add(p);
    assert.is(others.length, 2 + p);
    for (const [i, x] of others.entries()) {
      assert.is(classId[i + 1], p === 2 ? 1 : 0);
      assert.is(asset[i + 1], [0, 1, -1][p]);
      assert.ok(p === 2 ? x === 100 : x >= 10 * p && x < 10 * p + 1);
    }
  }
  assert.equal([...seen].sort(), [0, 1, 2]);
});

test('a parameter that nothing depends on changes no scene, and an expression of numbers alone draws as the numbers do', () => {
  const nodes = (mean: string) =>
    `nodes: [{ class: a, count: { uniform: [1, 4] }, attributes: { x: { normal: { mean: ${mean}, sd: 3 } }, y: { uniform: [0, 5] } } }]`;
  const plain = parse(line(nodes('7')));
  const more = parse(line(`parameters: { p: { uniform: [0, 1] }, q: 7 }\n${nodes('"= q"')}`));
  for (let index = 0; index < 20; index++) {
    assert.equal(more.sample({ seed: 2, index }), plain.sample({ seed: 2, index }));
  }
});

test('parameters are drawn evenly, from streams of their own, in any order of scenes', () => {
  const text = line(
    'parameters: { p: { uniform: [0, 1] }, q: { uniform: [0, "= p"] } }\nnodes: [{ class: a, attributes: { x: "= p", y: "= q" } }]',
  );
  const grammar = parse(text);
  const draws = 2000;
  const { scenes } = grammar.sampleBatch({ seed: 1, start: 0, count: draws });
  const sums = [0, 0];
  for (const { attributes } of scenes) {
    sums[0] += attributes[0];
    sums[1] += attributes[1];
    assert.ok(attributes[1] <= attributes[0]);
  }
  // Means ½ and ¼; variances 1/12 and ∫p²/3 − 1/16 = 1/9 − 1/16 = 7/144.
  assert.ok(Math.abs(sums[0] / draws - 1 / 2) < 4 * Math.sqrt(1 / 12 / draws), String(sums[0] / draws));
  assert.ok(Math.abs(sums[1] / draws - 1 / 4) < 4 * Math.sqrt(7 / 144 / draws), String(sums[1] / draws));
  assert.equal(parse(text).sample({ seed: 1, index: 77 }), scenes[77]);
});

test('the written form of a grammar with expressions reads as the same grammar', () => {
  const grammar = parse(
    line(`parameters: { p: { categorical: { values: [low, high] } }, q: { exponential: { mean: "= 2 + p" } } }
nodes:
  - spacing: { along: x, from: 0, to: "= 20 + high", gap: { exponential: { min: 1, mean: "= 3 + q" } }, most: "= 2 + p" }
    parameters: { r: "= index" }
    choice: [{ class: a, weight: "= p + 1", align: { y: { at: "= r", side: "= p - 1" } } }, { class: a }]`),
  );
  const again = createGrammar(JSON.parse(JSON.stringify(grammar.toDefinition())), { assets: LIBRARY });
  assert.is(again.hash, grammar.hash);
  assert.equal(again.definition, grammar.definition);
  const request = { seed: 4, start: 0, count: 30 };
  assert.equal(again.sampleBatch(request).scenes, grammar.sampleBatch(request).scenes);
});

const MISTAKES: [title: string, more: string, expected: string][] = [
  [
    'an unknown name',
    'parameters: { lanes: 2 }\nnodes: [{ class: a, count: "= lames" }]',
    'scene.yaml:5:28: nodes[0].count: Expected one of the names "index" or "lanes" in = lames but received "lames" (did you mean "lanes"?)',
  ],
  [
    'a later parameter',
    'parameters: { p: "= q", q: 1 }\nnodes: [{ class: a }]',
    'scene.yaml:4:18: parameters.p: Expected one of the names "index" in = q',
  ],
  [
    'a sibling’s parameter',
    'nodes: [{ class: a, parameters: { p: 1 } }, { class: a, attributes: { x: "= p" } }]',
    'scene.yaml:4:74: nodes[1].attributes.x: Expected one of the names "index" in = p',
  ],
  [
    'a name that is taken',
    'parameters: { p: 1 }\nnodes: [{ class: a, parameters: { p: 2 } }]',
    'scene.yaml:5:38: nodes[0].parameters.p: Expected a name that is free but received "p"',
  ],
  [
    'the name of a function',
    'parameters: { min: 1 }\nnodes: [{ class: a }]',
    'Expected a name that is free but received "min"',
  ],
  [
    'an unknown function',
    'nodes: [{ class: a, attributes: { x: "= sqrt(2)" } }]',
    'Expected one of the functions min, max',
  ],
  [
    'too few arguments',
    'nodes: [{ class: a, attributes: { x: "= if(1, 2)" } }]',
    'Expected 3 arguments for if but received 2',
  ],
  ['half an expression', 'nodes: [{ class: a, attributes: { x: "= 2 *" } }]', 'Expected a number or a name in = 2 *'],
  [
    'text without "="',
    'nodes: [{ class: a, attributes: { x: index } }]',
    'scene.yaml:4:38: nodes[0].attributes.x: Expected a finite number or a mapping but received "index"',
  ],
  [
    'names among numbers',
    'parameters: { p: { categorical: { values: [a1, 2] } } }\nnodes: [{ class: a }]',
    'parameters.p.categorical.values',
  ],
  [
    'count and spacing',
    'nodes: [{ class: a, count: 2, spacing: { along: x, from: 0, to: 1, gap: 1 } }]',
    'Expected at most one of count, spacing',
  ],
  [
    'spacing along no coordinate',
    'nodes: [{ class: a, spacing: { along: turn, from: 0, to: 1, gap: 1 } }]',
    'scene.yaml:4:39: nodes[0].spacing.along: Expected one of the attributes "x" or "y" but received "turn"',
  ],
  [
    'a row that begins out of range',
    'nodes: [{ class: a, spacing: { along: x, from: -2000, to: 1, gap: 1 } }]',
    'nodes[0].spacing.from: Expected values within the range [-1000, 1000] of "x" but received -2000',
  ],
  [
    'a count within a spaced choice',
    'nodes: [{ spacing: { along: x, from: 0, to: 1, gap: 1 }, choice: [{ class: a, count: 2 }] }]',
    'nodes[0].choice[0]: Expected no count within a choice that has a spacing',
  ],
  [
    'two ways to place a node',
    'nodes: [{ class: a, attributes: { y: 1 }, align: { y: { at: 0, side: 1 } } }]',
    'nodes[0].align.y: Expected one way to place "y" but received another beside align',
  ],
  [
    'an exponential below its minimum',
    'nodes: [{ class: a, attributes: { x: { exponential: { min: 3, mean: 2 } } } }]',
    'Expected a mean above the minimum',
  ],
];

for (const [title, more, expected] of MISTAKES) {
  test(`error: ${title}`, () => {
    const said = grammarMessage(() => parse(line(more)));
    assert.ok(said.includes(expected), said);
  });
}

const LATE: [title: string, node: string, expected: string][] = [
  [
    'no number',
    'attributes: { x: "= 1 / p" }',
    'nodes[0].attributes.x: Expected finite numbers but received Infinity from "= 1 / p"',
  ],
  [
    'no count',
    'count: "= p - 1"',
    'nodes[0].count: Expected whole numbers from 0 to 65534 but received -1 from "= p - 1"',
  ],
  ['half a count', 'count: "= p + 0.5"', 'Expected whole numbers from 0 to 65534 but received 0.5'],
  [
    'bounds upside down',
    'attributes: { x: { uniform: [1, "= p"] } }',
    'scene.yaml:5:35: nodes[0].attributes.x: Expected a minimum of at most the maximum but received 0 from "= p"',
  ],
  [
    'no spread',
    'attributes: { x: { truncatedNormal: { mean: 0, sd: "= p", min: 0, max: 1 } } }',
    'Expected a standard deviation above 0',
  ],
  [
    'no weight',
    'attributes: { x: { categorical: { values: [1], weights: ["= p"] } } }',
    'Expected weights of at least 0, one of them above 0',
  ],
];

for (const [title, node, expected] of LATE) {
  test(`error when a scene is drawn: ${title}`, () => {
    const grammar = parse(line(`parameters: { p: 0 }\nnodes: [{ class: a, ${node} }]`));
    const said = grammarMessage(() => grammar.sample({ seed: 0, index: 0 }));
    assert.ok(said.includes(expected), said);
  });
}

test('hashes of 2D grammars are what they were before there were parameters and 3D', () => {
  const plain = parse(
    'name: a\ncanvas: { width: 8, height: 9 }\nattributes: { x: {} }\nclasses: { a: {} }\nnodes: [{ class: a }]',
  );
  assert.is(plain.hash, GOLDEN);
  const spelledOut = parse(
    'name: a\ndimension: 2\nparameters: {}\ncanvas: { width: 8, height: 9 }\nattributes: { x: {} }\nclasses: { a: { kind: object } }\nnodes: [{ class: a }]',
  );
  assert.is(spelledOut.hash, GOLDEN);
});

/** Written down from the version before. */
const GOLDEN = '0249460083eeb4212520c903adb9e2e9b0ac5371604c914d8c1093258c7b41af';

test.run();
