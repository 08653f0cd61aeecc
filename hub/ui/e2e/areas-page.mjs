// Areas of a box in a real browser against a running hub: armed, disarmed and put into maintenance from the page, with a reason, and what
// the box answers. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks ORDERED and DONE, each on a line of its own. Exits with 0 when every check held.

import { assert, check } from './check.mjs';
import { NAME } from './sign-in.mjs';
import { EXPECT_MS, UI_MS, ask, nothingWentWrong, play, says, seen, visit } from './visitor.mjs';

const WORDS = {
  'zh-CN': {
    as: '操作人：', open: '未关闭或故障：', bypassed: '已旁路：', done: '已执行', refused: '设备拒绝执行：有输入未关闭，或正在进入延时',
    endsIn: '后自动结束', unreachable: '中心没有应答，不能确定指令是否已发出', disarmed: '已撤防', armed_away: '外出布防', armed_stay: '留守布防', maintenance: '维护中',
  },
  'en-GB': {
    as: 'As ', open: 'Open or faulty: ', bypassed: 'Bypassed: ', done: 'Done', refused: 'The device refused: something is open, or an entry delay is running',
    endsIn: 'Ends by itself in ', unreachable: 'The hub does not answer; it is not certain that the order was given', disarmed: 'Disarmed', armed_away: 'Armed', armed_stay: 'Armed, people inside', maintenance: 'Maintenance',
  },
};
const AREA = '[data-edge="gate-1"] [data-area="store"]';
const isOrder = ({ method, path }) => method === 'POST' && path === '/api/v1/commands';

/** Fills in the form; `without`: with what is open left out. */
async function fill(page, { mode, why, minutes, without = false }) {
  await page.check(`${AREA} [type="radio"][value="${mode}"]`);
  if (minutes !== undefined) await page.fill(`${AREA} [type="number"]`, String(minutes));
  for (const box of await page.$$(`${AREA} [type="checkbox"]`)) await box.setChecked(without);
  await page.fill(`${AREA} [type="text"]`, why);
}

/** Orders it, and gives what the hub was asked for. */
async function order(side, wish) {
  const before = side.asked.filter(isOrder).length;
  await fill(side.page, wish);
  await side.page.click(`${AREA} [type="submit"]`);
  console.log('ORDERED');
  await side.page.waitForFunction((area) => ['done', 'refused', 'expired', 'failed'].includes(document.querySelector(`${area} [data-progress]`)?.dataset.progress), AREA, { timeout: EXPECT_MS });
  const orders = side.asked.filter(isOrder).slice(before);
  assert(orders.length === 1, `${orders.length} orders were given`);
  return JSON.parse(orders[0].body);
}

/** The box did it, the page says so, and the hub has who and why. */
async function obeyed(side, wish) {
  const { page, locale } = side;
  const words = WORDS[locale];
  const given = await order(side, wish);
  await seen(page, `${AREA} [data-progress="done"]`);
  await says(page, `${AREA} [data-progress]`, words.done);
  await seen(page, `${AREA}[data-mode="${wish.mode}"]`, EXPECT_MS);
  const mode = await page.textContent(`${AREA} .mode`);
  assert(mode === words[wish.mode], `the mode is called "${mode}"`);
  const { commands } = await ask(page, 'commands?kind=set_mode&limit=50');
  const kept = commands.find(({ why }) => why === wish.why);
  assert(kept?.who.includes(`(${NAME})`) && kept.state === 'done' && kept.order.mode.name === wish.mode, JSON.stringify(kept));
  return given.order;
}

async function way(locale, number) {
  const side = await visit({ locale, name: NAME, wanted: (text) => /net::ERR_/.test(text) });
  const { page, context, asked } = side;
  const words = WORDS[locale];
  const why = (what) => `${what} ${number}`;
  await check(`${locale}: an area says how it is armed and what is open, and who would order`, async () => {
    await seen(page, `${AREA}[data-mode="disarmed"]`, EXPECT_MS);
    await says(page, AREA, words.open);
    await page.click(`${AREA} summary`);
    await says(page, `${AREA} form`, words.as);
    await says(page, `${AREA} form`, `(${NAME})`);
  });
  await check(`${locale}: without a reason nothing is ordered`, async () => {
    await fill(page, { mode: 'armed_away', why: '' });
    await page.click(`${AREA} [type="submit"]`);
    await seen(page, `${AREA} [type="text"]:invalid`);
    await page.waitForTimeout(500);
    assert(!asked.some(isOrder), 'it was ordered');
  });
  await check(`${locale}: what is open keeps it from being armed, and the page says why`, async () => {
    const given = await order(side, { mode: 'armed_away', why: why('下班') });
    assert(given.why === why('下班') && given.edge === 'gate-1' && given.order.area === 'store' && !('bypass' in given.order.mode), JSON.stringify(given));
    await seen(page, `${AREA} [data-progress="refused"]`);
    await says(page, `${AREA} [data-progress]`, words.refused);
    await says(page, `${AREA} [data-progress] .raw`, 'not closed');
    await seen(page, `${AREA}[data-mode="disarmed"]`);
  });
  await check(`${locale}: it is armed without what is open, and says what is left out`, async () => {
    const count = await page.$$eval(`${AREA} [type="checkbox"]`, (boxes) => boxes.length);
    assert(count > 0, 'nothing can be left out');
    const { mode } = await obeyed(side, { mode: 'armed_away', why: why('leaving'), without: true });
    assert(mode.bypass.length === count, JSON.stringify(mode));
    await says(page, AREA, words.bypassed);
  });
  await check(`${locale}: it is armed with people inside`, () => obeyed(side, { mode: 'armed_stay', why: why('值班'), without: true }).then(() => undefined));
  await check(`${locale}: it is disarmed`, async () => {
    const { mode } = await obeyed(side, { mode: 'disarmed', why: why('opening') });
    assert(!('bypass' in mode), JSON.stringify(mode));
    assert(!(await page.textContent(AREA)).includes(words.bypassed), 'something is left out still');
  });
  await check(`${locale}: it is put into maintenance, which ends by itself`, async () => {
    const { mode } = await obeyed(side, { mode: 'maintenance', why: why('换锁'), minutes: 30 });
    assert(mode.for_s === 1800, JSON.stringify(mode));
    await says(page, AREA, words.endsIn);
  });
  await check(`${locale}: while the hub is out of reach the page does not say that it was done`, async () => {
    await context.setOffline(true);
    await seen(page, '[data-connection="reconnecting"]');
    await fill(page, { mode: 'disarmed', why: why('cut off') });
    await page.click(`${AREA} [type="submit"]`);
    await seen(page, `${AREA} [data-progress="failed"]`, EXPECT_MS);
    await says(page, `${AREA} [data-progress]`, words.unreachable);
    await seen(page, `${AREA}[data-mode="maintenance"]`);
    await context.setOffline(false);
    await seen(page, '[data-connection="live"]', 2 * UI_MS);
    // Nor is it given later, by itself.
    await page.waitForTimeout(1_000);
    const { commands } = await ask(page, 'commands?kind=set_mode&limit=50');
    assert(!commands.some((one) => one.why === why('cut off')), 'it was given by itself');
  });
  await check(`${locale}: ordered again it is done`, () => obeyed(side, { mode: 'disarmed', why: why('done') }).then(() => undefined));
  await nothingWentWrong(side, locale);
  await context.close();
}

await play(() => way('zh-CN', 1), () => way('en-GB', 2));
