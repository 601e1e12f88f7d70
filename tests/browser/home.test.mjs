/* The page that llm-proxy's variables have at `/`, in a browser. */
import { assert, freePort, test } from '../e2e/lib.mjs';
import { fails, good } from '../e2e/say.mjs';
import { checkAxe, checkWidth, open, shot, text } from './kit.mjs';

const K = 'client-key+0001';

for (const [scheme, width] of [['light', 1360], ['dark', 1360],
  ['light', 360], ['dark', 360]])
  test(`log in, look, log out: ${scheme}, ${width} px`, async (t) => {
    const bad = '{"error":{"message":"no <b>room</b> left"}}';
    const up = await t.provider((c) => (c.n % 2 ? fails(500, bad) :
      good('openai'))(c));
    const port = await freePort();
    const free = async () => String(await freePort());
    await t.run(['--admin-port', await free()], { env: {
      PROXY_URL: up.url, API_KEY: 'upstream-key-0001', MY_ACCESS_KEY: K,
      PROXY_PORT: String(port), METRICS_PORT: await free() } })
      .listening(port);
    for (let i = 0; i < 6; i++)
      await t.ask(port, 'POST', '/v1/chat/completions',
        { authorization: `Bearer ${K}` },
        { model: 'vendor/a-long-model-name-20250929', messages: [] });
    const page = await open(t, `http://127.0.0.1:${port}/`,
      { scheme, width, quiet: /403/ });
    const body = page.locator('body');
    assert.doesNotMatch(await text(body), /vendor|room/);
    await checkWidth(page);
    await checkAxe(page);
    await shot(page, `home-${scheme}-${width}`);
    await page.getByLabel('Access key').fill('wrong-key');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    assert.match(await text(body), /not an access key/);
    await checkAxe(page);
    await page.getByLabel('Access key').fill(K);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    assert.match(await text(body), /vendor\/a-long-model-name-20250929/);
    assert.match(await text(body), /no <b>room<\/b> left/);
    assert.equal(new URL(page.url()).pathname, '/');
    await page.reload();
    assert.match(await text(body), /vendor/);
    await checkWidth(page);
    await checkAxe(page);
    await shot(page, `home-in-${scheme}-${width}`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Access key').waitFor();
    assert.doesNotMatch(await text(body), /vendor|room/);
  });
