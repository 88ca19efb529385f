/**
 * How our pages look: one column of sections, charts side by side where there is room. Colours are properties, which
 * plots use too (`plots.ts`), so that a dark screen gets a dark page.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fff; --ink: #1f2328; --soft: #515a64; --faint: #737b85; --axis: #99a0a8; --line: #dfe2e6; --grid: #eceef1;
  --tile: #f5f6f8; --ground: #b7bcc4; --accent: #0072b2; --good: #00795a; --bad: #b3261e;
  --series-1: #0072b2; --series-2: #d55e00; --series-3: #009e73; --series-4: #cc79a7; --series-5: #e69f00;
  --series-6: #56b4e9; --series-7: #5b5b5b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --ink: #e7e9ec; --soft: #b3bac3; --faint: #8d96a1; --axis: #6a727d; --line: #323943; --grid: #252b33;
    --tile: #1d2128; --ground: #808995; --accent: #62b5ec; --good: #45cfa5; --bad: #ff8a80;
    --series-1: #4aa8e8; --series-2: #ff8b3d; --series-3: #2fc79b; --series-4: #e59ac6; --series-5: #f3bd45;
    --series-6: #a5d8f6; --series-7: #b6bcc5;
  }
}
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--ink); background: var(--page); max-width: 1120px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p { max-width: 75ch; }
p.summary { color: var(--soft); margin-top: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; }
caption { caption-side: bottom; text-align: left; color: var(--faint); font-size: .875rem; padding-top: .35rem; }
th, td { padding: .3rem 1.1rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; border-bottom-width: 2px; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.facts div { background: var(--tile); border-radius: .5rem; padding: .6rem .85rem; min-width: 0; }
.facts dt { color: var(--soft); font-size: .8125rem; }
.facts dd { margin: 0; font-size: 1.1rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(27rem, 100%), 1fr)); gap: 1.5rem 1.75rem; margin: 1rem 0; align-items: start; }
.plots svg { max-width: 100%; height: auto; }
.chart { min-width: 0; min-height: 100px; width: 100%; }
.chart svg { display: block; max-width: none; overflow: visible; }
figure { margin: .75rem 0; }
figure img { display: block; max-width: 100%; height: auto; border: 1px solid var(--line); }
figcaption { color: var(--faint); font-size: .875rem; margin-top: .35rem; }
.slides .controls { display: flex; align-items: center; gap: .5rem; max-width: 40rem; }
.slides .controls[hidden] { display: none; }
.slides input { flex: 1; min-width: 0; accent-color: var(--accent); height: 2rem; }
.slides output { display: block; margin: .25rem 0 .5rem; font-variant-numeric: tabular-nums; font-weight: 600; }
button { font: inherit; color: var(--ink); background: var(--tile); border: 1px solid var(--line); border-radius: .4rem; min-width: 2.5rem; padding: .2rem .6rem; cursor: pointer; }
button:disabled { color: var(--faint); cursor: default; opacity: .6; }
pre { background: var(--tile); padding: .75rem 1rem; overflow: auto; font-size: .8125rem; border-radius: .5rem; }
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--soft); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.tip { position: fixed; z-index: 9; pointer-events: none; background: var(--tile); color: var(--ink); border: 1px solid var(--line); border-radius: .4rem; padding: .35rem .6rem; font-size: .8125rem; box-shadow: 0 2px 10px #0003; max-width: 90vw; }
.tip[hidden] { display: none; }
.tip dl { display: grid; grid-template-columns: auto auto; gap: 0 .9rem; margin: 0; }
.tip dt { color: var(--soft); }
.tip dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
@media print { .slides .controls { display: none; } }
`;
