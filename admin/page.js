/* The page: what it says at a glance, and how its parts come together. */

/* ---- is it working, who answers, what failed and why, what it costs ---- */

function judge() {
  const all = state.backends;
  const on = all.filter((b) => b.enabled);
  const up = on.filter((b) => b.state === 'up');
  const off = all.length - on.length;
  const recent = finished();
  const share = `${up.length} of ${plural(on.length, 'backend')} up${
    off ? `, ${off} disabled` : ''}`;
  if (all.length === 0)
    return ['none', 'warn', 'Not set up yet: there is no backend'];
  if (on.length === 0)
    return ['bad', 'disabled', 'Off: all backends are disabled'];
  if (up.length === 0)
    return on.some((b) => b.state === 'trial') ?
      ['warn', 'trial', `Recovering: ${share}`] :
      ['bad', 'down', `Not working: ${share}`];
  const ended = recent.filter((r) => r.outcome !== 'left').slice(0, 3);
  if (ended.length === 3 && ended.every((r) => r.outcome !== 'good'))
    return ['bad', 'warn', `Trouble: the last 3 requests got no answer, ` +
      `though ${share}`];
  return [up.length === on.length ? 'good' : 'warn', up.length === on.length ?
    'up' : 'warn', `${state.status.totals.requests ? 'Working' : 'Ready'}: ${
    share}`];
}

function drawState() {
  const lost = live.mode === 'lost';
  const [level, symbol, sentence] = lost ? ['none', 'warn',
    'Not known: Spillway does not answer'] : judge();
  mark($('say'), 'data-level', level);
  mark($('state-icon'), 'href', `#i-${symbol}`);
  const good = state.good;
  swap($('state'), [sentence, good], () => [sentence, good ?
    ', last answer ' : state.backends.length ? ', no answer yet' : '',
  good ? ticking('ago', good) : '']);
  document.title = `${lost ? 'Not connected' : sentence.split(':')[0]
  } - Spillway`;
  if (!lost) {
    if (drawState.told && drawState.told !== sentence) tell(sentence);
    drawState.told = sentence;
  }
  const s = state.status;
  const open = s.connections ? `${plural(s.connections, 'connection')
  } open, up` : 'Up';
  swap($('state-more'), [proxyUrl(), open, s.started_ms], () =>
    ['Clients connect to ', h('code', {}, proxyUrl()), `. ${open} for `,
      ticking('age', s.started_ms), '.']);
  const saves = s.saves === false && state.backends.length > 0;
  swap($('notice'), [s.demo, saves], () => [icon('warn'), h('span', {},
    s.demo ? 'This is the demo: built-in providers answer, and what you ' +
      'change here ends with it.' : 'There is no config file: what you ' +
      'change here is live at once, and ends with the program.')]);
  $('notice').hidden = !saves && !s.demo;
}

function drawWho() {
  const answered = finished().filter((r) => r.outcome === 'good' &&
    r.backend);
  const by = new Map();
  for (const r of answered)
    by.set(r.backend, (by.get(r.backend) ?? 0) + 1);
  const list = [...by].sort((a, b) => b[1] - a[1]);
  swap($('who'), list, () => {
    if (list.length === 0)
      return [h('p', { class: 'quiet' }, 'Nobody yet.')];
    const shown = list.slice(0, 3);
    const rest = list.length - shown.length;
    return [h('ul', { class: 'shares' }, shown.map(([name, n]) => h('li', {},
      h('span', { class: 'name' }, name), h('span', { class: 'sub' },
        percent(n / answered.length)),
      h('meter', { min: 0, max: answered.length, value: n, 'aria-label':
        `Share of ${name}` })))),
    h('p', { class: 'quiet' }, `of the last ${plural(answered.length,
      'answer')}${rest ? `; ${rest} more have a part` : ''}`)];
  });
}

/* The newest failure of all, and what became of that request. */
function drawFailed() {
  const r = finished().find((x) => ['failed', 'limited', 'broken',
    'returned'].includes(x.outcome) || (x.tries ?? []).some((t) =>
    ['failed', 'limited', 'broken'].includes(t.outcome)));
  const b = state.backends.filter((x) => known(x.last_failure_ms))
    .sort((x, y) => y.last_failure_ms - x.last_failure_ms)[0];
  const t = r && faultOf(r);
  swap($('failed'), [r?.number, b?.name, b?.last_failure_ms], () => {
    if (!r && !b) return [h('p', { class: 'quiet' }, 'Nothing so far.')];
    const at = r ? endOf(r) : b.last_failure_ms;
    const then = !r ? null : r.outcome === 'good' ?
      h('p', { class: 'after', 'data-level': 'good' }, icon('up'),
        h('span', {}, `${r.backend} answered instead`)) :
      h('p', { class: 'after', 'data-level': outcomeOf(r)[2] },
        icon(outcomeOf(r)[1]), h('span', {}, r.outcome === 'broken' ?
          'the answer broke off' : `the client got ${r.status}`));
    return [h('p', {}, h('strong', { class: 'name' }, r ? t?.backend ??
      (r.model || r.path) : b.name), ` ${r ? t?.reason ?? (r.status ?
      `status ${r.status}` : '') : b.last_failure}`), then,
    h('p', { class: 'quiet' }, ticking('ago', at))];
  });
}

function drawCost() {
  const t = state.status.totals;
  const all = state.minutes.reduce((x, m) => [x[0] + m.input, x[1] +
    m.output], [0, 0]);
  swap($('cost'), [t.input, t.output, t.cache_read, all], () => [
    h('p', {}, h('strong', {}, count(t.input)), ' tokens in, ',
      h('strong', {}, count(t.output)), ' out'),
    t.cache_read || t.cache_write ? h('p', { class: 'quiet' },
      `${count(t.cache_read)} read from the cache, ${
        count(t.cache_write)} written to it`) : null,
    h('p', { class: 'quiet' }, `since the start; in the last hour ${
      count(all[0])} in, ${count(all[1])} out`)]);
}

function drawTotals() {
  const s = state.status;
  const t = s.totals;
  const ended = t.good + t.failed + t.returned + t.broken;
  const tiles = [
    ['Requests', count(t.requests), t.running ? `${count(t.running)} running` :
      ''],
    ['Success rate', ended ? percent(t.good / ended) : NONE,
      `${count(t.good)} answered`],
    ['Failed', count(t.failed + t.broken), t.broken ?
      `${count(t.broken)} broke off` : t.returned ?
        `${count(t.returned)} errors returned` : '', t.failed + t.broken ?
      'bad' : null],
    ['Retried', count(t.retried), t.retried ? 'by another attempt' : ''],
    ['Rate limited', count(t.limited), t.refused ?
      `${count(t.refused)} by own limits` : ''],
    ['First byte', took(s.first_byte_p50_ms), known(s.first_byte_p95_ms) ?
      `p95 ${took(s.first_byte_p95_ms)}` : 'p50'],
    ['Tokens', `${count(t.input)} / ${count(t.output)}`, t.cache_read ?
      `${count(t.cache_read)} cached` : 'in / out'],
    ['Uptime', null, ''],
  ];
  const started = () => ticking('age', s.started_ms);
  swap($('totals'), [tiles, s.started_ms], () => tiles.map(([name, value,
    more, level]) => h('div', { 'data-level': level }, h('dt', {}, name),
    h('dd', {}, value ?? started(), h('span', { class: 'sub quiet' },
      more)))));
}

/* ---- how to connect ---------------------------------------------------- */

/* As a client reaches it: an address for all is not one to connect to. */
function proxyUrl() {
  const url = new URL(state.status.listen);
  if (['0.0.0.0', '[::]'].includes(url.hostname))
    url.hostname = location.hostname;
  return url.origin;
}

function drawConnect() {
  const s = state.status;
  const base = proxyUrl();
  const key = s.keys_needed ? 'YOUR_ACCESS_KEY' : 'any';
  const first = state.backends.length > 0 && s.totals.requests === 0;
  if (first && !drawConnect.hidden) $('connect').hidden = false;
  else if (!drawConnect.wanted) $('connect').hidden = true;
  $('connect-hide').hidden = first && !drawConnect.wanted;
  $('connect-show').hidden = !$('connect').hidden;
  put($('connect-why'), `${first ? 'No request has come yet. ' : ''}${
    s.keys_needed ? 'Clients need one of the access keys of the config in ' +
      'place of YOUR_ACCESS_KEY.' : 'No key is needed: whatever a client ' +
      'sends as its key is replaced by that of the backend.'}`);
  swap($('connect-list'), [base, key], () => [
    ['Claude Code', `ANTHROPIC_BASE_URL=${base} ANTHROPIC_API_KEY=${
      key} claude`],
    ['Anthropic SDK', `new Anthropic({ baseURL: '${base}', apiKey: '${
      key}' })`],
    ['OpenAI SDK', `new OpenAI({ baseURL: '${base}/v1', apiKey: '${
      key}' })`],
    ['Google SDK', `new GoogleGenAI({ apiKey: '${
      key}', httpOptions: { baseUrl: '${base}' } })`],
    ['Try it with curl', `curl ${base}/v1/messages -H 'content-type: ` +
      `application/json' -H 'anthropic-version: 2023-06-01' -H 'x-api-key: ${
        key}' -d '{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[` +
      `{"role":"user","content":"Hello"}]}'`],
  ].map(([name, text]) => h('div', {}, h('h3', {}, name),
    copyable(text, name))));
}

/* ---- settings ---------------------------------------------------------- */

async function loadConfig() {
  try {
    const said = await call('GET', '/api/config');
    put($('effective'), said.effective ?? '');
    put($('config'), JSON.stringify(said.config, null, 2));
  } catch (e) {
    if (e.status !== 401) put($('effective'), e.message);
  }
}

async function reload() {
  put($('reload-faults'), '');
  try {
    await call('POST', '/api/reload');
    toast('The file is read and in use.');
    if ($('settings').open || $('settings-file').open) loadConfig();
    await live.load();
  } catch (e) {
    if (e.status === 401) return;
    $('reload-faults').replaceChildren(h('p', {}, `${e.message} The config ` +
      'before it stays in use.'), h('ul', {}, (e.faults ?? []).map((f) =>
      h('li', {}, f))));
  }
}

function drawSettings() {
  const s = state.status;
  swap($('settings-how'), [s.config, s.strategy, s.demo, s.form], () =>
    (s.config ? ['From ', h('code', {}, s.config),
      s.saves ? '; changes made here are saved there.' : ''] :
      ['There is no config file.']));
  $('reload').hidden = !s.config;
  put($('version'), s.version);
  $('demo').hidden = !s.demo;
  const kib = Math.ceil((s.memory_bytes ?? 0) / 1024);
  const memory = kib < 10240 ? `${count(kib)} KiB` :
    `${count(Math.round(kib / 1024))} MiB`;
  swap($('about'), [s.version, memory, s.metrics], () => [`Spillway ${
    s.version}, ${memory} in buffers${s.metrics ? '. Figures for ' +
    'Prometheus: ' : ''}`,
    s.metrics ? h('code', {}, `${s.metrics}/metrics`) : '']);
}

/* ---- start ------------------------------------------------------------- */

function draw() {
  if (!state.status || login.asked) return;
  drawState();
  drawWho();
  drawFailed();
  drawCost();
  drawTotals();
  drawConnect();
  drawBackends();
  drawCharts();
  refreshFound();
  drawRequests();
  drawSettings();
}

function start() {
  edit.make();
  startCharts();
  startRequests();
  $('add').addEventListener('click', () => edit.open(null));
  $('login-form').addEventListener('submit', login.send);
  $('logout').addEventListener('click', login.out);
  $('reload').addEventListener('click', reload);
  for (const id of ['settings', 'settings-file'])
    $(id).addEventListener('toggle', () => {
      if ($(id).open) loadConfig();
    });
  $('connect-show').addEventListener('click', () => {
    drawConnect.wanted = true;
    $('connect').hidden = false;
    drawConnect();
    $('connect').scrollIntoView({ block: 'start' });
    $('connect-hide').focus({ preventScroll: true });
  });
  $('connect-hide').addEventListener('click', () => {
    drawConnect.wanted = false;
    $('connect').hidden = true;
    drawConnect();
    $('connect-show').focus();
  });
  document.addEventListener('visibilitychange', live.turned);
  setInterval(() => {
    if (!document.hidden) tick();
  }, 1000);
  $('logout').hidden = !login.remembered();
  live.start();
}

start();
