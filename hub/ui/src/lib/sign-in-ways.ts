// By what people can sign in here besides by password, and why somebody who came back from the provider is not let in.

import { get } from './http';
import type { Language } from './i18n/dictionaries';
import { ShapeError, fields, text } from './shape';

/** An OpenID Connect provider. */
export interface ByProvider {
  readonly label: Readonly<Record<Language, string>>;
  /** Where the browser goes to begin. */
  readonly start: string;
}

export function parseWays(value: unknown): ByProvider | null {
  const { oidc } = fields(value, 'ways');
  if (oidc === null || oidc === undefined) return null;
  const way = fields(oidc, 'oidc');
  const label = fields(way.label, 'oidc.label');
  const start = text(way.start, 'oidc.start');
  // It becomes a link: no other kind of address may.
  if (!/^https?:\/\//.test(start)) throw new ShapeError('oidc.start is no address of a page');
  return { label: { zh: text(label.zh, 'label.zh'), en: text(label.en, 'label.en') }, start };
}

export async function fetchWays(): Promise<ByProvider | null> {
  return parseWays(await get('/api/v1/sign-in-ways'));
}

const REFUSALS = ['not_offered', 'unreachable', 'cancelled', 'stale', 'not_believed', 'nobody', 'another', 'disabled', 'busy', 'hub'] as const;
/** `hub` also stands for what a newer hub says. */
export type ProviderRefusal = (typeof REFUSALS)[number];

/** What the hub put behind `#`; null: it is something else. */
export function parseRefusal(fragment: string): ProviderRefusal | null {
  const word = /^#sign-in-failed=(\w{1,40})$/.exec(fragment)?.[1];
  return word === undefined ? null : (REFUSALS.find((one) => one === word) ?? 'hub');
}
