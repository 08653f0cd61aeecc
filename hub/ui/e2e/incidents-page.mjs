// An incident's whole way in real browsers against a running hub: an operator, a handler with a phone, a supervisor; once in each language.
// README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and, twice, the marks READY and AGAIN, then DONE, each on a line of its own. Exits with 0
// when every check held.

import { assert, check as checked, hub } from './check.mjs';
import { NAME, PASSWORD, isSignedOutNote, signIn, signedIn } from './sign-in.mjs';
import { UI_MS, browser, incidentIds, newIncident, play, seen } from './visitor.mjs';

/** Who goes and looks, and who says whether it was done: two more people. */
const { GATEPOST_HANDLER: HANDLER, GATEPOST_HANDLER_PASSWORD: HANDLER_PASSWORD } = process.env;
const { GATEPOST_SUPERVISOR: SUPERVISOR, GATEPOST_SUPERVISOR_PASSWORD: SUPERVISOR_PASSWORD } = process.env;
if (!HANDLER || !HANDLER_PASSWORD || !SUPERVISOR || !SUPERVISOR_PASSWORD) {
  console.error('GATEPOST_HANDLER, GATEPOST_SUPERVISOR and their …_PASSWORD are not set: an operator alone closes no loop');
  process.exit(2);
}
const errors = [];
const DESK = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

async function openPage(locale, settings, name, password) {
  const context = await browser.newContext({ locale, ...settings });
  const page = await context.newPage();
  page.on('console', (message) => {
    const url = message.location().url;
    // A picture may be named before it is there, a step that comes too late is refused, and so is a file that is none: all wanted.
    const isCutOff = /\/attachments\?/.test(url) && /ERR_FAILED|415/.test(message.text());
    const wanted = isCutOff || isSignedOutNote(message.text(), url) || (/\/snapshot(\?|$)/.test(url) && /404/.test(message.text())) || (/\/steps$/.test(url) && /409/.test(message.text()));
    if (message.type() === 'error' && !wanted) errors.push(`${message.text()} (${url})`);
  });
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page, name, password);
  await signedIn(page, name);
  await page.waitForSelector('[data-connection="live"]', { timeout: UI_MS });
  await page.waitForSelector('[data-list="incidents"], [data-empty="incidents"]', { timeout: UI_MS });
  return Object.assign(page, { locale });
}
const rowAt = (id, stage) => `[data-incident-id="${id}"]${stage ? `[data-stage="${stage}"]` : ''}`;
const panelAt = (id, stage) => `[data-panel="${id}"] [data-stage-line="${stage}"]`;
const offers = (page, id, choice) => seen(page, `[data-panel="${id}"] [data-choice="${choice}"]`);
/** What the stages are called on the way. */
const STAGES = {
  'zh-CN': { reported: '待核实', triaged: '待派单', assigned: '待接单', handling: '处置中', fed_back: '待核查', verified: '待办结', evaluated: '已评价' },
  'en-GB': { reported: 'To be checked', triaged: 'To be assigned', assigned: 'To be accepted', handling: 'Being handled', fed_back: 'To be verified', verified: 'To be closed', evaluated: 'Evaluated' },
};
/** Its row says at which stage it is, in the language of who looks. */
async function stands(page, id, stage) {
  await seen(page, rowAt(id, stage));
  const said = await page.textContent(`${rowAt(id, stage)} .stage`);
  assert(said === STAGES[page.locale][stage], `the stage is called "${said}"`);
}
/** A photo as a camera makes it, and a paper. */
const photo = async (page, colour) => ({
  name: '东门 1.jpg',
  mimeType: 'image/jpeg',
  buffer: Buffer.from(
    await page.evaluate((fill) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
      const drawing = canvas.getContext('2d');
      drawing.fillStyle = fill;
      drawing.fillRect(0, 0, 640, 480);
      return canvas.toDataURL('image/jpeg').split(',')[1];
    }, colour),
    'base64',
  ),
});
const PAPER = { name: 'bill.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n1 0 obj\n%%EOF\n') };
/** A key in the list or the panel, the form that it opens, and sending that from the keyboard. */
async function byKey(page, key, form, fill) {
  await page.keyboard.press(key);
  await seen(page, `[data-form="${form}"]`);
  await fill();
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector(`[data-form="${form}"]`, { state: 'detached', timeout: UI_MS });
}

/** The whole way; the supervisor has another language than the operator and the handler. */
async function way(locale, other) {
  const operator = await openPage(locale, DESK, NAME, PASSWORD);
  const handler = await openPage(locale, PHONE, HANDLER, HANDLER_PASSWORD);
  const supervisor = await openPage(other, DESK, SUPERVISOR, SUPERVISOR_PASSWORD);
  const check = (name, what) => checked(`${locale}: ${name}`, what);
  await check('it rings only for who turned that on, and goes on after a reload', async () => {
    await seen(operator, '[data-bell="off"]');
    await operator.click('[data-bell]');
    await seen(operator, '[data-bell="on"][aria-pressed="true"]');
    await operator.reload();
    await seen(operator, '[data-bell="on"]');
    await seen(operator, '[data-list="incidents"], [data-empty="incidents"]');
    await seen(operator, '[data-connection="live"]');
  });
  const known = await incidentIds(operator);
  await check('a handler sees what is theirs', () => seen(handler, '[data-show="mine"][aria-current]'));
  console.log('READY');

  let id;
  const came = await check('a new incident appears without reload, and is announced', async () => {
    id = await newIncident(operator, known);
    await stands(operator, id, 'reported');
    await operator.waitForFunction(() => [...document.querySelectorAll('[data-announcer]')].some((node) => node.textContent !== ''), undefined, { timeout: UI_MS });
  });
  if (!came) throw new Error('without an incident there is nothing to do');
  await check('its picture opens with it, and is written down without a question', async () => {
    await operator.focus(rowAt(id));
    await operator.keyboard.press('Enter');
    await seen(operator, `[data-panel="${id}"] img.shown`);
    assert((await operator.$('[data-gate]')) === null, 'it asks for a reason');
    await operator.keyboard.press('Escape');
    await operator.waitForSelector('[data-panel]', { state: 'detached', timeout: UI_MS });
    await supervisor.click('[data-to="register"]');
    await seen(supervisor, '[data-list="register"] [data-reason="incident"]');
    const text = await supervisor.textContent('[data-list="register"] [data-viewing]');
    const shown = other === 'zh-CN' ? `（${NAME}）` : `(${NAME})`;
    assert(text.includes(shown) && text.includes(id), text);
    await supervisor.click('[data-to="watch"]');
    await seen(supervisor, rowAt(id));
  });
  await check('a key does nothing while the focus is elsewhere', async () => {
    await operator.focus('[data-sign-out]');
    await operator.keyboard.press('a');
    await operator.waitForTimeout(400);
    await stands(operator, id, 'reported');
  });
  await check('one key acknowledges it, everywhere', async () => {
    await operator.focus(rowAt(id));
    await operator.keyboard.press('a');
    await stands(operator, id, 'triaged');
    await stands(supervisor, id, 'triaged');
  });
  await check('it is assigned from the keyboard', async () => {
    await operator.focus(rowAt(id));
    await byKey(operator, 'd', 'assign', async () => {
      await operator.check(`[name="to"][value="${HANDLER}"]`);
      await operator.fill('[data-form="assign"] [name="text"]', '请从南侧进入');
    });
    await seen(operator, panelAt(id, 'assigned'));
    await operator.keyboard.press('Escape');
    await operator.waitForSelector('[data-panel]', { state: 'detached', timeout: UI_MS });
  });
  await check('the handler hears of it at once, on the phone', async () => {
    await stands(handler, id, 'assigned');
    await handler.tap(rowAt(id));
    await offers(handler, id, 'accept');
    assert((await handler.$('[data-choice="assign"]')) === null, 'the handler may assign');
    const height = await handler.$eval('[data-choice="accept"]', (button) => button.getBoundingClientRect().height);
    assert(height >= 48, `the button is ${height} high`);
    const wide = await handler.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert(wide <= 0, `the page is ${wide} too wide`);
  });
  await check('they accept and begin with one touch', async () => {
    await handler.tap('[data-choice="begin"]');
    await seen(handler, panelAt(id, 'handling'));
    await stands(operator, id, 'handling');
  });
  await check('they attach a photo from the phone, and see it before they send it', async () => {
    await handler.setInputFiles('[data-camera]', await photo(handler, '#2a6'));
    await seen(handler, '[data-preview="drawn"]');
    const wide = await handler.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert(wide <= 0, `the page is ${wide} too wide`);
    // The connection breaks: the photo stays, and is sent again.
    await handler.route('**/attachments?*', (route) => route.abort());
    await handler.tap('[data-form="attach"] [type="submit"]');
    await seen(handler, '[data-form="attach"] .problem');
    await handler.unroute('**/attachments?*');
    await handler.tap('[data-form="attach"] [type="submit"]');
    await seen(handler, '[data-adding="idle"] .done');
    await seen(handler, '[data-attachment="1"]');
  });
  await check('what cannot be attached is told before and after it is sent', async () => {
    await handler.setInputFiles('[data-pick]', { name: 'a.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') });
    await seen(handler, '[data-adding="idle"] .problem');
    // Said to be a photo, which it is not.
    await handler.setInputFiles('[data-pick]', { name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('<html>') });
    await handler.tap('[data-form="attach"] [type="submit"]');
    await seen(handler, '[data-form="attach"] .problem');
    await handler.tap('[data-form="attach"] [type="button"]');
    await seen(handler, '[data-adding="idle"]');
    assert((await handler.$$('[data-attachment]')).length === 1, 'something was attached');
  });
  await check('the operator hears of it, and opens it for the incident', async () => {
    await operator.focus(rowAt(id));
    await operator.keyboard.press('Enter');
    await seen(operator, '[data-attachment="1"]');
    await operator.focus('[data-attachment="1"] [data-show-attachment]');
    await operator.keyboard.press('Enter');
    await operator.waitForFunction(() => document.querySelector('[data-attachments] .picture img')?.naturalWidth === 640, undefined, { timeout: UI_MS });
    assert((await operator.$('[data-attachment="1"] [data-withdraw]')) === null, 'the operator may withdraw what others attached');
  });
  await check('a paper is added from the keyboard, and handed out', async () => {
    const [chooser] = await Promise.all([
      operator.waitForEvent('filechooser', { timeout: UI_MS }),
      operator.focus('[data-add-attachment]').then(() => operator.keyboard.press('Enter')),
    ]);
    await chooser.setFiles(PAPER);
    await seen(operator, '[data-form="attach"]');
    await operator.keyboard.press('Enter');
    await seen(operator, '[data-attachment="2"]');
    const [download] = await Promise.all([
      operator.waitForEvent('download', { timeout: UI_MS }),
      operator.click('[data-attachment="2"] [data-download-attachment]'),
    ]);
    assert(download.suggestedFilename() === 'bill.pdf', download.suggestedFilename());
    await operator.keyboard.press('Escape');
    await operator.waitForSelector('[data-panel]', { state: 'detached', timeout: UI_MS });
  });
  await check('who attached it takes it back, and says why', async () => {
    await seen(handler, '[data-attachment="2"]');
    assert((await handler.$('[data-attachment="2"] [data-withdraw]')) === null, 'the handler may withdraw what others attached');
    await handler.tap('[data-attachment="1"] [data-withdraw]');
    await handler.fill('[data-form="withdraw"] [name="text"]', '拍错了门');
    await handler.tap('[data-form="withdraw"] [type="submit"]');
    await seen(handler, '[data-attachment="1"][data-gone="withdrawn"]');
    await seen(handler, '[data-step="withdraw"]');
    const said = await handler.textContent('[data-step="withdraw"]');
    assert(said.includes('拍错了门') && said.includes(HANDLER), said);
  });
  await check('they ask for more time, and cannot give it to themselves', async () => {
    await offers(handler, id, 'request_extension');
    await handler.tap('[data-choice="request_extension"]');
    await handler.fill('[data-form="request_extension"] [name="text"]', '等物业送钥匙');
    await handler.tap('[data-form="request_extension"] [type="submit"]');
    await seen(handler, `[data-panel="${id}"] [data-asked]`);
    await offers(handler, id, 'feed_back');
    assert((await handler.$('[data-choice="approve_extension"]')) === null, 'they may decide about it themselves');
  });
  await check('a supervisor finds it apart and gives the time', async () => {
    await supervisor.click('[data-show="supervise"]');
    await seen(supervisor, `${rowAt(id)} [data-asks-for-time]`);
    await supervisor.focus(rowAt(id));
    await supervisor.keyboard.press('Enter');
    await offers(supervisor, id, 'approve_extension');
    const asked = await supervisor.textContent(`[data-panel="${id}"] [data-asked]`);
    assert(asked.includes('等物业送钥匙') && asked.includes(HANDLER), asked);
    await byKey(supervisor, 'g', 'approve_extension', async () => {});
    await supervisor.waitForSelector(`[data-panel="${id}"] [data-asked]`, { state: 'detached', timeout: UI_MS });
    await seen(supervisor, '[data-step="approve_extension"]');
    await supervisor.keyboard.press('Escape');
    await supervisor.waitForSelector('[data-panel]', { state: 'detached', timeout: UI_MS });
    await supervisor.click('[data-show="open"]');
    await stands(supervisor, id, 'handling');
  });
  await check('feedback wants words', async () => {
    await offers(handler, id, 'feed_back');
    await handler.tap('[data-choice="feed_back"]');
    await handler.tap('[data-form="feed_back"] [type="submit"]');
    await seen(handler, '[data-form="feed_back"] .problem');
    await handler.fill('[data-form="feed_back"] [name="text"]', '已劝离\n围栏完好');
    await handler.tap('[data-form="feed_back"] [type="submit"]');
    await seen(handler, panelAt(id, 'fed_back'));
  });
  await check('the supervisor sends it back, and says what is missing', async () => {
    await supervisor.focus(rowAt(id, 'fed_back'));
    await supervisor.keyboard.press('Enter');
    await offers(supervisor, id, 'fail');
    await byKey(supervisor, 'x', 'fail', () => supervisor.fill('[data-form="fail"] [name="text"]', 'a photo of the fence'));
    await seen(supervisor, panelAt(id, 'handling'));
  });
  await check('the handler reads it and feeds back again', async () => {
    await handler.waitForFunction(() => document.querySelector('[data-step="fail"]')?.textContent.includes('a photo of the fence'), undefined, { timeout: UI_MS });
    await offers(handler, id, 'feed_back');
    await handler.tap('[data-choice="feed_back"]');
    await handler.tap('.phrases button');
    await handler.tap('[data-form="feed_back"] [type="submit"]');
    await seen(handler, panelAt(id, 'fed_back'));
  });
  await check('who comes too late is told, and what they wrote stays', async () => {
    await offers(supervisor, id, 'note');
    await supervisor.click('[data-choice="note"]');
    await supervisor.fill('[data-form="note"] [name="text"]', 'too late');
    // As if somebody else had done something a moment before.
    const version = await supervisor.getAttribute('[data-panel]', 'data-version');
    await supervisor.route('**/steps', async (route) => {
      const body = JSON.parse(route.request().postData());
      await route.continue({ postData: JSON.stringify({ ...body, version: Number(version) - 1 }) });
    });
    await supervisor.keyboard.press('Control+Enter');
    await seen(supervisor, '[data-changed]');
    assert((await supervisor.inputValue('[data-form="note"] [name="text"]')) === 'too late', 'the text is gone');
    await supervisor.unroute('**/steps');
    await supervisor.keyboard.press('Escape');
  });
  await check('the supervisor verifies it', async () => {
    await offers(supervisor, id, 'pass');
    await byKey(supervisor, 'p', 'pass', async () => {});
    await seen(supervisor, panelAt(id, 'verified'));
  });
  await check('the operator closes it, and it leaves the open ones', async () => {
    await operator.focus(rowAt(id, 'verified'));
    await byKey(operator, 'c', 'close', async () => {});
    await seen(operator, panelAt(id, 'closed'));
    await operator.waitForSelector(rowAt(id), { state: 'detached', timeout: UI_MS });
  });
  await check('the supervisor evaluates it', async () => {
    await offers(supervisor, id, 'evaluate');
    await byKey(supervisor, 'e', 'evaluate', () => supervisor.check('[name="grade"][value="4"]'));
    await seen(supervisor, panelAt(id, 'evaluated'));
  });
  await check('the timeline has it all, in order, and names who did it', async () => {
    await seen(supervisor, '[data-step="evaluate"]');
    const steps = await supervisor.$$eval('[data-step]', (all) => all.map((step) => step.dataset.step));
    const wanted = ['open', 'triage', 'assign', 'accept', 'begin', 'feed_back', 'fail', 'feed_back', 'pass', 'close', 'evaluate'];
    const without = steps.filter((step) => wanted.includes(step));
    assert(without.join() === wanted.join(), steps.join());
    const text = await supervisor.textContent('[data-timeline]');
    for (const name of [NAME, HANDLER, SUPERVISOR]) assert(text.includes(`(${name})`), `nothing of ${name}`);
  });
  await check('it is found among all, and its address can be passed on', async () => {
    await supervisor.keyboard.press('Escape');
    await supervisor.click('[data-show="all"]');
    await supervisor.selectOption('[name="stage"]', 'evaluated');
    assert(new URL(supervisor.url()).hash === '#/?show=all&stage=evaluated', supervisor.url());
    await stands(supervisor, id, 'evaluated');
    await supervisor.reload();
    await stands(supervisor, id, 'evaluated');
    await supervisor.evaluate((incident) => (location.hash = `#/?incident=${incident}`), id);
    await seen(supervisor, `[data-panel="${id}"]`);
  });

  const before = await incidentIds(operator);
  console.log('AGAIN');
  await check('a false alarm is closed with its reason, from the keyboard alone', async () => {
    const other = await newIncident(operator, [...before, id]);
    await operator.keyboard.press('Escape');
    await operator.focus(rowAt(other));
    await byKey(operator, 'f', 'false_alarm', async () => {
      await operator.keyboard.press('Control+Enter');
      await seen(operator, '[data-form="false_alarm"] .problem');
      await operator.check('[name="reason"][value="plant"]');
    });
    await seen(operator, panelAt(other, 'closed'));
    await operator.waitForSelector(rowAt(other), { state: 'detached', timeout: UI_MS });
  });
  await check('the figures count it', async () => {
    await operator.click('[data-to="figures"]');
    await operator.click('[data-days="1"]');
    await seen(operator, '[data-figures="1"] [data-verdict]');
    await seen(operator, '[data-list="worst"] .reason');
    await seen(operator, '[data-chattering]');
    await seen(operator, '[data-stale]');
  });
  for (const page of [operator, handler, supervisor]) await page.context().close();
}

await play(
  () => way('zh-CN', 'en-GB'),
  () => way('en-GB', 'zh-CN'),
  () => checked('nothing went wrong in the browser', () => assert(errors.length === 0, errors.join(' | '))),
);
