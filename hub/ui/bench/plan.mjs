// What a plan costs that is as full as one can be: opened, looked at closer, changed by hand, and while what is on it changes.

import { tellHealth } from './boxes.mjs';
import { number, say, spread } from './hub.mjs';
import { sleep } from './page.mjs';

const [SITE, CAMERAS, ROUNDS] = ['school-1', 200, 10];
/** Each box every second, which is thirty times as often as they do. */
const [PER_SECOND, SECONDS] = [number('PLAN_PER_SECOND', 50), number('LIVE_S', 20)];

/** `templates`: what every box last said. */
export async function measurePlan({ page, url, patience, seen, blocked, memory, frames, shown }, templates) {
  const address = `#/plan?site=${SITE}`;
  const marks = '[data-stage="shown"] [data-item^="camera "]';
  await blocked('page: before the plan');
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await shown('#/', '[data-incident-id]', 1);
    await sleep(300);
    times.push(await shown(address, marks, CAMERAS));
  }
  say('plan: of 200 cameras, from opening to drawn', `${spread(times)} (${times.length} times)`);
  await blocked('plan: opened');
  await memory('plan: opened');

  const { x, y, width, height } = await page.locator('.frame svg').boundingBox();
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  await page.mouse.move(middleX, middleY);
  await frames('plan: closer and further', async () => {
    for (let turn = 0; turn < 60; turn += 1) {
      await page.mouse.wheel(0, turn < 30 ? -60 : 60);
      await sleep(30);
    }
  });
  await blocked('plan: closer and further');

  // Every second time round the first camera of a box is without a picture.
  const own = new Set(await page.evaluate(async (site) => (await (await fetch('/api/v1/plans')).json()).sites.find((one) => one.site === site).edges, SITE));
  const well = templates.filter(({ edge }) => own.has(edge)).map((health) => ({ ...health, cameras: health.cameras.map((one) => ({ ...one, state: { name: 'streaming' } })) }));
  const ill = well.map((health) => ({ ...health, cameras: health.cameras.map((one, n) => (n === 0 ? { ...one, state: { name: 'faulted', reason: 'it cannot be reached' } } : one)) }));
  await tellHealth(well, 50, 2);
  // Boxes that are offline stay so, whatever is said of them.
  const waiting = '[data-item^="camera "]:not([data-condition="well"], [data-condition="offline"])';
  await page.waitForFunction((selector) => document.querySelector(selector) === null, waiting, { timeout: patience });
  await page.evaluate(() => {
    window.changed = 0;
    new MutationObserver((list) => (window.changed += list.length)).observe(document.querySelector('.frame svg'), { subtree: true, attributeFilter: ['data-condition'] });
  });
  let sent = 0;
  await frames(`plan: ${PER_SECOND} boxes of it a second report`, async () => (sent = await tellHealth([...ill, ...well], PER_SECOND, SECONDS)));
  say('plan: reports, changes of a state on it', `${sent}, ${await page.evaluate(() => window.changed)}`);
  await blocked('plan: reports');
  await memory('plan: afterwards');

  await page.click('[data-edit-plan]');
  await seen('[data-tool="choose"] [data-item^="camera "]');
  await sleep(500);
  await blocked('plan: begun to change');
  const from = await page.locator('[data-tool="choose"] [data-item^="camera "] .body').nth(105).boundingBox();
  const [fromX, fromY] = [from.x + from.width / 2, from.y + from.height / 2];
  await page.mouse.move(fromX, fromY);
  await page.mouse.down();
  await frames('plan: dragging a camera', async () => {
    for (let step = 0; step < 150; step += 1) {
      await page.mouse.move(fromX + 200 * Math.sin(step / 15), fromY + 100 * Math.sin(step / 10));
      await sleep(16);
    }
  });
  await page.mouse.up();
  await blocked('plan: dragging a camera');
  await page.click('[data-ask-for="discard"]');
  await page.click('[data-yes="discard"]');
  await page.goto(`${url}/#/`);
}
