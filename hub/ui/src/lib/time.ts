// Times and amounts as people read them. Pure: the time zone is the browser's unless a test names one.

import type { Time } from './api';
import type { Dictionary, Language } from './i18n/dictionaries';

const LOCALES: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-GB' };

const formatters = new Map<string, Intl.DateTimeFormat>();
function formatter(language: Language, zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language}|${zone}|${JSON.stringify(options)}`;
  let found = formatters.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(LOCALES[language], { hourCycle: 'h23', ...(zone ? { timeZone: zone } : {}), ...options });
    formatters.set(key, found);
  }
  return found;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
const DAY: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };

/** `14:02:31` */
export function clockTime(time: Time, language: Language, zone?: string): string {
  return formatter(language, zone, CLOCK).format(time);
}

/** `2025年11月23日 星期日` / `Sunday 23 November 2025` */
export function longDate(time: Time, language: Language, zone?: string): string {
  return formatter(language, zone, { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' }).format(time);
}

/** `11月23日周日` / `Sun 23 Nov` */
export function shortDate(time: Time, language: Language, zone?: string): string {
  return formatter(language, zone, { month: 'short', day: 'numeric', weekday: 'short' }).format(time);
}

function dayOf(time: Time, zone: string | undefined): string {
  return formatter('en', zone, DAY).format(time);
}

/** The clock time; with the day before it unless that is today. */
export function moment(time: Time, now: Time, language: Language, t: Dictionary, zone?: string): string {
  const clock = clockTime(time, language, zone);
  if (dayOf(time, zone) === dayOf(now, zone)) return clock;
  if (dayOf(time, zone) === dayOf(now - 86_400_000, zone)) return t.time.yesterday(clock);
  return `${formatter(language, zone, { month: 'short', day: 'numeric' }).format(time)} ${clock}`;
}

/** Day, clock time and zone, for the record: `2025/11/23 14:02:31 GMT+8`, `23 Nov 2025 14:02:31 GMT+8`. */
export function fullTime(time: Time, language: Language, zone?: string): string {
  const day = formatter(language, zone, language === 'en' ? { ...DAY, month: 'short' } : DAY).format(time);
  const parts = formatter(language, zone, { hour: 'numeric', timeZoneName: 'short' }).formatToParts(time);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  return `${day} ${clockTime(time, language, zone)} ${name}`.trim();
}

/** For `<input type="datetime-local">`: the browser's own time zone, to the minute. */
export function localInput(time: Time): string {
  const local = new Date(time - new Date(time).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** How long ago. A clock of a box may run ahead: the future is "now". */
export function age(time: Time, now: Time, t: Dictionary): string {
  const seconds = Math.max(0, Math.floor((now - time) / 1000));
  if (seconds < 3) return t.time.now;
  if (seconds < 60) return t.time.secondsAgo(seconds);
  if (seconds < 3600) return t.time.minutesAgo(Math.floor(seconds / 60));
  if (seconds < 86_400) return t.time.hoursAgo(Math.floor(seconds / 3600));
  return t.time.daysAgo(Math.floor(seconds / 86_400));
}

/** How long: the two greatest units. */
export function duration(ms: number, t: Dictionary): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return t.time.seconds(seconds);
  if (seconds < 3600) return t.time.minutes(Math.floor(seconds / 60), seconds % 60);
  if (seconds < 86_400) return t.time.hours(Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60));
  return t.time.days(Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600));
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `12.4 GB`, decimal units as on the label of a disk. */
export function bytes(amount: number): string {
  let value = amount;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Numbers with separators, to a tenth. */
export function decimal(value: number, language: Language): string {
  return new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: 1 }).format(value);
}

/** Whole numbers with separators. */
export function integer(value: number, language: Language): string {
  return new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: 0 }).format(value);
}
