import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFolder } from '../dataFolder.js';
import { type BackendInfo, disposeBackend, initBackend } from './backend.js';
import { findInceptionWeights, inceptionSearchFolders } from './inception/weightFiles.js';

/** Something that is there and works, or why not. */
export interface Check {
  readonly ok: boolean;
  /** Empty when ok. */
  readonly reason: string;
}

/** What the learning side of metasim finds on a machine; plain data, for `metasim doctor` and bug reports. */
export interface DoctorReport {
  /** Of metasim. */
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  /** The backend that `initBackend()` chooses, and why none before it. */
  readonly backend: BackendInfo;
  readonly wasm: { readonly simd: boolean; readonly threads: boolean };
  /** `installed`: the optional dependency can be found; `device`: an NVIDIA driver answers. */
  readonly gpu: { readonly installed: boolean; readonly device: boolean };
  readonly canvas: Check;
  /** Folder of METASIM_DATA, or its default. */
  readonly data: { readonly folder: string; readonly found: boolean };
  /** Folders of Inception weights: of the stem (layers 64 and 192), up to layer 768, and all; undefined where none are found. */
  readonly inception: {
    readonly stem?: string;
    readonly training?: string;
    readonly all?: string;
    readonly searched: readonly string[];
  };
}

/** Convolutions of the stem, up to Mixed_6e, and up to Mixed_7c. */
const STEM_CONVOLUTIONS = 5;
const TRAINING_CONVOLUTIONS = 70;
const ALL_CONVOLUTIONS = 94;

/** The smallest modules that use v128 and a shared memory: valid where SIMD, and where threads, are supported. */
const SIMD_MODULE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];
const SHARED_MEMORY_MODULE = [0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 3, 1, 1];

/** Looks at the machine. Starts the best backend and leaves it active, without helper threads. */
export async function doctorReport(): Promise<DoctorReport> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  await disposeBackend();
  const backend = await initBackend();
  const folder = dataFolder();
  return {
    version: (JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string }).version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    backend,
    wasm: {
      simd: WebAssembly.validate(Uint8Array.from(SIMD_MODULE)),
      threads: WebAssembly.validate(Uint8Array.from(SHARED_MEMORY_MODULE)),
    },
    gpu: { installed: isInstalled('@tensorflow/tfjs-node-gpu'), device: existsSync('/proc/driver/nvidia/version') },
    canvas: await checkCanvas(),
    data: { folder, found: existsSync(folder) },
    inception: {
      stem: findInceptionWeights(STEM_CONVOLUTIONS) ?? undefined,
      training: findInceptionWeights(TRAINING_CONVOLUTIONS) ?? undefined,
      all: findInceptionWeights(ALL_CONVOLUTIONS) ?? undefined,
      searched: inceptionSearchFolders(),
    },
  };
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Draws one red pixel and reads it back. */
async function checkCanvas(): Promise<Check> {
  try {
    const { createCanvas } = await import('@napi-rs/canvas');
    const context = createCanvas(1, 1).getContext('2d');
    context.fillStyle = '#ff0000';
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    const ok = red === 255 && green === 0 && blue === 0;
    return { ok, reason: ok ? '' : `a red pixel is read back as ${red}, ${green}, ${blue}` };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message.split('\n')[0] : String(error) };
  }
}
