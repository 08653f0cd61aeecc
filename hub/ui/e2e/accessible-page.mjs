// Every view of the page, in every state that a person can bring it to, looked at by axe: in both languages and colour schemes, on a desk
// and on a phone. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and DONE. Exits with 0 when every check held.

import { violations } from './axe.mjs';
import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { answer as answerOfDeletions } from './deletions.mjs';
import { arcMinutes } from './distance.mjs';
import { sayPurpose } from './purpose.mjs';
import { NAME, PASSWORD, signIn, signedIn } from './sign-in.mjs';
import { VIEWS, viewOf } from './views.mjs';

/** Who goes and looks, and sees what is theirs; and who only sees that boxes are well. */
const { GATEPOST_HANDLER: HANDLER, GATEPOST_TECHNICIAN: TECHNICIAN } = process.env;
if (!HANDLER || !TECHNICIAN) {
  console.error('GATEPOST_HANDLER and GATEPOST_TECHNICIAN are not set: other roles see other things');
  process.exit(2);
}
const UI_MS = 60_000;
const { browser, close } = await launch();

const DESK = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Waits until nothing is on its way from one colour to another: what is between is not what people read. */
function settled(page) {
  const transitions = () => document.getAnimations().filter((one) => one instanceof CSSTransition);
  return page.evaluate(`Promise.allSettled((${transitions})().map((one) => one.finished)).then(() => undefined)`);
}

/** A page of its own; `audit` goes somewhere and has it looked at. */
async function open(locale, settings, scheme, label, address = hub) {
  const context = await browser.newContext({ locale, colorScheme: scheme, reducedMotion: 'reduce', ...settings });
  const page = await context.newPage();
  await page.goto(address, { waitUntil: 'load' });
  const audit = (name, reach) =>
    check(`${label}: ${name}`, async () => {
      await reach();
      await settled(page);
      const found = await violations(page);
      assert(found.length === 0, found.slice(0, 3).join('\n'));
    });
  const seen = (selector) => page.waitForSelector(selector, { timeout: UI_MS });
  const visited = new Set();
  /** By the address, as a link does it. */
  const go = async (fragment, ready) => {
    await page.evaluate((to) => (location.hash = to), fragment);
    await seen(ready);
    visited.add(viewOf(fragment));
  };
  return { context, page, audit, seen, go, visited, phone: settings === PHONE };
}

async function outside({ page, audit, seen }) {
  await audit('signing in', () => seen('[data-form="sign-in"]'));
  await audit('a wrong password', async () => {
    await signIn(page, NAME, `${PASSWORD}?`);
    await seen('[data-failure="wrong"]');
  });
}

async function incidents({ page, audit, seen, go, phone }) {
  const unfold = (within) => page.$$eval(`${within} details`, (all) => all.forEach((one) => (one.open = true)));
  await audit('incidents', () => seen('[data-list="incidents"]'));
  await audit('devices and areas, unfolded', async () => {
    if (phone) await page.click('.tabs button >> nth=1');
    await seen('[data-edge]');
    await unfold('[data-edge]');
  });
  if (phone) await page.click('.tabs button >> nth=0');
  // Rows are drawn once their list is on the screen.
  await seen('[data-list="incidents"] [data-incident-id]');
  const [id] = await page.$$eval('[data-list="incidents"] [data-incident-id]', (rows) => rows.map((row) => row.dataset.incidentId));
  await audit('an incident', async () => {
    await go(`#/?incident=${id}`, `[data-panel="${id}"] [data-timeline]`);
    await unfold('[data-panel]');
  });
  for (const choice of await page.$$eval('[data-choice]', (all) => all.map((button) => button.dataset.choice))) {
    // What is done at once has no form.
    if (['acknowledge', 'accept', 'begin', 'unshelve'].includes(choice)) continue;
    await audit(`the form to ${choice}`, async () => {
      await page.click(`[data-choice="${choice}"]`);
      await seen(`[data-form="${choice}"]`);
    });
    await page.keyboard.press('Escape');
    await page.waitForSelector(`[data-form="${choice}"]`, { state: 'detached', timeout: UI_MS });
  }
  if (await page.$('[data-attachment]')) await attachments({ page, audit, seen });
}

/** What was attached to the first incident, and adding to it. */
async function attachments({ page, audit, seen }) {
  await audit('an attachment that is open', async () => {
    await page.click('[data-attachment="1"] [data-show-attachment]');
    await page.waitForFunction(() => document.querySelector('[data-attachments] .picture img')?.naturalWidth > 0, undefined, { timeout: UI_MS });
  });
  await audit('the form to withdraw one', async () => {
    await page.click('[data-attachment="2"] [data-withdraw]');
    await seen('[data-form="withdraw"]');
  });
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-form="withdraw"]', { state: 'detached', timeout: UI_MS });
  await audit('a file that cannot be attached', async () => {
    await page.setInputFiles('[data-pick]', { name: 'a.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') });
    await seen('[data-adding] .problem');
  });
  await audit('a file about to be attached', async () => {
    await page.setInputFiles('[data-pick]', { name: 'b.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
    await seen('[data-form="attach"]');
  });
  await page.keyboard.press('Escape');
  await seen('[data-adding="idle"]');
}

async function alerts({ page, audit, seen, go }) {
  let id;
  await audit('alerts', async () => {
    await go('#/alerts', '[data-list="alerts"]');
    id = await page.$eval('[data-alert-id][data-kind="zone_intrusion"], [data-alert-id]', (row) => row.dataset.alertId);
  });
  await audit('an alert, before its purpose is said', () => go(`#/alerts?alert=${id}`, `[data-panel="${id}"]`));
  await audit('an alert with what it shows', async () => {
    if (await page.$('[data-panel] [data-gate="reason"]')) await sayPurpose(page, UI_MS);
    await seen('[data-panel] img.shown, [data-panel] video');
  });
  await audit('the form to ask for an original', async () => {
    await page.click('[data-panel] [data-ask]');
    await seen('[data-form="original"]');
  });
  await page.keyboard.press('Escape');
  await audit('the form to hold evidence', async () => {
    await page.click('[data-panel] [data-propose-hold]');
    await seen('[data-form="hold"]');
  });
  await page.keyboard.press('Escape');
}

async function views({ page, audit, seen, go }) {
  // Records go after half a year at the earliest, so no hub of a test deleted any.
  await page.route(/\/api\/v1\/(deletions|disposals)\?/, (route) => {
    const [status, json] = answerOfDeletions(new URL(route.request().url()));
    return route.fulfill({ status, json });
  });
  for (const [view, ready] of [
    ['history', '[data-list="history"]'],
    ['report', '[data-report]'],
    ['figures', '[data-figures]'],
    ['register', '[data-list="register"] [data-viewing]'],
    ['deletions', '[data-list="deletions"] tbody tr'],
    ['deletions?of=records', '[data-list="disposals"] tbody tr'],
    ['holds', '[data-list="holds"] [data-hold]'],
    ['webhooks', '[data-webhook] [data-show-dead]'],
    ['access-log', '[data-list="access-log"] tbody tr'],
    ['account', '[data-form="password"]'],
    ['people', '[data-member]'],
    ['sites', '[data-site]'],
    ['device?edge=gate-1', '[data-device="gate-1"] [data-plot="disk"] canvas'],
    ['plan', '[data-stage="shown"] [data-item="camera gate-1 east-gate"]'],
  ]) {
    await audit(view, () => go(`#/${view}`, ready));
  }
  await audit('a plot that is read by the keyboard, over a week', async () => {
    await go('#/device?edge=gate-1&hours=168', '[data-hours="168"][aria-current="true"]');
    await seen('[data-plot^="camera "] canvas');
    await page.focus('[data-plot="disk"] .frame:has(canvas)');
    await page.keyboard.press('Home');
  });
  await audit('a device that there is not', () => go('#/device?edge=gate-none', '[data-empty="device"]'));
  await go('#/webhooks', '[data-webhook] [data-show-dead]');
  await audit('what a webhook did not take, and the question whether to send all of it again', async () => {
    await page.click('[data-show-dead]');
    await page.click('[data-ask-for="retry-all"]');
    await seen('[data-yes="retry-all"]');
  });
  await go('#/plan', '[data-edit-plan]');
  await audit('a plan that is changed', async () => {
    await page.click('[data-edit-plan]');
    await page.click('[data-choose="camera 0"]');
    await page.$eval('[data-editing] details', (more) => (more.open = true));
    await seen('[data-chosen="camera"] [name="direction"]');
  });
  await audit('a zone of it', async () => {
    await page.click('[data-choose="zone 0"]');
    await seen('[data-chosen="zone"] [name="shows"]');
  });
  await go('#/sites', '[data-site]');
  await audit('the form to change a site, and the question whether to remove it', async () => {
    await page.click('[data-site] [data-edit] >> nth=0');
    await page.click('[data-ask-for="remove"]');
    await seen('[data-yes="remove"]');
  });
  await audit('the form to add a person, refused', async () => {
    await go('#/people', '[data-member]');
    await page.click('[data-add]');
    await page.click('[data-form="person"] [type="submit"]');
    await seen('[data-form="person"]');
  });
  await audit('setting up a second factor', async () => {
    await go('#/account', '[data-factor]');
    await page.click('[data-factor]');
    await page.fill('[data-form="factor-password"] [name="password"]', PASSWORD);
    await page.keyboard.press('Enter');
    await seen('[data-form="factor-code"] svg path');
    // What is on its way cannot be pressed, and is pale.
    await seen('[data-form="factor-code"] [type="submit"]:not(:disabled)');
  });
}

/** What is not there, not yet there, or cannot be had. */
async function trouble({ context, page, audit, seen, go }) {
  const others = /\/api\/v1\/(?!session|live)/;
  await page.route(others, (route) => route.fulfill({ status: 503, body: '' }));
  await audit('a view that cannot be loaded', () => go('#/access-log', '.failed'));
  await page.unroute(others);
  await page.route(others, () => {});
  await audit('a view that is being loaded', () => go('#/sites', '.skeleton, [aria-busy="true"], main.view'));
  await page.unroute(others);
  // A stream that is still being opened is not one that is lost.
  await page.waitForSelector('[data-connection="live"]');
  await audit('cut off', async () => {
    await context.setOffline(true);
    await go('#/', '[data-connection="reconnecting"]');
  });
  await context.setOffline(false);
}

/** All that somebody sees who may see everything. */
async function everything(locale, settings, scheme) {
  const side = await open(locale, settings, scheme, `${locale} ${settings === PHONE ? 'phone' : 'desk'}`);
  await outside(side);
  await signIn(side.page);
  await signedIn(side.page);
  await incidents(side);
  await alerts(side);
  await views(side);
  await check(`${locale} ${settings === PHONE ? 'phone' : 'desk'}: that was every view there is`, () => {
    const left = VIEWS.filter((view) => !side.visited.has(view));
    assert(left.length === 0, `not looked at: ${left.join()}`);
  });
  await trouble(side);
  await side.context.close();
}

/** On a screen of a control room's wall. */
async function wall(width, height) {
  const { context, page, seen } = await open('en-GB', { viewport: { width, height } }, 'dark', 'a wall');
  await signIn(page);
  await signedIn(page);
  await check(`a wall of ${width} by ${height}: headlines are read at 3 m, of the newest that waits also where`, async () => {
    const told = [];
    for (const [text, metres, least] of [['.prominent .headline', 3, 22], ['.prominent .place', 3, 16], ['.item:not(.prominent) .headline', 3, 16]]) {
      const selector = `[data-list="incidents"] ${text}`;
      await seen(selector);
      const minutes = await arcMinutes(page, selector, metres);
      told.push(`${minutes.toFixed(1)}' of ${least}'`);
      assert(minutes >= least, `${text} at ${metres} m: ${told.at(-1)}`);
    }
    return told.join(', ');
  });
  await context.close();
}

async function others(locale, settings, scheme) {
  const welcome = await open(locale, settings, scheme, `${locale} link`, `${hub}/#welcome=${HANDLER}:no-such-token`);
  await welcome.audit('a one-time link', () => welcome.seen('[data-form="welcome"]'));
  await welcome.context.close();
  for (const [role, name] of [['handler', HANDLER], ['technician', TECHNICIAN]]) {
    const side = await open(locale, settings, scheme, `${locale} ${role}`);
    await signIn(side.page, name, PASSWORD);
    await signedIn(side.page, name);
    await side.audit('what they watch', () => side.seen('[data-list="incidents"], [data-empty="incidents"], [data-edge]'));
    await side.context.close();
  }
}

try {
  await check('it is tried out: what is wrong would be found', async () => {
    const { page, context } = await open('en-GB', DESK, 'light', 'a trial');
    await page.waitForSelector('[data-form="sign-in"]', { timeout: UI_MS });
    await page.evaluate(() => {
      document.querySelector('h1').style.setProperty('color', 'rgb(250 250 250)');
      document.querySelector('button').setAttribute('aria-label', 'something else');
    });
    const found = (await violations(page)).map((one) => one.split(' ')[0]);
    assert(found.includes('color-contrast') && found.includes('label-content-name-mismatch'), found.join());
    await context.close();
  });
  for (const [width, height] of [[1920, 1080], [3840, 2160]]) await wall(width, height);
  // Two at a time. Each language, each scheme and each size meets the others.
  await Promise.all([everything('zh-CN', DESK, 'dark'), everything('en-GB', PHONE, 'dark')]);
  await Promise.all([everything('en-GB', DESK, 'light'), everything('zh-CN', PHONE, 'light')]);
  await Promise.all([others('zh-CN', PHONE, 'light'), others('en-GB', DESK, 'dark')]);
} catch (error) {
  giveUp(error);
} finally {
  await close();
}
finish();
