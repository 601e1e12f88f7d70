/* What clients ask and providers say, in the three dialects. */
import assert from 'node:assert/strict';

export const ask = {
  claude: (more = {}) => ({ model: 'claude-sonnet-4-5', max_tokens: 64,
    messages: [{ role: 'user', content: 'hi' }], ...more }),
  chat: (more = {}) => ({ model: 'gpt-4o',
    messages: [{ role: 'user', content: 'hi' }], ...more }),
  gemini: (more = {}) => ({
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }], ...more }),
};

/* Path and body of a call in each dialect. */
export const calls = {
  claude: { api: 'claude', path: '/v1/messages', body: ask.claude() },
  openai: { api: 'openai', path: '/v1/chat/completions', body: ask.chat() },
  gemini: { api: 'gemini', body: ask.gemini(),
    path: '/v1beta/models/gemini-2.5-flash:generateContent' },
};

export const streamCalls = {
  claude: { api: 'claude', path: '/v1/messages',
    body: ask.claude({ stream: true }) },
  openai: { api: 'openai', path: '/v1/chat/completions',
    body: ask.chat({ stream: true }) },
  gemini: { api: 'gemini', body: ask.gemini(), path:
    '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse' },
};

export const plain = {
  claude: (text = 'good') => ({ id: 'msg_1', type: 'message',
    role: 'assistant', model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text }], stop_reason: 'end_turn',
    stop_sequence: null, usage: { input_tokens: 3, output_tokens: 2 } }),
  openai: (text = 'good') => ({ id: 'chatcmpl-1', object: 'chat.completion',
    created: 1, model: 'gpt-4o', choices: [{ index: 0,
      message: { role: 'assistant', content: text },
      finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }),
  gemini: (text = 'good') => ({ candidates: [{ index: 0,
    content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2,
    totalTokenCount: 5 } }),
};

export const ev = (type, data) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
export const data = (o) => `data: ${JSON.stringify(o)}\n\n`;

/* Whole streams, as lists of events; parts() cuts them at the content. */
export const stream = {
  claude: (words = ['go', 'od']) => [
    ev('message_start', { message: { id: 'msg_1', type: 'message',
      role: 'assistant', model: 'claude-sonnet-4-5', content: [],
      stop_reason: null, stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 } } }),
    ev('content_block_start', { index: 0,
      content_block: { type: 'text', text: '' } }),
    ev('ping', {}),
    ...words.map((text) => ev('content_block_delta', { index: 0,
      delta: { type: 'text_delta', text } })),
    ev('content_block_stop', { index: 0 }),
    ev('message_delta', { delta: { stop_reason: 'end_turn',
      stop_sequence: null }, usage: { output_tokens: 2 } }),
    ev('message_stop', {}),
  ],
  openai: (words = ['go', 'od']) => {
    const c = (delta, finish = null) => data({ id: 'c1',
      object: 'chat.completion.chunk', created: 1, model: 'gpt-4o',
      choices: [{ index: 0, delta, finish_reason: finish }] });
    return [c({ role: 'assistant', content: '' }),
      ...words.map((content) => c({ content })), c({}, 'stop'),
      'data: [DONE]\n\n'];
  },
  gemini: (words = ['go', 'od']) => {
    const c = (text, more) => data({ candidates: [{ index: 0,
      content: { role: 'model', parts: [{ text }] }, ...more }] });
    return words.map((w, i) => c(w, i === words.length - 1 ?
      { finishReason: 'STOP' } : {}));
  },
};

/* How many events come before the first content. */
export const before = { claude: 3, openai: 1, gemini: 0 };

export const firstError = {
  claude: ev('error', { error: { type: 'overloaded_error',
    message: 'Overloaded' } }),
  openai: data({ error: { message: 'overloaded', type: 'server_error' } }),
  gemini: data({ error: { code: 503, status: 'UNAVAILABLE',
    message: 'overloaded' } }),
};

export const errorBody = {
  claude: (type = 'overloaded_error', message = 'Overloaded') =>
    ({ type: 'error', error: { type, message } }),
  openai: (type = 'server_error', message = 'Overloaded') =>
    ({ error: { message, type, param: null, code: null } }),
  gemini: (status = 'UNAVAILABLE', message = 'Overloaded') =>
    ({ error: { code: 503, message, status } }),
};

/* A backend entry for the config. */
export const backend = (name, up, more = {}) => ({ name,
  base_url: up.url ?? up, token: `tok-${name}-0123456789abcdef`,
  api_type: 'claude', ...more });

/* A provider's handler that is always good, plain or streaming. */
export const good = (api = 'claude', text = 'good') => (call) => {
  const streaming = call.target.includes('stream') ||
    /"stream":\s*true/.test(call.text);
  if (streaming) return call.stream(stream[api]([text.slice(0, 2),
    text.slice(2)]));
  return call.answer(200, plain[api](text));
};

export const fails = (status, body = errorBody.claude(), headers = {}) =>
  (call) => call.answer(status, body, headers);

/* How each API calls the statuses of our own refusals. */
export const refusals = {
  claude: { 400: 'invalid_request_error', 401: 'authentication_error',
    403: 'permission_error', 404: 'not_found_error',
    429: 'rate_limit_error', 502: 'api_error', 503: 'overloaded_error' },
  gemini: { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED',
    503: 'UNAVAILABLE' },
};

/* Checks an answer of our own: status, and its form in that dialect. */
export function refused(api, r, status) {
  assert.equal(r.status, status, r.text);
  assert.match(r.headers['content-type'], /^application\/json/);
  const e = r.json.error;
  assert.equal(typeof e.message, 'string');
  assert.ok(e.message.length > 3);
  const word = refusals[api]?.[status];
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
  assert.doesNotMatch(r.text, /http:\/\/|127\.0\.0\.1|tok-|Bearer [^,]/);
}

/* Checks how many seconds a refusal says to wait: at most that many, and
 * not much less, as little time has passed since. */
export function waits(r, most) {
  const s = Number(r.headers['retry-after']);
  assert.ok(Number.isInteger(s) && s <= most && s > 0 && s >= most - 25,
    `retry-after ${r.headers['retry-after']}, not ${most}`);
}
