/* Claude Code itself, headless, on backends of other APIs: tools, several
 * turns, and a change of the backend in their midst. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { assert, test, top, within } from '../e2e/lib.mjs';
import { secret } from './talk.mjs';
import { signatures, vendor } from './vendor.mjs';

const program = `${top}/tests/node_modules/.bin/claude`;

async function claude(t, port, prompt) {
  const home = `${t.dir}/home`;
  fs.mkdirSync(`${home}/desk`, { recursive: true });
  const child = spawn(program, ['-p', prompt, '--output-format', 'json',
    '--allowedTools', 'Bash,Read,Write'], {
    cwd: `${home}/desk`, stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: t.dir,
      ANTHROPIC_API_KEY: 'client-key-abcdefgh',
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_MAX_RETRIES: '0', DISABLE_AUTOUPDATER: '1' } });
  const out = [];
  child.stdout.on('data', (b) => out.push(b));
  child.stderr.on('data', (b) => out.push(b));
  t.later.push(() => child.kill('SIGKILL'));
  const code = await within(new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  }), 'Claude Code', 50000);
  const text = Buffer.concat(out).toString();
  assert.equal(code, 0, text);
  const r = JSON.parse(text);
  assert.equal(r.is_error, false, text);
  return r;
}

/* How many results of tools a request holds, and what they say. */
const said = {
  claude: (b) => b.messages.flatMap((m) => (Array.isArray(m.content) ?
    m.content : [])).filter((x) => x.type === 'tool_result').map((x) =>
    JSON.stringify(x.content)),
  openai: (b) => b.messages.filter((m) => m.role === 'tool').map((m) =>
    m.content),
  gemini: (b) => b.contents.flatMap((x) => x.parts).filter((p) =>
    p.functionResponse).map((p) =>
    JSON.stringify(p.functionResponse.response)),
};

const ids = { claude: 'toolu_01', openai: 'call_01', gemini: 'fc01' };

/*
 * Thinks and runs two commands at once, then writes a file, then tells what
 * it saw.  What a turn is: the number of results that are there.
 */
const agent = (api, work) => (b) => {
  const results = said[api](b);
  const sig = api === 'gemini' ? {} : { sig: 1 };
  const own = api === 'gemini' ? { sig: 1 } : {};
  if (results.length === 0) return { parts: [
    { think: 'A tool is needed.', ...sig }, { text: 'I run it.' },
    { call: 'Bash', id: `${ids[api]}a`, args: {
      command: 'echo "hello-from-tool ä"', description: 'Hello' }, ...own },
    { call: 'Bash', id: `${ids[api]}b`, args: {
      command: 'echo second; exit 3', description: 'Fail' } }] };
  if (results.length === 2) return { parts: [
    { think: 'Now the file.', ...sig, ...(sig.sig ? { sig: 2 } : {}) },
    { call: 'Write', id: `${ids[api]}c`, args: { file_path:
      `${work}/note.txt`, content: 'line one\n"two" \u2028 ä\n' },
    ...own, ...(own.sig ? { sig: 2 } : {}) }] };
  return { parts: [{ text: 'the tool said ' + (
    /hello-from-tool ä/.test(results[0]) && /second/.test(results[1]) &&
    /note\.txt/.test(results[2]) ? 'all' : JSON.stringify(results)) }] };
};

const overloaded = { trouble: 'overloaded' };

function finished(t, r) {
  assert.equal(r.result, 'the tool said all');
  assert.equal(fs.readFileSync(`${t.dir}/home/desk/note.txt`, 'utf8'),
    'line one\n"two" \u2028 ä\n');
}

for (const api of ['openai', 'gemini'])
  test(`Claude Code on ${api}: tools over three turns`, async (t) => {
    const up = await vendor(t, api, agent(api, `${t.dir}/home/desk`));
    const sp = await t.proxy([up.entry()]);
    secret(t, [up]);
    finished(t, await claude(t, sp.port, 'Do the task.'));
    assert.equal(up.asked.length, 3);
    assert.match(JSON.stringify(up.asked[0]), /Do the task\./);
    if (api === 'gemini')
      assert.deepEqual(signatures(up.asked[2]), ['gemini 1', 'gemini 2']);
  });

/* The first backend answers so many turns, then it fails. */
for (const [x, y] of [['openai', 'claude'], ['gemini', 'claude'],
  ['claude', 'openai'], ['claude', 'gemini'], ['gemini', 'openai']])
  for (const turns of [1, 2])
    test(`Claude Code: ${x} fails after turn ${turns}, ${y} goes on`,
      async (t) => {
        const work = `${t.dir}/home/desk`;
        const script = agent(x, work);
        const a = await vendor(t, x, (b, n) => (n < turns ? script(b) :
          overloaded), { native: x === 'claude', code: true });
        const b = await vendor(t, y, agent(y, work),
          { native: y === 'claude', code: true });
        const sp = await t.proxy([a.entry(), b.entry()]);
        secret(t, [a, b]);
        finished(t, await claude(t, sp.port, 'Do the task.'));
        assert.equal(a.asked.length, 3, 'the first was not asked again');
        assert.equal(b.asked.length, 3 - turns);
        for (const q of b.asked)
          for (const s of signatures(q)) assert.match(s,
            new RegExp(`^${y} \\d$`), `a signature of ${s} at ${y}`);
        assert.deepEqual(signatures(b.asked[0]), []);
      });

/* 2 x 2 points. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8' +
  'AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==';
const image = /"(image\/png"|data:image\/png;)/;

for (const api of ['openai', 'gemini'])
  test(`Claude Code on ${api}: an image from a tool`, async (t) => {
    fs.mkdirSync(`${t.dir}/home/desk`, { recursive: true });
    fs.writeFileSync(`${t.dir}/home/desk/a.png`, Buffer.from(png, 'base64'));
    const up = await vendor(t, api, (b) => (said[api](b).length === 0 ?
      { parts: [{ call: 'Read', id: 'call_v', sig: 1,
        args: { file_path: `${t.dir}/home/desk/a.png` } }] } :
      `it has ${image.test(JSON.stringify(b)) ? 'one' : 'none'}`));
    const sp = await t.proxy([up.entry()]);
    const r = await claude(t, sp.port, 'Look at a.png.');
    assert.equal(r.result, 'it has one');
    assert.doesNotMatch(JSON.stringify(up.asked[0]), image);
  });
