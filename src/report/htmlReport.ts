import { writeFileWhole } from '../dataset/files.js';
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
  /** SVG text as `curvePlot` and `histogramPlot` make it; plots that follow each other stand side by side. */
  | { readonly kind: 'plot'; readonly svg: string }
  /** A PNG file's bytes, e.g. a contact sheet. */
  | { readonly kind: 'picture'; readonly png: Uint8Array; readonly caption?: string }
  /** Anything that survives JSON, shown folded: the resolved configuration. */
  | { readonly kind: 'config'; readonly title: string; readonly value: unknown };

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

const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 1080px; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid #ddd; }
p.summary { color: #555; margin-top: 0; }
table { border-collapse: collapse; margin: .75rem 0; }
caption { caption-side: bottom; text-align: left; color: #666; font-size: .875rem; padding-top: .35rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid #eee; }
th { color: #555; font-weight: 600; border-bottom: 2px solid #ccc; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.plots { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1.25rem; }
.plots svg { max-width: 100%; height: auto; }
figure { margin: .75rem 0; }
figure img { max-width: 100%; height: auto; image-rendering: pixelated; border: 1px solid #e4e4e0; }
figcaption { color: #666; font-size: .875rem; }
pre { background: #f6f6f4; padding: .75rem 1rem; overflow: auto; font-size: .8125rem; }
summary { cursor: pointer; color: #555; }
`;

/** The report as one HTML page that needs nothing else: plots inline, pictures as data URLs, no scripts. */
export function renderHtmlReport(report: HtmlReport): string {
  const sections = report.sections.map(
    ({ heading, blocks }) => `<section>\n<h2>${escapeHtml(heading)}</h2>\n${renderBlocks(blocks)}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(report.title)}</h1>
${report.summary ? `<p class="summary">${escapeHtml(report.summary)}</p>` : ''}
${sections.join('\n')}
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
    for (let block = blocks[i]; block?.kind === 'plot'; block = blocks[++i]) plots.push(block.svg);
    if (plots.length > 0) parts.push(`<div class="plots">${plots.join('\n')}</div>`);
    if (i < blocks.length) parts.push(renderBlock(blocks[i]));
  }
  return parts.join('\n');
}

function renderBlock(block: ReportBlock): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escapeHtml(block.text)}</p>`;
    case 'table':
      return renderTable(block.head, block.rows, block.caption);
    case 'plot':
      return block.svg;
    case 'picture': {
      const data = Buffer.from(block.png).toString('base64');
      const caption = escapeHtml(block.caption ?? '');
      return `<figure><img src="data:image/png;base64,${data}" alt="${caption}"><figcaption>${caption}</figcaption></figure>`;
    }
    case 'config': {
      const text = escapeHtml(JSON.stringify(block.value, null, 2) ?? 'null');
      return `<details><summary>${escapeHtml(block.title)}</summary><pre>${text}</pre></details>`;
    }
  }
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
  return `<table>${note}<thead><tr>${headings.join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}
