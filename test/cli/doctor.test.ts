import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-doctor-'));
test.after(() => rmSync(folder, { recursive: true }));

test('doctor finds kernels, threads and a backend that work, and says why no better one does', async () => {
  const { code, stdout, stderr } = await runCli(['doctor', '--json']);
  assert.is(code, 0, stderr);
  const { healthy, findings, backend } = JSON.parse(stdout);
  assert.is(healthy, true);
  const state = (name: string) => findings.find((f: { name: string }) => f.name === name)?.state;
  assert.is(state('render kernels'), 'ok');
  assert.is(state('render threads'), 'ok');
  assert.is(state('image files'), 'ok');
  assert.ok(['ok', 'note'].includes(state('data')));
  assert.ok(['ok', 'note'].includes(state('learning backend')));
  for (const { backend: name } of backend.rejected) assert.is(state(`not ${name}`), 'note');
});

test('doctor says where weights were looked for when there are none', async () => {
  const env = { METASIM_DATA: join(folder, 'no-data'), XDG_CACHE_HOME: join(folder, 'no-cache') };
  const { stdout } = await runCli(['doctor'], env);
  const line = stdout.split('\n').find((text) => text.includes('Inception weights')) ?? '';
  // Weights in the project's own neighbourhood may be found after these two places.
  if (line.startsWith('note')) assert.ok(line.includes(join(folder, 'no-data')) && line.includes('metasim fetch'));
  else assert.match(line, /^ok {4}Inception weights +\S+ \(layers/);
});

test('fetch refuses a file with another hash, keeps nothing of it, and names both hashes', async () => {
  const server = createServer((_, response) => response.end('not the weights'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cache = join(folder, 'cache');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.h5`;
  try {
    const { code, stdout, stderr } = await runCli(['fetch', 'inception', '--url', url, '--cache', cache]);
    assert.is(code, 1);
    assert.is(stdout, '');
    // printf 'not the weights' | md5sum
    assert.match(stderr, /error: .*bcbd6486424b2319ff4ef7d526e38f63.*40f243443caa7b4034a3707dc627abcc/);
    assert.not.ok(existsSync(join(cache, 'stem_to_mixed2.json')));
  } finally {
    server.close();
  }
});

test('fetch takes only what it knows', async () => {
  const [what, hash] = await Promise.all([
    runCli(['fetch', 'resnet']),
    runCli(['fetch', 'inception', '--md5', 'abc', '--cache', folder]),
  ]);
  assert.is(what.code, 2);
  assert.match(what.stderr, /Allowed choices are inception/);
  assert.is(hash.code, 2);
  assert.match(hash.stderr, /32 hexadecimal digits/);
});

test('the version printed is the one of the package', async () => {
  const { stdout } = await runCli(['--version']);
  assert.is(stdout.trim(), JSON.parse(readFileSync('package.json', 'utf8')).version);
});

test.run();
