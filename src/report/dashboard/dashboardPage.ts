import { escapeHtml, htmlPage } from '../htmlReport.js';
import { browserScript, chartScripts } from '../pageRuntime.js';

const STYLE = `
.state { display: inline-block; font-size: .875rem; font-weight: 600; color: var(--soft); }
.state::before { content: ""; display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; margin-right: .4rem; background: var(--faint); }
.state[data-state=live] { color: var(--good); } .state[data-state=live]::before { background: var(--good); }
.state[data-state=lost] { color: var(--bad); } .state[data-state=lost]::before { background: var(--bad); }
.stages { list-style: none; margin: 1rem 0; padding: 0; display: grid; gap: .35rem; }
.stages li { display: grid; grid-template-columns: 8.5rem minmax(4rem, 16rem) 1fr; gap: .25rem .9rem; align-items: center; }
.stages .name { font-weight: 600; }
.stages .detail { color: var(--soft); font-variant-numeric: tabular-nums; min-width: 0; overflow-wrap: anywhere; }
.stages progress { width: 100%; height: .65rem; appearance: none; border: 0; border-radius: .35rem; overflow: hidden; background: var(--line); }
.stages progress::-webkit-progress-bar { background: var(--line); }
.stages progress::-webkit-progress-value { background: var(--accent); }
.stages progress::-moz-progress-bar { background: var(--accent); }
@media (max-width: 40rem) { .stages li { grid-template-columns: 1fr 1fr; } .stages .detail { grid-column: 1 / -1; } }
section[hidden] { display: none; }
`;

/** The live page: empty, filled by `browser/dashboard.js` from the events. */
export function dashboardPage(title: string): string {
  const tiles = ['meta-epoch', 'MMD²', 'score on V', 'time left in this stage'];
  const facts = tiles.map((name) => `<div><dt>${escapeHtml(name)}</dt><dd>–</dd></div>`).join('');
  return htmlPage(
    `${title}: training`,
    `<style>${STYLE}</style>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="summary"><span class="state" id="state" role="status">connecting</span></p>
</header>
<dl class="facts" id="facts">${facts}</dl>
<ol class="stages" id="stages"></ol>
<div id="charts"></div>
<section id="sheet" hidden>
<h2>Newest images</h2>
<figure><img alt=""><figcaption></figcaption></figure>
</section>
${chartScripts()}
${browserScript('dashboard.js')}`,
    "img-src 'self' data:; connect-src 'self'; script-src 'unsafe-inline' 'unsafe-eval'; ",
  );
}
