// Plans of sites: a picture, and what is where on it. Past this file the types are true.

import { get, put, putFile, remove, HubError } from './http';
import { count, each, fields, optionalText, text, ShapeError } from './shape';

/** A place on the picture: fractions of its width and height. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where a camera looks: whole degrees, 0 is up on the picture, 90 to the right; how wide, 360 is all around. */
export interface Sight {
  readonly direction: number;
  readonly angle: number;
}

export interface PlacedCamera {
  readonly edge: string;
  readonly camera: string;
  readonly at: Point;
  readonly sight: Sight | null;
}

export interface PlacedSensor {
  readonly edge: string;
  readonly sensor: string;
  readonly at: Point;
}

/** The zone of a camera's picture that a zone of the plan is. */
export interface ZoneSource {
  readonly edge: string;
  readonly camera: string;
  readonly zone: string;
}

export interface PlacedZone {
  readonly label: string;
  /** Two are a line, more an area. */
  readonly outline: readonly Point[];
  readonly shows: ZoneSource | null;
}

export interface Placements {
  readonly cameras: readonly PlacedCamera[];
  readonly zones: readonly PlacedZone[];
  readonly sensors: readonly PlacedSensor[];
}

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Plan {
  readonly site: string;
  readonly label: string;
  readonly version: number;
  readonly size: Size;
  /** Of its picture: another one has another address. */
  readonly sha256: string;
  readonly placed: Placements;
}

/** A site, and whether it has a plan. */
export interface PlannedSite {
  readonly site: string;
  readonly label: string;
  readonly edges: readonly string[];
  readonly version: number | null;
}

/** The hub takes no more of each, and no other corners. */
export const MAX_PLACED = 200;
export const MAX_CORNERS = 64;
export const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
export const MAX_SIDE_PX = 8000;
/** It tells them by their bytes; a browser by their name. */
export const PICTURE_TYPES: readonly string[] = ['image/png', 'image/jpeg', 'image/webp'];

function fraction(value: unknown, what: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw new ShapeError(`${what} is no fraction`);
  return value;
}

function parsePoint(value: unknown): Point {
  const point = fields(value, 'point');
  return { x: fraction(point.x, 'point.x'), y: fraction(point.y, 'point.y') };
}

function parseSight(value: unknown): Sight | null {
  if (value === null || value === undefined) return null;
  const view = fields(value, 'view');
  return { direction: count(view.direction_deg) % 360, angle: Math.min(360, Math.max(1, count(view.angle_deg))) };
}

function parseCamera(value: unknown): PlacedCamera {
  const camera = fields(value, 'camera');
  return { edge: text(camera.edge, 'edge'), camera: text(camera.camera, 'camera'), at: parsePoint(camera.at), sight: parseSight(camera.view) };
}

function parseSensor(value: unknown): PlacedSensor {
  const sensor = fields(value, 'sensor');
  return { edge: text(sensor.edge, 'edge'), sensor: text(sensor.sensor, 'sensor'), at: parsePoint(sensor.at) };
}

function parseZone(value: unknown): PlacedZone {
  const zone = fields(value, 'zone');
  const outline = each(zone.outline, 'outline', parsePoint);
  if (outline.length < 2) throw new ShapeError('zone has no outline');
  const shows = zone.shows === null || zone.shows === undefined ? null : fields(zone.shows, 'shows');
  const source = shows && { edge: text(shows.edge, 'edge'), camera: text(shows.camera, 'camera'), zone: text(shows.zone, 'zone') };
  return { label: text(zone.label, 'label'), outline, shows: source };
}

export function parsePlacements(value: unknown): Placements {
  const placed = fields(value, 'placed');
  return {
    cameras: each(placed.cameras, 'cameras', parseCamera),
    zones: each(placed.zones, 'zones', parseZone),
    sensors: each(placed.sensors, 'sensors', parseSensor),
  };
}

export function parsePlan(value: unknown): Plan {
  const plan = fields(value, 'plan');
  const picture = fields(plan.picture, 'picture');
  const site = text(plan.site, 'site');
  const sha256 = text(picture.sha256, 'sha256');
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new ShapeError('sha256 is none');
  return {
    site,
    label: optionalText(plan.label) ?? site,
    version: count(plan.version),
    size: { width: Math.max(1, count(picture.width_px)), height: Math.max(1, count(picture.height_px)) },
    sha256,
    placed: parsePlacements(plan.placed),
  };
}

export function parsePlannedSite(value: unknown): PlannedSite {
  const site = fields(value, 'site');
  const name = text(site.site, 'site.site');
  return {
    site: name,
    label: optionalText(site.label) ?? name,
    edges: each(site.edges, 'edges', (edge) => text(edge, 'edge')),
    version: typeof site.version === 'number' ? site.version : null,
  };
}

/** As the hub wants to hear it: four digits are a hundredth of a percent of the picture. */
export function told({ cameras, zones, sensors }: Placements): unknown {
  const at = ({ x, y }: Point) => ({ x: Number(x.toFixed(4)), y: Number(y.toFixed(4)) });
  return {
    cameras: cameras.map(({ edge, camera, at: place, sight }) => ({
      edge,
      camera,
      at: at(place),
      view: sight && { direction_deg: sight.direction, angle_deg: sight.angle },
    })),
    zones: zones.map(({ label, outline, shows }) => ({ label, outline: outline.map(at), shows })),
    sensors: sensors.map(({ edge, sensor, at: place }) => ({ edge, sensor, at: at(place) })),
  };
}

const pathOf = (site: string): string => `/api/v1/sites/${encodeURIComponent(site)}/plan`;

/** Where the picture of this plan is. */
export const pictureOf = ({ site, sha256 }: Pick<Plan, 'site' | 'sha256'>): string => `${pathOf(site)}/picture?sha256=${sha256}`;

/** What the address of a plan looks like. */
export const planAddress = (site: string): string => `#/plan?${new URLSearchParams({ site })}`;

export async function fetchPlannedSites(): Promise<PlannedSite[]> {
  return each(fields(await get('/api/v1/plans'), 'plans').sites, 'sites', parsePlannedSite);
}

/** Null: there is none yet. */
export async function fetchPlan(site: string): Promise<Plan | null> {
  try {
    return parsePlan(await get(pathOf(site)));
  } catch (error) {
    if (error instanceof HubError && error.status === 404) return null;
    throw error;
  }
}

/** `version` is that of the plan that was changed: on a later one the hub refuses (409). */
export async function savePlacements(site: string, version: number, placed: Placements): Promise<Plan> {
  return parsePlan(await put(pathOf(site), { version, placed: told(placed) }));
}

/** The first picture begins a plan; `version` is null then. */
export async function savePicture(site: string, version: number | null, picture: Blob): Promise<Plan> {
  return parsePlan(await putFile(`${pathOf(site)}/picture?version=${version ?? 0}`, picture));
}

export async function removePlan(site: string, version: number): Promise<void> {
  await remove(`${pathOf(site)}?version=${version}`);
}
