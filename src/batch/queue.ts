import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, JobType, Queue, Worker } from 'bullmq';
import { z } from 'zod';
import { importPeer } from '../dataset/optionalPeer.js';
import { toolVersion } from '../dataset/toolVersion.js';
import { ConfigError } from '../errors.js';
import { connectionOptions, expectRedis, type RedisServer } from './redis.js';

/** Times a shard is tried that fails; the pauses between grow from the first. */
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 1000;
/** Workers that may die over a shard before it counts as failed: BullMQ's 1 would give up what two crashes met. */
const MAX_STALLED_COUNT = 5;
/** Jobs added, or looked at, with one request. */
const PAGE = 1000;
/** How often a draining worker looks whether anything is left, ms. */
const DRAIN_LOOK_MS = 500;
/** How long a worker waits for the server when it ends, ms. */
const CLOSE_MS = 5000;
/** The same complaint is repeated after this time at the earliest, ms. */
const REPEAT_MS = 30_000;
/** Pause before a worker asks again a server that was away, ms. */
const RETRY_MS = 1000;

/**
 * What a job may say: which shard of which dataset. No path, no code, no setting: those a worker takes from the place that
 * it was started with, so that whoever can write to the queue can at most have shards made that were to be made anyway.
 */
export const shardJobSchema = z.strictObject({
  /** Name of the dataset's folder below the worker's `--out`. */
  dataset: z
    .string()
    .regex(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'Expected letters, digits, ".", "_" and "-"'),
  /** SHA-256 of the dataset's header, which says all that the shard depends on. */
  header: z.string().regex(/^[0-9a-f]{64}$/, 'Expected a SHA-256'),
  shard: z.number().int().min(0).max(1_000_000_000),
});

export type ShardJob = z.output<typeof shardJobSchema>;
/** All shards of a dataset. */
export type DatasetRef = Omit<ShardJob, 'shard'>;

/** Where the queue is. */
export interface QueuePlace {
  readonly redis: RedisServer;
  /** What the queue's keys begin with, for servers with other things in them. */
  readonly prefix: string;
}

/** What the queue knows of a dataset; finished shards it forgets. Numbers of shards, in order. */
export interface QueuedShards {
  readonly waiting: readonly number[];
  readonly active: readonly number[];
  /** Failed before, and wait for their next attempt. */
  readonly delayed: readonly number[];
  readonly failed: readonly FailedShard[];
}

export interface FailedShard {
  readonly shard: number;
  readonly attempts: number;
  readonly reason: string;
}

/** How a worker fared. */
export interface WorkSummary {
  /** Shards made; there already when they came up; failed for good; given back because the worker was to end. */
  made: number;
  present: number;
  failed: number;
  returned: number;
}

export interface WorkOptions extends QueuePlace {
  /**
   * Makes a shard, away from this thread, unless it is there already. Rejects when the signal is aborted. A ConfigError
   * is final; what else it throws is tried again.
   */
  readonly makeShard: (
    job: ShardJob,
    signal: AbortSignal,
  ) => Promise<{ readonly made: boolean; readonly text: string }>;
  /** Shards under way at once. */
  readonly concurrency: number;
  /** Time after which the shards of a worker that died are somebody else's, ms. */
  readonly takeoverMs: number;
  /** Ends when nothing is left in the queue, nor under way elsewhere; else waits for more. */
  readonly drain: boolean;
  /** Ends the work: shards under way are given back. */
  readonly signal: AbortSignal;
  /** Takes a line for the person in front. */
  readonly note: (line: string) => void;
}

/** Workers of different versions never see each other's jobs: their pixels might differ. */
const queueName = () => `shards-${toolVersion()}`;

const bullmq = () => importPeer('bullmq', 'the queue', () => import('bullmq'));

/** Checks what is not checked elsewhere. @throws ConfigError */
export function checkPrefix(prefix: string): string {
  if (/^[A-Za-z0-9_.{}-]{1,64}$/.test(prefix)) return prefix;
  throw new ConfigError(
    `Expected 1 to 64 of letters, digits and "_.-{}" for the prefix but received ${JSON.stringify(prefix)}`,
  );
}

async function withQueue<T>({ redis, prefix }: QueuePlace, step: (queue: Queue) => Promise<T>): Promise<T> {
  const { Queue } = await bullmq();
  await expectRedis(redis);
  // Unlike a worker, a command gives up when the server goes away.
  const connection = { ...connectionOptions(redis), maxRetriesPerRequest: 5 };
  const queue = new Queue(queueName(), { connection, prefix: checkPrefix(prefix) });
  // Without a listener an error event would end the process; what matters is thrown by the step.
  queue.on('error', () => {});
  try {
    return await step(queue);
  } finally {
    await queue.close();
  }
}

/**
 * Queues shards that are not in the queue yet; those that failed before get new attempts. Submitting twice queues nothing
 * twice.
 * @param shards numbers of the shards that are to be made
 * @returns how many were added, and how many were there already
 */
export async function submitShards(
  place: QueuePlace,
  dataset: DatasetRef,
  shards: readonly number[],
): Promise<{ queued: number; present: number }> {
  return withQueue(place, async (queue) => {
    const wanted = new Set(shards);
    for (const job of await jobsOf(queue, dataset, 'failed')) if (wanted.has(job.data.shard)) await job.remove();
    const { waiting, active, delayed } = await lookUp(queue, dataset);
    const known = new Set([...waiting, ...active, ...delayed]);
    const missing = shards.filter((shard) => !known.has(shard));
    for (let at = 0; at < missing.length; at += PAGE) {
      await queue.addBulk(missing.slice(at, at + PAGE).map((shard) => jobFor({ ...dataset, shard })));
    }
    return { queued: missing.length, present: shards.length - missing.length };
  });
}

/** What the queue knows of a dataset, and how many workers listen (undefined where the server does not tell). */
export async function queuedShards(
  place: QueuePlace,
  dataset: DatasetRef,
): Promise<QueuedShards & { readonly workers: number | undefined }> {
  return withQueue(place, async (queue) => ({
    ...(await lookUp(queue, dataset)),
    workers: await queue.getWorkersCount().catch(() => undefined),
  }));
}

/** A job of the queue. Its id is that of the shard, so that a shard that is there is not added again. */
function jobFor(data: ShardJob) {
  return {
    name: 'shard',
    data,
    opts: {
      jobId: `${data.dataset}.${data.header.slice(0, 16)}.${data.shard}`,
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: FIRST_PAUSE_MS },
      // The storage knows what is finished.
      removeOnComplete: true,
      removeOnFail: false,
      stackTraceLimit: 0,
    },
  };
}

async function lookUp(queue: Queue, dataset: DatasetRef): Promise<QueuedShards> {
  const numbers = async (...types: JobType[]) => {
    const jobs = await Promise.all(types.map((type) => jobsOf(queue, dataset, type)));
    return [...new Set(jobs.flat().map(({ data }) => data.shard))].sort((a, b) => a - b);
  };
  const failed = (await jobsOf(queue, dataset, 'failed')).map(({ data, attemptsMade, failedReason }) => ({
    shard: data.shard,
    attempts: attemptsMade,
    reason: failedReason ?? '',
  }));
  return {
    waiting: await numbers('waiting', 'prioritized'),
    active: await numbers('active'),
    delayed: await numbers('delayed'),
    failed: failed.sort((a, b) => a.shard - b.shard),
  };
}

/** The jobs of a dataset in one state; forged and foreign ones are passed over. */
async function jobsOf(queue: Queue, { dataset, header }: DatasetRef, type: JobType): Promise<Job<ShardJob>[]> {
  const found: Job<ShardJob>[] = [];
  for (let at = 0; ; at += PAGE) {
    const page = (await queue.getJobs([type], at, at + PAGE - 1)) as (Job | undefined)[];
    for (const job of page) {
      const parsed = shardJobSchema.safeParse(job?.data);
      if (job && parsed.success && parsed.data.dataset === dataset && parsed.data.header === header) found.push(job);
    }
    if (page.length < PAGE) return found;
  }
}

/**
 * Makes the shards that the queue hands out, until `signal`, or until nothing is left with `drain`. Delivery is at least
 * once: what happens twice must do no harm, which is the storage's part. A server that goes away is waited for; shards
 * under way are finished meanwhile. Where the server comes back without its data they are finished as well, and the others
 * are submitted again.
 * @throws QueueError when the server cannot be reached in the beginning; ConfigError when a package is missing
 */
export async function workOnShards(options: WorkOptions): Promise<WorkSummary> {
  const { redis, prefix, concurrency, takeoverMs, signal, note } = options;
  const { Queue, Worker } = await bullmq();
  await expectRedis(redis);
  signal.throwIfAborted();
  const summary: WorkSummary = { made: 0, present: 0, failed: 0, returned: 0 };
  const worker = new Worker(queueName(), await processorOf(options, summary), {
    connection: connectionOptions(redis),
    prefix: checkPrefix(prefix),
    concurrency,
    maxStalledCount: MAX_STALLED_COUNT,
    // A lock outlives its holder by 0.5 at most, and is found to be stale within 0.4 of the time more.
    lockDuration: Math.round(takeoverMs * 0.5),
    stalledInterval: Math.round(takeoverMs * 0.4),
    drainDelay: 1,
    runRetryDelay: RETRY_MS,
  });
  const queue = new Queue(queueName(), { connection: connectionOptions(redis), prefix });
  queue.on('error', () => {});
  listen(worker, queue, options);
  try {
    await end(queue, options);
  } finally {
    if (!(await closeInTime(queue, worker))) {
      note('queue: the server does not answer; its shards are handed out again when their locks have run out');
    }
  }
  return summary;
}

/** What a worker does with a job. */
async function processorOf({ makeShard, signal, note }: WorkOptions, summary: WorkSummary) {
  const { UnrecoverableError, WaitingError } = await bullmq();
  return async (job: Job, token?: string): Promise<void> => {
    const parsed = shardJobSchema.safeParse(job.data);
    if (!parsed.success) {
      summary.failed++;
      const [{ path, message }] = parsed.error.issues;
      const reason = `Expected a shard's job but received another: ${path.join('.') || 'data'}: ${message}`;
      note(`queue: refused: ${reason}`);
      throw new UnrecoverableError(reason);
    }
    const { dataset, shard } = parsed.data;
    try {
      signal.throwIfAborted();
      const { made, text } = await makeShard(parsed.data, signal);
      summary[made ? 'made' : 'present']++;
      note(`shard ${shard} of ${dataset}: ${text}`);
    } catch (error) {
      if (signal.aborted) {
        summary.returned++;
        // Back to the head of the queue, and no attempt lost; where the server is away the lock runs out.
        await Promise.race([job.moveToWait(token).catch(() => {}), sleep(CLOSE_MS, undefined, { ref: false })]);
        throw new WaitingError();
      }
      const final = error instanceof ConfigError;
      if (final || job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) summary.failed++;
      const reason = error instanceof Error ? error.message : String(error);
      note(`shard ${shard} of ${dataset} failed${final ? '' : `, attempt ${job.attemptsMade + 1}`}: ${reason}`);
      throw final ? new UnrecoverableError(reason) : new Error(reason);
    }
  };
}

/** Resolves when the worker is to end. */
async function end(queue: Queue, { signal, drain }: WorkOptions): Promise<void> {
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  signal.addEventListener('abort', wake, { once: true });
  try {
    if (signal.aborted) return;
    await (drain ? drained(queue, signal, woken) : woken);
  } finally {
    signal.removeEventListener('abort', wake);
  }
}

/** Resolves when nothing is left in the queue, nor under way at any worker; or with `woken`. */
async function drained(queue: Queue, signal: AbortSignal, woken: Promise<void>): Promise<void> {
  while (!signal.aborted) {
    const look = queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    // When the signal comes first, it fails with the connection that is closed under it.
    look.catch(() => {});
    const counts = await Promise.race([look, woken]);
    if (counts && Object.values(counts).every((count) => count === 0)) return;
    await Promise.race([sleep(DRAIN_LOOK_MS), woken]);
  }
}

/** Tells the person in front what the worker meets, and each thing once. */
function listen(worker: Worker, queue: Queue, options: WorkOptions): void {
  const { note } = options;
  const told = new Map<string, number>();
  worker.on('error', ({ message }) => {
    const now = performance.now();
    if (now - (told.get(message) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return;
    told.set(message, now);
    note(`queue: ${message}`);
  });
  worker.on('stalled', (id) => {
    note(`queue: ${id} is taken over from a worker that fell silent`);
    removeUnreadable(queue, id, options).catch(() => {});
  });
}

/**
 * Removes a job that is not even JSON, which fails before anybody may refuse it, and would come back for ever. While a
 * worker holds its lock it cannot be removed, so that is tried until the lock has run out.
 */
async function removeUnreadable(queue: Queue, id: string, { takeoverMs, note }: WorkOptions): Promise<void> {
  try {
    await queue.getJob(id);
    return;
  } catch (error) {
    if (!(error instanceof SyntaxError)) return;
  }
  for (let tries = 0; tries < 10; tries++) {
    if ((await queue.remove(id)) === 1) {
      note(`queue: refused: ${id} is removed, it is not JSON`);
      return;
    }
    await sleep(takeoverMs / 10, undefined, { ref: false });
  }
}

/**
 * Closes a worker, which waits for the shards under way; a server that is away is not waited for.
 * @returns whether all was closed
 */
async function closeInTime(queue: Queue, worker: Worker): Promise<boolean> {
  const closed = worker
    .close()
    .then(() => queue.close())
    .then(
      () => true,
      () => false,
    );
  return Promise.race([closed, sleep(2 * CLOSE_MS, false, { ref: false })]);
}
