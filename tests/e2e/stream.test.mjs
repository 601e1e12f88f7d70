/* Commit, streams, broken streams, slow clients, clients that leave
 * (spec 4.6 to 4.8). */
import fs from 'node:fs';
import { assert, deferred, table, test, turn, until } from './lib.mjs';
import { ask, backend, before, calls, data, errorBody, ev, firstError, good,
  plain, stream, streamCalls } from './say.mjs';

const path = '/v1/messages';
const streaming = ask.claude({ stream: true });

async function pair(t, handler, api = 'claude', more = {}, options = {}) {
  const a = await t.provider(handler, options);
  const b = await t.provider(good(api, 'good'));
  const sp = await t.proxy([backend('a', a, { api_type: api }),
    backend('b', b, { api_type: api })], more);
  return { a, b, sp };
}

const send = (t, sp, call) => t.ask(sp, 'POST', call.path, {}, call.body);

function isB(r, api) {
  assert.equal(r.status, 200);
  assert.equal(r.complete, true);
  assert.equal(r.headers['x-spillway-backend'], 'b');
  assert.equal(r.headers['x-spillway-attempts'], '2');
  assert.equal(r.text, stream[api](['go', 'od']).join(''));
}

/* ---- before the commit ---- */

for (const [api, call] of Object.entries(streamCalls)) {
  test(`${api}: a 200 whose first event is an error moves on`, async (t) => {
    const { sp } = await pair(t, (c) => c.stream([firstError[api]]), api);
    isB(await send(t, sp, call), api);
  });

  test(`${api}: an error after the opening events moves on`, async (t) => {
    const { sp } = await pair(t, (c) => c.stream([
      ...stream[api]().slice(0, before[api]), firstError[api]]), api);
    isB(await send(t, sp, call), api);
  });

  test(`${api}: a reset before any content moves on`, async (t) => {
    const { sp } = await pair(t, async (c) => {
      await c.sse();
      for (const e of stream[api]().slice(0, before[api])) await c.chunk(e);
      c.reset();
    }, api);
    isB(await send(t, sp, call), api);
  });

  test(`${api}: an empty stream moves on`, async (t) => {
    const { sp } = await pair(t, (c) => c.stream([]), api);
    isB(await send(t, sp, call), api);
  });

  test(`${api}: an empty 200 moves on`, async (t) => {
    const { sp } = await pair(t, (c) => c.answer(200, '',
      { 'content-type': 'text/event-stream' }), api);
    isB(await send(t, sp, call), api);
  });

  test(`${api}: HTML moves on`, async (t) => {
    const { sp } = await pair(t, (c) => c.answer(200,
      '<!doctype html><html><body>Maintenance</body></html>',
      { 'content-type': 'text/html' }), api);
    isB(await send(t, sp, call), api);
  });

  if (before[api] > 0)
    test(`${api}: nothing is sent before content is there`, async (t) => {
      const gate = deferred();
      const { a, sp } = await pair(t, async (c) => {
        const e = stream[api]();
        await c.sse();
        for (const x of e.slice(0, before[api])) await c.chunk(x);
        await gate.promise;
        for (const x of e.slice(before[api])) await c.chunk(x);
        await c.last();
      }, api);
      const c = t.client(sp);
      c.request('POST', call.path, {}, call.body);
      await until(() => a.requests.length === 1, 'the request');
      /* Another whole exchange passes through the same loop meanwhile. */
      assert.equal((await t.ask(sp, 'GET', '/health')).status, 200);
      assert.equal(c.raw.length, 0);
      gate.resolve();
      const r = await c.answer();
      assert.equal(r.headers['x-spillway-backend'], 'a');
      assert.equal(r.text, stream[api]().join(''));
    });

  test(`${api}: a stream passes byte for byte`, async (t) => {
    const events = api === 'claude' ? [': hello\n\n', ...stream.claude(),
      ': bye\n\n'] : stream[api](['über', ' \u2028', 'x']);
    const { a, sp } = await pair(t, (c) => c.stream(events,
      { 'x-own': 'kept', 'cache-control': 'no-cache' }), api);
    const r = await send(t, sp, call);
    assert.equal(r.complete, true);
    assert.equal(r.text, events.join(''));
    assert.match(r.headers['content-type'], /^text\/event-stream/);
    assert.equal(r.headers['x-own'], 'kept');
    assert.equal(r.headers['cache-control'], 'no-cache');
    assert.equal(a.requests.length, 1);
  });

  /* ---- after the commit ---- */

  table(`${api}: a stream that breaks is visibly cut`, [
    { name: 'reset', end: (c) => c.reset() },
    { name: 'close without the last chunk', end: (c) => c.fin() },
    { name: 'broken chunk', end: (c) => c.write('zz\r\n') },
  ], async (t, row) => {
    const seen = deferred();
    const { b, sp } = await pair(t, async (c) => {
      await c.sse();
      for (const e of stream[api](['first', 'never']).slice(0,
        before[api] + 1)) await c.chunk(e);
      await seen.promise;
      row.end(c);
    }, api);
    const c = t.client(sp);
    c.request('POST', call.path, {}, call.body);
    await c.sees('first');
    seen.resolve();
    const r = await c.answer();
    assert.equal(r.status, 200);
    assert.equal(r.complete, false, 'it ended politely');
    assert.match(r.text, /"?error"?/);
    if (api === 'claude') assert.match(r.text, /event: error\n/);
    const last = r.text.trimEnd().split('\n').pop();
    assert.match(last, /^data: \{.*\}$/);
    JSON.parse(last.slice(6));
    assert.ok(!r.text.includes('never'));
    await c.end();
    assert.equal(b.connections.length, 0);
  });

  test(`${api}: a silent stream is cut after its idle time`, async (t) => {
    const { b, sp } = await pair(t, async (c) => {
      await c.sse();
      for (const e of stream[api](['first', 'never']).slice(0,
        before[api] + 1)) await c.chunk(e);
    }, api, { timeouts: { idle: 0.4 } });
    const r = await send(t, sp, call);
    assert.equal(r.complete, false);
    assert.match(r.text, /first/);
    assert.match(r.text, /error/);
    assert.equal(b.connections.length, 0);
  });

  /* Gemini has no last event that could be missing. */
  if (api !== 'gemini')
    test(`${api}: a polite end in the midst is not passed on`, async (t) => {
      const { sp } = await pair(t, async (c) => {
        await c.stream(stream[api](['first', 'x']).slice(0, before[api] + 1));
      }, api);
      const r = await send(t, sp, call);
      assert.ok(r.headers['x-spillway-backend'] === 'b' || !r.complete);
    });
}

test('claude: an error event after content is passed, nobody else asked',
  async (t) => {
    const { b, sp } = await pair(t, (c) => c.stream([
      ...stream.claude(['first']).slice(0, 4), firstError.claude]));
    const r = await t.ask(sp, 'POST', path, {}, streaming);
    assert.match(r.text, /first/);
    assert.match(r.text, /overloaded_error/);
    assert.equal(b.connections.length, 0);
  });

table('claude: a stream is accepted', [
  { name: 'without message_stop', events: stream.claude().slice(0, -1) },
  { name: 'with CRLF', events: stream.claude()
    .map((e) => e.replaceAll('\n', '\r\n')) },
  { name: 'without event lines', events: stream.claude()
    .map((e) => e.replace(/^event:.*\n/, '')) },
  { name: 'without blanks after data:', events: stream.claude()
    .map((e) => e.replace('data: ', 'data:')) },
  { name: 'that begins with a tool', events: [stream.claude()[0],
    ev('content_block_start', { index: 0, content_block: { type: 'tool_use',
      id: 'toolu_1', name: 'Bash', input: {} } }),
    ev('content_block_delta', { index: 0, delta: {
      type: 'input_json_delta', partial_json: '{}' } }),
    ev('content_block_stop', { index: 0 }),
    ev('message_delta', { delta: { stop_reason: 'tool_use' },
      usage: { output_tokens: 1 } }), ev('message_stop', {})] },
  { name: 'that is complete but says nothing', events: [stream.claude()[0],
    ...stream.claude().slice(-2)] },
  { name: 'with events unknown to us', events: [stream.claude()[0],
    ev('brand_new', { x: 1 }), ...stream.claude().slice(1)] },
  { name: 'in one piece', events: [stream.claude().join('')] },
  { name: 'in single bytes', events: [...stream.claude().join('')] },
  { name: 'with a 200 KB event', events: stream.claude(['x'.repeat(200000)]) },
  { name: 'cut within UTF-8', events: (() => {
    const b = Buffer.from(stream.claude(['日本語🙂']).join(''));
    return Array.from({ length: Math.ceil(b.length / 7) },
      (_, i) => b.subarray(i * 7, i * 7 + 7));
  })() },
], async (t, row) => {
  const { sp } = await pair(t, (c) => c.stream(row.events));
  const r = await t.ask(sp, 'POST', path, {}, streaming);
  assert.equal(r.headers['x-spillway-backend'], 'a');
  assert.equal(r.complete, true);
  assert.equal(r.text, Buffer.concat(row.events.map((e) => Buffer.from(e)))
    .toString());
});

test('openai: usage chunk and tool calls pass', async (t) => {
  const events = [
    data({ choices: [{ index: 0, delta: { role: 'assistant', content: null,
      tool_calls: [{ index: 0, id: 'c', type: 'function',
        function: { name: 'f', arguments: '' } }] }, finish_reason: null }] }),
    data({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
    data({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1,
      total_tokens: 2 } }), 'data: [DONE]\n\n'];
  const { sp } = await pair(t, (c) => c.stream(events), 'openai');
  const r = await send(t, sp, streamCalls.openai);
  assert.equal(r.text, events.join(''));
  assert.equal(r.headers['x-spillway-backend'], 'a');
});

/* ---- plain answers ---- */

for (const [api, call] of Object.entries(calls))
  table(`${api}: a 200 that is no answer moves on`, [
    { name: 'empty', play: (c) => c.answer(200, '') },
    { name: 'blank', play: (c) => c.answer(200, ' \n ') },
    { name: 'HTML', play: (c) => c.answer(200, '<html>Sorry</html>',
      { 'content-type': 'text/html; charset=utf-8' }) },
    { name: 'HTML that calls itself JSON',
      play: (c) => c.answer(200, '<html>Sorry</html>') },
    { name: 'half a JSON', play: (c) => c.answer(200,
      JSON.stringify(plain[api]()).slice(0, -5)) },
    { name: 'an error object', play: (c) => c.answer(200, errorBody[api]()) },
  ], async (t, row) => {
    const { sp } = await pair(t, row.play, api);
    const r = await send(t, sp, call);
    assert.equal(r.status, 200);
    assert.equal(r.headers['x-spillway-backend'], 'b');
    assert.deepEqual(r.json, plain[api]('good'));
  });

test('JSON under text/plain is sent as application/json', async (t) => {
  const { sp } = await pair(t, (c) => c.answer(200, plain.claude(),
    { 'content-type': 'text/plain; charset=utf-8' }));
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.headers['x-spillway-backend'], 'a');
  assert.match(r.headers['content-type'], /^application\/json/);
  assert.deepEqual(r.json, plain.claude());
});

test('a plain answer over 1 MiB that breaks is visibly cut', async (t) => {
  const { b, sp } = await pair(t, async (c) => {
    const s = JSON.stringify(plain.claude('x'.repeat(4 << 20)));
    await c.start(200, { 'content-type': 'application/json',
      'content-length': s.length });
    await c.write(s.slice(0, 3 << 20));
    c.fin();
  });
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.status, 200);
  assert.equal(r.complete, false);
  assert.equal(b.connections.length, 0);
});

/* ---- flow ---- */

test('A24 every event leaves at once', async (t) => {
  const gates = Array.from({ length: 4 }, deferred);
  const words = ['one', 'two', 'three', 'four'];
  const { sp } = await pair(t, async (c) => {
    const e = stream.claude(words);
    await c.sse();
    for (const x of e.slice(0, 3)) await c.chunk(x);
    for (let i = 0; i < 4; i++) {
      await c.chunk(e[3 + i]);
      await gates[i].promise;
    }
    for (const x of e.slice(7)) await c.chunk(x);
    await c.last();
  });
  const c = t.client(sp);
  c.request('POST', path, {}, streaming);
  for (let i = 0; i < 4; i++) {
    /* The next word is not written before this one was seen. */
    await c.sees(words[i]);
    gates[i].resolve();
  }
  assert.equal((await c.answer()).complete, true);
});

function rss(pid) {
  const m = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`,
    'utf8'));
  return Number(m[1]);
}

test('a slow client holds its upstream back, and loses nothing',
  async (t) => {
    const total = 96 << 20;
    const piece = Buffer.from(ev('content_block_delta', { index: 0,
      delta: { type: 'text_delta', text: 'z'.repeat(65000) } }));
    let written = 0;
    const { a, sp } = await pair(t, async (c) => {
      await c.sse();
      for (const e of stream.claude().slice(0, 3)) await c.chunk(e);
      while (written < total && !c.conn.closed) {
        await c.chunk(piece);
        written += piece.length;
      }
      for (const e of stream.claude().slice(-3)) await c.chunk(e);
      await c.last();
    }, 'claude', { timeouts: { idle: 60 } });
    const c = t.client(sp);
    let got = 0;
    c.reader.on.data = (m, b) => { got += b.length; m.parts.length = 0; };
    c.raw.push = () => 0;
    await until(() => !c.socket.connecting, 'the connection');
    c.socket.pause();
    c.request('POST', path, {}, streaming);
    await until(() => a.requests.length, 'the request');
    let last = -1;
    for (let same = 0; same < 8;) {
      await turn(50);
      same = written === last && written > 0 ? same + 1 : 0;
      last = written;
    }
    assert.ok(written < total, 'it was all taken');
    assert.equal((await t.ask(sp, 'GET', '/health')).status, 200);
    if (!process.env.E2E_SAN && fs.existsSync('/proc/self/status'))
      assert.ok(rss(sp.child.pid) < 32768, `RSS ${rss(sp.child.pid)} KiB`);
    c.socket.resume();
    const r = await c.answer();
    assert.equal(r.complete, true);
    assert.equal(got, written + Buffer.from([...stream.claude().slice(0, 3),
      ...stream.claude().slice(-3)].join('')).length);
  });

test('a slow reader at the far end of a large request', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)]);
  const body = ask.claude({ system: 'q'.repeat(20 << 20) });
  const r = await t.ask(sp, 'POST', path, {}, body);
  assert.equal(r.status, 200);
  assert.equal(a.requests[0].text, JSON.stringify(body));
});

/* ---- clients that leave ---- */

table('a client that leaves: its upstream is closed', [
  { name: 'before the answer', body: ask.claude(), play: () => {} },
  { name: 'before the answer of a stream', body: streaming, play: () => {} },
  { name: 'before the commit', body: streaming, play: async (c) => {
    await c.sse();
    await c.chunk(stream.claude()[0]);
  } },
  { name: 'within a silent stream', body: streaming, seen: 'first',
    play: async (c) => {
      await c.sse();
      for (const e of stream.claude(['first']).slice(0, 4)) await c.chunk(e);
    } },
  { name: 'within a busy stream', body: streaming, seen: 'first',
    play: async (c) => {
      await c.sse();
      for (const e of stream.claude(['first']).slice(0, 4)) await c.chunk(e);
      while (!c.conn.closed && !c.conn.finished) {
        await c.chunk(stream.claude(['more'])[3]);
        await turn(5);
      }
    } },
  { name: 'within a plain body', body: ask.claude(), play: (c) =>
    c.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n' +
      'content-length: 5000\r\n\r\n{"type":') },
].flatMap((r) => [{ ...r, name: `${r.name}, close` },
  { ...r, name: `${r.name}, reset`, reset: true }]), async (t, row) => {
  const { a, b, sp } = await pair(t, row.play);
  const c = t.client(sp);
  c.request('POST', path, {}, row.body);
  await until(() => a.requests.length === 1, 'the request');
  if (row.seen) await c.sees(row.seen);
  if (row.reset) c.reset();
  else c.close();
  await until(() => a.connections[0].closed || a.connections[0].finished,
    'the upstream to be closed');
  assert.equal(b.connections.length, 0);
});

test('100 streams at once, each its own', async (t) => {
  const a = await t.provider(async (c) => {
    const e = stream.claude(Array.from({ length: 20 },
      (_, i) => `${c.json.system}-${i} `));
    await c.sse();
    for (const x of e) {
      await c.chunk(x);
      await turn(1);
    }
    await c.last();
  });
  const sp = await t.proxy([backend('a', a)]);
  await Promise.all(Array.from({ length: 100 }, async (_, n) => {
    const r = await t.ask(sp, 'POST', path, {},
      ask.claude({ stream: true, system: `s${n}` }));
    assert.equal(r.complete, true);
    assert.equal(r.text, stream.claude(Array.from({ length: 20 },
      (_x, i) => `s${n}-${i} `)).join(''));
  }));
});
