import { describe, expect, it } from 'vitest';
import { LANGUAGES, dictionaries, pickLanguage } from '../src/lib/i18n/dictionaries';
import { headline, kindName, place } from '../src/lib/words';
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
    expect(kindName(alert('A', { kind: 'loitering' }), zh)).toBe('其他警报（loitering）');
  });
  it('is not fooled by names that every object has', () => {
    expect(zh.object('constructor')).toBe('constructor');
    expect(en.cause('toString')).toBeNull();
  });
});
