import * as flatbuffers from 'flatbuffers';
import type { AttributeSpec, NodeKind, SceneSchema } from './attributeSchema.js';
import type { Scene as SceneTable } from './generated/scene.js';
import { SceneBatch as SceneBatchTable } from './generated/scene-batch.js';
import type { Camera, SceneBatch, SceneGraph } from './sceneGraph.js';

/**
 * Reads a batch that has already been verified. Arrays are views of `bytes` where it is aligned, so keep it unchanged.
 * Nothing from outside may come here directly: `decodeScenes` (render/verify.ts) verifies first.
 * @internal
 */
export function readVerifiedScenes(bytes: Uint8Array): SceneBatch {
  // Typed-array views need 4-byte alignment within the underlying buffer.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const table = SceneBatchTable.getRootAsSceneBatch(new flatbuffers.ByteBuffer(aligned));
  const schema: SceneSchema = {
    dimension: table.dimension() as 2 | 3,
    channels: table.channels() as 1 | 3,
    attributes: collect(table.schemaLength(), (i) => readSpec(table, i)),
    classes: collect(table.classesLength(), (i) => table.classes(i) as string),
    ...(table.kindsLength() > 0 ? { kinds: collect(table.kindsLength(), (i) => table.kinds(i) as NodeKind) } : {}),
  };
  return {
    schema,
    assets: collect(table.assetsLength(), (i) => table.assets(i) as string),
    scenes: collect(table.scenesLength(), (i) => readScene(table.scenes(i)!)),
    provenance: {
      grammar: table.grammar() ?? '',
      grammarHash: table.grammarHash() ?? '',
      seed: Number(table.seed()),
    },
  };
}

function readSpec(table: SceneBatchTable, i: number): AttributeSpec {
  const spec = table.schema(i)!;
  return {
    name: spec.name() as string,
    role: spec.role(),
    unit: spec.unit() ?? '',
    minimum: spec.minimum(),
    maximum: spec.maximum(),
    periodic: spec.periodic(),
  };
}

function readScene(table: SceneTable): SceneGraph {
  const camera = table.camera();
  return {
    width: table.width(),
    height: table.height(),
    index: Number(table.index()),
    parent: table.parentArray() ?? new Int32Array(0),
    classId: table.classIdArray() ?? new Uint16Array(0),
    asset: table.assetArray() ?? new Int32Array(0),
    attributes: table.attributesArray() ?? new Float32Array(0),
    mutable: table.mutableArray() ?? new Uint8Array(0),
    ...(camera ? { camera: readCamera(camera) } : {}),
  };
}

function readCamera(camera: NonNullable<ReturnType<SceneTable['camera']>>): Camera {
  return {
    fx: camera.fx(),
    fy: camera.fy(),
    cx: camera.cx(),
    cy: camera.cy(),
    x: camera.x(),
    y: camera.y(),
    z: camera.z(),
    heading: camera.heading(),
    pitch: camera.pitch(),
    roll: camera.roll(),
    near: camera.near(),
    far: camera.far(),
  };
}

function collect<T>(length: number, read: (i: number) => T): T[] {
  return Array.from({ length }, (_, i) => read(i));
}
