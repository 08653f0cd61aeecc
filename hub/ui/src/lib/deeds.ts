// What can be done with an incident: what it takes, which key does it, and when it is offered.

import type { IconName } from './icons';
import type { Action, Deed, Incident } from './incidents';

/** What a form asks for besides the text. */
export type Asks = 'reason' | 'person' | 'shelf' | 'due' | 'grade' | null;

interface Choice {
  /** What the hub calls it. */
  readonly action: Action;
  readonly icon: IconName;
  readonly key: string;
  readonly asks: Asks;
  /** `none`: it is done at once, without a form. */
  readonly text: 'none' | 'optional' | 'needed';
  /** What the hub is told besides. */
  readonly more?: Pick<Deed, 'outcome'>;
}

/** In the order they are offered: the way on comes first, what interrupts it after. */
export const CHOICES = {
  acknowledge: { action: 'triage', icon: 'check', key: 'a', asks: null, text: 'none', more: { outcome: 'real' } },
  accept: { action: 'accept', icon: 'check', key: 'y', asks: null, text: 'none' },
  begin: { action: 'begin', icon: 'wrench', key: 'b', asks: null, text: 'none' },
  feed_back: { action: 'feed_back', icon: 'pencil', key: 'w', asks: null, text: 'needed' },
  pass: { action: 'pass', icon: 'check', key: 'p', asks: null, text: 'optional' },
  fail: { action: 'fail', icon: 'undo', key: 'x', asks: null, text: 'needed' },
  assign: { action: 'assign', icon: 'send', key: 'd', asks: 'person', text: 'optional' },
  close: { action: 'close', icon: 'lock', key: 'c', asks: null, text: 'optional' },
  evaluate: { action: 'evaluate', icon: 'star', key: 'e', asks: 'grade', text: 'optional' },
  false_alarm: { action: 'triage', icon: 'cross', key: 'f', asks: 'reason', text: 'optional', more: { outcome: 'false_alarm' } },
  test: { action: 'triage', icon: 'question', key: 't', asks: null, text: 'optional', more: { outcome: 'test' } },
  return: { action: 'return', icon: 'undo', key: 'r', asks: null, text: 'needed' },
  unshelve: { action: 'unshelve', icon: 'up', key: 'u', asks: null, text: 'none' },
  shelve: { action: 'shelve', icon: 'pause', key: 's', asks: 'shelf', text: 'needed' },
  approve_extension: { action: 'approve_extension', icon: 'check', key: 'g', asks: null, text: 'optional' },
  decline_extension: { action: 'decline_extension', icon: 'cross', key: 'v', asks: null, text: 'needed' },
  request_extension: { action: 'request_extension', icon: 'wait', key: 'l', asks: 'due', text: 'needed' },
  note: { action: 'note', icon: 'book', key: 'n', asks: null, text: 'needed' },
} as const satisfies Record<string, Choice>;

export type ChoiceName = keyof typeof CHOICES;
const NAMES = Object.keys(CHOICES) as ChoiceName[];

export const choiceOf = (name: ChoiceName): Choice => CHOICES[name];

/** What is offered: what the hub allows now, and of a triage what still makes sense. */
export function offered({ may, stage }: Pick<Incident, 'may' | 'stage'>): ChoiceName[] {
  if (may === null) return [];
  return NAMES.filter((name) => {
    if (name === 'acknowledge') return may.has('triage') && stage === 'reported';
    // Taking it over and going at it is one thing to whoever is on the way already.
    if (name === 'begin') return may.has('begin') || (may.has('accept') && stage === 'assigned');
    return may.has(CHOICES[name].action);
  });
}

export function byKey(key: string, names: readonly ChoiceName[]): ChoiceName | null {
  return names.find((name) => CHOICES[name].key === key.toLowerCase()) ?? null;
}

/** Dealt with without a handler: the record must say how. */
export const needsText = (name: ChoiceName, { stage }: Pick<Incident, 'stage'>): boolean =>
  choiceOf(name).text === 'needed' || (name === 'close' && stage === 'triaged');

export const MAX_TEXT = 1000;

/** How long something may be put off, in minutes; the hub allows a shelf of 24 hours. */
export const PAUSES = [15, 60, 240, 480, 1440] as const;

/** A minute less than a day where that is the bound: filling in the form takes time. */
export const pauseMs = (minutes: number): number => Math.min(minutes * 60_000, 86_400_000 - 60_000);
