// What there is to look at, and who may: `#/people` in the address.

import type { Permission } from './account';

export const VIEWS = ['watch', 'people', 'sites', 'access-log', 'account'] as const;
export type View = (typeof VIEWS)[number];

/** Any one of these opens it; none: it is everybody's. */
const NEEDS: Readonly<Record<View, readonly Permission[]>> = {
  watch: ['see_alerts', 'see_devices', 'see_commands'],
  people: ['manage_people'],
  sites: ['manage_people'],
  'access-log': ['see_access_log'],
  account: [],
};

export const addressOf = (view: View): string => (view === 'watch' ? '#/' : `#/${view}`);

/** Null: the address names none. */
export function viewAt(fragment: string): View | null {
  return VIEWS.find((view) => addressOf(view) === fragment) ?? null;
}

export function viewsFor(may: ReadonlySet<Permission>): View[] {
  return VIEWS.filter((view) => NEEDS[view].length === 0 || NEEDS[view].some((permission) => may.has(permission)));
}
