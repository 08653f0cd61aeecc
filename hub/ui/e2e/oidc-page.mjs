// Signing in by an OpenID Connect provider, in a real browser, against a running hub and the provider of the tests. README.md says
// how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and then DONE. Exits with 0 when every check held.

import { launch } from './browser.mjs';
import { assert, check, finish, hub } from './check.mjs';
import { NAME as ADMIN, PASSWORD, signIn, signedIn } from './sign-in.mjs';

/** Whom the provider calls by the same name as the hub, and somebody who has no account yet. */
const LINKED = 'wang.li';
const STRANGER = 'zhao.min';
const UI_MS = 15_000;

const { browser, close } = await launch();
const errors = [];

async function openPage(locale) {
  const context = await browser.newContext({ locale, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.on('console', (message) => {
    // The browser notes every refusal, and a stream that ends; the provider's pages ask for a font and an icon that are not here.
    const wanted = /status of 4\d\d|ERR_INCOMPLETE_CHUNKED_ENCODING/.test(message.text()) || !message.location().url.startsWith(hub);
    if (message.type() === 'error' && !wanted) errors.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  // Nothing of the provider's pages comes from elsewhere.
  await context.route(/^https:/, (route) => route.abort());
  await page.goto(hub, { waitUntil: 'load' });
  return page;
}
const seen = (page, selector) => page.waitForSelector(selector, { timeout: UI_MS }).then(() => undefined);
const atHub = (page) => page.waitForURL((url) => url.origin === hub, { timeout: UI_MS });

/** To the provider's first page. */
async function toProvider(page) {
  await page.click('[data-way="oidc"]');
  await page.waitForSelector('[name="login"]', { timeout: UI_MS });
}

async function comeBy(page, login) {
  await toProvider(page);
  await page.fill('[name="login"]', login);
  await page.fill('[name="password"]', 'x');
  await page.keyboard.press('Enter');
  // The first time it asks whether the hub may be told.
  await page.waitForFunction((to) => location.origin === to || document.querySelector('[value="consent"]'), hub, { timeout: UI_MS });
  if (new URL(page.url()).origin !== hub) await page.click('button[type="submit"]');
  await atHub(page);
}

try {
  const page = await openPage('zh-CN');
  await check('the form has the other way, in Chinese', async () => {
    await seen(page, '[data-way="oidc"]');
    const label = (await page.textContent('[data-way="oidc"]')).trim();
    assert(label === '校园账号登录', label);
  });
  await check('it is reached by the keyboard, behind the form', async () => {
    await page.focus('[data-form="sign-in"] button[type="submit"]');
    await page.keyboard.press('Tab');
    const way = await page.evaluate(() => document.activeElement?.getAttribute('data-way'));
    assert(way === 'oidc', String(way));
  });
  await check('who the provider vouches for is let in', async () => {
    await comeBy(page, LINKED);
    await signedIn(page, LINKED);
    assert(new URL(page.url()).hash === '' || page.url().includes('#/'), page.url());
  });
  await check('the browser keeps to the terms of the cookies', async () => {
    // Not by address: secure ones are not told of one without TLS, though this browser sends them to the machine itself.
    const cookies = (await page.context().cookies()).filter((one) => one.name.startsWith('__Host-gatepost'));
    assert(cookies.length === 1 && cookies[0].name === '__Host-gatepost', JSON.stringify(cookies));
    assert(cookies[0].httpOnly && cookies[0].secure && cookies[0].sameSite === 'Strict', JSON.stringify(cookies));
  });
  await check('a script can read no token', async () => {
    const readable = await page.evaluate(() => [document.cookie, location.href, ...Object.values(localStorage), ...Object.values(sessionStorage)].join());
    assert(!/gatepost=|token|code=/.test(readable), readable);
  });
  await check('a reload stays signed in', async () => {
    await page.reload();
    await signedIn(page, LINKED);
  });
  await check('who has no password here is not asked for one', async () => {
    await page.click('[data-person] a');
    await seen(page, '[data-no-password]');
    assert((await page.$('[data-form="password"], [data-second-factor]')) === null, 'there is a form');
  });

  const stranger = await openPage('en');
  await check('the other way speaks English', async () => {
    await seen(stranger, '[data-way="oidc"]');
    const label = (await stranger.textContent('[data-way="oidc"]')).trim();
    assert(label === 'Campus account', label);
  });
  await check('who does not go through with it is told so', async () => {
    await toProvider(stranger);
    await stranger.click('a[href$="/abort"]');
    await atHub(stranger);
    await seen(stranger, '[data-refused="cancelled"]');
  });
  await check('who has no account is told what to do, and the address forgets it', async () => {
    await comeBy(stranger, STRANGER);
    await seen(stranger, '[data-refused="nobody"]');
    assert(!stranger.url().includes('sign-in-failed'), stranger.url());
    const words = await stranger.textContent('[data-refused="nobody"]');
    assert(/Ask an administrator/.test(words), words);
  });
  await check('a word that is made up shows nothing of it', async () => {
    await stranger.goto(`${hub}/#sign-in-failed=made_up`);
    await seen(stranger, '[data-refused="hub"]');
    await stranger.goto(`${hub}/#sign-in-failed=<img src=x>`);
    assert(!(await stranger.content()).includes('<img src=x>'), 'it is in the page');
  });

  const admin = await openPage('en');
  await signIn(admin, ADMIN, PASSWORD);
  await signedIn(admin, ADMIN);
  await check('an administrator adds somebody who needs no link', async () => {
    await admin.evaluate(() => (location.hash = '#/people'));
    await admin.click('[data-add]');
    await admin.fill('[name="display-name"]', '赵敏');
    await admin.fill('[name="person-name"]', STRANGER);
    await admin.fill('[name="provider"]', STRANGER);
    await admin.check('[name="role"][value="operator"]');
    await admin.click('[data-form="person"] button[type="submit"]');
    await seen(admin, `[data-linked="${STRANGER}"]`);
    await seen(admin, `[data-member="${STRANGER}"][data-state="invited"] [data-provider="awaited"]`);
    assert((await admin.$('[data-invitation]')) === null, 'there is a link');
  });
  await check('the first sign-in binds the account', async () => {
    await stranger.goto(hub);
    await comeBy(stranger, STRANGER);
    await signedIn(stranger, STRANGER);
    await admin.reload();
    await seen(admin, `[data-member="${STRANGER}"][data-state="active"] [data-provider="bound"]`);
  });
  await check('a name that is taken is refused', async () => {
    await admin.click(`[data-member="${STRANGER}"] [data-edit]`);
    await admin.fill(`[data-member="${STRANGER}"] [name="provider"]`, LINKED);
    await admin.click(`[data-member="${STRANGER}"] button[type="submit"]`);
    await seen(admin, `[data-member="${STRANGER}"] .problem[role="alert"]`);
    await seen(admin, `[data-member="${STRANGER}"] [data-provider="bound"]`);
  });
  await check('unbinding ends the session', async () => {
    await admin.click(`[data-member="${STRANGER}"] [data-ask-for="unbind"]`);
    await admin.click(`[data-member="${STRANGER}"] [data-yes="unbind"]`);
    await seen(admin, `[data-member="${STRANGER}"][data-state="invited"] [data-provider="awaited"]`);
    await seen(stranger, '[data-why="ended"]');
  });
  await check('the access log has it all', async () => {
    await admin.evaluate(() => (location.hash = '#/access-log'));
    await seen(admin, '[data-list="access-log"] tbody tr');
    const rows = await admin.$$eval('[data-list="access-log"] tbody tr', (all) => all.map((row) => row.dataset.action));
    for (const action of ['provider_unbound', 'provider_bound', 'signed_in', 'sign_in_failed']) assert(rows.includes(action), rows.join());
  });
  await check('nothing went wrong in the browser', () => assert(errors.length === 0, errors.join(' | ')));
} finally {
  await close();
}
finish();
