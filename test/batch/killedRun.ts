/**
 * Generates a dataset in a process of its own that kills itself (SIGKILL) around one of its file operations:
 * `killedRun.ts GRAMMAR OUT FORMAT POINT`. The point counts half operations from 0: before the first, after it, before the
 * second … Beyond the last nothing happens, and the names of all operations are printed as JSON.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { CRASH_STREAM, inProcess } from './datasets.js';

const [grammar, out, format, point] = process.argv.slice(2);
const steps: string[] = [];
const target = Number(point);
let counting = false;

/** SIGKILL takes the process down before the call returns to anything that could tidy up. */
function step(name: string): void {
  if (counting && steps.push(name) - 1 === target) process.kill(process.pid, 'SIGKILL');
}

const promises = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
for (const name of ['link', 'mkdir', 'open', 'rename', 'rm', 'unlink']) {
  const original = promises[name];
  promises[name] = async (...args) => {
    step(`before ${name}`);
    const result = await original.apply(fs.promises, args);
    step(`after ${name}`);
    return result;
  };
}
const sync = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
for (const name of ['fsyncSync', 'mkdirSync', 'rmSync', 'writeSync']) {
  const original = sync[name];
  sync[name] = (...args) => {
    step(`before ${name}`);
    const result = original(...args);
    step(`after ${name}`);
    return result;
  };
}
syncBuiltinESMExports();

const { generateDataset } = await import('../../src/batch/generateDataset.js');
const source = await inProcess(grammar);
counting = true;
await generateDataset({
  ...{ source, out, threads: 1 },
  settings: { ...CRASH_STREAM, format: format as 'webdataset' },
});
counting = false;
fs.writeFileSync(1, JSON.stringify(steps));
