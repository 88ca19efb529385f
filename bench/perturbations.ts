/**
 * Perturbations per second, one thread: the fused vector–Jacobian product against the naive way, which renders the
 * whole scene at value + δ and value − δ, subtracts, multiplies with dL/dimage and sums. One perturbation is one
 * attribute of one object, both signs, contraction included.
 */
import { LocalRenderer } from '../src/render/localRenderer.js';
import type { SceneBatch } from '../src/scene/sceneGraph.js';
import { type BenchResult, type BenchRow, consume, contest } from './bench.js';
import { aerialScenes, benchLibrary, mnistScenes } from './spriteScenes.js';

const SCENES = 16;
const TARGET = 4;

export async function run(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const mnist = await compare('MNIST 64²', mnistScenes(SCENES), rows);
  const aerial = await compare('aerial 256²', aerialScenes(SCENES), rows);
  rows.push({ label: 'MNIST 64², ratio', value: mnist, unit: '×' });
  rows.push({ label: 'aerial 256², ratio', value: aerial, unit: '×' });
  const ratio = Math.min(mnist, aerial);
  return { name: 'perturbations', rows, ratio, peer: 'naive re-rendering (the worse of both)', target: TARGET };
}

async function compare(label: string, batch: SceneBatch, rows: BenchRow[]): Promise<number> {
  const renderer = await LocalRenderer.create(benchLibrary);
  const { kernels, assetTable } = renderer;
  const loaded = renderer.load(batch);
  const { width, height, mutable } = batch.scenes[0];
  const values = width * height * batch.schema.channels;
  const buffer = kernels.memory.buffer;
  const gradient = new Float32Array(buffer, loaded.gradient, values);
  for (let i = 0; i < values; i++) gradient[i] = Math.sin(i * 0.37) * 1e-3;
  const delta = new Float32Array(buffer, loaded.delta, batch.schema.attributes.length);
  const perScene = mutable.reduce((sum, bit) => sum + bit, 0);
  const { pointer, remap, scratch, color, out } = loaded;

  const fused = (count: number) => {
    delta.fill(0);
    for (let done = 0, i = 0; done < count; done += perScene, i++) {
      const scene = i % batch.scenes.length;
      consume(
        kernels.perturbationVjp(pointer, scene, remap, assetTable, scratch, loaded.gradient, loaded.delta, 0.5, out),
      );
    }
  };
  // The naive way writes one attribute in place and puts it back, renders floats, and contracts them here.
  const image = new Float32Array(buffer, color, values);
  const upper = new Float32Array(values);
  const { COLOR_F32 } = kernels.constants;
  const attributeViews = attributesInPlace(buffer, loaded.pointer, batch);
  const naive = (count: number, contracted: boolean) => {
    for (let done = 0, i = 0; done < count; i++) {
      const scene = i % batch.scenes.length;
      const attributes = attributeViews[scene];
      for (let k = 0; k < mutable.length && done < count; k++) {
        if (mutable[k] === 0) continue;
        const value = attributes[k];
        attributes[k] = value + 0.5;
        kernels.renderScene(pointer, scene, remap, assetTable, scratch, color, COLOR_F32, 0, 0, 0);
        if (contracted) upper.set(image);
        attributes[k] = value - 0.5;
        kernels.renderScene(pointer, scene, remap, assetTable, scratch, color, COLOR_F32, 0, 0, 0);
        attributes[k] = value;
        let sum = 0;
        if (contracted) for (let p = 0; p < values; p++) sum += gradient[p] * (upper[p] - image[p]);
        consume(sum);
        done++;
      }
    }
  };
  const [ours, full, bare] = await contest([
    { label: 'fused', work: fused },
    { label: 'naive', work: (count) => naive(count, true) },
    { label: 'naive without contraction', work: (count) => naive(count, false) },
  ]);
  const unit = 'perturbations/s';
  rows.push({ label: `${label}, fused`, value: ours, unit });
  rows.push({ label: `${label}, naive`, value: full, unit });
  rows.push({ label: `${label}, naive, its two renderings alone`, value: bare, unit });
  return ours / full;
}

/** Views of every scene's attributes where the kernels read them; found by their contents. */
function attributesInPlace(buffer: ArrayBufferLike, pointer: number, batch: SceneBatch): Float32Array[] {
  const floats = new Float32Array(buffer);
  const views: Float32Array[] = [];
  for (const { attributes } of batch.scenes) {
    let at = pointer / 4;
    while (!attributes.every((value, k) => floats[at + k] === value)) at++;
    views.push(floats.subarray(at, at + attributes.length));
  }
  return views;
}
