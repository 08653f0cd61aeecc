// Fingers on a touch screen, as the browser itself hears them: not made-up events of a script.

const STEPS = 12;
const FRAME_MS = 16;

const between = ([x, y], [toX, toY], part) => [x + (toX - x) * part, y + (toY - y) * part];

/** Each finger goes down, in its turn, where it begins; then all move together to where they end. */
export async function swipe(page, ...fingers) {
  const cdp = await page.context().newCDPSession(page);
  const send = (type, places) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: places.map(([x, y], id) => ({ x, y, id })) });
  const begins = fingers.map(([from]) => from);
  for (let down = 1; down <= fingers.length; down += 1) await send('touchStart', begins.slice(0, down));
  for (let step = 1; step <= STEPS; step += 1) {
    await send('touchMove', fingers.map(([from, to]) => between(from, to, step / STEPS)));
    await page.waitForTimeout(FRAME_MS);
  }
  await send('touchEnd', []);
  await cdp.detach();
}
