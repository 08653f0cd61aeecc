import { describe, expect, it } from 'vitest';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import type { Placements } from '../src/lib/plan';
import { CONDITIONS, CONDITION_ICONS, addressOf, askingFirst, isTrouble, tellPlan, type Known } from '../src/lib/plan-state';
import { conditionWords, itemWords } from '../src/lib/plan-words';
import { T0, alert, camera, device, health, incident, sensor } from './samples';

const at = { x: 0.5, y: 0.5 };
const placed: Placements = {
  cameras: [{ edge: 'gate-1', camera: 'east-gate', at, sight: null }],
  zones: [
    { label: '草坪', outline: [at, at, at], shows: { edge: 'gate-1', camera: 'east-gate', zone: 'lawn' } },
    { label: '操场', outline: [at, at], shows: null },
  ],
  sensors: [{ edge: 'gate-1', sensor: 'fence-3', at }],
};
const box = (more: Parameters<typeof health>[0] = {}) =>
  device('gate-1', { health: health({ cameras: [camera('east-gate', { label: '东门' })], sensors: [sensor('fence-3')], ...more }) });
const known = (more: Partial<Known> = {}): Known => ({ edges: ['gate-1'], devices: [box()], ready: true, incidents: [], alerts: [], now: T0, ...more });
const conditions = (more: Partial<Known>) => {
  const { cameras, sensors } = tellPlan(placed, known(more));
  return [cameras[0]?.condition, sensors[0]?.condition];
};

describe('how a camera and a sensor are doing', () => {
  it('is well while pictures come', () => {
    expect(conditions({})).toEqual(['well', 'well']);
    expect(tellPlan(placed, known()).cameras[0]?.name).toBe('东门');
  });
  it('is what their box says of them', () => {
    const faulted = camera('east-gate', { state: { name: 'faulted', reason: '401 Unauthorized' } });
    const ill = sensor('fence-3', { faults: [{ fault: 'open', detail: 'the line is cut' }] });
    const told = tellPlan(placed, known({ devices: [box({ cameras: [faulted], sensors: [ill] })] }));
    expect([told.cameras[0]?.condition, told.cameras[0]?.cause]).toEqual(['faulted', 'login_refused']);
    expect([told.sensors[0]?.condition, told.sensors[0]?.cause]).toEqual(['ill', 'open']);
    expect(conditions({ devices: [box({ cameras: [camera('east-gate', { state: { name: 'connecting' } })], sensors: [sensor('fence-3', { state: 'tripped' })] })] })).toEqual(['connecting', 'tripped']);
    expect(conditions({ devices: [box({ cameras: [], sensors: [] })] })).toEqual(['absent', 'absent']);
  });
  it.each([
    ['offline', { devices: [{ ...box(), presence: 'offline' as const }] }],
    ['silent', { now: T0 + 200_000 }],
    ['unheard', { devices: [] }],
    ['unheard', { devices: [device('gate-1', { health: null })] }],
    ['loading', { devices: [], ready: false }],
    ['untold', { devices: null }],
    ['moved_away', { edges: [] }],
  ])('is %s where nothing is heard of the box', (condition, more) => {
    expect(conditions(more)).toEqual([condition, condition]);
  });
  it('is of the kind its box says, without an alarm', () => {
    const of = (state: 'streaming' | 'faulted', ...faults: string[]) => {
      const ill = camera('east-gate', { state: state === 'faulted' ? { name: state, reason: 'x' } : { name: state }, faults: faults.map((fault) => ({ fault, since: T0, detail: 'x' })) });
      const { condition, cause } = tellPlan(placed, known({ devices: [box({ cameras: [ill] })] })).cameras[0]!;
      return [condition, cause];
    };
    expect(of('faulted', 'no_key_frames', 'covered')).toEqual(['faulted', 'no_key_frames']);
    expect(of('streaming', 'moved')).toEqual(['covered', 'moved']);
    expect(of('faulted', 'of_tomorrow')).toEqual(['faulted', null]);
  });
  it('is covered while an alarm says so, not when that is over', () => {
    const covered = alert('A', { kind: 'camera_tamper', cause: 'covered' });
    expect(conditions({ alerts: [covered] })[0]).toBe('covered');
    expect(conditions({ alerts: [{ ...covered, phase: 'ended', ended: T0 }] })[0]).toBe('well');
    expect(conditions({ alerts: [{ ...covered, camera: 'west' }] })[0]).toBe('well');
    // Who sees no alerts may see the incident; who sees no devices sees it all the same.
    const open = incident('I', { kind: 'camera_tamper', cause: 'moved', ongoing: true });
    expect(tellPlan(placed, known({ incidents: [open], devices: null })).cameras[0]).toMatchObject({ condition: 'covered', cause: 'moved' });
    expect(conditions({ incidents: [{ ...open, ongoing: false }] })[0]).toBe('well');
    // Without a picture nothing is known of what it would show.
    expect(conditions({ alerts: [covered], devices: [{ ...box(), presence: 'offline' }] })[0]).toBe('offline');
  });
});

describe('what is open', () => {
  const minor = incident('minor', { severity: 3, number: 8, opened: T0 + 5 });
  const grave = incident('grave', { severity: 1, number: 7, zone: null, zoneLabel: null });
  const fence = incident('fence', { severity: 2, camera: null, zone: null, sensor: 'fence-3' });
  const disk = incident('disk', { kind: 'device_fault', camera: null, zone: null });

  it('is shown where it is, the gravest first', () => {
    const told = tellPlan(placed, known({ incidents: [minor, grave, fence, disk] }));
    expect(told.cameras[0]?.incidents.map(({ id }) => id)).toEqual(['grave', 'minor']);
    expect(told.zones.map(({ incidents }) => incidents.map(({ id }) => id))).toEqual([['minor'], []]);
    expect(told.zones.map(({ condition }) => condition)).toEqual(['alarmed', 'named']);
    expect(told.sensors[0]?.incidents.map(({ id }) => id)).toEqual(['fence']);
    expect(told.elsewhere.map(({ id }) => id)).toEqual(['disk']);
  });
  it('is nothing that is closed or of another site', () => {
    const told = tellPlan(placed, known({ incidents: [{ ...minor, stage: 'closed' }, { ...grave, edge: 'gate-9' }] }));
    expect([told.cameras[0]?.incidents, told.elsewhere]).toEqual([[], []]);
  });
  it('leads to the gravest, else to the box, as far as somebody may go', () => {
    const told = tellPlan(placed, known({ incidents: [minor, grave] }));
    expect(addressOf(told.cameras[0]!, false)).toBe('#/?incident=grave');
    expect(addressOf(told.sensors[0]!, true)).toBe('#/device?edge=gate-1');
    expect(addressOf(told.sensors[0]!, false)).toBeNull();
    expect(addressOf(told.zones[1]!, true)).toBeNull();
  });
  it('and trouble come first in the list', () => {
    const two: Placements = { ...placed, cameras: ['well', 'ill', 'alarmed'].map((name) => ({ edge: 'gate-1', camera: name, at, sight: null })) };
    const ill = camera('ill', { state: { name: 'faulted', reason: 'x' } });
    const { cameras } = tellPlan(two, known({ devices: [box({ cameras: [camera('well'), ill, camera('alarmed')] })], incidents: [{ ...minor, camera: 'alarmed', cameraLabel: null }] }));
    expect(askingFirst(cameras).map(({ name }) => name)).toEqual(['alarmed', 'ill', 'well']);
  });
});

describe('words', () => {
  it.each(['zh', 'en'] as const)('every condition has its own in %s', (language) => {
    const t = dictionaries[language];
    const words = CONDITIONS.map((condition) => conditionWords({ condition, cause: null }, t));
    expect(new Set(words).size).toBe(CONDITIONS.length);
  });
  it('what is well and what is not never look alike', () => {
    const icons = (trouble: boolean) => new Set(CONDITIONS.filter((one) => isTrouble(one) === trouble).map((one) => CONDITION_ICONS[one]));
    // A question mark stands for what is not known, whether somebody should look or not.
    expect([...icons(true)].filter((icon) => icons(false).has(icon))).toEqual(['question']);
  });
  it('say what, how and what is open', () => {
    const { zh, en } = dictionaries;
    const grave = incident('grave', { severity: 1 });
    const told = tellPlan(placed, known({ incidents: [grave] }));
    expect(itemWords(told.cameras[0]!, zh)).toBe('摄像机 东门：正常；1 起未办结警情，最严重的是一级 危急');
    expect(itemWords(told.zones[0]!, en)).toMatch(/^Zone 草坪: 1 open incident, the gravest /);
    expect(itemWords(told.zones[1]!, en)).toBe('Zone 操场: Only a name');
    expect(conditionWords({ condition: 'faulted', cause: 'login_refused' }, en)).toBe(en.devices.diagnosis.login_refused);
    expect(conditionWords({ condition: 'covered', cause: 'moved' }, zh)).toBe('镜头移位');
  });
});
