// Signing in and out, what a person may do here, and what they change of their own account.

import { get, post, put, remove } from './http';
import { parseIdentity, type Identity } from './person';
import { ShapeError, each, fields, text, time, type Time } from './shape';

export const PERMISSIONS = [
  'see_alerts',
  'see_evidence',
  'see_devices',
  'see_plans',
  'draw_plans',
  'see_commands',
  'set_mode',
  'release_original',
  'see_register',
  'export',
  'hold_evidence',
  'see_deletions',
  'manage_people',
  'manage_webhooks',
  'see_access_log',
  'see_incidents',
  'see_all_incidents',
  'work_incidents',
  'handle_incidents',
  'verify_incidents',
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

/** Every other session of the person ends. */
export async function changePassword(old: string, fresh: string): Promise<void> {
  await put(`${SESSION_PATH}/password`, { old, new: fresh });
}

const SECOND_FACTOR_PATH = `${SESSION_PATH}/second-factor`;

/** What an authenticator app is told. It counts only once a code from the app has confirmed it. */
export interface Pending {
  readonly secret: string;
  readonly uri: string;
}

export function parsePending(value: unknown): Pending {
  const pending = fields(value, 'second factor');
  const uri = text(pending.uri, 'uri');
  // It becomes a link: no other kind of address may.
  if (!uri.startsWith('otpauth://totp/')) throw new ShapeError('uri is none for an authenticator');
  return { secret: text(pending.secret, 'secret'), uri };
}

export async function beginSecondFactor(password: string): Promise<Pending> {
  return parsePending(await post(SECOND_FACTOR_PATH, { password }));
}

export async function confirmSecondFactor(code: string): Promise<Session> {
  return parseSession(await put(SECOND_FACTOR_PATH, { code }));
}

export async function removeSecondFactor(password: string): Promise<Session> {
  return parseSession(await remove(SECOND_FACTOR_PATH, { password }));
}

/** For typing off: `ABCD EFGH …`. */
export const inFours = (secret: string): string => secret.match(/.{1,4}/g)?.join(' ') ?? '';
