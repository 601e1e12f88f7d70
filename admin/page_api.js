/* The API, and the ways in which news arrive. */

const state = {
  status: null, backends: [], minutes: [],
  feed: new Map(),              /* the newest requests by number */
  running: new Map(),
  good: 0,                      /* when the last good answer ended */
  seen: false,                  /* something has arrived */
};
const FEED = 50;

class Fault extends Error {
  constructor(status, message, field = null, faults = null) {
    super(message);
    this.status = status;
    this.field = field;
    this.faults = faults;
  }
}

async function call(method, path, body) {
  const options = { method, headers: {}, cache: 'no-store',
    credentials: 'same-origin', signal: AbortSignal.timeout(30000) };
  if (method !== 'GET') {
    options.headers['content-type'] = 'application/json';
    if (body !== undefined) options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Fault(0, 'Spillway does not answer.');
  }
  const text = await answer.text().catch(() => '');
  let said = null;
  try {
    said = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new Fault(answer.status, `Not JSON: ${text.slice(0, 200)}`);
  }
  if (answer.ok) return said;
  const fault = new Fault(answer.status, said.error?.message ??
    `Spillway answered ${answer.status}.`, said.error?.field ?? null,
  said.faults ?? null);
  if (answer.status === 401 && path !== '/api/login') login.ask();
  throw fault;
}

/* A name as a part of a path; "order" has a meaning of its own there. */
const nameOf = (b) => (b.name === 'order' ? '%6Frder' :
  encodeURIComponent(b.name));

/* ---- log-in ------------------------------------------------------------ */

const login = {
  asked: false,

  ask() {
    if (login.asked) return;
    login.asked = true;
    live.stop();
    $('edit').close();
    $('page').hidden = true;
    $('lost').hidden = true;
    $('login').hidden = false;
    login.remember(false);
    live.say('locked');
    document.title = 'Log in - Spillway';
    $('login-token').focus();
  },

  async send(event) {
    event.preventDefault();
    const token = $('login-token');
    put($('login-fault'), '');
    try {
      if (token.value === '') throw new Fault(400, 'Type the token.');
      await call('POST', '/api/login', { token: token.value });
    } catch (e) {
      put($('login-fault'), e.status === 401 ?
        'That is not the token.' : e.message);
      token.setAttribute('aria-invalid', 'true');
      token.select();
      return;
    }
    token.value = '';
    token.removeAttribute('aria-invalid');
    login.asked = false;
    $('login').hidden = true;
    login.remember(true);
    live.start();
  },

  /* Only that there is a log-in to end, for pages opened later. */
  remember(is) {
    try {
      if (is) localStorage.setItem('spillway', 'in');
      else localStorage.removeItem('spillway');
    } catch {
      /* Storage may be off: then only this page knows. */
    }
    $('logout').hidden = !is;
  },

  remembered() {
    try {
      return localStorage.getItem('spillway') === 'in';
    } catch {
      return false;
    }
  },

  async out() {
    await call('POST', '/api/logout').catch(() => {});
    login.ask();
  },
};

/* ---- news -------------------------------------------------------------- */

const endOf = (r) => r.began_ms + (r.duration_ms ?? 0);

function keep(r) {
  state.feed.set(r.number, r);
  if (r.outcome === 'good') state.good = Math.max(state.good, endOf(r));
}

function take(part) {
  if (part.status) {
    const sums = JSON.stringify(part.status.totals);
    clock.skew = part.status.now_ms - Date.now();
    /* A start of its own: what was known of the one before is past. */
    if (state.status?.started_ms !== part.status.started_ms) {
      state.feed.clear();
      state.running.clear();
      state.good = 0;
    }
    state.status = part.status;
    if (part.status.minutes) {
      state.minutes = part.status.minutes;
      state.sums = sums;
    } else if (state.sums !== sums) {
      live.minutes();
    }
  }
  if (part.backends) {
    const at = now();
    state.backends = part.backends.map((b) => ({ ...b,
      until: b.wait_ms ? at + b.wait_ms : 0,
      models_down: (b.models_down ?? []).map((m) => ({ ...m,
        until: m.wait_ms ? at + m.wait_ms : 0 })) }));
  }
  if (part.requests) {
    for (const r of part.requests.requests) keep(r);
    /* An event may have told of an end since this was written. */
    state.running = new Map(part.requests.running.filter((r) =>
      !state.feed.has(r.number)).map((r) => [r.number, r]));
  }
  if (part.request) {
    const r = part.request;
    if (r.phase === 'done') {
      state.running.delete(r.number);
      keep(r);
    } else {
      state.running.set(r.number, r);
    }
  }
  const numbers = [...state.feed.keys()].sort((a, b) => b - a);
  for (const n of numbers.slice(FEED)) state.feed.delete(n);
  state.seen = true;
}

/* Many events may come at once: they are drawn together. */
function drawSoon() {
  state.due ??= setTimeout(() => {
    state.due = null;
    draw();
  }, 60);
}

/* The newest first. */
const finished = () => [...state.feed.values()]
  .sort((a, b) => b.number - a.number);

const live = {
  mode: 'start',                /* live, polling, lost, locked */
  source: null,
  timer: 0,
  last: 0,                      /* when news came last */
  words: { start: 'Connecting', live: 'Live', polling: 'Every 2 s',
    lost: 'Not connected', locked: 'Locked' },

  say(mode) {
    const before = live.mode;
    live.mode = mode;
    mark($('link'), 'data-mode', mode);
    put($('link-word'), live.words[mode]);
    if (before === 'lost' && mode !== 'lost') {
      $('lost').hidden = true;
      tell('The connection to Spillway is back.');
    }
    document.body.classList.toggle('stale', mode === 'lost');
  },

  lose(why) {
    if (live.mode !== 'lost') live.say('lost');
    if (login.asked) return;
    swap($('lost'), [why, live.last], () => [icon('down'),
      h('span', {}, h('strong', {}, why), live.last ? ' What you see is ' :
        '', live.last ? ticking('age', live.last) : '',
      live.last ? ' old. Trying again.' : ' Trying again.')]);
    $('lost').hidden = false;
    draw();
  },

  async load() {
    try {
      const [status, backends, requests] = await Promise.all([
        call('GET', '/api/status'), call('GET', '/api/backends'),
        call('GET', `/api/requests?limit=${FEED}`)]);
      live.last = now();
      live.say(live.source?.readyState === 1 ? 'live' : 'polling');
      $('page').hidden = false;
      take({ status, requests, ...backends });
      draw();
      return true;
    } catch (e) {
      if (e.status === 401) return false;
      live.lose(e.status === 0 ? 'The connection to Spillway is lost.' :
        e.message);
      return false;
    }
  },

  /*
   * Events bring the news; what they do not bring (the minutes), and
   * whether anybody is there, is asked now and then.  Without events, and
   * in a hidden page, asking is all there is: an open stream in each
   * forgotten tab would use up the connections that a browser allows.
   */
  async turn() {
    clearTimeout(live.timer);
    const ok = await live.load();
    if (login.asked) return;
    if (ok && !document.hidden && !live.source) live.listen();
    clearTimeout(live.timer);
    live.timer = setTimeout(live.turn, document.hidden ? 15000 :
      live.source?.readyState === 1 ? 10000 : 2000);
  },

  /* Events say that the figures changed; the minutes are asked for. */
  minutes() {
    live.asking ??= setTimeout(async () => {
      try {
        take({ status: await call('GET', '/api/status') });
        draw();
      } catch {
        /* The next turn tells. */
      }
      live.asking = null;
    }, 1000);
  },

  listen() {
    const source = new EventSource('/api/events');
    const began = Date.now();
    live.source = source;
    source.onopen = () => live.say('live');
    source.onerror = () => {
      source.close();
      if (live.source !== source) return;
      live.source = null;
      clearTimeout(live.timer);
      /* A stream that never lasts must not be asked for in a hurry. */
      live.timer = setTimeout(live.turn,
        live.mode === 'live' && Date.now() - began > 5000 ? 0 : 2000);
      if (live.mode === 'live') live.say('polling');
    };
    const on = (name, make) => source.addEventListener(name, (e) => {
      let said;
      try {
        said = JSON.parse(e.data);
      } catch {
        return;
      }
      live.last = now();
      take(make(said));
      drawSoon();
    });
    on('status', (x) => ({ status: x }));
    on('backends', (x) => ({ backends: x.backends ?? x }));
    on('request', (x) => ({ request: x }));
  },

  stop() {
    clearTimeout(live.timer);
    live.source?.close();
    live.source = null;
  },

  start() {
    live.stop();
    live.turn();
  },

  /* Seen or not. */
  turned() {
    if (login.asked) return;
    if (document.hidden) live.stop();
    live.turn();
  },
};
