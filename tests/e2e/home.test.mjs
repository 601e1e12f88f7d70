/*
 * What is at `/` on the proxy's own port: a line that names the dashboard;
 * with llm-proxy's variables a page of figures, and its log-in.  And what
 * the demo's providers say.
 */
import { assert, freePort, test, until } from './lib.mjs';
import { errorBody, plain } from './say.mjs';

const K = 'client-key+0001';
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const login = `key=${encodeURIComponent(K)}`;

async function variables(t, up, more = {}) {
  const port = await freePort();
  const admin = await freePort();
  const sp = await t.run(['--admin-port', `${admin}`], { env: {
    PROXY_URL: up.url, API_KEY: 'upstream-key-0001', MY_ACCESS_KEY: K,
    PROXY_PORT: String(port), METRICS_PORT: String(await freePort()),
    ...more } }).listening(port);
  sp.admin = admin;
  return sp;
}
const chat = (t, sp, model = 'gpt-4o') => t.ask(sp, 'POST',
  '/v1/chat/completions', { authorization: `Bearer ${K}` },
  { model, messages: [{ role: 'user', content: 'hi' }] });
const home = (t, sp, headers = {}) => t.ask(sp, 'GET', '/', headers);
const enter = (t, sp, body = login, headers = {}) =>
  t.ask(sp, 'POST', '/', { ...form, ...headers }, body);
const cookie = (r) => r.headers['set-cookie'].split(';')[0];
const rows = (r) => (r.text.match(/<tr><td>/g) ?? []).length;
const figure = (r, name) =>
  new RegExp(`<dt>${name}</dt><dd>([^<]*)</dd>`).exec(r.text)[1];

/* ---- the line ---- */

test('/ names the dashboard', async (t) => {
  const a = await t.provider((c) => c.answer(200, '{}'));
  const admin = await freePort();
  const backends = [{ name: 'a', base_url: a.url }];
  const sp = await t.proxy(backends, { web_admin: { port: admin } });
  const r = await home(t, sp);
  assert.equal(r.status, 200);
  assert.match(r.headers['content-type'], /^text\/plain/);
  assert.equal(r.text,
    `Spillway is running. Dashboard: http://127.0.0.1:${admin}/\n`);
  assert.equal(r.headers['x-spillway-attempts'], '0');
  const h = await t.ask(sp, 'HEAD', '/');
  assert.equal(h.status, 200);
  assert.equal(h.headers['content-length'], String(r.text.length));
  assert.equal(h.text, '');
});

test('/ without a dashboard is a line all the same', async (t) => {
  const a = await t.provider((c) => c.answer(200, '{}'));
  const sp = await t.proxy([{ name: 'a', base_url: a.url }]);
  const r = await home(t, sp);
  assert.equal(r.status, 200);
  assert.match(r.text, /^Spillway is running\. /);
  assert.doesNotMatch(r.text, /Dashboard/);
  /* A form that is posted there is a request like any other. */
  const p = await enter(t, sp);
  assert.equal(p.status, 200);
  assert.equal(a.requests.length, 1);
});

/* ---- the page ---- */

test('L19 L20 L22 the page: totals and the last 50, figures only',
  async (t) => {
    let n = 0;
    const a = await t.provider((c) => (n++ % 2 === 0 ?
      c.answer(429, errorBody.openai('x', 'the rate limit is reached')) :
      c.answer(200, plain.openai())));
    const sp = await variables(t, a);
    let r = await home(t, sp);
    assert.equal(r.status, 200);
    assert.match(r.headers['content-type'], /^text\/html/);
    assert.equal(figure(r, 'Requests'), '0');
    assert.equal(rows(r), 0);
    for (let i = 0; i < 51; i++)
      assert.equal((await chat(t, sp, `model-${i}`)).status, 200);
    r = await home(t, sp);
    assert.equal(figure(r, 'Requests'), '51');
    assert.equal(figure(r, 'Succeeded'), '51');
    assert.equal(figure(r, 'Success rate'), '100.0 %');
    assert.equal(figure(r, 'Retried'), '51');
    assert.equal(rows(r), 50);
    assert.match(r.text, />200<\/td><td class="n">[^<]*<\/td><td class="n">2</);
    assert.doesNotMatch(r.text, /model-\d|\/completions<\/bdi>|rate limit is/);
    assert.doesNotMatch(r.text, new RegExp(`${sp.admin}`));
    assert.doesNotMatch(r.text, /<script|https?:\/\//);
    assert.match(r.headers['content-security-policy'], /default-src 'none'/);
    assert.equal(r.headers['cache-control'], 'no-store');
    const s = await home(t, sp, { cookie: cookie(await enter(t, sp)) });
    assert.equal(rows(s), 50);
    assert.match(s.text, /model-50</);
    assert.match(s.text, /model-1</);
    assert.doesNotMatch(s.text, /model-0</);
    assert.ok(s.text.includes(`http://127.0.0.1:${sp.admin}/`));
  });

test('L21 who has logged in sees paths, models and errors, as text',
  async (t) => {
    const nasty = '<img src=x onerror=alert(1)>';
    const a = await t.provider((c) => c.answer(500,
      errorBody.openai('x', `broken ${nasty}`)));
    const sp = await variables(t, a);
    assert.equal((await chat(t, sp, `m"${nasty}`)).status, 500);
    let r = await home(t, sp);
    assert.equal(figure(r, 'Failed'), '1');
    assert.doesNotMatch(r.text, /onerror|broken/);
    const e = await enter(t, sp, login, { origin: 'http://proxy.test' });
    assert.equal(e.status, 303);
    assert.equal(e.headers.location, '/');
    assert.match(e.headers['set-cookie'],
      /^spillway_home_\d+=[0-9a-f]{32,}; .*HttpOnly; SameSite=Strict$/);
    r = await home(t, sp, { cookie: `x=y; ${cookie(e)}` });
    assert.match(r.text, /POST \/v1\/chat\/completions/);
    assert.match(r.text, /m&quot;&lt;img src=x onerror=alert\(1\)&gt;/);
    assert.match(r.text, /broken &lt;img/);
    assert.doesNotMatch(r.text, /<img/);
    const out = await enter(t, sp, 'leave=1', { cookie: cookie(e) });
    assert.equal(out.status, 303);
    r = await home(t, sp, { cookie: cookie(e) });
    assert.doesNotMatch(r.text, /broken/);
  });

test('a wrong key, and too many of them', async (t) => {
  const a = await t.provider((c) => c.answer(200, '{}'));
  const sp = await variables(t, a);
  for (const body of ['key=wrong', 'key=client-key+0001', 'key=', '', 'x=y']) {
    const r = await enter(t, sp, body);
    assert.equal(r.status, 403);
    assert.equal(r.headers['set-cookie'], undefined);
    assert.match(r.text, /not an access key/);
    assert.match(r.text, /<form/);
  }
  const r = await enter(t, sp);
  assert.equal(r.status, 429);
  assert.equal(r.headers['retry-after'], '60');
  /* Requests go on: the key itself is not locked. */
  assert.equal((await chat(t, sp)).status, 200);
  assert.equal(a.requests.length, 1);
  assert.doesNotMatch(sp.stderr, /client-key/);
});

test('pages of others may not log in, nor look', async (t) => {
  const a = await t.provider((c) => c.answer(200, '{}'));
  const sp = await variables(t, a);
  for (const [headers, status] of [
    [{ origin: 'http://evil.test' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://proxy.test:81' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'http://proxy.test', 'sec-fetch-site': 'same-origin' }, 303],
  ]) {
    const r = await enter(t, sp, login, headers);
    assert.equal(r.status, status, JSON.stringify(headers));
    assert.equal('set-cookie' in r.headers, status === 303);
  }
  assert.equal((await home(t, sp, { origin: 'http://evil.test' })).status,
    403);
  assert.equal(a.connections.length, 0);
});

test('what is no log-in needs the key, and a long one is refused',
  async (t) => {
    const a = await t.provider((c) => c.answer(200, '{}'));
    const sp = await variables(t, a);
    assert.equal((await t.ask(sp, 'POST', '/', {}, '{}')).status, 401);
    assert.equal((await t.ask(sp, 'POST', '/x', form, login)).status, 401);
    assert.equal((await enter(t, sp, `key=${'x'.repeat(20000)}`)).status,
      413);
    assert.equal(a.connections.length, 0);
  });

test('log-ins in pieces, and one after the other on a connection',
  async (t) => {
    const a = await t.provider((c) => c.answer(200, plain.openai()));
    const sp = await variables(t, a);
    const c = t.client(sp);
    c.request('POST', '/', { ...form, 'transfer-encoding': 'chunked' });
    for (const b of login) c.send(`1\r\n${b}\r\n`);
    c.send('0\r\n\r\n');
    const r = await c.answer();
    assert.equal(r.status, 303);
    c.request('GET', '/', { cookie: cookie(r) });
    c.request('POST', '/v1/chat/completions',
      { authorization: `Bearer ${K}` }, { model: 'm', messages: [] });
    c.request('POST', '/', form, 'leave=1');
    c.request('HEAD', '/', {});
    c.request('GET', '/health', {});
    assert.match((await c.answer()).text, /Log out/);
    assert.equal((await c.answer()).json.object, 'chat.completion');
    assert.equal((await c.answer()).status, 303);
    const h = await c.answer();
    assert.ok(Number(h.headers['content-length']) > 1000);
    assert.equal(h.text, '');
    assert.equal((await c.answer()).json.status, 'ok');
    assert.equal(a.requests.length, 1);
    assert.equal(a.requests[0].headers.cookie, undefined);
  });

/* ---- the demo ---- */

test('--demo: models, counts, and one API as another', async (t) => {
  const p = t.run(['--demo']);
  await until(() => /Claude Code/.test(p.stdout) || !p.running, 'the hint');
  const port = Number(/127\.0\.0\.1:(\d+)\/v1\/messages/.exec(p.stdout)[1]);
  assert.match(p.stdout,
    /curl .*:\d+\/v1\/chat\/completions .*\n.*"model":"claude-/);
  await p.listening(port);
  const admin = /Dashboard: +(http\S+)/.exec(p.stdout)[1];
  assert.ok((await home(t, p)).text.includes(`Dashboard: ${admin}\n`));
  const names = (await t.ask(p, 'GET', '/v1/models')).json.data
    .map((m) => m.id);
  for (const model of ['claude-sonnet-4-5', 'gpt-4o', 'gemini-2.5-pro']) {
    assert.ok(names.includes(model), model);
    for (const stream of [false, true]) {
      const r = await t.ask(p, 'POST', '/v1/chat/completions', {}, { model,
        stream, messages: [{ role: 'user', content: 'hi' }] });
      assert.equal(r.status, 200);
      assert.match(r.text, /Hello/);
      if (stream) assert.match(r.text, /data: \[DONE\]\n\n$/);
      else assert.equal(r.json.model, model);
    }
  }
  const n = await t.ask(p, 'POST', '/v1/messages/count_tokens', {},
    { model: 'claude-sonnet-4-5', messages: [{ role: 'user',
      content: 'hi' }] });
  assert.equal(n.json.input_tokens, 9);
  const r = await t.ask(p, 'POST', '/v1/responses', {}, { model: 'gpt-4o',
    input: 'hi' });
  assert.equal(r.json.object, 'response');
  assert.equal(r.json.status, 'completed');
});
