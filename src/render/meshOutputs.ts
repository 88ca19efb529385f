import type { Kernels } from './kernels.js';

/** What `Kernels.renderMeshScene` draws and where to: addresses, 0 to leave a result out. */
export interface MeshOutputs {
  /** A pixel, 1 or 4. */
  readonly samples: number;
  /** COLOR_NONE, COLOR_F32 or COLOR_U8. */
  readonly colorFormat: number;
  readonly color: number;
  readonly instances: number;
  readonly classes: number;
  readonly depth: number;
  readonly normals: number;
  readonly coverage: number;
  /** How many times the scene's triangles the scratch memory has room for, ≥ 1. */
  readonly room: number;
}

/** Writes an output record (assembly/engine/mesh/layout.ts) at an address, a multiple of 4. */
export function writeMeshOutputs(kernels: Kernels, address: number, outputs: MeshOutputs): void {
  const { memory, constants } = kernels;
  const record = new DataView(memory.buffer, address, constants.OUTPUT_BYTES);
  const write = (offset: number, value: number) => record.setUint32(offset, value, true);
  write(constants.OUTPUT_SAMPLES, outputs.samples);
  write(constants.OUTPUT_COLOR_FORMAT, outputs.colorFormat);
  write(constants.OUTPUT_COLOR, outputs.color);
  write(constants.OUTPUT_IDS, outputs.instances);
  write(constants.OUTPUT_CLASSES, outputs.classes);
  write(constants.OUTPUT_DEPTH, outputs.depth);
  write(constants.OUTPUT_NORMALS, outputs.normals);
  write(constants.OUTPUT_COVERAGE, outputs.coverage);
  write(constants.OUTPUT_ROOM, outputs.room);
}
