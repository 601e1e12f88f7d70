/* The backends: how each one does, and what may be done with it. */

const states = {
  up: ['Up', 'up', 'good'],
  disabled: ['Disabled', 'disabled', 'off'],
  down: ['Down', 'down', 'bad'],
  trial: ['On trial', 'trial', 'warn'],
  cooling: ['Cooling down', 'cooling', 'warn'],
  limited: ['At its own limit', 'limited', 'warn'],
  full: ['Full', 'full', 'warn'],
};
const stateOf = (b) => states[b.state] ?? [b.state, 'warn', 'warn'];
const waits = { down: 'next trial in ', cooling: 'over in ',
  limited: 'free in ', full: 'free in ' };

const apis = { claude: 'Anthropic', anthropic: 'Anthropic',
  openai: 'OpenAI', gemini: 'Google', any: 'any API' };

const ways = {
  failover: 'The first that can answers; when it fails, the next takes over.',
  round_robin: 'They take turns; when one fails, the next takes over.',
  weighted_random: 'Shared at random by weight; when one fails, another ' +
    'takes over.',
  least_connections: 'The least busy one answers; when it fails, another ' +
    'takes over.',
  sticky: 'A conversation stays with its backend; when that fails, ' +
    'another takes over.',
};

const tests = new Map();        /* name -> what the last test said */

/* Does something that changes a backend, and says how that went. */
async function change(what, done, make) {
  try {
    const said = await make();
    if (said.warning && !state.warned) {
      state.warned = true;
      toast(`${done} ${said.warning}`, { level: 'warn' });
    } else if (done) {
      toast(done);
    }
    await live.load();
    return said;
  } catch (e) {
    if (e.status !== 401)
      toast(`${what}: ${e.message}`, { level: 'bad', ms: 20000 });
    return null;
  }
}

const to = (b, verb) => `/api/backends/${nameOf(b)}/${verb}`;

async function runTest(b) {
  tests.set(b.name, { busy: true });
  drawBackends();
  let said;
  try {
    said = await call('POST', to(b, 'test'));
  } catch (e) {
    said = { ok: false, message: e.message };
  }
  tests.set(b.name, said);
  drawBackends();
  tell(`Test of ${b.name}: ${testText(said)}`);
}

const testText = (t) => (t.busy ? 'Testing' : [t.ok ? 'Test passed' :
  'Test failed', t.message, t.ms ? took(t.ms) : null]
  .filter(Boolean).join(', '));

async function remove(b) {
  const place = state.backends.findIndex((x) => x.name === b.name);
  let said;
  try {
    said = await call('DELETE', `/api/backends/${nameOf(b)}`);
  } catch (e) {
    if (e.status !== 401)
      toast(`Not deleted: ${e.message}`, { level: 'bad', ms: 20000 });
    return;
  }
  tests.delete(b.name);
  await live.load();
  const left = state.backends[Math.min(place, state.backends.length - 1)];
  (left ? rowOf(left.name) : $('add'))?.querySelector?.('[data-act]')
    ?.focus();
  toast(`${b.name} is deleted.`, { label: 'Undo', ms: 60000,
    act: () => change('Not put back', `${b.name} is back.`,
      () => call('POST', '/api/undo', { undo: said.undo })) });
}

function rowOf(name) {
  return [...$('backends-rows').children].find((r) => r.key === name);
}

/* Puts `name` at place `index` of the list, and says where it stands. */
async function moveTo(name, index) {
  const names = state.backends.map((b) => b.name);
  const from = names.indexOf(name);
  if (from < 0 || index < 0 || index >= names.length || index === from)
    return;
  names.splice(index, 0, ...names.splice(from, 1));
  const before = state.backends;
  state.backends = names.map((n) => before.find((b) => b.name === n));
  drawBackends();
  const said = await change('Not moved', '', () =>
    call('PUT', '/api/backends/order', { names }));
  if (said) tell(`${name} is number ${index + 1} of ${names.length} now.`);
  else if (state.backends.map((b) => b.name).join() === names.join()) {
    state.backends = before;
    drawBackends();
  }
}

const step = (name, by) => moveTo(name,
  state.backends.findIndex((b) => b.name === name) + by);

/* ---- rows -------------------------------------------------------------- */

function cell(name, label, ...children) {
  return h('td', { role: 'cell', class: name, 'data-label': label },
    ...children);
}

function button(act, symbol, word, on, extra = {}) {
  return h('button', { type: 'button', 'data-act': act, onclick: on,
    ...extra }, symbol ? icon(symbol) : null,
  h('span', { class: symbol ? 'lbl' : null }, word));
}

function makeBackend(first) {
  const row = h('tr', { role: 'row', class: 'backend' });
  const me = () => state.backends.find((b) => b.name === row.key) ?? first;
  const p = row.parts = {};
  const square = (act, symbol, word, on) => button(act, symbol, word, on,
    { class: 'square', title: word });
  p.grip = h('span', { class: 'grip', title: 'Drag to reorder' },
    icon('grip'));
  p.higher = square('higher', 'higher', 'Move up', () => step(row.key, -1));
  p.lower = square('lower', 'lower', 'Move down', () => step(row.key, 1));
  p.name = h('strong', { class: 'name' });
  p.tags = h('div', { class: 'tags' });
  p.url = h('div', { class: 'url quiet' });
  p.test = h('div', { class: 'tested' });
  p.state = h('div', { class: 'state' });
  p.why = h('div', { class: 'why' });
  p.flight = h('span');
  p.requests = h('span');
  p.share = h('span', { class: 'sub quiet' });
  p.rate = h('span');
  p.faults = h('span', { class: 'sub quiet' });
  p.first = h('span');
  p.tokens = h('span');
  p.failure = h('div', { class: 'failure' });
  p.toggle = button('toggle', null, '', () => {
    const b = me();
    change('Not changed', b.enabled ? `${b.name} is disabled: it gets no ` +
      'new requests.' : `${b.name} is enabled.`,
    () => call('POST', to(b, b.enabled ? 'disable' : 'enable')));
  });
  p.try = button('test', null, 'Test', () => runTest(me()),
    { title: 'One free call: asks for the list of models' });
  p.edit = button('edit', null, 'Edit', () => edit.open(me()));
  p.delete = button('delete', null, 'Delete', () => remove(me()));
  row.append(
    cell('order', null, p.grip, p.higher, p.lower),
    h('th', { role: 'rowheader', scope: 'row', class: 'who' }, p.name,
      p.tags, p.url, p.test),
    cell('is', 'State', p.state, p.why),
    cell('num', 'In flight', p.flight),
    cell('num', 'Answered', p.requests, p.share),
    cell('num', 'Success', p.rate, p.faults),
    cell('num first', 'First byte p50 / p95', p.first),
    cell('num', 'Tokens in / out', p.tokens),
    cell('last', 'Last failure', p.failure),
    cell('acts', null, h('div', {}, p.toggle, p.try, p.edit, p.delete)));
  row.addEventListener('keydown', (e) => {
    if (!e.altKey || !/^Arrow(Up|Down)$/.test(e.key)) return;
    e.preventDefault();
    step(row.key, e.key === 'ArrowUp' ? -1 : 1);
  });
  dragging(row, p.grip);
  return row;
}

let dragged = null;

function dragging(row, grip) {
  grip.addEventListener('pointerdown', () => { row.draggable = true; });
  grip.addEventListener('pointerup', () => { row.draggable = false; });
  row.addEventListener('dragstart', (e) => {
    dragged = row.key;
    e.dataTransfer.effectAllowed = 'move';
    e.dataTransfer.setData('text/plain', row.key);
    row.classList.add('dragged');
  });
  row.addEventListener('dragend', () => {
    dragged = null;
    row.draggable = false;
    row.classList.remove('dragged');
  });
  row.addEventListener('dragover', (e) => {
    if (dragged === null) return;
    e.preventDefault();
    row.classList.toggle('target', dragged !== row.key);
  });
  row.addEventListener('dragleave', () => row.classList.remove('target'));
  row.addEventListener('drop', (e) => {
    e.preventDefault();
    row.classList.remove('target');
    if (dragged !== null)
      moveTo(dragged, state.backends.findIndex((b) => b.name === row.key));
  });
}

function tagsOf(b) {
  const models = Array.isArray(b.models) ? b.models :
    Object.keys(b.models ?? {});
  return [apis[b.api_type] ?? b.api_type,
    known(b.priority) ? `priority ${b.priority}` : null,
    state.status?.strategy === 'weighted_random' ? `weight ${b.weight}` :
      null,
    b.model ? `always ${b.model}` : null,
    models.length ? `only ${models.slice(0, 2).join(', ')}${
      models.length > 2 ? ` and ${models.length - 2} more` : ''}` : null,
    b.requests_per_minute ? `${count(b.requests_per_minute)} a minute` : null,
    b.max_concurrent ? `${count(b.max_concurrent)} at a time` : null]
    .filter(Boolean);
}

/* Why it is as it is, and how long still. */
function whyOf(row, b) {
  const p = row.parts;
  const closed = !b.breaker || b.breaker === 'closed';
  const low = known(b.score) && b.score < 100;
  const facts = [
    closed || /breaker/.test(b.reason) ? null : `breaker ${b.breaker}`,
    low ? `score ${b.score}` : null,
    closed && b.state === 'up' && b.failures_in_row ?
      `${plural(b.failures_in_row, 'failure')} in a row` : null,
  ].filter(Boolean).join(', ');
  const clears = ['down', 'cooling', 'trial'].includes(b.state) ||
    b.models_down.length > 0;
  swap(p.why, [b.state, b.reason, b.until, facts, b.models_down], () => [
    b.reason ? h('div', {}, b.reason) : null,
    b.until ? h('div', { class: 'count' }, waits[b.state] ?? 'for ',
      ticking('left', b.until)) : null,
    facts ? h('div', { class: 'quiet' }, facts) : null,
    b.models_down.map((m) => h('div', { class: 'quiet' }, icon('cooling'),
      ` ${m.model}: ${m.reason}`, m.until ? ', over in ' : '',
      m.until ? ticking('left', m.until) : '')),
    clears ? h('button', { type: 'button', class: 'small',
      'data-act': 'clear', 'aria-label': `Use it again now: ${b.name}`,
      onclick: async () => {
        await change('Not changed', `${b.name} is used again.`,
          () => call('POST', to(b, 'clear')));
        if (document.activeElement === document.body) p.toggle.focus();
      } }, 'Use it again now') : null]);
}

function updateBackend(row, b) {
  const p = row.parts;
  const [word, symbol, level] = stateOf(b);
  const all = state.backends.reduce((n, x) => n + (x.requests ?? 0), 0);
  const place = state.backends.indexOf(b);
  mark(row, 'data-level', level);
  put(p.name, b.name);
  swap(p.tags, tagsOf(b), () => tagsOf(b).map((t) =>
    h('span', { class: 'tag' }, t)));
  put(p.url, b.base_url ?? '');
  const t = tests.get(b.name);
  swap(p.test, t ?? null, () => (!t ? [] : [icon(t.busy ? 'busy' : t.ok ?
    'up' : 'down'), h('span', {}, testText(t))]));
  mark(p.test, 'data-level', !t || t.busy ? null : t.ok ? 'good' : 'bad');
  swap(p.state, b.state, () => [icon(symbol), h('span', {}, word)]);
  whyOf(row, b);
  put(p.flight, count(b.in_flight));
  put(p.requests, count(b.requests));
  put(p.share, all && b.requests ? `${percent(b.requests / all)} of all` :
    '');
  put(p.rate, percent(b.success_rate));
  put(p.faults, [b.failures ? `${count(b.failures)} failed` : null,
    b.limited ? `${count(b.limited)} limited` : null].filter(Boolean)
    .join(', '));
  put(p.first, known(b.first_byte_p50_ms) ?
    `${took(b.first_byte_p50_ms)} / ${took(b.first_byte_p95_ms)}` : NONE);
  put(p.tokens, b.input || b.output ?
    `${count(b.input)} / ${count(b.output)}` : NONE);
  swap(p.failure, [b.last_failure, b.last_failure_ms], () =>
    (!b.last_failure ? [NONE] : [h('div', {}, b.last_failure),
      known(b.last_failure_ms) ? h('div', { class: 'quiet' },
        ticking('ago', b.last_failure_ms)) : null]));
  for (const td of row.children)
    mark(td, 'data-none', td.textContent === NONE && '');
  put(p.toggle.lastChild, b.enabled ? 'Disable' : 'Enable');
  mark(p.higher, 'aria-disabled', place === 0);
  mark(p.lower, 'aria-disabled', place === state.backends.length - 1);
  for (const [part, words] of [['higher', 'Move up: '],
    ['lower', 'Move down: '], ['toggle', b.enabled ? 'Disable ' : 'Enable '],
    ['try', 'Test '], ['edit', 'Edit '], ['delete', 'Delete ']])
    mark(p[part], 'aria-label', words + b.name);
}

let told = null;                /* name -> state, as last told */

function drawBackends() {
  const list = state.backends;
  $('backends-table').hidden = list.length === 0;
  $('backends-empty').hidden = list.length > 0;
  const how = list.length < 2 ? '' : ways[state.status?.strategy] ?? '';
  const ranks = list.some((b) => known(b.priority));
  swap($('backends-how'), [how, ranks], () => [how, !how ? null : ranks ?
    ' A lower priority comes first, whatever the order here.' :
    h('span', { class: 'keys' },
      ' Drag, or Alt and arrow keys, change the order.')]);
  sync($('backends-rows'), list, (b) => b.name, makeBackend, updateBackend);
  const is = new Map(list.map((b) => [b.name, b.state]));
  if (told) {
    const news = list.filter((b) => told.has(b.name) &&
      told.get(b.name) !== b.state).map((b) =>
      `${b.name}: ${stateOf(b)[0]}${b.reason ? `, ${b.reason}` : ''}`);
    if (news.length) tell(news.join('. '));
  }
  told = is;
}
