/* The last hour, minute by minute, as three charts and one table. */

const HOUR = 60;
const AT = { left: 44, right: 8, top: 10, bottom: 20, height: 150 };

const figures = [
  { id: 'requests', title: 'Requests a minute', unit: count, bars: true,
    nothing: 'No request in the last hour.',
    series: [
      { name: 'answered', look: 'a', of: (m) => m.requests - m.failed },
      { name: 'failed', look: 'bad', of: (m) => m.failed }],
    sum: (a, b) => `${plural(a + b, 'request')}, ${count(b)} failed` },
  { id: 'first', title: 'Time to the first byte',
    unit: (ms) => (ms ? took(ms) : '0'),
    nothing: 'No answer in the last hour.',
    series: [
      { name: 'typical (p50)', look: 'a', of: (m) => m.p50_ms },
      { name: 'slow (p95)', look: 'b', of: (m) => m.p95_ms }],
    sum: null },
  { id: 'tokens', title: 'Tokens a minute', unit: count, bars: true,
    nothing: 'No tokens in the last hour.',
    series: [
      { name: 'in', look: 'a', of: (m) => m.input },
      { name: 'out', look: 'b', of: (m) => m.output }],
    sum: (a, b) => `${count(a)} in, ${count(b)} out` },
];

/* A scale that ends at a round number. */
function roof(top) {
  if (top <= 4) return 4;         /* whole numbers at each line */
  const step = 10 ** Math.floor(Math.log10(top));
  for (const n of [1, 2, 4, 6, 8, 10])
    if (n * step >= top) return n * step;
  return top;
}

function hour() {
  const out = Array.from({ length: HOUR }, (_, i) => ({ ago: HOUR - 1 - i,
    requests: 0, failed: 0, retried: 0, limited: 0, input: 0, output: 0,
    p50_ms: null, p95_ms: null }));
  for (const m of state.minutes)
    if (m.ago >= 0 && m.ago < HOUR) out[HOUR - 1 - m.ago] = m;
  return out;
}

const minuteName = (m) => (m.ago === 0 ? 'this minute' :
  `${new Date(now() - m.ago * 60000).toLocaleTimeString('en-GB',
    { hour: '2-digit', minute: '2-digit' })}`);

/* Each figure's frame is made once, its drawing whenever it changes. */
function chartFrame(f) {
  const drawing = svg('svg', { class: 'chart', role: 'img' });
  const read = h('p', { class: 'read quiet' });
  const legend = h('ul', { class: 'legend' }, f.series.map((s) =>
    h('li', {}, h('span', { class: `key k-${s.look}${f.bars ? '' :
      ' stroke'}`, 'aria-hidden': 'true' }), s.name)));
  f.drawing = drawing;
  f.read = read;
  f.over = null;
  drawing.addEventListener('pointermove', (e) => {
    const box = drawing.getBoundingClientRect();
    const wide = box.width - AT.left - AT.right;
    const i = Math.floor((e.clientX - box.left - AT.left) / wide * HOUR);
    f.over = i >= 0 && i < HOUR ? i : null;
    chartRead(f);
  });
  drawing.addEventListener('pointerleave', () => {
    f.over = null;
    chartRead(f);
  });
  return h('figure', {}, h('figcaption', {}, h('h3', {}, f.title), legend),
    drawing, read);
}

function summary(f, minutes) {
  if (f.sum) {
    const [a, b] = f.series.map((s) => minutes.reduce((n, m) =>
      n + (s.of(m) ?? 0), 0));
    return f.sum(a, b);
  }
  const last = minutes.findLast((m) => m.p50_ms !== null);
  return last ? `${minuteName(last)}: ${took(last.p50_ms)} p50, ${
    took(last.p95_ms)} p95` : '';
}

function chartRead(f) {
  const minutes = f.minutes;
  f.drawing.querySelector('.over')?.remove();
  if (f.over === null) {
    put(f.read, f.empty ? '' : summary(f, minutes));
    return;
  }
  const m = minutes[f.over];
  const [a, b] = f.series.map((s) => s.of(m));
  put(f.read, `${minuteName(m)}: ${f.sum ? f.sum(a, b) : a === null ?
    'no answer' : `${took(a)} p50, ${took(b)} p95`}`);
  const step = (f.width - AT.left - AT.right) / HOUR;
  f.drawing.append(svg('rect', { class: 'over', width: step, y: AT.top,
    x: AT.left + f.over * step, height: AT.height - AT.top - AT.bottom }));
}

function bars(f, y, step) {
  const out = [];
  f.minutes.forEach((m, i) => {
    let from = 0;
    for (const s of f.series) {
      const n = s.of(m) ?? 0;
      if (n <= 0) continue;
      out.push(svg('rect', { class: `k-${s.look}`, y: y(from + n),
        x: AT.left + i * step + (step > 4 ? 1 : 0.25),
        width: Math.max(1, step - (step > 4 ? 2 : 0.5)),
        height: Math.max(1, y(from) - y(from + n)) }));
      from += n;
    }
  });
  return out;
}

/* Lines with gaps where nothing was measured; a lone minute is a dot. */
function lines(f, y, step) {
  const out = [];
  for (const s of f.series) {
    let path = '';
    let before = null;
    f.minutes.forEach((m, i) => {
      const n = s.of(m);
      if (n !== null) {
        const x = AT.left + (i + 0.5) * step;
        path += `${before === null ? 'M' : 'L'}${x.toFixed(1)} ${
          y(n).toFixed(1)}`;
        out.push(svg('circle', { class: `k-${s.look}`, cx: x, cy: y(n),
          r: 2 }));
      }
      before = n;
    });
    if (path) out.push(svg('path', { class: `curve k-${s.look}`, d: path }));
  }
  return out;
}

function drawChart(f) {
  const width = Math.max(220, Math.round(f.drawing.clientWidth));
  const look = JSON.stringify([width, f.minutes]);
  if (f.look === look) return;
  f.look = look;
  f.width = width;
  const tops = f.minutes.map((m) => (f.bars ? f.series.reduce((n, s) =>
    n + (s.of(m) ?? 0), 0) : Math.max(...f.series.map((s) => s.of(m) ?? 0))));
  const most = Math.max(...tops);
  f.empty = most === 0 && f.minutes.every((m) => !f.series.some((s) =>
    s.of(m)));
  const top = roof(most);
  const floor = AT.height - AT.bottom;
  const y = (n) => floor - n / top * (floor - AT.top);
  const step = (width - AT.left - AT.right) / HOUR;
  const parts = [];
  for (const n of f.empty ? [0] : [0, top / 2, top])
    parts.push(svg('line', { class: 'rule', x1: AT.left, y1: y(n),
      x2: width - AT.right, y2: y(n) }),
    svg('text', { x: AT.left - 6, y: y(n) + 4, 'text-anchor': 'end' },
      f.empty ? '' : f.unit(n)));
  for (const [at, word, anchor] of [[0, '1 h ago', 'start'],
    [30, '30 min', 'middle'], [60, 'now', 'end']])
    parts.push(svg('text', { x: AT.left + at * step, y: AT.height - 5,
      'text-anchor': anchor }, word));
  if (f.empty)
    parts.push(svg('text', { x: AT.left + 30 * step, y: AT.height / 2,
      'text-anchor': 'middle' }, f.nothing));
  mark(f.drawing, 'viewBox', `0 0 ${width} ${AT.height}`);
  mark(f.drawing, 'aria-label', f.empty ? f.nothing :
    `${f.title}, last hour: ${summary(f, f.minutes)}`);
  f.drawing.replaceChildren(...parts, ...f.bars ? bars(f, y, step) :
    lines(f, y, step));
  chartRead(f);
}

function drawFigures(minutes) {
  const some = minutes.filter((m) => m.requests || m.input || m.output ||
    m.retried || m.limited || m.p50_ms !== null).reverse();
  const heads = ['Minute', 'Requests', 'Failed', 'Retried', 'Rate limited',
    'First byte p50', 'p95', 'Tokens in', 'Tokens out'];
  swap($('figures-in'), some, () => (some.length === 0 ?
    [h('p', { class: 'quiet' }, 'Nothing happened in the last hour.')] :
    [h('table', { class: 'plain-table' },
      h('thead', {}, h('tr', {}, heads.map((t) =>
        h('th', { scope: 'col' }, t)))),
      h('tbody', {}, some.map((m) => h('tr', {},
        h('th', { scope: 'row' }, minuteName(m)),
        [m.requests, m.failed, m.retried, m.limited].map((n) =>
          h('td', {}, count(n))),
        [m.p50_ms, m.p95_ms].map((n) => h('td', {}, took(n))),
        [m.input, m.output].map((n) => h('td', {}, count(n)))))))]));
}

function drawCharts() {
  $('hour').hidden = state.minutes.length === 0 &&
    state.status.totals.requests === 0;
  if ($('hour').hidden) return;
  const minutes = hour();
  for (const f of figures) {
    f.minutes = minutes;
    drawChart(f);
  }
  if ($('figures').open) drawFigures(minutes);
}

function startCharts() {
  $('charts').append(...figures.map(chartFrame));
  new ResizeObserver(() => {
    if (state.seen) drawCharts();
  }).observe($('charts'));
  $('figures').addEventListener('toggle', drawCharts);
}
