/* Who may serve a request: routes, models, vendors, switched-off backends,
 * and -t --model, which tells it (spec 2, 4.4, 9 "Candidates"). */
import { assert, table, test } from './lib.mjs';
import { ask, backend, calls, fails, good, refused } from './say.mjs';

const K = 'client-key-0001';
const named = (t, sp, model, api = 'claude', headers = {}) => (
  api === 'gemini' ?
    t.ask(sp, 'POST', `/v1beta/models/${model}:generateContent`, headers,
      ask.gemini()) :
    t.ask(sp, 'POST', calls[api].path, headers,
      { ...calls[api].body, model }));

const from = (r, name) => {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.headers['x-spillway-backend'], name);
};

/* Backends that share one provider and serve every model. */
const all = { models: ['*'] };
async function group(t, names, more, each = {}) {
  const up = await t.provider(good());
  const sp = await t.proxy(names.map((n) => backend(n, up,
    { ...all, ...each })), more);
  sp.up = up;
  return sp;
}

/* ---- patterns ---- */

table('9 a pattern is for the whole name', [
  { p: 'claude-opus-4', yes: ['claude-opus-4', 'CLAUDE-Opus-4'],
    no: ['claude-opus-4-5', 'x-claude-opus-4', 'claude-opus-'] },
  { p: 'claude-*', yes: ['claude-', 'claude-opus', 'Claude-Opus'],
    no: ['claude', 'xclaude-opus', 'gpt-4o'] },
  { p: 'CLAUDE-*', yes: ['claude-opus'], no: ['gpt'] },
  { p: '*-4', yes: ['claude-4', 'x-4-4', '-4'], no: ['claude-4-5', '4'] },
  { p: '*opus*', yes: ['opus', 'claude-opus-4', 'OPUS'], no: ['opu', 's'] },
  { p: 'c*o*4', yes: ['claude-opus-4', 'co4', 'coo44'],
    no: ['c4', 'claude-opus', 'co4x'] },
  { p: 'a.b?c', yes: ['a.b?c'], no: ['axb?c', 'a.bxc', 'a.bc'] },
  { p: '[ab]', yes: ['[ab]'], no: ['a'] },
  { p: '**x', yes: ['x', 'yx'], no: ['xy'] },
  { p: '*', yes: ['anything', 'claude-opus', '*'], no: [] },
], async (t, { p, yes, no }) => {
  const sp = await group(t, ['else', 'here'], { routes: [
    { model: p, backends: ['here'] }] });
  for (const model of yes) from(await named(t, sp, model), 'here');
  for (const model of no) from(await named(t, sp, model), 'else');
});

/* ---- routes ---- */

test('3 the first route that fits counts; without one, all', async (t) => {
  const sp = await group(t, ['a', 'b', 'c', 'd'], { routes: [
    { model: 'claude-opus-mini*', backends: ['b'] },
    { model: 'claude-opus-*', backends: ['c'] },
    { model: 'claude-*', backends: ['d'] }] });
  from(await named(t, sp, 'claude-opus-mini-2'), 'b');
  from(await named(t, sp, 'claude-opus-4'), 'c');
  from(await named(t, sp, 'claude-haiku'), 'd');
  from(await named(t, sp, 'llama'), 'a');
});

test('3 failover stays among the backends of the route', async (t) => {
  const seen = [];
  const up = (name, play) => t.provider((c) => {
    seen.push(name);
    return play(c);
  });
  const sp = await t.proxy([
    backend('a', await up('a', good())),
    backend('b', await up('b', fails(500))),
    backend('c', await up('c', fails(529))),
  ], { routes: [{ model: 'claude-opus*', backends: ['b', 'c'] }] });
  refused('claude', await named(t, sp, 'claude-opus-4'), 502);
  assert.deepEqual(seen, ['b', 'c']);
  from(await named(t, sp, 'claude-haiku'), 'a');
});

test("3 a route's own strategy", async (t) => {
  const sp = await group(t, ['a', 'b', 'c'], { routes: [
    { model: 'turn-*', backends: ['a', 'b'], strategy: 'round_robin' }] },
  { priority: 1 });
  const seen = [];
  for (let i = 0; i < 4; i++)
    seen.push((await named(t, sp, 'turn-1')).headers['x-spillway-backend']);
  assert.equal(seen.filter((n) => n === 'a').length, 2);
  assert.equal(seen[0], seen[2]);
  assert.notEqual(seen[0], seen[1]);
  for (let i = 0; i < 3; i++) from(await named(t, sp, 'other'), 'a');
});

test('3 a route obeys the vendor rule, unless its backend has models',
  async (t) => {
    const up = await t.provider(good('openai'));
    const sp = await t.proxy([
      backend('bare', up, { api_type: 'openai' }),
      backend('listed', up, { api_type: 'openai', models: ['claude-x'] }),
      backend('fixed', up, { api_type: 'openai', model: 'gpt-4o' }),
    ], { routes: [{ model: 'claude-a', backends: ['bare'] },
      { model: 'claude-x', backends: ['bare', 'listed'] },
      { model: 'claude-z', backends: ['bare', 'fixed'] }] });
    refused('openai', await named(t, sp, 'claude-a', 'openai'), 404);
    from(await named(t, sp, 'claude-x', 'openai'), 'listed');
    from(await named(t, sp, 'claude-z', 'openai'), 'fixed');
    assert.equal(up.requests[1].json.model, 'gpt-4o');
  });

table('3 faults of routes', [
  { name: 'unknown backend', routes: [{ model: 'x', backends: ['aa'] }],
    want: /routes\[0\]\.backends.*"aa"/ },
  { name: 'no backends', routes: [{ model: 'x' }],
    want: /routes\[0\]\.backends/ },
  { name: 'no model', routes: [{ backends: ['official'] }],
    want: /routes\[0\]\.model/ },
  { name: 'unknown strategy', routes: [{ model: 'x', backends: ['official'],
    strategy: 'random' }], want: /routes\[0\]\.strategy/ },
  { name: 'never reached', routes: [{ model: 'claude-*',
    backends: ['official'] }, { model: 'claude-opus-*',
    backends: ['official'] }], want: /routes\[1\]\.model.*reached/ },
  { name: 'an unknown key', routes: [{ model: 'x', backend: ['official'] }],
    want: /routes\[0\]\.backend\b.*did you mean "?backends/ },
], async (t, { routes, want }) => {
  const config = await t.config([backend('official', 'http://127.0.0.1:9')],
    { routes });
  const file = t.file('c.json', JSON.stringify(config, null, 1));
  const p = await t.finish(['-t', '-c', file]);
  assert.equal(p.code, 1);
  assert.match(p.stderr, want);
  assert.match(p.stderr, /c\.json:\d+: /);
});

/* ---- vendors ---- */

const models = { claude: ['claude-opus-4-5', 'Claude-x', 'claude'],
  openai: ['gpt-4o', 'GPT-5', 'chatgpt-4o-latest', 'o1', 'o3-mini', 'O4'],
  gemini: ['gemini-2.5-pro', 'GEMINI-x', 'gemini'],
  none: ['llama-3', 'gptx', 'o-model', 'ox1', 'chatgpt', 'xgemini'] };

for (const api of Object.keys(calls))
  test(`4.4 G2 G3 ${api}: vendors' models stay with their API`,
    async (t) => {
      const a = await t.provider(good(api));
      const sp = await t.proxy([backend('a', a, { api_type: api })]);
      for (const [vendor, list] of Object.entries(models))
        for (const model of list) {
          const r = await named(t, sp, model, api);
          if (vendor === api || vendor === 'none') from(r, 'a');
          else refused(api, r, 404);
        }
    });

/* ---- models of a backend ---- */

test('3 models: the first backend that serves it', async (t) => {
  const up = await t.provider(good());
  const sp = await t.proxy([
    backend('opus', up, { models: ['claude-opus-*'] }),
    backend('haiku', up, { models: ['claude-haiku-*', 'claude-mini'] }),
    backend('rest', up)]);
  from(await named(t, sp, 'claude-opus-4'), 'opus');
  from(await named(t, sp, 'claude-haiku-4'), 'haiku');
  from(await named(t, sp, 'CLAUDE-MINI'), 'haiku');
  from(await named(t, sp, 'claude-sonnet'), 'rest');
});

test('3 C20 a map renames, and changes nothing else', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a, { models: {
    'claude-opus-4': 'exact', 'claude-opus-*': 'big', '*': 'small "x"' } })]);
  const body = (model) => `{ "a":1.0e+2,\t"model" : ${model} ,"b":"\\u00e9",` +
    '"max_tokens":9, "messages":[{"role":"user","content":"\\"model\\": 1"}]}\n';
  for (const [asked, seen] of [['claude-opus-4', 'exact'],
    ['claude-opus-4-5', 'big'], ['Claude-OPUS-9', 'big'],
    ['other', 'small "x"']]) {
    const r = await t.ask(sp, 'POST', '/v1/messages', {},
      body(JSON.stringify(asked)));
    from(r, 'a');
    assert.equal(a.requests.at(-1).text, body(JSON.stringify(seen)));
  }
});

test('3 C21 after a rename the next backend sees the original',
  async (t) => {
    const a = await t.provider(fails(500));
    const b = await t.provider(fails(500));
    const c = await t.provider(good());
    const sp = await t.proxy([
      backend('a', a, { models: { 'claude-*': 'other' } }),
      backend('b', b, { model: 'always' }), backend('c', c)]);
    from(await named(t, sp, 'claude-opus-4'), 'c');
    assert.equal(a.requests[0].json.model, 'other');
    assert.equal(b.requests[0].json.model, 'always');
    assert.equal(c.requests[0].json.model, 'claude-opus-4');
  });

test("3 Gemini's model stands in the path, and is renamed there",
  async (t) => {
    const a = await t.provider(good('gemini'));
    const sp = await t.proxy([backend('a', a, { api_type: 'gemini',
      models: { 'gemini-2*': 'gemini-exp', 'gemini-1*': 'gemini-1.5' } })]);
    from(await named(t, sp, 'gemini-2.5-pro', 'gemini'), 'a');
    assert.equal(a.requests[0].target,
      '/v1beta/models/gemini-exp:generateContent');
    from(await named(t, sp, 'gemini-1.0', 'gemini'), 'a');
    assert.equal(a.requests[1].target,
      '/v1beta/models/gemini-1.5:generateContent');
    refused('gemini', await named(t, sp, 'gemini-3', 'gemini'), 404);
  });

/* ---- nobody ---- */

const K2 = 'client-key-0002';
for (const api of Object.keys(calls))
  test(`9 ${api}: never 404, off 503, down 503, the key 403`, async (t) => {
    const a = await t.provider(good(api));
    const down = await t.provider(fails(500));
    const sp = await t.proxy([
      backend('on', a, { api_type: api, models: ['good-*'] }),
      backend('off', a, { api_type: api, models: ['off-*'],
        enabled: false }),
      backend('down', down, { api_type: api, models: ['down-*'] }),
    ], { failover: { circuit_breaker: { failure_threshold: 1 } },
      access_keys: [{ name: 'k', key: K }, { name: 'k2', key: K2,
        models: ['good-1', 'off-*'] }] });
    const one = (model, key = K) => named(t, sp, model, api,
      { 'x-goog-api-key': key });
    from(await one('good-1'), 'on');
    const never = await one('never-1');
    refused(api, never, 404);
    assert.equal(never.headers['x-spillway-attempts'], '0');
    const off = await one('off-1');
    refused(api, off, 503);
    assert.ok(Number(off.headers['retry-after']) > 0);
    refused(api, await one('down-1'), 502);
    const gone = await one('down-1');
    refused(api, gone, 503);
    assert.ok(Number(gone.headers['retry-after']) > 0);
    from(await one('good-1', K2), 'on');
    refused(api, await one('good-2', K2), 403);
    refused(api, await one('never-1', K2), 403);
    refused(api, await one('off-1', K2), 503);
    assert.equal(a.requests.length, 2);
  });

test('G20 C4 a disabled backend gets nothing, whatever the strategy',
  async (t) => {
    for (const strategy of ['failover', 'round_robin', 'weighted_random',
      'least_connections', 'sticky']) {
      const up = await t.provider(good());
      const off = await t.provider(good());
      const sp = await t.proxy([
        backend('off', off, { enabled: false, priority: 1, weight: 900 }),
        backend('a', up, { priority: 1 }),
        backend('b', up, { priority: 1 })], { strategy });
      for (let i = 0; i < 6; i++)
        assert.equal((await named(t, sp, 'claude-x', 'claude',
          { 'x-session-id': `s${i}` })).status, 200);
      assert.equal(off.connections.length, 0);
    }
  });

test('9 a route to disabled backends only: 503', async (t) => {
  const up = await t.provider(good());
  const sp = await t.proxy([backend('a', up),
    backend('b', up, { enabled: false })],
  { routes: [{ model: 'claude-opus*', backends: ['b'] }] });
  refused('claude', await named(t, sp, 'claude-opus-4'), 503);
  from(await named(t, sp, 'claude-haiku'), 'a');
});

/* ---- other paths ---- */

test('9 other paths: same rules and failover', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider((c) => c.answer(200, { data: ['x'] }));
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  const r = await t.ask(sp, 'GET', '/v1/files?limit=3&after=x',
    { 'anthropic-version': '2023-06-01' });
  from(r, 'b');
  assert.equal(r.text, '{"data":["x"]}');
  assert.equal(a.requests.length, 1);
  assert.equal(b.requests[0].target, '/v1/files?limit=3&after=x');
});

test('9 other paths: no backend of the dialect, so the first of any',
  async (t) => {
    const a = await t.provider((c) => c.answer(200, { ok: 1 }));
    const sp = await t.proxy([
      backend('off', a, { api_type: 'gemini', enabled: false }),
      backend('claude', a), backend('gemini', a, { api_type: 'gemini' })]);
    from(await t.ask(sp, 'GET', '/v1/files'), 'claude');
  });

test('9 other paths are not parsed', async (t) => {
  const a = await t.provider((c) => c.answer(200, { ok: 1 }));
  const sp = await t.proxy([backend('a', a)]);
  const bytes = Buffer.from([0x7b, 0xff, 0, 1, 2, 0x22]);
  from(await t.ask(sp, 'POST', '/v1/files',
    { 'anthropic-version': '2023-06-01' }, bytes), 'a');
  assert.deepEqual(a.requests[0].body, bytes);
});

/* ---- -t --model ---- */

/* The part of -t's output that is for clients of one API. */
function part(out, api) {
  const all = out.split(/^(?=\w+ clients, model )/m);
  const one = all.find((x) => x.startsWith(`${api} clients, model`));
  assert.ok(one, `nothing about ${api} clients in:\n${out}`);
  return one;
}

const explained = {
  routes: [{ model: 'claude-opus*', backends: ['second', 'first', 'off'],
    strategy: 'round_robin' }],
  access_keys: [{ name: 'laptop', key: K },
    { name: 'guest', key: K2, backends: ['second'],
      models: ['claude-*'] }],
};
async function explain(t, args, more = explained) {
  const url = 'http://127.0.0.1:9';
  const config = await t.config([
    backend('first', url, { priority: 5 }),
    backend('second', url, { priority: 2, models: { 'claude-*': 'mapped' } }),
    backend('off', url, { priority: 1, enabled: false }),
    backend('chat', url, { api_type: 'openai', priority: 3 }),
    backend('small', url, { models: ['claude-haiku*'], priority: 4 }),
  ], more);
  const file = t.file('c.json', JSON.stringify(config));
  return t.finish(['-t', '-c', file, ...args]);
}

test('2 -t --model --key: the order, and why not the others', async (t) => {
  const p = await explain(t, ['--model', 'claude-haiku-4', '--key',
    'laptop']);
  assert.equal(p.code, 0);
  const claude = part(p.stdout, 'Anthropic');
  assert.match(claude, /claude-haiku-4/);
  assert.match(claude, /1\. "second".*mapped[^]*2\. "small"[^]*3\. "first"/);
  assert.match(claude, /-\s+"off".*disabled/);
  assert.match(claude, /-\s+"chat".*vendor/);
  const openai = part(p.stdout, 'OpenAI');
  assert.match(openai, /-\s+"chat".*vendor/);
  assert.match(openai, /"first".*translated to the anthropic API/);
});

test('2 -t --model: a route, its strategy and who is left out',
  async (t) => {
    const p = await explain(t, ['--model', 'claude-opus-4', '--key',
      'laptop']);
    assert.equal(p.code, 0);
    const claude = part(p.stdout, 'Anthropic');
    assert.match(claude, /route "claude-opus\*".*in turn/);
    assert.match(claude, /1\. "second"[^]*2\. "first"/);
    assert.match(claude, /-\s+"small".*route/);
    assert.match(claude, /-\s+"off".*disabled/);
  });

test('2 -t --model --key: a key that may use less', async (t) => {
  const p = await explain(t, ['--model', 'claude-opus-4', '--key',
    'guest']);
  assert.equal(p.code, 0);
  const claude = part(p.stdout, 'Anthropic');
  assert.match(claude, /1\. "second"/);
  assert.doesNotMatch(claude, /2\. /);
  assert.match(claude, /-\s+"first".*key/);
});

table('2 -t --model: nobody serves it: exit 1', [
  { name: "not in the key's list", args: ['--model', 'gpt-4o', '--key',
    'guest'] },
  { name: 'no such key', args: ['--model', 'claude-x', '--key', 'gest'],
    out: /no access key.*gest/ },
  { name: 'a key is needed', args: ['--model', 'claude-x'], out: /--key/ },
  { name: 'disabled', args: ['--model', 'claude-opus-4'], more: { routes: [
    { model: 'claude-opus*', backends: ['off'] }] }, out: /disabled/ },
], async (t, { args, more, out }) => {
  const p = await explain(t, args, more);
  assert.equal(p.code, 1);
  if (out) assert.match(p.stdout + p.stderr, out);
});

test('2 -t --model agrees with what is done', async (t) => {
  const up = await t.provider(good());
  const config = await t.config([backend('x', up, { models: ['claude-a*'] }),
    backend('y', up, { priority: 0 }),
    backend('z', up, { models: { 'claude-b': 'c' } })],
  { routes: [{ model: 'claude-ab', backends: ['z', 'x'] }] });
  const sp = await t.start(config);
  for (const model of ['claude-a', 'claude-ab', 'claude-b', 'claude-c',
    'gpt-4o', 'llama']) {
    const p = await t.finish(['-t', '-c', sp.file, '--model', model]);
    const said = /1\. "(\w)"/.exec(part(p.stdout, 'Anthropic'))?.[1];
    const r = await named(t, sp, model);
    assert.equal(r.headers['x-spillway-backend'], said, model);
    assert.equal(p.code === 0, r.status === 200, model);
  }
});
