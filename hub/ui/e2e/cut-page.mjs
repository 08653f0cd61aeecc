// The network is cut in the middle of an incident, in real browsers against a running hub: nothing is lost in silence, nothing is done
// twice, and what happened meanwhile is there afterwards. README.md says how it is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks READY, CUT and DONE, each on a line of its own. Exits with 0 when every
// check held.

import { assert, check } from './check.mjs';
import { NAME } from './sign-in.mjs';
import { EXPECT_MS, UI_MS, ask, gone, incidentIds, newIncident, nothingWentWrong, play, says, seen, somebody, visit } from './visitor.mjs';

/** Somebody at another place, whose network holds. */
const OTHER = somebody('GATEPOST_SUPERVISOR', 'nobody else could do anything meanwhile');

const WORDS = {
  'zh-CN': { lost: '与中心的连接已断开', unsure: '不能确定是否已生效', notConfirmed: '没有确认', done: '已记录。' },
  'en-GB': { lost: 'The connection to the hub is lost', unsure: 'it is not certain whether this was done', notConfirmed: 'is not confirmed', done: 'Recorded.' },
};
const rowAt = (id, stage) => `[data-incident-id="${id}"]${stage ? `[data-stage="${stage}"]` : ''}`;
const NOTE = '[data-form="note"]';
const connected = (page, state) => seen(page, `[data-connection="${state}"]`, 2 * UI_MS);
/** Of the hub's own timeline. */
const stepsOf = async (page, id) => (await ask(page, `incidents/${id}/timeline`)).steps;
const notes = async (page, id, text) => (await stepsOf(page, id)).filter((step) => step.action === 'note' && step.text === text).length;

/** In the page, before anything of it: the hub may do what it is asked for, and its answer get lost. */
function lossy() {
  const { fetch } = window;
  window.losesAnswers = false;
  window.fetch = async (path, init) => {
    const answer = await fetch(path, init);
    if (window.losesAnswers && /\/steps$/.test(String(path))) throw new TypeError('the answer was lost');
    return answer;
  };
}

async function way(locale) {
  const words = WORDS[locale];
  // The browser itself notes each request that fails while the network is cut.
  const side = await visit({ locale, name: NAME, prepare: [lossy], wanted: (text) => /net::ERR_/.test(text) });
  const { page, context } = side;
  const other = await visit({ locale: 'en-GB', name: OTHER });
  for (const one of [page, other.page]) await seen(one, '[data-list="incidents"], [data-empty="incidents"]');
  const known = await incidentIds(page);
  console.log('READY');
  let id;
  const came = await check(`${locale}: an incident comes, and somebody begins to write`, async () => {
    id = await newIncident(page, known);
    await seen(other.page, rowAt(id, 'reported'));
    await page.focus(rowAt(id));
    await page.keyboard.press('n');
    await seen(page, NOTE);
    await page.fill(`${NOTE} [name="text"]`, `门开着 ${locale}`);
  });
  if (!came) throw new Error('without an incident there is nothing to do');
  const listed = await incidentIds(page);

  await context.setOffline(true);
  await check(`${locale}: cut off the page says so, and shows what it knew`, async () => {
    await connected(page, 'reconnecting');
    await says(page, '.lost[role="alert"]', words.lost);
    assert((await incidentIds(page)).join() === listed.join(), 'the list is another');
  });
  await check(`${locale}: what is sent now is not said to be done, and what was written stays`, async () => {
    await page.focus(`${NOTE} [name="text"]`);
    await page.keyboard.press('Control+Enter');
    await says(page, `${NOTE} [role="alert"]`, words.unsure);
    assert((await page.inputValue(`${NOTE} [name="text"]`)) === `门开着 ${locale}`, 'the text is gone');
    await page.focus(rowAt(id));
    await page.keyboard.press('a');
    await says(page, '[data-said]', words.notConfirmed);
    await says(page, '[data-said]', words.unsure);
    await seen(page, rowAt(id, 'reported'));
  });
  console.log('CUT');
  let missed;
  await check(`${locale}: meanwhile another comes, and somebody else looks at the first`, async () => {
    missed = await newIncident(other.page, [...known, id]);
    await other.page.focus(rowAt(id));
    await other.page.keyboard.press('a');
    await seen(other.page, rowAt(id, 'triaged'));
    await page.waitForTimeout(2_000);
    assert((await incidentIds(page)).join() === listed.join(), 'it came: the network was not cut');
    await seen(page, rowAt(id, 'reported'));
  });

  await context.setOffline(false);
  await check(`${locale}: restored, what happened meanwhile is there by itself`, async () => {
    await connected(page, 'live');
    await gone(page, '.lost');
    await seen(page, rowAt(missed, 'reported'), EXPECT_MS);
    await seen(page, rowAt(id, 'triaged'), EXPECT_MS);
  });
  await check(`${locale}: what could not be sent was neither sent by itself nor lost, and goes once when it is sent again`, async () => {
    await page.waitForTimeout(1_500);
    assert((await notes(other.page, id, `门开着 ${locale}`)) === 0, 'it was sent by itself');
    assert((await page.inputValue(`${NOTE} [name="text"]`)) === `门开着 ${locale}`, 'the text is gone');
    await page.focus(`${NOTE} [name="text"]`);
    await page.keyboard.press('Control+Enter');
    await gone(page, NOTE);
    await says(page, '[data-panel] [data-actions]', words.done);
    assert((await notes(other.page, id, `门开着 ${locale}`)) === 1, 'it is there not once');
    const triages = (await stepsOf(other.page, id)).filter(({ action }) => action === 'triage');
    assert(triages.length === 1 && triages[0].who.includes(`(${OTHER})`), JSON.stringify(triages));
  });
  await check(`${locale}: a step that was done while its answer got lost is found to be done, and not asked for again`, async () => {
    await page.click('[data-choice="note"]');
    await page.fill(`${NOTE} [name="text"]`, `锁好了 ${locale}`);
    await page.evaluate(() => (window.losesAnswers = true));
    await page.keyboard.press('Control+Enter');
    await page.waitForFunction((text) => [...document.querySelectorAll('[data-step="note"]')].some((step) => step.textContent.includes(text)), `锁好了 ${locale}`, { timeout: UI_MS });
    await page.evaluate(() => (window.losesAnswers = false));
    await gone(page, NOTE);
    await says(page, '[data-panel] [data-actions]', words.done);
    assert((await notes(other.page, id, `锁好了 ${locale}`)) === 1, 'it is there not once');
  });
  await check(`${locale}: acknowledged while the answer got lost, it is confirmed once`, async () => {
    await page.evaluate(() => (window.losesAnswers = true));
    await page.focus(rowAt(missed));
    await page.keyboard.press('a');
    await seen(page, rowAt(missed, 'triaged'));
    await page.evaluate(() => (window.losesAnswers = false));
    await page.focus(rowAt(missed));
    await page.keyboard.press('a');
    await page.waitForTimeout(1_000);
    const triages = (await stepsOf(other.page, missed)).filter(({ action }) => action === 'triage');
    assert(triages.length === 1 && triages[0].who.includes(`(${NAME})`), JSON.stringify(triages));
  });
  await nothingWentWrong(side, locale);
  await nothingWentWrong(other, `${locale}, the other`);
  await context.close();
  await other.context.close();
}

await play(() => way('zh-CN'), () => way('en-GB'));
