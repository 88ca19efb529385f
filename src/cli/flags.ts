import { InvalidArgumentError, Option } from 'commander';
import { type AssetSource, assetSourceSchema } from '../config.js';
import { MAX_DATASET_COUNT, MAX_SCENE_NUMBER } from '../dataset/plan.js';

/** Largest seed: they are integers a double holds exactly. */
const MAX_SEED = Number.MAX_SAFE_INTEGER;
const MAX_THREADS = 256;

/** What scenes are sampled from, for help texts. */
export const SOURCE_TEXT =
  'grammar (YAML or TypeScript; or driving, aerial, mnist, meshes: ours) or folder of a training run';

/** A parser for a flag that is a whole number in a range, written in plain digits. */
export function integerIn(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`Expected an integer from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** `--count`, at least 1. */
export function countFlag(what: string, maximum = MAX_DATASET_COUNT): Option {
  return new Option('--count <n>', what).argParser(integerIn(1, maximum)).default(100);
}

/** `--seed`; 0 is a seed like any other. */
export function seedFlag(): Option {
  return new Option('--seed <n>', 'seed of the random stream').argParser(integerIn(0, MAX_SEED)).default(0);
}

/** `--start`, the index of the first scene in the seed's stream. */
export function startFlag(): Option {
  return new Option('--start <n>', 'index of the first scene in the stream of the seed')
    .argParser(integerIn(0, MAX_SCENE_NUMBER - MAX_DATASET_COUNT))
    .default(0);
}

/** `--threads`. */
export function threadsFlag(): Option {
  return new Option('--threads <n>', 'threads (default: as many as processors)').argParser(integerIn(1, MAX_THREADS));
}

/** `--dashboard`, with or without a port. */
export function dashboardFlag(): Option {
  return new Option(
    '--dashboard [port]',
    'a live page of the run, on this machine only (default: a free port; the address is printed)',
  ).argParser(integerIn(1, 65535));
}

/** `--out`, required. */
export function outFlag(what: string): Option {
  return new Option('--out <path>', what).makeOptionMandatory();
}

/** `--depth`. */
export function depthFlag(): Option {
  return new Option('--depth', 'write the depth of 3D scenes too: 16-bit PNGs, metres × 256, 0 where there is none');
}

/** `--normals`. */
export function normalsFlag(): Option {
  return new Option(
    '--normals',
    "write the normals of 3D scenes too: RGB PNGs, (n · ½ + ½) · 255 in the camera's frame",
  );
}

/** `--assets`, repeated. */
export function assetsFlag(): Option {
  return new Option(
    '--assets <source>',
    'textures and meshes: digits | aerial | driving | mnist:DIR | images:DIR | meshes:DIR, each with ,key=value behind it; repeat for more (built-in ones that the grammar names are there without; digits where nothing is named)',
  ).argParser((text: string, before: AssetSource[] | undefined) => [...(before ?? []), parseAssetSource(text)]);
}

/** `--set`, repeated. */
export function setFlag(): Option {
  return new Option('--set <name=value>', 'value of a variable of the grammar; repeat for more').argParser(
    (text: string, before: Record<string, string> | undefined) => ({ ...before, ...parseVariable(text) }),
  );
}

/** Keys that may stand behind a source, whose values are numbers. */
const NUMBER_KEYS = new Set([
  ...['from', 'to', 'variants', 'seed', 'size'],
  ...['cars', 'trees', 'houses', 'grass', 'roads'],
  ...['towers', 'pedestrians', 'cyclists', 'poles'],
  ...['scale', 'length', 'width', 'height', 'maxTriangles'],
]);
/** Keys whose values are true or false. */
const BOOLEAN_KEYS = new Set(['ground']);

/**
 * Reads `kind[:folder][,key=value …]`, e.g. `images:textures,glob=cars/*.png,prefix=cars`; keys are those of `assets` in
 * a training configuration.
 * @throws InvalidArgumentError saying what is expected
 */
export function parseAssetSource(text: string): AssetSource {
  // A comma only separates where a key follows: globs hold commas too.
  const [head, ...pairs] = text.split(/,(?=[a-zA-Z]+=)/);
  const colon = head.indexOf(':');
  const kind = colon < 0 ? head : head.slice(0, colon);
  const source: Record<string, unknown> = { kind };
  if (colon >= 0) source.folder = head.slice(colon + 1);
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    if (NUMBER_KEYS.has(key) && value.trim() !== '') source[key] = Number(value);
    else if (BOOLEAN_KEYS.has(key) && /^(true|false)$/.test(value)) source[key] = value === 'true';
    else source[key] = value;
  }
  const parsed = assetSourceSchema.safeParse(source);
  if (parsed.success && source.folder !== '') return parsed.data;
  const problem = parsed.success ? 'folder: expected a path' : describe(parsed.error.issues[0], kind);
  throw new InvalidArgumentError(`Expected digits, aerial, driving, mnist:DIR, images:DIR or meshes:DIR (${problem}).`);
}

function describe(issue: { path: PropertyKey[]; message: string }, kind: string): string {
  if (issue.path[0] === 'kind') return `"${kind}" is none of them`;
  return `${issue.path.map(String).join('.') || kind}: ${issue.message}`;
}

/** Reads `name=value`; the grammar reads the text as the type of the variable it declares. */
export function parseVariable(text: string): Record<string, string> {
  const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text);
  if (!match) throw new InvalidArgumentError('Expected name=value.');
  return { [match[1]]: match[2] };
}
