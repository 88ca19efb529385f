import * as flatbuffers from 'flatbuffers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SceneGraphError } from '../../src/errors.js';
import { decodeScenes, verifyScenes } from '../../src/render/verify.js';
import { AttributeRole, NodeKind } from '../../src/scene/attributeSchema.js';
import { encodeScenes } from '../../src/scene/encode.js';
import { SceneBatch as BatchTable } from '../../src/scene/generated/scene-batch.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { attribute, scene } from '../helpers/scenes.js';

const batch: SceneBatch = {
  schema: {
    dimension: 2,
    channels: 3,
    attributes: [attribute('x', AttributeRole.X, 0, 64), attribute('y', AttributeRole.Y, -8, 8)],
    classes: ['road', 'car'],
  },
  assets: ['tile', 'sprite'],
  scenes: [0, 1].map((index) => ({
    ...scene(index, {
      parent: [-1, 0, 0],
      classId: [0, 1, 1],
      attributes: [1, 2, 3, 4, 5, 6],
      mutable: [1, 0, 1, 0, 1, 1],
    }),
    asset: Int32Array.from([0, 1, -1]),
  })),
  provenance: { grammar: 'tests', grammarHash: 'abc', seed: 3 },
};
const camera = { fx: 7, fy: 8, cx: 3, cy: 1, x: 0, y: 0, z: 0, heading: 0, pitch: 0, roll: 0, near: 0.5, far: 20 };

/** Reads positions of an encoded batch with the generated code, so that a test can damage one field. */
class Editor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly root: BatchTable;

  constructor(source: SceneBatch = batch) {
    this.bytes = encodeScenes(source).slice();
    this.view = new DataView(this.bytes.buffer);
    this.root = BatchTable.getRootAsSceneBatch(new flatbuffers.ByteBuffer(this.bytes));
  }

  /** Position of a root field's value. `slot` is its vtable entry. */
  rootField(slot: number): number {
    return this.field(this.root.bb_pos, slot);
  }

  /** Position of a field's value in the table of scene `i`. */
  sceneField(i: number, slot: number): number {
    return this.field(this.root.scenes(i)!.bb_pos, slot);
  }

  specField(i: number, slot: number): number {
    return this.field(this.root.schema(i)!.bb_pos, slot);
  }

  /** Position of entry 0 of the vector that the field at `position` points to. */
  data(position: number): number {
    return position + this.view.getUint32(position, true) + 4;
  }

  field(table: number, slot: number): number {
    const vtable = table - this.view.getInt32(table, true);
    const offset = this.view.getUint16(vtable + slot, true);
    assert.ok(offset > 0, `the batch has a field at ${slot}`);
    return table + offset;
  }
}

function message(bytes: Uint8Array): string {
  try {
    verifyScenes(bytes);
  } catch (error) {
    assert.instance(error, SceneGraphError);
    return (error as Error).message;
  }
  return 'no error';
}

function damaged(edit: (editor: Editor) => void, source?: SceneBatch): string {
  const editor = new Editor(source);
  assert.is(message(editor.bytes), 'no error');
  edit(editor);
  return message(editor.bytes);
}

test('a sound batch passes, and decodes without being changed', () => {
  const bytes = encodeScenes(batch);
  const before = bytes.slice();
  verifyScenes(bytes);
  assert.is(decodeScenes(bytes).scenes.length, 2);
  assert.equal(bytes, before);
});

test('no scenes, no nodes and no attributes are allowed', () => {
  verifyScenes(encodeScenes({ ...batch, scenes: [] }));
  const empty = scene(0, { parent: [], classId: [], attributes: [], mutable: [] });
  verifyScenes(encodeScenes({ ...batch, scenes: [empty] }));
  const bare = scene(0, { parent: [-1], classId: [0], attributes: [], mutable: [] });
  verifyScenes(encodeScenes({ ...batch, schema: { ...batch.schema, attributes: [] }, scenes: [bare] }));
});

test('nothing, zeros and other files are not batches', () => {
  assert.match(message(new Uint8Array(0)), 'Expected 12 entries for the buffer but received 0');
  assert.match(message(new Uint8Array(64)), 'the file identifier');
  assert.match(message(new TextEncoder().encode('\x89PNG and so on, not a batch at all')), 'the file identifier');
});

test('errors name scene, field and entry', () => {
  const parent = (value: number) => damaged((e) => e.view.setInt32(e.data(e.sceneField(1, 10)) + 8, value, true));
  assert.is(parent(2), 'Expected an index from −1 to 1 for scenes[1].parent[2] but received 2');
  assert.is(parent(-2), 'Expected an index from −1 to 1 for scenes[1].parent[2] but received -2');
  assert.is(
    damaged((e) => e.view.setUint16(e.data(e.sceneField(0, 12)) + 2, 2, true)),
    'Expected a class below 2 for scenes[0].class_id[1] but received 2',
  );
  assert.is(
    damaged((e) => e.view.setInt32(e.data(e.sceneField(0, 14)), 2, true)),
    'Expected an asset from −1 to 1 for scenes[0].asset[0] but received 2',
  );
  assert.is(
    damaged((e) => e.view.setFloat32(e.data(e.sceneField(1, 16)) + 20, Number.NaN, true)),
    'Expected a finite number for scenes[1].attributes[5] but received NaN',
  );
  assert.is(
    damaged((e) => e.view.setFloat32(e.data(e.sceneField(0, 16)), Number.NEGATIVE_INFINITY, true)),
    'Expected a finite number for scenes[0].attributes[0] but received -Infinity',
  );
  assert.is(
    damaged((e) => e.view.setUint8(e.data(e.sceneField(0, 18)) + 3, 2)),
    'Expected 0 or 1 for scenes[0].mutable[3] but received 2',
  );
});

test('the parts of a schema are checked', () => {
  assert.match(
    damaged((e) => e.view.setUint8(e.specField(1, 6), 16)),
    'schema[1].role but received 16',
  );
  assert.match(
    damaged((e) => e.view.setUint8(e.specField(1, 6), AttributeRole.X)),
    'schema[1].role but received 1 again',
  );
  assert.match(
    damaged((e) => e.view.setFloat32(e.specField(1, 12), -8, true)),
    'above the minimum -8',
  );
  assert.match(
    damaged((e) => e.view.setFloat32(e.specField(1, 10), Number.NaN, true)),
    'schema[1].minimum',
  );
  assert.match(
    damaged((e) => e.view.setFloat32(e.specField(1, 10), -3.4e38, true)),
    'no error',
  );
  const wide = { ...batch.schema.attributes[1], minimum: -3e38, maximum: 3e38 };
  assert.match(
    message(encodeScenes({ ...batch, schema: { ...batch.schema, attributes: [batch.schema.attributes[0], wide] } })),
    'a finite difference for schema[1].maximum',
  );
  const twice = {
    ...batch.schema,
    attributes: [batch.schema.attributes[0], { ...batch.schema.attributes[1], name: 'x' }],
  };
  assert.match(message(encodeScenes({ ...batch, schema: twice })), 'schema[1].name but received 0 again');
  const classes = { ...batch.schema, classes: ['car', 'car'] };
  assert.match(message(encodeScenes({ ...batch, schema: classes })), 'classes[1] but received 0 again');
});

test('version, dimension, channels and canvas sizes are checked', () => {
  assert.is(
    damaged((e) => e.view.setUint16(e.rootField(4), 2, true)),
    'Expected format version 1 for version but received 2',
  );
  assert.match(
    damaged((e) => e.view.setUint8(e.rootField(6), 4)),
    'Expected 2 or 3 for dimension but received 4',
  );
  assert.match(
    damaged((e) => e.view.setUint8(e.rootField(8), 2)),
    'Expected 1 or 3 for channels but received 2',
  );
  const canvas = (width: number, height: number) =>
    message(encodeScenes({ ...batch, scenes: [{ ...batch.scenes[0], width, height }] }));
  assert.match(canvas(0, 5), 'scenes[0].width but received 0');
  assert.match(canvas(5, 16385), 'scenes[0].height but received 16385');
  assert.match(canvas(16384, 4097), 'Expected at most 67108864 px for scenes[0].width × height but received 67125248');
  assert.is(canvas(16384, 4096), 'no error');
});

test('lengths and counts are checked', () => {
  assert.is(
    damaged((e) => e.view.setUint32(e.data(e.sceneField(0, 12)) - 4, 2, true)),
    'Expected 3 entries for scenes[0].class_id but received 2',
  );
  assert.match(
    damaged((e) => e.view.setUint32(e.data(e.sceneField(0, 10)) - 4, 0x40000001, true)),
    'data inside the buffer for scenes[0].parent',
  );
  const nodes = 65535;
  const many = scene(0, {
    parent: new Array(nodes).fill(-1),
    classId: new Array(nodes).fill(0),
    attributes: new Array(2 * nodes).fill(0),
    mutable: new Array(2 * nodes).fill(0),
  });
  assert.is(
    message(encodeScenes({ ...batch, scenes: [many] })),
    'Expected at most 65534 entries for scenes[0].parent but received 65535',
  );
  const classes = Array.from({ length: 255 }, (_, i) => `class ${i}`);
  assert.is(
    message(encodeScenes({ ...batch, schema: { ...batch.schema, classes } })),
    'Expected at most 254 entries for classes but received 255',
  );
});

test('names are UTF-8', () => {
  const withName = (text: number[]) => damaged((e) => e.bytes.set(text, textOf(e, 'sprite')));
  assert.match(withName([0xff]), 'UTF-8 text closed by a zero byte for assets[1]');
  assert.match(withName([0xc0, 0x80]), 'assets[1]'); // overlong
  assert.match(withName([0xed, 0xa0, 0x80]), 'assets[1]'); // surrogate
  assert.match(withName([0xf4, 0x90, 0x80, 0x80]), 'assets[1]'); // above U+10FFFF
  assert.match(withName([0x41, 0x41, 0x41, 0x41, 0x41, 0xc3]), 'assets[1]'); // cut off
  assert.is(withName([0xf0, 0x9f, 0x8e, 0xb2]), 'no error');
  assert.match(
    damaged((e) => e.view.setUint8(textOf(e, 'sprite') + 6, 65)),
    'closed by a zero byte for assets[1]',
  );
});

test('a camera is checked', () => {
  const source: SceneBatch = {
    ...batch,
    schema: { ...batch.schema, dimension: 3 },
    scenes: batch.scenes.map((s) => ({ ...s, camera })),
  };
  const change = (float: number, value: number) =>
    damaged((e) => e.view.setFloat32(e.sceneField(1, 20) + 4 * float, value, true), source);
  assert.match(change(6, Number.NaN), 'a finite number for scenes[1].camera[6]');
  assert.match(change(0, 0), 'scenes[1].camera[0]');
  assert.match(change(10, -1), 'scenes[1].camera[10]');
  assert.match(change(11, 0.5), 'scenes[1].camera[11]');
});

test('a 3D scene needs a camera', () => {
  const text = message(encodeScenes({ ...batch, schema: { ...batch.schema, dimension: 3 } }));
  assert.is(text, 'Expected a value for scenes[0].camera but received nothing');
});

test('roles are those of the dimension', () => {
  const { X, Z, Curvature, Opacity } = AttributeRole;
  const roles = (dimension: 2 | 3, second: AttributeRole) =>
    message(
      encodeScenes({
        ...batch,
        schema: { ...batch.schema, dimension, attributes: [X, second].map((role) => attribute(`${role}`, role, 0, 1)) },
        scenes: batch.scenes.map((s) => ({ ...s, camera })),
      }),
    );
  assert.is(
    roles(2, Z),
    'Expected an attribute role that scenes of dimension 2 know for schema[1].role but received 3',
  );
  assert.match(roles(2, Curvature), 'scenes of dimension 2 know for schema[1].role but received 17');
  assert.match(roles(3, Opacity), 'scenes of dimension 3 know for schema[1].role but received 12');
  assert.match(roles(3, 21 as AttributeRole), 'schema[1].role but received 21');
  assert.is(roles(3, Curvature), 'no error');
  assert.is(roles(2, Opacity), 'no error');
});

test('what the nodes of a class are: one kind a class, in 3D only', () => {
  const { Object: Solid, Camera, Light, Curve, Strip } = NodeKind;
  const kinds = (dimension: 2 | 3, ...list: NodeKind[]) =>
    encodeScenes({
      ...batch,
      schema: { ...batch.schema, dimension, kinds: list },
      scenes: batch.scenes.map((s) => ({ ...s, camera })),
    });
  // Each scene has a node of class 0 with two of class 1 below it.
  assert.is(message(kinds(3, Curve, Strip)), 'no error');
  assert.is(message(kinds(3, Camera, Solid)), 'no error');
  assert.is(message(kinds(2, Solid, Solid)), 'no error');
  assert.match(message(kinds(2, Solid, Curve)), 'Expected a kind of node up to 0 for kinds[1] but received 3');
  assert.match(message(kinds(3, Curve, 5 as NodeKind)), 'Expected a kind of node up to 4 for kinds[1] but received 5');
  assert.is(
    message(kinds(3, Solid, Camera)),
    'Expected no second camera node for scenes[0].class_id[2] but received 1',
  );
  assert.match(message(kinds(3, Solid, Light)), 'no second light node for scenes[0].class_id[2]');
  assert.is(
    message(kinds(3, Light, Strip)),
    'Expected a curve or a strip as parent of a strip for scenes[0].parent[1] but received 0',
  );
  assert.is(
    message(kinds(3, Strip, Solid)),
    'Expected a curve or a strip as parent of a strip for scenes[0].parent[0] but received -1',
  );
  assert.throws(() => kinds(3, Curve), /Expected 2 entries for schema.kinds, one a class, but received 1/);
});

test('strips of strips end at a curve', () => {
  const source: SceneBatch = {
    ...batch,
    schema: { ...batch.schema, dimension: 3, kinds: [NodeKind.Curve, NodeKind.Strip] },
    scenes: [{ ...batch.scenes[0], parent: Int32Array.from([-1, 0, 1]), camera }],
  };
  assert.is(message(encodeScenes(source)), 'no error');
  const lists = { schema: { ...source.schema, kinds: [NodeKind.Object, NodeKind.Strip] } };
  assert.match(message(encodeScenes({ ...source, ...lists })), 'for scenes[0].parent[1] but received 0');
});

test('offsets that leave the buffer, or are not aligned, are refused', () => {
  assert.match(
    damaged((e) => e.view.setUint32(0, 0xfffffff0, true)),
    'inside the buffer for the root table',
  );
  assert.match(
    damaged((e) => e.view.setUint32(0, e.view.getUint32(0, true) + 2, true)),
    'aligned offset for the root table',
  );
  assert.match(
    damaged((e) => e.view.setInt32(e.root.bb_pos, -0x7fffffff, true)),
    'for the root table',
  );
  assert.match(
    damaged((e) => e.view.setUint32(e.sceneField(1, 16), 0x7ffffff0, true)),
    'inside the buffer for scenes[1].attributes',
  );
  const table = (e: Editor) => e.root.scenes(0)!.bb_pos;
  assert.match(
    damaged((e) => e.view.setInt32(table(e), 0x7fffff00, true)),
    'inside the buffer for scenes[0]',
  );
});

test('data shared between scenes cannot multiply the work', () => {
  // 3 scenes whose entries all point to the first: more data in use than the buffer has bytes.
  const node = { parent: new Array(500).fill(-1), classId: new Array(500).fill(0) };
  const large = scene(0, { ...node, attributes: new Array(1000).fill(0), mutable: new Array(1000).fill(0) });
  const tiny = batch.scenes[0];
  const text = damaged(
    (e) => {
      const list = e.data(e.rootField(16));
      const first = list + e.view.getUint32(list, true);
      for (let i = 1; i < 3; i++) e.view.setUint32(list + 4 * i, first - (list + 4 * i), true);
    },
    { ...batch, scenes: [large, tiny, tiny] },
  );
  assert.match(text, 'Expected data of its own for scenes[1]');
});

/** Position of the first byte of a string that occurs once. */
function textOf(editor: Editor, text: string): number {
  const position = Buffer.from(editor.bytes.buffer).indexOf(text);
  assert.ok(position > 0);
  return position;
}

test.run();
