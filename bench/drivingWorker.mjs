// One thread of the driving bench: draws the stage it is given for a second, once it is warm, and says how many frames.
import { parentPort, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

// tsx's hooks do not reach into threads.
register();
const { MeshStage } = await import('./meshStage.ts');

const WARM_MS = 500;
const ROUND_MS = 1000;

const { meshes, instances, view } = workerData;
const staged = new MeshStage(meshes).stage({ ...view, samples: 4 }, instances, { color: 'u8', ids: true, depth: true });
for (const until = performance.now() + WARM_MS; performance.now() < until; ) staged.draw();
let frames = 0;
const started = performance.now();
while (performance.now() - started < ROUND_MS) {
  staged.draw();
  frames++;
}
parentPort.postMessage((frames * 1000) / (performance.now() - started));
