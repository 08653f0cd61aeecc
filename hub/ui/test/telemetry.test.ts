import { describe, expect, it } from 'vitest';
import type { CameraHealth } from '../src/lib/api';
import { condition, troubles } from '../src/lib/devices';
import { BLIND, TAMPERED, diagnose, troubleWords } from '../src/lib/diagnosis';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import { bandColour, hasPoints, pointAt, ticks } from '../src/lib/plot';
import { alone, extent, historyAddress, isEmpty, parseHistory, silentShare, since, spanAt } from '../src/lib/telemetry';
import { queryAt, viewAt } from '../src/lib/views';
import { T0, device, health } from './samples';

const told = {
  edge: 'gate-1',
  from: '2026-01-31T08:00:00Z',
  until: '2026-01-31T08:25:00Z',
  step_s: 300,
  reports: [0, 10, 0, 10, 3],
  temperature_celsius: { min: [null, 48, null, 50, 52], mean: [null, 49, null, 51, 53], max: [null, 50, null, 60, 53.5] },
  disk_free_bytes: { min: [], mean: [null, 'x', null, 7, 9], max: [] },
  queued: {},
  inference_ms: null,
  load: { mean: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] },
  cameras: [{ camera: 'east-gate', picture: [null, 1, null, 0.5, 0], frames_per_s: [null, 5, null, 2.5, 0], looked_at_per_s: [null, 4] }, { nonsense: 1 }],
  changes: [
    { time: '2026-01-31T08:16:00Z', camera: 'east-gate', state: 'faulted', reason: 'connected, but no key frame to begin with for 30 s' },
    { time: '2026-01-31T08:20:00Z', camera: null, state: 'hovering', reason: null },
  ],
  standing: [{ time: '2026-01-31T08:16:00Z', camera: 'east-gate', state: 'faulted', reason: 'x' }],
};

describe('parseHistory', () => {
  const history = parseHistory(told);
  it('has one value for each step, whatever comes', () => {
    expect(history.stepMs).toBe(300_000);
    for (const course of [history.temperature, history.disk, history.queued, history.inference, history.load]) {
      for (const values of [course.min, course.mean, course.max]) expect(values).toHaveLength(5);
    }
    expect(history.disk.mean).toEqual([null, null, null, 7, 9]);
    expect(history.cameras).toHaveLength(1);
    expect(history.cameras[0]?.lookedAtPerS).toEqual([null, 4, null, null, null]);
  });
  it('takes a state it does not know for one that needs a look', () => {
    expect(history.changes.map(({ camera, state }) => [camera, state])).toEqual([
      ['east-gate', 'faulted'],
      [null, 'offline'],
    ]);
    expect(since(history, 'east-gate')?.time).toBe(Date.parse('2026-01-31T08:16:00Z'));
    expect(since(history, null)).toBeNull();
  });
  it('says in numbers what is drawn', () => {
    expect(extent(history.temperature)).toEqual({ min: 48, mean: 51, max: 60, last: 53 });
    expect(extent(alone([null, 3, null]))).toEqual({ min: 3, mean: 3, max: 3, last: 3 });
    expect(extent(history.queued)).toBeNull();
  });
  it('counts silence from the first report on, without the step under way', () => {
    expect(silentShare(history)).toBeCloseTo(1 / 3);
    expect(silentShare({ ...history, reports: [0, 0, 5] })).toBe(0);
    expect(silentShare({ ...history, reports: [] })).toBe(0);
    expect(isEmpty(history)).toBe(false);
    expect(isEmpty({ ...history, reports: [0, 0] })).toBe(true);
  });
});

describe('the address of a device', () => {
  it('names the box and the span', () => {
    const address = historyAddress('gate-1', 168);
    expect(viewAt(address)).toBe('device');
    expect(queryAt(address).get('edge')).toBe('gate-1');
    expect(spanAt(queryAt(address))).toBe(168);
    expect(spanAt(queryAt(historyAddress('gate-1')))).toBe(24);
    expect(spanAt(new URLSearchParams({ hours: '7' }))).toBe(24);
  });
});

describe('a plot', () => {
  it('shows the points of a line that gaps leave alone', () => {
    const long = Array.from({ length: 100 }, () => 1);
    expect(hasPoints(long)).toBe(false);
    expect(hasPoints([...long, null, 1, null, ...long])).toBe(true);
    expect(hasPoints([...long, 1, null])).toBe(false);
  });
  it('is read point by point', () => {
    expect(pointAt('ArrowLeft', null, 10)).toBe(8);
    expect(pointAt('ArrowLeft', 0, 10)).toBe(0);
    expect(pointAt('ArrowRight', 9, 10)).toBe(9);
    expect(pointAt('PageDown', 50, 100)).toBe(40);
    expect(pointAt('Home', 5, 10)).toBe(0);
    expect(pointAt('End', 5, 10)).toBe(9);
    expect(pointAt('x', 5, 10)).toBeNull();
  });
  it('says each day once below a long span, and the time below a short one', () => {
    const noon = Date.parse('2026-01-31T12:00:00Z') / 1000;
    expect(ticks([noon, noon + 3600], false, 'en', 'UTC')).toEqual(['12:00', '13:00']);
    expect(ticks([noon, noon + 3600, noon + 86_400], true, 'en', 'UTC')).toEqual(['31 Jan', '', '1 Feb']);
  });
  it('has an area paler than its line', () => {
    expect(bandColour('#58c9b0')).toBe('#58c9b033');
    expect(bandColour('red; x')).toBe('transparent');
  });
});

/** As `edge/src/source` writes them. */
describe('diagnose', () => {
  it.each([
    ['rtsp://192.0.2.10:554/a: connected, but no key frame to begin with for 31 s', 'no_key_frames'],
    ['rtsp://192.0.2.10:554/a: connected, but no picture for 12 s', 'silent'],
    ['rtsp://192.0.2.10:554/a: connected, but nothing that can be decoded for 6 s', 'undecodable'],
    ['rtsp://192.0.2.10:554/a: the video is damaged (h264parse: No valid frames decoded before end of stream)', 'undecodable'],
    ['rtsp://192.0.2.10:554/a: what it sends ended the process that takes it apart (signal: 6)', 'crashes'],
    ['rtsp://192.0.2.10:554/a: the camera refuses the login: check `username` and `password_file` (rtspsrc: Unauthorized)', 'login_refused'],
    ['rtsp://192.0.2.10:554/a: it cannot be reached: check `url`, the cable and the camera\'s power (rtspsrc: Could not open resource)', 'unreachable'],
    ['rtsp://192.0.2.10:554/a: the camera does not know this path: check `url` (rtspsrc: Not Found)', 'unknown_path'],
    ['rtsp://192.0.2.10:554/a: it is no video this box can decode (H.264, H.265 and MJPEG are) (decodebin: x)', 'unsupported'],
    ['rtsp://192.0.2.10:554/a: the camera ended the stream', 'ended'],
  ])('%s', (reason, expected) => {
    expect(diagnose(reason)).toBe(expected);
  });
});

const hour = 3_600_000;

describe('what is wrong, in words', () => {
  const camera: CameraHealth = {
    camera: 'gate-2',
    label: null,
    zones: [],
    state: { name: 'faulted', reason: 'connected, but no key frame to begin with for 31 s' },
    faults: [],
    decoder: null,
    attention: null,
    framesSampled: 0,
    framesAnalysed: 0,
    framesStill: 0,
    framesDropped: 0,
    lastFrame: T0 - hour,
  };
  const ill = device('box', { health: health({ cameras: [camera] }) });
  const words = (language: 'zh' | 'en', since?: (camera: string | null) => number | null): string[] =>
    troubles(ill, T0, since).map((trouble) => troubleWords(trouble, T0, language, dictionaries[language]));

  it('says since when, by what is known best', () => {
    expect(words('en')[0]).toMatch(/^gate-2: The camera answers but sends no key frames \(since \d\d:\d\d:31\)$/);
    expect(words('zh')[0]).toMatch(/^gate-2：摄像机有应答，但不发送关键帧（自 .*\d\d:\d\d:31 起）$/);
    expect(words('en', () => T0 - hour + 9_000)[0]).toMatch(/:40\)$/);
  });
  it('reads of which kind it is and since when, whatever the words are', () => {
    const faults = [
      { fault: 'no_key_frames', since: T0 - hour, detail: 'x' },
      { fault: 'moved', since: null, detail: 'y' },
      { fault: 'of_tomorrow', since: null, detail: 'what a newer box saw' },
    ];
    const told = device('box', { health: health({ cameras: [{ ...camera, faults }] }) });
    const words = troubles(told, T0, () => T0).map((trouble) => troubleWords(trouble, T0, 'en', dictionaries.en));
    expect(words[0]).toMatch(/^gate-2: The camera answers but sends no key frames \(since \d\d:\d\d:31\)$/);
    expect(words[0]).not.toContain(new Date(T0).toTimeString().slice(0, 5));
    expect(words.slice(1)).toEqual([`gate-2: ${dictionaries.en.devices.diagnosis.moved}`, 'gate-2: what a newer box saw']);
    expect(condition(told, T0)).toMatchObject({ camerasFaulted: 1, camerasTampered: 0 });
    const moved = device('box', { health: health({ cameras: [{ ...camera, state: { name: 'streaming' }, faults: faults.slice(1, 2) }] }) });
    expect(condition(moved, T0)).toMatchObject({ camerasFaulted: 0, camerasTampered: 1, troubled: true });
  });
  it.each(['zh', 'en'] as const)('every kind has words of its own in %s', (language) => {
    const words = [...BLIND, ...TAMPERED].map((kind) => dictionaries[language].devices.diagnosis[kind]);
    expect(new Set(words).size).toBe(words.length);
  });
  it('knows heat and a certificate that is not renewed', () => {
    const until = (left: number) => device('box', { health: health({ certificate: { from: T0 - 90 * 24 * hour + left, until: T0 + left } }) });
    expect(condition(until(20 * 24 * hour), T0).certificate).toBeNull();
    const ending = until(10 * 24 * hour);
    expect(condition(ending, T0)).toMatchObject({ certificate: 'ending', troubled: true });
    // The same report, when the time has come.
    expect(condition(ending, T0 + 10 * 24 * hour).certificate).toBe('ended');
    expect(troubles(ending, T0)[0]).toMatchObject({ what: 'certificate', state: 'ending' });
    const hot = device('box', { health: health({ temperature: 84.4 }) });
    expect(troubles(hot, T0)).toEqual([{ what: 'hot', celsius: 84.4 }]);
    expect(condition(device('box', { presence: 'offline', health: health({ temperature: 90 }) }), T0).hot).toBe(false);
  });
});
