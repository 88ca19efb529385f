import { writeFileWhole } from '../dataset/files.js';
import type { Chart } from './charts.js';
import { chartScripts, jsonElement } from './pageRuntime.js';
import { PAGE_STYLE } from './pageStyle.js';
import type { Cell } from './textTable.js';

/** A piece of a report, in the order it is read. */
export type ReportBlock =
  | { readonly kind: 'text'; readonly text: string }
  /** Numbers are set flush right. */
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
      readonly caption?: string;
    }
  /** A few numbers that say how things stand. */
  | { readonly kind: 'facts'; readonly facts: readonly { readonly name: string; readonly value: string }[] }
  /** SVG text as `plotSvg` makes it; plots and charts that follow each other stand side by side. */
  | { readonly kind: 'plot'; readonly svg: string }
  /** A chart that the page draws and that tells its numbers under the pointer. */
  | { readonly kind: 'chart'; readonly chart: Chart }
  /** A PNG file's bytes, e.g. a contact sheet. */
  | { readonly kind: 'picture'; readonly png: Uint8Array; readonly caption?: string }
  /** Pictures of one kind over time, one at a time, with a slider. Not empty. */
  | { readonly kind: 'slides'; readonly id: string; readonly slides: readonly Slide[]; readonly caption?: string }
  /** Blocks that are shown when asked for. */
  | { readonly kind: 'folded'; readonly title: string; readonly blocks: readonly ReportBlock[] }
  /** Anything that survives JSON, shown folded: the resolved configuration. */
  | { readonly kind: 'config'; readonly title: string; readonly value: unknown };

/** A picture of a slider. */
export interface Slide {
  /** A PNG file's bytes. */
  readonly png: Uint8Array;
  /** Said beside the slider, e.g. "epoch 3: MMD² 0.0123". */
  readonly text: string;
  /** The epoch that charts point out. */
  readonly epoch: number;
}

export interface ReportSection {
  readonly heading: string;
  readonly blocks: readonly ReportBlock[];
}

export interface HtmlReport {
  readonly title: string;
  /** One or two sentences under the title. */
  readonly summary?: string;
  readonly sections: readonly ReportSection[];
}

/**
 * The report as one HTML page that needs nothing else: plots and pictures inline, and scripts only where charts or
 * slides are. The page's own policy forbids it to load anything.
 */
export function renderHtmlReport(report: HtmlReport): string {
  const sections = report.sections.map(
    ({ heading, blocks }) => `<section>\n<h2>${escapeHtml(heading)}</h2>\n${renderBlocks(blocks)}\n</section>`,
  );
  const active = report.sections.some(({ blocks }) => blocks.some(needsScripts));
  return htmlPage(
    report.title,
    `<header>
<h1>${escapeHtml(report.title)}</h1>
${report.summary ? `<p class="summary">${escapeHtml(report.summary)}</p>` : ''}
</header>
${sections.join('\n')}
${active ? chartScripts() : ''}`,
    `img-src data:; ${active ? "script-src 'unsafe-inline' 'unsafe-eval'; " : ''}`,
  );
}

/**
 * An HTML page of our look.
 * @param body HTML
 * @param policy what its content security policy allows beyond inline styles, each part ended by `; `
 */
export function htmlPage(title: string, body: string, policy: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; ${policy}style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** Writes the report to a file, whole or not at all. */
export async function writeHtmlReport(path: string, report: HtmlReport): Promise<void> {
  await writeFileWhole(path, renderHtmlReport(report));
}

/** Text with the characters that mean something in HTML written as entities. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

function renderBlocks(blocks: readonly ReportBlock[]): string {
  const parts: string[] = [];
  for (let i = 0; i < blocks.length; i++) {
    const plots: string[] = [];
    for (let block = blocks[i]; block?.kind === 'plot' || block?.kind === 'chart'; block = blocks[++i]) {
      plots.push(renderBlock(block));
    }
    if (plots.length > 0) parts.push(`<div class="plots">${plots.join('\n')}</div>`);
    if (i < blocks.length) parts.push(renderBlock(blocks[i]));
  }
  return parts.join('\n');
}

function needsScripts(block: ReportBlock): boolean {
  return block.kind === 'folded' ? block.blocks.some(needsScripts) : block.kind === 'chart' || block.kind === 'slides';
}

function renderBlock(block: ReportBlock): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escapeHtml(block.text)}</p>`;
    case 'table':
      return renderTable(block.head, block.rows, block.caption);
    case 'facts':
      return renderFacts(block.facts);
    case 'plot':
      return block.svg;
    case 'chart': {
      const { id, spec, rows } = block.chart;
      return `<div class="chart" data-chart="chart-${id}"></div>${jsonElement(`chart-${id}`, { spec, rows })}`;
    }
    case 'slides':
      return renderSlides(block.id, block.slides, block.caption);
    case 'folded':
      return `<details><summary>${escapeHtml(block.title)}</summary>${renderBlocks(block.blocks)}</details>`;
    case 'picture': {
      const caption = escapeHtml(block.caption ?? '');
      return `<figure><img src="${dataUrl(block.png)}" alt="${caption}"><figcaption>${caption}</figcaption></figure>`;
    }
    case 'config': {
      const text = escapeHtml(JSON.stringify(block.value, null, 2) ?? 'null');
      return `<details><summary>${escapeHtml(block.title)}</summary><pre>${text}</pre></details>`;
    }
  }
}

/** Numbers with what they are, in a row. */
export function renderFacts(facts: readonly { readonly name: string; readonly value: string }[]): string {
  const tiles = facts.map(({ name, value }) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`);
  return `<dl class="facts">${tiles.join('')}</dl>`;
}

function renderSlides(id: string, slides: readonly Slide[], caption = ''): string {
  const data = slides.map(({ png, text, epoch }) => ({ source: dataUrl(png), text, epoch }));
  const last = slides.length - 1;
  return `<figure class="slides" data-slides="slides-${id}">
<div class="controls"${last === 0 ? ' hidden' : ''}><button type="button" aria-label="earlier">&#8592;</button><input type="range" min="0" max="${last}" value="${last}" aria-label="epoch"><button type="button" aria-label="later">&#8594;</button></div>
<output></output>
<img alt=""><figcaption>${escapeHtml(caption)}</figcaption></figure>${jsonElement(`slides-${id}`, data)}`;
}

function dataUrl(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[], caption: string | undefined): string {
  const side = (cell: Cell) => (typeof cell === 'number' ? ' class="number"' : '');
  const headings = head.map((name, c) => {
    const numbers = rows.length > 0 && rows.every((row) => typeof row[c] === 'number');
    return `<th${numbers ? ' class="number"' : ''}>${escapeHtml(name)}</th>`;
  });
  const lines = rows.map(
    (row) => `<tr>${head.map((_, c) => `<td${side(row[c])}>${escapeHtml(String(row[c] ?? ''))}</td>`).join('')}</tr>`,
  );
  const note = caption ? `<caption>${escapeHtml(caption)}</caption>` : '';
  return `<div class="wide"><table>${note}<thead><tr>${headings.join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
}
