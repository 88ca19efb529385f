import { get, request } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError } from '../../src/errors.js';
import { Dashboard } from '../../src/report/dashboard/dashboard.js';
import { EventLog } from '../../src/report/dashboard/eventLog.js';
import { runNode } from '../cli/runCli.js';

const PNG = Uint8Array.of(137, 80, 78, 71);
const SECONDS = { sample: 0.1, render: 0.2, mmd: 0.3, vjp: 0.1, transformer: 0.1, task: 0.4 };

/** Status and body of a request with headers of its own. */
function ask(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status?: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Reads `/events` until `enough` says so, and hangs up. */
function read(url: string, enough: (text: string) => boolean, lastId?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId };
    get(`${url}events`, { headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        if (!enough(text)) return;
        response.destroy();
        resolve(text);
      });
    }).on('error', reject);
  });
}

const names = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
const lastIdOf = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1];

test('only this machine reaches the page, and only under its own address', async () => {
  const dashboard = await Dashboard.open({ title: 'x' });
  const { url } = dashboard;
  const { port } = new URL(url);
  try {
    assert.match((await ask(url)).body, /<h1>x<\/h1>/);
    assert.is((await ask(url, { Host: `localhost:${port}` })).status, 200);
    for (const host of [`evil.example:${port}`, `127.0.0.1.evil.example:${port}`, '127.0.0.1', 'localhost']) {
      assert.is((await ask(`${url}events`, { Host: host })).status, 403, host);
    }
    assert.is((await ask(url, {}, 'POST')).status, 405);
    assert.is((await ask(`${url}../package.json`)).status, 404);
    // All of 127.0.0.0/8 is this machine: a server that listens everywhere would answer here too.
    const elsewhere = await ask(`http://127.0.0.2:${port}/`, { Host: `127.0.0.1:${port}` }).catch((error) => error);
    assert.instance(elsewhere, Error);
  } finally {
    await dashboard.close('over');
  }
});

test('a reader gets what was before it, then what comes; one that comes back only what it missed', async () => {
  const dashboard = await Dashboard.open({ title: 'x' });
  const { url } = dashboard;
  try {
    dashboard.progress('meta', 0, 'begins');
    dashboard.epoch({ step: 1, mmd: 0.5, score: Number.NaN, seconds: SECONDS }, PNG);
    const first = await read(url, (text) => text.includes('event: sheet'));
    // Curves of MMD² and of the times; no score, because there is none.
    assert.equal(names(first), ['reset', 'stage', 'chart', 'chart', 'rows', 'epoch', 'sheet']);
    assert.match(first, /"mmd":\[\{"x":1,"y":0\.5,/);
    assert.is((await ask(`${url}sheet.png`)).body.length, PNG.length);

    dashboard.epoch({ step: 2, mmd: 0.25, score: Number.NaN, seconds: SECONDS }, PNG);
    const missed = await read(url, (text) => text.includes('event: sheet'), lastIdOf(first));
    assert.equal(names(missed), ['rows', 'epoch', 'sheet']);
    assert.match(missed, /"mmd":\[\{"x":2,"y":0\.25,/);
    const other = await read(url, (text) => text.includes('event: sheet'), 'abcdef-3');
    assert.equal(names(other).slice(0, 2), ['reset', 'stage'], 'an identity of another run begins anew');

    const live = read(url, (text) => text.includes('event: end'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await dashboard.close('over');
    assert.match(await live, /event: end\ndata: \{"text":"over"\}/);
  } finally {
    await dashboard.close('over');
  }
  const gone = await ask(url).catch((error) => error);
  assert.is(gone.code, 'ECONNREFUSED', 'closed with the run');
});

test('the history is bounded, whatever the number of epochs, and keeps the newest', () => {
  const log = new EventLog();
  for (let i = 0; i < 20_000; i++) {
    log.add('rows', i);
    log.add('stage', `at ${i}`, 'stage');
  }
  const text = log.missed(undefined);
  const rows = [...text.matchAll(/event: rows\ndata: (\d+)/g)].map(([, number]) => Number(number));
  assert.ok(rows.length > 1000 && rows.length <= 2000, `${rows.length} of 20000`);
  assert.equal(
    rows.slice(-500),
    Array.from({ length: 500 }, (_, i) => 19_500 + i),
  );
  assert.equal(
    rows,
    [...rows].sort((a, b) => a - b),
  );
  assert.ok(rows[0] < 1000, 'the beginning of a curve stays');
  assert.is(text.match(/event: stage/g)?.length, 1);
});

test('a port that is taken is refused by name', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const error = await Dashboard.open({ title: 'x', port }).catch((cause: unknown) => cause);
  server.close();
  assert.instance(error, ConfigError);
  assert.match((error as Error).message, new RegExp(`${port}`));
});

test('neither the page nor a reader keeps the process alive', async () => {
  const script = `
    import { get } from 'node:http';
    import { Dashboard } from './src/report/dashboard/dashboard.ts';
    const dashboard = await Dashboard.open({ title: 'x' });
    await new Promise((resolve) => get(dashboard.url + 'events', { agent: false }, (response) => {
      response.once('data', () => { response.socket.unref(); resolve(); });
    }));
    console.log('done');`;
  const { code, stdout, stderr } = await runNode(['--input-type=module', '-e', script]);
  assert.is(code, 0, stderr);
  assert.is(stdout, 'done\n');
});

test.run();
