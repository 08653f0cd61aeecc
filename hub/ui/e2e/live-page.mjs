// The live page in a real browser against a running hub. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks READY, CUT, RESTORED, DONE, each on a line of its own.
// Exits with 0 when every check held.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { sayPurpose } from './purpose.mjs';
import { isSignedOutNote, signIn, signedIn, toAlerts } from './sign-in.mjs';

const EXPECT_MS = Number(process.env.EXPECT_TIMEOUT_S ?? '60') * 1_000;
const CUT_MS = Number(process.env.CUT_S ?? '5') * 1_000;
const EXPECT_SNAPSHOT = process.env.EXPECT_SNAPSHOT !== '0';
const EXPECT_AFTER_CUT = process.env.EXPECT_AFTER_CUT !== '0';
const EXPECT_DEVICES = Number(process.env.EXPECT_DEVICES ?? '1');
const SCREENSHOTS = process.env.SCREENSHOT_DIR;
if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });
const UI_MS = 15_000;

const { browser, close } = await launch();

const WORDS = {
  zh: { locale: 'zh-CN', lang: 'zh-CN', title: /^(\(\d+\) )?门岗 Gatepost$/, live: '实时', devices: '设备', ended: '已结束' },
  en: { locale: 'en-GB', lang: 'en', title: /^(\(\d+\) )?Gatepost 门岗$/, live: 'Live', devices: 'Devices', ended: 'Ended' },
};

/** One browser context per language; keeps everything that went wrong in it. */
async function openPage(language) {
  const words = WORDS[language];
  const context = await browser.newContext({ locale: words.locale, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const side = { language, words, context, page, errors: [], violations: [], foreign: [], navigations: 0, cut: false };
  await page.exposeFunction('reportViolation', (text) => side.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`),
    );
  });
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const url = message.location().url;
    // The browser itself notes each request that fails while the network is cut on purpose, and a picture that is
    // still on its way when its alert already names it.
    if (side.cut && /net::ERR_/.test(message.text())) return;
    if (isSignedOutNote(message.text(), url)) return;
    if (/\/snapshot(\?|$)/.test(url) && /404/.test(message.text())) return;
    side.errors.push(`${message.type()}: ${message.text()} (${url})`);
  });
  page.on('pageerror', (error) => side.errors.push(`exception: ${error.message}`));
  page.on('framenavigated', () => (side.navigations += 1));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(hub).origin) side.foreign.push(request.url());
  });
  side.response = await page.goto(hub, { waitUntil: 'load' });
  return side;
}

const alertIds = (page) => page.$$eval('[data-alert-id]', (rows) => rows.map((row) => row.dataset.alertId));
const connected = (page, state, timeout = UI_MS) => page.waitForSelector(`[data-connection="${state}"]`, { timeout });
const shot = async (side, name) => {
  if (SCREENSHOTS) await side.page.screenshot({ path: join(SCREENSHOTS, `${name}-${side.language}.png`) });
};

async function newAlert(side, known, timeout) {
  const handle = await side.page.waitForFunction(
    (ids) => [...document.querySelectorAll('[data-alert-id]')].map((row) => row.dataset.alertId).find((id) => !ids.includes(id)),
    known,
    { timeout },
  );
  return handle.jsonValue();
}

const settled = (page) =>
  page.waitForSelector('[data-list="alerts"], [data-empty="alerts"]', { timeout: UI_MS });

let sides = [];
try {
  sides = [await openPage('zh'), await openPage('en')];

  for (const side of sides) {
    const { page, words, language } = side;
    await check(`${language} page opens in its language`, async () => {
      assert(side.response?.ok(), `HTTP ${side.response?.status()}`);
      await page.waitForSelector('h1');
      const lang = await page.getAttribute('html', 'lang');
      assert(lang === words.lang, `lang is ${lang}`);
      await page.waitForFunction((source) => new RegExp(source).test(document.title), words.title.source, { timeout: UI_MS });
    });
    await check(`${language} somebody signs in`, async () => {
      await signIn(page);
      await signedIn(page);
      await toAlerts(page);
    });
    await check(`${language} policy is default-src 'self' without unsafe-inline`, async () => {
      const policy = side.response?.headers()['content-security-policy'] ?? '';
      assert(/default-src 'self'/.test(policy) && !/unsafe/.test(policy), `policy is "${policy}"`);
    });
    await check(`${language} live stream is connected`, async () => {
      const badge = await connected(page, 'live');
      const text = (await badge.textContent())?.trim();
      assert(text === words.live, `says "${text}"`);
    });
    await check(`${language} list of alerts is loaded`, () => settled(page).then(() => undefined));
    await check(`${language} device list shows ${EXPECT_DEVICES} or more`, async () => {
      await page.waitForFunction((n) => document.querySelectorAll('[data-edge]').length >= n, EXPECT_DEVICES, { timeout: EXPECT_MS });
      const edges = await page.$$eval('[data-edge]', (cards) => cards.map((card) => `${card.dataset.edge} ${card.dataset.presence}`));
      return edges.slice(0, 5).join(', ');
    });
    await check(`${language} a device's card leads to its plots, which are read by the keyboard`, async () => {
      const card = await page.waitForSelector('[data-edge][data-presence="online"] [data-history]', { timeout: UI_MS });
      const edge = await card.getAttribute('data-history');
      await card.focus();
      await page.keyboard.press('Enter');
      await page.waitForSelector(`[data-device="${edge}"] [data-diagnosis]`, { timeout: UI_MS });
      const plot = await page.waitForSelector('[data-plot="disk"] .frame:has(canvas)', { timeout: UI_MS });
      await page.waitForSelector('[data-plot^="camera "]', { timeout: UI_MS });
      await plot.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('End');
      const read = await plot.getAttribute('aria-valuetext');
      // The step under way may have no report yet.
      assert(/\d\d:\d\d:\d\d/.test(read ?? ''), `reads "${read}"`);
      const last = await page.textContent('[data-plot="disk"] .last');
      assert(/\d/.test(last ?? ''), `the latest is "${last}"`);
      await shot(side, 'plots');
      await page.click('[data-hours="168"]');
      await page.waitForSelector('[data-hours="168"][aria-current="true"]', { timeout: UI_MS });
      await page.waitForSelector('[data-plot="disk"] canvas', { timeout: UI_MS });
      await page.goBack();
      await page.goBack();
      await settled(page);
      return read;
    });
    await shot(side, 'before');
  }

  const english = sides[1];
  await check('language switch works and is remembered', async () => {
    await english.page.click('[data-language="zh"]');
    assert((await english.page.getAttribute('html', 'lang')) === 'zh-CN', 'switch to Chinese');
    assert((await english.page.evaluate(() => localStorage.getItem('gatepost.language'))) === 'zh', 'not remembered');
    await english.page.click('[data-language="en"]');
    assert((await english.page.getAttribute('html', 'lang')) === 'en', 'switch back to English');
  });

  for (const side of sides) {
    side.known = await alertIds(side.page);
    side.navigations = 0;
    await side.page.evaluate(() => (window.neverReloaded = true));
  }
  console.log('READY');

  await Promise.all(
    sides.map(async (side) => {
      const { page, language } = side;
      let id;
      const came = await check(`${language} new alert appears without reload`, async () => {
        id = await newAlert(side, side.known, EXPECT_MS);
        assert(await page.evaluate(() => window.neverReloaded === true), 'the page was reloaded');
        assert(side.navigations === 0, `${side.navigations} navigations`);
        return (await page.textContent(`[data-alert-id="${id}"] .headline`))?.trim();
      });
      if (!came) return;
      side.known.push(id);
      await check(`${language} new alert is announced`, () =>
        page
          .waitForFunction(
            () => [...document.querySelectorAll('[data-announcer]')].some((node) => node.textContent !== ''),
            undefined,
            { timeout: UI_MS },
          )
          .then(() => undefined),
      );
      if (EXPECT_SNAPSHOT) {
        await check(`${language} its snapshot loads once its purpose was said`, async () => {
          await page.focus(`[data-alert-id="${id}"]`);
          await page.keyboard.press('Enter');
          await sayPurpose(page, EXPECT_MS);
          await page.waitForSelector('[data-panel] img.shown', { timeout: EXPECT_MS });
          await page.keyboard.press('Escape');
          const handle = await page.waitForFunction(
            (wanted) => {
              const row = document.querySelector(`[data-alert-id="${wanted}"]`);
              row?.scrollIntoView({ block: 'nearest' });
              const image = row?.querySelector('img.shown');
              return image && image.naturalWidth > 0 ? `${image.naturalWidth}x${image.naturalHeight}, "${image.alt}"` : false;
            },
            id,
            { timeout: EXPECT_MS },
          );
          return handle.jsonValue();
        });
      }
      await shot(side, 'new-alert');
      await check(`${language} details open with Enter, move with j and k, close with Escape`, async () => {
        await page.focus(`[data-alert-id="${id}"]`);
        await page.keyboard.press('Enter');
        await page.waitForSelector(`[data-panel="${id}"]`, { timeout: UI_MS });
        if (EXPECT_SNAPSHOT) {
          await page.waitForFunction(
            () => (document.querySelector('[data-panel] img.shown')?.naturalWidth ?? 0) > 0,
            undefined,
            { timeout: UI_MS },
          );
        }
        await shot(side, 'details');
        const all = await alertIds(page);
        const at = all.indexOf(id);
        if (all.length > at + 1) {
          await page.keyboard.press('j');
          await page.waitForFunction((old) => document.querySelector('[data-panel]')?.dataset.panel !== old, id, { timeout: UI_MS });
          await page.keyboard.press('k');
          await page.waitForSelector(`[data-panel="${id}"]`, { timeout: UI_MS });
        }
        await page.keyboard.press('Escape');
        await page.waitForSelector('[data-panel]', { state: 'detached', timeout: UI_MS });
      });
    }),
  );

  for (const side of sides) {
    side.known = await alertIds(side.page);
    side.cut = true;
    await side.context.setOffline(true);
  }
  await Promise.all(
    sides.map((side) =>
      check(`${side.language} page says that it is cut off`, async () => {
        const badge = await connected(side.page, 'reconnecting');
        const text = (await badge.textContent())?.trim() ?? '';
        assert(/\d\d:\d\d:\d\d/.test(text), `says "${text}"`);
        return text;
      }),
    ),
  );
  for (const side of sides) await shot(side, 'offline');
  console.log('CUT');
  await sleep(CUT_MS);
  for (const side of sides) {
    await check(`${side.language} nothing arrives while cut off`, async () => {
      assert((await alertIds(side.page)).every((id) => side.known.includes(id)), 'an alert came: the network was not cut');
    });
  }
  for (const side of sides) await side.context.setOffline(false);
  console.log('RESTORED');
  await Promise.all(
    sides.map(async (side) => {
      await check(`${side.language} live stream comes back by itself`, () => connected(side.page, 'live', 30_000).then(() => undefined));
      side.cut = false;
      if (EXPECT_AFTER_CUT) {
        await check(`${side.language} alert from the time of the cut appears without reload`, async () => {
          const id = await newAlert(side, side.known, EXPECT_MS);
          assert(await side.page.evaluate(() => window.neverReloaded === true), 'the page was reloaded');
          assert(side.navigations === 0, `${side.navigations} navigations`);
          return id;
        });
      }
      await shot(side, 'after');
    }),
  );

  for (const side of sides) {
    await check(`${side.language} no console errors`, async () => assert(side.errors.length === 0, side.errors.join(' ; ')));
    await check(`${side.language} no violation of the content policy`, async () =>
      assert(side.violations.length === 0, side.violations.join(' ; ')),
    );
    await check(`${side.language} no request to anywhere but the hub`, async () => assert(side.foreign.length === 0, side.foreign.join(' ; ')));
  }
} catch (error) {
  giveUp(error);
} finally {
  await close();
}

finish();
