// Looking back: what is searched for among all incidents, as the address says it and as the hub wants to hear it. Pure, but for the asking.

import type { Severity, Time } from './api';
import { get } from './http';
import { OUTCOMES, REASONS, STAGES, parseIncidentPage, type IncidentPage, type Outcome, type Reason, type Stage } from './incidents';

export const SEVERITIES = [1, 2, 3, 4] as const;

export interface Search {
  /** Days as `2026-01-31`, both included, in the time zone of who asks. */
  readonly from: string | null;
  readonly until: string | null;
  readonly severity: Severity | null;
  readonly kind: string | null;
  readonly edge: string | null;
  readonly camera: string | null;
  readonly site: string | null;
  readonly stage: Stage | null;
  readonly outcome: Outcome | null;
  /** Of a false alarm. */
  readonly reason: Reason | null;
  /** What people call it by. */
  readonly number: number | null;
}

const NAME = /^[a-z0-9-]{1,64}$/;
const KIND = /^[a-z0-9_]{1,64}$/;
const named = (value: string | null, form: RegExp): string | null => (value !== null && form.test(value) ? value : null);

/** Midnight before a day; null: there is no such day. */
function midnight(day: string): Time | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (parts === null) return null;
  const [year, month, date] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const at = new Date(year, month - 1, date);
  return at.getFullYear() === year && at.getMonth() === month - 1 && at.getDate() === date ? at.getTime() : null;
}

/** Midnight after it; days have 23 and 25 hours, too. */
function midnightAfter(day: string): Time | null {
  const at = midnight(day);
  if (at === null) return null;
  const next = new Date(at);
  next.setDate(next.getDate() + 1);
  return next.getTime();
}

const dayAt = (value: string | null): string | null => (value !== null && midnight(value) !== null ? value : null);
const oneOf = <T extends string>(all: readonly T[], value: string | null): T | null => all.find((one) => one === value) ?? null;

/** What makes no sense in the address is not asked for. */
export function searchAt(query: URLSearchParams): Search {
  const number = /^[1-9]\d{0,14}$/.exec(query.get('number') ?? '');
  const reason = oneOf(REASONS, query.get('reason'));
  return {
    from: dayAt(query.get('from')),
    until: dayAt(query.get('until')),
    severity: SEVERITIES.find((severity) => String(severity) === query.get('severity')) ?? null,
    kind: named(query.get('kind'), KIND),
    edge: named(query.get('edge'), NAME),
    camera: named(query.get('camera'), NAME),
    site: named(query.get('site'), NAME),
    stage: oneOf(STAGES, query.get('stage')),
    // Only a false alarm has a reason.
    outcome: reason === null ? oneOf(OUTCOMES, query.get('outcome')) : 'false_alarm',
    reason,
    number: number === null ? null : Number(number[0]),
  };
}

export const NOTHING: Search = searchAt(new URLSearchParams());
export const isNarrowed = (search: Search): boolean => Object.values(search).some((value) => value !== null);

export function addressOfSearch(search: Search): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value !== null && !(key === 'outcome' && search.reason !== null)) query.set(key, String(value));
  }
  return query.size === 0 ? '#/history' : `#/history?${query}`;
}

/** As the hub wants to hear it; `before` goes on after a page. */
export function queryOf(search: Search, before: string | null): URLSearchParams {
  const query = new URLSearchParams({ limit: '50' });
  const [from, until] = [search.from === null ? null : midnight(search.from), search.until === null ? null : midnightAfter(search.until)];
  if (from !== null) query.set('from', new Date(from).toISOString());
  if (until !== null) query.set('until', new Date(until).toISOString());
  for (const key of ['severity', 'kind', 'edge', 'camera', 'site', 'stage', 'outcome', 'reason', 'number'] as const) {
    const value = search[key];
    if (value !== null) query.set(key, String(value));
  }
  if (before !== null) query.set('before', before);
  return query;
}

export async function searchIncidents(search: Search, before: string | null): Promise<IncidentPage> {
  return parseIncidentPage(await get(`/api/v1/incidents?${queryOf(search, before)}`));
}
