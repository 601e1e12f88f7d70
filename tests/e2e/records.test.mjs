/* Records: one JSON line for each attempt (spec 7, and 9 "Records"). */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { assert, freePort, table, test, until } from './lib.mjs';
import { ask, backend, before, errorBody, fails, good, plain, stream }
  from './say.mjs';

const messages = '/v1/messages';
const chat = '/v1/chat/completions';
const token = (name) => `tok-${name}-0123456789abcdef`;
const quiet = { web_admin: { enabled: false }, metrics: { enabled: false } };
const full = { log_request_body: 'full', log_response_body: 'full' };

/* A config's parts: records in the test's folder. */
const kept = (logging = full, more = {}) => ({ ...quiet, ...more,
  logging: { log_directory: 'rec', ...logging } });

function today() {
  const d = new Date();
  const two = (n) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

function texts(t, dir = 'rec') {
  const p = path.join(t.dir, dir);
  if (!fs.existsSync(p)) return '';
  return fs.readdirSync(p).sort()
    .map((f) => fs.readFileSync(path.join(p, f), 'utf8')).join('');
}

/* All records, once there are that many of them; never more. */
async function records(t, n, dir = 'rec') {
  const lines = () => texts(t, dir).split('\n').filter((l) => l !== '');
  await until(() => lines().length >= n, `${n} records`);
  const all = lines();
  assert.equal(all.length, n, texts(t, dir));
  return all.map((l) => JSON.parse(l));
}

/* Without what differs from run to run, which is checked for its form. */
function fixed(r, began) {
  const { timestamp, duration_ms: ms, request_headers: q,
    response_headers: a, ...rest } = r;
  assert.match(timestamp,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/);
  assert.ok(Date.parse(timestamp) >= began - 1000 &&
    Date.parse(timestamp) <= Date.now() + 1000, timestamp);
  assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= Date.now() - began + 5);
  assert.equal(typeof q, 'object');
  assert.ok(a === null || typeof a === 'object');
  return rest;
}

const nothing = { input: null, output: null, cache_read: null,
  cache_write: null, reasoning: null };

test('a failover is two records, with every field', async (t) => {
  const began = Date.now();
  const a = await t.provider(fails(529));
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a), backend('b', b)], kept(full, {
    access_keys: [{ name: 'laptop', key: 'guest-0123456789' }] }));
  const body = ask.claude();
  const r = await t.ask(sp, 'POST', `${messages}?beta=true`, {
    'x-api-key': 'guest-0123456789', 'x-request-id': 'my-id',
    'user-agent': 'me/1', cookie: 'c=cookie-0123456789' }, body);
  assert.equal(r.status, 200);
  const [one, two] = await records(t, 2);
  const error = JSON.stringify(errorBody.claude());
  assert.deepEqual(fixed(one, began), {
    number: 1, request_id: 'my-id', attempt: 1, backend: 'a',
    method: 'POST', path: `${messages}?beta=true`, status: 529,
    error: 'status 529: Overloaded', model: 'claude-sonnet-4-5',
    is_streaming: false, request_body_size: JSON.stringify(body).length,
    response_body_size: error.length, usage: null, outcome: 'failed',
    key: 'laptop', client: 'anthropic', client_path: messages,
    request_body: JSON.stringify(body), response_body: error });
  assert.deepEqual(fixed(two, began), {
    number: 1, request_id: 'my-id', attempt: 2, backend: 'b',
    method: 'POST', path: `${messages}?beta=true`, status: 200, error: null,
    model: 'claude-sonnet-4-5', is_streaming: false,
    request_body_size: JSON.stringify(body).length,
    response_body_size: r.body.length,
    usage: { ...nothing, input: 3, output: 2 }, outcome: 'good',
    key: 'laptop', client: 'anthropic', client_path: messages,
    request_body: JSON.stringify(body), response_body: r.text });
  /* The head as it was sent, but for its secrets. */
  for (const [rec, up] of [[one, a], [two, b]]) {
    const sent = up.requests[0].headers;
    const seen = Object.fromEntries(Object.entries(rec.request_headers)
      .map(([n, v]) => [n.toLowerCase(), v]));
    assert.deepEqual(Object.keys(seen).sort(), Object.keys(sent).sort());
    assert.equal(seen.authorization, 'Bearer tok-...cdef');
    assert.equal(seen['x-api-key'], 'tok-...cdef');
    assert.equal(seen.cookie, '****');
    assert.equal(seen['user-agent'], 'me/1');
  }
  assert.equal(one.response_headers['content-type'], 'application/json');
  const file = path.join(t.dir, 'rec', `requests_${today()}.jsonl`);
  assert.equal(fs.statSync(file).mode & 0o7777, 0o600);
  assert.equal(fs.statSync(path.dirname(file)).mode & 0o7777, 0o700);
});

test('without a directory there are no records', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], { ...quiet, logging: full });
  await t.ask(sp, 'POST', messages, {}, ask.claude());
  assert.deepEqual(fs.readdirSync(t.dir), ['config.json']);
});

/* ---- bodies ---- */

table('bodies are kept as the config says', [
  { name: 'none', q: 'none', a: 'none' },
  { name: 'the default', q: undefined, a: undefined },
  { name: 'truncated', q: 'truncated', a: 'truncated' },
  { name: 'full', q: 'full', a: 'full' },
  { name: 'only requests', q: 'full', a: 'none' },
  { name: 'only answers', q: 'none', a: 'truncated' },
], async (t, row) => {
  const a = await t.provider(good('claude', 'ü'.repeat(3000)));
  const sp = await t.proxy([backend('a', a)], kept({
    log_request_body: row.q, log_response_body: row.a }));
  const body = JSON.stringify(ask.claude({ messages: [
    { role: 'user', content: 'é'.repeat(5000) }] }));
  const r = await t.ask(sp, 'POST', messages, {}, body);
  const [rec] = await records(t, 1);
  const want = (how, text) => {
    if (how !== 'truncated') return how === 'full' ? text : null;
    /* 1024 bytes, and no half of a character. */
    const s = Buffer.from(text).subarray(0, 1024).toString();
    return s.replace(/\uFFFD$/, '');
  };
  assert.equal(rec.request_body, want(row.q, body));
  assert.equal(rec.response_body, want(row.a, r.text));
  assert.equal(rec.request_body_size, Buffer.byteLength(body));
  assert.equal(rec.response_body_size, r.body.length);
});

for (const api of ['claude', 'openai', 'gemini'])
  test(`a ${api} stream is kept as it was sent`, async (t) => {
    const a = await t.provider(good(api));
    const sp = await t.proxy([backend('a', a, { api_type: api })], kept());
    const call = api === 'claude' ? [messages, ask.claude({ stream: true })] :
      api === 'openai' ? [chat, ask.chat({ stream: true })] :
        ['/v1beta/models/gemini-x:streamGenerateContent?alt=sse',
          ask.gemini()];
    await t.ask(sp, 'POST', call[0], {}, call[1]);
    const [rec] = await records(t, 1);
    assert.equal(rec.is_streaming, true);
    assert.equal(rec.outcome, 'good');
    assert.equal(rec.response_body, stream[api](['go', 'od']).join(''));
    assert.equal(rec.path, call[0]);
    if (api === 'claude')
      assert.deepEqual(rec.usage, { ...nothing, input: 3, output: 2 });
  });

test('a long stream is kept up to 1 MiB, and counted in full', async (t) => {
  const words = Array.from({ length: 300 }, () => 'x'.repeat(8000));
  const a = await t.provider((c) => c.stream(stream.claude(words)));
  const sp = await t.proxy([backend('a', a)], kept());
  const r = await t.ask(sp, 'POST', messages, {},
    ask.claude({ stream: true }));
  const [rec] = await records(t, 1);
  assert.equal(rec.response_body_size, r.body.length);
  assert.equal(rec.response_body, r.text.slice(0, 1 << 20));
});

test('a translated answer is what the upstream sent', async (t) => {
  const a = await t.provider(good('openai', 'hello'));
  const sp = await t.proxy([backend('a', a, { api_type: 'openai',
    model: 'gpt-4o' })], kept());
  for (const more of [{}, { stream: true }])
    await t.ask(sp, 'POST', messages, {}, ask.claude(more));
  const both = await records(t, 2);
  for (const [i, rec] of both.entries()) {
    assert.equal(rec.path, chat);
    assert.equal(rec.client_path, messages);
    assert.equal(rec.client, 'anthropic');
    assert.equal(rec.request_body, a.requests[i].text);
    assert.equal(rec.request_body_size, a.requests[i].body.length);
    assert.equal(rec.outcome, 'good');
    assert.equal(rec.model, 'claude-sonnet-4-5');
  }
  assert.equal(both[0].response_body, JSON.stringify(plain.openai('hello')));
  assert.equal(both[1].response_body,
    stream.openai(['he', 'llo']).join(''));
});

test('a packed answer is kept unpacked', async (t) => {
  const text = JSON.stringify(plain.claude());
  const a = await t.provider((c) => c.answer(200, zlib.gzipSync(text),
    { 'content-encoding': 'gzip' }));
  const sp = await t.proxy([backend('a', a)], kept());
  await t.ask(sp, 'POST', messages, {}, ask.claude());
  const [rec] = await records(t, 1);
  assert.equal(rec.response_body, text);
  assert.equal(rec.response_body_size, text.length);
  assert.equal(rec.response_headers['content-encoding'], 'gzip');
});

test('what is no text is in base64', async (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0a, 0x22]);
  const a = await t.provider((c) => c.answer(200, bytes,
    { 'content-type': 'audio/mpeg' }));
  const sp = await t.proxy([backend('a', a, { api_type: 'openai' })],
    kept());
  await t.ask(sp, 'POST', '/v1/audio/speech', {}, Buffer.from([1, 0xfe]));
  const [rec] = await records(t, 1);
  assert.equal(rec.response_body, `base64:${bytes.toString('base64')}`);
  assert.equal(rec.request_body, 'base64:Af4=');
});

/* ---- ends ---- */

table('an attempt that fails', [
  { name: 'nobody listens', up: 'http://127.0.0.1:1', status: null,
    error: /refused/, outcome: 'failed' },
  { name: 'a status', does: fails(500), status: 500,
    error: /^status 500: Overloaded$/, outcome: 'failed' },
  { name: 'a limit', does: fails(429), status: 429,
    error: /^status 429/, outcome: 'limited' },
  { name: 'HTML', does: (c) => c.answer(200, '<html>sorry</html>',
    { 'content-type': 'text/html' }), status: 200, error: /./,
  outcome: 'failed' },
  { name: 'an end without an answer', does: (c) => c.close(), status: null,
    error: /./, outcome: 'failed' },
  { name: 'an answer cut short', does: async (c) => {
    await c.start(200, { 'content-type': 'application/json',
      'content-length': 100 });
    await c.write('{"type":');
    c.fin();
  }, status: 200, error: /./, outcome: 'failed', body: '{"type":' },
], async (t, row) => {
  const a = row.up ?? await t.provider(row.does);
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)], kept());
  await t.ask(sp, 'POST', messages, {}, ask.claude());
  const [one, two] = await records(t, 2);
  assert.equal(one.status, row.status);
  assert.match(one.error, row.error);
  assert.equal(one.outcome, row.outcome);
  assert.equal(one.response_headers === null, row.status === null);
  assert.equal(one.response_body === null, row.status === null);
  if (row.body) assert.equal(one.response_body, row.body);
  assert.equal(two.outcome, 'good');
  assert.equal(two.attempt, 2);
});

test('an error for the client is one record', async (t) => {
  const a = await t.provider(fails(404, errorBody.claude('not_found_error',
    'no such model')));
  const sp = await t.proxy([backend('a', a)], kept());
  const r = await t.ask(sp, 'POST', messages, {}, ask.claude());
  assert.equal(r.status, 404);
  const [rec] = await records(t, 1);
  assert.equal(rec.status, 404);
  assert.equal(rec.outcome, 'returned');
  assert.match(rec.error, /status 404|no such model/);
  assert.equal(rec.response_body, r.text);
});

test('a text that stops everything: one record, to its end', async (t) => {
  const a = await t.provider(async (c) => {
    await c.start(500, { 'content-type': 'application/json',
      'content-length': 40 });
    await c.write('{"error":"very sensitive"');
    await c.write('               ');
  });
  const sp = await t.proxy([backend('a', a)], kept(full, {
    failover: { stop_text: ['sensitive'] } }));
  await t.ask(sp, 'POST', messages, {}, ask.claude());
  const [rec] = await records(t, 1);
  assert.equal(rec.outcome, 'returned');
  assert.equal(rec.response_body_size, 40);
});

test('all attempts fail: as many records', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider(fails(503));
  const sp = await t.proxy([backend('a', a), backend('b', b)], kept());
  const r = await t.ask(sp, 'POST', messages, {}, ask.claude());
  assert.equal(r.status, 502);
  const all = await records(t, 2);
  assert.deepEqual(all.map((x) => [x.attempt, x.backend, x.status]),
    [[1, 'a', 500], [2, 'b', 503]]);
});

test('a stale connection is no attempt of its own', async (t) => {
  let asked = 0;
  const a = await t.provider((c) => {
    if (++asked === 2) return c.close();
    return good()(c);
  });
  const sp = await t.proxy([backend('a', a)], kept());
  for (let i = 0; i < 2; i++)
    assert.equal((await t.ask(sp, 'POST', messages, {},
      ask.claude())).status, 200);
  assert.equal(asked, 3);
  const all = await records(t, 2);
  assert.deepEqual(all.map((x) => [x.number, x.attempt, x.outcome]),
    [[1, 1, 'good'], [2, 1, 'good']]);
});

test('a stream that breaks off', async (t) => {
  const events = stream.claude().slice(0, before.claude + 1);
  const a = await t.provider(async (c) => {
    await c.sse();
    for (const e of events) await c.chunk(e);
    c.close();
  });
  const sp = await t.proxy([backend('a', a)], kept());
  await t.ask(sp, 'POST', messages, {}, ask.claude({ stream: true }));
  const [rec] = await records(t, 1);
  assert.equal(rec.outcome, 'broken');
  assert.equal(rec.status, 200);
  assert.ok(rec.error.length > 3);
  assert.equal(rec.response_body, events.join(''));
});

test('a client that leaves', async (t) => {
  const events = stream.claude().slice(0, before.claude + 1);
  const a = await t.provider(async (c) => {
    await c.sse();
    for (const e of events) await c.chunk(e);
    await c.gone;
  });
  const sp = await t.proxy([backend('a', a)], kept());
  const c = t.client(sp);
  c.request('POST', messages, {}, ask.claude({ stream: true }));
  await c.sees('content_block_delta');
  c.close();
  const [rec] = await records(t, 1);
  assert.equal(rec.outcome, 'left');
  assert.equal(rec.error, 'client left');
  assert.equal(rec.response_body, events.join(''));
});

table('a request without an attempt is one record', [
  { name: 'no JSON', body: '{nope', status: 400, error: /not a JSON/,
    outcome: 'failed' },
  { name: 'a model that nobody has', body: ask.claude({ model: 'gpt-4o' }),
    status: 404, error: /./, outcome: 'failed' },
  { name: 'over the limit', body: ask.claude(), status: 429,
    error: /requests/, outcome: 'limited', busy: true },
  { name: 'the models of several', method: 'GET', path: '/v1/models',
    headers: { 'anthropic-version': '2023-06-01' }, status: 200,
    error: null, outcome: 'good', two: true },
], async (t, row) => {
  const list = (c) => c.answer(200, c.method === 'GET' ?
    { data: [{ type: 'model', id: 'claude-x', display_name: 'x',
      created_at: '2025-01-01T00:00:00Z' }], has_more: false,
    first_id: 'claude-x', last_id: 'claude-x' } : plain.claude());
  const ups = [await t.provider(list)];
  if (row.two) ups.push(await t.provider(list));
  const key = 'guest-0123456789';
  const sp = await t.proxy(ups.map((u, i) => backend(`b${i}`, u)),
    kept(full, { access_keys: [{ name: 'laptop', key,
      requests_per_minute: 1 }] }));
  const body = row.body;
  if (row.busy) {
    await t.ask(sp, 'POST', messages, { 'x-api-key': key }, body);
    await records(t, 1);
    fs.rmSync(path.join(t.dir, 'rec'), { recursive: true });
  }
  const r = await t.ask(sp, row.method ?? 'POST', row.path ?? messages,
    { 'x-api-key': key, ...row.headers }, body);
  assert.equal(r.status, row.status);
  const [rec] = await records(t, 1);
  assert.equal(rec.attempt, 0);
  assert.equal(rec.backend, null);
  assert.equal(rec.status, row.status);
  if (row.error === null) assert.equal(rec.error, null);
  else assert.match(rec.error, row.error);
  assert.equal(rec.outcome, row.outcome);
  assert.equal(rec.path, row.path ?? messages);
  assert.equal(rec.request_headers['x-api-key'], 'gues...6789');
  assert.equal(rec.response_headers, null);
  assert.equal(rec.response_body, null);
  assert.equal(rec.request_body, body === undefined ? '' :
    typeof body === 'string' ? body : JSON.stringify(body));
});

test('a client that leaves before there was an attempt', async (t) => {
  const ups = [];
  for (let i = 0; i < 2; i++)
    ups.push(await t.provider((c) => c.gone));
  const sp = await t.proxy(ups.map((u, i) => backend(`b${i}`, u)), kept());
  const c = t.client(sp);
  c.request('GET', '/v1/models', { 'anthropic-version': '2023-06-01' });
  await until(() => ups[0].requests.length > 0, 'the question');
  c.close();
  const [rec] = await records(t, 1);
  assert.equal(rec.attempt, 0);
  assert.equal(rec.outcome, 'left');
  assert.equal(rec.status, 499);
});

test('log_request_types is for the console alone', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)],
    kept({ log_request_types: 'failed' }));
  await t.ask(sp, 'POST', messages, {}, ask.claude());
  await records(t, 1);
});

/* ---- secrets ---- */

test('no secret is in any record or in the log', async (t) => {
  const odd = 'odd/"quote\\and+slash=';
  const env = { FROM_ENV: 'env-secret-0123456789' };
  const header = 'hdr-secret-0123456789';
  const admin = 'admin-secret-0123456789';
  const keys = ['guest-one-0123456789', 'guest-two-0123456789',
    'guest-three/+="0123456789'];
  const cookie = 'cookie-secret-0123456789';
  const basic = Buffer.from('me:pass-0123456789').toString('base64');
  /* Providers that repeat all they were sent, in many ways. */
  const echo = (c) => {
    const all = JSON.stringify(c.fields) + c.text;
    const n = c.conn.up.requests.length;
    if (n % 5 === 4) return c.answer(529, errorBody.claude('x', all));
    if (n % 5 === 3) return c.answer(400, errorBody.claude('x', all),
      { 'x-echo': c.headers.authorization ?? 'none',
        'set-cookie': `s=${cookie}` });
    if (/"stream":\s*true/.test(c.text))
      return c.stream(stream.claude([all, all]));
    return c.answer(200, plain.claude(all), {
      location: `http://me:${header}@x.test/?key=${keys[0]}` });
  };
  const a = await t.provider(echo);
  const b = await t.provider(echo);
  const d = await t.provider((c) => c.answer(200, plain.openai(
    JSON.stringify(c.fields) + c.text)));
  const sp = await t.proxy([
    backend('a', a, { token: odd, headers: { 'X-Secret': header } }),
    backend('b', b, { token: '${FROM_ENV}' }),
    backend('d', d, { api_type: 'openai', model: 'gpt-4o' }),
  ], kept({ ...full, level: 'debug' }, {
    web_admin: { enabled: true, port: await freePort(), token: admin },
    access_keys: keys.map((key, i) => ({ name: `k${i}`, key: i === 1 ?
      `sha256:${createHash('sha256').update(key).digest('hex')}` :
      key })),
    failover: { circuit_breaker: { failure_threshold: 1000 } },
  }), { env });
  const say = (text, more) => ask.claude({ messages: [
    { role: 'user', content: text }], ...more });
  let asked = 0;
  for (const key of keys) {
    const text = `my key is ${key}, and in a URL ` +
      `${encodeURIComponent(key)}; ${admin} ${odd} ${header}`;
    for (const headers of [{ 'x-api-key': key },
      { authorization: `Bearer ${key}`, cookie: `s=${cookie}` },
      { 'x-goog-api-key': key, 'proxy-authorization': `Basic ${basic}`,
        referer: `http://u:${key}@x.test/?key=${key}` }])
      for (const more of [{}, { stream: true }, { model: 'gpt-4o' }]) {
        await t.ask(sp, 'POST', messages, headers,
          say(text + (headers.cookie ?? ''), more));
        asked++;
      }
    await t.ask(sp, 'POST', `${messages}?key=${encodeURIComponent(key)}` +
      `&x=${encodeURIComponent(odd)}`, { cookie: `s=${cookie}` },
    say(text + cookie));
    await t.ask(sp, 'POST', messages, { 'x-api-key': key },
      `{bad ${key}`);
    asked += 2;
  }
  await until(() => new Set(texts(t).split('\n').filter((l) => l)
    .map((l) => JSON.parse(l).number)).size === asked, 'all records');
  const secrets = [odd, env.FROM_ENV, header, admin, ...keys, cookie, basic,
    token('d')];
  for (const [where, text] of [['records', texts(t)], ['log', sp.stderr]]) {
    for (const s of secrets) {
      /* As it is, and as text in text may write it. */
      const json = JSON.stringify(s).slice(1, -1);
      for (const form of [s, json, JSON.stringify(json).slice(1, -1),
        encodeURIComponent(s), json.replaceAll('/', '\\/')])
        assert.ok(!text.includes(form), `${form} is in the ${where}`);
    }
  }
  for (const up of [a, b, d]) assert.ok(up.requests.length > 3);
  assert.match(texts(t), /gues\.\.\.6789/);
});

/* ---- files ---- */

const file = (t, dir = 'rec') => path.join(t.dir, dir,
  `requests_${today()}.jsonl`);

async function one(t, sp) {
  const r = await t.ask(sp, 'POST', messages, {}, ask.claude());
  assert.equal(r.status, 200);
}

test('USR1: the file is opened anew', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], kept());
  await one(t, sp);
  await records(t, 1);
  fs.renameSync(file(t), path.join(t.dir, 'moved'));
  await one(t, sp);
  await until(() => fs.readFileSync(path.join(t.dir, 'moved'), 'utf8')
    .split('\n').length === 3, 'the second line');
  sp.kill('SIGUSR1');
  await sp.logs('USR1');
  await one(t, sp);
  await records(t, 1);
  assert.equal(fs.readFileSync(path.join(t.dir, 'moved'), 'utf8')
    .split('\n').length, 3);
});

test('a directory that vanishes is made again', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], kept());
  for (let i = 0; i < 3; i++) {
    await one(t, sp);
    await records(t, 1);
    fs.rmSync(path.join(t.dir, 'rec'), { recursive: true });
  }
});

table('a directory that cannot be written harms nobody', [
  { name: 'a file is in its place', make: (t) => t.file('rec', 'x'),
    mend: (t) => fs.rmSync(path.join(t.dir, 'rec')) },
  { name: 'its folder is missing', dir: 'deep/rec', make: () => {},
    mend: (t) => fs.mkdirSync(path.join(t.dir, 'deep')) },
  { name: 'a folder has the name of the file',
    make: (t) => fs.mkdirSync(file(t), { recursive: true }),
    mend: (t) => fs.rmdirSync(file(t)) },
], async (t, row) => {
  const a = await t.provider(good());
  row.make(t);
  const dir = row.dir ?? 'rec';
  const sp = await t.proxy([backend('a', a)], kept({ log_directory: dir }));
  for (let i = 0; i < 5; i++) await one(t, sp);
  assert.equal(sp.stderr.match(/records: cannot/g).length, 1);
  row.mend(t);
  await until(async () => {
    await one(t, sp);
    return fs.existsSync(file(t, dir));
  }, 'records again');
  await sp.logs(/records: they are written again; \d+ were lost/);
});

test('a directory for reading only harms nobody', async (t) => {
  const a = await t.provider(good());
  fs.mkdirSync(path.join(t.dir, 'rec'), { mode: 0o555 });
  const sp = await t.proxy([backend('a', a)], kept());
  for (let i = 0; i < 3; i++) await one(t, sp);
  /* To root nothing is for reading only. */
  if (process.getuid() === 0) await records(t, 3);
  else assert.equal(sp.stderr.match(/records: cannot/g).length, 1);
});

test('a full disk harms nobody, and no line is half there', async (t) => {
  const a = await t.provider(good('claude', 'x'.repeat(20000)));
  /* Files of 64 KiB at most, in blocks of 512 or 1024 bytes. */
  const sp = await t.proxy([backend('a', a)], kept(), {
    shell: 'ulimit -f 64' });
  for (let i = 0; i < 12; i++) await one(t, sp);
  assert.equal(sp.stderr.match(/records: cannot write/g).length, 1);
  const text = fs.readFileSync(file(t), 'utf8');
  assert.ok(text.endsWith('\n') && text.length > 20000);
  for (const l of text.split('\n').slice(0, -1)) JSON.parse(l);
});

test('the limit holds, and the oldest go', async (t) => {
  const a = await t.provider(good('claude', 'x'.repeat(60000)));
  t.file('rec/requests_2020-01-01.jsonl', 'x'.repeat(100000));
  t.file('rec/mine.jsonl', 'x');
  const sp = await t.proxy([backend('a', a)],
    kept({ ...full, max_megabytes: 1 }));
  const dir = path.join(t.dir, 'rec');
  const size = () => fs.readdirSync(dir).reduce((n, f) =>
    n + fs.statSync(path.join(dir, f)).size, 0);
  for (let i = 0; i < 40; i++) {
    await one(t, sp);
    assert.ok(size() <= 1 << 20, `${size()}`);
  }
  const names = fs.readdirSync(dir);
  assert.ok(size() > 700000 && names.includes('mine.jsonl') &&
    !names.includes('requests_2020-01-01.jsonl') &&
    names.includes(`requests_${today()}.jsonl`), names.join());
  for (const l of texts(t).split('\n'))
    if (l.startsWith('{')) JSON.parse(l);
});

test('a reload: another directory, and none', async (t) => {
  const a = await t.provider(good());
  const config = await t.config([backend('a', a)], kept());
  const sp = await t.start(config);
  await one(t, sp);
  await records(t, 1);
  config.logging.log_directory = 'other';
  fs.writeFileSync(sp.file, JSON.stringify(config));
  sp.kill('SIGHUP');
  await sp.logs('is in service');
  await one(t, sp);
  await records(t, 1, 'other');
  await records(t, 1);
  delete config.logging.log_directory;
  fs.writeFileSync(sp.file, JSON.stringify(config));
  sp.kill('SIGHUP');
  await until(() => sp.stderr.match(/is in service/g).length === 2,
    'the second reload');
  await one(t, sp);
  await records(t, 1, 'other');
});

test('numbers go on after a restart, behind a torn line', async (t) => {
  const a = await t.provider(good());
  const config = await t.config([backend('a', a)], kept());
  let sp = await t.start(config);
  for (let i = 0; i < 3; i++) await one(t, sp);
  await records(t, 3);
  await sp.stop();
  sp.judged = true;
  fs.appendFileSync(file(t), '{"number":4,"timest');
  sp = await t.start(config);
  await one(t, sp);
  await until(() => texts(t).split('\n').length === 6, 'a line more');
  const lines = texts(t).split('\n');
  assert.equal(lines[3], '{"number":4,"timest');
  assert.equal(JSON.parse(lines[4]).number, 5);
});
