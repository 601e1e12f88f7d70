/* Client and backend speak different APIs: heads, answers, streams
 * (spec section 6, translation sections 5, 6 and 9). */
import zlib from 'node:zlib';
import { assert, deferred, freePort, table, test, turn, until }
  from './lib.mjs';
import { ask, calls, ev, good, plain, stream, streamCalls } from
  './say.mjs';
import { apis, by, clients, events, pairs, pieces, readPlain, readStream,
  says, send, streamClients } from './cross.mjs';

/* A provider that answers as asked, and keeps its own counters' headers. */
const answers = (api, words = ['go', 'od'], headers = {}) => (c) =>
  (/stream(GenerateContent|":true)/.test(c.target + c.text) ?
    c.stream(says[api](words), headers) :
    c.answer(200, plain[api](words.join('')), headers));

const vendor = {
  'request-id': 'req_theirs', 'anthropic-organization-id': 'org-1',
  'anthropic-ratelimit-tokens-remaining': '5', 'openai-version': '1',
  'x-ratelimit-remaining-requests': '7', 'server-timing': 'x;dur=1',
  'set-cookie': 'a=b', 'cf-ray': '1', 'x-spillway-dropped': 'lie',
};

/* What Claude Code and others send along. */
const guest = {
  'x-api-key': 'guest-key-123456', authorization: 'Bearer guest-key-123456',
  'x-goog-api-key': 'guest-key-123456', 'anthropic-version': '2026-10-21',
  'anthropic-beta': 'x-2025', 'openai-organization': 'org-g',
  'x-stainless-lang': 'js', 'x-goog-api-client': 'g/1', cookie: 'c=1',
  accept: '*/*', 'accept-encoding': 'gzip, br', 'user-agent': 'agent/1.0',
  'content-type': 'application/json; charset=utf-8', 'x-request-id': 'mine',
};

const upstreamPath = {
  claude: () => '/v1/messages', openai: () => '/v1/chat/completions',
  gemini: (s) => `/v1beta/models/gemini-2.5-flash:${s ?
    'streamGenerateContent?alt=sse' : 'generateContent'}`,
};

/* The head that a backend gets: all of it. */
function headUp(api, call, streaming) {
  const token = `tok-a-0123456789abcdef`;
  const h = { ...call.headers };
  assert.equal(call.method, 'POST');
  assert.equal(call.target, upstreamPath[api](streaming));
  const want = {
    claude: { 'x-api-key': token, authorization: `Bearer ${token}`,
      'anthropic-version': '2023-06-01' },
    openai: { authorization: `Bearer ${token}` },
    gemini: { 'x-goog-api-key': token },
  }[api];
  assert.equal(Number(h['content-length']), call.body.length);
  delete h['content-length'];
  assert.deepEqual(h, { ...want, host: h.host, 'user-agent': 'agent/1.0',
    'content-type': 'application/json', 'accept-encoding': 'identity',
    accept: streaming ? 'text/event-stream' : 'application/json' });
}

/* The head that a client gets. */
function headDown(api, r, more = []) {
  const allowed = ['content-type', 'x-spillway-backend', 'date', 'server',
    'x-spillway-attempts', 'x-request-id', 'connection', 'keep-alive',
    'content-length', 'transfer-encoding', 'cache-control', ...more];
  if (api === 'claude') allowed.push('request-id');
  for (const name of Object.keys(r.headers))
    assert.ok(allowed.includes(name), `${name} reached the client`);
  assert.equal(r.headers['x-spillway-backend'], 'a');
  assert.equal(r.headers['x-request-id'], 'mine');
  if (api === 'claude') assert.equal(r.headers['request-id'], 'mine');
}

/* ---- each pair ---- */

table('plain', pairs, async (t, { from, to }) => {
  const a = await t.provider(answers(to, ['good'], vendor));
  const sp = await t.proxy([by(to, 'a', a)], { open: true });
  const r = await send(t, sp, clients[from], guest);
  assert.equal(readPlain(from, r), 'good');
  headDown(from, r);
  headUp(to, a.requests[0], false);
  const model = r.json.model ?? r.json.modelVersion;
  assert.equal(model, clients[from].body.model ?? 'gemini-2.5-flash');
  assert.doesNotMatch(a.requests[0].text, /"stream"/);
});

table('stream', pairs, async (t, { from, to }) => {
  const a = await t.provider(answers(to, ['go', 'od'], vendor));
  const sp = await t.proxy([by(to, 'a', a)], { open: true });
  const r = await send(t, sp, streamClients[from], guest);
  assert.equal(readStream(from, r), 'good');
  headDown(from, r);
  headUp(to, a.requests[0], true);
  await sp.logs(/3 in 2 out, [a-zA-Z_]+, translated to/);
});

table('a client keeps its connection', pairs, async (t, { from, to }) => {
  const a = await t.provider(answers(to));
  const sp = await t.proxy([by(to, 'a', a)]);
  const c = t.client(sp);
  for (const call of [clients[from], streamClients[from], clients[from]]) {
    c.request('POST', call.path, {}, call.body);
    const r = await c.answer();
    if (call === clients[from]) assert.equal(readPlain(from, r), 'good');
    else assert.equal(readStream(from, r), 'good');
  }
  assert.equal(a.connections.length, 1);
});

/* Bytes of a stream in pieces of random lengths; told in the message. */
function cuts(text, seed) {
  const list = [];
  const bytes = Buffer.from(text);
  let x = seed;
  for (let at = 0; at < bytes.length;) {
    x = (x * 1103515245 + 12345) % 2147483648;
    const n = 1 + (x >> 8) % (seed % 2 ? 9 : 60);
    list.push(bytes.subarray(at, at + n));
    at += n;
  }
  return list;
}

table('cut anywhere, all line ends', pairs, async (t, { from, to }) => {
  const words = ['gr\u00fc', '\u00df \ud83d\ude00 ', '"q" \\ \u2028end'];
  let n = 0;
  const a = await t.provider(async (c) => {
    const eol = ['\n', '\r\n', '\r'][n % 3];
    const text = `: hello${'\n\n'}${says[to](words).join('')}`
      .replaceAll('\n', eol);
    await c.sse();
    for (const x of cuts(text, ++n)) await c.chunk(x);
    await c.last();
  });
  const sp = await t.proxy([by(to, 'a', a)]);
  for (let i = 0; i < 6; i++)
    assert.equal(readStream(from, await send(t, sp, streamClients[from])),
      words.join(''), `seed ${i + 1}`);
});

table('packed', pairs, async (t, { from, to }) => {
  const a = await t.provider((c) => {
    const s = /stream(GenerateContent|":true)/.test(c.target + c.text);
    const text = s ? says[to](['go', 'od']).join('') :
      JSON.stringify(plain[to]());
    return c.answer(200, zlib.gzipSync(text), { 'content-encoding': 'gzip',
      'content-type': s ? 'text/event-stream' : 'application/json' });
  });
  const sp = await t.proxy([by(to, 'a', a)]);
  assert.equal(readPlain(from, await send(t, sp, clients[from])), 'good');
  const r = await send(t, sp, streamClients[from]);
  assert.equal(readStream(from, r), 'good');
  assert.equal(r.headers['content-encoding'], undefined);
});

table('a stream was asked, a document came', pairs,
  async (t, { from, to }) => {
    const a = await t.provider((c) => c.answer(200, plain[to]('all good')));
    const sp = await t.proxy([by(to, 'a', a)]);
    assert.equal(readStream(from, await send(t, sp, streamClients[from])),
      'all good');
  });

table('a stream was asked, a document came as a stream', pairs,
  async (t, { from, to }) => {
    const a = await t.provider((c) => c.answer(200, plain[to]('all good'),
      { 'content-type': 'text/event-stream' }));
    const sp = await t.proxy([by(to, 'a', a)]);
    assert.equal(readStream(from, await send(t, sp, streamClients[from])),
      'all good');
  });

table('a document was asked, a stream came', pairs,
  async (t, { from, to }) => {
    const a = await t.provider((c) => c.stream(says[to](['all ', 'good'])));
    const sp = await t.proxy([by(to, 'a', a)]);
    assert.equal(readPlain(from, await send(t, sp, clients[from])),
      'all good');
  });

table('5 MB, plain', pairs, async (t, { from, to }) => {
  const text = 'x\u00e9"\n'.repeat(1 << 20);
  const a = await t.provider((c) => c.answer(200, plain[to](text)));
  const sp = await t.proxy([by(to, 'a', a)]);
  assert.equal(readPlain(from, await send(t, sp, clients[from])), text);
  const r = await send(t, sp, streamClients[from]);
  assert.equal(readStream(from, r), text);
});

/* ---- Gemini's array ---- */

table('a Gemini client without alt=sse', [{ name: 'claude' },
  { name: 'openai' }], async (t, { name: to }) => {
    const a = await t.provider(answers(to, ['go', 'od']));
    const sp = await t.proxy([by(to, 'a', a)]);
    const r = await t.ask(sp, 'POST',
      '/v1beta/models/gemini-2.5-flash:streamGenerateContent', {},
      ask.gemini());
    assert.equal(r.status, 200);
    assert.equal(r.complete, true);
    assert.equal(r.headers['content-type'], 'application/json');
    assert.equal(a.requests[0].headers.accept, 'text/event-stream');
    assert.ok(Array.isArray(r.json));
    assert.deepEqual(pieces('gemini', r.json), ['go', 'od']);
    assert.equal(r.json.at(-1).candidates[0].finishReason, 'STOP');
  });

test('the array breaks off without its end', async (t) => {
  const a = await t.provider(async (c) => {
    await c.sse();
    for (const e of stream.claude().slice(0, 5)) await c.chunk(e);
    c.reset();
  });
  const sp = await t.proxy([by('claude', 'a', a)]);
  const r = await t.ask(sp, 'POST',
    '/v1beta/models/gemini-2.5-flash:streamGenerateContent', {},
    ask.gemini());
  assert.equal(r.status, 200);
  assert.equal(r.complete, false);
  assert.match(r.text, /"error"/);
  assert.doesNotMatch(r.text, /finishReason/);
});

/* ---- when things leave ---- */

table('the first event leaves before the others came', pairs,
  async (t, { from, to }) => {
    const gate = deferred();
    const list = says[to](['go', 'od']);
    const first = list.findIndex((e) => e.includes('"go"')) + 1;
    const a = await t.provider(async (c) => {
      await c.sse();
      for (const e of list.slice(0, first)) await c.chunk(e);
      await gate.promise;
      for (const e of list.slice(first)) await c.chunk(e);
      await c.last();
    });
    const sp = await t.proxy([by(to, 'a', a)]);
    const c = t.client(sp);
    const call = streamClients[from];
    c.request('POST', call.path, {}, call.body);
    await c.sees('go');
    gate.resolve();
    assert.equal(readStream(from, await c.answer()), 'good');
  });

test('each event leaves by itself', async (t) => {
  const gates = Array.from({ length: 5 }, deferred);
  const a = await t.provider(async (c) => {
    const list = says.openai(['w0', 'w1', 'w2', 'w3', 'w4']);
    await c.sse();
    await c.chunk(list[0]);
    for (let i = 0; i < 5; i++) {
      await c.chunk(list[1 + i]);
      await gates[i].promise;
    }
    for (const e of list.slice(6)) await c.chunk(e);
    await c.last();
  });
  const sp = await t.proxy([by('openai', 'a', a)]);
  const c = t.client(sp);
  c.request('POST', '/v1/messages', {}, ask.claude({ stream: true }));
  for (let i = 0; i < 5; i++) {
    await c.sees(`w${i}`);
    gates[i].resolve();
  }
  assert.equal(readStream('claude', await c.answer()), 'w0w1w2w3w4');
});

test('a client that leaves closes the upstream at once', async (t) => {
  const a = await t.provider(async (c) => {
    await c.sse();
    for (const e of stream.claude().slice(0, 4)) await c.chunk(e);
  });
  const sp = await t.proxy([by('claude', 'a', a)]);
  const c = t.client(sp);
  c.request('POST', streamCalls.openai.path, {}, streamCalls.openai.body);
  await c.sees('go');
  c.close();
  await a.requests[0].gone;
  await sp.logs(/client/);
  /* The backend is not blamed: it is asked again. */
  const d = t.client(sp);
  d.request('POST', streamCalls.openai.path, {}, streamCalls.openai.body);
  await d.sees('go');
});

test('a slow client holds a translated stream back', async (t) => {
  const piece = 'x'.repeat(16000);
  let written = 0;
  let over = false;
  const a = await t.provider(async (c) => {
    await c.sse();
    for (const e of stream.claude(['go']).slice(0, 4)) await c.chunk(e);
    for (let i = 0; i < 2000 && !over; i++) {
      await c.chunk(ev('content_block_delta', { index: 0,
        delta: { type: 'text_delta', text: piece } }));
      written += piece.length;
    }
    for (const e of stream.claude(['go']).slice(4)) await c.chunk(e);
    await c.last();
  });
  const sp = await t.proxy([by('claude', 'a', a)]);
  const c = t.client(sp);
  c.request('POST', streamCalls.openai.path, {}, streamCalls.openai.body);
  await c.sees('go');
  c.socket.pause();
  /* It stalls: what was written does not grow any more. */
  let last = -1;
  await until(async () => {
    const before = written;
    await turn(300);
    const same = before === written && before === last;
    last = written;
    return same;
  }, 'the provider to be held back');
  assert.ok(written < 24 << 20, `${written} bytes went through`);
  over = true;
  c.socket.resume();
  const r = await c.answer();
  assert.equal(r.complete, true);
  assert.equal(pieces('openai', events('openai', r.text)).join('').length,
    written + 2);
});

/* ---- what is not translated ---- */

table('not translated', [{ name: 'HEAD' }, { name: 'OPTIONS' }],
  async (t, { name: method }) => {
    const a = await t.provider((c) => c.start(204, { 'x-theirs': '1' }));
    const sp = await t.proxy([by('openai', 'a', a)]);
    const r = await t.ask(sp, method, '/v1/messages', {});
    assert.equal(r.status, 204);
    assert.equal(r.headers['x-theirs'], '1');
    assert.equal(a.requests[0].method, method);
    assert.equal(a.requests[0].target, '/v1/messages');
  });

table('other OpenAI paths pass to openai backends', [
  ['/v1/embeddings', { model: 'text-embedding-3-small', input: 'x' }],
  ['/v1/completions', { model: 'gpt-3.5-turbo-instruct', prompt: 'x' }],
  ['/v1/moderations', { input: 'x' }],
], async (t, [path, body]) => {
  const a = await t.provider((c) => c.answer(200, '{"from":"a"}'));
  const b = await t.provider((c) => c.answer(200, '{ "from" : "b" }'));
  const sp = await t.proxy([by('claude', 'a', a),
    by('openai', 'b', b, { model: undefined })]);
  const r = await t.ask(sp, 'POST', path, {}, body);
  assert.equal(r.text, '{ "from" : "b" }');
  assert.equal(b.requests[0].target, path);
  assert.deepEqual(b.requests[0].json, body);
  assert.equal(a.requests.length, 0);
});

test('embeddings are not translated', async (t) => {
  const a = await t.provider(good('claude'));
  const sp = await t.proxy([by('claude', 'a', a)]);
  const r = await t.ask(sp, 'POST', '/v1/embeddings', {},
    { model: 'text-embedding-3-small', input: 'x' });
  assert.equal(r.status, 404);
  assert.match(r.json.error.message, /translated/);
  assert.equal(a.requests.length, 0);
});

test('Responses pass to an openai backend untouched', async (t) => {
  const body = '{"model": "gpt-4o",  "input": "hi", "store" : true}';
  const answer = '{"id":"resp_1",  "object":"response","status":"completed",' +
    '"output":[{"type":"message","content":[]}]}';
  const a = await t.provider((c) => c.answer(200, answer));
  const sp = await t.proxy([by('openai', 'a', a, { model: undefined,
    responses: undefined })]);
  const r = await t.ask(sp, 'POST', '/v1/responses', {}, body);
  assert.equal(a.requests[0].text, body);
  assert.equal(a.requests[0].target, '/v1/responses');
  assert.equal(r.text, answer);
});

for (const kind of ['plain', 'stream'])
  test(`Responses become chat with "responses": false, ${kind}`,
    async (t) => {
      const a = await t.provider(answers('openai'));
      const sp = await t.proxy([by('openai', 'a', a)]);
      const r = await send(t, sp, kind === 'plain' ? clients.responses :
        streamClients.responses, { 'openai-organization': 'org-g' });
      assert.equal(a.requests[0].target, '/v1/chat/completions');
      assert.equal(kind === 'plain' ? readPlain('responses', r) :
        readStream('responses', r), 'good');
    });

table('an "any" backend is never translated', apis.map((api) =>
  ({ name: api, api })), async (t, { api }) => {
  const a = await t.provider(good(api));
  const port = await freePort();
  const sp = await t.start(JSON.stringify([{ name: 'a', base_url: a.url,
    token: 'tok-a-0123456789abcdef', key_type: 'AUTH_TOKEN' }]),
  { port, env: { PROXY_PORT: String(port) } });
  const body = ` ${JSON.stringify(calls[api].body)} `;
  const r = await t.ask(sp, 'POST', calls[api].path, {}, body);
  assert.equal(r.status, 200);
  assert.equal(r.text, JSON.stringify(plain[api]()));
  assert.equal(a.requests[0].text, body);
  assert.equal(a.requests[0].target, calls[api].path);
});

/* ---- what was lost ---- */

test('losses are named in a header', async (t) => {
  const a = await t.provider(answers('openai'));
  const sp = await t.proxy([by('openai', 'a', a)]);
  const r = await t.ask(sp, 'POST', '/v1/messages', {}, ask.claude({
    top_k: 5, mcp_servers: [], tools: [{ type: 'web_search_20250305',
      name: 'web_search' }] }));
  assert.equal(r.status, 200);
  assert.deepEqual(r.headers['x-spillway-dropped'].split(', ').sort(),
    ['drop:mcp_servers', 'drop:tool.web_search_20250305', 'drop:top_k']);
  await sp.logs(/translated to openai \([^)]*drop:top_k/);
});

test('what a client wrote cannot break the head', async (t) => {
  const a = await t.provider(answers('openai'));
  const sp = await t.proxy([by('openai', 'a', a)]);
  const tools = Array.from({ length: 2000 }, (_, i) => ({ name: 'x',
    type: `a\r\nset-cookie: ${i}=${'y'.repeat(100)}` }));
  const r = await t.ask(sp, 'POST', '/v1/messages', {},
    ask.claude({ tools }));
  assert.equal(readPlain('claude', r), 'good');
  assert.equal(r.headers['set-cookie'], undefined);
  assert.ok(r.headers['x-spillway-dropped'].length < 8000);
});

/* ---- credentials ---- */

table('passthrough in the form of the other API', [
  ['claude', 'x-api-key', 'guest-1'], ['openai', 'authorization',
    'Bearer guest-1'], ['gemini', 'x-goog-api-key', 'guest-1'],
], async (t, [to, name, value]) => {
  const a = await t.provider(answers(to));
  const sp = await t.proxy([by(to, 'a', a, { auth: 'passthrough',
    token: undefined })]);
  const forms = [{ 'x-api-key': 'guest-1' }, { 'x-goog-api-key': 'guest-1' },
    { authorization: 'Bearer guest-1' }];
  for (const from of Object.keys(clients)) {
    if (from === to) continue;
    for (const h of forms) {
      a.requests.length = 0;
      const r = await send(t, sp, clients[from], h);
      assert.equal(readPlain(from, r), 'good');
      const sent = Object.entries(a.requests[0].headers)
        .filter(([, v]) => v.includes('guest-1'));
      assert.deepEqual(sent, [[name, value]]);
    }
  }
});

test('an access key stays here, and ?key= too', async (t) => {
  const a = await t.provider(answers('claude'));
  const sp = await t.proxy([by('claude', 'a', a)], { access_keys: [
    { name: 'k', key: 'access-key-1' }] });
  const r = await t.ask(sp, 'POST', `${clients.gemini.path}?key=access-key-1`,
    {}, clients.gemini.body);
  assert.equal(readPlain('gemini', r), 'good');
  assert.doesNotMatch(a.requests[0].raw + a.requests[0].text, /access-key/);
});

test('a backend\'s own headers win, once each', async (t) => {
  const a = await t.provider(answers('claude'));
  const sp = await t.proxy([by('claude', 'a', a, { headers: {
    'user-agent': 'gate/2', 'anthropic-version': '2023-01-01',
    'x-team': 'blue', 'Accept': 'a/b', 'Content-Type': 'c/d',
    'anthropic-beta': 'z' } })]);
  const r = await send(t, sp, clients.openai, guest);
  assert.equal(readPlain('openai', r), 'good');
  const h = a.requests[0].headers;
  assert.equal(h['user-agent'], 'gate/2');
  assert.equal(h['anthropic-version'], '2023-01-01');
  assert.equal(h['x-team'], 'blue');
  assert.equal(h.accept, 'a/b');
  assert.equal(h['content-type'], 'c/d');
  assert.equal(h['anthropic-beta'], 'z');
});

table('base URLs', [
  ['openai', '/openai/v1', undefined, '/openai/v1/chat/completions'],
  ['openai', '/api/v3', undefined, '/api/v3/v1/chat/completions'],
  ['openai', '', '/compat', '/compat/chat/completions'],
  ['claude', '/v1', undefined, '/v1/messages'],
  ['gemini', '/v1beta', undefined,
    '/v1beta/models/gemini-2.5-flash:generateContent'],
], async (t, [to, path, prefix, want]) => {
  const a = await t.provider(answers(to));
  const sp = await t.proxy([by(to, 'a', { url: a.url + path },
    { path_prefix: prefix })]);
  const from = to === 'claude' ? 'openai' : 'claude';
  assert.equal(readPlain(from, await send(t, sp, clients[from])), 'good');
  assert.equal(a.requests[0].target, want);
});

/* ---- tokens ---- */

table('tokens of translated answers are charged', pairs,
  async (t, { from, to }) => {
    const a = await t.provider(answers(to));
    const sp = await t.proxy([by(to, 'a', a)], { access_keys: [{ name: 'k',
      key: 'access-key-1', tokens: { max: 10, window_minutes: 60 } }] });
    const h = { authorization: 'Bearer access-key-1' };
    readPlain(from, await send(t, sp, clients[from], h));
    readStream(from, await send(t, sp, streamClients[from], h));
    const r = await send(t, sp, clients[from], h);
    assert.equal(r.status, 429);
    assert.equal(a.requests.length, 2);
  });

/* ---- turns of one conversation ---- */

test('a reload between two turns', async (t) => {
  const a = await t.provider(answers('claude', ['one']));
  const b = await t.provider(answers('gemini', ['two']));
  const config = await t.config([by('claude', 'a', a)]);
  const sp = await t.start(config);
  const c = t.client(sp);
  c.request('POST', clients.openai.path, {}, clients.openai.body);
  assert.equal(readPlain('openai', await c.answer()), 'one');
  config.backends = [{ ...by('gemini', 'b', b), priority: 1 }];
  t.file('config.json', JSON.stringify(config));
  sp.kill('SIGHUP');
  await sp.logs(/reload/i);
  c.request('POST', clients.openai.path, {}, clients.openai.body);
  assert.equal(readPlain('openai', await c.answer()), 'two');
  assert.match(b.requests[0].target, /:generateContent$/);
});

test('a sticky conversation stays with its backend', async (t) => {
  const ups = [];
  for (const to of apis) ups.push(await t.provider(answers(to, [to])));
  const sp = await t.proxy(apis.map((to, i) => by(to, to, ups[i],
    { priority: 1 })), { strategy: 'sticky' });
  const seen = new Set();
  for (let i = 0; i < 12; i++) {
    const body = ask.claude({ metadata: { user_id: `u${i}` } });
    const one = await t.ask(sp, 'POST', '/v1/messages', {}, body);
    for (let n = 0; n < 2; n++) {
      const r = await t.ask(sp, 'POST', '/v1/messages', {}, body);
      assert.equal(r.headers['x-spillway-backend'],
        one.headers['x-spillway-backend']);
    }
    seen.add(one.headers['x-spillway-backend']);
  }
  assert.equal(seen.size, 3);
});

/* ---- refusals ---- */

test('what no API can say is a 400, and asks nobody', async (t) => {
  const a = await t.provider(answers('claude'));
  const sp = await t.proxy([by('claude', 'a', a)]);
  const r = await t.ask(sp, 'POST', clients.openai.path, {},
    ask.chat({ n: 2 }));
  assert.equal(r.status, 400);
  assert.equal(r.json.error.type, 'invalid_request_error');
  assert.equal(r.json.error.param, 'n');
  assert.equal(r.headers['x-spillway-attempts'], '0');
  assert.equal(a.requests.length, 0);
});

test('the next backend serves what the first cannot say', async (t) => {
  const a = await t.provider(answers('claude'));
  const b = await t.provider(answers('gemini'));
  const sp = await t.proxy([by('claude', 'a', a), by('gemini', 'b', b)]);
  const r = await t.ask(sp, 'POST', clients.openai.path, {},
    ask.chat({ n: 2 }));
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-spillway-backend'], 'b');
  assert.equal(r.headers['x-spillway-attempts'], '1');
  assert.equal(a.requests.length, 0);
  assert.equal(b.requests[0].json.generationConfig.candidateCount, 2);
  /* It harms the first in no way. */
  const s = await send(t, sp, clients.openai);
  assert.equal(s.headers['x-spillway-backend'], 'a');
});

test('broken JSON is refused in the client\'s API', async (t) => {
  const a = await t.provider(answers('openai'));
  const sp = await t.proxy([by('openai', 'a', a)]);
  const r = await t.ask(sp, 'POST', '/v1/messages', {}, '{"model":');
  assert.equal(r.status, 400);
  assert.equal(r.json.type, 'error');
  const deep = `{"model":"x","messages":${'['.repeat(600)}` +
    `${']'.repeat(600)}}`;
  const d = await t.ask(sp, 'POST', '/v1/messages', {}, deep);
  assert.equal(d.status, 400);
  assert.equal(d.json.type, 'error');
  assert.equal(a.requests.length, 0);
});

table('a model\'s name cannot lead to another path', [
  { name: 'up', model: 'gemini-x/../../secret' }, { name: 'dots',
    model: '..' }, { name: 'dot', model: 'a/./b' }, { name: 'none',
    model: '' },
], async (t, { model }) => {
  const a = await t.provider(answers('gemini'));
  const b = await t.provider(answers('openai'));
  const g = by('gemini', 'a', a, { model: undefined, models: ['*'] });
  let sp = await t.proxy([g]);
  const body = ask.claude({ model });
  const r = await t.ask(sp, 'POST', '/v1/messages', {}, body);
  assert.equal(r.status, 400);
  assert.match(r.json.error.message, /model/);
  if (model.includes('/')) {
    const own = await t.ask(sp, 'POST', `/v1beta/models/${
      model.replaceAll('/', '%2F')}:generateContent`, {}, ask.gemini());
    assert.equal(own.status, 400);
  }
  assert.equal(a.requests.length, 0);
  sp = await t.proxy([g, by('openai', 'b', b)]);
  const s = await t.ask(sp, 'POST', '/v1/messages', {}, body);
  assert.equal(readPlain('claude', s), 'good');
});

test('odd names stand escaped in the path', async (t) => {
  const a = await t.provider(answers('gemini'));
  const sp = await t.proxy([by('gemini', 'a', a, { model: undefined,
    models: ['*'] })]);
  for (const [model, want] of [['a/b', 'a/b'], ['x?k=1', 'x%3Fk=1'],
    ['x#y', 'x%23y'], ['x\r\nHost: a', 'x%0D%0AHost:%20a'],
    ['\u00fc', '%C3%BC'], ['a%2Fb', 'a%252Fb'], ['..a', '..a']]) {
    await t.ask(sp, 'POST', '/v1/messages', {}, ask.claude({ model }));
    assert.equal(a.requests.at(-1).target,
      `/v1beta/models/${want}:generateContent`);
  }
});

/* ---- HTTP/1.0 ---- */

test('HTTP/1.0: a stream ends with its connection', async (t) => {
  const a = await t.provider(answers('claude'));
  const sp = await t.proxy([by('claude', 'a', a)]);
  const body = JSON.stringify(streamCalls.openai.body);
  const c = t.client(sp);
  c.reader.heads.push('POST');
  c.send(`POST /v1/chat/completions HTTP/1.0\r\nhost: x\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`);
  const r = await c.answer();
  assert.equal(r.status, 200);
  assert.equal(r.complete, true);
  assert.equal(r.headers['transfer-encoding'], undefined);
  assert.match(r.text, /\[DONE\]\n\n$/);
});
