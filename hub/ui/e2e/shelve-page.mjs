// An incident that is put aside, taken back, and given back by who was to go: in real browsers against a running hub. README.md says how it
// is driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and the marks READY, AGAIN and DONE, each on a line of its own. Exits with 0 when every
// check held.

import { assert, check } from './check.mjs';
import { NAME } from './sign-in.mjs';
import { UI_MS, ask, gone, incidentIds, newIncident, nothingWentWrong, play, says, seen, somebody, visit } from './visitor.mjs';

/** Who is to go and look. */
const HANDLER = somebody('GATEPOST_HANDLER', 'nobody could give an incident back');

const WORDS = {
  'zh-CN': { noText: '请填写说明。', shelved: '搁置到', unshelved: '取消搁置', returned: '退单', triaged: '待派单' },
  'en-GB': { noText: 'Write something.', shelved: 'shelved it until', unshelved: 'took it off the shelf', returned: 'returned it', triaged: 'To be assigned' },
};
const HOUR_MS = 3_600_000;
const rowAt = (id, stage) => `[data-list="incidents"] [data-incident-id="${id}"]${stage ? `[data-stage="${stage}"]` : ''}`;
const onShelf = (id) => `[data-list="shelved"] [data-incident-id="${id}"]`;
const shelved = (page) => page.$eval('[data-shelf]', (shelf) => Number(shelf.dataset.shelf)).catch(() => 0);
const grave = (page) => page.$eval('[data-grave]', (call) => Number(call.dataset.grave)).catch(() => 0);
const shut = async (page) => {
  await page.keyboard.press('Escape');
  await gone(page, '[data-panel]');
};

/** The last of its kind in the timeline: by whom, and in which words. */
async function step(page, action, ...words) {
  await seen(page, `[data-step="${action}"]`);
  const said = await page.$$eval(`[data-step="${action}"]`, (all) => all.at(-1).textContent);
  for (const word of words) assert(said.includes(word), `"${word}" is not in "${said}"`);
}

async function way(locale, mark) {
  const other = locale === 'zh-CN' ? 'en-GB' : 'zh-CN';
  const operator = await visit({ locale, name: NAME });
  const handler = await visit({ locale: other, name: HANDLER });
  const { page } = operator;
  const words = WORDS[locale];
  await seen(page, '[data-list="incidents"], [data-empty="incidents"]');
  await seen(handler.page, '[data-show="mine"][aria-current]');
  const known = await incidentIds(page);
  const [shelfBefore, graveBefore] = [await shelved(page), await grave(page)];
  console.log(mark);

  let id;
  const came = await check(`${locale}: a grave incident comes, and calls`, async () => {
    id = await newIncident(page, known);
    await page.waitForFunction((before) => Number(document.querySelector('[data-grave]')?.dataset.grave) === before + 1, graveBefore, { timeout: UI_MS });
  });
  if (!came) throw new Error('without an incident there is nothing to do');
  await check(`${locale}: it is not put aside without words`, async () => {
    await page.focus(rowAt(id));
    await page.keyboard.press('s');
    await seen(page, '[data-form="shelve"]');
    await page.keyboard.press('Control+Enter');
    await says(page, '[data-form="shelve"] [role="alert"]', words.noText);
  });
  await check(`${locale}: it is put aside with an end and a reason, from the keyboard`, async () => {
    await page.check('[data-form="shelve"] [name="minutes"][value="240"]');
    await page.fill('[data-form="shelve"] [name="text"]', `施工到下午 ${mark}`);
    await page.keyboard.press('Control+Enter');
    await gone(page, '[data-form="shelve"]');
    const { shelved_until: until } = await ask(page, `incidents/${id}`);
    const left = Date.parse(until) - Date.now();
    assert(Math.abs(left - 4 * HOUR_MS) < 60_000, `until ${until}`);
    const clock = await page.evaluate((end) => new Date(end).toTimeString().slice(0, 5), until);
    await step(page, 'shelve', words.shelved, clock, `施工到下午 ${mark}`, `(${NAME})`);
    await says(page, '[data-panel] .facts', clock);
  });
  await check(`${locale}: it has left the list, calls no more, and lies on the shelf`, async () => {
    await shut(page);
    await gone(page, rowAt(id));
    assert((await shelved(page)) === shelfBefore + 1, `${await shelved(page)} on the shelf`);
    assert((await grave(page)) === graveBefore, `${await grave(page)} call`);
    await page.click('[data-shelf] summary');
    await seen(page, onShelf(id));
  });
  await check(`${locale}: one press takes it off the shelf, and it calls again`, async () => {
    await page.focus(onShelf(id));
    await page.keyboard.press('Enter');
    await seen(page, `[data-panel="${id}"] [data-choice="unshelve"]`);
    await page.click('[data-choice="unshelve"]');
    await step(page, 'unshelve', words.unshelved, `(${NAME})`);
    await seen(page, rowAt(id, 'reported'));
    await gone(page, onShelf(id));
    assert((await shelved(page)) === shelfBefore && (await grave(page)) === graveBefore + 1, 'the counts are wrong');
    assert((await page.$('[data-choice="unshelve"]')) === null, 'it can be taken off once more');
    assert((await ask(page, `incidents/${id}`)).shelved_until === null, 'the hub has it on the shelf still');
  });

  await check(`${locale}: it is given to somebody`, async () => {
    await page.click('[data-choice="assign"]');
    await page.check(`[name="to"][value="${HANDLER}"]`);
    await page.click('[data-form="assign"] [type="submit"]');
    await seen(page, rowAt(id, 'assigned'));
  });
  await check(`${other}: they give it back, and have to say why`, async () => {
    await seen(handler.page, rowAt(id, 'assigned'));
    await handler.page.click(rowAt(id));
    await seen(handler.page, '[data-choice="return"]');
    await handler.page.click('[data-choice="return"]');
    await handler.page.click('[data-form="return"] [type="submit"]');
    await says(handler.page, '[data-form="return"] [role="alert"]', WORDS[other].noText);
    assert((await ask(page, `incidents/${id}`)).stage === 'assigned', 'it was given back without words');
    await handler.page.fill('[data-form="return"] [name="text"]', `I am at the other gate ${mark}`);
    await handler.page.click('[data-form="return"] [type="submit"]');
    await step(handler.page, 'return', WORDS[other].returned, `I am at the other gate ${mark}`, `(${HANDLER})`);
    await shut(handler.page);
    await gone(handler.page, rowAt(id));
  });
  await check(`${locale}: who gave it out reads why, and it waits for somebody else`, async () => {
    await seen(page, rowAt(id, 'triaged'));
    await says(page, `${rowAt(id)} .stage`, words.triaged);
    await step(page, 'return', words.returned, `I am at the other gate ${mark}`, `(${HANDLER})`);
    assert((await page.$(`${rowAt(id)} .who`)) === null, 'the list names somebody still');
    assert((await ask(page, `incidents/${id}`)).assignee === null, 'the hub names somebody still');
  });
  await check(`${locale}: the hub keeps all of it, once and in order`, async () => {
    const { steps } = await ask(page, `incidents/${id}/timeline`);
    const wanted = ['open', 'shelve', 'unshelve', 'assign', 'return'];
    const done = steps.map(({ action }) => action).filter((action) => wanted.includes(action));
    assert(done.join() === wanted.join(), done.join());
  });
  await nothingWentWrong(operator, locale);
  await nothingWentWrong(handler, other);
  await operator.context.close();
  await handler.context.close();
}

await play(() => way('zh-CN', 'READY'), () => way('en-GB', 'AGAIN'));
