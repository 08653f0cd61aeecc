import { afterEach, describe, expect, it, vi } from 'vitest';
import { joinRecords, parseRecord } from '../src/lib/access-log';
import { HubError } from '../src/lib/http';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import { NAME_PATTERN, changePerson, linkOf, parseMember, setDisabled, unbind } from '../src/lib/people';
import { ROLES } from '../src/lib/person';
import { refusal } from '../src/lib/refusal';
import { SITE_PATTERN, boxesOf, ownDeadlines, parseDeadlines, parseSites, toldDeadlines } from '../src/lib/sites';
import { parseWelcome } from '../src/lib/welcome';
import { T0 } from './samples';

afterEach(() => vi.unstubAllGlobals());

const MEMBER = {
  name: 'wang.li', display_name: '王丽', roles: ['operator'], sites: null, state: 'active', password: true, second_factor: true, last_sign_in: '2025-11-23T06:02:31Z',
  provider: null,
};

describe('people', () => {
  it('reads what the hub writes', () => {
    expect(parseMember(MEMBER)).toEqual({
      name: 'wang.li', displayName: '王丽', roles: ['operator'], sites: null, state: 'active', hasPassword: true, secondFactor: true, lastSignIn: T0, provider: null,
    });
    const link = { name: 'wang.li@school.example', bound: MEMBER.last_sign_in };
    expect(parseMember({ ...MEMBER, password: false, provider: link })).toMatchObject({
      hasPassword: false, provider: { name: 'wang.li@school.example', bound: T0 },
    });
    expect(parseMember({ ...MEMBER, provider: { ...link, bound: null } }).provider?.bound).toBeNull();
    expect(parseMember({ ...MEMBER, last_sign_in: null }).lastSignIn).toBeNull();
  });
  it('takes nobody for active who may not be', () => {
    expect(parseMember({ ...MEMBER, state: 'suspended' }).state).toBe('disabled');
  });
  it('makes a link that the page understands', () => {
    const link = linkOf('https://hub.example/page#/people', 'wang.li', { token: 'aB3_-x', until: T0 });
    expect(link).toBe('https://hub.example/page#welcome=wang.li:aB3_-x');
    expect(parseWelcome(new URL(link).hash)).toEqual({ name: 'wang.li', token: 'aB3_-x' });
  });
  it('changes only what is meant', async () => {
    const fetched = vi.fn(async () => new Response(JSON.stringify(MEMBER)));
    vi.stubGlobal('fetch', fetched);
    await setDisabled('wang.li', true);
    await changePerson('wang.li', { displayName: '王丽', roles: ['operator'], sites: null, provider: 'wang' });
    await unbind('wang.li');
    const calls = fetched.mock.calls as unknown as [string, RequestInit][];
    expect(calls.map(([path, init]) => [init.method, path, JSON.parse(String(init.body))])).toEqual([
      ['PATCH', '/api/v1/people/wang.li', { disabled: true }],
      ['PATCH', '/api/v1/people/wang.li', { display_name: '王丽', roles: ['operator'], sites: null, provider: 'wang' }],
      ['PATCH', '/api/v1/people/wang.li', { unbind: true }],
    ]);
  });
  // Browsers read a field's pattern with the flag `v`, which allows less in brackets. Node 18 has it not.
  const flag = (() => {
    try {
      return new RegExp('', 'v') && 'v';
    } catch {
      return 'u';
    }
  })();
  it.each([
    [NAME_PATTERN, ['wang.li', '3', 'a_b-c', 'a'.repeat(32)], ['', '.a', 'Wang', 'a b', 'a'.repeat(33), '王']],
    [SITE_PATTERN, ['school-3', '-', 'a'.repeat(64)], ['', 'School', 'a_b', 'a.b', 'a'.repeat(65)]],
  ])('%s holds what the hub allows', (pattern, good, bad) => {
    const whole = new RegExp(`^(?:${pattern})$`, flag);
    for (const name of good) expect(name).toMatch(whole);
    for (const name of bad) expect(name).not.toMatch(whole);
  });
  it.each(['zh', 'en'] as const)('%s says of every role what it is for', (language) => {
    const { role } = dictionaries[language];
    expect(new Set(ROLES.map((one) => role[one].what)).size).toBe(ROLES.length);
  });
});

describe('sites', () => {
  const sites = parseSites({
    sites: [{ site: 'school-3', label: '第三小学', edges: ['gate-3', 'gate-1'] }, { site: 'yard', label: '', edges: [] }, { label: 'x' }],
    unassigned: ['gate-2'],
  });
  it('leaves out what makes no sense, and calls by its name what has no label', () => {
    expect(sites.sites.map((site) => site.label)).toEqual(['第三小学', 'yard']);
  });
  it('reads deadlines as the hub writes them, and writes them as it reads them', () => {
    const told = { reported_s: [30, null, 900, 0], triaged_s: null, assigned_s: 300, accepted_s: null, handling_s: null, fed_back_s: null, verified_s: null, escalate_after_s: 600 };
    const read = parseDeadlines(told);
    expect(read).toMatchObject({ reported_1: 30, reported_2: null, reported_4: 0, assigned: 300, handling: null, escalate_after: 600 });
    expect([toldDeadlines(read), ownDeadlines(read)]).toEqual([told, 5]);
  });
  it('takes a hub that says nothing of deadlines for one whose sites have none', () => {
    expect(sites.sites.map((site) => ownDeadlines(site.deadlines))).toEqual([0, 0]);
  });
  it('knows every box and where it stands', () => {
    expect(boxesOf(sites).map(({ edge, site }) => [edge, site?.site ?? null])).toEqual([
      ['gate-1', 'school-3'],
      ['gate-2', null],
      ['gate-3', 'school-3'],
    ]);
  });
});

describe('access log', () => {
  const record = (number: number, more = {}) =>
    parseRecord({ number, time: '2025-11-23T06:02:31Z', name: 'wang.li', by: null, action: 'signed_in', address: null, detail: null, ...more });
  it('puts the newest first and tells nothing twice', () => {
    expect(joinRecords([record(5), record(4)], [record(4), record(3)]).map(({ number }) => number)).toEqual([5, 4, 3]);
  });
  it('keeps what it does not know', () => {
    expect(record(1, { action: 'teleported', name: null, by: 'li.na' })).toMatchObject({ action: 'teleported', name: null, by: 'li.na' });
    expect(dictionaries.zh.log.actions('teleported')).toBe('teleported');
    expect(dictionaries.en.log.actions('constructor')).toBe('constructor');
  });
});

describe('refusal', () => {
  const t = dictionaries.en;
  it('says the most special thing it knows', () => {
    const known = new Map<string | number, string>([['name', 'about the name'], [409, 'taken']]);
    expect(refusal(new HubError(400, '', 'name'), t, known)).toBe('about the name');
    expect(refusal(new HubError(409, ''), t, known)).toBe('taken');
    expect(refusal(new HubError(403, ''), t, known)).toBe(t.refused.denied);
    expect(refusal(new HubError(429, ''), t)).toBe(t.signIn.failed.wait);
    expect(refusal(new HubError(400, '', 'constructor'), t, known)).toBe(t.signIn.failed.status(400));
    expect(refusal(new HubError(0, ''), t)).toBe(t.refused.unreachable);
    expect(refusal(new Error('of shape'), t, new Map([[0, 'unsure']]))).toBe('unsure');
  });
});
