/* What an upstream is sent: credentials, fields, model (spec 4.5, 9). */
import { assert, table, test } from './lib.mjs';
import { ask, backend, calls, fails, good, plain } from './say.mjs';

const path = '/v1/messages';
const token = 'tok-a-0123456789abcdef';
const clientKeys = { authorization: 'Bearer client-secret-1',
  'x-api-key': 'client-secret-2', 'x-goog-api-key': 'client-secret-3' };

async function one(t, more = {}, handler = good()) {
  const a = await t.provider(handler);
  const sp = await t.proxy([backend('a', a, more)]);
  return { a, sp };
}

table('A7 credentials are replaced', [
  { name: 'claude, auto', api: 'claude', want:
    { authorization: `Bearer ${token}`, 'x-api-key': token } },
  { name: 'openai, auto', api: 'openai', want:
    { authorization: `Bearer ${token}` } },
  { name: 'gemini, auto', api: 'gemini', want: { 'x-goog-api-key': token } },
  { name: 'claude, bearer', api: 'claude', auth: 'bearer', want:
    { authorization: `Bearer ${token}` } },
  { name: 'claude, x-api-key', api: 'claude', auth: 'x-api-key', want:
    { 'x-api-key': token } },
  { name: 'claude, both', api: 'claude', auth: 'both', want:
    { authorization: `Bearer ${token}`, 'x-api-key': token } },
  { name: 'openai, x-goog-api-key', api: 'openai', auth: 'x-goog-api-key',
    want: { 'x-goog-api-key': token } },
], async (t, row) => {
  const call = calls[row.api];
  const a = await t.provider(good(row.api));
  const sp = await t.proxy([backend('a', a, { api_type: row.api,
    ...row.auth && { auth: row.auth } })]);
  const target = `${call.path}?key=client-secret-4`;
  const r = await t.ask(sp, 'POST', target, clientKeys, call.body);
  assert.equal(r.status, 200);
  const up = a.requests[0];
  for (const n of ['authorization', 'x-api-key', 'x-goog-api-key'])
    assert.equal(up.headers[n], row.want[n], n);
  assert.equal(up.headers.host, `127.0.0.1:${a.port}`);
  assert.doesNotMatch(Buffer.concat(up.conn.bytes).toString(),
    /client-secret/);
});

test('passthrough sends the client\'s own credentials', async (t) => {
  const { a, sp } = await one(t, { auth: 'passthrough', token: undefined });
  await t.ask(sp, 'POST', path, { 'x-api-key': 'client-own-key-123' },
    ask.claude());
  assert.equal(a.requests[0].headers['x-api-key'], 'client-own-key-123');
});

test('each attempt has its own backend\'s credentials and host',
  async (t) => {
    const a = await t.provider(fails(500));
    const b = await t.provider(good());
    const sp = await t.proxy([backend('a', a), backend('b', b)]);
    await t.ask(sp, 'POST', path, clientKeys, ask.claude());
    assert.equal(a.requests[0].headers['x-api-key'], token);
    assert.equal(b.requests[0].headers['x-api-key'],
      'tok-b-0123456789abcdef');
    assert.equal(b.requests[0].headers.host, `127.0.0.1:${b.port}`);
    assert.doesNotMatch(Buffer.concat(b.connections[0].bytes).toString(),
      /tok-a-/);
  });

test('headers of a backend are set, over the client\'s', async (t) => {
  const { a, sp } = await one(t, { headers: { 'X-Extra': 'one',
    'anthropic-version': '2023-06-01' } });
  await t.ask(sp, 'POST', path, { 'x-extra': 'client',
    'anthropic-version': '2026-10-21' }, ask.claude());
  assert.equal(a.requests[0].headers['x-extra'], 'one');
  assert.equal(a.requests[0].headers['anthropic-version'], '2023-06-01');
});

test('no version is invented for a client', async (t) => {
  const { a, sp } = await one(t);
  await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(a.requests[0].headers['anthropic-version'], undefined);
});

test('answers that have to be read are asked for unpacked', async (t) => {
  const { a, sp } = await one(t);
  await t.ask(sp, 'POST', path, { 'accept-encoding': 'gzip, br' },
    ask.claude());
  assert.equal(a.requests[0].headers['accept-encoding'], 'identity');
});

/* ---- model ---- */

table('C24 a model override replaces that value alone', [
  { name: 'compact', text: '{"model":"claude-x","max_tokens":5}',
    want: '{"model":"M","max_tokens":5}' },
  { name: 'odd layout', text: '{ "z" : 1e400 ,\n\t"model"\t:\r\n ' +
    '"claude-x" , "n":12345678901234567890,"u":"\\u00e9<>&" }\n',
  want: '{ "z" : 1e400 ,\n\t"model"\t:\r\n "M" , ' +
    '"n":12345678901234567890,"u":"\\u00e9<>&" }\n' },
  { name: 'last member', text: '{"messages":[],"model":"claude-x"}',
    want: '{"messages":[],"model":"M"}' },
  { name: 'escaped key', text: '{"mod\\u0065l":"claude-x","a":1}',
    want: '{"mod\\u0065l":"M","a":1}' },
  { name: 'twice', text: '{"model":"claude-x","a":1,"model":"claude-y"}',
    want: '{"model":"M","a":1,"model":"M"}' },
  { name: 'the same word deeper is no model', text: '{"metadata":' +
    '{"model":"deep"},"model":"claude-x","tools":[{"model":"deep"}]}',
  want: '{"metadata":{"model":"deep"},"model":"M",' +
    '"tools":[{"model":"deep"}]}' },
  { name: 'escapes in the value', text: '{"model":"claude-\\u0078\\""}',
    want: '{"model":"M"}' },
], async (t, row) => {
  const { a, sp } = await one(t, { model: 'other-model-1' });
  const r = await t.ask(sp, 'POST', path, {}, row.text);
  assert.equal(r.status, 200);
  assert.equal(a.requests[0].text, row.want.replaceAll('"M"',
    '"other-model-1"'));
  assert.equal(Number(a.requests[0].headers['content-length'] ??
    a.requests[0].text.length), a.requests[0].text.length);
});

test('C25 after an override the next backend sees the client\'s model',
  async (t) => {
    const a = await t.provider(fails(500));
    const b = await t.provider(good());
    const sp = await t.proxy([backend('a', a, { model: 'other-model-1' }),
      backend('b', b)]);
    const body = JSON.stringify(ask.claude());
    await t.ask(sp, 'POST', path, {}, body);
    assert.equal(a.requests[0].json.model, 'other-model-1');
    assert.equal(b.requests[0].text, body);
  });

test('a model in a Gemini path is overridden there', async (t) => {
  const { a, sp } = await one(t, { api_type: 'gemini', model: 'gemini-x' },
    good('gemini'));
  await t.ask(sp, 'POST', `${calls.gemini.path}?alt=json`, {},
    calls.gemini.body);
  assert.equal(a.requests[0].target,
    '/v1beta/models/gemini-x:generateContent?alt=json');
  assert.deepEqual(a.requests[0].json, calls.gemini.body);
});

test('models as a map renames', async (t) => {
  const { a, sp } = await one(t, { models: { 'claude-sonnet-*': 'vendor/s' } });
  await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(a.requests[0].json.model, 'vendor/s');
});

/* ---- candidates ---- */

test('models restricts a backend', async (t) => {
  const a = await t.provider(good('claude', 'from a'));
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a, { models: ['claude-opus-*'] }),
    backend('b', b, { models: ['*SONNET*'] })]);
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.headers['x-spillway-backend'], 'b');
  assert.equal(a.connections.length, 0);
});

test('a model that no backend could ever serve: 404', async (t) => {
  const { a, sp } = await one(t, { models: ['claude-opus-*'] });
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.status, 404);
  assert.equal(r.json.error.type, 'not_found_error');
  assert.equal(a.connections.length, 0);
});

test('bad JSON on a known path: 400 in the dialect', async (t) => {
  const { a, sp } = await one(t);
  for (const body of ['{"model":', 'nonsense', '', '{"model":"x"} trailing']) {
    const r = await t.ask(sp, 'POST', path, {}, body);
    assert.equal(r.status, 400);
    assert.equal(r.json.type, 'error');
    assert.equal(r.json.error.type, 'invalid_request_error');
  }
  assert.equal(a.connections.length, 0);
});

test('each dialect goes to its own backend', async (t) => {
  const ups = {};
  const backends = [];
  for (const api of ['claude', 'openai', 'gemini']) {
    ups[api] = await t.provider(good(api, `from ${api}`));
    backends.push(backend(api, ups[api], { api_type: api }));
  }
  const sp = await t.proxy(backends);
  for (const [api, c] of Object.entries(calls)) {
    const r = await t.ask(sp, 'POST', c.path, {}, c.body);
    assert.equal(r.headers['x-spillway-backend'], api);
    assert.deepEqual(r.json, plain[api](`from ${api}`));
  }
});

test('count_tokens goes to a claude backend as it is', async (t) => {
  const { a, sp } = await one(t, {}, (c) => c.answer(200,
    { input_tokens: 17 }));
  const body = JSON.stringify(ask.claude());
  const r = await t.ask(sp, 'POST', `${path}/count_tokens?beta=true`, {},
    body);
  assert.deepEqual(r.json, { input_tokens: 17 });
  assert.equal(a.requests[0].target, '/v1/messages/count_tokens?beta=true');
  assert.equal(a.requests[0].text, body);
});

test('the model list of one backend passes untouched', async (t) => {
  const text = '{"data":[ {"id":"claude-x","type":"model"} ]}\n';
  const { a, sp } = await one(t, {}, (c) => c.answer(200, text));
  const r = await t.ask(sp, 'GET', '/v1/models?limit=1000',
    { 'anthropic-version': '2023-06-01' });
  assert.equal(r.text, text);
  assert.equal(a.requests[0].target, '/v1/models?limit=1000');
});
