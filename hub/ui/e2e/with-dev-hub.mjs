// Runs the browser tests against dev-hub.mjs, as the tests run them against the real hub.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PASSWORD } from './people.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const hub = spawn(process.execPath, [join(here, 'dev-hub.mjs'), '--port', '0', ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((resolve, reject) => {
  hub.once('exit', (code) => reject(new Error(`dev hub ended with ${code}`)));
  createInterface({ input: hub.stdout }).on('line', (line) => {
    const found = /http:\S+/.exec(line);
    if (found) resolve(found[0]);
  });
});

const WHO = {
  GATEPOST_NAME: 'wang.li',
  GATEPOST_PASSWORD: PASSWORD,
  GATEPOST_ADMIN: 'zhao.ming',
  GATEPOST_ADMIN_PASSWORD: PASSWORD,
  GATEPOST_SECOND: 'zhou.yi',
  GATEPOST_SECOND_PASSWORD: PASSWORD,
  GATEPOST_HANDLER: 'zhao.min',
  GATEPOST_HANDLER_PASSWORD: PASSWORD,
  GATEPOST_SUPERVISOR: 'wang.li',
  GATEPOST_SUPERVISOR_PASSWORD: PASSWORD,
};
let places = 0;
/** Each at a place of its own: an alarm like the last one would join its incident. */
const alarm = (more) => void fetch(`${url}/dev/alert`, { method: 'POST', body: JSON.stringify({ zone: `place-${(places += 1)}`, ...more }) });
/** ONLY=live-page.mjs runs one of them. */
function run(script, who = {}) {
  if (process.env.ONLY && process.env.ONLY !== script) return 0;
  const test = spawn(process.execPath, [join(here, script)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_URL: url, ...WHO, ...who },
  });
  createInterface({ input: test.stdout }).on('line', (line) => {
    console.log(line);
    if (script === 'live-page.mjs' && (line === 'READY' || line === 'CUT')) void fetch(`${url}/dev/alert`, { method: 'POST' });
    // Each at a place of its own: an alarm like the last one would join its incident.
    if (script === 'incidents-page.mjs' && (line === 'READY' || line === 'AGAIN')) {
      void fetch(`${url}/dev/alert`, { method: 'POST', body: JSON.stringify({ zone: line.toLowerCase(), zone_label: line === 'READY' ? '北墙' : '花坛' }) });
    }
    if (script === 'history-page.mjs' && line === 'READY') {
      for (const zone of ['a', 'b', 'c']) void fetch(`${url}/dev/alert`, { method: 'POST', body: JSON.stringify({ zone }) });
    }
    if (['GRAVE', 'AGAIN', 'MINOR', 'OFF'].includes(line) && script === 'bell-page.mjs') alarm({ severity: line === 'MINOR' ? 3 : line === 'AGAIN' ? 2 : 1 });
    if (['shelve-page.mjs', 'cut-page.mjs'].includes(script) && ['READY', 'AGAIN', 'CUT'].includes(line)) alarm();
    if (line === 'WELL') void fetch(`${url}/dev/webhook`, { method: 'POST' });
    if (line === 'END') void fetch(`${url}/dev/end`, { method: 'POST' });
  });
  return new Promise((resolve) => test.once('exit', (code) => resolve(code ?? 1)));
}

const codes = [
  // The clip first: of what the others publish there is none.
  await run('evidence-page.mjs'),
  await run('incidents-page.mjs', { GATEPOST_NAME: 'qin.lan' }),
  await run('history-page.mjs'),
  await run('live-page.mjs'),
  await run('accounts-page.mjs'),
  await run('deletions-page.mjs', { GATEPOST_NAME: 'li.na' }),
  await run('bell-page.mjs', { GATEPOST_NAME: 'qin.lan' }),
  await run('areas-page.mjs', { GATEPOST_NAME: 'lu.yun' }),
  await run('roles-page.mjs', { GATEPOST_MAINTAINER: 'lu.yun', GATEPOST_AUDITOR: 'li.na', GATEPOST_TECHNICIAN: 'deng.kai' }),
  await run('shelve-page.mjs', { GATEPOST_NAME: 'qin.lan' }),
  await run('cut-page.mjs', { GATEPOST_NAME: 'qin.lan' }),
  await run('exports-page.mjs', { GATEPOST_NAME: 'li.na', GATEPOST_OPERATOR: 'qin.lan' }),
];
hub.kill();
process.exitCode = Math.max(...codes);
