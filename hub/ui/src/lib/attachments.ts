// What people add to an incident as a file: reading the list, and sending one.

import { HubError, get } from './http';
import { count, each, fields, optionalText, text, time, type Time } from './shape';

/** What the hub takes, by its bytes; the picker of files offers no others. */
export const MEDIA_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'application/pdf'] as const;
/** What a camera gives. */
export const PHOTO_TYPES = 'image/jpeg,image/png,image/webp';
export const MAX_BYTES = 10 * 1024 * 1024;
/** So many with their bytes. */
export const MOST = 20;
/** Characters of a name, as the hub counts them. */
const LONGEST_NAME = 200;

export interface Attachment {
  readonly number: number;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly time: Time;
  readonly who: string;
  /** Its bytes were deleted: since when, and why. A newer hub may know another cause. */
  readonly gone: { readonly time: Time; readonly cause: string } | null;
  readonly held: boolean;
  readonly mayWithdraw: boolean;
}

export function parseAttachment(value: unknown): Attachment {
  const attachment = fields(value, 'attachment');
  const { gone } = attachment;
  const ended = gone === null || gone === undefined ? null : fields(gone, 'attachment.gone');
  return {
    number: count(attachment.number),
    name: text(attachment.name, 'attachment.name'),
    mediaType: text(attachment.media_type, 'attachment.media_type'),
    bytes: count(attachment.bytes),
    sha256: text(attachment.sha256, 'attachment.sha256'),
    time: time(attachment.time, 'attachment.time'),
    who: optionalText(attachment.who) ?? '',
    gone: ended === null ? null : { time: time(ended.time, 'attachment.gone.time'), cause: optionalText(ended.cause) ?? '' },
    held: attachment.held === true,
    mayWithdraw: attachment.may_withdraw === true,
  };
}

const pathOf = (incident: string): string => `/api/v1/incidents/${encodeURIComponent(incident)}/attachments`;

/** The address of its bytes; they are handed out while an alarm of the incident is open to the session. */
export const bytesAt = (incident: string, number: number): string => `${pathOf(incident)}/${number}`;

export const isPicture = ({ mediaType }: Pick<Attachment, 'mediaType'>): boolean => mediaType.startsWith('image/');

/** The first attachment first. */
export async function fetchAttachments(incident: string): Promise<Attachment[]> {
  return each(fields(await get(pathOf(incident)), 'attachments').attachments, 'attachments', parseAttachment);
}

/** What is wrong with a file, as far as that can be said before it is sent; the hub looks at its bytes. */
export function unfit(file: Pick<File, 'type' | 'size'>): 'type' | 'empty' | 'large' | null {
  // Some systems do not know what a file is: then the hub says.
  if (file.type !== '' && !MEDIA_TYPES.some((type) => type === file.type)) return 'type';
  if (file.size === 0) return 'empty';
  return file.size > MAX_BYTES ? 'large' : null;
}

/** A name the hub takes: one line of a bounded length. A picture that was pasted has none of its own. */
export function nameOf(name: string): string {
  const line = [...name.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()];
  // The end says what it is.
  return line.length === 0 ? 'attachment' : line.slice(-LONGEST_NAME).join('');
}

/** Everything of a file is sent, or nothing is kept. Rejects with what the hub said, status 0 when it did not answer. `onprogress`: from 0 to 1. */
export function attach(incident: string, file: File, onprogress: (part: number) => void, signal: AbortSignal): Promise<Attachment> {
  const path = `${pathOf(incident)}?${new URLSearchParams({ name: nameOf(file.name) })}`;
  return new Promise((resolve, reject) => {
    // What `fetch` has sent so far it does not say.
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('content-type', file.type || 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => lengthComputable && total > 0 && onprogress(loaded / total);
    request.onerror = request.ontimeout = request.onabort = () => reject(new HubError(0, path));
    request.onload = () => {
      try {
        const told: unknown = JSON.parse(request.responseText);
        if (request.status === 201) resolve(parseAttachment(told));
        else reject(new HubError(request.status, optionalText(fields(told, 'problem').detail) ?? path));
      } catch {
        reject(new HubError(request.status, path));
      }
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
