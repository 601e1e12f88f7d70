/* The makers' own libraries, through Spillway, while the first provider
 * is overloaded. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { assert, test } from '../e2e/lib.mjs';
import { backend, data, errorBody, ev, fails, good, plain, stream }
  from '../e2e/say.mjs';

const key = 'client-key-abcdefgh';

/* a is overloaded, b as told. */
async function proxy(t, api, handler = good(api, 'good')) {
  const a = await t.provider(fails(529, errorBody[api]()));
  const b = await t.provider(handler);
  const sp = await t.proxy([backend('a', a, { api_type: api }),
    backend('b', b, { api_type: api })]);
  t.later.push(() => {
    for (const p of [a, b])
      for (const c of p.connections)
        assert.doesNotMatch(Buffer.concat(c.bytes).toString(), /client-key/);
    assert.ok(a.requests.length > 0, 'the first provider was not asked');
  });
  return { a, b, sp, url: `http://127.0.0.1:${sp.port}` };
}

/* ---- @anthropic-ai/sdk ---- */

const claude = (url) => new Anthropic({ apiKey: key, baseURL: url,
  maxRetries: 0 });
const claudeAsk = { model: 'claude-sonnet-4-5', max_tokens: 64,
  messages: [{ role: 'user', content: 'hi' }] };
const claudeTool = { name: 'weather', description: 'the weather',
  input_schema: { type: 'object', properties: { town: { type: 'string' } } } };

test('anthropic: plain', async (t) => {
  const { url } = await proxy(t, 'claude');
  const m = await claude(url).messages.create(claudeAsk);
  assert.equal(m.content[0].text, 'good');
  assert.equal(m.usage.output_tokens, 2);
});

test('anthropic: stream', async (t) => {
  const { url } = await proxy(t, 'claude');
  const seen = [];
  const s = claude(url).messages.stream(claudeAsk)
    .on('text', (x) => seen.push(x));
  const m = await s.finalMessage();
  assert.deepEqual(seen, ['go', 'od']);
  assert.equal(m.stop_reason, 'end_turn');
});

const claudeToolEvents = [stream.claude()[0],
  ev('content_block_start', { index: 0, content_block: { type: 'tool_use',
    id: 'toolu_1', name: 'weather', input: {} } }),
  ev('content_block_delta', { index: 0, delta: { type: 'input_json_delta',
    partial_json: '{"town":' } }),
  ev('content_block_delta', { index: 0, delta: { type: 'input_json_delta',
    partial_json: '"Uppsala"}' } }),
  ev('content_block_stop', { index: 0 }),
  ev('message_delta', { delta: { stop_reason: 'tool_use',
    stop_sequence: null }, usage: { output_tokens: 9 } }),
  ev('message_stop', {})];

test('anthropic: a tool call and its result', async (t) => {
  const { b, url } = await proxy(t, 'claude', (c) =>
    c.json.messages.length === 1 ? c.stream(claudeToolEvents) :
      good('claude', 'mild')(c));
  const client = claude(url);
  const m = await client.messages.stream({ ...claudeAsk,
    tools: [claudeTool] }).finalMessage();
  assert.equal(m.stop_reason, 'tool_use');
  assert.deepEqual(m.content[0].input, { town: 'Uppsala' });
  const r = await client.messages.create({ ...claudeAsk,
    tools: [claudeTool], messages: [...claudeAsk.messages,
      { role: 'assistant', content: m.content },
      { role: 'user', content: [{ type: 'tool_result',
        tool_use_id: 'toolu_1', content: '12 degrees' }] }] });
  assert.equal(r.content[0].text, 'mild');
  assert.equal(b.requests[1].json.messages[2].content[0].content,
    '12 degrees');
});

test('anthropic: none left is a typed error', async (t) => {
  const { url } = await proxy(t, 'claude', fails(529));
  await assert.rejects(claude(url).messages.create(claudeAsk), (e) => {
    assert.ok(e instanceof Anthropic.APIError, String(e));
    assert.equal(e.status, 502);
    assert.equal(e.error.error.type, 'api_error');
    return true;
  });
});

test('anthropic: an error of the provider keeps its class', async (t) => {
  const { url } = await proxy(t, 'claude', fails(400,
    errorBody.claude('invalid_request_error', 'prompt is too long')));
  await assert.rejects(claude(url).messages.create(claudeAsk), (e) => {
    assert.ok(e instanceof Anthropic.BadRequestError);
    assert.match(e.message, /prompt is too long/);
    return true;
  });
});

test('anthropic: a stream that breaks is an error', async (t) => {
  const { url } = await proxy(t, 'claude', async (c) => {
    await c.sse();
    for (const e of stream.claude(['first']).slice(0, 4)) await c.chunk(e);
    c.reset();
  });
  await assert.rejects(claude(url).messages.stream(claudeAsk)
    .finalMessage());
});

/* ---- openai ---- */

const openai = (url) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`,
  maxRetries: 0 });
const chatAsk = { model: 'gpt-4o', messages: [{ role: 'user',
  content: 'hi' }] };
const chatTool = { type: 'function', function: { name: 'weather',
  parameters: { type: 'object', properties: { town: { type: 'string' } } } } };

test('openai: plain', async (t) => {
  const { url } = await proxy(t, 'openai');
  const r = await openai(url).chat.completions.create(chatAsk);
  assert.equal(r.choices[0].message.content, 'good');
});

test('openai: stream', async (t) => {
  const { url } = await proxy(t, 'openai');
  const r = await openai(url).chat.completions.stream(chatAsk)
    .finalChatCompletion();
  assert.equal(r.choices[0].message.content, 'good');
  assert.equal(r.choices[0].finish_reason, 'stop');
});

test('openai: a tool call, streamed', async (t) => {
  const chunk = (delta, finish = null) => data({ id: 'c1',
    object: 'chat.completion.chunk', created: 1, model: 'gpt-4o',
    choices: [{ index: 0, delta, finish_reason: finish }] });
  const { url } = await proxy(t, 'openai', (c) => c.stream([
    chunk({ role: 'assistant', content: null, tool_calls: [{ index: 0,
      id: 'call_1', type: 'function', function: { name: 'weather',
        arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function:
      { arguments: '{"town":"Uppsala"}' } }] }),
    chunk({}, 'tool_calls'), 'data: [DONE]\n\n']));
  const r = await openai(url).chat.completions.stream({ ...chatAsk,
    tools: [chatTool] }).finalChatCompletion();
  assert.equal(r.choices[0].message.tool_calls[0].function.arguments,
    '{"town":"Uppsala"}');
});

test('openai: the Responses API', async (t) => {
  const response = { id: 'resp_1', object: 'response', created_at: 1,
    status: 'completed', model: 'gpt-4o', output: [{ type: 'message',
      id: 'msg_1', status: 'completed', role: 'assistant', content: [
        { type: 'output_text', text: 'good', annotations: [] }] }],
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } };
  const { url } = await proxy(t, 'openai', (c) => c.json.stream ?
    c.stream([
      ev('response.created', { sequence_number: 0, response: { ...response,
        status: 'in_progress', output: [] } }),
      ev('response.output_text.delta', { sequence_number: 1,
        item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'good' }),
      ev('response.completed', { sequence_number: 2, response }),
    ]) : c.answer(200, response));
  const r = await openai(url).responses.create({ model: 'gpt-4o',
    input: 'hi' });
  assert.equal(r.output_text, 'good');
  const types = [];
  for await (const e of await openai(url).responses.create({
    model: 'gpt-4o', input: 'hi', stream: true })) types.push(e.type);
  assert.deepEqual(types, ['response.created',
    'response.output_text.delta', 'response.completed']);
});

test('openai: none left is a typed error', async (t) => {
  const { url } = await proxy(t, 'openai', fails(503));
  await assert.rejects(openai(url).chat.completions.create(chatAsk), (e) => {
    assert.ok(e instanceof OpenAI.APIError);
    assert.equal(e.status, 502);
    return true;
  });
});

test('openai: a stream that breaks is an error', async (t) => {
  const { url } = await proxy(t, 'openai', async (c) => {
    await c.sse();
    for (const e of stream.openai(['first']).slice(0, 2)) await c.chunk(e);
    c.reset();
  });
  await assert.rejects(openai(url).chat.completions.stream(chatAsk)
    .finalChatCompletion());
});

/* ---- @google/genai ---- */

const gemini = (url) => new GoogleGenAI({ apiKey: key,
  httpOptions: { baseUrl: url } });
const geminiAsk = { model: 'gemini-2.5-flash', contents: 'hi' };

test('google: plain', async (t) => {
  const { url } = await proxy(t, 'gemini');
  const r = await gemini(url).models.generateContent(geminiAsk);
  assert.equal(r.text, 'good');
  assert.equal(r.usageMetadata.totalTokenCount, 5);
});

test('google: stream', async (t) => {
  const { url } = await proxy(t, 'gemini');
  const parts = [];
  for await (const c of await gemini(url).models
    .generateContentStream(geminiAsk)) parts.push(c.text);
  assert.deepEqual(parts, ['go', 'od']);
});

test('google: a tool call', async (t) => {
  const { url } = await proxy(t, 'gemini', (c) => c.answer(200, {
    candidates: [{ index: 0, finishReason: 'STOP', content: { role: 'model',
      parts: [{ functionCall: { name: 'weather',
        args: { town: 'Uppsala' } } }] } }],
    usageMetadata: plain.gemini().usageMetadata }));
  const r = await gemini(url).models.generateContent({ ...geminiAsk,
    config: { tools: [{ functionDeclarations: [{ name: 'weather',
      parametersJsonSchema: { type: 'object' } }] }] } });
  assert.deepEqual(r.functionCalls[0].args, { town: 'Uppsala' });
});

test('google: none left is an error with its status', async (t) => {
  const { url } = await proxy(t, 'gemini', fails(503));
  await assert.rejects(gemini(url).models.generateContent(geminiAsk), (e) => {
    assert.equal(e.status, 502);
    return true;
  });
});
