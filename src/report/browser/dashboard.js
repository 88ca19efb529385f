// Fills the live page from the server's events. Runs in the browser, after charts.js; no imports.
(() => {
  const { drawChart } = window.metasimPage;
  const byId = (id) => document.getElementById(id);
  const [epochFact, mmdFact, scoreFact, leftFact] = byId('facts').getElementsByTagName('dd');
  /** Charts by id: { section, holder, spec, rows, drawn }. */
  const charts = new Map();
  /** Rows that have come, by chart: a chart may be drawn anew with other lines or axes. */
  const rows = new Map();

  function state(kind, text) {
    byId('state').dataset.state = kind;
    byId('state').textContent = text;
  }

  function duration(seconds) {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function number(value, digits) {
    return typeof value === 'number' ? value.toFixed(digits) : '–';
  }

  function reset() {
    for (const { drawn } of charts.values()) drawn.remove();
    charts.clear();
    rows.clear();
    byId('charts').replaceChildren();
    byId('stages').replaceChildren();
    byId('sheet').hidden = true;
    for (const fact of [epochFact, mmdFact, scoreFact, leftFact]) fact.textContent = '–';
  }

  function stage({ stage: name, label, fraction, detail, seconds, left }) {
    let item = byId(`stage-${name}`);
    if (!item) {
      item = document.createElement('li');
      item.id = `stage-${name}`;
      const bar = document.createElement('progress');
      bar.max = 1;
      bar.setAttribute('aria-label', label);
      const [title, text] = [document.createElement('span'), document.createElement('span')];
      title.className = 'name';
      title.textContent = label;
      text.className = 'detail';
      item.append(title, bar, text);
      // The stage before has ended, whether or not it said so.
      const before = byId('stages').lastElementChild;
      if (before) before.getElementsByTagName('progress')[0].value = 1;
      byId('stages').append(item);
    }
    item.getElementsByTagName('progress')[0].value = fraction;
    item.getElementsByClassName('detail')[0].textContent = `${detail ? `${detail}, ` : ''}${duration(seconds)}`;
    leftFact.textContent = left === null ? '–' : `about ${duration(left)}`;
  }

  /** The place of a heading's charts, made when its first one comes. */
  function section(heading, place, note) {
    const id = `charts-${heading}`;
    let found = byId(id);
    if (found) return found;
    const whole = document.createElement('section');
    const title = document.createElement('h2');
    title.textContent = heading;
    whole.append(title);
    if (note) {
      const text = document.createElement('p');
      text.textContent = note;
      whole.append(text);
    }
    found = document.createElement('div');
    found.id = id;
    found.className = 'plots';
    whole.append(found);
    whole.dataset.place = place;
    const later = [...byId('charts').children].find((other) => Number(other.dataset.place) > place);
    byId('charts').insertBefore(whole, later ?? null);
    return found;
  }

  function chart({ id, heading, place, note, spec }) {
    const known = charts.get(id);
    known?.drawn.remove();
    const holder = known?.holder ?? document.createElement('div');
    if (!known) {
      holder.className = 'chart';
      section(heading, place, note).append(holder);
    }
    charts.set(id, { holder, drawn: drawChart(holder, spec, rows.get(id) ?? []) });
  }

  function addRows({ charts: more }) {
    for (const [id, added] of Object.entries(more)) {
      rows.set(id, [...(rows.get(id) ?? []), ...added]);
      charts.get(id)?.drawn.append(added);
    }
  }

  function epoch({ epoch: step, mmd, score }) {
    epochFact.textContent = String(step);
    mmdFact.textContent = number(mmd, 4);
    scoreFact.textContent = number(score, 3);
  }

  function sheet({ epoch: step, source }) {
    const place = byId('sheet');
    place.hidden = false;
    const [picture] = place.getElementsByTagName('img');
    picture.onload = () => {
      picture.alt = `Contact sheet of meta-epoch ${step}`;
      place.getElementsByTagName('figcaption')[0].textContent =
        `Meta-epoch ${step}: scenes of the grammar, the same scenes after the transformer, target images.`;
    };
    picture.src = source;
  }

  const events = new EventSource('/events');
  events.onopen = () => state('live', 'live');
  events.onerror = () => state('lost', 'connection lost, trying again');
  const handlers = { reset, stage, chart, rows: addRows, epoch, sheet };
  for (const [name, handle] of Object.entries(handlers)) {
    events.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  events.addEventListener('end', (event) => {
    events.close();
    leftFact.textContent = '–';
    state('ended', JSON.parse(event.data).text);
  });
})();
