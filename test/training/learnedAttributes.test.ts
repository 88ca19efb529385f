import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { withAttributes } from '../../src/scene/sceneGraph.js';
import { learnedAttributes } from '../../src/training/learnedAttributes.js';

test('means by class over mutable entries alone; angles across the seam do not cancel', async () => {
  const assets = await openAssetSources([{ kind: 'digits', variants: 1 }]);
  const grammar = await loadGrammar(
    {
      canvas: { width: 32, height: 32 },
      attributes: { x: { default: 3 }, rotation: { default: { uniform: [-2, 2] } } },
      classes: [
        { name: 'one', asset: 'digits/1/*', mutable: ['rotation'] },
        { name: 'two', asset: 'digits/2/*', mutable: ['x', 'rotation'] },
      ],
      nodes: [{ class: 'one' }, { class: 'two' }],
    },
    { assets },
  );
  const before = await grammar.sampleBatch({ seed: 0, start: 0, count: 2 });
  // [one: x, rotation; two: x, rotation] of two scenes: ±179° have their mean at 180°, not at 0°.
  const after = withAttributes(before, Float32Array.of(9, 179, 5, 40, 9, -179, 7, 50));
  const learned = learnedAttributes(before, after);
  assert.equal(
    learned.map((each) => `${each.class} ${each.attribute} ${each.unit} ${Math.abs(each.after).toFixed(3)}`),
    ['one rotation deg 180.000', 'two x px 6.000', 'two rotation deg 45.000'],
  );
  assert.is(learned[1].before, 3);
  assert.ok(Math.abs(learned[2].before) <= 2);
});

test.run();
