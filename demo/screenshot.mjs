// Takes the README's picture of the live page while the demo runs:
//
//   node demo/screenshot.mjs http://127.0.0.1:8080 docs/images/live-page.png [en]

import { launch } from '../hub/ui/e2e/browser.mjs';

const [address, file, language = 'zh'] = process.argv.slice(2);
if (!file) throw new Error('usage: node demo/screenshot.mjs ADDRESS FILE [LANGUAGE]');

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
  await page.goto(address);
  // The newest alert with its picture: what an operator looks at.
  await page.locator('main img').first().waitFor({ timeout: 90_000 });
  await page.waitForTimeout(1500);
  await page.screenshot({ path: file });
} finally {
  await close();
}
