/* Requests: those that run, those that ended, and what became of each. */

const outcomes = {
  good: ['Answered', 'up', 'good'],
  failed: ['Failed', 'down', 'bad'],
  limited: ['Rate limited', 'limited', 'warn'],
  returned: ['Error returned', 'back', 'warn'],
  broken: ['Broke off', 'warn', 'bad'],
  left: ['Client left', 'left', 'off'],
  skipped: ['Skipped', 'skip', 'off'],
  running: ['Running', 'busy', 'off'],
};
const outcomeOf = (x) => outcomes[x.outcome] ?? [x.outcome, 'warn', 'warn'];

const phases = { waiting: 'Waiting', connecting: 'Connecting',
  sending: 'Sending', answer: 'Waiting for the answer',
  holding: 'Checking the answer', streaming: 'Streaming', done: 'Done' };

const clients = { anthropic: 'Anthropic', openai: 'OpenAI',
  responses: 'OpenAI Responses', gemini: 'Google', any: 'any' };

const view = {
  filter: '',                   /* the query of the filters; '' none */
  found: [],                    /* under a filter: all that was loaded */
  older: [],                    /* without one: beyond the feed */
  more: true,
  open: new Map(),              /* number -> its record, or null */
  turn: 0,                      /* the last question: older answers are late */
  timer: 0,
};

/* ---- lists ------------------------------------------------------------- */

function listed() {
  if (view.filter) return view.found;
  const feed = finished();
  const last = feed.length ? feed[feed.length - 1].number : 0;
  return feed.concat(view.older.filter((r) => r.number < last));
}

function readFilter() {
  const q = new URLSearchParams();
  for (const name of ['status', 'backend', 'model', 'text']) {
    const value = $(`f-${name}`).value.trim();
    if (value) q.set(name, value);
  }
  return q.toString();
}

async function ask(before) {
  const turn = ++view.turn;
  const q = new URLSearchParams(view.filter);
  q.set('limit', FEED);
  if (before) q.set('before', before);
  try {
    const said = await call('GET', `/api/requests?${q}`);
    if (turn !== view.turn) return;
    put($('requests-fault'), '');
    if (!before) view.found = said.requests;
    else if (view.filter) view.found = view.found.concat(said.requests);
    else view.older = view.older.concat(said.requests);
    view.more = said.more;
  } catch (e) {
    if (turn === view.turn && e.status > 0 && e.status !== 401)
      put($('requests-fault'), e.message);
  }
  drawRequests();
}

async function filtered() {
  view.filter = readFilter();
  view.older = [];
  view.more = true;
  $('f-clear').hidden = view.filter === '';
  if (view.filter) {
    await ask(0);
    tell(`${plural(view.found.length, 'request')} found`);
  } else {
    view.turn++;
    put($('requests-fault'), '');
    drawRequests();
  }
}

function soon(ms) {
  clearTimeout(view.timer);
  view.timer = setTimeout(filtered, ms);
}

/* Under a filter, news are asked for again, at most once in two seconds. */
function refreshFound() {
  const newest = finished()[0]?.number ?? 0;
  if (!view.filter || newest === view.newest || view.found.length > FEED ||
    now() - (view.asked ?? 0) < 2000) return;
  view.newest = newest;
  view.asked = now();
  ask(0);
}

/* ---- one request ------------------------------------------------------- */

/* Who was asked, in order: failed ones crossed out by an icon and a word. */
function path(r) {
  const tries = (r.tries ?? []).filter((t) => t.outcome !== 'skipped');
  if (tries.length === 0)
    return [h('span', { class: 'quiet' }, r.backend || 'nobody')];
  const out = [];
  const some = tries.length > 4 ? tries.slice(-4) : tries;
  if (some !== tries)
    out.push(h('span', { class: 'quiet' }, `${tries.length - 4} more, `));
  some.forEach((t, i) => {
    const [word, symbol, level] = outcomeOf(t);
    out.push(h('span', { class: 'try', 'data-level': level },
      i ? icon('next') : null, t.outcome === 'good' ? null : icon(symbol),
      h('span', {}, t.backend), h('span', { class: 'unseen' },
        ` (${word})${i < some.length - 1 ? ', then ' : ''}`)));
  });
  return out;
}

const last = (list) => list[list.length - 1];
const faultOf = (r) => (r.tries ?? []).findLast((t) => t.reason &&
  !['good', 'skipped'].includes(t.outcome)) ??
  (r.tries ?? []).findLast((t) => t.reason && t.outcome !== 'good');

function makeRequest(r) {
  const open = h('button', { type: 'button', class: 'plain open',
    'aria-expanded': 'false' }, icon('open'));
  const row = h('tr', { role: 'row', class: 'request' });
  const p = row.parts = { open };
  p.when = h('span');
  p.outcome = h('div', { class: 'state' });
  p.reason = h('div', { class: 'sub quiet' });
  p.model = h('span', { class: 'model' });
  p.path = h('div', { class: 'path' });
  p.first = h('span');
  p.took = h('span');
  p.tokens = h('span');
  p.client = h('span');
  p.name = h('span', { class: 'unseen' });
  open.append(p.when, p.name);
  row.append(
    h('th', { role: 'rowheader', scope: 'row', class: 'when' }, open),
    cell('is', 'Outcome', p.outcome, p.reason),
    cell('what', 'Model', p.model),
    cell('asked', 'Backends asked', p.path),
    cell('num', 'First byte', p.first),
    cell('num', 'Took', p.took),
    cell('num', 'Tokens in / out', p.tokens),
    cell('client', 'Client', p.client));
  const turn = () => {
    if (view.open.has(row.key)) view.open.delete(row.key);
    else view.open.set(row.key, null);
    drawRequests();
  };
  open.addEventListener('click', (e) => {
    e.stopPropagation();
    turn();
  });
  row.addEventListener('click', () => {
    if (getSelection().isCollapsed) turn();
  });
  return row;
}

function updateRequest(row, r) {
  const p = row.parts;
  const [word, symbol, level] = outcomeOf(r);
  mark(row, 'data-level', level);
  const shown = view.open.has(r.number);
  mark(p.open, 'aria-expanded', String(shown));
  mark(p.open, 'aria-controls', shown && `r-${r.number}`);
  swap(p.when, [r.began_ms, r.duration_ms], () =>
    [ticking('ago', endOf(r))]);
  put(p.name, ` Request ${r.number}, ${r.model || r.path}, ${word}`);
  swap(p.outcome, [r.outcome, r.status], () => [icon(symbol),
    h('span', {}, word), r.status && r.outcome !== 'left' ?
      h('span', { class: 'code-tag' }, String(r.status)) : null]);
  const fault = r.outcome === 'good' ? null : faultOf(r);
  put(p.reason, fault ? fault.reason : r.outcome === 'good' &&
    r.attempts > 1 ? `after ${plural(r.attempts, 'attempt')}` : '');
  put(p.model, r.model || r.path || '');
  swap(p.path, r.tries ?? r.backend, () => path(r));
  put(p.first, took(r.first_byte_ms));
  put(p.took, took(r.duration_ms));
  put(p.tokens, known(r.input) || known(r.output) ?
    `${count(r.input)} / ${count(r.output)}` : NONE);
  put(p.client, [clients[r.client] ?? r.client, r.key].filter(Boolean)
    .join(', '));
}

/* ---- its details ------------------------------------------------------- */

/* The parts of an attempt over the time of the whole request. */
function band(t, from, all) {
  const parts = [['connect', t.connect_ms], ['send', t.sent_ms],
    ['wait', t.head_ms], ['read', t.ended_ms]];
  const out = svg('svg', { class: 'band', viewBox: '0 0 1000 10',
    preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  let at = from;
  for (const [name, end] of parts) {
    if (!known(end) || end < at || (end === 0 && at > 0)) continue;
    out.append(svg('rect', { class: `b-${name}`, x: at / all * 1000, y: 0,
      width: Math.max(2, (end - at) / all * 1000), height: 10 }));
    at = end;
  }
  return out;
}

/* The same in words: how long each part took. */
function timesOf(t, from) {
  const words = [];
  let at = from;
  const add = (end, word) => {
    if (!known(end) || end < at || (end === 0 && at > 0)) return;
    if (end > at) words.push(`${word} ${took(end - at)}`);
    at = end;
  };
  if (t.reused) words.push('open connection');
  add(t.connect_ms, 'connected in');
  add(t.sent_ms, 'sent in');
  add(t.head_ms, 'answer began after');
  add(t.ended_ms, known(t.head_ms) && t.head_ms ? 'then' : 'ended after');
  if (!known(t.ended_ms)) words.push('not over yet');
  else if (t.ended_ms === from) words.push('took less than 1 ms');
  return words.join(', ');
}

function attempts(r) {
  const tries = r.tries ?? [];
  if (tries.length === 0)
    return h('p', { class: 'quiet' }, 'No backend was asked.');
  const all = Math.max(r.duration_ms ?? 0, ...tries.map((t) =>
    t.ended_ms ?? t.head_ms ?? 0), 1);
  let from = 0;
  return h('ol', { class: 'attempts' }, tries.map((t) => {
    const [word, symbol, level] = outcomeOf(t);
    const began = from;
    if (t.outcome !== 'skipped') from = t.ended_ms ?? from;
    return h('li', { 'data-level': level },
      h('div', { class: 'state' }, icon(symbol), h('strong', {}, t.backend),
        h('span', {}, word), t.status ? h('span', { class: 'code-tag' },
          String(t.status)) : null, t.translated ?
          h('span', { class: 'tag' }, 'translated') : null),
      t.outcome === 'skipped' ? null : band(t, began, all),
      h('div', { class: 'quiet' }, t.reason ? h('span', { class: 'reason' },
        t.reason) : null, t.outcome === 'skipped' ? null :
        h('span', {}, timesOf(t, began))));
  }));
}

function facts(r) {
  const rows = [
    ['Began', dayTime(r.began_ms)],
    ['Asked for', `${r.method} ${r.path}`],
    ['Request id', r.id],
    ['Client', [clients[r.client] ?? r.client, r.stream ? 'stream' :
      'not a stream', r.key ? `key ${r.key}` : null].filter(Boolean)
      .join(', ')],
    ['Tokens', known(r.input) || known(r.output) ? [
      `${count(r.input)} in`, `${count(r.output)} out`,
      r.cache_read ? `${count(r.cache_read)} read from the cache` : null,
      r.cache_write ? `${count(r.cache_write)} written to the cache` : null,
      r.reasoning ? `${count(r.reasoning)} for reasoning` : null]
      .filter(Boolean).join(', ') : 'not told'],
    ['Bytes', `${count(r.bytes_in)} in, ${count(r.bytes_out)} out`],
    r.stop ? ['Stopped because', r.stop] : null,
    r.lost ? ['Lost in translation', r.lost] : null,
  ];
  return h('dl', { class: 'facts' }, rows.filter(Boolean).map(([k, v]) =>
    h('div', {}, h('dt', {}, k), h('dd', {}, v))));
}

async function showRecord(r) {
  let said;
  try {
    said = (await call('GET', `/api/requests/${encodeURIComponent(r.id)}`))
      .record ?? null;
    if (said?.length === 0) said = null;
  } catch (e) {
    if (e.status === 401) return;
    said = e.message;
  }
  view.open.set(r.number, said ?? 'There is no record of it: records are ' +
    'kept if logging.log_directory is set in the config.');
  drawRequests();
  document.querySelector(`#r-${r.number} pre`)?.focus();
}

function makeDetail(r) {
  return h('tr', { role: 'row', class: 'detail', id: `r-${r.number}` },
    h('td', { role: 'cell', colspan: 8 }));
}

function updateDetail(row, r) {
  const record = view.open.get(r.number);
  swap(row.firstChild, [r, record], () => [
    h('h3', {}, 'Attempts'), attempts(r), facts(r),
    record === null ? h('button', { type: 'button', class: 'small',
      'data-act': 'record', onclick: () => showRecord(r) },
    'Headers and bodies') :
      typeof record === 'string' ? h('p', { class: 'quiet' }, record) :
        h('div', { class: 'code' }, h('pre', { tabindex: '0',
          role: 'region', 'aria-label': 'The record' },
        JSON.stringify(record, null, 2)))]);
}

/* ---- all of it --------------------------------------------------------- */

function makeRunning() {
  const row = h('li', {});
  const p = row.parts = { phase: h('div', { class: 'state' }),
    what: h('div', { class: 'what' }), age: h('span') };
  row.append(p.phase, p.what, h('div', { class: 'age' }, p.age));
  return row;
}

function updateRunning(row, r) {
  const p = row.parts;
  swap(p.phase, r.phase, () => [icon('busy'), h('span', {},
    phases[r.phase] ?? r.phase)]);
  swap(p.what, [r.model, r.path, r.tries, r.key], () => [
    h('strong', {}, r.model || r.path), h('span', { class: 'path' },
      path(r)), r.key ? h('span', { class: 'quiet' }, `key ${r.key}`) :
      null]);
  swap(p.age, r.began_ms, () => [ticking('age', r.began_ms)]);
}

function drawFilter() {
  const names = state.backends.map((b) => b.name);
  const select = $('f-backend');
  const chosen = select.value;
  swap(select, names, () => [h('option', { value: '' }, 'All'),
    ...names.map((n) => h('option', { value: n }, n))]);
  if (select.value !== chosen) select.value = names.includes(chosen) ?
    chosen : '';
}

function drawRequests() {
  const running = [...state.running.values()]
    .sort((a, b) => a.number - b.number);
  $('running-part').hidden = running.length === 0;
  sync($('running'), running, (r) => r.number, makeRunning, updateRunning);
  drawFilter();
  const list = listed();
  $('requests-table').hidden = list.length === 0;
  $('filter').hidden = list.length === 0 && !view.filter;
  const empty = $('requests-empty');
  empty.hidden = list.length > 0;
  swap(empty, view.filter, () => (view.filter ?
    [h('p', {}, h('strong', {}, 'Nothing fits these filters.'))] :
    [h('p', {}, h('strong', {}, 'No request has come yet.')),
      h('p', {}, state.backends.length ? 'Point a client at Spillway, as ' +
        'shown above; each request then appears here, with every attempt.' :
        'Add a backend first; then point your clients at Spillway.')]));
  put($('requests-how'), list.length === 0 ? '' : view.filter ?
    `${plural(list.length, 'request')} shown that fit the filters` :
    `The last ${count(list.length)}. Open one to see every attempt.`);
  const rows = list.flatMap((r) => (view.open.has(r.number) ?
    [[r, 0], [r, 1]] : [[r, 0]]));
  sync($('requests-rows'), rows,
    ([r, detail]) => (detail ? -r.number : r.number),
    ([r, detail]) => (detail ? makeDetail(r) : makeRequest(r)),
    (row, [r, detail]) => (detail ? updateDetail(row, r) :
      updateRequest(row, r)));
  $('older').hidden = list.length < FEED || !view.more;
}

function startRequests() {
  $('filter').addEventListener('submit', (e) => {
    e.preventDefault();
    soon(0);
  });
  $('filter').addEventListener('input', () => soon(250));
  $('filter').addEventListener('reset', () => soon(0));
  $('older').addEventListener('click', () => {
    const list = listed();
    if (list.length) ask(last(list).number);
  });
}
