import { availableParallelism, totalmem } from 'node:os';
import type { Command } from 'commander';
import { toolVersion } from '../dataset/toolVersion.js';
import type { DoctorReport } from '../learn/doctor.js';
import { define, type Outcome } from './frame.js';

/** One thing that was looked at. `note`: works, but something better is missing. */
interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'fail';
  /** One line. */
  readonly detail: string;
}

const OLDEST_NODE = 20;

/** `metasim doctor`: what works on this machine, what is active and why. */
export function addDoctor(program: Command, outcome: Outcome): void {
  const command = program
    .command('doctor')
    .description('check this machine: kernels, threads, learning backend, weights');
  const examples = ['metasim doctor', 'metasim doctor --json'];
  define(outcome, command, examples, async () => {
    const { report, found } = await checkLearning();
    const findings = [checkNode(), await checkKernels(), await checkThreads(), ...found];
    const healthy = findings.every(({ state }) => state !== 'fail');
    const width = Math.max(...findings.map(({ name }) => name.length));
    const lines = findings.map(({ state, name, detail }) => `${state.padEnd(4)}  ${name.padEnd(width)}  ${detail}`);
    return {
      json: { healthy, version: toolVersion(), backend: report?.backend ?? null, findings },
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

/** What learning needs: the active tfjs backend and why none before it, image files, weights, data. */
async function checkLearning(): Promise<{ found: Finding[]; report: DoctorReport | undefined }> {
  try {
    const [{ doctorReport }, { disposeBackend }] = await Promise.all([
      import('../learn/doctor.js'),
      import('../learn/backend.js'),
    ]);
    const report = await doctorReport();
    await disposeBackend();
    const found = [...backendFindings(report), canvasFinding(report), inceptionFinding(report), dataFinding(report)];
    return { found, report };
  } catch (error) {
    return { found: [{ name: 'learning backend', state: 'fail', detail: reason(error) }], report: undefined };
  }
}

function backendFindings({ backend, gpu }: DoctorReport): Finding[] {
  const active: Finding = {
    name: 'learning backend',
    state: backend.backend === 'cpu' ? 'note' : 'ok',
    detail: backend.description,
  };
  const better = backend.rejected.map(
    (other): Finding => ({ name: `not ${other.backend}`, state: 'note', detail: other.reason }),
  );
  if (!gpu.device || gpu.installed) return [active, ...better];
  const detail = 'an NVIDIA driver answers, but @tensorflow/tfjs-node-gpu is not installed';
  return [active, ...better, { name: 'GPU', state: 'note', detail }];
}

function canvasFinding({ canvas }: DoctorReport): Finding {
  const name = 'image files';
  if (canvas.ok) return { name, state: 'ok', detail: 'PNG, JPEG and WebP are decoded' };
  return { name, state: 'fail', detail: `@napi-rs/canvas does not work: ${canvas.reason}` };
}

function inceptionFinding({ inception: { all, training, stem, searched } }: DoctorReport): Finding {
  const name = 'Inception weights';
  if (all) return { name, state: 'ok', detail: `${all} (layers 64, 192, 768, 2048)` };
  if (training) return { name, state: 'ok', detail: `${training} (layers 64, 192, 768)` };
  if (stem) return { name, state: 'note', detail: `${stem} (layers 64 and 192 only)` };
  const places = searched.join(', ');
  return {
    name,
    state: 'note',
    detail: `none in ${places}: a seeded stand-in is used; "metasim fetch inception" gets them`,
  };
}

function dataFinding({ data: { folder, found } }: DoctorReport): Finding {
  if (found) return { name: 'data', state: 'ok', detail: folder };
  return { name: 'data', state: 'note', detail: `no folder ${folder}: set METASIM_DATA, or give --data` };
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
