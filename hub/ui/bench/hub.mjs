// A real hub on a database of the size of a district, filled once.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BROKER } from './boxes.mjs';

const HUB = process.env.GATEPOST_HUB;
const folder = process.argv[2];
if (!HUB || !folder) {
  console.error(`usage: GATEPOST_HUB=PROGRAM node ${process.argv[1]} FOLDER`);
  process.exit(2);
}
export const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
export const [NAME, PASSWORD] = ['wang.li', 'open the gate please'];

const home = resolve(folder);
const config = join(home, 'hub.toml');

export async function startHub() {
  const hub = spawn(HUB, ['run', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = await new Promise((found, failed) => {
    hub.once('exit', (code) => failed(new Error(`the hub ended with ${code}`)));
    createInterface({ input: hub.stderr }).on('line', (line) => {
      const at = /web listening.*address=(http:\S+)/.exec(line.replace(/\u001b\[[0-9;]*m/g, ''));
      if (at) found(at[1]);
    });
  });
  return { hub, url };
}

/** Where there is no data yet it is made: DEVICES boxes and INCIDENTS incidents. */
export async function fill() {
  mkdirSync(home, { recursive: true });
  const broker = `[broker]\nmode = "external"\nurl = "mqtt://127.0.0.1:${BROKER}"\n`;
  writeFileSync(config, `data_dir = "data"\n[log]\nlevel = "info"\n[web]\nlisten = "127.0.0.1:0"\n${broker}`);
  if (existsSync(join(home, 'data'))) return;
  const { hub, url } = await startHub();
  const roles = ['supervisor', 'administrator', 'auditor'].flatMap((role) => ['--role', role]);
  const link = execFileSync(HUB, ['person', 'add', NAME, '--display-name', '王丽', ...roles, '--config', config], { encoding: 'utf8' });
  const body = JSON.stringify({ token: link.trim().split(':').at(-1), password: PASSWORD });
  const answer = await fetch(`${url}/api/v1/invitation`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!answer.ok) throw new Error(`the invitation is answered ${answer.status}`);
  hub.kill();
  await new Promise((done) => hub.once('exit', done));
  const program = join(dirname(fileURLToPath(import.meta.url)), 'fill.py');
  const size = [number('DEVICES', 10_000), number('INCIDENTS', 1_000_000)].map(String);
  execFileSync('python3', [program, join(home, 'data/hub.sqlite'), ...size], { stdio: 'inherit' });
}

/** Gives the cookie of a session. */
export async function signIn(url) {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: NAME, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`signing in is answered ${answer.status}`);
  return answer.headers.get('set-cookie').split(';')[0];
}

/** What every box last said of itself. */
export async function healthOfAll(url, cookie) {
  const all = [];
  let after = '';
  do {
    const answer = await fetch(`${url}/api/v1/devices${after}`, { headers: { cookie } });
    const page = await answer.json();
    all.push(...page.devices.map(({ health }) => health).filter(Boolean));
    after = page.next ? `?after=${page.next}` : '';
  } while (after !== '');
  return all;
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0;
export function spread(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return `p50 ${at(sorted, 0.5).toFixed(0)} ms, p99 ${at(sorted, 0.99).toFixed(0)} ms`;
}
export const say = (what, value) => console.log(`${what.padEnd(52)} ${value}`);
