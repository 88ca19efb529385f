import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openFormat } from '../../src/dataset/formats/index.js';
import { sampleKey } from '../../src/dataset/sample.js';
import { fixture, readAll, temporaryFolder, writeFixture } from '../dataset/formats/harness.js';
import { runCli } from './runCli.js';

const made = await fixture({ count: 6 });
const source = await writeFixture(await openFormat('webdataset'), made, 2);

test('convert writes the dataset, says what is lost, and reports in one JSON object', async () => {
  const out = join(temporaryFolder(), 'yolo');
  const args = ['convert', source, out, '--from', 'webdataset', '--to', 'yolo', '--shard-size', '4', '--no-scenes'];
  const { code, stdout, stderr } = await runCli([...args, '--json']);
  assert.is(code, 0, stderr);
  const { from, to, count, contentHash, losses } = JSON.parse(stdout);
  assert.equal([from, to, count], ['webdataset', 'yolo', 6]);
  assert.match(contentHash, /^[0-9a-f]{64}$/);
  assert.ok(losses.includes('masks are not kept by yolo'));
  assert.match(stderr, /convert: 6\/6 \(100 %\)/);
  const { samples } = await readAll(await openFormat('yolo'), out);
  assert.equal(
    samples.map(({ labels, image }) => [labels.key, [...image.bytes]]),
    made.samples.map(({ labels, image }) => [labels.key, [...image.bytes]]),
  );
  const again = await runCli(args);
  assert.is(again.code, 1);
  assert.match(again.stderr, /Expected a new or empty folder for the output/);
});

test('the losses stand below the summary; wrong flags are named', async () => {
  const out = join(temporaryFolder(), 'jpeg');
  const args = ['convert', source, out, '--from', 'webdataset', '--to', 'imagefolder'];
  const { code, stdout, stderr } = await runCli([...args, '--codec', 'jpeg']);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^6 images of .* \(webdataset\) as imagefolder in .*\nlost: images are encoded anew as jpeg\n/);
  for (const wrong of [
    ['--to', 'zip'],
    ['--shard-size', '0'],
    ['--codec', 'gif'],
    ['--quality', '101'],
  ]) {
    const refused = await runCli([...args, ...wrong]);
    assert.is(refused.code, 2, wrong.join(' '));
    assert.ok(refused.stderr.includes(wrong[0]), refused.stderr);
  }
});

test('Ctrl-C takes away what was written and exits with 130', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => {
    const { labels, image } = made.samples[i % made.samples.length];
    return { labels: { ...labels, key: sampleKey(i) }, image };
  });
  const info = { ...made.info, masks: false, scenes: false };
  const large = await writeFixture(await openFormat('webdataset'), { info, samples: many }, 3);
  const folder = temporaryFolder();
  let stopped = false;
  const args = [
    'convert',
    large,
    join(folder, 'out'),
    '--from',
    'webdataset',
    '--to',
    'imagefolder',
    '--codec',
    'webp',
  ];
  const { code } = await runCli(args, {}, (child, stderr) => {
    if (stopped || !stderr.includes('convert:')) return;
    stopped = true;
    child.kill('SIGINT');
  });
  assert.equal([stopped, code], [true, 130]);
  assert.is(existsSync(join(folder, 'out')), false);
  assert.equal(readdirSync(folder), []);
});

test.run();
