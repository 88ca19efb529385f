import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BROWSER = new URL('./browser/', import.meta.url);

let charts: string | undefined;

/**
 * Script elements with everything that draws charts in a browser: vega, vega-lite and our own few lines, inlined, so
 * that a page loads nothing. About 0.8 MB; read once a process.
 */
export function chartScripts(): string {
  charts ??= [library('vega'), library('vega-lite'), browserScript('charts.js')].join('\n');
  return charts;
}

/** One of our own scripts for pages (`src/report/browser/`), as a script element. */
export function browserScript(name: string): string {
  return scriptElement(readFileSync(fileURLToPath(new URL(name, BROWSER)), 'utf8'));
}

/** Data for a script of the page, as an element that `JSON.parse` reads: nothing in it can end the element. */
export function jsonElement(id: string, value: unknown): string {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="${id}">${json}</script>`;
}

/** A library's build for browsers, which stands beside its module, with its licence. */
function library(name: 'vega' | 'vega-lite'): string {
  const build = dirname(createRequire(import.meta.url).resolve(name));
  const licence = readFileSync(join(build, '..', 'LICENSE'), 'utf8').replaceAll('*/', '* /');
  const code = readFileSync(join(build, `${name}.min.js`), 'utf8').replace(/\/\/# sourceMappingURL=.*/g, '');
  return scriptElement(`/*! ${name}\n${licence}*/\n${code}`);
}

function scriptElement(code: string): string {
  // Inside strings and regular expressions, where alone they can stand, the backslash changes nothing.
  return `<script>${code.replace(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--')}</script>`;
}
