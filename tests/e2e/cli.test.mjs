/* Options, faults of a config, signals, the log (spec 2, 3, 7). */
import fs from 'node:fs';
import net from 'node:net';
import { assert, deferred, freePort, table, test, until } from './lib.mjs';
import { ask, backend, fails, good, stream } from './say.mjs';

const path = '/v1/messages';
const streaming = ask.claude({ stream: true });
const messages = (t, sp, headers = {}) =>
  t.ask(sp, 'POST', path, headers, ask.claude());

/* ---- options ---- */

table('help and version', [
  ['-h', /-c/], ['--help', /--config/], ['-help', /--config/],
  ['-V', /\d+\.\d+/], ['--version', /\d+\.\d+/], ['-version', /\d+\.\d+/],
], async (t, [flag, want]) => {
  const p = await t.finish([flag]);
  assert.equal(p.code, 0);
  assert.match(p.stdout, want);
  assert.ok(p.stdout.split('\n').length <= 25, 'more than one screen');
  assert.equal(p.stderr, '');
});

table('wrong options: one line, exit 2', [
  [['--nonsense']], [['-z']], [['-p']], [['-p', 'abc']], [['-p', '70000']],
  [['-p', '-1']], [['--port', '12x']], [['stray']], [['--admin-port']],
  [['--admin-port', '0']], [['-admin-port', '65536']], [['--admin-port=x']],
], async (t, [args]) => {
  const p = await t.finish(args);
  assert.equal(p.code, 2);
  assert.equal(p.stderr.trimEnd().split('\n').length, 1);
});

for (const flag of ['-c', '--config', '-config'])
  test(`C1 the config file by ${flag}`, async (t) => {
    const a = await t.provider(good());
    const config = await t.config([backend('a', a)]);
    const file = t.file('other.json', JSON.stringify(config));
    const sp = await t.run([flag, file]).listening(config.port);
    assert.equal((await messages(t, sp)).status, 200);
  });

test('C1 without an option: ./config.json', async (t) => {
  const a = await t.provider(good());
  const config = await t.config([backend('a', a)]);
  t.file('config.json', JSON.stringify(config));
  const sp = await t.run([]).listening(config.port);
  assert.equal((await messages(t, sp)).status, 200);
});

test('SPILLWAY_CONFIG wins over ./config.json', async (t) => {
  const a = await t.provider(good());
  const config = await t.config([backend('a', a)]);
  t.file('config.json', '{');
  const file = t.file('env.json', JSON.stringify(config));
  const sp = await t.run([], { env: { SPILLWAY_CONFIG: file } })
    .listening(config.port);
  assert.equal((await messages(t, sp)).status, 200);
});

test('~/.config/spillway/config.json', async (t) => {
  const a = await t.provider(good());
  const config = await t.config([backend('a', a)]);
  t.file('home/.config/spillway/config.json', JSON.stringify(config));
  const sp = await t.run([], { env: { HOME: `${t.dir}/home` } })
    .listening(config.port);
  assert.equal((await messages(t, sp)).status, 200);
});

test('no config anywhere: a template is written, exit 1', async (t) => {
  const home = `${t.dir}/home`;
  fs.mkdirSync(home);
  const p = await t.finish([], { env: { HOME: home } });
  assert.equal(p.code, 1);
  const file = `${home}/.config/spillway/config.json`;
  assert.ok(p.stderr.includes('.config/spillway/config.json'));
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.match(fs.readFileSync(file, 'utf8'), /\/\/|\/\*/);
  /* It is not overwritten by the next start. */
  fs.appendFileSync(file, '\n// mine\n');
  await t.finish([], { env: { HOME: home } });
  assert.match(fs.readFileSync(file, 'utf8'), /\/\/ mine/);
});

test('--port, PROXY_PORT and the file, in that order', async (t) => {
  const a = await t.provider(good());
  const config = await t.config([backend('a', a)]);
  const byFlag = await freePort();
  const byEnv = await freePort();
  let sp = await t.start(config, { args: ['-p', String(byFlag)],
    env: { PROXY_PORT: String(byEnv) }, port: byFlag });
  assert.equal((await messages(t, sp)).status, 200);
  await sp.stop();
  sp = await t.start(config, { env: { PROXY_PORT: String(byEnv) },
    port: byEnv });
  assert.equal((await messages(t, sp)).status, 200);
});

test('a busy port is fatal, and named', async (t) => {
  const a = await t.provider(good());
  const s = net.createServer().listen(0, '127.0.0.1');
  await until(() => s.listening, 'the port');
  t.later.push(() => s.close());
  const config = await t.config([backend('a', a)]);
  config.port = s.address().port;
  const file = t.file('c.json', JSON.stringify(config));
  const p = await t.finish(['-c', file]);
  assert.equal(p.code, 1);
  assert.match(p.stderr, new RegExp(`${config.port}`));
});

test('C31 the start tells backends and settings, no token', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('first', a),
    backend('second', a, { enabled: false })]);
  await sp.logs('first');
  await sp.logs('second');
  await sp.logs(String(sp.port));
  assert.doesNotMatch(sp.stderr, /tok-first-0123456789abcdef/);
});

/* ---- faults of a config ---- */

const min = '{"port":1,"backends":[{"name":"a","base_url":"http://x",' +
  '"token":"t"}]';
table('C2 a bad config: a line for each fault, exit 1', [
  { name: 'not there', file: null, want: [/nothing\.json/] },
  { name: 'empty', text: '', want: [/:1/] },
  { name: 'not JSON', text: '{\n"port": 1,\n oops }', want: [/:3\b/] },
  { name: 'not closed', text: '{"backends": [', want: [/:1/] },
  { name: 'no backends', text: '{}', want: [/backends/] },
  { name: 'empty backends', text: '{"backends": []}', want: [/backends/] },
  { name: 'unknown key', text: `${min},\n"portt": 3}`,
    want: [/:2\b.*portt/, /"?port"?/] },
  { name: 'unknown key of a backend', text: '{"backends":[{"name":"a",' +
    '"base_url":"http://x","token":"t",\n"prioriti":1}]}',
  want: [/:2\b.*prioriti/, /priority/] },
  { name: 'wrong type', text: `${min},\n"drain_seconds": "ten"}`,
    want: [/:2\b.*drain_seconds/] },
  { name: 'negative', text: `${min},\n"timeouts": {"idle": -1}}`,
    want: [/:2\b.*timeouts\.idle/] },
  { name: 'port out of range', text: '{\n"port": 70000,"backends":' +
    '[{"name":"a","base_url":"http://x","token":"t"}]}',
  want: [/:2\b.*port/] },
  { name: 'duplicate key', text: `${min},\n"port": 2}`, want: [/port/] },
  { name: 'duplicate name', text: '{"backends":[' +
    '{"name":"a","base_url":"http://x","token":"t"},\n' +
    '{"name":"a","base_url":"http://y","token":"t"}]}',
  want: [/:2\b.*name/] },
  { name: 'no base_url', text: '{"backends":[{"name":"a","token":"t"}]}',
    want: [/base_url/] },
  { name: 'bad scheme', text: '{"backends":[{"name":"a","base_url":' +
    '"ftp://x","token":"t"}]}', want: [/base_url/] },
  { name: 'bad api_type', text: '{"backends":[{"name":"a","base_url":' +
    '"http://x","token":"t","api_type":"clod"}]}',
  want: [/api_type.*claude/] },
  { name: 'unset variable', text: '{"backends":[{"name":"a","base_url":' +
    '"http://x","token":"${NOT_SET_ANYWHERE}"}]}',
  want: [/NOT_SET_ANYWHERE/] },
  { name: 'missing secret file', text: '{"backends":[{"name":"a",' +
    '"base_url":"http://x","token":"@/nowhere/at/all"}]}',
  want: [/\/nowhere\/at\/all/] },
  { name: 'three faults', text: '{\n"portt": 1,\n"drain_seconds": -2,\n' +
    '"backends":[{"name":"a","base_url":"x:","token":"t"}]}',
  want: [/:2\b.*portt/, /:3\b.*drain_seconds/, /:4\b.*base_url/] },
  { name: 'open to all without keys', text: `{"host":"0.0.0.0",${
    min.slice(1)}}`, want: [/host|access_keys|open/] },
  { name: 'a dashboard for all without a token',
    text: `${min},\n"web_admin":{"host":"0.0.0.0"}}`,
    want: [/:2\b.*web_admin\.host.*web_admin\.token/] },
  { name: 'a short token', text: `${min},\n"web_admin":{"token":"7chars!"}}`,
    want: [/:2\b.*web_admin\.token.*8/] },
  { name: 'a name that is none',
    text: `${min},\n"web_admin":{"hosts":["http://x"]}}`,
    want: [/:2\b.*web_admin\.hosts.*http:\/\/x/] },
  { name: 'one port for two', text: `${min},\n"metrics":{"port":1}}`,
    want: [/:2\b.*metrics\.port/] },
], async (t, row) => {
  const file = row.file === null ? `${t.dir}/nothing.json` :
    t.file('c.json', row.text);
  for (const args of [['-c', file], ['-t', '-c', file]]) {
    const p = await t.finish(args);
    assert.equal(p.code, 1, p.stderr);
    const all = p.stderr + p.stdout;
    for (const w of row.want) assert.match(all, w);
    assert.ok(all.includes(file));
    if (row.name === 'three faults')
      assert.ok(p.stderr.trimEnd().split('\n').length >= 3);
  }
});

test('-t of a good config: what will happen, exit 0, no secret',
  async (t) => {
    const config = await t.config([
      backend('first', 'https://api.example.test'),
      backend('second', 'http://127.0.0.1:9', { enabled: false })]);
    const p = await t.finish(['-t', '-c',
      t.file('c.json', JSON.stringify(config))]);
    assert.equal(p.code, 0, p.stderr);
    assert.match(p.stdout, /first/);
    assert.match(p.stdout, /second/);
    assert.doesNotMatch(p.stdout + p.stderr, /tok-first-0123456789abcdef/);
  });

table('-t tells where the dashboard and the metrics are', [
  { name: 'by default',
    want: ['http://127.0.0.1:8081/', 'http://127.0.0.1:9090/metrics'] },
  { name: 'by the file', more: { web_admin: { port: 4001 },
    metrics: { host: '::1', port: 4002 } },
  want: ['http://127.0.0.1:4001/', 'http://[::1]:4002/metrics'] },
  { name: 'by flag and variable', more: { web_admin: { port: 4001 },
    metrics: { port: 4002 } }, args: ['--admin-port', '4003'],
  env: { METRICS_PORT: '4004' },
  want: ['http://127.0.0.1:4003/', 'http://127.0.0.1:4004/metrics'] },
  { name: 'with a token', more: { web_admin: { host: '0.0.0.0',
    token: 'admin-0123456789', hosts: ['box.example'] } },
  want: ['http://0.0.0.0:8081/, with its token', 'box.example'] },
  { name: 'off', more: { web_admin: { enabled: false },
    metrics: { enabled: false } },
  want: ['dashboard: off', 'metrics: off'] },
], async (t, row) => {
  const file = t.file('c.json', JSON.stringify({
    backends: [backend('a', 'http://127.0.0.1:9')], ...row.more }));
  const p = await t.finish(['-t', '-c', file, ...row.args ?? []],
    { env: row.env ?? {} });
  assert.equal(p.code, 0, p.stderr);
  for (const w of row.want) assert.ok(p.stdout.includes(w), p.stdout);
  assert.doesNotMatch(p.stdout + p.stderr, /admin-0123456789/);
});

test('comments, trailing commas, ${NAME} and @path', async (t) => {
  const a = await t.provider((c) => c.n === 0 ? fails(500)(c) : good()(c));
  const config = await t.config([]);
  const secret = t.file('secret', 'from-a-file-12345\n');
  const sp = await t.start(`{
    // a comment
    "port": ${config.port}, /* another, "quoted" */
    "limits": {"max_body_megabytes": 1,},
    "backends": [
      {"name": "a", "base_url": "${a.url}", "token": "\${MY_TOKEN}",
       "auth": "bearer",},
      {"name": "b", "base_url": "${a.url}", "token": "@${secret}",
       "auth": "bearer",},
    ],
  }`, { env: { MY_TOKEN: 'from-the-environment' }, port: config.port });
  assert.equal((await messages(t, sp)).status, 200);
  assert.equal(a.requests[0].headers.authorization,
    'Bearer from-the-environment');
  assert.equal(a.requests[1].headers.authorization,
    'Bearer from-a-file-12345');
});

test('a config of cc-proxy works unchanged; 0 means the default',
  async (t) => {
    const a = await t.provider(fails(500));
    const b = await t.provider(good());
    const port = await freePort();
    const sp = await t.start(`{
      "port": ${port},
      "backends": [
        { "name": "a", "base_url": "${a.url}", "token": "sk-1",
          "enabled": true },
        { "name": "b", "base_url": "${b.url}", "token": "sk-2",
          "enabled": true, "api_type": "claude", "model": "other" }
      ],
      "retry": { "max_attempts": 3, "timeout_seconds": 30 },
      "failover": { "circuit_breaker": { "failure_threshold": 0,
        "open_timeout_seconds": 0, "half_open_requests": 0 },
        "rate_limit": { "cooldown_seconds": 0 } }
    }`, { port });
    for (let i = 0; i < 4; i++) assert.equal((await messages(t, sp)).status,
      200);
    assert.equal(a.requests.length, 3);
    assert.equal(b.requests[0].json.model, 'other');
  });

/* ---- signals ---- */

async function running(t, more = {}, options = {}) {
  const gate = deferred();
  const a = await t.provider(async (c) => {
    const e = stream.claude(['one', 'two']);
    await c.sse();
    for (const x of e.slice(0, 4)) await c.chunk(x);
    await Promise.race([gate.promise, c.gone]);
    for (const x of e.slice(4)) await c.chunk(x);
    await c.last();
  });
  const sp = await t.proxy([backend('a', a)], more, options);
  const c = t.client(sp);
  c.request('POST', path, {}, streaming);
  await c.sees('one');
  return { a, sp, c, gate };
}

const refused = (port) => new Promise((done) => {
  const s = net.connect(port, '127.0.0.1');
  s.on('connect', () => { s.destroy(); done(false); });
  s.on('error', () => done(true));
});

for (const signal of ['SIGTERM', 'SIGINT'])
  test(`C30 ${signal}: no new ones, running ones end, exit 0`,
    async (t) => {
      const { sp, c, gate } = await running(t);
      const idle = t.client(sp);
      assert.equal((await idle.request('GET', '/health').answer()).status,
        200);
      sp.kill(signal);
      await idle.end();
      await until(() => refused(sp.port), 'the port to close');
      assert.ok(sp.running);
      gate.resolve();
      const r = await c.answer();
      assert.equal(r.complete, true);
      assert.equal(r.text, stream.claude(['one', 'two']).join(''));
      await sp.exited;
      assert.equal(sp.code, 0);
    });

test('an answer that begins within the drain says that it is the last',
  async (t) => {
    const gate = deferred();
    const a = await t.provider(async (c) => {
      await gate.promise;
      await good()(c);
    });
    const sp = await t.proxy([backend('a', a)]);
    const c = t.client(sp);
    c.request('POST', path, {}, ask.claude());
    await until(() => a.requests.length, 'the request');
    sp.kill('SIGTERM');
    await until(() => refused(sp.port), 'the port to close');
    gate.resolve();
    const r = await c.answer();
    assert.equal(r.status, 200);
    assert.equal(r.headers.connection?.toLowerCase(), 'close');
    await c.end();
    await sp.exited;
    assert.equal(sp.code, 0);
  });

test('what is not done after drain_seconds is cut, exit 1', async (t) => {
  const { sp, c } = await running(t, { drain_seconds: 0.3 });
  t.exit = 1;
  sp.kill('SIGTERM');
  const r = await c.answer();
  assert.equal(r.complete, false);
  await sp.exited;
  assert.equal(sp.code, 1);
});

test('a second signal ends at once', async (t) => {
  const { sp, c } = await running(t, { drain_seconds: 3600 });
  t.exit = null;
  sp.kill('SIGTERM');
  await until(() => refused(sp.port), 'the port to close');
  sp.kill('SIGTERM');
  await sp.exited;
  assert.notEqual(sp.code, 0);
  assert.equal((await c.answer()).complete, false);
});

test('HUP: a new config, running requests go on', async (t) => {
  const { sp, c, gate } = await running(t);
  const b = await t.provider(good('claude', 'from b'));
  const config = JSON.parse(fs.readFileSync(sp.file, 'utf8'));
  config.backends = [backend('b', b)];
  fs.writeFileSync(sp.file, JSON.stringify(config));
  sp.kill('SIGHUP');
  await until(() => /reload/i.test(sp.stderr), 'the reload in the log');
  assert.equal((await messages(t, sp)).headers['x-spillway-backend'], 'b');
  gate.resolve();
  const r = await c.answer();
  assert.equal(r.complete, true);
  assert.equal(r.headers['x-spillway-backend'], 'a');
});

test('HUP with a bad file: the old config stays, and why', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)]);
  fs.writeFileSync(sp.file, '{ "portt": 1 }');
  sp.kill('SIGHUP');
  await sp.logs('portt');
  assert.equal((await messages(t, sp)).status, 200);
});

test('a reload keeps the state of a breaker', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)], { failover: {
    circuit_breaker: { failure_threshold: 1, open_timeout_seconds: 3600 } } });
  await messages(t, sp);
  sp.kill('SIGHUP');
  await until(() => /reload/i.test(sp.stderr), 'the reload in the log');
  for (let i = 0; i < 3; i++) await messages(t, sp);
  assert.equal(a.requests.length, 1);
});

test('under nohup HUP stays ignored, USR2 reloads', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)], {},
    { shell: 'trap "" HUP' });
  sp.kill('SIGHUP');
  assert.equal((await messages(t, sp)).status, 200);
  assert.doesNotMatch(sp.stderr, /reload/i);
  sp.kill('SIGUSR2');
  await sp.logs(/reload/i);
  assert.equal((await messages(t, sp)).status, 200);
});

test('USR1 and PIPE harm nobody', async (t) => {
  const a = await t.provider(good());
  const sp = await t.proxy([backend('a', a)]);
  for (const s of ['SIGUSR1', 'SIGPIPE', 'SIGUSR1']) {
    sp.kill(s);
    assert.equal((await messages(t, sp)).status, 200);
  }
});

test('a log that nobody reads harms no request', async (t) => {
  const a = await t.provider(fails(500));
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', a), backend('b', b)],
    { failover: { circuit_breaker: { failure_threshold: 1000 } },
      logging: { level: 'debug' } });
  sp.child.stderr.pause();
  for (let i = 0; i < 300; i++) assert.equal((await messages(t, sp)).status,
    200);
  sp.child.stderr.destroy();
  for (let i = 0; i < 20; i++) assert.equal((await messages(t, sp)).status,
    200);
});

/* ---- the log ---- */

test('C27 C28 C29 the log tells attempts, skips and transitions, no secret',
  async (t) => {
    let bad = true;
    const a = await t.provider((c) => bad ? fails(529)(c) : good()(c));
    const b = await t.provider(good());
    const sp = await t.proxy([backend('alpha', a), backend('beta', b)], {
      failover: { circuit_breaker: { failure_threshold: 2,
        open_timeout_seconds: 1 } } });
    const secret = { authorization: 'Bearer client-secret-abcdef',
      'x-api-key': 'client-secret-ghijkl', 'x-request-id': 'req-77' };
    for (let i = 0; i < 3; i++)
      await t.ask(sp, 'POST', `${path}?key=client-secret-mnopqr`, secret,
        ask.claude());
    await sp.logs('529');
    await sp.logs('req-77');
    await sp.logs(/alpha.*open|open.*alpha/i);
    await sp.logs(/skip.*alpha|alpha.*skip/i);
    bad = false;
    await until(async () => (await messages(t, sp))
      .headers['x-spillway-backend'] === 'alpha', 'the recovery');
    await sp.logs(/alpha.*(closed|recover)|(closed|recover).*alpha/i);
    assert.match(sp.stderr,
      /alpha.*(half|trial|test)|(half|trial|test).*alpha/i);
    assert.doesNotMatch(sp.stderr, /client-secret|0123456789abcdef/);
  });

test('no control character of a peer reaches the log', async (t) => {
  const a = await t.provider(fails(500, '{"error":{"type":"x","message":' +
    '"\x1b[31mred\\u001b[0m\\u0007 and \\n new line"}}'));
  const sp = await t.proxy([backend('a', a)]);
  await t.ask(sp, 'POST', path, {}, ask.claude({ model: 'claude-\u001b[2J' }));
  await sp.logs('500');
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(sp.stderr, /[\x00-\x08\x0b-\x1f\x7f]/);
});

test('C26 a short detail of an error is in the log', async (t) => {
  const a = await t.provider(fails(503, { type: 'error', error: {
    type: 'overloaded_error', message: `very busy ${'z'.repeat(5000)}` } }));
  const sp = await t.proxy([backend('a', a)]);
  await messages(t, sp);
  await sp.logs('very busy');
  for (const line of sp.stderr.split('\n'))
    assert.ok(line.length < 1500, 'an endless line');
});

/* ---- demo ---- */

test('--demo: no config, no key, no network', async (t) => {
  const p = t.run(['--demo']);
  await until(() => /curl/.test(p.stdout + p.stderr) || !p.running,
    'the curl line');
  const url = /https?:\/\/(?:127\.0\.0\.1|localhost):(\d+)\/v1\/messages/
    .exec(p.stdout + p.stderr);
  assert.ok(url, p.stdout + p.stderr);
  await p.listening(Number(url[1]));
  const r = await messages(t, p);
  assert.equal(r.status, 200);
  assert.equal(r.headers['x-spillway-attempts'], '2');
  assert.equal(r.json.type, 'message');
  const s = await t.ask(p, 'POST', path, {}, streaming);
  assert.equal(s.complete, true);
  assert.match(s.text, /message_stop/);
  const o = await t.ask(p, 'POST', '/v1/chat/completions', {}, ask.chat());
  assert.equal(o.status, 200);
  assert.equal(o.json.object, 'chat.completion');
});

test('docs/reference.md is what --reference prints', async (t) => {
  const p = await t.finish(['--reference']);
  assert.equal(p.code, 0);
  const file = new URL('../../docs/reference.md', import.meta.url);
  const page = fs.readFileSync(file, 'utf8');
  assert.equal(page.slice(page.indexOf('| key |')), p.stdout);
});
