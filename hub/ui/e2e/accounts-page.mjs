// Signing in and out in a real browser against a running hub. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks END, WELL and DONE, each on a line of its own. Exits with 0 when every
// check held.

import { setTimeout as sleep } from 'node:timers/promises';
import { launch } from './browser.mjs';
import { assert, check, finish, hub } from './check.mjs';
import { codeOf } from './code.mjs';
import { NAME, PASSWORD, signIn, signedIn } from './sign-in.mjs';

/** Somebody else, who manages people and sees the access log. */
const { GATEPOST_ADMIN: ADMIN, GATEPOST_ADMIN_PASSWORD: ADMIN_PASSWORD } = process.env;
if (!ADMIN || !ADMIN_PASSWORD) {
  console.error('GATEPOST_ADMIN and GATEPOST_ADMIN_PASSWORD are not set: somebody has to manage people');
  process.exit(2);
}
const UI_MS = 15_000;

const { browser, close } = await launch();
const errors = [];

async function openPage(locale, address = hub) {
  const context = await browser.newContext({ locale, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.on('console', (message) => {
    // The browser notes every refusal, and a stream that ends; here both are wanted.
    const wanted = /status of 4\d\d|ERR_INCOMPLETE_CHUNKED_ENCODING/.test(message.text());
    if (message.type() === 'error' && !wanted) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  await page.goto(address, { waitUntil: 'load' });
  return page;
}
const seen = (page, selector) => page.waitForSelector(selector, { timeout: UI_MS }).then(() => undefined);
const focusedField = (page) => page.evaluate(() => document.activeElement?.getAttribute('name'));

try {
  const page = await openPage('zh-CN');
  await check('nothing is shown to who is not signed in', async () => {
    await seen(page, '[data-form="sign-in"]');
    assert((await focusedField(page)) === 'name', `the focus is on ${await focusedField(page)}`);
    assert((await page.$('[data-list], [data-connection], [data-person]')) === null, 'there is more than the form');
  });
  await check('password managers can tell the fields', async () => {
    const kinds = await page.$$eval('[data-form="sign-in"] input', (fields) => fields.map((field) => field.autocomplete));
    assert(kinds.join() === 'username,current-password', kinds.join());
  });
  await check('a wrong password is refused, and can be typed again at once', async () => {
    await signIn(page, NAME, `${PASSWORD}?`);
    await seen(page, '[data-failure="wrong"]');
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'password', undefined, { timeout: UI_MS });
  });
  await check('the right one lets in', async () => {
    await page.fill('[name="password"]', PASSWORD);
    await page.keyboard.press('Enter');
    await signedIn(page);
    await seen(page, '[data-connection="live"]');
  });
  await check('a script cannot read the session', async () => {
    const readable = await page.evaluate(() => [document.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage)].join());
    assert(!/gatepost=|token/.test(readable), readable);
  });
  await check('a reload stays signed in', async () => {
    await page.reload();
    await signedIn(page);
    await seen(page, '[data-connection="live"]');
  });
  await check('signing out forgets everything', async () => {
    await page.click('[data-sign-out]');
    await seen(page, '[data-why="signed_out"]');
    assert((await page.$('[data-list], [data-person]')) === null, 'something is left');
    await page.reload();
    await seen(page, '[data-form="sign-in"]');
  });
  await signIn(page);
  await seen(page, '[data-connection="live"]');
  console.log('END');
  await check('a session that ends while the page is open leads to the form, which says so', () => seen(page, '[data-why="ended"]'));
  await check('after signing in again the page goes on', async () => {
    await signIn(page);
    await signedIn(page);
    await seen(page, '[data-connection="live"]');
  });
  await check('the account opens from the name, by keyboard', async () => {
    await page.focus('[data-person] a');
    await page.keyboard.press('Enter');
    await seen(page, '[data-form="password"]');
    assert(new URL(page.url()).hash === '#/account', page.url());
  });
  const other = await openPage('en-GB');
  await signIn(other);
  await signedIn(other);
  const FRESH = `${PASSWORD} once more`;
  const change = async (from, to) => {
    await page.fill('[data-form="password"] [name="password"]', from);
    await page.fill('[name="new-password"]', to);
    await page.fill('[name="new-password-again"]', to);
    await page.keyboard.press('Enter');
  };
  await check('the password is not changed by who does not know it', async () => {
    await change('something else entirely', FRESH);
    await seen(page, '[data-form="password"] [name="password"][aria-invalid="true"]');
  });
  await check('the password is changed, and the person is out everywhere else', async () => {
    await change(PASSWORD, FRESH);
    await seen(page, '[data-done="password"]');
    await seen(other, '[data-why="ended"]');
    await signIn(other, NAME, FRESH);
    await signedIn(other);
  });
  await check('and changed back', async () => {
    await change(FRESH, PASSWORD);
    await page.waitForFunction(() => document.querySelector('[name="new-password"]').value === '', undefined, { timeout: UI_MS });
    await seen(page, '[data-done="password"]');
    await seen(other, '[data-why="ended"]');
  });
  let secret;
  await check('a second factor is set up with what the QR code says', async () => {
    await page.click('[data-factor]');
    await page.fill('[data-form="factor-password"] [name="password"]', PASSWORD);
    await page.keyboard.press('Enter');
    await seen(page, '[data-form="factor-code"] svg path');
    secret = (await page.textContent('[data-secret]')).replaceAll(' ', '');
    const uri = await page.getAttribute('[data-form="factor-code"] a', 'href');
    assert(new URL(uri).searchParams.get('secret') === secret, `${uri} is not of ${secret}`);
    await page.fill('[name="code"]', codeOf(secret) === '000000' ? '000001' : '000000');
    await page.keyboard.press('Enter');
    await seen(page, '[data-form="factor-code"] .problem');
    await page.fill('[name="code"]', codeOf(secret));
    await page.keyboard.press('Enter');
    await seen(page, '[data-second-factor="on"]');
  });
  await check('from then on a code is asked for, after the password', async () => {
    const used = codeOf(secret);
    await signIn(other);
    await seen(other, '[name="code"]');
    assert((await focusedField(other)) === 'code', `the focus is on ${await focusedField(other)}`);
    // A code counts once.
    while (codeOf(secret) === used) await sleep(500);
    await other.keyboard.type(codeOf(secret));
    await other.keyboard.press('Enter');
    await signedIn(other);
  });
  await check('the second factor is removed with the password', async () => {
    await page.click('[data-factor]');
    await page.fill('[data-form="factor-password"] [name="password"]', PASSWORD);
    await page.keyboard.press('Enter');
    await seen(page, '[data-second-factor="off"]');
  });
  await other.context().close();
  await check('a one-time link leaves the address at once', async () => {
    const guest = await openPage('en-GB', `${hub}/#welcome=${NAME}:no-such-token`);
    await seen(guest, '[data-form="welcome"]');
    const shown = await guest.evaluate(() => [location.href, history.length].join(' '));
    assert(!/welcome|token/.test(shown), shown);
    assert((await guest.inputValue('[autocomplete="username"]')) === NAME, 'it does not say whose it is');
    await guest.fill('[name="new-password"]', 'eleven char');
    await guest.fill('[name="new-password-again"]', 'eleven char');
    await guest.keyboard.press('Enter');
    await seen(guest, '[name="new-password"][aria-invalid="true"]');
    await guest.fill('[name="new-password"]', 'twelve chars and more');
    await guest.fill('[name="new-password-again"]', 'twelve chars and more');
    await guest.keyboard.press('Enter');
    await seen(guest, '[data-welcome="over"]');
    await guest.context().close();
  });

  const GUEST = `guest-${Date.now()}`;
  const SITE = `site-${Date.now()}`;
  const admin = await openPage('zh-CN');
  await admin.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(hub).origin });
  await signIn(admin, ADMIN, ADMIN_PASSWORD);
  await signedIn(admin, ADMIN);
  const goTo = async (view) => {
    await admin.focus(`[data-to="${view}"]`);
    await admin.keyboard.press('Enter');
    await seen(admin, `[data-to="${view}"][aria-current="page"]`);
  };
  const edit = async (selector) => {
    if ((await admin.getAttribute(`${selector} [data-edit]`, 'aria-expanded')) === 'false') await admin.click(`${selector} [data-edit]`);
    await seen(admin, `${selector} form`);
  };
  await check('a site is added', async () => {
    await goTo('sites');
    await admin.click('[data-add]');
    await admin.fill('[name="label"]', '浏览器测试');
    await admin.fill('[name="site"]', SITE);
    await admin.keyboard.press('Enter');
    await seen(admin, `[data-site="${SITE}"]`);
  });
  await check('it gets a deadline of its own, in minutes, and loses it again', async () => {
    await edit(`[data-site="${SITE}"]`);
    await admin.fill('[data-deadlines] [name="assigned"]', '1.5');
    await admin.fill('[data-deadlines] [name="reported_1"]', '0');
    await admin.click('[data-form="site"] [type="submit"]');
    await seen(admin, `[data-site="${SITE}"] [data-own-deadlines]`);
    await admin.reload();
    await seen(admin, `[data-site="${SITE}"] [data-own-deadlines]`);
    await edit(`[data-site="${SITE}"]`);
    assert((await admin.inputValue('[data-deadlines] [name="assigned"]')) === '1.5', 'it was not kept');
    for (const name of ['assigned', 'reported_1']) await admin.fill(`[data-deadlines] [name="${name}"]`, '');
    await admin.click('[data-form="site"] [type="submit"]');
    await admin.waitForSelector(`[data-site="${SITE}"] [data-own-deadlines]`, { state: 'detached', timeout: UI_MS });
  });
  let link;
  await check('a person is added, limited to it, and their link is copied', async () => {
    await goTo('people');
    assert(new URL(admin.url()).hash === '#/people', admin.url());
    await admin.click('[data-add]');
    await admin.fill('[name="display-name"]', '来客');
    await admin.fill('[name="person-name"]', GUEST);
    await admin.keyboard.press('Enter');
    await seen(admin, '[data-form="person"] .problem');
    await admin.check('[name="role"][value="operator"]');
    await admin.check('[data-limited]');
    await admin.check(`[name="site"][value="${SITE}"]`);
    await admin.click('[data-form="person"] [type="submit"]');
    await seen(admin, `[data-invitation="${GUEST}"]`);
    await seen(admin, `[data-member="${GUEST}"][data-state="invited"]`);
    await admin.click('[data-copy]');
    await seen(admin, '[data-invitation] .done');
    link = await admin.evaluate(() => navigator.clipboard.readText());
    assert(link.includes(`#welcome=${GUEST}:`), link);
    await admin.click('[data-close]');
    assert(!(await admin.content()).includes(link.split(':').at(-1)), 'the link is still there');
  });
  const guest = await openPage('en-GB', link);
  await check('the link lets the person in, with a password of their own', async () => {
    for (const name of ['new-password', 'new-password-again']) await guest.fill(`[name="${name}"]`, 'hedge, ladder, lantern');
    await guest.keyboard.press('Enter');
    await signedIn(guest, GUEST);
    await seen(guest, '[data-connection="live"]');
    assert((await guest.$('[data-to="people"]')) === null, 'they are shown what they may not see');
    await guest.evaluate(() => (location.hash = '#/people'));
    await guest.waitForTimeout(300);
    assert((await guest.$('[data-list="people"]')) === null, 'the address lets them in');
  });
  await check('the link is good once', async () => {
    const late = await openPage('en-GB', link);
    for (const name of ['new-password', 'new-password-again']) await late.fill(`[name="${name}"]`, 'hedge, ladder, lantern');
    await late.keyboard.press('Enter');
    await seen(late, '[data-welcome="over"]');
    await late.context().close();
  });
  await check('who has other roles sees other things', async () => {
    await admin.reload();
    await seen(admin, `[data-member="${GUEST}"][data-state="active"]`);
    await edit(`[data-member="${GUEST}"]`);
    await admin.check('[name="role"][value="technician"]');
    await admin.uncheck('[name="role"][value="operator"]');
    await admin.click('[data-form="person"] [type="submit"]');
    await admin.waitForSelector('[data-form="person"]', { state: 'detached', timeout: UI_MS });
    await guest.reload();
    await signedIn(guest, GUEST);
    await seen(guest, '[data-list="devices"], [data-empty="devices"]');
    assert((await guest.$('[data-list="alerts"], [data-empty="alerts"]')) === null, 'alerts are shown');
  });
  await check('a site that somebody is limited to stays', async () => {
    await goTo('sites');
    await edit(`[data-site="${SITE}"]`);
    await admin.click('[data-ask-for="remove"]');
    await admin.click('[data-yes="remove"]');
    await seen(admin, `[data-site="${SITE}"] .problem`);
  });
  await check('who is disabled is out at once', async () => {
    await goTo('people');
    await edit(`[data-member="${GUEST}"]`);
    await admin.click('[data-ask-for="disable"]');
    await admin.keyboard.press('Enter');
    await seen(admin, `[data-member="${GUEST}"][data-state="disabled"]`);
    await seen(guest, '[data-why="ended"]');
    await signIn(guest, GUEST, 'hedge, ladder, lantern');
    await seen(guest, '[data-failure="wrong"]');
  });
  await check('who is enabled and given a new link chooses a new password', async () => {
    await admin.click('[data-ask-for="enable"]');
    await admin.click('[data-yes="enable"]');
    await seen(admin, `[data-member="${GUEST}"][data-state="active"]`);
    await admin.click('[data-ask-for="invite"]');
    await admin.click('[data-yes="invite"]');
    const second = await admin.inputValue(`[data-invitation="${GUEST}"] input`);
    await guest.evaluate((to) => (location.href = to), second);
    for (const name of ['new-password', 'new-password-again']) await guest.fill(`[name="${name}"]`, 'lantern, ladder, hedge');
    await guest.keyboard.press('Enter');
    await signedIn(guest, GUEST);
    assert(!guest.url().includes('welcome'), guest.url());
  });
  await check('what a webhook did not take is shown, and how that is; not where a secret may stand', async () => {
    await goTo('webhooks');
    await seen(admin, '[data-webhook="district"] [data-dead="2"]');
    await seen(admin, '[data-webhook="district"] [data-state="failing"]');
    assert((await admin.textContent('[data-webhook="district"] [data-reason]')).includes('410'), 'it does not say why');
    await admin.focus('[data-webhook="district"] [data-show-dead]');
    await admin.keyboard.press('Enter');
    await admin.waitForFunction(() => document.querySelectorAll('[data-list="letters"] [data-letter]').length === 2, undefined, { timeout: UI_MS });
    const all = await admin.content();
    assert(!/a=b|\/hook|whsec_/.test(all), 'the path of its address or its secret is shown');
  });
  await check('one is sent again, by keyboard, and is not taken this time either', async () => {
    const step = await admin.getAttribute('[data-list="letters"] [data-letter] >> nth=0', 'data-letter');
    const said = await admin.textContent(`[data-letter="${step}"]`);
    await admin.focus(`[data-retry="${step}"]`);
    await admin.keyboard.press('Enter');
    await admin.waitForFunction(() => document.activeElement?.tagName === 'H4', undefined, { timeout: UI_MS });
    await admin.waitForFunction(([at, before]) => {
      const letter = document.querySelector(`[data-letter="${at}"]`);
      return letter?.querySelector('[data-retry]') && letter.textContent !== before;
    }, [step, said], { timeout: UI_MS });
  });
  console.log('WELL');
  await check('all are sent again, and are gone once they are taken', async () => {
    await admin.focus('[data-ask-for="retry-all"]');
    await admin.keyboard.press('Enter');
    await admin.keyboard.press('Escape');
    await seen(admin, '[data-list="letters"]');
    await admin.waitForFunction(() => document.activeElement?.dataset.askFor === 'retry-all', undefined, { timeout: UI_MS });
    await admin.keyboard.press('Enter');
    await seen(admin, '[data-yes="retry-all"]');
    await admin.keyboard.press('Enter');
    await seen(admin, '[data-empty="letters"]');
    await seen(admin, '[data-webhook="district"] [data-dead="0"]');
    await seen(admin, '[data-webhook="district"] [data-state="well"]');
    await admin.focus('[data-show-dead]');
    await admin.keyboard.press('Escape');
    await admin.waitForSelector('[data-empty="letters"]', { state: 'detached', timeout: UI_MS });
    assert((await admin.evaluate(() => document.activeElement?.tagName)) === 'H3', 'the focus is nowhere');
  });
  await check('the access log has it all, the newest first', async () => {
    await goTo('access-log');
    await seen(admin, '[data-list="access-log"] tbody tr');
    const rows = await admin.$$eval('[data-list="access-log"] tbody tr', (all, name) =>
      all.filter((row) => row.textContent.includes(name)).map((row) => row.dataset.action), GUEST);
    const wanted = ['signed_in', 'password_set', 'invited', 'person_enabled', 'person_disabled', 'person_changed', 'person_added'];
    assert(wanted.every((action) => rows.includes(action)), rows.join());
    const retried = await admin.$$eval('[data-action="webhook_retried"]', (all) => all.map((row) => row.textContent));
    assert(retried.length === 2 && retried.every((row) => row.includes('district') && row.includes('操作人')), retried.join(' | '));
    assert(rows.indexOf('person_disabled') < rows.indexOf('person_added'), rows.join());
  });
  await check('nothing went wrong in the browser', () => assert(errors.length === 0, errors.join(' | ')));
} finally {
  await close();
}
finish();
