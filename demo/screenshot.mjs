// Takes the README's picture of the live page while the demo runs. The link is the one the demo prints; it is used up by this.
//
//   node demo/screenshot.mjs LINK docs/images/live-page.png [en]

import { randomUUID } from 'node:crypto';
import { launch } from '../hub/ui/e2e/browser.mjs';

const [link, file, language = 'zh'] = process.argv.slice(2);
if (!file) throw new Error('usage: node demo/screenshot.mjs LINK FILE [LANGUAGE]');

const { browser, close } = await launch();
try {
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB';
  const context = await browser.newContext({
    viewport: { width: 1360, height: 850 },
    locale,
    timezoneId: 'Asia/Shanghai',
    colorScheme: 'light',
  });
  const page = await context.newPage();
  await page.goto(link);
  const password = randomUUID();
  for (const field of await page.locator('[type="password"]').all()) await field.fill(password);
  await page.keyboard.press('Enter');
  // The newest incident: what an operator looks at.
  await page.locator('[data-incident-id]').first().click({ timeout: 90_000 });
  await page.waitForTimeout(3000);
  await page.screenshot({ path: file });
} finally {
  await close();
}
