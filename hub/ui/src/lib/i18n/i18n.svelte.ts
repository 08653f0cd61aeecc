import { TAGS, dictionaries, pickLanguage, type Dictionary, type Language } from './dictionaries';

const STORAGE_KEY = 'gatepost.language';

/** Storage may be forbidden; the page works without it. */
function remembered(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

class I18n {
  #language = $state<Language>(pickLanguage(remembered(), navigator.language));

  constructor() {
    document.documentElement.lang = TAGS[this.#language];
  }

  get language(): Language {
    return this.#language;
  }

  set language(language: Language) {
    this.#language = language;
    document.documentElement.lang = TAGS[language];
    try {
      localStorage.setItem(STORAGE_KEY, language);
    } catch {
      // Not remembered, but shown.
    }
  }

  get t(): Dictionary {
    return dictionaries[this.#language];
  }
}

export const i18n = new I18n();
