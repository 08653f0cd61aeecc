// Saying what an alarm's pictures are looked at for, in the panel that is open.

export const PURPOSE = 'the browser test / 浏览器测试';

export async function sayPurpose(page, timeout) {
  await page.waitForSelector('[data-panel] [data-gate="reason"]', { timeout });
  await page.selectOption('[data-panel] [name="reason"]', 'follow_up');
  await page.fill('[data-panel] [name="purpose"]', PURPOSE);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-panel] [data-gate]', { state: 'detached', timeout });
}
