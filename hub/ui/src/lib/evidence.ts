// What an alert can show: pictures, clips, originals that a command released.

import { count, fields, hubPath, optionalText, optionalTime, text, time, type Time } from './shape';

export type Role = 'snapshot' | 'clip' | 'original' | 'other';
export type EvidenceState = 'awaited' | 'here' | 'deleted';

export interface Evidence {
  readonly event: string;
  readonly sha256: string;
  readonly role: Role;
  /** Of an original: what is inside the encryption. */
  readonly mediaType: string;
  readonly bytes: number;
  readonly time: Time;
  readonly state: EvidenceState;
  readonly url: string | null;
  /** The box keeps the uncovered original of it and may release it. */
  readonly originalKept: boolean;
  /** Of an original: the command that released it, and until when. */
  readonly command: string | null;
  readonly until: Time | null;
  readonly deleted: Time | null;
}

export function parseEvidence(value: unknown): Evidence {
  const evidence = fields(value, 'evidence');
  const url = hubPath(evidence.url);
  return {
    event: text(evidence.event, 'evidence.event'),
    sha256: text(evidence.sha256, 'evidence.sha256'),
    role: evidence.role === 'snapshot' || evidence.role === 'clip' || evidence.role === 'original' ? evidence.role : 'other',
    mediaType: optionalText(evidence.media_type) ?? '',
    bytes: count(evidence.bytes),
    time: time(evidence.time, 'evidence.time'),
    state: evidence.state === 'deleted' ? 'deleted' : evidence.state === 'here' && url !== null ? 'here' : 'awaited',
    url,
    originalKept: evidence.original_kept === true,
    command: optionalText(evidence.command),
    until: optionalTime(evidence.until),
    deleted: optionalTime(evidence.deleted),
  };
}

const STEPS: readonly EvidenceState[] = ['awaited', 'here', 'deleted'];

/** Two states of what one alert can show: each piece as far as it got, in whatever order the two came. */
export function laterEvidence(known: readonly Evidence[], incoming: readonly Evidence[]): readonly Evidence[] {
  const key = (piece: Evidence) => `${piece.event} ${piece.sha256}`;
  const pieces = new Map(known.map((piece) => [key(piece), piece]));
  for (const piece of incoming) {
    const before = pieces.get(key(piece));
    if (!before || STEPS.indexOf(piece.state) >= STEPS.indexOf(before.state)) pieces.set(key(piece), piece);
  }
  return [...pieces.values()].sort((a, b) => a.time - b.time || (a.sha256 < b.sha256 ? -1 : 1));
}
