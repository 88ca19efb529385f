// Compiles the AssemblyScript kernels into build/*.wasm. Skips a module whose output is newer than all of its sources,
// so `npm test` and `npm run demo` after a build cost nothing. `--force` compiles everything.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const force = process.argv.includes('--force');

/** Each module: the folder of its sources, its asconfig and the targets to build. */
const MODULES = [
  {
    sources: 'assembly/engine',
    config: 'asconfig.json',
    targets: { release: 'build/engine.wasm', scalar: 'build/engine.scalar.wasm' },
  },
  {
    sources: 'assembly/learn',
    config: 'assembly/learn/asconfig.json',
    targets: { release: 'build/learn.wasm', shared: 'build/learn.shared.wasm' },
  },
];

mkdirSync(join(root, 'build'), { recursive: true });
for (const { sources, config, targets } of MODULES) {
  if (!existsSync(join(root, config)) || !existsSync(join(root, sources, 'index.ts'))) continue;
  const newest = Math.max(newestTime(join(root, sources)), statSync(join(root, config)).mtimeMs);
  for (const [target, output] of Object.entries(targets)) {
    const path = join(root, output);
    if (!force && existsSync(path) && statSync(path).mtimeMs >= newest) continue;
    const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
    execFileSync(process.execPath, [asc, '--config', config, '--target', target], { cwd: root, stdio: 'inherit' });
    console.log(`built ${output} (${statSync(path).size} bytes)`);
  }
}

function newestTime(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestTime(path) : statSync(path).mtimeMs);
  }
  return newest;
}
