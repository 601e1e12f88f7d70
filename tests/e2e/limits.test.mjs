/* 429, cool-down, and what a client gets when none is left
 * (spec 4.6, 4.9, 9 "Judgement"). */
import { assert, freePort, table, test, until } from './lib.mjs';
import { ask, backend, calls, errorBody, fails, good } from './say.mjs';

const path = '/v1/messages';
const messages = (t, sp) => t.ask(sp, 'POST', path, {}, ask.claude());
const limited = (headers = {}, body = errorBody.claude('rate_limit_error',
  'slow down')) => fails(429, body, headers);
const iso = (s) => new Date(Date.now() + s * 1000).toISOString();
const cooldown = (cooldown_seconds, max) => ({ failover: { rate_limit: {
  cooldown_seconds, ...max && { max_cooldown_seconds: max } } } });

function dates(s) {
  const d = new Date(Date.now() + s * 1000);
  const [day, dd, mon, yyyy, time] = d.toUTCString().replace(',', '')
    .split(' ');
  const long = { Sun: 'Sunday', Mon: 'Monday', Tue: 'Tuesday',
    Wed: 'Wednesday', Thu: 'Thursday', Fri: 'Friday', Sat: 'Saturday' };
  return {
    imf: d.toUTCString(),
    rfc850: `${long[day]}, ${dd}-${mon}-${yyyy.slice(2)} ${time} GMT`,
    asctime: `${day} ${mon} ${String(Number(dd)).padStart(2)} ${time} ${yyyy}`,
  };
}

/* One limited backend: the client's retry-after tells its cool-down. */
table('C13 how long a 429 keeps a backend away', [
  { name: 'seconds', h: () => ({ 'retry-after': '7' }), want: 7 },
  { name: 'milliseconds', h: () => ({ 'retry-after-ms': '2500' }), want: 3 },
  { name: 'milliseconds win', h: () => ({ 'retry-after-ms': '2500',
    'retry-after': '20' }), want: 3 },
  { name: 'IMF date', h: () => ({ 'retry-after': dates(30).imf }), want: 30 },
  { name: 'RFC 850 date', h: () => ({ 'retry-after': dates(30).rfc850 }),
    want: 30 },
  { name: 'asctime date', h: () => ({ 'retry-after': dates(30).asctime }),
    want: 30 },
  { name: 'none', h: () => ({}), want: 44 },
  { name: 'zero', h: () => ({ 'retry-after': '0' }), want: 44 },
  { name: 'negative', h: () => ({ 'retry-after': '-5' }), want: 44 },
  { name: 'garbage', h: () => ({ 'retry-after': 'soon' }), want: 44 },
  { name: 'empty', h: () => ({ 'retry-after': '' }), want: 44 },
  { name: 'huge, capped', h: () => ({ 'retry-after': '99999999' }),
    want: 600 },
  { name: 'beyond 64 bits', h: () => ({
    'retry-after': '99999999999999999999999' }), want: [44, 600] },
  { name: 'Anthropic, unified', h: () => ({
    'anthropic-ratelimit-unified-reset':
      String(Math.floor(Date.now() / 1000) + 50) }), want: 50 },
  { name: 'Anthropic, the exhausted one', h: () => ({
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': iso(25),
    'anthropic-ratelimit-tokens-remaining': '900',
    'anthropic-ratelimit-tokens-reset': iso(90) }), want: 25 },
  { name: 'OpenAI', api: 'openai', h: () => ({
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1m2.5s' }), want: 63 },
  { name: 'OpenAI, the latest of the exhausted', api: 'openai', h: () => ({
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '20ms',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '31s' }), want: 31 },
  { name: 'Gemini', api: 'gemini', h: () => ({}), want: 12, body: { error: {
    code: 429, status: 'RESOURCE_EXHAUSTED', message: 'quota', details: [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo',
        retryDelay: '12s' }] } } },
], async (t, row) => {
  const api = row.api ?? 'claude';
  const a = await t.provider(limited(row.h(), row.body ??
    errorBody[api]('rate_limit_error', 'slow')));
  const sp = await t.proxy([backend('a', a, { api_type: api })],
    cooldown(44, 600));
  const r = await t.ask(sp, 'POST', calls[api].path, {}, calls[api].body);
  assert.equal(r.status, 429);
  const got = Number(r.headers['retry-after']);
  const wants = [row.want].flat();
  assert.ok(wants.some((w) => got <= w && got >= w - 4),
    `retry-after ${got}, not ${wants}`);
});

test('C11 in cool-down a backend is asked last', async (t) => {
  const a = await t.provider((c) => c.n === 0 ?
    limited({ 'retry-after': '300' })(c) : good()(c));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  for (const attempts of ['2', '1', '1']) {
    const r = await messages(t, sp);
    assert.equal(r.headers['x-spillway-backend'], 'b');
    assert.equal(r.headers['x-spillway-attempts'], attempts);
  }
  assert.equal(a.requests.length, 1);
});

test('C12 all in cool-down: still tried, in order', async (t) => {
  const seen = [];
  const a = await t.provider((c) => {
    seen.push('a');
    return limited({ 'retry-after': '300' })(c);
  });
  const b = await t.provider((c) => {
    seen.push('b');
    return limited({ 'retry-after': '200' })(c);
  });
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  await messages(t, sp);
  await messages(t, sp);
  assert.deepEqual(seen, ['a', 'b', 'a', 'b']);
});

test('C13 after Retry-After it is first again', async (t) => {
  const a = await t.provider((c) => c.n === 0 ?
    limited({ 'retry-after-ms': '400' })(c) : good()(c));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)],
    cooldown(3600));
  await messages(t, sp);
  await until(async () => (await messages(t, sp))
    .headers['x-spillway-backend'] === 'a', 'the first backend');
});

test('a success ends the cool-down', async (t) => {
  const a = await t.provider((c) => c.n === 0 ?
    limited({ 'retry-after': '300' })(c) : good()(c));
  const b = await t.provider((c) => c.n === 1 ? fails(500)(c) : good()(c));
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  const order = [];
  for (let i = 0; i < 3; i++)
    order.push((await messages(t, sp)).headers['x-spillway-backend']);
  assert.deepEqual(order, ['b', 'a', 'a']);
});

test('429 never opens the breaker', async (t) => {
  const a = await t.provider(limited({ 'retry-after-ms': '1' }));
  const sp = await t.proxy([backend('a', a)], { failover: {
    circuit_breaker: { failure_threshold: 1, open_timeout_seconds: 60 } } });
  for (let i = 0; i < 3; i++) await messages(t, sp);
  assert.equal(a.requests.length, 3);
});

test('retry_text in an error of any status is a rate limit', async (t) => {
  const a = await t.provider(fails(400, errorBody.claude('invalid', 'Your ' +
    'RATE LIMIT is used up')));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  const r = await messages(t, sp);
  assert.equal(r.headers['x-spillway-backend'], 'b');
  assert.equal((await messages(t, sp)).headers['x-spillway-attempts'], '1');
});

test('stop_text returns at once', async (t) => {
  const a = await t.provider(fails(500, errorBody.claude('api_error',
    'this is Sensitive content')));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)],
    { failover: { stop_text: ['sensitive'] } });
  const r = await messages(t, sp);
  assert.equal(r.headers['x-spillway-backend'], 'a');
  assert.equal(b.connections.length, 0);
});

/* ---- none left ---- */

function shape(api, r, status) {
  assert.equal(r.status, status);
  assert.match(r.headers['content-type'], /^application\/json/);
  const e = r.json.error;
  assert.equal(typeof e.message, 'string');
  assert.ok(e.message.length > 3);
  const word = {
    claude: { 429: 'rate_limit_error', 502: 'api_error',
      503: 'overloaded_error' },
    gemini: { 429: 'RESOURCE_EXHAUSTED', 503: 'UNAVAILABLE' },
  }[api]?.[status];
  if (api === 'claude') {
    assert.equal(r.json.type, 'error');
    assert.equal(e.type, word);
  } else if (api === 'openai') {
    assert.equal(typeof e.type, 'string');
  } else {
    assert.equal(e.code, status);
    assert.equal(typeof e.status, 'string');
    if (word) assert.equal(e.status, word);
  }
  assert.doesNotMatch(r.text, /http:\/\/|127\.0\.0\.1|tok-|Bearer/);
}

for (const [api, call] of Object.entries(calls)) {
  const send = (t, sp) => t.ask(sp, 'POST', call.path, {}, call.body);
  const two = async (t, one, more) => {
    const a = await t.provider(one);
    const b = await t.provider(one);
    return t.proxy([backend('a', a, { api_type: api }),
      backend('b', b, { api_type: api })], more);
  };

  test(`${api}: C23 all failed: 502 that names the last cause`,
    async (t) => {
      const sp = await two(t, fails(529, errorBody[api]()));
      const r = await send(t, sp);
      shape(api, r, 502);
      assert.match(r.text, /529/);
      assert.equal(r.headers['x-spillway-attempts'], '2');
    });

  test(`${api}: all limited: 429 with the soonest retry-after`,
    async (t) => {
      const a = await t.provider(limited({ 'retry-after': '300' },
        errorBody[api]()));
      const b = await t.provider(limited({ 'retry-after': '20' },
        errorBody[api]()));
      const sp = await t.proxy([backend('a', a, { api_type: api }),
        backend('b', b, { api_type: api })]);
      const r = await send(t, sp);
      shape(api, r, 429);
      const s = Number(r.headers['retry-after']);
      assert.ok(s > 15 && s <= 20, `retry-after ${s}`);
    });

  test(`${api}: all down: 503 with retry-after`, async (t) => {
    const sp = await two(t, fails(500, errorBody[api]()), { failover: {
      circuit_breaker: { failure_threshold: 1, open_timeout_seconds: 50 } } });
    shape(api, await send(t, sp), 502);
    const r = await send(t, sp);
    shape(api, r, 503);
    const s = Number(r.headers['retry-after']);
    assert.ok(s > 40 && s <= 50, `retry-after ${s}`);
    assert.equal(r.headers['x-spillway-attempts'], '0');
  });

  test(`${api}: refused connections: 502 without the address`,
    async (t) => {
      const sp = await t.proxy([backend('a',
        `http://127.0.0.1:${await freePort()}`, { api_type: api })]);
      shape(api, await send(t, sp), 502);
    });
}

test('all that could serve it are disabled: 503', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a, { enabled: false }),
    backend('b', a, { api_type: 'openai' })]);
  const r = await messages(t, sp);
  shape('claude', r, 503);
  assert.ok(Number(r.headers['retry-after']) > 0);
});

test('one failed, one limited: 502', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider(limited());
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  shape('claude', await messages(t, sp), 502);
});

test('a none-left answer leaves the connection usable', async (t) => {
  const a = await t.provider((c) => c.n === 0 ? fails(500)(c) : good()(c));
  const sp = await t.proxy([backend('a', a)]);
  const c = t.client(sp);
  assert.equal((await c.request('POST', path, {}, ask.claude()).answer())
    .status, 502);
  assert.equal((await c.request('POST', path, {}, ask.claude()).answer())
    .status, 200);
});
