// What is said of incidents, in plain words.

import type { Dictionary, Language } from './i18n/dictionaries';
import type { IconName } from './icons';
import { REASONS, type Incident, type Reason, type Stage, type Step } from './incidents';
import { moment } from './time';
import { optionalTime, type Time } from './shape';

/** A shape for each stage: what it waits for, not only that it waits. */
export const STAGE_ICONS: Readonly<Record<Stage, IconName>> = {
  reported: 'bell',
  triaged: 'send',
  assigned: 'wait',
  accepted: 'person',
  handling: 'wrench',
  fed_back: 'eye',
  verified: 'lock',
  closed: 'check',
  evaluated: 'star',
};

/** A map, not an object: a newer hub may call an action `constructor`. */
export const STEP_ICONS: ReadonlyMap<string, IconName> = new Map([
  ['open', 'bell'],
  ['join', 'plus'],
  ['merge', 'link'],
  ['worsen', 'warn'],
  ['triage', 'check'],
  ['assign', 'send'],
  ['accept', 'person'],
  ['return', 'undo'],
  ['begin', 'wrench'],
  ['feed_back', 'pencil'],
  ['pass', 'check'],
  ['fail', 'undo'],
  ['close', 'lock'],
  ['evaluate', 'star'],
  ['shelve', 'pause'],
  ['unshelve', 'up'],
  ['extend', 'wait'],
  ['request_extension', 'question'],
  ['approve_extension', 'check'],
  ['decline_extension', 'cross'],
  ['note', 'book'],
  ['attach', 'attach'],
  ['withdraw', 'undo'],
  ['remind', 'warn'],
  ['escalate', 'escalate'],
] satisfies [string, IconName][]);

const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const asNumber = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const asReason = (value: unknown): Reason | null => REASONS.find((reason) => reason === value) ?? null;

/** To whom: a name, perhaps with the one for others. */
function person({ to, display_name: beside }: Step['detail'], t: Dictionary): string | null {
  const { name, display_name: displayName } = typeof to === 'object' && to !== null ? (to as Record<string, unknown>) : { name: to, display_name: beside };
  const [first, second] = [asText(displayName), asText(name)];
  return first !== null && second !== null ? t.person.as(first, second) : (first ?? second);
}

/** What one step of a timeline was, as a sentence without its subject. */
export function stepWords({ action, to, detail }: Step, now: Time, language: Language, t: Dictionary): string {
  const words = t.incidents.steps;
  const until = optionalTime(detail.until);
  const when = until === null ? null : moment(until, now, language, t);
  switch (action) {
    case 'triage': {
      const outcome = detail.outcome ?? (to === 'triaged' ? 'real' : null);
      if (outcome === 'real') return words.real;
      if (outcome === 'test') return words.test;
      const reason = asReason(detail.reason);
      return words.falseAlarm(reason === null ? null : t.incidents.reason[reason]);
    }
    case 'assign':
      return words.assign(person(detail, t));
    case 'worsen': {
      const severity = asNumber(detail.severity);
      return words.worsen(severity === 1 || severity === 2 || severity === 3 || severity === 4 ? t.severity[severity].name : null);
    }
    case 'merge': {
      const number = asNumber(detail.number);
      const name = number === null ? '' : t.incidents.name(number);
      return detail.into === undefined ? words.tookOver(name) : words.becamePart(name);
    }
    case 'evaluate':
      return words.evaluate(asNumber(detail.grade));
    case 'shelve':
      return words.shelve(when);
    case 'extend':
    case 'request_extension':
    case 'approve_extension':
    case 'decline_extension':
      return words[action](when);
    case 'attach':
    case 'withdraw':
      return words[action](asText(detail.name));
    case 'open':
    case 'join':
    case 'accept':
    case 'begin':
    case 'pass':
    case 'fail':
    case 'close':
    case 'unshelve':
    case 'note':
    case 'remind':
    case 'escalate':
    case 'return':
    case 'feed_back':
      return words[action];
    default:
      return action;
  }
}

/** How it ended, or what it was found to be. */
export function outcomeWords({ outcome, reason, mergedInto }: Incident, t: Dictionary): string | null {
  if (mergedInto !== null) return t.incidents.mergedInto(t.incidents.name(mergedInto));
  if (outcome === null) return null;
  const name = t.incidents.outcome[outcome];
  return outcome === 'false_alarm' && reason !== null ? t.incidents.because(name, t.incidents.reason[reason]) : name;
}
