/* What an adversary, or bad luck, does to the admin's port and its files. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { assert, binary, freePort, table, test, until } from './lib.mjs';
import { ask, backend, fails, good, stream } from './say.mjs';

/* The binary with its dashboard, and calls to it. */
async function admin(t, backends, more = {}, options = {}) {
  const port = await freePort();
  const sp = await t.proxy(backends, { metrics: { enabled: false }, ...more,
    web_admin: { port, ...more.web_admin } }, options);
  const main = sp.port;
  await sp.listening(port);
  sp.port = main;
  const host = `127.0.0.1:${port}`;
  const call = (method, target, body = undefined, headers = {}) =>
    t.ask(port, method, target, { host, 'content-type': 'application/json',
      ...headers }, body);
  return { sp, port, host, call,
    send: (model = 'claude-sonnet-4-5') => t.ask(sp, 'POST', '/v1/messages',
      {}, ask.claude({ model })),
    async ok(method, target, body) {
      const a = await call(method, target, body);
      assert.equal(a.status, 200, `${method} ${target}: ${a.text}`);
      return a.json;
    },
    get text() { return fs.readFileSync(sp.file, 'utf8'); } };
}

async function two(t, more, options) {
  const up = await t.provider(good());
  const bare = { priority: undefined };
  return admin(t, [backend('a', up, bare), backend('b', up, bare)], more,
    options);
}

const pipe = (name) => {
  execFileSync('mkfifo', [name]);
  return name;
};

/* ---- files that never end ---- */

test('a config that became a pipe makes nobody wait', async (t) => {
  const api = await two(t);
  fs.rmSync(api.sp.file);
  pipe(api.sp.file);
  assert.equal((await api.ok('GET', '/api/config')).config, null);
  assert.equal((await api.call('PUT', '/api/backends/a',
    { weight: 2 })).status, 500);
  assert.equal((await api.call('POST', '/api/reload')).status, 400);
  api.sp.kill('SIGHUP');
  await api.sp.logs('was not taken');
  assert.equal((await api.send()).status, 200);
});

test('nor does a secret, or a certificate, that is a pipe or a device',
  async (t) => {
    const api = await two(t);
    const first = api.text;
    const fifo = pipe(`${t.dir}/fifo`);
    for (const name of [fifo, '/dev/zero'])
      for (const change of [{ token: `@${name}` },
        { base_url: 'https://127.0.0.1:1', ca_file: name }]) {
        const r = await api.call('PUT', '/api/backends/a', change);
        assert.equal(r.status, 400, r.text);
      }
    assert.equal(api.text, first);
    assert.ok(!fs.existsSync(`${api.sp.file}.backup`), 'nothing was saved');
    assert.equal((await api.send()).status, 200);
  });

test('at the start a pipe is a config like any other', async (t) => {
  const up = await t.provider(good());
  const config = await t.config([backend('a', up)]);
  const fifo = pipe(`${t.dir}/fifo`);
  const sp = t.run(['-c', fifo]);
  fs.writeFileSync(fifo, JSON.stringify(config));
  await sp.listening(config.port);
  assert.equal((await t.ask(sp, 'POST', '/v1/messages', {},
    ask.claude())).status, 200);
});

/* ---- secrets ---- */

test('a file that is not valid is not shown', async (t) => {
  const api = await two(t);
  const before = api.text;
  const token = '"token": "tok-a-0123456789abcdef"';
  for (const [from, to] of [[token, '"tokn": "new-0123456789abcdef"'],
    [token, '"token": { "x": "new-0123456789abcdef" }'],
    ['"port"', '"access_keys": ["new-0123456789abcdef"], "port"']]) {
    assert.ok(before.includes(from));
    fs.writeFileSync(api.sp.file, before.replace(from, to));
    const r = await api.call('GET', '/api/config');
    assert.doesNotMatch(r.text, /0123456789abcdef/, to);
    assert.equal(r.json.config, null);
  }
});

test('a test shows no secret in any spelling', async (t) => {
  const odd = 'odd/"quote\\and+slash=';
  const hush = 'hush-hush-0123456789';
  const said = [`it is ${odd}.`, `it is ${encodeURIComponent(odd)}.`,
    `it is ${hush}.`];
  const up = await t.provider((c) => c.answer(401, { error: { message:
    said[c.conn.up.requests.length - 1] } }));
  const api = await two(t);
  for (let i = 0; i < said.length; i++) {
    const r = await api.ok('POST', '/api/test', backend('new', up,
      { token: odd, headers: { 'x-secret': hush } }));
    assert.equal(r.status, 401);
    assert.match(r.message, /^status 401: it is .*\.$/);
    for (const form of [odd, encodeURIComponent(odd), hush])
      assert.ok(!r.message.includes(form), r.message);
  }
});

test('a new token ends the events of the old one', async (t) => {
  const api = await two(t, { web_admin: { token: 'first-token-123' } });
  const c = t.client(api.port);
  c.request('GET', '/api/events', { host: api.host,
    authorization: 'Bearer first-token-123' });
  await c.sees('event: backends');
  fs.writeFileSync(api.sp.file, api.text.replace('first', 'second'));
  api.sp.kill('SIGHUP');
  await c.end();
});

test('many tokens, one after the other: each is masked', async (t) => {
  const api = await two(t, { logging: { level: 'error' } });
  for (let i = 0; i < 30; i++) {
    const headers = {};
    for (let k = 0; k < 100; k++) headers[`x-key-${k}`] = `secret-${i}-${k}`;
    await api.ok('PUT', '/api/backends/a', { headers });
  }
  const last = 'the-last-of-the-tokens';
  await api.ok('PUT', '/api/backends/a', { token: last });
  await t.ask(api.sp, 'POST', `/v1/messages/${last}`, {
    'x-request-id': last }, ask.claude());
  const r = await api.call('GET', '/api/requests');
  assert.equal(r.json.requests.length, 1);
  assert.ok(!r.text.includes(last), r.text);
});

/* ---- load ---- */

test('a thousand backends are changed in no time', async (t) => {
  const up = await t.provider(good());
  const names = Array.from({ length: 1000 }, (_, i) => `b${i}`);
  const api = await admin(t, names.map((n) => backend(n, up,
    { priority: undefined })), { logging: { level: 'error' } });
  names.reverse();
  const { backends } = await api.ok('PUT', '/api/backends/order', { names });
  assert.deepEqual(backends.map((b) => b.name), names);
  await api.ok('PUT', '/api/backends/b999', { name: 'z', weight: 2 });
  const gone = await api.ok('DELETE', '/api/backends/z');
  assert.equal(gone.position, 0);
  await api.ok('POST', '/api/undo', { undo: gone.undo });
  assert.match((await api.send()).text, /good/);
});

test('who holds all connections keeps nobody out', async (t) => {
  const api = await two(t);
  const held = [];
  for (let i = 0; i < 200; i++) {
    const s = net.connect(api.port, '127.0.0.1');
    s.on('error', () => {});
    s.pause();
    if (i % 2) s.write(`GET /api/status HTTP/1.1\r\nhost: ${api.host}\r\n`);
    held.push(s);
  }
  await until(() => held.every((s) => !s.connecting), 'connections');
  for (let i = 0; i < 5; i++) await api.ok('GET', '/api/status');
  assert.equal((await api.send()).status, 200);
  for (const s of held) s.destroy();
});

test('searches wait for one another, and who leaves is forgotten',
  async (t) => {
    const kept = { logging: { log_directory: 'rec' } };
    const first = await two(t, kept);
    await first.send();
    await first.sp.stop();
    const [name] = fs.readdirSync(`${t.dir}/rec`);
    const line = fs.readFileSync(`${t.dir}/rec/${name}`, 'utf8');
    const lines = [];
    for (let n = 2; n < 12000; n++)
      lines.push(line.replace(/"number":\d+/, `"number":${n}`)
        .replace(/req_[0-9a-f]+/, `req_old${n}`));
    fs.writeFileSync(`${t.dir}/rec/${name}`, lines.join(''));
    const api = await two(t, kept);
    const find = (text) => api.call('GET', `/api/requests?text=${text}`);
    const left = Array.from({ length: 4 }, () => {
      const c = t.client(api.port);
      c.request('GET', '/api/requests?text=nobody', { host: api.host });
      return c;
    });
    const all = Array.from({ length: 6 }, (_, i) =>
      find(`req_old${11000 + i}`));
    for (const c of left) c.close();
    for (const [i, a] of (await Promise.all(all)).entries()) {
      assert.equal(a.status, 200);
      assert.deepEqual(a.json.requests.map((r) => r.number), [11000 + i]);
      assert.equal(a.json.more, false);
    }
    const page = (await find('req_old')).json;
    assert.equal(page.requests.length, 50);
    assert.equal(page.requests[0].number, 11999);
    assert.equal(page.more, true);
    const one = await api.ok('GET', '/api/requests/req_old11500');
    assert.equal(one.record.length, 1);
    assert.equal(one.recorded, true);
    assert.equal((await api.call('GET', '/api/requests/req_none')).status,
      404);
    const many = await Promise.all(Array.from({ length: 40 }, () =>
      find('nobody')));
    assert.ok(many.every((a) => a.status === 200 || a.status === 503));
    assert.ok(many.some((a) => a.status === 503));
    assert.ok(many.filter((a) => a.status === 200).length >= 16);
  });

/* ---- figures ---- */

test('figures add up', async (t) => {
  const up = await t.provider(good());
  const bad = await t.provider(fails(529));
  const four = await t.provider(fails(400));
  const cut = await t.provider(async (c) => {
    await c.sse();
    for (const e of stream.claude().slice(0, 4)) await c.chunk(e);
    c.reset();
  });
  const port = await freePort();
  const key = { 'x-api-key': 'key-0123456789' };
  const api = await admin(t, [
    backend('bad', bad, { models: ['m-bad'] }),
    backend('up', up, { models: ['m-good', 'm-bad'] }),
    backend('four', four, { models: ['m-four'] }),
    backend('cut', cut, { models: ['m-cut'] }),
  ], { metrics: { enabled: true, port }, limits: { max_body_megabytes: 1 },
    failover: { circuit_breaker: { failure_threshold: 1000 } },
    access_keys: [{ name: 'k', key: key['x-api-key'] },
      { name: 'few', key: 'few-0123456789', requests_per_minute: 2 }] });
  const got = {};
  const note = (status) => { got[status] = (got[status] ?? 0) + 1; };
  const go = async (model, more = {}, headers = key) => note((await t.ask(
    api.sp, 'POST', '/v1/messages', headers,
    typeof model === 'string' ? ask.claude({ model, ...more }) :
      model)).status);
  for (let i = 0; i < 3; i++)
    for (const m of ['m-good', 'm-bad', 'm-four', 'm-none'])
      for (const more of [{}, { stream: true }]) await go(m, more);
  await go('m-cut', { stream: true });
  for (let i = 0; i < 4; i++)
    await go('m-good', {}, { 'x-api-key': 'few-0123456789' });
  await go('m-good', {}, { 'x-api-key': 'wrong' });
  await go('m-good', {}, {});
  await go('m-good', {}, { ...key, origin: 'http://evil.example' });
  await go(Buffer.from('{bad'));
  await go(Buffer.alloc(2 << 20, 'x'));
  for (const line of ['GET / HTTP/9.9', 'GE T / HTTP/1.1']) {
    const c = t.client(api.sp);
    c.reader.heads.push('GET');
    c.send(`${line}\r\n\r\n`);
    note((await c.answer()).status);
  }
  for (const target of ['/', '/health'])
    await t.ask(api.sp, 'GET', target);
  await t.ask(api.sp, 'HEAD', '/');
  const { text } = await t.ask(port, 'GET', '/metrics', { host: 'x' });
  const rows = [...text.matchAll(
    /^http_requests_total\{.*status="(\d+)"\} (\d+)$/gm)];
  const said = {};
  for (const [, status, n] of rows)
    said[status] = (said[status] ?? 0) + Number(n);
  assert.deepEqual(said, got);
  const sum = Object.values(got).reduce((x, y) => x + y);
  const is = (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm')
    .exec(text)[1]);
  assert.equal(is('http_request_duration_seconds_count'), sum);
  const { totals } = await api.ok('GET', '/api/status');
  assert.equal(totals.requests, sum);
  assert.equal(totals.good + totals.failed + totals.returned +
    totals.broken + totals.left, sum);
  assert.equal(totals.broken, 1);
  assert.equal(totals.refused, 2);
  const tries = (name) => [...text.matchAll(new RegExp(
    `^spillway_attempts_total\\{backend="${name}",.* (\\d+)$`, 'gm'))]
    .reduce((x, m) => x + Number(m[1]), 0);
  for (const [name, p] of Object.entries({ up, bad, four, cut }))
    assert.equal(tries(name), p.requests.length, name);
  const whole = said[200] - 1;
  assert.equal(totals.output, whole * 2 + 1);
  assert.equal(is('tokens_total'), totals.input + totals.output);
  assert.equal(totals.input, whole * 3 + 3);
});

/* ---- the end in the middle of it ---- */

table('killed while it saves, it leaves a whole file', [
  { name: 'a file', link: false }, { name: 'a link', link: true },
], async (t, { link }) => {
  const up = await t.provider(good());
  const config = await t.config([backend('a', up), backend('b', up)],
    { web_admin: { port: await freePort() }, logging: { level: 'error' } });
  const text = `// kept\n${JSON.stringify(config, null, 2)}`;
  const real = t.file('real/config.json', text);
  const file = link ? `${t.dir}/link.json` : real;
  if (link) fs.symlinkSync('real/config.json', file);
  for (let i = 0; i < 12; i++) {
    const sp = t.run(['-c', file]);
    await sp.listening(config.port);
    await sp.listening(config.web_admin.port);
    let n = 0;
    for (let k = 0; k < 4; k++) {
      const c = t.client(config.web_admin.port);
      const again = () => {
        const body = JSON.stringify({ weight: 1 + n++ % 900 });
        c.socket.write('PUT /api/backends/a HTTP/1.1\r\nhost: 127.0.0.1' +
          '\r\ncontent-type: application/json\r\n' +
          `content-length: ${body.length}\r\n\r\n${body}`);
      };
      c.socket.on('data', again);
      again();
    }
    await until(() => n > 5 + 7 * i, 'changes');
    sp.kill('SIGKILL');
    await sp.exited;
    sp.judged = true;
    const now = fs.readFileSync(real, 'utf8');
    assert.ok(now.startsWith('// kept\n{') && now.endsWith('}'), now);
    assert.equal(JSON.parse(now.slice(8)).backends.length, 2);
    assert.equal(fs.statSync(real).mode & 0o777, 0o600);
  }
  assert.equal(fs.lstatSync(file).isSymbolicLink(), link);
  execFileSync(binary, ['-t', '-c', file]);
  /* What a crash left beside it is in nobody's way. */
  const sp = t.run(['-c', file]);
  await sp.listening(config.port);
  await sp.listening(config.web_admin.port);
  const r = await t.ask(config.web_admin.port, 'PUT', '/api/backends/a',
    { host: '127.0.0.1', 'content-type': 'application/json' },
    { weight: 901 });
  assert.equal(r.status, 200, r.text);
});
