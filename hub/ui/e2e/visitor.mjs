// Somebody in front of the page, in a browser of their own, and whatever goes wrong there.

import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { PASSWORD, isSignedOutNote, signIn, signedIn } from './sign-in.mjs';

export const UI_MS = 15_000;
export const EXPECT_MS = Number(process.env.EXPECT_TIMEOUT_S ?? '60') * 1_000;

const launched = await launch();
export const { browser } = launched;

/** The name of somebody that a program cannot do without. */
export function somebody(variable, otherwise) {
  const name = process.env[variable];
  if (name) return name;
  console.error(`${variable} is not set: ${otherwise}`);
  process.exit(2);
}

/** Does these one after the other, as far as they go, and says how it ended. */
export async function play(...parts) {
  try {
    for (const part of parts) await part();
  } catch (error) {
    giveUp(error);
  } finally {
    await launched.close();
  }
  finish();
}

/** Signs in. `prepare` runs in the page before anything of it does; `wanted` tells which errors are what is tried out. */
export async function visit({ locale, name, prepare = [], wanted = () => false }) {
  const context = await browser.newContext({ locale, viewport: { width: 1440, height: 900 } });
  if (prepare.length > 0) await context.addInitScript(...prepare);
  const errors = [];
  const open = async () => {
    const page = await context.newPage();
    page.on('console', (message) => {
      const { url } = message.location();
      // A picture may be named before it is there.
      const fine = isSignedOutNote(message.text(), url) || (/\/snapshot(\?|$)/.test(url) && /404/.test(message.text())) || wanted(message.text(), url);
      if (message.type() === 'error' && !fine) errors.push(`${message.text()} (${url})`);
    });
    page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
    return page;
  };
  const page = await open();
  const asked = [];
  page.on('request', (request) => asked.push({ method: request.method(), path: new URL(request.url()).pathname, body: request.postData() }));
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page, name, PASSWORD);
  await signedIn(page, name);
  await page.waitForSelector('[data-connection="live"]', { timeout: UI_MS });
  return { locale, name, context, page, open, asked, errors };
}

export const seen = (page, selector, timeout = UI_MS) => page.waitForSelector(selector, { timeout }).then(() => undefined);
export const gone = (page, selector) => page.waitForSelector(selector, { state: 'detached', timeout: UI_MS }).then(() => undefined);

/** By the address, as a link does it. */
export async function go(page, fragment, ready) {
  await page.evaluate((to) => (location.hash = to), fragment);
  await seen(page, ready);
}

/** What is said there, once it has these words in it. */
export async function says(page, selector, words) {
  const found = ([where, wanted]) => [...document.querySelectorAll(where)].some((one) => one.textContent.includes(wanted));
  await page.waitForFunction(found, [selector, words], { timeout: UI_MS }).catch(async () => {
    const said = await page.$$eval(selector, (all) => all.map((one) => one.textContent.trim()));
    assert(false, `${selector} says ${JSON.stringify(said)}, not "${words}"`);
  });
}

/** What the hub answers to this person. */
export const ask = (page, path) => page.evaluate(async (to) => (await fetch(to)).json(), `/api/v1/${path}`);

export const incidentIds = (page) => page.$$eval('[data-incident-id]', (rows) => rows.map((row) => row.dataset.incidentId));

/** One that was not there before. */
export async function newIncident(page, known) {
  const found = (ids) => [...document.querySelectorAll('[data-incident-id]')].map((row) => row.dataset.incidentId).find((id) => !ids.includes(id));
  const handle = await page.waitForFunction(found, known, { timeout: EXPECT_MS });
  return handle.jsonValue();
}

export const nothingWentWrong = ({ errors }, whose) => check(`${whose}: nothing went wrong in the browser`, () => assert(errors.length === 0, errors.join(' | ')));
