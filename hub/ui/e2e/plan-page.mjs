// The plan of a site in a real browser against a running hub: drawn, saved, seen, changed by two at once. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks READY, ILL and DONE, each on a line of its own. Exits with 0 when every check held.

import { violations } from './axe.mjs';
import { launch } from './browser.mjs';
import { assert, check, finish, giveUp, hub } from './check.mjs';
import { drawnPlan } from './picture.mjs';
import { PASSWORD, isSignedOutNote, signIn, signedIn } from './sign-in.mjs';
import { swipe } from './touch.mjs';

/** Somebody who draws plans too. */
const { GATEPOST_SECOND: SECOND, GATEPOST_HANDLER: HANDLER, GATEPOST_NAME: NAME, SCREENSHOT_DIR: SHOTS } = process.env;
const EXPECT_MS = Number(process.env.EXPECT_TIMEOUT_S ?? '60') * 1_000;
const UI_MS = 15_000;
const { browser, close } = await launch();
const errors = [];

async function openPage(name, locale, settings) {
  const page = await (await browser.newContext({ locale, ...settings })).newPage();
  page.on('console', (message) => {
    const { url } = message.location();
    // That a site has no plan, and that somebody else was faster, is what is tried out.
    const wanted = /\/plan(\/picture)?(\?|$)/.test(url) && /40[49]/.test(message.text());
    if (message.type() === 'error' && !wanted && !isSignedOutNote(message.text(), url)) errors.push(`${message.text()} (${url})`);
  });
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  await page.goto(hub, { waitUntil: 'load' });
  await signIn(page, name, PASSWORD);
  await signedIn(page, name);
  return page;
}
const seen = (page, selector, timeout = UI_MS) => page.waitForSelector(selector, { timeout }).then(() => undefined);
const planOf = (page) => page.evaluate(async () => (await fetch('/api/v1/sites/school-3/plan')).json());
const near = (a, b) => Math.abs(a - b) < 0.01;
const shoot = (page, name) => (SHOTS ? page.screenshot({ path: `${SHOTS}/${name}.png` }) : undefined);
const accessible = async (page) => {
  const found = await violations(page);
  assert(found.length === 0, found.slice(0, 3).join('\n'));
};

/** Where on the screen a place of the picture is. */
async function on(page, x, y) {
  const box = await page.$eval('.frame svg image', (image) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    return { left, top, width, height };
  });
  return [box.left + x * box.width, box.top + y * box.height];
}
const clickOn = async (page, x, y) => page.mouse.click(...(await on(page, x, y)));

/** A screen so small that the page is longer. */
const PHONE = { viewport: { width: 390, height: 560 }, hasTouch: true, isMobile: true };
/** What of the plan is seen, how far anything on the page is scrolled, and how much closer the whole page is. */
const lookOf = (page) =>
  page.evaluate(() => {
    const { x, y, width } = document.querySelector('.frame svg').viewBox.baseVal;
    return { x, y, width, scrolled: scrollY + [...document.querySelectorAll('*')].reduce((sum, { scrollTop }) => sum + scrollTop, 0), page: visualViewport.scale };
  });
const toTop = (page) => page.evaluate(() => [document.scrollingElement, ...document.querySelectorAll('*')].forEach((one) => one.scrollTo(0, 0)));
/** A page that was pushed goes on for a while. */
async function rest(page) {
  let before = -1;
  for (let now = await lookOf(page); now.scrolled !== before; now = await lookOf(page)) {
    before = now.scrolled;
    await page.waitForTimeout(200);
  }
}
const stays = (before, after) => assert(after.scrolled === before.scrolled && after.page === 1, `the page itself moved: ${JSON.stringify([before, after])}`);

const CAMERA = '[data-item="camera gate-1 east-gate"]';
const SENSOR = '[data-item="sensor gate-1 fence-3"]';
const ZONE = '[data-item="zone 0"]';

try {
  const page = await openPage(NAME, 'zh-CN', { viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  await check('a site without a plan says what to do, and refuses what is no picture', async () => {
    await page.click('[data-to="plan"]');
    await seen(page, '[data-empty="plan"] [name="picture"]');
    const svg = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>");
    await page.setInputFiles('[name="picture"]', { name: 'plan.svg', mimeType: 'image/svg+xml', buffer: svg });
    await seen(page, '[data-form="plan-picture"] [role="alert"]');
    await page.setInputFiles('[name="picture"]', { name: 'plan.png', mimeType: 'image/png', buffer: svg });
    await seen(page, '[data-form="plan-picture"] [role="alert"]');
    assert((await page.$('[data-send-picture]')) === null, 'it could be sent');
    await accessible(page);
  });
  await check('a picture is looked at and uploaded', async () => {
    await page.setInputFiles('[name="picture"]', { name: '校园.png', mimeType: 'image/png', buffer: await drawnPlan(page) });
    await seen(page, '[data-preview]');
    await accessible(page);
    await page.click('[data-send-picture]');
    await seen(page, '[data-editing]');
    await seen(page, '[data-stage="shown"]');
  });
  await check('a camera is chosen, put where somebody clicks, and turned', async () => {
    await page.selectOption('[name="camera"]', 'gate-1 east-gate');
    await page.click('[data-add="camera"]');
    await seen(page, '[data-tool="put"]');
    await clickOn(page, 0.25, 0.75);
    await seen(page, `[data-tool="choose"] ${CAMERA}`);
    await page.fill('[name="direction"]', '270');
    // By hand, too: a quarter to the right.
    const [x, y] = await on(page, 0.5, 0.5);
    await page.mouse.move(...(await on(page, 0.25, 0.75)));
    await page.mouse.down();
    await page.mouse.move(x, y, { steps: 4 });
    await page.mouse.up();
  });
  await check('a zone is drawn by clicks, named, and stands for one of a camera', async () => {
    await page.click('[data-add="zone"]');
    await seen(page, '[data-tool="draw"]');
    for (const [x, y] of [[0.6, 0.5], [0.8, 0.5], [0.8, 0.7], [0.6, 0.7], [0.1, 0.1]]) await clickOn(page, x, y);
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Enter');
    await seen(page, '[data-chosen="zone"]');
    await page.fill('[data-chosen="zone"] [name="label"]', '草坪');
    await page.selectOption('[name="shows"]', 'gate-1 east-gate lawn');
    await accessible(page);
    await shoot(page, 'plan-edit');
  });
  await check('a sensor is put by keys alone', async () => {
    await page.focus('[data-add="sensor"]');
    await page.keyboard.press('Enter');
    await seen(page, '[data-tool="put"]');
    for (let n = 0; n < 10; n += 1) await page.keyboard.press('ArrowLeft');
    for (let n = 0; n < 20; n += 1) await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await seen(page, `[data-tool="choose"] ${SENSOR}`);
  });
  await check('all of it is saved, and is there after a reload', async () => {
    await page.click('[data-save-plan]');
    await seen(page, `a${CAMERA}`);
    const { placed } = await planOf(page);
    const [camera] = placed.cameras;
    assert(near(camera.at.x, 0.5) && near(camera.at.y, 0.5) && camera.view.direction_deg === 270, JSON.stringify(camera));
    assert(placed.zones.length === 1 && placed.zones[0].outline.length === 4 && placed.zones[0].label === '草坪', JSON.stringify(placed.zones));
    const [corner] = placed.zones[0].outline;
    assert(near(corner.x, 0.6) && near(corner.y, 0.5) && placed.zones[0].shows.zone === 'lawn', JSON.stringify(placed.zones));
    assert(near(placed.sensors[0].at.x, 0.4) && near(placed.sensors[0].at.y, 0.3), JSON.stringify(placed.sensors));
    await page.reload();
    await seen(page, `${CAMERA}[data-condition="well"]`);
    await seen(page, `${SENSOR}[data-condition="ill"]`);
    await accessible(page);
  });
  console.log('READY');
  await check('what is open is shown where it is, and a key opens it', async () => {
    await seen(page, `${CAMERA}[data-open="1"]`, EXPECT_MS);
    await seen(page, `${ZONE}[data-open="1"]`);
    await seen(page, '[data-listed="camera gate-1 east-gate"] [data-incident]');
    await accessible(page);
    await shoot(page, 'plan-incident');
    await page.getByRole('link', { name: '摄像机 东门：正常；1 起未办结警情，最严重的是二级 严重' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash.startsWith('#/?incident='), undefined, { timeout: UI_MS });
    await seen(page, '[data-panel]');
    await page.goBack();
    await seen(page, CAMERA);
  });
  await check('it is looked at closer by keys, wheel and hand, and whole again', async () => {
    const width = () => page.$eval('.frame svg', (svg) => svg.viewBox.baseVal.width);
    const left = () => page.$eval('.frame svg', (svg) => svg.viewBox.baseVal.x);
    await seen(page, '[data-stage="shown"]');
    const whole = await width();
    await page.focus('.frame');
    await page.keyboard.press('+');
    await page.waitForFunction((before) => document.querySelector('.frame svg').viewBox.baseVal.width < before * 0.8, whole, { timeout: UI_MS });
    const [x, y] = await on(page, 0.5, 0.5);
    await page.mouse.move(x, y);
    const closer = await width();
    await page.mouse.wheel(0, -400);
    await page.waitForFunction((before) => document.querySelector('.frame svg').viewBox.baseVal.width < before, closer, { timeout: UI_MS });
    const before = await left();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((x) => document.querySelector('.frame svg').viewBox.baseVal.x > x, before, { timeout: UI_MS });
    // A movement that begins on a camera moves the plan and does not open anything.
    const at = await left();
    const [fromX, fromY] = await on(page, 0.5, 0.5);
    await page.mouse.move(fromX, fromY);
    await page.mouse.down();
    await page.mouse.move(fromX - 60, fromY, { steps: 5 });
    await page.mouse.up();
    assert((await left()) !== at && (await page.evaluate(() => location.hash)).startsWith('#/plan'), 'it did not move, or opened something');
    await page.keyboard.press('0');
    await page.waitForFunction((before) => document.querySelector('.frame svg').viewBox.baseVal.width === before, whole, { timeout: UI_MS });
  });
  console.log('ILL');
  await check('a camera without a picture says so, in words too', async () => {
    await seen(page, `${CAMERA}[data-condition="faulted"]`, EXPECT_MS);
    const words = await page.textContent(`${CAMERA} > title`);
    assert(words.includes('登录') && words.includes('1 起未办结警情'), words);
  });
  await check('what is not saved stays while somebody looks at something else, and is not left by accident', async () => {
    const wouldAsk = () => page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));
    assert(!(await wouldAsk()), 'the browser would ask although nothing is changed');
    await page.click('[data-edit-plan]');
    await page.click('[data-choose="zone 0"]');
    await page.fill('[data-chosen="zone"] [name="label"]', '操场');
    await page.click('[data-to="watch"]');
    await seen(page, '[data-to="watch"][aria-current="page"]');
    await seen(page, '[data-to="plan"] [data-unsaved]');
    assert(await wouldAsk(), 'the browser would not ask before the page is closed');
    await accessible(page);
    await page.click('[data-sign-out]');
    await seen(page, '[data-leave-unsaved]');
    await page.goBack();
    await seen(page, '[data-editing] [data-resumed]');
    // What was chosen still is.
    assert((await page.inputValue('[data-chosen="zone"] [name="label"]')) === '操场', 'it is lost');
    assert((await planOf(page)).placed.zones[0].label === '草坪', 'it was saved');
    await accessible(page);
    await page.click('[data-ask-for="discard"]');
    await page.click('[data-yes="discard"]');
    await seen(page, '[data-edit-plan]');
    assert(!(await wouldAsk()), 'the browser would ask although nothing is left');
    await page.click('[data-to="watch"]');
    await seen(page, '[data-to="watch"][aria-current="page"]');
    assert((await page.$('[data-unsaved]')) === null, 'it says that something is not saved');
    await page.goBack();
    await seen(page, '[data-edit-plan]');
  });
  await check('of two who change it the later is told, and nothing is overwritten', async () => {
    const other = await openPage(SECOND, 'en-GB', { viewport: { width: 1440, height: 900 } });
    await page.click('[data-edit-plan]');
    await seen(page, '[data-editing]');
    await page.click('[data-choose="zone 0"]');
    await page.fill('[data-chosen="zone"] [name="label"]', '我的草坪');
    const theirs = await planOf(other);
    theirs.placed.zones[0].label = '大草坪';
    const status = await other.evaluate(
      async ({ version, placed }) =>
        (await fetch('/api/v1/sites/school-3/plan', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ version, placed }) })).status,
      theirs,
    );
    assert(status === 200, `the other one was answered ${status}`);
    await page.click('[data-save-plan]');
    await seen(page, '[data-conflict]');
    await accessible(page);
    await page.click('[data-take-theirs]');
    await page.waitForFunction(() => document.querySelector('[data-choose="zone 0"]')?.textContent.includes('大草坪'), undefined, { timeout: UI_MS });
    await page.click('[data-close-plan]');
    await seen(page, '[data-edit-plan]');
    await other.context().close();
  });
  await check('a guard with a phone sees it, and cannot change it', async () => {
    const phone = await openPage(HANDLER, 'en-GB', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
    await phone.evaluate(() => (location.hash = '#/plan?site=school-3'));
    await seen(phone, CAMERA);
    await seen(phone, '[data-listed="sensor gate-1 fence-3"]');
    assert((await phone.getAttribute(CAMERA, 'data-condition')) === 'untold', 'a handler sees no devices');
    assert((await phone.$('[data-edit-plan]')) === null, 'a handler could change it');
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${wide} pixels too wide`);
    await accessible(phone);
    await shoot(phone, 'plan-phone');
    await phone.context().close();
  });
  await check('fingers look closer, move the plan and look at all of it again, and the page stays where it is', async () => {
    const phone = await openPage(NAME, 'zh-CN', PHONE);
    await phone.evaluate(() => (location.hash = '#/plan?site=school-3'));
    await seen(phone, CAMERA);
    await seen(phone, '[data-stage="shown"]');
    const [x, y] = await on(phone, 0.5, 0.5);
    const whole = await lookOf(phone);
    // Of all of the plan there is nothing to move: one finger moves the page.
    await swipe(phone, [[x + 60, y + 40], [x + 60, y - 60]]);
    await phone.waitForFunction((before) => scrollY + [...document.querySelectorAll('*')].reduce((sum, { scrollTop }) => sum + scrollTop, 0) > before, whole.scrolled, { timeout: UI_MS });
    await rest(phone);
    await toTop(phone);

    // Apart, in whatever direction; what is between the fingers stays there.
    for (const [dx, dy] of [[1, 0], [0, 1]]) {
      const before = await lookOf(phone);
      await swipe(phone, [[x - 15 * dx, y - 15 * dy], [x - 60 * dx, y - 60 * dy]], [[x + 15 * dx, y + 15 * dy], [x + 60 * dx, y + 60 * dy]]);
      const closer = await lookOf(phone);
      assert(closer.width < whole.width * 0.5, `two fingers brought it from ${whole.width} to ${closer.width}`);
      stays(before, closer);
      const [nowX, nowY] = await on(phone, 0.5, 0.5);
      assert(Math.hypot(nowX - x, nowY - y) < 12, `what was between the fingers went from ${[x, y]} to ${[nowX, nowY]}`);
      await phone.tap('[data-zoom="whole"]');
      await phone.waitForFunction((width) => document.querySelector('.frame svg').viewBox.baseVal.width === width, whole.width, { timeout: UI_MS });
      await toTop(phone);
    }

    await swipe(phone, [[x - 15, y], [x - 60, y]], [[x + 15, y], [x + 60, y]]);
    // Two fingers move it together, and one does; what begins on a camera opens nothing.
    for (const fingers of [[[[x - 30, y + 30], [x - 30, y - 30]], [[x + 30, y + 30], [x + 30, y - 30]]], [[await on(phone, 0.5, 0.5), [x, y + 40]]]]) {
      const before = await lookOf(phone);
      await swipe(phone, ...fingers);
      const after = await lookOf(phone);
      assert(Math.abs(after.y - before.y) > whole.width * 0.02, `${fingers.length} fingers moved it from ${before.y} to ${after.y}`);
      assert(Math.abs(after.width - before.width) < before.width * 0.02, 'it is closer or further');
      stays(before, after);
    }
    assert((await phone.evaluate(() => location.hash)).startsWith('#/plan'), 'something was opened');

    const before = await lookOf(phone);
    await swipe(phone, [[x - 100, y], [x - 10, y]], [[x + 100, y], [x + 10, y]]);
    const back = await lookOf(phone);
    assert(back.width === whole.width, `two fingers together left it at ${back.width} of ${whole.width}`);
    stays(before, back);
    // A finger that only touches opens what it touches.
    await phone.tap(CAMERA);
    await phone.waitForFunction(() => location.hash.startsWith('#/?incident='), undefined, { timeout: UI_MS });
    await phone.context().close();
  });
  await check('fingers draw a plan, too: what they hold goes with them, and two of them look closer', async () => {
    const phone = await openPage(NAME, 'zh-CN', PHONE);
    await phone.evaluate(() => (location.hash = '#/plan?site=school-3'));
    await phone.tap('[data-edit-plan]');
    await seen(phone, `[data-tool="choose"] ${CAMERA}`);
    await seen(phone, '[data-stage="shown"]');
    await phone.$eval('.frame', (frame) => frame.scrollIntoView({ block: 'center' }));
    const at = async () => {
      const { left, top } = await phone.$eval(`${CAMERA} .body`, (body) => body.getBoundingClientRect());
      return [left, top];
    };
    const [before, from, held] = [await lookOf(phone), await at(), await on(phone, 0.5, 0.5)];
    await swipe(phone, [held, [held[0] + 30, held[1] - 50]]);
    const [after, to] = [await lookOf(phone), await at()];
    stays(before, after);
    assert(Math.abs(to[0] - from[0] - 30) < 3 && Math.abs(to[1] - from[1] + 50) < 3, `it went from ${from} to ${to}`);
    // One of two fingers may come down on a camera: neither of them moves it.
    const [x, y] = await on(phone, 0.5, 0.5);
    const placed = await phone.inputValue('[name="direction"]');
    await swipe(phone, [[x + 30, y - 50], [x + 60, y - 90]], [[x, y], [x - 30, y + 40]]);
    const closer = await lookOf(phone);
    assert(closer.width < after.width * 0.7, `two fingers brought it from ${after.width} to ${closer.width}`);
    stays(after, closer);
    await phone.tap('[data-zoom="whole"]');
    await phone.waitForFunction((width) => document.querySelector('.frame svg').viewBox.baseVal.width === width, after.width, { timeout: UI_MS });
    const now = await at();
    assert(Math.hypot(now[0] - to[0], now[1] - to[1]) < 3 && (await phone.inputValue('[name="direction"]')) === placed, `it moved on from ${to} to ${now}`);
    await phone.tap('[data-ask-for="discard"]');
    await phone.tap('[data-yes="discard"]');
    await phone.context().close();
  });
  await check('it is removed after a question', async () => {
    await page.click('[data-edit-plan]');
    await page.$eval('[data-editing] details', (more) => (more.open = true));
    await page.click('[data-ask-for="remove-plan"]');
    await page.click('[data-yes="remove-plan"]');
    await seen(page, '[data-empty="plan"]');
  });
  await check('the browser complained of nothing', () => assert(errors.length === 0, errors.join(' | ')));
} catch (error) {
  giveUp(error);
} finally {
  await close();
}
finish();
