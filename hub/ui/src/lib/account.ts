// Signing in and out, and what a person may do here.

import { get, post, remove } from './http';
import { parseIdentity, type Identity } from './person';
import { each, fields, text, time, type Time } from './shape';

export const PERMISSIONS = [
  'see_alerts',
  'see_evidence',
  'see_devices',
  'see_commands',
  'set_mode',
  'release_original',
  'see_deletions',
  'manage_people',
  'see_access_log',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export interface Session {
  readonly person: Identity;
  readonly may: ReadonlySet<Permission>;
  readonly expires: Time;
}

export function parseSession(value: unknown): Session {
  const session = fields(value, 'session');
  const may = each(session.may, 'session.may', (permission) => text(permission, 'permission'));
  return {
    person: parseIdentity(session.person),
    may: new Set(PERMISSIONS.filter((permission) => may.includes(permission))),
    expires: time(session.expires, 'session.expires'),
  };
}

export const SESSION_PATH = '/api/v1/session';

export async function fetchSession(): Promise<Session> {
  return parseSession(await get(SESSION_PATH));
}

export async function signIn(name: string, password: string, code: string | null): Promise<Session> {
  return parseSession(await post(SESSION_PATH, code === null ? { name, password } : { name, password, code }));
}

export async function signOut(): Promise<void> {
  await remove(SESSION_PATH);
}

/** Takes up a one-time link: the password counts from now on. */
export async function acceptInvitation(token: string, password: string): Promise<Session> {
  return parseSession(await post('/api/v1/invitation', { token, password }));
}
