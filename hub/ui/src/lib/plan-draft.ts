// Changing what is on a plan, as pure functions: a draft and what somebody does to it give the next draft.

import type { Device } from './api';
import { onPicture } from './plan-geometry';
import { MAX_CORNERS, MAX_PLACED, type Placements, type Point, type Sight, type ZoneSource } from './plan';

/** One thing on the draft. */
export interface Chosen {
  readonly what: 'camera' | 'zone' | 'sensor';
  readonly index: number;
}

/** As most cameras are put up. */
export const USUAL_SIGHT: Sight = { direction: 0, angle: 80 };

/** How far an arrow key moves something: a hundredth of the picture. */
export const STEP = 0.01;

const LISTS = { camera: 'cameras', zone: 'zones', sensor: 'sensors' } as const;

/** What stands there at the box and is not on the plan yet. */
export interface Offer {
  readonly edge: string;
  readonly name: string;
  readonly label: string;
}

const offered = (devices: readonly Device[], edges: readonly string[], of: (device: Device) => readonly { name: string; label: string | null }[]): Offer[] =>
  devices
    .filter(({ edge }) => edges.includes(edge))
    .flatMap((device) => of(device).map(({ name, label }) => ({ edge: device.edge, name, label: label ?? name })));

export function offeredCameras(devices: readonly Device[], edges: readonly string[], { cameras }: Placements): Offer[] {
  const all = offered(devices, edges, ({ health }) => (health?.cameras ?? []).map(({ camera, label }) => ({ name: camera, label })));
  return all.filter(({ edge, name }) => !cameras.some((one) => one.edge === edge && one.camera === name));
}

export function offeredSensors(devices: readonly Device[], edges: readonly string[], { sensors }: Placements): Offer[] {
  const all = offered(devices, edges, ({ health }) => (health?.sensors ?? []).map(({ sensor, label }) => ({ name: sensor, label })));
  return all.filter(({ edge, name }) => !sensors.some((one) => one.edge === edge && one.sensor === name));
}

/** Zones of cameras' pictures that a zone of the plan can be. */
export function offeredZones(devices: readonly Device[], edges: readonly string[]): (ZoneSource & { readonly label: string })[] {
  return devices
    .filter(({ edge }) => edges.includes(edge))
    .flatMap(({ edge, health }) =>
      (health?.cameras ?? []).flatMap(({ camera, label, zones }) =>
        zones.map((zone) => ({ edge, camera, zone: zone.zone, label: `${label ?? camera} · ${zone.label ?? zone.zone}` })),
      ),
    );
}

export const isFull = (placed: Placements, what: Chosen['what']): boolean => placed[LISTS[what]].length >= MAX_PLACED;

export function addCamera(placed: Placements, { edge, name }: Pick<Offer, 'edge' | 'name'>, at: Point): [Placements, Chosen] {
  const cameras = [...placed.cameras, { edge, camera: name, at: onPicture(at), sight: USUAL_SIGHT }];
  return [{ ...placed, cameras }, { what: 'camera', index: cameras.length - 1 }];
}

export function addSensor(placed: Placements, { edge, name }: Pick<Offer, 'edge' | 'name'>, at: Point): [Placements, Chosen] {
  const sensors = [...placed.sensors, { edge, sensor: name, at: onPicture(at) }];
  return [{ ...placed, sensors }, { what: 'sensor', index: sensors.length - 1 }];
}

/** A zone that was drawn; null when it has too few corners to be one. */
export function addZone(placed: Placements, outline: readonly Point[], label: string): [Placements, Chosen] | null {
  if (outline.length < 2) return null;
  const zones = [...placed.zones, { label, outline, shows: null }];
  return [{ ...placed, zones }, { what: 'zone', index: zones.length - 1 }];
}

/** Another corner; the same place twice is none, and there is an end to them. */
export function withCorner(outline: readonly Point[], at: Point): readonly Point[] {
  const corner = onPicture(at);
  const last = outline.at(-1);
  if (outline.length >= MAX_CORNERS || (last && Math.hypot(last.x - corner.x, last.y - corner.y) < 0.002)) return outline;
  return [...outline, corner];
}

/** Moved by fractions of the picture; a zone keeps its shape and stays on the picture whole. */
export function moved(placed: Placements, { what, index }: Chosen, by: Point): Placements {
  if (what === 'zone') {
    return edited(placed, what, index, (zone) => {
      const [xs, ys] = [zone.outline.map(({ x }) => x), zone.outline.map(({ y }) => y)];
      const kept = (step: number, all: readonly number[]) => Math.min(1 - Math.max(...all), Math.max(-Math.min(...all), step));
      const [x, y] = [kept(by.x, xs), kept(by.y, ys)];
      return { ...zone, outline: zone.outline.map((corner) => onPicture({ x: corner.x + x, y: corner.y + y })) };
    });
  }
  return edited(placed, what, index, (one) => ({ ...one, at: onPicture({ x: one.at.x + by.x, y: one.at.y + by.y }) }));
}

export function turned(placed: Placements, index: number, sight: Sight | null): Placements {
  return edited(placed, 'camera', index, (camera) => ({ ...camera, sight }));
}

export function named(placed: Placements, index: number, label: string): Placements {
  return edited(placed, 'zone', index, (zone) => ({ ...zone, label }));
}

export function standingFor(placed: Placements, index: number, shows: ZoneSource | null): Placements {
  return edited(placed, 'zone', index, (zone) => ({ ...zone, shows }));
}

export function without(placed: Placements, { what, index }: Chosen): Placements {
  const list = LISTS[what];
  return { ...placed, [list]: placed[list].filter((_, at) => at !== index) };
}

type Of<What extends Chosen['what']> = Placements[(typeof LISTS)[What]][number];

function edited<What extends Chosen['what']>(placed: Placements, what: What, index: number, edit: (one: Of<What>) => Of<What>): Placements {
  const list = placed[LISTS[what]] as readonly Of<What>[];
  return { ...placed, [LISTS[what]]: list.map((one, at) => (at === index ? edit(one) : one)) };
}

/** Degrees come round. */
export const around = (degrees: number): number => ((Math.round(degrees) % 360) + 360) % 360;

export const isSame = (a: Placements, b: Placements): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What a zone's name has to be: one line of 1 to 100 characters. */
export const isLabel = (text: string): boolean => text.trim() !== '' && [...text.trim()].length <= 100 && !/\p{Cc}/u.test(text);

/** Zones whose name the hub would not take. */
export const unnamed = ({ zones }: Placements): readonly number[] => zones.flatMap(({ label }, index) => (isLabel(label) ? [] : [index]));
