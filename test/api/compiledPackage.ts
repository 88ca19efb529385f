import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Compiles the sources as they are now into a package beside which everything else is that of the project: for tests that
 * run many commands, each of which then starts in a third of the time.
 * @param folder does not exist yet
 * @returns path of a program `metasim`
 */
export function compilePackage(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ['build', 'examples', 'node_modules', 'package.json']) {
    symlinkSync(join(root, name), join(folder, name));
  }
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  for (const file of readdirSync(join(root, 'src'), { recursive: true }).map(String)) {
    if (/\.(js|mjs|css|html)$/.test(file)) {
      // What pages load is taken as it is.
      mkdirSync(dirname(join(folder, 'dist', file)), { recursive: true });
      copyFileSync(join(root, 'src', file), join(folder, 'dist', file));
    }
    if (!file.endsWith('.ts')) continue;
    const out = join(folder, 'dist', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(out), { recursive: true });
    const text = readFileSync(join(root, 'src', file), 'utf8');
    writeFileSync(out, ts.transpileModule(text, { compilerOptions }).outputText);
  }
  const program = join(folder, 'bin', 'metasim');
  mkdirSync(dirname(program));
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'dist', 'cli.js')}' "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}
