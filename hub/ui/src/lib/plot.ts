// What a plot needs besides its data. Pure.

import type { Language } from './i18n/dictionaries';
import type { Values } from './telemetry';

export interface Line {
  readonly label: string;
  readonly values: Values;
}

/** A line of so few points that a gap might leave some of them alone is drawn with its points. */
export function hasPoints(values: Values): boolean {
  const isAlone = (index: number): boolean => (values[index] ?? null) !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
  return values.length <= 30 || values.some((_, index) => isAlone(index));
}

/** The area around a line, paler than it: the line is `#rrggbb`. */
export const bandColour = (line: string): string => (/^#[0-9a-f]{6}$/i.test(line) ? `${line}33` : 'transparent');

const LOCALES: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-GB' };

/** What stands below the axis of time: the day, where one is longer than the span shows hours of. */
export function ticks(seconds: readonly number[], days: boolean, language: Language, zone?: string): string[] {
  const options: Intl.DateTimeFormatOptions = days ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const format = new Intl.DateTimeFormat(LOCALES[language], { ...options, ...(zone ? { timeZone: zone } : {}) });
  let before = '';
  return seconds.map((second) => {
    const text = format.format(second * 1000);
    // Several of one day are told of once.
    const told = text === before ? '' : text;
    before = text;
    return told;
  });
}

/** Where a key leads among so many points; null: nowhere. */
export function pointAt(key: string, at: number | null, points: number): number | null {
  const last = points - 1;
  const from = at ?? last;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, from - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(last, from + 1);
    case 'PageDown':
      return Math.max(0, from - Math.ceil(points / 10));
    case 'PageUp':
      return Math.min(last, from + Math.ceil(points / 10));
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}
