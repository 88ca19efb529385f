import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { escapeXml, parseXml, type XmlElement } from '../../src/dataset/xml.js';
import { DatasetError } from '../../src/errors.js';
import { findPython } from '../helpers/python.js';

/** [name, text, children…] */
type Tree = [string, string, ...unknown[]];
const tree = ({ name, text, children }: XmlElement): Tree => [name, text, ...children.map(tree)];

function failure(text: string): string {
  try {
    parseXml(text, 'a.xml');
  } catch (error) {
    assert.instance(error, DatasetError);
    return (error as Error).message;
  }
  throw new Error(`nothing was thrown for ${text.slice(0, 60)}`);
}

test('elements, text, entities, character references, comments and CDATA', () => {
  const text = `\ufeff<?xml version="1.0" encoding='utf-8'?>
<!-- before --><?tool does this?>
<a b="1" c='&lt;&#x41;>'>x &amp; &#65;&#x1F600;<!-- <b> -->y
  <b/><b >&quot;&apos;</b ><![CDATA[<c> & ]]]>z</a>
<!-- after -->`;
  assert.equal(tree(parseXml(text.slice(1), 'a.xml')), ['a', 'x & A😀y\n  <c> & ]z', ['b', ''], ['b', '"\'']]);
});

test('line ends become newlines, and elements know their lines', () => {
  const root = parseXml('<a>\r\n<b>1\r2</b>\n\n<c/></a>', 'a.xml');
  assert.equal(
    root.children.map(({ name, line, text }) => [name, line, text]),
    [
      ['b', 2, '1\n2'],
      ['c', 5, ''],
    ],
  );
});

const BAD: [text: string, message: string][] = [
  ['', 'a.xml:1: Expected an element'],
  ['<a>\n<b></a>', 'a.xml:2: Expected </b>'],
  ['<a>\n\n', 'a.xml:3: Expected an end of <a>, which begins on line 1,'],
  ['<a/><b/>', 'Expected only one element at the top'],
  ['x<a/>', 'Expected text only within elements'],
  ['<a/>\nx', 'a.xml:1: Expected text only within elements'],
  ['</a>', 'Expected nothing to end'],
  ['<a b=1/>', 'Expected attributes and an end of the tag <a'],
  ['<a b="<"/>', 'Expected attributes and an end of the tag <a'],
  ['<a b="1" b="2"/>', 'Expected only one attribute "b"'],
  ['<a b="&x;"/>', 'or the number of a character, not "&x;"'],
  ['<x:a/>', 'Expected attributes and an end of the tag <x'],
  ['<a>\n & </a>', 'a.xml:2: Expected &amp;, &lt;'],
  ['<a>&constructor;</a>', 'not "&constructor;"'],
  ['<a>&#0;</a>', 'not "&#0;"'],
  ['<a>&#xD800;</a>', 'not "&#xD800;"'],
  ['<a>&#x110000;</a>', 'not "&#x110000;"'],
  ['<a>\n\0</a>', 'a.xml:2: Expected no character U+0000'],
  ['<a>\ud800</a>', 'Expected no character U+d800'],
  ['<a>]]></a>', 'Expected no "]]>" in text'],
  ['<a><!-- -- --></a>', 'Expected a comment that "-->" ends'],
  ['<a><![CDATA[x</a>', 'Expected CDATA within an element'],
  ['<![CDATA[x]]><a/>', 'Expected CDATA within an element'],
  ['<a><?xml version="1.0"?></a>', 'Expected a processing instruction'],
  ['<?xml version="1.0" encoding="GBK"?><a/>', 'Expected XML in UTF-8, not "GBK"'],
  ['< a/>', 'Expected an element'],
];

test('what is not well-formed ends in an error that names file and line', () => {
  for (const [text, message] of BAD) assert.match(failure(text), message);
});

test('an entity bomb and a file behind an entity are refused with their document type', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('\n');
  assert.match(
    failure(`<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY l0 "lol">\n${levels}]>\n<a>&l9;</a>`),
    'a.xml:2: Expected no document type',
  );
  assert.match(
    failure('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
    'Expected no document type',
  );
});

test('twenty thousand levels, a million elements and too long a text are refused', () => {
  assert.match(failure('<a>\n'.repeat(20_000)), 'a.xml:65: Expected at most 64 levels');
  assert.match(failure(`<a>${'<b/>'.repeat(1_000_000)}</a>`), 'Expected at most 500000 elements');
  assert.match(failure(`<a>${' '.repeat(2 ** 24)}</a>`), 'Expected at most 16777216 characters');
});

test('any text that XML can hold comes back from an element', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  fc.assert(
    fc.property(text, (value) => {
      let escaped: string;
      try {
        escaped = escapeXml(value, 'the name');
      } catch (error) {
        assert.instance(error, DatasetError);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        assert.match(value, /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]/);
        return;
      }
      assert.is(parseXml(`<a>${escaped}</a>`, 'a.xml').text, value);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

/** Small documents, and such with a few characters changed, inserted or cut. */
const documents = (() => {
  const name = fc.constantFrom('a', 'b', 'object', '_x-1');
  const text = fc.constantFrom(
    '',
    ' ',
    'x',
    '&amp;',
    '&#65;',
    '\n',
    '\r\n',
    '<![CDATA[<&]]>',
    '<!-- c -->',
    '<?p q?>',
    'é',
    '&#xe9;',
  );
  const attributes = fc.constantFrom('', ' a="1"', " b='&lt;'", ' a="1" b="2"', '\n');
  const { element } = fc.letrec<{ element: string }>((tie) => ({
    element: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(name, attributes).map(([tag, extra]) => `<${tag}${extra}/>`),
      fc
        .tuple(name, attributes, text, fc.array(fc.tuple(tie('element'), text), { maxLength: 3 }))
        .map(([tag, extra, first, rest]) => `<${tag}${extra}>${first}${rest.flat().join('')}</${tag}>`),
    ),
  }));
  const whole = fc
    .tuple(fc.constantFrom('', '<?xml version="1.0"?>\n', '<!-- x -->'), element)
    .map((parts) => parts.join(''));
  const change = fc.tuple(
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '<', '>', '&', ';', '/', '"', "'", ']', '!', '-', '?', ' ', 'a', '='),
  );
  const mutated = fc.tuple(whole, fc.array(change, { minLength: 1, maxLength: 3 })).map(([document, changes]) =>
    changes.reduce((current, [at, cut, put]) => {
      const place = at % (current.length + 1);
      return current.slice(0, place) + put + current.slice(place + cut);
    }, document),
  );
  return { whole, mutated };
})();

test('fuzz: whatever the text, an element or a DatasetError comes out', () => {
  const anything = fc.oneof(
    documents.mutated,
    fc.string({ unit: 'binary' }),
    fc.string().map((tail) => `<a>${tail}`),
  );
  let read = 0;
  fc.assert(
    fc.property(anything, (text) => {
      try {
        parseXml(text, 'a.xml');
        read++;
      } catch (error) {
        assert.instance(error, DatasetError);
      }
    }),
    { seed: 2, numRuns: 20_000 },
  );
  assert.ok(read > 300, 'some changes leave a document well-formed');
});

const python = findPython('xml.etree');
if (!python) console.log('# skip XML against xml.etree: no Python with the module xml.etree');
(python ? test : test.skip)("what we read, Python's xml.etree reads the same; every undamaged document is read", () => {
  const whole = fc.sample(documents.whole, { seed: 3, numRuns: 500 });
  for (const text of whole) parseXml(text, 'a.xml');
  const mutated = fc.sample(documents.mutated, { seed: 4, numRuns: 4000 });
  const read = [...whole, ...mutated].flatMap((text) => {
    try {
      return [{ text, tree: tree(parseXml(text, 'a.xml')) }];
    } catch {
      return [];
    }
  });
  const script = `
import json, sys
import xml.etree.ElementTree as etree
def tree(element):
    return [element.tag, (element.text or '') + ''.join(child.tail or '' for child in element)] + [tree(child) for child in element]
print(json.dumps([tree(etree.fromstring(text)) for text in json.load(sys.stdin)]))`;
  const { stdout, stderr } = spawnSync(python as string, ['-c', script], {
    input: JSON.stringify(read.map(({ text }) => text)),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  assert.is(stderr, '');
  assert.equal(
    JSON.parse(stdout),
    read.map((each) => each.tree),
  );
  assert.ok(read.length > 700);
});

test.run();
