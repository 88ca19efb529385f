import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeBlocks } from './runModule.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What every line below may use. */
const PREAMBLE = `
import * as metasim from 'metasim';
declare const batch: metasim.SceneBatch;
declare const engine: metasim.Engine;
declare const assets: metasim.AssetLibrary;
declare const grammar: metasim.Grammar;
declare const transformer: metasim.DistributionTransformer;
declare const gradient: Float32Array;
declare const bytes: Uint8Array;
`;

/** Uses that must compile. */
const RIGHT = [
  'const { color } = await engine.render(batch); const f: Float32Array = color;',
  "const { color } = await engine.render(batch, { color: 'u8' }); const u: Uint8Array = color;",
  'const { depth, normals } = await engine.render(batch, { depth: true, normals: true }); const f: Float32Array[] = [depth, normals];',
  'const { instances, classes, regions } = await engine.render(batch, { labels: true }); instances[0] + classes[0] + regions[0];',
  "const { coverage } = await engine.render(batch, { color: 'none', labels: 'regions' }); coverage[0];",
  'declare const asked: boolean; const { depth } = await engine.render(batch, { depth: asked }); depth?.length;',
  'const options: metasim.RenderOptions = { samples: 1, depth: true }; await engine.render(batch, options);',
  'const rendered: metasim.RenderedBatch = await engine.render(batch, { labels: true }); rendered.count;',
  'const dLdA: Float32Array = await engine.vjp(batch, gradient, { delta: { rotation: 2 } });',
  'const again: metasim.SceneBatch = metasim.decodeScenes(metasim.encodeScenes(batch));',
  "await metasim.loadGrammar('a.yaml', { assets, overrides: { variables: { size: 64 } } });",
  'const source: metasim.SceneSource = new metasim.TransformedSource({ source: grammar, transformer });',
  'for await (const { image, instances } of engine.generate(grammar, { count: 1, seed: 0 })) image.set(instances);',
  "await metasim.openAssetSources([{ kind: 'images', folder: 'cars' }]);",
  'metasim.stageConfig({ meta: { epochs: 1 } });',
  'for await (const sample of metasim.sampleStream(engine, grammar, { count: 1, seed: 0, reuse: true })) metasim.annotateSample(sample)[0].box;',
  'for await (const { xs, ys } of metasim.tensorSamples(engine, grammar, { count: 1, seed: 0, target: ({ index }) => index })) metasim.tf.dispose([xs, ys]);',
  'for await (const sample of engine.generate(grammar, { count: 1, seed: 0 })) for (const label of metasim.annotateSample(sample, engine.assets)) if (metasim.isMeshLabel(label)) { const z: number = label.pose.position[2]; const ry: number | undefined = label.box3d?.rotationY; [z, ry]; } else { const x: number = label.pose.x; x; }',
  "const reader: metasim.DatasetReader = await (await metasim.recogniseFormat('x')).open('x'); for await (const { labels } of reader.samples()) labels.key;",
  "const { contentHash }: metasim.Manifest = await metasim.mergeDatasets({ out: 's3://bucket/x', parts: ['a', 'b'] }); contentHash.length;",
  "const { manifest } = await metasim.generateDataset({ source: { path: 'g.yaml' }, settings: { count: 1, format: 'coco' }, out: 'x' }); manifest?.count;",
];

/** Mistakes that must not compile. */
const WRONG = [
  "await engine.render(batch, { color: 'u16' });",
  "const { color } = await engine.render(batch, { color: 'u8' }); const f: Float32Array = color;",
  "const { color } = await engine.render(batch, { color: 'none' }); color.length;",
  'await engine.render(bytes);',
  'const { depth } = await engine.render(batch); depth.length;',
  'const { normals } = await engine.render(batch, { depth: true }); normals.length;',
  "const { instances } = await engine.render(batch, { labels: 'regions' }); instances.length;",
  'declare const asked: boolean; const { depth } = await engine.render(batch, { depth: asked }); depth.length;',
  'await engine.render(batch, { samples: 3 });',
  'await engine.render(batch, { dept: true });',
  'declare const label: metasim.ObjectLabel; label.pose.x;',
  'declare const label: metasim.ObjectLabel; label.pose.position;',
  'declare const label: metasim.SpriteLabel; label.box3d.location;',
  'await engine.vjp(batch);',
  'await engine.vjp(batch, bytes);',
  'new metasim.Engine();',
  'metasim.Engine.create();',
  'metasim.decodeScenes("scenes.msg");',
  "await metasim.loadGrammar('a.yaml');",
  'metasim.Grammar.prototype;',
  'metasim.defineGrammar({ attributes: {}, classes: {}, nodes: [] });',
  "metasim.defineGrammar({ canvas: { width: 8, height: 8, channels: 2 }, attributes: {}, classes: {}, nodes: [{ class: 'a' }] });",
  "metasim.defineGrammar({ canvas: { width: 8, height: 8 }, attributes: { x: { role: 'where' } }, classes: {}, nodes: [] });",
  'new metasim.DistributionTransformer({ hidden: [8] });',
  'new metasim.TransformedSource({ source: grammar });',
  'new metasim.MmdLoss();',
  'await metasim.metaTrain({ source: grammar, engine });',
  "await metasim.openAssetSources([{ kind: 'images' }]);",
  'metasim.stageConfig({ meta: { epoch: 1 } });',
  'batch.scenes[0].width = 3;',
  "await metasim.generateDataset({ source: { source: grammar, assets }, settings: { seed: 0 }, out: 'x' });",
  "await metasim.generateDataset({ source: grammar, settings: { count: 1 }, out: 'x' });",
  "await metasim.generateDataset({ source: { path: 'g.yaml' }, settings: { count: 1, format: 'jpg' }, out: 'x' });",
  'metasim.tensorSamples(engine, grammar, { count: 1, seed: 0 });',
  'metasim.sampleStream(engine, { count: 1, seed: 0 });',
  "await metasim.convertDataset({ source: 'a', out: 'b' });",
  "await metasim.verifyDataset({ folder: 'a' });",
];

/** Messages of the compiler for each text, by file name. */
function diagnose(files: ReadonlyMap<string, string>): Map<string, string[]> {
  const parsed = ts.parseConfigFileTextToJson('tsconfig.json', readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const { options } = ts.parseJsonConfigFileContent(parsed.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path);
  host.readFile = (path) => files.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return new Map(
    [...files.keys()].map((path) => {
      const file = program.getSourceFile(path);
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      return [path, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))];
    }),
  );
}

test('right uses of the module compile, mistakes do not, and the examples of README and DATASETS.md do', () => {
  const path = (name: string) => join(root, 'test/api', `virtual-${name}.ts`);
  const examples = ['README.md', 'docs/DATASETS.md'].flatMap((document) =>
    codeBlocks(readFileSync(join(root, document), 'utf8'), 'ts'),
  );
  assert.ok(examples.length >= 4);
  const files = new Map(examples.map((example, i) => [path(`example-${i}`), example]));
  for (const [i, line] of RIGHT.entries()) files.set(path(`right-${i}`), PREAMBLE + line);
  for (const [i, line] of WRONG.entries()) files.set(path(`wrong-${i}`), PREAMBLE + line);
  const found = diagnose(files);
  for (const i of examples.keys()) assert.equal(found.get(path(`example-${i}`)), [], examples[i]);
  for (const [i, line] of RIGHT.entries()) assert.equal(found.get(path(`right-${i}`)), [], line);
  for (const [i, line] of WRONG.entries()) {
    assert.is(found.get(path(`wrong-${i}`))?.length, 1, `${line}: ${found.get(path(`wrong-${i}`))?.join('; ')}`);
  }
});

test.run();
