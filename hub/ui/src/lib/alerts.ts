// The list of alerts as pure functions: what comes over the live stream and what comes by paging ends up in one list,
// each alert once, newest first, bounded.

import type { Alert, Time } from './api';
import { laterEvidence } from './evidence';

/** As many as the page keeps; the older ones are in the store of the hub. */
export const MAX_ALERTS = 500;

/** Where it stands, as the hub orders its pages: a clock that runs ahead cannot pin an alert to the top. */
export const placed = (alert: Alert): Time => Math.min(alert.began, alert.received);

export function newestFirst(a: Alert, b: Alert): number {
  return placed(b) - placed(a) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** Two states of one alert: the later one. An answer to a request may be older than what the stream already said. */
export function later(known: Alert, incoming: Alert): Alert {
  const stale =
    incoming.events < known.events || (incoming.events === known.events && known.phase === 'ended' && incoming.phase !== 'ended');
  const winner = stale ? known : incoming;
  const evidence = laterEvidence(known.evidence, incoming.evidence);
  const gone = evidence.some((piece) => piece.role === 'snapshot' && piece.state === 'deleted');
  const snapshot = winner.snapshot ?? (gone ? null : (known.snapshot ?? incoming.snapshot));
  return { ...winner, snapshot, evidence };
}

export interface Merged {
  readonly alerts: readonly Alert[];
  /** Ids that were not in the list before. */
  readonly added: readonly string[];
  /** Ids that are graver than before. */
  readonly raised: readonly string[];
}

export function mergeAlerts(current: readonly Alert[], incoming: readonly Alert[], max: number = MAX_ALERTS): Merged {
  const byId = new Map(current.map((alert) => [alert.id, alert]));
  const added = new Set<string>();
  const raised = new Set<string>();
  for (const alert of incoming) {
    const known = byId.get(alert.id);
    if (!known) added.add(alert.id);
    const merged = known ? later(known, alert) : alert;
    if (known && merged.severity < known.severity) raised.add(alert.id);
    byId.set(alert.id, merged);
  }
  const alerts = [...byId.values()].sort(newestFirst).slice(0, max);
  const kept = new Set(alerts.map((alert) => alert.id));
  return {
    alerts,
    added: [...added].filter((id) => kept.has(id)),
    raised: [...raised].filter((id) => kept.has(id)),
  };
}

/** Of what a page says, what the list should already have had: it lies within the list or above it. */
export function unexpected(current: readonly Alert[], page: readonly Alert[]): readonly Alert[] {
  const known = new Set(current.map((alert) => alert.id));
  const oldest = current[current.length - 1];
  return page.filter((alert) => !known.has(alert.id) && (!oldest || newestFirst(alert, oldest) < 0));
}

/** It has no duration: a line is crossed at once, whatever the moments of the alert say. */
export const isMomentary = (alert: Alert): boolean => alert.kind === 'line_crossing';

export const isOngoing = (alert: Alert): boolean => alert.phase !== 'ended' && !isMomentary(alert);

/** Who went over a line is still about: it stands out as long as this. */
const RECENT_MS = 300_000;
/** It may step back behind the others. */
export const isOver = (alert: Alert, now: Time): boolean =>
  isMomentary(alert) ? now - placed(alert) > RECENT_MS : !isOngoing(alert);

/** Arrived at the hub this much later than it happened: the box had no way to the hub in between. */
const LATE_MS = 60_000;
export function lateness(alert: Alert): number | null {
  const delay = alert.received - alert.began;
  return delay > LATE_MS ? delay : null;
}
