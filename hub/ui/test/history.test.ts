import { afterEach, describe, expect, it, vi } from 'vitest';
import { NOTHING, addressOfSearch, isNarrowed, queryOf, searchAt } from '../src/lib/history';
import { Found } from '../src/lib/history.svelte';
import { untilFound } from '../src/lib/page';
import { queryAt, viewAt } from '../src/lib/views';

const at = (text: string) => searchAt(new URLSearchParams(text));

describe('a search', () => {
  it('is nothing when the address says nothing', () => {
    expect(at('')).toEqual(NOTHING);
    expect(isNarrowed(NOTHING)).toBe(false);
    expect(addressOfSearch(NOTHING)).toBe('#/history');
  });
  it('is read back from the address it makes', () => {
    const search = at('from=2026-01-31&until=2026-02-01&severity=2&kind=zone_intrusion&edge=gate-1&camera=east&site=school-3&stage=closed&reason=animal&number=17');
    expect(Object.values(search).includes(null)).toBe(false);
    const address = addressOfSearch(search);
    expect(viewAt(address)).toBe('history');
    expect(searchAt(queryAt(address))).toEqual(search);
    expect(isNarrowed(search)).toBe(true);
  });
  it('leaves out what makes no sense', () => {
    for (const bad of [
      'from=2026-02-30', 'from=today', 'until=2026-13-01', 'severity=5', 'severity=x', 'kind=<b>', 'edge=Gate', 'camera=a/b', 'site=', 'stage=gone',
      'outcome=maybe', 'reason=none', 'number=0', 'number=-1', 'number=1e3', 'number=99999999999999999999', 'words=x',
    ])
      expect(at(bad), bad).toEqual(NOTHING);
  });
  it('knows that only a false alarm has a reason', () => {
    expect(at('outcome=real&reason=plant')).toEqual({ ...NOTHING, outcome: 'false_alarm', reason: 'plant' });
    expect(addressOfSearch(at('reason=plant'))).toBe('#/history?reason=plant');
  });
  it('asks for whole days, the last one included', () => {
    const query = queryOf(at('from=2026-01-31&until=2026-01-31'), '5.7');
    const [from, until] = [query.get('from'), query.get('until')].map((text) => Date.parse(text ?? ''));
    expect(from).toBe(new Date(2026, 0, 31).getTime());
    expect(until).toBe(new Date(2026, 1, 1).getTime());
    expect(query.get('before')).toBe('5.7');
  });
  it('asks with what it was asked for', () => {
    const query = queryOf(at('severity=1&reason=plant&number=3'), null);
    expect(Object.fromEntries(query)).toEqual({ limit: '50', severity: '1', outcome: 'false_alarm', reason: 'plant', number: '3' });
  });
});

describe('what is looked for among much', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const told = { id: 'A', number: 1, kind: 'loitering', severity: 2, edge: 'gate-1', opened: '2025-11-23T06:02:31Z', stage: 'closed', version: 1, alarms: 1, may: [] };
  /** A hub that looks at little: nothing, nothing, one that matches, nothing, and then it is over. */
  const PAGES: Record<string, unknown> = {
    newest: { incidents: [], next: 'b', looked_back_to: '2025-11-25T00:00:00Z' },
    b: { incidents: [], next: 'c', looked_back_to: '2025-11-24T00:00:00Z' },
    c: { incidents: [told], next: 'd', looked_back_to: '2025-11-23T00:00:00Z' },
    d: { incidents: [], next: 'e', looked_back_to: '2025-11-22T00:00:00Z' },
    e: { incidents: [], next: null, looked_back_to: null },
  };
  const day = (n: number) => Date.UTC(2025, 10, n);

  it('is looked for further back until it is found, and how far that was is said', async () => {
    const looked: (number | null)[] = [];
    const found = new Found(at('camera=east'));
    let broken = false;
    vi.stubGlobal('fetch', async (path: string) => {
      looked.push(found.lookedBackTo);
      if (broken) return new Response('{}', { status: 503 });
      return new Response(JSON.stringify(PAGES[new URLSearchParams(path.split('?')[1]).get('before') ?? 'newest']));
    });
    await found.more();
    expect(looked).toEqual([null, day(25), day(24)]);
    expect([found.ready, found.hasMore, found.lookedBackTo, found.incidents.length]).toEqual([true, true, day(23), 1]);
    broken = true;
    await found.more();
    expect([found.failed, found.hasMore, found.lookedBackTo]).toEqual([503, true, day(23)]);
    broken = false;
    await found.more();
    expect([found.failed, found.hasMore, found.lookedBackTo, found.incidents.length]).toEqual([null, false, null, 1]);
  });
  it('goes on where it was when the hub was away', async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (path: string) => {
      const before = new URLSearchParams(path.split('?')[1]).get('before') ?? 'newest';
      asked.push(before);
      return asked.length === 2 ? new Response('{}', { status: 503 }) : new Response(JSON.stringify(PAGES[before]));
    });
    const found = new Found(at('camera=east'));
    await found.more();
    expect([found.ready, found.failed, found.lookedBackTo]).toEqual([false, 503, day(25)]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual(['newest', 'b', 'b', 'c']);
    expect(found.ready).toBe(true);
  });
  it('is passed over where a list is only read', async () => {
    const pages: Record<string, { items: number[]; next: string | null }> = { a: { items: [], next: 'b' }, b: { items: [7], next: 'c' }, c: { items: [], next: null } };
    const ask = async (before: string | null) => pages[before ?? 'a'] as { items: number[]; next: string | null };
    expect(await untilFound(null, ask, ({ items }) => items.length > 0)).toEqual(pages.b);
    expect(await untilFound('c', ask, ({ items }) => items.length > 0)).toEqual(pages.c);
  });
});
