/* The dashboard's page in a browser, on the program itself. */
import { assert, freePort, test, until } from '../e2e/lib.mjs';
import { ask, backend, fails, good } from '../e2e/say.mjs';
import { checkAxe, checkWidth, open, shot, text } from './kit.mjs';

const says = (locator, what) => until(async () => {
  const s = await text(locator);
  return what.test ? what.test(s) : s.includes(what);
}, String(what));
const row = (page, name) => page.locator('.backend').filter({
  has: page.locator('.name', { hasText: name }) });

/* Two providers that tell who they are, the proxy, and its dashboard. */
async function pair(t, first = good('claude', 'from a'), more = {}) {
  const a = await t.provider(first);
  const b = await t.provider(good('claude', 'from b'));
  const port = await freePort();
  const sp = await t.proxy([backend('a', a), backend('b', b)], {
    metrics: { enabled: false }, ...more,
    web_admin: { port, ...more.web_admin } });
  const send = () => t.ask(sp, 'POST', '/v1/messages',
    { 'content-type': 'application/json' }, JSON.stringify(ask.claude()));
  return { a, b, sp, port, send, url: `http://127.0.0.1:${port}/` };
}

test('a failover is seen as it happens', async (t) => {
  const { send, url } = await pair(t, fails(529));
  const page = await open(t, url);
  await says(page.locator('#state'), 'Ready: 2 of 2 backends up');
  await says(page.locator('#connect'), 'ANTHROPIC_BASE_URL=http://127.0.0.1');
  await says(page.locator('#link'), 'Live');
  assert.equal((await send()).status, 200);
  const request = page.locator('.request').first();
  await says(request, 'Answered 200 after 2 attempts claude-sonnet-4-5');
  await says(request.locator('.path'), 'a (Failed), then b');
  await says(page.locator('#failed'), /^a status 529.* b answered instead/);
  await says(page.locator('#state'), /last answer (just now|\d+ s ago)$/);
  await says(page.locator('#who'), 'b 100 %');
  await request.locator('.open').click();
  await says(page.locator('.detail'), 'a Failed 529');
  await says(page.locator('.detail'), 'POST /v1/messages');
  await send();
  await send();
  await says(row(page, 'a').locator('.state'), 'Down');
  await says(row(page, 'a').locator('.count'), /next trial in \d+ s/);
  await says(page.locator('#state'), 'Working: 1 of 2 backends up');
  await row(page, 'a').getByRole('button', { name: /^Use it again/ }).click();
  await says(row(page, 'a').locator('.state'), 'Up');
  await checkAxe(page);
  await shot(page, 'real-failover');
});

test('disabled, it gets no traffic; enabled, it does', async (t) => {
  const { send, url } = await pair(t);
  const page = await open(t, url);
  assert.match((await send()).text, /from a/);
  await row(page, 'a').getByRole('button', { name: 'Disable' }).click();
  await says(row(page, 'a').locator('.state'), 'Disabled');
  assert.match((await send()).text, /from b/);
  await says(page.locator('#state'), 'Working: 1 of 1 backend up, 1 ' +
    'disabled');
  await row(page, 'a').getByRole('button', { name: 'Enable' }).click();
  await says(row(page, 'a').locator('.state'), 'Up');
  assert.match((await send()).text, /from a/);
  await says(page.locator('#who'), 'a 67 % b 33 %');
});

test('edits survive a restart', async (t) => {
  const { b, sp, url } = await pair(t);
  const page = await open(t, url, { quiet: /Failed to load|ERR_/ });
  await row(page, 'a').getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('first "choice"');
  await dialog.getByText('Order and limits').click();
  await dialog.getByLabel('Requests a minute').fill('77');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Add a backend' }).click();
  await dialog.getByLabel('Name').fill('c');
  await dialog.getByLabel('Address').fill(b.url);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Delete b' }).click();
  await says(page.locator('#toasts'), 'b is deleted.');
  await page.getByRole('button', { name: 'Move up: c' }).press('Enter');
  await until(async () => (await text(page.locator('.backend .name')
    .first())) === 'c', 'c first');
  await says(page.locator('#told'), 'c is number 1 of 2 now.');
  sp.kill('SIGTERM');
  await sp.exited;
  sp.judged = true;
  await says(page.locator('#lost'), 'The connection to Spillway is lost.');
  const again = t.run(['-c', sp.file]);
  await again.listening(sp.port);
  await says(page.locator('#link'), 'Live');
  await page.reload();
  await until(async () => await page.locator('.backend').count() === 2,
    'two');
  assert.deepEqual(await page.locator('.backend .name').allInnerTexts(),
    ['c', 'first "choice"']);
  await says(page.locator('.backend').nth(1), '77 a minute');
});

test('faults of the config stand at their field', async (t) => {
  const { url } = await pair(t);
  const page = await open(t, url, { quiet: /Failed to load/ });
  await page.getByRole('button', { name: 'Add a backend' }).click();
  const dialog = page.getByRole('dialog');
  const save = dialog.getByRole('button', { name: 'Save' });
  await dialog.getByLabel('Name').fill('a');
  await dialog.getByLabel('Key', { exact: true }).fill('a-key-of-some-length');
  await save.click();
  await until(async () => await text(dialog.locator('#e-name-fault')),
    'a fault of the name');
  await dialog.getByLabel('Name').fill('c');
  await dialog.getByLabel('Address').fill('nowhere');
  await save.click();
  await until(async () => await text(dialog.locator('#e-base_url-fault')),
    'a fault of the address');
  await dialog.getByLabel('Address').fill('https://llm.example.com');
  await dialog.getByLabel('Key', { exact: true }).fill('${NOT_THERE}');
  await save.click();
  await says(dialog.locator('#e-token-fault'), 'NOT_THERE');
  await dialog.getByLabel('Key', { exact: true }).fill('a-key-of-some-length');
  await dialog.getByText('Order and limits').click();
  await dialog.getByLabel('Weight').fill('100000');
  await save.click();
  await until(async () => await text(dialog.locator('#e-weight-fault')),
    'a fault of the weight');
});

test('a backend is tested, before and after it is saved', async (t) => {
  const { a, url } = await pair(t);
  const page = await open(t, url);
  await row(page, 'b').getByRole('button', { name: 'Test' }).click();
  await says(row(page, 'b').locator('.tested'), /^Test (passed|failed)/);
  await row(page, 'a').getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Address').fill('http://127.0.0.1:1');
  await dialog.getByRole('button', { name: 'Test it' }).click();
  await says(dialog.locator('#edit-test'), 'connection refused');
  await dialog.getByLabel('Address').fill(a.url);
  await dialog.getByRole('button', { name: 'Test it' }).click();
  await says(dialog.locator('#edit-test'), 'Test passed');
});

test('the token of the dashboard', async (t) => {
  const { url } = await pair(t, undefined,
    { web_admin: { token: 'let-me-in-0123456789' } });
  const page = await open(t, url, { quiet: /Failed to load/ });
  const token = page.getByLabel('Token', { exact: true });
  await token.fill('wrong-0123456789');
  await token.press('Enter');
  await says(page.locator('#login-fault'), 'That is not the token.');
  await token.fill('let-me-in-0123456789');
  await token.press('Enter');
  await says(page.locator('#state'), 'Ready: 2 of 2 backends up');
  await page.reload();
  await says(page.locator('#state'), 'Ready: 2 of 2 backends up');
  await page.getByRole('button', { name: 'Log out' }).click();
  await token.waitFor();
});

test('no secret is on the page', async (t) => {
  const { send, url } = await pair(t, fails(401));
  const page = await open(t, url);
  await send();
  await page.getByText('What is in effect').click();
  await page.getByText('The config, with its secrets masked').click();
  await says(page.locator('#config'), '"backends"');
  await page.locator('.request .open').first().click();
  await row(page, 'a').getByRole('button', { name: 'Edit' }).click();
  assert.match(await page.locator('#e-token').inputValue(), /^tok-\.\.\./);
  assert.doesNotMatch(await page.content(), /0123456789abcdef/);
});

for (const [scheme, width] of [['light', 1360], ['dark', 1360],
  ['light', 360], ['dark', 360]])
  test(`the demo looks well: ${scheme}, ${width} px`, async (t) => {
    const port = await freePort();
    const admin = await freePort();
    const sp = t.run(['--demo', '--port', `${port}`, '--admin-port',
      `${admin}`]);
    await sp.listening(port);
    const page = await open(t, `http://127.0.0.1:${admin}/`,
      { scheme, width });
    await says(page.locator('#notice'), 'This is the demo');
    await checkAxe(page);
    await shot(page, `demo-new-${scheme}-${width}`);
    for (let i = 0; i < 4; i++)
      await t.ask(port, 'POST', '/v1/messages',
        { 'content-type': 'application/json' },
        JSON.stringify(ask.claude({ stream: i > 1 })));
    await says(page.locator('.request').first(), 'claude-healthy');
    await says(row(page, 'claude-overloaded').locator('.state'), 'Down');
    await page.locator('.request .open').last().click();
    await checkWidth(page);
    await checkAxe(page);
    await shot(page, `demo-${scheme}-${width}`);
  });
