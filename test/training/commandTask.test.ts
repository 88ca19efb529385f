import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { type CommandTaskConfig, commandTaskSchema } from '../../src/config.js';
import { openFormat } from '../../src/dataset/formats/index.js';
import { verifyDataset } from '../../src/dataset/verify.js';
import { ConfigError, DatasetError, type MetasimError, ShapeError, TrainingError } from '../../src/errors.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { Engine } from '../../src/render/engine.js';
import { splitCommand } from '../../src/training/commandLine.js';
import { CommandTask } from '../../src/training/commandTask.js';

const SCENES = 4;
// A space and a quote: paths must stay one word.
const folder = mkdtempSync(join(tmpdir(), "metasim task's "));
const assets = await openAssetSources([{ kind: 'digits', variants: 2 }]);
const grammar = await loadGrammar('examples/grammars/mnist.yaml', {
  assets,
  overrides: { variables: { digits: 'digits', size: 16 } },
});
const engine = await Engine.create({ assets, workers: 0 });
const batch = await grammar.sampleBatch({ seed: 3, start: 40, count: SCENES });
const rendered = await engine.render(batch, { color: 'f32', labels: true });
test.after(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

let count = 0;

/** Writes a script and opens a task that runs it with `args`. */
function open(script: string, args: readonly string[] = [], more: Partial<CommandTaskConfig> = {}) {
  const out = join(folder, `run${count++}`);
  const file = join(folder, `script${count}.mjs`);
  writeFileSync(file, script);
  const config = commandTaskSchema.parse({ kind: 'command', command: [process.execPath, file, ...args], ...more });
  const task = new CommandTask({
    ...{ config, cwd: folder, out, validation: join(folder, 'real'), seed: 100, assets, name: 'digits' },
  });
  return { task, out };
}

/** Lets a task score the four scenes. */
async function run(task: CommandTask, signal?: AbortSignal) {
  await task.begin(3, SCENES);
  await task.add(rendered, batch);
  return task.score({ signal });
}

async function failure(work: Promise<unknown>): Promise<MetasimError> {
  const error = await work.then(
    () => assert.unreachable('it succeeded'),
    (reason: MetasimError) => reason,
  );
  return error as MetasimError;
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Waits for a process that was killed to be gone, not only dead. */
async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200 && isAlive(pid); i++) await wait(20);
  return !isAlive(pid);
}

test('the command gets a finished dataset with labels, in its folder, and its last JSON line is the score', async () => {
  const { task, out } = open(
    `import { readFileSync } from 'node:fs';
     const [dataset, validation, epoch, seed] = process.argv.slice(2);
     const rows = readFileSync(dataset + '/metadata.jsonl', 'utf8').trim().split('\\n').map((line) => JSON.parse(line));
     console.log('{"score": 0}');
     console.error('to the other stream');
     console.log(JSON.stringify({ score: rows.length, details: { epoch: +epoch, seed: +seed } }));
     console.log([process.cwd(), dataset === process.env.METASIM_DATASET, validation, process.env.COLOUR].join('|'));
     console.log('{ not JSON }');`,
    ['{dataset}', '{validation}', '{epoch}', '{seed}'],
    { keep: true, env: { COLOUR: 'red' } },
  );
  assert.equal(await run(task), { score: SCENES, details: { epoch: 3, seed: 103 } });
  const log = readFileSync(join(out, 'logs/task-epoch-0003.log'), 'utf8');
  assert.match(log, /to the other stream/);
  assert.ok(log.includes(`|true|${join(folder, 'real')}|red`), log);

  // It is a dataset like any other, and its pixels are those that the engine draws as bytes.
  const dataset = join(out, 'task/epoch-0003/dataset');
  assert.equal((await verifyDataset(dataset)).faults, []);
  const { color } = await engine.render(batch, { color: 'u8' });
  const reader = await (await openFormat('imagefolder')).open(dataset);
  const { decodeImage } = await import('../../src/dataset/imageCodec.js');
  let i = 0;
  for await (const { labels, image } of reader.samples()) {
    assert.is(labels.index, 40 + i);
    assert.is(labels.objects[1].class, batch.schema.classes[batch.scenes[i].classId[1]]);
    const { pixels } = await decodeImage(image, labels.key);
    assert.equal([...pixels], [...color.subarray(256 * i, 256 * (i + 1))]);
    i++;
  }
  assert.is(i, SCENES);
});

test('the dataset is removed when its epoch is scored, unless it is kept', async () => {
  const { task, out } = open(`console.log('{"score": -2.5}')`);
  assert.equal(await run(task), { score: -2.5, details: {} });
  assert.equal(readdirSync(join(out, 'task')), []);
});

test('errors say how it ended, what was expected, and its last lines', async () => {
  const lines = `for (let i = 0; i < 50; i++) console.error('line ' + i);`;
  const status = await failure(run(open(`${lines} process.exitCode = 7;`).task));
  assert.instance(status, TrainingError);
  assert.match(status.message, /Expected a score from task\.command .* in epoch 3 but it ended with exit status 7/);
  assert.match(status.message, /Its last 20 lines:\n {2}line 30\n/);
  assert.match(status.message, / {2}line 49\nAll of its output: .*task-epoch-0003\.log/);
  const said = async (script: string) => (await failure(run(open(script).task))).message;
  assert.match(await said(`console.log('done')`), /printed no JSON object .*such as \{"score": 0\.81\}/);
  assert.match(await said(`console.log('{"accuracy": 1}')`), /printed nothing for "score", not a finite number/);
  assert.match(await said(`console.log('{"score": "high"}')`), /printed "high" for "score"/);
  assert.match(await said(`console.log('{"score": NaN}')`), /printed no JSON object/);
  assert.match(await said(`console.log('{"score": 1e999}')`), /not a finite number/);
  assert.match(await said(`console.log('{"score": 1, "details": {"a": "b"}}')`), /printed "b" for "details\.a"/);
  // Colours and whatever else would act on the user's terminal: bell, title, cleared screen.
  const coloured = await said(`console.log('\\x1b[31mred\\x1b[0m\\tand \\x07bell \\x1b[2J done')`);
  assert.match(coloured, /\n {2}red\tand ·bell {2}done\n/);
  assert.match(await said(`process.kill(process.pid, 'SIGKILL')`), /was ended by SIGKILL\. It printed nothing\./);
  const missing = commandTaskSchema.parse({ kind: 'command', command: 'no-such-program {dataset}' });
  const task = new CommandTask({ config: missing, cwd: folder, out: join(folder, 'none'), seed: 0, assets, name: 'x' });
  assert.match((await failure(run(task))).message, /Expected to be able to start no-such-program .*ENOENT/);
});

test('the time limit ends the command and all it started, even where they do not listen', async () => {
  const pids = join(folder, 'pids');
  const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;
  const { task } = open(
    `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     const child = spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio: 'inherit' });
     child.on('spawn', () => {
       writeFileSync(process.argv[2], process.pid + ' ' + child.pid);
       console.log('started');
     });
     setInterval(() => {}, 1000);`,
    [pids],
    { timeoutSeconds: 1.5 },
  );
  const { message } = await failure(run(task));
  assert.match(message, /took longer than task\.timeoutSeconds \(1\.5 s\) and was ended\. Its last line:\n {2}started/);
  const both = readFileSync(pids, 'utf8').split(' ').map(Number);
  assert.is(both.length, 2);
  for (const pid of both) assert.ok(await gone(pid), String(pid));
});

test('a retry finds the dataset as it was', async () => {
  const { task, out } = open(
    `import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
     const [dataset, mark] = process.argv.slice(2);
     const before = readdirSync(dataset).sort().join();
     if (!existsSync(mark)) {
       writeFileSync(mark, before);
       rmSync(dataset + '/metadata.jsonl');
       writeFileSync(dataset + '/cache.bin', 'half');
       process.exit(1);
     }
     const same = before.includes('metadata.jsonl') && !before.includes('cache.bin');
     console.log(JSON.stringify({ score: same ? 1 : 0 }));`,
    ['{dataset}', join(folder, 'mark')],
    { retries: 2 },
  );
  assert.is((await run(task)).score, 1);
  const log = readFileSync(join(out, 'logs/task-epoch-0003.log'), 'utf8');
  assert.match(log, /# attempt 1 of 3\n(.|\n)*# attempt 2 of 3\n/);
  const { message } = await failure(run(open(`process.exit(1)`, [], { retries: 1 }).task));
  assert.match(message, /in each of 2 attempts, the last of which ended with exit status 1/);
});

test('Ctrl-C ends the command and all it started, and is passed on', async () => {
  const pids = join(folder, 'pids2');
  const { task, out } = open(
    `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
     child.on('spawn', () => writeFileSync(process.argv[2], process.pid + ' ' + child.pid));
     setInterval(() => {}, 1000);`,
    [pids],
  );
  const controller = new AbortController();
  const running = failure(run(task, controller.signal));
  while (!existsSync(pids) || statSync(pids).size === 0) await wait(10);
  controller.abort(new Error('Ctrl-C'));
  assert.is((await running).message, 'Ctrl-C');
  for (const pid of readFileSync(pids, 'utf8').split(' ').map(Number)) assert.ok(await gone(pid));
  assert.equal(readdirSync(join(out, 'task')), [], 'nothing of the epoch is left');
});

test('output of any length takes bounded memory and a bounded log; the score behind it is found', async () => {
  const { task, out } = open(
    `const block = ('x'.repeat(1023) + '\\n').repeat(1024);
     for (let i = 0; i < 200; i++) await new Promise((resolve) => process.stdout.write(block, resolve));
     await new Promise((resolve) => process.stdout.write('y'.repeat(1 << 20) + '\\n{"score": 0.5}', resolve));`,
  );
  await task.begin(3, SCENES);
  await task.add(rendered, batch);
  const before = process.memoryUsage();
  let most = 0;
  const timer = setInterval(() => {
    const { external } = process.memoryUsage();
    most = Math.max(most, external);
  }, 20);
  assert.is((await task.score()).score, 0.5);
  clearInterval(timer);
  assert.ok(most - before.external < 80 << 20, `${most} bytes of 201 MiB`);
  const log = join(out, 'logs/task-epoch-0003.log');
  assert.ok(statSync(log).size < 34 << 20);
  assert.match(
    readFileSync(log, 'utf8').slice(-70_000),
    /bytes are left out of this log; it ends with:\n(.|\n)*\{"score": 0\.5\}$/,
  );
});

test('an interrupted epoch leaves nothing in the way; batches without labels are refused', async () => {
  const { task, out } = open(`console.log('{"score": 1}')`);
  await task.begin(3, 2 * SCENES);
  await task.add(rendered, batch);
  assert.instance(await failure(task.score()), DatasetError);
  assert.is((await run(task)).score, 1);
  await task.begin(4, SCENES);
  const { labels: _, ...bare } = { ...rendered, instances: undefined, labels: 0 };
  assert.instance(await failure(task.add(bare, batch)), ShapeError);
  task.dispose();
  assert.not(existsSync(join(out, 'task/epoch-0004/dataset')));
});

test('text is cut into words as documented, and never read by a shell', () => {
  assert.equal(splitCommand(`python  train.py {dataset}`), ['python', 'train.py', '{dataset}']);
  assert.equal(splitCommand(`a 'b c' "d \\"e\\"" f\\ g ''`), ['a', 'b c', 'd "e"', 'f g', '']);
  assert.equal(splitCommand(`x --name='$HOME; rm'`), ['x', '--name=$HOME; rm']);
  const refused = (text: string) => {
    try {
      return String(splitCommand(text));
    } catch (error) {
      assert.instance(error, ConfigError);
      return (error as Error).message;
    }
  };
  assert.match(refused('a | b'), /words without "\|" in task\.command.*\[sh, -c/);
  assert.match(refused('a "$(b)"'), /words without "\$"/);
  assert.match(refused('a; b'), /words without ";"/);
  assert.match(refused('a > b'), /words without ">"/);
  assert.match(refused(`a 'b`), /closing '/);
  assert.match(refused('  '), /Expected a program/);
});

test('placeholders are checked when the task is opened', () => {
  const make = (command: string | string[], validation?: string) => () =>
    new CommandTask({
      config: commandTaskSchema.parse({ kind: 'command', command }),
      ...{ cwd: folder, out: folder, validation, seed: 0, assets, name: 'x' },
    });
  const message = (work: () => unknown) => {
    try {
      work();
      return '';
    } catch (error) {
      assert.instance(error, ConfigError);
      return (error as Error).message;
    }
  };
  assert.match(message(make('a {data}')), /Expected \{dataset\}, .* but received \{data\}/);
  assert.match(message(make('a {validation}')), /Expected target\.validation for \{validation\}/);
  assert.match(message(make(['sh', '-c', 'ls {dataset}'])), /Expected "\$METASIM_DATASET" in the program text for sh/);
  assert.is(message(make(['sh', '-c', 'ls "$1"', 'sh', '{dataset}'])), '');
  assert.is(message(make('a {validation}', '/v')), '');
});

test.run();
