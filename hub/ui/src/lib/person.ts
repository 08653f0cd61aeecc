// Who somebody is to the hub: their names, and what they do here.

import { fields, optionalText, text } from './shape';

/** In the order they are offered. */
export const ROLES = ['operator', 'handler', 'supervisor', 'maintainer', 'technician', 'auditor', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

export interface Identity {
  /** What they sign in with. */
  readonly name: string;
  readonly displayName: string;
  readonly roles: readonly Role[];
  /** Null: every site. */
  readonly sites: readonly string[] | null;
  /** Who has none signs in by the provider. */
  readonly hasPassword: boolean;
  readonly secondFactor: boolean;
}

/** Roles this page does not know are left out: what they allow is told by the session, not by their names. */
export function parseRoles(value: unknown): Role[] {
  return Array.isArray(value) ? ROLES.filter((role) => value.includes(role)) : [];
}

/** What is no list limits to nothing at all, never to everything. */
function parseSites(value: unknown): string[] | null {
  if (value === null || value === undefined) return null;
  return Array.isArray(value) ? value.filter((site): site is string => typeof site === 'string' && site !== '') : [];
}

export function parseIdentity(value: unknown): Identity {
  const person = fields(value, 'person');
  const name = text(person.name, 'person.name');
  return {
    name,
    displayName: optionalText(person.display_name) ?? name,
    roles: parseRoles(person.roles),
    sites: parseSites(person.sites),
    hasPassword: person.password !== false,
    secondFactor: person.second_factor === true,
  };
}

/** As the hub writes it beside what somebody ordered. */
export const signature = (person: Identity): string => `${person.displayName} (${person.name})`;
