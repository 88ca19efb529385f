import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker as Thread } from 'node:worker_threads';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { queuedShards, type ShardJob, submitShards, type WorkOptions, workOnShards } from '../../src/batch/queue.js';
import { connectionOptions, expectRedis, parseRedisUrl, QueueError } from '../../src/batch/redis.js';
import { toolVersion } from '../../src/dataset/toolVersion.js';
import { ConfigError, DatasetError } from '../../src/errors.js';
import { hasProgram, REDIS_PASSWORD, RedisProcess } from '../helpers/redisServer.js';

const available = hasProgram('redis-server');
const header = 'ab'.repeat(32);
const never = new AbortController().signal;

let server: RedisProcess;
let prefixes = 0;

/** A queue of its own for every test, on one server. */
function newPlace() {
  return { redis: parseRedisUrl(server.url), prefix: `test${prefixes++}` };
}

type Made = Map<number, number>;

/** A function that makes shards, and counts how often each was made. */
function counting(made: Made, milliseconds = 0): WorkOptions['makeShard'] {
  return async ({ shard }, signal) => {
    await sleep(milliseconds, undefined, { signal });
    made.set(shard, (made.get(shard) ?? 0) + 1);
    return { made: true, text: 'made' };
  };
}

function work(place: ReturnType<typeof newPlace>, options: Partial<WorkOptions> & Pick<WorkOptions, 'makeShard'>) {
  const defaults = { concurrency: 1, takeoverMs: 2000, drain: true, signal: never, note: () => {} };
  return workOnShards({ ...defaults, ...place, ...options });
}

const range = (length: number) => Array.from({ length }, (_, i) => i);
const once1 = (shards: readonly number[]) => shards.map((shard) => [shard, 1]);
const counts = (made: Made) => [...made].sort(([a], [b]) => a - b);

const failure = (step: Promise<unknown>): Promise<Error> =>
  step.then(
    () => assert.unreachable('did not fail'),
    (error) => error,
  );

/** A test that needs a server; skipped by name where there is none. */
function serverTest(name: string, body: () => Promise<void>): void {
  if (available) test(name, body);
  else console.log(`# skip ${name}: no redis-server`);
}

test.before(async () => {
  if (available) server = await RedisProcess.start();
});
test.after(async () => server?.close());

test('addresses of servers are read, and what may be printed of them holds no password', () => {
  const full = parseRedisUrl('rediss://us%40er:p%2Fw%23@redis.example:7000/3');
  assert.equal(
    { ...full },
    {
      ...{ host: 'redis.example', port: 7000, db: 3, username: 'us@er', password: 'p/w#', tls: {} },
      place: 'rediss://redis.example:7000/3',
    },
  );
  assert.equal(parseRedisUrl('redis://localhost'), {
    host: 'localhost',
    port: 6379,
    db: 0,
    place: 'redis://localhost:6379/0',
  });
  assert.is(parseRedisUrl('redis://[::1]:1').host, '::1');
  const bad = ['', 'x', 'localhost:6379', 'http://secret@host', 'redis://', 'redis://:secret@', 'redis://h/secret'];
  for (const text of [
    ...bad,
    'redis://:sec%ret@host',
    'redis://:secret@host?x',
    'redis://h/999999',
    'unix:///secret',
  ]) {
    try {
      parseRedisUrl(text);
      assert.unreachable(text);
    } catch (error) {
      assert.instance(error, ConfigError, text);
      assert.not.match((error as Error).message, /sec/, text);
    }
  }
  assert.throws(() => parseRedisUrl('redis://host', '/etc/hosts'), /rediss/);
  assert.throws(() => parseRedisUrl('rediss://host', '/no/such/file.pem'), /\/no\/such\/file\.pem/);
});

serverTest('all shards are made once, by however many workers, and submitting twice queues nothing twice', async () => {
  const place = newPlace();
  const dataset = { dataset: 'digits', header };
  assert.equal(await submitShards(place, dataset, range(40)), { queued: 40, present: 0 });
  assert.equal(await submitShards(place, dataset, range(40)), { queued: 0, present: 40 });
  assert.equal((await queuedShards(place, dataset)).waiting, range(40));
  const made: Made = new Map();
  const summaries = await Promise.all([
    work(place, { makeShard: counting(made, 5) }),
    work(place, { makeShard: counting(made, 5), concurrency: 3 }),
  ]);
  assert.equal(counts(made), once1(range(40)));
  assert.is(summaries[0].made + summaries[1].made, 40);
  assert.ok(
    summaries.every((summary) => summary.made > 0),
    'both worked',
  );
  const { waiting, active, delayed, failed } = await queuedShards(place, dataset);
  assert.equal({ waiting, active, delayed, failed }, { waiting: [], active: [], delayed: [], failed: [] });
});

serverTest('datasets and prefixes do not mix', async () => {
  const place = newPlace();
  await submitShards(place, { dataset: 'a', header }, [0, 1]);
  await submitShards(place, { dataset: 'b', header }, [1, 2, 3]);
  await submitShards(place, { dataset: 'a', header: 'cd'.repeat(32) }, [9]);
  assert.equal((await queuedShards(place, { dataset: 'a', header })).waiting, [0, 1]);
  assert.equal((await queuedShards(place, { dataset: 'b', header })).waiting, [1, 2, 3]);
  assert.equal((await queuedShards(newPlace(), { dataset: 'a', header })).waiting, []);
  const jobs: ShardJob[] = [];
  await work(place, {
    makeShard: async (job) => {
      jobs.push(job);
      return { made: true, text: '' };
    },
  });
  assert.is(jobs.length, 6);
  assert.is(jobs.filter(({ dataset }) => dataset === 'b').length, 3);
});

serverTest('what fails is tried again; a wrong configuration is not; submitting again gives new attempts', async () => {
  const place = newPlace();
  const dataset = { dataset: 'digits', header };
  await submitShards(place, dataset, range(3));
  const tries = new Map<number, number>();
  const summary = await work(place, {
    concurrency: 3,
    makeShard: async ({ shard }) => {
      const tried = (tries.get(shard) ?? 0) + 1;
      tries.set(shard, tried);
      if (shard === 1 && tried === 1) throw new DatasetError('disk hiccup');
      if (shard === 2) throw new ConfigError('wrong grammar');
      return { made: true, text: '' };
    },
  });
  assert.equal(counts(tries), [
    [0, 1],
    [1, 2],
    [2, 1],
  ]);
  assert.equal(summary, { made: 2, present: 0, failed: 1, returned: 0 });
  assert.equal((await queuedShards(place, dataset)).failed, [{ shard: 2, attempts: 1, reason: 'wrong grammar' }]);
  assert.equal(await submitShards(place, dataset, [2]), { queued: 1, present: 0 });
  const made: Made = new Map();
  await work(place, { makeShard: counting(made) });
  assert.equal(counts(made), once1([2]));
  assert.equal((await queuedShards(place, dataset)).failed, []);
});

serverTest('a shard that fails always is given up after three attempts', async () => {
  const place = newPlace();
  await submitShards(place, { dataset: 'digits', header }, [5]);
  let tries = 0;
  const makeShard = async () => {
    tries++;
    throw new Error('always');
  };
  assert.equal(await work(place, { makeShard }), { made: 0, present: 0, failed: 1, returned: 0 });
  assert.is(tries, 3);
});

serverTest('forged jobs are refused once, and the others are made', async () => {
  const place = newPlace();
  const dataset = { dataset: 'digits', header };
  const good = { ...dataset, shard: 0 };
  const forged: unknown[] = [
    {},
    [],
    'text',
    null,
    { ...good, dataset: '../../etc' },
    { ...good, dataset: '/etc' },
    { ...good, dataset: 'a/b' },
    { ...good, dataset: 'a..b' },
    { ...good, dataset: 'a\0b' },
    { ...good, dataset: '' },
    { ...good, dataset: 'x'.repeat(101) },
    { ...good, header: 'short' },
    { ...good, shard: -1 },
    { ...good, shard: 1.5 },
    { ...good, shard: 1e300 },
    { ...good, shard: '0' },
    { ...good, out: '/tmp' },
    { ...good, source: { path: 'evil.ts' } },
    JSON.parse(`{"dataset":"digits","header":"${header}","shard":0,"__proto__":{"x":1}}`),
  ];
  const queue = new Queue(`shards-${toolVersion()}`, {
    connection: connectionOptions(place.redis),
    prefix: place.prefix,
  });
  try {
    const jobs = await queue.addBulk(
      forged.map((data) => ({ name: 'shard', data, opts: { attempts: 9, backoff: { type: 'fixed', delay: 1 } } })),
    );
    await submitShards(place, dataset, range(2));
    const made: Made = new Map();
    const notes: string[] = [];
    const summary = await work(place, { makeShard: counting(made), note: (line) => notes.push(line) });
    assert.equal(counts(made), once1([0, 1]));
    assert.is(summary.failed, forged.length);
    assert.is(notes.filter((line) => line.startsWith('queue: refused: Expected a shard')).length, forged.length);
    for (const [i, { id }] of jobs.entries()) {
      const job = await queue.getJob(id as string);
      assert.is(job?.attemptsMade, 1, JSON.stringify(forged[i]));
      assert.match(job?.failedReason ?? '', /^Expected a shard's job but received another/);
    }
    assert.equal((await queuedShards(place, dataset)).failed, [], 'none of them counts as the dataset’s');
  } finally {
    await queue.close();
  }
});

serverTest('a job that is not even JSON is removed, and does not come back for ever', async () => {
  const place = newPlace();
  const dataset = { dataset: 'digits', header };
  const client = new Redis(connectionOptions(place.redis));
  try {
    await submitShards(place, dataset, range(3));
    const [key] = await client.keys(`${place.prefix}:*digits*.1`);
    await client.hset(key, 'data', '{not json');
    const made: Made = new Map();
    const notes: string[] = [];
    // Ends only when nothing is left.
    await work(place, { makeShard: counting(made), note: (line) => notes.push(line), takeoverMs: 1000 });
    assert.equal(counts(made), once1([0, 2]));
    assert.ok(
      notes.some((line) => /refused: .*\.1 is removed/.test(line)),
      notes.join('\n'),
    );
  } finally {
    client.disconnect();
  }
});

serverTest('an interrupted worker gives its shard back at once, and no attempt is lost', async () => {
  const place = newPlace();
  const dataset = { dataset: 'digits', header };
  await submitShards(place, dataset, range(3));
  const controller = new AbortController();
  const first = work(place, {
    drain: false,
    signal: controller.signal,
    makeShard: async (_, signal) => {
      controller.abort();
      await sleep(60_000, undefined, { signal });
      return { made: true, text: '' };
    },
  });
  assert.equal(await first, { made: 0, present: 0, failed: 0, returned: 1 });
  const { waiting, active } = await queuedShards(place, dataset);
  assert.equal({ waiting, active }, { waiting: [0, 1, 2], active: [] });
  const made: Made = new Map();
  await work(place, { makeShard: counting(made) });
  assert.equal(counts(made), once1(range(3)));
});

serverTest(
  'a shard that takes longer than its lock stays with its worker, as its thread is not the queue’s',
  async () => {
    const place = newPlace();
    await submitShards(place, { dataset: 'digits', header }, [0]);
    const made: Made = new Map();
    const makeShard: WorkOptions['makeShard'] = async ({ shard }) => {
      // 4 s of computation, with locks of 1 s.
      const thread = new Thread('const end = Date.now() + 4000; while (Date.now() < end);', { eval: true });
      await once(thread, 'exit');
      made.set(shard, (made.get(shard) ?? 0) + 1);
      return { made: true, text: '' };
    };
    await Promise.all([work(place, { makeShard }), work(place, { makeShard })]);
    assert.equal(counts(made), once1([0]));
  },
);

serverTest('a queue that lost its data is filled again with what is missing; work under way is kept', async () => {
  const place = newPlace();
  const dataset = { dataset: 'digits', header };
  const client = new Redis(connectionOptions(place.redis));
  try {
    await submitShards(place, dataset, range(10));
    const made: Made = new Map();
    const controller = new AbortController();
    const worker = work(place, { drain: false, signal: controller.signal, makeShard: counting(made, 60) });
    while (made.size < 3) await sleep(5);
    await client.flushall();
    while (made.size < 4) await sleep(5);
    await sleep(100);
    assert.is(made.size, 4, 'the shard under way was finished, and no other begun');
    const missing = range(10).filter((shard) => !made.has(shard));
    assert.equal(await submitShards(place, dataset, missing), { queued: 6, present: 0 });
    while (made.size < 10) await sleep(5);
    controller.abort();
    await worker;
    assert.equal(counts(made), once1(range(10)));
  } finally {
    client.disconnect();
  }
});

serverTest('a wrong password and a server that is away are errors that name the server, not the password', async () => {
  const wrong = await failure(expectRedis(parseRedisUrl(`redis://:s3cret@127.0.0.1:${server.port}`)));
  assert.instance(wrong, QueueError);
  assert.match(wrong.message, /redis:\/\/127\.0\.0\.1:\d+\/0 but received: .*(WRONGPASS|invalid)/);
  const none = await failure(expectRedis(parseRedisUrl(`redis://127.0.0.1:${server.port}`)));
  assert.match(none.message, /NOAUTH|Authentication/);
  const away = await failure(
    submitShards({ redis: parseRedisUrl('redis://:s3cret@127.0.0.1:1'), prefix: 'p' }, { dataset: 'a', header }, [0]),
  );
  assert.instance(away, QueueError);
  assert.match(away.message, /ECONNREFUSED/);
  for (const error of [wrong, none, away]) {
    assert.not.match(JSON.stringify(error, Object.getOwnPropertyNames(error)), /s3cret/);
    assert.not.ok(error.message.includes(REDIS_PASSWORD));
  }
  const badPrefix = await failure(submitShards({ ...newPlace(), prefix: 'a b' }, { dataset: 'a', header }, [0]));
  assert.instance(badPrefix, ConfigError);
});

serverTest('TLS: with the authority that signed the server it works, without it is refused', async () => {
  if (!hasProgram('openssl')) {
    console.log('# skip TLS: no openssl');
    return;
  }
  let encrypted: RedisProcess;
  try {
    encrypted = await RedisProcess.start({ tls: true });
  } catch (error) {
    console.log(`# skip TLS: redis-server without TLS (${(error as Error).message.split('\n')[0]})`);
    return;
  }
  try {
    const place = { redis: parseRedisUrl(encrypted.url, encrypted.caFile), prefix: 'tls' };
    await submitShards(place, { dataset: 'digits', header }, range(3));
    const made: Made = new Map();
    await work(place, { makeShard: counting(made) });
    assert.equal(counts(made), once1(range(3)));
    const stranger = await failure(expectRedis(parseRedisUrl(encrypted.url)));
    assert.instance(stranger, QueueError);
    assert.match(stranger.message, /certificate/);
    const plain = await failure(expectRedis(parseRedisUrl(encrypted.url.replace('rediss:', 'redis:'))));
    assert.instance(plain, QueueError);
  } finally {
    await encrypted.close();
  }
});

test.run();
