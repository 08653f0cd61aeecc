// Incidents as the hub tells of them: what people follow from its report to its closing. Past this file the types are true.

import { parseAlert, parseHappening, type Alert, type Happening } from './api';
import { get, post } from './http';
import { untilFound } from './page';
import { count, each, fields, optionalCount, optionalText, optionalTime, text, time, type Fields, type Time } from './shape';

/** In the order an incident goes through them. */
export const STAGES = ['reported', 'triaged', 'assigned', 'accepted', 'handling', 'fed_back', 'verified', 'closed', 'evaluated'] as const;
export type Stage = (typeof STAGES)[number];

export const REASONS = ['animal', 'plant', 'light', 'weather', 'insect', 'reflection', 'authorised', 'rule', 'defect', 'other'] as const;
export type Reason = (typeof REASONS)[number];

export const OUTCOMES = ['real', 'false_alarm', 'test'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What people do with it. */
export const ACTIONS = [
  'triage', 'assign', 'accept', 'return', 'begin', 'feed_back', 'pass', 'fail', 'close', 'evaluate', 'shelve', 'unshelve',
  'request_extension', 'approve_extension', 'decline_extension', 'note', 'attach', 'withdraw',
] as const;
export type Action = (typeof ACTIONS)[number];

/** Somebody whom others know by a name. */
export interface Someone {
  readonly name: string;
  readonly displayName: string;
}

/** More time that somebody asked for and nobody has decided about. */
export interface Extension {
  readonly by: Someone;
  readonly until: Time;
  readonly reason: string;
}

/** It happened where and as its first alarm says. */
export interface Incident extends Happening {
  /** What people call it by. */
  readonly number: number;
  readonly alarms: number;
  /** Files people added whose bytes are here. */
  readonly attachments: number;
  /** One of its alarms still goes on. */
  readonly ongoing: boolean;
  /** Of its alarms, by the box's clock. */
  readonly first: Time;
  readonly last: Time;
  /** By the hub's clock. */
  readonly opened: Time;
  readonly stage: Stage;
  readonly outcome: Outcome | null;
  /** The number of the incident that it turned out to be part of. */
  readonly mergedInto: number | null;
  readonly reason: Reason | null;
  readonly assignee: Someone | null;
  readonly shelvedUntil: Time | null;
  readonly due: Time | null;
  readonly overdue: boolean;
  /** Its stage still takes too long some time after the reminder: the supervisors' business. */
  readonly escalated: boolean;
  readonly extension: Extension | null;
  /** How many steps its timeline has. */
  readonly version: number;
  /** What the caller may do with it; null: the live stream does not say. */
  readonly may: ReadonlySet<Action> | null;
}

export interface IncidentPage {
  readonly incidents: readonly Incident[];
  readonly next: string | null;
  /** How far back was looked, if that was before a page was full. */
  readonly lookedBackTo: Time | null;
}

/** One entry of a timeline. */
export interface Step {
  readonly version: number;
  readonly time: Time;
  /** Null: the hub. */
  readonly who: string | null;
  readonly action: string;
  readonly to: Stage | null;
  readonly text: string | null;
  readonly detail: Fields;
  readonly hash: string | null;
}

const oneOf = <T extends string>(all: readonly T[], value: unknown): T | null => all.find((one) => one === value) ?? null;

export function parseSomeone(value: unknown): Someone {
  const someone = fields(value, 'person');
  const name = text(someone.name, 'person.name');
  return { name, displayName: optionalText(someone.display_name) ?? name };
}

function parseExtension(value: unknown): Extension | null {
  if (value === null || value === undefined) return null;
  const asked = fields(value, 'extension');
  return { by: parseSomeone(asked.by), until: time(asked.until, 'extension.until'), reason: optionalText(asked.reason) ?? '' };
}

export function parseIncident(value: unknown): Incident {
  const incident = fields(value, 'incident');
  const opened = time(incident.opened, 'incident.opened');
  const first = optionalTime(incident.first) ?? opened;
  const { assignee, may } = incident;
  return {
    ...parseHappening(incident, 'incident'),
    number: count(incident.number),
    alarms: count(incident.alarms),
    attachments: count(incident.attachments),
    ongoing: incident.ongoing === true,
    first,
    last: optionalTime(incident.last) ?? first,
    opened,
    // A stage this page does not know counts as the first: better looked at twice than not at all.
    stage: oneOf(STAGES, incident.stage) ?? 'reported',
    outcome: oneOf(OUTCOMES, incident.outcome),
    mergedInto: optionalCount(incident.merged_into),
    reason: typeof incident.reason === 'string' ? (oneOf(REASONS, incident.reason) ?? 'other') : null,
    assignee: assignee === null || assignee === undefined ? null : parseSomeone(assignee),
    shelvedUntil: optionalTime(incident.shelved_until),
    due: optionalTime(incident.due),
    overdue: incident.overdue === true,
    escalated: incident.escalated === true,
    extension: parseExtension(incident.extension),
    version: count(incident.version),
    may: Array.isArray(may) ? new Set(ACTIONS.filter((action) => may.includes(action))) : null,
  };
}

export function parseIncidentPage(value: unknown): IncidentPage {
  const page = fields(value, 'page');
  return {
    incidents: each(page.incidents, 'incidents', parseIncident),
    next: optionalText(page.next),
    lookedBackTo: optionalTime(page.looked_back_to),
  };
}

export function parseStep(value: unknown): Step {
  const step = fields(value, 'step');
  const { detail } = step;
  return {
    version: count(step.version),
    time: time(step.time, 'step.time'),
    who: optionalText(step.who),
    action: text(step.action, 'step.action'),
    to: oneOf(STAGES, step.to),
    text: optionalText(step.text),
    detail: typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? (detail as Fields) : {},
    hash: optionalText(step.hash),
  };
}

const PATH = '/api/v1/incidents';
const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`;

export interface Wanted {
  readonly open?: boolean;
  readonly stage?: Stage | null;
  readonly edge?: string | null;
  readonly before?: string | null;
  readonly limit?: number;
}

export async function fetchIncidents({ open, stage, edge, before = null, limit = 50 }: Wanted): Promise<IncidentPage> {
  const ask = async (behind: string | null): Promise<IncidentPage> => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (open !== undefined) query.set('open', String(open));
    if (stage) query.set('stage', stage);
    if (edge) query.set('edge', edge);
    if (behind) query.set('before', behind);
    return parseIncidentPage(await get(`${PATH}?${query}`));
  };
  return untilFound(before, ask, ({ incidents }) => incidents.length > 0);
}

export async function fetchIncident(id: string): Promise<Incident> {
  return parseIncident(await get(pathOf(id)));
}

/** Its alarms, the first first. */
export async function fetchAlarms(id: string): Promise<Alert[]> {
  return each(fields(await get(`${pathOf(id)}/alerts`), 'alerts').alerts, 'alerts', parseAlert);
}

/** The first step first. */
export async function fetchTimeline(id: string): Promise<Step[]> {
  return each(fields(await get(`${pathOf(id)}/timeline`), 'timeline').steps, 'steps', parseStep);
}

/** Who may handle an incident at this box. */
export async function fetchHandlers(edge: string): Promise<Someone[]> {
  const query = new URLSearchParams({ edge });
  return each(fields(await get(`/api/v1/handlers?${query}`), 'handlers').people, 'people', parseSomeone);
}

/** What is done with an incident, as the hub wants to hear it. */
export interface Deed {
  readonly action: Action;
  readonly outcome?: Outcome;
  readonly reason?: Reason;
  readonly to?: string;
  readonly until?: Time;
  readonly grade?: number;
  /** The number of the one that is withdrawn. */
  readonly attachment?: number;
  readonly text?: string;
}

/** `version` is that of what the person saw: on a later one the hub refuses (409). */
export async function act(id: string, version: number, { until, ...deed }: Deed): Promise<Incident> {
  const body = { version, ...deed, ...(until === undefined ? {} : { until: new Date(until).toISOString() }) };
  return parseIncident(await post(`${pathOf(id)}/steps`, body));
}
