// What the page costs at the size of a district: in Debian's chromium, against a real hub on a filled database.
//
//     GATEPOST_HUB=target/release/gatepost-hub node bench/measure.mjs FOLDER
//
// FOLDER is made where there is none: a hub's data, filled by fill.py (some minutes, 2.2 GB). Boxes' health comes over mosquitto, from one
// client for all, at LIVE_PER_SECOND (333: each of 10,000 boxes every 30 s) for LIVE_S seconds. DEVICES and INCIDENTS say how many there are,
// ONLY which of hub, page, plots and plan are measured.

import { startBroker, tellHealth } from './boxes.mjs';
import { fill, healthOfAll, number, say, signIn, spread, startHub } from './hub.mjs';
import { openPage, sleep, timed } from './page.mjs';
import { measurePlan } from './plan.mjs';
import { measurePlots } from './plots.mjs';

const [LIVE_PER_SECOND, LIVE_S] = [number('LIVE_PER_SECOND', 333), number('LIVE_S', 20)];
/** ONLY=plots,plan measures those. */
const wanted = (part) => !process.env.ONLY || process.env.ONLY.split(',').includes(part);

let cookie = '';
const ask = async (url, path) => {
  const answer = await fetch(url + path, { headers: { cookie } });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${body}`);
  return body;
};

/** How soon the hub answers, asked one after the other. */
async function measureHub(url) {
  for (const [what, path, pages] of [
    ['open ones, all', '/api/v1/incidents?open=true&limit=50', 20],
    ['all, from the newest', '/api/v1/incidents?limit=50', 200],
    ['closed', '/api/v1/incidents?open=false&limit=50', 50],
    ['of one box', '/api/v1/incidents?edge=gate-777&limit=50', 5],
    ['of a stage that few are in', '/api/v1/incidents?stage=evaluated&limit=50', 2],
    ['single alarms', '/api/v1/alerts?limit=50', 50],
    ...(process.env.SEARCH ? JSON.parse(process.env.SEARCH) : []).map((query) => [query, `/api/v1/incidents?limit=50&${query}`, 20]),
  ]) {
    const times = [];
    let next = null;
    do {
      const full = next === null ? path : `${path}&before=${encodeURIComponent(next)}`;
      times.push(await timed(async () => (next = JSON.parse(await ask(url, full)).next)));
    } while (next !== null && times.length < pages);
    say(`hub: ${what}`, `${spread(times)} (${times.length} pages)`);
  }
  let bytes = 0;
  const took = await timed(async () => (bytes = (await ask(url, '/api/v1/devices')).length));
  say('hub: devices, the first answer', `${took.toFixed(0)} ms, ${(bytes / 1e6).toFixed(1)} MB`);
  for (const days of [1, 7, 30, 90]) say(`hub: figures of ${days} days`, `${(await timed(() => ask(url, `/api/v1/incident-figures?days=${days}`))).toFixed(0)} ms`);
}

async function measurePage({ page, url, patience, seen, blocked, memory, frames }) {
  const first = [];
  const devices = [];
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    await page.goto('about:blank');
    await page.goto(url, { waitUntil: 'commit' });
    await seen('[data-incident-id]');
    first.push(performance.now() - began);
    await seen('[data-edge]');
    devices.push(performance.now() - began);
  }
  say('page: first list of incidents', spread(first));
  say('page: first device', spread(devices));
  await sleep(5_000);
  await blocked('page: loading');
  await memory('page: loaded');

  const wheel = async (selector) => {
    await page.hover(selector);
    for (let turn = 0; turn < 40; turn += 1) {
      await page.mouse.wheel(0, 700);
      await sleep(50);
    }
  };
  await frames('page: scrolling the open ones', () => wheel('[data-list="incidents"]'));
  await blocked('page: scrolling the open ones');
  await frames('page: scrolling the devices', () => wheel('.devices'));
  await blocked('page: scrolling the devices');

  const all = await timed(async () => {
    await page.click('[data-show="all"]');
    await seen('.tail button:not([disabled])');
  });
  say('page: filter: all', `${all.toFixed(0)} ms`);
  // Only what is near the screen is drawn.
  const length = () => page.$eval('[data-list="incidents"]', (list) => Number(list.dataset.length));
  const paging = [];
  for (let n = 0; n < 8; n += 1) {
    const before = await length();
    paging.push(
      await timed(async () => {
        await page.click('.tail button:not([disabled])');
        await page.waitForFunction((count) => Number(document.querySelector('[data-list="incidents"]')?.dataset.length) > count, before, { timeout: patience });
      }),
    );
  }
  say('page: 50 older ones', `${spread(paging)} (${paging.length} times)`);
  const byStage = await timed(async () => {
    await page.selectOption('[name="stage"]', 'evaluated');
    await seen('[data-empty="incidents"], [data-stage="evaluated"]');
  });
  say('page: filter: a stage that few are in', `${byStage.toFixed(0)} ms`);
  await page.goto(`${url}/#/history`);
  await seen('[data-list="history"]');
  const narrow = await timed(async () => {
    await page.selectOption('[name="outcome"]', 'false_alarm rule');
    await page.waitForFunction(() => location.hash.includes('reason=rule') && document.querySelector('[data-list="history"]'), undefined, { timeout: patience });
  });
  say('page: search: a reason that is rare', `${narrow.toFixed(0)} ms`);
  const nothing = await timed(async () => {
    await page.selectOption('[name="kind"]', 'sensor_fault');
    await seen('[data-empty="history"]');
  });
  say('page: search: nothing in all of them', `${nothing.toFixed(0)} ms`);
  const report = await timed(async () => {
    await page.goto(`${url}/#/report?hours=12`);
    await seen('[data-report]');
  });
  say('page: report of 12 hours', `${report.toFixed(0)} ms`);
  await page.goto(`${url}/#/`);
  await seen('[data-incident-id]');
  await page.evaluate(() => window.blocked.splice(0));

  const templates = await healthOfAll(url, cookie);
  let sent = 0;
  await frames(`page: ${LIVE_PER_SECOND} boxes a second report`, async () => (sent = await tellHealth(templates, LIVE_PER_SECOND, LIVE_S)));
  await blocked(`page: ${sent} reports`);
  await sleep(2_000);
  await memory('page: afterwards');
}

const broker = await startBroker();
let hub;
let view;
try {
  await fill();
  const started = await startHub();
  hub = started.hub;
  cookie = await signIn(started.url);
  if (wanted('hub')) await measureHub(started.url);
  view = await openPage(started.url);
  if (wanted('page')) await measurePage(view);
  if (wanted('plots')) await measurePlots(view);
  if (wanted('plan')) await measurePlan(view, await healthOfAll(started.url, cookie));
} finally {
  await view?.close();
  hub?.kill();
  broker.kill();
}
