import { describe, expect, it } from 'vitest';
import { dictionaries } from '../src/lib/i18n/dictionaries';
import { age, bytes, clockTime, duration, fullTime, integer, moment } from '../src/lib/time';
import { T0 } from './samples';

const SHANGHAI = 'Asia/Shanghai';
const { zh, en } = dictionaries;

describe('times of day', () => {
  it('are of the given zone, with 24 hours', () => {
    expect(clockTime(T0, 'zh', SHANGHAI)).toBe('14:02:31');
    expect(clockTime(Date.parse('2025-11-22T16:00:00Z'), 'zh', SHANGHAI)).toBe('00:00:00');
    expect(clockTime(Date.parse('2025-11-22T16:00:00Z'), 'en', SHANGHAI)).toBe('00:00:00');
  });
  it('name the day unless it is today', () => {
    const day = 86_400_000;
    expect(moment(T0, T0 + 60_000, 'zh', zh, SHANGHAI)).toBe('14:02:31');
    expect(moment(T0, T0 + day, 'zh', zh, SHANGHAI)).toBe('昨天 14:02:31');
    expect(moment(T0, T0 + day, 'en', en, SHANGHAI)).toBe('yesterday 14:02:31');
    expect(moment(T0, T0 + 2 * day, 'zh', zh, SHANGHAI)).toBe('11月23日 14:02:31');
    expect(moment(T0, T0 + 2 * day, 'en', en, SHANGHAI)).toBe('23 Nov 14:02:31');
    // Yesterday by the calendar, although less than a day ago.
    expect(moment(Date.parse('2025-11-23T15:59:59Z'), Date.parse('2025-11-23T16:00:01Z'), 'zh', zh, SHANGHAI)).toBe('昨天 23:59:59');
  });
  it('are whole for the record', () => {
    expect(fullTime(T0, 'zh', SHANGHAI)).toBe('2025/11/23 14:02:31 GMT+8');
    expect(fullTime(T0, 'en', SHANGHAI)).toBe('23 Nov 2025 14:02:31 GMT+8');
  });
});

describe('age', () => {
  it.each([
    [0, '刚刚', 'just now'],
    [-5_000, '刚刚', 'just now'],
    [2_999, '刚刚', 'just now'],
    [3_000, '3 秒前', '3 s ago'],
    [59_999, '59 秒前', '59 s ago'],
    [60_000, '1 分钟前', '1 min ago'],
    [3_599_999, '59 分钟前', '59 min ago'],
    [3_600_000, '1 小时前', '1 h ago'],
    [86_400_000, '1 天前', '1 day ago'],
    [3 * 86_400_000, '3 天前', '3 days ago'],
  ])('%d ms', (ms, chinese, english) => {
    expect(age(T0, T0 + ms, zh)).toBe(chinese);
    expect(age(T0, T0 + ms, en)).toBe(english);
  });
});

describe('duration', () => {
  it.each([
    [0, '0 秒', '0 s'],
    [12_400, '12 秒', '12 s'],
    [60_000, '1 分钟', '1 min'],
    [185_000, '3 分 5 秒', '3 min 5 s'],
    [3_600_000, '1 小时', '1 h'],
    [5_400_000, '1 小时 30 分', '1 h 30 min'],
    [90_000_000, '1 天 1 小时', '1 day 1 h'],
    [-4, '0 秒', '0 s'],
  ])('%d ms', (ms, chinese, english) => {
    expect(duration(ms, zh)).toBe(chinese);
    expect(duration(ms, en)).toBe(english);
  });
});

describe('amounts', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [999_960, '1.0 MB'],
    [48_300_000_000, '48.3 GB'],
    [148_300_000_000, '148 GB'],
    [5e15, '5000 TB'],
  ])('%d bytes', (amount, expected) => {
    expect(bytes(amount)).toBe(expected);
  });
  it('have separators', () => {
    expect(integer(1234567.8, 'en')).toBe('1,234,568');
  });
});
