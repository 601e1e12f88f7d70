/*
 * What keeps a waiting client alive: a translated stream that is silent for
 * 15 seconds gets a ping of the client's API, and Gemini's, whose old
 * libraries take nothing of that kind, gets nothing.  Here and not among the
 * fast tests, as it has to be waited for.
 */
import { assert, deferred, patience, test, within } from '../e2e/lib.mjs';
import { backend, data, ev, streamCalls } from '../e2e/say.mjs';

const wait = Math.max(patience, 40000);
const models = { claude: 'claude-opus-5', openai: 'gpt-4o' };

const chunk = (delta, finish_reason = null) => data({ id: 'c', created: 1,
  object: 'chat.completion.chunk', model: 'gpt-4o',
  choices: [{ index: 0, delta, finish_reason }] });
const said = {
  openai: { first: chunk({ role: 'assistant', content: 'one' }),
    rest: [chunk({ content: 'two' }), chunk({}, 'stop'),
      'data: [DONE]\n\n'] },
  claude: { first: ev('message_start', { message: { id: 'm', type: 'message',
    role: 'assistant', model: 'x', content: [], stop_reason: null,
    usage: { input_tokens: 1, output_tokens: 1 } } }) +
    ev('content_block_start', { index: 0,
      content_block: { type: 'text', text: '' } }) +
    ev('content_block_delta', { index: 0,
      delta: { type: 'text_delta', text: 'one' } }),
  rest: [ev('content_block_delta', { index: 0,
    delta: { type: 'text_delta', text: 'two' } }),
  ev('content_block_stop', { index: 0 }), ev('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 2 } }), ev('message_stop', {})] },
};

const rows = [
  { client: 'claude', up: 'openai',
    ping: 'event: ping\ndata: {"type":"ping"}\n\n' },
  { client: 'openai', up: 'claude', ping: /\n:[^\n]*\n\n/ },
  { client: 'gemini', up: 'claude', ping: null },
];

for (const { client, up: api, ping } of rows)
  test(`a silent translated stream: ${client} client`, async (t) => {
    const go = deferred();
    const up = await t.provider(async (c) => {
      await c.sse();
      await c.chunk(said[api].first);
      await go.promise;
      for (const e of said[api].rest) await c.chunk(e);
      await c.last();
    });
    const sp = await t.proxy([backend('a', up, { api_type: api,
      model: models[api] })], { timeouts: { idle: 60 } });
    const c = t.client(sp);
    const began = Date.now();
    c.request('POST', streamCalls[client].path, {},
      streamCalls[client].body);
    await c.sees('one');
    const silent = c.received().length;
    /* Long enough for a ping; where none is due, for one that is not. */
    await within((async () => {
      while (Date.now() - began < 17000)
        await new Promise((done) => setTimeout(done, 100));
    })(), 'the silence', wait);
    const came = c.received().toString().slice(silent);
    if (ping === null) assert.equal(came, '');
    else if (typeof ping === 'string') assert.ok(came.includes(ping), came);
    else assert.match(came, ping);
    go.resolve();
    const r = await c.answer();
    assert.match(r.body.toString(), /one[^]*two/);
  });
