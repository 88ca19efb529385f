/**
 * 3D frames: our mesh kernels against Mesa's llvmpipe on the same scene, one thread each, the program of the peers folder
 * (`glpeer.c`, found through METASIM_PEERS or ../shared/peers) compiled and run between our rounds. Both take the CPU time
 * that their own process used for a frame, because other work may run beside; the least of all rounds counts, as what
 * else runs can only add. Without the folder a scene of boxes is drawn and the ratios are absent.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BenchResult, BenchRow } from './bench.js';
import { type JacobianResult, measureJacobian } from './drivingJacobian.js';
import { MeshStage, type Staged, type StagedInstance, type StagedMesh, type StagedView } from './meshStage.js';
import { PEER_AMBIENT, PEER_CAMERA, PEER_LIGHT, PEER_SKY, PEER_SUN, readPeerScene } from './peerScene.js';

const TARGET = 2.5;
const TARGET_MSAA = 4;
const TARGET_WORKERS = 1.7;
const TARGET_JACOBIAN = 0.8;
const ROUNDS = 5;
/** Frames between two looks at the clock: it counts in microseconds. */
const FRAMES = 4;
const ROUND_MS = 1200;
/** A pixel differs from the peer's when a channel does by more, of 255. */
const TOLERANCE = 8;

interface Stage {
  readonly meshes: readonly StagedMesh[];
  readonly instances: readonly StagedInstance[];
  readonly view: StagedView;
}

/** Milliseconds with 1 and with 4 samples. */
interface Frames {
  readonly ours: readonly number[];
  readonly theirs: readonly number[] | undefined;
}

export async function run(): Promise<BenchResult> {
  const folder = process.env.METASIM_PEERS ?? join(import.meta.dirname, '../../shared/peers');
  const peers = existsSync(join(folder, 'scene.bin')) ? folder : undefined;
  const stage = peers ? peerStage(join(peers, 'scene.bin')) : boxStage();
  const work = peers ? compilePeer(peers) : undefined;
  const rows: BenchRow[] = [];
  try {
    const frames = measure(stage, work);
    const how = 'CPU time of the process, least of all rounds';
    rows.push({ label: `frame.milliseconds (colour, depth, id; 1 sample; ${how})`, value: frames.ours[0], unit: 'ms' });
    rows.push({ label: 'frame.millisecondsMsaa (4 samples)', value: frames.ours[1], unit: 'ms' });
    if (work && frames.theirs) {
      rows.push({ label: 'llvmpipe, the same frame and results read back', value: frames.theirs[0], unit: 'ms' });
      rows.push({ label: 'llvmpipe, 4×MSAA', value: frames.theirs[1], unit: 'ms' });
      rows.push({ label: 'frame.ratioToLlvmpipe', value: frames.theirs[0] / frames.ours[0], unit: '×' });
      rows.push({
        label: `frame.ratioToLlvmpipeMsaa (target ${TARGET_MSAA})`,
        value: frames.theirs[1] / frames.ours[1],
        unit: '×',
      });
      rows.push({
        label: `pixels that differ by more than ${TOLERANCE}/255`,
        value: 100 * differing(stage, work),
        unit: '%',
      });
    }
    rows.push({
      label: `frame.workersRatio: frames a second of two threads against one (target ${TARGET_WORKERS})`,
      value: await workersRatio(stage),
      unit: '×',
    });
    const jacobian = await measureJacobian();
    rows.push(...jacobianRows(jacobian));
    const ratio = frames.theirs ? frames.theirs[0] / frames.ours[0] : Number.NaN;
    return {
      name: 'driving',
      rows,
      ratio,
      peer: frames.theirs ? 'llvmpipe, 1 sample' : 'llvmpipe, absent: no peers folder, or it could not be compiled',
      target: TARGET,
      fields: namedFields(frames, jacobian),
    };
  } finally {
    if (work) rmSync(work, { recursive: true, force: true });
  }
}

/** What --json adds: the numbers by name, and at the same names in `how` what was done to find them. */
function namedFields({ ours, theirs }: Frames, jacobian: JacobianResult): Readonly<Record<string, unknown>> {
  const frame = `1242×375 px, colour, depth and id, one thread: CPU time of the process for a frame, the least of ${ROUNDS} rounds of ${ROUND_MS} ms`;
  const ratio =
    'milliseconds of the peer, taken likewise by its own process in turns with ours, over ours; null without the peer';
  return {
    frame: {
      milliseconds: ours[0],
      millisecondsMsaa: ours[1],
      ratioToLlvmpipe: theirs ? theirs[0] / ours[0] : null,
      ratioToLlvmpipeMsaa: theirs ? theirs[1] / ours[1] : null,
    },
    jacobian: {
      seconds: jacobian.seconds,
      cpuSeconds: jacobian.cpuSeconds,
      naiveSeconds: jacobian.naiveSeconds,
    },
    how: {
      frame: {
        milliseconds: `1 sample, ${frame}`,
        millisecondsMsaa: `4 samples, ${frame}`,
        ratioToLlvmpipe: `1 sample: ${ratio}`,
        ratioToLlvmpipeMsaa: `4 samples: ${ratio}`,
      },
      jacobian: {
        seconds: jacobian.how,
        cpuSeconds: 'the same, processor time of all threads',
        naiveSeconds: jacobian.naiveHow,
      },
    },
  };
}

/** The gradient of a batch of driving scenes with respect to what its cars are. */
function jacobianRows({ seconds, cpuSeconds, naiveSeconds, how, naiveHow }: JacobianResult): BenchRow[] {
  return [
    { label: `jacobian.seconds (target at most ${TARGET_JACOBIAN}; ${how})`, value: seconds, unit: 's' },
    { label: 'jacobian.cpuSeconds (the same, processor time of all threads)', value: cpuSeconds, unit: 's' },
    { label: `jacobian.naiveSeconds (${naiveHow})`, value: naiveSeconds, unit: 's' },
  ];
}

/** CPU milliseconds of a frame with 1 and with 4 samples, ours and theirs, taken in turn. */
function measure(stage: Stage, work: string | undefined): Frames {
  const meshes = new MeshStage(stage.meshes);
  const staged = ([1, 4] as const).map((samples) => stageFrame(meshes, stage, samples));
  for (const frame of staged) ourMilliseconds(frame);
  const ours = [Infinity, Infinity];
  const theirs = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, msaa] of [0, 4].entries()) {
      ours[i] = Math.min(ours[i], ourMilliseconds(staged[i]));
      if (work) theirs[i] = Math.min(theirs[i], theirMilliseconds(work, msaa));
    }
  }
  return { ours, theirs: work ? theirs : undefined };
}

function stageFrame(meshes: MeshStage, { view, instances }: Stage, samples: 1 | 4): Staged {
  return meshes.stage({ ...view, samples }, instances, { color: 'u8', ids: true, depth: true });
}

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Least CPU time of a frame in one round. */
function ourMilliseconds(staged: Staged): number {
  let least = Infinity;
  for (const until = performance.now() + ROUND_MS; performance.now() < until; ) {
    const started = cpuMilliseconds();
    for (let i = 0; i < FRAMES; i++) staged.draw();
    least = Math.min(least, (cpuMilliseconds() - started) / FRAMES);
  }
  return least;
}

/** What glpeer prints as its least. Mode 2: colour, id and depth, read back. */
function theirMilliseconds(work: string, msaa: number): number {
  const env = { ...process.env, LP_NUM_THREADS: '1' };
  const text = execFileSync('./glpeer', ['2', `${msaa}`, `${ROUND_MS}`], { cwd: work, env, encoding: 'utf8' });
  const least = /ms min ([\d.]+)/.exec(text);
  if (!least) throw new Error(`Expected "ms min" from glpeer but received ${text}`);
  return Number(least[1]);
}

/** Compiles the peer in a folder of its own; undefined where there is no compiler, or no Mesa. */
function compilePeer(peers: string): string | undefined {
  const work = mkdtempSync(join(tmpdir(), 'metasim-peer-'));
  copyFileSync(join(peers, 'scene.bin'), join(work, 'scene.bin'));
  const source = readFileSync(join(peers, 'glpeer.c'), 'utf8');
  // For the pictures: light that is not clamped at the vertices, and normals that a stretch turns as ours.
  writeFileSync(join(work, 'glpeer.c'), source);
  writeFileSync(join(work, 'picture.c'), source.replace('min(vec3(1),c*tint*s)', 'c*tint*s'));
  try {
    for (const name of ['glpeer', 'picture']) {
      execFileSync('gcc', ['-O2', `${name}.c`, '-o', name, '-lEGL', '-lGL', '-lm'], { cwd: work, stdio: 'pipe' });
    }
    theirMilliseconds(work, 0);
    return work;
  } catch {
    rmSync(work, { recursive: true, force: true });
    return undefined;
  }
}

/** Share of pixels of the frame with one sample whose colour is not that of the peer's picture. */
function differing(stage: Stage, work: string): number {
  execFileSync('./picture', ['1', '0', '50'], { cwd: work, env: { ...process.env, LP_NUM_THREADS: '1' } });
  const { width, height } = stage.view;
  const theirs = readFileSync(join(work, 'gl.ppm')).subarray(-3 * width * height);
  // The peer turns normals as if nothing were stretched: what we turn rightly is undone beforehand.
  const meshes: StagedMesh[] = [];
  const instances = stage.instances.map((instance) => {
    const { data } = stage.meshes[instance.mesh];
    return { ...instance, mesh: meshes.push({ data: { ...data, normals: stretched(data.normals, instance) } }) - 1 };
  });
  const { color = [] } = new MeshStage(meshes).draw({ ...stage.view, samples: 1 }, instances, { color: 'u8' });
  let differ = 0;
  for (let i = 0; i < theirs.length; i += 3) {
    const worst = Math.max(...[0, 1, 2].map((c) => Math.abs(theirs[i + c] - color[i + c])));
    if (worst > TOLERANCE) differ++;
  }
  return differ / (width * height);
}

/** Normals times the lengths of the matrix' columns: its cofactors divide by them again. */
function stretched(normals: Float32Array, { matrix = [] }: StagedInstance): Float32Array {
  const lengths = [0, 1, 2].map((column) => Math.hypot(matrix[column], matrix[column + 4], matrix[column + 8]));
  return normals.map((value, i) => value * lengths[i % 3]);
}

function peerStage(path: string): Stage {
  const { meshes, instances } = readPeerScene(path);
  const grey = (value: number) => [value, value, value];
  const view = {
    ...PEER_CAMERA,
    light: PEER_LIGHT,
    sun: grey(PEER_SUN),
    ambient: grey(PEER_AMBIENT),
    horizon: PEER_SKY,
  };
  return { meshes: meshes.map((data) => ({ data })), instances, view };
}

/** 78 spheres of 660 triangles in rows along a road: about what the peers' scene has. */
function boxStage(): Stage {
  const view = {
    ...PEER_CAMERA,
    light: PEER_LIGHT,
    sun: [0.65, 0.65, 0.65],
    ambient: [0.45, 0.45, 0.45],
    horizon: PEER_SKY,
  };
  const instances = Array.from({ length: 78 }, (_, i) => {
    const [side, row] = [i % 3, Math.floor(i / 3)];
    return { mesh: 0, matrix: [1.5, 0, 0, 4 * (side - 1), 0, 1.5, 0, 0.3, 0, 0, 1.5, 5 + 3 * row] };
  });
  return { meshes: [{ data: sphere(33, 11) }], instances, view };
}

/** A ball of radius 1. */
function sphere(around: number, down: number): StagedMesh['data'] {
  const points = Array.from({ length: (around + 1) * (down + 1) }, (_, i) => {
    const [a, b] = [((i % (around + 1)) / around) * 2 * Math.PI, (Math.floor(i / (around + 1)) / down) * Math.PI];
    return [Math.sin(b) * Math.cos(a), -Math.cos(b), Math.sin(b) * Math.sin(a)];
  });
  const normals = Float32Array.from(points.flat());
  const indices: number[] = [];
  for (let j = 0; j < down; j++) {
    for (let i = 0; i < around; i++) {
      const a = j * (around + 1) + i;
      const below = a + around + 1;
      indices.push(a, a + 1, below, a + 1, below + 1, below);
    }
  }
  const colors = normals.map((value) => 0.5 + 0.4 * value);
  return { positions: normals.slice(), normals, colors, indices: Uint32Array.from(indices) };
}

/**
 * Frames a second of two threads over those of one: each thread draws the stage in memory of its own. Wall-clock time, as
 * it is about the machine; over what two threads that only compute reach (printed by `scaling`).
 */
async function workersRatio(stage: Stage): Promise<number> {
  const perSecond = async (threads: number) => {
    const counts = await Promise.all(Array.from({ length: threads }, () => framesOfThread(stage)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const ratios: number[] = [];
  for (let round = 0; round < 3; round++) {
    const one = await perSecond(1);
    ratios.push((await perSecond(2)) / one);
  }
  return Math.max(...ratios);
}

/** Frames that a thread of its own draws in a second, warm. */
function framesOfThread(stage: Stage): Promise<number> {
  const worker = new Worker(new URL('./drivingWorker.mjs', import.meta.url), {
    workerData: stage,
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
