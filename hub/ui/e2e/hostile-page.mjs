// Every view of the page in front of a hub whose boxes and people have put markup into every text they can send. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and DONE. Exits with 0 when every check held.

import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { isSignedOutNote, signIn, signedIn } from './sign-in.mjs';
import { VIEWS, viewOf } from './views.mjs';

const UI_MS = 15_000;
/** What each such text has in it. */
const MARK = 'onerror=ran(';
const markup = (place) => `<img src=x onerror=ran('${place}')><script>ran('${place}')</script>"'>`;
const { browser, close } = await launch();

/** What ran, what the policy had to stop, and what the browser complained of: nothing of it may be. */
async function openPage(locale) {
  const page = await (await browser.newContext({ locale, viewport: { width: 1440, height: 900 } })).newPage();
  const wrong = [];
  await page.exposeFunction('tellWrong', (what) => wrong.push(what));
  await page.addInitScript(() => {
    window.ran = (where) => window.tellWrong(`it ran: ${where}`);
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      window.tellWrong(`the policy stopped ${violatedDirective} ${blockedURI} ${sample}`),
    );
  });
  page.on('dialog', (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => wrong.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const { url } = message.location();
    // A picture that is named and never came is wanted.
    if (message.type() === 'error' && !isSignedOutNote(message.text(), url) && !/\/snapshot(\?|$)/.test(url)) wrong.push(`${message.text()} (${url})`);
  });
  page.on('request', (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin !== new URL(hub).origin || pathname === '/x') wrong.push(`it asked for ${request.url()}`);
  });
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page);
  await signedIn(page);
  return { page, wrong };
}
const seen = (page, selector) => page.waitForSelector(selector, { timeout: UI_MS }).then(() => undefined);

/** As a person does it, by the hub's own API. */
async function act(page, method, path, body) {
  const { status, answer } = await page.evaluate(
    async ([method, path, body]) => {
      const init = body === null ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const answer = await fetch(`/api/v1/${path}`, { method, ...init });
      return { status: answer.status, answer: await answer.json() };
    },
    [method, path, body],
  );
  assert(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

/** An alarm is looked at for a reason, and held and let go with words. */
async function sayWhy(page) {
  const { alerts } = await act(page, 'GET', 'alerts?limit=1', null);
  const alarm = alerts[0].id;
  await act(page, 'POST', 'viewings', { alarm, reason: 'other', text: markup('purpose') });
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const { id } = await act(page, 'POST', 'holds', { alarm, reason: markup('hold'), until });
  await act(page, 'POST', `holds/${id}/steps`, { step: 'decline', text: markup('decline') });
}

/** What machines or the configuration name, so that no hub says this of itself: the page is told so all the same. */
const time = new Date().toISOString();
const WEBHOOK = {
  name: markup('webhook'), receiver: { host: markup('host'), tells: ['opened'], sites: [markup('site')] },
  waiting: 1, dead: 1, failure: { since: time, time, reason: markup('failure') },
};
const LETTER = { step: 1, message: markup('message'), tells: markup('tells'), incident: 1, happened: time, tried: time, attempts: 1, reason: markup('refusal'), again: false };
const DELETION = {
  time, event: markup('event'), incident: null, attachment: null, sha256: markup('sha256'), edge: markup('edge'), media_type: markup('type'), bytes: 1,
  received: time, cause: markup('cause'), command: markup('command'),
};

/** It is there, as text and as nothing else. */
async function isText({ page, wrong }, within) {
  await page.waitForFunction(
    ([selector, mark]) => [...document.querySelectorAll(selector)].some((node) => node.textContent.includes(mark) || [...node.querySelectorAll('input, textarea')].some(({ value }) => value.includes(mark))),
    [within, MARK],
    { timeout: UI_MS },
  );
  const made = await page.evaluate(() =>
    [...document.querySelectorAll('*')]
      .filter((node) => [...node.attributes].some(({ name, value }) => name.startsWith('on') || /^\s*javascript:/i.test(value)) || (node.tagName === 'SCRIPT' && !node.src) || node.getAttribute('src') === 'x')
      .map((node) => node.outerHTML.slice(0, 120)),
  );
  assert(made.length === 0, `it became ${made.join(' ')}`);
  // An image that does not exist tells of it a moment later.
  await page.waitForTimeout(200);
  assert(wrong.length === 0, wrong.join(' | '));
}

try {
  for (const locale of ['zh-CN', 'en-GB']) {
    const side = await openPage(locale);
    const { page } = side;
    const visited = new Set();
    const go = async (fragment, ready) => {
      await page.evaluate((to) => (location.hash = to), fragment);
      await seen(page, ready);
      visited.add(viewOf(fragment));
    };
    await check(`${locale}: it is tried out: whoever made it an element would be found out`, async () => {
      // In a page of its own without a policy, so that this program is known to see what it looks for.
      const bare = await (await browser.newContext()).newPage();
      await bare.addInitScript(() => (window.ran = (where) => (window.found = where)));
      await bare.goto('about:blank');
      await bare.evaluate(() => (document.body.innerHTML = "<img src=x onerror=ran('here')>"));
      await bare.waitForFunction(() => window.found === 'here', undefined, { timeout: UI_MS });
      await bare.context().close();
    });
    await check(`${locale}: incidents`, async () => {
      await seen(page, '[data-list="incidents"]');
      await isText(side, '[data-list="incidents"]');
    });
    await check(`${locale}: devices, with all that is folded`, async () => {
      await page.$$eval('[data-edge] details', (all) => all.forEach((one) => (one.open = true)));
      await isText(side, '[data-edge]');
      const texts = await page.textContent('[data-edge]');
      for (const place of ['camera', 'reason', 'decoder', 'sensor', 'area', 'model', 'version']) assert(texts.includes(`ran('${place}')`), `nothing of ${place}`);
    });
    await check(`${locale}: how a device fared`, async () => {
      await go('#/device?edge=gate-1', '[data-device="gate-1"] [data-plots]');
      await seen(page, '[data-changes] .raw');
      await isText(side, '[data-device]');
      const texts = await page.textContent('[data-device]');
      for (const place of ['camera', 'reason', 'version', 'model']) assert(texts.includes(`ran('${place}')`), `nothing of ${place}`);
      await go('#/', '[data-list="incidents"]');
    });
    await check(`${locale}: orders`, () => isText(side, '[data-release]'));
    await check(`${locale}: every incident in detail`, async () => {
      await go('#/history', '[data-list="history"]');
      await isText(side, '[data-list="history"]');
      const ids = await page.$$eval('[data-list="history"] [data-incident-id]', (rows) => rows.map((row) => row.dataset.incidentId));
      assert(ids.length >= 4, `${ids.length} incidents`);
      let all = '';
      for (const id of ids) {
        await go(`#/history?incident=${id}`, `[data-panel="${id}"] [data-timeline]`);
        await page.$$eval('[data-panel] details', (folded) => folded.forEach((one) => (one.open = true)));
        await isText(side, '[data-panel]');
        all += await page.textContent('[data-panel]');
      }
      for (const place of ['note', 'triage', 'close', 'assign', 'zone', 'kind', 'name']) assert(all.includes(`ran('${place}')`), `nothing of ${place}`);
    });
    await check(`${locale}: every alert in detail`, async () => {
      await go('#/alerts', '[data-list="alerts"]');
      const ids = await page.$$eval('[data-alert-id]', (rows) => rows.map((row) => row.dataset.alertId));
      let all = '';
      for (const id of ids) {
        await go(`#/alerts?alert=${id}`, `[data-panel="${id}"]`);
        await isText(side, '[data-panel]');
        all += await page.textContent('[data-panel]');
      }
      for (const place of ['detail', 'camera', 'zone', 'sensor']) assert(all.includes(`ran('${place}')`), `nothing of ${place}`);
    });
    await check(`${locale}: the report, on the screen and on paper`, async () => {
      await go('#/report', '[data-section="notes"] .note');
      await seen(page, '[data-ill]');
      await isText(side, '[data-report]');
      const texts = await page.textContent('[data-report]');
      for (const place of ['note', 'close', 'name', 'camera']) assert(texts.includes(`ran('${place}')`), `nothing of ${place}`);
      await page.pdf();
    });
    await check(`${locale}: figures`, async () => {
      await go('#/figures', '[data-figures]');
      await isText(side, '[data-list="worst"], [data-person]');
    });
    await check(`${locale}: people, and the form to change one`, async () => {
      await go('#/people', '[data-member="wang.li"]');
      await isText(side, '[data-member="wang.li"]');
      await page.click('[data-member="wang.li"] button');
      await isText(side, '[data-member="wang.li"]');
    });
    await check(`${locale}: sites, and the form to change one`, async () => {
      await go('#/sites', '[data-site="school-1"]');
      await isText(side, '[data-site="school-1"]');
      await page.click('[data-site="school-1"] button');
      await isText(side, '[data-site="school-1"]');
    });
    await check(`${locale}: the plan, and changing it`, async () => {
      await go('#/plan?site=school-1', '[data-stage="shown"] [data-item="zone 0"]');
      await isText(side, '[data-plan]');
      const texts = await page.textContent('[data-plan]');
      for (const place of ['site', 'plan', 'camera', 'sensor']) assert(texts.includes(`ran('${place}')`), `nothing of ${place}`);
      await page.click('[data-edit-plan]');
      await page.click('[data-choose="zone 0"]');
      await isText(side, '[data-editing]');
      await page.click('[data-close-plan]');
    });
    await check(`${locale}: the viewing register and the legal holds`, async () => {
      await sayWhy(page);
      await go('#/register', '[data-list="register"] [data-viewing]');
      await isText(side, '[data-list="register"]');
      const lines = await page.textContent('[data-list="register"]');
      for (const place of ['purpose', 'name']) assert(lines.includes(`ran('${place}')`), `nothing of ${place}`);
      await go('#/holds', '[data-list="holds"] [data-hold]');
      await isText(side, '[data-list="holds"]');
      const texts = await page.textContent('[data-list="holds"]');
      for (const place of ['hold', 'decline']) assert(texts.includes(`ran('${place}')`), `nothing of ${place}`);
    });
    await check(`${locale}: webhooks, and what they did not take`, async () => {
      await page.route(/\/api\/v1\/webhooks$/, (route) => route.fulfill({ json: { webhooks: [WEBHOOK] } }));
      await page.route(/\/api\/v1\/webhooks\/.+\/dead\?/, (route) => route.fulfill({ json: { letters: [LETTER], next: null } }));
      await go('#/webhooks', '[data-webhook] [data-show-dead]');
      await page.click('[data-show-dead]');
      await seen(page, '[data-letter]');
      await isText(side, '[data-webhook]');
      const texts = await page.textContent('[data-webhook]');
      for (const place of ['webhook', 'host', 'site', 'failure', 'message', 'refusal']) assert(texts.includes(`ran('${place}')`), `nothing of ${place}`);
    });
    await check(`${locale}: what was deleted, where nothing is said in people's words`, async () => {
      await page.route(/\/api\/v1\/deletions\?/, (route) => route.fulfill({ json: { deletions: [DELETION], next: null } }));
      await go('#/deletions', '[data-list="deletions"] tbody tr');
      await isText(side, '[data-list="deletions"]');
      await go('#/deletions?of=records', '[data-list="disposals"], [data-empty="disposals"]');
      assert(side.wrong.length === 0, side.wrong.join(' | '));
    });
    await check(`${locale}: the access log`, async () => {
      await go('#/access-log', '[data-list="access-log"]');
      await isText(side, '[data-list="access-log"]');
    });
    await check(`${locale}: the account`, async () => {
      await go('#/account', 'main.view');
      await isText(side, 'body');
    });
    await check(`${locale}: that was every view there is`, () => {
      const left = VIEWS.filter((view) => !visited.has(view));
      assert(left.length === 0, `not visited: ${left.join()}`);
    });
    await check(`${locale}: and in the address`, async () => {
      await go(`#/history?camera=${encodeURIComponent("<img src=x onerror=ran('address')>")}&incident=${encodeURIComponent('"><script>ran(1)</script>')}`, '[data-gone], [data-panel]');
      await page.waitForTimeout(300);
      assert(side.wrong.filter((what) => !/incidents\/%22/.test(what)).length === 0, side.wrong.join(' | '));
    });
  }
} catch (error) {
  giveUp(error);
} finally {
  await close();
}
finish();
