// Lists taken away as files, in a real browser against a running hub: what a click brings is what the page lists. README.md says how it is
// driven.
//
// Prints one line per check (`ok …` / `FAILED …`) and DONE. Exits with 0 when every check held.

import { readFileSync } from 'node:fs';
import { assert, check } from './check.mjs';
import { NAME } from './sign-in.mjs';
import { UI_MS, ask, go, nothingWentWrong, play, says, seen, somebody, visit } from './visitor.mjs';

/** Who sees the same lists, and may not take them away. */
const OPERATOR = somebody('GATEPOST_OPERATOR', 'somebody has to be without the links');

const WORDS = {
  'zh-CN': { csv: '导出 (CSV)', taken: '导出列表' },
  'en-GB': { csv: 'Export (CSV)', taken: 'List exported' },
};

/** RFC 4180, as objects by the names of the first line. */
function readCsv(text) {
  assert(text.startsWith('\ufeff'), 'no byte order mark: Excel would not read Chinese');
  const rows = [[]];
  let quoted = false;
  let cell = '';
  const end = () => {
    rows.at(-1).push(cell);
    cell = '';
  };
  for (let at = 1; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"' && quoted && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (letter === '"') {
      quoted = !quoted;
    } else if (letter === ',' && !quoted) {
      end();
    } else if (letter === '\r' && text[at + 1] === '\n' && !quoted) {
      end();
      rows.push([]);
      at += 1;
    } else {
      cell += letter;
    }
  }
  const last = rows.pop();
  assert(last.length === 0 && cell === '', `the last line has no end: ${last.join()}${cell}`);
  const [names, ...lines] = rows;
  assert(lines.every((line) => line.length === names.length), 'a line has not as many cells as there are names');
  return lines.map((line) => Object.fromEntries(names.map((name, column) => [name, line[column]])));
}

async function download(page, list, format) {
  const [file] = await Promise.all([page.waitForEvent('download', { timeout: UI_MS }), page.click(`[data-export="${format}"]`)]);
  const name = file.suggestedFilename();
  assert(new RegExp(`^gatepost-${list}-\\d{4}-\\d\\d-\\d\\d-\\d{4}-\\d\\d-\\d\\d\\.${format}$`).test(name), `the file is called ${name}`);
  return readFileSync(await file.path(), 'utf8');
}

/** Everything the hub lists for this person, page after page. */
async function all(page, list) {
  const found = [];
  for (let before = null; ; ) {
    const answer = await ask(page, `${list}?limit=200${before === null ? '' : `&before=${before}`}`);
    found.push(...answer[list]);
    before = answer.next;
    if (before === null) return found;
  }
}

/** Where it was, as a row says it. */
const placeOf = (line) => line.camera_label || line.camera || line.sensor_label || line.sensor || line.edge;

/** Both files have the same lines, those that the hub lists; the rows are the newest of them. `time` orders them, `read`: what a row says of one. */
async function exported(page, list, time, rows, read) {
  const shown = await page.$$eval(rows, read);
  assert(shown.length > 0, 'nothing is listed');
  const csv = readCsv(await download(page, list, 'csv'));
  const json = JSON.parse(await download(page, list, 'json'));
  const listed = await all(page, list);
  assert(json.map(({ id }) => id).join() === listed.map(({ id }) => id).join(), `${json.length} objects, listed are ${listed.length}`);
  assert(csv.map(({ id }) => id).join() === json.map(({ id }) => id).join(), `${csv.length} lines, ${json.length} objects`);
  for (const file of [csv, json]) {
    const lines = shown.map(({ id }) => file.find((line) => line.id === id));
    for (const [at, row] of shown.entries()) {
      assert(lines[at], `no line of ${row.id}`);
      const told = { ...lines[at], place: placeOf(lines[at]) };
      for (const [name, value] of Object.entries(row)) assert(String(told[name]) === value, `${row.id}: ${name} is "${told[name]}", the row says "${value}"`);
    }
    // What came within one millisecond may stand either way.
    const times = lines.map((line) => Date.parse(line[time]));
    assert(times.every((one, at) => at === 0 || one <= times[at - 1]), 'the rows have another order');
    const newer = file.filter((line) => Date.parse(line[time]) > times.at(-1));
    assert(newer.every(({ id }) => shown.some((row) => row.id === id)), 'a line has no row');
  }
  return `${shown.length} rows of ${csv.length} lines`;
}

async function way(locale) {
  const words = WORDS[locale];
  const side = await visit({ locale, name: NAME });
  const { page } = side;
  await check(`${locale}: incidents are taken away as they are listed`, async () => {
    await go(page, '#/?show=all', '[data-list="incidents"] [data-incident-id]');
    await says(page, '[data-export="csv"]', words.csv);
    return exported(page, 'incidents', 'opened', '[data-list="incidents"] [data-incident-id]', (rows) =>
      rows.map((row) => ({
        id: row.dataset.incidentId,
        number: row.querySelector('.number').textContent.replace('#', ''),
        severity: /severity-(\d)/.exec(row.className)[1],
        stage: row.dataset.stage,
        place: row.querySelector('.place .clamped').textContent,
      })),
    );
  });
  await check(`${locale}: alerts are taken away as they are listed`, async () => {
    await go(page, '#/alerts', '[data-list="alerts"] [data-alert-id]');
    return exported(page, 'alerts', 'began', '[data-list="alerts"] [data-alert-id]', (rows) =>
      rows.map((row) => ({
        id: row.dataset.alertId,
        severity: /severity-(\d)/.exec(row.className)[1],
        place: row.querySelector('.place .clamped').textContent,
      })),
    );
  });
  await check(`${locale}: that they were taken is written down`, async () => {
    await go(page, '#/access-log', '[data-list="access-log"] [data-action="exported"]');
    const taken = await page.$$eval('[data-action="exported"]', (rows) => rows.slice(0, 4).map((row) => row.textContent));
    for (const file of ['alerts.json', 'alerts.csv', 'incidents.json', 'incidents.csv']) {
      assert(taken.some((row) => row.includes(file) && row.includes(NAME) && row.includes(words.taken)), `nothing of ${file}: ${taken.join(' | ')}`);
    }
  });
  await nothingWentWrong(side, locale);
  await side.context.close();

  const operator = await visit({ locale, name: OPERATOR, wanted: (text, url) => /403/.test(text) && /\/exports\//.test(url) });
  await check(`${locale}: who may not take them away has no links, and the hub refuses them`, async () => {
    await seen(operator.page, '[data-list="incidents"]');
    assert((await operator.page.$('[data-export]')) === null, 'incidents have links');
    await go(operator.page, '#/alerts', '[data-list="alerts"]');
    assert((await operator.page.$('[data-export]')) === null, 'alerts have links');
    for (const list of ['alerts', 'incidents']) {
      const status = await operator.page.evaluate(async (what) => (await fetch(`/api/v1/exports/${what}?format=csv`)).status, list);
      assert(status === 403, `${list}: ${status}`);
    }
  });
  await nothingWentWrong(operator, `${locale}, without the links`);
  await operator.context.close();
}

await play(() => way('zh-CN'), () => way('en-GB'));
