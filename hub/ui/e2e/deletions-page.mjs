// What was deleted, in a real browser against a running hub, as its auditors, supervisors and administrators see it. README.md says how
// it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and DONE. Exits with 0 when every check held.

import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { NAME, PASSWORD, isSignedOutNote, signIn, signedIn } from './sign-in.mjs';

/** Who sees files only, who sees records only, and who sees neither. */
const { GATEPOST_SUPERVISOR: SUPERVISOR, GATEPOST_ADMIN: ADMIN, GATEPOST_HANDLER: HANDLER } = process.env;
if (!SUPERVISOR || !ADMIN || !HANDLER) {
  console.error('GATEPOST_SUPERVISOR, GATEPOST_ADMIN and GATEPOST_HANDLER are not set: each of them sees something else');
  process.exit(2);
}
const UI_MS = 15_000;
const API = /\/api\/v1\/(deletions|disposals)\?/;
const FILES = '[data-list="deletions"] tbody tr';
const RECORDS = '[data-list="disposals"] tbody tr';
const { browser, close } = await launch();

async function openPage(locale, name = NAME, password = PASSWORD) {
  const page = await (await browser.newContext({ locale, viewport: { width: 1440, height: 900 } })).newPage();
  const errors = [];
  let breaking = false;
  page.on('console', (message) => {
    if (message.type() === 'error' && !breaking && !isSignedOutNote(message.text(), message.location().url)) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page, name, password);
  await signedIn(page, name);
  const seen = (selector) => page.waitForSelector(selector, { timeout: UI_MS });
  const go = async (fragment, ready) => {
    await page.evaluate((to) => (location.hash = to), fragment);
    await seen(ready);
  };
  return { page, errors, seen, go, breaking: (is) => (breaking = is) };
}

/** All that the hub has of it, page after page. */
const all = (page, list) =>
  page.evaluate(async (name) => {
    const found = [];
    for (let before = null; ; ) {
      const answer = await (await fetch(`/api/v1/${name}?limit=1000${before === null ? '' : `&before=${before}`}`)).json();
      found.push(...answer[name]);
      before = answer.next;
      if (before === null) return found;
    }
  }, list);

/** Until there is no more to load, by keys. */
async function toTheEnd(page, rows, count) {
  for (let pages = 1; (await page.$('[data-more]')) !== null; pages += 1) {
    const before = await page.$$eval(rows, (list) => list.length);
    assert(before < count, `${before} of ${count} rows, and there is more`);
    await page.focus('[data-more]');
    await page.keyboard.press('Enter');
    await page.waitForFunction(([selector, known]) => document.querySelectorAll(selector).length > known, [rows, before], { timeout: UI_MS });
  }
}

async function files({ page, seen }, locale) {
  await check(`${locale}: it is reached by keys, and says so to who listens`, async () => {
    await page.focus('[data-to="deletions"]');
    await page.keyboard.press('Enter');
    await seen('[data-to="deletions"][aria-current="page"]');
    await seen(FILES);
    assert(await page.evaluate(() => document.activeElement?.matches('[data-title]')), 'the focus is not on the title');
  });
  await check(`${locale}: every file that was deleted is told: which, how large, since when, why and of what`, async () => {
    const deletions = await all(page, 'deletions');
    assert(deletions.length > 0, 'nothing was deleted');
    await toTheEnd(page, FILES, deletions.length);
    const rows = await page.$$eval(FILES, (list) => list.map((row) => ({ sha256: row.dataset.sha256, text: row.textContent, cells: [...row.cells].map((cell) => cell.innerText.trim()) })));
    assert(rows.length === deletions.length, `${rows.length} of ${deletions.length}`);
    for (const [at, told] of deletions.entries()) {
      const { sha256, text, cells } = rows[at];
      assert(sha256 === told.sha256, `row ${at} is ${sha256}, not ${told.sha256}`);
      for (const value of [told.sha256, told.edge, told.event ?? told.incident, told.command ?? '']) assert(text.includes(value), `${value} is not in ${text}`);
      assert(cells.every((cell) => cell !== ''), `something is empty: ${cells.join(' | ')}`);
      // Words, not what machines call it.
      assert(!/image\/|video\/|application\/|released_until|withdrawn\b|\bage\b/.test(cells.join(' | ')), cells.join(' | '));
      if (told.cause === 'age') assert(text.includes(told.incident === null ? 'retention.evidence_days' : 'retention.attachment_days'), text);
    }
    return `${rows.length}`;
  });
}

async function records({ page, seen }, locale) {
  await check(`${locale}: records are the other part, which the address names and a reload keeps`, async () => {
    await page.focus('[data-part="records"]');
    await page.keyboard.press('Enter');
    await seen('[data-part="records"][aria-current="true"]');
    assert(new URL(page.url()).hash === '#/deletions?of=records', page.url());
    await page.reload();
    await seen('[data-part="records"][aria-current="true"]');
    await seen(`${RECORDS}, [data-empty="disposals"]`);
    await page.goBack();
    await seen('[data-part="files"][aria-current="true"]');
    await page.goForward();
    await seen(`${RECORDS}, [data-empty="disposals"]`);
  });
  await check(`${locale}: every sweep is told with how much of what went`, async () => {
    const disposals = await all(page, 'disposals');
    if (disposals.length === 0) {
      await seen('[data-empty="disposals"]');
      return 'there was none';
    }
    await toTheEnd(page, RECORDS, disposals.length);
    const rows = await page.$$eval(RECORDS, (list) =>
      list.map((row) => Object.fromEntries([...row.querySelectorAll('[data-count]')].map((cell) => [cell.dataset.count, Number(cell.innerText.replace(/\D/g, ''))]))),
    );
    assert(rows.length === disposals.length, `${rows.length} of ${disposals.length}`);
    for (const [at, { horizon, began, ...counts }] of disposals.entries()) {
      for (const [kind, count] of Object.entries(counts)) assert(rows[at][kind] === count, `${began}, before ${horizon}: ${rows[at][kind]} ${kind}, not ${count}`);
    }
    return `${rows.length}`;
  });
}

/** What is not there, cannot be had, or not any more. */
async function trouble({ page, seen, go, breaking }, locale) {
  const parts = [['files', '#/deletions', 'deletions'], ['records', '#/deletions?of=records', 'disposals']];
  for (const [part, fragment, list] of parts) {
    await check(`${locale}: ${part} that are loading, cannot be had, or are none`, async () => {
      await go('#/account', '[data-form="password"]');
      let answer = () => {};
      await page.route(API, (route) => answer(route));
      await go(fragment, '.loading .skeleton');
      breaking(true);
      await go('#/account', '[data-form="password"]');
      answer = (route) => route.fulfill({ status: 503, body: '' });
      await go(fragment, '.failed');
      answer = (route) => route.fulfill({ json: { [list]: [], next: null } });
      await page.click('.failed button');
      await seen(`[data-empty="${list}"]`);
      await page.unroute(API);
      breaking(false);
    });
  }
  await check(`${locale}: what is known stays while the hub is away, and it is said that it is old`, async () => {
    await go('#/account', '[data-form="password"]');
    await go('#/deletions', FILES);
    breaking(true);
    await page.context().setOffline(true);
    await seen('[data-connection="reconnecting"]');
    await page.click('[data-refresh]');
    await seen('main .old');
    assert((await page.$(FILES)) !== null, 'what was known is gone');
    await page.context().setOffline(false);
    // It tries less and less often.
    await page.waitForSelector('[data-connection="live"]', { timeout: 2 * UI_MS });
    await page.waitForSelector('main .old', { state: 'detached', timeout: UI_MS });
    breaking(false);
  });
}

try {
  for (const locale of ['zh-CN', 'en-GB']) {
    const side = await openPage(locale);
    await files(side, locale);
    await records(side, locale);
    await trouble(side, locale);
    await check(`${locale}: nothing went wrong in the browser`, () => assert(side.errors.length === 0, side.errors.join(' | ')));
    await side.page.context().close();
  }
  for (const [role, name, shown, hidden] of [['supervisor', SUPERVISOR, FILES, 'records'], ['administrator', ADMIN, `${RECORDS}, [data-empty="disposals"]`, 'files']]) {
    await check(`${role}: they see one part, have no choice, and do not get the other by its address`, async () => {
      const { page, go, seen, errors } = await openPage('zh-CN', name, process.env[`GATEPOST_${role === 'supervisor' ? 'SUPERVISOR' : 'ADMIN'}_PASSWORD`]);
      await page.click('[data-to="deletions"]');
      await seen(shown);
      assert((await page.$('[data-part]')) === null, 'there is a choice');
      await go('#/account', '[data-form="password"]');
      await go(`#/deletions?of=${hidden}`, shown);
      assert(errors.length === 0, errors.join(' | '));
      await page.context().close();
    });
  }
  await check('who may see neither has no such view', async () => {
    const { page, go, errors } = await openPage('zh-CN', HANDLER, process.env.GATEPOST_HANDLER_PASSWORD);
    assert((await page.$('[data-to="deletions"]')) === null, 'it is in the navigation');
    await go('#/account', '[data-form="password"]');
    await go('#/deletions', '[data-list="incidents"], [data-empty="incidents"]');
    assert(errors.length === 0, errors.join(' | '));
    await page.context().close();
  });
} catch (error) {
  giveUp(error);
} finally {
  await close();
}
finish();
