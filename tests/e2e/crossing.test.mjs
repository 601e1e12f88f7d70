/* Failover between APIs, streams that break, errors of every class
 * (spec 4.6 to 4.9, translation sections 6 and 10). */
import zlib from 'node:zlib';
import { assert, freePort, table, test } from './lib.mjs';
import { ask, data, errorBody, ev, fails, firstError, good, plain, stream }
  from './say.mjs';
import { apis, by, clients, errorLater, models, pairs, readBroken,
  readPlain, readStream, says, send, streamClients, unfinished }
  from './cross.mjs';

/* A good second backend of the next API: never the first one's. */
const next = { claude: 'openai', openai: 'gemini', gemini: 'claude' };

async function crossing(t, api, handler, more = {}) {
  const a = await t.provider(handler);
  const b = await t.provider(good(next[api], 'good'));
  const sp = await t.proxy([by(api, 'a', a), by(next[api], 'b', b)], more);
  return { a, b, sp };
}

/* The clients that this API has to be translated for. */
const foreign = (api) => Object.keys(clients).filter((f) => f !== api);

/* b has answered as if a had never been there. */
async function crosses(t, api, handler, { streamed = true, plained = true,
  froms = Object.keys(clients) } = {}) {
  for (const from of froms) {
    const { a, b, sp } = await crossing(t, api, handler);
    const direct = await t.proxy([by(next[api], 'b', b)]);
    for (const list of [plained && clients, streamed && streamClients]) {
      if (!list) continue;
      const asked = a.requests.length;
      b.requests.length = 0;
      const r = await send(t, sp, list[from]);
      if (list === clients) assert.equal(readPlain(from, r), 'good');
      else if (from === next[api])
        assert.equal(r.text, stream[from](['go', 'od']).join(''));
      else assert.equal(readStream(from, r), 'good');
      assert.equal(r.headers['x-spillway-backend'], 'b');
      assert.equal(r.headers['x-spillway-attempts'], '2');
      assert.equal(a.requests.length, asked + 1);
      /* Made anew from the original bytes. */
      await send(t, direct, list[from]);
      assert.equal(b.requests[0].text, b.requests[1].text);
      assert.equal(b.requests[0].target, b.requests[1].target);
    }
    await sp.stop();
    await direct.stop();
  }
}

const each = apis.map((api) => ({ name: `${api} to ${next[api]}`, api }));
const opening = { claude: 3, openai: 1, gemini: 0 };
const streaming = (c) =>
  /stream(GenerateContent|": ?true)/.test(c.target + c.text);

/* ---- failures before the commit ---- */

table('529 crosses', each, (t, { api }) =>
  crosses(t, api, fails(529, errorBody[api]())));

table('a first error event crosses', each, (t, { api }) =>
  crosses(t, api, (c) => (streaming(c) ? c.stream([firstError[api]]) :
    c.answer(200, { type: 'error', ...JSON.parse(firstError[api]
      .split('data: ')[1]) }))));

table('a cut before content crosses', each, (t, { api }) =>
  crosses(t, api, async (c) => {
    if (!streaming(c)) {
      await c.start(200, { 'content-type': 'application/json',
        'content-length': 500 });
      await c.write('{"id":');
      return c.reset();
    }
    await c.sse();
    for (const e of stream[api]().slice(0, opening[api])) await c.chunk(e);
    return c.reset();
  }));

table('an empty stream crosses', each, (t, { api }) =>
  crosses(t, api, (c) => (streaming(c) ? c.stream(stream[api]()
    .slice(0, opening[api])) : c.answer(200, ''))));

table('HTML crosses', each, (t, { api }) =>
  crosses(t, api, (c) => c.answer(200, '<html>Hello</html>',
    { 'content-type': 'text/html' })));

table('JSON of another kind crosses', each, (t, { api }) =>
  crosses(t, api, (c) => c.answer(200, '{"hello":1}'),
    { froms: foreign(api) }));

table('a redirect crosses', each, (t, { api }) =>
  crosses(t, api, (c) => c.answer(307, '', { location: '/x' }),
    { froms: foreign(api) }));

table('a coding that nobody knows crosses', each, (t, { api }) =>
  crosses(t, api, (c) => c.answer(200, zlib.brotliCompressSync(
    JSON.stringify(plain[api]())), { 'content-encoding': 'br' }),
  { froms: foreign(api) }));

test('a closed port crosses', async (t) => {
  const port = await freePort();
  for (const api of apis) {
    const b = await t.provider(good(next[api], 'good'));
    const sp = await t.proxy([by(api, 'a', `http://127.0.0.1:${port}`),
      by(next[api], 'b', b)], { failover: { circuit_breaker: {
      failure_threshold: 100 } } });
    for (const from of Object.keys(clients)) {
      const r = await send(t, sp, clients[from]);
      assert.equal(readPlain(from, r), 'good');
      assert.equal(r.headers['x-spillway-attempts'], '2');
    }
    await sp.stop();
  }
});

const malformed = { candidates: [{ index: 0, content: { role: 'model',
  parts: [] }, finishReason: 'MALFORMED_FUNCTION_CALL' }],
usageMetadata: { promptTokenCount: 3, totalTokenCount: 3 } };

test('Gemini\'s broken family without content crosses', (t) =>
  crosses(t, 'gemini', (c) => (streaming(c) ?
    c.stream([data(malformed)]) : c.answer(200, malformed)),
  { froms: ['claude', 'openai', 'responses'] }));

test('a whole stream without a stop reason crosses to a plain answer',
  async (t) => {
    for (const api of apis)
      await crosses(t, api, (c) => c.stream(unfinished[api](['x'])),
        { streamed: false, froms: foreign(api) });
  });

test('a pooled connection that died is no failure', async (t) => {
  let n = 0;
  const a = await t.provider(async (c) => {
    await good('claude')(c);
    if (n++ === 0) c.fin();
  }, { halfOpen: false });
  const sp = await t.proxy([by('claude', 'a', a)]);
  for (let i = 0; i < 4; i++) {
    const r = await send(t, sp, clients.openai);
    assert.equal(readPlain('openai', r), 'good');
    assert.equal(r.headers['x-spillway-attempts'], '1');
  }
});

test('a stale connection: translated once more', async (t) => {
  const a = await t.provider(async (c) => {
    if (c.nth === 1) return c.close();
    return good('claude')(c);
  });
  const sp = await t.proxy([by('claude', 'a', a)]);
  for (const from of ['openai', 'gemini', 'responses']) {
    readPlain(from, await send(t, sp, clients[from]));
    const r = await send(t, sp, streamClients[from]);
    assert.equal(readStream(from, r), 'good');
    assert.equal(r.headers['x-spillway-attempts'], '1');
  }
  const texts = a.requests.map((c) => c.text);
  assert.equal(texts[1], texts[2]);
});

test('a second try on one backend: translated once more', async (t) => {
  let n = 0;
  const a = await t.provider((c) => (n++ % 2 === 0 ? c.answer(529, '{}') :
    good('claude')(c)));
  const sp = await t.proxy([by('claude', 'a', a)],
    { retry: { tries_per_backend: 2 } });
  for (const from of ['openai', 'gemini', 'responses']) {
    const r = await send(t, sp, streamClients[from]);
    assert.equal(readStream(from, r), 'good');
    assert.equal(r.headers['x-spillway-attempts'], '2');
    const [x, y] = a.requests.slice(-2);
    assert.equal(x.text, y.text);
  }
});

test('a client that leaves before the second try', async (t) => {
  const a = await t.provider((c) => c.answer(529, '{}'));
  const sp = await t.proxy([by('claude', 'a', a)],
    { retry: { tries_per_backend: 2 } });
  const c = t.client(sp);
  c.request('POST', clients.openai.path, {}, clients.openai.body);
  await sp.logs(/attempt 1 on "a"/);
  c.close();
  await sp.logs(/499/);
});

/* ---- all APIs in one request ---- */

test('three APIs, one conversation with tools', async (t) => {
  const ups = {};
  for (const api of apis)
    ups[api] = await t.provider(api === 'gemini' ? good('gemini') :
      fails(529, errorBody[api]()));
  const sp = await t.proxy(apis.map((api) => by(api, api, ups[api])));
  const body = ask.claude({ tools: [{ name: 'get', description: 'gets',
    input_schema: { type: 'object', properties: { a: { type: 'string' } } },
  }], messages: [{ role: 'user', content: 'hi' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1',
      name: 'get', input: { a: 'x' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1',
      content: 'y' }] }] });
  const r = await t.ask(sp, 'POST', '/v1/messages', {}, body);
  assert.equal(readPlain('claude', r), 'good');
  assert.equal(r.headers['x-spillway-attempts'], '3');
  assert.deepEqual(ups.claude.requests[0].json,
    { ...body, model: models.claude });
  assert.equal(ups.openai.requests[0].json.messages[1].tool_calls[0].id,
    'toolu_1');
  assert.equal(ups.gemini.requests[0].json.contents[1].parts[0]
    .functionCall.name, 'get');
});

/* ---- after the commit ---- */

table('a cut after content', pairs, async (t, { from, to }) => {
  const { b, sp } = await crossing(t, to, async (c) => {
    await c.sse();
    for (const e of unfinished[to](['go'])) await c.chunk(e);
    c.reset();
  });
  const r = await send(t, sp, streamClients[from]);
  assert.equal(readBroken(from, r).text, 'go');
  assert.equal(b.requests.length, 0);
  await sp.logs(/broke off/);
});

table('an end without a stop reason', pairs, async (t, { from, to }) => {
  const { sp } = await crossing(t, to, (c) =>
    c.stream(unfinished[to](['go'])));
  const r = await send(t, sp, streamClients[from]);
  const { error } = readBroken(from, r);
  assert.match(error.message, /before completion|broke off/);
});

table('an error event after content', pairs, async (t, { from, to }) => {
  const { a, sp } = await crossing(t, to, async (c) => {
    await c.sse();
    for (const e of unfinished[to](['go'])) await c.chunk(e);
    await c.chunk(errorLater[to]('bad at http://10.0.0.1/x with ' +
      'tok-a-0123456789abcdef'));
  });
  const r = await send(t, sp, streamClients[from]);
  const { error, text } = readBroken(from, r);
  assert.equal(text, 'go');
  assert.match(error.message, /bad at/);
  assert.doesNotMatch(r.text, /10\.0\.0\.1|tok-a/);
  await a.requests[0].gone;
});

table('garbage after content', pairs, async (t, { from, to }) => {
  for (const junk of ['data: {"a":\n\n', 'data: <html>\n\n',
    'data: [1,2\n\ndata: x\n\n']) {
    const { a, sp } = await crossing(t, to, async (c) => {
      await c.sse();
      for (const e of unfinished[to](['go'])) await c.chunk(e);
      await c.chunk(junk);
    });
    const r = await send(t, sp, streamClients[from]);
    assert.equal(readBroken(from, r).text, 'go');
    await a.requests[0].gone;
    await sp.stop();
  }
});

table('a cut after the stop reason is a whole answer', pairs,
  async (t, { from, to }) => {
    const list = says[to](['go', 'od']);
    const cut = { claude: list.length - 1, openai: list.length - 1,
      gemini: list.length }[to];
    let ends;
    const { sp } = await crossing(t, to, async (c) => {
      await c.sse();
      for (const e of list.slice(0, cut)) await c.chunk(e);
      if (ends) await c.last();
      else c.reset();
    });
    for (ends of [true, false]) {
      const r = await send(t, sp, streamClients[from]);
      assert.equal(readStream(from, r), 'good');
    }
  });

test('an error event and content in one piece move on', async (t) => {
  const { sp } = await crossing(t, 'claude', async (c) => {
    await c.sse();
    await c.chunk([...unfinished.claude(['go']),
      errorLater.claude('later')].join(''));
  });
  const r = await send(t, sp, streamClients.openai);
  assert.equal(r.headers['x-spillway-backend'], 'b');
  assert.equal(r.text, stream.openai(['go', 'od']).join(''));
});

/* ---- errors ---- */

const classes = {
  claude: [
    [400, 'invalid_request_error', 'bad field', 'invalid'],
    [400, 'invalid_request_error', 'prompt is too long: 9 > 8', 'context'],
    [401, 'authentication_error', 'invalid x-api-key', 'auth'],
    [402, 'billing_error', 'no credit', 'billing'],
    [403, 'permission_error', 'not yours', 'permission'],
    [404, 'not_found_error', 'no such model', 'notfound'],
    [413, 'request_too_large', 'too large', 'toolarge'],
  ],
  openai: [
    [400, 'invalid_request_error', 'bad field', 'invalid'],
    [400, 'invalid_request_error', 'the maximum context length is 8',
      'context'],
    [401, 'invalid_request_error', 'no key', 'auth'],
    [402, 'insufficient_quota', 'no credit', 'billing'],
    [403, 'x', 'not yours', 'permission'],
    [404, 'invalid_request_error', 'no such model', 'notfound'],
    [413, 'x', 'too large', 'toolarge'],
    [422, 'x', 'odd', 'invalid'],
  ],
  gemini: [
    [400, 'INVALID_ARGUMENT', 'bad field', 'invalid'],
    [400, 'INVALID_ARGUMENT', 'exceeds the maximum number of tokens',
      'context'],
    [400, 'INVALID_ARGUMENT', 'API key not valid. Please', 'auth'],
    [403, 'PERMISSION_DENIED', 'not yours', 'permission'],
    [404, 'NOT_FOUND', 'no such model', 'notfound'],
    [409, 'ABORTED', 'conflict', 'conflict'],
  ],
};

const body = {
  claude: (status, type, message) => errorBody.claude(type, message),
  openai: (status, type, message) => errorBody.openai(type, message),
  gemini: (status, type, message) => ({ error: { code: status, message,
    status: type } }),
};

/* Section 10: [status, type or status word, code]. */
const looks = {
  claude: { invalid: [400, 'invalid_request_error'],
    context: [400, 'invalid_request_error'],
    auth: [401, 'authentication_error'], billing: [402, 'billing_error'],
    permission: [403, 'permission_error'], notfound: [404,
      'not_found_error'], conflict: [409, 'conflict_error'],
    toolarge: [413, 'request_too_large'] },
  openai: { invalid: [400, 'invalid_request_error', null],
    context: [400, 'invalid_request_error', 'context_length_exceeded'],
    auth: [401, 'invalid_request_error', 'invalid_api_key'],
    billing: [429, 'insufficient_quota', 'insufficient_quota'],
    permission: [403, 'invalid_request_error', 'permission_denied'],
    notfound: [404, 'invalid_request_error', 'not_found'],
    conflict: [409, 'invalid_request_error', 'conflict'],
    toolarge: [413, 'invalid_request_error', 'request_too_large'] },
  gemini: { invalid: [400, 'INVALID_ARGUMENT'],
    context: [400, 'INVALID_ARGUMENT'], auth: [401, 'UNAUTHENTICATED'],
    billing: [429, 'RESOURCE_EXHAUSTED'],
    permission: [403, 'PERMISSION_DENIED'], notfound: [404, 'NOT_FOUND'],
    conflict: [409, 'ABORTED'], toolarge: [413, 'INVALID_ARGUMENT'] },
};
looks.responses = looks.openai;

table('errors', pairs, async (t, { from, to }) => {
  let row;
  const a = await t.provider((c) => c.answer(row[0],
    body[to](row[0], row[1], `${row[2]} at https://10.0.0.1:8/v1?k=1 ` +
      'with tok-a-0123456789abcdef and sk-ant-api03-abcdefghijkl'),
    { 'retry-after': '7', 'x-should-retry': 'true',
      'anthropic-ratelimit-requests-limit': '3' }));
  const sp = await t.proxy([by(to, 'a', a)]);
  for (row of classes[to])
    for (const list of [clients, streamClients]) {
      const r = await send(t, sp, list[from]);
      const [status, type, code] = looks[from][row[3]];
      const what = `${row}: ${r.text}`;
      assert.equal(r.status, status, what);
      assert.equal(r.complete, true);
      assert.equal(r.headers['content-type'], 'application/json');
      assert.equal(r.headers['x-spillway-backend'], 'a');
      assert.equal(r.headers['retry-after'], '7');
      assert.equal(r.headers['anthropic-ratelimit-requests-limit'],
        undefined);
      assert.equal(r.headers['x-should-retry'],
        row[3] === 'billing' && looks[from] === looks.openai ? 'false' :
          undefined, what);
      const e = r.json.error;
      assert.ok(e.message.includes(row[2]), what);
      assert.doesNotMatch(r.text, /10\.0\.0\.1|tok-a|sk-ant/);
      if (from === 'gemini') {
        assert.equal(e.status, type, what);
        assert.equal(e.code, status);
      } else assert.equal(e.type, type, what);
      if (code !== undefined) assert.equal(e.code, code, what);
      if (from === 'claude') {
        assert.equal(r.json.type, 'error');
        assert.equal(r.json.request_id, r.headers['request-id']);
      }
      if (from === 'claude' && row[3] === 'context')
        assert.match(e.message, /^prompt is too long/);
    }
});

table('an error that is no JSON', pairs, async (t, { from, to }) => {
  let n = 0;
  const answers = ['', 'plain words', '<html><b>no</b></html>',
    Buffer.from([0xff, 0xfe, 0x80, 0, 1, 0x22]), 'x'.repeat(3 << 20)];
  const a = await t.provider((c) => c.answer(400, answers[n],
    { 'content-type': 'text/html' }));
  const sp = await t.proxy([by(to, 'a', a)]);
  const c = t.client(sp);
  for (; n < answers.length; n++)
    for (const call of [clients[from], streamClients[from]]) {
      c.request('POST', call.path, {}, call.body);
      const r = await c.answer();
      assert.equal(r.status, 400);
      assert.ok(r.json.error.message.length > 0 &&
        r.json.error.message.length < 600);
    }
  /* Nothing more followed the last. */
  c.request('POST', '/nowhere-else', {}, '');
  await c.answer();
  assert.equal(c.answers.length, 2 * answers.length + 1);
});

table('an error in a coding that nobody knows', pairs,
  async (t, { from, to }) => {
    const a = await t.provider((c) => c.answer(400, zlib.brotliCompressSync(
      JSON.stringify(body[to](400, 'x', 'secret words'.repeat(50)))),
    { 'content-encoding': 'br' }));
    const sp = await t.proxy([by(to, 'a', a)]);
    const r = await send(t, sp, clients[from]);
    assert.equal(r.status, 400);
    assert.equal(r.headers['content-encoding'], undefined);
    assert.equal(r.json.error.message, 'Upstream returned HTTP 400');
  });

test('Gemini\'s retryDelay becomes retry-after', async (t) => {
  const a = await t.provider((c) => c.answer(400, { error: { code: 400,
    message: 'x', status: 'FAILED_PRECONDITION', details: [{ '@type':
      'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2.1s' }] } }));
  const sp = await t.proxy([by('gemini', 'a', a)]);
  const r = await send(t, sp, clients.claude);
  assert.equal(r.headers['retry-after'], '3');
});

table('an error whose body is cut', pairs, async (t, { from, to }) => {
  const text = JSON.stringify(body[to](500, 'x', 'Sensitive'));
  const a = await t.provider(async (c) => {
    await c.start(500, { 'content-type': 'application/json',
      'content-length': text.length + 9 });
    await c.write(text);
    c.reset();
  });
  const sp = await t.proxy([by(to, 'a', a)],
    { failover: { stop_text: ['sensitive'] } });
  const c = t.client(sp);
  for (let i = 0; i < 2; i++) {
    c.request('POST', clients[from].path, {}, clients[from].body);
    const r = await c.answer();
    assert.equal(r.status, 500);
    assert.equal(r.complete, true);
    assert.match(r.json.error.message, /Sensitive/);
  }
});

/* ---- texts that decide ---- */

table('stop_text returns at once', pairs, async (t, { from, to }) => {
  const { b, sp } = await crossing(t, to, fails(500,
    body[to](500, 'x', 'this is Sensitive content')),
  { failover: { stop_text: ['sensitive'] } });
  for (const list of [clients, streamClients]) {
    const r = await send(t, sp, list[from]);
    assert.equal(r.status, 500);
    assert.match(r.json.error.message, /Sensitive content/);
    assert.equal(r.headers['x-spillway-backend'], 'a');
  }
  assert.equal(b.requests.length, 0);
});

table('stop_text in a first error event returns at once', pairs,
  async (t, { from, to }) => {
    const { b, sp } = await crossing(t, to, (c) => (streaming(c) ?
      c.stream([errorLater[to]('this is Sensitive content')]) :
      c.answer(200, JSON.parse(errorLater[to]('this is Sensitive content')
        .split('data: ')[1]))), { failover: { stop_text: ['sensitive'] } });
    for (const list of [clients, streamClients]) {
      const r = await send(t, sp, list[from]);
      assert.equal(r.headers['x-spillway-backend'], 'a');
      assert.ok(r.status >= 500, r.text);
      assert.match(r.json.error.message, /Sensitive content/);
      assert.equal(r.complete, true);
    }
    assert.equal(b.requests.length, 0);
  });

table('retry_text moves on from any status', pairs,
  async (t, { from, to }) => {
    const { sp } = await crossing(t, to, fails(400,
      body[to](400, 'x', 'try LATER please')),
    { failover: { retry_text: ['try later'] } });
    const r = await send(t, sp, clients[from]);
    assert.equal(r.headers['x-spillway-backend'], 'b');
    const s = await send(t, sp, streamClients[from]);
    assert.equal(s.headers['x-spillway-backend'], 'b');
  });

/* ---- nobody left ---- */

table('all failed', Object.keys(clients).map((from) => ({ name: from, from })),
  async (t, { from }) => {
    const a = await t.provider(fails(500, '{"error":"x"}'));
    const port = await freePort();
    const sp = await t.proxy([
      by('claude', 'a', a), by('openai', 'b', `http://127.0.0.1:${port}`),
      by('gemini', 'c', a)]);
    const r = await send(t, sp, streamClients[from]);
    assert.equal(r.status, 502);
    assert.equal(r.headers['x-spillway-attempts'], '3');
    assert.match(r.json.error.message, /all 3 attempts failed/);
    assert.doesNotMatch(r.text, /127\.0\.0\.1/);
  });

test('a 429 of one API cools it down, the other serves', async (t) => {
  const { a, sp } = await crossing(t, 'claude', fails(429,
    errorBody.claude('rate_limit_error'), { 'retry-after': '60' }));
  for (let i = 0; i < 3; i++)
    assert.equal(readPlain('claude', await send(t, sp, clients.claude)),
      'good');
  assert.equal(a.requests.length, 1);
});

test('one translated stream at a time: max_concurrent', async (t) => {
  const b = await t.provider(good('gemini', 'good'));
  const a = await t.provider(async (c) => {
    await c.sse();
    for (const e of stream.claude().slice(0, 4)) await c.chunk(e);
  });
  const sp = await t.proxy([by('claude', 'a', a, { max_concurrent: 1 }),
    by('gemini', 'b', b)]);
  const c = t.client(sp);
  c.request('POST', streamClients.openai.path, {}, streamClients.openai.body);
  await c.sees('go');
  const r = await send(t, sp, streamClients.openai);
  assert.equal(readStream('openai', r), 'good');
  assert.equal(r.headers['x-spillway-backend'], 'b');
  c.close();
  await a.requests[0].gone;
});

test('a refused body for one, a failure at the other', async (t) => {
  const { sp } = await crossing(t, 'gemini', fails(503,
    errorBody.gemini()));
  const r = await t.ask(sp, 'POST', clients.openai.path, {},
    ask.chat({ n: 2 }));
  assert.equal(r.status, 502);
  assert.equal(r.headers['x-spillway-attempts'], '1');
});

test('an event with an id of 4 MB crosses whole', async (t) => {
  const big = 'a'.repeat(4 << 20);
  const { sp } = await crossing(t, 'claude', (c) => c.stream([
    ...stream.claude(['x']).slice(0, 4),
    ev('content_block_delta', { index: 0, delta: { type: 'text_delta',
      text: big } }), ...stream.claude(['x']).slice(4)]));
  const r = await send(t, sp, streamClients.openai);
  assert.equal(readStream('openai', r).length, big.length + 1);
});
