import { readFileSync } from 'node:fs';
import { KernelError } from '../errors.js';

/** One straight piece of a round pen's path, px; pixel (i, j) is centred at (i + ½, j + ½), y downwards. */
export interface StrokeSegment {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly radius: number;
}

/** What `assembly/engine/strokes.ts` exports. */
interface StrokeKernel {
  readonly STROKE_SEGMENT_BYTES: WebAssembly.Global;
  strokeScratchStart(): number;
  rasteriseStrokes(segments: number, count: number, width: number, height: number, out: number): void;
}

interface Rasteriser {
  readonly kernel: StrokeKernel;
  readonly memory: WebAssembly.Memory;
}

const PAGE_BYTES = 65536;
/** The module's declared initial memory (asconfig.json) is smaller; the memory is private and small. */
const INITIAL_PAGES = 32;
const MAXIMUM_PAGES = 1024;

let shared: Rasteriser | undefined;

/** The module in a memory of its own, made at first use: drawing assets must not need a render engine. */
function rasteriser(): Rasteriser {
  if (shared) return shared;
  const url = new URL('../../build/engine.wasm', import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new KernelError(`Expected the kernels at build/engine.wasm: run "npm run build:wasm" (${String(cause)})`, {
      cause,
    });
  }
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  shared = { kernel: instance.exports as unknown as StrokeKernel, memory };
  return shared;
}

/**
 * Draws segments with a round pen, anti-aliased, overlaps by maximum (kernel `rasteriseStrokes`).
 * @returns [height × width] ink, 0 = paper, 255 = full ink; a fresh array
 * @throws KernelError when the kernels are not built or the picture does not fit the kernel's memory
 */
export function rasteriseStrokes(segments: readonly StrokeSegment[], width: number, height: number): Uint8Array {
  const { kernel, memory } = rasteriser();
  const segmentBytes = kernel.STROKE_SEGMENT_BYTES.value as number;
  const start = kernel.strokeScratchStart();
  const out = start + segments.length * segmentBytes;
  const end = out + width * height;
  const missing = Math.ceil(end / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (end > MAXIMUM_PAGES * PAGE_BYTES) {
    throw new KernelError(
      `Expected strokes within ${MAXIMUM_PAGES * PAGE_BYTES} bytes but received ${width} × ${height} px and ${segments.length} segments`,
    );
  }
  if (missing > 0) memory.grow(missing);
  const records = new Float32Array(memory.buffer, start, segments.length * (segmentBytes / 4));
  for (const [i, { x0, y0, x1, y1, radius }] of segments.entries()) {
    records.set([x0, y0, x1, y1, radius], i * (segmentBytes / 4));
  }
  kernel.rasteriseStrokes(start, segments.length, width, height, out);
  return new Uint8Array(memory.buffer).slice(out, end);
}
