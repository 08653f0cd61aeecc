import { describe, expect, it } from 'vitest';
import type { CameraHealth, SensorHealth } from '../src/lib/api';
import { condition, mergeDevices, named, sensorsToShow, summarise, troubledFirst } from '../src/lib/devices';
import { diagnose } from '../src/lib/diagnosis';
import { pieces } from '../src/lib/pieces';
import { T0, device, health } from './samples';

const faulted: CameraHealth = {
  camera: 'east-gate',
  label: null,
  zones: [],
  state: { name: 'faulted', reason: 'x' },
  faults: [],
  decoder: null,
  attention: null,
  framesSampled: 0,
  framesAnalysed: 0,
  framesStill: 0,
  framesDropped: 0,
  lastFrame: null,
};

const sensor = (name: string, state: SensorHealth['state'], ...faults: string[]): SensorHealth => ({
  sensor: name,
  label: null,
  input: 'fence',
  state,
  faults: faults.map((fault) => ({ fault, detail: 'why' })),
  lastSeen: T0,
  readings: 3,
  errors: 1,
});

describe('sensorsToShow', () => {
  it('shows the ill ones first, then the tripped, and none that rests', () => {
    const sensors = [
      sensor('fence-10', 'tripped'),
      sensor('fence-2', 'tripped'),
      sensor('door', 'rest'),
      sensor('new', 'unknown'),
      sensor('leak', 'rest', 'open'),
    ];
    expect(sensorsToShow(sensors).map((it) => it.sensor)).toEqual(['leak', 'fence-2', 'fence-10', 'new']);
  });
});

describe('mergeDevices', () => {
  it('orders by name with numbers as numbers', () => {
    expect(mergeDevices([], ['gate-10', 'gate-2', 'gate-1'].map((edge) => device(edge))).map((d) => d.edge)).toEqual([
      'gate-1',
      'gate-2',
      'gate-10',
    ]);
  });
  it('keeps the later word of a device', () => {
    const now = device('gate-1', { presence: 'offline', lastSeen: T0 + 5 });
    expect(mergeDevices([now], [device('gate-1', { lastSeen: T0 })])).toEqual([now]);
    expect(mergeDevices([device('gate-1')], [now])).toEqual([now]);
  });
  it('keeps the order when a device says something again', () => {
    const names = ['gate-1', 'gate-2', 'gate-10'];
    const again = device('gate-2', { lastSeen: T0 + 5 });
    const merged = mergeDevices(names.map((edge) => device(edge)), [again]);
    expect(merged.map(({ edge }) => edge)).toEqual(names);
    expect(merged[1]).toBe(again);
  });
});

describe('a list of thousands', () => {
  const ill = device('gate-3', { presence: 'offline' });
  const seeing = device('gate-20', { health: health({ cameras: [{ ...faulted, camera: 'cam-7', label: '东门 East' }] }) });
  const all = [device('gate-1'), device('gate-2'), ill, seeing];
  it('has those first that need a look', () => {
    expect(troubledFirst(all, T0).map(({ edge }) => edge)).toEqual(['gate-3', 'gate-20', 'gate-1', 'gate-2']);
  });
  it.each([
    ['', 4],
    ['gate-2', 2],
    [' EAST ', 1],
    ['东门', 1],
    ['cam-7', 1],
    ['nowhere', 0],
  ])('finds %j by the name of a box or a camera', (words, count) => {
    expect(named(all, words)).toHaveLength(count);
  });
  it('is cut into pieces that leave nothing out', () => {
    for (const length of [0, 1, 19, 20, 21, 41]) {
      const numbers = Array.from({ length }, (_, n) => n);
      const cut = pieces(numbers, 20);
      expect(cut.flat()).toEqual(numbers);
      expect(cut.every((piece) => piece.length > 0 && piece.length <= 20)).toBe(true);
    }
  });
  it('is judged anew when a box falls silent, although it said nothing', () => {
    const box = device('gate-1');
    expect(condition(box, T0).silent).toBe(false);
    expect(condition(box, T0 + 200_000).silent).toBe(true);
    expect(condition(box, T0).silent).toBe(false);
  });
});

describe('condition', () => {
  it('leaves a well device in peace', () => {
    expect(condition(device('gate-1', { refused: 3 }), T0).troubled).toBe(false);
  });
  it.each([
    ['offline', device('a', { presence: 'offline' }), T0],
    ['no reports', device('a'), T0 + 200_000],
    ['camera without picture', device('a', { health: health({ cameras: [faulted] }) }), T0],
    ['an ill sensor', device('a', { health: health({ sensors: [sensor('leak', 'rest', 'open')] }) }), T0],
    ['missing events', device('a', { missing: [{ boot: 'B', first: 3, last: 3 }] }), T0],
    ['little disk', device('a', { health: health({ diskFreeBytes: 5 }) }), T0],
    ['detector', device('a', { health: health({ inference: { ...health().inference, failing: true } }) }), T0],
    ['more cameras than it can look at', device('a', { health: health({ inference: { ...health().inference, load: 0.97 } }) }), T0],
    ['a replaced model file', device('a', { health: health({ inference: { ...health().inference, modelFile: 'replaced' } }) }), T0],
  ])('%s needs a look', (_, ill, now) => {
    expect(condition(ill, now).troubled).toBe(true);
  });
  it('does not take a detector that failed once for one that fails', () => {
    const resting = health({ inference: { ...health().inference, meanMs: null, failures: 1 } });
    expect(condition(device('a', { health: resting }), T0).troubled).toBe(false);
  });
  it('says nothing of the load of a box that is away', () => {
    const busy = health({ inference: { ...health().inference, load: 1 } });
    expect(condition(device('a', { health: busy }), T0).overloaded).toBe(true);
    for (const presence of ['offline', 'unknown'] as const)
      expect(condition(device('a', { health: busy, presence }), T0).overloaded).toBe(false);
    expect(condition(device('a', { health: busy }), T0 + 200_000).overloaded).toBe(false);
    expect(condition(device('a', { health: health() }), T0).overloaded).toBe(false);
  });
  it('counts missing events with both ends', () => {
    const gaps = [
      { boot: 'B', first: 3, last: 3 },
      { boot: 'B', first: 8, last: 10 },
    ];
    expect(condition(device('a', { missing: gaps }), T0).missing).toBe(4);
  });
});

describe('a sensor that trips', () => {
  it('is no trouble of the device', () => {
    expect(condition(device('a', { health: health({ sensors: [sensor('door', 'tripped')] }) }), T0).troubled).toBe(false);
  });
});

describe('summarise', () => {
  it('counts', () => {
    const devices = [device('a'), device('b', { presence: 'offline' }), device('c', { presence: 'unknown', health: null })];
    expect(summarise(devices, T0)).toEqual({ devices: 3, online: 1, offline: 1, troubled: 1 });
  });
});

describe('diagnose', () => {
  it.each([
    ['rtsp: 401 Unauthorized', 'login_refused'],
    ['Could not connect to server: Connection refused', 'unreachable'],
    ['no frame for 15 s', 'silent'],
    ['Error resolving "cam.invalid": Name or service not known', 'address'],
    ['404 Not Found', 'unknown_path'],
    ['end of stream', 'ended'],
    ['streaming stopped, reason not-negotiated', null],
    ['no decoder for video/x-vp9', 'unsupported'],
    ['something else', null],
  ])('%s', (reason, expected) => {
    expect(diagnose(reason)).toBe(expected);
  });
});
