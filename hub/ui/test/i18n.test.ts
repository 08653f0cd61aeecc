import { describe, expect, it } from 'vitest';
import { LANGUAGES, dictionaries, pickLanguage } from '../src/lib/i18n/dictionaries';
import { fact, headline, kindIcon, kindName, pictured, place, placeIcon } from '../src/lib/words';
import { alert } from './samples';

function keys(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${path}:${typeof value}`];
  return Object.entries(value).flatMap(([key, inner]) => keys(inner, `${path}.${key}`));
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(texts);
}

describe('dictionaries', () => {
  // The types say so too; this also holds for a build that skips them.
  it.each(LANGUAGES)('%s has every key and nothing else', (language) => {
    expect(keys(dictionaries[language]).sort()).toEqual(keys(dictionaries.zh).sort());
  });
  it.each(LANGUAGES)('%s has no empty text', (language) => {
    expect(texts(dictionaries[language]).filter((text) => text.trim() === '')).toEqual([]);
  });
  it('English has Chinese only in the name of the product', () => {
    expect(texts(dictionaries.en).filter((text) => /\p{Script=Han}/u.test(text))).toEqual(['门岗']);
  });
});

describe('pickLanguage', () => {
  it.each([
    [null, 'zh-CN', 'zh'],
    [null, 'en-US', 'en'],
    [null, 'en', 'en'],
    [null, 'de-DE', 'zh'],
    [null, '', 'zh'],
    ['en', 'zh-CN', 'en'],
    ['zh', 'en-US', 'zh'],
    ['xx', 'en-US', 'en'],
  ] as const)('remembered %s, browser %s: %s', (remembered, browser, expected) => {
    expect(pickLanguage(remembered, browser)).toBe(expected);
  });
});

describe('words', () => {
  const { zh, en } = dictionaries;
  it('says what happened and where', () => {
    expect(headline(alert('A'), zh)).toBe('人员进入草坪');
    expect(headline(alert('A'), en)).toBe('Person in 草坪');
    expect(headline(alert('A', { object: null, zone: null, zoneLabel: null }), zh)).toBe('有目标进入禁入区');
    expect(headline(alert('A', { object: 'tricycle', zoneLabel: null }), en)).toBe('tricycle in lawn');
    expect(place(alert('A'))).toBe('东门');
    expect(place(alert('A', { camera: null, cameraLabel: null }))).toBe('gate-1');
  });
  it('names the cause of a fault', () => {
    expect(headline(alert('A', { kind: 'camera_tamper', cause: 'signal_lost' }), zh)).toBe('摄像机无信号');
    expect(headline(alert('A', { kind: 'device_fault', cause: 'on_fire' }), en)).toBe('Device fault');
  });
  it('shows a kind of a newer version by its name', () => {
    const newer = alert('A', { kind: 'smoke', cause: 'sprinkler' });
    expect(kindName(newer, zh)).toBe('其他警报（smoke）');
    expect(headline(newer, en)).toBe('Other alert (smoke)');
    expect([kindIcon(newer), pictured(newer), fact(newer, zh)]).toEqual(['bell', false, null]);
    expect(kindIcon(alert('A', { kind: 'constructor', cause: 'toString' }))).toBe('bell');
  });
  it.each([
    ['line_crossing', '人员越过草坪', 'Person crossed 草坪', '越线', 'Line crossing'],
    ['loitering', '人员在草坪徘徊', 'Person loitering in 草坪', '徘徊', 'Loitering'],
    ['vehicle_stopped', '人员停在草坪', 'Person stopped in 草坪', '车辆占道停留', 'Stopped vehicle'],
    ['object_left', '草坪有遗留物', 'Object left in 草坪', '遗留物', 'Object left behind'],
    ['overcrowding', '草坪人数超限', 'Too many people in 草坪', '人数超限', 'Overcrowding'],
  ])('%s is told in both languages, with and without its place', (kind, chinese, english, chineseKind, englishKind) => {
    const one = alert('A', { kind });
    expect([headline(one, zh), headline(one, en)]).toEqual([chinese, english]);
    expect([kindName(one, zh), kindName(one, en)]).toEqual([chineseKind, englishKind]);
    const bare = alert('A', { kind, object: null, zone: null, zoneLabel: null });
    for (const t of [zh, en]) expect(headline(bare, t)).not.toMatch(/null|undefined/);
    expect(pictured(one)).toBe(true);
  });
  it.each([
    ['camera_tamper', ['signal_lost', 'covered', 'blurred', 'moved', 'frozen']],
    ['sensor_fault', ['tamper', 'open', 'short', 'power', 'comms']],
    ['device_fault', ['inference_failed', 'disk_low', 'retention_short', 'model_replaced']],
  ])('every cause of %s has words and a shape of its own', (kind, causes) => {
    const alerts = causes.map((cause) => alert('A', { kind, cause, object: null, zone: null, zoneLabel: null }));
    for (const t of [zh, en]) {
      const told = alerts.map((one) => headline(one, t));
      expect(new Set(told).size).toBe(causes.length);
      for (const one of alerts) expect(headline(one, t)).not.toBe(kindName(one, t));
    }
    expect(new Set(alerts.map(kindIcon)).size).toBe(causes.length);
  });
  it('names a sensor and what it senses', () => {
    const nowhere = { camera: null, cameraLabel: null, zone: null, zoneLabel: null, object: null };
    const fence = alert('A', { kind: 'sensor_alarm', sensor: 'fence-3', sensorLabel: '北围栏三段', input: 'fence', ...nowhere });
    expect([headline(fence, zh), headline(fence, en)]).toEqual(['围栏报警', 'Fence: alarm']);
    expect([place(fence), placeIcon(fence), kindIcon(fence)]).toEqual(['北围栏三段', 'sensor', 'sensor']);
    expect(place({ ...fence, sensorLabel: null })).toBe('fence-3');
    expect(headline({ ...fence, input: null }, en)).toBe('Sensor: alarm');
    expect(headline({ ...fence, input: 'sonar' }, zh)).toBe('sonar报警');
    const inputs = ['contact', 'motion', 'vibration', 'fence', 'beam', 'glass_break', 'smoke', 'heat', 'gas', 'water', 'panic', 'level'];
    for (const t of [zh, en]) {
      expect(new Set(inputs.map(t.input)).size).toBe(inputs.length);
      for (const input of inputs) expect(t.input(input)).not.toBe(input);
    }
  });
  it('tells the count of a crowd and the way over a line', () => {
    const crowd = alert('A', { kind: 'overcrowding', object: null, count: 14, limit: 10 });
    expect([fact(crowd, zh), fact(crowd, en)]).toEqual(['最多 14 人，限 10 人', 'up to 14 people, limit 10']);
    expect(fact({ ...crowd, limit: null }, zh)).toBe('最多 14 人');
    const crossing = alert('A', { kind: 'line_crossing', direction: 'right_to_left' });
    expect([fact(crossing, zh), fact(crossing, en)]).toEqual(['由线的右侧到左侧', "from the line's right to its left"]);
    expect(fact(alert('A'), zh)).toBeNull();
  });
  it('is not fooled by names that every object has', () => {
    expect(zh.object('constructor')).toBe('constructor');
    expect(en.cause('toString')).toBeNull();
  });
});
