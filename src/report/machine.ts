import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../dataset/files.js';
import { toolVersion } from '../dataset/toolVersion.js';
import { backendInfo } from '../learn/backend.js';
import { readJson } from './readJson.js';

const FILE = 'machine.json';

const machineSchema = z.object({
  /** Meta-epochs that were done when this part of the run began. */
  afterEpoch: z.number(),
  processor: z.string(),
  /** Processors this process may use. */
  processors: z.number(),
  memoryBytes: z.number(),
  system: z.string(),
  node: z.string(),
  metasim: z.string(),
  backend: z.string(),
});
const schema = z.object({ format: z.literal('metasim-machine'), parts: z.array(machineSchema) });

/** What a part of a run was computed on: nothing that names the machine, its owner or its folders. */
export type MachinePart = z.output<typeof machineSchema>;

/** This machine and what computes on it now. */
export function thisMachine(afterEpoch: number): MachinePart {
  return {
    afterEpoch,
    processor: cpus()[0]?.model.trim() || 'unknown',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    metasim: toolVersion(),
    backend: backendInfo()?.description ?? 'not started',
  };
}

/**
 * Writes `machine.json` into a run folder: a run that goes on elsewhere has several parts, of which those that its
 * checkpoint has never seen are dropped.
 * @param resumeAt meta-epochs already done; undefined for a run that starts anew
 */
export async function recordMachine(run: string, resumeAt?: number): Promise<void> {
  const earlier = resumeAt === undefined ? [] : await readMachine(run);
  const parts = [...earlier.filter(({ afterEpoch }) => afterEpoch < (resumeAt ?? 0)), thisMachine(resumeAt ?? 0)];
  await writeFileWhole(join(run, FILE), `${JSON.stringify({ format: 'metasim-machine', parts }, null, 2)}\n`);
}

/** Parts of a run in their order; none where nothing legible was recorded. */
export async function readMachine(run: string): Promise<MachinePart[]> {
  const parsed = schema.safeParse(await readJson(join(run, FILE)));
  return parsed.success ? parsed.data.parts : [];
}
