/* Who answers: statuses, transport faults, breaker, order (spec 4.6, 5). */
import { assert, deferred, freePort, table, test, turn, until }
  from './lib.mjs';
import { ask, backend, calls, errorBody, fails, good, plain, stream,
  streamCalls } from './say.mjs';

const messages = (t, sp, body = ask.claude(), headers = {}) =>
  t.ask(sp, 'POST', '/v1/messages', { 'content-type': 'application/json',
    ...headers }, body);

/* Two backends: a with that handler, b good. */
async function pair(t, handler, more = {}, options = {}) {
  const a = await t.provider(handler, options);
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a), backend('b', b)], more);
  return { a, b, sp };
}

function from(answer, name, attempts) {
  assert.equal(answer.status, 200);
  assert.equal(answer.complete, true);
  assert.equal(answer.headers['x-spillway-backend'], name);
  if (attempts !== undefined)
    assert.equal(answer.headers['x-spillway-attempts'], String(attempts));
}

test('C7 both good: everything goes to the first', async (t) => {
  const { a, b, sp } = await pair(t, good('claude', 'from a'));
  for (let i = 0; i < 3; i++) {
    const r = await messages(t, sp);
    from(r, 'a', 1);
    assert.equal(r.json.content[0].text, 'from a');
  }
  assert.equal(a.requests.length, 3);
  assert.equal(b.connections.length, 0);
});

test('C8 a disabled backend is never contacted', async (t) => {
  const a = await t.provider(good());
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a, { enabled: false }),
    backend('b', b)]);
  from(await messages(t, sp), 'b', 1);
  assert.equal(a.connections.length, 0);
});

test('the order is the priority, not the place in the file', async (t) => {
  const a = await t.provider(good());
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a, { priority: 2 }),
    backend('b', b, { priority: 1 })]);
  from(await messages(t, sp), 'b', 1);
});

for (const status of [500, 502, 503, 504, 529, 599])
  test(`C9 ${status} moves on to the next backend`, async (t) => {
    const { a, sp } = await pair(t, fails(status));
    const r = await messages(t, sp);
    from(r, 'b', 2);
    assert.equal(r.json.content[0].text, 'from b');
    assert.equal(a.requests.length, 1);
  });

test('C10 429 moves on to the next backend', async (t) => {
  const { sp } = await pair(t, fails(429,
    errorBody.claude('rate_limit_error', 'slow down')));
  from(await messages(t, sp), 'b', 2);
});

for (const status of [400, 401, 402, 403, 404, 405, 409, 413, 422])
  test(`C14 ${status} is returned unchanged, once, harming nobody`,
    async (t) => {
      const body = JSON.stringify(
        errorBody.claude('some_error', 'as the provider says <é>'));
      const { a, b, sp } = await pair(t, fails(status, body,
        { 'x-own': 'kept' }),
      { failover: { circuit_breaker: { failure_threshold: 1 } } });
      for (let i = 0; i < 2; i++) {
        const r = await messages(t, sp);
        assert.equal(r.status, status);
        assert.equal(r.text, body);
        assert.equal(r.headers['x-own'], 'kept');
        assert.equal(r.headers['x-spillway-backend'], 'a');
      }
      assert.equal(a.requests.length, 2);
      assert.equal(b.connections.length, 0);
    });

test('401 in failover.on opens the breaker at once, the next answers',
  async (t) => {
    const { a, sp } = await pair(t, fails(401,
      errorBody.claude('authentication_error', 'bad key')),
    { failover: { on: ['429', '5xx', '401'] } });
    from(await messages(t, sp), 'b', 2);
    from(await messages(t, sp), 'b', 1);
    assert.equal(a.requests.length, 1);
  });

test('a class of statuses may be added to failover.on', async (t) => {
  const { sp } = await pair(t, fails(404, '{}'),
    { failover: { on: ['429', '5xx', '4xx'] } });
  from(await messages(t, sp), 'b', 2);
});

test('redirects are passed to the client and never followed', async (t) => {
  const { a, b, sp } = await pair(t, (c) => c.answer(302, '',
    { location: 'http://127.0.0.1:1/elsewhere' }));
  const r = await messages(t, sp);
  assert.equal(r.status, 302);
  assert.equal(r.headers.location, 'http://127.0.0.1:1/elsewhere');
  assert.equal(a.requests.length, 1);
  assert.equal(b.connections.length, 0);
});

/* ---- transport ---- */

test('a refused connection moves on', async (t) => {
  const b = await t.provider(good());
  const sp = await t.proxy([
    backend('a', `http://127.0.0.1:${await freePort()}`), backend('b', b)]);
  from(await messages(t, sp), 'b', 2);
});

test('a name that does not exist moves on', async (t) => {
  const b = await t.provider(good());
  const sp = await t.proxy([
    backend('a', 'http://nothing.invalid:80'), backend('b', b)],
  { timeouts: { connect: 3 } });
  from(await messages(t, sp), 'b', 2);
});

const jsonHead = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
table('an upstream that breaks moves on', [
  { name: 'reset on accept', options:
    { onConnection: (c) => { c.raw.resetAndDestroy(); return true; } } },
  { name: 'close on accept', options:
    { onConnection: (c) => { c.raw.destroy(); return true; } } },
  { name: 'reset instead of an answer', play: (c) => c.reset() },
  { name: 'close instead of an answer', play: (c) => c.close() },
  { name: 'close within the head',
    play: async (c) => {
      await c.write('HTTP/1.1 200 OK\r\ncontent-');
      c.fin();
    } },
  { name: 'reset within a body with a length', play: async (c) => {
    await c.write(`${jsonHead}content-length: 999\r\n\r\n{"type":`);
    c.reset();
  } },
  { name: 'close within a body with a length', play: async (c) => {
    await c.write(`${jsonHead}content-length: 999\r\n\r\n{"type":`);
    c.fin();
  } },
  { name: 'close within a chunked body', play: async (c) => {
    await c.write(`${jsonHead}transfer-encoding: chunked\r\n\r\n5\r\n{"typ`);
    c.fin();
  } },
  { name: 'no last chunk', play: async (c) => {
    const s = JSON.stringify(plain.claude());
    await c.write(`${jsonHead}transfer-encoding: chunked\r\n\r\n` +
      `${s.length.toString(16)}\r\n${s}\r\n`);
    c.fin();
  } },
  { name: 'chunk size that is no number', play: async (c) => {
    await c.write(`${jsonHead}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`);
  } },
  { name: 'chunk size with a sign', play: async (c) => {
    await c.write(`${jsonHead}transfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n`);
  } },
  { name: 'chunk size beyond all bounds', play: (c) => c.write(`${jsonHead}` +
    'transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n') },
  { name: 'two lengths that differ', play: (c) => c.write(
    `${jsonHead}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `) },
  { name: 'length and chunks', play: (c) => c.write(`${jsonHead}` +
    'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n' +
    '2\r\n{}\r\n0\r\n\r\n') },
  { name: 'length that is no number', play: (c) => c.write(
    `${jsonHead}content-length: +2\r\n\r\n{}`) },
  { name: 'NUL in a header', play: (c) => c.write(
    `${jsonHead}x: a\0b\r\ncontent-length: 2\r\n\r\n{}`) },
  { name: 'not HTTP', play: (c) => c.write('SSH-2.0-OpenSSH_9\r\n\r\n') },
  { name: 'HTTP/2.0', play: (c) => c.write(
    'HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\n{}') },
  { name: 'status 99', play: (c) => c.write(
    'HTTP/1.1 099 No\r\ncontent-length: 2\r\n\r\n{}') },
  { name: 'status of four digits', play: (c) => c.write(
    'HTTP/1.1 2000 No\r\ncontent-length: 2\r\n\r\n{}') },
  { name: '101 unasked', play: (c) => c.write(
    'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n') },
  { name: '51 interim answers', play: async (c) => {
    await c.write('HTTP/1.1 103 Early\r\nx: y\r\n\r\n'.repeat(51));
    await c.answer(200, plain.claude('too late'));
  } },
  { name: 'a head without an end', play: (c) => c.write(
    `${jsonHead}${'x: y\r\n'.repeat(20000)}`) },
], async (t, row) => {
  const { sp } = await pair(t, row.play, {}, row.options);
  from(await messages(t, sp), 'b', 2);
});

table('C16 a silent upstream is left after its time', [
  { name: 'no connection answer: accepts and says nothing', play: () => {} },
  { name: 'half a head', play: (c) => c.write('HTTP/1.1 200 OK\r\nx: ') },
  { name: 'head and no body', play: (c) => c.write(
    `${jsonHead}content-length: 20\r\n\r\n`) },
], async (t, row) => {
  const { sp } = await pair(t, row.play, { timeouts:
    { connect: 1, first_byte: 0.4, response: 0.4, idle: 0.4 } });
  from(await messages(t, sp), 'b', 2);
});

table('a silent stream is left before its first content', [
  { name: 'no head', play: () => {} },
  { name: 'head only', play: (c) => c.sse() },
  { name: 'start event only', play: async (c) => {
    await c.sse();
    await c.chunk(stream.claude()[0]);
  } },
], async (t, row) => {
  const { sp } = await pair(t, row.play, { timeouts:
    { connect: 1, first_byte: 0.4, response: 5, idle: 0.4 } });
  const r = await messages(t, sp, ask.claude({ stream: true }));
  from(r, 'b', 2);
});

test('retry.timeout_seconds bounds a plain attempt', async (t) => {
  const { sp } = await pair(t, () => {},
    { retry: { timeout_seconds: 0.4 }, timeouts: { response: 60 } });
  from(await messages(t, sp), 'b', 2);
});

test('C17 a stream longer than every head time is not cut', async (t) => {
  const { sp } = await pair(t, async (c) => {
    const e = stream.claude(['a', 'b', 'c', 'd', 'e', 'f']);
    await c.sse();
    for (const x of e) {
      await c.chunk(x);
      await turn(120);
    }
    await c.last();
  }, { retry: { timeout_seconds: 0.5 },
    timeouts: { connect: 1, first_byte: 0.5, response: 0.5, idle: 5 } });
  const r = await messages(t, sp, ask.claude({ stream: true }));
  from(r, 'a', 1);
  assert.equal(r.text, stream.claude(['a', 'b', 'c', 'd', 'e', 'f']).join(''));
});

/* ---- the connection pool ---- */

test('connections to an upstream are reused', async (t) => {
  const { a, sp } = await pair(t, good());
  for (let i = 0; i < 3; i++) from(await messages(t, sp), 'a', 1);
  assert.equal(a.connections.length, 1);
});

table('a stale pooled connection: again, fresh, same backend, no strike', [
  { name: 'reset at the second request', end: (c) => c.reset() },
  { name: 'closed at the second request', end: (c) => c.close() },
], async (t, row) => {
  const { a, b, sp } = await pair(t, (c) => {
    if (c.nth === 1 && c.conn.n === 0) return row.end(c);
    return good('claude', 'from a')(c);
  }, { failover: { circuit_breaker: { failure_threshold: 1 } } });
  from(await messages(t, sp), 'a', 1);
  from(await messages(t, sp), 'a');
  from(await messages(t, sp), 'a');
  assert.equal(a.connections.length, 2);
  assert.equal(b.connections.length, 0);
});

test('a pooled connection that closes while idle is dropped silently',
  async (t) => {
    const { a, b, sp } = await pair(t, async (c) => {
      await good()(c);
      c.fin();
    });
    for (let i = 0; i < 3; i++) {
      from(await messages(t, sp), 'a', 1);
      await until(() => a.open === 0, 'the idle connection to go');
    }
    assert.equal(a.connections.length, 3);
    assert.equal(b.connections.length, 0);
  });

test('bytes after an answer spoil the connection for reuse', async (t) => {
  const { a, sp } = await pair(t, async (c) => {
    const s = JSON.stringify(plain.claude('from a'));
    await c.write(`${jsonHead}content-length: ${s.length}\r\n\r\n${s}` +
      'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil');
  });
  for (let i = 0; i < 2; i++)
    assert.equal((await messages(t, sp)).json.content[0].text, 'from a');
  assert.equal(a.connections.length, 2);
});

test('"connection: close" of an upstream is obeyed', async (t) => {
  const { a, sp } = await pair(t, (c) => c.answer(200, plain.claude(),
    { connection: 'close' }));
  for (let i = 0; i < 2; i++) from(await messages(t, sp), 'a', 1);
  assert.equal(a.connections.length, 2);
});

/* ---- breaker ---- */

const breaker = (n, open, trials = 1) => ({ failover: { circuit_breaker: {
  failure_threshold: n, open_timeout_seconds: open,
  half_open_requests: trials } } });

test('C18 after so many failures in a row a backend is skipped',
  async (t) => {
    const { a, sp } = await pair(t, fails(500), breaker(3, 60));
    for (let i = 0; i < 3; i++) from(await messages(t, sp), 'b', 2);
    from(await messages(t, sp), 'b', 1);
    assert.equal(a.requests.length, 3);
  });

test('C19 a success between failures starts the count anew', async (t) => {
  const script = [500, 500, 200, 500, 500, 200];
  const { a, sp } = await pair(t, (c) => script[c.n] === 200 ?
    good()(c) : fails(500)(c), breaker(3, 60));
  for (let i = 0; i < 6; i++) await messages(t, sp);
  assert.equal(a.requests.length, 6);
});

test('C20 C21 after the open time a trial; a good one closes', async (t) => {
  const { a, sp } = await pair(t, (c) => c.n < 2 ? fails(500)(c) :
    good()(c), breaker(2, 0.3));
  for (let i = 0; i < 2; i++) from(await messages(t, sp), 'b', 2);
  await until(async () => {
    const r = await messages(t, sp);
    return r.headers['x-spillway-backend'] === 'a';
  }, 'the trial');
  for (let i = 0; i < 3; i++) from(await messages(t, sp), 'a', 1);
  assert.equal(a.requests.length, 6);
});

test('C22 a bad trial opens for another time', async (t) => {
  const { a, sp } = await pair(t, fails(500), breaker(2, 1));
  for (let i = 0; i < 2; i++) await messages(t, sp);
  await until(async () => {
    await messages(t, sp);
    return a.requests.length === 3;
  }, 'the trial');
  from(await messages(t, sp), 'b', 1);
  assert.equal(a.requests.length, 3);
});

test('C20 at most half_open_requests trials at a time', async (t) => {
  const gate = deferred();
  const { a, sp } = await pair(t, async (c) => {
    if (c.n < 1) return fails(500)(c);
    await gate.promise;
    return good()(c);
  }, breaker(1, 0.3, 1));
  await messages(t, sp);
  const slow = [];
  await until(async () => {
    if (a.requests.length > 1) return true;
    slow.push(messages(t, sp).catch((e) => e));
    await turn(50);
    return a.requests.length > 1;
  }, 'the trial');
  for (let i = 0; i < 5; i++) from(await messages(t, sp), 'b', 1);
  assert.equal(a.requests.length, 2);
  gate.resolve();
  await Promise.all(slow);
  from(await messages(t, sp), 'a', 1);
});

table('a trial never wedges', [
  { name: 'it ends with 400', play: fails(400, '{}'), good: true },
  { name: 'it ends with 429', play: fails(429, '{}', { 'retry-after': '1' }) },
  { name: 'its client leaves', leave: true },
], async (t, row) => {
  const { a, sp } = await pair(t, (c) => {
    if (c.n === 0) return fails(500)(c);
    if (c.n === 1) return row.leave ? undefined : row.play(c);
    return good()(c);
  }, breaker(1, 0.3));
  await messages(t, sp);
  await until(async () => {
    if (row.leave) {
      const c = t.client(sp);
      c.request('POST', '/v1/messages', {}, ask.claude());
      await until(() => a.requests.length > 1 || c.answers.length > 0,
        'the request to arrive');
      if (a.requests.length > 1) {
        c.close();
        await a.requests[1].gone;
      }
    } else {
      await messages(t, sp);
    }
    return a.requests.length > 1;
  }, 'the trial');
  await until(async () => {
    await messages(t, sp);
    return a.requests.length > 2;
  }, 'the next request at the first backend');
});

test('clients that leave harm no backend', async (t) => {
  const { a, b, sp } = await pair(t, (c) => {
    if (c.n < 3) return undefined;
    return good()(c);
  }, breaker(1, 60));
  for (let i = 0; i < 3; i++) {
    const c = t.client(sp);
    c.request('POST', '/v1/messages', {}, ask.claude());
    await until(() => a.requests.length > i, 'the request to arrive');
    c.close();
    await a.requests[i].gone;
  }
  from(await messages(t, sp), 'a', 1);
  assert.equal(b.connections.length, 0);
});

test('a failover within a stream request', async (t) => {
  const { sp } = await pair(t, fails(529));
  const r = await messages(t, sp, ask.claude({ stream: true }));
  from(r, 'b', 2);
  assert.equal(r.headers['content-type'], 'text/event-stream');
});

for (const [name, c] of Object.entries({ ...calls }))
  test(`failover among ${name} backends`, async (t) => {
    const a = await t.provider(fails(503, errorBody[name]()));
    const b = await t.provider(good(name, 'from b'));
    const sp = await t.proxy([backend('a', a, { api_type: c.api }),
      backend('b', b, { api_type: c.api })]);
    const r = await t.ask(sp, 'POST', c.path, {}, c.body);
    from(r, 'b', 2);
    assert.deepEqual(r.json, plain[name]('from b'));
  });

for (const [name, c] of Object.entries(streamCalls))
  test(`failover among ${name} backends, streaming`, async (t) => {
    const a = await t.provider(fails(503, errorBody[name]()));
    const b = await t.provider(good(name, 'good'));
    const sp = await t.proxy([backend('a', a, { api_type: c.api }),
      backend('b', b, { api_type: c.api })]);
    const r = await t.ask(sp, 'POST', c.path, {}, c.body);
    from(r, 'b', 2);
    assert.equal(r.text, stream[name](['go', 'od']).join(''));
  });

test('a long chain: every backend once, in order', async (t) => {
  const seen = [];
  const backends = [];
  for (let i = 0; i < 6; i++) {
    const p = await t.provider((c) => {
      seen.push(i);
      return i < 5 ? fails(500 + i)(c) : good()(c);
    });
    backends.push(backend(`n${i}`, p));
  }
  const sp = await t.proxy(backends);
  from(await messages(t, sp), 'n5', 6);
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5]);
});

test('retry.attempts bounds the attempts', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider(fails(500));
  const c = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b),
    backend('c', c)], { retry: { attempts: 2 } });
  const r = await messages(t, sp);
  assert.equal(r.status, 502);
  assert.equal(r.headers['x-spillway-attempts'], '2');
  assert.equal(c.connections.length, 0);
});

test('the body is replayed byte for byte, 5 MB, to every backend',
  async (t) => {
    const a = await t.provider(fails(500));
    const b = await t.provider((c) => c.reset());
    const c = await t.provider(good());
    const sp = await t.proxy([backend('a', a), backend('b', b),
      backend('c', c)]);
    const body = `{ "model":"claude-sonnet-4-5",\t"max_tokens" : 64 ,` +
      `"big":12345678901234567890, "e":1.0e+5, "u":"\\u00e9 é \\/",` +
      `"messages":[{"role":"user","content":"${'x'.repeat(5e6)}"}]}\n`;
    from(await messages(t, sp, body), 'c', 3);
    assert.ok(a.requests[0].body.equals(Buffer.from(body)));
    assert.ok(c.requests[0].body.equals(Buffer.from(body)));
  });

test('an answer of 3 MB arrives whole', async (t) => {
  const text = 'y'.repeat(3e6);
  const { sp } = await pair(t, (c) => c.answer(200, plain.claude(text)));
  const r = await messages(t, sp);
  from(r, 'a', 1);
  assert.deepEqual(r.json, plain.claude(text));
});
