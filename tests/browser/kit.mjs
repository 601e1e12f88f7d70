/* A browser for the tests: Debian's, driven by Playwright. */
import fs from 'node:fs';
import { chromium } from 'playwright-core';
import axe from 'axe-core';
import { assert, top } from '../e2e/lib.mjs';

const screens = `${top}/build/screens`;
fs.mkdirSync(screens, { recursive: true });

let started;

/* The system's browser, or the one that Playwright fetched. */
async function browser() {
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium',
    '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
    .find((p) => p && fs.existsSync(p));
  started ??= chromium.launch({ executablePath });
  try {
    return await started;
  } catch (e) {
    if (/Executable doesn't exist/.test(e)) throw 'skip';
    throw e;
  }
}

/*
 * A page in a context of its own.  At the end of the test, it must have
 * logged no error; what it says of failed loads counts only if `quiet` does
 * not allow it: a lost connection is not the page's fault.
 */
export async function open(t, url, { width = 1280, height = 900,
  scheme = 'light', quiet = null, motion = 'reduce' } = {}) {
  const context = await (await browser()).newContext({ colorScheme: scheme,
    viewport: { width, height }, reducedMotion: motion, locale: 'en-GB',
    hasTouch: width < 500, permissions: ['clipboard-read',
      'clipboard-write'] });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const faults = [];
  page.on('pageerror', (e) => faults.push(String(e.stack ?? e)));
  page.on('console', (m) => {
    if (['error', 'warning'].includes(m.type()) && !quiet?.test(m.text()))
      faults.push(m.text());
  });
  /* The page goes before what it talks to. */
  const end = t.end.bind(t);
  t.end = async (failed) => {
    await context.close();
    await end(failed);
    assert.deepEqual(faults, []);
  };
  await page.goto(url);
  return page;
}

export const shot = (page, name, fullPage = true) =>
  page.screenshot({ path: `${screens}/${name}.png`, fullPage });

/* Nothing for axe to complain about. */
export async function checkAxe(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => (await globalThis.axe.run(
    document, { resultTypes: ['violations'] })).violations.map((v) =>
    `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) =>
      `${n.target} ${n.failureSummary}`).join(' | ')}`));
  assert.deepEqual(found, []);
}

/* The page itself never scrolls sideways, and nothing sticks out of it. */
export async function checkWidth(page) {
  const out = await page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    const far = [...document.querySelectorAll('body *')].filter((e) =>
      e.checkVisibility() && !e.closest('.unseen, .skip, .scroll, thead') &&
      e.getBoundingClientRect().right > wide + 1).map((e) =>
      `${e.tagName}.${e.getAttribute('class')}`);
    return { scroll: document.documentElement.scrollWidth - wide, far };
  });
  assert.deepEqual(out, { scroll: 0, far: [] });
}

/* What the page says, with plain blanks. */
export const text = async (locator) => (await locator.innerText())
  .replace(/\u00a0/g, ' ').replace(/\s+/g, ' ').trim();
