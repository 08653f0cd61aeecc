// Looking back and handing over, in a real browser against a running hub. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks READY and DONE, each on a line of its own. Exits with 0 when every check held.

import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { isSignedOutNote, signIn, signedIn } from './sign-in.mjs';

const EXPECT_MS = Number(process.env.EXPECT_TIMEOUT_S ?? '60') * 1_000;
const UI_MS = 15_000;
const { browser, close } = await launch();
const errors = [];

async function openPage(locale, settings) {
  const page = await (await browser.newContext({ locale, ...settings })).newPage();
  let broken = false;
  page.on('console', (message) => {
    if (message.type() === 'error' && !broken && !isSignedOutNote(message.text(), message.location().url)) errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page);
  await signedIn(page);
  await page.waitForSelector('[data-connection="live"]', { timeout: UI_MS });
  return Object.assign(page, { breaking: (is) => (broken = is) });
}
const seen = (page, selector, timeout = UI_MS) => page.waitForSelector(selector, { timeout }).then(() => undefined);
const ids = (page) => page.$$eval('[data-list="history"] [data-incident-id]', (rows) => rows.map((row) => row.dataset.incidentId));
const hashOf = (page) => new URL(page.url()).hash;
/** Whatever can be filled in says what it is for. */
const unnamed = (page) =>
  page.$$eval('input, select, textarea, button, table', (all) =>
    all
      .filter((one) => one.offsetParent !== null)
      .filter((one) => !(one.labels?.length > 0 || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.textContent.trim() || one.title))
      .map((one) => one.outerHTML.slice(0, 120)),
  );
/** As a person does it, by the hub's own API. */
const act = (page, id, step) =>
  page.evaluate(
    async ([incident, wanted]) => {
      const { version } = await (await fetch(`/api/v1/incidents/${incident}`)).json();
      const answer = await fetch(`/api/v1/incidents/${incident}/steps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ version, ...wanted }),
      });
      return answer.status;
    },
    [id, step],
  );

try {
  const page = await openPage('zh-CN', { viewport: { width: 1440, height: 900 } });
  console.log('READY');
  await page.waitForFunction(() => document.querySelectorAll('[data-list="incidents"] [data-stage="reported"]').length >= 3, undefined, { timeout: EXPECT_MS });
  await check('everything is found when nothing is asked, a page at a time', async () => {
    await page.click('[data-to="history"]');
    await page.waitForFunction(() => document.querySelectorAll('[data-list="history"] [role="listitem"]').length > 0, undefined, { timeout: EXPECT_MS });
    await seen(page, '[data-more]');
    const first = await page.textContent('h2[data-title] + p');
    await page.click('[data-more]');
    await page.waitForFunction((before) => document.querySelector('h2[data-title] + p')?.textContent !== before, first, { timeout: UI_MS });
  });
  // Only what is near the screen is drawn.
  await page.$eval('[data-list="history"]', (list) => list.scrollIntoView({ block: 'start' }));
  await seen(page, '[data-list="history"] [data-stage="reported"]');
  const [real, wrong, noted] = await page.$$eval('[data-list="history"] [data-stage="reported"]', (rows) => rows.map((row) => row.dataset.incidentId));
  await check('two are dealt with and one is noted', async () => {
    assert((await act(page, wrong, { action: 'triage', outcome: 'false_alarm', reason: 'animal' })) === 200, 'not a false alarm');
    assert((await act(page, real, { action: 'triage', outcome: 'real' })) === 200, 'not real');
    assert((await act(page, real, { action: 'close', text: '是园丁' })) === 200, 'not closed');
    assert((await act(page, noted, { action: 'note', text: '请夜班再看一次 <b>东门</b>' })) === 200, 'not noted');
  });
  await check('a search stands in the address, and is the same after a reload', async () => {
    await page.selectOption('[name="outcome"]', 'false_alarm animal');
    await page.waitForFunction(() => location.hash.includes('reason=animal'), undefined, { timeout: UI_MS });
    const found = async () => {
      await page.waitForFunction(([id, count]) => {
        const rows = [...document.querySelectorAll('[data-list="history"] [data-incident-id]')].map((row) => row.dataset.incidentId);
        return rows.includes(id) && rows.length <= count;
      }, [wrong, 49], { timeout: UI_MS });
      const all = await ids(page);
      assert(!all.includes(real) && !all.includes(noted), all.join());
    };
    await found();
    await page.reload();
    await found();
    assert(hashOf(page) === '#/history?reason=animal', hashOf(page));
  });
  await check('more is asked for, from the keyboard', async () => {
    await page.selectOption('[name="severity"]', '2');
    await page.fill('[name="camera"]', 'East-Gate');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash.includes('camera=east-gate') && location.hash.includes('severity=2'), undefined, { timeout: UI_MS });
    const today = await page.evaluate(() => {
      const now = new Date();
      return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
    });
    await page.fill('[name="until"]', today);
    await page.waitForFunction((day) => location.hash.includes(`until=${day}`), today, { timeout: UI_MS });
  });
  await check('an incident is opened with Enter, left with Esc, and J goes on', async () => {
    await page.evaluate(() => (location.hash = '#/history'));
    await page.waitForFunction(() => document.querySelectorAll('[data-list="history"] [data-incident-id]').length > 2, undefined, { timeout: UI_MS });
    const [first, second] = await ids(page);
    await page.focus('h2[data-title]');
    await page.keyboard.press('j');
    await page.waitForFunction((id) => document.activeElement?.dataset.incidentId === id, first, { timeout: UI_MS });
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await seen(page, `[data-panel="${second}"] [data-timeline]`);
    await page.keyboard.press('Escape');
    await page.waitForSelector('[data-panel]', { state: 'detached', timeout: UI_MS });
  });
  await check('nothing found is said, and all filters go at once', async () => {
    await page.fill('[name="number"]', '#987654321');
    await page.keyboard.press('Enter');
    await seen(page, '[data-empty="history"]');
    await page.click('.clear');
    await seen(page, '[data-list="history"]');
    assert(hashOf(page) === '#/history', hashOf(page));
  });
  await check('a hub that does not answer is said, and asked again', async () => {
    page.breaking(true);
    await page.route('**/api/v1/incidents?*', (route) => route.abort());
    await page.selectOption('[name="severity"]', '1');
    await seen(page, '.failed');
    await page.unroute('**/api/v1/incidents?*');
    await page.click('.failed .button');
    await seen(page, '[data-list="history"], [data-empty="history"]');
    page.breaking(false);
  });
  await check('every field says what it is for', async () => {
    const nameless = await unnamed(page);
    assert(nameless.length === 0, nameless.join(' '));
  });

  const english = await openPage('en-GB', { viewport: { width: 1440, height: 900 } });
  await check('the report tells of the shift', async () => {
    await english.click('[data-to="report"]');
    await seen(english, '[data-report]');
    const text = (section) => english.textContent(`[data-section="${section}"]`);
    assert((await text('notes')).includes('请夜班再看一次 <b>东门</b>'), 'the note is missing, or is no text');
    assert((await text('dealt-with')).includes('是园丁'), 'what was said is missing');
    assert((await text('worst')).includes('1'), 'the false alarm is missing');
    assert((await english.$$('[data-section="open"] table')).length > 0, 'nothing is open');
    assert((await english.$(`[data-section="open"] [data-reported="${noted}"]`)) !== null, 'the noted one is not among the open ones');
    assert((await english.$('[data-report] img')) === null, 'a picture is in the report');
    const nameless = await unnamed(english);
    assert(nameless.length === 0, nameless.join(' '));
  });
  await check('another span is chosen, and stands in the address', async () => {
    await english.click('[data-hours="12"]');
    await seen(english, '[data-hours="12"][aria-current]');
    assert(hashOf(english) === '#/report?hours=12', hashOf(english));
    await english.fill('[name="from"]', '2020-01-01T06:00');
    await english.fill('[name="until"]', '2020-01-01T14:00');
    await english.click('form.span [type="submit"]');
    await english.waitForFunction(() => location.hash.includes('from=2020'), undefined, { timeout: UI_MS });
    await english.waitForFunction(() => document.querySelector('[data-section="notes"] .nothing') !== null, undefined, { timeout: UI_MS });
    await english.fill('[name="until"]', '2019-01-01T14:00');
    await english.click('form.span [type="submit"]');
    await seen(english, 'form.span [role="alert"]');
  });
  await check('on paper there is the report alone, dark on white', async () => {
    await english.click('[data-hours="8"]');
    await seen(english, '[data-section="notes"] .note');
    await english.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const shown = await english.evaluate(() => ({
      bar: getComputedStyle(document.querySelector('.bar')).display,
      form: getComputedStyle(document.querySelector('form.span')).display,
      signed: getComputedStyle(document.querySelector('.signed')).display,
      ground: getComputedStyle(document.querySelector('.sheet')).backgroundColor,
      cut: document.querySelector('.report').scrollHeight - document.querySelector('.report').clientHeight,
    }));
    assert(shown.bar === 'none' && shown.form === 'none' && shown.signed === 'grid', JSON.stringify(shown));
    assert(shown.ground === 'rgb(255, 255, 255)' && shown.cut <= 1, JSON.stringify(shown));
    const paper = await english.pdf({ format: 'A4' });
    assert(paper.length > 5_000, `${paper.length} bytes`);
    await english.emulateMedia({ media: null, colorScheme: null });
  });
  await check('on a phone both fit', async () => {
    const phone = await openPage('zh-CN', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    for (const view of ['history', 'report']) {
      await phone.evaluate((name) => (location.hash = `#/${name}`), view);
      await seen(phone, view === 'history' ? '[data-list="history"]' : '[data-report]');
      const wide = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert(wide <= 0, `${view} is ${wide} too wide`);
    }
  });
  await check('nothing went wrong in the browser', () => assert(errors.length === 0, errors.join(' | ')));
} catch (error) {
  giveUp(error);
} finally {
  await close();
}
finish();
