import { SceneGraphError } from '../errors.js';
import { readVerifiedScenes } from '../scene/decode.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { compileKernels, instantiateKernels, type Kernels } from './kernels.js';

/** Larger files than that do not fit the 4 GiB that WASM addresses, with room for the module's own data. */
const MAX_BATCH_BYTES = 2 ** 32 - (1 << 24);
/** Above this many bytes a batch is verified in a memory of its own, which is given back afterwards. */
const KEPT_MEMORY_BYTES = 64 << 20;
const PAGE_BYTES = 65536;

interface Verifier {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
}

let kept: Verifier | undefined;

/**
 * Reads an encoded batch that comes from outside: a file, a socket, another program.
 * @param bytes contents of a `.msg` file (schemas/sceneGraph.fbs). The scenes' arrays are views of it where its
 *   alignment allows, so leave it unchanged
 * @throws SceneGraphError naming the field when anything about it is malformed
 */
export function decodeScenes(bytes: Uint8Array): SceneBatch {
  verifyScenes(bytes);
  return readVerifiedScenes(bytes);
}

/**
 * Checks an encoded batch: bounds, alignment, lengths, parent order, ranges, finite numbers, counts, canvas sizes, and what
 * only scenes of one dimension may have (assembly/engine/verify.ts). Nothing else may touch a buffer from outside before.
 * @throws SceneGraphError naming the field, e.g. `scenes[3].parent[7]`
 */
export function verifyScenes(bytes: Uint8Array): void {
  if (bytes.length > MAX_BATCH_BYTES) {
    throw new SceneGraphError(`Expected at most ${MAX_BATCH_BYTES} bytes for the buffer but received ${bytes.length}`);
  }
  const { memory, kernels } = verifierFor(bytes.length);
  const pointer = kernels.heapBase;
  new Uint8Array(memory.buffer).set(bytes, pointer);
  verifyAt(kernels, pointer, bytes.length);
}

/**
 * Checks an encoded batch that lies in a kernel instance's own memory.
 * @param pointer its address, a multiple of 8
 * @throws SceneGraphError naming the field
 */
export function verifyAt(kernels: Kernels, pointer: number, length: number): void {
  const code = kernels.verifyBatch(pointer, length);
  if (code !== 0) throw new SceneGraphError(explain(kernels, code));
}

/** An instance whose memory holds `length` bytes above the module's constants. */
function verifierFor(length: number): Verifier {
  const large = length > KEPT_MEMORY_BYTES;
  const verifier = (large ? undefined : kept) ?? createVerifier();
  const missing = verifier.kernels.heapBase + length - verifier.memory.buffer.byteLength;
  if (missing > 0) verifier.memory.grow(Math.ceil(missing / PAGE_BYTES));
  if (!large) kept = verifier;
  return verifier;
}

function createVerifier(): Verifier {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  return { memory, kernels: instantiateKernels(compileKernels('scalar'), memory) };
}

/** Path of every field, and what is expected there; `#` is the scene, `@` the entry, `$` the expected number. */
const FIELDS: Record<string, readonly [path: string, expected: string]> = {
  FIELD_BUFFER: ['the buffer', 'at least $ bytes'],
  FIELD_IDENTIFIER: ['the file identifier', '"MSG1" at byte 4'],
  FIELD_ROOT: ['the root table', 'a table'],
  FIELD_VERSION: ['version', 'format version $'],
  FIELD_DIMENSION: ['dimension', '2 or 3'],
  FIELD_CHANNELS: ['channels', '1 or 3'],
  FIELD_SCHEMA: ['schema[@]', 'an attribute column'],
  FIELD_SPEC_NAME: ['schema[@].name', 'a name'],
  FIELD_SPEC_ROLE: ['schema[@].role', 'an attribute role that scenes of dimension $ know'],
  FIELD_SPEC_UNIT: ['schema[@].unit', 'a unit'],
  FIELD_SPEC_MINIMUM: ['schema[@].minimum', 'a number'],
  FIELD_SPEC_MAXIMUM: ['schema[@].maximum', 'a number above the minimum $, with a finite difference'],
  FIELD_SPEC_PERIODIC: ['schema[@].periodic', '0 or 1'],
  FIELD_CLASSES: ['classes[@]', 'a name'],
  FIELD_ASSETS: ['assets[@]', 'a name'],
  FIELD_SCENES: ['scenes[#]', 'a scene'],
  FIELD_GRAMMAR: ['grammar', 'a name'],
  FIELD_GRAMMAR_HASH: ['grammar_hash', 'a hash'],
  FIELD_SEED: ['seed', 'an integer below 2^53'],
  FIELD_WIDTH: ['scenes[#].width', 'a width of 1 to $ px'],
  FIELD_HEIGHT: ['scenes[#].height', 'a height of 1 to $ px'],
  FIELD_AREA: ['scenes[#].width × height', 'at most $ px'],
  FIELD_INDEX: ['scenes[#].index', 'an integer below 2^53'],
  FIELD_PARENT: ['scenes[#].parent[@]', 'an index from −1 to $'],
  FIELD_CLASS_ID: ['scenes[#].class_id[@]', 'a class below $'],
  FIELD_ASSET: ['scenes[#].asset[@]', 'an asset from −1 to $'],
  FIELD_ATTRIBUTES: ['scenes[#].attributes[@]', 'a number'],
  FIELD_MUTABLE: ['scenes[#].mutable[@]', '0 or 1'],
  FIELD_CAMERA: ['scenes[#].camera[@]', 'focal lengths above 0 and 0 < near < far'],
  FIELD_KINDS: ['kinds[@]', 'a kind of node up to $'],
  FIELD_CAMERA_NODE: ['scenes[#].class_id[@]', 'no second camera node'],
  FIELD_LIGHT_NODE: ['scenes[#].class_id[@]', 'no second light node'],
  FIELD_STRIP_PARENT: ['scenes[#].parent[@]', 'a curve or a strip as parent of a strip'],
};

/** What is expected and what was found, for every kind of problem; `!` is the value. */
const PROBLEMS: Record<string, readonly [expected: string | null, received: string]> = {
  PROBLEM_BOUNDS: ['data inside the buffer', '! (an offset, size or length that leaves it)'],
  PROBLEM_ALIGNMENT: ['an aligned offset', '!'],
  PROBLEM_MISSING: ['a value', 'nothing'],
  PROBLEM_LENGTH: ['$ entries', '!'],
  PROBLEM_COUNT: ['at most $ entries', '!'],
  PROBLEM_VALUE: [null, '!'],
  PROBLEM_FINITE: ['a finite number', '!'],
  PROBLEM_TEXT: ['UTF-8 text closed by a zero byte', 'other bytes'],
  PROBLEM_SHARED: ['data of its own', '! bytes more than the buffer has left'],
  PROBLEM_DUPLICATE: ['a value of its own', '! again'],
};

/** The sentence for a code of `verifyBatch`; the numbers are the kernel's exported constants. */
function explain(kernels: Kernels, code: number): string {
  const constants = kernels.constants;
  const nameOf = (prefix: string, value: number, table: object) =>
    Object.keys(table).find((name) => name.startsWith(prefix) && constants[name] === value) ?? prefix;
  const [path, fieldExpected] = FIELDS[nameOf('FIELD_', code & 0xff, FIELDS)];
  const [problemExpected, received] = PROBLEMS[nameOf('PROBLEM_', code >>> 8, PROBLEMS)];
  const { scene, element, value, expected } = kernels.verifyDetails();
  const fill = (text: string) => text.replace('$', String(expected)).replace('!', String(value));
  const where = path.replace('#', String(scene)).replace('[@]', element < 0 ? '' : `[${element}]`);
  return `Expected ${fill(problemExpected ?? fieldExpected)} for ${where} but received ${fill(received)}`;
}
