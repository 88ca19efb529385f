/**
 * `label_map.pbtxt`: names of the labels 1, 2, … in the text form of protocol buffers
 * (object_detection/protos/string_int_label_map.proto).
 */

export const LABEL_MAP_PATH = 'label_map.pbtxt';

const ITEM = /\bitem\s*:?\s*\{([^{}]*)\}/g;
const FIELD = /\b(id|name|display_name)\s*:\s*(?:(\d{1,9})|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** @param names in the order of their labels, which count from 1 */
export function formatLabelMap(names: readonly string[]): string {
  return names.map((name, i) => `item {\n  id: ${i + 1}\n  name: ${quote(name)}\n}\n`).join('');
}

/** Names by label; an item's `display_name` goes before its `name`, as in the API. */
export function parseLabelMap(content: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const [, item] of content.matchAll(ITEM)) {
    const fields = new Map<string, string>();
    for (const [, field, number, double, single] of item.matchAll(FIELD)) {
      fields.set(field, number ?? unquote(double ?? single));
    }
    const name = fields.get('display_name') ?? fields.get('name');
    if (fields.has('id') && name !== undefined) names.set(Number(fields.get('id')), name);
  }
  return names;
}

function quote(name: string): string {
  const escaped = name.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `"${escaped}"`;
}

function unquote(content: string): string {
  return content.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
