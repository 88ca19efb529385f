import { spawnSync } from 'node:child_process';

const found = new Map<string, string | undefined>();

/**
 * A Python that can import a module: `METASIM_PYTHON`, `python3` or `/usr/bin/python3`, the first that can. Tests that
 * need one skip by name where there is none.
 */
export function findPython(module: string): string | undefined {
  if (!found.has(module)) {
    const candidates = [process.env.METASIM_PYTHON, 'python3', '/usr/bin/python3'];
    found.set(
      module,
      candidates.find(
        (python) => python && spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0,
      ),
    );
  }
  return found.get(module);
}
