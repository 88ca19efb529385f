// The enumerations of the public API have the names and numbers of the schema, whatever its compiler makes of them.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AttributeRole, NodeKind } from '../../src/index.js';

const schema = readFileSync(new URL('../../schemas/sceneGraph.fbs', import.meta.url), 'utf8');

/** Members of an enumeration as written, with their numbers. */
function members(name: string): Record<string, number> {
  const body = schema.match(new RegExp(`^enum ${name} : ubyte \\{([^}]*)\\}`, 'm'))?.[1] ?? '';
  const written = [...body.replace(/\/\/.*/g, '').matchAll(/(\w+)(?: = (\d+))?/g)];
  let next = 0;
  return Object.fromEntries(
    written.map(([, member, value]) => {
      next = Number(value ?? next) + 1;
      return [member, next - 1];
    }),
  );
}

function numbersOf(enumeration: Readonly<Record<string, number | string>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(enumeration).flatMap(([key, value]) => (typeof value === 'number' ? [[key, value]] : [])),
  );
}

test('kinds of nodes and roles of attributes', () => {
  assert.equal(numbersOf(NodeKind), members('NodeKind'));
  assert.equal(numbersOf(AttributeRole), members('AttributeRole'));
  assert.is(NodeKind.Object, 0);
  assert.ok(Object.keys(members('AttributeRole')).length > 15);
});

test.run();
