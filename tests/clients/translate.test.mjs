/*
 * Every client on every kind of backend: the makers' own libraries through
 * Spillway, against providers that speak only their own API.
 */
import Anthropic from '@anthropic-ai/sdk';
import { ApiError, GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { assert, test } from '../e2e/lib.mjs';
import { firstError } from '../e2e/say.mjs';
import { asked, key, own, secret, talk } from './talk.mjs';
import { models, signatures, vendor } from './vendor.mjs';

const clients = ['anthropic', 'chat', 'responses', 'google'];
const backends = ['claude', 'openai', 'gemini'];

const names = { anthropic: 'anthropic', chat: 'openai chat',
  responses: 'openai responses', google: 'google' };

/*
 * A test for each cell.  The Responses API has two of them on OpenAI: with
 * the real thing (unless not `real`), and with a server that has only chat
 * completions.
 */
function matrix(what, fn, which = clients, real = true) {
  for (const client of which)
    for (const api of backends) {
      const title = `matrix: ${names[client]} client on ${api} backend`;
      const native = own[client] === api;
      if (real || client !== 'responses' || !native)
        test(`${title}: ${what}`, (t) =>
          fn(t, { client, api, native, more: {} }));
      if (client === 'responses' && native)
        test(`${title}, chat only: ${what}`, (t) =>
          fn(t, { client, api, native: false, more:
            { responses: false } }));
    }
}

async function open(t, cell, script, options = {}, rules = {}, config = {}) {
  const up = await vendor(t, cell.api, script, { native: cell.native,
    ...rules });
  const sp = await t.proxy([up.entry({ ...cell.more, ...rules.entry })],
    config);
  secret(t, [up]);
  return { up, sp, url: `http://127.0.0.1:${sp.port}`,
    talk: talk(cell.client, `http://127.0.0.1:${sp.port}`, options) };
}

/* ---- texts ---- */

const exact = { in: 25, read: 5, out: 7 };

function greeted(cell, r) {
  assert.equal(r.text, 'Hello there');
  assert.equal(r.stop, 'end');
  assert.equal(r.model, cell.native ? models[cell.api] :
    asked[cell.client]);
  assert.deepEqual(r.usage, exact);
}

matrix('plain', async (t, cell) => {
  const { up, talk: a } = await open(t, cell, ['Hello there'],
    { system: 'Be kind.' });
  greeted(cell, await a.say('hi'));
  assert.match(JSON.stringify(up.asked[0]), /Be kind\./);
  await a.say('and again');
  assert.match(JSON.stringify(up.asked[1]), /Hello there.*and again/);
});

matrix('stream', async (t, cell) => {
  const { up, talk: a } = await open(t, cell, ['Hello there'],
    { stream: true });
  const r = await a.say('hi');
  greeted(cell, r);
  assert.deepEqual(r.pieces, ['Hello ', 'there']);
  await a.say('and again');
  assert.match(JSON.stringify(up.asked[1]), /Hello .*there.*and again/);
});

/* ---- tools ---- */

const tools = [
  { name: 'weather', description: 'the weather', schema: {
    $schema: 'http://json-schema.org/draft-07/schema#', type: 'object',
    properties: { town: { type: 'string' },
      days: { type: 'integer', exclusiveMinimum: 0 } },
    required: ['town'], additionalProperties: false } },
  { name: 'clock', description: 'the time', schema: { type: 'object',
    properties: { zone: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
    required: ['zone'] } },
];

const idOf = { claude: 'toolu_01', openai: 'call_01', gemini: 'fc01' };

/* Thinks, says something and calls twice; n tells its signatures apart. */
const working = (api, n = 1, thinks = false) => ({ parts: [
  ...(thinks ? [{ think: `pondering ${n}`, ...(api === 'gemini' ? {} :
    { sig: n }) }] : []),
  { text: 'Let me see.' },
  { call: 'weather', id: `${idOf[api]}a${n}`, args: { town: 'Uppsäla "x"',
    days: 2 }, ...(api === 'gemini' ? { sig: n } : {}) },
  { call: 'clock', id: `${idOf[api]}b${n}`, args: { zone: 'CET' } }] });

/* [name, what it said] of each result, as the provider was told. */
const results = {
  claude: (b) => b.messages.flatMap((m) => (Array.isArray(m.content) ?
    m.content : [])).filter((x) => x.type === 'tool_result').map((x) =>
    [x.tool_use_id, JSON.stringify(x.content)]),
  openai: (b) => (b.input ? b.input.filter((x) =>
    x.type === 'function_call_output').map((x) =>
    [x.call_id, x.output]) : b.messages.filter((m) =>
    m.role === 'tool').map((m) => [m.tool_call_id, m.content])),
  gemini: (b) => b.contents.flatMap((x) => x.parts).filter((p) =>
    p.functionResponse).map((p) => [p.functionResponse.id,
    JSON.stringify(p.functionResponse.response)]),
};

function called(r) {
  assert.equal(r.text, 'Let me see.');
  assert.equal(r.stop, 'tool');
  assert.deepEqual(r.calls.map(({ name, args }) => ({ name, args })), [
    { name: 'weather', args: { town: 'Uppsäla "x"', days: 2 } },
    { name: 'clock', args: { zone: 'CET' } }]);
  assert.equal(new Set(r.calls.map((c) => c.id)).size, 2);
}

const answers = (r) => [{ call: r.calls[0], output: '12 degrees' },
  { call: r.calls[1], error: 'no such zone' }];

for (const stream of [false, true])
  matrix(`two calls at once and their results${stream ? ', streamed' : ''}`,
    async (t, cell) => {
      const { up, talk: a } = await open(t, cell, [working(cell.api),
        'Mild.'], { tools, stream });
      const r = await a.say('weather?');
      called(r);
      const done = await a.results(answers(r));
      assert.equal(done.text, 'Mild.');
      assert.equal(done.stop, 'end');
      assert.equal(up.asked.length, 2);
      const got = results[cell.api](up.asked[1]);
      assert.deepEqual(got.map((x) => x[0]), [`${idOf[cell.api]}a1`,
        `${idOf[cell.api]}b1`]);
      assert.match(got[0][1], /12 degrees/);
      assert.match(got[1][1], /no such zone/);
      /* Only these two have a word for a result that is an error. */
      if (cell.client !== 'anthropic' && cell.client !== 'google') return;
      if (cell.api === 'claude')
        assert.equal(up.asked[1].messages[2].content[1].is_error, true);
      else
        assert.match(got[1][1], cell.api === 'openai' ? /^\[error\] / :
          /^\{"error":/);
    });

matrix('a tool is forced', async (t, cell) => {
  const { up, talk: a } = await open(t, cell, [working(cell.api)],
    { tools, choice: 'clock' });
  await a.say('time?');
  const b = up.asked[0];
  if (cell.api === 'claude')
    assert.deepEqual(b.tool_choice, { type: 'tool', name: 'clock' });
  else if (cell.api === 'gemini')
    assert.deepEqual(b.toolConfig.functionCallingConfig, { mode: 'ANY',
      allowedFunctionNames: ['clock'] });
  else
    assert.match(JSON.stringify(b.tool_choice), /"name":"clock"/);
});

test('matrix: calls of Gemini without ids are paired by their order',
  async (t) => {
    for (const client of clients) {
      const first = { parts: [{ call: 'weather', args: { town: 'A' } },
        { call: 'weather', args: { town: 'B' } }] };
      const cell = { client, api: 'gemini', native: client === 'google',
        more: {} };
      const { up, talk: a } = await open(t, cell, [first, 'ok'],
        { tools, stream: true }, { model: 'gemini-2.5-flash' });
      const r = await a.say('weather?');
      assert.deepEqual(r.calls.map((c) => c.args.town), ['A', 'B']);
      await a.results([{ call: r.calls[0], output: 'rain' },
        { call: r.calls[1], output: 'sun' }]);
      assert.deepEqual(results.gemini(up.asked[1]).map((x) =>
        JSON.parse(x[1]).output), ['rain', 'sun'], client);
    }
  });

/* ---- thinking ---- */

/* The Responses API itself tells its summaries only to those who ask. */
for (const stream of [false, true])
  matrix(`thoughts, and their signature back${stream ? ', streamed' : ''}`,
    async (t, cell) => {
      const { up, talk: a } = await open(t, cell, [working(cell.api, 1,
        true), 'Mild.'], { tools, stream, think: 'high' });
      const r = await a.say('weather?');
      called(r);
      assert.equal(r.thoughts, 'pondering 1');
      await a.results(answers(r));
      const back = cell.api === 'openai' && (cell.client !== 'responses' ||
        !cell.native) ? [] : [`${cell.api} 1`];
      assert.deepEqual(signatures(up.asked[1]), back);
      for (const b of up.asked) {
        if (cell.api === 'claude') assert.equal(b.thinking.type, 'enabled');
        if (cell.api === 'gemini') assert.deepEqual(
          b.generationConfig.thinkingConfig, { includeThoughts: true,
            thinkingLevel: 'HIGH' });
        if (cell.api === 'openai') assert.equal(b.reasoning_effort ??
          b.reasoning.effort, 'high');
      }
    });

const overloaded = { trouble: 'overloaded' };

/* Each turn of a talk is answered by another vendor: x, y, x. */
for (const client of clients)
  for (const x of backends)
    for (const y of backends.filter((b) => b !== x))
      for (const stream of [false, true])
        test(`switch: ${names[client]} client, ${x} to ${y} and back` +
          `${stream ? ', streamed' : ''}`, async (t) => {
          const a = await vendor(t, x, (b, n) => [working(x, 1, true),
            overloaded, 'Done.'][n], { native: own[client] === x });
          const b = await vendor(t, y, () => working(y, 2, true),
            { native: own[client] === y });
          const sp = await t.proxy([a.entry(), b.entry()]);
          secret(t, [a, b]);
          const c = talk(client, `http://127.0.0.1:${sp.port}`,
            { tools, stream, think: 'medium' });
          const one = await c.say('weather?');
          called(one);
          const two = await c.results(answers(one));
          called(two);
          const three = await c.results(answers(two));
          assert.equal(three.text, 'Done.');
          assert.deepEqual(signatures(b.asked[0]), []);
          assert.equal(results[y](b.asked[0]).length, 2);
          assert.equal(results[x](a.asked[2]).length, 4);
          for (const s of signatures(a.asked[2])) assert.equal(s, `${x} 1`);
          if (x !== 'openai')
            assert.deepEqual(signatures(a.asked[2]), [`${x} 1`]);
        });

for (const client of clients)
  for (const y of ['openai', 'gemini'])
    test(`switch: ${names[client]} client, claude to ${y} that shows no ` +
      'thoughts, and back', async (t) => {
      const a = await vendor(t, 'claude', (b, n) => [working('claude', 1,
        true), overloaded, 'Done.'][n], { native: client === 'anthropic' });
      const b = await vendor(t, y, () => working(y, 2),
        { native: own[client] === y });
      const sp = await t.proxy([a.entry(), b.entry()]);
      const c = talk(client, `http://127.0.0.1:${sp.port}`,
        { tools, think: 'medium' });
      const one = await c.say('weather?');
      const two = await c.results(answers(one));
      called(two);
      assert.equal((await c.results(answers(two))).text, 'Done.');
    });

/* ---- media ---- */

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk' +
  '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const pdf = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');

matrix('an image and a document', async (t, cell) => {
  const { up, talk: a } = await open(t, cell, ['A dot.']);
  const r = await a.say('what is this?', { image: png }, { pdf });
  assert.equal(r.text, 'A dot.');
  const b = up.asked[0];
  if (cell.api === 'claude') {
    assert.deepEqual(b.messages[0].content[1].source, { type: 'base64',
      media_type: 'image/png', data: png });
    assert.deepEqual(b.messages[0].content[2].source, { type: 'base64',
      media_type: 'application/pdf', data: pdf });
  } else if (cell.api === 'gemini') {
    assert.deepEqual(b.contents[0].parts.slice(1).map((p) =>
      p.inlineData), [{ mimeType: 'image/png', data: png },
      { mimeType: 'application/pdf', data: pdf }]);
  } else {
    const said = JSON.stringify(b);
    assert.ok(said.includes(`data:image/png;base64,${png}`), said);
    assert.ok(said.includes(`data:application/pdf;base64,${pdf}`), said);
  }
});

for (const api of backends)
  test(`matrix: anthropic client on ${api} backend: an image in a result`,
    async (t) => {
      const cell = { client: 'anthropic', api, native: api === 'claude',
        more: {} };
      const { up, talk: a } = await open(t, cell, [working(api), 'A dot.'],
        { tools });
      const r = await a.say('look');
      await a.results([{ call: r.calls[0], output: 'see', image: png },
        { call: r.calls[1], output: 'noon' }]);
      assert.ok(JSON.stringify(up.asked[1]).includes(png));
    });

/* Claude hides some of its thoughts: they must come back all the same. */
for (const stream of [false, true])
  for (const client of clients)
    test(`matrix: ${names[client]} client on claude backend: hidden ` +
      `thoughts come back${stream ? ', streamed' : ''}`, async (t) => {
      const cell = { client, api: 'claude', more: {},
        native: client === 'anthropic' };
      const hidden = { ...working('claude') };
      hidden.parts = [{ hidden: 'c2VjcmV0' }, ...hidden.parts];
      const { up, talk: a } = await open(t, cell, [hidden, 'Done.'],
        { tools, stream, think: 'medium' });
      const r = await a.say('weather?');
      called(r);
      await a.results(answers(r));
      assert.deepEqual(up.asked[1].messages[1].content[0],
        { type: 'redacted_thinking', data: 'c2VjcmV0' });
      assert.equal(up.asked[1].thinking.type, 'enabled');
    });

/* ---- structured output ---- */

const person = { type: 'object', properties: { name: { type: 'string' },
  age: { type: 'integer' } }, required: ['name', 'age'],
additionalProperties: false };

matrix('structured output', async (t, cell) => {
  const { up, talk: a } = await open(t, cell, ['{"name":"Ada","age":36}'],
    { format: person });
  const r = await a.say('who?');
  assert.deepEqual(JSON.parse(r.text), { name: 'Ada', age: 36 });
  const b = up.asked[0];
  const schema = cell.api === 'claude' ? b.output_config.format.schema :
    cell.api === 'gemini' ? b.generationConfig.responseSchema ??
      b.generationConfig.responseJsonSchema :
      (b.response_format?.json_schema ?? b.text.format).schema;
  assert.deepEqual(Object.keys(schema.properties), ['name', 'age']);
  assert.deepEqual(schema.required, ['name', 'age']);
});

test('matrix: the parsing helpers of the SDKs', async (t) => {
  const said = ['{"name":"Ada","age":36}'];
  const format = { type: 'json_schema', schema: person };
  for (const api of backends) {
    for (const client of ['anthropic', 'chat', 'responses']) {
      const native = own[client] === api;
      const { url } = await open(t, { client, api, native, more: {} }, said);
      const ai = new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
      let got;
      if (client === 'anthropic') {
        const m = await new Anthropic({ apiKey: key, baseURL: url }).messages
          .parse({ model: asked.anthropic, max_tokens: 99, messages: [
            { role: 'user', content: 'who?' }],
          output_config: { format } });
        got = m.parsed_output ?? JSON.parse(m.content[0].text);
      } else if (client === 'chat') {
        const m = await ai.chat.completions.parse({ model: asked.chat,
          messages: [{ role: 'user', content: 'who?' }], response_format: {
            type: 'json_schema', json_schema: { name: 'p', strict: true,
              schema: person } } });
        got = m.choices[0].message.parsed ??
          JSON.parse(m.choices[0].message.content);
      } else {
        const m = await ai.responses.parse({ model: asked.chat,
          input: 'who?', text: { format: { ...format, name: 'p',
            strict: true } } });
        got = m.output_parsed ?? JSON.parse(m.output_text);
      }
      assert.deepEqual(got, { name: 'Ada', age: 36 }, `${client} ${api}`);
    }
  }
});

/* ---- stop reasons ---- */

for (const stream of [false, true]) {
  const how = stream ? ', streamed' : '';
  matrix(`stopped at the limit${how}`, async (t, cell) => {
    const { up, talk: a } = await open(t, cell, [{ stop: 'max',
      parts: [{ text: 'Once upon' }] }], { max: 3000, stream });
    const r = await a.say('a story');
    assert.equal(r.stop, 'max');
    assert.equal(r.text, 'Once upon');
    const b = up.asked[0];
    assert.equal(b.max_tokens ?? b.max_completion_tokens ??
      b.max_output_tokens ?? b.generationConfig.maxOutputTokens, 3000);
  });

  matrix(`refused${how}`, async (t, cell) => {
    const { talk: a } = await open(t, cell, [{ stop: 'refusal',
      parts: [{ text: 'I must stop' }] }], { stream });
    const r = await a.say('something bad');
    assert.equal(r.stop, 'refusal');
    assert.equal(r.text, 'I must stop');
  }, clients, false);
}

matrix('stop sequences', async (t, cell) => {
  const model = { claude: 'claude-sonnet-4-5', openai: 'gpt-4o',
    gemini: 'gemini-2.5-flash' }[cell.api];
  const { up, talk: a } = await open(t, cell, [{ stop: 'sequence',
    stopped: 'END', parts: [{ text: 'so far' }] }], { stops: ['END'] },
  { model });
  const r = await a.say('until END');
  const b = up.asked[0];
  assert.deepEqual(b.stop_sequences ?? b.stop ??
    b.generationConfig.stopSequences, ['END']);
  if (cell.client === 'anthropic' && cell.api === 'claude')
    assert.equal(r.raw.stop_sequence, 'END');
  else
    assert.equal(r.stop, 'end');
}, ['anthropic', 'chat', 'google']);

/* ---- errors ---- */

/* What each library raises, and the status that it tells. */
const raised = {
  anthropic: { rate: [Anthropic.RateLimitError, 429],
    overloaded: [Anthropic.APIError, 529],
    context: [Anthropic.BadRequestError, 400],
    key: [Anthropic.AuthenticationError, 401] },
  chat: { rate: [OpenAI.RateLimitError, 429],
    overloaded: [OpenAI.InternalServerError, 503],
    context: [OpenAI.BadRequestError, 400],
    key: [OpenAI.AuthenticationError, 401] },
  google: { rate: [ApiError, 429], overloaded: [ApiError, 503],
    context: [ApiError, 400], key: [ApiError, 401] },
};
raised.responses = raised.chat;

function sameError(cell, trouble, e) {
  const [kind, status] = raised[cell.client][trouble];
  assert.ok(e instanceof kind, `${e?.stack ?? e}`);
  /* Google itself says 400 of a bad key. */
  assert.equal(e.status, cell.client === 'google' && cell.native &&
    trouble === 'key' ? 400 : status, e.message);
  if (cell.client === 'anthropic') {
    assert.equal(e.type ?? e.error.error.type, { rate: 'rate_limit_error',
      overloaded: 'overloaded_error', context: 'invalid_request_error',
      key: 'authentication_error' }[trouble]);
    if (trouble === 'context') assert.match(e.message, /prompt is too long/);
  } else if (cell.client !== 'google') {
    if (trouble === 'context')
      assert.equal(e.code, 'context_length_exceeded');
    if (trouble === 'key') assert.equal(e.code, 'invalid_api_key');
  }
  if (trouble === 'rate' && cell.client !== 'google')
    assert.match(e.headers.get('retry-after') ?? '', /^[567]$/);
}

for (const trouble of ['rate', 'overloaded', 'context', 'key'])
  for (const stream of [false, true])
    matrix(`error: ${trouble}${stream ? ', streamed' : ''}`,
      async (t, cell) => {
        const { talk: a } = await open(t, cell, [{ trouble }], { stream },
          {}, { failover: { on: ['408'] } });
        await assert.rejects(a.say('hi'), (e) => {
          sameError(cell, trouble, e);
          return true;
        });
      });

matrix('error: all are limited', async (t, cell) => {
  const { talk: a } = await open(t, cell, [{ trouble: 'rate' }]);
  await assert.rejects(a.say('hi'), (e) => {
    sameError(cell, 'rate', e);
    return true;
  });
});

matrix('error: a stream that breaks within a text', async (t, cell) => {
  const { talk: a } = await open(t, cell, [{ parts: [
    { text: 'Hello there' }], cutAt: { claude: 4, openai: 2, gemini: 1 }[
    cell.api] + (cell.client === 'responses' && cell.native ? 2 : 0) }],
  { stream: true });
  await assert.rejects(a.say('hi'));
});

const erring = (api) => [{ parts: [{ text: 'Hello there' }],
  cutAt: { claude: 4, openai: 2, gemini: 1 }[api], event: firstError[api] }];

matrix('error: an error within a stream', async (t, cell) => {
  const { talk: a } = await open(t, cell, erring(cell.api),
    { stream: true });
  await assert.rejects(a.say('hi'), (e) => {
    assert.match(String(e.message), /overloaded/i);
    assert.ok(e instanceof { anthropic: Anthropic.APIError,
      chat: OpenAI.APIError, google: ApiError }[cell.client], e.stack);
    return true;
  });
}, ['anthropic', 'chat', 'google']);

matrix('error: an error within a stream', async (t, cell) => {
  const { url } = await open(t, cell, erring(cell.api));
  const seen = [];
  const all = async () => {
    for await (const e of await new OpenAI({ apiKey: key,
      baseURL: `${url}/v1` }).responses.create({ model: asked.responses,
      input: 'hi', stream: true })) seen.push(e);
  };
  await all().catch(() => {});
  const last = seen.pop();
  assert.equal(last.type, 'response.failed');
  assert.match(last.response.error.message, /overloaded/i);
  assert.equal(last.response.status, 'failed');
}, ['responses'], false);

matrix('error: a stream that breaks before a text moves on',
  async (t, cell) => {
    const a = await vendor(t, cell.api, [{ parts: [{ text: 'lost' }],
      cutAt: { claude: 2, openai: 1, gemini: 0 }[cell.api] }],
    { native: cell.native });
    const others = backends.filter((x) => x !== cell.api);
    const ups = [a];
    for (const api of others) ups.push(await vendor(t, api,
      [api === others[1] ? 'Found.' : overloaded],
      { native: own[cell.client] === api }));
    const sp = await t.proxy(ups.map((u) => u.entry()));
    const r = await talk(cell.client, `http://127.0.0.1:${sp.port}`,
      { stream: true }).say('hi');
    assert.equal(r.text, 'Found.');
    assert.equal(r.stop, 'end');
    assert.ok(ups.every((u) => u.requests.length === 1));
  });

/* ---- counting and lists ---- */

for (const api of backends) {
  test(`matrix: anthropic client on ${api} backend: tokens are counted`,
    async (t) => {
      const cell = { client: 'anthropic', api, native: api === 'claude',
        more: {} };
      const { url } = await open(t, cell, []);
      const r = await new Anthropic({ apiKey: key, baseURL: url }).messages
        .countTokens({ model: asked.anthropic, system: 'Be kind.',
          messages: [{ role: 'user', content: 'hi' }], tools: [{
            name: 'clock', input_schema: tools[1].schema }] });
      if (api === 'openai') assert.ok(r.input_tokens > 10);
      else assert.equal(r.input_tokens, 42);
    });

  test(`matrix: google client on ${api} backend: tokens are counted`,
    async (t) => {
      const cell = { client: 'google', api, native: api === 'gemini',
        more: {} };
      const { url } = await open(t, cell, []);
      const r = await new GoogleGenAI({ apiKey: key,
        httpOptions: { baseUrl: url } }).models.countTokens({
        model: asked.google, contents: 'hi there, this is me' });
      if (api === 'openai') assert.ok(r.totalTokens > 5);
      else assert.equal(r.totalTokens, 42);
    });
}
