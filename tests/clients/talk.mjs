/*
 * The makers' own libraries, driven alike: a talk is a conversation whose
 * history is kept the way the library's users keep it.
 *
 *   talk(client, url, options) -> { say(...parts), results(list) }
 *
 * Parts: a string, { image } or { pdf } (base64).  Results: { call, output,
 * error }.  Options: stream, tools, think (an effort), format (a schema),
 * max, system, choice, stops.  What comes back: { text, thoughts, calls,
 * stop, usage, model, raw, pieces }.
 */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI, ThinkingLevel } from '@google/genai';
import OpenAI from 'openai';
import { assert } from '../e2e/lib.mjs';

export const key = 'client-key-abcdefgh';
export const asked = { anthropic: 'claude-opus-4-8', chat: 'gpt-5.1',
  responses: 'gpt-5.1', google: 'gemini-3-flash-preview' };
/* What each client's backends are called. */
export const own = { anthropic: 'claude', chat: 'openai',
  responses: 'openai', google: 'gemini' };

const budget = { low: 1024, medium: 8192, high: 24576 };

class Claude {
  constructor(url, o) {
    this.o = o;
    this.client = new Anthropic({ apiKey: key, baseURL: url,
      maxRetries: 0 });
    this.messages = [];
  }

  say(...parts) {
    return this.turn(parts.map((p) => (p.image ? { type: 'image',
      source: { type: 'base64', media_type: 'image/png', data: p.image } } :
      p.pdf ? { type: 'document', source: { type: 'base64',
        media_type: 'application/pdf', data: p.pdf } } :
        { type: 'text', text: p })));
  }

  results(list) {
    return this.turn(list.map((r) => ({ type: 'tool_result',
      tool_use_id: r.call.id, content: r.image ? [
        { type: 'text', text: r.output }, { type: 'image', source: {
          type: 'base64', media_type: 'image/png', data: r.image } }] :
        r.error ?? r.output, ...(r.error ? { is_error: true } : {}) })));
  }

  body() {
    const o = this.o;
    const b = { model: asked.anthropic, max_tokens: o.max ?? 16000,
      messages: this.messages };
    if (o.system) b.system = o.system;
    if (o.tools) b.tools = o.tools.map((t) => ({ name: t.name,
      description: t.description, input_schema: t.schema }));
    if (o.think) b.thinking = { type: 'enabled',
      budget_tokens: Math.min(budget[o.think], b.max_tokens - 1) };
    if (o.format) b.output_config = { format: { type: 'json_schema',
      schema: o.format } };
    if (o.choice) b.tool_choice = { type: 'tool', name: o.choice };
    if (o.stops) b.stop_sequences = o.stops;
    return b;
  }

  async turn(content) {
    this.messages.push({ role: 'user', content });
    let m;
    const pieces = [];
    if (this.o.stream)
      m = await this.client.messages.stream(this.body())
        .on('text', (x) => pieces.push(x)).finalMessage();
    else
      m = await this.client.messages.create(this.body());
    this.messages.push({ role: 'assistant', content: m.content });
    const of = (type) => m.content.filter((x) => x.type === type);
    const u = m.usage;
    return { raw: m, model: m.model, pieces,
      text: of('text').map((x) => x.text).join(''),
      thoughts: of('thinking').map((x) => x.thinking).join(''),
      calls: of('tool_use').map((x) => ({ id: x.id, name: x.name,
        args: x.input })),
      stop: { end_turn: 'end', max_tokens: 'max', tool_use: 'tool',
        stop_sequence: 'sequence' }[m.stop_reason] ?? m.stop_reason,
      usage: { in: u.input_tokens + u.cache_read_input_tokens +
        u.cache_creation_input_tokens, read: u.cache_read_input_tokens,
      out: u.output_tokens } };
  }
}

class Chat {
  constructor(url, o) {
    this.o = o;
    this.client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`,
      maxRetries: 0 });
    this.messages = o.system ? [{ role: 'developer', content: o.system }] :
      [];
  }

  say(...parts) {
    return this.turn([{ role: 'user', content: parts.map((p) => (p.image ?
      { type: 'image_url', image_url: { url:
        `data:image/png;base64,${p.image}` } } : p.pdf ? { type: 'file',
        file: { filename: 'a.pdf', file_data:
          `data:application/pdf;base64,${p.pdf}` } } :
        { type: 'text', text: p })) }]);
  }

  results(list) {
    return this.turn(list.map((r) => ({ role: 'tool',
      tool_call_id: r.call.id, content: r.error ?? r.output })));
  }

  body() {
    const o = this.o;
    const b = { model: asked.chat, messages: this.messages };
    if (o.max) b.max_completion_tokens = o.max;
    if (o.tools) b.tools = o.tools.map((t) => ({ type: 'function',
      function: { name: t.name, description: t.description,
        parameters: t.schema } }));
    if (o.think) b.reasoning_effort = o.think;
    if (o.format) b.response_format = { type: 'json_schema', json_schema: {
      name: 'shape', schema: o.format, strict: true } };
    if (o.choice) b.tool_choice = { type: 'function',
      function: { name: o.choice } };
    if (o.stops) b.stop = o.stops;
    return b;
  }

  async turn(messages) {
    this.messages.push(...messages);
    let m;
    const pieces = [];
    let thoughts = '';
    if (this.o.stream)
      m = await this.client.chat.completions.stream({ ...this.body(),
        stream_options: { include_usage: true } })
        .on('content', (x) => pieces.push(x))
        .on('chunk', (x) => {
          thoughts += x.choices[0]?.delta.reasoning_content ?? '';
        }).finalChatCompletion();
    else
      m = await this.client.chat.completions.create(this.body());
    const c = m.choices[0];
    /* Of what the library does not know it keeps the last piece alone. */
    if (!this.o.stream) thoughts = c.message.reasoning_content ?? '';
    this.messages.push(c.message);
    const u = m.usage;
    return { raw: m, model: m.model, pieces, text: c.message.content ?? '',
      thoughts, calls: (c.message.tool_calls ?? []).map((x) => ({ id: x.id,
        name: x.function.name, args: JSON.parse(x.function.arguments) })),
      stop: { stop: 'end', length: 'max', tool_calls: 'tool',
        content_filter: 'refusal' }[c.finish_reason],
      usage: { in: u.prompt_tokens, out: u.completion_tokens,
        read: u.prompt_tokens_details.cached_tokens } };
  }
}

class Responses {
  constructor(url, o) {
    this.o = o;
    this.client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`,
      maxRetries: 0 });
    this.input = [];
  }

  say(...parts) {
    return this.turn([{ role: 'user', content: parts.map((p) => (p.image ?
      { type: 'input_image', detail: 'auto', image_url:
        `data:image/png;base64,${p.image}` } : p.pdf ?
        { type: 'input_file', filename: 'a.pdf', file_data:
          `data:application/pdf;base64,${p.pdf}` } :
        { type: 'input_text', text: p })) }]);
  }

  results(list) {
    return this.turn(list.map((r) => ({ type: 'function_call_output',
      call_id: r.call.id, output: r.error ?? r.output })));
  }

  body() {
    const o = this.o;
    const b = { model: asked.responses, input: this.input, store: false,
      include: ['reasoning.encrypted_content'] };
    if (o.system) b.instructions = o.system;
    if (o.max) b.max_output_tokens = o.max;
    if (o.tools) b.tools = o.tools.map((t) => ({ type: 'function',
      name: t.name, description: t.description, parameters: t.schema,
      strict: false }));
    if (o.think) b.reasoning = { effort: o.think, summary: 'auto' };
    if (o.format) b.text = { format: { type: 'json_schema', name: 'shape',
      schema: o.format, strict: true } };
    if (o.choice) b.tool_choice = { type: 'function', name: o.choice };
    return b;
  }

  async turn(items) {
    this.input.push(...items);
    let m;
    const pieces = [];
    if (this.o.stream)
      m = await this.client.responses.stream(this.body())
        .on('response.output_text.delta', (e) => pieces.push(e.delta))
        .finalResponse();
    else
      m = await this.client.responses.create(this.body());
    this.input.push(...m.output);
    const of = (type) => m.output.filter((x) => x.type === type);
    const u = m.usage;
    return { raw: m, model: m.model, pieces, text: m.output_text,
      thoughts: of('reasoning').map((x) => x.summary.map((s) => s.text)
        .join('')).join(''),
      calls: of('function_call').map((x) => ({ id: x.call_id, name: x.name,
        args: JSON.parse(x.arguments) })),
      stop: { max_output_tokens: 'max', content_filter: 'refusal' }[
        m.incomplete_details?.reason] ??
        (of('function_call').length ? 'tool' : 'end'),
      usage: { in: u.input_tokens, out: u.output_tokens,
        read: u.input_tokens_details.cached_tokens } };
  }
}

class Google {
  constructor(url, o) {
    this.o = o;
    const client = new GoogleGenAI({ apiKey: key,
      httpOptions: { baseUrl: url } });
    const config = {};
    if (o.system) config.systemInstruction = o.system;
    if (o.max) config.maxOutputTokens = o.max;
    if (o.tools) config.tools = [{ functionDeclarations: o.tools.map((t) =>
      ({ name: t.name, description: t.description,
        parametersJsonSchema: t.schema })) }];
    if (o.think) config.thinkingConfig = { includeThoughts: true,
      thinkingLevel: ThinkingLevel[o.think.toUpperCase()] };
    if (o.format) {
      config.responseMimeType = 'application/json';
      config.responseJsonSchema = o.format;
    }
    if (o.choice) config.toolConfig = { functionCallingConfig: {
      mode: 'ANY', allowedFunctionNames: [o.choice] } };
    if (o.stops) config.stopSequences = o.stops;
    this.client = client;
    this.chat = client.chats.create({ model: asked.google, config });
  }

  say(...parts) {
    return this.turn(parts.map((p) => (p.image ? { inlineData: {
      mimeType: 'image/png', data: p.image } } : p.pdf ? { inlineData: {
      mimeType: 'application/pdf', data: p.pdf } } : { text: p })));
  }

  results(list) {
    return this.turn(list.map((r) => ({ functionResponse: {
      ...(r.call.id ? { id: r.call.id } : {}), name: r.call.name,
      response: r.error ? { error: r.error } : { output: r.output } } })));
  }

  async turn(message) {
    const chunks = [];
    if (this.o.stream)
      for await (const c of await this.chat.sendMessageStream({ message }))
        chunks.push(c);
    else
      chunks.push(await this.chat.sendMessage({ message }));
    const last = chunks[chunks.length - 1];
    const c = last.candidates?.[0];
    const parts = chunks.flatMap((x) =>
      x.candidates?.[0]?.content?.parts ?? []);
    const u = last.usageMetadata;
    const calls = parts.filter((p) => p.functionCall).map((p) =>
      p.functionCall);
    return { raw: last, model: last.modelVersion, parts,
      pieces: parts.filter((p) => p.text && !p.thought).map((p) => p.text),
      text: parts.map((p) => (p.thought ? '' : p.text ?? '')).join(''),
      thoughts: parts.map((p) => (p.thought ? p.text : '')).join(''),
      calls: calls.map((f) => ({ id: f.id, name: f.name, args: f.args })),
      stop: { STOP: calls.length ? 'tool' : 'end', MAX_TOKENS: 'max',
        SAFETY: 'refusal' }[c?.finishReason],
      usage: { in: u.promptTokenCount, out: u.candidatesTokenCount +
        (u.thoughtsTokenCount ?? 0), read: u.cachedContentTokenCount ??
        0 } };
  }
}

const kinds = { anthropic: Claude, chat: Chat, responses: Responses,
  google: Google };

export function talk(client, url, options = {}) {
  return new kinds[client](url, options);
}

/* No provider ever sees what the client showed. */
export function secret(t, ups) {
  t.later.push(() => {
    for (const up of ups)
      for (const c of up.connections)
        assert.doesNotMatch(Buffer.concat(c.bytes).toString(), /client-key/);
  });
}
