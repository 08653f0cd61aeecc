// The list of incidents as pure functions: order, merging, what belongs into it.

import type { Alert } from './api';
import { STAGES, type Incident, type Stage } from './incidents';
import type { Time } from './shape';

/** As many closed ones as the page keeps, besides all that are open. */
export const MAX_CLOSED = 500;

export const isOpen = ({ stage }: Incident): boolean => stage !== 'closed' && stage !== 'evaluated';
export const isShelved = ({ shelvedUntil }: Incident, now: Time): boolean => shelvedUntil !== null && shelvedUntil > now;
/** Nobody has said yet what it is. */
export const isWaiting = (incident: Incident, now: Time): boolean => incident.stage === 'reported' && !isShelved(incident, now);
/** It waits for this very person. */
export const awaits = (incident: Incident, me: string | null, now: Time): boolean =>
  incident.stage === 'assigned' && incident.assignee?.name === me && !isShelved(incident, now);
/** It may not wait in a corner of the list. */
export const isGrave = ({ severity }: Incident): boolean => severity <= 2;
/** Between two messages of the hub its time may run out. */
export const isOverdue = (incident: Incident, now: Time): boolean =>
  isOpen(incident) && (incident.overdue || (incident.due !== null && incident.due <= now));

/** More time was asked for and somebody has to decide; what was asked for until a time that has come is over. */
export const asksForTime = (incident: Incident, now: Time): boolean =>
  isOpen(incident) && incident.extension !== null && incident.extension.until > now;
/** It waits for a supervisor, though not for whoever asked, or would be given the time. */
export const awaitsSupervisor = (incident: Incident, me: string | null, now: Time): boolean =>
  (isOpen(incident) && incident.escalated) ||
  (asksForTime(incident, now) && incident.extension?.by.name !== me && incident.assignee?.name !== me);

export function newestFirst(a: Incident, b: Incident): number {
  return b.opened - a.opened || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** Two states of one incident: an answer may be older than what the stream already said. */
export function later(known: Incident, incoming: Incident): Incident {
  if (incoming.version < known.version) return known;
  // What somebody may do depends on the version alone.
  return incoming.version === known.version && incoming.may === null ? { ...incoming, may: known.may } : incoming;
}

export interface Merged {
  readonly incidents: readonly Incident[];
  /** Ids that were not there before. */
  readonly added: readonly string[];
  /** Ids that are graver than before. */
  readonly raised: readonly string[];
}

export function mergeIncidents(current: readonly Incident[], incoming: readonly Incident[], max: number = MAX_CLOSED): Merged {
  const byId = new Map(current.map((incident) => [incident.id, incident]));
  const added = new Set<string>();
  const raised = new Set<string>();
  for (const incident of incoming) {
    const known = byId.get(incident.id);
    const merged = known ? later(known, incident) : incident;
    if (!known) added.add(incident.id);
    else if (merged.severity < known.severity) raised.add(incident.id);
    byId.set(incident.id, merged);
  }
  let closed = 0;
  const incidents = [...byId.values()].sort(newestFirst).filter((incident) => isOpen(incident) || (closed += 1) <= max);
  return { incidents, added: [...added], raised: [...raised] };
}

/** An alert of it that the page has at hand, for a picture in the list: the earliest, as in the details. */
export function alarmOf(incident: Incident, alerts: readonly Alert[]): Alert | undefined {
  const { edge, camera, zone, sensor, kind, first, last } = incident;
  return alerts
    .filter((one) => one.edge === edge && one.camera === camera && one.zone === zone && one.sensor === sensor && one.kind === kind)
    .filter(({ began }) => began >= first && began <= last)
    .at(-1);
}

/** What somebody wants to see of them. */
export interface Filter {
  readonly show: Show;
  readonly stage: Stage | null;
  readonly edge: string | null;
}
/** `supervise`: what waits for a supervisor. */
export const SHOWS = ['open', 'mine', 'supervise', 'all'] as const;
export type Show = (typeof SHOWS)[number];

/** What somebody may choose from. */
export const showsFor = (verifies: boolean): Show[] => SHOWS.filter((show) => verifies || show !== 'supervise');

/** As the address says it; `usual` is what this person sees when it says nothing. */
export function filterAt(query: URLSearchParams, usual: Show, shows: readonly Show[] = SHOWS): Filter {
  return {
    show: shows.find((show) => show === query.get('show')) ?? usual,
    stage: STAGES.find((stage) => stage === query.get('stage')) ?? null,
    edge: query.get('edge') || null,
  };
}

export function addressOfFilter({ show, stage, edge }: Filter, usual: Show): string {
  const query = new URLSearchParams();
  if (show !== usual) query.set('show', show);
  if (stage !== null) query.set('stage', stage);
  if (edge !== null) query.set('edge', edge);
  return query.size === 0 ? '#/' : `#/?${query}`;
}

export function matches(incident: Incident, { show, stage, edge }: Filter, me: string | null, now: Time): boolean {
  if (show !== 'all' && !isOpen(incident)) return false;
  if (show === 'mine' && incident.assignee?.name !== me) return false;
  if (show === 'supervise' && !awaitsSupervisor(incident, me, now)) return false;
  return (stage === null || incident.stage === stage) && (edge === null || incident.edge === edge);
}

/** What it waits for at each stage; null: for nothing that must be. */
const WAITS_FOR: Readonly<Record<Stage, Stage | null>> = {
  reported: 'triaged',
  triaged: 'assigned',
  assigned: 'accepted',
  accepted: 'handling',
  handling: 'handling',
  fed_back: 'verified',
  verified: 'closed',
  closed: null,
  evaluated: null,
};
export const waitsFor = ({ stage }: Pick<Incident, 'stage'>): Stage | null => WAITS_FOR[stage];

/** Where an incident stands at each step of its way. */
export type Mark = 'done' | 'passed_over' | 'here' | 'ahead';

/** `visited`: the stages its timeline names. A false alarm is closed without most of them. */
export function marks(incident: Pick<Incident, 'stage' | 'outcome'>, visited: ReadonlySet<Stage>): Mark[] {
  const at = STAGES.indexOf(incident.stage);
  const here = waitsFor(incident);
  return STAGES.map((stage, index) => {
    if (stage === here) return 'here';
    if (index > at) return 'ahead';
    // Whoever assigns it has said with that that it is real.
    const done = visited.has(stage) || index === at || stage === 'reported' || (stage === 'triaged' && incident.outcome !== null);
    return done ? 'done' : 'passed_over';
  });
}

/** As many of its alarms as the hub tells at once: the first hundred and the latest. */
const TOLD_AT_ONCE = 200;

/** How many of its alarms are not among those that are told. Where all were, one more may have come since. */
export const unlisted = (alarms: number, told: number): number => (told < TOLD_AT_ONCE ? 0 : Math.max(0, alarms - told));
