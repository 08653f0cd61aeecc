import { en } from './en';
import { zh } from './zh';

/** What every language must have: the keys of the Chinese dictionary. */
export type Dictionary = typeof zh;

export type Language = 'zh' | 'en';

export const LANGUAGES: readonly Language[] = ['zh', 'en'];

export const dictionaries: Readonly<Record<Language, Dictionary>> = { zh, en };

/** For the `lang` attribute. */
export const TAGS: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en' };

/** What was chosen before, else the browser's language, else Chinese. */
export function pickLanguage(remembered: string | null, browser: string): Language {
  if (remembered === 'zh' || remembered === 'en') return remembered;
  return /^en\b/i.test(browser) ? 'en' : 'zh';
}
