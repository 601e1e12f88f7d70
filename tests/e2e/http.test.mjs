/* HTTP towards clients and upstreams (spec 4.1, 4.5, 9 "HTTP"; RFC 9112). */
import { assert, deferred, table, test, until } from './lib.mjs';
import { ask, backend, good, plain, stream } from './say.mjs';

const path = '/v1/messages';

async function one(t, handler = good(), more = {}, options = {}) {
  const a = await t.provider(handler, options);
  const sp = await t.proxy([backend('a', a)], more);
  return { a, sp };
}

/* ---- local answers ---- */

table('local answers', [
  ['HEAD', '/'], ['HEAD', '/api/hello'], ['GET', '/health'], ['GET', '/'],
], async (t, [method, target]) => {
  const { a, sp } = await one(t);
  const c = t.client(sp);
  for (let i = 0; i < 2; i++) {
    const r = await c.request(method, target).answer();
    assert.equal(r.status, 200);
    assert.equal(r.headers['x-spillway-attempts'], '0');
    assert.match(r.headers['x-request-id'], /^[!-~]{1,128}$/);
    if (method === 'HEAD') assert.equal(r.text, '');
  }
  if (target === '/') {
    const r = await c.request('GET', '/').answer();
    assert.equal(r.text.trimEnd().split('\n').length, 1);
  }
  assert.equal(a.connections.length, 0);
});

/* ---- connections ---- */

test('keep-alive: many requests on one connection', async (t) => {
  const { a, sp } = await one(t);
  const c = t.client(sp);
  for (let i = 0; i < 5; i++) {
    const r = await c.request('POST', path, {}, ask.claude()).answer();
    assert.equal(r.status, 200);
    assert.notEqual(r.headers.connection?.toLowerCase(), 'close');
  }
  assert.equal(a.connections.length, 1);
});

test('"connection: close" of a client is obeyed', async (t) => {
  const { sp } = await one(t);
  const c = t.client(sp);
  const r = await c.request('POST', path, { connection: 'close' },
    ask.claude()).answer();
  assert.equal(r.status, 200);
  assert.equal(r.complete, true);
  assert.equal(r.headers.connection.toLowerCase(), 'close');
  await c.end();
  assert.equal(c.error, null);
});

test('pipelined requests are answered in order', async (t) => {
  const { sp } = await one(t, (c) => c.answer(200,
    plain.claude(c.json.messages[0].content)));
  const c = t.client(sp);
  let bytes = '';
  for (let i = 0; i < 5; i++) {
    const body = JSON.stringify(ask.claude({ messages:
      [{ role: 'user', content: `n${i}` }] }));
    bytes += `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ` +
      `${body.length}\r\n\r\n${body}`;
    c.reader.heads.push('POST');
  }
  c.send(bytes);
  for (let i = 0; i < 5; i++)
    assert.equal((await c.answer()).json.content[0].text, `n${i}`);
});

test('a request that arrives byte by byte', async (t) => {
  const { a, sp } = await one(t);
  const body = JSON.stringify(ask.claude());
  const bytes = `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ` +
    `chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const c = t.client(sp);
  c.reader.heads.push('POST');
  for (const b of bytes)
    await new Promise((done) => c.socket.write(b, done));
  assert.equal((await c.answer()).status, 200);
  assert.equal(a.requests[0].text, body);
});

test('HTTP/1.0 clients: answered and closed, never chunked', async (t) => {
  const { sp } = await one(t, (c) => c.stream(stream.claude()));
  const body = JSON.stringify(ask.claude({ stream: true }));
  const c = t.client(sp);
  c.reader.heads.push('POST');
  c.send(`POST ${path} HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n` +
    body);
  const r = await c.answer();
  assert.equal(r.status, 200);
  assert.equal(r.headers['transfer-encoding'], undefined);
  assert.equal(r.text, stream.claude().join(''));
  await c.end();
});

/* ---- bodies ---- */

table('chunked requests reach the upstream as the same body', [
  { name: 'one chunk', cut: [9999] }, { name: 'single bytes', cut: [1] },
  { name: 'odd pieces', cut: [3, 1, 7] },
  { name: 'extensions', cut: [9], ext: ';a=b;c="d;e"' },
  { name: 'trailers', cut: [9],
    trailers: 'X-Sum: 1\r\nAuthorization: evil\r\n' },
  { name: 'upper case sizes', cut: [0xab], upper: true },
], async (t, row) => {
  const { a, sp } = await one(t);
  const body = JSON.stringify(ask.claude({ system: 's'.repeat(200) }));
  let bytes = '';
  for (let at = 0, i = 0; at < body.length; i++) {
    const part = body.slice(at, at + row.cut[i % row.cut.length]);
    at += part.length;
    let size = part.length.toString(16);
    if (row.upper) size = size.toUpperCase();
    bytes += `${size}${row.ext ?? ''}\r\n${part}\r\n`;
  }
  const c = t.client(sp);
  c.request('POST', path, { 'transfer-encoding': 'chunked' })
    .send(`${bytes}0\r\n${row.trailers ?? ''}\r\n`);
  assert.equal((await c.answer()).status, 200);
  assert.equal(a.requests[0].text, body);
  assert.equal(a.requests[0].headers['x-sum'], undefined);
  assert.doesNotMatch(Buffer.concat(a.connections[0].bytes).toString(),
    /evil/);
  /* The connection is still in step. */
  assert.equal((await c.request('GET', '/health').answer()).status, 200);
});

test('Expect: 100-continue is answered before the body', async (t) => {
  const { a, sp } = await one(t);
  const body = JSON.stringify(ask.claude());
  const c = t.client(sp);
  c.request('POST', path, { expect: '100-continue',
    'content-length': body.length });
  await until(() => c.interim.length || c.ended, '100 Continue');
  assert.equal(c.interim[0].status, 100);
  c.send(body);
  assert.equal((await c.answer()).status, 200);
  assert.equal(a.requests[0].headers.expect, undefined);
  assert.equal(a.requests[0].text, body);
});

test('another expectation is not ours to know', async (t) => {
  const { sp } = await one(t);
  const c = t.client(sp);
  c.request('POST', path, { expect: 'wonders' }, ask.claude());
  assert.ok([200, 417].includes((await c.answer()).status));
});

/* ---- refusals ---- */

const post = `POST ${path} HTTP/1.1\r\nHost: x\r\n`;
table('refused, closed, and never forwarded', [
  { name: 'length and chunks', status: 400, bytes:
    `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  { name: 'chunks and length', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n` },
  { name: 'two lengths that differ', status: 400, bytes:
    `${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde` },
  { name: 'a list of lengths', status: 400, bytes:
    `${post}Content-Length: 4, 5\r\n\r\nabcde` },
  { name: 'an empty length', status: 400, bytes:
    `${post}Content-Length: \r\n\r\n` },
  { name: 'a length with a sign', status: 400, bytes:
    `${post}Content-Length: +4\r\n\r\nabcd` },
  { name: 'a negative length', status: 400, bytes:
    `${post}Content-Length: -1\r\n\r\n` },
  { name: 'a length in hex', status: 400, bytes:
    `${post}Content-Length: 0x4\r\n\r\nabcd` },
  { name: 'a length of 20 digits and more', status: 400, bytes:
    `${post}Content-Length: 99999999999999999999999\r\n\r\n` },
  { name: 'gzip, chunked', status: 501, bytes:
    `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  { name: 'identity coding', status: [400, 501], bytes:
    `${post}Transfer-Encoding: identity\r\n\r\n` },
  { name: 'chunked twice', status: [400, 501], bytes:
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n` +
    '0\r\n\r\n' },
  { name: 'chunked, gzip', status: [400, 501], bytes:
    `${post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n` },
  { name: 'a coding with a vertical tab', status: [400, 501], bytes:
    `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n` },
  { name: 'chunked in HTTP/1.0', status: 400, bytes:
    `POST ${path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  { name: 'bare LF after a field', status: 400, bytes:
    `${post}X: y\nContent-Length: 0\r\n\r\n` },
  { name: 'bare LF everywhere', status: 400, bytes:
    'GET /health HTTP/1.1\nHost: x\n\n' },
  { name: 'bare CR in a value', status: 400, bytes:
    `${post}X: a\rb\r\nContent-Length: 0\r\n\r\n` },
  { name: 'NUL in a value', status: 400, bytes:
    `${post}X: a\0b\r\nContent-Length: 0\r\n\r\n` },
  { name: 'blank before the colon', status: 400, bytes:
    `${post}Content-Length : 4\r\n\r\nabcd` },
  { name: 'a folded line', status: 400, bytes:
    `${post}X: a\r\n b\r\nContent-Length: 0\r\n\r\n` },
  { name: 'a first field that begins with a blank', status: 400, bytes:
    `POST ${path} HTTP/1.1\r\n Host: x\r\n\r\n` },
  { name: 'an empty field name', status: 400, bytes:
    `${post}: x\r\nContent-Length: 0\r\n\r\n` },
  { name: 'a field without a colon', status: 400, bytes:
    `${post}nonsense\r\n\r\n` },
  { name: 'no Host', status: 400, bytes: 'GET /health HTTP/1.1\r\n\r\n' },
  { name: 'two Hosts', status: 400, bytes:
    'GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n' },
  { name: 'a Host with a blank', status: 400, bytes:
    'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n' },
  { name: 'two blanks in the start line', status: 400, bytes:
    'GET  /health HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'no version', status: 400, bytes: 'GET /health\r\nHost: x\r\n\r\n' },
  { name: 'HTTP/2.0', status: 505, bytes:
    'GET /health HTTP/2.0\r\nHost: x\r\n\r\n' },
  { name: 'HTTP/1.1 in lower case', status: [400, 505], bytes:
    'GET /health http/1.1\r\nHost: x\r\n\r\n' },
  { name: 'a method that is no token', status: 400, bytes:
    'G@T /health HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'a target with a control character', status: 400, bytes:
    'GET /he\x01alth HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'a TLS hello', status: 400, bytes:
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n' },
  { name: 'the preface of HTTP/2', status: [400, 505], bytes:
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'CONNECT', status: 501, bytes:
    'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n' },
  { name: 'upgrade to a web socket', status: 501, bytes:
    'GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n' +
    'Upgrade: websocket\r\n\r\n' },
  { name: 'chunk size that is no number', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n` },
  { name: 'chunk size with a sign', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n+4\r\nabcd\r\n0\r\n\r\n` },
  { name: 'chunk size in 0x', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n` },
  { name: 'chunk size of 17 digits', status: [400, 413], bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n10000000000000004\r\nabcd\r\n` },
  { name: 'a chunk longer than its size', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n` },
  { name: 'bare LF after a chunk size', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n` },
  { name: 'chunk extensions without end', status: 400, bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n4;${'x'.repeat(9000)}\r\n` },
  { name: 'trailers without end', status: [400, 431], bytes:
    `${post}Transfer-Encoding: chunked\r\n\r\n0\r\n` +
    'x: y\r\n'.repeat(4000) },
  { name: 'a body larger than allowed', status: 413, bytes:
    `${post}Content-Length: 99999999\r\n\r\n` },
  { name: 'a target of 20,000 characters', status: 414, bytes:
    `GET /${'a'.repeat(20000)} HTTP/1.1\r\nHost: x\r\n\r\n` },
  { name: 'a head of 80,000 bytes', status: 431, bytes:
    `${post}X: ${'a'.repeat(80000)}\r\n\r\n` },
  { name: 'a head without end', status: 431, bytes:
    `${post}${'X: y\r\n'.repeat(20000)}` },
], async (t, row) => {
  const { a, sp } = await one(t, good(), { limits: { max_body_megabytes: 2 } });
  const c = t.client(sp);
  c.reader.heads.push('GET');
  c.send(row.bytes);
  const r = await c.answer();
  assert.ok([row.status].flat().includes(r.status),
    `${r.status} instead of ${row.status}`);
  assert.equal(r.headers['x-spillway-attempts'], '0');
  assert.ok(r.headers['x-request-id']);
  assert.equal(typeof r.json, 'object');
  await c.end();
  assert.equal(c.answers.length, 1);
  assert.equal(a.connections.length, 0);
});

test('a smuggled second request is never seen', async (t) => {
  const { a, sp } = await one(t);
  const c = t.client(sp);
  c.reader.heads.push('POST', 'GET');
  c.send(`${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n` +
    '0\r\n\r\nGET /v1/stolen HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await c.answer()).status, 400);
  await c.end();
  assert.equal(a.requests.length, 0);
});

test('413 for chunks that grow too large', async (t) => {
  const { a, sp } = await one(t, good(), { limits: { max_body_megabytes: 1 } });
  const c = t.client(sp);
  c.request('POST', path, { 'transfer-encoding': 'chunked' });
  const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`;
  for (let i = 0; i < 20 && !c.ended; i++) c.send(chunk);
  assert.equal((await c.answer()).status, 413);
  assert.equal(a.requests.length, 0);
});

test('413 comes before a 100 Continue', async (t) => {
  const { sp } = await one(t, good(), { limits: { max_body_megabytes: 1 } });
  const c = t.client(sp);
  c.request('POST', path, { expect: '100-continue',
    'content-length': 2 << 20 });
  assert.equal((await c.answer()).status, 413);
  assert.equal(c.interim.length, 0);
});

/* ---- heads ---- */

test('hop-by-hop fields stay on their side, all others pass', async (t) => {
  const { a, sp } = await one(t, async (c) => {
    const s = JSON.stringify(plain.claude());
    await c.answer(200, s, { connection: 'X-Up-Hop', 'x-up-hop': '1',
      'keep-alive': 'timeout=5', 'proxy-authenticate': 'Basic', upgrade: 'h2',
      'X-Own': 'kept', 'set-cookie': ['a=1', 'b=2'], via: '1.1 there' });
  });
  const r = await t.ask(sp, 'POST', path, { connection: 'X-Hop, keep-alive',
    'X-Hop': '1', 'keep-alive': 'timeout=5', 'proxy-authorization': 'Basic x',
    'proxy-connection': 'keep-alive', te: 'trailers', trailer: 'x-sum',
    'anthropic-version': '2026-10-21', 'anthropic-beta': 'a-1,b-2',
    'X-Under_Score': 'kept', 'User-Agent': 'test/1', 'X-Twice': ['1', '2'],
    'X-Stainless-Os': 'Linux', 'X-Empty': '' }, ask.claude());
  const up = a.requests[0].headers;
  for (const n of ['x-hop', 'keep-alive', 'proxy-authorization',
    'proxy-connection', 'te', 'trailer', 'upgrade', 'via'])
    assert.equal(up[n], undefined, n);
  assert.equal(up['anthropic-version'], '2026-10-21');
  assert.equal(up['anthropic-beta'], 'a-1,b-2');
  assert.equal(up['x-under_score'], 'kept');
  assert.equal(up['user-agent'], 'test/1');
  assert.equal(up['x-twice'], '1, 2');
  assert.equal(up['x-stainless-os'], 'Linux');
  assert.equal(up['x-empty'], '');
  assert.equal(r.status, 200);
  for (const n of ['x-up-hop', 'keep-alive', 'proxy-authenticate',
    'upgrade'])
    assert.equal(r.headers[n], undefined, n);
  assert.equal(r.headers['x-own'], 'kept');
  assert.deepEqual(r.fields.filter(([n]) => n.toLowerCase() === 'set-cookie')
    .map(([, v]) => v), ['a=1', 'b=2']);
});

test('"Connection" may not take an end-to-end field away', async (t) => {
  const { a, sp } = await one(t);
  await t.ask(sp, 'POST', path, { connection: 'host, content-length, ' +
    'content-type, authorization, x-api-key',
  'content-type': 'application/json' }, ask.claude());
  const up = a.requests[0].headers;
  assert.equal(up.host, `127.0.0.1:${a.port}`);
  assert.equal(up['content-type'], 'application/json');
  assert.equal(up['x-api-key'], 'tok-a-0123456789abcdef');
  assert.deepEqual(a.requests[0].json, ask.claude());
});

test('x-request-id: the client\'s is kept, else one is made', async (t) => {
  const { a, sp } = await one(t);
  const seen = new Set();
  const r = await t.ask(sp, 'POST', path, { 'x-request-id': 'my-id-1' },
    ask.claude());
  assert.equal(r.headers['x-request-id'], 'my-id-1');
  for (const id of ['x'.repeat(129), 'with blank', 'caf\xe9', undefined]) {
    const h = id === undefined ? {} : { 'x-request-id': id };
    const got = (await t.ask(sp, 'POST', path, h, ask.claude()))
      .headers['x-request-id'];
    assert.match(got, /^[!-~]{1,128}$/);
    assert.notEqual(got, id);
    seen.add(got);
  }
  assert.equal(seen.size, 4);
  assert.equal(a.requests.length, 5);
});

test('our fields appear once, whatever the upstream says', async (t) => {
  const { sp } = await one(t, (c) => c.answer(200, plain.claude(), {
    'x-spillway-backend': 'liar', 'x-spillway-attempts': '99',
    'x-request-id': 'theirs' }));
  const r = await t.ask(sp, 'POST', path, { 'x-request-id': 'mine' },
    ask.claude());
  assert.equal(r.headers['x-spillway-backend'], 'a');
  assert.equal(r.headers['x-spillway-attempts'], '1');
  assert.equal(r.headers['x-request-id'], 'mine');
});

test('HEAD is forwarded, its answer has no body', async (t) => {
  const { a, sp } = await one(t, (c) => c.start(200, {
    'content-type': 'application/json', 'content-length': '1234' }));
  const c = t.client(sp);
  for (let i = 0; i < 2; i++) {
    const r = await c.request('HEAD', '/v1/messages/batches', {
      'anthropic-version': '2023-06-01' }).answer();
    assert.equal(r.status, 200);
    assert.equal(r.text, '');
  }
  assert.equal(a.requests[0].method, 'HEAD');
  assert.equal((await c.request('GET', '/health').answer()).status, 200);
});

table('answers without a body', [[204], [304]], async (t, [status]) => {
  const { sp } = await one(t, (c) => c.start(status, { etag: '"x"' }));
  const c = t.client(sp);
  for (let i = 0; i < 2; i++) {
    const r = await c.request('GET', '/v1/files/1', {
      'anthropic-version': '2023-06-01' }).answer();
    assert.equal(r.status, status);
    assert.equal(r.text, '');
    assert.equal(r.headers['transfer-encoding'], undefined);
  }
});

table('interim answers of an upstream are no answers', [
  { name: '100', bytes: 'HTTP/1.1 100 Continue\r\n\r\n' },
  { name: '102 and 103', bytes: 'HTTP/1.1 102 Processing\r\n\r\n' +
    'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n' },
  { name: 'fifty', bytes: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50) },
], async (t, row) => {
  const { sp } = await one(t, async (c) => {
    await c.write(row.bytes);
    await good()(c);
  });
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.status, 200);
  assert.deepEqual(r.json, plain.claude());
});

table('answers framed in other ways', [
  { name: 'until close', play: async (c) => {
    await c.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n` +
      `\r\n${JSON.stringify(plain.claude())}`);
    c.fin();
  } },
  { name: 'HTTP/1.0', play: async (c) => {
    await c.write(`HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n` +
      `\r\n${JSON.stringify(plain.claude())}`);
    c.fin();
  } },
  { name: 'chunks of one byte, with extensions and trailers',
    play: async (c) => {
      await c.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n' +
        'transfer-encoding: chunked\r\n\r\n');
      for (const b of JSON.stringify(plain.claude()))
        await c.write(`1;x=y\r\n${b}\r\n`);
      await c.write('0\r\nx-sum: 1\r\n\r\n');
    } },
  { name: 'no reason phrase', play: (c) => {
    const s = JSON.stringify(plain.claude());
    return c.write(`HTTP/1.1 200 \r\ncontent-type: application/json\r\n` +
      `content-length: ${s.length}\r\n\r\n${s}`);
  } },
  { name: 'two equal lengths', play: (c) => {
    const s = JSON.stringify(plain.claude());
    return c.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n` +
      `content-length: ${s.length}\r\ncontent-length: ${s.length}\r\n\r\n${s}`);
  } },
], async (t, row) => {
  const { sp } = await one(t, row.play);
  const c = t.client(sp);
  const r = await c.request('POST', path, {}, ask.claude()).answer();
  assert.equal(r.status, 200);
  assert.equal(r.complete, true);
  assert.deepEqual(r.json, plain.claude());
  assert.equal((await c.request('GET', '/health').answer()).status, 200);
});

test('an answer before the request was read is taken', async (t) => {
  const { a, sp } = await one(t, async (c) => {
    await c.answer(413, { type: 'error', error: { type: 'request_too_large',
      message: 'too large' } }, { connection: 'close' });
    c.fin();
  }, {}, { early: true });
  const r = await t.ask(sp, 'POST', path, {}, ask.claude({
    system: 'x'.repeat(8e6) }));
  assert.equal(r.status, 413);
  assert.equal(r.json.error.message, 'too large');
  assert.equal(a.connections.length, 1);
});

/* ---- paths ---- */

table('the URL of the upstream', [
  ['', '/v1/messages', '/v1/messages'],
  ['/', '/v1/messages', '/v1/messages'],
  ['/v1', '/v1/messages', '/v1/messages'],
  ['/v1/', '/v1/messages?beta=true', '/v1/messages?beta=true'],
  ['/api', '/v1/messages', '/api/v1/messages'],
  ['/api/v1', '/v1/messages', '/api/v1/messages'],
  ['', '/v1/v1/messages', '/v1/messages'],
  ['', '/v1/messages?beta=true&x=%20y', '/v1/messages?beta=true&x=%20y'],
  ['', '/v1/messages?key=SECRETSECRET&a=1', '/v1/messages?a=1'],
  ['', '/v1/messages?a=1&key=SECRETSECRET', '/v1/messages?a=1'],
  ['', '/v1/messages?key=SECRETSECRET', '/v1/messages'],
  ['', '/v1/messages?monkey=1&keys=2', '/v1/messages?monkey=1&keys=2'],
], async (t, [base, target, want]) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a.url + base)]);
  assert.equal((await t.ask(sp, 'POST', target, {}, ask.claude())).status,
    200);
  assert.equal(a.requests[0].target, want);
});

test('path_prefix replaces the client\'s /v1', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', `${a.url}/api`,
    { path_prefix: '/v4' })]);
  await t.ask(sp, 'POST', '/v1/messages', {}, ask.claude());
  assert.equal(a.requests[0].target, '/api/v4/messages');
});

table('unknown paths are forwarded as they are', [
  ['GET', '/v1/files/abc?limit=1'], ['DELETE', '/v1/messages/batches/1'],
  ['POST', '/anything/else'], ['PUT', '/v1/x%2Fy'],
  ['PATCH', '/a//b/../c'],
], async (t, [method, target]) => {
  const { a, sp } = await one(t, (c) => c.answer(200, { ok: true }));
  const body = method === 'GET' || method === 'DELETE' ? undefined :
    'not json at all \x00\x01';
  const r = await t.ask(sp, method, target, {
    'anthropic-version': '2023-06-01' }, body);
  assert.equal(r.status, 200);
  assert.equal(a.requests[0].method, method);
  assert.equal(a.requests[0].target, target);
  assert.equal(a.requests[0].text, body ?? '');
});

test('a target in absolute form', async (t) => {
  const { a, sp } = await one(t);
  const r = await t.ask(sp, 'POST', 'http://elsewhere.test/v1/messages?b=1',
    { host: 'elsewhere.test' }, ask.claude());
  assert.equal(r.status, 200);
  assert.equal(a.requests[0].target, '/v1/messages?b=1');
  assert.equal(a.requests[0].headers.host, `127.0.0.1:${a.port}`);
});

/* ---- web pages (spec 4.0) ---- */

table('a web page may not use it', [
  { name: 'foreign Origin', headers: { origin: 'https://evil.test' }, no: 1 },
  { name: 'Origin null', headers: { origin: 'null' }, no: 1 },
  { name: 'a name that only begins as ours',
    headers: { origin: 'http://localhost.evil.test' }, no: 1 },
  { name: 'cross-site', headers: { 'sec-fetch-site': 'cross-site' }, no: 1 },
  { name: 'loopback Origin', headers: { origin: 'http://localhost:5173' } },
  { name: 'loopback address', headers: { origin: 'http://127.0.0.1:99' } },
  { name: 'allowed Origin', headers: { origin: 'https://good.test' } },
  { name: 'allowed Origin, cross-site', headers: {
    origin: 'https://good.test', 'sec-fetch-site': 'cross-site' } },
  { name: 'same-origin', headers: { 'sec-fetch-site': 'same-origin' } },
  { name: 'none', headers: { 'sec-fetch-site': 'none' } },
], async (t, row) => {
  const { a, sp } = await one(t, good(),
    { allow_origins: ['https://good.test'] });
  const r = await t.ask(sp, 'POST', path, row.headers, ask.claude());
  assert.equal(r.status, row.no ? 403 : 200);
  if (row.no) {
    assert.equal(r.json.type, 'error');
    assert.equal(r.json.error.type, 'permission_error');
    assert.equal(a.connections.length, 0);
    assert.equal(r.headers['access-control-allow-origin'], undefined);
  }
});

/* ---- clients that hold on ---- */

test('a body that stops arriving does not hold an upstream', async (t) => {
  const { a, sp } = await one(t);
  const c = t.client(sp);
  c.request('POST', path, { 'content-length': 1000 }).send('{"model":');
  assert.equal((await t.ask(sp, 'POST', path, {}, ask.claude())).status, 200);
  c.close();
  assert.equal(a.requests.length, 1);
});

test('a FIN after the request means that the client has left', async (t) => {
  const gate = deferred();
  const { a, sp } = await one(t, async (c) => {
    await gate.promise;
  });
  const c = t.client(sp);
  c.request('POST', path, {}, ask.claude());
  await until(() => a.requests.length === 1, 'the request');
  c.socket.end();
  await a.requests[0].gone;
  gate.resolve();
});

test('200 connections at once', async (t) => {
  const { sp } = await one(t);
  const all = await Promise.all(Array.from({ length: 200 }, () =>
    t.ask(sp, 'POST', path, {}, ask.claude())));
  for (const r of all) assert.equal(r.status, 200);
});
