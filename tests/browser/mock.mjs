/*
 * A stand-in for the admin API (docs/api.md) that serves the page's files
 * and keeps its world in plain objects which a test may change.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { top } from '../e2e/lib.mjs';

export const policy = "default-src 'none'; style-src 'self'; script-src " +
  "'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'";

/* The parts of a file of the page, as the build joins them. */
export function pageFile(kind) {
  const parts = execFileSync('sh', [`${top}/admin/embed`, '--list', kind])
    .toString().trim().split(/\s+/);
  return Buffer.concat(parts.map((p) => fs.readFileSync(`${top}/${p}`)));
}

export const B = (name, more = {}) => ({ name,
  base_url: `https://${name}.example.com`, api_type: 'claude', auth: 'auto',
  token: 'sk-a...9xyz', enabled: true, priority: null, weight: 1,
  model: null, models: [], requests_per_minute: 0, max_concurrent: 0,
  state: 'up', reason: '', wait_ms: 0, breaker: 'closed', score: 100,
  failures_in_row: 0, in_flight: 0, requests: 0, attempts: 0, failures: 0,
  limited: 0, success_rate: null, first_byte_p50_ms: null,
  first_byte_p95_ms: null, last_failure: '', last_failure_ms: null,
  input: 0, output: 0, models_down: [], ...more });

export const T = (backend, outcome, more = {}) => ({ backend, outcome,
  status: outcome === 'good' ? 200 : null, reason: '', translated: false,
  reused: true, connect_ms: 0, sent_ms: 1, head_ms: 80, ended_ms: 81,
  ...more });

export const R = (number, more = {}) => ({ number, id: `req_${number}`,
  began_ms: Date.now() - 5000, method: 'POST', path: '/v1/messages',
  client: 'anthropic', model: 'claude-opus-5', key: '', stream: true,
  phase: 'done', outcome: 'good', status: 200, backend: 'official',
  attempts: 1, first_byte_ms: 130, duration_ms: 900, age_ms: 0, input: 100,
  output: 20, cache_read: 0, cache_write: 0, reasoning: 0,
  stop: 'end_turn', lost: '', bytes_in: 2000, bytes_out: 900,
  tries: [T('official', 'good', { ended_ms: 900 })], ...more });

const S = () => ({ version: '0.3', now_ms: Date.now(),
  started_ms: Date.now() - 3 * 3600000, uptime_ms: 3 * 3600000,
  config: '/home/me/spillway.json', saves: true, demo: false,
  listen: 'http://127.0.0.1:3456', admin: 'http://127.0.0.1:8081',
  metrics: 'http://127.0.0.1:9090', strategy: 'failover', form: 'own',
  keys_needed: false, memory_bytes: 3500000,
  memory_limit_bytes: 536870912, connections: 3,
  totals: { requests: 0, good: 0, failed: 0, returned: 0, broken: 0,
    left: 0, retried: 0, limited: 0, refused: 0, running: 0, translated: 0,
    lost: 0, input: 0, output: 0, cache_read: 0, cache_write: 0,
    reasoning: 0 },
  first_byte_p50_ms: null, first_byte_p95_ms: null, minutes: [] });

class Mock {
  constructor(world) {
    this.status = S();
    this.backends = [];
    this.running = [];
    this.requests = [];
    this.token = null;
    this.calls = [];              /* [method, path, body] of the changes */
    this.faults = new Map();      /* path -> [status, answer] */
    this.events = true;
    this.tickets = new Map();
    this.streams = new Set();
    this.sockets = new Set();
    Object.assign(this, world);
    this.files = { '/': ['text/html', 'html'], '/page.css': ['text/css',
      'css'], '/page.js': ['text/javascript', 'js'] };
  }

  async listen(port = 0) {
    this.server = http.createServer((q, a) => this.serve(q, a));
    this.server.on('connection', (s) => {
      this.sockets.add(s);
      s.on('close', () => this.sockets.delete(s));
    });
    await new Promise((done) => this.server.listen(port, '127.0.0.1', done));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
    return this;
  }

  async close() {
    for (const s of this.sockets) s.destroy();
    await new Promise((done) => this.server.close(done));
  }

  emit(name, data) {
    for (const s of this.streams)
      s.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /* Tells the page what the world is like now. */
  news(...requests) {
    const { minutes, ...status } = { ...this.status, now_ms: Date.now() };
    this.emit('status', status);
    this.emit('backends', { backends: this.backends });
    for (const r of requests) this.emit('request', r);
  }

  async serve(q, a) {
    const url = new URL(q.url, 'http://x');
    const parts = [];
    for await (const b of q) parts.push(b);
    const text = Buffer.concat(parts).toString();
    const file = this.files[url.pathname];
    if (file) {
      a.writeHead(200, { 'content-type': `${file[0]}; charset=utf-8`,
        'content-security-policy': policy });
      a.end(pageFile(file[1]));
      return;
    }
    const say = (status, body, more = {}) => {
      a.writeHead(status, { 'content-type': 'application/json', ...more });
      a.end(body === undefined ? '' : JSON.stringify(body));
    };
    const no = (status, message, field = null) =>
      say(status, { error: { message, field } });
    const set = this.faults.get(`${q.method} ${url.pathname}`);
    if (set) return void say(...set);
    if (q.method !== 'GET') {
      if (!/^application\/json/.test(q.headers['content-type'] ?? ''))
        return void no(415, 'Changes need content-type: application/json');
      this.calls.push([q.method, url.pathname, text ? JSON.parse(text) :
        null]);
    }
    const body = text ? JSON.parse(text) : {};
    if (url.pathname === '/api/login') {
      if (body.token !== this.token) return void no(401, 'wrong token');
      return void say(204, undefined, { 'set-cookie':
        'mock=1; HttpOnly; SameSite=Strict; Path=/' });
    }
    if (url.pathname === '/api/logout')
      return void say(204, undefined, { 'set-cookie':
        'mock=; Max-Age=0; Path=/' });
    if (this.token && !/mock=1/.test(q.headers.cookie ?? ''))
      return void no(401, 'log in first');
    if (q.method === 'GET') return void this.read(url, say, no, a);
    this.write(q.method, url.pathname, body, say, no);
  }

  read(url, say, no, a) {
    const q = url.searchParams;
    if (url.pathname === '/api/status')
      return say(200, { ...this.status, now_ms: Date.now() });
    if (url.pathname === '/api/backends')
      return say(200, { backends: this.backends });
    if (url.pathname === '/api/config')
      return say(200, { config: { port: 3456, backends: this.backends.map(
        (b) => ({ name: b.name, base_url: b.base_url, token: b.token })) },
      effective: 'listens on 127.0.0.1:3456\nstrategy failover\n',
      template: '{}' });
    if (url.pathname === '/api/events') {
      if (!this.events) return no(500, 'no events');
      a.writeHead(200, { 'content-type': 'text/event-stream' });
      a.write(': hello\n\n');
      this.streams.add(a);
      a.on('close', () => this.streams.delete(a));
      return undefined;
    }
    if (url.pathname === '/api/requests') {
      const before = Number(q.get('before') ?? Infinity);
      const fits = (r) => r.number < before &&
        (!q.get('status') || r.outcome === q.get('status') ||
          `${String(r.status)[0]}xx` === q.get('status')) &&
        (!q.get('backend') || r.backend === q.get('backend') ||
          r.tries.some((t) => t.backend === q.get('backend'))) &&
        (!q.get('model') || r.model.includes(q.get('model'))) &&
        (!q.get('text') || JSON.stringify(r).toLowerCase()
          .includes(q.get('text').toLowerCase()));
      const list = this.requests.filter(fits)
        .sort((x, y) => y.number - x.number);
      const limit = Number(q.get('limit') ?? 50);
      return say(200, { running: q.has('before') ? [] : this.running,
        requests: list.slice(0, limit), more: list.length > limit });
    }
    const one = this.requests.find((r) =>
      url.pathname === `/api/requests/${r.id}`);
    return one ? say(200, one) : no(404, 'no such thing');
  }

  write(method, path, body, say, no) {
    const saved = this.status.saves ? { saved: true } :
      { saved: false, warning: 'There is no config file.' };
    if (path === '/api/backends' && method === 'POST') {
      if (this.backends.some((b) => b.name === body.name))
        return no(409, `the name "${body.name}" is taken`,
          `backends[${this.backends.length}].name`);
      if (!/^https?:\/\//.test(body.base_url))
        return no(400, 'must begin with http:// or https://',
          `backends[${this.backends.length}].base_url`);
      const b = B(body.name, { ...body, token: 'sk-n...0new' });
      this.backends.push(b);
      return say(201, { ...b, ...saved });
    }
    if (path === '/api/backends/order') {
      this.backends = body.names.map((n) =>
        this.backends.find((b) => b.name === n));
      return say(200, saved);
    }
    if (path === '/api/undo') {
      const [b, at] = this.tickets.get(body.undo);
      this.backends.splice(at, 0, b);
      return say(200, { ...b, ...saved });
    }
    if (path === '/api/reload') return say(200, { ok: true });
    const tested = { ok: true, status: 200, ms: 120, message: '12 models',
      models: [] };
    if (path === '/api/test') return say(200, tested);
    const m = /^\/api\/backends\/([^/]+)(?:\/(\w+))?$/.exec(path);
    const name = m && decodeURIComponent(m[1]);
    const at = this.backends.findIndex((b) => b.name === name);
    if (at < 0) return no(404, `no backend "${name}"`);
    const b = this.backends[at];
    if (m[2] === 'test') return say(200, tested);
    if (m[2] === 'enable') Object.assign(b, { enabled: true, state: 'up' });
    if (m[2] === 'disable')
      Object.assign(b, { enabled: false, state: 'disabled' });
    if (m[2] === 'clear') Object.assign(b, { state: 'up', reason: '',
      wait_ms: 0, breaker: 'closed', models_down: [] });
    if (method === 'DELETE') {
      this.backends.splice(at, 1);
      this.tickets.set(`t${at}`, [b, at]);
      return say(200, { deleted: b, position: at, undo: `t${at}`,
        ...saved });
    }
    if (method === 'PUT') {
      if (body.base_url !== undefined && !/^https?:/.test(body.base_url))
        return no(400, 'must begin with http:// or https://',
          `backends[${at}].base_url`);
      Object.assign(b, body);
    }
    return say(200, { ...b, ...saved });
  }
}

export const mock = (world, port) => new Mock(world).listen(port);

/* A busy hour: every state, every outcome, long and hostile texts. */
export function busy() {
  const t = Date.now();
  const minutes = [];
  for (let ago = 0; ago < 60; ago++) {
    if (ago > 41 && ago < 47) continue;
    const n = Math.round(14 + 9 * Math.sin(ago / 6) + (ago * 7919 % 5));
    const bad = ago > 22 && ago < 27 ? Math.round(n / 3) : ago % 17 === 0 ?
      1 : 0;
    minutes.push({ ago, requests: n, failed: bad, retried: bad * 2,
      limited: bad, input: n * 5200, output: n * 730,
      p50_ms: 320 + (ago * 7907 % 90) + bad * 30,
      p95_ms: 900 + (ago * 6007 % 500) + bad * 200 });
  }
  const backends = [
    B('official', { base_url: 'https://api.anthropic.com', in_flight: 2,
      requests: 842, attempts: 861, failures: 14, limited: 5,
      success_rate: 0.978, first_byte_p50_ms: 310, first_byte_p95_ms: 1220,
      last_failure: 'status 529: overloaded', last_failure_ms: t - 96000,
      input: 4200000, output: 612000, models_down: [{
        model: 'claude-opus-5', state: 'cooling', reason: 'status 429',
        wait_ms: 42000 }] }),
    B('reseller', { base_url: 'https://llm.example.com/anthropic',
      model: 'claude-sonnet-4-5', state: 'cooling', wait_ms: 372000,
      reason: 'status 429: rate limit reached for your tier',
      requests: 120, attempts: 155, failures: 9, limited: 26,
      success_rate: 0.774, first_byte_p50_ms: 480, first_byte_p95_ms: 2900,
      last_failure: 'status 429: rate limit reached for your tier',
      last_failure_ms: t - 48000, input: 640000, output: 88000 }),
    B('openai', { base_url: 'https://api.openai.com', api_type: 'openai',
      models: ['gpt-*', 'o3', 'o4-mini'], state: 'down', wait_ms: 21000,
      reason: '3 failures in a row, the last: connect: connection refused',
      breaker: 'open', failures_in_row: 3, score: 40, requests: 31,
      attempts: 40, failures: 9, success_rate: 0.775,
      first_byte_p50_ms: 260, first_byte_p95_ms: 700,
      last_failure: 'connect: connection refused',
      last_failure_ms: t - 9000, input: 91000, output: 22000 }),
    B('google', { base_url: 'https://generativelanguage.googleapis.com',
      api_type: 'gemini', state: 'trial', breaker: 'half-open',
      reason: 'one request is trying it', in_flight: 1, requests: 12,
      attempts: 14, failures: 2, success_rate: 0.857,
      first_byte_p50_ms: 210, first_byte_p95_ms: 460,
      last_failure: 'no answer within 30 s', last_failure_ms: t - 3600000,
      input: 30000, output: 9000 }),
    B('<b>spare</b> "quoted" / slashed', { enabled: false,
      state: 'disabled', base_url: 'http://10.0.0.7:8000/' +
        'a-very-long-path-that-goes-on-and-on/and-on/until-it-wraps' }),
  ];
  const fail = (b, more) => T(b, 'failed', { status: 529,
    reason: 'status 529: overloaded', ...more });
  const requests = [];
  for (let n = 1; n <= 130; n++)
    requests.push(R(n, { began_ms: t - (131 - n) * 11000,
      duration_ms: 700 + n * 13, first_byte_ms: 200 + n,
      model: n % 4 ? 'claude-opus-5' : 'gpt-4o', client: n % 4 ?
        'anthropic' : 'openai', key: n % 3 ? 'laptop' : '',
      backend: n % 5 ? 'official' : 'reseller', tries: [T(n % 5 ?
        'official' : 'reseller', 'good', { head_ms: 200 + n,
        ended_ms: 700 + n * 13 })] }));
  const put = (n, more) => Object.assign(requests[n - 1], more);
  put(130, { attempts: 2, backend: 'reseller', duration_ms: 4200,
    first_byte_ms: 640, cache_read: 41000, cache_write: 1200, input: 52310,
    output: 811, lost: 'top_k, cache_control', tries: [
      fail('official', { reused: false, connect_ms: 22, sent_ms: 24,
        head_ms: 210, ended_ms: 212 }),
      T('openai', 'skipped', { status: null, reason:
        'its breaker is open for 21 s', connect_ms: null, sent_ms: null,
      head_ms: null, ended_ms: null }),
      T('reseller', 'good', { translated: true, sent_ms: 214, head_ms: 640,
        connect_ms: 213, ended_ms: 4200 })] });
  put(129, { outcome: 'failed', status: 502, backend: '', attempts: 3,
    first_byte_ms: null, input: null, output: null, stop: '', tries: [
      fail('official'), fail('reseller', { status: 429, outcome: 'limited',
        reason: 'status 429: rate limit reached for your tier',
        sent_ms: 90, head_ms: 140, ended_ms: 141 }),
      fail('openai', { status: null, reason: 'connect: connection refused',
        connect_ms: 150, sent_ms: null, head_ms: null, ended_ms: 160 })] });
  put(127, { outcome: 'returned', status: 400, backend: 'official', tries: [
    T('official', 'returned', { status: 400,
      reason: 'status 400: max_tokens: <script>alert(1)</script>' })] });
  put(126, { outcome: 'broken', status: 200, tries: [T('official', 'broken',
    { status: 200, reason: 'the connection was reset after 41 events' })] });
  put(125, { outcome: 'left', status: 499, tries: [T('official', 'left')] });
  put(123, { outcome: 'limited', status: 429, backend: '', tries: [],
    first_byte_ms: null, input: null, output: null, key: 'laptop' });
  const running = [
    R(133, { phase: 'streaming', outcome: 'running', status: null,
      began_ms: t - 14000, duration_ms: null, tries: [T('official',
        'running')], key: 'laptop' }),
    R(134, { phase: 'answer', outcome: 'running', status: null,
      began_ms: t - 2300, duration_ms: null, first_byte_ms: null,
      tries: [fail('official'), T('google', 'running')] })];
  const status = { ...S(), minutes, connections: 7,
    first_byte_p50_ms: 330, first_byte_p95_ms: 1240,
    totals: { requests: 1042, good: 1009, failed: 9, returned: 11,
      broken: 2, left: 9, retried: 58, limited: 31, refused: 4, running: 2,
      translated: 12, lost: 1, input: 4961000, output: 731000,
      cache_read: 2890000, cache_write: 114000, reasoning: 0 } };
  return { status, backends, requests, running };
}
