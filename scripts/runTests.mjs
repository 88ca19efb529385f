// Runs every test/**/*.test.ts in a process of its own with a time limit, and adds up what uvu reports.
// uvu alone exits 0 when a file forgets `test.run()` and hangs on a live handle; here both fail.
// Usage: node scripts/runTests.mjs [substring of a file name ...]
// METASIM_TEST_JOBS: files at a time (default: one a processor, four at most); METASIM_TEST_TIMEOUT: seconds a file.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const patterns = process.argv.slice(2);
const TIME_LIMIT_MS = Number(process.env.METASIM_TEST_TIMEOUT ?? 300) * 1000;
const JOBS = Number(process.env.METASIM_TEST_JOBS ?? Math.min(4, availableParallelism()));

const files = readdirSync(join(root, 'test'), { recursive: true })
  .map((name) => join('test', String(name)))
  .filter((name) => name.endsWith('.test.ts') && (patterns.length === 0 || patterns.some((p) => name.includes(p))))
  .sort();

let passed = 0;
let failed = 0;
let skipped = 0;
const queue = files.values();
await Promise.all(Array.from({ length: JOBS }, takeFiles));
if (files.length === 0) console.log(`no test file matches ${patterns.join(' ')}`);
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

async function takeFiles() {
  for (const file of queue) await report(file);
}

async function report(file) {
  const started = Date.now();
  const { code, output, timedOut } = await runFile(file);
  const total = Number(/Total:\s+(\d+)/.exec(output)?.[1] ?? 0);
  const ok = Number(/Passed:\s+(\d+)/.exec(output)?.[1] ?? 0);
  const skips = Number(/Skipped:\s+(\d+)/.exec(output)?.[1] ?? 0);
  // A file may leave out all it has, where it says why.
  const empty = total === 0 && !/^# skip /m.test(output);
  const broken = timedOut || (code !== 0 && ok === total) || empty;
  passed += ok;
  skipped += skips;
  failed += total - ok + (broken ? 1 : 0);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const reason = timedOut ? `stopped after ${TIME_LIMIT_MS / 1000} s` : empty ? 'ran no test' : `exit ${code}`;
  console.log(
    `${broken || ok < total ? 'FAIL' : 'ok  '} ${file} (${ok}/${total}${skips ? `, ${skips} skipped` : ''}, ${seconds} s)`,
  );
  // A line of a test that is running stands behind uvu's dots.
  for (const [, skip] of output.matchAll(/# (skip .*)/g)) console.log(`     ${skip}`);
  if (broken || ok < total) console.log(`${output}\n     ${file}: ${reason}`);
}

function runFile(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', relative(root, join(root, file))], {
      cwd: root,
      env: { ...process.env, FORCE_COLOR: '0', TF_CPP_MIN_LOG_LEVEL: '2' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, TIME_LIMIT_MS);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, timedOut });
    });
  });
}
