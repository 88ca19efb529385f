import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse as parseYaml, stringify } from 'yaml';
import type { TrainConfigInput } from '../../src/config.js';
import { parseLine } from '../cli/parseLine.js';
import { compilePackage } from './compiledPackage.js';
import { codeBlocks, temporaryFolder } from './runModule.js';

const document = readFileSync(fileURLToPath(new URL('../../docs/TUTORIAL.md', import.meta.url)), 'utf8');
const folder = temporaryFolder();
test.after(() => folder.remove());

let programs = '';
test.before(() => {
  programs = dirname(compilePackage(join(folder.path, 'package')));
});

/** Less of everything: what training learns is tested in test/cli/starter.test.ts. */
const SMALL: Partial<TrainConfigInput> = {
  features: { weights: 'random', layers: [64] },
  mmd: { realImages: 20 },
  warmStart: { candidates: 4, scenes: 4, refine: 1, steps: 2 },
  pretrain: { steps: 20 },
  meta: { epochs: 2, iterations: 2, batchSize: 8 },
  workers: 0,
};
const smaller = (block: string) => block.replace('--images 200', '--images 24').replace('--count 200', '--count 24');

function runShell(block: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-euc', block], {
      cwd: folder.path,
      env: { ...process.env, METASIM_DEBUG: '', PATH: `${programs}:${dirname(process.execPath)}:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

test('the commands run one after the other from an empty folder, and leave what the text says', async () => {
  const blocks = codeBlocks(document, 'sh run');
  assert.is(blocks.length, 6);
  const printed: string[] = [];
  for (const [i, block] of blocks.entries()) {
    const { code, stdout, stderr } = await runShell(smaller(block));
    assert.is(code, 0, `${block}\n${stdout}\n${stderr}`);
    printed.push(stdout);
    if (i > 0) continue;
    const config = join(folder.path, 'my-domain/config.yaml');
    writeFileSync(config, stringify({ ...parseYaml(readFileSync(config, 'utf8')), ...SMALL }));
  }
  const at = (path: string) => join(folder.path, 'my-domain', path);
  for (const path of ['look/before/index.html', 'runs/first/report.html', 'runs/first/logs', 'look/data/index.html']) {
    assert.ok(existsSync(at(path)), path);
  }
  const [init, , train, evaluate, generate, task] = printed;
  assert.match(init, /cd my-domain\n +metasim train config\.yaml/);
  assert.match(train, /score on V 0\.\d+\nlearned, on average \(the grammar → now\):\n {2}hammer x: .* px\n/);
  assert.match(evaluate, /^grammar +[\d.]+\nMeta-Sim +[\d.]+\n/);
  assert.match(generate, /nothing is missing/);
  const { score, details } = JSON.parse(task.trim().split('\n').at(-1) as string);
  assert.ok(score >= 0 && score <= 1);
  assert.equal(Object.keys(details), ['accuracy/hammer', 'accuracy/screwdriver', 'accuracy/wrench']);
  assert.equal(
    JSON.parse(readFileSync(at('data/manifest.json'), 'utf8')).licences.map(
      ({ licence }: { licence: string }) => licence,
    ),
    ['CC0-1.0 (drawn by metasim init)'],
  );
});

test('the folder is described as it is; every command exists with its flags', async () => {
  const [tree] = [...document.matchAll(/^my-domain\/\n([\s\S]*?)```/gm)].map(([, text]) => text);
  const names = tree
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/)[0].replace('⟨class⟩', 'wrench'));
  assert.ok(names.length >= 6);
  for (const name of names) assert.ok(existsSync(join(folder.path, 'my-domain', name)), name);
  for (const line of codeBlocks(document, 'sh run').flatMap((block) => block.split('\n'))) {
    if (line.startsWith('metasim ')) assert.is(await parseLine(line), undefined, line);
  }
  // The command that the text shows is that of the configuration.
  const [shown] = codeBlocks(document, 'yaml').map((block) => parseYaml(block) as Partial<TrainConfigInput>);
  const written = parseYaml(readFileSync(join(folder.path, 'my-domain/config.yaml'), 'utf8')) as TrainConfigInput;
  assert.equal({ ...written.task, ...shown.task }, written.task);
});

test.run();
