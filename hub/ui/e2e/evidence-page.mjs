// A clip and an original in a real browser against a running hub. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks READY, HELD, ASKED, DONE, each on a line of its own. Exits with 0
// when every check held.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './browser.mjs';
import { assert, check, finish, hub } from './check.mjs';
import { PURPOSE, sayPurpose } from './purpose.mjs';
import { NAME, PASSWORD, isSignedOutNote, signIn, signedIn, toAlerts } from './sign-in.mjs';

const EXPECT_MS = Number(process.env.EXPECT_TIMEOUT_S ?? '60') * 1_000;
const SCREENSHOTS = process.env.SCREENSHOT_DIR;
if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });

const { browser, close } = await launch();
const WHY = 'police report 17 / 立案第 17 号';

/** Another person who may approve. */
const { GATEPOST_SECOND: SECOND, GATEPOST_SECOND_PASSWORD: SECOND_PASSWORD } = process.env;
if (!SECOND || !SECOND_PASSWORD) {
  console.error('GATEPOST_SECOND and GATEPOST_SECOND_PASSWORD are not set: an original takes two people');
  process.exit(2);
}

async function openPage(language, locale, colorScheme, name, password) {
  const context = await browser.newContext({ locale, colorScheme, viewport: { width: 1440, height: 1200 }, acceptDownloads: true });
  const page = await context.newPage();
  const side = { language, page, errors: [] };
  page.on('console', (message) => {
    if (message.type() === 'error' && !isSignedOutNote(message.text(), message.location().url)) side.errors.push(message.text());
  });
  page.on('pageerror', (error) => side.errors.push(`exception: ${error.message}`));
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page, name, password);
  await signedIn(page, name);
  await toAlerts(page);
  return side;
}
const shot = async (side, name) => {
  if (SCREENSHOTS) await side.page.screenshot({ path: join(SCREENSHOTS, `${name}-${side.language}.png`) });
};
const released = (page, step) => page.waitForSelector(`[data-panel] [data-release="${step}"]`, { timeout: EXPECT_MS });

const sides = [];
try {
  sides.push(await openPage('zh', 'zh-CN', 'dark', NAME, PASSWORD), await openPage('en', 'en-GB', 'light', SECOND, SECOND_PASSWORD));
  for (const side of sides) {
    const { page, language } = side;
    await check(`${language} the newest alert shows nothing before its purpose is said`, async () => {
      await page.waitForSelector('[data-alert-id]', { timeout: EXPECT_MS });
      await page.focus('[data-alert-id] >> nth=0');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[data-panel] [data-gate="reason"]', { timeout: EXPECT_MS });
      assert((await page.$('[data-panel] video, [data-panel] img')) === null, 'it shows something');
      await page.focus('[name="purpose"]');
      await page.keyboard.press('Enter');
      assert((await page.$('[data-panel] [data-gate]')) !== null, 'it opened without a reason');
      await shot(side, 'purpose');
    });
    await check(`${language} with a purpose it shows its clip`, async () => {
      await sayPurpose(page, EXPECT_MS);
      await page.waitForSelector('[data-panel] [data-clip="here"] video', { timeout: EXPECT_MS });
    });
    await check(`${language} the clip's data is there and it does not start by itself`, async () => {
      await page.waitForFunction(() => document.querySelector('[data-panel] video')?.readyState >= 1, undefined, { timeout: EXPECT_MS });
      const video = await page.$eval('[data-panel] video', ({ duration, paused, currentTime, videoWidth, videoHeight }) => ({
        duration, paused, currentTime, videoWidth, videoHeight,
      }));
      assert(video.duration > 0 && video.videoWidth > 0, JSON.stringify(video));
      assert(video.paused && video.currentTime === 0, `it plays: ${JSON.stringify(video)}`);
      return `${video.videoWidth}x${video.videoHeight}, ${video.duration.toFixed(1)} s`;
    });
    await check(`${language} the clip plays from the keyboard`, async () => {
      await page.focus('[data-panel] video');
      await page.keyboard.press('Space');
      await page.waitForFunction(() => document.querySelector('[data-panel] video').currentTime > 0, undefined, { timeout: EXPECT_MS });
    });
    await check(`${language} the clip can be wound to its end`, async () => {
      const reached = await page.$eval('[data-panel] video', async (video) => {
        video.pause();
        const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
        video.currentTime = video.duration * 0.9;
        await seeked;
        return video.currentTime / video.duration;
      });
      assert(reached > 0.85, `reached ${reached}`);
    });
    await shot(side, 'clip');
  }
  console.log('READY');

  const [chinese, english] = sides;
  await check('two people put the evidence on hold, and two are needed to lift it', async () => {
    await chinese.page.click('[data-panel] [data-propose-hold]');
    await chinese.page.fill('[name="hold-reason"]', WHY);
    await chinese.page.keyboard.press('Enter');
    await chinese.page.waitForSelector('[data-panel] [data-hold="proposed"]', { timeout: EXPECT_MS });
    assert((await chinese.page.$('[data-panel] [data-hold-step="confirm"]')) === null, 'who proposed it may confirm it');
    await english.page.click('[data-to="holds"]');
    await english.page.click('[data-list="holds"] [data-hold-step="confirm"]');
    await english.page.waitForSelector('[data-list="holds"] [data-hold="held"]', { timeout: EXPECT_MS });
    console.log('HELD');
    await english.page.waitForSelector('[data-list="holds"] [data-custody="held"]', { timeout: EXPECT_MS });
    await english.page.click('[data-list="holds"] [data-hold-step="lift"]');
    await english.page.fill('[name="hold-why"]', 'closed');
    await english.page.keyboard.press('Enter');
    await english.page.waitForSelector('[data-list="holds"] [data-hold="lift_proposed"]', { timeout: EXPECT_MS });
    assert((await english.page.$('[data-hold-step="confirm_lift"]')) === null, 'one person may lift it');
    const text = await english.page.textContent('[data-list="holds"] [data-hold]');
    assert(text.includes(`(${NAME})`) && text.includes(`(${SECOND})`), text);
    await shot(english, 'holds');
    await english.page.click('[data-list="holds"] a');
    await english.page.waitForSelector('[data-panel] [data-hold="lift_proposed"]', { timeout: EXPECT_MS });
  });
  await check('zh the form says who asks and wants a reason', async () => {
    await chinese.page.click('[data-panel] [data-ask]');
    await chinese.page.waitForSelector('[data-form="original"]');
    const focused = await chinese.page.evaluate(() => document.activeElement?.getAttribute('name'));
    assert(focused === 'why', `the focus is on ${focused}`);
    const as = await chinese.page.textContent('[data-as]');
    assert(as.includes(`(${NAME})`), as);
    await shot(chinese, 'form');
    await chinese.page.keyboard.press('Enter');
    assert((await chinese.page.$('[data-form="original"]')) !== null, 'it was sent without a reason');
    assert((await chinese.page.$('[data-release]')) === null, 'it was sent without a reason');
  });
  await check('zh the original is asked for', async () => {
    await chinese.page.fill('[name="why"]', WHY);
    await chinese.page.keyboard.press('Enter');
    await released(chinese.page, 'proposed');
    assert((await chinese.page.$('[data-approve]')) === null, 'who asks may approve');
    const text = await chinese.page.textContent('[data-panel] [data-release]');
    assert(text.includes(`(${NAME})`) && text.includes(WHY), text);
  });
  await check('en another person hears of it and approves it, from the keyboard', async () => {
    await released(english.page, 'proposed');
    await shot(english, 'proposed');
    await english.page.focus('[data-panel] [data-approve]');
    await english.page.keyboard.press('Enter');
    await released(english.page, 'waiting');
  });
  await check('zh the page of who asked says who approved', async () => {
    await released(chinese.page, 'waiting');
    const text = await chinese.page.textContent('[data-panel] [data-second]');
    assert(text.includes(`(${SECOND})`), text);
  });
  await shot(english, 'waiting');
  console.log('ASKED');

  for (const side of sides) {
    const { page, language } = side;
    await check(`${language} the original is released`, () => released(page, 'here').then(() => undefined));
    await check(`${language} what is downloaded is encrypted`, async () => {
      const href = await page.getAttribute('[data-panel] [data-release="here"] a', 'href');
      const head = await page.evaluate(async (path) => (await (await fetch(path)).text()).slice(0, 21), href);
      assert(head === 'age-encryption.org/v1', head);
    });
    await page.$eval('[data-panel] [data-release]', (item) => item.scrollIntoView({ block: 'center' }));
    await shot(side, 'released');
    await check(`${language} the list says who asked for which original and why`, async () => {
      await page.keyboard.press('Escape');
      const item = await page.waitForSelector('[data-list="releases"] li', { timeout: EXPECT_MS });
      const text = await item.textContent();
      assert(text.includes(`(${NAME})`) && text.includes(WHY), text);
    });
    await page.$eval('[data-list="releases"]', (list) => list.scrollIntoView({ block: 'center' }));
    await shot(side, 'list');
    await check(`${language} the register has who looked, what for, and at what`, async () => {
      await page.click('[data-to="register"]');
      await page.waitForSelector('[data-list="register"] [data-viewing]', { timeout: EXPECT_MS });
      const lines = await page.$$eval('[data-list="register"] [data-viewing]', (all) => all.map((line) => line.textContent));
      for (const who of [NAME, SECOND]) assert(lines.some((line) => line.includes(who) && line.includes(PURPOSE)), lines.join(' | '));
      await page.click('[data-list="register"] summary >> nth=0');
      assert((await page.$$('[data-list="register"] details[open] li')).length > 0, 'no piece is named');
      await shot(side, 'register');
    });
    await check(`${language} nothing went wrong in the browser`, () => assert(side.errors.length === 0, side.errors.join(' | ')));
  }
} finally {
  await close();
}
finish();
