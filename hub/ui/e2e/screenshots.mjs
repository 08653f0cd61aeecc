// Pictures of the page in its states, for looking at. Starts stand-in hubs itself.
//
//   node e2e/screenshots.mjs [--out screenshots] [--snapshots DIR] [--only NAME]

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PASSWORD } from './people.mjs';
import { launch } from './browser.mjs';

const { values: options } = parseArgs({
  options: { out: { type: 'string', default: 'screenshots' }, snapshots: { type: 'string' }, only: { type: 'string' } },
});
mkdirSync(options.out, { recursive: true });
const here = dirname(fileURLToPath(import.meta.url));

function startHub(...args) {
  const child = spawn(process.execPath, [join(here, 'dev-hub.mjs'), '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve) =>
    createInterface({ input: child.stdout }).on('line', (line) => resolve({ child, url: /http:\S+/.exec(line)[0] })),
  );
}

const DESKTOP = { viewport: { width: 1440, height: 900 } };
const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const zh = { locale: 'zh-CN' };
const en = { locale: 'en-GB' };
const dark = { colorScheme: 'dark' };
const light = { colorScheme: 'light' };

const publish = (url, body = {}) => fetch(`${url}/dev/alert`, { method: 'POST', body: JSON.stringify(body) });
const openFirst = async (page) => {
  await page.click('[data-alert-id] >> nth=0');
  await page.waitForSelector('[data-panel] img.shown');
};
const offline = async (page, { context }) => {
  await context.setOffline(true);
  await page.waitForSelector('[data-connection="reconnecting"]');
};

const arm = async (page) => {
  const area = page.locator('[data-area="store"]');
  await area.locator('summary').click();
  await area.locator('input[value="armed_away"]').check();
  await area.locator('input[type="text"]').fill('放学后');
  await area.locator('button').click();
  await area.locator('[data-progress="refused"]').waitFor();
};
const ask = async (page) => {
  await openFirst(page);
  await page.click('[data-ask]');
  await page.fill('[name="why"]', '立案第 17 号 / police report 17');
};
const release = async (page) => {
  await ask(page);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-panel] [data-release="here"]');
  await page.$eval('[data-panel] [data-release]', (item) => item.scrollIntoView({ block: 'center' }));
};
const enter = async (page, name, password = PASSWORD) => {
  await page.waitForSelector('[data-form="sign-in"]');
  await page.fill('[name="name"]', name);
  await page.fill('[name="password"]', password);
  await page.keyboard.press('Enter');
};
/** The alert at this place of the list, with its clip or what is said instead. */
const clipOf = (n) => async (page) => {
  await page.click(`[data-alert-id] >> nth=${n}`);
  await page.waitForSelector('[data-clip]');
};

const askForCode = async (page) => {
  await enter(page, 'sun.yue');
  await page.waitForSelector('[name="code"]');
};
const failTooOften = async (page) => {
  for (let n = 0; n < 6; n += 1) {
    await enter(page, 'nobody', `guess ${n}`);
    await page.waitForSelector(n < 5 ? '[data-failure="wrong"]' : '[data-failure="wait"]');
    await page.waitForSelector('button[type="submit"]:not(:disabled)', { timeout: 500 }).catch(() => {});
  }
};
const endSession = async (page, { hub }) => {
  await page.waitForSelector('[data-connection="live"]');
  await fetch(`${hub.url}/dev/end`, { method: 'POST' });
  await page.waitForSelector('[data-why="ended"]');
};
const tooShort = async (page) => {
  await page.fill('[name="new-password"]', 'gatepost');
  await page.fill('[name="new-password-again"]', 'gatepost!');
  await page.keyboard.press('Enter');
};

const setUpFactor = async (page) => {
  await page.click('[data-person] a');
  await page.click('[data-factor]');
  await page.fill('[data-form="factor-password"] [name="password"]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-form="factor-code"]');
};

const go = (view, ready = '.view') => async (page) => {
  await page.click(`[data-to="${view}"]`);
  await page.waitForSelector(ready);
};
const people = go('people', '[data-member]');
const addPerson = async (page) => {
  await people(page);
  await page.click('[data-add]');
  await page.fill('[name="display-name"]', '吴晓 Wu Xiao');
  await page.fill('[name="person-name"]', `wu.xiao${Date.now() % 1000}`);
  await page.check('[name="role"][value="operator"]');
  await page.click('[data-limited]');
  await page.check('[name="site"][value="school-3"]');
};
const invite = async (page) => {
  await addPerson(page);
  await page.click('[data-form="person"] [type="submit"]');
  await page.waitForSelector('[data-invitation]');
  await page.click('[data-copy]');
};
const edit = async (page) => {
  await people(page);
  await page.click('[data-member="chen.jie"] [data-edit]');
  await page.click('[data-ask-for="disable"]');
};
const editSite = async (page) => {
  await go('sites', '[data-site]')(page);
  await page.click('[data-site="school-3"] [data-edit]');
};

const plan = async (page) => {
  await page.waitForSelector('[data-stage="shown"] [data-item]');
  await page.waitForSelector('[data-listed]');
};
const editPlan = async (page) => {
  await plan(page);
  await page.click('[data-edit-plan]');
  await page.click('[data-choose="camera 0"]');
};
const drawZone = async (page) => {
  await editPlan(page);
  await page.click('[data-add="zone"]');
  for (const key of [' ', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', ' ', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', ' ', 'ArrowLeft', 'ArrowLeft']) await page.keyboard.press(key);
};

/** The first incident at this stage, open beside the list. */
const incidentAt = (stage, n = 0) => async (page) => {
  await page.click(`[data-incident-id][data-stage="${stage}"] >> nth=${n}`);
  await page.waitForSelector('[data-panel] [data-timeline]');
  await page.waitForSelector('[data-panel] img.shown', { timeout: 3_000 }).catch(() => {});
};
const choose = (stage, choice, more = async () => {}) => async (page) => {
  await incidentAt(stage)(page);
  await page.click(`[data-choice="${choice}"]`);
  await page.waitForSelector(`[data-form="${choice}"]`);
  await more(page);
};
const toTimeline = (stage) => async (page) => {
  await incidentAt(stage)(page);
  await page.$eval('[data-timeline]', (list) => list.scrollIntoView({ block: 'center' }));
};
/** A photo and a paper are there, one is taken back, another is about to be sent. */
const attach = (stage) => async (page) => {
  await incidentAt(stage)(page);
  const photo = async (colour) => {
    const made = await page.evaluate((fill) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
      const drawing = canvas.getContext('2d');
      drawing.fillStyle = fill;
      drawing.fillRect(0, 0, 640, 360);
      return canvas.toDataURL('image/jpeg').split(',')[1];
    }, colour);
    return { name: '东门 1.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(made, 'base64') };
  };
  const paper = { name: '维修发票 2026-01-31.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4 %%EOF') };
  const before = await page.$$eval('[data-attachment]', (all) => all.length);
  for (const [index, file] of [await photo(`hsl(${before * 40} 40% 40%)`), { ...paper, buffer: Buffer.from(`%PDF-1.4 ${before} %%EOF`) }].entries()) {
    await page.setInputFiles('[data-pick]', file);
    await page.click('[data-form="attach"] [type="submit"]');
    await page.waitForSelector(`[data-attachment="${before + index + 1}"]`);
  }
  await page.click(`[data-attachment="${before + 1}"] [data-show-attachment]`);
  await page.setInputFiles('[data-pick]', await photo(`hsl(${before * 40 + 120} 40% 40%)`));
  await page.waitForSelector('[data-preview="drawn"]');
  await page.$eval('[data-attachments]', (section) => section.scrollIntoView({ block: 'start' }));
};
const figures = async (page) => {
  await page.click('[data-to="figures"]');
  await page.waitForSelector('[data-figures]');
};
const unfold = async (page) => {
  await page.click('[data-shelf] summary');
  await page.$eval('[data-shelf]', (shelf) => shelf.scrollIntoView({ block: 'center' }));
};

const plots = async (page) => {
  await page.waitForSelector('[data-plot] canvas');
  await page.waitForTimeout(300);
};
const readPlot = async (page) => {
  await plots(page);
  await page.focus('[data-plot="temperature"] .frame');
  for (let step = 0; step < 4; step += 1) await page.keyboard.press('ArrowLeft');
};

/** One in every state there is: whoever looks may answer some of them. */
const holds = async (page, { hub }) => {
  hub.holds ??= await putHolds(hub.url);
  await go('holds', '[data-custody="held"]')(page);
};
async function putHolds(url) {
  const as = async (name) => {
    const body = JSON.stringify({ name, password: PASSWORD });
    const cookie = (await fetch(`${url}/api/v1/session`, { method: 'POST', body })).headers.get('set-cookie').split(';')[0];
    return async (path, sent) => (await fetch(`${url}/api/v1/${path}`, { headers: { cookie }, ...(sent ? { method: 'POST', body: JSON.stringify(sent) } : {}) })).json();
  };
  const [zhou, li] = [await as('zhou.yi'), await as('li.na')];
  const { alerts } = await zhou('alerts?limit=10');
  const until = new Date(Date.now() + 90 * 86_400_000).toISOString();
  const ways = [
    ['派出所调取，立案第 17 号', ['confirm', 'lift', 'confirm_lift']],
    ['家长申诉，待区教育局答复', ['confirm']],
    ['Insurance claim 2026-0412', ['confirm', 'lift']],
    ['写错了警报', ['decline']],
    ['围栏损坏，索赔取证', []],
  ];
  for (const [at, [reason, steps]] of ways.entries()) {
    const { id } = await (steps.length > 0 ? zhou : li)('holds', { alarm: alerts[at].id, reason, until });
    // The second person answers, and lifting takes the two again.
    for (const step of steps) await (step === 'confirm_lift' ? zhou : li)(`holds/${id}/steps`, { step, text: step === 'lift' ? '已结案 / closed' : step === 'decline' ? '请对正确的警报提出' : null });
  }
  return true;
}

const deadLetters = async (page, { hub }) => {
  await receiver(hub, { takes: false });
  await go('webhooks', '[data-webhook]')(page);
  await page.click('[data-webhook="district"] [data-show-dead]');
  await page.waitForSelector('[data-letter]');
};
const receiver = ({ url }, body) => fetch(`${url}/dev/webhook`, { method: 'POST', body: JSON.stringify(body) });
/** They were sent again, and taken. */
const lettersTaken = async (page, { hub }) => {
  await deadLetters(page, { hub });
  await receiver(hub, { takes: true });
  await page.click('[data-ask-for="retry-all"]');
  await page.click('[data-yes="retry-all"]');
  await page.waitForSelector('[data-empty="letters"]');
};
const deletedRecords = async (page) => {
  await go('deletions')(page);
  await page.click('[data-part="records"]');
  await page.waitForSelector('[data-list="disposals"]');
};
const shiftReport = go('report', '[data-report] [data-ill]');

/** A view in both languages and themes, on a desk and on a phone that is `tall` enough for all that matters. */
const everyWay = (name, { tall = 844, wide = {}, ...settings }) =>
  [zh, en].flatMap((language) =>
    [dark, light].flatMap((theme) => {
      const [inTheme, inLanguage] = [theme === dark ? 'dark' : 'light', language === zh ? 'zh' : 'en'];
      return [
        { name: `${name}-${inTheme}-${inLanguage}`, ...(theme === dark ? WALL : DESKTOP), ...wide, ...theme, ...language, ...settings },
        { name: `${name}-phone-${inTheme}-${inLanguage}`, ...PHONE, viewport: { width: 390, height: tall }, ...theme, ...language, ...settings },
      ];
    }),
  );

const tapPlot = async (page) => {
  await plots(page);
  const { x, y, width, height } = await page.locator('[data-plot="temperature"] .frame').boundingBox();
  await page.touchscreen.tap(x + width * 0.6, y + height * 0.4);
};

const CASES = [
  { name: 'incidents-dark-zh', ...WALL, ...dark, ...zh },
  { name: 'incidents-dark-en', ...WALL, ...dark, ...en },
  { name: 'incidents-light-zh', ...DESKTOP, ...light, ...zh },
  { name: 'incidents-light-en', ...DESKTOP, ...light, ...en },
  { name: 'incidents-phone-zh', ...PHONE, ...light, ...zh, viewport: { width: 390, height: 1400 } },
  { name: 'incidents-phone-en', ...PHONE, ...light, ...en },
  { name: 'incidents-all-dark-zh', ...DESKTOP, ...dark, ...zh, link: '#/?show=all' },
  { name: 'incidents-filtered-light-en', ...DESKTOP, ...light, ...en, link: '#/?stage=verified&edge=gate-1' },
  { name: 'incidents-shelf-dark-zh', ...DESKTOP, ...dark, ...zh, act: unfold },
  { name: 'incidents-auditor-light-en', ...DESKTOP, ...light, ...en, as: 'li.na', act: incidentAt('reported') },
  { name: 'incidents-bell-dark-zh', ...DESKTOP, ...dark, ...zh, act: (page) => page.click('[data-bell]') },
  { name: 'incidents-empty-dark-zh', ...DESKTOP, ...dark, ...zh, empty: true },
  { name: 'incidents-failed-light-zh', ...DESKTOP, ...light, ...zh, broken: true },
  { name: 'incidents-loading-dark-en', ...DESKTOP, ...dark, ...en, slow: true },
  { name: 'incidents-offline-dark-zh', ...DESKTOP, ...dark, ...zh, act: offline },
  { name: 'incident-dark-zh', ...WALL, ...dark, ...zh, act: incidentAt('reported') },
  { name: 'incident-light-en', ...DESKTOP, ...light, ...en, act: incidentAt('fed_back') },
  { name: 'incident-dark-zh-false', ...WALL, ...dark, ...zh, act: choose('reported', 'false_alarm') },
  { name: 'incident-dark-en-assign', ...WALL, ...dark, ...en, act: choose('triaged', 'assign') },
  { name: 'incident-light-zh-shelve', ...DESKTOP, ...light, ...zh, act: choose('reported', 'shelve') },
  { name: 'incident-light-zh-timeline', ...DESKTOP, ...light, ...zh, act: toTimeline('fed_back') },
  { name: 'incident-dark-en-timeline', ...WALL, ...dark, ...en, act: toTimeline('fed_back') },
  { name: 'incident-phone-zh', ...PHONE, ...light, ...zh, as: 'zhao.min', act: incidentAt('assigned') },
  { name: 'incident-phone-en', ...PHONE, ...dark, ...en, as: 'zhao.min', act: incidentAt('handling') },
  { name: 'incident-phone-zh-feedback', ...PHONE, ...dark, ...zh, as: 'zhao.min', act: choose('handling', 'feed_back') },
  { name: 'incidents-phone-zh-mine', ...PHONE, ...dark, ...zh, as: 'zhao.min' },
  { name: 'incidents-phone-en-mine', ...PHONE, ...light, ...en, as: 'zhao.min' },
  { name: 'incident-dark-zh-attachments', ...WALL, ...dark, ...zh, act: attach('fed_back') },
  { name: 'incident-light-en-attachments', ...DESKTOP, ...light, ...en, act: attach('fed_back') },
  { name: 'incident-phone-zh-attachments', ...PHONE, ...light, ...zh, viewport: { width: 390, height: 1900 }, as: 'zhao.min', act: attach('handling') },
  { name: 'incident-phone-en-attachments', ...PHONE, ...dark, ...en, viewport: { width: 390, height: 1900 }, as: 'zhao.min', act: attach('handling') },
  { name: 'figures-dark-zh', ...WALL, ...dark, ...zh, act: figures },
  { name: 'figures-light-en', ...DESKTOP, ...light, ...en, act: figures },
  { name: 'figures-phone-zh', ...PHONE, ...light, ...zh, viewport: { width: 390, height: 1700 }, act: figures },
  { name: 'figures-phone-en', ...PHONE, ...light, ...en, viewport: { width: 390, height: 1700 }, act: figures },
  ...everyWay('device', { tall: 3000, as: 'chen.jie', link: '#/device?edge=gate-3', act: plots }),
  { name: 'device-light-en-week', ...DESKTOP, ...light, ...en, viewport: { width: 1440, height: 1500 }, as: 'chen.jie', link: '#/device?edge=gate-1&hours=168', act: plots },
  { name: 'device-dark-en-hour', ...DESKTOP, ...dark, ...en, as: 'chen.jie', link: '#/device?edge=gate-1&hours=1', act: readPlot },
  { name: 'device-light-zh-month', ...DESKTOP, ...light, ...zh, as: 'chen.jie', link: '#/device?edge=gate-2&hours=720', act: plots },
  { name: 'device-phone-en-read', ...PHONE, ...light, ...en, as: 'chen.jie', link: '#/device?edge=gate-1', act: tapPlot },
  { name: 'device-dark-zh-empty', ...DESKTOP, ...dark, ...zh, as: 'chen.jie', link: '#/device?edge=gate-4', act: (page) => page.waitForSelector('[data-empty="telemetry"]') },
  { name: 'device-light-en-unknown', ...DESKTOP, ...light, ...en, as: 'chen.jie', link: '#/device?edge=nowhere', act: (page) => page.waitForSelector('[data-empty="device"]') },
  { name: 'device-light-zh-failed', ...DESKTOP, ...light, ...zh, broken: true, as: 'chen.jie', link: '#/device?edge=gate-1', act: (page) => page.waitForSelector('.failed') },
  ...everyWay('plan', { tall: 1500, as: 'zhou.yi', link: '#/plan?site=school-3', act: plan }),
  { name: 'plan-phone-zh-guard', ...PHONE, ...light, ...zh, as: 'zhao.min', link: '#/plan?site=school-3', act: plan },
  { name: 'plan-light-zh-edit', ...DESKTOP, ...light, ...zh, as: 'zhou.yi', link: '#/plan?site=school-3', act: editPlan },
  { name: 'plan-dark-en-draw', ...DESKTOP, ...dark, ...en, as: 'chen.jie', link: '#/plan', act: drawZone },
  { name: 'plan-phone-zh-edit', ...PHONE, ...dark, ...zh, viewport: { width: 390, height: 1700 }, as: 'chen.jie', link: '#/plan', act: editPlan },
  { name: 'plan-light-en-none', ...DESKTOP, ...light, ...en, as: 'zhou.yi', link: '#/plan?site=works-yard', act: (page) => page.waitForSelector('[data-empty="plan"]') },
  { name: 'plan-dark-zh-failed', ...DESKTOP, ...dark, ...zh, broken: true, as: 'zhou.yi', link: '#/plan', act: (page) => page.waitForSelector('.failed') },
  ...everyWay('webhooks-letters', { tall: 1300, as: 'zhou.yi', act: deadLetters }),
  ...everyWay('webhooks-taken', { as: 'zhou.yi', act: lettersTaken }),
  { name: 'webhooks-none-dark-zh', ...DESKTOP, ...dark, ...zh, empty: true, as: 'zhou.yi', act: go('webhooks', '[data-empty="webhooks"]') },
  { name: 'webhooks-none-light-en', ...DESKTOP, ...light, ...en, empty: true, as: 'zhou.yi', act: go('webhooks', '[data-empty="webhooks"]') },
  { name: 'webhooks-phone-zh-failed', ...PHONE, ...dark, ...zh, broken: true, as: 'zhou.yi', act: go('webhooks', '.failed') },
  ...everyWay('holds', { tall: 1900, as: 'zhou.yi', act: holds }),
  { name: 'holds-none-dark-zh', ...DESKTOP, ...dark, ...zh, empty: true, as: 'zhou.yi', act: go('holds', '[data-empty="holds"]') },
  { name: 'holds-none-phone-en', ...PHONE, ...light, ...en, empty: true, as: 'zhou.yi', act: go('holds', '[data-empty="holds"]') },
  ...everyWay('report', { tall: 2600, wide: { viewport: { width: 1440, height: 1500 } }, as: 'wang.li', act: shiftReport }),
  { name: 'report-none-light-zh', ...DESKTOP, ...light, ...zh, empty: true, act: go('report', '[data-report]') },
  { name: 'report-paper-zh', viewport: { width: 794, height: 1123 }, ...dark, ...zh, act: async (page) => { await shiftReport(page); await page.emulateMedia({ media: 'print' }); } },
  ...everyWay('deletions', { as: 'li.na', act: go('deletions', '[data-list="deletions"]') }),
  ...everyWay('deletions-records', { as: 'li.na', act: deletedRecords }),
  { name: 'deletions-none-dark-zh', ...DESKTOP, ...dark, ...zh, empty: true, as: 'li.na', act: go('deletions', '[data-empty="deletions"]') },
  { name: 'deletions-none-phone-en', ...PHONE, ...light, ...en, empty: true, as: 'zhao.ming', act: go('deletions', '[data-empty="disposals"]') },
  { name: 'deletions-failed-light-zh', ...DESKTOP, ...light, ...zh, broken: true, as: 'li.na', act: go('deletions', '.failed') },
  { name: 'people-dark-zh', ...WALL, ...dark, ...zh, as: 'zhou.yi', act: people },
  { name: 'people-light-en', ...DESKTOP, ...light, ...en, as: 'zhao.ming', act: people },
  { name: 'people-dark-en-add', ...DESKTOP, ...dark, ...en, as: 'zhou.yi', act: addPerson },
  { name: 'people-light-zh-link', ...DESKTOP, ...light, ...zh, as: 'zhou.yi', act: invite },
  { name: 'people-light-zh-edit', viewport: { width: 1440, height: 1200 }, ...light, ...zh, as: 'zhou.yi', act: edit },
  { name: 'people-tablet-en', viewport: { width: 1024, height: 768 }, ...dark, ...en, as: 'zhou.yi', act: people },
  { name: 'people-phone-zh', ...PHONE, ...light, ...zh, as: 'zhou.yi', act: people },
  { name: 'people-phone-en-add', ...PHONE, ...light, ...en, viewport: { width: 390, height: 1700 }, as: 'zhou.yi', act: addPerson },
  { name: 'people-dark-zh-failed', ...DESKTOP, ...dark, ...zh, as: 'zhou.yi', broken: true, act: go('people', '.failed') },
  { name: 'sites-dark-zh', ...DESKTOP, ...dark, ...zh, as: 'zhou.yi', act: editSite },
  { name: 'sites-phone-en', ...PHONE, ...light, ...en, as: 'zhao.ming', viewport: { width: 390, height: 1500 }, act: editSite },
  { name: 'log-dark-zh', ...WALL, ...dark, ...zh, as: 'zhou.yi', act: go('access-log', 'tbody tr') },
  { name: 'log-light-en', ...DESKTOP, ...light, ...en, as: 'li.na', act: go('access-log', 'tbody tr') },
  { name: 'log-phone-zh', ...PHONE, ...light, ...zh, as: 'zhao.ming', act: go('access-log', 'tbody tr') },
  { name: 'account-dark-zh', ...WALL, ...dark, ...zh, act: setUpFactor },
  { name: 'account-light-en', ...DESKTOP, ...light, ...en, act: (page) => page.click('[data-person] a') },
  { name: 'account-phone-zh', ...PHONE, ...light, ...zh, viewport: { width: 390, height: 1700 }, act: setUpFactor },
  { name: 'sign-in-dark-zh', ...DESKTOP, ...dark, ...zh, as: null },
  { name: 'sign-in-light-en-code', ...DESKTOP, ...light, ...en, as: null, act: askForCode },
  { name: 'sign-in-phone-zh-wait', ...PHONE, ...light, ...zh, as: null, act: failTooOften },
  { name: 'sign-in-dark-en-ended', ...WALL, ...dark, ...en, act: endSession },
  { name: 'welcome-dark-zh', ...DESKTOP, ...dark, ...zh, as: null, link: '#welcome=he.tian:welcome-he-tian', act: tooShort },
  { name: 'welcome-phone-en', ...PHONE, ...light, ...en, as: null, link: '#welcome=he.tian:welcome-he-tian' },
  { name: 'welcome-phone-zh-broken', ...PHONE, ...light, ...zh, as: null, link: '#welcome=he.tian' },
  { name: 'devices-only-light-zh', ...DESKTOP, ...light, ...zh, as: 'chen.jie' },
  { name: 'desktop-dark-zh', ...DESKTOP, ...dark, ...zh },
  { name: 'desktop-light-en', ...DESKTOP, ...light, ...en },
  { name: 'desktop-dark-en-details', ...DESKTOP, ...dark, ...en, act: openFirst },
  { name: 'desktop-light-zh-details', ...DESKTOP, ...light, ...zh, act: openFirst },
  { name: 'desktop-dark-zh-offline', ...DESKTOP, ...dark, ...zh, act: offline },
  { name: 'desktop-light-en-offline', ...DESKTOP, ...light, ...en, act: offline },
  { name: 'desktop-dark-zh-end', ...DESKTOP, ...dark, ...zh, act: async (page) => {
    await page.click('.tail button');
    await page.waitForTimeout(500);
    await page.evaluate(() => document.querySelector('main').scrollTo(0, 1e6));
    await page.waitForTimeout(300);
    await page.evaluate(() => document.querySelector('main').scrollTo(0, 1e6));
  } },
  { name: 'desktop-dark-zh-failed', ...DESKTOP, ...dark, ...zh, broken: true },
  { name: 'desktop-light-zh-loading', ...DESKTOP, ...light, ...zh, slow: true },
  { name: 'desktop-dark-zh-empty', ...DESKTOP, ...dark, ...zh, empty: true },
  { name: 'desktop-light-en-empty', ...DESKTOP, ...light, ...en, empty: true },
  // Tall enough to show all.
  { name: 'kinds-dark-zh', viewport: { width: 1440, height: 2300 }, ...dark, ...zh, kinds: true },
  { name: 'kinds-light-en', viewport: { width: 1440, height: 2300 }, ...light, ...en, kinds: true },
  { name: 'kinds-light-zh-crossing', ...DESKTOP, ...light, ...zh, kinds: true, act: (page) => page.click('[data-alert-id] >> nth=1') },
  { name: 'kinds-dark-en-crowd', ...DESKTOP, ...dark, ...en, kinds: true, act: openFirst },
  { name: 'kinds-phone-zh', ...PHONE, ...dark, ...zh, viewport: { width: 390, height: 2600 }, kinds: true },
  { name: 'kinds-phone-en', ...PHONE, ...light, ...en, viewport: { width: 390, height: 2600 }, kinds: true },
  { name: 'phone-light-en-devices', ...PHONE, ...light, ...en, viewport: { width: 390, height: 1300 }, act: async (page) => {
    await page.click('.tabs button >> nth=1');
    for (const summary of await page.locator('[data-edge] summary').all()) await summary.click();
  } },
  { name: 'areas-dark-zh', viewport: { width: 1440, height: 1300 }, ...dark, ...zh, act: arm },
  { name: 'areas-light-en', viewport: { width: 1440, height: 1300 }, ...light, ...en, act: arm },
  { name: 'areas-phone-zh', ...PHONE, ...dark, ...zh, viewport: { width: 390, height: 1500 }, act: async (page) => {
    await page.click('.tabs button >> nth=1');
    await arm(page);
  } },
  { name: 'original-light-en-form', ...DESKTOP, ...light, ...en, act: ask },
  { name: 'original-phone-zh-form', ...PHONE, ...dark, ...zh, act: ask },
  { name: 'original-dark-zh-released', ...DESKTOP, ...dark, ...zh, act: release },
  { name: 'original-light-en-refused', ...DESKTOP, ...light, ...en, act: async (page) => {
    await clipOf(3)(page);
    await page.click('[data-ask]');
    await page.fill('[name="why"]', 'police report 17');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-panel] [data-release="refused"]');
    await page.$eval('[data-panel] [data-release]', (item) => item.scrollIntoView({ block: 'center' }));
  } },
  { name: 'clip-light-zh-awaited', ...DESKTOP, ...light, ...zh, act: clipOf(2) },
  { name: 'clip-phone-en', ...PHONE, ...light, ...en, act: openFirst },
  { name: 'wall-dark-zh', ...WALL, ...dark, ...zh },
  { name: 'phone-dark-zh', ...PHONE, ...dark, ...zh },
  { name: 'phone-light-en', ...PHONE, ...light, ...en },
  { name: 'phone-dark-zh-details', ...PHONE, ...dark, ...zh, act: openFirst },
  { name: 'phone-light-zh-devices', ...PHONE, ...light, ...zh, act: (page) => page.click('.tabs button >> nth=1') },
  { name: 'phone-dark-en-offline', ...PHONE, ...dark, ...en, act: offline },
  // Last, because new alerts move the others down.
  { name: 'desktop-dark-zh-fresh', ...DESKTOP, ...dark, ...zh, act: async (page, { hub }) => {
    await page.evaluate(() => document.querySelector('main').scrollTo(0, 900));
    await publish(hub.url);
    await page.waitForSelector('.unseen');
  } },
  { name: 'desktop-light-zh-waiting', ...DESKTOP, ...light, ...zh, act: async (page, { hub }) => {
    await publish(hub.url);
    await page.waitForSelector('.tag.new');
  } },
];

const extra = options.snapshots ? ['--snapshots', options.snapshots] : [];
const full = await startHub(...extra);
const empty = await startHub('--empty');
const kinds = await startHub('--kinds', ...extra);
const { browser, close } = await launch();
for (const { name, act, empty: isEmpty, kinds: ofKinds, broken, slow, as = 'wang.li', link = as === null || /^(incident|figures)/.test(name) ? '' : '#/alerts', ...settings } of CASES) {
  if (options.only && !name.includes(options.only)) continue;
  const hub = isEmpty ? empty : ofKinds ? kinds : full;
  const context = await browser.newContext(settings);
  const page = await context.newPage();
  const others = /\/api\/v1\/(?!session)/;
  if (broken) await page.route(others, (route) => route.fulfill({ status: 503, body: '' }));
  if (slow) await page.route(others, () => {});
  await page.goto(`${hub.url}/${link}`);
  if (as !== null) {
    await enter(page, as);
    await page.waitForSelector(`[data-person="${as}"]`);
  }
  if (as === 'wang.li') await page.waitForSelector(broken ? '.failed' : slow ? '.skeleton' : '[data-list="alerts"], [data-empty="alerts"], [data-list="incidents"], [data-empty="incidents"]');
  await page.waitForTimeout(600);
  await act?.(page, { context, hub });
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(options.out, `${name}.png`) });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  console.log(`${name}${overflow > 0 ? ` OVERFLOWS by ${overflow}px` : ''}`);
  await context.close();
}
await close();
full.child.kill();
empty.child.kill();
kinds.child.kill();
