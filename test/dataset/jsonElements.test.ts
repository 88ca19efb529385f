import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonElementScanner } from '../../src/dataset/jsonElements.js';
import { DatasetError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';

type Found = [key: string, index: number, value: unknown, offset: number];

function scan(text: string | Uint8Array, keys: string[], chunkBytes = Infinity): Found[] {
  const bytes = Buffer.from(text as string);
  const found: Found[] = [];
  const scanner = new JsonElementScanner('x.json', keys, (key, index, element, offset) => {
    const json = Buffer.from(element).toString();
    // The place is told right: the same bytes stand there.
    assert.is(bytes.subarray(offset, offset + element.length).toString(), json);
    found.push([key, index, JSON.parse(json), offset]);
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = Buffer.from(bytes.subarray(at, Math.min(at + chunkBytes, bytes.length)));
    scanner.push(chunk);
    // As a reader does that has one buffer only.
    chunk.fill(0);
  }
  scanner.end();
  return found;
}

const TRICKY = `  { "skip" : [1, {"a": "]}\\"", "b": []}], "a":[ ] , "info": {"x": [1, "}"]},
  "\\u0062" : [ {"t": "\\\\"}, 12, "q,]\\"é", null ,[[],{}],-1e5], "n": 7 , "last": "e\\\\" }\n`;

test('elements of wanted arrays and whole other values come in order, however the file is cut', () => {
  const expected = [
    ['info', -1, { x: [1, '}'] }],
    ['b', 0, { t: '\\' }],
    ['b', 1, 12],
    ['b', 2, 'q,]"é'],
    ['b', 3, null],
    ['b', 4, [[], {}]],
    ['b', 5, -1e5],
    ['n', -1, 7],
    ['last', -1, 'e\\'],
  ];
  for (const chunk of [1, 2, 3, 7, 16, Infinity]) {
    const found = scan(TRICKY, ['a', 'b', 'info', 'n', 'last'], chunk);
    assert.equal(
      found.map(([key, index, value]) => [key, index, value]),
      expected,
    );
  }
});

test('keys that nobody wants are passed over', () => {
  assert.equal(
    scan(TRICKY, ['n']).map(([, , value]) => value),
    [7],
  );
});

test('a byte order mark is passed over', () => {
  assert.is(scan(`\ufeff{"a":[1]}`, ['a'], 5).length, 1);
});

test('errors name the place', () => {
  const cases: [string, RegExp][] = [
    ['', /Expected \{ at byte 0 of x\.json but received the end/],
    ['[1]', /Expected \{ at byte 0 of x\.json but received "\["/],
    ['{"a":[1,2', /the end of an element for a\[1\] at byte 9 .* received the end of the file/],
    ['{"a":[1 2]}', /Expected , or \] after a\[0\] at byte 8/],
    ['{"a":[1,]}', /an element for a\[1\] at byte 8/],
    ['{"a":[1}', /, or \] after a\[0\] at byte 7/],
    ['{"a" 1}', /Expected : at byte 5/],
    ['{"a":}', /a value for a at byte 5/],
    ['{"a":1,}', /a key at byte 7/],
    ['{a:1}', /a key or \} at byte 1/],
    ['{"a":[]} x', /nothing more at byte 9/],
    ['{"a":[1],"a":[2]}', /the key "a" again/],
    ['{"a":[1]', /, or \} at byte 8/],
    ['{"\\x":1}', /a damaged key/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => scan(text, ['a']),
      (error: Error) => error instanceof DatasetError && message.test(error.message),
      text,
    );
  }
});

test('20,000 nested brackets are refused, wanted or not', () => {
  const deep = '['.repeat(20000);
  for (const text of [`{"a":[${deep}`, `{"b":${deep}`, `{"b":{"c":${deep}${']'.repeat(20000)}}}`]) {
    assert.throws(() => scan(text, ['a'], 4096), /more than 64 levels of nesting/);
  }
  assert.throws(() => scan(deep, ['a']), /Expected \{/);
});

test('damaged files end in an error or in elements, never in anything else', () => {
  const stream = new RandomStream({ seed: 8, index: 0 });
  const whole = Buffer.from(TRICKY);
  let errors = 0;
  for (let n = 0; n < 3000; n++) {
    const bytes = Buffer.from(whole);
    for (let k = 1 + stream.integer(3); k > 0; k--) bytes[stream.integer(bytes.length)] = 32 + stream.integer(96);
    const scanner = new JsonElementScanner('x.json', ['b', 'info'], () => {});
    try {
      for (let at = 0; at < bytes.length; at += 11) scanner.push(bytes.subarray(at, at + 11));
      scanner.end();
    } catch (error) {
      errors++;
      assert.instance(error, DatasetError);
    }
  }
  assert.ok(errors > 300 && errors < 2900, `${errors} of 3000`);
});

test.run();
