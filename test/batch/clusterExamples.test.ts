import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Job } from 'kubernetes-types/batch/v1.js';
import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { shardFromEnvironment } from '../../src/batch/clusterEnvironment.js';
import { runCli } from '../cli/runCli.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = join(root, 'examples/cluster/kubernetes.yaml');
const sbatch = join(root, 'examples/cluster/slurm.sbatch');

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
}

function documents() {
  return parseAllDocuments(readFileSync(manifest, 'utf8'), { strict: true, uniqueKeys: true }).map((document) => {
    assert.equal(document.errors, []);
    assert.equal(document.warnings, []);
    return document;
  });
}

function resources(): Resource[] {
  return documents().map((document) => document.toJS());
}

function generateJob(): Job {
  return resources()[1] as unknown as Job;
}

/** Where the types of an API version lie, which are generated from the schema of Kubernetes' API. */
const TYPES: Record<string, string> = { v1: 'core/v1', 'batch/v1': 'batch/v1' };

/**
 * Checks resources against Kubernetes' schema: each is compiled as a literal of its type, which refuses unknown fields,
 * missing ones and wrong types at any depth.
 * @returns the compiler's complaints about each of them
 */
function complaints(all: readonly Resource[]): string[] {
  const file = join(root, 'test/batch/kubernetesManifest.virtual.ts');
  const source = all.map(({ apiVersion, kind, ...rest }, i) => {
    const types = `import('kubernetes-types/${TYPES[apiVersion]}')`;
    // One line each: the line of a complaint says whose it is.
    return `export const manifest${i}: ${types}.${kind} = ${JSON.stringify({ apiVersion, kind, ...rest })};`;
  });
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    types: [],
    lib: ['lib.es2022.d.ts'],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, target, ...more) =>
    name === file ? ts.createSourceFile(name, source.join('\n'), target) : getSourceFile(name, target, ...more);
  const found = all.map(() => '');
  for (const { file: where, start, messageText } of ts.getPreEmitDiagnostics(ts.createProgram([file], options, host))) {
    const line = where?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
    found[line] += `${ts.flattenDiagnosticMessageText(messageText, '\n')}\n`;
  }
  return found;
}

test('the Kubernetes manifest follows the schema of the API', () => {
  const all = resources();
  assert.equal(
    all.map(({ kind }) => kind),
    ['PersistentVolumeClaim', 'Job', 'Job'],
  );
  assert.equal(complaints(all), ['', '', '']);
});

test('the check against the schema sees a wrong field at any depth', () => {
  const container = ['spec', 'template', 'spec', 'containers', 0];
  const rule = ['spec', 'podFailurePolicy', 'rules', 0];
  const breakages: [path: unknown[], value: unknown, expected: RegExp][] = [
    [['apiVersion'], 'v1', /has no exported member 'Job'/],
    [['kind'], 'job', /no exported member named 'job'|has no exported member 'job'/],
    [['spec', 'completion'], 50, /'"completion"' does not exist/],
    [['spec', 'parallelism'], '10', /'string' is not assignable to type 'number'/],
    [['spec', 'template'], undefined, /'template' is missing/],
    [[...rule, 'onExitCodes', 'values'], ['2'], /'string' is not assignable to type 'number'/],
    [[...rule, 'action'], undefined, /'action' is missing/],
    [[...container, 'resource'], {}, /'"resource"' does not exist/],
    [[...container, 'name'], undefined, /'name' is missing/],
    [[...container, 'env', 0, 'value'], 50, /'number' is not assignable to type 'string'/],
    [['spec', 'template', 'spec', 'volumes', 0, 'persistentVolumeClaim', 'name'], 'x', /'"name"' does not exist/],
  ];
  const broken = breakages.map(([path, value]): Resource => {
    const job = documents()[1];
    if (value === undefined) job.deleteIn(path);
    else job.setIn(path, value);
    return job.toJS();
  });
  const found = complaints(broken);
  for (const [i, [path, , expected]] of breakages.entries())
    assert.match(found[i], expected, `${path.join('.')}: ${found[i]}`);
});

test('the manifest keeps the rules that types cannot say', () => {
  const { spec } = generateJob();
  // Indexed mode carries JOB_COMPLETION_INDEX and is what backoffLimitPerIndex demands.
  assert.is(spec?.completionMode, 'Indexed');
  assert.ok(spec!.maxFailedIndexes! <= spec!.completions! && spec!.parallelism! <= spec!.completions!);
  const pod = spec!.template.spec!;
  assert.is(pod.restartPolicy, 'Never');
  for (const { action, onExitCodes } of spec!.podFailurePolicy!.rules) {
    assert.ok(['FailJob', 'FailIndex', 'Ignore', 'Count'].includes(action));
    if (onExitCodes) assert.ok(['In', 'NotIn'].includes(onExitCodes.operator) && !onExitCodes.values.includes(0));
  }
  // Every mount has its volume, every claim is the first resource, and the merge works on what was generated.
  const [claim, , merge] = resources() as unknown as [{ metadata: { name: string } }, Job, Job];
  for (const job of [generateJob(), merge]) {
    const { containers, volumes } = job.spec!.template.spec!;
    const names = volumes!.map(({ name }) => name);
    for (const { name } of containers[0].volumeMounts!) assert.ok(names.includes(name), name);
    for (const { persistentVolumeClaim } of volumes!) {
      if (persistentVolumeClaim) assert.is(persistentVolumeClaim.claimName, claim.metadata.name);
    }
  }
  const out = pod.containers[0].args!.find((each) => each.startsWith('--out='))!.slice('--out='.length);
  assert.equal(merge.spec!.template.spec!.containers[0].args, ['merge', out]);
});

test('every pod of the Kubernetes job gets a part of its own', () => {
  const { completions, template } = generateJob().spec!;
  const environment = Object.fromEntries(template.spec!.containers[0].env!.map(({ name, value }) => [name, value]));
  const parts = Array.from({ length: completions! }, (_, i) =>
    shardFromEnvironment({ ...environment, JOB_COMPLETION_INDEX: String(i) }),
  );
  assert.equal(
    parts,
    parts.map((_, shardIndex) => ({ shardIndex, shardCount: 50 })),
  );
});

/** Runs the batch script with programs of the test in place of `srun` and `metasim`. */
function runBatch(index: number, exitCode = 0): { status: number | null; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-slurm-'));
  try {
    const programs = {
      srun: 'exec "$@"',
      metasim: `printf '%s\\n' "$METASIM_SHARD_COUNT" "$SLURM_ARRAY_TASK_ID" "$@"; exit ${exitCode}`,
    };
    for (const [name, body] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const { status, stdout } = spawnSync('bash', [sbatch], {
      encoding: 'utf8',
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        SLURM_ARRAY_TASK_ID: String(index),
        SLURM_CPUS_PER_TASK: '8',
        OUT: 'a folder',
      },
    });
    return { status, lines: stdout.trimEnd().split('\n') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('what both examples generate can be generated', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-examples-'));
  try {
    const { containers } = generateJob().spec!.template.spec!;
    // `--flag=value` as two words.
    const inPod = containers[0].args!.flatMap((word) => word.split(/(?<=^--[a-z-]+)=/));
    const inBatch = runBatch(0).lines.slice(2);
    for (const [i, words] of [inPod, inBatch].entries()) {
      const args = words.map((word) => word.replace('/usr/local/lib/node_modules/metasim/', ''));
      const set = (flag: string, value: string) => void (args[args.indexOf(flag) + 1] = value);
      set('--count', '4');
      set('--shard-size', '2');
      set('--threads', '1');
      set('--out', join(folder, String(i)));
      const { code, stderr } = await runCli(args);
      assert.is(code, 0, stderr);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the SLURM script is valid, and runs a part for each task of its array', () => {
  execFileSync('bash', ['-n', sbatch]);
  const [, first, last] = /^#SBATCH --array=(\d+)-(\d+)$/m.exec(readFileSync(sbatch, 'utf8'))!.map(Number);
  for (const index of [first, last]) {
    const { status, lines } = runBatch(index);
    assert.is(status, 0);
    const [count, id, command, , ...flags] = lines;
    assert.is(command, 'generate');
    assert.equal(shardFromEnvironment({ METASIM_SHARD_COUNT: count, SLURM_ARRAY_TASK_ID: id }), {
      shardIndex: index,
      shardCount: last - first + 1,
    });
    assert.is(flags[flags.indexOf('--out') + 1], 'a folder');
    assert.is(flags[flags.indexOf('--threads') + 1], '8');
  }
});

test('the SLURM script takes exit code 3 for done and hands on every other', () => {
  assert.is(runBatch(0, 3).status, 0);
  for (const code of [1, 2, 130]) assert.not.equal(runBatch(0, code).status, 0);
});

test.run();
