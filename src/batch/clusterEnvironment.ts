import { ConfigError } from '../errors.js';

/** Which part of a dataset a machine makes: part `shardIndex` of `shardCount`, from 0. */
export interface MachinePart {
  readonly shardIndex: number;
  readonly shardCount: number;
}

const COUNT = 'METASIM_SHARD_COUNT';
const KUBERNETES = 'JOB_COMPLETION_INDEX';
const SLURM = 'SLURM_ARRAY_TASK_ID';
const MAX_PARTS = 1_000_000;

/**
 * The part that flags, or else the environment of a cluster's job, give to this machine; undefined where neither does.
 *
 * A Kubernetes Indexed Job sets `JOB_COMPLETION_INDEX`, from 0; how many there are (`completions`) it does not say:
 * `--shard-count` or `METASIM_SHARD_COUNT` must. A SLURM array sets `SLURM_ARRAY_TASK_ID` and the array's bounds, step and
 * length; parts are numbered in the array's order. Where `METASIM_SHARD_COUNT` or `--shard-count` is given, the task's id
 * itself is the index, so that single tasks can be submitted again.
 * @param flags `--shard-index` and `--shard-count`, as far as they were given
 * @throws ConfigError naming the variable or flag that is missing, malformed or out of range; for an array with holes; and
 * where two clusters speak at once
 */
export function shardFromEnvironment(
  environment: NodeJS.ProcessEnv,
  flags: Partial<MachinePart> = {},
): MachinePart | undefined {
  const { shardIndex, shardCount } = flags;
  if (shardIndex !== undefined) {
    const count = shardCount ?? countOf(environment);
    if (count === undefined) throw new ConfigError(`Expected --shard-count (or ${COUNT}) beside --shard-index`);
    return part(shardIndex, count, '--shard-index');
  }
  const clusters = [KUBERNETES, SLURM].filter((name) => isSet(environment, name));
  if (clusters.length > 1) {
    throw new ConfigError(
      `Expected one of ${KUBERNETES} and ${SLURM} in the environment but received both; say --shard-index and --shard-count`,
    );
  }
  const count = shardCount ?? countOf(environment);
  if (clusters.length === 0) {
    if (shardCount === undefined) return undefined;
    throw new ConfigError(`Expected --shard-index (or ${KUBERNETES} or ${SLURM}) beside --shard-count`);
  }
  const [name] = clusters;
  if (count !== undefined) return part(integer(environment, name), count, name);
  if (name === SLURM) return partOfArray(environment);
  throw new ConfigError(
    `Expected --shard-count or ${COUNT} with ${KUBERNETES}, because Kubernetes does not say how many completions the job has`,
  );
}

/** The position of a task in its SLURM array (`sbatch --array=MIN-MAX:STEP`). */
function partOfArray(environment: NodeJS.ProcessEnv): MachinePart {
  const id = integer(environment, SLURM);
  const first = integer(environment, 'SLURM_ARRAY_TASK_MIN');
  const last = integer(environment, 'SLURM_ARRAY_TASK_MAX');
  const tasks = integer(environment, 'SLURM_ARRAY_TASK_COUNT', 1);
  const step = isSet(environment, 'SLURM_ARRAY_TASK_STEP') ? integer(environment, 'SLURM_ARRAY_TASK_STEP', 1) : 1;
  if (last < first || Math.floor((last - first) / step) + 1 !== tasks) {
    throw new ConfigError(
      `Expected an array without holes but received SLURM_ARRAY_TASK_COUNT=${tasks} tasks from ${first} to ${last} in steps of ${step}; ` +
        `set ${COUNT} to number parts by ${SLURM} itself, from 0`,
    );
  }
  if (id < first || id > last || (id - first) % step !== 0) {
    throw new ConfigError(`Expected ${SLURM} to be one of ${first} to ${last} in steps of ${step} but received ${id}`);
  }
  return part((id - first) / step, tasks, SLURM);
}

function part(index: number, count: number, name: string): MachinePart {
  if (index >= 0 && index < count) return { shardIndex: index, shardCount: count };
  throw new ConfigError(`Expected an integer from 0 to ${count - 1} for ${name} (of ${count}) but received ${index}`);
}

function countOf(environment: NodeJS.ProcessEnv): number | undefined {
  return isSet(environment, COUNT) ? integer(environment, COUNT, 1) : undefined;
}

function isSet(environment: NodeJS.ProcessEnv, name: string): boolean {
  return environment[name] !== undefined && environment[name] !== '';
}

function integer(environment: NodeJS.ProcessEnv, name: string, minimum = 0): number {
  const text = environment[name] ?? '';
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= (name === COUNT ? MAX_PARTS : 2 ** 32)) return value;
  throw new ConfigError(
    `Expected an integer of at least ${minimum} for ${name} but received ${text === '' ? 'nothing' : JSON.stringify(text)}`,
  );
}
