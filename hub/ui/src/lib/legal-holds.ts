// Legal holds: an alarm's evidence that two people keep although its time is over.

import { post } from './http';
import { fetchPage, type Page } from './page';
import { each, fields, optionalText, optionalTime, text, time, type Time } from './shape';

export type HoldState = 'proposed' | 'declined' | 'lapsed' | 'held' | 'lift_proposed' | 'lifted' | 'over';
export type HoldStep = 'confirm' | 'decline' | 'lift' | 'confirm_lift' | 'keep';

export type CustodyState = 'waiting' | 'held' | 'nothing' | 'outdated' | 'refused' | 'lifting' | 'released' | 'silent';

const STATES: readonly HoldState[] = ['proposed', 'declined', 'lapsed', 'held', 'lift_proposed', 'lifted', 'over'];
const STEPS: readonly HoldStep[] = ['confirm', 'decline', 'lift', 'confirm_lift', 'keep'];

const CUSTODY: readonly CustodyState[] = ['waiting', 'held', 'nothing', 'outdated', 'refused', 'lifting', 'released', 'silent'];

/** What has to be said why. */
export const needsWords = (step: HoldStep): boolean => step !== 'confirm' && step !== 'confirm_lift';

export interface HoldTaken {
  readonly time: Time;
  readonly who: string;
  readonly step: HoldStep;
  readonly text: string | null;
}

/** Whether the alarm's box keeps what it has. */
export interface Custody {
  readonly state: CustodyState;
  readonly answered: Time | null;
  readonly detail: string | null;
}

export interface LegalHold {
  readonly number: number;
  readonly id: string;
  readonly alarm: string;
  readonly edge: string;
  readonly reason: string;
  readonly until: Time;
  readonly time: Time;
  readonly who: string;
  readonly state: HoldState;
  /** Null: the box was not to know of it. */
  readonly custody: Custody | null;
  readonly steps: readonly HoldTaken[];
  /** What who is signed in may do with it. */
  readonly may: readonly HoldStep[];
}

const stepOf = (value: unknown): HoldStep | undefined => STEPS.find((step) => step === value);

function parseCustody(value: unknown): Custody | null {
  if (value === null || value === undefined) return null;
  const custody = fields(value, 'hold.custody');
  // Of a newer hub: nothing is claimed that may not be so.
  const state = CUSTODY.find((state) => state === custody.state) ?? 'waiting';
  return { state, answered: optionalTime(custody.answered), detail: optionalText(custody.detail) };
}

export function parseHold(value: unknown): LegalHold {
  const hold = fields(value, 'hold');
  const taken = (item: unknown): HoldTaken => {
    const step = fields(item, 'step');
    return { time: time(step.time, 'step.time'), who: text(step.who, 'step.who'), step: stepOf(step.step) ?? 'keep', text: optionalText(step.text) };
  };
  return {
    number: typeof hold.number === 'number' ? hold.number : 0,
    id: text(hold.id, 'hold.id'),
    alarm: text(hold.alarm, 'hold.alarm'),
    edge: text(hold.edge, 'hold.edge'),
    reason: text(hold.reason, 'hold.reason'),
    until: time(hold.until, 'hold.until'),
    time: time(hold.time, 'hold.time'),
    who: text(hold.who, 'hold.who'),
    // Of a newer hub: held is what must not be overlooked.
    state: STATES.find((state) => state === hold.state) ?? 'held',
    custody: parseCustody(hold.custody),
    steps: each(hold.steps, 'hold.steps', taken),
    may: Array.isArray(hold.may) ? hold.may.map(stepOf).filter((step) => step !== undefined) : [],
  };
}

/** It stands in the way of another one. */
export const stands = (hold: LegalHold): boolean => hold.state === 'proposed' || hold.state === 'held' || hold.state === 'lift_proposed';

/** The alarm whose box was told of a hold, or answered; null: a command about something else. */
export function heldAlarm(value: unknown): string | null {
  const command = fields(value, 'command');
  const order = fields(command.order, 'command.order');
  return order.kind === 'hold_evidence' ? text(order.alarm, 'command.order.alarm') : null;
}

export const fetchHolds = (before: string | null): Promise<Page<LegalHold>> => fetchPage('/api/v1/holds', 'holds', before, parseHold);
/** The newest of one alarm. */
export const fetchHoldsOf = (alarm: string): Promise<Page<LegalHold>> => fetchPage('/api/v1/holds', 'holds', null, parseHold, { alarm });

export async function proposeHold(alarm: string, reason: string, until: Time): Promise<LegalHold> {
  return parseHold(await post('/api/v1/holds', { alarm, reason, until: new Date(until).toISOString() }));
}

export async function stepHold(id: string, step: HoldStep, words: string | null): Promise<LegalHold> {
  return parseHold(await post(`/api/v1/holds/${id}/steps`, words === null ? { step } : { step, text: words }));
}
