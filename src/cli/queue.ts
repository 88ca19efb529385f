import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import type { QueuePlace } from '../batch/queue.js';
import { ConfigError } from '../errors.js';
import { integerIn, outFlag, threadsFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import { addDatasetFlags, type DatasetFlags, settingsOf, sourceOf } from './generate.js';

/** Seconds until the shards of a dead worker are somebody else's. */
const DEFAULT_TAKEOVER = 10;

interface ServerFlags {
  readonly redis?: string;
  readonly redisCa?: string;
  readonly prefix: string;
}

interface PlaceFlags extends ServerFlags {
  readonly out: string;
  readonly root: string;
}

interface SubmitFlags extends PlaceFlags, DatasetFlags {
  readonly dataset: string;
  readonly allowUnlicensed?: boolean;
}

interface WorkFlags extends PlaceFlags {
  readonly threads?: number;
  readonly drain?: boolean;
  readonly takeover: number;
}

interface StatusFlags extends ServerFlags {
  readonly dataset: string;
  readonly out: string;
}

/** `metasim queue`: many machines share the shards of a dataset through Redis or Valkey. */
export function addQueue(program: Command, outcome: Outcome): void {
  const queue = program
    .command('queue')
    .description('share the shards of a dataset among machines, through Redis or Valkey')
    .addHelpText(
      'after',
      '\nIn this order: submit; work, on every machine; status; then metasim merge OUT/DATASET. See docs/MANY_MACHINES.md.',
    );
  addSubmit(queue, outcome);
  addWork(queue, outcome);
  addStatus(queue, outcome);
}

function addSubmit(queue: Command, outcome: Outcome): void {
  const command = addDatasetFlags(
    queue
      .command('submit')
      .description(
        'queue the shards of a dataset that are missing; call it again when the queue was lost or shards failed',
      )
      .argument(
        '<source>',
        'grammar (YAML or TypeScript) or folder of a training run, within --root; or driving, aerial, mnist, meshes: ours',
      ),
  );
  addPlaceFlags(command).addOption(datasetFlag()).option('--allow-unlicensed', 'accept textures that state no licence');
  const examples = [
    'metasim queue submit cars.yaml --count 1000000 --format webdataset --dataset cars --out /shared/data',
    'REDIS_URL=rediss://user:password@host:6380 metasim queue submit runs/x --dataset x --out s3://bucket/data',
  ];
  define<SubmitFlags>(outcome, command, examples, async ([path], flags) => {
    const [{ submitShards }, { expectRedis }, { beginQueuedDataset }] = await Promise.all([
      import('../batch/queue.js'),
      import('../batch/redis.js'),
      import('../batch/queueDataset.js'),
    ]);
    const place = await serverOf(flags);
    // Before anything is written.
    await expectRedis(place.redis);
    const { root, out, dataset } = flags;
    const { storage, ref, shards, missing } = await beginQueuedDataset({
      ...{ root, out, dataset },
      source: sourceOf(path, flags),
      settings: settingsOf(flags),
      allowUnlicensed: flags.allowUnlicensed ?? false,
    });
    const { queued, present } = await submitShards(place, ref, missing);
    const done = shards - missing.length;
    return {
      json: { dataset, place: storage.place, shards, done, queued, present },
      text: `${dataset}: ${shards} shards, ${done} done, ${present} in the queue before, ${queued} queued now`,
    };
  });
}

function addWork(queue: Command, outcome: Outcome): void {
  const command = addPlaceFlags(
    queue.command('work').description('make the shards that the queue hands out, until interrupted'),
  )
    .addOption(threadsFlag())
    .option('--drain', 'end when nothing is left')
    .addOption(
      new Option('--takeover <seconds>', 'time after which the shards of a worker that died go to others')
        .argParser(integerIn(1, 3600))
        .default(DEFAULT_TAKEOVER),
    );
  const examples = [
    'metasim queue work --out /shared/data --threads 16',
    'metasim queue work --out s3://bucket/data --root scenes --drain',
  ];
  define<WorkFlags>(outcome, command, examples, async (_, flags, context) => {
    const [{ workOnShards }, { QueuedDatasets }, { NoSpaceError }] = await Promise.all([
      import('../batch/queue.js'),
      import('../batch/queueDataset.js'),
      import('../batch/noSpace.js'),
    ]);
    const { threads = availableParallelism(), drain = false, takeover } = flags;
    const place = await serverOf(flags);
    const datasets = new QueuedDatasets(flags, threads);
    // Of this worker alone: a machine without room ends, and its shards go to others.
    let unfit: Error | undefined;
    const controller = new AbortController();
    const { signal } = controller;
    const interrupt = () => controller.abort(context.signal.reason);
    context.signal.addEventListener('abort', interrupt, { once: true });
    signal.addEventListener('abort', () => datasets.stop(), { once: true });
    try {
      context.note(`queue: ${threads} threads wait for shards at ${place.redis.place}`);
      const summary = await workOnShards({
        ...place,
        ...{ concurrency: threads, takeoverMs: takeover * 1000, drain, signal },
        note: context.note,
        makeShard: async (job) => {
          try {
            return await datasets.make(job);
          } catch (error) {
            if (error instanceof NoSpaceError) controller.abort((unfit = error));
            throw error;
          }
        },
      });
      if (unfit) throw unfit;
      const { made, present, failed, returned } = summary;
      const text = `${made} shards made, ${present} were there, ${failed} failed, ${returned} given back`;
      return { json: summary, text, exitCode: failed > 0 ? 1 : 0 };
    } finally {
      context.signal.removeEventListener('abort', interrupt);
      await datasets.close();
    }
  });
}

function addStatus(queue: Command, outcome: Outcome): void {
  const command = addServerFlags(
    queue
      .command('status')
      .description('say which shards of a dataset are done, under way, waiting, failed and missing'),
  )
    .addOption(outFlag('folder or s3://bucket/prefix that the datasets lie in'))
    .addOption(datasetFlag());
  const examples = ['metasim queue status --dataset cars --out /shared/data'];
  define<StatusFlags>(outcome, command, examples, async (_, flags, context) => {
    const [{ queuedShards }, { QueueError }, { openQueuedDataset }, { rangesOf }] = await Promise.all([
      import('../batch/queue.js'),
      import('../batch/redis.js'),
      import('../batch/queueDataset.js'),
      import('../dataset/complete.js'),
    ]);
    const { out, dataset } = flags;
    const { storage, ref, shards, missing } = await openQueuedDataset({ out, dataset });
    // What is done shows also when the queue is gone.
    const { workers, ...known } = await queuedShards(await serverOf(flags), ref).catch((error) => {
      if (!(error instanceof QueueError)) throw error;
      context.note(error.message);
      return { waiting: [], active: [], delayed: [], failed: [], workers: undefined };
    });
    // The disk is the truth: what lies there is done, whatever the queue says.
    const open = new Set(missing);
    const [waiting, active, delayed] = [known.waiting, known.active, known.delayed].map((numbers) =>
      numbers.filter((shard) => open.has(shard)),
    );
    const failed = known.failed.filter(({ shard }) => open.has(shard));
    const queued = new Set([...waiting, ...active, ...delayed, ...failed.map(({ shard }) => shard)]);
    const lost = missing.filter((shard) => !queued.has(shard));
    const done = shards - missing.length;
    const list = (name: string, numbers: readonly number[]) =>
      numbers.length > 0 ? [`${name} ${numbers.length}: ${rangesOf(numbers)}`] : [];
    const next = done === shards ? `metasim merge ${storage.place}` : lost.length > 0 ? 'submit again' : undefined;
    return {
      json: { dataset, place: storage.place, shards, done, missing, waiting, active, delayed, failed, lost, workers },
      text: [
        `${dataset}: ${done} of ${shards} shards done${workers === undefined ? '' : `, ${workers} workers`}`,
        ...[...list('active', active), ...list('waiting', waiting), ...list('waiting to be tried again', delayed)],
        ...failed.map(({ shard, attempts, reason }) => `failed ${shard} (${attempts} attempts): ${reason}`),
        ...list('missing in the queue', lost),
        ...(next ? [`next: ${next}`] : []),
      ].join('\n'),
      exitCode: failed.length > 0 ? 1 : 0,
    };
  });
}

function addServerFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--redis <url>',
        'redis://[user:password@]host[:port][/db], or rediss:// for TLS (default: REDIS_URL, which other users do not see)',
      ),
    )
    .addOption(
      new Option(
        '--redis-ca <file>',
        'PEM of the authority that signed the server (default: METASIM_REDIS_CA, or the system)',
      ),
    )
    .addOption(new Option('--prefix <name>', "what the queue's keys begin with").default('metasim'));
}

function addPlaceFlags(command: Command): Command {
  return addServerFlags(command)
    .addOption(outFlag('folder or s3://bucket/prefix that the datasets lie in, each under its name'))
    .addOption(
      new Option(
        '--root <folder>',
        'folder that grammars, runs and textures lie in; workers may have it elsewhere',
      ).default('.'),
    );
}

function datasetFlag(): Option {
  return new Option('--dataset <name>', 'folder of the dataset below --out').makeOptionMandatory();
}

/** Where the queue is, from flags and environment. */
async function serverOf({ redis, redisCa, prefix }: ServerFlags): Promise<QueuePlace> {
  const { parseRedisUrl } = await import('../batch/redis.js');
  const url = redis ?? process.env.REDIS_URL;
  if (!url) throw new ConfigError('Expected the address of a Redis server in --redis or REDIS_URL but received none');
  return { redis: parseRedisUrl(url, redisCa ?? (process.env.METASIM_REDIS_CA || undefined)), prefix };
}
