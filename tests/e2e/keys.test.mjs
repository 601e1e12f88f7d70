/* Access keys, what they open, and how much (spec 2, 3, 4.2, 4.3, 9 "Config"
 * and "Limits"). */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { assert, deferred, table, test, until } from './lib.mjs';
import { ask, backend, calls, data, ev, fails, good, plain, refused, stream,
  streamCalls, waits } from './say.mjs';

const path = '/v1/messages';
const K = 'client-key-0001';
const K2 = 'client-key-0002';
const laptop = (more = {}) => ({ name: 'laptop', key: K, ...more });
const keys = (...list) => ({ access_keys: list });
const keyed = (more = {}) => keys(laptop(more));

/* One request of that API with that key. */
const send = (t, sp, api = 'claude', key = K, headers = {}, body) =>
  t.ask(sp, 'POST', calls[api].path, { 'content-type': 'application/json',
    ...key && { authorization: `Bearer ${key}` }, ...headers },
  body ?? calls[api].body);

const from = (r, name) => {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.headers['x-spillway-backend'], name);
};

async function reload(sp, change) {
  const config = JSON.parse(fs.readFileSync(sp.file, 'utf8'));
  const before = sp.stderr.split('is in service').length;
  change?.(config);
  fs.writeFileSync(sp.file, JSON.stringify(config));
  sp.kill('SIGHUP');
  await until(() => sp.stderr.split('is in service').length > before,
    'the reload in the log');
}

/* ---- where a key stands ---- */

const places = {
  'Authorization: Bearer': (k, to) => [to, { authorization: `Bearer ${k}` }],
  'authorization: bearer': (k, to) => [to, { Authorization: `bearer ${k}` }],
  'x-api-key': (k, to) => [to, { 'X-Api-Key': k }],
  'x-goog-api-key': (k, to) => [to, { 'x-goog-api-key': k }],
  '?key=': (k, to) => [`${to}${to.includes('?') ? '&' : '?'}key=${k}`, {}],
  '?key= escaped': (k, to) =>
    [`${to}${to.includes('?') ? '&' : '?'}key=${k.replace('-', '%2D')}`, {}],
};

for (const [api, call] of Object.entries(calls))
  table(`L5 G11 ${api}: a key is recognised, and never forwarded`,
    Object.entries(places).map(([name, place]) => ({ name, place })),
    async (t, { place }) => {
      const a = await t.provider(good(api));
      const sp = await t.proxy([backend('a', a, { api_type: api })],
        { ...keyed(), logging: { level: 'debug' } });
      const [to, headers] = place(K, `${call.path}?alt=json&x=1`);
      const r = await t.ask(sp, 'POST', to, headers, call.body);
      from(r, 'a');
      const q = a.requests[0];
      assert.doesNotMatch(q.raw, /client-key|client%2Dkey/i);
      assert.match(q.raw, /tok-a-0123456789abcdef/);
      assert.equal(q.target, `${call.path}?alt=json&x=1`);
      assert.doesNotMatch(sp.stderr, /client-key|client%2Dkey/i);
    });

test('L4 a wrong key in one place hides no right one in another',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a)], keyed());
    from(await send(t, sp, 'claude', K, { 'x-api-key': 'wrong-key-0001' }),
      'a');
    from(await send(t, sp, 'claude', 'wrong-key-0001', { 'x-api-key': K }),
      'a');
    assert.doesNotMatch(a.requests.map((q) => q.raw).join(),
      /wrong-key|client-key/);
  });

const digest = createHash('sha256').update(K).digest('hex');
for (const api of Object.keys(calls))
  table(`L2 L4 V3 G12 ${api}: 401 in its dialect, nobody is asked`, [
    { name: 'none' },
    { name: 'wrong', h: { authorization: 'Bearer client-key-0009' } },
    { name: 'wrong x-api-key', h: { 'x-api-key': 'client-key-0009' } },
    { name: 'wrong x-goog-api-key', h: { 'x-goog-api-key': 'nope' } },
    { name: 'wrong ?key=', q: '?key=client-key-0009' },
    { name: 'empty', h: { authorization: 'Bearer ', 'x-api-key': '' },
      q: '?key=' },
    { name: 'Bearer None', h: { authorization: 'Bearer None' } },
    { name: 'a part', h: { 'x-api-key': K.slice(0, -1) } },
    { name: 'more', h: { 'x-api-key': `${K}1` } },
    { name: 'other case', h: { 'x-api-key': K.toUpperCase() } },
    { name: 'the name', h: { 'x-api-key': 'laptop' } },
    { name: 'the digest', h: { 'x-api-key': digest } },
    { name: 'the digest as the config has it',
      h: { 'x-api-key': `sha256:${digest}` } },
    { name: 'without Bearer', h: { authorization: K } },
    { name: 'Basic', h: { authorization:
      `Basic ${Buffer.from(`laptop:${K}`).toString('base64')}` } },
    { name: 'in a cookie', h: { cookie: `key=${K}` } },
    { name: "the backend's token", h: { 'x-api-key':
      'tok-a-0123456789abcdef' } },
  ], async (t, { h, q }) => {
    const a = await t.provider(good(api));
    const sp = await t.proxy([backend('a', a, { api_type: api })], keyed());
    const r = await t.ask(sp, 'POST', calls[api].path + (q ?? ''), h ?? {},
      calls[api].body);
    refused(api, r, 401);
    assert.equal(r.headers['x-spillway-attempts'], '0');
    assert.ok(r.headers['x-request-id']);
    assert.equal(a.connections.length, 0);
    assert.doesNotMatch(r.text + sp.stderr, /client-key/);
  });

test('V3 every path of a provider needs the key; our own pages do not',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a)], keyed());
    for (const [method, to] of [['GET', '/v1/models'], ['GET', '/v1/files'],
      ['POST', '/anything'], ['DELETE', '/v1/messages/batches/1'],
      ['POST', '/'], ['POST', '/health'], ['GET', '/healthy'],
      ['POST', '/v1/messages/count_tokens']])
      assert.equal((await t.ask(sp, method, to)).status, 401, to);
    for (const [method, to] of [['GET', '/health'], ['HEAD', '/'],
      ['GET', '/'], ['HEAD', '/api/hello']])
      assert.equal((await t.ask(sp, method, to)).status, 200, to);
    assert.equal(a.connections.length, 0);
  });

test('no access_keys: nobody is asked for one', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)]);
  from(await send(t, sp, 'claude', null), 'a');
  from(await send(t, sp, 'claude', 'whatever'), 'a');
});

/* ---- digests ---- */

test('G27 --hash-key makes what the config takes', async (t) => {
  const bare = await t.finish(['--hash-key'], { stdin: K });
  const line = await t.finish(['--hash-key'], { stdin: `${K}\n` });
  assert.equal(bare.code, 0);
  assert.equal(bare.stdout, `sha256:${digest}\n`);
  assert.equal(line.stdout, bare.stdout);
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)],
    keys(laptop({ key: bare.stdout.trim() })));
  from(await send(t, sp), 'a');
  refused('claude', await send(t, sp, 'claude', digest), 401);
  refused('claude', await send(t, sp, 'claude', bare.stdout.trim()), 401);
});

table('--hash-key: what is no key', [
  { name: 'nothing', stdin: '' }, { name: 'a line end', stdin: '\n' },
  { name: 'short', stdin: 'short12\n' },
  { name: 'two line ends', stdin: `${K}\n\n` },
], async (t, { stdin }) => {
  const p = await t.finish(['--hash-key'], { stdin });
  assert.equal(p.code, 1);
  assert.equal(p.stdout, '');
  assert.equal(p.stderr.trimEnd().split('\n').length, 1);
});

test('G27 G28 -t and the log never show a key', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], { ...keyed(),
    logging: { level: 'debug' } });
  await send(t, sp);
  await send(t, sp, 'claude', 'another-wrong-key');
  const p = await t.finish(['-t', '-c', sp.file]);
  assert.equal(p.code, 0);
  assert.match(p.stdout, /laptop/);
  assert.doesNotMatch(p.stdout + p.stderr + sp.stderr,
    /client-key|another-wrong-key/);
});

/* ---- faults of the config ---- */

const faulty = async (t, more, want, b = {}) => {
  const config = await t.config([backend('official', 'http://127.0.0.1:9',
    b)], more);
  const file = t.file('c.json', JSON.stringify(config, null, 1));
  for (const args of [['-c', file, '-t'], ['-c', file]]) {
    const p = await t.finish(args);
    assert.equal(p.code, 1);
    assert.match(p.stderr, want);
    assert.match(p.stderr, /c\.json:\d+: /);
    assert.doesNotMatch(p.stderr, /client-key/);
  }
};

table('V2 faults of access keys', [
  { name: 'fewer than 8 characters', more: keys(laptop({ key: '1234567' })),
    want: /access_keys\[0\]\.key.*8/ },
  { name: 'no key', more: keys({ name: 'x' }), want: /access_keys\[0\]\.key/ },
  { name: 'no name', more: keys({ key: K }), want: /access_keys\[0\]\.name/ },
  { name: 'a digest too short', more: keys(laptop({ key:
    `sha256:${digest.slice(1)}` })), want: /access_keys\[0\]\.key/ },
  { name: 'a digest that is none', more: keys(laptop({ key:
    `sha256:${'x'.repeat(64)}` })), want: /access_keys\[0\]\.key/ },
  { name: 'one name twice', more: keys(laptop(), laptop({ key: K2 })),
    want: /access_keys\[1\]\.name/ },
  { name: 'one key twice', more: keys(laptop(), laptop({ name: 'b' })),
    want: /access_keys\[1\]\.key/ },
  { name: 'one key twice, once as digest', more: keys(laptop(),
    laptop({ name: 'b', key: `sha256:${digest}` })),
  want: /access_keys\[1\]\.key/ },
  { name: 'an unknown backend', more: keyed({ backends: ['oficial'] }),
    want: /access_keys\[0\]\.backends.*did you mean "official"/ },
  { name: 'passthrough and keys', more: keyed(), want:
    /backends\[0\]\.auth.*passthrough/, b: { auth: 'passthrough' } },
  { name: 'a host for all without a key', more: { host: '0.0.0.0' },
    want: /host.*access_keys/ },
  { name: 'a host for all without a key, IPv6', more: { host: '::' },
    want: /host.*access_keys/ },
  { name: 'an empty list of keys is none', more: { host: '0.0.0.0',
    access_keys: [] }, want: /host.*access_keys/ },
], (t, { more, want, b }) => faulty(t, more, want, b));

table('a host that others reach, or not', [
  { name: 'with a key', more: { host: '0.0.0.0', ...keyed() } },
  { name: 'with "open"', more: { host: '0.0.0.0', open: true } },
  { name: 'loopback', more: { host: '127.0.0.1' } },
], async (t, { more }) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], more);
  from(await send(t, sp), 'a');
});

test('passthrough without access_keys hands on what the client sent',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a, { auth: 'passthrough',
      token: undefined })]);
    from(await send(t, sp), 'a');
    assert.equal(a.requests[0].headers.authorization, `Bearer ${K}`);
  });

/* ---- which backends ---- */

test('G13 G14 keys bound to a backend use it alone', async (t) => {
  const a = await t.provider(good('claude', 'from a'));
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a), backend('b', b)],
    keys(laptop({ backends: ['b'] }), { name: 'two', key: K2,
      backends: ['b'] }, { name: 'all', key: 'client-key-0003' }));
  for (const model of ['claude-opus-4-5', 'claude-x', 'llama']) {
    from(await send(t, sp, 'claude', K, {}, ask.claude({ model })), 'b');
    from(await send(t, sp, 'claude', K2, {}, ask.claude({ model })), 'b');
  }
  assert.equal(a.connections.length, 0);
  from(await send(t, sp, 'claude', 'client-key-0003'), 'a');
});

const bound = (t, a, b, more = {}) => t.proxy([backend('a', a),
  backend('b', b)], { ...keyed({ backends: ['a'] }), ...more });

table('4.2 a failure of the only backend leads to no other', [
  { name: '500', play: fails(500), want: 502 },
  { name: '529', play: fails(529), want: 502 },
  { name: 'reset', play: (c) => c.reset(), want: 502 },
  { name: '429', play: fails(429, '{}', { 'retry-after': '30' }),
    want: 429 },
  { name: '401 in `on`', play: fails(401), want: 502, on: ['5xx', '401'] },
  { name: 'rate limit by its text', play: fails(500,
    '{"error":{"message":"rate limit"}}'), want: 429 },
  { name: 'an error event', play: (c) => c.stream([ev('error', { error: {
    type: 'overloaded_error', message: 'x' } })]), want: 502 },
], async (t, { play, want, on }) => {
  const a = await t.provider(play);
  const b = await t.provider(good());
  const sp = await bound(t, a, b, { failover: {
    ...on && { on }, circuit_breaker: { failure_threshold: 1 } } });
  const body = ask.claude({ stream: true });
  refused('claude', await send(t, sp, 'claude', K, {}, body), want);
  /* Now that it is down or cooling, too. */
  assert.notEqual((await send(t, sp, 'claude', K, {}, body)).status, 200);
  assert.ok(a.requests.length > 0);
  assert.equal(b.connections.length, 0);
});

for (const strategy of ['round_robin', 'weighted_random', 'sticky',
  'least_connections', 'failover'])
  test(`4.2 ${strategy}: what a key may not use it does not get`,
    async (t) => {
      const a = await t.provider(good());
      const b = await t.provider(good());
      const sp = await t.proxy([backend('a', a, { priority: 1 }),
        backend('b', b, { priority: 1, weight: 1000 })],
      { strategy, ...keyed({ backends: ['a'] }) });
      for (let i = 0; i < 12; i++)
        from(await send(t, sp, 'claude', K, { 'x-session-id': `s${i}` }),
          'a');
      assert.equal(b.connections.length, 0);
    });

test('4.2 the last resort asks none that the key may not use',
  async (t) => {
    const a = await t.provider(fails(500));
    const b = await t.provider(good());
    const sp = await bound(t, a, b, { failover: { when_all_down: 'try',
      circuit_breaker: { failure_threshold: 1 } } });
    for (let i = 0; i < 4; i++)
      assert.notEqual((await send(t, sp)).status, 200);
    assert.equal(b.connections.length, 0);
  });

test('4.2 its backend is disabled: 503, no other', async (t) => {
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', b, { enabled: false }),
    backend('b', b)], keyed({ backends: ['a'] }));
  const r = await send(t, sp);
  refused('claude', r, 503);
  assert.ok(Number(r.headers['retry-after']) > 0);
  assert.equal(b.connections.length, 0);
});

test('4.2 a route leads no key to a backend that is not its own',
  async (t) => {
    const a = await t.provider(good());
    const b = await t.provider(good());
    const sp = await t.proxy([backend('a', a), backend('b', b)], {
      ...keyed({ backends: ['a'] }),
      routes: [{ model: 'claude-opus*', backends: ['b'] }] });
    from(await send(t, sp), 'a');
    const r = await send(t, sp, 'claude', K, {},
      ask.claude({ model: 'claude-opus-4-5' }));
    assert.ok([403, 404].includes(r.status), `status ${r.status}`);
    refused('claude', r, r.status);
    assert.equal(b.connections.length, 0);
  });

test('4.2 unknown paths: nor do they', async (t) => {
  const a = await t.provider(good());
  const b = await t.provider(good('openai'));
  const sp = await t.proxy([backend('a', a),
    backend('b', b, { api_type: 'openai' })], keyed({ backends: ['a'] }));
  const h = { authorization: `Bearer ${K}` };
  for (const [method, to] of [['GET', '/v1/models'], ['GET', '/v1/files'],
    ['POST', '/v1/embeddings'], ['POST', '/v1/chat/completions'],
    ['POST', '/somewhere'], ['GET', '/v1beta/models']]) {
    const r = await t.ask(sp, method, to, h, method === 'POST' ?
      { model: 'gpt-4o', input: 'x', messages: [] } : undefined);
    assert.notEqual(r.headers['x-spillway-backend'], 'b', to);
  }
  assert.equal(b.connections.length, 0);
});

/* ---- which models ---- */

const gemini = (model) =>
  `/v1beta/models/${model}:generateContent`;
const named = { claude: 'claude-haiku-4-5', openai: 'gpt-4o-mini',
  gemini: 'gemini-2.5-flash' };

for (const api of Object.keys(calls))
  test(`9 ${api}: a model outside the key's list: 403`, async (t) => {
    const a = await t.provider(good(api));
    const sp = await t.proxy([backend('a', a, { api_type: api })],
      keyed({ models: ['claude-haiku-*', 'GPT-4o-*', 'gemini-2.5-flash'] }));
    const one = (model) => (api === 'gemini' ?
      t.ask(sp, 'POST', gemini(model), { 'x-api-key': K }, ask.gemini()) :
      send(t, sp, api, K, {}, { ...calls[api].body, model }));
    from(await one(named[api]), 'a');
    from(await one(named[api].toUpperCase()), 'a');
    for (const model of ['claude-opus-4-5', 'claude-haiku', 'gpt-4o',
      'gemini-2.5-flash-lite', 'gemini-2.5-pro', 'xgpt-4o-mini', '*'])
      refused(api, await one(model), 403);
    assert.equal(a.requests.length, 2);
  });

const opus = 'claude-opus-4-5';
const haiku = 'claude-haiku-4-5';
const rest = '"max_tokens":9,"messages":[{"role":"user","content":"hi"}]';
table('4.2 ways around a list of models', [
  { name: 'no model', body: `{${rest}}` },
  { name: 'null', body: `{"model":null,${rest}}` },
  { name: 'a list', body: `{"model":["${opus}"],${rest}}` },
  { name: 'twice, the last counts', body:
    `{"model":"${haiku}","model":"${opus}",${rest}}` },
  { name: 'twice, the name escaped', body:
    `{"model":"${haiku}","mod\\u0065l":"${opus}",${rest}}` },
  { name: 'escapes in the value', body:
    `{"model":"claude-opus\\u002d4-5",${rest}}` },
  { name: 'upper case', body: `{"model":"${opus.toUpperCase()}",${rest}}` },
  { name: 'blank in front', body: `{"model":" ${opus}",${rest}}` },
  { name: 'empty', body: `{"model":"",${rest}}` },
  { name: 'counting', to: `${path}/count_tokens` },
  { name: 'batches', to: `${path}/batches`, body:
    `{"requests":[{"params":{"model":"${opus}",${rest}}}]}` },
  { name: 'doubled /v1', to: `/v1${path}` },
  { name: 'dots', to: '/v1/x/../messages' },
  { name: 'empty segment', to: '/v1//messages' },
  { name: 'escaped path', to: '/v1/%6dessages' },
  { name: 'escaped slash', to: '/v1%2fmessages' },
  { name: 'slash behind', to: '/v1/messages/' },
  { name: 'another API', to: '/v1/chat/completions' },
  { name: 'completions', to: '/v1/completions' },
  { name: 'responses', to: '/v1/responses' },
  { name: 'embeddings', to: '/v1/embeddings' },
  { name: 'pictures', to: '/v1/images/generations' },
  { name: 'a path that nobody knows', to: '/v2/generate' },
  { name: 'Gemini', to: gemini(opus) },
  { name: 'Gemini, escaped', to: gemini('claude-op%75s-4-5') },
  { name: 'Gemini, stream', to:
    `/v1beta/models/${opus}:streamGenerateContent` },
  { name: 'Gemini, two names', to:
    `/v1beta/models/${haiku}/../${opus}:generateContent` },
], async (t, { to = path, body = `{"model":"${opus}",${rest}}` }) => {
  const a = await t.provider(good());
  const list = ['claude', 'openai', 'gemini'].map((api) =>
    backend(api, a, { api_type: api, models: ['*'] }));
  const sp = await t.proxy(list, keyed({ models: ['claude-haiku-*'] }));
  const r = await t.ask(sp, 'POST', to, { 'x-api-key': K,
    'content-type': 'application/json' }, body);
  assert.ok([400, 403, 404].includes(r.status), `status ${r.status}`);
  assert.equal(a.connections.length, 0);
});

test('4.2 two models in one body: the backend sees the one that was judged',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a)],
      keyed({ models: ['claude-haiku-*'] }));
    for (const first of ['"model"', '"mod\\u0065l"'])
      await send(t, sp, 'claude', K, {},
        `{${first}:"${opus}","model":"${haiku}",${rest}}`);
    for (const q of a.requests) assert.doesNotMatch(q.text, /opus/);
  });

test('4.2 a rename opens no model: what the client wrote counts',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a, { models:
      { 'claude-opus-*': haiku, 'claude-haiku-*': 'cheap' } })],
    keyed({ models: ['claude-haiku-*'] }));
    refused('claude', await send(t, sp, 'claude', K, {},
      ask.claude({ model: opus })), 403);
    refused('claude', await send(t, sp, 'claude', K, {},
      ask.claude({ model: 'cheap' })), 403);
    from(await send(t, sp, 'claude', K, {}, ask.claude({ model: haiku })),
      'a');
    assert.equal(a.requests.length, 1);
    assert.equal(a.requests[0].json.model, 'cheap');
  });

test('"*" in the list takes requests that name no model', async (t) => {
  const a = await t.provider((c) => c.answer(200, { data: [] }));
  const sp = await t.proxy([backend('a', a)], keyed({ models: ['*'] }));
  from(await t.ask(sp, 'GET', '/v1/files', { 'x-api-key': K,
    'anthropic-version': '2023-06-01' }), 'a');
});

/* ---- how many requests ---- */

for (const api of Object.keys(calls))
  test(`4.3 ${api}: exactly so many requests a minute, then 429`,
    async (t) => {
      const a = await t.provider(good(api));
      const sp = await t.proxy([backend('a', a, { api_type: api })],
        keys(laptop({ requests_per_minute: 3 }), { name: 'two', key: K2 }));
      for (let i = 0; i < 3; i++) from(await send(t, sp, api), 'a');
      for (let i = 0; i < 2; i++) {
        const r = await send(t, sp, api);
        refused(api, r, 429);
        waits(r, 60);
        assert.equal(r.headers['x-spillway-attempts'], '0');
        assert.equal(r.headers['x-spillway-backend'], undefined);
      }
      assert.equal(a.requests.length, 3);
      from(await send(t, sp, api, K2), 'a');
    });

test('4.3 twenty at once: exactly so many pass', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)],
    keyed({ requests_per_minute: 7 }));
  const got = await Promise.all(Array.from({ length: 20 },
    () => send(t, sp)));
  assert.equal(got.filter((r) => r.status === 200).length, 7);
  assert.equal(got.filter((r) => r.status === 429).length, 13);
  assert.equal(a.requests.length, 7);
});

test('4.3 what counts: requests, not attempts, nor pages of our own, nor ' +
  'refused ones', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)],
    keyed({ requests_per_minute: 2 }));
  from(await send(t, sp), 'b');
  await t.ask(sp, 'GET', '/health', { 'x-api-key': K });
  refused('claude', await send(t, sp, 'claude', 'wrong-key-1'), 401);
  from(await send(t, sp), 'b');
  refused('claude', await send(t, sp), 429);
});

test('4.3 a streaming client gets its 429 as JSON with a status',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a)],
      keyed({ requests_per_minute: 1 }));
    const body = ask.claude({ stream: true });
    from(await send(t, sp, 'claude', K, {}, body), 'a');
    refused('claude', await send(t, sp, 'claude', K, {}, body), 429);
  });

/* ---- how many tokens ---- */

const usage = {
  claude: (u) => ({ ...plain.claude(), usage: u }),
  openai: (u) => ({ ...plain.openai(), usage: u }),
  gemini: (u) => ({ ...plain.gemini(), usageMetadata: u }),
};
const streamed = {
  claude: (start, end) => [
    ev('message_start', { message: { id: 'm', type: 'message',
      role: 'assistant', model: 'x', content: [], stop_reason: null,
      usage: start } }), ...stream.claude().slice(1, -2),
    ev('message_delta', { delta: { stop_reason: 'end_turn' }, usage: end }),
    ev('message_stop', {})],
  openai: (u) => [...stream.openai().slice(0, -1), data({ id: 'c1',
    object: 'chat.completion.chunk', choices: [], usage: u }),
  'data: [DONE]\n\n'],
  gemini: (...list) => list.map((u, i) => data({ candidates: [{ index: 0,
    content: { role: 'model', parts: [{ text: 'x' }] },
    ...i === list.length - 1 && { finishReason: 'STOP' } }],
  usageMetadata: u })),
};

/* cost: what one answer is to be charged.  A key that has one token more
 * gets two of them, one with just as many a single one. */
table('4.3 the real usage is charged', [
  { name: 'claude', cost: 9, say: usage.claude({ input_tokens: 3,
    cache_creation_input_tokens: 4, cache_read_input_tokens: 1000,
    output_tokens: 2 }) },
  { name: 'openai', cost: 5, say: usage.openai({ prompt_tokens: 3,
    completion_tokens: 2, total_tokens: 5 }) },
  { name: 'openai, cached', cost: 14, say: usage.openai({
    prompt_tokens: 1000, completion_tokens: 12, total_tokens: 1012,
    prompt_tokens_details: { cached_tokens: 998 },
    completion_tokens_details: { reasoning_tokens: 8 } }) },
  { name: 'gemini', cost: 13, say: usage.gemini({ promptTokenCount: 503,
    cachedContentTokenCount: 500, candidatesTokenCount: 4,
    thoughtsTokenCount: 6, totalTokenCount: 513 }) },
  { name: 'claude, stream', cost: 30, events: streamed.claude(
    { input_tokens: 3, cache_read_input_tokens: 70,
      cache_creation_input_tokens: 20, output_tokens: 1 },
    { output_tokens: 7 }) },
  { name: 'openai, stream', cost: 8, events: streamed.openai(
    { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 }) },
  { name: 'gemini, stream: the last count is the whole', cost: 9, events:
    streamed.gemini({ promptTokenCount: 4, candidatesTokenCount: 1 },
      { promptTokenCount: 4, candidatesTokenCount: 5 }) },
], async (t, { name, cost, say, events }) => {
  const api = name.split(/\W/)[0];
  const a = await t.provider((c) => (events ? c.stream(events) :
    c.answer(200, say)));
  const sp = await t.proxy([backend('a', a, { api_type: api })],
    keys(laptop({ tokens: { max: cost, window_minutes: 1 } }), { name: 'two',
      key: K2, tokens: { max: cost + 1, window_minutes: 60 } }));
  const call = (events ? streamCalls : calls)[api];
  const one = (k) => t.ask(sp, 'POST', call.path, { 'x-goog-api-key': k },
    call.body);
  from(await one(K), 'a');
  let r = await one(K);
  refused(api, r, 429);
  waits(r, 60);
  from(await one(K2), 'a');
  from(await one(K2), 'a');
  r = await one(K2);
  refused(api, r, 429);
  waits(r, 3600);
  assert.equal(a.requests.length, 3);
});

test('4.3 a client that leaves early pays what the provider has counted',
  async (t) => {
    const a = await t.provider(async (c) => {
      await c.sse();
      for (const e of streamed.claude({ input_tokens: 40, output_tokens: 2 },
        { output_tokens: 9 }).slice(0, 4)) await c.chunk(e);
    });
    const sp = await t.proxy([backend('a', a)],
      keys(laptop({ tokens: { max: 42 } }), { name: 'two', key: K2,
        tokens: { max: 43 } }));
    const leave = async (key, n) => {
      const c = t.client(sp);
      c.request('POST', path, { 'x-api-key': key },
        ask.claude({ stream: true }));
      await c.sees('content_block_delta');
      c.close();
      await a.requests[n].gone;
    };
    await leave(K, 0);
    refused('claude', await send(t, sp), 429);
    await leave(K2, 1);
    await leave(K2, 2);
    refused('claude', await send(t, sp, 'claude', K2), 429);
  });

test('4.3 failures and clients that leave before an answer cost nothing',
  async (t) => {
    const gate = deferred();
    const a = await t.provider((c) => {
      if (c.n === 0) return fails(500, { usage: { input_tokens: 99 } })(c);
      if (c.n === 1) return fails(400, { usage: { input_tokens: 99 } })(c);
      if (c.n === 2) return gate.promise;
      return good()(c);
    });
    const sp = await t.proxy([backend('a', a)], keyed({ tokens: { max: 1 } }));
    refused('claude', await send(t, sp), 502);
    assert.equal((await send(t, sp)).status, 400);
    const c = t.client(sp);
    c.request('POST', path, { 'x-api-key': K }, ask.claude());
    await until(() => a.requests.length === 3, 'the request');
    c.close();
    await a.requests[2].gone;
    gate.resolve();
    from(await send(t, sp), 'a');
    refused('claude', await send(t, sp), 429);
  });

test('4.3 the attempt that answered is charged, not those that failed',
  async (t) => {
    const a = await t.provider((c) => c.stream([streamed.claude(
      { input_tokens: 90, output_tokens: 9 }, {})[0],
    ev('error', { error: { type: 'overloaded_error', message: 'x' } })]));
    const b = await t.provider(good());
    const sp = await t.proxy([backend('a', a), backend('b', b)],
      keyed({ tokens: { max: 10 } }));
    const body = ask.claude({ stream: true });
    for (let i = 0; i < 2; i++)
      from(await send(t, sp, 'claude', K, {}, body), 'b');
    refused('claude', await send(t, sp, 'claude', K, {}, body), 429);
  });

/* ---- users ---- */

const users = (more = {}) => ({ user_limits: { enabled: true,
  max_tokens: 10, ...more } });
const as = (user, name = 'user') => ({ [name]: user });

test('G21 each user has a window; the header is not forwarded',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a)], users());
    for (let i = 0; i < 2; i++)
      from(await send(t, sp, 'claude', null, as('ann')), 'a');
    const r = await send(t, sp, 'claude', null, as('ann'));
    refused('claude', r, 429);
    waits(r, 3600);
    from(await send(t, sp, 'claude', null, as('bob')), 'a');
    for (const q of a.requests) {
      assert.equal('user' in q.headers, false);
      assert.doesNotMatch(q.raw, /ann|bob/);
    }
  });

test('G23 off: no limit, and the header is one like any other',
  async (t) => {
    const a = await t.provider(good());
    const sp = await t.proxy([backend('a', a)], { user_limits:
      { enabled: false, max_tokens: 1 } });
    for (let i = 0; i < 4; i++)
      from(await send(t, sp, 'claude', null, as('ann')), 'a');
    assert.equal(a.requests[0].headers.user, 'ann');
  });

test('G24 the header has the name that the config says', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)],
    users({ header: 'X-Team', window_minutes: 1 }));
  for (let i = 0; i < 2; i++)
    from(await send(t, sp, 'claude', null, as('red', 'x-team')), 'a');
  const r = await send(t, sp, 'claude', null, as('red', 'X-TEAM'));
  refused('claude', r, 429);
  waits(r, 60);
  from(await send(t, sp, 'claude', null, as('blue', 'X-Team')), 'a');
  from(await send(t, sp, 'claude', null, { 'x-team': 'blue', user: 'red' }),
    'a');
  assert.equal('x-team' in a.requests[0].headers, false);
  assert.equal(a.requests.at(-1).headers.user, 'red');
});

test("9 without the header: the key's name is the user", async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], { ...users(),
    ...keys(laptop(), { name: 'two', key: K2 }) });
  for (let i = 0; i < 2; i++) from(await send(t, sp), 'a');
  refused('claude', await send(t, sp), 429);
  from(await send(t, sp, 'claude', K2), 'a');
  from(await send(t, sp, 'claude', K, as('ann')), 'a');
});

test('9 neither header nor key: one subject for all', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], users());
  for (let i = 0; i < 2; i++) from(await send(t, sp, 'claude', null), 'a');
  refused('claude', await send(t, sp, 'claude', null), 429);
  refused('claude', await send(t, sp, 'claude', null, as('')), 429);
  from(await send(t, sp, 'claude', null, as('ann')), 'a');
});

/* ---- reload ---- */

test('9 a reload keeps all counts', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], { ...users(),
    ...keys(laptop({ requests_per_minute: 2 }),
      { name: 'two', key: K2, tokens: { max: 10 } }) });
  from(await send(t, sp, 'claude', K, as('k')), 'a');
  from(await send(t, sp, 'claude', K2, as('ann')), 'a');
  await reload(sp);
  from(await send(t, sp, 'claude', K, as('k')), 'a');
  from(await send(t, sp, 'claude', K2, as('ann')), 'a');
  await reload(sp);
  refused('claude', await send(t, sp, 'claude', K, as('x')), 429);
  refused('claude', await send(t, sp, 'claude', K2, as('y')), 429);
  await reload(sp, (c) => {
    c.access_keys[0].requests_per_minute = 3;
    c.access_keys[1].tokens.max = 11;
  });
  refused('claude', await send(t, sp, 'claude', K2, as('ann')), 429);
  from(await send(t, sp, 'claude', K, as('x')), 'a');
  refused('claude', await send(t, sp, 'claude', K, as('x')), 429);
  from(await send(t, sp, 'claude', K2, as('y')), 'a');
  refused('claude', await send(t, sp, 'claude', K2, as('y')), 429);
});

test('9 a reload changes keys at once', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], keyed());
  from(await send(t, sp), 'a');
  await reload(sp, (c) => { c.access_keys[0].key = K2; });
  refused('claude', await send(t, sp), 401);
  from(await send(t, sp, 'claude', K2), 'a');
});

/* ---- -r ---- */

for (const flag of ['-r', '--rate-limit', '-rate-limit'])
  test(`2 ${flag}: for every backend, whatever the file says`,
    async (t) => {
      const a = await t.provider(good());
      const b = await t.provider(good());
      const sp = await t.proxy([backend('a', a,
        { requests_per_minute: 50 }), backend('b', b)], {},
      { args: [flag, '2'] });
      for (const name of ['a', 'a', 'b', 'b'])
        from(await send(t, sp, 'claude', null), name);
      const r = await send(t, sp, 'claude', null);
      refused('claude', r, 429);
      waits(r, 60);
    });

table('2 -r: bad values, one line, exit 2', [
  [['-r']], [['-r', '0']], [['-r', '-1']], [['-r', 'x']], [['-r', '5x']],
  [['--rate-limit', '99999999999']],
], async (t, [args]) => {
  const p = await t.finish(args);
  assert.equal(p.code, 2);
  assert.equal(p.stderr.trimEnd().split('\n').length, 1);
});
