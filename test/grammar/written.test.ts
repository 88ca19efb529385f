import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGrammar, type Grammar } from '../../src/grammar/grammar.js';
import { grammarMessage, LIBRARY, parse } from './helpers.js';

const EVERYTHING = `
name: everything
variables: { n: 3 }
canvas: { width: 100, height: 80, channels: 3 }
attributes:
  rotation: {}
  x: { default: { normal: { mean: 0, sd: 2 } } }
  y: {}
  glow: { role: none, unit: "$\${cd}", range: [0, 10], default: { uniform: [2, 3] } }
templates:
  vehicle: { asset: [cars/red, cars/blue], mutable: [x] }
classes:
  "9": { attributes: { x: 50, rotation: { vonMises: { mean: 0, kappa: 2 } } } }
  car: { extends: vehicle, attributes: { glow: { categorical: { values: [1, 2], weights: [3, 1] } } } }
  tree: { asset: [{ glob: "trees/**", weight: 3 }, { glob: none, weight: 1 }] }
nodes:
  - class: "9"
    children:
      - class: car
        count: { uniform: [1, "\${n}"] }
        asset: [{ glob: cars/red, weight: 2 }]
        attributes: { x: { truncatedNormal: { mean: 0, sd: 3, min: -5, max: 5 } } }
        mutable: [y]
      - count: { poisson: { mean: 1, max: 4 } }
        choice:
          - { class: [tree, car], weight: 3 }
          - { choice: [{ class: tree }], count: { categorical: { values: [0, 2] } } }
constraints:
  - { minDistance: { between: car, and: tree, distance: 0.5 } }
  - { name: apart, noOverlap: { between: car, margin: -20 } }
  - { insideCanvas: { classes: "9", extent: origin } }
sampling: { maxAttempts: 500, retry: node }
`;

/** The grammar after its written form went through JSON, as in a run folder. */
function reread(grammar: Grammar): Grammar {
  return createGrammar(JSON.parse(JSON.stringify(grammar.toDefinition())), { assets: LIBRARY });
}

test('the written form reads as the same grammar: hash, definition and scenes', () => {
  const grammar = parse(EVERYTHING);
  const again = reread(grammar);
  assert.equal(again.definition, grammar.definition);
  assert.is(again.hash, grammar.hash);
  assert.is(grammar.schema.attributes[3].unit, '${cd}');
  const request = { seed: 4, start: 10, count: 30 };
  assert.equal(again.sampleBatch(request).scenes, grammar.sampleBatch(request).scenes);
});

test('a predicate is kept in memory and refused, with its place, when it was lost on the way', () => {
  const grammar = createGrammar(
    {
      canvas: { width: 8, height: 8 },
      attributes: { x: {} },
      classes: { a: { attributes: { x: { uniform: [0, 8] } } } },
      nodes: [{ class: 'a' }],
      constraints: [{ name: 'left', predicate: ({ attributes }) => attributes[0] < 4 }],
    },
    { assets: LIBRARY },
  );
  const inMemory = createGrammar(grammar.toDefinition(), { assets: LIBRARY });
  assert.is(inMemory.hash, grammar.hash);
  assert.ok(inMemory.sampleBatch({ seed: 0, start: 0, count: 50 }).scenes.every(({ attributes }) => attributes[0] < 4));
  assert.match(
    grammarMessage(() => reread(grammar)),
    /constraints\[0\]/,
  );
});

test.run();
