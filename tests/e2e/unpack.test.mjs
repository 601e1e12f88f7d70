/* Answers that are compressed although nobody asked for it (spec 4.5). */
import zlib from 'node:zlib';
import { assert, table, test } from './lib.mjs';
import { ask, backend, good, plain, stream } from './say.mjs';

const path = '/v1/messages';
const json = JSON.stringify(plain.claude('from a'));
const pack = {
  gzip: zlib.gzipSync, 'x-gzip': zlib.gzipSync, deflate: zlib.deflateSync,
  'deflate, raw': zlib.deflateRawSync,
};

async function pair(t, handler) {
  const a = await t.provider(handler);
  const b = await t.provider(good('claude', 'from b'));
  const sp = await t.proxy([backend('a', a), backend('b', b)], {});
  return { a, b, sp };
}

const says = (status, body, coding, type = 'application/json') => (c) =>
  c.answer(status, body, { 'content-type': type,
    'content-encoding': coding });

table('V21 a packed plain answer arrives unpacked', Object.keys(pack),
  async (t, kind) => {
    const { sp } = await pair(t, says(200, pack[kind](json),
      kind.split(',')[0]));
    const r = await t.ask(sp, 'POST', path, {}, ask.claude());
    assert.equal(r.status, 200);
    assert.equal(r.headers['content-encoding'], undefined);
    assert.equal(r.text, json);
    assert.equal(r.headers['x-spillway-backend'], 'a');
    await sp.logs(/3 in 2 out/);
  });

test('a packed stream arrives unpacked, and its usage is read', async (t) => {
  const text = stream.claude().join('');
  const { sp } = await pair(t, says(200, zlib.gzipSync(text), 'gzip',
    'text/event-stream'));
  const r = await t.ask(sp, 'POST', path, {}, ask.claude({ stream: true }));
  assert.equal(r.text, text);
  assert.equal(r.headers['content-encoding'], undefined);
});

table('a packed answer that is no good moves on', [
  { name: 'cut short', body: zlib.gzipSync(json).subarray(0, 60) },
  { name: 'a wrong checksum', body: ((b) => {
    b[b.length - 6] ^= 1;
    return b;
  })(zlib.gzipSync(json)) },
  { name: 'not gzip', body: Buffer.from(json) },
  { name: 'HTML', body: zlib.gzipSync('<html>hello</html>') },
  { name: 'an error object', body: zlib.gzipSync(JSON.stringify({
    type: 'error', error: { type: 'overloaded_error', message: 'x' } })) },
  { name: 'a bomb', body: zlib.gzipSync(Buffer.alloc(64 << 20)) },
], async (t, row) => {
  const { sp } = await pair(t, says(200, row.body, 'gzip'));
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-spillway-backend'], 'b');
});

test('a packed error is read: its text is a rate limit', async (t) => {
  const { sp } = await pair(t, says(400, zlib.gzipSync(JSON.stringify({
    type: 'error', error: { type: 'x', message: 'Rate Limit reached' } })),
  'gzip'));
  const r = await t.ask(sp, 'POST', path, {}, ask.claude());
  assert.equal(r.headers['x-spillway-backend'], 'b');
  await sp.logs(/rate limit by its text: Rate Limit reached/);
});

test('what is not read passes packed', async (t) => {
  const body = zlib.gzipSync('{"data":[]}');
  const { sp } = await pair(t, says(200, body, 'gzip'));
  const r = await t.ask(sp, 'GET', '/v1/files', {
    'anthropic-version': '2023-06-01' });
  assert.equal(r.headers['content-encoding'], 'gzip');
  assert.deepEqual(r.body, body);
});
