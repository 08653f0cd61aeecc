// The page as a browser feels it: what stands still, for how long, and what it costs.

import { launch } from '../e2e/browser.mjs';
import { NAME, PASSWORD, number, say, spread } from './hub.mjs';

const PATIENCE = number('PATIENCE_S', 60) * 1_000;
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function timed(what) {
  const began = performance.now();
  await what();
  return performance.now() - began;
}

/** A supervisor at a page on a wall, signed in. */
export async function openPage(url) {
  const { browser, close } = await launch();
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  page.on('pageerror', (error) => console.log(`exception: ${error.message}`));
  await page.addInitScript(() => {
    window.blocked = [];
    new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.blocked.push(duration))).observe({ type: 'longtask', buffered: true });
  });
  const seen = (selector) => page.waitForSelector(selector, { timeout: PATIENCE });

  /** Tasks since it was last asked. */
  async function blocked(what) {
    const tasks = await page.evaluate(() => window.blocked.splice(0));
    say(`${what}: tasks longer than 50 ms`, `${tasks.length}, ${tasks.reduce((a, b) => a + b, 0).toFixed(0)} ms together, the longest ${Math.max(0, ...tasks).toFixed(0)} ms`);
  }
  async function memory(what) {
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
    say(`${what}: memory of scripts, elements`, `${(usedSize / 1e6).toFixed(0)} MB, ${nodes}`);
  }
  /** Between two frames, while `act` goes on. */
  async function frames(what, act) {
    await page.evaluate(() => {
      window.gaps = [];
      let last = performance.now();
      const frame = (now) => {
        window.gaps.push(now - last);
        last = now;
        window.framing = requestAnimationFrame(frame);
      };
      window.framing = requestAnimationFrame(frame);
    });
    await act();
    const gaps = await page.evaluate(() => (cancelAnimationFrame(window.framing), window.gaps));
    say(`${what}: between two frames`, `${spread(gaps)}, at most ${Math.max(...gaps).toFixed(0)} ms`);
  }
  /** From going to an address of the page until there are as many of something, and they are painted. */
  const shown = (hash, selector, least) =>
    page.evaluate(
      ([to, what, count]) =>
        new Promise((done) => {
          const began = performance.now();
          location.hash = to;
          const look = () => {
            if (document.querySelectorAll(what).length < count) requestAnimationFrame(look);
            else requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
          };
          requestAnimationFrame(look);
        }),
      [hash, selector, least],
    );

  await page.goto(url);
  await seen('[data-form="sign-in"]');
  await page.fill('[name="name"]', NAME);
  await page.fill('[name="password"]', PASSWORD);
  await page.keyboard.press('Enter');
  await seen('[data-list="incidents"]');
  return { page, url, patience: PATIENCE, seen, blocked, memory, frames, shown, close };
}
