/* Who comes first, who is left out and who comes back: strategies, score,
 * window, last resort, room, own rates, health checks (spec 3, 5, 9). */
import fs from 'node:fs';
import { assert, deferred, freePort, table, test, until } from './lib.mjs';
import { ask, backend, fails, good, refused, waits } from './say.mjs';

const path = '/v1/messages';
const send = (t, sp, headers = {}, body = ask.claude()) =>
  t.ask(sp, 'POST', path, headers, body);
const from = (r, name) => {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.headers['x-spillway-backend'], name);
};
const of = (r) => r.headers['x-spillway-backend'];
const count = (s, c) => s.split(c).length - 1;

/* Backends of one priority (or `rank`), and who was asked in one string. */
async function group(t, plays, more = {}, each = {}, rank) {
  const asked = [];
  const ups = {};
  const list = [];
  for (const [name, play] of Object.entries(plays)) {
    ups[name] = await t.provider((c) => {
      if (c.method === 'POST') asked.push(name);
      return play(c);
    });
    list.push(backend(name, ups[name], { priority: rank ? undefined : 1,
      ...each[name] }));
  }
  const config = await t.config(list, more);
  const sp = await t.start(config);
  return { sp, ups, config, asked: () => asked.splice(0).join('') };
}
const ranked = (t, plays, more, each) => group(t, plays, more, each, true);
const strategy = (name) => ({ strategy: name });
const breaker = (n, open, more = {}) => ({ failover: { circuit_breaker: {
  failure_threshold: n, open_timeout_seconds: open }, ...more } });

/* ---- strategies ---- */

for (const n of [2, 3])
  test(`A5 G15 round_robin among ${n}: exactly by turns`, async (t) => {
    const names = 'abc'.slice(0, n);
    const { sp, asked } = await group(t, Object.fromEntries([...names].map(
      (x) => [x, good()])), strategy('round_robin'));
    for (let i = 0; i < 3 * n; i++)
      assert.equal((await send(t, sp)).status, 200);
    const seen = asked();
    assert.equal(seen, seen.slice(0, n).repeat(3));
    assert.equal(new Set(seen).size, n);
  });

test('round_robin: who fails is left for the next, and keeps its turn',
  async (t) => {
    const { sp, asked } = await group(t, { a: fails(500), b: good(),
      c: good() }, { ...strategy('round_robin'), ...breaker(2, 60) });
    const got = [];
    for (let i = 0; i < 20; i++) got.push(of(await send(t, sp)));
    assert.equal(count(asked(), 'a'), 2);
    assert.ok(got.every((x) => x === 'b' || x === 'c'));
    assert.match(got.slice(8).join(''), /^((bc)+b?|(cb)+c?)$/);
  });

test('round_robin: a priority is used up before the next one', async (t) => {
  const { sp, asked } = await group(t, { a: good(), b: good(), c: good() },
    strategy('round_robin'), { c: { priority: 2 } });
  for (let i = 0; i < 6; i++) await send(t, sp);
  assert.match(asked(), /^(ababab|bababa)$/);
});

test('G16 weighted_random: about 3 to 1', async (t) => {
  const { sp, asked } = await group(t, { a: good(), b: good() },
    strategy('weighted_random'), { a: { weight: 3 } });
  for (let i = 0; i < 400; i++)
    assert.equal((await send(t, sp)).status, 200);
  const n = count(asked(), 'a');
  assert.ok(n > 220 && n < 380, `${n} of 400`);
});

test('weighted_random: who fails is left for another', async (t) => {
  const { sp } = await group(t, { a: fails(500), b: good() },
    { ...strategy('weighted_random'), ...breaker(3, 60) },
    { a: { weight: 1000 } });
  for (let i = 0; i < 10; i++) from(await send(t, sp), 'b');
});

test('G17 least_connections: the other one while one is busy',
  async (t) => {
    const gate = deferred();
    const play = async (c) => {
      if (c.headers['x-hold']) await gate.promise;
      return good()(c);
    };
    const { sp, ups, asked } = await group(t, { a: play, b: play },
      strategy('least_connections'));
    const held = send(t, sp, { 'x-hold': '1' });
    await until(() => ups.a.requests.length + ups.b.requests.length === 1,
      'the first request');
    const busy = asked();
    const free = busy === 'a' ? 'b' : 'a';
    for (let i = 0; i < 4; i++) from(await send(t, sp), free);
    gate.resolve();
    from(await held, busy);
  });

test('G18 G19 V8 failover: the first as long as it answers', async (t) => {
  let bad = false;
  const { sp, asked } = await ranked(t, { a: (c) => (bad ? fails(500)(c) :
    good()(c)), b: good() }, breaker(100, 60));
  for (let i = 0; i < 3; i++) from(await send(t, sp), 'a');
  bad = true;
  from(await send(t, sp), 'b');
  bad = false;
  from(await send(t, sp), 'a');
  assert.equal(asked(), 'aaaaba');
});

test('without priority: one group, but under failover the order of the list',
  async (t) => {
    const none = { a: { priority: undefined }, b: { priority: undefined } };
    let g = await group(t, { a: good(), b: good() }, {}, none);
    for (let i = 0; i < 3; i++) from(await send(t, g.sp), 'a');
    g = await group(t, { a: good(), b: good() }, strategy('round_robin'),
      none);
    for (let i = 0; i < 4; i++) await send(t, g.sp);
    assert.match(g.asked(), /^(abab|baba)$/);
  });

/* ---- sticky ---- */

const talk = (user, more = {}) => ask.claude({ messages: [
  { role: 'user', content: user }], ...more });
const talks = {
  'x-session-id': (i) => [{ 'x-session-id': `s-${i}` }, talk('same')],
  session_id: (i) => [{ session_id: `s-${i}` }, talk('same')],
  prompt_cache_key: (i) => [{}, talk('same', { prompt_cache_key: `k${i}` })],
  'metadata.user_id': (i) => [{}, talk('same', { metadata:
    { user_id: `user_${i}_session_x` } })],
  user: (i) => [{}, talk('same', { user: `u${i}` })],
  'system and first text': (i, turn) => [{}, ask.claude({ system: `You ${i}`,
    messages: [{ role: 'user', content: `first ${i}` },
      { role: 'assistant', content: `turn ${turn}` },
      { role: 'user', content: `later ${turn}` }] })],
};
const four = () => ({ a: good(), b: good(), c: good(), d: good() });

for (const [name, make] of Object.entries(talks))
  test(`9 sticky by ${name}: one conversation, one backend`, async (t) => {
    const { sp, config } = await group(t, four(), strategy('sticky'));
    const map = async (p, turn) => {
      const got = [];
      for (let i = 0; i < 16; i++)
        got.push(of(await send(t, p, ...make(i, turn))));
      return got;
    };
    const first = await map(sp, 1);
    assert.ok(new Set(first).size > 1, `all at ${first[0]}`);
    assert.deepEqual(await map(sp, 2), first);
    await sp.stop();
    assert.deepEqual(await map(await t.start(config), 3), first);
  });

test('9 sticky: the access key counts too', async (t) => {
  const keys = Array.from({ length: 16 }, (_, i) => ({ name: `n${i}`,
    key: `client-key-${i}` }));
  const { sp } = await group(t, four(), { ...strategy('sticky'),
    access_keys: keys });
  const got = new Set();
  for (const k of keys)
    got.add(of(await send(t, sp, { 'x-api-key': k.key }, talk('same'))));
  assert.ok(got.size > 1);
});

test('9 sticky: only those of a backend that is down move, and come back',
  async (t) => {
    let down = null;
    const play = (name) => (c) => (down === name ? fails(500)(c) :
      good()(c));
    const { sp } = await group(t, { a: play('a'), b: play('b'),
      c: play('c') }, { ...strategy('sticky'), ...breaker(1, 0.5) });
    const map = async () => {
      const got = [];
      for (let i = 0; i < 24; i++)
        got.push(of(await send(t, sp, { 'x-session-id': `s${i}` })));
      return got;
    };
    const first = await map();
    down = first[0];
    const second = await map();
    for (const [i, name] of first.entries())
      if (name === down) assert.notEqual(second[i], down);
      else assert.equal(second[i], name);
    down = null;
    await until(async () => String(await map()) === String(first),
      'all to come back');
  });

test('9 sticky: a backend that is taken out moves only its own',
  async (t) => {
    const { sp, config } = await group(t, four(), strategy('sticky'));
    const map = async (p) => {
      const got = [];
      for (let i = 0; i < 24; i++)
        got.push(of(await send(t, p, { 'x-session-id': `s${i}` })));
      return got;
    };
    const first = await map(sp);
    await sp.stop();
    config.backends = config.backends.filter((b) => b.name !== 'b').reverse();
    const second = await map(await t.start(config));
    for (const [i, name] of first.entries())
      if (name !== 'b') assert.equal(second[i], name);
  });

/* ---- health by window ---- */

const window = (seconds, n = 2) => ({ failover: { health: 'window',
  window: { seconds, min_failures: n } } });

test('V9 V10 window: after one failure still there, after two not',
  async (t) => {
    const { sp, asked } = await ranked(t, { a: fails(500), b: good() },
      window(3600));
    for (const want of ['ab', 'ab', 'b', 'b', 'b']) {
      from(await send(t, sp), 'b');
      assert.equal(asked(), want);
    }
    await sp.logs(/"a" is down|skips "a": down/);
  });

test('V11 window: a success within it keeps it there', async (t) => {
  const { sp, ups } = await ranked(t, { a: (c) => (c.n === 1 ? good()(c) :
    fails(500)(c)), b: good() }, window(3600));
  for (let i = 0; i < 8; i++) assert.equal((await send(t, sp)).status, 200);
  assert.equal(ups.a.requests.length, 8);
});

test('V11 window: 4xx and 429 are no failures in it', async (t) => {
  for (const play of [fails(400), fails(429, '{}', { 'retry-after-ms':
    '1' })]) {
    const { sp, ups } = await ranked(t, { a: play, b: good() },
      window(3600));
    for (let i = 0; i < 5; i++) await send(t, sp);
    await until(async () => {
      await send(t, sp);
      return ups.a.requests.length > 4;
    }, 'five requests at the first');
  }
});

test('V12 window: once they have left it, it is there again', async (t) => {
  const { sp, asked } = await ranked(t, { a: fails(500), b: good() },
    window(1));
  await until(async () => {
    from(await send(t, sp), 'b');
    return asked() === 'b';
  }, 'the first to be left out');
  await until(async () => {
    from(await send(t, sp), 'b');
    return asked() === 'ab';
  }, 'the first to be asked again');
});

/* ---- health by score ---- */

const score = (failure, above = 20, more = {}) => ({ failover: {
  health: 'score', score: { success: 5, failure, healthy_above: above },
  ...more } });

table('A10 A11 A16 score: down step by step', [
  { name: 'by 30, above 20', failure: 30, above: 20,
    want: ['aab', 'ab', 'b', 'b'] },
  { name: 'by 29, above 20: 71 is above 70', failure: 29, above: 20,
    want: ['aab', 'ab', 'b', 'b'] },
  { name: 'by 15: 85, 70, 55, 40, 25, 10', failure: 15, above: 20,
    want: ['aab', 'ab', 'ab', 'ab', 'ab', 'b'] },
  { name: 'by 100: no second try at what is down', failure: 100, above: 20,
    want: ['ab', 'b', 'b'] },
  { name: 'above 70', failure: 30, above: 70, want: ['ab', 'b', 'b'] },
], async (t, { failure, above, want }) => {
  const { sp, asked } = await ranked(t, { a: fails(500), b: good() },
    score(failure, above));
  const seen = [];
  for (const _ of want) {
    from(await send(t, sp), 'b');
    seen.push(asked());
  }
  assert.deepEqual(seen, want);
});

test('5 score: a success gains', async (t) => {
  /* 100 -> 60, then +5 each: 75 after three, so tried twice again. */
  const { sp, asked } = await ranked(t, { a: (c) => ([0, 4].includes(c.n) ?
    fails(500)(c) : good()(c)), b: good() }, score(40));
  for (let i = 0; i < 4; i++) from(await send(t, sp), 'a');
  assert.equal(asked(), 'aaaaaa');
});

test('5 score: with it when_all_down is try: each once, in order',
  async (t) => {
    let bad = true;
    const { sp, asked } = await ranked(t, { a: fails(500),
      b: (c) => (bad ? fails(500)(c) : good()(c)) }, score(100));
    refused('claude', await send(t, sp), 502);
    asked();
    refused('claude', await send(t, sp), 502);
    assert.equal(asked(), 'ab');
    await sp.logs(/last resort/);
    bad = false;
    /* 10, then 15, 20, 25. */
    const seen = [];
    for (let i = 0; i < 5; i++) {
      from(await send(t, sp), 'b');
      seen.push(asked());
    }
    assert.deepEqual(seen, ['ab', 'ab', 'ab', 'b', 'b']);
  });

test('3 a list of healths: down only if all say so', async (t) => {
  const { sp, asked } = await ranked(t, { a: fails(500), b: good() }, {
    failover: { health: ['breaker', 'window'], circuit_breaker: {
      failure_threshold: 1, open_timeout_seconds: 3600 },
    window: { seconds: 3600, min_failures: 3 } } });
  for (const want of ['ab', 'ab', 'ab', 'b', 'b']) {
    from(await send(t, sp), 'b');
    assert.equal(asked(), want);
  }
});

/* ---- the last resort ---- */

test('3 when_all_down fail: nobody is asked', async (t) => {
  const { sp, asked } = await ranked(t, { a: fails(500), b: fails(500) },
    breaker(1, 50, { when_all_down: 'fail' }));
  refused('claude', await send(t, sp), 502);
  assert.equal(asked(), 'ab');
  const r = await send(t, sp);
  refused('claude', r, 503);
  waits(r, 50);
  assert.equal(asked(), '');
});

for (const name of ['failover', 'round_robin', 'sticky'])
  test(`A17 when_all_down try, ${name}: each once, in the list's order`,
    async (t) => {
      let bad = true;
      const { sp, asked } = await group(t, { a: fails(500), b: fails(500),
        c: (c) => (bad ? fails(500)(c) : good()(c)) },
      { ...strategy(name), ...breaker(1, 3600, { when_all_down: 'try' }) });
      refused('claude', await send(t, sp), 502);
      asked();
      for (let i = 0; i < 3; i++) {
        refused('claude', await send(t, sp), 502);
        assert.equal(asked(), 'abc');
      }
      bad = false;
      from(await send(t, sp), 'c');
      assert.equal(asked(), 'abc');
      from(await send(t, sp), 'c');
      assert.equal(asked(), 'c');
    });

test('3 when_all_down try: not while one is healthy', async (t) => {
  let bad = false;
  const { sp, asked } = await ranked(t, { a: fails(500), b: (c) =>
    (bad ? fails(529)(c) : good()(c)) },
  breaker(1, 3600, { when_all_down: 'try' }));
  for (let i = 0; i < 4; i++) from(await send(t, sp), 'b');
  assert.equal(asked(), 'abbbb');
  /* The one that was left fails too: then the other one is better than
   * nothing. */
  bad = true;
  refused('claude', await send(t, sp), 502);
  assert.equal(asked(), 'ba');
});

/* ---- room ---- */

test('9 max_concurrent: who is full is skipped; all full: 503, 1 s',
  async (t) => {
    const gate = deferred();
    const hold = async (c) => {
      await gate.promise;
      return good()(c);
    };
    const { sp, ups } = await ranked(t, { a: hold, b: hold }, {},
      { a: { max_concurrent: 2 }, b: { max_concurrent: 1 } });
    const running = [];
    for (const [n, m] of [[1, 0], [2, 0], [2, 1]]) {
      running.push(send(t, sp));
      await until(() => ups.a.requests.length === n &&
        ups.b.requests.length === m, `${n} and ${m} requests`);
    }
    const r = await send(t, sp);
    refused('claude', r, 503);
    assert.equal(r.headers['retry-after'], '1');
    await sp.logs(/skips "a": busy/);
    gate.resolve();
    assert.deepEqual((await Promise.all(running)).map(of), ['a', 'a', 'b']);
    from(await send(t, sp), 'a');
  });

test('9 max_concurrent: clients that leave and failures give room back',
  async (t) => {
    const { sp, ups } = await ranked(t, { a: (c) => {
      if (c.n === 0) return undefined;
      return c.n < 4 ? fails(500)(c) : good()(c);
    } }, breaker(100, 1), { a: { max_concurrent: 1 } });
    const c = t.client(sp);
    c.request('POST', path, {}, ask.claude());
    await until(() => ups.a.requests.length === 1, 'the request');
    refused('claude', await send(t, sp), 503);
    c.close();
    await ups.a.requests[0].gone;
    for (let i = 0; i < 3; i++) refused('claude', await send(t, sp), 502);
    from(await send(t, sp), 'a');
  });

/* ---- own rate ---- */

test('A21 A22 requests_per_minute: exactly so many, then the next',
  async (t) => {
    const { sp, asked } = await ranked(t, { a: good(), b: good() },
      breaker(1, 60), { a: { requests_per_minute: 3 },
        b: { requests_per_minute: 2 } });
    for (let i = 0; i < 5; i++) assert.equal((await send(t, sp)).status, 200);
    assert.equal(asked(), 'aaabb');
    for (let i = 0; i < 3; i++) {
      const r = await send(t, sp);
      refused('claude', r, 429);
      waits(r, 60);
      assert.equal(r.headers['x-spillway-attempts'], '0');
    }
    assert.equal(asked(), '');
    await sp.logs(/skips "a": own rate limit/);
    assert.doesNotMatch(sp.stderr, /-> open|is down/);
  });

test('9 requests_per_minute counts attempts, failed ones too', async (t) => {
  const { sp, asked } = await ranked(t, { a: fails(500), b: good() },
    { ...breaker(100, 60), retry: { tries_per_backend: 2 } },
    { a: { requests_per_minute: 3 } });
  const seen = [];
  for (let i = 0; i < 3; i++) {
    from(await send(t, sp), 'b');
    seen.push(asked());
  }
  assert.deepEqual(seen, ['aab', 'ab', 'b']);
});

test('9 requests_per_minute: the fresh try of a stale connection is free',
  async (t) => {
    const { sp, ups, asked } = await ranked(t, { a: (c) => (c.nth === 1 &&
      c.conn.n === 0 ? c.reset() : good()(c)), b: good() }, {},
    { a: { requests_per_minute: 2 } });
    from(await send(t, sp), 'a');
    from(await send(t, sp), 'a');
    assert.equal(ups.a.connections.length, 2);
    from(await send(t, sp), 'b');
    assert.equal(asked(), 'aaab');
  });

test('9 requests_per_minute: a reload keeps the count', async (t) => {
  const { sp, asked } = await ranked(t, { a: good(), b: good() }, {},
    { a: { requests_per_minute: 2 } });
  await send(t, sp);
  sp.kill('SIGHUP');
  await sp.logs('is in service');
  for (let i = 0; i < 2; i++) await send(t, sp);
  assert.equal(asked(), 'aab');
});

test('one limited by us, one failed: 502; one limited, one down: 503',
  async (t) => {
    const { sp, asked } = await ranked(t, { a: good(), b: fails(500) },
      breaker(1, 60), { a: { requests_per_minute: 1 } });
    from(await send(t, sp), 'a');
    refused('claude', await send(t, sp), 502);
    refused('claude', await send(t, sp), 503);
    assert.equal(asked(), 'ab');
  });

/* ---- tries and pauses ---- */

test('3 tries_per_backend: so many before the next one', async (t) => {
  let g = await ranked(t, { a: fails(500), b: fails(500) },
    { ...breaker(100, 60), retry: { tries_per_backend: 2 } });
  refused('claude', await send(t, g.sp), 502);
  assert.equal(g.asked(), 'aabb');
  g = await ranked(t, { a: fails(500), b: fails(500) },
    { ...breaker(100, 60), retry: { tries_per_backend: 2, attempts: 3 } });
  refused('claude', await send(t, g.sp), 502);
  assert.equal(g.asked(), 'aab');
});

test('3 tries_per_backend: one that opens meanwhile is not tried again',
  async (t) => {
    const { sp, asked } = await ranked(t, { a: fails(500), b: good() },
      { ...breaker(1, 60), retry: { tries_per_backend: 3 } });
    from(await send(t, sp), 'b');
    assert.equal(asked(), 'ab');
  });

test('a client that leaves within the pause is asked for no more',
  async (t) => {
    const { sp, ups } = await ranked(t, { a: fails(500) },
      { ...breaker(100, 60), retry: { tries_per_backend: 2 } });
    const c = t.client(sp);
    c.request('POST', path, {}, ask.claude());
    await sp.logs(/attempt 1 .*failed/);
    c.close();
    await sp.logs(/499/);
    assert.equal(ups.a.requests.length, 1);
  });

test('the retry budget: while nobody answers, further attempts end',
  async (t) => {
    const { sp, asked } = await ranked(t, { a: fails(500), b: fails(500) },
      { ...breaker(100000, 60), retry: { budget_percent: 0 } });
    for (let i = 0; i < 60; i++) refused('claude', await send(t, sp), 502);
    const seen = asked();
    assert.equal(count(seen, 'a'), 60);
    assert.ok(count(seen, 'b') >= 30, `${count(seen, 'b')} further ones`);
    await until(async () => {
      await send(t, sp);
      return /budget/.test(sp.stderr);
    }, 'the budget in the log');
  });

test('the retry budget never ends what one backend would answer',
  async (t) => {
    const { sp } = await ranked(t, { a: fails(500), b: good() },
      { ...breaker(100000, 60), retry: { budget_percent: 0 } });
    for (let i = 0; i < 80; i++) from(await send(t, sp), 'b');
    assert.doesNotMatch(sp.stderr, /budget is used up/);
  });

test('slow start: who comes back begins with a small share', async (t) => {
  const { sp, asked } = await group(t, { a: (c) => (c.n === 0 ?
    fails(500)(c) : good()(c)), b: good() }, { ...strategy('round_robin'),
    ...breaker(1, 0.2, { slow_start_seconds: 3600 }) });
  await until(async () => {
    await send(t, sp);
    return /"a": half-open -> closed/.test(sp.stderr);
  }, 'the first to be back');
  asked();
  for (let i = 0; i < 200; i++)
    assert.equal((await send(t, sp)).status, 200);
  const n = count(asked(), 'a');
  assert.ok(n > 0 && n < 70, `${n} of 200`);
});

/* ---- health checks ---- */

const checks = (more = {}) => ({ health_check: { enabled: true,
  interval_seconds: 1, ...more } });
const gets = (up) => up.requests.filter((c) => c.method === 'GET');

test('V13 V14 health_check: who is down is asked with GET, and revives',
  async (t) => {
    let bad = true;
    const { sp, ups } = await ranked(t, { a: (c) => {
      if (c.method === 'GET') return fails(gets(ups.a).length < 3 ? 503 :
        200, '{"data":[]}')(c);
      return bad ? fails(500)(c) : good()(c);
    }, b: good() }, { ...breaker(1, 3600), ...checks() },
    { a: { headers: { 'x-of-a': 'yes' } } });
    from(await send(t, sp), 'b');
    bad = false;
    await until(() => gets(ups.a).length >= 2, 'two checks');
    from(await send(t, sp), 'b');
    await until(async () => of(await send(t, sp)) === 'a', 'the first');
    for (const q of gets(ups.a)) {
      assert.equal(q.target, '/v1/models');
      assert.match(q.raw, /tok-a-0123456789abcdef/);
      assert.equal(q.headers['x-of-a'], 'yes');
      assert.equal(q.headers.host, `127.0.0.1:${ups.a.port}`);
    }
    assert.equal(gets(ups.b).length, 0);
    assert.equal(ups.a.requests.filter((c) => c.method === 'POST').length, 2);
    from(await send(t, sp), 'a');
  });

for (const status of [200, 302, 401, 404, 429])
  test(`5 health_check: ${status} means reachable`, async (t) => {
    const { sp } = await ranked(t, { a: (c) => {
      if (c.method === 'GET') return fails(status, '{}')(c);
      return c.n === 0 ? fails(500)(c) : good()(c);
    }, b: good() }, { ...breaker(1, 3600), ...checks({ path: '/up?x=1' }) });
    from(await send(t, sp), 'b');
    await until(async () => of(await send(t, sp)) === 'a', 'the first');
  });

test('5 health_check: it listens again', async (t) => {
  const port = await freePort();
  const b = await t.provider(good());
  const sp = await t.proxy([backend('a', `http://127.0.0.1:${port}`),
    backend('b', b)], { ...breaker(1, 3600), ...checks() });
  from(await send(t, sp), 'b');
  from(await send(t, sp), 'b');
  await t.provider((c) => (c.method === 'GET' ? c.answer(200, '{}') :
    good()(c)), { port });
  await until(async () => of(await send(t, sp)) === 'a', 'the first');
});

test('V13 health_check: a good one clears the window', async (t) => {
  const { sp, ups } = await ranked(t, { a: (c) => {
    if (c.method === 'GET') return c.answer(200, '{}');
    return c.n < 2 ? fails(500)(c) : good()(c);
  }, b: good() }, { ...window(3600), ...checks() });
  for (let i = 0; i < 2; i++) from(await send(t, sp), 'b');
  await until(async () => of(await send(t, sp)) === 'a', 'the first');
  assert.equal(gets(ups.a).length, 1);
});

test('5 health_check: a reload while one is running', async (t) => {
  const { sp, ups, config } = await ranked(t, { a: (c) => {
    if (c.method === 'GET') return gets(ups.a).length > 1 ?
      c.answer(200, '{}') : undefined;
    return c.n === 0 ? fails(500)(c) : good()(c);
  }, b: good() }, { ...breaker(1, 3600), ...checks() });
  from(await send(t, sp), 'b');
  await until(() => gets(ups.a).length === 1, 'a check');
  fs.writeFileSync(sp.file, JSON.stringify(config));
  sp.kill('SIGHUP');
  await ups.a.requests.find((c) => c.method === 'GET').gone;
  await until(async () => of(await send(t, sp)) === 'a', 'the first');
});
