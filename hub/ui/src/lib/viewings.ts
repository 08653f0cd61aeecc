// What pictures are looked at for: saying so, and the register of it.

import { post } from './http';
import { fetchPage, type Page } from './page';
import { count, each, fields, optionalText, text, time, type Time } from './shape';

export const REASONS = ['check_alarm', 'follow_up', 'request', 'check_camera', 'other'] as const;
export type Reason = (typeof REASONS)[number];

/** Characters of a reason in words, as the hub counts them. */
export const MAX_STATEMENT = 200;

export type Purpose = { readonly incident: string } | { readonly reason: Reason; readonly text: string };

export interface ViewedPiece {
  readonly event: string;
  readonly sha256: string;
  readonly mediaType: string;
  readonly time: Time;
}

export interface ViewedAttachment {
  readonly incident: string;
  readonly number: number;
  readonly sha256: string;
  readonly mediaType: string;
  readonly time: Time;
}

/** A line of the register. */
export interface Viewing {
  readonly number: number;
  readonly id: string;
  readonly time: Time;
  /** Until when it holds. */
  readonly until: Time;
  readonly person: string;
  readonly displayName: string;
  readonly roles: readonly string[];
  /** Null: every site. */
  readonly sites: readonly string[] | null;
  readonly address: string;
  readonly edge: string;
  readonly alarm: string;
  readonly kind: string;
  readonly camera: string | null;
  readonly incident: string | null;
  /** A newer hub may know another. */
  readonly reason: string | null;
  readonly text: string | null;
  readonly pieces: readonly ViewedPiece[];
  readonly attachments: readonly ViewedAttachment[];
}

function parsePiece(value: unknown): ViewedPiece {
  const piece = fields(value, 'piece');
  return {
    event: text(piece.event, 'piece.event'),
    sha256: text(piece.sha256, 'piece.sha256'),
    mediaType: optionalText(piece.media_type) ?? '',
    time: time(piece.time, 'piece.time'),
  };
}

function parseViewedAttachment(value: unknown): ViewedAttachment {
  const attachment = fields(value, 'attachment');
  return {
    incident: text(attachment.incident, 'attachment.incident'),
    number: count(attachment.number),
    sha256: text(attachment.sha256, 'attachment.sha256'),
    mediaType: optionalText(attachment.media_type) ?? '',
    time: time(attachment.time, 'attachment.time'),
  };
}

export function parseViewing(value: unknown): Viewing {
  const viewing = fields(value, 'viewing');
  const names = (list: unknown, what: string) => each(list, what, (name) => text(name, what));
  return {
    number: typeof viewing.number === 'number' ? viewing.number : 0,
    id: text(viewing.id, 'viewing.id'),
    time: time(viewing.time, 'viewing.time'),
    until: time(viewing.until, 'viewing.until'),
    person: text(viewing.person, 'viewing.person'),
    displayName: text(viewing.display_name, 'viewing.display_name'),
    roles: names(viewing.roles, 'viewing.roles'),
    sites: viewing.sites === null ? null : names(viewing.sites, 'viewing.sites'),
    address: optionalText(viewing.address) ?? '',
    edge: text(viewing.edge, 'viewing.edge'),
    alarm: text(viewing.alarm, 'viewing.alarm'),
    kind: text(viewing.kind, 'viewing.kind'),
    camera: optionalText(viewing.camera),
    incident: optionalText(viewing.incident),
    reason: optionalText(viewing.reason),
    text: optionalText(viewing.text),
    pieces: each(viewing.pieces, 'viewing.pieces', parsePiece),
    attachments: each(viewing.attachments ?? [], 'viewing.attachments', parseViewedAttachment),
  };
}

export async function openViewing(alarm: string, purpose: Purpose): Promise<Viewing> {
  return parseViewing(await post('/api/v1/viewings', { alarm, ...purpose }));
}

export const fetchRegister = (before: string | null): Promise<Page<Viewing>> => fetchPage('/api/v1/viewings', 'viewings', before, parseViewing);

/** The address of a piece in an opening: another opening is another address, so that what the browser kept of the last one is asked for anew. */
export const inOpening = (url: string, viewing: string, attempt = 0): string =>
  `${url}?viewing=${viewing}${attempt === 0 ? '' : `&attempt=${attempt}`}`;
