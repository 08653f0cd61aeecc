// Who signed in, and what was done to accounts. Nobody deletes anything from it.

import { get } from './http';
import { each, fields, optionalText, text, time, type Time } from './shape';

export interface AccessRecord {
  readonly number: number;
  readonly time: Time;
  /** Whose account it is about; null: of nobody that the hub knows. */
  readonly name: string | null;
  /** Who did it, when it was somebody else. */
  readonly by: string | null;
  readonly action: string;
  readonly address: string | null;
  readonly detail: string | null;
}

export interface AccessPage {
  readonly records: readonly AccessRecord[];
  readonly next: string | null;
}

export function parseRecord(value: unknown): AccessRecord {
  const record = fields(value, 'record');
  return {
    number: typeof record.number === 'number' ? record.number : 0,
    time: time(record.time, 'record.time'),
    name: optionalText(record.name),
    by: optionalText(record.by),
    action: text(record.action, 'record.action'),
    address: optionalText(record.address),
    detail: optionalText(record.detail),
  };
}

export async function fetchAccessLog(before: string | null): Promise<AccessPage> {
  const query = new URLSearchParams({ limit: '50' });
  if (before !== null) query.set('before', before);
  const page = fields(await get(`/api/v1/access-log?${query}`), 'page');
  return { records: each(page.records, 'records', parseRecord), next: optionalText(page.next) };
}

/** The newest first; what is known already is not told twice. */
export function joinRecords(known: readonly AccessRecord[], more: readonly AccessRecord[]): AccessRecord[] {
  const byNumber = new Map([...known, ...more].map((record) => [record.number, record]));
  return [...byNumber.values()].sort((a, b) => b.number - a.number);
}
