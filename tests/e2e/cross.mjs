/*
 * Tools of the tests where client and backend speak different APIs: what
 * clients ask, how their answers are read, and the strict grammar of each
 * client's stream.
 */
import { createRequire } from 'node:module';
import { assert } from './lib.mjs';
import { ask, backend, calls, ev, data, plain, stream, streamCalls }
  from './say.mjs';

const require = createRequire(import.meta.url);
const { check } = require('../vectors/tools/grammar.js');
const { parseSSE } = require('../vectors/tools/sse.js');

export const apis = ['claude', 'openai', 'gemini'];
export const models = { claude: 'claude-sonnet-4-5', openai: 'gpt-4o',
  gemini: 'gemini-2.5-flash' };

/* All that clients can speak: Responses has no backend of its own here. */
export const clients = {
  claude: calls.claude, openai: calls.openai, gemini: calls.gemini,
  responses: { api: 'responses', path: '/v1/responses',
    body: { model: 'gpt-4o', input: 'hi' } },
};
export const streamClients = {
  claude: streamCalls.claude, gemini: streamCalls.gemini,
  openai: { ...streamCalls.openai, body: ask.chat({ stream: true,
    stream_options: { include_usage: true } }) },
  responses: { ...clients.responses,
    body: { model: 'gpt-4o', input: 'hi', stream: true } },
};

/* client x backend, but for those that need no translation. */
export const pairs = Object.keys(clients).flatMap((from) => apis
  .filter((to) => from !== to)
  .map((to) => ({ name: `${from} to ${to}`, from, to })));

/* A backend that takes any model, as it has one. */
export const by = (api, name, up, more = {}) => backend(name, up,
  { api_type: api, model: models[api],
    ...(api === 'openai' ? { responses: false } : {}), ...more });

export const send = (t, sp, call, headers = {}) =>
  t.ask(sp, 'POST', call.path, headers, call.body);

/* The events of a stream of a provider, with usage as the real ones say. */
export const says = {
  claude: (words) => stream.claude(words),
  openai: (words) => {
    const list = stream.openai(words);
    list.splice(-1, 0, data({ id: 'c1', object: 'chat.completion.chunk',
      created: 1, model: 'gpt-4o', choices: [], usage: { prompt_tokens: 3,
        completion_tokens: 2, total_tokens: 5 } }));
    return list;
  },
  gemini: (words) => {
    const list = stream.gemini(words);
    const last = JSON.parse(list.pop().slice(6));
    last.usageMetadata = plain.gemini().usageMetadata;
    return [...list, data(last)];
  },
};

/* A stream that says nothing more after its content: no stop reason. */
export const unfinished = {
  claude: (words) => stream.claude(words).slice(0, 3 + words.length),
  openai: (words) => stream.openai(words).slice(0, 1 + words.length),
  gemini: (words) => stream.gemini([...words, '']).slice(0, words.length),
};

export const errorLater = {
  claude: (message) => ev('error', { error: { type: 'overloaded_error',
    message } }),
  openai: (message) => data({ error: { message, type: 'server_error',
    code: null, param: null } }),
  gemini: (message) => data({ error: { code: 503, status: 'UNAVAILABLE',
    message } }),
};

/* What a client reads in a plain answer. */
const plainText = {
  claude: (j) => {
    assert.equal(j.type, 'message');
    assert.equal(j.stop_reason, 'end_turn');
    return j.content.map((b) => b.text).join('');
  },
  openai: (j) => {
    assert.equal(j.object, 'chat.completion');
    assert.equal(j.choices[0].finish_reason, 'stop');
    return j.choices[0].message.content;
  },
  gemini: (j) => {
    assert.equal(j.candidates[0].finishReason, 'STOP');
    return j.candidates[0].content.parts.map((p) => p.text).join('');
  },
  responses: (j) => {
    assert.equal(j.object, 'response');
    assert.equal(j.status, 'completed');
    return j.output.flatMap((i) => i.content).map((c) => c.text).join('');
  },
};

/* A whole plain answer in the client's own API: its text. */
export function readPlain(api, r) {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.complete, true);
  assert.equal(r.headers['content-type'], 'application/json');
  assert.equal(Number(r.headers['content-length']), r.body.length);
  return plainText[api](r.json);
}

export const grammarName = { claude: 'anthropic', openai: 'openai',
  gemini: 'gemini', responses: 'responses' };

/* The events of a stream, after the strict grammar of its client. */
export function events(api, text, usage = false) {
  assert.deepEqual(check(grammarName[api], text,
    { includeUsage: usage }), [], text);
  return parseSSE(text).filter((e) => e.data !== '[DONE]')
    .map((e) => JSON.parse(e.data));
}

const pieceOf = {
  claude: (d) => d.delta?.text ?? '',
  openai: (d) => d.choices?.[0]?.delta.content ?? '',
  gemini: (d) => (d.candidates?.[0]?.content.parts ?? [])
    .map((p) => p.text ?? '').join(''),
  responses: (d) => d.type === 'response.output_text.delta' ? d.delta : '',
};

const isError = {
  claude: (d) => d.type === 'error' && d.error,
  openai: (d) => d.error,
  gemini: (d) => d.error,
  responses: (d) => d.type === 'response.failed' && d.response.error,
};

export const pieces = (api, list) => list.map(pieceOf[api])
  .filter((s) => s !== '');

/* The error in a stream's events, if there is one. */
export const errorIn = (api, list) => list.map(isError[api]).find((e) => e);

/* A whole stream in the client's own API: its text. */
export function readStream(api, r, usage = api === 'openai') {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.headers['content-type'], 'text/event-stream');
  assert.equal(r.headers['cache-control'], 'no-cache');
  assert.equal(r.headers['content-length'], undefined);
  assert.equal(r.complete, true);
  const list = events(api, r.text, usage);
  assert.equal(errorIn(api, list), undefined, r.text);
  return pieces(api, list).join('');
}

/* A stream that broke after its head: the client must see it, twice. */
export function readBroken(api, r) {
  assert.equal(r.status, 200, r.text);
  assert.equal(r.complete, false, 'a polite end of a broken answer');
  const list = events(api, r.text, api === 'openai');
  const e = errorIn(api, list);
  assert.ok(e, r.text);
  assert.doesNotMatch(r.text, /message_stop|\[DONE\]|finishReason/);
  assert.doesNotMatch(r.text, /response\.(completed|incomplete)"/);
  return { text: pieces(api, list).join(''), error: e };
}
