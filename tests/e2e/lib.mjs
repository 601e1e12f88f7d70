/*
 * The test kit of the end-to-end tests: the real binary between raw clients
 * and scripted providers on loopback.  Node's own modules only.
 *
 * test(name, async (t) => ...) registers a test; all run after the file was
 * loaded, a few at a time, each with its own processes and ports.  What a
 * test opened through t is closed at its end, and the binary's end is
 * checked: exit status 0 (or t.exit), no report of a sanitizer, and no
 * malformed request at any provider.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

export { assert };

const here = path.dirname(fileURLToPath(import.meta.url));
export const top = path.resolve(here, '..', '..');
export const binary = path.resolve(process.env.SPILLWAY ?? `${top}/spillway`);
/* How long anything may take before it counts as hung. */
export const patience = Number(process.env.E2E_PATIENCE ?? 20000);

/* ---- small things ------------------------------------------------------ */

export const turn = (ms = 10) => new Promise((done) => setTimeout(done, ms));

/* Asks until the answer is true; the only way in which tests wait. */
export async function until(ask, what = 'a condition', ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await turn();
  }
}

export function within(promise, what, ms = patience) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`waited in vain for ${what}`)),
      ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => {
    d.resolve = resolve;
    d.reject = reject;
  });
  return d;
}

const ports = { next: 11000 + (process.pid * 37) % 20000 };

/* A free port below the range from which the kernel takes its own. */
export async function freePort() {
  for (let tries = 0; tries < 2000; tries++) {
    ports.next = ports.next >= 32000 ? 11000 : ports.next + 1;
    const port = ports.next;
    const s = net.createServer();
    const ok = await new Promise((done) => {
      s.once('error', () => done(false));
      s.listen(port, '127.0.0.1', () => done(true));
    });
    if (!ok) continue;
    await new Promise((done) => s.close(done));
    return port;
  }
  throw new Error('no free port');
}

/* ---- heads and bodies -------------------------------------------------- */

/* Parses the lines of a head; strict: throws on anything odd. */
export function parseHead(text) {
  const lines = text.split('\r\n');
  const headers = {};
  const fields = [];
  for (const line of lines.slice(1)) {
    const m = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!m || /[\r\n\0]/.test(line)) throw new Error(`bad field: ${line}`);
    const name = m[1].toLowerCase();
    fields.push([m[1], m[2]]);
    headers[name] = name in headers ? `${headers[name]}, ${m[2]}` : m[2];
  }
  return { line: lines[0], headers, fields, raw: text };
}

/*
 * Reads messages from a growing byte stream.  kind 'answer' or 'request'.
 * Emits through callbacks: head(msg), data(msg, bytes), done(msg).
 */
class Reader {
  constructor(kind, on) {
    this.kind = kind;
    this.on = on;
    this.held = Buffer.alloc(0);
    this.msg = null;
    this.heads = [];        /* methods of requests, for answers to HEAD */
  }

  feed(bytes) {
    this.held = this.held.length ? Buffer.concat([this.held, bytes]) : bytes;
    while (this.step());
  }

  step() {
    if (!this.msg) return this.stepHead();
    const m = this.msg;
    if (m.framing === 'length') {
      if (this.held.length === 0) return false;
      const part = this.held.subarray(0, m.left);
      this.held = this.held.subarray(part.length);
      m.left -= part.length;
      this.take(part);
      if (m.left === 0) this.finish();
      return true;
    }
    if (m.framing === 'close') {
      if (this.held.length === 0) return false;
      this.take(this.held);
      this.held = Buffer.alloc(0);
      return false;
    }
    return this.stepChunk();
  }

  stepHead() {
    const end = this.held.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const msg = parseHead(this.held.subarray(0, end).toString('latin1'));
    this.held = this.held.subarray(end + 4);
    const start = msg.line.split(' ');
    msg.parts = [];
    msg.chunks = [];
    msg.complete = false;
    if (this.kind === 'request') {
      [msg.method, msg.target, msg.version] = start;
      if (start.length !== 3) throw new Error(`bad start: ${msg.line}`);
    } else {
      msg.version = start[0];
      msg.status = Number(start[1]);
      if (!/^HTTP\/1\.[01] \d{3} /.test(msg.line))
        throw new Error(`bad start: ${msg.line}`);
    }
    this.frame(msg);
    return true;
  }

  frame(msg) {
    const te = msg.headers['transfer-encoding'];
    const cl = msg.headers['content-length'];
    if (te !== undefined && cl !== undefined)
      throw new Error('two framings in one message');
    if (cl !== undefined && !/^\d+$/.test(cl))
      throw new Error(`bad length ${cl}`);
    if (te !== undefined && te !== 'chunked')
      throw new Error(`bad coding ${te}`);
    let none = false;
    if (this.kind === 'answer') {
      if (msg.status >= 100 && msg.status < 200) {
        this.on.interim?.(msg);
        return;
      }
      const method = this.heads.shift();
      none = method === 'HEAD' || msg.status === 204 || msg.status === 304;
    }
    this.msg = msg;
    if (te !== undefined && !none) {
      msg.framing = 'chunked';
      msg.size = -1;
    } else if (cl !== undefined && !none) {
      msg.framing = 'length';
      msg.left = Number(cl);
    } else if (this.kind === 'request' || none) {
      msg.framing = 'none';
    } else {
      msg.framing = 'close';
    }
    this.on.head?.(msg);
    if (msg.framing === 'none' ||
      (msg.framing === 'length' && msg.left === 0)) this.finish();
  }

  stepChunk() {
    const m = this.msg;
    if (m.size > 0) {
      if (this.held.length === 0) return false;
      const part = this.held.subarray(0, m.size);
      this.held = this.held.subarray(part.length);
      m.size -= part.length;
      if (m.size === 0) {
        m.size = -1;
        m.after = true;
      }
      this.take(part);
      return true;
    }
    if (m.after) {
      if (this.held.length < 2) return false;
      if (this.held.toString('latin1', 0, 2) !== '\r\n')
        throw new Error('chunk without its end');
      this.held = this.held.subarray(2);
      m.after = false;
    }
    const end = this.held.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.held.toString('latin1', 0, end);
    if (m.size === 0) {                 /* trailers */
      this.held = this.held.subarray(end + 2);
      if (line === '') this.finish();
      else (m.trailers ??= []).push(line);
      return true;
    }
    if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`bad size ${line}`);
    this.held = this.held.subarray(end + 2);
    const size = parseInt(line, 16);
    m.chunks.push(size);
    m.size = size;
    return true;
  }

  take(part) {
    this.msg.parts.push(part);
    this.on.data?.(this.msg, part);
  }

  finish() {
    const m = this.msg;
    m.complete = true;
    this.msg = null;
    this.on.done?.(m);
  }

  /* The stream ended; clean: by a FIN. */
  end(clean) {
    const m = this.msg;
    if (!m) return;
    if (m.framing === 'close' && clean) m.complete = true;
    this.msg = null;
    this.on.done?.(m);
  }
}

function addBody(m) {
  Object.defineProperties(m, {
    body: { get: () => Buffer.concat(m.parts) },
    text: { get: () => Buffer.concat(m.parts).toString() },
    json: { get: () => JSON.parse(Buffer.concat(m.parts).toString()) },
  });
  return m;
}

/* ---- raw clients ------------------------------------------------------- */

export class Client {
  constructor(port, host = '127.0.0.1') {
    this.answers = [];      /* complete or broken ones, in order */
    this.current = null;
    this.interim = [];
    this.raw = [];
    this.ended = false;     /* the other side closed, one way or other */
    this.error = null;
    this.fault = null;      /* what was wrong with the bytes */
    this.taken = 0;
    this.seenHeads = 0;
    this.heads = [];
    this.reader = new Reader('answer', {
      interim: (m) => this.interim.push(m),
      head: (m) => { this.heads.push(addBody(m)); },
      done: (m) => this.answers.push(m),
    });
    this.socket = net.connect({ port, host, noDelay: true });
    this.socket.on('data', (b) => {
      this.raw.push(b);
      try {
        this.reader.feed(b);
      } catch (e) {
        this.fault ??= e;
      }
    });
    this.socket.on('error', (e) => { this.error = e; this.over(false); });
    this.socket.on('end', () => this.over(true));
    this.socket.on('close', () => this.over(false));
  }

  over(clean) {
    if (this.ended) return;
    this.ended = true;
    this.reader.end(clean);
  }

  send(bytes) {
    const s = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.socket.write(s);
    return this;
  }

  /* Sends a request; a body gets its length unless headers frame it. */
  request(method, target, headers = {}, body = undefined) {
    const h = { host: 'proxy.test', ...headers };
    const b = body === undefined ? undefined : Buffer.from(
      typeof body === 'object' && !Buffer.isBuffer(body) ?
        JSON.stringify(body) : body);
    const names = Object.keys(h).map((n) => n.toLowerCase());
    if (b !== undefined && !names.includes('content-length') &&
      !names.includes('transfer-encoding')) h['content-length'] = b.length;
    let text = `${method} ${target} HTTP/1.1\r\n`;
    for (const [n, v] of Object.entries(h))
      for (const one of Array.isArray(v) ? v : [v])
        text += `${n}: ${one}\r\n`;
    text += '\r\n';
    this.reader.heads.push(method);
    this.socket.write(b === undefined ? Buffer.from(text, 'latin1') :
      Buffer.concat([Buffer.from(text, 'latin1'), b]));
    return this;
  }

  check() {
    if (this.fault) throw this.fault;
  }

  /* The next answer, whole or broken (complete tells). */
  async answer() {
    const n = this.taken++;
    await until(() => this.fault || this.answers.length > n || this.ended,
      `answer ${n}`);
    this.check();
    if (this.answers.length <= n)
      throw new Error(`connection ended without an answer` +
        `${this.error ? ` (${this.error.code})` : ''}`);
    return this.answers[n];
  }

  /* The next head; its body may still be on the way. */
  async head() {
    const n = this.seenHeads++;
    await until(() => this.fault || this.heads.length > n || this.ended,
      `head ${n}`);
    this.check();
    if (this.heads.length <= n) throw new Error('ended without a head');
    return this.heads[n];
  }

  /* Waits until the bytes received so far hold that text. */
  async sees(text) {
    await until(() => this.received().includes(text) || this.ended,
      `the text ${text}`);
    assert.ok(this.received().includes(text), `never saw ${text}`);
  }

  received() {
    return Buffer.concat(this.raw).toString('latin1');
  }

  async end() {
    await until(() => this.ended, 'the end of the connection');
  }

  close() { this.socket.destroy(); }
  reset() { this.socket.resetAndDestroy(); }
}

/* ---- scripted providers ------------------------------------------------ */

/* One request at a provider, and the means to answer it. */
class Call {
  constructor(conn, msg) {
    this.conn = conn;
    this.socket = conn.socket;
    this.n = conn.up.requests.length;
    this.nth = conn.requests.length;    /* on this connection */
    Object.assign(this, msg);
    this.head = msg;
    this.done = deferred();             /* the body is here */
    this.gone = conn.gone;              /* the other side has left */
  }

  get body() { return Buffer.concat(this.head.parts); }
  get text() { return this.body.toString(); }
  get json() { return JSON.parse(this.text); }

  write(bytes) {
    return new Promise((done) => {
      if (this.socket.destroyed) return done();
      this.socket.write(typeof bytes === 'string' ?
        Buffer.from(bytes) : bytes, () => done());
    });
  }

  /* A head; framing by the headers that are given. */
  start(status, headers = {}) {
    let text = `HTTP/1.1 ${status} Test\r\n`;
    for (const [n, v] of Object.entries(headers))
      for (const one of Array.isArray(v) ? v : [v])
        text += `${n}: ${one}\r\n`;
    return this.write(`${text}\r\n`);
  }

  /* A whole answer with a length. */
  async answer(status, body = '', headers = {}) {
    const b = Buffer.isBuffer(body) ? body : Buffer.from(
      typeof body === 'string' ? body : JSON.stringify(body));
    const h = { 'content-type': 'application/json',
      'content-length': b.length, ...headers };
    for (const n of Object.keys(h)) if (h[n] === undefined) delete h[n];
    let text = `HTTP/1.1 ${status} Test\r\n`;
    for (const [n, v] of Object.entries(h))
      for (const one of Array.isArray(v) ? v : [v])
        text += `${n}: ${one}\r\n`;
    await this.write(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), b]));
  }

  sse(headers = {}) {
    return this.start(200, { 'content-type': 'text/event-stream',
      'transfer-encoding': 'chunked', ...headers });
  }

  chunk(bytes) {
    const b = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
    return this.write(Buffer.concat([
      Buffer.from(`${b.length.toString(16)}\r\n`), b, Buffer.from('\r\n')]));
  }

  last() { return this.write('0\r\n\r\n'); }

  /* A whole event stream, one chunk an event. */
  async stream(events, headers = {}) {
    await this.sse(headers);
    for (const e of events) await this.chunk(e);
    await this.last();
  }

  reset() { this.conn.raw.resetAndDestroy(); }
  close() { this.conn.raw.destroy(); }
  /* FIN, after what was written. */
  fin() { this.conn.socket.end(); }
  /* FIN of the TCP connection, without a word of TLS. */
  cut() { this.conn.raw.end(); }
}

/*
 * A provider.  handler(call) answers each request once its body is there
 * (options.early: at its head).  options.tls: a TLS context's options.
 * options.onConnection(conn) may take a connection over.
 */
export class Provider {
  constructor(handler, options = {}) {
    this.handler = handler;
    this.options = options;
    this.requests = [];
    this.connections = [];
    this.faults = [];
    this.open = 0;
    this.server = net.createServer({ allowHalfOpen: true, noDelay: true },
      (raw) => this.accept(raw));
  }

  async listen(port = 0) {
    this.server.listen(port || await freePort(), '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    this.url = `${this.options.tls ? 'https' : 'http'}://` +
      `${this.options.name ?? '127.0.0.1'}:${this.port}`;
    return this;
  }

  accept(raw) {
    const gone = deferred();
    const conn = { up: this, raw, socket: raw, requests: [], bytes: [],
      gone: gone.promise, n: this.connections.length, closed: false,
      finished: false };
    this.connections.push(conn);
    this.open++;
    raw.on('error', () => {});
    raw.on('close', () => {
      this.open--;
      conn.closed = true;
      gone.resolve();
    });
    if (this.options.tls) {
      conn.socket = new tls.TLSSocket(raw, { isServer: true,
        ...this.options.tls });
      conn.socket.on('error', (e) => { conn.error = e; raw.destroy(); });
    }
    conn.socket.on('end', () => {
      conn.finished = true;
      gone.resolve();
      if (!this.options.halfOpen) conn.socket.end();
    });
    if (this.options.onConnection?.(conn)) return;
    this.read(conn);
  }

  read(conn) {
    let call = null;
    const play = async (c) => {
      try {
        await this.handler?.(c);
      } catch (e) {
        this.faults.push(e);
      }
    };
    const reader = new Reader('request', {
      head: (m) => {
        addBody(m);
        call = new Call(conn, m);
        conn.requests.push(call);
        this.requests.push(call);
        if (this.options.early) play(call);
      },
      data: () => { this.options.onData?.(call); },
      done: (m) => {
        if (!m.complete) return;
        call.complete = true;
        call.done.resolve();
        if (!this.options.early) play(call);
      },
    });
    conn.socket.on('data', (b) => {
      conn.bytes.push(b);
      try {
        reader.feed(b);
      } catch (e) {
        this.faults.push(new Error(`request at a provider: ${e.message}`));
        conn.raw.destroy();
      }
    });
  }

  async close() {
    for (const c of this.connections) c.raw.destroy();
    await new Promise((done) => this.server.close(done));
  }
}

/* ---- the binary -------------------------------------------------------- */

/* Every process and folder of this run, so that none is left behind. */
const live = new Set();
process.on('exit', () => {
  for (const p of live) p.kill('SIGKILL');
});

export class Spillway {
  constructor(args, options = {}) {
    this.stderrParts = [];
    this.stdoutParts = [];
    const env = { PATH: process.env.PATH, ...options.env };
    for (const n of ['ASAN_OPTIONS', 'UBSAN_OPTIONS'])
      if (process.env[n]) env[n] = process.env[n];
    env.HOME ??= options.cwd ?? os.tmpdir();
    const argv = options.shell ?
      ['sh', '-c', `${options.shell}; exec "$0" "$@"`, binary, ...args] :
      [binary, ...args];
    this.child = spawn(argv[0], argv.slice(1), { env, cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin.on('error', () => {});
    this.child.stdin.end(options.stdin ?? '');
    live.add(this.child);
    this.child.stdout.on('data', (b) => this.stdoutParts.push(b));
    this.child.stderr.on('data', (b) => this.stderrParts.push(b));
    this.exited = new Promise((done) => {
      this.child.on('error', (e) => {
        this.stderrParts.push(Buffer.from(`${e}\n`));
        live.delete(this.child);
        this.code = -1;
        done(this);
      });
      this.child.on('close', (code, signal) => {
        live.delete(this.child);
        this.code = code;
        this.signal = signal;
        done(this);
      });
    });
  }

  get stderr() { return Buffer.concat(this.stderrParts).toString(); }
  get stdout() { return Buffer.concat(this.stdoutParts).toString(); }
  get running() { return this.code === undefined; }

  async listening(port) {
    this.port = port;
    await until(async () => {
      if (!this.running) throw new Error(`it ended: ${this.stderr}`);
      return new Promise((done) => {
        const s = net.connect(port, '127.0.0.1');
        s.on('connect', () => { s.destroy(); done(true); });
        s.on('error', () => done(false));
      });
    }, 'the port to listen');
    return this;
  }

  async logs(what, ms) {
    const hit = () => (what instanceof RegExp ? what.test(this.stderr) :
      this.stderr.includes(what));
    await until(() => hit() || !this.running, `${what} in the log`, ms);
    assert.ok(hit(), `${what} is not in the log:\n${this.stderr}`);
  }

  kill(signal) { this.child.kill(signal); }

  sanitizer() {
    const m = /(ERROR: \w+Sanitizer|runtime error:)[\s\S]*/.exec(this.stderr);
    return m && m[0];
  }

  async stop(expected = 0) {
    if (this.running) this.kill('SIGTERM');
    else this.died = this.signal ?? this.code;
    try {
      await within(this.exited, 'the end of the process');
    } catch (e) {
      this.kill('SIGKILL');
      await this.exited;
      throw e;
    }
    assert.equal(this.sanitizer(), null);
    if (expected === null) return;
    assert.equal(this.signal ?? this.code, expected,
      `exit status, log:\n${this.stderr}`);
  }
}

/* ---- tests ------------------------------------------------------------- */

class T {
  constructor(name) {
    this.name = name;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'spillway-test-'));
    this.processes = [];
    this.providers = [];
    this.clients = [];
    this.exit = 0;              /* the expected exit status */
    this.later = [];
  }

  file(name, text, mode = 0o600) {
    const p = path.join(this.dir, name);
    fs.mkdirSync(path.dirname(p), { recursive: true });
    fs.writeFileSync(p, text, { mode });
    return p;
  }

  async provider(handler, options) {
    const p = await new Provider(handler, options).listen(options?.port);
    this.providers.push(p);
    return p;
  }

  /* The config object with a free port. */
  async config(backends, more = {}) {
    return {
      port: await freePort(),
      backends: backends.map((b, i) => ({ priority: i + 1, ...b })),
      /* Their ports are for the tests of them. */
      web_admin: { enabled: false },
      metrics: { enabled: false },
      ...more,
      timeouts: { connect: 5, first_byte: 10, response: 10, idle: 10,
        ...more.timeouts },
    };
  }

  /* Runs the binary without waiting for anything. */
  run(args, options = {}) {
    const p = new Spillway(args, { cwd: this.dir, ...options });
    this.processes.push(p);
    return p;
  }

  /* Runs it to its end. */
  async finish(args, options = {}) {
    const p = this.run(args, options);
    await within(p.exited, 'the end of the process');
    assert.equal(p.sanitizer(), null);
    assert.equal(p.signal, null);
    p.judged = true;
    return p;
  }

  /* Starts a server with a config object. */
  async start(config, options = {}) {
    const file = this.file('config.json', typeof config === 'string' ?
      config : JSON.stringify(config, null, 2));
    const p = this.run(['-c', file, ...(options.args ?? [])], options);
    p.file = file;
    return p.listening(options.port ?? config.port);
  }

  /* The usual: providers' backends, and the binary in front of them. */
  async proxy(backends, more = {}, options = {}) {
    return this.start(await this.config(backends, more), options);
  }

  client(sp) {
    const c = new Client(typeof sp === 'number' ? sp : sp.port);
    this.clients.push(c);
    return c;
  }

  /* One request on a connection of its own. */
  async ask(sp, method, target, headers, body) {
    const c = this.client(sp);
    c.request(method, target, headers, body);
    const a = await c.answer();
    a.interim = c.interim;
    c.close();
    return a;
  }

  async end(failed) {
    const faults = [];
    for (const c of this.clients) c.close();
    for (const p of this.processes) {
      try {
        await p.stop(failed || p.judged ? null : this.exit);
      } catch (e) {
        faults.push(e);
      }
    }
    for (const u of this.providers) {
      await u.close();
      faults.push(...u.faults);
    }
    for (const f of this.later) await f();
    fs.rmSync(this.dir, { recursive: true, force: true });
    if (faults.length) throw faults[0];
  }
}

const registered = [];
let tally = null;

export function test(name, fn) {
  registered.push({ name, fn });
}

/* Registers one test for each row. */
export function table(name, rows, fn) {
  for (const row of rows)
    test(`${name}: ${row.name ?? JSON.stringify(row[0] ?? row)}`,
      (t) => fn(t, row));
}

async function runOne({ name, fn }) {
  const t = new T(name);
  let fault = null;
  try {
    await within(Promise.resolve(fn(t)), 'the end of the test',
      3 * patience);
  } catch (e) {
    fault = e;
  }
  if (fault === 'skip') {
    await t.end(true).catch(() => {});
    tally.skipped++;
    console.log(`skip ${name}`);
    return;
  }
  try {
    await t.end(fault !== null);
  } catch (e) {
    fault ??= e;
  }
  if (fault === null) {
    tally.passed++;
    if (process.env.E2E_VERBOSE) console.log(`ok ${name}`);
    return;
  }
  tally.failed++;
  const stack = String(fault.stack ?? fault).split('\n');
  console.log(`not ok ${name}\n    ${stack.slice(0, 14).join('\n    ')}`);
  for (const p of t.processes)
    if (p.stderr) {
      if (p.died) console.log(`    it had ended: ${p.died}`);
      const lines = p.stderr.trimEnd().split('\n').slice(-15);
      console.log(`    log:\n      ${lines.join('\n      ')}`);
    }
}

async function runAll() {
  const jobs = Number(process.env.E2E_JOBS ?? 4);
  const only = process.argv[2];
  tally = { passed: 0, failed: 0, skipped: 0 };
  const queue = registered.filter((x) => !only || x.name.includes(only));
  const worker = async () => {
    while (queue.length) await runOne(queue.shift());
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  console.log(`${tally.passed} passed, ${tally.failed} failed, ` +
    `${tally.skipped} skipped`);
  process.exit(tally.failed ? 1 : 0);
}

process.on('unhandledRejection', (e) => {
  console.log(`not ok (unhandled): ${e?.stack ?? e}`);
  process.exit(1);
});
setImmediate(() => {
  if (registered.length) runAll();
});
