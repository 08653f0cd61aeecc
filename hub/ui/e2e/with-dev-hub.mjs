// Runs live-page.mjs against dev-hub.mjs, as the hub's own test runs it against the real hub.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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

const test = spawn(process.execPath, [join(here, 'live-page.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, GATEPOST_URL: url },
});
createInterface({ input: test.stdout }).on('line', (line) => {
  console.log(line);
  if (line === 'READY' || line === 'CUT') void fetch(`${url}/dev/alert`, { method: 'POST' });
});
test.once('exit', (code) => {
  hub.kill();
  process.exitCode = code ?? 1;
});
