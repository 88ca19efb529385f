import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the command line from its sources, as a user would from the project's root.
 * @param watch is called with the process and everything that standard error holds so far, whenever there is more
 */
export function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  watch?: (child: ChildProcess, stderr: string) => void,
): Promise<CliRun> {
  return runNode(['src/cli.ts', ...args], env, watch);
}

/** Runs node with tsx. */
export function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  watch?: (child: ChildProcess, stderr: string) => void,
): Promise<CliRun> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
      cwd: root,
      env: { ...process.env, METASIM_DEBUG: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      watch?.(child, stderr);
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
