/* Claude Code itself, headless, through Spillway: a turn with a tool and
 * the answer, while the first provider is overloaded. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { assert, test, top, within } from '../e2e/lib.mjs';
import { backend, ev, fails, stream } from '../e2e/say.mjs';

const program = `${top}/tests/node_modules/.bin/claude`;

const toolTurn = [stream.claude()[0],
  ev('content_block_start', { index: 0, content_block: { type: 'tool_use',
    id: 'toolu_1', name: 'Bash', input: {} } }),
  ev('content_block_delta', { index: 0, delta: { type: 'input_json_delta',
    partial_json: JSON.stringify({ command: 'echo hello-from-tool',
      description: 'Say hello' }) } }),
  ev('content_block_stop', { index: 0 }),
  ev('message_delta', { delta: { stop_reason: 'tool_use',
    stop_sequence: null }, usage: { output_tokens: 9 } }),
  ev('message_stop', {})];

/* First turn: use the tool.  Second: read its result, and say so. */
function agent(calls) {
  return async (c) => {
    if (c.target.includes('count_tokens'))
      return c.answer(200, { input_tokens: 100 });
    if (!c.target.startsWith('/v1/messages'))
      return c.answer(200, { data: [] });
    calls.push(c.json);
    const result = c.json.messages.flatMap((m) =>
      Array.isArray(m.content) ? m.content : [])
      .find((b) => b.type === 'tool_result');
    if (!result) return c.stream(toolTurn);
    const said = JSON.stringify(result.content);
    return c.stream(stream.claude(['the tool said ',
      said.includes('hello-from-tool') ? 'hello-from-tool' : 'nothing']));
  };
}

async function claude(t, port, env = {}) {
  const home = `${t.dir}/home`;
  fs.mkdirSync(`${home}/desk`, { recursive: true });
  const child = spawn(program, ['-p', 'Run the tool.', '--output-format',
    'json', '--allowedTools', 'Bash,Read,Write,Edit,Agent,ToolSearch'], {
    cwd: `${home}/desk`, stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: t.dir,
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_MAX_RETRIES: '0', DISABLE_AUTOUPDATER: '1', ...env } });
  const out = [];
  const err = [];
  child.stdout.on('data', (b) => out.push(b));
  child.stderr.on('data', (b) => err.push(b));
  t.later.push(() => child.kill('SIGKILL'));
  const code = await within(new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  }), 'Claude Code', 90000);
  const text = Buffer.concat(out).toString();
  assert.equal(code, 0, text + Buffer.concat(err).toString());
  return JSON.parse(text);
}

for (const [name, env] of Object.entries({
  'an API key': { ANTHROPIC_API_KEY: 'client-key-abcdefgh' },
  'a token': { ANTHROPIC_AUTH_TOKEN: 'client-key-abcdefgh' },
}))
  test(`Claude Code with ${name}: two turns over a failing provider`,
    async (t) => {
      const calls = [];
      const a = await t.provider(fails(529));
      const b = await t.provider(agent(calls));
      const sp = await t.proxy([backend('a', a), backend('b', b)]);
      const r = await claude(t, sp.port, env);
      assert.equal(r.is_error, false, JSON.stringify(r));
      assert.equal(r.result, 'the tool said hello-from-tool');
      assert.equal(calls.length, 2);
      assert.ok(a.requests.length >= 1, 'the first provider was not asked');
      for (const p of [a, b])
        for (const c of p.connections)
          assert.doesNotMatch(Buffer.concat(c.bytes).toString(),
            /client-key/);
    });

test('Claude Code: an error event within a 200 moves on', async (t) => {
  const calls = [];
  const a = await t.provider((c) => c.stream([stream.claude()[0],
    ev('error', { error: { type: 'overloaded_error',
      message: 'Overloaded' } })]));
  const b = await t.provider(agent(calls));
  const sp = await t.proxy([backend('a', a), backend('b', b)]);
  const r = await claude(t, sp.port, { ANTHROPIC_API_KEY: 'client-key-abc' });
  assert.equal(r.result, 'the tool said hello-from-tool');
  assert.equal(calls.length, 2);
});
