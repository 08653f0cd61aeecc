// What the hub deleted: files one by one, and how many records went when their time was over. The first is for who sees deletions, the
// second for who sees the access log.

import type { Permission } from './account';
import { fetchPage, type Page } from './page';
import { count, fields, optionalCount, optionalText, text, time, type Time } from './shape';

/** A picture, clip, original or attachment that is gone. */
export interface Deletion {
  readonly time: Time;
  /** Null: it was attached to an incident. */
  readonly event: string | null;
  /** Null: it was evidence of an event. */
  readonly incident: string | null;
  /** Its number among the attachments of the incident. */
  readonly attachment: number | null;
  readonly sha256: string;
  readonly edge: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** Since when it was here. */
  readonly received: Time;
  /** A newer hub may know another. */
  readonly cause: string;
  /** Of an original: what released it. */
  readonly command: string | null;
}

/** Of what records are counted, in the order they are told. */
export const RECORDS = ['alarms', 'events', 'incidents', 'steps', 'register', 'commands', 'holds', 'records'] as const;
export type RecordKind = (typeof RECORDS)[number];

/** What one sweep of the records deleted. */
export interface Disposal {
  readonly began: Time;
  /** All of it is from before. */
  readonly horizon: Time;
  readonly counts: Readonly<Record<RecordKind, number>>;
}

export function parseDeletion(value: unknown): Deletion {
  const deletion = fields(value, 'deletion');
  return {
    time: time(deletion.time, 'deletion.time'),
    event: optionalText(deletion.event),
    incident: optionalText(deletion.incident),
    attachment: optionalCount(deletion.attachment),
    sha256: text(deletion.sha256, 'deletion.sha256'),
    edge: text(deletion.edge, 'deletion.edge'),
    mediaType: text(deletion.media_type, 'deletion.media_type'),
    bytes: count(deletion.bytes),
    received: time(deletion.received, 'deletion.received'),
    cause: text(deletion.cause, 'deletion.cause'),
    command: optionalText(deletion.command),
  };
}

export function parseDisposal(value: unknown): Disposal {
  const disposal = fields(value, 'disposal');
  return {
    began: time(disposal.began, 'disposal.began'),
    horizon: time(disposal.horizon, 'disposal.horizon'),
    counts: Object.fromEntries(RECORDS.map((kind) => [kind, count(disposal[kind])])) as Record<RecordKind, number>,
  };
}

/** The setting that says how long such a thing is kept; null: something else ended it. */
export function settingOf({ cause, incident }: Deletion): string | null {
  if (cause !== 'age') return null;
  return incident === null ? 'retention.evidence_days' : 'retention.attachment_days';
}

export const fetchDeletions = (before: string | null): Promise<Page<Deletion>> => fetchPage('/api/v1/deletions', 'deletions', before, parseDeletion);
export const fetchDisposals = (before: string | null): Promise<Page<Disposal>> => fetchPage('/api/v1/disposals', 'disposals', before, parseDisposal);

/** The two parts of the view, and what opens each. */
const OPENS = { files: 'see_deletions', records: 'see_access_log' } as const satisfies Record<string, Permission>;
export type Part = keyof typeof OPENS;

export const partsFor = (may: (permission: Permission) => boolean): Part[] => (['files', 'records'] as const).filter((part) => may(OPENS[part]));

/** Which one the address names, of those that are open; the first when it names none of them. */
export const partAt = (query: URLSearchParams, parts: readonly Part[]): Part => parts.find((part) => part === query.get('of')) ?? parts[0] ?? 'files';

export const addressOfPart = (part: Part): string => (part === 'files' ? '#/deletions' : `#/deletions?of=${part}`);
