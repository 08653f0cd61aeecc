// The stand-in hub's accounts: people, sessions, second factors. Whoever is invented here has the same password.

import { randomBytes } from 'node:crypto';
import { BASE32, codeOf } from './code.mjs';

export const PASSWORD = 'open the gate please';
/** sun.yue signs in with a code besides, which this secret makes. */
export const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

const MAY = {
  operator: ['see_alerts', 'see_evidence', 'see_devices', 'see_commands', 'set_mode'],
  handler: ['see_alerts', 'see_evidence', 'see_devices'],
  supervisor: ['see_alerts', 'see_evidence', 'see_devices', 'see_commands', 'set_mode', 'release_original', 'see_deletions'],
  maintainer: ['see_devices', 'see_commands'],
  technician: ['see_devices', 'see_commands', 'set_mode'],
  auditor: ['see_commands', 'see_deletions', 'see_access_log'],
  administrator: ['see_devices', 'manage_people', 'see_access_log'],
};
const COOKIE = '__Host-gatepost';
const SESSION_MS = 12 * 3_600_000;
const FAILURES = 5;
const WAIT_S = 30;

const iso = (time) => new Date(time).toISOString();
const random = () => randomBytes(18).toString('base64url');

function person(name, display_name, roles, more = {}) {
  return { name, display_name, roles, sites: null, state: 'active', last_sign_in: null, password: PASSWORD, secret: null, ...more };
}
const people = new Map(
  [
    person('wang.li', '王丽', ['operator', 'supervisor']),
    person('zhao.ming', '赵明', ['administrator'], { last_sign_in: iso(Date.now() - 3 * 86_400_000) }),
    person('li.na', '李娜', ['auditor'], { last_sign_in: iso(Date.now() - 40 * 60_000) }),
    person('chen.jie', '陈杰', ['technician', 'maintainer'], { sites: ['school-3'] }),
    person('sun.yue', '孙悦', ['operator'], { secret: SECRET }),
    person('zhou.yi', '周毅', ['operator', 'handler', 'supervisor', 'maintainer', 'technician', 'auditor', 'administrator']),
    person('he.tian', '何田', ['handler'], { state: 'invited', password: null, invitation: 'welcome-he-tian' }),
    person('xu.ning', '徐宁', ['operator'], { state: 'disabled' }),
  ].map((one) => [one.name, one]),
);
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

function told(session) {
  const { name, display_name, roles, sites, secret } = session.person;
  return { person: { name, display_name, roles, sites, second_factor: secret !== null }, may: mayOf(session), expires: iso(session.expires) };
}

/** An answer: status, body, and headers where needed. */
const problem = (status, detail, parameter, headers) => [status, { title: 'refused', status, detail, ...(parameter ? { parameter } : {}) }, headers];

function begin(one) {
  const token = random();
  const session = { token, person: one, expires: Date.now() + SESSION_MS };
  sessions.set(token, session);
  failures.delete(one.name);
  one.last_sign_in = iso(Date.now());
  return [201, told(session), { 'set-cookie': `${COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict` }];
}

function fail(name, detail, parameter) {
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
  return begin(one);
}

function changePassword(session, { old, new: fresh }) {
  if (session.person.password !== old) return problem(400, 'the password is wrong', 'old');
  if (weak(fresh, session.person.name)) return problem(400, 'the password is too weak', 'new');
  session.person.password = fresh;
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
  return [200, told(session)];
}

function removeSecondFactor(session, { password }) {
  if (session.person.password !== password) return problem(400, 'the password is wrong', 'password');
  session.person.secret = null;
  return [200, told(session)];
}

/** What is asked of the accounts; undefined: something else is asked. */
export function answer(method, path, session, body) {
  const asked = `${method} ${path.replace('/api/v1/', '')}`;
  if (asked === 'POST session') return signIn(body);
  if (asked === 'POST invitation') return accept(body);
  if (!session) return problem(401, 'nobody is signed in');
  switch (asked) {
    case 'GET session':
      return [200, told(session)];
    case 'DELETE session':
      end((one) => one === session);
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
  return undefined;
}

/** What is needed for the rest of the API; null: nothing but a session. */
export function permissionFor(method, path) {
  if (/^\/api\/v1\/alerts/.test(path)) return 'see_alerts';
  if (/^\/api\/v1\/events/.test(path)) return 'see_evidence';
  if (/^\/api\/v1\/devices/.test(path)) return 'see_devices';
  if (/^\/api\/v1\/commands/.test(path) && method === 'GET') return 'see_commands';
  return null;
}

/** Everybody is out at once, as after a restart of the hub. */
export const endAll = () => end(() => true);
