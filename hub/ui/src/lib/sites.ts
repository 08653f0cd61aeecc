// Sites: places, and which boxes stand there.

import { get, put, remove } from './http';
import { each, fields, optionalCount, optionalText, text } from './shape';

/** What may have a deadline: until somebody has looked, by severity, and every later stage that is open; from the reminder to the escalation. */
export const DEADLINES = [
  'reported_1', 'reported_2', 'reported_3', 'reported_4', 'triaged', 'assigned', 'accepted', 'handling', 'fed_back', 'verified',
  'escalate_after',
] as const;
export type DeadlineName = (typeof DEADLINES)[number];

/** Seconds; 0: as long as it likes; null: not said. */
export type Deadlines = Readonly<Record<DeadlineName, number | null>>;

/** The hub takes no longer ones. */
export const LONGEST_DEADLINE_S = 30 * 86_400;

export interface Site {
  readonly site: string;
  readonly label: string;
  readonly edges: readonly string[];
  /** Its own; null: as everywhere. */
  readonly deadlines: Deadlines;
}

export interface Sites {
  readonly sites: readonly Site[];
  /** Boxes that belong to none. */
  readonly unassigned: readonly string[];
  /** What holds where a site has nothing of its own. */
  readonly deadlines: Deadlines;
}

/** As the hub wants the name of a site; also for the `pattern` of a field. */
export const SITE_PATTERN = '[a-z0-9\\-]{1,64}';

const edges = (value: unknown): string[] => each(value, 'edges', (edge) => text(edge, 'edge'));

export function parseDeadlines(value: unknown): Deadlines {
  const told = fields(value ?? {}, 'deadlines');
  const reported: readonly unknown[] = Array.isArray(told.reported_s) ? told.reported_s : [];
  const seconds = (name: DeadlineName) => (name.startsWith('reported_') ? reported[Number(name.at(-1)) - 1] : told[`${name}_s`]);
  return Object.fromEntries(DEADLINES.map((name) => [name, optionalCount(seconds(name))])) as Record<DeadlineName, number | null>;
}

/** As the hub wants to hear it. */
export function toldDeadlines(deadlines: Deadlines): Record<string, unknown> {
  const { reported_1, reported_2, reported_3, reported_4, ...stages } = deadlines;
  const later = Object.entries(stages).map(([name, seconds]) => [`${name}_s`, seconds] as const);
  return { reported_s: [reported_1, reported_2, reported_3, reported_4], ...Object.fromEntries(later) };
}

/** How many a site has of its own. */
export const ownDeadlines = (deadlines: Deadlines): number => DEADLINES.filter((name) => deadlines[name] !== null).length;

export function parseSite(value: unknown): Site {
  const site = fields(value, 'site');
  const name = text(site.site, 'site.site');
  return { site: name, label: optionalText(site.label) ?? name, edges: edges(site.edges), deadlines: parseDeadlines(site.deadlines) };
}

export function parseSites(value: unknown): Sites {
  const all = fields(value, 'sites');
  return { sites: each(all.sites, 'sites', parseSite), unassigned: edges(all.unassigned), deadlines: parseDeadlines(all.deadlines) };
}

/** Every box there is, with the site it belongs to. */
export function boxesOf({ sites, unassigned }: Sites): { edge: string; site: Site | null }[] {
  const placed = sites.flatMap((site) => site.edges.map((edge) => ({ edge, site })));
  return [...placed, ...unassigned.map((edge) => ({ edge, site: null }))].sort((a, b) => (a.edge < b.edge ? -1 : 1));
}

const PATH = '/api/v1/sites';
const pathOf = (site: string): string => `${PATH}/${encodeURIComponent(site)}`;

export async function fetchSites(): Promise<Sites> {
  return parseSites(await get(PATH));
}

/** Makes or replaces it; its boxes leave the sites they belonged to. */
export async function putSite({ site, label, edges, deadlines }: Site): Promise<Site> {
  return parseSite(await put(pathOf(site), { label, edges, deadlines: toldDeadlines(deadlines) }));
}

export async function removeSite(site: string): Promise<void> {
  await remove(pathOf(site));
}
