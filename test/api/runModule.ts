import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The module's entry file, as a URL to import from anywhere. */
export const INDEX_URL = new URL('../../src/index.ts', import.meta.url).href;

export interface ModuleRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An empty folder; `remove` takes it away. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'metasim-api-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs TypeScript text as a module in a folder; `metasim` in it means the sources. */
export function runModule(text: string, folder: string, flags: readonly string[] = []): Promise<ModuleRun> {
  const file = join(folder, 'module.mts');
  writeFileSync(file, text.replaceAll("from 'metasim'", `from '${INDEX_URL}'`));
  const tsx = import.meta.resolve('tsx');
  return new Promise((resolve) => {
    const args = ['--import', tsx, ...flags, pathToFileURL(file).pathname];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The contents of the fenced code blocks of a Markdown text whose fence says `language`. */
export function codeBlocks(markdown: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm');
  return [...markdown.matchAll(pattern)].map(([, code]) => code);
}
