import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseDevice } from '../src/lib/api';
import { orderMode, parseArea, parseProgress, wanted } from '../src/lib/areas';
import { T0 } from './samples';

afterEach(() => vi.unstubAllGlobals());

describe('parseArea', () => {
  it('takes what a box says', () => {
    const area = parseArea({
      area: 'yard', label: '校园', mode: 'armed_away', stage: 'entry_delay', until: '2025-11-23T06:03:01Z', passed: 3,
      bypassed: [{ sensor: 'fence-3' }], open: [{ camera: 'east', zone: 'lawn' }, { camera: 'west' }, 7, {}],
    });
    expect(area).toEqual({
      area: 'yard', label: '校园', mode: 'armed_away', stage: 'entry_delay', until: T0 + 30_000, passed: 3,
      bypassed: [{ sensor: 'fence-3' }], open: [{ camera: 'east', zone: 'lawn' }, { camera: 'west' }],
    });
  });
  it('leaves out an area it could not tell rightly, and not the others', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const areas = [{ area: 'a', mode: 'disarmed' }, { area: 'b', mode: 'armed_half' }, { mode: 'disarmed' }];
    const device = parseDevice({ edge: 'gate-1', health: { time: '2025-11-23T06:02:31Z', areas } });
    expect(device.health?.areas.map((area) => area.area)).toEqual(['a']);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });
});

describe('wanted', () => {
  const fence = { sensor: 'fence-3' };
  it.each([
    ['disarmed', { name: 'disarmed' }],
    ['armed_away', { name: 'armed_away', bypass: [fence] }],
    ['maintenance', { name: 'maintenance', for_s: 5400 }],
  ] as const)('%s as the contract writes it', (mode, expected) => {
    expect(wanted({ mode, bypass: [fence], minutes: 90 })).toEqual(expected);
  });
});

describe('orderMode', () => {
  it('sends why, and an end to the order', async () => {
    const fetched = vi.fn(async () => new Response(JSON.stringify({ id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }), { status: 201 }));
    vi.stubGlobal('fetch', fetched);
    const wish = { mode: 'armed_stay', bypass: [], minutes: 60 } as const;
    expect(await orderMode('gate-1', 'yard', wish, 'evening', T0)).toBe('01ARZ3NDEKTSV4RRFFQ69G5FAV');
    const [path, init] = fetched.mock.calls[0] as unknown as [string, RequestInit];
    expect(path).toBe('/api/v1/commands');
    expect(JSON.parse(String(init.body))).toEqual({
      edge: 'gate-1', why: 'evening', expires: '2025-11-23T06:07:31.000Z',
      order: { kind: 'set_mode', area: 'yard', mode: { name: 'armed_stay' } },
    });
  });
  it('says what the hub said against it', async () => {
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ detail: 'why: it must not be empty' }), { status: 400 }));
    const wish = { mode: 'disarmed', bypass: [], minutes: 60 } as const;
    await expect(orderMode('gate-1', 'yard', wish, '', T0)).rejects.toThrow('it must not be empty');
  });
});

describe('parseProgress', () => {
  it('knows how far an order got', () => {
    expect(parseProgress({ state: 'refused', reason: 'not_ready', detail: 'sensor fence-3' })).toEqual({
      state: 'refused', reason: 'not_ready', detail: 'sensor fence-3',
    });
    expect(parseProgress({ state: 'done' })).toEqual({ state: 'done' });
    expect(parseProgress({ state: 'later' })).toEqual({ state: 'waiting' });
  });
});
