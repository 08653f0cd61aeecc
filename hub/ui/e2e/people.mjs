// The stand-in hub's people and sites. Whoever is invented here has the same password.

import { randomBytes } from 'node:crypto';
import { note } from './access-log.mjs';

export const PASSWORD = 'open the gate please';
/** sun.yue signs in with a code besides, which this secret makes. */
export const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

const HOUR = 3_600_000;
const iso = (time) => new Date(time).toISOString();
export const random = () => randomBytes(18).toString('base64url');
export const problem = (status, detail, parameter, headers) => [
  status,
  { title: 'refused', status, detail, ...(parameter ? { parameter } : {}) },
  headers,
];

function person(name, display_name, roles, more = {}) {
  return { name, display_name, roles, sites: null, state: 'active', last_sign_in: null, password: PASSWORD, secret: null, ...more };
}
export const people = new Map(
  [
    person('chen.jie', '陈杰', ['maintainer', 'technician'], { sites: ['school-3'], last_sign_in: iso(Date.now() - 5 * HOUR) }),
    person('deng.kai', '邓凯', ['technician']),
    person('he.tian', '何田', ['handler'], { state: 'invited', password: null, invitation: 'welcome-he-tian' }),
    person('li.na', '李娜', ['auditor'], { last_sign_in: iso(Date.now() - 40 * 60_000) }),
    person('lu.yun', '陆云', ['maintainer']),
    person('qin.lan', '秦岚', ['operator']),
    person('sun.yue', '孙悦', ['operator'], { secret: SECRET }),
    person('wang.li', '王丽', ['operator', 'supervisor']),
    person('wu.fan', '吴凡', ['operator'], { password: null, provider: { name: 'wu.fan@school.example', bound: iso(Date.now() - 90 * HOUR) } }),
    person('xu.ning', '徐宁', ['operator'], { state: 'disabled' }),
    person('zhao.min', '赵敏', ['handler'], { sites: ['school-3', 'works-yard'] }),
    person('zhao.ming', '赵明', ['administrator'], { last_sign_in: iso(Date.now() - 72 * HOUR) }),
    person('zhou.yi', '周毅', ['operator', 'handler', 'supervisor', 'maintainer', 'technician', 'auditor', 'administrator']),
  ].map((one) => [one.name, one]),
);

/** What holds where a site has nothing of its own. */
const DEADLINES = {
  reported_s: [60, 180, 900, 3600], triaged_s: 600, assigned_s: 600, accepted_s: 900, handling_s: 7200, fed_back_s: 86_400, verified_s: 86_400, escalate_after_s: null,
};
const NONE = Object.fromEntries(Object.entries(DEADLINES).map(([key, value]) => [key, Array.isArray(value) ? value.map(() => null) : null]));
const sites = new Map([
  ['school-3', { site: 'school-3', label: '第三小学', edges: ['gate-1', 'gate-3'], deadlines: { ...NONE, reported_s: [30, 60, null, null], assigned_s: 300 } }],
  ['works-yard', { site: 'works-yard', label: '城北工地', edges: ['gate-2'], deadlines: NONE }],
]);
const EDGES = ['gate-1', 'gate-2', 'gate-3', 'gate-4'];

export const told = ({ name, display_name, roles, sites, state, password, secret, last_sign_in, provider = null }) => ({
  name, display_name, roles, sites, state, password: password !== null, second_factor: secret !== null, last_sign_in, provider,
});

function invite(one, by) {
  one.invitation = random();
  note(one.name, 'invited', { by });
  return { token: one.invitation, until: iso(Date.now() + 72 * HOUR) };
}

function wrong({ name, display_name, roles, sites: limits }) {
  if (name !== undefined && !/^[a-z0-9][a-z0-9._-]{0,31}$/.test(name)) return problem(400, 'the name is not allowed', 'name');
  if (display_name !== undefined && !/^.{1,60}$/u.test(display_name)) return problem(400, 'one line, 1 to 60 characters', 'display_name');
  if (roles !== undefined && roles.length === 0) return problem(400, 'at least one role', 'roles');
  if (limits?.some((site) => !sites.has(site))) return problem(400, 'there is no such site', 'sites');
  if (limits && roles?.some((role) => role === 'auditor' || role === 'administrator')) return problem(400, 'these are for every site', 'sites');
  return null;
}

/** Those somebody sees. */
export const sitesOf = (person) => [...sites.values()].filter(({ site }) => person.sites === null || person.sites.includes(site));

/** What is asked of people and sites by somebody who may; `end` ends a person's sessions. */
export function answer(method, path, by, body, end) {
  const [what, name] = path.replace('/api/v1/', '').split('/').map(decodeURIComponent);
  if (what === 'people' && name === undefined) return method === 'GET' ? [200, { people: [...people.values()].map(told) }] : add(by, body);
  if (what === 'people') {
    const one = people.get(name);
    if (!one) return problem(404, 'there is no such person');
    if (method === 'PATCH') return change(one, by, body, end);
    return [201, invite(one, by)];
  }
  if (name === undefined) {
    const placed = [...sites.values()].flatMap((site) => site.edges);
    return [200, { sites: [...sites.values()], unassigned: EDGES.filter((edge) => !placed.includes(edge)), deadlines: DEADLINES }];
  }
  if (method === 'PUT') return putSite(name, by, body);
  const user = [...people.values()].find((one) => one.sites?.includes(name));
  if (user) return problem(409, `${user.name} is limited to it`);
  sites.delete(name);
  note(null, 'site_removed', { by, detail: name });
  return [204];
}

function add(by, body) {
  const refused = wrong(body);
  if (refused) return refused;
  if (people.has(body.name)) return problem(409, 'the name is taken');
  const one = person(body.name, body.display_name, body.roles, { sites: body.sites, state: 'invited', password: null, provider: linkOf(body.provider) });
  people.set(one.name, one);
  note(one.name, 'person_added', { by, detail: one.roles.join(', ') });
  return [201, { person: told(one), invitation: one.provider ? null : invite(one, by) }];
}

/** A link nobody has come by yet. */
const linkOf = (name) => (name ? { name, bound: null } : null);

function change(one, by, body, end) {
  const { disabled, provider, unbind, ...rest } = body;
  const called = provider === undefined ? (one.provider?.name ?? null) : provider;
  const link = called === (one.provider?.name ?? null) && !unbind ? one.provider : linkOf(called);
  const after = { ...one, ...rest, provider: link, ...(disabled === undefined ? {} : { state: disabled ? 'disabled' : one.password === null && !link?.bound ? 'invited' : 'active' }) };
  const refused = wrong(after);
  if (refused) return refused;
  const administers = (person) => person.state !== 'disabled' && person.roles.includes('administrator');
  const others = [...people.values()].filter((other) => other !== one && administers(other));
  if (administers(one) && !administers(after) && others.length === 0) return problem(409, 'no administrator would be left');
  Object.assign(one, after);
  if (disabled) end(one);
  note(one.name, disabled === undefined ? 'person_changed' : disabled ? 'person_disabled' : 'person_enabled', { by });
  return [200, told(one)];
}

function putSite(name, by, { label, edges, deadlines = {} }) {
  if (!/^.{1,100}$/u.test(label)) return problem(400, 'one line', 'label');
  const wrong = Object.entries(deadlines).find(([, value]) => [value].flat().some((one) => one !== null && !(one >= 0 && one <= 2_592_000)));
  if (wrong) return problem(400, '0 to 2592000 seconds (30 days) are needed', `deadlines.${wrong[0]}`);
  for (const site of sites.values()) site.edges = site.edges.filter((edge) => !edges.includes(edge));
  sites.set(name, { site: name, label, edges, deadlines: { ...NONE, ...deadlines } });
  note(null, 'site_changed', { by, detail: `${name}: ${edges.join(', ')}` });
  return [200, sites.get(name)];
}
