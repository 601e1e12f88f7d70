/* Upstreams behind TLS (spec 4.6, 9 "HTTP"). */
import fs from 'node:fs';
import { assert, table, test, until } from './lib.mjs';
import { certs } from './certs.mjs';
import { ask, backend, good, plain, stream } from './say.mjs';

const path = '/v1/messages';
const host = 'api.example.test';
const pki = certs();

const secure = (t, handler, options = {}) => t.provider(handler,
  { name: host, ...options, tls: { ...pki.good, ...options.tls } });

const entry = (name, up, more = {}) => backend(name, up,
  { address: '127.0.0.1', ca_file: pki.ca, ...more });

const messages = (t, sp, more = {}) => t.ask(sp, 'POST', path, {},
  ask.claude(more));

/* a: over TLS as told; b: plain and good. */
async function pair(t, handler, options = {}, more = {}) {
  const a = await secure(t, handler, options);
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([entry('alpha', a, options.entry),
    backend('beta', b)], more);
  return { a, b, sp };
}

test('a good certificate: plain, stream, reuse, SNI, ALPN', async (t) => {
  let servername;
  const { a, b, sp } = await pair(t, good('claude', 'good'), { tls: {
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, done) => { servername = name; done(null); } } });
  const r = await messages(t, sp);
  assert.equal(r.headers['x-spillway-backend'], 'alpha', sp.stderr);
  assert.deepEqual(r.json, plain.claude('good'));
  const s = await messages(t, sp, { stream: true });
  assert.equal(s.text, stream.claude(['go', 'od']).join(''));
  assert.equal(servername, host);
  assert.equal(a.connections.length, 1);
  assert.equal(a.requests[0].headers.host, `${host}:${a.port}`);
  assert.equal(b.connections.length, 0);
});

test('the top ca_file, and SSL_CERT_FILE', async (t) => {
  const a = await secure(t, good());
  for (const way of ['top', 'env']) {
    const sp = await t.proxy([entry('alpha', a, { ca_file: undefined })],
      way === 'top' ? { ca_file: pki.ca } : {},
      way === 'env' ? { env: { SSL_CERT_FILE: pki.ca } } : {});
    assert.equal((await messages(t, sp)).status, 200);
    await sp.stop();
  }
});

test('a bundle with CRLF line ends', async (t) => {
  const a = await secure(t, good());
  const file = t.file('crlf.pem', fs.readFileSync(pki.ca, 'utf8')
    .replaceAll('\n', '\r\n'));
  const sp = await t.proxy([entry('alpha', a, { ca_file: file })]);
  assert.equal((await messages(t, sp)).status, 200);
});

test('8 MB each way', async (t) => {
  const text = 'k'.repeat(8 << 20);
  const { a, sp } = await pair(t, (c) => c.answer(200, plain.claude(text)));
  const r = await messages(t, sp, { system: text });
  assert.equal(r.headers['x-spillway-backend'], 'alpha');
  assert.equal(r.json.content[0].text.length, text.length);
  assert.equal(a.requests[0].json.system.length, text.length);
});

table('what cannot be trusted moves on, the reason is in the log', [
  { name: 'expired', tls: pki.expired, want: /expired|validity|time/i },
  { name: 'not yet valid', tls: pki.early, want: /valid|time|expired/i },
  { name: 'another name', tls: pki.name, want: /name/i },
  { name: 'unknown authority', tls: pki.stranger,
    want: /trust|issuer|authority|unknown/i },
  { name: 'TLS 1.3 only', tls: { minVersion: 'TLSv1.3' }, want: /1\.3/ },
  { name: 'no TLS at all', tls: null, want: /TLS/i },
  { name: 'closes within the handshake', options: {
    onConnection: (c) => {
      c.raw.once('data', () => c.raw.end());
      return true;
    },
  }, want: /TLS|handshake/i },
  { name: 'resets within the handshake', options: {
    onConnection: (c) => {
      c.raw.once('data', () => c.raw.resetAndDestroy());
      return true;
    } }, want: /reset|TLS|handshake/i },
  { name: 'stalls within the handshake', options: {
    onConnection: () => true }, more: { timeouts: { connect: 0.5 } },
  want: /time/i },
], async (t, row) => {
  const b = await t.provider(good('claude', 'from b'));
  let a;
  if (row.tls === null) {
    a = await t.provider(good());
    a.url = a.url.replace('http://127.0.0.1', `https://${host}`);
    a.server.on('connection', (s) => s.on('data', () => {}));
  } else {
    a = await t.provider(good(), { name: host, ...row.options,
      tls: { ...pki.good, ...row.tls } });
  }
  if (row.options) a.options.tls = undefined;
  const sp = await t.proxy([entry('alpha', a), backend('beta', b)],
    row.more);
  const r = await messages(t, sp);
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-spillway-backend'], 'beta');
  assert.equal(r.headers['x-spillway-attempts'], '2');
  await until(() => row.want.test(sp.stderr), `${row.want} in the log:\n` +
    sp.stderr, 3000);
  assert.equal(a.requests.length, 0);
  a.faults.length = 0;
});

/* ---- ends ---- */

const text = JSON.stringify(plain.claude('from a'));
const untilClose = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n' +
  'connection: close\r\n\r\n';

test('an end by close with close_notify is good', async (t) => {
  const { sp } = await pair(t, async (c) => {
    await c.write(untilClose + text);
    c.fin();
  });
  assert.equal((await messages(t, sp)).headers['x-spillway-backend'],
    'alpha');
});

test('an end by close without close_notify is cut short', async (t) => {
  const { sp } = await pair(t, async (c) => {
    await c.write(untilClose + text);
    c.cut();
  });
  assert.equal((await messages(t, sp)).headers['x-spillway-backend'],
    'beta');
});

test('a complete length needs no close_notify', async (t) => {
  const { sp } = await pair(t, async (c) => {
    await c.answer(200, text);
    c.cut();
  });
  for (let i = 0; i < 2; i++)
    assert.equal((await messages(t, sp)).headers['x-spillway-backend'],
      'alpha');
});

test('a stream over TLS that is cut ends abnormally', async (t) => {
  const { sp } = await pair(t, async (c) => {
    await c.sse();
    for (const e of stream.claude(['first']).slice(0, 4)) await c.chunk(e);
    c.cut();
  });
  const r = await messages(t, sp, { stream: true });
  assert.match(r.text, /first/);
  assert.match(r.text, /event: error/);
  assert.equal(r.complete, false);
});

test('a stale TLS connection: once more, fresh', async (t) => {
  const { a, b, sp } = await pair(t, (c) => c.nth === 1 && c.conn.n === 0 ?
    c.close() : good()(c));
  for (let i = 0; i < 3; i++)
    assert.equal((await messages(t, sp)).headers['x-spillway-backend'],
      'alpha');
  assert.equal(a.connections.length, 2);
  assert.equal(b.connections.length, 0);
});

test('a client that leaves: its TLS upstream is closed', async (t) => {
  const { a, sp } = await pair(t, () => {});
  const c = t.client(sp);
  c.request('POST', path, {}, ask.claude());
  await until(() => a.requests.length, 'the request');
  c.close();
  await until(() => a.connections[0].closed || a.connections[0].finished,
    'the upstream to be closed');
});

test('40 TLS requests at once', async (t) => {
  const { sp } = await pair(t, good());
  const all = await Promise.all(Array.from({ length: 40 },
    () => messages(t, sp)));
  for (const r of all)
    assert.equal(r.headers['x-spillway-backend'], 'alpha');
});

test('no anchor for an https backend is a fault', async (t) => {
  const a = await secure(t, good());
  const file = t.file('empty.pem', 'nothing here\n');
  const config = await t.config([entry('alpha', a, { ca_file: file })]);
  const p = await t.finish(['-c', t.file('c.json', JSON.stringify(config))]);
  assert.equal(p.code, 1);
  assert.match(p.stderr, /empty\.pem|ca_file/);
});
