/* The admin API (docs/api.md): who may ask, what is shown, what changes. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { assert, freePort, table, test, until } from './lib.mjs';
import { ask, backend, errorBody, fails, good } from './say.mjs';

const json = 'application/json';
const secret = (name) => `tok-${name}-0123456789abcdef`;
const mask = 'tok-...cdef';
const enc = encodeURIComponent;

/* The binary with its dashboard; the config may be a text with {PORT} and
 * {ADMIN} in it. */
class Admin {
  constructor(t, sp, port) {
    Object.assign(this, { t, sp, port, host: `127.0.0.1:${port}` });
  }

  /* One call; what is undefined in headers is left out. */
  async call(method, target, body = undefined, headers = {}) {
    const h = { host: this.host, ...method !== 'GET' && method !== 'HEAD' &&
      { 'content-type': json }, ...headers };
    for (const n of Object.keys(h)) if (h[n] === undefined) delete h[n];
    const a = await this.t.ask(this.port, method, target, h, body);
    if (method !== 'HEAD' && /json/.test(a.headers['content-type'] ?? ''))
      a.data = a.json;
    return a;
  }

  async ok(method, target, body, status = 200) {
    const a = await this.call(method, target, body);
    assert.equal(a.status, status, `${method} ${target}: ${a.text}`);
    return a.data;
  }

  async refused(status, method, target, body, headers) {
    const a = await this.call(method, target, body, headers);
    assert.equal(a.status, status, `${method} ${target}: ${a.text}`);
    if (method === 'HEAD') return a;
    assert.equal(typeof a.data.error.message, 'string');
    assert.ok(a.data.error.message.length > 8, a.text);
    assert.ok('field' in a.data.error, a.text);
    return a;
  }

  async names() {
    return (await this.ok('GET', '/api/backends')).backends
      .map((b) => b.name);
  }

  async backend(name) {
    return (await this.ok('GET', '/api/backends')).backends
      .find((b) => b.name === name);
  }

  get text() { return fs.readFileSync(this.sp.file, 'utf8'); }

  /* Ends the process and starts another with the same file. */
  async restart() {
    await this.sp.stop();
    const { file, port } = this.sp;
    this.sp = this.t.run(['-c', file]);
    this.sp.file = file;
    await this.sp.listening(port);
    await this.sp.logs('dashboard on');
    return this;
  }

  /* A message through the proxy. */
  send(model = 'claude-sonnet-4-5') {
    return this.t.ask(this.sp, 'POST', '/v1/messages', {},
      ask.claude({ model }));
  }
}

async function admin(t, backends, more = {}, options = {}) {
  const port = await freePort();
  const sp = await t.proxy(backends, { metrics: { enabled: false }, ...more,
    web_admin: { port, ...more.web_admin } }, options);
  await sp.logs('dashboard on');
  return new Admin(t, sp, port);
}

async function adminText(t, text) {
  const [main, port] = [await freePort(), await freePort()];
  const sp = await t.start(text.replace('{PORT}', main)
    .replace('{ADMIN}', port), { port: main });
  await sp.logs('dashboard on');
  return new Admin(t, sp, port);
}

async function two(t, more, options) {
  const a = await t.provider(good());
  const b = await t.provider(good());
  const api = await admin(t, [backend('a', a, { priority: undefined }),
    backend('b', b, { priority: undefined })], more, options);
  return Object.assign(api, { a, b });
}

/* ---- who may ask ---- */

table('a stranger is refused', [
  { name: 'a name that was made to point here',
    headers: { host: 'evil.example:8081' } },
  { name: 'a name that begins well',
    headers: { host: '127.0.0.1.evil.example' } },
  { name: 'an address of the network', headers: { host: '192.0.2.1:8081' } },
  { name: 'another origin', headers: { origin: 'http://evil.example' } },
  { name: 'another port\'s page', headers: { origin: 'http://127.0.0.1:1' } },
  { name: 'a page without an origin', headers: { origin: 'null' } },
  { name: 'another site', headers: { 'sec-fetch-site': 'cross-site' } },
], async (t, { headers }) => {
  const api = await two(t);
  for (const [method, target] of [['GET', '/api/status'],
    ['GET', '/api/config'], ['GET', '/api/events'],
    ['POST', '/api/backends/a/disable'], ['DELETE', '/api/backends/a'],
    ['POST', '/api/nonsense']])
    await api.refused(403, method, target, undefined, headers);
  assert.equal((await api.backend('a')).enabled, true);
  assert.deepEqual(await api.names(), ['a', 'b']);
});

test('without Host nobody is served', async (t) => {
  const api = await two(t);
  const c = t.client(api.port);
  c.reader.heads.push('GET');
  c.send('GET /api/status HTTP/1.0\r\n\r\n');
  assert.equal((await c.answer()).status, 403);
});

test('the own origin, and every loopback name, may ask', async (t) => {
  const api = await two(t);
  for (const host of [api.host, 'localhost', `localhost:${api.port}`,
    `[::1]:${api.port}`, '127.1.2.3'])
    for (const origin of [undefined, `http://${host}`]) {
      const r = await api.call('POST', '/api/backends/a/clear', '{}',
        { host, origin });
      assert.equal(r.status, 200, `${host} ${origin}: ${r.text}`);
    }
});

test('a GET or HEAD changes nothing', async (t) => {
  const api = await two(t);
  const before = api.text;
  for (const method of ['GET', 'HEAD'])
    for (const target of ['/api/backends/a/disable', '/api/backends/a/test',
      '/api/backends/a', '/api/reload', '/api/undo', '/api/login',
      '/api/backends/order', '/api/test']) {
      const r = await api.call(method, target);
      assert.equal(r.status, 405, `${method} ${target}`);
      assert.match(r.headers.allow, /POST|PUT|DELETE/);
    }
  assert.equal(api.text, before);
  assert.equal((await api.backend('a')).enabled, true);
});

test('what is not JSON, by its name or in truth, is refused', async (t) => {
  const api = await two(t);
  const before = api.text;
  const body = JSON.stringify(backend('c', api.a));
  for (const type of [undefined, '', 'text/plain', 'application/jsonx',
    'application/x-www-form-urlencoded', 'multipart/form-data'])
    for (const [method, target] of [['POST', '/api/backends'],
      ['PUT', '/api/backends/a'], ['DELETE', '/api/backends/a'],
      ['POST', '/api/backends/a/disable'], ['POST', '/api/login'],
      ['POST', '/api/reload']])
      await api.refused(415, method, target, body,
        { 'content-type': type });
  for (const text of ['', '{', 'nonsense', '[]', '"a"', 'null', '{}x',
    '{"name":"c","name":"d"}', '{"na\\u006de":"c","name":"d"}',
    '{"name":"c",}', '// x\n{}', `${'['.repeat(600)}${']'.repeat(600)}`,
    Buffer.from('{"name":"\xff\xfe"}', 'latin1')]) {
    await api.refused(400, 'POST', '/api/backends', text);
    await api.refused(400, 'PUT', '/api/backends/a', text);
    await api.refused(400, 'POST', '/api/test', text);
    await api.refused(400, 'PUT', '/api/backends/order', text);
    await api.refused(400, 'POST', '/api/undo', text);
    await api.refused(400, 'POST', '/api/login', text);
  }
  await api.ok('POST', '/api/backends/a/clear', undefined);
  const r = await api.call('POST', '/api/backends/a/clear', '{}',
    { 'content-type': 'Application/JSON; charset=utf-8' });
  assert.equal(r.status, 200);
  assert.equal(api.text, before);
});

test('a body above 1 MiB is refused', async (t) => {
  const api = await two(t);
  const much = JSON.stringify({ name: 'x'.repeat(1 << 20) });
  await api.refused(413, 'POST', '/api/backends', much);
  await api.refused(413, 'PUT', '/api/backends/a', much);
  assert.deepEqual(await api.names(), ['a', 'b']);
});

test('paths and methods that are not there', async (t) => {
  const api = await two(t);
  for (const target of ['/api/', '/api/nonsense', '/api/status/',
    '/api//status', '/api/backends/', '/api/backends/a/b/c',
    '/api/backends/a/explode', '/nonsense', '/api/requests/nonsense'])
    await api.refused(404, 'GET', target);
  for (const [method, target, allow] of [
    ['POST', '/api/status', 'GET, HEAD'], ['PATCH', '/api/backends/a',
      'PUT, DELETE'], ['OPTIONS', '/api/backends', 'GET, HEAD, POST'],
    ['POST', '/', 'GET, HEAD'], ['TRACE', '/api/status', 'GET, HEAD']]) {
    const r = await api.refused(405, method, target);
    assert.equal(r.headers.allow, allow);
  }
  for (const [method, what] of [['PUT', ''], ['DELETE', ''],
    ['POST', '/enable'], ['POST', '/clear'], ['POST', '/test']])
    await api.refused(404, method, `/api/backends/none${what}`, '{}');
});

test('every answer has its guards, and HEAD no body', async (t) => {
  const api = await two(t);
  for (const [method, target] of [['GET', '/'], ['HEAD', '/'],
    ['GET', '/api/status'], ['HEAD', '/api/status'], ['HEAD', '/api/config'],
    ['GET', '/nonsense'], ['POST', '/api/status'],
    ['POST', '/api/logout']]) {
    const r = await api.call(method, target);
    assert.match(r.headers['content-security-policy'],
      /^default-src 'none'; .*frame-ancestors 'none'$/);
    assert.equal(r.headers['x-content-type-options'], 'nosniff');
    assert.equal(r.headers['referrer-policy'], 'no-referrer');
    assert.equal(r.headers['cache-control'], 'no-store');
    assert.equal(r.headers['access-control-allow-origin'], undefined);
    if (method === 'HEAD') {
      assert.equal(r.status, 200);
      assert.ok(Number(r.headers['content-length']) > 100);
      assert.equal(r.text, '');
    }
  }
  const page = await api.call('GET', '/');
  assert.match(page.headers['content-type'], /^text\/html/);
  const events = await api.call('HEAD', '/api/events');
  assert.equal(events.status, 200);
  assert.equal(events.headers['content-type'], 'text/event-stream');
});

/* ---- the token ---- */

const admitted = { web_admin: { token: 'let-me-in-0123456789' } };

test('with a token each call needs it', async (t) => {
  const api = await two(t, admitted);
  const bearer = (s) => ({ authorization: `Bearer ${s}` });
  for (const [method, target] of [['GET', '/api/status'],
    ['GET', '/api/backends'], ['GET', '/api/config'], ['GET', '/api/events'],
    ['GET', '/api/requests'], ['POST', '/api/backends'],
    ['DELETE', '/api/backends/a'], ['POST', '/api/reload'],
    ['POST', '/api/test'], ['POST', '/api/logout']]) {
    for (const headers of [{}, bearer(''), bearer('wrong'),
      bearer('let-me-in-012345678'), bearer('let-me-in-01234567890'),
      { authorization: 'Basic let-me-in-0123456789' },
      { cookie: `spillway_${api.port}=` },
      { cookie: `spillway_${api.port}=${'0'.repeat(64)}` }]) {
      const r = await api.refused(401, method, target, '{}', headers);
      assert.equal(r.headers['www-authenticate'], 'Bearer');
    }
  }
  const url = '/api/status?token=let-me-in-0123456789';
  await api.refused(401, 'GET', url);
  const r = await api.call('GET', '/api/status', undefined,
    bearer('let-me-in-0123456789'));
  assert.equal(r.status, 200);
  const page = await api.call('GET', '/');
  assert.equal(page.status, 200, 'the page has the form to log in');
  assert.deepEqual(r.text.match(/let-me-in/), null);
  const config = await api.call('GET', '/api/config', undefined,
    bearer('let-me-in-0123456789'));
  assert.doesNotMatch(config.text, /let-me-in/);
});

test('a log-in gives a cookie, a log-out takes it', async (t) => {
  const api = await two(t, admitted);
  const r = await api.call('POST', '/api/login',
    { token: 'let-me-in-0123456789' });
  assert.equal(r.status, 204);
  const set = r.headers['set-cookie'];
  assert.match(set, /; HttpOnly/);
  assert.match(set, /; SameSite=Strict/);
  assert.match(set, /; Path=\//);
  const cookie = set.split(';')[0];
  assert.doesNotMatch(cookie, /let-me-in/);
  const status = () => api.call('GET', '/api/status', undefined,
    { cookie: `x=1; ${cookie}` });
  assert.equal((await status()).status, 200);
  await api.refused(403, 'GET', '/api/status', undefined,
    { cookie, origin: 'http://evil.example' });
  const out = await api.call('POST', '/api/logout', undefined, { cookie });
  assert.equal(out.status, 204);
  assert.match(out.headers['set-cookie'], /Max-Age=0/);
  assert.equal((await status()).status, 401);
});

test('a token that changes ends what it opened', async (t) => {
  const api = await two(t, admitted);
  const r = await api.call('POST', '/api/login',
    { token: 'let-me-in-0123456789' });
  const cookie = r.headers['set-cookie'].split(';')[0];
  fs.writeFileSync(api.sp.file, api.text.replace('let-me-in-0123456789',
    'let-nobody-in-0123456789'));
  const again = await api.call('POST', '/api/reload', undefined, { cookie });
  assert.equal(again.status, 200, again.text);
  await api.refused(401, 'GET', '/api/status', undefined, { cookie });
});

test('five wrong tokens in a minute, then 429', async (t) => {
  const api = await two(t, admitted);
  for (let i = 0; i < 5; i++)
    await api.refused(401, 'POST', '/api/login', { token: `guess ${i}` });
  const r = await api.refused(429, 'POST', '/api/login',
    { token: 'let-me-in-0123456789' });
  assert.ok(Number(r.headers['retry-after']) > 0);
  const known = await api.call('GET', '/api/status', undefined,
    { authorization: 'Bearer let-me-in-0123456789' });
  assert.equal(known.status, 200, 'who has it is let in');
});

test('with a token, names of the config may be asked for', async (t) => {
  const api = await two(t, { web_admin: { ...admitted.web_admin,
    hosts: ['gate.example'] } });
  const call = (host) => api.call('GET', '/api/status', undefined,
    { host, authorization: 'Bearer let-me-in-0123456789' });
  assert.equal((await call('gate.example:99')).status, 200);
  assert.equal((await call('evil.example')).status, 403);
});

/* ---- names ---- */

table('a name is only text', ['a/b', '../x', 'a b', 'a"b', 'a\\b', 'a?b#c',
  '<script>alert(1)</script>', '%2F', 'order', 'ä€😀', '&amp;', "'",
  '${', '// x', '{}', 'a\u2028b'].map((name) => [name]),
async (t, [name]) => {
  const api = await two(t);
  const own = name.replaceAll('${', () => '$${');      /* as a config spells it */
  const at = `/api/backends/${enc(name).replace(/^order$/, '%6frder')}`;
  const made = await api.ok('POST', '/api/backends',
    backend('c', api.a, { name: own }), 201);
  assert.equal(made.name, name);
  assert.equal(made.saved, true);
  assert.equal(made.token, mask);
  await api.refused(409, 'POST', '/api/backends',
    backend('c', api.b, { name: own }));
  if (own !== name) return;
  assert.equal((await api.ok('PUT', at, { weight: 7 })).weight, 7);
  assert.equal((await api.ok('POST', `${at}/disable`)).state, 'disabled');
  assert.equal((await api.ok('POST', `${at}/enable`)).state, 'up');
  await api.ok('POST', `${at}/clear`);
  await api.restart();
  assert.deepEqual(await api.names(), ['a', 'b', name]);
  assert.equal((await api.backend(name)).weight, 7);
  const gone = await api.ok('DELETE', at);
  assert.equal(gone.deleted.name, name);
  assert.deepEqual(await api.names(), ['a', 'b']);
  assert.equal((await api.ok('POST', '/api/undo',
    { undo: gone.undo })).name, name);
  await api.restart();
  assert.deepEqual(await api.names(), ['a', 'b', name]);
});

/* ---- changes ---- */

test('each change is live at once and survives a restart', async (t) => {
  const api = await two(t);
  const c = await t.provider(good());
  await api.ok('POST', '/api/backends', backend('c', c), 201);
  await api.ok('PUT', '/api/backends/order', { names: ['c', 'b', 'a'] });
  assert.equal((await api.send()).headers['x-spillway-backend'], 'c');
  assert.equal(c.requests[0].headers['x-api-key'], secret('c'));
  await api.ok('POST', '/api/backends/c/disable');
  assert.equal((await api.send()).headers['x-spillway-backend'], 'b');
  await api.ok('PUT', '/api/backends/b', { name: 'bee', priority: 9,
    models: ['other-*'] });
  assert.equal((await api.send()).headers['x-spillway-backend'], 'a');
  await api.restart();
  assert.deepEqual(await api.names(), ['c', 'bee', 'a']);
  const [cc, bee, a] = (await api.ok('GET', '/api/backends')).backends;
  assert.equal(cc.enabled, false);
  assert.deepEqual(bee.models, ['other-*']);
  assert.equal(bee.priority, 9);
  assert.equal(a.priority, null);
  assert.equal((await api.send()).headers['x-spillway-backend'], 'a');
  await api.ok('PUT', '/api/backends/bee', { models: null, priority: null });
  await api.ok('DELETE', '/api/backends/a');
  await api.restart();
  assert.deepEqual(await api.names(), ['c', 'bee']);
  assert.equal((await api.send()).headers['x-spillway-backend'], 'bee');
});

test('what is not changed stays as it is written', async (t) => {
  const up = await t.provider(good());
  const api = await adminText(t, `// mine
{ "port": {PORT}, "web_admin": {"port": {ADMIN}}, "metrics":
    {"enabled": false},
  "backends": [
    { // the first
      "name": "a", "base_url": "${up.url}", "token": "${secret('a')}",
      "weight":1 /* odd */, },
    {"name":"b",   "base_url":"${up.url}","token":"\${HOME}x", }, // last
  ], }
// end
`);
  fs.chmodSync(api.sp.file, 0o640);
  const before = api.text;
  await api.ok('PUT', '/api/backends/a', { weight: 5 });
  assert.equal(api.text, before.replace('"weight":1', '"weight":5'));
  assert.equal(fs.statSync(api.sp.file).mode & 0o777, 0o640);
  assert.equal(fs.readFileSync(`${api.sp.file}.backup`, 'utf8'), before);
  await api.ok('POST', '/api/backends/b/disable');
  assert.match(api.text, /"token":"\$\{HOME\}x"/, 'not put in');
  assert.match(api.text, /\/\/ mine\n[^]*\/\/ the first\n[^]*\/\/ end\n$/);
  const gone = await api.ok('DELETE', '/api/backends/b');
  await api.ok('POST', '/api/undo', { undo: gone.undo });
  assert.match(api.text, /"token":"\$\{HOME\}x"/);
  await api.restart();
  assert.equal((await api.backend('b')).enabled, false);
  assert.deepEqual(fs.readdirSync(path.dirname(api.sp.file)).sort(),
    ['config.json', 'config.json.backup']);
});

test('an array stays an array', async (t) => {
  const up = await t.provider(good());
  const port = await freePort();
  const file = t.file('config.json', `[{"name": "a", "base_url": "${up.url}",
    "token": "${secret('a')}"}]`);
  const main = await freePort();
  const sp = t.run(['-c', file, '--port', `${main}`, '--admin-port',
    `${port}`]);
  sp.file = file;
  await sp.listening(main);
  await sp.logs('dashboard on');
  const api = new Admin(t, sp, port);
  const made = await api.call('POST', '/api/backends',
    { name: 'b', base_url: up.url, token: secret('b') });
  assert.equal(made.status, 201, made.text);
  assert.ok(Array.isArray(JSON.parse(api.text)));
  assert.equal((await api.ok('GET', '/api/status')).form, 'array');
});

test('what is not valid changes nothing', async (t) => {
  const api = await two(t, { routes: [{ model: 'x-*', backends: ['b'] }] });
  const before = api.text;
  const bad = async (method, target, body, field) => {
    const r = await api.refused(400, method, target, body);
    if (field) assert.match(r.data.error.field ?? '', field, r.text);
    assert.doesNotMatch(r.text, /0123456789abcdef/);
  };
  await bad('POST', '/api/backends', {}, /name/);
  await bad('POST', '/api/backends', { name: 'c' }, /backends\[2\]/);
  await bad('POST', '/api/backends', backend('c', 'ftp://x'), /base_url/);
  await bad('POST', '/api/backends', backend('c', api.a, { nonsense: 1 }),
    /backends\[2\]\.nonsense/);
  await bad('POST', '/api/backends', backend('c', api.a, { weight: -1 }),
    /weight/);
  await bad('POST', '/api/backends', backend('c', api.a,
    { token: mask }), /token/);
  await bad('POST', '/api/backends', backend('c', api.a,
    { token: '${NO_SUCH_VARIABLE_HERE}' }), /token/);
  await bad('PUT', '/api/backends/a', { nonsense: 1 }, /nonsense/);
  await bad('PUT', '/api/backends/a', { 'a"b': 1 });
  await bad('PUT', '/api/backends/a', { base_url: 5 }, /base_url/);
  await bad('PUT', '/api/backends/a', { name: null });
  await bad('PUT', '/api/backends/a', { weight: 3, api_type: 'x' },
    /api_type/);
  await bad('DELETE', '/api/backends/b');        /* a route needs it */
  await bad('PUT', '/api/backends/b', { name: 'c' });
  for (const names of [[], ['a'], ['a', 'a'], ['a', 'b', 'b'], ['a', 'c'],
    ['a', 5], ['a', null], ['a', ['b']]])
    await bad('PUT', '/api/backends/order', { names }, /names/);
  await bad('PUT', '/api/backends/order', { names: ['a', 'b'], x: 1 });
  await bad('PUT', '/api/backends/order', { names: 'a' });
  await bad('PUT', '/api/backends/order', {});
  await api.refused(409, 'PUT', '/api/backends/a', { name: 'b' });
  await api.refused(409, 'PUT', '/api/backends/a', { token: 'abcd...efgh' });
  assert.equal(api.text, before);
  assert.ok(!fs.existsSync(`${api.sp.file}.backup`));
  assert.deepEqual(await api.names(), ['a', 'b']);
  assert.equal((await api.send()).status, 200);
});

test('the last backend cannot go', async (t) => {
  const a = await t.provider(good());
  const api = await admin(t, [backend('a', a)]);
  await api.refused(400, 'DELETE', '/api/backends/a');
  assert.equal((await api.send()).status, 200);
});

test('what cannot be saved is not done', async (t) => {
  const api = await two(t);
  fs.mkdirSync(`${api.sp.file}.backup/x`, { recursive: true });
  const before = api.text;
  await api.refused(500, 'POST', '/api/backends/a/disable');
  assert.equal(api.text, before);
  assert.equal((await api.backend('a')).enabled, true);
});

test('masked secrets mean: leave it', async (t) => {
  const up = await t.provider(good());
  const api = await admin(t, [backend('a', up, { headers:
    { 'x-team': 'blue', 'x-secret-key': 'hush-hush-0123456789' } })]);
  const shown = (await api.ok('GET', '/api/config')).config.backends[0];
  assert.equal(shown.token, mask);
  assert.deepEqual(shown.headers, { 'x-team': 'blue',
    'x-secret-key': 'hush...6789' });
  await api.ok('PUT', '/api/backends/a', { ...shown, weight: 2,
    headers: { ...shown.headers, 'x-team': 'red' } });
  await api.send();
  const [r] = up.requests;
  assert.equal(r.headers['x-api-key'], secret('a'));
  assert.equal(r.headers['x-secret-key'], 'hush-hush-0123456789');
  assert.equal(r.headers['x-team'], 'red');
  await api.refused(409, 'PUT', '/api/backends/a', { headers:
    { 'x-secret-key': 'xxxx...6789' } });
  await api.ok('PUT', '/api/backends/a', { token: 'a-new-token-12345' });
  await api.send();
  assert.equal(up.requests[1].headers['x-api-key'], 'a-new-token-12345');
});

test('no secret is shown anywhere', async (t) => {
  const leak = fails(401, errorBody.claude('authentication_error',
    `invalid key ${secret('a')}`));
  const a = await t.provider(leak);
  const b = await t.provider(good());
  const api = await admin(t, [backend('a', a, { headers:
    { 'x-auth': 'hush-hush-0123456789' } }), backend('b', b)],
  { failover: { on: [401, 429, '5xx'] }, access_keys: [{ name: 'laptop',
    key: 'client-key-0123456789' }] });
  await t.ask(api.sp, 'POST', '/v1/messages?key=client-key-0123456789', {},
    ask.claude());
  const events = t.client(api.port);
  events.request('GET', '/api/events', { host: api.host });
  await events.sees('event: backends');
  const list = (await api.ok('GET', '/api/requests')).requests;
  assert.equal(list[0].tries.length, 2);
  for (const target of ['/api/status', '/api/backends', '/api/requests',
    `/api/requests/${list[0].id}`, '/api/config', '/'])
    assert.doesNotMatch((await api.call('GET', target)).text,
      /0123456789|client-key/, target);
  const tried = await api.call('POST', '/api/backends/a/test');
  assert.doesNotMatch(tried.text, /0123456789/);
  const gone = await api.call('DELETE', '/api/backends/a');
  assert.doesNotMatch(gone.text, /0123456789/);
  assert.doesNotMatch(events.received(), /0123456789abc|hush|client-key/);
});

test('what was deleted comes back with its secrets, once', async (t) => {
  const api = await two(t);
  const gone = await api.ok('DELETE', '/api/backends/a');
  assert.equal(gone.position, 0);
  assert.equal(gone.saved, true);
  assert.match(gone.undo, /^[0-9a-f]{32}$/);
  assert.doesNotMatch(api.text, /tok-a-/);
  for (const undo of ['', 'x', gone.undo.slice(1), `${gone.undo}0`])
    await api.refused(404, 'POST', '/api/undo', { undo });
  for (const body of [{}, { undo: 1 }, { undo: gone.undo, x: 1 }])
    await api.refused(400, 'POST', '/api/undo', body);
  const other = await t.provider(good());
  await api.ok('POST', '/api/backends', backend('a', other), 201);
  await api.refused(409, 'POST', '/api/undo', { undo: gone.undo });
  await api.ok('DELETE', '/api/backends/a');
  const back = await api.ok('POST', '/api/undo', { undo: gone.undo });
  assert.equal(back.name, 'a');
  assert.deepEqual(await api.names(), ['a', 'b']);
  await api.refused(404, 'POST', '/api/undo', { undo: gone.undo });
  await api.send();
  assert.equal(api.a.requests[0].headers['x-api-key'], secret('a'));
});

test('the file on disk counts, whatever it was at the start',
  async (t) => {
    const api = await two(t);
    const c = await t.provider(good());
    const own = JSON.parse(api.text);
    own.backends.unshift(backend('c', c));
    delete own.backends[2];
    own.backends.length = 2;
    fs.writeFileSync(api.sp.file, `// by hand\n${JSON.stringify(own)}`);
    await api.refused(409, 'PUT', '/api/backends/b', { weight: 2 });
    await api.ok('PUT', '/api/backends/a', { weight: 2 });
    assert.deepEqual(await api.names(), ['c', 'a']);
    assert.match(api.text, /^\/\/ by hand\n/);
    fs.writeFileSync(api.sp.file, '{ "backends": [ {');
    const r = await api.call('PUT', '/api/backends/a', { weight: 3 });
    assert.ok(r.status === 400 || r.status === 409, r.text);
    assert.equal(api.text, '{ "backends": [ {');
    assert.deepEqual(await api.names(), ['c', 'a']);
    fs.rmSync(api.sp.file);
    await api.refused(500, 'PUT', '/api/backends/a', { weight: 3 });
    assert.equal((await api.ok('GET', '/api/config')).config, null);
    assert.equal((await api.send()).status, 200);
  });

test('reload tells what is wrong', async (t) => {
  const api = await two(t);
  const first = api.text;
  fs.writeFileSync(api.sp.file, first.replace('"a"', '"z"'));
  assert.deepEqual(await api.ok('POST', '/api/reload'), { ok: true });
  assert.deepEqual(await api.names(), ['z', 'b']);
  fs.writeFileSync(api.sp.file, '{"backends": [{"name": "x", "weit": 1}]}');
  const r = await api.refused(400, 'POST', '/api/reload');
  assert.ok(r.data.faults.length >= 2, r.text);
  assert.match(r.data.faults.join('\n'), /config\.json:1: .*weit/);
  assert.deepEqual(await api.names(), ['z', 'b']);
});

/* ---- clearing and testing ---- */

test('clear closes a breaker and ends a cool-down', async (t) => {
  let status = 500;
  const a = await t.provider((call) => (status === 200 ? good()(call) :
    call.answer(status, errorBody.claude(),
      { 'retry-after': '600' })));
  const b = await t.provider(good());
  const api = await admin(t, [backend('a', a), backend('b', b)]);
  for (let i = 0; i < 3; i++) await api.send();
  let seen = await api.backend('a');
  assert.equal(seen.state, 'down');
  assert.equal(seen.breaker, 'open');
  assert.ok(seen.wait_ms > 0 && seen.wait_ms <= 30000);
  assert.match(seen.reason, /3 failures/);
  assert.equal(seen.failures, 3);
  assert.match(seen.last_failure, /500/);
  const before = api.text;
  seen = await api.ok('POST', '/api/backends/a/clear');
  assert.equal(seen.state, 'up');
  assert.equal(seen.saved, false);
  assert.equal(api.text, before);
  status = 429;
  await api.send();
  seen = await api.backend('a');
  assert.equal(seen.state, 'cooling');
  assert.ok(seen.wait_ms > 590000 && seen.wait_ms <= 600000);
  await api.ok('POST', '/api/backends/a/clear');
  status = 200;
  assert.equal((await api.send()).headers['x-spillway-backend'], 'a');
});

const lists = {
  claude: { path: '/v1/models?limit=1000', body: { data: [
    { type: 'model', id: 'claude-1' }, { type: 'model', id: '<b>"2"' }],
  has_more: false } },
  openai: { path: '/v1/models', body: { object: 'list', data: [
    { id: 'claude-1', object: 'model' }, { id: '<b>"2"' }] } },
  gemini: { path: '/v1beta/models?pageSize=1000', body: { models: [
    { name: 'models/claude-1' }, { name: 'models/<b>"2"' }] } },
};

table('a test asks for the models', Object.keys(lists).map((k) => [k]),
  async (t, [kind]) => {
    const up = await t.provider((call) => call.answer(200,
      lists[kind].body));
    const api = await admin(t, [backend('a', up, { api_type: kind })]);
    const whole = { ok: true, status: 200, message: '2 models',
      models: ['claude-1', '<b>"2"'] };
    const r = await api.ok('POST', '/api/backends/a/test');
    assert.ok(r.ms >= 0);
    delete r.ms;
    assert.deepEqual(r, whole);
    const [q] = up.requests;
    assert.equal(q.method, 'GET');
    assert.equal(q.target, lists[kind].path);
    assert.match(q.raw, new RegExp(secret('a')));
    const before = api.text;
    const own = await api.ok('POST', '/api/test',
      backend('new', up, { api_type: kind, token: 'another-token-0123' }));
    delete own.ms;
    assert.deepEqual(own, whole);
    assert.match(up.requests[1].raw, /another-token-0123/);
    await api.ok('POST', '/api/test', { ...backend('a', up,
      { api_type: kind }), token: mask });
    assert.match(up.requests[2].raw, new RegExp(secret('a')));
    await api.refused(400, 'POST', '/api/test', { ...backend('new', up),
      token: mask });
    await api.refused(400, 'POST', '/api/test', { ...backend('new', up),
      nonsense: 1 });
    await api.refused(400, 'POST', '/api/test', { base_url: up.url });
    assert.equal(api.text, before);
    assert.deepEqual(await api.names(), ['a']);
    assert.equal(up.requests.length, 3);
  });

test('a test says what is wrong', async (t) => {
  const bad = await t.provider(fails(401,
    errorBody.claude('authentication_error', 'invalid "x-api-key"')));
  const html = await t.provider((call) => call.answer(200, '<html>',
    { 'content-type': 'text/html' }));
  const none = await t.provider(fails(404, ''));
  const shut = await freePort();
  const api = await admin(t, [backend('bad', bad), backend('html', html),
    backend('none', none), backend('shut', `http://127.0.0.1:${shut}`)]);
  const run = (name) => api.ok('POST', `/api/backends/${name}/test`);
  let r = await run('bad');
  assert.equal(r.ok, false);
  assert.equal(r.status, 401);
  assert.match(r.message, /invalid "x-api-key"/);
  r = await run('html');
  assert.equal(r.ok, true);
  assert.match(r.message, /not with a list/);
  r = await run('none');
  assert.equal(r.ok, false);
  assert.match(r.message, /404.*can be reached/);
  r = await run('shut');
  assert.equal(r.ok, false);
  assert.equal(r.status, null);
  assert.match(r.message, /refused/);
  for (const b of (await api.ok('GET', '/api/backends')).backends) {
    assert.equal(b.attempts, 0, 'it is no request');
    assert.equal(b.failures_in_row, 0);
  }
});

test('who leaves during a test harms nobody; many wait', async (t) => {
  const calls = [];
  const up = await t.provider((call) => { calls.push(call); });
  const api = await admin(t, [backend('a', up)]);
  const clients = [];
  for (let i = 0; i < 9; i++) {
    const c = t.client(api.port);
    c.request('POST', i % 2 ? '/api/test' : '/api/backends/a/test',
      { host: api.host, 'content-type': json }, backend('x', up));
    clients.push(c);
  }
  await until(() => calls.length === 8, 'eight tests');
  await until(() => clients.some((c) => c.answers.length), 'one too many');
  const [first] = clients.flatMap((c) => c.answers);
  assert.equal(first.status, 503);
  for (const c of clients) c.close();
  await until(() => up.open === 0, 'all to be given up');
  const later = api.call('POST', '/api/backends/a/test');
  await until(() => calls.length === 9, 'a further one');
  await calls[8].answer(200, lists.claude.body);
  assert.equal((await later).data.ok, true);
});

test('a test that runs does not keep the process from its end',
  async (t) => {
    const up = await t.provider(() => {});
    const api = await admin(t, [backend('a', up)]);
    const c = t.client(api.port);
    c.request('POST', '/api/backends/a/test', { host: api.host,
      'content-type': json });
    const d = t.client(api.port);
    d.request('GET', '/api/events', { host: api.host });
    await d.sees('event: status');
    await until(() => up.requests.length === 1, 'the test');
    await api.sp.stop();
  });

/* ---- looking on ---- */

/* The events that a client has got, by kind. */
function eventsOf(c) {
  const text = Buffer.concat(c.heads[0].parts).toString();
  return text.split('\n\n').filter((s) => s.startsWith('event: '))
    .map((s) => {
      const m = /^event: (\w+)\ndata: ([^\n]*)$/.exec(s);
      assert.ok(m, s);
      return { kind: m[1], data: JSON.parse(m[2]) };
    });
}

test('events tell what happens', async (t) => {
  let finish;
  const up = await t.provider(async (call) => {
    await new Promise((done) => { finish = done; });
    await good()(call);
  });
  const api = await admin(t, [backend('a', up)]);
  const c = t.client(api.port);
  c.request('GET', '/api/events', { host: api.host });
  const head = await c.head();
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-type'], 'text/event-stream');
  assert.equal(head.headers['cache-control'], 'no-store');
  const all = (kind) => eventsOf(c).filter((e) => e.kind === kind)
    .map((e) => e.data);
  await until(() => all('status').length && all('backends').length,
    'the beginning');
  assert.equal(all('status')[0].minutes, undefined);
  assert.equal(all('status')[0].totals.requests, 0);
  assert.equal(all('backends')[0].backends[0].name, 'a');
  const r = api.send();
  await until(() => finish && all('request').some((e) =>
    e.phase === 'answer'), 'a running request');
  const running = all('request').at(-1);
  assert.equal(running.outcome, 'running');
  assert.equal(running.tries[0].backend, 'a');
  await until(() => all('backends').at(-1).backends[0].in_flight === 1,
    'one in flight');
  finish();
  const id = (await r).headers['x-request-id'];
  await until(() => all('request').some((e) => e.id === id &&
    e.outcome === 'good' && e.phase === 'done'), 'its end');
  await until(() => all('status').at(-1).totals.good === 1, 'the totals');
  await api.ok('PUT', '/api/backends/a', { weight: 3 });
  await until(() => all('backends').at(-1).backends[0].weight === 3,
    'a change');
});

test('requests can be looked for', async (t) => {
  const a = await t.provider((call) => (call.text.includes('claude-bad') ?
    call.answer(400, errorBody.claude('invalid_request_error', 'no')) :
    call.answer(529, errorBody.claude())));
  const b = await t.provider(good());
  const api = await admin(t, [backend('a', a), backend('b"<i>', b)],
    { failover: { circuit_breaker: { failure_threshold: 100 } } });
  for (const model of ['claude-one', 'claude-two', 'claude-bad'])
    await api.send(model);
  const find = async (query) => {
    const r = await api.ok('GET', `/api/requests?${query}`);
    assert.deepEqual(r.running, []);
    return r.requests.map((x) => x.model.slice(7)).join();
  };
  assert.equal(await find(''), 'bad,two,one');
  assert.equal(await find('limit=1'), 'bad');
  assert.equal(await find('before=3'), 'two,one');
  assert.equal(await find('limit=1&before=3'), 'two');
  assert.equal(await find('status=good'), 'two,one');
  assert.equal(await find('status=returned'), 'bad');
  assert.equal(await find('status=400'), 'bad');
  assert.equal(await find('status=2xx'), 'two,one');
  assert.equal(await find(`backend=${enc('b"<i>')}`), 'two,one');
  assert.equal(await find('backend=a'), 'bad,two,one');
  assert.equal(await find('model=ONE'), 'one');
  assert.equal(await find('text=overloaded'), 'two,one');
  assert.equal(await find('text=V1/MESS'), 'bad,two,one');
  assert.equal(await find('text=no+such'), '');
  for (const [query, field] of [['limit=0', 'limit'], ['limit=x', 'limit'],
    ['limit=501', 'limit'], ['before=0', 'before'], ['before=-1', 'before'],
    ['status=nice', 'status'], ['status=9xx', 'status']]) {
    const r = await api.refused(400, 'GET', `/api/requests?${query}`);
    assert.equal(r.data.error.field, field);
  }
  const [one] = (await api.ok('GET', '/api/requests?model=one')).requests;
  const same = await api.ok('GET', `/api/requests/${enc(one.id)}`);
  assert.equal(same.number, one.number);
  assert.deepEqual(one.tries.map((x) => [x.backend, x.outcome, x.status]),
    [['a', 'failed', 529], ['b"<i>', 'good', 200]]);
});

test('older requests come from the records', async (t) => {
  const a = await t.provider(fails(529));
  const b = await t.provider(good());
  const api = await admin(t, [backend('a', a), backend('b"<i>', b)],
    { logging: { log_directory: `${t.dir}/records`,
      log_request_body: 'full' } });
  for (const model of ['claude-one', 'claude-two']) await api.send(model);
  const [two1] = (await api.ok('GET', '/api/requests')).requests;
  assert.equal(two1.recorded, undefined);
  const own = await api.ok('GET', `/api/requests/${two1.id}`);
  assert.equal(own.record.length, 2, 'a record for each attempt');
  assert.deepEqual(own.record.map((r) => r.backend), ['a', 'b"<i>']);
  assert.doesNotMatch(JSON.stringify(own), /0123456789/);
  await api.restart();
  await api.send('claude-three');
  const models = async (query) => (await api.ok('GET',
    `/api/requests?${query}`)).requests.map((r) => r.model.slice(7)).join();
  assert.equal(await models(''), 'three,two,one');
  assert.equal(await models('model=two'), 'two');
  const page = await api.ok('GET', '/api/requests?limit=2');
  assert.deepEqual(page.requests.map((r) => r.recorded),
    [undefined, true]);
  assert.equal(page.more, true);
  assert.equal(await models(`limit=2&before=${page.requests[1].number}`),
    'one');
  const old = await api.ok('GET', `/api/requests/${enc(two1.id)}`);
  assert.equal(old.recorded, true);
  assert.equal(old.model, 'claude-two');
  assert.equal(old.record.length, 2);
  assert.deepEqual(old.tries.map((x) => [x.backend, x.outcome, x.status]),
    [['a', 'failed', 529], ['b"<i>', 'good', 200]]);
  assert.doesNotMatch(JSON.stringify(old), /0123456789/);
  await api.refused(404, 'GET', '/api/requests/req_none');
});

/* ---- without a file, and the figures ---- */

test('the demo is changed live, and says so', async (t) => {
  const sp = t.run(['--demo']);
  await sp.logs('dashboard on');
  const port = Number(/dashboard on http:\/\/[^:]*:(\d+)/
    .exec(sp.stderr)[1]);
  const api = new Admin(t, sp, port);
  const s = await api.ok('GET', '/api/status');
  assert.equal(s.demo, true);
  assert.equal(s.saves, false);
  assert.equal(s.config, null);
  const r = await api.ok('POST', '/api/backends/claude-overloaded/disable');
  assert.equal(r.state, 'disabled');
  assert.equal(r.saved, false);
  assert.ok(r.warning.length > 10);
  const gone = await api.ok('DELETE', '/api/backends/claude-overloaded');
  assert.equal((await api.names()).length, 5);
  await api.ok('POST', '/api/undo', { undo: gone.undo });
  assert.equal((await api.names()).length, 6);
  await api.refused(400, 'POST', '/api/reload');
});

test('the variables can be seen, and not changed', async (t) => {
  const up = await t.provider(good('openai'));
  const [main, port] = [await freePort(), await freePort()];
  const sp = t.run(['--admin-port', `${port}`], { env: {
    PROXY_URL: `${up.url}/v1`, API_KEY: 'env-key-0123456789',
    MY_ACCESS_KEY: 'client-key-0123', MAX_RETRIES: '2',
    PROXY_PORT: `${main}` } });
  await sp.listening(main);
  await sp.logs('dashboard on');
  const api = new Admin(t, sp, port);
  const s = await api.ok('GET', '/api/status');
  assert.equal(s.form, 'variables');
  assert.equal(s.saves, false);
  assert.equal((await api.ok('GET', '/api/config')).config, null);
  await api.refused(409, 'POST', '/api/backends/upstream/disable');
  await api.ok('POST', '/api/backends/upstream/clear');
});

test('who does not read the events holds nobody up', async (t) => {
  const api = await two(t);
  const deaf = net.connect(api.port, '127.0.0.1');
  deaf.on('error', () => {});
  deaf.pause();
  deaf.write(`GET /api/events HTTP/1.1\r\nhost: ${api.host}\r\n\r\n`);
  for (let i = 0; i < 20; i++) await api.send();
  assert.equal((await api.ok('GET', '/api/status')).totals.good, 20);
  deaf.destroy();
});

test('the figures have a page of their own', async (t) => {
  const a = await t.provider(good());
  const port = await freePort();
  const sp = await t.proxy([backend('a', a)], { metrics: { port },
    web_admin: { enabled: false } });
  await sp.logs('metrics on');
  const call = (method, target) => t.ask(port, method, target,
    { host: 'prometheus.example' });
  const r = await call('GET', '/metrics');
  assert.equal(r.status, 200);
  assert.match(r.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  assert.match(r.text, /^# HELP /m);
  assert.equal((await call('HEAD', '/metrics')).text, '');
  assert.match((await call('GET', '/')).text, /\/metrics/);
  assert.equal((await call('GET', '/api/status')).status, 404);
  assert.equal((await call('POST', '/metrics')).status, 405);
});
