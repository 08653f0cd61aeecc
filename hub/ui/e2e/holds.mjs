// The stand-in hub's legal holds: two people put one on, and two take it off.

import { problem } from './people.mjs';

const iso = (time) => new Date(time).toISOString();
const holds = [];

/** How it stands, and who proposed what waits for an answer. */
function stand(hold) {
  const last = hold.steps.at(-1);
  if (!last) return ['proposed', hold.person];
  const state = { confirm: 'held', keep: 'held', decline: 'declined', lift: 'lift_proposed', confirm_lift: 'lifted' }[last.step];
  return [state, last.person];
}

const GOES = { proposed: ['confirm', 'decline'], held: ['lift'], lift_proposed: ['confirm_lift', 'keep'] };

/** What the box does; gate-2 is offline and never answers. */
const CUSTODY = { held: 'held', lift_proposed: 'held', lifted: 'released' };
const ASKED = { held: 'waiting', released: 'lifting' };

function custodyOf(state, edge) {
  if (!CUSTODY[state]) return null;
  const answers = edge !== 'gate-2';
  return { state: answers ? CUSTODY[state] : ASKED[CUSTODY[state]], answered: answers ? iso(Date.now()) : null, reason: null, detail: null };
}

function told(hold, name) {
  const [state, proposer] = stand(hold);
  const may = (GOES[state] ?? []).filter((step) => !step.startsWith('confirm') || proposer !== name);
  return { ...hold, state, custody: custodyOf(state, hold.edge), may };
}

function propose({ alarm, reason, until }, person, alerts) {
  const alert = alerts.find((one) => one.id === alarm);
  if (!alert) return problem(404, 'no such alarm');
  if (holds.some((hold) => hold.alarm === alarm && stand(hold)[0] in GOES)) return problem(409, 'there is one already');
  const number = holds.length + 1;
  const who = `${person.display_name} (${person.name})`;
  const hold = { number, id: String(number).padStart(26, '0'), alarm, edge: alert.edge, reason, until, time: iso(Date.now()), person: person.name, who, steps: [] };
  holds.unshift(hold);
  return [201, told(hold, person.name)];
}

function take(hold, { step, text = null }, person) {
  if (!hold) return problem(404, 'no such hold');
  if (!told(hold, person.name).may.includes(step)) return problem(GOES[stand(hold)[0]]?.includes(step) ? 403 : 409, 'not now, or not by you');
  hold.steps.push({ time: iso(Date.now()), person: person.name, who: `${person.display_name} (${person.name})`, step, text });
  return [200, told(hold, person.name)];
}

/** What is asked of the holds; undefined: something else is asked. */
export function answer(method, url, session, body, alerts) {
  const path = url.pathname;
  if (path === '/api/v1/holds' && method === 'POST') return propose(body, session.person, alerts);
  const step = /^\/api\/v1\/holds\/(\d{26})\/steps$/.exec(path);
  if (step && method === 'POST') return take(holds.find((hold) => hold.id === step[1]), body, session.person);
  if (path !== '/api/v1/holds') return undefined;
  const alarm = url.searchParams.get('alarm');
  return [200, { holds: holds.filter((hold) => alarm === null || hold.alarm === alarm).map((hold) => told(hold, session.person.name)), next: null }];
}
