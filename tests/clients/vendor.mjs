/*
 * Providers that answer in their own API what a test tells them in neutral
 * words, and that are as strict as the real services about what they are
 * asked: unknown members, ids without their pair, signatures of others.
 *
 * An answer is a text, { parts, stop, stopped, usage } or { trouble }; parts
 * are { text }, { think, sig }, { hidden }, { call, args, id, sig }.  cutAt:
 * the stream breaks off after so many events, with `event` as the last one
 * if given.
 */
import { assert } from '../e2e/lib.mjs';
import { data, ev } from '../e2e/say.mjs';

/* ---- signatures: each vendor knows its own ---- */

export const sign = (api, n = 1) =>
  Buffer.from(`${api}-signature-${n}`).toString('base64');

const signedBy = (api, s) =>
  Buffer.from(String(s), 'base64').toString().startsWith(`${api}-signature-`);

/*
 * Whose signatures are in a request: texts that are one in base64, as they
 * are or in somebody's envelope, and ids that carry one.
 */
export function signatures(body) {
  const found = [];
  const decoded = (s) => Buffer.from(s, 'base64').toString();
  const walk = (x) => {
    if (typeof x === 'string') {
      const inside = decoded(x.split('__ts_').pop());
      const m = /^(\w+)-signature-(\d+)$/.exec(inside) ??
        /^(\w+)-signature-(\d+)$/.exec(decoded(inside.split('.').pop()));
      if (m) found.push(`${m[1]} ${m[2]}${inside === decoded(x) ? '' :
        ' hidden'}`);
    } else if (x && typeof x === 'object') {
      Object.values(x).forEach(walk);
    }
  };
  walk(body);
  return found;
}

/* ---- what a request may hold ---- */

/* Fails unless o is an object with the members of want ("x?" may lack). */
function only(o, want, where) {
  assert.ok(o !== null && typeof o === 'object' && !Array.isArray(o),
    `${where}: not an object`);
  const names = want.split(' ').map((w) => w.replace('?', ''));
  for (const k of Object.keys(o)) {
    assert.ok(names.includes(k), `${where}.${k}: Extra inputs are not ` +
      'permitted');
    assert.notEqual(o[k], undefined);
  }
  for (const w of want.split(' '))
    if (!w.endsWith('?')) assert.ok(w in o, `${where}.${w}: required`);
  return o;
}

const list = (x, where) => {
  assert.ok(Array.isArray(x), `${where}: not a list`);
  return x;
};

const text = (x, where) =>
  assert.equal(typeof x, 'string', `${where}: not a string`);

const none = (o, names, why) => {
  for (const n of names.split(' '))
    assert.equal(o[n], undefined, `${n}: ${why}`);
};

function plainSchema(s, where) {
  assert.equal(s?.type, 'object', `${where}: type must be object`);
  for (const k of ['anyOf', 'oneOf', 'allOf', 'enum', 'not'])
    assert.equal(s[k], undefined, `${where}: ${k} at the top level`);
}

/* ---- Anthropic ---- */

const claudeBlocks = {
  text: 'type text cache_control? citations?',
  image: 'type source cache_control?',
  document: 'type source title? context? citations? cache_control?',
  tool_use: 'type id name input cache_control? caller?',
  tool_result: 'type tool_use_id content? is_error? cache_control?',
  thinking: 'type thinking signature',
  redacted_thinking: 'type data',
  tool_reference: 'type tool_name cache_control?',
};

function claudeBlock(b, where, role) {
  assert.ok(claudeBlocks[b.type], `${where}: type ${b.type}`);
  only(b, claudeBlocks[b.type], where);
  switch (b.type) {
  case 'text':
    assert.match(b.text, /\S/, `${where}: text content blocks must contain ` +
      'non-whitespace text');
    break;
  case 'image':
  case 'document':
    if (b.source.type === 'base64')
      only(b.source, 'type media_type data', `${where}.source`);
    break;
  case 'tool_use':
    assert.equal(role, 'assistant');
    assert.match(b.id, /^[a-zA-Z0-9_-]+$/, `${where}.id`);
    assert.match(b.name, /^[a-zA-Z0-9_-]{1,128}$/, `${where}.name`);
    only(b.input, Object.keys(b.input).join('? ') + '?', `${where}.input`);
    break;
  case 'tool_result':
    assert.equal(role, 'user');
    assert.match(b.tool_use_id, /^[a-zA-Z0-9_-]+$/, where);
    if (Array.isArray(b.content))
      b.content.forEach((x, i) => claudeBlock(x, `${where}.content.${i}`));
    break;
  case 'thinking':
    assert.equal(role, 'assistant');
    assert.ok(signedBy('claude', b.signature), `${where}: Invalid ` +
      '`signature` in `thinking` block');
    break;
  }
}

const blocks = (m) => (typeof m.content === 'string' ?
  [{ type: 'text', text: m.content }] : m.content);

function claudeMessages(b) {
  let open = null;
  const ids = new Set();
  list(b.messages, 'messages');
  assert.ok(b.messages.length > 0, 'messages: at least one message');
  b.messages.forEach((m, i) => {
    const where = `messages.${i}`;
    assert.match(m.role, /^(user|assistant|system)$/, `${where}.role`);
    list(blocks(m), where).forEach((x, j) =>
      claudeBlock(x, `${where}.content.${j}`, m.role));
    assert.ok(blocks(m).length > 0 || i === b.messages.length - 1, where);
    if (m.role === 'system') return;
    const results = blocks(m).filter((x) => x.type === 'tool_result');
    if (open !== null) {
      assert.equal(m.role, 'user', `${where}: tool_use ids were found ` +
        'without tool_result blocks immediately after');
      assert.deepEqual(results.map((x) => x.tool_use_id).sort(),
        open.sort(), `${where}: tool_use and tool_result do not pair`);
      assert.ok(blocks(m).slice(0, results.length).every((x) =>
        x.type === 'tool_result'), `${where}: results come first`);
    } else {
      assert.equal(results.length, 0, `${where}: result without a call`);
    }
    const calls = blocks(m).filter((x) => x.type === 'tool_use');
    for (const c of calls) {
      assert.ok(!ids.has(c.id), `${where}: tool_use ids must be unique`);
      ids.add(c.id);
    }
    open = calls.length ? calls.map((x) => x.id) : null;
  });
  assert.equal(open, null, 'the last tool_use has no tool_result');
  assert.notEqual(b.messages.find((m) => m.role !== 'system').role,
    'assistant', 'first message must use the user role');
  if (ids.size) assert.ok(b.tools?.length, 'tools: needed by tool_use');
}

function claudeThinking(b) {
  if (b.thinking?.type !== 'enabled' && b.thinking?.type !== 'adaptive')
    return;
  assert.doesNotMatch(b.tool_choice?.type ?? '', /any|tool/,
    'Thinking may not be enabled when tool_choice forces tool use');
  none(b, 'top_k', 'not with thinking');
  assert.equal(b.temperature ?? 1, 1, 'temperature may only be 1');
  if (b.thinking.type !== 'enabled') return;
  assert.ok(b.thinking.budget_tokens >= 1024, 'budget_tokens: 1024');
  assert.ok(b.thinking.budget_tokens < b.max_tokens, 'max_tokens must be ' +
    'greater than thinking.budget_tokens');
  const last = b.messages.filter((m) => m.role === 'assistant').pop();
  if (blocks(b.messages[b.messages.length - 1])[0]?.type === 'tool_result')
    assert.match(blocks(last)[0].type, /thinking/, 'Expected `thinking` ' +
      'or `redacted_thinking`, but found `tool_use`');
}

function claude(c, rules) {
  const counting = c.target.startsWith('/v1/messages/count_tokens');
  const b = c.json;
  assert.match(c.target, /^\/v1\/messages(\/count_tokens)?(\?|$)/);
  assert.match(c.headers['x-api-key'] ?? c.headers.authorization,
    /tok-/, 'key');
  assert.match(c.headers['anthropic-version'], rules.native ?
    /^(2023-06-01|2026-10-21)$/ : /^2023-06-01$/, 'version');
  only(b, 'model messages max_tokens? system? tools? tool_choice? ' +
    'stop_sequences? stream? temperature? top_p? top_k? thinking? ' +
    'output_config? metadata? service_tier? cache_control?' +
    (rules.native ? ' context_management?' : ''), 'request');
  if (!counting) assert.ok(b.max_tokens >= 1, 'max_tokens: required');
  assert.equal(b.model, rules.model, 'model');
  claudeMessages(b);
  claudeThinking(b);
  for (const t of b.tools ?? []) {
    only(t, 'name description? input_schema type? cache_control? strict? ' +
      'defer_loading? eager_input_streaming?', 'tool');
    assert.match(t.name, /^[a-zA-Z0-9_-]{1,128}$/);
    plainSchema(t.input_schema, `tool ${t.name}`);
  }
  if (b.tool_choice) assert.ok(b.tools?.length, 'tool_choice without tools');
  if (b.output_config)
    only(b.output_config, 'effort? format?', 'output_config');
  if (b.output_config?.format)
    claudeFormat(b.output_config.format.schema, 'output_config');
  if (b.metadata) only(b.metadata, 'user_id?', 'metadata');
}

function claudeFormat(s, where) {
  if (s === null || typeof s !== 'object') return;
  for (const k of ['minimum', 'maximum', 'minLength', 'maxLength', 'oneOf'])
    assert.equal(s[k], undefined, `${where}: ${k} is not supported`);
  if (s.type === 'object')
    assert.equal(s.additionalProperties, false,
      `${where}: additionalProperties must be false`);
  for (const p of Object.values(s.properties ?? {})) claudeFormat(p, where);
  claudeFormat(s.items, where);
}

/* ---- OpenAI Chat Completions ---- */

const reasons = (model) => /^(o\d|gpt-[56])/.test(model);

const chatRoles = {
  system: 'role content name?',
  developer: 'role content name?',
  user: 'role content name?',
  tool: 'role content tool_call_id',
  assistant: 'role content? refusal? tool_calls? name? audio?',
};

const chatParts = {
  text: 'type text',
  image_url: 'type image_url',
  input_audio: 'type input_audio',
  file: 'type file',
};

function chatContent(m, where) {
  if (typeof m.content === 'string') return;
  if (m.role === 'assistant' && m.content == null) {
    assert.ok(m.tool_calls?.length || m.refusal, `${where}: no content`);
    return;
  }
  list(m.content, `${where}.content`).forEach((p) => {
    assert.ok(chatParts[p.type], `${where}: part ${p.type}`);
    assert.ok(m.role === 'user' || p.type === 'text',
      `${where}: ${m.role} takes only text`);
    only(p, chatParts[p.type], where);
    if (p.type === 'image_url')
      only(p.image_url, 'url detail?', `${where}.image_url`);
  });
}

function chatMessages(b, rules) {
  let open = [];
  b.messages.forEach((m, i) => {
    const where = `messages.${i}`;
    assert.ok(chatRoles[m.role], `${where}: role ${m.role}`);
    only(m, chatRoles[m.role] + (rules.native && m.role === 'assistant' ?
      ' annotations? parsed?' : ''), where);
    chatContent(m, where);
    if (m.role === 'tool') {
      assert.ok(open.includes(m.tool_call_id), `${where}: messages with ` +
        `role 'tool' must follow their tool_calls (${m.tool_call_id})`);
      open = open.filter((x) => x !== m.tool_call_id);
      return;
    }
    assert.deepEqual(open, [], `${where}: tool_call_ids did not have ` +
      'response messages');
    for (const c of m.tool_calls ?? []) {
      only(c, 'id type function' + (rules.native ? ' index?' : ''), where);
      only(c.function, 'name arguments' + (rules.native ?
        ' parsed_arguments?' : ''), where);
      assert.ok(c.id.length <= 40, `${where}: string too long: ${c.id}`);
      assert.match(c.function.name, /^[a-zA-Z0-9_-]{1,64}$/, where);
      text(c.function.arguments, where);
      open.push(c.id);
    }
    assert.equal(new Set(open).size, open.length, `${where}: equal ids`);
  });
  assert.deepEqual(open, [], 'calls without results');
}

function openai(c, rules) {
  const b = c.json;
  assert.equal(c.target, '/v1/chat/completions');
  assert.match(c.headers.authorization, /^Bearer tok-/, 'key');
  only(b, 'model messages max_completion_tokens? max_tokens? temperature? ' +
    'top_p? presence_penalty? frequency_penalty? logit_bias? logprobs? ' +
    'top_logprobs? n? seed? stop? stream? stream_options? tools? ' +
    'tool_choice? parallel_tool_calls? response_format? ' +
    'reasoning_effort? service_tier? user? safety_identifier? store? ' +
    'metadata?', 'request');
  assert.equal(b.model, rules.model, 'model');
  chatMessages(b, rules);
  if (reasons(b.model)) {
    none(b, 'max_tokens stop', 'Unsupported parameter');
    if (b.reasoning_effort !== 'none')
      none(b, 'top_p presence_penalty frequency_penalty logprobs',
        'Unsupported parameter');
    assert.ok(b.reasoning_effort === 'none' || (b.temperature ?? 1) === 1,
      'temperature: Unsupported value');
  } else {
    none(b, 'reasoning_effort', 'Unrecognized request argument');
  }
  assert.ok(b.stream || !b.stream_options, 'stream_options without stream');
  if (!b.tools) none(b, 'tool_choice parallel_tool_calls', 'without tools');
  for (const t of b.tools ?? []) {
    only(t, 'type function', 'tool');
    only(t.function, 'name description? parameters? strict?', 'function');
    assert.match(t.function.name, /^[a-zA-Z0-9_-]{1,64}$/);
    plainSchema(t.function.parameters, t.function.name);
    assert.ok(t.function.parameters.properties, 'object schema missing ' +
      'properties');
  }
  const f = b.response_format;
  if (f) only(f, f.type === 'json_schema' ? 'type json_schema' : 'type', 'f');
  if (f?.type === 'json_object')
    assert.match(JSON.stringify(b.messages), /json/i);
}

/* ---- Gemini ---- */

const geminiSchemaKeys = 'type format title? description? nullable? enum? ' +
  'maxItems? minItems? properties? required? minProperties? ' +
  'maxProperties? minLength? maxLength? pattern? example? anyOf? ' +
  'propertyOrdering? default? items? minimum? maximum? format?';

function geminiSchema(s, where) {
  only(s, geminiSchemaKeys.replace('type format ', 'type? '), where);
  if (s.type) assert.match(s.type,
    /^(string|number|integer|boolean|array|object)$/i, where);
  for (const [n, p] of Object.entries(s.properties ?? {}))
    geminiSchema(p, `${where}.${n}`);
  for (const n of s.required ?? [])
    assert.ok(s.properties?.[n], `${where}.required: ${n} is not defined`);
  if (s.items) geminiSchema(s.items, `${where}.items`);
  if (/array/i.test(s.type ?? '')) assert.ok(s.items, `${where}.items`);
  (s.anyOf ?? []).forEach((x) => geminiSchema(x, `${where}.anyOf`));
}

function geminiPart(p, where) {
  only(p, 'text? thought? thoughtSignature? inlineData? fileData? ' +
    'functionCall? functionResponse?', where);
  const kinds = ['text', 'inlineData', 'fileData', 'functionCall',
    'functionResponse'].filter((k) => p[k] !== undefined);
  assert.ok(kinds.length === 1 || (kinds.length === 0 &&
    p.thoughtSignature), `${where}: one kind of data is needed`);
  if (p.inlineData)
    only(p.inlineData, 'mimeType data displayName?', where);
  if (p.functionCall) only(p.functionCall, 'id? name args?', where);
  if (p.functionResponse)
    only(p.functionResponse, 'id? name response parts?', where);
  if (p.thoughtSignature !== undefined)
    assert.ok(p.thoughtSignature === 'skip_thought_signature_validator' ||
      signedBy('gemini', p.thoughtSignature),
    `${where}: Thought signature is not valid`);
}

/* Google's own helper keeps a content for each chunk of an answer. */
function geminiTurns(contents) {
  const turns = [];
  list(contents, 'contents').forEach((x, i) => {
    const where = `contents[${i}]`;
    only(x, 'role? parts', where);
    assert.match(x.role ?? 'user', /^(user|model)$/, 'Please use a valid ' +
      'role: user, model.');
    assert.ok(list(x.parts, where).length > 0, `${where}.parts: empty`);
    x.parts.forEach((p, j) => geminiPart(p, `${where}.parts[${j}]`));
    const last = turns[turns.length - 1];
    if (last && last.role === x.role) last.parts.push(...x.parts);
    else turns.push({ role: x.role, parts: [...x.parts] });
  });
  return turns;
}

function geminiContents(contents, model) {
  let calls = [];
  geminiTurns(contents).forEach((x, i) => {
    const where = `turn ${i}`;
    const of = (k) => x.parts.filter((p) => p[k]).map((p) => p[k]);
    const results = of('functionResponse');
    if (calls.length || results.length)
      assert.deepEqual(results.map((r) => r.name), calls.map((r) => r.name),
        `${where}: the number of function response parts must be equal ` +
        'to the number of function call parts of the function call turn');
    for (let j = 0; j < results.length; j++)
      assert.equal(results[j].id, calls[j].id, `${where}: id`);
    calls = of('functionCall');
    const first = x.parts.find((p) => p.functionCall);
    if (first && /^gemini-3/.test(model))
      assert.ok(first.thoughtSignature, `${where}: Function call is ` +
        'missing a thought_signature');
  });
  assert.equal(calls.length, 0, 'calls without responses');
  assert.notEqual(contents[0].role, 'model', 'first turn of the model');
}

function gemini(c, rules) {
  const m = /^\/(v1|v1beta)\/models\/([^:]+):(\w+)(\?alt=sse)?$/.exec(
    c.target);
  assert.ok(m, `no such path: ${c.target}`);
  assert.equal(m[2], rules.model, 'model');
  assert.match(c.headers['x-goog-api-key'], /^tok-/, 'key');
  let b = c.json;
  if (m[3] === 'countTokens') {
    only(b, 'contents? generateContentRequest?', 'request');
    b = b.generateContentRequest ?? b;
  }
  only(b, 'contents systemInstruction? tools? toolConfig? model? ' +
    'generationConfig? safetySettings? serviceTier?', 'request');
  geminiContents(b.contents, m[2]);
  for (const t of b.tools ?? []) {
    only(t, 'functionDeclarations', 'tools');
    for (const f of t.functionDeclarations) {
      only(f, 'name description? parameters? parametersJsonSchema?', 'f');
      assert.match(f.name, /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/);
      if (f.parameters) geminiSchema(f.parameters, f.name);
    }
  }
  const g = b.generationConfig ?? {};
  only(g, 'temperature? topP? topK? candidateCount? maxOutputTokens? ' +
    'stopSequences? seed? presencePenalty? frequencyPenalty? ' +
    'responseLogprobs? logprobs? responseMimeType? responseSchema? ' +
    'responseJsonSchema? thinkingConfig?', 'generationConfig');
  if (g.thinkingConfig)
    only(g.thinkingConfig, 'includeThoughts? thinkingBudget? ' +
      'thinkingLevel?', 'thinkingConfig');
  if (g.responseSchema) geminiSchema(g.responseSchema, 'responseSchema');
}

/* ---- OpenAI Responses ---- */

function responses(c, rules) {
  assert.equal(c.target, '/v1/responses');
  assert.match(c.headers.authorization, /^Bearer tok-/, 'key');
  assert.equal(c.json.model, rules.model, 'model');
  const items = typeof c.json.input === 'string' ? [] : c.json.input;
  const calls = items.filter((i) => i.type === 'function_call');
  const outs = items.filter((i) => i.type === 'function_call_output');
  assert.deepEqual(outs.map((i) => i.call_id), calls.map((i) => i.call_id),
    'No tool output found for function call');
  for (const i of calls)
    assert.ok(i.call_id.length <= 64, `call_id: string too long`);
  for (const i of items.filter((x) => x.type === 'reasoning'))
    if (i.encrypted_content)
      assert.ok(signedBy('openai', i.encrypted_content), 'The encrypted ' +
        'content could not be verified');
}

const strict = { claude, openai, gemini, responses };

/* ---- answers ---- */

const counts = { in: 20, read: 5, out: 7, think: 3 };

const claudeUsage = (u) => ({ input_tokens: u.in,
  cache_creation_input_tokens: 0, cache_read_input_tokens: u.read,
  output_tokens: u.out });
const chatUsage = (u) => ({ prompt_tokens: u.in + u.read,
  completion_tokens: u.out, total_tokens: u.in + u.read + u.out,
  prompt_tokens_details: { cached_tokens: u.read },
  completion_tokens_details: { reasoning_tokens: u.think } });
const geminiUsage = (u) => ({ promptTokenCount: u.in + u.read,
  candidatesTokenCount: u.out - u.think, thoughtsTokenCount: u.think,
  cachedContentTokenCount: u.read,
  totalTokenCount: u.in + u.read + u.out });
const itemUsage = (u) => ({ input_tokens: u.in + u.read,
  input_tokens_details: { cached_tokens: u.read }, output_tokens: u.out,
  output_tokens_details: { reasoning_tokens: u.think },
  total_tokens: u.in + u.read + u.out });

const cut = (s) => {
  const n = Math.ceil(s.length / 2);
  return n < s.length ? [s.slice(0, n), s.slice(n)] : [s];
};

const calls = (a) => a.parts.filter((p) => p.call);

const said = {
  claude: {
    stop: (a) => ({ max: 'max_tokens', refusal: 'refusal',
      sequence: 'stop_sequence' }[a.stop] ??
      (calls(a).length ? 'tool_use' : 'end_turn')),
    block: (p) => (p.hidden ? { type: 'redacted_thinking',
      data: p.hidden } : p.call ? { type: 'tool_use', id: p.id, name: p.call,
      input: p.args } : p.think !== undefined ? { type: 'thinking',
      thinking: p.think, signature: sign('claude', p.sig) } :
      { type: 'text', text: p.text }),
    plain: (a, b) => ({ id: `msg_${a.id}`, type: 'message', role: 'assistant',
      model: b.model, content: a.parts.map(said.claude.block),
      stop_reason: said.claude.stop(a), stop_sequence: a.stopped ?? null,
      usage: claudeUsage(a.usage) }),
    events: (a, b) => [
      ev('message_start', { message: { id: `msg_${a.id}`, type: 'message',
        role: 'assistant', model: b.model, content: [], stop_reason: null,
        stop_sequence: null, usage: { ...claudeUsage(a.usage),
          output_tokens: 1 } } }),
      ...a.parts.flatMap((p, index) => [
        ev('content_block_start', { index, content_block: p.call ?
          { type: 'tool_use', id: p.id, name: p.call, input: {} } :
          p.hidden ? said.claude.block(p) :
          p.think !== undefined ? { type: 'thinking', thinking: '',
            signature: '' } : { type: 'text', text: '' } }),
        ...(index === 0 ? [ev('ping', {})] : []),
        ...(p.hidden ? [] : p.call ? cut(JSON.stringify(p.args)).map((x) =>
          ({ type: 'input_json_delta', partial_json: x })) :
          p.think !== undefined ? [...cut(p.think).map((x) =>
            ({ type: 'thinking_delta', thinking: x })),
          { type: 'signature_delta', signature: sign('claude', p.sig) }] :
            cut(p.text).map((x) => ({ type: 'text_delta', text: x })))
          .map((delta) => ev('content_block_delta', { index, delta })),
        ev('content_block_stop', { index })]),
      ev('message_delta', { delta: { stop_reason: said.claude.stop(a),
        stop_sequence: a.stopped ?? null },
      usage: { output_tokens: a.usage.out } }),
      ev('message_stop', {})],
  },
  openai: {
    stop: (a) => ({ max: 'length', refusal: 'content_filter' }[a.stop] ??
      (calls(a).length ? 'tool_calls' : 'stop')),
    call: (p) => ({ id: p.id, type: 'function', function: { name: p.call,
      arguments: JSON.stringify(p.args) } }),
    plain: (a, b) => {
      const of = (k) => a.parts.map((p) => p[k] ?? '').join('');
      const message = { role: 'assistant', content: of('text') || null,
        refusal: null, annotations: [] };
      if (of('think')) message.reasoning_content = of('think');
      if (calls(a).length)
        message.tool_calls = calls(a).map(said.openai.call);
      return { id: `chatcmpl-${a.id}`, object: 'chat.completion',
        created: 1700000000, model: b.model, choices: [{ index: 0, message,
          logprobs: null, finish_reason: said.openai.stop(a) }],
        usage: chatUsage(a.usage) };
    },
    events: (a, b) => {
      const asked = b.stream_options?.include_usage;
      const chunk = (choices, usage) => data({ id: `chatcmpl-${a.id}`,
        object: 'chat.completion.chunk', created: 1700000000,
        model: b.model, choices, ...(asked ? { usage } : {}) });
      const one = (delta, finish = null) => chunk([{ index: 0, delta,
        logprobs: null, finish_reason: finish }], null);
      let n = -1;
      return [one({ role: 'assistant', content: '', refusal: null }),
        ...a.parts.flatMap((p) => (!p.call ?
          cut(p.text ?? p.think).map((x) => one(p.think !== undefined ?
            { reasoning_content: x } : { content: x })) :
          [one({ tool_calls: [{ index: ++n, id: p.id, type: 'function',
            function: { name: p.call, arguments: '' } }] }),
          ...cut(JSON.stringify(p.args)).map((x) => one({ tool_calls: [
            { index: n, function: { arguments: x } }] }))])),
        one({}, said.openai.stop(a)),
        ...(asked ? [chunk([], chatUsage(a.usage))] : []),
        'data: [DONE]\n\n'];
    },
  },
  gemini: {
    stop: (a) => ({ max: 'MAX_TOKENS', refusal: 'SAFETY' }[a.stop] ??
      'STOP'),
    part: (p) => ({
      ...(p.call ? { functionCall: { id: p.id, name: p.call,
        args: p.args } } : p.think !== undefined ? { text: p.think,
        thought: true } : { text: p.text }),
      ...(p.sig ? { thoughtSignature: sign('gemini', p.sig) } : {}) }),
    whole: (parts, a, b, more) => ({ candidates: [{ content: { role: 'model',
      parts }, index: 0, ...more }], modelVersion: b.model,
    responseId: 'resp01' }),
    plain: (a, b) => ({ ...said.gemini.whole(a.parts.map(said.gemini.part),
      a, b, { finishReason: said.gemini.stop(a) }),
    usageMetadata: geminiUsage(a.usage) }),
    events: (a, b) => [
      ...a.parts.flatMap((p) => (p.text ? cut(p.text).map((x) =>
        ({ text: x })) : [p])).map((p) => data(said.gemini.whole(
        [said.gemini.part(p)], a, b))),
      data({ ...said.gemini.whole([{ text: '' }], a, b,
        { finishReason: said.gemini.stop(a) }),
      usageMetadata: geminiUsage(a.usage) })],
  },
  responses: {
    item: (a, p, i) => (p.call ? { type: 'function_call', id: `fc_${a.id}${i}`,
      call_id: p.id, name: p.call, arguments: JSON.stringify(p.args),
      status: 'completed' } : p.think !== undefined ? { type: 'reasoning',
      id: `rs_${a.id}${i}`, summary: [{ type: 'summary_text', text: p.think }],
      encrypted_content: sign('openai', p.sig) } : { type: 'message',
      id: `msg_${a.id}${i}`, status: 'completed', role: 'assistant', content: [
        { type: 'output_text', text: p.text, annotations: [],
          logprobs: [] }] }),
    plain: (a, b) => ({ id: `resp_${a.id}`, object: 'response',
      created_at: 1700000000, model: b.model, error: null,
      status: a.stop === 'max' ? 'incomplete' : 'completed',
      incomplete_details: a.stop === 'max' ?
        { reason: 'max_output_tokens' } : null,
      output: a.parts.map((p, i) => said.responses.item(a, p, i)),
      tools: b.tools ?? [],
      parallel_tool_calls: true, tool_choice: 'auto', instructions: null,
      metadata: {}, temperature: 1, top_p: 1, usage: itemUsage(a.usage) }),
    events: (a, b) => {
      const whole = said.responses.plain(a, b);
      const list = [];
      const add = (type, x) => list.push(ev(type, { ...x,
        sequence_number: list.length }));
      add('response.created', { response: { ...whole, output: [],
        status: 'in_progress', usage: null, incomplete_details: null } });
      whole.output.forEach((item, output_index) => {
        const at = { item_id: item.id, output_index };
        add('response.output_item.added', { output_index, item: { ...item,
          ...(item.content ? { content: [] } : {}),
          ...(item.arguments ? { arguments: '' } : {}),
          ...(item.summary ? { summary: [] } : {}),
          ...(item.status ? { status: 'in_progress' } : {}) } });
        if (item.type === 'message') {
          const part = item.content[0];
          const here = { ...at, content_index: 0 };
          add('response.content_part.added', { ...here,
            part: { ...part, text: '' } });
          cut(part.text).forEach((delta) => add(
            'response.output_text.delta', { ...here, delta,
              logprobs: [] }));
          add('response.output_text.done', { ...here, text: part.text,
            logprobs: [] });
          add('response.content_part.done', { ...here, part });
        } else if (item.type === 'function_call') {
          cut(item.arguments).forEach((delta) => add(
            'response.function_call_arguments.delta', { ...at, delta }));
          add('response.function_call_arguments.done', { ...at,
            name: item.name, arguments: item.arguments });
        }
        add('response.output_item.done', { output_index, item });
      });
      add(`response.${whole.status}`, { response: whole });
      return list;
    },
  },
};

/* ---- errors ---- */

/* What each vendor says when; the names are ours. */
export const troubles = {
  claude: {
    rate: [429, { type: 'error', error: { type: 'rate_limit_error',
      message: 'This request would exceed your rate limit' } },
    { 'retry-after': '7' }],
    overloaded: [529, { type: 'error', error: { type: 'overloaded_error',
      message: 'Overloaded' } }],
    context: [400, { type: 'error', error: { type: 'invalid_request_error',
      message: 'prompt is too long: 210000 tokens > 200000 maximum' } }],
    key: [401, { type: 'error', error: { type: 'authentication_error',
      message: 'invalid x-api-key' } }],
  },
  openai: {
    rate: [429, { error: { message: 'Rate limit reached',
      type: 'requests', param: null, code: 'rate_limit_exceeded' } },
    { 'retry-after': '7' }],
    overloaded: [503, { error: { message: 'The engine is overloaded',
      type: 'server_error', param: null, code: null } }],
    context: [400, { error: { message: 'This model\'s maximum context ' +
      'length is 128000 tokens.', type: 'invalid_request_error',
    param: 'messages', code: 'context_length_exceeded' } }],
    key: [401, { error: { message: 'Incorrect API key provided',
      type: 'invalid_request_error', param: null,
      code: 'invalid_api_key' } }],
  },
  gemini: {
    rate: [429, { error: { code: 429, message: 'Resource exhausted',
      status: 'RESOURCE_EXHAUSTED', details: [{ '@type':
        'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: '7s' }] } }],
    overloaded: [503, { error: { code: 503, message: 'The model is ' +
      'overloaded.', status: 'UNAVAILABLE' } }],
    context: [400, { error: { code: 400, message: 'The input token count ' +
      '(1200000) exceeds the maximum number of tokens allowed (1048576).',
    status: 'INVALID_ARGUMENT' } }],
    key: [400, { error: { code: 400, message: 'API key not valid. Please ' +
      'pass a valid API key.', status: 'INVALID_ARGUMENT', details: [{
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID', domain: 'googleapis.com' }] } }],
  },
};

const refusal = {
  claude: (message) => ({ type: 'error', error: {
    type: 'invalid_request_error', message } }),
  openai: (message) => ({ error: { message, type: 'invalid_request_error',
    param: null, code: null } }),
  gemini: (message) => ({ error: { code: 400, message,
    status: 'INVALID_ARGUMENT' } }),
};

/* ---- a vendor ---- */

export const models = { claude: 'claude-sonnet-4-5', openai: 'gpt-5.2',
  gemini: 'gemini-3-pro-preview' };

/*
 * A provider of that API.  script: a list of answers, one for each request
 * (the last one again), or (request, n, call) => answer; a string is a text.
 * rules: model; native: its own API asks, with the habits of its SDK.
 * asked: the requests that were right.
 */
export async function vendor(t, api, script, rules = {}) {
  const asked = [];
  const rule = { model: models[api], ...rules };
  const next = typeof script === 'function' ? script :
    (b, n) => script[Math.min(n, script.length - 1)];
  const up = await t.provider(async (c) => {
    const own = c.target === '/v1/responses' ? 'responses' : api;
    try {
      strict[own](c, rule);
    } catch (e) {
      await c.answer(400, refusal[api](e.message.split('\n')[0]));
      throw new Error(`${own} refuses: ${e.message}\n${c.text}`);
    }
    const b = { ...c.json, model: rule.model };
    if (/count_?tokens/i.test(c.target))
      return c.answer(200, api === 'claude' ? { input_tokens: 42 } :
        { totalTokens: 42 });
    asked.push(c.json);
    let a = await next(c.json, asked.length - 1, c);
    if (typeof a === 'string') a = { parts: [{ text: a }] };
    if (a === undefined) return undefined;
    if (a.trouble) {
      const [status, body, headers] = troubles[api][a.trouble];
      return c.answer(status, body, headers);
    }
    a = { ...a, usage: { ...counts, ...a.usage },
      id: `${api}${String(asked.length).padStart(8, '0')}` };
    if (!(b.stream || c.target.includes('stream')))
      return c.answer(200, said[own].plain(a, b));
    const events = said[own].events(a, b);
    if (a.cutAt === undefined) return c.stream(events);
    await c.sse();
    for (const e of events.slice(0, a.cutAt)) await c.chunk(e);
    if (!a.event) return c.reset();
    await c.chunk(a.event);
    return c.last();
  });
  up.asked = asked;
  up.api = api;
  up.entry = (more = {}) => ({ name: api, base_url: up.url, api_type: api,
    token: `tok-${api}-0123456789abcdef`, model: rule.model, ...more });
  return up;
}
