// The bell in real browsers against a running hub: who turned it on hears of a grave incident, and is shown it while they look elsewhere.
// README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks GRAVE, AGAIN, MINOR, OFF and DONE, each on a line of its own. Exits with 0
// when every check held.

import { assert, check, hub } from './check.mjs';
import { NAME, signedIn } from './sign-in.mjs';
import { UI_MS, go, incidentIds, newIncident, nothingWentWrong, play, says, seen, visit } from './visitor.mjs';

const WORDS = {
  'zh-CN': { on: '提示音和桌面通知已开', off: '提示音和桌面通知已关', onlySound: '提示音已开；浏览器不允许桌面通知', touch: '点一下才会出声', levels: ['危急', '严重'] },
  'en-GB': { on: 'Sound and desktop notifications are on', off: 'Sound and desktop notifications are off', onlySound: 'The sound is on; the browser allows no desktop notifications', touch: 'Click to let it ring', levels: ['Critical', 'High'] },
};
const BELL = '[data-bell]';
const STATUS = `${BELL} + [role="status"]`;
/** Two tones to a ring. */
const TONES = 2;
/** Rings of a grave incident: one of the gravest rings once more. */
const RINGS = { 1: 3, 2: 2 };
/** Said in the browser's console once the page has asked whether it may sound. */
const ASKED = 'asked to sound';
/** News are collected for less than a second; a picture that comes after its incident is no news. */
const QUIET_MS = 2_500;

/** In the page, before anything of it: what it makes heard and shown, what the person answers it, and whether they look at it. */
function witness([answer, asked]) {
  Object.assign(window, { heard: 0, shown: [], questions: 0, looksElsewhere: false });
  const { resume } = AudioContext.prototype;
  AudioContext.prototype.resume = function () {
    const resumed = resume.apply(this);
    console.debug(asked);
    return resumed;
  };
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...when) {
    window.heard += 1;
    return start.apply(this, when);
  };
  window.Notification = class {
    static get permission() {
      return localStorage.getItem('a test: permission') ?? 'default';
    }
    static async requestPermission() {
      window.questions += 1;
      localStorage.setItem('a test: permission', answer);
      return answer;
    }
    constructor(title, options) {
      Object.assign(this, { title, ...options, isClosed: false });
      window.shown.push(this);
    }
    close() {
      this.isClosed = true;
    }
  };
  Object.defineProperty(document, 'visibilityState', { get: () => (window.looksElsewhere ? 'hidden' : 'visible') });
}
const heard = (page) => page.evaluate(() => window.heard);
const shown = (page) => page.evaluate(() => window.shown.map(({ title, body, tag }) => ({ title, body, tag })));
const look = (page, elsewhere) => page.evaluate((is) => (window.looksElsewhere = is), elsewhere);
/** From here on. */
const forget = (page) => page.evaluate(() => Object.assign(window, { heard: 0, shown: [] }));

/** What its row says of an incident. */
const told = (page, id) =>
  page.$eval(`[data-incident-id="${id}"]`, (row) => {
    const words = (selector) => row.querySelector(selector).textContent.trim();
    return { severity: Number(/severity-(\d)/.exec(row.className)[1]), number: words('.number'), level: words('.level'), headline: words('.headline'), place: words('.place .clamped') };
  });

async function turnOn({ page, locale }, words) {
  await seen(page, '[data-bell="off"][aria-pressed="false"]');
  assert((await page.getAttribute(BELL, 'title')) === WORDS[locale].off, await page.getAttribute(BELL, 'title'));
  await page.click(BELL);
  await seen(page, '[data-bell="on"][aria-pressed="true"]');
  await says(page, STATUS, words);
  assert((await page.getAttribute(BELL, 'title')) === words, await page.getAttribute(BELL, 'title'));
  await page.waitForFunction((least) => window.heard >= least && window.questions > 0, TONES, { timeout: UI_MS }).catch(() => {});
  assert((await page.evaluate(() => window.questions)) === 1, 'the browser was not asked, or more than once');
  assert((await heard(page)) === TONES, `${await heard(page)} tones, not the ${TONES} of how it sounds`);
}

/** Exactly what belongs to it was heard, and it was shown or not. */
async function rang({ page, locale }, id, isShown) {
  const { severity, number, level, headline, place } = await told(page, id);
  const tones = TONES * RINGS[severity];
  await page.waitForFunction((least) => window.heard >= least, tones, { timeout: UI_MS }).catch(() => {});
  await page.waitForTimeout(QUIET_MS);
  assert((await heard(page)) === tones, `${await heard(page)} tones, not ${tones}`);
  const notifications = await shown(page);
  if (!isShown) return assert(notifications.length === 0, JSON.stringify(notifications));
  assert(notifications.length === 1, JSON.stringify(notifications));
  const [{ title, body, tag }] = notifications;
  assert(title === `${number} ${level} ${headline}` && body === place && tag === id, JSON.stringify(notifications));
  assert(WORDS[locale].levels.includes(level), `the level is "${level}"`);
  return title;
}

async function silent({ page }) {
  await page.waitForTimeout(QUIET_MS);
  assert((await heard(page)) === 0, `${await heard(page)} tones`);
  assert((await shown(page)).length === 0, JSON.stringify(await shown(page)));
}

await play(async () => {
  const person = (locale, answer) => visit({ locale, name: NAME, prepare: [witness, [answer, ASKED]] });
  const off = await person('zh-CN', 'granted');
  const allowed = [await person('zh-CN', 'granted'), await person('en-GB', 'granted')];
  const denied = [await person('zh-CN', 'denied'), await person('en-GB', 'denied')];
  const all = [off, ...allowed, ...denied];
  for (const { page } of all) await seen(page, '[data-list="incidents"], [data-empty="incidents"]');

  for (const side of allowed) await check(`${side.locale}: turned on it says so, sounds once, and the browser is asked once`, () => turnOn(side, WORDS[side.locale].on));
  for (const side of denied) await check(`${side.locale}: denied the page says that only the sound is on`, () => turnOn(side, WORDS[side.locale].onlySound));
  // Another window of who turned it on, which nobody has touched.
  const untouched = { locale: 'zh-CN', page: await allowed[0].open() };
  await check('a window that nobody has touched says that it cannot sound yet', async () => {
    // The browser takes whatever Playwright does in a page for a touch: nothing is looked at there before the page has asked.
    const asked = untouched.page.waitForEvent('console', { predicate: (message) => message.text() === ASKED, timeout: UI_MS });
    await Promise.all([asked, untouched.page.goto(hub)]);
    await signedIn(untouched.page);
    await seen(untouched.page, '[data-bell="on"]');
    await says(untouched.page, BELL, WORDS['zh-CN'].touch);
  });
  for (const { page } of [...all, untouched]) {
    await forget(page);
    await look(page, true);
  }

  const known = await incidentIds(off.page);
  console.log('GRAVE');
  let id;
  const came = await check('a grave incident comes', async () => {
    id = await newIncident(off.page, known);
    for (const { page } of [...all, untouched]) await seen(page, `[data-incident-id="${id}"]`);
  });
  if (!came) throw new Error('without an incident there is nothing to hear');
  await Promise.all([
    check('turned off nothing rings and nothing is shown', () => silent(off)),
    check('untouched nothing can ring', async () => {
      await untouched.page.waitForTimeout(QUIET_MS);
      assert((await heard(untouched.page)) === 0, 'it made a sound');
    }),
    ...allowed.map((side) => check(`${side.locale}: who looks elsewhere hears it, and is shown it once, in their language`, () => rang(side, id, true))),
    ...denied.map((side) => check(`${side.locale}: denied it is heard, and nothing is shown`, () => rang(side, id, false))),
  ]);
  for (const { page, locale } of allowed) {
    await check(`${locale}: a click on what is shown opens the incident`, async () => {
      await go(page, '#/report', '[data-report]');
      await page.evaluate(() => window.shown[0].onclick());
      await seen(page, `[data-panel="${id}"]`);
      assert(await page.evaluate(() => window.shown[0].isClosed), 'it stays on the desktop');
      await page.keyboard.press('Escape');
    });
  }

  await check('a touch lets the untouched window ring', async () => {
    await untouched.page.click('[data-title] >> nth=0');
    await untouched.page.waitForFunction(() => document.querySelector('[data-bell] span') === null, undefined, { timeout: UI_MS });
  });
  for (const { page } of [...all, untouched]) {
    await forget(page);
    await look(page, false);
  }
  known.push(id);
  console.log('AGAIN');
  await check('another comes', async () => {
    id = await newIncident(off.page, known);
    for (const { page } of [...all, untouched]) await seen(page, `[data-incident-id="${id}"]`);
  });
  await Promise.all([
    check('turned off it is silent again', () => silent(off)),
    ...[...allowed, ...denied, untouched].map((side, index) => check(`${side.locale} ${index}: who looks at the page hears it, and is shown nothing besides`, () => rang(side, id, false))),
  ]);

  for (const { page } of all) {
    await forget(page);
    await look(page, true);
  }
  known.push(id);
  console.log('MINOR');
  await check('one that is not grave comes', async () => {
    id = await newIncident(off.page, known);
    for (const { page } of all) await seen(page, `[data-incident-id="${id}"]`);
    const { severity } = await told(off.page, id);
    assert(severity > 2, `its severity is ${severity}`);
  });
  await Promise.all(allowed.map((side) => check(`${side.locale}: what is not grave does not ring`, () => silent(side))));

  for (const { page, locale } of allowed) {
    await check(`${locale}: it is turned off again, and stays off`, async () => {
      await page.click(BELL);
      await seen(page, '[data-bell="off"][aria-pressed="false"]');
      await page.reload();
      await seen(page, '[data-bell="off"]');
      await seen(page, '[data-list="incidents"]');
      await seen(page, '[data-connection="live"]');
      await look(page, true);
    });
  }
  known.push(id);
  console.log('OFF');
  await check('a grave one comes after that', async () => {
    id = await newIncident(off.page, known);
    for (const { page } of all) await seen(page, `[data-incident-id="${id}"]`);
  });
  await Promise.all(allowed.map((side) => check(`${side.locale}: turned off again nothing rings and nothing is shown`, () => silent(side))));
  for (const side of all) await nothingWentWrong(side, side.locale);
});
