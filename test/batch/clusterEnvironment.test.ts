import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shardFromEnvironment } from '../../src/batch/clusterEnvironment.js';
import { ConfigError } from '../../src/errors.js';

const slurm = (id: number, min: number, max: number, count: number, step?: number) => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_MAX: String(max),
  SLURM_ARRAY_TASK_COUNT: String(count),
  ...(step === undefined ? {} : { SLURM_ARRAY_TASK_STEP: String(step) }),
});

const part = (shardIndex: number, shardCount: number) => ({ shardIndex, shardCount });

function refuses(environment: NodeJS.ProcessEnv, pattern: RegExp, flags = {}): void {
  try {
    shardFromEnvironment(environment, flags);
  } catch (error) {
    assert.instance(error, ConfigError);
    assert.match((error as Error).message, pattern);
    return;
  }
  assert.unreachable(`accepted ${JSON.stringify(environment)}`);
}

test('without a cluster and without flags there is no part', () => {
  assert.is(shardFromEnvironment({}), undefined);
  assert.is(shardFromEnvironment({ METASIM_SHARD_COUNT: '4', HOME: '/root' }), undefined);
  assert.is(shardFromEnvironment({ JOB_COMPLETION_INDEX: '', SLURM_ARRAY_TASK_ID: '' }), undefined);
});

test('a Kubernetes Indexed Job: its index, and the count that somebody must say', () => {
  assert.equal(shardFromEnvironment({ JOB_COMPLETION_INDEX: '3', METASIM_SHARD_COUNT: '50' }), part(3, 50));
  assert.equal(shardFromEnvironment({ JOB_COMPLETION_INDEX: '0' }, { shardCount: 2 }), part(0, 2));
  refuses({ JOB_COMPLETION_INDEX: '3' }, /METASIM_SHARD_COUNT/);
  refuses({ JOB_COMPLETION_INDEX: '50', METASIM_SHARD_COUNT: '50' }, /0 to 49 for JOB_COMPLETION_INDEX.*50/);
});

test('SLURM arrays that begin anywhere and step by anything are numbered from 0', () => {
  // sbatch --array=1-50, 0-49, 10-20:2 (10 12 14 16 18 20), and 7
  assert.equal(shardFromEnvironment(slurm(1, 1, 50, 50, 1)), part(0, 50));
  assert.equal(shardFromEnvironment(slurm(50, 1, 50, 50, 1)), part(49, 50));
  assert.equal(shardFromEnvironment(slurm(49, 0, 49, 50)), part(49, 50));
  assert.equal(shardFromEnvironment(slurm(16, 10, 20, 6, 2)), part(3, 6));
  assert.equal(shardFromEnvironment(slurm(7, 7, 7, 1, 1)), part(0, 1));
  // --array=0-9:4 has the tasks 0, 4 and 8, whichever end is reported.
  for (const last of [8, 9]) assert.equal(shardFromEnvironment(slurm(8, 0, last, 3, 4)), part(2, 3));
});

test('every task of an array gets a part of its own', () => {
  for (const [min, max, step] of [
    [0, 9, 1],
    [5, 31, 3],
    [100, 107, 7],
  ]) {
    const ids = Array.from({ length: Math.floor((max - min) / step) + 1 }, (_, i) => min + i * step);
    const parts = ids.map((id) => shardFromEnvironment(slurm(id, min, ids[ids.length - 1], ids.length, step)));
    assert.equal(
      parts,
      ids.map((_, i) => part(i, ids.length)),
    );
  }
});

test('a count that is given makes the task id itself the index, so that one task can run again', () => {
  const again = { ...slurm(7, 7, 7, 1, 1), METASIM_SHARD_COUNT: '50' };
  assert.equal(shardFromEnvironment(again), part(7, 50));
  assert.equal(shardFromEnvironment({ ...slurm(3, 1, 9, 3, 1), METASIM_SHARD_COUNT: '10' }), part(3, 10));
  refuses({ ...slurm(50, 1, 50, 50, 1), METASIM_SHARD_COUNT: '50' }, /0 to 49 for SLURM_ARRAY_TASK_ID/);
});

test('arrays with holes, and variables that contradict each other, are refused by name', () => {
  // --array=1,3,9: three tasks between 1 and 9.
  refuses(slurm(3, 1, 9, 3, 1), /without holes.*METASIM_SHARD_COUNT/);
  refuses(slurm(11, 10, 20, 6, 2), /SLURM_ARRAY_TASK_ID/);
  refuses(slurm(21, 10, 20, 11, 1), /SLURM_ARRAY_TASK_ID/);
  refuses(slurm(1, 9, 1, 9, 1), /without holes/);
});

test('malformed and missing variables are named', () => {
  for (const bad of ['-1', '1.5', 'x', '0x10', '1e3', ' 1', '99999999999999999999']) {
    refuses({ JOB_COMPLETION_INDEX: bad, METASIM_SHARD_COUNT: '5' }, /JOB_COMPLETION_INDEX/);
    refuses({ ...slurm(0, 0, 4, 5, 1), SLURM_ARRAY_TASK_ID: bad }, /SLURM_ARRAY_TASK_ID/);
    refuses({ JOB_COMPLETION_INDEX: '0', METASIM_SHARD_COUNT: bad }, /METASIM_SHARD_COUNT/);
  }
  for (const name of ['MIN', 'MAX', 'COUNT']) {
    const environment: NodeJS.ProcessEnv = slurm(0, 0, 4, 5, 1);
    delete environment[`SLURM_ARRAY_TASK_${name}`];
    refuses(environment, new RegExp(`SLURM_ARRAY_TASK_${name} but received nothing`));
  }
  for (const name of ['COUNT', 'STEP']) {
    refuses({ ...slurm(0, 0, 4, 5, 1), [`SLURM_ARRAY_TASK_${name}`]: '0' }, new RegExp(`TASK_${name}`));
  }
  refuses({ JOB_COMPLETION_INDEX: '0', METASIM_SHARD_COUNT: '0' }, /METASIM_SHARD_COUNT/);
});

test('two clusters at once are ambiguous, unless flags decide', () => {
  const both = { ...slurm(1, 0, 4, 5, 1), JOB_COMPLETION_INDEX: '3' };
  refuses(both, /JOB_COMPLETION_INDEX and SLURM_ARRAY_TASK_ID/);
  assert.equal(shardFromEnvironment(both, part(2, 7)), part(2, 7));
});

test('flags win over the environment', () => {
  const environment = { JOB_COMPLETION_INDEX: '3', METASIM_SHARD_COUNT: '50' };
  assert.equal(shardFromEnvironment(environment, part(1, 2)), part(1, 2));
  assert.equal(shardFromEnvironment(environment, { shardIndex: 1 }), part(1, 50));
  assert.equal(shardFromEnvironment(environment, { shardCount: 9 }), part(3, 9));
  refuses(environment, /0 to 1 for --shard-index/, part(2, 2));
  refuses({}, /--shard-count/, { shardIndex: 0 });
  refuses({}, /--shard-index/, { shardCount: 2 });
});

test.run();
