// Signing in as a person does.

const UI_MS = 15_000;

/** Somebody who sees alerts and devices, sets modes and asks for originals. */
export const NAME = process.env.GATEPOST_NAME;
export const PASSWORD = process.env.GATEPOST_PASSWORD;
if (!NAME || !PASSWORD) {
  console.error('GATEPOST_NAME and GATEPOST_PASSWORD are not set: somebody has to sign in');
  process.exit(2);
}

/** The browser notes the hub's answer to "who is here?" as an error; it is none. */
export const isSignedOutNote = (text, url) => /\/api\/v1\/session$/.test(url) && /401/.test(text);

export async function signIn(page, name = NAME, password = PASSWORD) {
  await page.waitForSelector('[data-form="sign-in"]', { timeout: UI_MS });
  await page.fill('[name="name"]', name);
  await page.fill('[name="password"]', password);
  await page.keyboard.press('Enter');
}

export const signedIn = (page, name = NAME) => page.waitForSelector(`[data-person="${name}"]`, { timeout: UI_MS });

/** Whoever watches incidents has the single alarms on a page of their own. */
export async function toAlerts(page) {
  const link = await page.$('[data-to="alerts"]');
  if (link) await link.click();
}
