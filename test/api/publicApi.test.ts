import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { INDEX_URL, runModule, temporaryFolder } from './runModule.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const EXPERIMENTS = join(root, 'src/experiments');
const source = (path: string) => ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);

/** Every name that src/index.ts exports, types included. */
function publicNames(): Set<string> {
  const names = new Set<string>();
  for (const statement of source(join(root, 'src/index.ts')).statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    assert.ok(statement.exportClause && ts.isNamedExports(statement.exportClause), 'exports are listed by hand');
    for (const { name } of (statement.exportClause as ts.NamedExports).elements) names.add(name.text);
  }
  return names;
}

/** Names that a file imports from outside its own folder of src/. */
function importedNames(path: string): string[] {
  return source(path).statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement)) return [];
    const from = (statement.moduleSpecifier as ts.StringLiteral).text;
    // What the experiments share among themselves is theirs.
    if (!from.startsWith('../') || join(dirname(path), from).startsWith(EXPERIMENTS)) return [];
    const bindings = statement.importClause?.namedBindings;
    assert.ok(bindings && ts.isNamedImports(bindings), `${path}: named imports`);
    return (bindings as ts.NamedImports).elements.map(({ name, propertyName }) => (propertyName ?? name).text);
  });
}

test('the experiments use nothing that a user of the module has not', () => {
  const names = publicNames();
  const files = readdirSync(EXPERIMENTS, { recursive: true }).map(String);
  const imports = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => importedNames(join(EXPERIMENTS, file)));
  assert.ok(imports.length > 20, 'the imports were found');
  assert.equal([...new Set(imports)].filter((name) => !names.has(name)).sort(), []);
});

test('importing the module prints nothing, starts nothing and leaves the heavy libraries on disk', async () => {
  const folder = temporaryFolder();
  try {
    const hook = `
      import { writeSync } from 'node:fs';
      export async function resolve(specifier, context, next) {
        const found = await next(specifier, context);
        writeSync(2, found.url + '\\n');
        return found;
      }`;
    const text = `
      import { register } from 'node:module';
      register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hook))});
      const before = process.getActiveResourcesInfo().length;
      const listeners = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
      const api = await import(${JSON.stringify(INDEX_URL)});
      const core = await import(${JSON.stringify(new URL('../../src/learn/tf.ts', import.meta.url).href)});
      const after = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
      console.log(JSON.stringify({
        names: Object.keys(api).length,
        backends: ['tensorflow', 'wasm', 'cpu'].filter((name) => core.tf.findBackendFactory(name) != null),
        resources: process.getActiveResourcesInfo().filter((name) => /worker|timeout|message/i.test(name)),
        listeners: after - listeners,
      }));`;
    const { code, stdout, stderr } = await runModule(text, folder.path);
    assert.is(code, 0, stderr);
    const { names, ...state } = JSON.parse(stdout) as { names: number };
    assert.ok(names > 40, String(names));
    assert.equal(state, { backends: [], resources: [], listeners: 0 });
    const loaded = stderr.split('\n');
    assert.ok(
      loaded.some((url) => url.includes('/@tensorflow/tfjs-core/')),
      'the hook sees what is loaded',
    );
    const heavy = new RegExp(
      `node_modules/(${[
        ...['@napi-rs/canvas', 'h5wasm', 'vega', 'vega-lite', '@tensorflow/tfjs-(backend|node)', 'commander'],
        ...['@aws-sdk', '@smithy', 'bullmq', 'ioredis', 'pino', 'hyparquet', 'tar-stream', 'cli-progress'],
        ...['@gltf-transform', 'meshoptimizer', 'draco3dgltf'],
      ].join('|')})`,
    );
    assert.equal(
      loaded.filter((url) => heavy.test(url)),
      [],
    );
  } finally {
    folder.remove();
  }
});

test.run();
