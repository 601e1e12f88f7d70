/*
 * Bad luck of every kind at once, between APIs: whatever providers do, a
 * client's answer is in its grammar, and its end fits what it was told.
 */
import zlib from 'node:zlib';
import { assert, table, turn } from './lib.mjs';
import { errorBody, plain } from './say.mjs';
import { apis, by, clients, errorIn, errorLater, events, pairs, says, send,
  streamClients } from './cross.mjs';

const words = ['go', 'od', '\u00fc"\\'];

/* Numbers that are the same for the same seed; told by the test's name. */
function dice(seed) {
  let x = seed * 7919 + 1;
  return (n) => {
    x = (x * 1103515245 + 12345) % 2147483648;
    return (x >> 8) % n;
  };
}

const streaming = (c) =>
  /stream(GenerateContent|": ?true)/.test(c.target + c.text);

const spoilt = (bytes, roll) => {
  const b = Buffer.from(bytes);
  b[roll(b.length)] = roll(256);
  return b;
};

async function inPieces(c, bytes, roll) {
  await c.sse();
  for (let at = 0; at < bytes.length;) {
    const n = 1 + roll(90);
    await c.chunk(bytes.subarray(at, at + n));
    at += n;
  }
  return c.last();
}

/* What a provider of that API may do to a request. */
const luck = (api, roll) => async (c) => {
  const text = says[api](words).join('');
  const list = says[api](words);
  const bytes = Buffer.from(text);
  const whole = JSON.stringify(plain[api](words.join('')));
  const packed = { 'content-encoding': 'gzip',
    'content-type': 'text/event-stream' };
  switch (roll(14)) {
    case 0:
      return c.answer([529, 500, 429, 400, 404, 401, 302, 204][roll(8)],
        roll(2) ? errorBody[api]() : 'x'.repeat(roll(3000)));
    case 1:
      return c.close();
    case 2:
      await c.sse();
      return c.reset();
    case 3:
      await c.sse();
      await c.chunk(bytes.subarray(0, 1 + roll(bytes.length - 1)));
      return roll(2) ? c.reset() : c.last();
    case 4:
      await c.sse();
      for (const e of list.slice(0, roll(list.length)))
        await c.chunk(e);
      await c.chunk(errorLater[api]('boom'));
      return c.last();
    case 5:
      await c.sse();
      await c.chunk(spoilt(bytes, roll));
      return c.last();
    case 6:
      return c.answer(200, spoilt(Buffer.from(whole), roll));
    case 7:
      return c.answer(200, zlib.gzipSync(text), packed);
    case 8:
      return c.answer(200, spoilt(zlib.gzipSync(text), roll), packed);
    case 9:
      return streaming(c) ? c.answer(200, whole) :
        inPieces(c, bytes, roll);
    default:
      return streaming(c) ? inPieces(c, bytes, roll) :
        c.answer(200, whole);
  }
};

/* What any client may expect of any answer. */
function sane(from, r, stream) {
  if (r.status !== 200) {
    assert.equal(typeof r.json.error.message, 'string');
    assert.equal(r.complete, true);
  } else if (!stream) {
    assert.equal(r.complete, true);
    assert.equal(r.json.error ?? null, null);
  } else {
    const e = errorIn(from, events(from, r.text, from === 'openai'));
    assert.equal(r.complete, !e, `${e ? 'an error' : 'no error'}, ${
      r.complete ? 'whole' : 'cut'}:\n${r.text}`);
  }
}

const calm = { failover: { circuit_breaker: { failure_threshold: 100000 } } };

table('storm', Array.from({ length: 8 }, (_, i) => ({ name: `seed ${i + 1}`,
  seed: i + 1 })), async (t, { seed }) => {
  const roll = dice(seed);
  const list = [];
  for (const api of apis)
    list.push(by(api, api, await t.provider(luck(api, roll))));
  list.sort(() => roll(3) - 1);
  const sp = await t.proxy(list.map((b, i) => ({ ...b, priority: i + 1 })),
    { ...calm, validation: { strict_anthropic_format: seed % 2 === 0 } });
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 25; i++) {
      const from = Object.keys(clients)[roll(4)];
      const stream = roll(2) === 1;
      const call = (stream ? streamClients : clients)[from];
      if (roll(8) === 0) {
        const c = t.client(sp);
        c.request('POST', call.path, {}, call.body);
        await turn(roll(20));
        c.close();
        continue;
      }
      const r = await send(t, sp, call);
      /* An answer of its own API passes as it is, good or bad. */
      if (r.headers['x-spillway-backend'] !== from) sane(from, r, stream);
    }
  }));
});

table('one byte is wrong', pairs, async (t, { from, to }) => {
  const roll = dice(3);
  const bytes = Buffer.from(says[to](words).join(''));
  const up = await t.provider(async (c) => {
    await c.sse();
    await c.chunk(spoilt(bytes, roll));
    return c.last();
  });
  const sp = await t.proxy([by(to, 'a', up)], calm);
  for (let i = 0; i < 40; i++)
    sane(from, await send(t, sp, streamClients[from]), true);
});
