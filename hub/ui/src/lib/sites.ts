// Sites: places, and which boxes stand there.

import { get, put, remove } from './http';
import { each, fields, optionalText, text } from './shape';

export interface Site {
  readonly site: string;
  readonly label: string;
  readonly edges: readonly string[];
}

export interface Sites {
  readonly sites: readonly Site[];
  /** Boxes that belong to none. */
  readonly unassigned: readonly string[];
}

/** As the hub wants the name of a site; also for the `pattern` of a field. */
export const SITE_PATTERN = '[a-z0-9\\-]{1,64}';

const edges = (value: unknown): string[] => each(value, 'edges', (edge) => text(edge, 'edge'));

export function parseSite(value: unknown): Site {
  const site = fields(value, 'site');
  const name = text(site.site, 'site.site');
  return { site: name, label: optionalText(site.label) ?? name, edges: edges(site.edges) };
}

export function parseSites(value: unknown): Sites {
  const all = fields(value, 'sites');
  return { sites: each(all.sites, 'sites', parseSite), unassigned: edges(all.unassigned) };
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
export async function putSite({ site, label, edges }: Site): Promise<Site> {
  return parseSite(await put(pathOf(site), { label, edges }));
}

export async function removeSite(site: string): Promise<void> {
  await remove(pathOf(site));
}
