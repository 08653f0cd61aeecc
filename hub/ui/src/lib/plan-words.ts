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
