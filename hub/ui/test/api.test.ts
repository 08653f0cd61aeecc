import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseAlert, parseAlertPage, parseDevice, parseDevicePage } from '../src/lib/api';
import { ShapeError } from '../src/lib/shape';

const ALERT = {
  id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  kind: 'zone_intrusion',
  severity: 2,
  edge: 'gate-1',
  camera: 'east-gate',
  camera_label: '东门',
  zone: 'lawn',
  zone_label: '草坪',
  rule: 'lawn-closed',
  object: 'person',
  cause: null,
  phase: 'updated',
  began: '2026-01-31T08:30:00Z',
  last: '2026-01-31T08:30:04.5Z',
  ended: null,
  received: '2026-01-31T08:30:00.2Z',
  events: 3,
  first_event: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  snapshot: '/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/snapshot',
  detail: null,
};

const DEVICE = {
  edge: 'gate-1',
  presence: 'online',
  last_seen: '2026-01-31T08:30:00Z',
  health: {
    edge: 'gate-1',
    time: '2026-01-31T08:30:00Z',
    boot: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    uptime_ms: 5,
    version: '0.1.0',
    recorded: [],
    outbox: { queued: 2, disk_bytes: 9 },
    cameras: [
      { camera: 'a', state: { name: 'streaming' }, attention: 'awake', frames_sampled: 3, frames_analysed: 2, frames_still: 4, frames_dropped: 1 },
      { camera: 'b', label: '东门', state: { name: 'faulted', reason: 'why' }, faults: [{ fault: 'of_tomorrow', since: '2026-01-31T08:30:00Z', detail: 'x' }, { detail: 'of no kind' }], frames_sampled: 0, frames_analysed: 0, frames_dropped: 0 },
      { camera: 'c', state: { name: 'dreaming' }, frames_sampled: 0, frames_analysed: 0, frames_dropped: 0 },
    ],
    sensors: [
      { sensor: 'fence-3', label: '北围栏三段', input: 'fence', state: 'tripped', last_seen: '2026-01-31T08:30:00Z', readings: 9, errors: 2 },
      { sensor: 'leak', input: 'water', state: 'soaked', faults: [{ fault: 'open', detail: 'cut' }], readings: 0, errors: 0 },
    ],
    inference: { model: 'm', failures: 0, load: 1.2, workers: 2, model_file: 'replaced', failing: true },
    key: 'tpm',
    disk_free_bytes: 7,
    new_field: { of: 'a newer version' },
  },
  missing: [{ boot: '01ARZ3NDEKTSV4RRFFQ69G5FAV', first: 3, last: 4 }],
  refused: 1,
};

afterEach(() => vi.restoreAllMocks());

describe('alerts', () => {
  it('reads what the hub writes', () => {
    expect(parseAlert(ALERT)).toMatchObject({
      cameraLabel: '东门',
      began: Date.UTC(2026, 0, 31, 8, 30, 0),
      last: Date.UTC(2026, 0, 31, 8, 30, 4, 500),
      ended: null,
      snapshot: ALERT.snapshot,
    });
  });

  it('reads which sensor it is of', () => {
    expect(parseAlert(ALERT)).toMatchObject({ sensor: null, sensorLabel: null, input: null });
    const fence = { ...ALERT, kind: 'sensor_alarm', sensor: 'fence-3', sensor_label: '北围栏三段', input: 'fence' };
    expect(parseAlert(fence)).toMatchObject({ sensor: 'fence-3', sensorLabel: '北围栏三段', input: 'fence' });
  });

  it('reads what the kinds say beside their place', () => {
    expect(parseAlert(ALERT)).toMatchObject({ direction: null, count: null, limit: null });
    expect(parseAlert({ ...ALERT, kind: 'overcrowding', count: 14, limit: 10 })).toMatchObject({ count: 14, limit: 10 });
    expect(parseAlert({ ...ALERT, kind: 'line_crossing', direction: 'left_to_right' }).direction).toBe('left_to_right');
    expect(parseAlert({ ...ALERT, direction: 'up', count: '14', limit: -1 })).toMatchObject({ direction: null, count: null, limit: null });
  });

  it('never makes an alert milder than it may be', () => {
    for (const severity of [0, 5, '2', null, undefined]) expect(parseAlert({ ...ALERT, severity }).severity).toBe(1);
  });

  it('takes a picture from this hub only', () => {
    const bad = ['//evil.example/x', 'https://evil.example/x', 'javascript:alert(1)', '/api/v1/../../x?y', 'data:image/png;base64,x', 7];
    for (const snapshot of bad.slice(0, 3).concat(bad.slice(4))) expect(parseAlert({ ...ALERT, snapshot }).snapshot).toBeNull();
    expect(parseAlert({ ...ALERT, snapshot: bad[3] }).snapshot).toBeNull();
  });

  it('leaves out what makes no sense and keeps the rest', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const page = parseAlertPage({ alerts: [ALERT, null, 7, { ...ALERT, id: '' }, { ...ALERT, began: 'yesterday' }], next: 'c' });
    expect(page.alerts).toHaveLength(1);
    expect(page.next).toBe('c');
    expect(warn).toHaveBeenCalledTimes(4);
  });

  it('refuses what is no page', () => {
    for (const value of [null, [], 'x', {}, { alerts: {} }]) expect(() => parseAlertPage(value)).toThrow(ShapeError);
  });

  it('keeps text as it is, markup included', () => {
    const text = '<img src=x onerror=alert(1)>';
    expect(parseAlert({ ...ALERT, camera_label: text }).cameraLabel).toBe(text);
  });
});

describe('devices', () => {
  it('reads what the hub writes', () => {
    const device = parseDevice(DEVICE);
    expect(device.health?.cameras.map((camera) => camera.faults)).toEqual([[], [{ fault: 'of_tomorrow', since: Date.UTC(2026, 0, 31, 8, 30), detail: 'x' }], ...device.health!.cameras.slice(2).map(() => [])]);
    expect(device.health?.cameras.map((camera) => camera.state)).toEqual([
      { name: 'streaming' },
      { name: 'faulted', reason: 'why' },
      { name: 'unknown' },
    ]);
    expect(device.health?.key).toBe('tpm');
    const keyOf = (key: unknown) => parseDevice({ ...DEVICE, health: { ...DEVICE.health, key } }).health?.key;
    expect([undefined, null, 'file', 'cloud', 7].map(keyOf)).toEqual([null, null, 'file', null, null]);
    expect(device.health?.inference).toMatchObject({ meanMs: null, load: 1, workers: 2, modelFile: 'replaced', failing: true });
    expect(device.health?.sensors).toEqual([
      {
        sensor: 'fence-3',
        label: '北围栏三段',
        input: 'fence',
        state: 'tripped',
        faults: [],
        lastSeen: Date.UTC(2026, 0, 31, 8, 30, 0),
        readings: 9,
        errors: 2,
      },
      { sensor: 'leak', label: null, input: 'water', state: 'unknown', faults: [{ fault: 'open', detail: 'cut' }], lastSeen: null, readings: 0, errors: 0 },
    ]);
    expect(device.health?.cameras.map((camera) => [camera.attention, camera.framesStill])).toEqual([
      ['awake', 4],
      [null, 0],
      [null, 0],
    ]);
    expect(device.missing).toEqual([{ boot: '01ARZ3NDEKTSV4RRFFQ69G5FAV', first: 3, last: 4 }]);
  });

  it('knows a device that has said nothing yet', () => {
    expect(parseDevicePage({ devices: [{ edge: 'gate-9', presence: 'strange', last_seen: null, health: null }], next: 'gate-9' })).toEqual({
      next: 'gate-9',
      devices: [{ edge: 'gate-9', presence: 'unknown', lastSeen: null, health: null, missing: [], refused: 0 }],
    });
  });
});
