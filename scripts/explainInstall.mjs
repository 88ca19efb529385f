// After `npm ci` or `npm install` in this folder: one line that says what a missing GPU backend means. npm leaves an
// optional dependency out without a word when its installer fails. Silent where the backend is there; never fails.
// package.json calls it `prepublish`, which npm runs after an installation in the project itself and, despite the name,
// at no other time: not in `npm pack` or `npm publish`, and not where metasim is a dependency.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

try {
  const backend = fileURLToPath(new URL('../node_modules/@tensorflow/tfjs-node-gpu', import.meta.url));
  const reason = missing(backend);
  if (reason) {
    console.log(
      `metasim: no GPU backend (optional @tensorflow/tfjs-node-gpu: ${reason}); learning runs on the built-in WASM backend, everything works.`,
    );
  }
} catch {
  // An explanation is not worth a failed installation.
}

/** Why the GPU backend cannot be loaded; undefined when it looks complete. */
function missing(folder) {
  if (!existsSync(folder)) return 'its download of libtensorflow failed or was left out';
  const lib = join(folder, 'lib');
  const builds = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('napi-')) : [];
  const built = builds.some((name) => existsSync(join(lib, name, 'tfjs_binding.node')));
  return built ? undefined : 'its install script was not run';
}
