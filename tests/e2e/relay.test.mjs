/* What a hostile or careless peer on either side can provoke in the relay. */
import fs from 'node:fs';
import net from 'node:net';
import { assert, deferred, freePort, table, test, turn, until }
  from './lib.mjs';
import { certs } from './certs.mjs';
import { ask, backend, errorBody, fails, good, plain, stream,
  streamCalls } from './say.mjs';

const path = '/v1/messages';
const streaming = ask.claude({ stream: true });

async function pair(t, handler, more = {}, options = {}) {
  const a = await t.provider(handler, options);
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a), backend('b', b)], more);
  return { a, b, sp };
}

/* ---- framing ---- */

const anthropic = { 'anthropic-version': '2023-06-01' };

table('a length without a body is that of the upstream', [
  { name: 'HEAD', method: 'HEAD', status: 200, length: '1234' },
  { name: 'HEAD without a length', method: 'HEAD', status: 200 },
  { name: '304', method: 'GET', status: 304, length: '77' },
  { name: '304 without a length', method: 'GET', status: 304 },
], async (t, row) => {
  const { sp } = await pair(t, (c) => c.start(row.status, row.length ?
    { 'content-length': row.length } : {}));
  const c = t.client(sp);
  for (let i = 0; i < 2; i++) {
    const r = await c.request(row.method, '/v1/files/1', anthropic).answer();
    assert.equal(r.status, row.status);
    assert.equal(r.headers['content-length'], row.length);
    assert.equal(r.headers['transfer-encoding'], undefined);
  }
});

test('HEAD moves on as others do', async (t) => {
  const { sp } = await pair(t, (c) => c.start(503, {
    'content-length': '50' }));
  const r = await t.ask(sp, 'HEAD', '/v1/files/1', anthropic);
  assert.equal(r.headers['x-spillway-backend'], 'b');
});

test('a stream with a length that ends too early: no byte too many',
  async (t) => {
    const s = stream.claude().slice(0, 5).join('');
    const { sp } = await pair(t, async (c) => {
      await c.start(200, { 'content-type': 'text/event-stream',
        'content-length': s.length });
      await c.write(s.slice(0, -40));
      await turn(20);
      await c.write(s.slice(-40));
    });
    const c = t.client(sp);
    c.request('POST', path, {}, streaming);
    const r = await c.answer();
    await c.end();
    assert.equal(r.complete, false);
    assert.match(r.text, /event: error/);
    assert.ok(r.text.startsWith(s));
  });

test('a stream with a length that breaks off after its last event',
  async (t) => {
    const s = stream.claude().join('');
    const { sp } = await pair(t, async (c) => {
      await c.start(200, { 'content-type': 'text/event-stream',
        'content-length': s.length + 10 });
      await c.write(s);
      c.fin();
    });
    const c = t.client(sp);
    const r = await c.request('POST', path, {}, streaming).answer();
    assert.equal(r.complete, true);
    assert.equal(r.text, s);
    assert.equal((await c.request('GET', '/health').answer()).status, 200);
  });

test('TRACE would tell the token of a backend', async (t) => {
  const { a, sp } = await pair(t, (c) => c.answer(200, c.head.raw,
    { 'content-type': 'message/http' }));
  const r = await t.ask(sp, 'TRACE', '/v1/files', anthropic);
  assert.equal(r.status, 501);
  assert.equal(a.requests.length, 0);
});

/* ---- ends ---- */

table('stop_text in an error that does not end', [
  { name: 'it hangs', end: () => {} },
  { name: 'it breaks off', end: (c) => c.fin() },
], async (t, row) => {
  const { sp } = await pair(t, async (c) => {
    await c.start(529, { 'content-type': 'application/json',
      'content-length': '1000' });
    await c.write('{"error":{"message":"too sensitive');
    row.end(c);
  }, { failover: { stop_text: ['sensitive'] } });
  const c = t.client(sp);
  const r = await c.request('POST', path, {}, ask.claude()).answer();
  assert.equal(r.status, 529);
  assert.equal(r.complete, false);
  assert.match(r.text, /sensitive/);
});

test('a 429 stopped by its text cools nothing down', async (t) => {
  const { sp } = await pair(t, (c) => (c.n === 0 ?
    fails(429, errorBody.claude('x', 'so sensitive'))(c) :
    good('claude', 'from a')(c)), { failover: { stop_text: ['sensitive'] } });
  const one = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(one.status, 429);
  const two = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(two.headers['x-spillway-backend'], 'a');
});

test('bytes that come between two requests are no answer', async (t) => {
  const stray = 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n' +
    'connection: close\r\n\r\n';
  const { a, sp } = await pair(t, good('claude', 'from a'));
  /* With many connections idle ones are not looked at in every turn. */
  for (let i = 0; i < 80; i++)
    await t.client(sp).request('GET', '/health').answer();
  const c = t.client(sp);
  for (let i = 0; i < 20; i++) {
    const r = await c.request('POST', path, {}, ask.claude()).answer();
    assert.equal(r.status, 200, `request ${i}`);
    await a.requests[i].write(stray);
  }
});

/* ---- memory and time ---- */

test('bodies of unknown length are bounded by memory_megabytes',
  async (t) => {
    const { sp } = await pair(t, good(), { limits: {
      memory_megabytes: 16, max_body_megabytes: 8 } });
    const piece = Buffer.concat([Buffer.from('100000\r\n'),
      Buffer.alloc(1 << 20, 0x20), Buffer.from('\r\n')]);
    const clients = [];
    for (let i = 0; i < 6; i++) {
      const c = t.client(sp);
      c.request('POST', path, { 'transfer-encoding': 'chunked' });
      for (let k = 0; k < 6; k++) c.send(piece);
      clients.push(c);
    }
    await until(() => clients.some((c) => c.answers.length), 'a refusal');
    const r = clients.find((c) => c.answers.length).answers[0];
    assert.equal(r.status, 503);
    assert.equal(r.headers['retry-after'], '1');
    for (const c of clients) c.close();
    await until(async () => (await t.ask(sp, 'POST', path, {},
      ask.claude())).status === 200, 'the memory to be free again');
  });

test('answers to many pipelined requests wait for a slow client',
  async (t) => {
    const big = plain.claude('x'.repeat(900000));
    const { sp } = await pair(t, (c) => c.answer(200, big));
    const c = t.client(sp);
    await until(() => !c.socket.connecting, 'the connection');
    c.socket.pause();
    for (let i = 0; i < 30; i++) c.request('POST', path, {}, ask.claude());
    let last = -1;
    for (let same = 0; same < 10;) {
      await turn(20);
      const n = (sp.stderr.match(/ -> 200 /g) ?? []).length;
      same = n === last && n > 0 ? same + 1 : 0;
      last = n;
    }
    assert.ok(last < 20, `${last} answers were taken in`);
    c.socket.resume();
    for (let i = 0; i < 30; i++)
      assert.equal((await c.answer()).body.length,
        JSON.stringify(big).length);
  });

table('an answer in tiny chunks costs no more than its bytes', [
  { name: 'blanks before a stream', piece: ' ', call: streamCalls.claude },
  { name: "one long element of Gemini's array", first: '[{"a":"',
    piece: 'x', call: { api: 'gemini', body: ask.gemini(), path:
      '/v1beta/models/gemini-2.5-flash:streamGenerateContent' } },
], async (t, row) => {
  const many = Buffer.from(`1\r\n${row.piece}\r\n`.repeat(10000));
  const a = await t.provider(async (c) => {
    await c.start(200, { 'transfer-encoding': 'chunked', 'content-type':
      row.first ? 'application/json' : 'text/event-stream' });
    if (row.first) await c.chunk(row.first);
    for (let i = 0; i < 60; i++) await c.write(many);
    await c.last();
  });
  const sp = await t.proxy([backend('a', a, { api_type: row.call.api })]);
  const r = await t.ask(sp, 'POST', row.call.path, {}, row.call.body);
  assert.ok(r.status > 0);
});

test('a plain request that is taken too slowly moves on', async (t) => {
  const timers = [];
  t.later.push(() => timers.forEach(clearInterval));
  const { sp } = await pair(t, good(), { timeouts: { response: 1, idle: 15 } },
    { onConnection: (conn) => {
      conn.raw.pause();
      timers.push(setInterval(() => {
        conn.raw.once('data', () => conn.raw.pause());
        conn.raw.resume();
      }, 100));
      return true;
    } });
  const r = await t.ask(sp, 'POST', path, {}, ask.claude({
    system: 'q'.repeat(50 << 20) }));
  assert.equal(r.headers['x-spillway-backend'], 'b');
});

test('a backend\'s own total time bounds its attempt', async (t) => {
  const a = await t.provider(async (c) => {
    await c.sse();
    while (!c.conn.closed) {
      await c.chunk(': still there\n\n');
      await turn(50);
    }
  });
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a, { timeouts: { total: 0.5 } }),
    backend('b', b)]);
  const r = await t.ask(sp, 'POST', path, {}, streaming);
  assert.equal(r.headers['x-spillway-backend'], 'b');
  assert.equal(r.complete, true);
});

/* A provider's port behind a road on which all bytes take a while. */
async function slowRoad(t, port, ms) {
  const sockets = [];
  const server = net.createServer((s) => {
    const far = net.connect(port, '127.0.0.1');
    sockets.push(s, far);
    s.on('error', () => {});
    far.on('error', () => s.destroy());
    far.on('close', () => s.destroy());
    s.on('close', () => far.destroy());
    s.on('data', (bytes) => setTimeout(() => far.write(bytes), ms));
    far.pipe(s);
  });
  const at = await freePort();
  server.listen(at, '127.0.0.1');
  t.later.push(() => {
    for (const s of sockets) s.destroy();
    server.close();
  });
  return at;
}

test('many slow handshakes at once are no fault of a backend', async (t) => {
  const host = 'api.example.test';
  const a = await t.provider(good('claude', 'from a'), { name: host,
    tls: certs().good });
  const b = await t.provider(good('claude', 'from b'));
  const port = await slowRoad(t, a.port, 200);
  const sp = await t.proxy([backend('a', { url: `https://${host}:${port}` },
    { address: '127.0.0.1', ca_file: certs().ca }), backend('b', b)],
  { timeouts: { connect: 2 }, failover: { circuit_breaker: {
    failure_threshold: 1 } } });
  const all = await Promise.all(Array.from({ length: 100 }, () =>
    t.ask(sp, 'POST', path, {}, ask.claude())));
  assert.ok(all.every((r) => r.status === 200));
  assert.doesNotMatch(sp.stderr, /-> open/);
});

test('no descriptor left is no fault of a backend', async (t) => {
  const { sp } = await pair(t, good(), { failover: { circuit_breaker: {
    failure_threshold: 1 } } }, {});
  await sp.stop();
  const file = JSON.parse(fs.readFileSync(sp.file, 'utf8'));
  file.port = await freePort();
  const few = await t.start(file, { shell: 'ulimit -n 40' });
  const crowd = [];
  for (let i = 0; i < 60; i++) crowd.push(t.client(few));
  await few.logs('out of file descriptors');
  const c = crowd[0];
  const r = await c.request('POST', path, {}, ask.claude()).answer();
  assert.ok(r.status >= 500);
  assert.doesNotMatch(few.stderr, /-> open/);
  for (const x of crowd) x.close();
  await until(async () => {
    try {
      return (await t.ask(few, 'POST', path, {}, ask.claude())).headers[
        'x-spillway-backend'] === 'a';
    } catch {
      return false;
    }
  }, 'the first backend to answer');
});

/* ---- drain and reload ---- */

const large = (t, bytes) => pair(t, (c) => c.answer(200,
  plain.claude('x'.repeat(bytes))), { drain_seconds: 0.3 });

table('what is cut at the end of the drain counts', [
  { name: 'an answer that its client has not read', start: async (t) => {
    const { sp } = await large(t, 30 << 20);
    const c = t.client(sp);
    await until(() => !c.socket.connecting, 'the connection');
    c.socket.pause();
    c.request('POST', path, {}, ask.claude());
    return { sp, seen: () => sp.stderr.includes('first byte') ||
      c.socket.bytesWritten > 0 };
  } },
  { name: 'an answer that is written, but not read', start: async (t) => {
    const { sp } = await large(t, 900000);
    const c = t.client(sp);
    await until(() => !c.socket.connecting, 'the connection');
    c.socket.pause();
    for (let i = 0; i < 12; i++) c.request('POST', path, {}, ask.claude());
    return { sp, seen: () => / -> 200 /.test(sp.stderr) };
  } },
  { name: 'a request that is still coming', start: async (t) => {
    const { sp } = await large(t, 1);
    const c = t.client(sp);
    c.request('POST', path, { 'content-length': '100', expect:
      '100-continue' });
    await until(() => c.interim.length, 'the 100');
    return { sp, seen: () => true };
  } },
], async (t, row) => {
  t.exit = 1;
  const { sp, seen } = await row.start(t);
  await until(seen, 'the request to run');
  await turn(50);
  sp.kill('SIGTERM');
  await sp.exited;
  assert.equal(sp.code, 1, sp.stderr);
});

test('the drain ends when a slow client has read its answer', async (t) => {
  const { sp } = await pair(t, (c) => c.answer(200,
    plain.claude('x'.repeat(900000))), { drain_seconds: 3600 });
  const c = t.client(sp);
  await until(() => !c.socket.connecting, 'the connection');
  c.socket.pause();
  for (let i = 0; i < 8; i++) c.request('POST', path, {}, ask.claude());
  await sp.logs(/ -> 200 /);
  sp.kill('SIGTERM');
  await sp.logs('draining');
  c.socket.resume();
  await sp.exited;
  assert.equal(sp.code, 0);
  assert.ok(c.answers.every((r) => r.complete));
});

test('a request that outlives a reload leaves no connection', async (t) => {
  const gate = deferred();
  const { a, sp } = await pair(t, async (c) => {
    await gate.promise;
    await good('claude', 'from a')(c);
  });
  const c = t.client(sp);
  c.request('POST', path, {}, ask.claude());
  await until(() => a.requests.length, 'the request');
  sp.kill('SIGUSR2');
  await sp.logs('is in service');
  gate.resolve();
  assert.equal((await c.answer()).json.content[0].text, 'from a');
  await until(() => a.open === 0, 'the old connection to go');
  assert.equal((await c.request('POST', path, {}, ask.claude()).answer())
    .status, 200);
  assert.equal(a.connections.length, 2);
});

test('a reload that fails half-way leaves nothing behind', async (t) => {
  const { a, sp } = await pair(t, good());
  const config = JSON.parse(fs.readFileSync(sp.file, 'utf8'));
  const entry = (name, ca_file) => ({ ...backend(name, a), ca_file,
    base_url: a.url.replace('http:', 'https:') });
  const bad = t.file('bad.pem', 'no certificate\n');
  config.backends = [entry('a', certs().ca), entry('b', bad)];
  fs.writeFileSync(sp.file, JSON.stringify(config));
  sp.kill('SIGUSR2');
  await sp.logs('was not taken');
  assert.equal((await t.ask(sp, 'POST', path, {}, ask.claude())).status, 200);
});

/* ---- telling ---- */

test('a long path does not hide the rest of its line', async (t) => {
  const { sp } = await pair(t, (c) => c.answer(200, '{}'));
  await t.ask(sp, 'GET', `/v1/${'x'.repeat(9000)}`, anthropic);
  await sp.logs(/GET \/v1\/xxx.* -> 200 by a/);
});

test('a model whose name is cut within a character', async (t) => {
  const { sp } = await pair(t, good());
  const r = await t.ask(sp, 'POST', path, {}, ask.claude({
    model: `gpt-${'a'.repeat(95)}é` }));
  assert.equal(r.status, 404);
  new TextDecoder('utf-8', { fatal: true }).decode(r.body);
  assert.equal(r.json.type, 'error');
});

test('--probe does not wait for ever', async (t) => {
  const mute = net.createServer(() => {});
  const port = await freePort();
  mute.listen(port, '127.0.0.1');
  t.later.push(() => mute.close());
  const config = await t.config([backend('a', `http://127.0.0.1:${port}`)],
    { timeouts: { connect: 0.2, first_byte: 0.2, response: 3600 } });
  const p = await t.finish(['-t', '--probe', '-c',
    t.file('probe.json', JSON.stringify(config))]);
  assert.equal(p.code, 1);
  assert.match(p.stdout, /NOT reachable: timed out/);
});

/* ---- paths that hide what they are ---- */

table('a path that only reads as a known one is refused', [
  '/v1/x/../messages', '/v1/%6dessages', '/v1/./messages',
  '/x/%2e%2e/v1/chat/completions', '/v1/y/..//x/..//messages',
], async (t, odd) => {
  const { a, sp } = await pair(t, good());
  const r = await t.ask(sp, 'POST', odd, anthropic, ask.claude());
  assert.equal(r.status, 400);
  assert.equal(r.json.type, 'error');
  assert.equal(a.requests.length, 0);
});
