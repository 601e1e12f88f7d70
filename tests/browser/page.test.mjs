/* The dashboard's page in a browser, against a stand-in for the API. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { assert, test, top, until } from '../e2e/lib.mjs';
import { checkAxe, checkWidth, open, shot, text } from './kit.mjs';
import { B, R, T, busy, mock, pageFile } from './mock.mjs';

async function serve(t, world = busy()) {
  const m = await mock(world);
  t.later.push(() => m.close());
  return m;
}

const start = async (t, world, options) => {
  const m = await serve(t, world);
  const page = await open(t, m.url, options);
  await page.locator('#page').waitFor();
  return { m, page };
};

const names = (page) => page.locator('.backend .name').allInnerTexts();
const says = (locator, what) => until(async () => {
  const s = await text(locator);
  return what.test ? what.test(s) : s.includes(what);
}, String(what));
const refused = /Failed to load resource|ERR_/;

test('the program holds the very bytes of the page', (t) => {
  const out = `${t.dir}/page_data.c`;
  execFileSync('sh', [`${top}/admin/embed`, out]);
  const c = fs.readFileSync(out, 'latin1');
  assert.ok(c.split('\n').every((l) => l.length <= 80));
  for (const kind of ['html', 'css', 'js']) {
    const m = new RegExp(`page_data_${kind}\\[\\] = \\{([^}]*)\\};\\s*` +
      `const size_t page_data_${kind}_size = (\\d+);`).exec(c);
    const bytes = Buffer.from(m[1].match(/\d+/g).map((n) =>
      parseInt(n, 8)));
    assert.equal(Number(m[2]), bytes.length);
    assert.ok(bytes.equals(pageFile(kind)), kind);
  }
});

test('the page keeps to its rules', () => {
  const html = pageFile('html').toString();
  const js = pageFile('js').toString();
  assert.doesNotMatch(html, /\s(?:style|on[a-z]+)="/);
  assert.doesNotMatch(js, /innerHTML|outerHTML|insertAdjacentHTML|eval\(/);
  const urls = (html + pageFile('css') + js).match(/https?:\/\/[^\s'"`$]+/g);
  for (const u of urls)
    assert.ok(['www.w3.org', 'api.anthropic.com', 'api.openai.com',
      'generativelanguage.googleapis.com'].includes(new URL(u).hostname));
});

test('at a glance: works, who answers, what failed and why, the cost',
  async (t) => {
    const { page } = await start(t);
    await says(page.locator('#state'),
      /^Working: 1 of 4 backends up, 1 disabled, last answer \d+ s ago$/);
    await says(page.locator('#who'), 'official 80 % reseller 20 %');
    await says(page.locator('#failed'), 'official status 529: overloaded ' +
      'reseller answered instead');
    await says(page.locator('#cost'), '4.96M tokens in, 731K out');
    await says(page.locator('#totals'), 'Requests 1,042 2 running');
    await says(page.locator('#totals'), 'Success rate 98 %');
    assert.equal(await page.title(), 'Working - Spillway');
  });

test('each state of a backend has a word, a shape and a reason',
  async (t) => {
    const { page } = await start(t);
    const rows = page.locator('.backend');
    const want = [['Up', 'claude-opus-5: status 429, over in'],
      ['Cooling down', /status 429: rate limit.* over in 6 min \d+ s/],
      ['Down', /connection refused next trial in \d+ s breaker open/],
      ['On trial', 'one request is trying it'], ['Disabled', '']];
    const shapes = new Set();
    for (const [i, [word, why]] of want.entries()) {
      assert.equal(await text(rows.nth(i).locator('.state')), word);
      await says(rows.nth(i).locator('.is'), why);
      shapes.add(await rows.nth(i).locator('.state use')
        .getAttribute('href'));
    }
    assert.equal(shapes.size, 5);
    const count = rows.nth(2).locator('.count');
    const first = await text(count);
    await until(async () => await text(count) !== first, 'a count-down');
  });

test('names and reasons are text, never markup', async (t) => {
  const { page } = await start(t);
  assert.equal((await names(page))[4], '<b>spare</b> "quoted" / slashed');
  assert.equal(await page.locator('.backend b, script:not([src])').count(),
    0);
  await says(page.locator('#requests-rows'), '<script>alert(1)</script>');
});

test('events arrive as they happen', async (t) => {
  const { m, page } = await start(t);
  await says(page.locator('#link'), 'Live');
  await until(() => m.streams.size === 1, 'a stream');
  const r = R(140, { phase: 'streaming', outcome: 'running', status: null,
    duration_ms: null, model: 'claude-new', tries: [
      T('official', 'failed', { reason: 'status 500' }),
      T('reseller', 'running')] });
  m.news(r);
  await says(page.locator('#running'), 'Streaming claude-new');
  m.backends[0].state = m.backends[3].state = 'down';
  m.backends[0].reason = 'broken just now';
  m.news({ ...r, phase: 'done', outcome: 'good', status: 200,
    duration_ms: 1200, backend: 'reseller' });
  await says(page.locator('.request').first(), 'claude-new');
  await says(page.locator('.backend').first(), 'Down broken just now');
  await says(page.locator('#state'), 'Not working: 0 of 4 backends up');
  await says(page.locator('#told'), /official: Down|Not working/);
});

test('without events it asks', async (t) => {
  const m = await serve(t, { ...busy(), events: false });
  const page = await open(t, m.url, { quiet: refused });
  await says(page.locator('#link'), 'Every 2 s');
  m.requests.push(R(200, { model: 'claude-polled' }));
  await says(page.locator('.request').first(), 'claude-polled');
});

test('a hidden page leaves the stream', async (t) => {
  const { m, page } = await start(t);
  await until(() => m.streams.size === 1, 'a stream');
  const hide = (is) => page.evaluate((on) => {
    Object.defineProperty(document, 'hidden', { value: on,
      configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, is);
  await hide(true);
  await until(() => m.streams.size === 0, 'no stream');
  m.requests.push(R(150, { model: 'while-hidden' }));
  await hide(false);
  await until(() => m.streams.size === 1, 'the stream again');
  await says(page.locator('.request').first(), 'while-hidden');
});

test('a lost connection shows, and so does its return', async (t) => {
  const m = await mock(busy());
  const page = await open(t, m.url, { quiet: refused });
  await says(page.locator('#link'), 'Live');
  await m.close();
  await says(page.locator('#lost'), 'The connection to Spillway is lost.');
  await says(page.locator('#link'), 'Not connected');
  await says(page.locator('#state'), 'Not known');
  await checkAxe(page);
  await shot(page, 'lost', false);
  const again = await mock(busy(), m.port);
  t.later.push(() => again.close());
  await says(page.locator('#link'), 'Live');
  await page.locator('#lost').waitFor({ state: 'hidden' });
  await says(page.locator('#state'), 'Working');
});

test('adding: faults stand at their field, then it is there', async (t) => {
  const { m, page } = await start(t, undefined, { quiet: refused });
  await page.getByRole('button', { name: 'Add a backend' }).click();
  const dialog = page.getByRole('dialog');
  const save = dialog.getByRole('button', { name: 'Save' });
  await save.click();
  assert.equal(await text(dialog.locator('#e-name-fault')), 'Name: needed.');
  await dialog.getByLabel('Name').fill('official');
  await save.click();
  await says(dialog.locator('#e-name-fault'),
    'the name "official" is taken');
  assert.equal(await page.evaluate(() => document.activeElement.id),
    'e-name');
  await dialog.getByLabel('Name').fill('third');
  await dialog.getByLabel('API').selectOption('openai');
  assert.equal(await dialog.getByLabel('Address').inputValue(),
    'https://api.openai.com');
  await dialog.getByLabel('Address').fill('ftp://nowhere');
  await save.click();
  await says(dialog.locator('#e-base_url-fault'), 'must begin with http');
  await checkAxe(page);
  await shot(page, 'dialog-fault', false);
  await dialog.getByLabel('Address').fill('https://third.example.com');
  await dialog.getByLabel('Key', { exact: true }).fill('${THIRD_KEY}');
  await dialog.getByText('Models', { exact: true }).click();
  await dialog.getByLabel('Only these models').fill('a-* = b\nc = d');
  await dialog.getByRole('button', { name: 'Test it' }).click();
  await says(dialog.locator('#edit-test'), 'Test passed, 12 models, 120 ms');
  await save.click();
  await dialog.waitFor({ state: 'hidden' });
  assert.equal((await names(page)).at(-1), 'third');
  assert.deepEqual(m.calls.at(-1), ['POST', '/api/backends', {
    name: 'third', api_type: 'openai',
    base_url: 'https://third.example.com', token: '${THIRD_KEY}',
    models: { 'a-*': 'b', c: 'd' } }]);
  await says(page.locator('#toasts'), 'third is added, in use at once and ' +
    'saved.');
});

test('editing sends what changed, and nothing else', async (t) => {
  const { m, page } = await start(t);
  await page.getByRole('button', { name: 'Edit reseller' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Key', { exact: true }).inputValue(),
    'sk-a...9xyz');
  await dialog.getByText('Models', { exact: true }).click();
  await dialog.getByLabel('Always this model').fill('');
  await dialog.getByText('Order and limits').click();
  await dialog.getByLabel('Requests a minute').fill('30');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.deepEqual(m.calls.at(-1), ['PUT', '/api/backends/reseller',
    { model: null, requests_per_minute: 30 }]);
  await says(page.locator('.backend').nth(1), '30 a minute');
});

test('disable, enable, use again, test', async (t) => {
  const { m, page } = await start(t);
  const row = page.locator('.backend').nth(1);
  await row.getByRole('button', { name: 'Disable reseller' }).click();
  await says(row.locator('.state'), 'Disabled');
  await row.getByRole('button', { name: 'Enable reseller' }).click();
  await says(row.locator('.state'), 'Up');
  const down = page.locator('.backend').nth(2);
  await down.getByRole('button', { name: 'Use it again now: openai' }).click();
  await says(down.locator('.state'), 'Up');
  const odd = page.locator('.backend').nth(4);
  await odd.getByRole('button', { name: /^Test/ }).click();
  await says(odd.locator('.tested'), 'Test passed, 12 models, 120 ms');
  assert.deepEqual(m.calls.map((c) => c[1]), ['/api/backends/reseller/' +
    'disable', '/api/backends/reseller/enable', '/api/backends/openai/' +
    'clear', `/api/backends/${encodeURIComponent('<b>spare</b> "quoted" ' +
    '/ slashed')}/test`]);
});

test('a refused change says why', async (t) => {
  const { m, page } = await start(t, undefined, { quiet: refused });
  m.faults.set('POST /api/backends/official/disable', [500, { error: {
    message: 'cannot write /etc/spillway.json: No space left on device',
    field: null } }]);
  await page.getByRole('button', { name: 'Disable official' }).click();
  await says(page.locator('#toasts'), 'Not changed: cannot write');
  await says(page.locator('.backend .state').first(), 'Up');
});

test('delete, and undo', async (t) => {
  const { m, page } = await start(t);
  await page.getByRole('button', { name: 'Delete reseller' }).click();
  await says(page.locator('#toasts'), 'reseller is deleted.');
  assert.equal((await names(page))[1], 'openai');
  await checkAxe(page);
  await shot(page, 'deleted', false);
  await page.getByRole('button', { name: 'Undo' }).click();
  await until(async () => (await names(page))[1] === 'reseller', 'it back');
  assert.deepEqual(m.calls.at(-1), ['POST', '/api/undo', { undo: 't1' }]);
});

test('order: by drag', async (t) => {
  const { m, page } = await start(t);
  const rows = page.locator('.backend');
  const grip = await rows.nth(2).locator('.grip').boundingBox();
  const goal = await rows.nth(0).boundingBox();
  await page.mouse.move(grip.x + 5, grip.y + 8);
  await page.mouse.down();
  await page.mouse.move(grip.x + 5, grip.y - 20, { steps: 4 });
  await page.mouse.move(goal.x + 60, goal.y + 20, { steps: 8 });
  await page.mouse.up();
  await until(async () => (await names(page))[0] === 'openai', 'the move');
  assert.deepEqual(m.calls.at(-1)[2].names.slice(0, 3),
    ['openai', 'official', 'reseller']);
});

test('by keyboard alone', async (t) => {
  const { m, page } = await start(t);
  const at = () => page.evaluate(() => {
    const e = document.activeElement;
    return e.getAttribute('aria-label') ?? e.textContent.trim();
  });
  const go = async (name, key = 'Tab') => {
    for (let i = 0; i < 80; i++) {
      const is = await at();
      if (name.test ? name.test(is) : is === name) return;
      await page.keyboard.press(key);
    }
    assert.fail(`${name} cannot be reached; at ${await at()}`);
  };
  await page.keyboard.press('Tab');
  assert.equal(await at(), 'Skip to the backends');
  await page.keyboard.press('Enter');
  await go('Move down: official');
  const ring = await page.evaluate(() =>
    getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(ring, 'solid');
  await page.keyboard.press('Enter');
  await until(async () => (await names(page))[1] === 'official', 'a move');
  assert.equal(await at(), 'Move down: official');
  await page.keyboard.press('Alt+ArrowUp');
  await until(async () => (await names(page))[0] === 'official', 'a move');
  assert.equal(await at(), 'Move down: official');
  await says(page.locator('#told'), 'official is number 1 of 5 now.');
  await go('Disable official');
  await page.keyboard.press('Space');
  await until(async () => await at() === 'Enable official', 'the switch');
  await go('Edit official');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id),
    'e-name');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await at(), 'Edit official');
  await go('Delete official');
  await page.keyboard.press('Enter');
  await until(async () => await at() === 'Undo', 'the undo');
  await page.keyboard.press('Enter');
  await until(async () => (await names(page))[0] === 'official', 'undo');
  await go(/Request 130, claude-opus-5, Answered$/);
  await page.keyboard.press('Enter');
  await says(page.locator('.detail'), 'official Failed 529');
  assert.equal(m.calls.length, 5);
});

test('a request tells every attempt', async (t) => {
  const { page } = await start(t);
  const row = page.locator('.request').first();
  await says(row, 'Answered 200 after 2 attempts claude-opus-5');
  await says(row.locator('.path'), 'official (Failed), then reseller');
  await row.locator('.open').click();
  const d = page.locator('.detail');
  await says(d, 'official Failed 529 status 529: overloaded connected in ' +
    '22 ms, sent in 2 ms, answer began after 186 ms');
  await says(d, 'openai Skipped its breaker is open for 21 s');
  await says(d, 'reseller Answered 200 translated open connection');
  await says(d, '41K read from the cache');
  await says(d, 'Lost in translation top_k, cache_control');
  await d.getByRole('button', { name: 'Headers and bodies' }).click();
  await says(d, 'There is no record of it');
  await row.locator('.open').click();
  await d.waitFor({ state: 'detached' });
});

test('older requests, search and filters', async (t) => {
  const { page } = await start(t);
  const rows = page.locator('.request');
  assert.equal(await rows.count(), 50);
  const older = page.getByRole('button', { name: 'Show older ones' });
  await older.click();
  await until(async () => await rows.count() === 100, 'older ones');
  await older.click();
  await until(async () => await rows.count() === 130, 'the oldest');
  await older.waitFor({ state: 'hidden' });
  await page.getByLabel('Outcome').selectOption('failed');
  await until(async () => await rows.count() === 1, 'the failed one');
  await page.getByLabel('Outcome').selectOption('');
  await page.getByLabel('Search').fill('RESET AFTER');
  await until(async () => await rows.count() === 1 && /Broke off/.test(
    await text(rows.first())), 'the broken one');
  await page.locator('#f-model').fill('no-such');
  await says(page.locator('#requests-empty'), 'Nothing fits');
  await page.getByRole('button', { name: 'Show all' }).click();
  await until(async () => await rows.count() === 50, 'all');
  await page.locator('#f-backend').selectOption('google');
  await says(page.locator('#requests-empty'), 'Nothing fits');
});

test('nothing yet: how to connect, with the key that is needed',
  async (t) => {
    const world = { backends: [B('one'), B('two')] };
    const { m, page } = await start(t, world);
    await says(page.locator('#state'), 'Ready: 2 of 2 backends up, no ' +
      'answer yet');
    const box = page.locator('#connect');
    for (const what of ['ANTHROPIC_BASE_URL=http://127.0.0.1:3456 ' +
      'ANTHROPIC_API_KEY=any claude', "baseURL: 'http://127.0.0.1:3456/v1'",
    "httpOptions: { baseUrl: 'http://127.0.0.1:3456' }"])
      await says(box, what);
    await page.getByRole('button', { name: 'Copy OpenAI SDK' }).click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()),
      /^new OpenAI\(\{ baseURL: 'http:\/\/127\.0\.0\.1:3456\/v1'/);
    await checkAxe(page);
    await shot(page, 'fresh');
    m.status.keys_needed = true;
    m.news();
    await says(box, 'ANTHROPIC_API_KEY=YOUR_ACCESS_KEY');
    m.status.totals.requests = 1;
    m.news(R(1));
    await box.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'How to connect' }).click();
    await box.waitFor();
  });

test('no backend: says what to do next', async (t) => {
  const { page } = await start(t, {}, { scheme: 'dark' });
  await says(page.locator('#state'), 'Not set up yet');
  await says(page.locator('#backends'), 'There is no backend yet.');
  await checkAxe(page);
  await shot(page, 'empty-dark');
});

test('log-in', async (t) => {
  const m = await serve(t, { ...busy(), token: 'open sesame' });
  const page = await open(t, m.url, { quiet: refused });
  const token = page.getByLabel('Token', { exact: true });
  await token.waitFor();
  assert.equal(await page.locator('#page').isVisible(), false);
  await checkAxe(page);
  await shot(page, 'login', false);
  await token.fill('wrong');
  await token.press('Enter');
  await says(page.locator('#login-fault'), 'That is not the token.');
  await token.fill('open sesame');
  await token.press('Enter');
  await says(page.locator('#state'), 'Working');
  await page.getByRole('button', { name: 'Log out' }).click();
  await token.waitFor();
  assert.equal(await page.locator('#page').isVisible(), false);
});

test('settings, and a file that cannot be read', async (t) => {
  const { m, page } = await start(t, undefined, { quiet: refused });
  await page.getByText('What is in effect').click();
  await says(page.locator('#effective'), 'listens on 127.0.0.1:3456');
  await page.getByText('The config, with its secrets masked').click();
  await says(page.locator('#config'), '"token": "sk-a...9xyz"');
  m.faults.set('POST /api/reload', [400, { error: { message:
    'The file has faults.', field: null },
  faults: ['spillway.json:7: port: must be a whole number'] }]);
  await page.getByRole('button', { name: 'Read the file again' }).click();
  await says(page.locator('#reload-faults'), 'spillway.json:7: port');
  m.faults.clear();
  await page.getByRole('button', { name: 'Read the file again' }).click();
  await says(page.locator('#toasts'), 'The file is read and in use.');
});

test('charts: drawn, summed up, and the same as figures', async (t) => {
  const { page } = await start(t);
  const charts = page.locator('.chart');
  assert.match(await charts.nth(0).getAttribute('aria-label'),
    /^Requests a minute, last hour: [\d,]+ requests, \d+ failed$/);
  assert.ok(await charts.nth(0).locator('rect.k-bad').count() > 0);
  assert.equal(await charts.nth(1).locator('path').count(), 2);
  await charts.nth(2).hover();
  await says(page.locator('.read').nth(2), /^\d\d:\d\d: .* in, .* out$/);
  await page.getByText('The same as figures').click();
  assert.equal(await page.locator('#figures-in tbody tr').count(), 55);
});

for (const scheme of ['light', 'dark'])
  for (const width of [1360, 1100, 360])
    test(`looks: ${scheme}, ${width} px`, async (t) => {
      const { page } = await start(t, undefined, { scheme, width });
      await page.locator('.request .open').first().click();
      await page.locator('.detail').waitFor();
      await checkWidth(page);
      await checkAxe(page);
      await shot(page, `busy-${scheme}-${width}`);
      await page.getByRole('button', { name: 'Edit official' }).click();
      await page.getByText('Order and limits').click();
      await checkWidth(page);
      await checkAxe(page);
      await shot(page, `dialog-${scheme}-${width}`, false);
    });

for (const width of [320, 768, 1240, 1241, 1920])
  test(`no sideways scroll at ${width} px`, async (t) => {
    const { page } = await start(t, undefined, { width });
    await checkWidth(page);
  });
