/** Scenes per second, one thread each: our kernels against Skia, the same scenes, pixels read back. */
import { LocalRenderer } from '../src/render/localRenderer.js';
import type { SceneBatch } from '../src/scene/sceneGraph.js';
import { type BenchResult, type BenchRow, consume, contest, yieldToEventLoop } from './bench.js';
import { aerialScenes, benchLibrary, mnistScenes, SkiaRenderer } from './spriteScenes.js';

const SCENES = 64;
/** Skia frees its surfaces when the event loop turns; without that it slows down fivefold. */
const YIELD_EVERY = 64;
const MNIST_TARGET = 4;
const AERIAL_TARGET = 1.3;

export async function run(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const mnist = await compare('MNIST 64²', mnistScenes(SCENES), false, rows);
  const aerial = await compare('aerial 256²', aerialScenes(SCENES), true, rows);
  rows.push({ label: `aerial 256², ratio (target ${AERIAL_TARGET})`, value: aerial, unit: '×' });
  rows.push({ label: `MNIST 64², ratio (target ${MNIST_TARGET})`, value: mnist, unit: '×' });
  // One number for both bars: how far the worse of them is above its own.
  const ratio = Math.min(mnist / MNIST_TARGET, aerial / AERIAL_TARGET);
  return { name: 'sprites', rows, ratio, peer: 'Skia, in multiples of the bars', target: 1 };
}

async function compare(label: string, batch: SceneBatch, floats: boolean, rows: BenchRow[]): Promise<number> {
  const renderer = await LocalRenderer.create(benchLibrary);
  const { kernels, assetTable } = renderer;
  const loaded = renderer.load(batch);
  const { COLOR_F32, COLOR_U8 } = kernels.constants;
  const draw = (count: number, format: number, labels: boolean, covered = false) => {
    for (let i = 0; i < count; i++) {
      const scene = i % batch.scenes.length;
      const { pointer, remap, scratch, color } = loaded;
      const [instances, classes] = labels ? [loaded.instances, loaded.classes] : [0, 0];
      const coverage = covered ? loaded.coverage : 0;
      consume(
        kernels.renderScene(pointer, scene, remap, assetTable, scratch, color, format, instances, classes, coverage),
      );
    }
  };
  const skia = new SkiaRenderer(batch);
  const [bytes, labelled, covered, withFloats, peer] = await contest([
    { label: 'u8', work: (count) => draw(count, COLOR_U8, false) },
    { label: 'u8 and labels', work: (count) => draw(count, COLOR_U8, true) },
    { label: 'u8, labels and coverage', work: (count) => draw(count, COLOR_U8, true, true) },
    { label: 'f32 and labels', work: (count) => draw(count, COLOR_F32, true) },
    {
      label: 'Skia',
      work: async (count) => {
        for (let i = 0; i < count; i++) {
          consume(skia.draw(i % batch.scenes.length)[0]);
          if (i % YIELD_EVERY === 0) await yieldToEventLoop();
        }
      },
    },
  ]);
  const unit = 'scenes/s';
  rows.push({ label: `${label}, bytes`, value: bytes, unit });
  rows.push({ label: `${label}, bytes, instance and class maps`, value: labelled, unit });
  rows.push({ label: `${label}, bytes, maps and coverage`, value: covered, unit });
  rows.push({ label: `${label}, floats, instance and class maps`, value: withFloats, unit });
  rows.push({ label: `${label}, Skia, bytes`, value: peer, unit });
  return (floats ? Math.min(labelled, withFloats) : bytes) / peer;
}
