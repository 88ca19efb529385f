import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GraphConvolution } from '../../src/learn/gcn.js';
import { graphTensors } from '../../src/learn/graphTensors.js';
import { tf } from '../../src/learn/tf.js';
import { assignValues, variableGradients } from '../../src/learn/variables.js';
import { featureLayout } from '../../src/scene/features.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { leakedTensors, useCpu } from '../helpers/backend.js';
import { numericGradient, relativeError, scrambled } from '../helpers/numericGradient.js';
import { mnistSchema, RandomSource, randomSchema, scene } from '../helpers/scenes.js';

test.before(useCpu);

const layout = featureLayout(randomSchema);
const random = new RandomSource();

/** A root with two children, one of which has a child. */
function tree(): SceneBatch {
  const lists = { parent: [-1, 0, 0, 2], classId: [0, 1, 1, 2], attributes: new Array(20).fill(0.5) };
  const provenance = { grammar: '', grammarHash: '', seed: 0 };
  return {
    schema: mnistSchema,
    assets: [],
    scenes: [scene(0, { ...lists, mutable: new Array(20).fill(0) })],
    provenance,
  };
}

/** The layer's formula, node by node and feature by feature, in double precision. */
function naiveLayer(
  weights: Record<string, Float32Array>,
  batch: SceneBatch,
  x: Float32Array,
  inputs: number,
  outputs: number,
) {
  const nodes = layout.maxNodes(batch);
  const y = new Float64Array(batch.scenes.length * nodes * outputs);
  const gate = (row: number, flow: number) => {
    let z = weights.gateBias[flow];
    for (let i = 0; i < inputs; i++) z += x[row * inputs + i] * weights.gate[i * 3 + flow];
    return 1 / (1 + Math.exp(-z));
  };
  const message = (row: number, flow: 'self' | 'down' | 'up', o: number) => {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += x[row * inputs + i] * weights[flow][i * outputs + o];
    return gate(row, ['self', 'down', 'up'].indexOf(flow)) * sum;
  };
  for (const [b, { parent }] of batch.scenes.entries()) {
    for (let v = 0; v < parent.length; v++) {
      const row = b * nodes + v;
      const children = [...parent.keys()].filter((child) => parent[child] === v);
      for (let o = 0; o < outputs; o++) {
        let sum = weights.bias[o] + message(row, 'self', o);
        if (parent[v] >= 0) sum += message(b * nodes + parent[v], 'down', o);
        for (const child of children) sum += message(b * nodes + child, 'up', o) / children.length;
        y[row * outputs + o] = sum;
      }
    }
  }
  return y;
}

test('adjacency is directed: parents send down, children send up, each divided by the number of senders', () => {
  const graphs = graphTensors(featureLayout(mnistSchema), tree());
  assert.equal([...graphs.down.dataSync()], [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
  assert.equal([...graphs.up.dataSync()], [0, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  graphs.dispose();
});

test('a layer equals a naive loop over nodes and edges', () => {
  const batch = random.sampleBatch({ seed: 1, start: 0, count: 5 });
  const graphs = graphTensors(layout, batch);
  const layer = new GraphConvolution({ name: 'layer', inputs: 4, outputs: 3, seed: 2, layer: 0 });
  for (const { name, variable } of layer.variables) {
    if (/bias/i.test(name)) assignValues(variable, scrambled(variable.size, name.length));
  }
  const weights = Object.fromEntries(
    layer.variables.map(({ name, variable }) => [name.split('/')[1], variable.dataSync<'float32'>()]),
  );
  const x = scrambled(5 * graphs.nodes * 4, 7);
  const y = tf.tidy(() => layer.apply(tf.tensor3d(x, [5, graphs.nodes, 4]), graphs).dataSync());
  const expected = naiveLayer(weights, batch, x, 4, 3);
  for (const [b, { parent }] of batch.scenes.entries()) {
    const from = b * graphs.nodes * 3;
    const to = from + parent.length * 3;
    assert.ok(relativeError(y.slice(from, to), expected.subarray(from, to)) < 1e-5);
  }
  layer.dispose();
  graphs.dispose();
});

test('top-down and bottom-up flow are told apart: a child does not feel its sibling, a leaf not its descendants', () => {
  const graphs = graphTensors(featureLayout(mnistSchema), tree());
  const layer = new GraphConvolution({ name: 'layer', inputs: 2, outputs: 2, seed: 0, layer: 0 });
  const x = scrambled(8);
  const apply = () =>
    tf.tidy(() =>
      layer
        .apply(tf.tensor3d(x.slice(), [1, 4, 2]), graphs)
        .dataSync()
        .slice(),
    );
  const base = apply();
  const touched = (node: number) => {
    const original = x[node * 2];
    x[node * 2] = original + 1;
    const after = apply();
    x[node * 2] = original;
    return [0, 1, 2, 3].filter((v) => after[2 * v] !== base[2 * v] || after[2 * v + 1] !== base[2 * v + 1]);
  };
  assert.equal(touched(0), [0, 1, 2]);
  assert.equal(touched(1), [0, 1]);
  assert.equal(touched(2), [0, 2, 3]);
  assert.equal(touched(3), [2, 3]);
  layer.dispose();
  graphs.dispose();
});

test('gradients of all weights agree with central differences', () => {
  const batch = random.sampleBatch({ seed: 4, start: 0, count: 3 });
  const graphs = graphTensors(layout, batch);
  const layer = new GraphConvolution({ name: 'layer', inputs: layout.featureCount, outputs: 3, seed: 1, layer: 0 });
  const weights = tf.tensor3d(scrambled(3 * graphs.nodes * 3, 3), [3, graphs.nodes, 3]);
  const loss = () => tf.sum(tf.mul(tf.sin(layer.apply(graphs.features, graphs)), weights)) as tf.Scalar;
  const { value, gradients } = variableGradients(loss, layer.variables);
  for (const { name, variable } of layer.variables) {
    const values = variable.dataSync<'float32'>().slice();
    const numeric = numericGradient(values, () => {
      assignValues(variable, values);
      return tf.tidy(() => loss().dataSync()[0]);
    });
    assignValues(variable, values);
    const error = relativeError(gradients[name].dataSync(), numeric);
    assert.ok(error < 5e-3, `${name} is off by ${error}`);
  }
  tf.dispose([value, gradients, weights]);
  layer.dispose();
  graphs.dispose();
});

test('initial weights depend on the seed and the layer, and on nothing else', () => {
  const weights = (seed: number, layer: number) => {
    const made = new GraphConvolution({ name: 'layer', inputs: 5, outputs: 4, seed, layer });
    const values = made.variables.flatMap(({ variable }) => [...variable.dataSync()]);
    made.dispose();
    return values.join();
  };
  assert.is(weights(0, 0), weights(0, 0));
  assert.is.not(weights(0, 0), weights(1, 0));
  assert.is.not(weights(0, 0), weights(0, 1));
});

test('nothing leaks', async () => {
  const leaked = await leakedTensors(() => {
    const graphs = graphTensors(layout, random.sampleBatch({ seed: 1, start: 0, count: 2 }));
    const layer = new GraphConvolution({ name: 'layer', inputs: layout.featureCount, outputs: 3, seed: 0, layer: 0 });
    layer.apply(graphs.features, graphs).dispose();
    layer.dispose();
    graphs.dispose();
  });
  assert.is(leaked, 0);
});

test.run();
