import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../cli/runCli.js';
import { hasProgram, RedisProcess } from '../helpers/redisServer.js';

const NAME =
  'two workers, one killed in the middle of a shard, then the server killed: every shard once, and the same content';
const SHARDS = 100;
const SHARD_SIZE = 200;
const root = fileURLToPath(new URL('../..', import.meta.url));
const what = ['examples/grammars/mnist.yaml', '--set', 'digits=digits', '--format', 'webdataset', '--seed', '11'];
const size = ['--count', `${SHARDS * SHARD_SIZE}`, '--shard-size', `${SHARD_SIZE}`];

/** A worker in a process of its own. */
class WorkerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output = '';

  constructor(out: string, environment: NodeJS.ProcessEnv) {
    const words = [
      'src/cli.ts',
      'queue',
      'work',
      '--out',
      out,
      '--root',
      'examples',
      '--threads',
      '1',
      '--takeover',
      '1',
    ];
    this.child = spawn(process.execPath, ['--import', 'tsx', ...words], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.on('data', (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
  }

  /** Numbers of the shards that it says it made. */
  get made(): number[] {
    return [...this.output.matchAll(/^shard (\d+) of digits: \d+ images in/gm)].map(([, shard]) => Number(shard));
  }

  /** Numbers of the shards that it found there. */
  get found(): number[] {
    return [...this.output.matchAll(/^shard (\d+) of digits: there already/gm)].map(([, shard]) => Number(shard));
  }
}

async function until(what: string, condition: () => boolean, pause = 10): Promise<void> {
  for (let waited = 0; !condition(); waited += pause) {
    if (waited > 40_000) throw new Error(`waited in vain until ${what}`);
    await sleep(pause);
  }
}

async function cli(environment: NodeJS.ProcessEnv, ...words: string[]) {
  const { code, stdout, stderr } = await runCli([...words, '--json'], environment);
  assert.is(code, 0, stderr);
  assert.not.match(stdout + stderr, /p@ss|p%40ss/);
  return JSON.parse(stdout);
}

async function scenario(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-queue-'));
  const server = await RedisProcess.start();
  const environment = { REDIS_URL: server.url };
  const place = ['--out', folder, '--dataset', 'digits'];
  const submit = () => cli(environment, 'queue', 'submit', ...what, ...size, ...place, '--root', 'examples');
  const status = () => cli(environment, 'queue', 'status', ...place);
  const names = (path: string) =>
    existsSync(join(folder, 'digits/.metasim', path)) ? readdirSync(join(folder, 'digits/.metasim', path)) : [];
  const done = () => names('shards').length;
  const workers: WorkerProcess[] = [];
  try {
    const submitted = await submit();
    assert.equal([submitted.shards, submitted.done, submitted.queued], [SHARDS, 0, SHARDS]);
    for (let i = 0; i < 2; i++) workers.push(new WorkerProcess(folder, environment));
    const [first, second] = workers;

    // The first worker dies while it writes a shard: what it staged is left behind.
    const staged = () => names('staging').filter((name) => name.split('-')[1] === `${first.child.pid}`);
    await until('both work', () => first.made.length > 0 && second.made.length > 0 && staged().length > 0, 1);
    first.child.kill('SIGKILL');
    await first.ended;
    assert.is(staged().length, 1, 'killed in the middle of a shard');
    const orphan = Number(staged()[0].split('-')[0]);
    assert.not.ok(first.made.includes(orphan));
    await until('the shard is taken over', () => second.made.includes(orphan));
    assert.match(second.output, /taken over from a worker that fell silent/);

    // The server dies with all it knew; the shard under way is finished.
    assert.ok(done() < SHARDS, 'there is work left');
    await server.kill();
    await sleep(300);
    await server.restart();
    await until('the shard under way is finished', () => names('staging').length === 1);
    const lost = await status();
    assert.equal(lost.lost, lost.missing);
    assert.ok(lost.missing.length > 0);
    assert.equal([lost.waiting, lost.active, lost.failed], [[], [], []]);
    const again = await submit();
    assert.equal([again.done, again.queued], [lost.done, lost.missing.length]);
    await until('all is done', () => done() === SHARDS);
    const after = await status();
    assert.equal([after.done, after.missing, after.lost, after.failed], [SHARDS, [], [], []]);

    second.child.kill('SIGTERM');
    assert.is(await second.ended, 143, second.output);
    const made = [...first.made, ...second.made];
    assert.is(new Set(made).size, made.length, 'no shard was made twice');
    assert.is(new Set([...made, ...second.found]).size, SHARDS, 'and all were made');

    const merged = await cli({}, 'merge', join(folder, 'digits'));
    const single = await cli({}, 'generate', ...what, ...size, '--out', join(folder, 'single'), '--threads', '2');
    assert.match(merged.contentHash, /^[0-9a-f]{64}$/);
    assert.is(merged.contentHash, single.contentHash);
    assert.is(merged.count, SHARDS * SHARD_SIZE);
  } catch (error) {
    for (const { output } of workers) console.error(output.slice(-2000));
    throw error;
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (hasProgram('redis-server')) test(NAME, scenario);
else console.log(`# skip ${NAME}: no redis-server`);

test('without a server nothing is written, and what is done shows all the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-queue-'));
  const away = { REDIS_URL: 'redis://:s3cret@127.0.0.1:1' };
  const place = ['--out', folder, '--dataset', 'digits'];
  const submit = ['queue', 'submit', ...what, '--count', '6', '--shard-size', '2', ...place, '--json'];
  try {
    const none = await runCli(submit, { REDIS_URL: '' });
    assert.is(none.code, 2);
    assert.match(none.stdout, /REDIS_URL/);
    const refused = await runCli(submit, away);
    assert.is(refused.code, 1);
    assert.equal(JSON.parse(refused.stdout).error.code, 'QUEUE');
    assert.equal(readdirSync(folder), []);
    // One of three shards, made without a queue.
    const part = ['--shard-index', '0', '--shard-count', '2', '--out', join(folder, 'digits')];
    assert.is((await runCli(['generate', ...what, '--count', '6', '--shard-size', '2', ...part])).code, 0);
    const status = await runCli(['queue', 'status', ...place, '--json'], away);
    assert.is(status.code, 0, status.stderr);
    const { shards, done, lost } = JSON.parse(status.stdout);
    assert.equal({ shards, done, lost }, { shards: 3, done: 1, lost: [1, 2] });
    for (const { stdout, stderr } of [refused, status]) assert.not.match(stdout + stderr, /s3cret/);
    assert.match(status.stderr, /redis:\/\/127\.0\.0\.1:1\/0 but received: .*ECONNREFUSED/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
