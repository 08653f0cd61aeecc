// Who signed in, and what was done to accounts. Nobody changes it; it goes when its time is over.

import { fetchPage, type Page } from './page';
import { fields, optionalText, text, time, type Time } from './shape';

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

export const fetchAccessLog = (before: string | null): Promise<Page<AccessRecord>> => fetchPage('/api/v1/access-log', 'records', before, parseRecord);

/** The newest first; what is known already is not told twice. */
export function joinRecords(known: readonly AccessRecord[], more: readonly AccessRecord[]): AccessRecord[] {
  const byNumber = new Map([...known, ...more].map((record) => [record.number, record]));
  return [...byNumber.values()].sort((a, b) => b.number - a.number);
}
