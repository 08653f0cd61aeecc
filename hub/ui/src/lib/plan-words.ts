// What is said of the things on a plan.

import { asDiagnosis } from './diagnosis';
import type { Dictionary } from './i18n/dictionaries';
import type { Item } from './plan-state';

/** How it is doing. */
export function conditionWords({ condition, cause }: Pick<Item, 'condition' | 'cause'>, t: Dictionary): string {
  if (condition === 'faulted') {
    const found = asDiagnosis(cause);
    return found === null ? t.plan.condition.faulted : t.devices.diagnosis[found];
  }
  if ((condition === 'covered' || condition === 'ill') && cause !== null) return t.cause(cause) ?? t.plan.condition[condition];
  return t.plan.condition[condition];
}

/** All of it in one line. */
export function itemWords(item: Item, t: Dictionary): string {
  const what = t.plan.thing[item.what](item.name);
  const state = conditionWords(item, t);
  const [first] = item.incidents;
  if (!first) return t.plan.told(what, state);
  const { level, name } = t.severity[first.severity];
  return t.plan.toldOpen(what, item.what === 'zone' ? null : state, item.incidents.length, `${level} ${name}`);
}

/** What is as wide as it is high: of Chinese, Japanese and Korean, and pictures. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** How long a text is, in Latin letters: what is wide counts twice. */
export const columns = (text: string): number => [...text].reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);

/** As much of a text as there is room for. */
export function brief(text: string, most: number): string {
  if (columns(text) <= most) return text;
  let short = '';
  for (const letter of text) {
    if (columns(short + letter) > most - 1) break;
    short += letter;
  }
  return `${short}…`;
}
