// Everybody who has an account, and giving accounts.

import { get, patch, post } from './http';
import { parseIdentity, type Identity, type Role } from './person';
import { each, fields, optionalTime, text, time, type Time } from './shape';

export type State = 'invited' | 'active' | 'disabled';

export interface Member extends Identity {
  readonly state: State;
  readonly lastSignIn: Time | null;
  /** How the provider knows them; null: they do not sign in by it. */
  readonly provider: ProviderLink | null;
}

export interface ProviderLink {
  readonly name: string;
  /** When somebody first came by it; only they count from then on. Null: nobody has. */
  readonly bound: Time | null;
}

/** By which somebody sets a password. The hub tells it once. */
export interface Invitation {
  readonly token: string;
  readonly until: Time;
}

/** As the hub wants a name; also for the `pattern` of a field. */
export const NAME_PATTERN = '[a-z0-9][a-z0-9._\\-]{0,31}';

/** These are about every place there is: who has one of them cannot be limited to some. */
export const FOR_ALL_SITES: readonly Role[] = ['auditor', 'administrator'];

/** A state this page does not know lets nobody in, as far as anybody can tell. */
const state = (value: unknown): State => (value === 'invited' || value === 'active' ? value : 'disabled');

export function parseMember(value: unknown): Member {
  const person = fields(value, 'person');
  return {
    ...parseIdentity(person),
    state: state(person.state),
    lastSignIn: optionalTime(person.last_sign_in),
    provider: person.provider === null || person.provider === undefined ? null : parseLink(person.provider),
  };
}

function parseLink(value: unknown): ProviderLink {
  const link = fields(value, 'provider');
  return { name: text(link.name, 'provider.name'), bound: optionalTime(link.bound) };
}

export function parseInvitation(value: unknown): Invitation {
  const invitation = fields(value, 'invitation');
  return { token: text(invitation.token, 'invitation.token'), until: time(invitation.until, 'invitation.until') };
}

/** Where the page is, without what stands behind `#`, and what makes it a one-time link. */
export const linkOf = (page: string, name: string, invitation: Invitation): string =>
  `${page.replace(/#.*$/, '')}#welcome=${name}:${invitation.token}`;

const PATH = '/api/v1/people';
const pathOf = (name: string): string => `${PATH}/${encodeURIComponent(name)}`;

export async function fetchPeople(): Promise<Member[]> {
  return each(fields(await get(PATH), 'people').people, 'people', parseMember);
}

/** What is decided about somebody. */
export interface Terms {
  readonly displayName: string;
  readonly roles: readonly Role[];
  readonly sites: readonly string[] | null;
  /** What the provider calls them; null: they do not sign in by it. */
  readonly provider: string | null;
}

const told = ({ displayName, roles, sites, provider }: Terms) => ({ display_name: displayName, roles, sites, provider });

/** Who signs in by the provider needs no link. */
export async function addPerson(name: string, terms: Terms): Promise<{ person: Member; invitation: Invitation | null }> {
  const added = fields(await post(PATH, { name, ...told(terms) }), 'added');
  return { person: parseMember(added.person), invitation: added.invitation === null ? null : parseInvitation(added.invitation) };
}

export async function changePerson(name: string, terms: Terms): Promise<Member> {
  return parseMember(await patch(pathOf(name), told(terms)));
}

export async function setDisabled(name: string, disabled: boolean): Promise<Member> {
  return parseMember(await patch(pathOf(name), { disabled }));
}

/** Whoever came by the provider so far is not let in by it any more; who comes next by the name there is. */
export async function unbind(name: string): Promise<Member> {
  return parseMember(await patch(pathOf(name), { unbind: true }));
}

/** A new link. Once it is used, what the person proved themselves with before counts no more. */
export async function inviteAgain(name: string): Promise<Invitation> {
  return parseInvitation(await post(`${pathOf(name)}/invitation`, {}));
}
