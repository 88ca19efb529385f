import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname, resolve as resolvePath } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { GrammarError } from '../errors.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../scene/sceneSource.js';
import { compileProductions, sceneSchema } from './compile.js';
import { compileConstraints } from './constraints.js';
import { schemaError } from './issues.js';
import { type GrammarOverrides, prepare } from './prepare.js';
import { resolve } from './resolve.js';
import type { ResolvedGrammar } from './resolved.js';
import { type SamplerPlan, sampleScene } from './sampler.js';
import { type GrammarDefinition, grammarSchema } from './schema.js';
import { type Locate, type RawObject, readDefinition, readText } from './source.js';
import { roleReader } from './spacing.js';
import { writtenForm } from './written.js';

export interface GrammarOptions {
  /** Where patterns look for assets; scenes' asset numbers are indices into it. */
  readonly assets: AssetLibrary;
  readonly overrides?: GrammarOverrides;
}

const MAX_FILE_BYTES = 1 << 22;

/**
 * A probabilistic scene grammar (Meta-Sim §3.1): structure from productions, attributes from distributions. Scenes are a pure
 * function of the grammar, the asset library, seed and index.
 */
export class Grammar implements SceneSource {
  readonly name: string;
  /** SHA-256 of `definition` as canonical JSON, hexadecimal; assets count by pattern, predicates by name. */
  readonly hash: string;
  readonly schema: SceneSchema;
  /** Names in the asset library; `SceneGraph.asset` indexes them. */
  readonly assets: readonly string[];
  readonly canvas: ResolvedGrammar['canvas'];
  /** The grammar with all defaults and variables filled in. */
  readonly definition: ResolvedGrammar;
  readonly #plan: SamplerPlan;

  /** @internal Use `loadGrammar`, `parseGrammar` or `createGrammar`. */
  constructor(definition: ResolvedGrammar, library: AssetLibrary, locate: Locate) {
    this.name = definition.name;
    this.definition = definition;
    this.hash = createHash('sha256').update(canonicalJson(definition)).digest('hex');
    this.schema = sceneSchema(definition);
    this.assets = library.names;
    this.canvas = definition.canvas;
    this.#plan = {
      schema: this.schema,
      reader: roleReader(this.schema),
      productions: compileProductions(definition, library, locate),
      constraints: compileConstraints(definition, this.schema),
      canvas: definition.canvas,
      ...(definition.camera ? { camera: definition.camera } : {}),
      library,
      sampling: definition.sampling,
      where: `${locate(['constraints'])}: constraints`,
      nodesWhere: `${locate(['nodes'])}: nodes`,
    };
  }

  /**
   * The scene with this address.
   * @throws GrammarError when seed or index is no integer in [0, 2^53), or constraints reject too many attempts
   */
  sample({ seed, index }: { readonly seed: number; readonly index: number }): SceneGraph {
    expectInteger('seed', seed, 0);
    expectInteger('index', index, 0);
    return sampleScene(this.#plan, seed, index);
  }

  /**
   * The grammar in its language, everything spelled out: `loadGrammar` makes an equal grammar of it. It survives JSON
   * unless a constraint is a predicate.
   */
  toDefinition(): GrammarDefinition {
    return writtenForm(this.definition);
  }

  /** Scenes start … start + count − 1 of a seed. @throws GrammarError as `sample` */
  sampleBatch({ seed, start, count }: SampleRequest): SceneBatch {
    expectInteger('seed', seed, 0);
    expectInteger('start', start, 0);
    expectInteger('count', count, 1);
    expectInteger('start + count', start + count, 1);
    return {
      schema: this.schema,
      assets: this.assets,
      scenes: Array.from({ length: count }, (_, i) => sampleScene(this.#plan, seed, start + i)),
      provenance: { grammar: this.name, grammarHash: this.hash, seed },
    };
  }
}

/**
 * Reads a grammar.
 * @param source path of a YAML or JSON file; path of a module (.js, .mjs, .ts, .mts) whose default export is a
 * definition (it is executed); or a definition
 * @throws GrammarError that names file, line and path of everything that is wrong
 */
export async function loadGrammar(source: string | GrammarDefinition, options: GrammarOptions): Promise<Grammar> {
  if (typeof source !== 'string') return createGrammar(source, options);
  if (/^\.[cm]?[jt]s$/.test(extname(source))) {
    const definition = await importDefinition(source);
    const { value, locate } = readDefinition(definition, source);
    return build(value, locate, nameOf(source), options);
  }
  return parseGrammar(await readGrammarFile(source), { ...options, file: source });
}

/**
 * A grammar from YAML or JSON text.
 * @param options.file name for errors, default `grammar`
 * @throws GrammarError as `loadGrammar`
 */
export function parseGrammar(text: string, options: GrammarOptions & { readonly file?: string }): Grammar {
  const file = options.file ?? 'grammar';
  const { value, locate } = readText(text, file);
  return build(value, locate, nameOf(file), options);
}

/** A grammar from a definition written in TypeScript. @throws GrammarError as `loadGrammar`, without lines */
export function createGrammar(definition: GrammarDefinition, options: GrammarOptions): Grammar {
  const name = typeof definition?.name === 'string' ? definition.name : 'grammar';
  const { value, locate } = readDefinition(definition, name);
  return build(value, locate, 'grammar', options);
}

function build(written: RawObject, locate: Locate, name: string, options: GrammarOptions): Grammar {
  try {
    const prepared = prepare(written, locate, options.overrides ?? {});
    const parsed = grammarSchema.safeParse(prepared);
    if (!parsed.success) throw schemaError(parsed.error, prepared, locate);
    return new Grammar(resolve(parsed.data, name, locate), options.assets, locate);
  } catch (cause) {
    // Chains of variables can be as long as the file.
    if (cause instanceof RangeError) {
      throw new GrammarError(`${locate([])}: Expected less nesting but received too much to follow`, { cause });
    }
    throw cause;
  }
}

function nameOf(file: string): string {
  return basename(file, extname(file)) || 'grammar';
}

async function readGrammarFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new GrammarError(`${path}: Expected at most ${MAX_FILE_BYTES} bytes for a grammar but received ${size}`);
    }
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof GrammarError) throw cause;
    throw new GrammarError(`${path}: Expected a readable grammar file (${String(cause)})`, { cause });
  }
}

async function importDefinition(path: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolvePath(path)).href)) as { default?: unknown };
    return module.default;
  } catch (cause) {
    throw new GrammarError(`${path}: Expected a module with a grammar as its default export (${String(cause)})`, {
      cause,
    });
  }
}

function expectInteger(name: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new GrammarError(`Expected an integer from ${minimum} to 2^53 − 1 for ${name} but received ${value}`);
  }
}

/** JSON with sorted keys and without functions: equal values give equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return entry;
    return Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
