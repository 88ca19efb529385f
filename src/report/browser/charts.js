// Draws the charts of a page and moves its sliders. Runs in the browser, after vega and vega-lite; no imports.
(() => {
  const { vega, vegaLite } = window;
  const charts = new Set();
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;

  /** Tells what is under the pointer: `value` is a row's fields by title. */
  function showTip(_handler, event, _item, value) {
    tip.hidden = value === null || value === undefined || value === '';
    if (tip.hidden) return;
    const list = document.createElement('dl');
    for (const [name, text] of Object.entries(typeof value === 'object' ? value : { '': value })) {
      if (text === 'undefined' || text === 'null' || text === 'NaN' || text === '') continue;
      const [term, detail] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = name;
      detail.textContent = text;
      list.append(term, detail);
    }
    tip.replaceChildren(list);
    if (!tip.isConnected) document.body.append(tip);
    const { clientWidth, clientHeight } = document.documentElement;
    const right = event.clientX + 14 + tip.offsetWidth > clientWidth;
    const below = event.clientY + 14 + tip.offsetHeight > clientHeight;
    tip.style.left = `${Math.max(4, right ? event.clientX - 10 - tip.offsetWidth : event.clientX + 14)}px`;
    tip.style.top = `${Math.max(4, below ? event.clientY - 10 - tip.offsetHeight : event.clientY + 14)}px`;
  }

  /** Draws a chart into an element. Its data set is called `rows`, the epoch it points out `marked`. */
  function drawChart(holder, spec, rows) {
    const { spec: compiled } = vegaLite.compile(spec);
    const view = new vega.View(vega.parse(compiled), {
      renderer: 'svg',
      container: holder,
      hover: true,
      logLevel: vega.Error,
    });
    view.tooltip(showTip);
    // Rows are copied: vega marks the objects it is given.
    view.data(
      'rows',
      rows.map((row) => ({ ...row })),
    );
    let marked = null;
    const chart = {
      append(more) {
        const change = vega.changeset().insert(more.map((row) => ({ ...row })));
        view.change('rows', change).runAsync();
      },
      mark(epoch) {
        if (epoch === marked || !('marked' in view.getState().signals)) return;
        marked = epoch;
        view.signal('marked', epoch).runAsync();
      },
      remove() {
        charts.delete(chart);
        view.finalize();
        holder.replaceChildren();
      },
    };
    charts.add(chart);
    view.runAsync().then(
      () => holder.setAttribute('data-drawn', ''),
      (error) => console.error(error),
    );
    return chart;
  }

  /** A slider through pictures: shows one, and marks its epoch in the charts. */
  function startSlides(figure, slides) {
    const [picture] = figure.getElementsByTagName('img');
    const [range] = figure.getElementsByTagName('input');
    const [label] = figure.getElementsByTagName('output');
    const [back, forward] = figure.getElementsByTagName('button');
    const show = (index) => {
      const { source, text, epoch } = slides[index];
      range.value = String(index);
      picture.src = source;
      picture.alt = text;
      label.textContent = text;
      back.disabled = index === 0;
      forward.disabled = index === slides.length - 1;
      for (const chart of charts) chart.mark(epoch);
    };
    range.addEventListener('input', () => show(Number(range.value)));
    back.addEventListener('click', () => show(Number(range.value) - 1));
    forward.addEventListener('click', () => show(Number(range.value) + 1));
    show(slides.length - 1);
  }

  /** Draws what the page holds. */
  function start() {
    for (const holder of document.querySelectorAll('[data-chart]')) {
      const { spec, rows } = JSON.parse(document.getElementById(holder.dataset.chart).textContent);
      drawChart(holder, spec, rows);
    }
    for (const figure of document.querySelectorAll('[data-slides]')) {
      startSlides(figure, JSON.parse(document.getElementById(figure.dataset.slides).textContent));
    }
    // A folded chart had no width to fit into.
    for (const folded of document.querySelectorAll('details')) {
      folded.addEventListener('toggle', () => window.dispatchEvent(new Event('resize')));
    }
  }

  window.metasimPage = { drawChart };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
