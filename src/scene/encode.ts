import * as flatbuffers from 'flatbuffers';
import { SceneGraphError } from '../errors.js';
import { AttributeSpec as AttributeSpecTable } from './generated/attribute-spec.js';
import { Camera as CameraStruct } from './generated/camera.js';
import { Scene as SceneTable } from './generated/scene.js';
import { SceneBatch as SceneBatchTable } from './generated/scene-batch.js';
import type { SceneBatch, SceneGraph } from './sceneGraph.js';

/** Version of the format this code writes and reads. */
export const SCENE_FORMAT_VERSION = 1;

/** An encoded batch and the assets it names. */
export interface EncodedScenes {
  /** Contents of a `.msg` file. */
  readonly bytes: Uint8Array;
  /** Names of the assets in the order the file has them: `asset` indices of the file count in this list. */
  readonly assets: readonly string[];
}

/**
 * Encodes a batch as a flatbuffer (schemas/sceneGraph.fbs). Only the assets that some scene uses are written, in order
 * of first use, and `asset` indices are rewritten to match.
 * @returns the bytes of a `.msg` file
 * @throws SceneGraphError when a scene does not fit the batch's schema or asset table
 */
export function encodeScenes(batch: SceneBatch): Uint8Array {
  return encodeWithAssets(batch).bytes;
}

/**
 * `encodeScenes`, with the list of assets that the file names.
 * @internal
 */
export function encodeWithAssets(batch: SceneBatch): EncodedScenes {
  expectInteger('provenance.seed', batch.provenance.seed, Number.MAX_SAFE_INTEGER);
  const builder = new flatbuffers.Builder(initialBytes(batch));
  const used = new Map<number, number>();
  const counts: VectorCounts = [];
  const scenes = batch.scenes.map((scene, i) => writeScene(builder, batch, scene, i, used, counts));
  const usedAssets = [...used.keys()].map((index) => batch.assets[index]);
  const assets = usedAssets.map((name) => builder.createString(name));
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
  const { kinds, classes: classNames } = batch.schema;
  if (kinds && kinds.length !== classNames.length) {
    throw new SceneGraphError(
      `Expected ${classNames.length} entries for schema.kinds, one a class, but received ${kinds.length}`,
    );
  }
  const kindVector = kinds && SceneBatchTable.createKindsVector(builder, [...kinds]);
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
  if (kindVector !== undefined) SceneBatchTable.addKinds(builder, kindVector);
  SceneBatchTable.finishSceneBatchBuffer(builder, SceneBatchTable.endSceneBatch(builder));
  const bytes = builder.asUint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // An offset of the builder counts from the end of the buffer.
  for (let i = 0; i < counts.length; i += 2) view.setUint32(bytes.byteLength - counts[i], counts[i + 1], true);
  return { bytes, assets: usedAssets };
}

/** A guess that spares the builder most of its growing. */
function initialBytes(batch: SceneBatch): number {
  const columns = batch.schema.attributes.length;
  const nodes = batch.scenes.reduce((sum, scene) => sum + scene.parent.length, 0);
  return 4096 + batch.scenes.length * 160 + nodes * (12 + 5 * columns);
}

/** Pairs of a vector's offset and its number of entries, to be written over the number of bytes at the end. */
type VectorCounts = number[];

/** V8 keeps arrays up to this size in its heap, and moves them out when their `buffer` is asked for. */
const SMALL_BYTES = 64;

/**
 * Writes an array, a small one entry by entry and a large one at once; both give the same bytes.
 */
function writeArray(
  builder: flatbuffers.Builder,
  array: Int32Array | Uint16Array | Float32Array | Uint8Array,
  counts: VectorCounts,
): flatbuffers.Offset {
  return array.byteLength <= SMALL_BYTES ? writeEntries(builder, array) : writeBytes(builder, array, counts);
}

function writeEntries(
  builder: flatbuffers.Builder,
  array: Int32Array | Uint16Array | Float32Array | Uint8Array,
): flatbuffers.Offset {
  const bytes = array.BYTES_PER_ELEMENT;
  builder.startVector(bytes, array.length, bytes);
  // A builder writes from the end to the beginning.
  if (array instanceof Float32Array) for (let i = array.length - 1; i >= 0; i--) builder.addFloat32(array[i]);
  else if (array instanceof Int32Array) for (let i = array.length - 1; i >= 0; i--) builder.addInt32(array[i]);
  else if (array instanceof Uint16Array) for (let i = array.length - 1; i >= 0; i--) builder.addInt16(array[i]);
  else for (let i = array.length - 1; i >= 0; i--) builder.addInt8(array[i]);
  return builder.endVector();
}

/**
 * Writes an array in one copy, where the generated code would write entry by entry: the builder knows that only for
 * bytes, so the length it writes is noted in `counts` for correction. Its data start at a multiple of 4.
 */
function writeBytes(
  builder: flatbuffers.Builder,
  array: Int32Array | Uint16Array | Float32Array | Uint8Array,
  counts: VectorCounts,
): flatbuffers.Offset {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const offset = builder.createByteVector(bytes);
  counts.push(offset, array.length);
  return offset;
}

/** Writes one scene and returns its offset; notes in `used` which assets it needs, table index → written index. */
function writeScene(
  builder: flatbuffers.Builder,
  batch: SceneBatch,
  scene: SceneGraph,
  position: number,
  used: Map<number, number>,
  counts: VectorCounts,
): flatbuffers.Offset {
  checkLengths(batch, scene, position);
  const asset = writtenAssets(scene.asset, used);
  const parentVector = writeArray(builder, scene.parent, counts);
  const classVector = writeArray(builder, scene.classId, counts);
  const assetVector = writeArray(builder, asset, counts);
  const attributeVector = writeArray(builder, scene.attributes, counts);
  const mutableVector = writeArray(builder, scene.mutable, counts);
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

/** The indices of a scene's assets in the list of those written; notes in `used` those that are new. */
function writtenAssets(assets: Int32Array, used: Map<number, number>): Int32Array {
  const written = new Int32Array(assets.length);
  for (let v = 0; v < assets.length; v++) {
    const index = assets[v];
    let position = index < 0 ? -1 : used.get(index);
    if (position === undefined) used.set(index, (position = used.size));
    written[v] = position;
  }
  return written;
}

function expectInteger(name: string, value: number, largest: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return;
  throw new SceneGraphError(`Expected an integer from 0 to ${largest} for ${name} but received ${value}`);
}

function checkLengths(batch: SceneBatch, scene: SceneGraph, position: number): void {
  const nodes = scene.parent.length;
  const columns = batch.schema.attributes.length;
  expectLength('classId', scene.classId.length, nodes, position);
  expectLength('asset', scene.asset.length, nodes, position);
  expectLength('attributes', scene.attributes.length, nodes * columns, position);
  expectLength('mutable', scene.mutable.length, nodes * columns, position);
  // The format would cut what does not fit off without a word; the verifier checks the rest.
  expectSceneInteger('width', scene.width, 65535, position);
  expectSceneInteger('height', scene.height, 65535, position);
  expectSceneInteger('index', scene.index, Number.MAX_SAFE_INTEGER, position);
  for (let v = 0; v < nodes; v++) {
    if (scene.asset[v] >= batch.assets.length) {
      throw new SceneGraphError(
        `Expected an index below ${batch.assets.length} for scenes[${position}].asset[${v}] ` +
          `but received ${scene.asset[v]}`,
      );
    }
  }
}

function expectLength(name: string, length: number, expected: number, position: number): void {
  if (length === expected) return;
  throw new SceneGraphError(`Expected ${expected} entries for scenes[${position}].${name} but received ${length}`);
}

/** As `expectInteger`; the name is only put together when it is needed. */
function expectSceneInteger(name: string, value: number, largest: number, position: number): void {
  if (!Number.isInteger(value) || value < 0 || value > largest) {
    expectInteger(`scenes[${position}].${name}`, value, largest);
  }
}
