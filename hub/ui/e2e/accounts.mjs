// The stand-in hub's accounts: sessions, passwords, second factors.

import { randomBytes } from 'node:crypto';
import { note, page } from './access-log.mjs';
import { BASE32, codeOf } from './code.mjs';
import { answer as answerOfPeople, people, problem, random, told as toldPerson } from './people.mjs';
import { answer as answerOfWebhooks } from './webhooks.mjs';

const MAY = {
  operator: ['see_alerts', 'see_evidence', 'see_devices', 'see_plans', 'see_commands', 'set_mode', 'see_incidents', 'see_all_incidents', 'work_incidents'],
  handler: ['see_alerts', 'see_evidence', 'see_plans', 'see_incidents', 'handle_incidents'],
  supervisor: [
    'see_alerts', 'see_evidence', 'see_devices', 'see_plans', 'see_commands', 'set_mode', 'release_original', 'see_deletions',
    'see_incidents', 'see_all_incidents', 'work_incidents', 'handle_incidents', 'verify_incidents', 'see_register', 'export', 'hold_evidence',
  ],
  maintainer: ['see_devices', 'see_plans', 'see_commands', 'set_mode'],
  technician: ['see_devices', 'see_plans', 'draw_plans'],
  auditor: ['see_alerts', 'see_incidents', 'see_all_incidents', 'see_devices', 'see_plans', 'see_commands', 'see_deletions', 'see_register', 'export', 'hold_evidence', 'see_access_log'],
  administrator: ['see_devices', 'see_plans', 'draw_plans', 'manage_people', 'manage_webhooks', 'see_access_log'],
};
const COOKIE = '__Host-gatepost';
const SESSION_MS = 12 * 3_600_000;
const FAILURES = 5;
const WAIT_S = 30;

const iso = (time) => new Date(time).toISOString();

const sessions = new Map();
const failures = new Map();

/** Called with a session that is over. */
let onEnd = () => {};
export const watchEnds = (listener) => (onEnd = listener);

function end(which) {
  for (const [token, session] of sessions) {
    if (!which(session)) continue;
    sessions.delete(token);
    onEnd(session);
  }
}

export function sessionOf(request) {
  const token = new RegExp(`${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1];
  return sessions.get(token) ?? null;
}

export const mayOf = (session) => [...new Set(session.person.roles.flatMap((role) => MAY[role]))];

const told = (session) => ({ person: toldPerson(session.person), may: mayOf(session), expires: iso(session.expires) });

function begin(one) {
  const token = random();
  const session = { token, person: one, expires: Date.now() + SESSION_MS };
  sessions.set(token, session);
  failures.delete(one.name);
  one.last_sign_in = iso(Date.now());
  note(one.name, 'signed_in');
  return [201, told(session), { 'set-cookie': `${COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict` }];
}

function fail(name, detail, parameter) {
  note(people.has(name) ? name : null, 'sign_in_failed', people.has(name) ? {} : { detail: name });
  failures.set(name, (failures.get(name) ?? 0) + 1);
  if (failures.get(name) >= FAILURES) setTimeout(() => failures.delete(name), WAIT_S * 1000).unref();
  return problem(401, detail, parameter);
}

function signIn({ name, password, code }) {
  if (failures.get(name) >= FAILURES) return problem(429, 'too many failures', null, { 'retry-after': String(WAIT_S) });
  const one = people.get(name);
  if (one?.state !== 'active' || one.password !== password) return fail(name, 'name or password is wrong');
  if (one.secret === null || code === codeOf(one.secret)) return begin(one);
  return code === undefined ? problem(401, 'a code is needed', 'code') : fail(name, 'the code is wrong', 'code');
}

const weak = (password, name) =>
  [...password].length < 12 || [...password].length > 128 || password === name || new Set(password).size === 1;

function accept({ token, password }) {
  const one = [...people.values()].find((one) => one.invitation === token);
  if (!one) return problem(404, 'the link was used or has ended');
  if (weak(password, one.name)) return problem(400, 'the password is too weak', 'password');
  Object.assign(one, { state: 'active', password, secret: null, invitation: null });
  end((session) => session.person === one);
  note(one.name, 'password_set');
  return begin(one);
}

function changePassword(session, { old, new: fresh }) {
  if (session.person.password !== old) return problem(400, 'the password is wrong', 'old');
  if (weak(fresh, session.person.name)) return problem(400, 'the password is too weak', 'new');
  session.person.password = fresh;
  note(session.person.name, 'password_changed');
  end((other) => other.person === session.person && other !== session);
  return [204];
}

function beginSecondFactor(session, { password }) {
  const one = session.person;
  if (one.password !== password) return problem(400, 'the password is wrong', 'password');
  one.pending = [...randomBytes(32)].map((byte) => BASE32[byte % 32]).join('');
  const label = encodeURIComponent(`Gatepost:${one.name}`);
  return [200, { secret: one.pending, uri: `otpauth://totp/${label}?secret=${one.pending}&issuer=Gatepost&algorithm=SHA1&digits=6&period=30` }];
}

function confirmSecondFactor(session, { code }) {
  const one = session.person;
  if (!one.pending || code !== codeOf(one.pending)) return problem(400, 'the code is wrong', 'code');
  Object.assign(one, { secret: one.pending, pending: null });
  note(one.name, 'second_factor_set');
  return [200, told(session)];
}

function removeSecondFactor(session, { password }) {
  if (session.person.password !== password) return problem(400, 'the password is wrong', 'password');
  session.person.secret = null;
  note(session.person.name, 'second_factor_removed');
  return [200, told(session)];
}

/** What is asked of the accounts; undefined: something else is asked. */
export function answer(method, url, session, body) {
  const path = url.pathname;
  const asked = `${method} ${path.replace('/api/v1/', '')}`;
  if (asked === 'GET sign-in-ways') {
    const label = { zh: '统一身份认证登录', en: 'Sign in with your organisation' };
    // There is no provider behind it: it leads back as from one that does not answer.
    return [200, { oidc: { label, start: `${url.origin}/#sign-in-failed=unreachable` } }];
  }
  if (asked === 'POST session') return signIn(body);
  if (asked === 'POST invitation') return accept(body);
  if (!session) return problem(401, 'nobody is signed in');
  switch (asked) {
    case 'GET session':
      return [200, told(session)];
    case 'DELETE session':
      end((one) => one === session);
      note(session.person.name, 'signed_out');
      return [204];
    case 'PUT session/password':
      return changePassword(session, body);
    case 'POST session/second-factor':
      return beginSecondFactor(session, body);
    case 'PUT session/second-factor':
      return confirmSecondFactor(session, body);
    case 'DELETE session/second-factor':
      return removeSecondFactor(session, body);
  }
  const needed = permissionFor(method, path);
  if (needed && !mayOf(session).includes(needed)) return problem(403, `your account does not have the permission \`${needed}\``);
  if (path === '/api/v1/access-log') return [200, page(Number(url.searchParams.get('limit') ?? 50), url.searchParams.get('before'))];
  if (/^\/api\/v1\/webhooks/.test(path)) return answerOfWebhooks(method, url, session.person.name);
  if (/^\/api\/v1\/(people|sites)(\/|$)/.test(path)) {
    return answerOfPeople(method, path, session.person.name, body, (one) => end((other) => other.person === one));
  }
  return undefined;
}

/** What is needed for the rest of the API; null: nothing but a session. */
function permissionFor(method, path) {
  if (/^\/api\/v1\/alerts/.test(path)) return 'see_alerts';
  if (/^\/api\/v1\/events/.test(path)) return 'see_evidence';
  if (/^\/api\/v1\/holds/.test(path)) return 'hold_evidence';
  if (path === '/api/v1/viewings') return method === 'GET' ? 'see_register' : 'see_evidence';
  if (/^\/api\/v1\/devices/.test(path)) return 'see_devices';
  if (/^\/api\/v1\/commands/.test(path) && method === 'GET') return 'see_commands';
  if (/^\/api\/v1\/people/.test(path)) return 'manage_people';
  if (/^\/api\/v1\/sites/.test(path)) return method === 'GET' ? 'see_devices' : 'manage_people';
  if (/^\/api\/v1\/webhooks/.test(path)) return 'manage_webhooks';
  if (path === '/api/v1/deletions') return 'see_deletions';
  if (path === '/api/v1/access-log' || path === '/api/v1/disposals') return 'see_access_log';
  return null;
}

/** Everybody is out at once, as after a restart of the hub. */
export const endAll = () => end(() => true);
