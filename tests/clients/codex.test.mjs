/* Codex itself, headless, through Spillway: it speaks only the Responses
 * API; a loop with a tool on every kind of backend. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { assert, test, top, within } from '../e2e/lib.mjs';
import { secret } from './talk.mjs';
import { signatures, vendor } from './vendor.mjs';

const program = `${top}/tests/node_modules/.bin/codex`;
const runs = spawnSync(program, ['--version']).status === 0;

async function codex(t, port, prompt, model = 'gpt-5.1') {
  if (!runs) {
    console.log('# codex has no binary for this machine');
    throw 'skip';
  }
  const home = `${t.dir}/home`;
  fs.mkdirSync(`${home}/desk`, { recursive: true });
  fs.writeFileSync(`${home}/config.toml`,
    `model = "${model}"
model_provider = "spillway"
model_reasoning_effort = "medium"
approval_policy = "never"
sandbox_mode = "danger-full-access"
[analytics]
enabled = false
[model_providers.spillway]
name = "spillway"
base_url = "http://127.0.0.1:${port}/v1"
env_key = "CLIENT_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`);
  const child = spawn(program, ['exec', '--skip-git-repo-check', '--json',
    prompt], { cwd: `${home}/desk`, stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home, CODEX_HOME: home,
      TMPDIR: t.dir, CLIENT_KEY: 'client-key-abcdefgh' } });
  const out = [];
  const err = [];
  child.stdout.on('data', (b) => out.push(b));
  child.stderr.on('data', (b) => err.push(b));
  t.later.push(() => child.kill('SIGKILL'));
  const code = await within(new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  }), 'Codex', 50000);
  const text = Buffer.concat(out).toString();
  assert.equal(code, 0, text + Buffer.concat(err).toString());
  return text.trim().split('\n').map((l) => JSON.parse(l));
}

const said = {
  claude: (b) => b.messages.flatMap((m) => (Array.isArray(m.content) ?
    m.content : [])).filter((x) => x.type === 'tool_result').map((x) =>
    JSON.stringify(x.content)),
  openai: (b) => (b.input ? b.input.filter((x) =>
    x.type === 'function_call_output').map((x) => x.output) :
    b.messages.filter((m) => m.role === 'tool').map((m) => m.content)),
  gemini: (b) => b.contents.flatMap((x) => x.parts).filter((p) =>
    p.functionResponse).map((p) =>
    JSON.stringify(p.functionResponse.response)),
};

/* Thinks and runs a command, twice; then it tells what it saw. */
const agent = (api) => (b) => {
  const n = said[api](b).length + 1;
  const sig = { sig: n };
  if (n <= 2) return { parts: [
    { think: `Command ${n}.`, ...(api === 'gemini' ? {} : sig) },
    { text: 'I run it.' },
    { call: 'exec_command', id: `${api}_call${n}`,
      args: { cmd: `echo "hello ${'$'}((40 + ${n})) ä"` },
      ...(api === 'gemini' ? sig : {}) }] };
  const [one, two] = said[api](b);
  return `the tool said ${/hello 41 ä/.test(one) && /hello 42 ä/.test(two) ?
    'both' : JSON.stringify([one, two])}`;
};

function finished(events) {
  const of = (type) => events.filter((e) => e.type === 'item.completed' &&
    e.item.type === type).map((e) => e.item);
  assert.equal(of('agent_message').pop().text, 'the tool said both');
  assert.deepEqual(of('command_execution').map((x) => x.exit_code), [0, 0]);
  const u = events.find((e) => e.type === 'turn.completed').usage;
  assert.deepEqual([u.input_tokens, u.cached_input_tokens, u.output_tokens],
    [75, 15, 21]);
}

const kinds = { claude: ['claude'], gemini: ['gemini'], openai: ['openai'],
  'openai, chat only': ['openai', { responses: false }] };

for (const [name, [api, more]] of Object.entries(kinds))
  test(`Codex on ${name}: a tool, three turns`, async (t) => {
    const native = api === 'openai' && !more;
    const up = await vendor(t, api, agent(api), { native });
    const sp = await t.proxy([up.entry(more)]);
    secret(t, [up]);
    finished(await codex(t, sp.port, 'Do the task.'));
    assert.equal(up.asked.length, 3);
    assert.match(JSON.stringify(up.asked[0]), /Do the task\./);
    assert.deepEqual(signatures(up.asked[2]), api === 'openai' && more ? [] :
      [`${api} 1`, `${api} 2`]);
    if (native)
      for (const k of ['client_metadata', 'prompt_cache_key', 'include'])
        assert.ok(k in up.asked[0], `${k} was lost`);
  });

for (const [x, y] of [['claude', 'openai'], ['gemini', 'openai'],
  ['openai', 'claude'], ['openai', 'gemini'], ['claude', 'gemini']])
  test(`Codex: ${x} fails after a turn, ${y} goes on`, async (t) => {
    const script = agent(x);
    const a = await vendor(t, x, (b, n) => (n < 1 ? script(b) :
      { trouble: 'overloaded' }), { native: x === 'openai' });
    const b = await vendor(t, y, agent(y), { native: y === 'openai' });
    const sp = await t.proxy([a.entry(), b.entry()]);
    secret(t, [a, b]);
    finished(await codex(t, sp.port, 'Do the task.'));
    assert.deepEqual([a.asked.length, b.asked.length], [3, 2]);
    assert.deepEqual(signatures(b.asked[0]), []);
    assert.deepEqual(signatures(b.asked[1]), [`${y} 2`]);
  });

/* A model for which Codex has a tool that takes free text. */
const patch = '*** Begin Patch\n*** Add File: note.txt\n+one "two" \\ ä\n' +
  '*** End Patch\n';

for (const api of ['claude', 'gemini'])
  test(`Codex on ${api}: a free-form tool`, async (t) => {
    const up = await vendor(t, api, (b) => {
      const got = said[api](b);
      if (got.length === 0) return { parts: [{ call: 'apply_patch',
        id: 'call_p', args: { input: patch }, sig: 1 }] };
      return `it said ${/note\.txt/.test(got[0]) ? 'note' : got[0]}`;
    });
    const sp = await t.proxy([up.entry()]);
    const events = await codex(t, sp.port, 'Do the task.', 'gpt-5.5');
    assert.equal(events.filter((e) => e.item?.type === 'agent_message').pop()
      .item.text, 'it said note');
    assert.equal(fs.readFileSync(`${t.dir}/home/desk/note.txt`, 'utf8'),
      'one "two" \\ ä\n');
    assert.deepEqual(signatures(up.asked[1]), api === 'gemini' ?
      ['gemini 1'] : []);
  });

/* 2 x 2 points. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8' +
  'AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==';
const image = /"(image\/png"|data:image\/png;)/;

for (const api of ['claude', 'gemini', 'openai'])
  test(`Codex on ${api}: an image from a tool`, async (t) => {
    fs.mkdirSync(`${t.dir}/home/desk`, { recursive: true });
    fs.writeFileSync(`${t.dir}/home/desk/a.png`, Buffer.from(png, 'base64'));
    const native = api === 'openai';
    const up = await vendor(t, api, (b) => (said[api](b).length === 0 ?
      { parts: [{ call: 'view_image', id: 'call_v', sig: 1,
        args: { path: `${t.dir}/home/desk/a.png` } }] } :
      `it has ${image.test(JSON.stringify(b)) ? 'one' : 'none'}`), { native });
    const sp = await t.proxy([up.entry()]);
    const events = await codex(t, sp.port, 'Do the task.');
    assert.equal(events.filter((e) => e.item?.type === 'agent_message').pop()
      .item.text, 'it has one');
    assert.doesNotMatch(JSON.stringify(up.asked[0]), image);
  });
