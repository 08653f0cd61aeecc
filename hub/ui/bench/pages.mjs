// Many live pages at once: how late they hear of what boxes say, and whether all of them hear all of it.
//
//     GATEPOST_HUB=target/release/gatepost-hub node bench/pages.mjs FOLDER
//
// PAGES streams (2,000) are opened, then boxes report at PAGES_PER_SECOND (3) for PAGES_S (20) seconds. FOLDER as for measure.mjs.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { startBroker, tellHealth } from './boxes.mjs';
import { fill, healthOfAll, number, say, signIn, spread, startHub } from './hub.mjs';

const PAGES = number('PAGES', 2_000);
const [PER_SECOND, SECONDS] = [number('PAGES_PER_SECOND', 3), number('PAGES_S', 20)];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const agent = new http.Agent({ maxSockets: Infinity });
const heard = { opened: 0, ended: 0, reports: 0, resets: 0, late: [] };

function open(url, cookie) {
  const request = http.get(`${url}/api/v1/live`, { agent, headers: { cookie } }, (response) => {
    heard.opened += 1;
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text) => {
      const messages = (rest + text).split('\n\n');
      rest = messages.pop() ?? '';
      for (const message of messages) {
        if (message.includes('event: reset')) heard.resets += 1;
        if (!message.includes('event: device')) continue;
        heard.reports += 1;
        const told = /"time":"([^"]+)"/.exec(message);
        if (told) heard.late.push(Date.now() - Date.parse(told[1]));
      }
    });
    response.on('end', () => (heard.ended += 1));
  });
  request.on('error', () => (heard.ended += 1));
}

const broker = await startBroker();
let hub;
let lost = false;
try {
  await fill();
  const started = await startHub();
  hub = started.hub;
  const cookie = await signIn(started.url);
  const templates = await healthOfAll(started.url, cookie);
  const began = Date.now();
  for (let n = 0; n < PAGES; n += 1) {
    open(started.url, cookie);
    if (n % 50 === 49) await sleep(20);
  }
  while (heard.opened + heard.ended < PAGES && Date.now() - began < 60_000) await sleep(50);
  say('pages opened', `${heard.opened} of ${PAGES} in ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  const sent = await tellHealth(templates, PER_SECOND, SECONDS);
  await sleep(5_000);
  say('reports heard', `${heard.reports} of ${sent * PAGES}; told to load anew ${heard.resets} times, ended ${heard.ended}`);
  say('from a box to a page', spread(heard.late));
  say("hub's memory", `${/VmRSS:\s*(.*)/.exec(readFileSync(`/proc/${hub.pid}/status`, 'utf8'))?.[1]}`);
  lost = heard.reports !== sent * PAGES;
} finally {
  hub?.kill();
  broker.kill();
}
process.exit(lost ? 1 : 0);
