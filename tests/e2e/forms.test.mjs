/* Configs of earlier proxies: auto-proxy's array (A) and llm-proxy's
 * variables (L) with what those programs promise (spec 3, 9 "Forms"). */
import fs from 'node:fs';
import { assert, freePort, table, test } from './lib.mjs';
import { ask, calls, errorBody, fails, good, plain, refused, stream, waits }
  from './say.mjs';

const path = '/v1/messages';
const from = (r, name) => {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.headers['x-spillway-backend'], name);
};

/* ---- auto-proxy's array ---- */

const item = (name, up, more = {}) => ({ name, base_url: up.url ?? up,
  token: `tok-${name}-0123456789abcdef`, key_type: 'AUTH_TOKEN', ...more });

/* Starts with an array; rate: -r, as five a minute are soon used up. */
async function array(t, list, rate = 1000, more = []) {
  const port = await freePort();
  return t.start(JSON.stringify(list), { port, env: { PROXY_PORT:
    String(port) }, args: [...rate ? ['-r', String(rate)] : [], ...more] });
}
const send = (t, sp, headers = {}, body = ask.claude()) =>
  t.ask(sp, 'POST', path, headers, body);

/* Providers that note in one list who was asked. */
async function watched(t, plays) {
  const seen = [];
  const list = [];
  for (const [name, play] of Object.entries(plays))
    list.push(item(name, await t.provider((c) => {
      seen.push(name);
      return play(c);
    })));
  const since = () => seen.splice(0).join('');
  return { list, since };
}

const list = [item('one', 'http://127.0.0.1:9/x'),
  item('two', 'http://127.0.0.1:9')];

test('A1 port 8080 on loopback, five a minute, by turns, by score',
  async (t) => {
    const file = t.file('p.json', JSON.stringify(list));
    const p = await t.finish(['-t', '-c', file]);
    assert.equal(p.code, 0);
    assert.match(p.stdout, /127\.0\.0\.1:8080/);
    assert.match(p.stdout, /at most 5 requests a minute/);
    assert.match(p.stdout, /round_robin/);
    assert.match(p.stdout, /score/);
  });

test('A1 --port wins over PROXY_PORT, and that over 8080', async (t) => {
  const file = t.file('p.json', JSON.stringify(list));
  const env = { PROXY_PORT: '8123' };
  let p = await t.finish(['-t', '-c', file], { env });
  assert.match(p.stdout, /127\.0\.0\.1:8123/);
  p = await t.finish(['-t', '-c', file, '-p', '8124'], { env });
  assert.match(p.stdout, /127\.0\.0\.1:8124/);
});

table('A3 A4 what is no list of providers', [
  { name: 'an empty array', text: '[]' },
  { name: 'bad JSON', text: '[{"name": "x",' },
  { name: 'a string', text: '"x"' },
  { name: 'no token', text: '[{"name":"x","base_url":"https://x.test"}]' },
  { name: 'no name', text: '[{"token":"t","base_url":"https://x.test"}]' },
  { name: 'no base_url', text: '[{"name":"x","token":"tttttttt"}]' },
  { name: 'one name twice', text: JSON.stringify([list[0], list[0]]) },
  { name: 'nothing' },
], async (t, { text }) => {
  const file = text === undefined ? `${t.dir}/none.json` :
    t.file('p.json', text);
  const p = await t.finish(['-c', file]);
  assert.equal(p.code, 1);
  assert.notEqual(p.stderr, '');
});

test('A5 two healthy providers: by turns', async (t) => {
  const { list, since } = await watched(t, { a: good(), b: good() });
  const sp = await array(t, list, 0);
  for (let i = 0; i < 4; i++) assert.equal((await send(t, sp)).status, 200);
  assert.match(since(), /^(abab|baba)$/);
});

test('A6 A27 the start names each, its URL and its masked token',
  async (t) => {
    const { list } = await watched(t, { a: good(), b: fails(500) });
    const sp = await array(t, list);
    for (let i = 0; i < 3; i++) await send(t, sp);
    for (const one of list) {
      assert.ok(sp.stderr.includes(one.name));
      assert.ok(sp.stderr.includes(one.base_url));
    }
    assert.match(sp.stderr, /tok-\S*cdef/);
    assert.doesNotMatch(sp.stderr, /0123456789abcdef/);
  });

test('A7 A8 bearer, Host, base path; no vendor rule, nothing translated',
  async (t) => {
    const a = await t.provider((c) => c.answer(200,
      c.target.includes('chat') ? plain.openai() :
        c.target.includes('models') ? plain.gemini() : plain.claude()));
    const sp = await array(t, [item('a', `${a.url}/base`)]);
    for (const [name, call] of Object.entries(calls)) {
      const body = { ...call.body, ...name === 'gemini' ? {} :
        { model: name === 'claude' ? 'gpt-4o' : 'claude-opus-4-5' } };
      const r = await t.ask(sp, 'POST', `${call.path}?x=1`,
        { authorization: 'Bearer client-secret-1', 'x-api-key': 'client-2' },
        body);
      from(r, 'a');
      assert.deepEqual(r.json, plain[name]());
      const q = a.requests.at(-1);
      assert.equal(q.target, `/base${call.path}?x=1`);
      assert.equal(q.headers.authorization, 'Bearer tok-a-0123456789abcdef');
      assert.equal(q.headers.host, `127.0.0.1:${a.port}`);
      assert.doesNotMatch(q.raw, /client-/);
      assert.deepEqual(q.json, body);
    }
  });

test('A9 A12 a failing provider is left for the next', async (t) => {
  const { list, since } = await watched(t, { a: fails(500), b: good() });
  list.push(item('c', `http://127.0.0.1:${await freePort()}`));
  const sp = await array(t, list);
  for (let i = 0; i < 6; i++) from(await send(t, sp), 'b');
  assert.match(since(), /b/);
});

test('A10 A11 above 70 twice, from 70 on once; A16 at 20 not at all',
  async (t) => {
    const { list, since } = await watched(t, { a: fails(500), b: good() });
    const sp = await array(t, list);
    const seen = [];
    /* 100 - 8 * 10 is 20. */
    for (let i = 0; i < 20; i++) {
      from(await send(t, sp), 'b');
      seen.push(since());
    }
    assert.deepEqual(seen.filter((s) => s !== 'b'),
      ['aab', 'aab', 'ab', 'ab', 'ab', 'ab']);
    assert.ok(seen.slice(-5).every((s) => s === 'b'));
  });

test('A13 other 4xx are returned, nobody else is asked', async (t) => {
  for (const status of [400, 401, 403, 404, 422]) {
    const { list, since } = await watched(t, { a: fails(status),
      b: fails(status) });
    const sp = await array(t, list);
    for (let i = 0; i < 8; i++)
      assert.equal((await send(t, sp)).status, status);
    assert.match(since(), /^(abababab|babababa)$/);
  }
});

test('A13 429 moves on, costs no score, and comes last', async (t) => {
  const { list, since } = await watched(t, { a: fails(429, '{}',
    { 'retry-after': '300' }), b: good() });
  const sp = await array(t, list);
  for (let i = 0; i < 12; i++) from(await send(t, sp), 'b');
  assert.equal(since().replace(/b/g, ''), 'a');
});

test('A20 normal mode fails everywhere: 503, retry-after 30', async (t) => {
  const { list, since } = await watched(t, { a: fails(500), b: fails(500) });
  const sp = await array(t, list);
  const r = await send(t, sp);
  refused('claude', r, 503);
  assert.equal(r.headers['retry-after'], '30');
  assert.match(since(), /^(aabb|bbaa)$/);
});

test('A17 A18 A19 all are down: each once, in order, then 503 with 120; ' +
  'who answers comes back', async (t) => {
  let bad = true;
  const { list, since } = await watched(t, { a: fails(500),
    b: (c) => (bad ? fails(500)(c) : good()(c)) });
  const sp = await array(t, list);
  /* Down to 20, both. */
  for (let i = 0; i < 8 && (await send(t, sp)).headers['retry-after'] ===
    '30';) i++;
  since();
  /* To 0 and on. */
  for (let i = 0; i < 4; i++) {
    const r = await send(t, sp);
    refused('claude', r, 503);
    assert.equal(r.headers['retry-after'], '120');
    assert.equal(since(), 'ab');
  }
  bad = false;
  /* 10, 15, 20: still the last resort; 25: healthy. */
  const seen = [];
  for (let i = 0; i < 6; i++) {
    from(await send(t, sp), 'b');
    seen.push(since());
  }
  assert.deepEqual(seen, ['ab', 'ab', 'ab', 'b', 'b', 'b']);
});

test('A21 five a minute for each; then 503, and nobody is asked',
  async (t) => {
    const { list, since } = await watched(t, { a: good() });
    const sp = await array(t, list, 0);
    for (let i = 0; i < 5; i++) from(await send(t, sp), 'a');
    const r = await send(t, sp);
    refused('claude', r, 503);
    waits(r, 60);
    assert.equal(since(), 'aaaaa');
  });

test('A22 -r: what one has used up the other one gets', async (t) => {
  const { list, since } = await watched(t, { a: good(), b: good() });
  const sp = await array(t, list, 2);
  for (let i = 0; i < 4; i++) assert.equal((await send(t, sp)).status, 200);
  refused('claude', await send(t, sp), 503);
  assert.match(since(), /^(abab|baba)$/);
});

test('A21 refusals by the own limit cost no score', async (t) => {
  const { list, since } = await watched(t, { a: good() });
  const sp = await array(t, list, 1);
  from(await send(t, sp), 'a');
  for (let i = 0; i < 12; i++) refused('claude', await send(t, sp), 503);
  await sp.logs(/rate limit/);
  assert.doesNotMatch(sp.stderr, /"a".*\bdown\b/);
  assert.equal(since(), 'a');
});

test('all answer 429: 503', async (t) => {
  const { list } = await watched(t, { a: fails(429, '{}',
    { 'retry-after': '40' }) });
  const sp = await array(t, list);
  refused('claude', await send(t, sp), 503);
});

/* ---- llm-proxy's variables ---- */

const K = 'client-key-0001';
const vars = (up, more = {}) => ({ PROXY_URL: up.url ?? up,
  API_KEY: 'upstream-key-0001', MY_ACCESS_KEY: K, ...more });
async function variables(t, up, more = {}) {
  const port = await freePort();
  return t.run([], { env: vars(up, { PROXY_PORT: String(port), ...more }) })
    .listening(port);
}
const chat = (t, sp, headers = { authorization: `Bearer ${K}` }) =>
  t.ask(sp, 'POST', calls.openai.path, headers, calls.openai.body);
const messages = (t, sp, headers = { 'x-api-key': K }, body = ask.claude()) =>
  t.ask(sp, 'POST', path, headers, body);

test('L1 port 8000, all interfaces, three attempts', async (t) => {
  const p = await t.finish(['-t'], { env: vars('http://127.0.0.1:9') });
  assert.equal(p.code, 0);
  assert.match(p.stdout, /0\.0\.0\.0:8000/);
  assert.match(p.stdout, /3 at most/);
  assert.doesNotMatch(p.stdout + p.stderr, /client-key|upstream-key-0001/);
});

table('L1 faults of the variables', [
  { name: 'no MY_ACCESS_KEY', more: { MY_ACCESS_KEY: undefined },
    want: /MY_ACCESS_KEY/ },
  { name: 'an empty one', more: { MY_ACCESS_KEY: '' },
    want: /MY_ACCESS_KEY/ },
  { name: 'a short one', more: { MY_ACCESS_KEY: '1234567' },
    want: /MY_ACCESS_KEY/ },
  { name: 'MAX_RETRIES=0', more: { MAX_RETRIES: '0' }, want: /MAX_RETRIES/ },
  { name: 'MAX_RETRIES=-1', more: { MAX_RETRIES: '-1' },
    want: /MAX_RETRIES/ },
  { name: 'MAX_RETRIES=three', more: { MAX_RETRIES: 'three' },
    want: /MAX_RETRIES/ },
  { name: 'MAX_RETRIES=1.5', more: { MAX_RETRIES: '1.5' },
    want: /MAX_RETRIES/ },
  { name: 'PROXY_URL without a scheme', more: { PROXY_URL: 'x.test/v1' },
    want: /PROXY_URL/ },
  { name: 'no API_KEY', more: { API_KEY: undefined,
    PROXY_URL: 'https://x.test' }, want: /API_KEY/ },
  { name: 'PROXY_PORT=web', more: { PROXY_PORT: 'web' }, want: /PROXY_PORT/ },
], async (t, { more, want }) => {
  for (const args of [[], ['-t']]) {
    const env = vars('http://127.0.0.1:9', more);
    for (const n of Object.keys(env)) if (env[n] === undefined) delete env[n];
    const p = await t.finish(args, { env });
    assert.equal(p.code, 1);
    assert.match(p.stderr, want);
  }
});

test('L2 L4 401 without the right key', async (t) => {
  const a = await t.provider(good());
  const sp = await variables(t, a);
  refused('openai', await chat(t, sp, {}), 401);
  refused('openai', await chat(t, sp, { authorization: 'Bearer None' }), 401);
  refused('claude', await messages(t, sp, { 'x-api-key': 'wrong-key' }), 401);
  assert.equal((await t.ask(sp, 'GET', '/v1/models')).status, 401);
  assert.equal((await t.ask(sp, 'GET', '/health')).status, 200);
  assert.equal(a.connections.length, 0);
});

test('L3 L5 L6 L7 the key goes up as the path wants it, not the client\'s',
  async (t) => {
    const a = await t.provider((c) => c.answer(200, c.target === path ?
      plain.claude() : plain.openai()));
    const sp = await variables(t, a);
    assert.equal((await chat(t, sp)).status, 200);
    assert.equal((await messages(t, sp)).status, 200);
    assert.equal((await messages(t, sp, { authorization: `Bearer ${K}`,
      'anthropic-version': '2024-01-01', 'anthropic-beta': 'x-1' })).status,
    200);
    const [c, m, own] = a.requests;
    assert.equal(c.headers.authorization, 'Bearer upstream-key-0001');
    assert.equal('x-api-key' in c.headers, false);
    assert.equal(m.headers['x-api-key'], 'upstream-key-0001');
    assert.equal('authorization' in m.headers, false);
    assert.equal(m.headers['anthropic-version'], '2023-06-01');
    assert.equal(own.headers['anthropic-version'], '2024-01-01');
    assert.equal(own.headers['anthropic-beta'], 'x-1');
    for (const q of a.requests) assert.doesNotMatch(q.raw, /client-key/);
  });

test('L1 a PROXY_URL that ends in /v1 doubles nothing', async (t) => {
  const a = await t.provider(good('openai'));
  const sp = await variables(t, `${a.url}/v1`);
  assert.equal((await chat(t, sp)).status, 200);
  assert.equal(a.requests[0].target, '/v1/chat/completions');
});

const says = (status, text) => fails(status,
  errorBody.openai('x', `the ${text} is reached`));
table('L8 L10 a rate limit by its text: again, at any status', [
  [429, 'Rate Limit'], [500, 'RATE LIMIT'], [400, 'rate_limit'],
  [403, 'rate limit'], [503, 'Rate_Limit_Error'],
], async (t, [status, text]) => {
  const a = await t.provider((c) => (c.n === 0 ? says(status, text)(c) :
    good('openai')(c)));
  const sp = await variables(t, a);
  const r = await chat(t, sp);
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-spillway-attempts'], '2');
  assert.equal(a.requests.length, 2);
  assert.equal(a.requests[1].text, a.requests[0].text);
});

test('L9 L14 always limited: so many attempts as MAX_RETRIES, then 429',
  async (t) => {
    const a = await t.provider(says(500, 'rate limit'));
    let sp = await variables(t, a, { MAX_RETRIES: '5' });
    refused('openai', await chat(t, sp), 429);
    assert.equal(a.requests.length, 5);
    refused('claude', await messages(t, sp), 429);
    assert.equal(a.requests.length, 10);
    await sp.stop();
    sp = await variables(t, a);
    refused('openai', await chat(t, sp), 429);
    assert.equal(a.requests.length, 13);
  });

test('9 attempts follow each other without a pause', async (t) => {
  /* With 300 ms between them this would take longer than a test may. */
  const a = await t.provider((c) => (c.n < 99 ? says(429, 'rate limit')(c) :
    good('openai')(c)));
  const sp = await variables(t, a, { MAX_RETRIES: '100' });
  const r = await chat(t, sp);
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-spillway-attempts'], '100');
});

for (const [name, bad] of [['reset', (c) => c.reset()],
  ['close', (c) => c.close()]])
  test(`L12 a connection that breaks (${name}): again`, async (t) => {
    const a = await t.provider((c) => (c.n === 0 ? bad(c) :
      good('openai')(c)));
    const sp = await variables(t, a);
    const r = await chat(t, sp);
    assert.equal(r.status, 200);
    assert.equal(r.headers['x-spillway-attempts'], '2');
  });

test('L12 nobody there: so many attempts, then an error', async (t) => {
  const sp = await variables(t, `http://127.0.0.1:${await freePort()}`,
    { MAX_RETRIES: '4' });
  const r = await chat(t, sp);
  assert.ok(r.status >= 500);
  refused('openai', r, r.status);
  assert.equal(r.headers['x-spillway-attempts'], '4');
});

for (const status of [400, 403, 500, 503])
  test(`L11 "sensitive" in a ${status}: 400 at once`, async (t) => {
    const a = await t.provider(says(status, 'Sensitive word list'));
    const sp = await variables(t, a);
    const r = await chat(t, sp);
    assert.equal(r.status, 400);
    assert.match(r.text, /Sensitive/);
    assert.equal(a.requests.length, 1);
    assert.equal((await messages(t, sp)).status, 400);
  });

test('L11 "sensitive" counts before "rate limit"', async (t) => {
  const a = await t.provider(says(429, 'rate limit of sensitive words'));
  const sp = await variables(t, a);
  assert.equal((await chat(t, sp)).status, 400);
  assert.equal(a.requests.length, 1);
});

test('L13 any other status is returned as it is, and never shuts it off',
  async (t) => {
    const list = [500, 502, 503, 529, 404, 401, 429, 400, 500, 500, 500];
    const a = await t.provider((c) => fails(list[c.n] ?? 200,
      `{"error":{"message":"number ${c.n}"}}`, { 'x-of-it': 'kept' })(c));
    const sp = await variables(t, a);
    for (const [i, status] of list.entries()) {
      const r = await chat(t, sp);
      assert.equal(r.status, status);
      assert.equal(r.text, `{"error":{"message":"number ${i}"}}`);
      assert.equal(r.headers['x-of-it'], 'kept');
      assert.equal(r.headers['x-spillway-attempts'], '1');
    }
    assert.equal(a.requests.length, list.length);
  });

test('L8 L15 a stream whose first event is a limit: again, unseen',
  async (t) => {
    const a = await t.provider((c) => (c.n === 0 ? c.stream([
      'event: error\ndata: {"type":"error","error":{"type":' +
      '"rate_limit_error","message":"rate limit"}}\n\n']) :
      c.stream(stream.claude())));
    const sp = await variables(t, a);
    const r = await messages(t, sp, { 'x-api-key': K },
      ask.claude({ stream: true }));
    assert.equal(r.status, 200);
    assert.equal(r.text, stream.claude().join(''));
    assert.equal(r.headers['x-spillway-attempts'], '2');
  });

test('L17 the list of models, with its status', async (t) => {
  const a = await t.provider((c) => c.answer(c.n === 0 ? 200 : 404,
    '{"object":"list","data":[{"id":"m1"}]}'));
  const sp = await variables(t, a);
  const get = () => t.ask(sp, 'GET', '/v1/models',
    { authorization: `Bearer ${K}` });
  let r = await get();
  assert.equal(r.status, 200);
  assert.equal(r.json.data[0].id, 'm1');
  assert.equal(a.requests[0].headers.authorization,
    'Bearer upstream-key-0001');
  r = await get();
  assert.equal(r.status, 404);
});

test('9 a file wins over PROXY_URL, and the log says so', async (t) => {
  const a = await t.provider(good());
  const b = await t.provider(good());
  const config = await t.config([{ name: 'filed', base_url: b.url,
    token: 'tok-b-0123456789abcdef' }]);
  for (const named of [false, true]) {
    const file = t.file('config.json', JSON.stringify(config));
    const sp = await t.run(named ? ['-c', file] : [], { env: vars(a) })
      .listening(config.port);
    from(await messages(t, sp, {}), 'filed');
    await sp.logs('PROXY_URL');
    await sp.stop();
    fs.rmSync(file);
  }
  assert.equal(a.connections.length, 0);
});
