// Who is signed in, against a hub that answers when the test says so.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const SESSION = {
  person: { name: 'wang.li', display_name: '王丽', roles: ['operator'], sites: null, second_factor: false },
  may: ['see_alerts', 'see_devices', 'see_commands'],
  expires: '2099-01-01T00:00:00Z',
};
const ALERT = { id: 'A', kind: 'loitering', severity: 2, edge: 'gate-1', began: '2026-01-31T08:30:00Z', evidence: [] };

type Answer = { status: number; body: unknown } | 'cut';
/** What the hub says to each request, by its path; a function may wait. */
let hub: (path: string, init: RequestInit) => Answer | Promise<Answer>;
let streams: { onerror: (() => void) | null; onopen: (() => void) | null; closed: boolean }[];

const signedIn = (more = {}): Answer => ({ status: 200, body: { ...SESSION, ...more } });
const signedOut: Answer = { status: 401, body: { detail: 'sign in first' } };

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  streams = [];
  vi.stubGlobal('location', { hash: '', pathname: '/', search: '' });
  vi.stubGlobal('history', { replaceState: vi.fn() });
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => {}, removeEventListener: () => {} });
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('removeEventListener', () => {});
  vi.stubGlobal(
    'EventSource',
    class {
      static readonly CLOSED = 2;
      readyState = 1;
      onerror: (() => void) | null = null;
      onopen: (() => void) | null = null;
      closed = false;
      constructor() {
        streams.push(this);
      }
      addEventListener() {}
      close() {
        this.closed = true;
      }
    },
  );
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const answer = await hub(path.replace('/api/v1/', ''), init);
    if (answer === 'cut') throw new TypeError('no network');
    return new Response(JSON.stringify(answer.body), { status: answer.status });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const fresh = async () => (await import('../src/lib/session.svelte')).session;
const settle = () => vi.advanceTimersByTimeAsync(50);

describe('session', () => {
  it('knows who never signed in from whose session ended', async () => {
    hub = () => signedOut;
    const session = await fresh();
    session.start();
    await settle();
    expect(session.standing).toEqual({ state: 'signed_out', why: 'never' });
    hub = () => signedIn();
    await session.signIn('wang.li', 'x', null);
    expect(session.person?.name).toBe('wang.li');
    hub = () => signedOut;
    await session.doubt();
    expect(session.standing).toEqual({ state: 'signed_out', why: 'ended' });
    expect(session.may('see_alerts')).toBe(false);
  });

  it('stays when the hub does not answer, and asks again', async () => {
    hub = () => signedIn();
    const session = await fresh();
    session.start();
    await settle();
    hub = () => 'cut';
    await session.doubt();
    expect(session.person?.name).toBe('wang.li');
    hub = () => signedOut;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(session.standing).toMatchObject({ why: 'ended' });
  });

  it('says so when there is no hub from the beginning', async () => {
    hub = () => ({ status: 503, body: {} });
    const session = await fresh();
    session.start();
    await settle();
    expect(session.standing).toEqual({ state: 'unknown', failed: 503 });
  });

  it('is not ended by what the hub said of the one before', async () => {
    hub = () => signedIn();
    const session = await fresh();
    session.start();
    await settle();
    let say = (_: Answer) => {};
    hub = () => new Promise<Answer>((resolve) => (say = resolve));
    const doubt = session.doubt();
    await settle();
    const late = say;
    hub = (_, init) => (init.method === 'DELETE' ? { status: 200, body: null } : signedIn({ person: { ...SESSION.person, name: 'li.na' } }));
    await session.signOut();
    expect(session.standing).toEqual({ state: 'signed_out', why: 'signed_out' });
    await session.signIn('li.na', 'x', null);
    late(signedOut);
    await doubt;
    expect(session.person?.name).toBe('li.na');
  });

  it('does not claim to be out when the hub did not hear of it', async () => {
    hub = () => signedIn();
    const session = await fresh();
    session.start();
    await settle();
    hub = () => 'cut';
    await expect(session.signOut()).rejects.toThrow();
    expect(session.person?.name).toBe('wang.li');
  });

  it('learns within a minute that rights have changed', async () => {
    hub = () => signedIn();
    const session = await fresh();
    session.start();
    await settle();
    hub = () => signedIn({ may: ['see_devices'] });
    await vi.advanceTimersByTimeAsync(61_000);
    expect(session.may('see_alerts')).toBe(false);
    expect(session.may('see_devices')).toBe(true);
  });

  it.each([
    ['#welcome=wang.li:token', { name: 'wang.li', token: 'token' }],
    ['#welcome=wang.li', 'broken'],
  ])('takes %s out of the address', async (hash, expected) => {
    hub = () => signedOut;
    vi.stubGlobal('location', { hash, pathname: '/', search: '' });
    const session = await fresh();
    session.start();
    expect(session.welcome).toEqual(expected);
    expect(history.replaceState).toHaveBeenCalledWith(null, '', '/');
  });
});

describe('the live page', () => {
  const lists = (path: string): Answer => {
    if (path.startsWith('session')) return signedIn();
    if (path.startsWith('alerts')) return { status: 200, body: { alerts: [ALERT], next: null } };
    return { status: 200, body: { devices: [], commands: [] } };
  };

  async function watch() {
    hub = lists;
    const session = await fresh();
    session.start();
    await settle();
    const { live } = await import('../src/lib/live.svelte');
    const stop = live.start();
    streams[0]?.onopen?.();
    await settle();
    expect(live.alerts.map((alert) => alert.id)).toEqual(['A']);
    return { session, live, stop };
  }

  it('asks who is there when the stream breaks', async () => {
    const { session } = await watch();
    hub = () => signedOut;
    streams[0]?.onerror?.();
    await settle();
    expect(session.standing).toMatchObject({ why: 'ended' });
  });

  it('keeps nothing of what somebody saw who has left, whatever comes late', async () => {
    const { live, stop } = await watch();
    let say = (_: Answer) => {};
    hub = () => new Promise<Answer>((resolve) => (say = resolve));
    live.retry();
    await settle();
    stop();
    say(lists('alerts'));
    await vi.advanceTimersByTimeAsync(120_000);
    expect([live.alerts, live.devices, live.releases, live.news.alerts]).toEqual([[], [], [], []]);
    expect([live.fresh.size, live.unseen.size, live.hasMore]).toEqual([0, 0, false]);
    expect(streams.every((stream) => stream.closed)).toBe(true);
  });

  it('asks for nothing that somebody may not see', async () => {
    const asked: string[] = [];
    hub = (path) => {
      asked.push(path.split('?')[0] ?? '');
      return path.startsWith('session') ? signedIn({ may: ['see_devices'] }) : lists(path);
    };
    const session = await fresh();
    session.start();
    await settle();
    const { live } = await import('../src/lib/live.svelte');
    live.start();
    streams[0]?.onopen?.();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(new Set(asked)).toEqual(new Set(['session', 'devices']));
  });
});
