import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InProcessSource } from '../../src/batch/generateDataset.js';
import type { SourceSpec } from '../../src/batch/openSource.js';
import type { QuarantinedScene } from '../../src/dataset/entry.js';
import { encodePng } from '../../src/dataset/png.js';
import { verifyDataset } from '../../src/dataset/verify.js';
import { DatasetError } from '../../src/errors.js';
import { decodeScenes } from '../../src/render/verify.js';
import { runCli } from '../cli/runCli.js';
import { digestsOf, digitsGrammar, expectWhole, failure, generate, hashOf, inProcess, newPath } from './datasets.js';

const COUNT = 100;
/** Of 23 scenes one fails; none of those that stand in for them, 2^43 further on, does. */
const EVERY = 23;
const FAILING = [5, 28, 51, 74, 97];
const STREAM = { count: COUNT, seed: 6, format: 'webdataset', shardSize: 30 } as const;

/** A grammar module with one turned digit on a background, whose predicate is the body of a function of `scene`. */
function predicateGrammar(body: string, name = 'crossing'): string {
  const path = `${newPath('grammar')}.mjs`;
  writeFileSync(
    path,
    `import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
export default {
  name: 'predicate',
  canvas: { width: 24, height: 24, channels: 1 },
  attributes: { x: {}, y: {}, rotation: {} },
  classes: [
    { name: 'background', asset: 'backgrounds/grey-noise/*', attributes: { x: 12, y: 12 } },
    { name: 'digit', asset: 'digits/4/*', attributes: { rotation: { uniform: [-90, 90] } } },
  ],
  nodes: [{ class: 'background', children: [{ class: 'digit' }] }],
  sampling: { maxAttempts: 3 },
  constraints: [{ name: '${name}', predicate: (scene) => { ${body} } }],
};
`,
  );
  return path;
}

/** The same scenes from a source that fails somewhere, in any shards and on any threads; returns one of the datasets. */
async function expectSameEverywhere(sources: readonly (SourceSpec | InProcessSource)[]): Promise<string> {
  const first = await generate(sources[0], STREAM);
  const hash = first.manifest?.contentHash ?? '';
  for (const source of sources) {
    for (const shardSize of [7, 1000]) assert.is(await hashOf(source, { ...STREAM, shardSize }), hash);
  }
  assert.is(await hashOf(sources[0], STREAM, { threads: 2 }), hash);
  await expectWhole(first.out, hash);
  assert.is(first.manifest?.quarantined, first.quarantined.length);
  assert.is(digestsOf(first.out).length, COUNT, 'the count is made up');
  return first.out;
}

/** What is kept of the failed scenes, by scene index. */
function kept(out: string): { scene: QuarantinedScene; graph: Uint8Array | undefined }[] {
  const folder = join(out, '.metasim/quarantine');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => {
      const graph = join(folder, name.replace('.json', '.msg'));
      return {
        scene: JSON.parse(readFileSync(join(folder, name), 'utf8')),
        graph: existsSync(graph) ? new Uint8Array(readFileSync(graph)) : undefined,
      };
    });
}

test('a constraint that some scenes cannot meet: others stand in, the error is kept, nothing else changes', async () => {
  assert.is.not((5 + 2 ** 43) % EVERY, 5);
  const path = predicateGrammar(`return scene.index % ${EVERY} !== 5;`);
  const out = await expectSameEverywhere([{ path }, await inProcess(path)]);
  assert.equal(
    kept(out).map(({ scene }) => [scene.number, scene.index, scene.code]),
    FAILING.map((index) => [index, index, 'GRAMMAR']),
  );
  for (const { scene } of kept(out)) assert.match(scene.message, /within 3 attempts .*crossing failed 3 times/);
  const all = await generate({ path: predicateGrammar('return true;') }, STREAM);
  const [some, whole] = [digestsOf(out), digestsOf(all.out)];
  const different = some.flatMap((digest, i) => (digest === whole[i] ? [] : [i]));
  assert.equal(different, FAILING);
});

test('the command line says so with exit code 3, and so does a run that only goes on', async () => {
  const path = predicateGrammar(`return scene.index % ${EVERY} !== 5;`);
  const out = newPath();
  const flags = ['--count', `${COUNT}`, '--shard-size', '30', '--out', out, '--threads', '1'];
  const first = await runCli(['generate', path, ...flags]);
  assert.is(first.code, 3, first.stderr);
  assert.match(first.stdout, /5 scenes could not be made and were replaced; they are kept in .*quarantine/);
  assert.match(first.stdout, new RegExp(`the first of them, ${FAILING[0]}: .*within 3 attempts`));
  const again = await runCli(['generate', path, ...flags, '--resume', '--json']);
  assert.is(again.code, 3, again.stderr);
  const { quarantined, images } = JSON.parse(again.stdout);
  assert.is(images, 0);
  assert.equal(
    quarantined.map((scene: QuarantinedScene) => scene.number),
    FAILING,
  );
  const verified = await verifyDataset(out);
  assert.ok(verified.ok);
  assert.is(verified.quarantined, 5);
});

test('a texture whose file is damaged: its scenes are kept as graphs, the others are drawn', async () => {
  const textures = newPath('textures');
  mkdirSync(textures);
  for (let i = 0; i < 25; i++) {
    const pixels = Uint8Array.from({ length: 144 }, (_, at) => (at * (i + 2)) % 256);
    const png = encodePng({ width: 12, height: 12, channels: 1, pixels });
    // The header stays right: only who decodes the pixels finds out.
    writeFileSync(join(textures, `t${i}.png`), i === 11 ? png.subarray(0, 40) : png);
  }
  const path = `${newPath('grammar')}.yaml`;
  writeFileSync(
    path,
    `canvas: { width: 24, height: 24 }
attributes: { x: {}, y: {} }
classes: { tile: { asset: tiles/*, attributes: { x: { uniform: [0, 12] }, y: { uniform: [0, 12] } } } }
nodes: [{ class: tile, count: 1 }]
`,
  );
  const assets = [{ kind: 'images', folder: textures, glob: '**', prefix: 'tiles', edge: 'fade', licence: 'MIT' }];
  const out = await expectSameEverywhere([{ path, assets } as SourceSpec]);
  const scenes = kept(out);
  assert.ok(scenes.length > 0 && scenes.length < 15, `${scenes.length} scenes have the damaged texture`);
  for (const { scene, graph } of scenes) {
    assert.match(scene.message, /t11\.png/);
    const batch = decodeScenes(graph as Uint8Array);
    assert.is(batch.scenes[0].index, scene.index);
    assert.is(batch.assets[batch.scenes[0].asset[0]], 'tiles/t11');
  }
});

/** A source whose scenes at some indices have an attribute that is no number. */
function sometimesNaN({ source, ...rest }: InProcessSource, fails: (index: number) => boolean): InProcessSource {
  return {
    ...rest,
    source: {
      name: source.name,
      async sampleBatch(request) {
        const batch = await source.sampleBatch(request);
        const scenes = batch.scenes.map((scene) => {
          if (!fails(scene.index)) return scene;
          const attributes = scene.attributes.slice();
          attributes[attributes.length - 1] = Number.NaN;
          return { ...scene, attributes };
        });
        return { ...batch, scenes };
      },
    },
  };
}

test('attributes that are no numbers never reach a file', async () => {
  const source = await inProcess(digitsGrammar());
  const out = await expectSameEverywhere([sometimesNaN(source, (index) => index % EVERY === 5)]);
  assert.equal(
    kept(out).map(({ scene }) => scene.number),
    FAILING,
  );
  for (const { scene, graph } of kept(out)) {
    assert.is(scene.code, 'SCENE_GRAPH');
    assert.match(scene.message, /attributes.*(NaN|finite)/);
    assert.ok(graph && graph.length > 100, 'the scene graph is kept as it was');
  }
});

test('stand-ins may fail too, and one after the other is tried', async () => {
  const source = await inProcess(digitsGrammar());
  // Image 5 and its first two stand-ins.
  const out = await expectSameEverywhere([
    sometimesNaN(source, (index) => index % 2 ** 43 === 5 && index < 2 ** 44 + 9),
  ]);
  assert.equal(
    kept(out).map(({ scene }) => [scene.number, scene.index]),
    [5, 5 + 2 ** 43, 5 + 2 ** 44].map((index) => [5, index]),
  );
});

test('too many failures fail their shard, by number and with the reason; the others are kept', async () => {
  const source = sometimesNaN(await inProcess(digitsGrammar()), (index) => index >= 60 && index % 2 ** 43 < 80);
  const out = newPath();
  const error = await failure(generate(source, { ...STREAM, shardSize: 20 }, { out }));
  assert.instance(error, DatasetError);
  assert.match(error.message, /shard 3 failed: Expected at most 10 scenes of shard 3 to fail .*attributes.*--resume/s);
  assert.equal(
    readdirSync(join(out, '.metasim/shards')),
    [0, 1, 2, 4].map((shard) => `00000${shard}.json`),
  );
  assert.not(existsSync(join(out, 'train-000003.tar')));
  const hopeless = sometimesNaN(await inProcess(digitsGrammar()), () => true);
  const untouched = newPath();
  assert.match((await failure(generate(hopeless, STREAM, { out: untouched }))).message, /attributes/);
  assert.not(existsSync(untouched));
  // The scene that was asked for is named, not the last of those that might have stood in for it.
  const never = { path: predicateGrammar('return false;') };
  assert.match((await failure(generate(never, { ...STREAM, start: 4 }))).message, /index 4 but received none/);
});

test('a worker that dies once: its shard is made again, by another', async () => {
  const marker = newPath('marker');
  const dies = `if (!isMainThread && scene.index === 40 && !existsSync(${JSON.stringify(marker)})) {
    writeFileSync(${JSON.stringify(marker)}, ''); process.exit(7); } return true;`;
  const { manifest, out, images } = await generate({ path: predicateGrammar(dies) }, STREAM, { threads: 2 });
  assert.ok(existsSync(marker), 'a worker died');
  assert.is(images, COUNT);
  const hash = await hashOf({ path: predicateGrammar('return true;') }, STREAM);
  assert.is(manifest?.contentHash, hash);
  await expectWhole(out, hash);
});

test('a worker that dies again: the error names the shard, the others are finished, resuming makes the last', async () => {
  const marker = newPath('marker');
  const dies = `if (!isMainThread && scene.index === 40 && !existsSync(${JSON.stringify(marker)})) process.exit(7);
    return true;`;
  const path = predicateGrammar(dies);
  const out = newPath();
  const error = await failure(generate({ path }, STREAM, { out, threads: 2 }));
  assert.match(error.message, /shard 1 failed: Expected shard 1 to be made but its worker died, twice .*--resume/s);
  assert.equal(readdirSync(join(out, '.metasim/shards')), ['000000.json', '000002.json', '000003.json']);
  writeFileSync(marker, '');
  const { manifest } = await generate({ path }, STREAM, { out, resume: true });
  const hash = await hashOf({ path: predicateGrammar('return true;') }, STREAM);
  assert.is(manifest?.contentHash, hash);
  await expectWhole(out, hash);
});

test.run();
