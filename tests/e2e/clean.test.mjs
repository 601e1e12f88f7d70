/* The same API on both sides: what another vendor left in an earlier turn
 * goes, all else stays byte for byte (translation 3.8). */
import { assert, table, test } from './lib.mjs';
import { ask, calls, good, plain } from './say.mjs';
import { apis, by, models } from './cross.mjs';

const gemSign = Buffer.from('gemini-signature').toString('base64');
const claudeSign = Buffer.from('claude-signature').toString('base64');

/* Answers that think and call a tool, in each provider's own way. */
const thoughtful = {
  claude: { ...plain.claude(), stop_reason: 'tool_use', content: [
    { type: 'thinking', thinking: 'claude thinks', signature: claudeSign },
    { type: 'redacted_thinking', data: 'UkVE' },
    { type: 'text', text: 'so' },
    { type: 'tool_use', id: 'toolu_01', name: 'get', input: { a: 'x' } }] },
  openai: { ...plain.openai(), choices: [{ index: 0, message: {
    role: 'assistant', content: 'so', reasoning_content: 'gpt thinks',
    tool_calls: [{ id: 'call_01', type: 'function', function: {
      name: 'get', arguments: '{"a":"x"}' } }] },
  finish_reason: 'tool_calls' }] },
  gemini: { candidates: [{ index: 0, finishReason: 'STOP', content: {
    role: 'model', parts: [{ text: 'gemini thinks', thought: true },
      { text: 'so' }, { functionCall: { id: 'fc:1', name: 'get',
        args: { a: 'x' } }, thoughtSignature: gemSign }] } }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1,
    totalTokenCount: 2 } },
};

/* The first turn in each client's API, and the second made of the answer. */
const schema = { type: 'object', properties: { a: { type: 'string' } } };
const first = {
  claude: () => ask.claude({ max_tokens: 4000,
    thinking: { type: 'enabled', budget_tokens: 1024 },
    tools: [{ name: 'get', input_schema: schema }] }),
  openai: () => ask.chat({ tools: [{ type: 'function', function: {
    name: 'get', parameters: schema } }] }),
  gemini: () => ask.gemini({ generationConfig: { thinkingConfig: {
    includeThoughts: true } }, tools: [{ functionDeclarations: [{
    name: 'get', parameters: { type: 'OBJECT', properties: { a: {
      type: 'STRING' } } } }] }] }),
};
const second = {
  claude: (q, r) => ({ ...q, messages: [...q.messages,
    { role: 'assistant', content: r.content }, { role: 'user', content: [
      { type: 'tool_result', content: 'y', tool_use_id:
        r.content.find((b) => b.type === 'tool_use').id }] }] }),
  openai: (q, r) => ({ ...q, messages: [...q.messages, r.choices[0].message,
    { role: 'tool', content: 'y', tool_call_id:
      r.choices[0].message.tool_calls[0].id }] }),
  gemini: (q, r) => {
    const call = r.candidates[0].content.parts.find((p) => p.functionCall);
    return { ...q, contents: [...q.contents, r.candidates[0].content,
      { role: 'user', parts: [{ functionResponse: { name: 'get',
        id: call.functionCall.id, response: { output: 'y' } } }] }] };
  },
};

const pathOf = (api) => calls[api].path;

/* A turn that `by` answers with thoughts and a call, in the client's API. */
async function turnBy(t, client, who) {
  const up = await t.provider((c) => c.answer(200, thoughtful[who]));
  const sp = await t.proxy([by(who, 'a', up)]);
  const q = first[client]();
  const r = await t.ask(sp, 'POST', pathOf(client), {}, q);
  assert.equal(r.status, 200, r.text);
  return second[client](q, r.json);
}

/* What a backend of that API gets of a body. */
async function seenBy(t, client, who, body) {
  const up = await t.provider(good(who));
  const sp = await t.proxy([by(who, 'a', up, client === who ?
    { model: undefined } : {})]);
  const r = await t.ask(sp, 'POST', pathOf(client), {}, body);
  assert.equal(r.status, 200, r.text);
  return up.requests[0];
}

const foreign = apis.flatMap((client) => apis.filter((a) => a !== client)
  .map((who) => ({ name: `${client}, a turn of ${who}`, client, who })));

table('nothing of the other is left', foreign,
  async (t, { client, who }) => {
    const body = await turnBy(t, client, who);
    const call = await seenBy(t, client, client, body);
    assert.doesNotMatch(call.text, /xl1\.|eGwxL|__ts_|thinking_blocks/);
    assert.doesNotMatch(call.text, /reasoning_content|gemini-signature/);
    assert.ok(!call.text.includes(gemSign));
    assert.ok(!call.text.includes(claudeSign));
    const j = call.json;
    if (client === 'claude') {
      const [, answer, result] = j.messages;
      assert.deepEqual(answer.content.map((b) => b.type),
        ['text', 'tool_use']);
      assert.match(answer.content[1].id, /^[A-Za-z0-9_-]+$/);
      assert.equal(result.content[0].tool_use_id, answer.content[1].id);
    } else if (client === 'openai') {
      const [, answer, result] = j.messages;
      assert.equal(answer.content, 'so');
      assert.ok(answer.tool_calls[0].id.length <= 40);
      assert.equal(result.tool_call_id, answer.tool_calls[0].id);
    } else {
      assert.deepEqual(j.contents[1].parts.filter((p) =>
        p.thoughtSignature), []);
      assert.ok(j.contents[1].parts.some((p) => p.functionCall));
    }
  });

table('the other gets its own back', foreign, async (t, { client, who }) => {
  const body = await turnBy(t, client, who);
  const call = await seenBy(t, client, who, body);
  if (who === 'gemini') assert.ok(call.text.includes(gemSign), call.text);
  if (who === 'claude') {
    assert.ok(call.text.includes(claudeSign), call.text);
    assert.ok(call.text.includes('UkVE'));
    assert.ok(call.text.includes('"toolu_01"'));
  }
  if (who === 'openai') assert.ok(call.text.includes('"call_01"'));
  assert.doesNotMatch(call.text, /xl1\.|__ts_/);
});

table('a third sees neither', foreign, async (t, { client, who }) => {
  const third = apis.find((a) => a !== client && a !== who);
  const body = await turnBy(t, client, who);
  const call = await seenBy(t, client, third, body);
  assert.ok(!call.text.includes(gemSign));
  assert.ok(!call.text.includes(claudeSign));
  assert.doesNotMatch(call.text, /xl1\.|__ts_/);
});

/* ---- byte for byte ---- */

/* Odd but legal: spaces, escapes, numbers, members nobody knows. */
const odd = {
  claude: `{ "model" :"claude-sonnet-4-5", "max_tokens":1e1 ,
"messages":[{"role":"user","content":"h\\u0069"} , {"content":[
 {"type":"thinking","thinking":"t","signature":"${claudeSign}"},
 {"type":"redacted_thinking","data":"UkVE"},{"type":"x_new","signature":""},
 {"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1.00,"a":2}}],
 "role":"assistant"},{"role":"user","content":[{"type":"tool_result",
 "tool_use_id":"toolu_1","content":"\\/"}]}],"x":[null, 1.50E+2]}  `,
  openai: `{"messages" : [ {"role":"user","content":"h\\u0069"},{"role":
"assistant","content":null,"x_new":{"reasoning_content":1},"tool_calls":[
 {"id":"call_1","type":"function","function":{"name":"f","arguments":"{ }"}}
 ]},{"role":"tool","tool_call_id":"call_1","content":"r"} ],
 "model":"gpt-4o","seed":12345678901234567890, "n" : 1.0}`,
  gemini: ` { "contents":[{"role":"user","parts":[{"text":"h\\u0069"}]},
 {"role":"model","parts":[{"text":"t","thought":true},{"functionCall":{
 "name":"f","args":{ }},"thoughtSignature":"${gemSign}"},
 {"text":"","thoughtSignature":"${gemSign}"}]},{"role":"user","parts":[
 {"functionResponse":{"name":"f","response":{}}}]}], "cachedContent":null}`,
};

table('its own turns pass byte for byte', apis.map((api) => ({ name: api,
  api })), async (t, { api }) => {
  const call = await seenBy(t, api, api, odd[api]);
  assert.equal(call.text, odd[api]);
});

table('only the model changes', ['claude', 'openai'].map((api) =>
  ({ name: api, api })), async (t, { api }) => {
  const up = await t.provider(good(api));
  const sp = await t.proxy([by(api, 'a', up, { model: 'other' })]);
  await t.ask(sp, 'POST', pathOf(api), {}, odd[api]);
  assert.equal(up.requests[0].text,
    odd[api].replace(`"${models[api]}"`, '"other"'));
});

/* What goes, in the midst of what stays: [there, what is left of it]. */
const marks = {
  claude: [
    ['{"type":"thinking","thinking":"o","signature":"xl1.o"},\n ', ''],
    ['{"type":"thinking","thinking":"u","signature":""},\n ', ''],
    ['{"type":"tool_use","id":"fc-1__ts_YzJsbmJtRjBkWEpsTFRFPQ","name":' +
      '"g","input":{}},\n ', '{"type":"tool_use","id":"fc-1","name":' +
      '"g","input":{}},\n '],
  ],
};

table('only what is foreign goes, by the byte', marks.claude.map((m, i) =>
  ({ name: String(i), m })), async (t, { m }) => {
  const put = (s) => odd.claude.replace('{"type":"redacted', `${s}` +
    '{"type":"redacted');
  const call = await seenBy(t, 'claude', 'claude', put(m[0]));
  assert.equal(call.text, put(m[1]));
});

test('both: foreign things and another model', async (t) => {
  const up = await t.provider(good('claude'));
  const sp = await t.proxy([by('claude', 'a', up, { model: 'other' })]);
  const put = (s) => odd.claude.replace('{"type":"redacted', `${s}` +
    '{"type":"redacted');
  await t.ask(sp, 'POST', pathOf('claude'), {}, put(marks.claude[0][0]));
  assert.equal(up.requests[0].text,
    put('').replace('"claude-sonnet-4-5"', '"other"'));
});

test('a count is cleaned too', async (t) => {
  const up = await t.provider((c) => c.answer(200, { input_tokens: 1 }));
  const sp = await t.proxy([by('claude', 'a', up, { model: undefined })]);
  const put = (s) => odd.claude.replace('{"type":"redacted', `${s}` +
    '{"type":"redacted');
  const path = '/v1/messages/count_tokens';
  await t.ask(sp, 'POST', path, {}, put(marks.claude[0][0]));
  assert.equal(up.requests[0].text, put(''));
  await t.ask(sp, 'POST', path, {}, odd.claude);
  assert.equal(up.requests[1].text, odd.claude);
});

test('each attempt is cleaned from the original', async (t) => {
  const body = JSON.stringify(await turnBy(t, 'claude', 'gemini'));
  const a = await t.provider((c) => c.answer(529, '{}'));
  const b = await t.provider((c) => c.answer(529, '{}'));
  const c = await t.provider(good('claude'));
  const sp = await t.proxy([by('claude', 'a', a, { model: undefined }),
    by('gemini', 'b', b), by('claude', 'c', c, { model: undefined })]);
  const r = await t.ask(sp, 'POST', pathOf('claude'), {}, body);
  assert.equal(r.headers['x-spillway-backend'], 'c');
  assert.equal(a.requests[0].text, c.requests[0].text);
  assert.notEqual(a.requests[0].text, body);
  assert.ok(b.requests[0].text.includes(gemSign));
});

test('a body of 20 MB without such things passes', async (t) => {
  const big = odd.openai.replace('"r"', `"${'\\u00e9x'.repeat(3 << 20)}"`);
  const call = await seenBy(t, 'openai', 'openai', big);
  assert.ok(call.text === big, 'the body was changed');
});

test('deep nesting passes where nothing is translated', async (t) => {
  const deep = odd.claude.replace('1.00', `${'['.repeat(500)}` +
    `${']'.repeat(500)}`);
  const call = await seenBy(t, 'claude', 'claude', deep);
  assert.equal(call.text, deep);
});
