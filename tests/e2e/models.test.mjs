/* Lists of models and counts of tokens over several APIs (spec sections 6
 * and 9, translation section 11). */
import zlib from 'node:zlib';
import { assert, freePort, table, test } from './lib.mjs';
import { ask, backend, fails, good } from './say.mjs';
import { apis, by, send } from './cross.mjs';

/* ---- the lists ---- */

const lists = {
  claude: (...names) => ({ data: names.map((id) => ({ type: 'model', id,
    display_name: `The ${id}`, created_at: '2025-09-29T00:00:00Z' })),
  has_more: false, first_id: names[0], last_id: names.at(-1) }),
  openai: (...names) => ({ object: 'list', data: names.map((id) => ({ id,
    object: 'model', created: 1700000000, owned_by: 'system' })) }),
  gemini: (...names) => ({ models: names.map((n) => ({
    name: `models/${n}`, displayName: `The ${n}`, inputTokenLimit: 1000,
    supportedGenerationMethods: ['generateContent'] })) }),
};

const lister = (api, ...names) => (c) =>
  c.answer(200, lists[api](...names));

const asks = {
  claude: ['/v1/models', { 'anthropic-version': '2023-06-01' }],
  openai: ['/v1/models', { authorization: 'Bearer x' }],
  gemini: ['/v1beta/models?pageSize=5', { 'x-goog-api-key': 'x' }],
};

const names = {
  claude: (j) => j.data.map((m) => m.id),
  openai: (j) => j.data.map((m) => m.id),
  gemini: (j) => j.models.map((m) => m.name.replace('models/', '')),
};

const list = (t, sp, api, headers = {}) =>
  t.ask(sp, 'GET', asks[api][0], { ...asks[api][1], ...headers });

/* Backends that take all models of their own vendor. */
const open = (api, name, up, more = {}) => backend(name, up,
  { api_type: api, ...more });
const any = ['*'];

async function three(t, more = {}, own = {}) {
  const ups = {
    claude: await t.provider(lister('claude', 'claude-a', 'shared')),
    openai: await t.provider(lister('openai', 'gpt-b', 'shared', 'odd"x')),
    gemini: await t.provider(lister('gemini', 'gemini-c')),
  };
  const sp = await t.proxy(apis.map((a) => open(a, a, ups[a],
    { models: any, ...own[a] })), more);
  return { ups, sp };
}

table('merged, in the client\'s shape', apis.map((api) => ({ name: api,
  api })), async (t, { api }) => {
  const { ups, sp } = await three(t);
  const r = await list(t, sp, api);
  assert.equal(r.status, 200);
  assert.equal(r.headers['content-type'], 'application/json');
  assert.equal(r.headers['x-spillway-attempts'], '0');
  assert.deepEqual(names[api](r.json),
    ['claude-a', 'shared', 'gpt-b', 'odd"x', 'gemini-c']);
  if (api === 'claude') {
    assert.equal(r.json.has_more, false);
    assert.equal(r.json.first_id, 'claude-a');
    assert.equal(r.json.last_id, 'gemini-c');
    assert.deepEqual(r.json.data[0], { type: 'model', id: 'claude-a',
      display_name: 'The claude-a', created_at: '2025-09-29T00:00:00Z' });
    assert.equal(r.json.data[2].created_at, '2023-11-14T22:13:20Z');
    assert.equal(r.json.data[4].created_at, '1970-01-01T00:00:00Z');
  } else if (api === 'openai') {
    assert.equal(r.json.object, 'list');
    assert.deepEqual(r.json.data[2], { id: 'gpt-b', object: 'model',
      created: 1700000000, owned_by: 'system' });
    assert.equal(r.json.data[4].owned_by, 'google');
  } else {
    assert.equal(r.json.models[0].displayName, 'The claude-a');
    assert.deepEqual(r.json.models[4].supportedGenerationMethods,
      ['generateContent', 'streamGenerateContent', 'countTokens']);
    assert.equal(r.json.models[4].inputTokenLimit, 1000);
  }
  /* What each was asked. */
  assert.equal(ups.claude.requests[0].target, '/v1/models?limit=1000');
  assert.equal(ups.openai.requests[0].target, '/v1/models');
  assert.equal(ups.gemini.requests[0].target,
    '/v1beta/models?pageSize=1000');
  for (const u of Object.values(ups)) {
    assert.equal(u.requests[0].method, 'GET');
    assert.doesNotMatch(u.requests[0].raw, /Bearer x\r|api-key: x\r/);
  }
  assert.equal(ups.claude.requests[0].headers['x-api-key'],
    'tok-claude-0123456789abcdef');
  assert.equal(ups.claude.requests[0].headers['anthropic-version'],
    '2023-06-01');
  assert.equal(ups.openai.requests[0].headers.authorization,
    'Bearer tok-openai-0123456789abcdef');
  assert.equal(ups.openai.requests[0].headers['anthropic-version'],
    undefined);
  assert.equal(ups.gemini.requests[0].headers['x-goog-api-key'],
    'tok-gemini-0123456789abcdef');
});

test('a second call asks nobody', async (t) => {
  const { ups, sp } = await three(t);
  const first = await list(t, sp, 'openai');
  const again = await list(t, sp, 'openai');
  assert.equal(again.text, first.text);
  await list(t, sp, 'gemini');
  for (const u of Object.values(ups)) assert.equal(u.requests.length, 1);
});

test('a reload forgets the lists', async (t) => {
  const { ups, sp } = await three(t);
  await list(t, sp, 'openai');
  sp.kill('SIGHUP');
  await sp.logs(/reload/i);
  await list(t, sp, 'openai');
  for (const u of Object.values(ups)) assert.equal(u.requests.length, 2);
});

test('filtered by patterns and by the vendor rule', async (t) => {
  const { sp } = await three(t, {}, { claude: { models: ['claude-*'] },
    openai: { models: undefined }, gemini: { models: ['*-c', 'shared'] } });
  assert.deepEqual(names.openai((await list(t, sp, 'openai')).json),
    ['claude-a', 'gpt-b', 'shared', 'odd"x', 'gemini-c']);
});

test('filtered by the access key', async (t) => {
  const { ups, sp } = await three(t, { access_keys: [
    { name: 'a', key: 'access-key-a', backends: ['claude', 'gemini'] },
    { name: 'b', key: 'access-key-b', models: ['gpt-*', 'gemini-*'] },
    { name: 'c', key: 'access-key-c', backends: ['openai'],
      models: ['shared'] },
  ] });
  const seen = async (key) => names.claude((await t.ask(sp, 'GET',
    '/v1/models', { 'x-api-key': key })).json);
  assert.deepEqual(await seen('access-key-a'),
    ['claude-a', 'shared', 'gemini-c']);
  assert.equal(ups.openai.requests.length, 0);
  assert.deepEqual(await seen('access-key-b'), ['gpt-b', 'gemini-c']);
  assert.deepEqual(await seen('access-key-c'), ['shared']);
});

test('filtered by routes', async (t) => {
  const { sp } = await three(t, { routes: [{ model: 'gpt-*',
    backends: ['claude'] }, { model: 'gemini-*', backends: ['gemini'] }] });
  assert.deepEqual(names.openai((await list(t, sp, 'openai')).json),
    ['claude-a', 'shared', 'odd"x', 'gemini-c']);
});

test('the config\'s own names are offered, its patterns not', async (t) => {
  const up = await t.provider(fails(500));
  const sp = await t.proxy([
    open('claude', 'a', up, { models: { 'my-model': 'claude-a', 'x-*': 'y',
      'claude-opus-4-5': 'claude-opus-4-5' } }),
    open('openai', 'b', up, { models: ['gpt-mine', 'gpt-5*'] }),
    open('gemini', 'c', up, { models: ['gemini-mine'], enabled: false })]);
  const r = await list(t, sp, 'openai');
  assert.deepEqual(names.openai(r.json),
    ['my-model', 'claude-opus-4-5', 'gpt-mine']);
  assert.deepEqual(r.json.data.map((m) => m.owned_by),
    ['anthropic', 'anthropic', 'openai']);
});

test('a backend that fails harms nobody', async (t) => {
  const port = await freePort();
  const junk = [(c) => c.answer(200, '<html>'), (c) => c.answer(200, '{'),
    (c) => c.answer(200, '{"data":3}'), (c) => c.answer(404, '{}'),
    (c) => c.answer(302, '', { location: '/x' }), (c) => c.close(),
    (c) => c.answer(200, '[]'), (c) => c.answer(200, ''),
    (c) => c.answer(200, { data: [null, 1, 'x', {}, { id: 5 },
      { id: '' }, { id: 'good-too' }] })];
  const good = await t.provider(lister('gemini', 'gemini-c'));
  const list3 = [open('claude', 'dead', `http://127.0.0.1:${port}`,
    { models: any }), open('gemini', 'good', good)];
  for (const [i, j] of junk.entries())
    list3.push(open('openai', `j${i}`, await t.provider(j),
      { models: any }));
  const sp = await t.proxy(list3);
  const r = await list(t, sp, 'claude');
  assert.deepEqual(names.claude(r.json).sort(), ['gemini-c', 'good-too']);
  assert.equal(r.json.data.length, 2);
});

test('a failed list is asked for again soon', async (t) => {
  let bad = true;
  const a = await t.provider((c) => (bad ? c.answer(500, '{}') :
    lister('claude', 'claude-a')(c)));
  const b = await t.provider(lister('openai', 'gpt-b'));
  const sp = await t.proxy([open('claude', 'a', a), open('openai', 'b', b)]);
  assert.deepEqual(names.openai((await list(t, sp, 'openai')).json),
    ['gpt-b']);
  bad = false;
  /* Not at once: that would ask a dead backend at each call. */
  await list(t, sp, 'openai');
  assert.equal(a.requests.length, 1);
  assert.equal(b.requests.length, 1);
});

test('a failed list leaves the backend\'s health alone', async (t) => {
  const a = await t.provider((c) => (c.method === 'GET' ?
    c.answer(500, '{}') : good('claude')(c)));
  const b = await t.provider(good('openai'));
  const sp = await t.proxy([by('claude', 'a', a), by('openai', 'b', b)],
    { failover: { circuit_breaker: { failure_threshold: 1 } } });
  await list(t, sp, 'openai');
  const r = await t.ask(sp, 'POST', '/v1/messages', {}, ask.claude());
  assert.equal(r.headers['x-spillway-backend'], 'a');
});

table('a packed list', [{ name: 'gzip' }, { name: 'deflate' }],
  async (t, { name }) => {
    const a = await t.provider((c) => c.answer(200,
      (name === 'gzip' ? zlib.gzipSync : zlib.deflateSync)(
        JSON.stringify(lists.claude('claude-a'))),
      { 'content-encoding': name }));
    const b = await t.provider(lister('openai', 'gpt-b'));
    const sp = await t.proxy([open('claude', 'a', a),
      open('openai', 'b', b)]);
    assert.deepEqual(names.openai((await list(t, sp, 'openai')).json),
      ['claude-a', 'gpt-b']);
  });

test('one backend of the client\'s API alone: its bytes', async (t) => {
  const text = '{ "data" : [ {"id":"claude-x", "secret_extra": 1} ] }';
  const a = await t.provider((c) => c.answer(200, text, { 'x-theirs': '1' }));
  const sp = await t.proxy([open('claude', 'a', a), { ...open('openai', 'b',
    'http://127.0.0.1:9'), enabled: false }]);
  const r = await t.ask(sp, 'GET', '/v1/models?limit=3&after_id=z',
    { 'anthropic-version': '2026-10-21' });
  assert.equal(r.text, text);
  assert.equal(r.headers['x-theirs'], '1');
  assert.equal(a.requests[0].target, '/v1/models?limit=3&after_id=z');
  assert.equal(a.requests[0].headers['anthropic-version'], '2026-10-21');
});

test('one backend of another API: in the client\'s shape', async (t) => {
  const a = await t.provider(lister('gemini', 'gemini-c'));
  const sp = await t.proxy([by('gemini', 'a', a)]);
  const r = await list(t, sp, 'claude');
  assert.deepEqual(names.claude(r.json), ['gemini-c']);
  assert.equal(r.json.data[0].type, 'model');
});

table('one model', apis.map((api) => ({ name: api, api })),
  async (t, { api }) => {
    const { sp } = await three(t);
    const path = asks[api][0].split('?')[0];
    const one = (n) => t.ask(sp, 'GET', `${path}/${n}`, asks[api][1]);
    const name = (j) => (api === 'gemini' ? j.name : j.id);
    const prefix = api === 'gemini' ? 'models/' : '';
    for (const n of ['claude-a', 'gpt-b', 'gemini-c']) {
      const r = await one(n);
      assert.equal(r.status, 200, r.text);
      assert.equal(name(r.json), prefix + n);
    }
    assert.equal(name((await one('odd%22x')).json), `${prefix}odd"x`);
    assert.equal(name((await one('%63laude-a')).json), `${prefix}claude-a`);
    const r = await one('nothing');
    assert.equal(r.status, 404);
    assert.match(r.json.error.message, /model/);
    if (api === 'claude') assert.equal(r.json.error.type, 'not_found_error');
    if (api === 'gemini') assert.equal(r.json.error.status, 'NOT_FOUND');
  });

test('one model outside the key\'s list', async (t) => {
  const { sp } = await three(t, { access_keys: [{ name: 'b',
    key: 'access-key-b', models: ['gpt-*'] }] });
  const one = (n) => t.ask(sp, 'GET', `/v1/models/${n}`,
    { authorization: 'Bearer access-key-b' });
  assert.equal((await one('gpt-b')).status, 200);
  assert.equal((await one('claude-a')).status, 404);
});

test('passthrough: each guest with its own credential', async (t) => {
  const up = (api) => (c) => {
    const key = /guest-\w+/.exec(c.raw)?.[0] ?? 'nobody';
    return c.answer(200, lists[api](`${api}-${key}`));
  };
  const a = await t.provider(up('claude'));
  const b = await t.provider(up('openai'));
  const sp = await t.proxy([
    open('claude', 'a', a, { auth: 'passthrough', token: undefined,
      models: any }),
    open('openai', 'b', b, { auth: 'passthrough', token: undefined,
      models: any })]);
  for (const key of ['guest-one', 'guest-two'])
    for (const h of [{ authorization: `Bearer ${key}` },
      { 'x-api-key': key }]) {
      const r = await t.ask(sp, 'GET', '/v1/models', h);
      assert.deepEqual(names.claude(r.json),
        [`claude-${key}`, `openai-${key}`]);
      assert.equal(b.requests.at(-1).headers.authorization,
        `Bearer ${key}`);
      assert.equal(a.requests.at(-1).headers['x-api-key'], key);
    }
});

test('a client that leaves while lists are asked for', async (t) => {
  const held = [];
  const a = await t.provider((c) => { held.push(c); });
  const b = await t.provider(lister('openai', 'gpt-b'));
  const sp = await t.proxy([open('claude', 'a', a), open('openai', 'b', b)]);
  const c = t.client(sp);
  c.request('GET', '/v1/models', { authorization: 'Bearer x' });
  while (held.length === 0) await new Promise((d) => setTimeout(d, 5));
  c.close();
  await held[0].gone;
});

test('HEAD /v1/models goes to a backend', async (t) => {
  const { ups, sp } = await three(t);
  const r = await t.ask(sp, 'HEAD', '/v1/models',
    { authorization: 'Bearer x' });
  assert.equal(r.status, 200);
  assert.equal(ups.openai.requests[0].method, 'HEAD');
});

test('a list of 3000 models', async (t) => {
  const many = Array.from({ length: 3000 }, (_, i) => `gpt-${i}`);
  const a = await t.provider(lister('openai', ...many));
  const b = await t.provider(lister('claude', ...many, 'claude-z'));
  const sp = await t.proxy([open('openai', 'a', a, { models: any }),
    open('claude', 'b', b, { models: any })]);
  const r = await list(t, sp, 'gemini');
  assert.equal(names.gemini(r.json).length, 3001);
});

/* ---- counts ---- */

const count = { claude: '/v1/messages/count_tokens',
  gemini: '/v1beta/models/gemini-2.5-flash:countTokens' };
const claudeAsk = { model: 'claude-sonnet-4-5', system: 'be good',
  messages: [{ role: 'user', content: 'twelve bytes' }] };

test('count: a claude backend is asked as it is', async (t) => {
  const g = await t.provider((c) => c.answer(200, { totalTokens: 9 }));
  const a = await t.provider((c) => c.answer(200, '{ "input_tokens": 42 }'));
  const sp = await t.proxy([by('gemini', 'g', g),
    by('claude', 'a', a, { model: undefined })]);
  const r = await t.ask(sp, 'POST', `${count.claude}?beta=true`, {},
    claudeAsk);
  assert.equal(r.text, '{ "input_tokens": 42 }');
  assert.equal(r.headers['x-spillway-estimate'], undefined);
  assert.equal(a.requests[0].target, `${count.claude}?beta=true`);
  assert.deepEqual(a.requests[0].json, claudeAsk);
  assert.equal(g.requests.length, 0);
});

test('count: 404, then the next, then a guess', async (t) => {
  const a = await t.provider(fails(404, '{}'));
  const b = await t.provider((c) => c.answer(200, { input_tokens: 7 }));
  let sp = await t.proxy([by('claude', 'a', a), by('claude', 'b', b)]);
  let r = await t.ask(sp, 'POST', count.claude, {}, claudeAsk);
  assert.equal(r.json.input_tokens, 7);
  assert.equal(r.headers['x-spillway-backend'], 'b');
  sp = await t.proxy([by('claude', 'a', a)]);
  for (let i = 0; i < 5; i++) {
    r = await t.ask(sp, 'POST', count.claude, {}, claudeAsk);
    assert.equal(r.status, 200);
    assert.equal(r.headers['x-spillway-estimate'], '1');
    /* (7 + 12) / 4, and 4 for each of two turns */
    assert.deepEqual(r.json, { input_tokens: 13 });
  }
  assert.equal(a.requests.length, 6);
});

table('count: who cannot tell', [
  { name: '405', f: fails(405, '{}') }, { name: '529', f: fails(529, '{}') },
  { name: 'no number', f: (c) => c.answer(200, '{"a":1}') },
  { name: 'HTML', f: (c) => c.answer(200, '<html>') },
  { name: 'a cut', f: (c) => c.close() },
], async (t, { f }) => {
  const a = await t.provider(f);
  const g = await t.provider(f);
  const sp = await t.proxy([by('claude', 'a', a), by('gemini', 'g', g)]);
  const r = await t.ask(sp, 'POST', count.claude, {}, claudeAsk);
  assert.equal(r.status, 200, r.text);
  if (r.json.a === 1) return;           /* passed as it is */
  assert.equal(r.headers['x-spillway-estimate'], '1');
  assert.deepEqual(r.json, { input_tokens: 13 });
});

test('count: a gemini backend by :countTokens', async (t) => {
  const g = await t.provider((c) => c.answer(200, { totalTokens: 31,
    promptTokensDetails: [] }));
  const sp = await t.proxy([by('gemini', 'g', g)]);
  for (const more of [{}, { stream: true }]) {
    const r = await t.ask(sp, 'POST', count.claude, {},
      { ...claudeAsk, ...more });
    assert.deepEqual(r.json, { input_tokens: 31 });
    assert.equal(r.headers['x-spillway-estimate'], undefined);
    assert.equal(r.headers['content-type'], 'application/json');
    const call = g.requests.pop();
    assert.equal(call.target, '/v1beta/models/gemini-2.5-flash:countTokens');
    assert.equal(call.headers.accept, 'application/json');
    const q = call.json.generateContentRequest;
    assert.equal(q.model, 'models/gemini-2.5-flash');
    assert.deepEqual(Object.keys(q).sort(),
      ['contents', 'model', 'systemInstruction']);
  }
});

test('count: a Gemini client at a claude backend', async (t) => {
  const a = await t.provider((c) => c.answer(200, { input_tokens: 12 }));
  const sp = await t.proxy([by('claude', 'a', a)]);
  for (const body of [ask.gemini(), { generateContentRequest: { model:
    'models/gemini-2.5-flash', ...ask.gemini(),
  generationConfig: { temperature: 1 } } }]) {
    const r = await t.ask(sp, 'POST', count.gemini, {}, body);
    assert.deepEqual(r.json, { totalTokens: 12 });
    assert.equal(a.requests[0].target, '/v1/messages/count_tokens');
    const q = a.requests.pop().json;
    assert.deepEqual(Object.keys(q).sort(), ['messages', 'model']);
  }
});

test('count: openai backends only', async (t) => {
  const o = await t.provider(good('openai'));
  const sp = await t.proxy([by('openai', 'o', o)]);
  const r = await t.ask(sp, 'POST', count.claude, {}, claudeAsk);
  assert.deepEqual(r.json, { input_tokens: 13 });
  assert.equal(r.headers['x-spillway-estimate'], '1');
  assert.equal(r.headers['x-spillway-attempts'], '0');
  assert.equal(r.headers['request-id'], r.headers['x-request-id']);
  const g = await t.ask(sp, 'POST', count.gemini, {}, ask.gemini());
  assert.deepEqual(g.json, { totalTokens: 5 });
  assert.equal(g.headers['x-spillway-estimate'], '1');
  assert.equal(o.requests.length, 0);
  const bad = await t.ask(sp, 'POST', count.claude, {}, '{"a":');
  assert.equal(bad.status, 400);
});

test('count: an error of the request is the client\'s', async (t) => {
  const g = await t.provider((c) => c.answer(400, { error: { code: 400,
    message: 'bad field', status: 'INVALID_ARGUMENT' } }));
  const sp = await t.proxy([by('gemini', 'g', g)]);
  const r = await t.ask(sp, 'POST', count.claude, {}, claudeAsk);
  assert.equal(r.status, 400);
  assert.equal(r.json.error.type, 'invalid_request_error');
});

/* ---- names ---- */

test('an escaped name in Gemini\'s path is read as it is meant',
  async (t) => {
    const o = await t.provider(good('openai'));
    const sp = await t.proxy([by('openai', 'o', o, { model: undefined,
      models: ['gpt-4o', 'a/b'] })]);
    for (const [n, want] of [['gpt%2D4o', 'gpt-4o'], ['a%2Fb', 'a/b']]) {
      const r = await send(t, sp, { body: ask.gemini(),
        path: `/v1beta/models/${n}:generateContent` });
      assert.equal(r.status, 200, r.text);
      assert.equal(o.requests.pop().json.model, want);
    }
  });
