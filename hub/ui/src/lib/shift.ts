// What one shift tells the next. Past this file the types are true.

import type { Time } from './api';
import { parseWorst, type Worst } from './figures';
import { get } from './http';
import { STAGES, parseIncident, parseStep, type Incident, type Stage, type Step } from './incidents';
import { count, each, fields, text, time } from './shape';

export interface Followed {
  readonly incident: Incident;
  /** What people last said of it; null: nothing. */
  readonly said: Step | null;
}

export interface Note {
  readonly incident: string;
  readonly number: number;
  readonly step: Step;
}

export interface Shift {
  readonly from: Time;
  readonly until: Time;
  /** As of then incidents are open. */
  readonly now: Time;
  readonly opened: number;
  readonly closed: number;
  readonly falseAlarms: number;
  readonly worst: readonly Worst[];
  readonly open: readonly Followed[];
  readonly dealtWith: readonly Followed[];
  readonly notes: readonly Note[];
}

function parseFollowed(value: unknown): Followed {
  const { incident, said } = fields(value, 'followed');
  return { incident: parseIncident(incident), said: said === null || said === undefined ? null : parseStep(said) };
}

function parseNote(value: unknown): Note {
  const note = fields(value, 'note');
  return { incident: text(note.incident, 'note.incident'), number: count(note.number), step: parseStep(note.step) };
}

export function parseShift(value: unknown): Shift {
  const shift = fields(value, 'shift');
  return {
    from: time(shift.from, 'shift.from'),
    until: time(shift.until, 'shift.until'),
    now: time(shift.now, 'shift.now'),
    opened: count(shift.opened),
    closed: count(shift.closed),
    falseAlarms: count(shift.false_alarms),
    worst: each(shift.worst, 'shift.worst', parseWorst),
    open: each(shift.open, 'shift.open', parseFollowed),
    dealtWith: each(shift.dealt_with, 'shift.dealt_with', parseFollowed),
    notes: each(shift.notes, 'shift.notes', parseNote),
  };
}

/** As many as the hub tells of: there may be more. */
export const MOST_OPEN = 500;
export const MOST_DONE = 200;

export async function fetchShift({ from, until }: Span): Promise<Shift> {
  const query = new URLSearchParams({ from: new Date(from).toISOString(), until: new Date(until).toISOString() });
  return parseShift(await get(`/api/v1/shift-report?${query}`));
}

export interface Span {
  readonly from: Time;
  readonly until: Time;
}

/** Hours back from now that are offered, as shifts are long. */
export const HOURS = [8, 12, 24] as const;
export const LONGEST_MS = 7 * 86_400_000;

/** `hours` back from now, or a span of its own; what makes no sense counts as the first of `HOURS`. */
export function spanAt(query: URLSearchParams, now: Time): { readonly hours: (typeof HOURS)[number] | null; readonly span: Span } {
  const [from, until] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('until') ?? '')];
  if (from < until && until - from <= LONGEST_MS) return { hours: null, span: { from, until } };
  const hours = HOURS.find((one) => String(one) === query.get('hours')) ?? HOURS[0];
  return { hours, span: { from: now - hours * 3_600_000, until: now } };
}

/** Those that are somewhere on the way, in its order. */
export function byStage(open: readonly Followed[]): readonly (readonly [Stage, readonly Followed[]])[] {
  return STAGES.map((stage) => [stage, open.filter(({ incident }) => incident.stage === stage)] as const).filter(([, some]) => some.length > 0);
}
