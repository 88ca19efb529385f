import * as flatbuffers from 'flatbuffers';
import { SceneGraphError } from '../errors.js';
import { AttributeSpec as AttributeSpecTable } from './generated/attribute-spec.js';
import { Camera as CameraStruct } from './generated/camera.js';
import { SceneBatch as SceneBatchTable } from './generated/scene-batch.js';
import { Scene as SceneTable } from './generated/scene.js';
import type { SceneBatch, SceneGraph } from './sceneGraph.js';

/** Version of the format this code writes and reads. */
export const SCENE_FORMAT_VERSION = 1;

/**
 * Encodes a batch as a flatbuffer (schemas/sceneGraph.fbs). Only the assets that some scene uses are written, in order
 * of first use, and `asset` indices are rewritten to match.
 * @returns the bytes of a `.msg` file
 * @throws SceneGraphError when a scene does not fit the batch's schema or asset table
 */
export function encodeScenes(batch: SceneBatch): Uint8Array {
  const builder = new flatbuffers.Builder(1024 + batch.scenes.length * 256);
  const used = new Map<number, number>();
  const scenes = batch.scenes.map((scene, i) => writeScene(builder, batch, scene, i, used));
  const assets = [...used.keys()].map((index) => builder.createString(batch.assets[index]));
  const classes = batch.schema.classes.map((name) => builder.createString(name));
  const specs = batch.schema.attributes.map((spec) => {
    const name = builder.createString(spec.name);
    const unit = builder.createString(spec.unit);
    AttributeSpecTable.startAttributeSpec(builder);
    AttributeSpecTable.addName(builder, name);
    AttributeSpecTable.addRole(builder, spec.role);
    AttributeSpecTable.addUnit(builder, unit);
    AttributeSpecTable.addMinimum(builder, spec.minimum);
    AttributeSpecTable.addMaximum(builder, spec.maximum);
    AttributeSpecTable.addPeriodic(builder, spec.periodic);
    return AttributeSpecTable.endAttributeSpec(builder);
  });
  const schema = SceneBatchTable.createSchemaVector(builder, specs);
  const classVector = SceneBatchTable.createClassesVector(builder, classes);
  const assetVector = SceneBatchTable.createAssetsVector(builder, assets);
  const sceneVector = SceneBatchTable.createScenesVector(builder, scenes);
  const grammar = builder.createString(batch.provenance.grammar);
  const hash = builder.createString(batch.provenance.grammarHash);
  SceneBatchTable.startSceneBatch(builder);
  SceneBatchTable.addVersion(builder, SCENE_FORMAT_VERSION);
  SceneBatchTable.addDimension(builder, batch.schema.dimension);
  SceneBatchTable.addChannels(builder, batch.schema.channels);
  SceneBatchTable.addSchema(builder, schema);
  SceneBatchTable.addClasses(builder, classVector);
  SceneBatchTable.addAssets(builder, assetVector);
  SceneBatchTable.addScenes(builder, sceneVector);
  SceneBatchTable.addGrammar(builder, grammar);
  SceneBatchTable.addGrammarHash(builder, hash);
  SceneBatchTable.addSeed(builder, BigInt(batch.provenance.seed));
  SceneBatchTable.finishSceneBatchBuffer(builder, SceneBatchTable.endSceneBatch(builder));
  return builder.asUint8Array();
}

/** Writes one scene and returns its offset; notes in `used` which assets it needs, table index → written index. */
function writeScene(
  builder: flatbuffers.Builder,
  batch: SceneBatch,
  scene: SceneGraph,
  position: number,
  used: Map<number, number>,
): flatbuffers.Offset {
  checkLengths(batch, scene, position);
  const asset = scene.asset.map((index) => {
    if (index < 0) return -1;
    const written = used.get(index) ?? used.size;
    used.set(index, written);
    return written;
  });
  const parentVector = SceneTable.createParentVector(builder, scene.parent);
  const classVector = SceneTable.createClassIdVector(builder, scene.classId);
  const assetVector = SceneTable.createAssetVector(builder, asset);
  const attributeVector = SceneTable.createAttributesVector(builder, scene.attributes);
  const mutableVector = SceneTable.createMutableVector(builder, scene.mutable);
  SceneTable.startScene(builder);
  SceneTable.addWidth(builder, scene.width);
  SceneTable.addHeight(builder, scene.height);
  SceneTable.addIndex(builder, BigInt(scene.index));
  SceneTable.addParent(builder, parentVector);
  SceneTable.addClassId(builder, classVector);
  SceneTable.addAsset(builder, assetVector);
  SceneTable.addAttributes(builder, attributeVector);
  SceneTable.addMutable(builder, mutableVector);
  if (scene.camera) {
    const c = scene.camera;
    const { fx, fy, cx, cy, x, y, z, heading, pitch, roll, near, far } = c;
    SceneTable.addCamera(
      builder,
      CameraStruct.createCamera(builder, fx, fy, cx, cy, x, y, z, heading, pitch, roll, near, far),
    );
  }
  return SceneTable.endScene(builder);
}

function checkLengths(batch: SceneBatch, scene: SceneGraph, position: number): void {
  const nodes = scene.parent.length;
  const columns = batch.schema.attributes.length;
  const where = `scenes[${position}]`;
  const expect = (name: string, length: number, expected: number) => {
    if (length !== expected) {
      throw new SceneGraphError(`Expected ${expected} entries for ${where}.${name} but received ${length}`);
    }
  };
  expect('classId', scene.classId.length, nodes);
  expect('asset', scene.asset.length, nodes);
  expect('attributes', scene.attributes.length, nodes * columns);
  expect('mutable', scene.mutable.length, nodes * columns);
  for (let v = 0; v < nodes; v++) {
    if (scene.asset[v] >= batch.assets.length) {
      throw new SceneGraphError(
        `Expected an index below ${batch.assets.length} for ${where}.asset[${v}] but received ${scene.asset[v]}`,
      );
    }
  }
}
