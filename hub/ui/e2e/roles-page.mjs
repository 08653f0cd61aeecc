// What a maintainer, an auditor and a technician, each alone, see and do on the page, and what not: in real browsers against a running hub,
// in both languages. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and DONE. Exits with 0 when every check held.

import { assert, check } from './check.mjs';
import { NAME } from './sign-in.mjs';
import { VIEWS } from './views.mjs';
import { EXPECT_MS, UI_MS, ask, go, nothingWentWrong, play, says, seen, somebody, visit } from './visitor.mjs';

const MAINTAINER = somebody('GATEPOST_MAINTAINER', 'each of them sees something else');
const AUDITOR = somebody('GATEPOST_AUDITOR', 'each of them sees something else');
const TECHNICIAN = somebody('GATEPOST_TECHNICIAN', 'each of them sees something else');

const WORDS = {
  'zh-CN': { login: '摄像机拒绝登录', nothing: '目前没有您可做的操作。', signedIn: '登录', change: '更改模式…', register: '查看登记' },
  'en-GB': { login: 'The camera rejects the login', nothing: 'There is nothing for you to do now.', signedIn: 'Signed in', change: 'Change mode…', register: 'Viewing register' },
};
/** What is no business of who only keeps boxes well. */
const HAPPENINGS = /^\/api\/v1\/(alerts|incidents|events|viewings|handlers|holds|deletions)/;
const SIGN_IN = /^\/api\/v1\/session$/;

const absent = async (page, ...selectors) => {
  for (const selector of selectors) assert((await page.$(selector)) === null, `there is ${selector}`);
};

/** These views and no others, whether one comes by a link or by an address. */
async function views(page, mine) {
  const links = await page.$$eval('[data-to]', (all) => all.map((link) => link.dataset.to));
  assert([...links].sort().join() === [...mine].sort().join(), links.join());
  for (const view of VIEWS.filter((one) => !mine.includes(one) && one !== 'account' && one !== 'device')) {
    await go(page, `#/${view}`, '[data-to="watch"][aria-current="page"]');
  }
  await go(page, '#/', '[data-to="watch"][aria-current="page"]');
}

/** Past the page the hub refuses it, too. */
async function refused(page, ...wanted) {
  for (const [method, path, body] of wanted) {
    const send = async ([how, where, what]) => {
      const init = what === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(what) };
      return (await fetch(`/api/v1/${where}`, { method: how, ...init })).status;
    };
    const status = await page.evaluate(send, [method, path, body]);
    assert(status === 403, `${method} ${path}: ${status}`);
  }
}
const MODE = { edge: 'gate-1', why: 'a test', order: { kind: 'set_mode', area: 'store', mode: { name: 'disarmed' } } };
/** What is refused past the page is noted by the browser. */
const isRefusal = (text) => /403/.test(text);

/** A box that is ill, from its card to its plots. */
async function diagnosis(page, words) {
  await seen(page, '[data-illness="login_refused"]', EXPECT_MS);
  const edge = await page.$eval('[data-illness="login_refused"]', (ill) => ill.closest('[data-edge]').dataset.edge);
  await says(page, `[data-edge="${edge}"] [data-illness="login_refused"]`, words.login);
  await page.click(`[data-history="${edge}"]`);
  await seen(page, `[data-device="${edge}"]`);
  await says(page, '[data-diagnosis] li', words.login);
  await seen(page, '[data-plot="disk"] canvas', EXPECT_MS);
  await seen(page, '[data-plot^="camera "]');
  await seen(page, '[data-changes]');
  await page.goBack();
  await seen(page, '[data-edge]');
  return edge;
}

async function maintainer(locale) {
  const words = WORDS[locale];
  const side = await visit({ locale, name: MAINTAINER, wanted: isRefusal });
  const { page } = side;
  await check(`${locale}: a maintainer has devices and plans, and nothing that happens`, async () => {
    await seen(page, '[data-edge]');
    await views(page, ['watch', 'plan']);
    await absent(page, '[data-incident-id]', '[data-alert-id]', '[data-bell]', '[data-list="incidents"]', '[data-empty="incidents"]', '[data-list="alerts"]', '[data-empty="alerts"]');
    await seen(page, '[data-list="releases"], [data-empty="releases"]');
  });
  await check(`${locale}: a maintainer is told what is wrong with a box, and how it fared`, () => diagnosis(page, words));
  await check(`${locale}: a maintainer may set modes`, async () => {
    await says(page, '[data-area] summary', words.change);
    await page.click('[data-area] summary >> nth=0');
    await seen(page, '[data-area] [type="submit"]');
  });
  await check(`${locale}: a maintainer sees plans, and does not change them`, async () => {
    await go(page, '#/plan', '[data-plan] [data-stage="shown"]');
    await absent(page, '[data-edit-plan]', '[data-editing]');
  });
  await check(`${locale}: nothing was asked for that a maintainer may not see, and the hub refuses it`, async () => {
    const asked = side.asked.filter(({ path }) => HAPPENINGS.test(path));
    assert(asked.length === 0, asked.map(({ path }) => path).join());
    await refused(page, ['GET', 'alerts'], ['GET', 'incidents'], ['GET', 'people'], ['GET', 'viewings'], ['GET', 'access-log'], ['PUT', 'sites/school-3/plan', { version: 1, placed: { cameras: [], zones: [], sensors: [] } }]);
  });
  await nothingWentWrong(side, `${locale}, a maintainer`);
  await side.context.close();
}

async function auditor(locale) {
  const words = WORDS[locale];
  // Somebody looks at a picture first, so that there is something in the register.
  const operator = await visit({ locale, name: NAME });
  let alert;
  await check(`${locale}: somebody looks at a picture`, async () => {
    alert = (await ask(operator.page, 'alerts')).alerts.find(({ kind, snapshot }) => kind === 'zone_intrusion' && snapshot !== null);
    await go(operator.page, `#/alerts?alert=${alert.id}`, `[data-panel="${alert.id}"] [data-gate="reason"]`);
    await operator.page.selectOption('[data-panel] [name="reason"]', 'request');
    await operator.page.fill('[data-panel] [name="purpose"]', `案卷 ${locale}`);
    await operator.page.keyboard.press('Enter');
    await seen(operator.page, '[data-panel] img.shown');
  });
  await operator.context.close();

  const side = await visit({ locale, name: AUDITOR, wanted: isRefusal });
  const { page } = side;
  await check(`${locale}: an auditor has what was done, and neither people nor sites`, async () => {
    await seen(page, '[data-list="incidents"] [data-incident-id]');
    await views(page, ['watch', 'plan', 'history', 'alerts', 'report', 'figures', 'register', 'deletions', 'holds', 'access-log']);
  });
  let id;
  await check(`${locale}: an auditor reads an incident, and can do nothing with it`, async () => {
    await absent(page, '[data-acknowledge]');
    await page.focus('[data-list="incidents"] [data-incident-id]');
    id = await page.evaluate(() => document.activeElement.dataset.incidentId);
    for (const key of ['a', 'f', 'd', 's', 'n']) await page.keyboard.press(key);
    await absent(page, '[data-form]');
    await page.keyboard.press('Enter');
    await seen(page, `[data-panel="${id}"] [data-timeline]`);
    await says(page, `[data-panel="${id}"] [data-actions=""]`, words.nothing);
    for (const key of ['a', 'f', 'd', 's', 'n']) await page.keyboard.press(key);
    await absent(page, '[data-choice]', '[data-form]', '[data-add-attachment]', '[data-withdraw]');
    await page.keyboard.press('Escape');
  });
  await check(`${locale}: an auditor reads an alert, and is shown no picture of it`, async () => {
    await go(page, `#/alerts?alert=${alert.id}`, `[data-panel="${alert.id}"]`);
    await absent(page, '[data-panel] img', '[data-panel] video', '[data-gate]', '[data-ask]');
    assert(!side.asked.some(({ path }) => /\/(snapshot|evidence)/.test(path)), 'a picture was asked for');
  });
  await check(`${locale}: an auditor reads in the register who looked at what, and what for`, async () => {
    await go(page, '#/register', '[data-list="register"] [data-viewing]');
    await says(page, '[data-title]', words.register);
    const [newest] = await page.$$eval('[data-viewing]', (all) => all.map((one) => one.textContent));
    for (const word of [NAME, `案卷 ${locale}`, alert.id]) assert(newest.includes(word), `"${word}" is not in "${newest}"`);
  });
  await check(`${locale}: an auditor proposes to keep evidence, cannot agree alone, and takes it back`, async () => {
    await go(page, `#/alerts?alert=${alert.id}`, `[data-panel="${alert.id}"] [data-propose-hold]`);
    await page.click('[data-propose-hold]');
    await page.fill('[name="hold-reason"]', `调查 ${locale}`);
    await page.keyboard.press('Enter');
    await seen(page, '[data-panel] [data-hold="proposed"]');
    await go(page, '#/holds', '[data-list="holds"] [data-hold="proposed"]');
    await says(page, '[data-hold="proposed"]', `调查 ${locale}`);
    await absent(page, '[data-hold="proposed"] [data-hold-step="confirm"]');
    await page.click('[data-hold="proposed"] [data-hold-step="decline"]');
    await page.fill('[name="hold-why"]', `不需要 ${locale}`);
    await page.keyboard.press('Enter');
    await seen(page, '[data-hold="declined"]');
    await says(page, '[data-hold="declined"]', `不需要 ${locale}`);
  });
  for (const [view, ready] of [['history', '[data-list="history"] [role="listitem"]'], ['report', '[data-report]'], ['figures', '[data-figures]'], ['deletions', '[data-list="deletions"], [data-empty="deletions"]']]) {
    await check(`${locale}: an auditor reads ${view}`, () => go(page, `#/${view}`, ready));
  }
  await check(`${locale}: an auditor reads who came and went`, async () => {
    await go(page, '#/access-log', '[data-list="access-log"] tbody tr');
    const [came] = await page.$$eval('[data-action="signed_in"]', (rows) => rows.map((row) => row.textContent));
    assert(came.includes(AUDITOR) && came.includes(words.signedIn), came);
  });
  await check(`${locale}: an auditor sets no modes, and draws no plan`, async () => {
    await go(page, '#/', '[data-area]');
    await absent(page, '[data-area] summary');
    await go(page, '#/plan', '[data-plan] [data-stage="shown"]');
    await absent(page, '[data-edit-plan]');
  });
  await check(`${locale}: nothing was changed but the hold, and the hub refuses it`, async () => {
    const changes = side.asked.filter(({ method, path }) => method !== 'GET' && !SIGN_IN.test(path) && !/^\/api\/v1\/holds/.test(path));
    assert(changes.length === 0, changes.map(({ method, path }) => `${method} ${path}`).join());
    const { version } = await ask(page, `incidents/${id}`);
    await refused(page, ['POST', `incidents/${id}/steps`, { version, action: 'note', text: 'a test' }], ['POST', 'commands', MODE], ['GET', 'people'], ['POST', 'viewings', { alarm: alert.id, reason: 'request', text: 'a test' }]);
    const { steps } = await ask(page, `incidents/${id}/timeline`);
    assert(!steps.some(({ who }) => who?.includes(`(${AUDITOR})`)), 'they are in the timeline');
  });
  await nothingWentWrong(side, `${locale}, an auditor`);
  await side.context.close();
}

async function technician(locale, turn) {
  const words = WORDS[locale];
  const side = await visit({ locale, name: TECHNICIAN, wanted: isRefusal });
  const { page } = side;
  await check(`${locale}: a technician has devices and plans, and nothing that happens`, async () => {
    await seen(page, '[data-edge]');
    await views(page, ['watch', 'plan']);
    await absent(page, '[data-incident-id]', '[data-alert-id]', '[data-bell]', '[data-list="incidents"]', '[data-list="alerts"]', '[data-list="releases"]', '[data-empty="releases"]');
  });
  await check(`${locale}: a technician is told what is wrong with a box, and how it fared`, () => diagnosis(page, words));
  await check(`${locale}: a technician sees how areas are armed, and sets no modes`, async () => {
    await seen(page, '[data-area][data-mode]');
    await absent(page, '[data-area] summary', '[data-area] form');
  });
  await check(`${locale}: a technician turns a camera on the plan, and that is kept`, async () => {
    const placed = () => ask(page, 'sites/school-3/plan');
    const before = await placed();
    const wanted = (before.placed.cameras[0].view.direction_deg + turn) % 360;
    await go(page, '#/plan?site=school-3', '[data-edit-plan]');
    await page.click('[data-edit-plan]');
    await page.click('[data-choose="camera 0"]');
    await page.fill('[name="direction"]', String(wanted));
    await page.click('[data-save-plan]');
    await seen(page, '[data-edit-plan]');
    await page.waitForFunction(async (known) => (await (await fetch('/api/v1/sites/school-3/plan')).json()).version > known, before.version, { timeout: UI_MS });
    const after = await placed();
    assert(after.placed.cameras[0].view.direction_deg === wanted, JSON.stringify(after.placed.cameras[0]));
    const others = ({ placed: { cameras, zones, sensors } }) => JSON.stringify([cameras.slice(1), zones, sensors]);
    assert(others(after) === others(before), 'something else was changed, too');
  });
  await check(`${locale}: nothing was asked for that a technician may not see, and the hub refuses it`, async () => {
    const asked = side.asked.filter(({ path }) => HAPPENINGS.test(path) || /^\/api\/v1\/commands/.test(path));
    assert(asked.length === 0, asked.map(({ path }) => path).join());
    await refused(page, ['GET', 'alerts'], ['GET', 'incidents'], ['GET', 'commands'], ['POST', 'commands', MODE], ['GET', 'people']);
  });
  await nothingWentWrong(side, `${locale}, a technician`);
  await side.context.close();
}

await play(async () => {
  for (const [locale, turn] of [['zh-CN', 30], ['en-GB', 330]]) {
    await maintainer(locale);
    await auditor(locale);
    await technician(locale, turn);
  }
});
