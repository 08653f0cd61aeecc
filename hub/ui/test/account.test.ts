import { afterEach, describe, expect, it, vi } from 'vitest';
import { inFours, parsePending, parseSession, signIn } from '../src/lib/account';
import { HubError, get, watchDenials } from '../src/lib/http';
import { weakness } from '../src/lib/password';
import { signature } from '../src/lib/person';
import { qrCode } from '../src/lib/qr';
import { addressOf, VIEWS, viewAt, viewsFor } from '../src/lib/views';
import { parseWelcome } from '../src/lib/welcome';

afterEach(() => {
  vi.unstubAllGlobals();
  watchDenials(() => {});
});

const SESSION = {
  person: { name: 'wang.li', display_name: '王丽', roles: ['supervisor', 'juggler', 'operator'], sites: ['school-3'], second_factor: false },
  may: ['see_alerts', 'see_devices', 'see_the_future'],
  expires: '2026-12-01T23:00:00Z',
};

function hubAnswers(status: number, body: unknown, headers: Record<string, string> = {}) {
  const fetched = vi.fn(async () => new Response(JSON.stringify(body), { status, headers }));
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

describe('parseSession', () => {
  it('reads what the hub writes, and knows no rights it was not told of', () => {
    const session = parseSession(SESSION);
    expect(session.person).toEqual({
      name: 'wang.li', displayName: '王丽', roles: ['operator', 'supervisor'], sites: ['school-3'], hasPassword: true, secondFactor: false,
    });
    expect([...session.may]).toEqual(['see_alerts', 'see_devices']);
    expect(session.expires).toBe(Date.UTC(2026, 11, 1, 23));
  });
  it('takes sites it cannot read for none, never for all', () => {
    const sites = (value: unknown) => parseSession({ ...SESSION, person: { ...SESSION.person, sites: value } }).person.sites;
    expect(sites(null)).toBeNull();
    expect(sites('all')).toEqual([]);
    expect(sites(['a', 7, ''])).toEqual(['a']);
  });
  it('is told as the hub tells who gave an order', () => {
    expect(signature(parseSession(SESSION).person)).toBe('王丽 (wang.li)');
  });
});

describe('signIn', () => {
  it('sends a code only when there is one', async () => {
    const fetched = hubAnswers(201, SESSION);
    await signIn('wang.li', 'secret', null);
    await signIn('wang.li', 'secret', '123456');
    const bodies = fetched.mock.calls.map((call) => JSON.parse(String((call as unknown as [string, RequestInit])[1].body)));
    expect(bodies).toEqual([{ name: 'wang.li', password: 'secret' }, { name: 'wang.li', password: 'secret', code: '123456' }]);
  });
  it('tells a wrong password from a missing code, and how long to wait', async () => {
    hubAnswers(401, { detail: 'wrong' });
    await expect(signIn('a', 'b', null)).rejects.toMatchObject({ status: 401, parameter: null, retryAfter: null });
    hubAnswers(401, { detail: 'code', parameter: 'code' });
    await expect(signIn('a', 'b', null)).rejects.toMatchObject({ status: 401, parameter: 'code' });
    hubAnswers(429, {}, { 'retry-after': '90' });
    await expect(signIn('a', 'b', null)).rejects.toMatchObject({ status: 429, retryAfter: 90_000 });
  });
});

describe('watchDenials', () => {
  it('hears of every answer that says who is signed in has no business here', async () => {
    const denied = vi.fn();
    watchDenials(denied);
    for (const status of [401, 403, 404, 500]) {
      hubAnswers(status, {});
      await expect(get(`/api/v1/${status}`)).rejects.toBeInstanceOf(HubError);
    }
    expect(denied.mock.calls).toEqual([['/api/v1/401'], ['/api/v1/403']]);
  });
});

describe('weakness', () => {
  it.each([
    ['eleven char', 'short'],
    ['twelve chars', null],
    ['门岗门岗门岗门岗门岗门岗', null],
    ['门岗门岗门岗门岗门岗门', 'short'],
    ['🚪'.repeat(12), 'repeated'],
    ['Wang.Li.Wang', 'name'],
    [`a${'b'.repeat(127)}`, null],
    [`a${'b'.repeat(128)}`, 'long'],
  ])('%s: %s', (password, expected) => {
    expect(weakness(password, 'wang.li.wang')).toBe(expected);
  });
});

describe('parseWelcome', () => {
  it.each([
    ['#welcome=wang.li:aB3_-x', { name: 'wang.li', token: 'aB3_-x' }],
    ['#welcome%3Dwang.li%3AaB3', { name: 'wang.li', token: 'aB3' }],
    ['#welcome=wang.li', null],
    ['#welcome=wang.li:', null],
    ['#welcome=Wang Li:x', null],
    ['#welcome=%E0%A4%A:x', null],
    ['#/people', null],
    ['', null],
  ])('%s', (fragment, expected) => {
    expect(parseWelcome(fragment)).toEqual(expected);
  });
});

describe('second factor', () => {
  const URI = 'otpauth://totp/Gatepost:wang.li?secret=JBSWY3DPEHPK3PXP&issuer=Gatepost';

  it('makes a link of nothing but an address for an authenticator', () => {
    expect(parsePending({ secret: 'JBSWY3DPEHPK3PXP', uri: URI }).uri).toBe(URI);
    for (const uri of ['javascript:alert(1)', 'https://evil.example/', '']) {
      expect(() => parsePending({ secret: 'JBSWY3DPEHPK3PXP', uri })).toThrow();
    }
  });
  it('is typed off in fours', () => {
    expect(inFours('JBSWY3DPEHPK3')).toBe('JBSW Y3DP EHPK 3');
    expect(inFours('')).toBe('');
  });
  it('draws its code with a white border and the three corners that a camera looks for', () => {
    const { size, path } = qrCode(URI);
    const dark = new Set(path.match(/M\d+ \d+/g));
    const row = (y: number, from: number) => Array.from({ length: 7 }, (_, x) => dark.has(`M${from + x} ${y}`));
    for (const [x, y] of [[4, 4], [size - 11, 4], [4, size - 11]] as const) {
      expect(row(y, x)).toEqual([true, true, true, true, true, true, true]);
      expect(row(y + 1, x)).toEqual([true, false, false, false, false, false, true]);
    }
    expect([...dark].every((at) => at.slice(1).split(' ').every((n) => Number(n) >= 4 && Number(n) < size - 4))).toBe(true);
  });
});

describe('views', () => {
  it.each(VIEWS)('%s is found at its address', (view) => {
    expect(viewAt(addressOf(view))).toBe(view);
  });
  it('does not make up a view', () => {
    for (const fragment of ['', '#', '#/constructor', '#/peoples', '#welcome=a:b']) expect(viewAt(fragment)).toBeNull();
  });
  it('opens what somebody may see, and their account always', () => {
    expect(viewsFor(new Set())).toEqual(['account']);
    expect(viewsFor(new Set(['see_devices']))).toEqual(['watch', 'device', 'account']);
  });
});
