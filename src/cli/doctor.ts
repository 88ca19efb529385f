import { availableParallelism, totalmem } from 'node:os';
import type { Command } from 'commander';
import { toolVersion } from '../dataset/toolVersion.js';
import { define, type Outcome } from './frame.js';

/** One thing that was looked at. `note`: works, but something better is missing. */
interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'fail';
  /** One line. */
  readonly detail: string;
}

const OLDEST_NODE = 20;
/** Convolutions that the layers 64 + 192, and 768, need. */
const STEM_CONVOLUTIONS = 5;
const ALL_CONVOLUTIONS = 70;

/** `metasim doctor`: what works on this machine, what is active and why. */
export function addDoctor(program: Command, outcome: Outcome): void {
  const command = program
    .command('doctor')
    .description('check this machine: kernels, threads, learning backend, weights');
  const examples = ['metasim doctor', 'metasim doctor --json'];
  define(outcome, command, examples, async () => {
    const { backend, found } = await checkBackend();
    const findings = [checkNode(), await checkKernels(), await checkThreads(), ...found, await checkInception()];
    const healthy = findings.every(({ state }) => state !== 'fail');
    const width = Math.max(...findings.map(({ name }) => name.length));
    const lines = findings.map(({ state, name, detail }) => `${state.padEnd(4)}  ${name.padEnd(width)}  ${detail}`);
    return {
      json: { healthy, version: toolVersion(), backend, findings },
      text: [`metasim ${toolVersion()}`, ...lines].join('\n'),
      exitCode: healthy ? 0 : 1,
    };
  });
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  const machine = `${process.platform} ${process.arch}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const detail = `Node ${process.versions.node}, ${machine}`;
  if (major >= OLDEST_NODE) return { name: 'Node', state: 'ok', detail };
  return { name: 'Node', state: 'fail', detail: `${detail}; ${OLDEST_NODE} or newer is needed` };
}

/** Draws a scene with both builds of the kernels: they must agree byte for byte. */
async function checkKernels(): Promise<Finding> {
  const name = 'render kernels';
  try {
    const [simd, scalar] = await Promise.all([drawDigits('simd', 0), drawDigits('scalar', 0)]);
    if (!Buffer.from(simd).equals(Buffer.from(scalar))) {
      return { name, state: 'fail', detail: 'the SIMD and the scalar build draw different pixels' };
    }
    return { name, state: 'ok', detail: 'WASM with SIMD; same pixels as the scalar build' };
  } catch (error) {
    return { name, state: 'fail', detail: reason(error) };
  }
}

/** Draws on a worker thread what the main thread draws. */
async function checkThreads(): Promise<Finding> {
  const name = 'render threads';
  try {
    const [alone, pooled] = [await drawDigits('simd', 0), await drawDigits('simd', 1)];
    if (!Buffer.from(alone).equals(Buffer.from(pooled))) {
      return { name, state: 'fail', detail: 'a worker thread draws different pixels' };
    }
    return { name, state: 'ok', detail: `${availableParallelism()} by default; same pixels as without` };
  } catch (error) {
    return { name, state: 'fail', detail: reason(error) };
  }
}

/** Which tfjs backend is active, and why none before it. */
async function checkBackend(): Promise<{ found: Finding[]; backend: object | null }> {
  const name = 'learning backend';
  try {
    const { disposeBackend, initBackend } = await import('../learn/backend.js');
    const info = await initBackend();
    await disposeBackend();
    const active: Finding = { name, state: info.backend === 'cpu' ? 'note' : 'ok', detail: info.description };
    const better = info.rejected.map(
      (other): Finding => ({ name: `not ${other.backend}`, state: 'note', detail: other.reason }),
    );
    return { found: [active, ...better], backend: info };
  } catch (error) {
    return { found: [{ name, state: 'fail', detail: reason(error) }], backend: null };
  }
}

async function checkInception(): Promise<Finding> {
  const name = 'Inception weights';
  const { findInceptionWeights, inceptionSearchFolders } = await import('../learn/inception/weightFiles.js');
  const all = findInceptionWeights(ALL_CONVOLUTIONS);
  if (all) return { name, state: 'ok', detail: `${all} (layers 64, 192, 768)` };
  const stem = findInceptionWeights(STEM_CONVOLUTIONS);
  if (stem) return { name, state: 'note', detail: `${stem} (layers 64 and 192 only)` };
  const places = inceptionSearchFolders().join(', ');
  return {
    name,
    state: 'note',
    detail: `none in ${places}: a seeded stand-in is used; "metasim fetch inception" gets them`,
  };
}

/** Pixels of a few built-in digits on noise. */
async function drawDigits(build: 'simd' | 'scalar', workers: number): Promise<Uint8Array> {
  const [{ Engine }, { createGrammar }, { openAssetSources }] = await Promise.all([
    import('../render/engine.js'),
    import('../grammar/grammar.js'),
    import('../assets/assetSources.js'),
  ]);
  const assets = await openAssetSources([{ kind: 'digits', variants: 2, seed: 0, from: 0 }]);
  const grammar = createGrammar(
    {
      name: 'doctor',
      canvas: { width: 64, height: 64 },
      attributes: {
        x: { range: [0, 64] },
        y: { range: [0, 64] },
        rotation: { range: [-180, 180] },
      },
      classes: { ground: { asset: 'backgrounds/grey-noise/*' }, digit: { asset: 'digits/**' } },
      nodes: [
        { class: 'ground', attributes: { x: 32, y: 32 } },
        {
          class: 'digit',
          count: 3,
          attributes: { x: { uniform: [0, 64] }, y: { uniform: [0, 64] }, rotation: { uniform: [-180, 180] } },
        },
      ],
    },
    { assets },
  );
  const engine = await Engine.create({ assets, workers, build });
  try {
    // Enough work that an engine with threads hands it to one.
    const { color } = await engine.render(grammar.sampleBatch({ seed: 0, start: 0, count: 200 }), { color: 'u8' });
    return color;
  } finally {
    await engine.close();
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
