// What there is to look at, and who may: `#/people` in the address. What is to be seen of a view may follow: `#/?show=mine`.

import type { Permission } from './account';

export const VIEWS = ['watch', 'device', 'plan', 'history', 'alerts', 'report', 'figures', 'people', 'sites', 'register', 'deletions', 'holds', 'webhooks', 'access-log', 'account'] as const;
export type View = (typeof VIEWS)[number];
/** What one gets to by itself; the account is reached by the person's name, a device by its card. */
export type Listed = Exclude<View, 'account' | 'device'>;
export const isListed = (view: View): view is Listed => view !== 'account' && view !== 'device';

type May = ReadonlySet<Permission>;
const any =
  (...permissions: Permission[]) =>
  (may: May): boolean =>
    permissions.some((permission) => may.has(permission));

/** What opens it; the account is everybody's. */
const OPENS: Readonly<Record<View, (may: May) => boolean>> = {
  watch: any('see_incidents', 'see_alerts', 'see_devices', 'see_commands'),
  // Whoever sees no incidents watches single alarms: they have them in `watch`.
  alerts: (may) => may.has('see_alerts') && may.has('see_incidents'),
  device: any('see_devices'),
  plan: any('see_plans'),
  history: any('see_incidents'),
  report: any('see_all_incidents'),
  figures: any('see_all_incidents'),
  people: any('manage_people'),
  sites: any('manage_people'),
  register: any('see_register'),
  // Files for the one, records for the other.
  deletions: any('see_deletions', 'see_access_log'),
  holds: any('hold_evidence'),
  webhooks: any('manage_webhooks'),
  'access-log': any('see_access_log'),
  account: () => true,
};

export const addressOf = (view: View): string => (view === 'watch' ? '#/' : `#/${view}`);

/** Null: the address names none. */
export function viewAt(fragment: string): View | null {
  const [name] = fragment.split('?');
  return VIEWS.find((view) => addressOf(view) === name) ?? null;
}

/** What follows the view's name. */
export function queryAt(fragment: string): URLSearchParams {
  const at = fragment.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : fragment.slice(at + 1));
}

export function viewsFor(may: May): View[] {
  return VIEWS.filter((view) => OPENS[view](may));
}
