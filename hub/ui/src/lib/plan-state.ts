// How what is on a plan is doing, as pure functions of what the page holds anyway.

import { isOngoing } from './alerts';
import type { Alert, Device, Severity, Time } from './api';
import { condition } from './devices';
import { illnesses, isTampered } from './diagnosis';
import type { IconName } from './icons';
import { isOpen } from './incident-list';
import type { Incident } from './incidents';
import type { PlacedCamera, PlacedSensor, PlacedZone, Placements } from './plan';

/** Each has words and a shape of its own. */
export const CONDITIONS = [
  'well', 'covered', 'faulted', 'connecting', 'absent', 'silent', 'offline', 'unheard', 'moved_away', 'loading', 'untold', 'ill', 'tripped', 'unread', 'quiet', 'alarmed', 'named',
] as const;
export type Condition = (typeof CONDITIONS)[number];

export const CONDITION_ICONS: Readonly<Record<Condition, IconName>> = {
  well: 'check',
  covered: 'blind',
  faulted: 'cross',
  connecting: 'wait',
  absent: 'question',
  silent: 'silent',
  offline: 'cut',
  unheard: 'cut',
  moved_away: 'leave',
  loading: 'wait',
  untold: 'lock',
  ill: 'wrench',
  tripped: 'bolt',
  unread: 'question',
  quiet: 'check',
  alarmed: 'bell',
  named: 'dot',
};

/** Somebody should look. */
const TROUBLES: ReadonlySet<Condition> = new Set(['covered', 'faulted', 'absent', 'silent', 'offline', 'unheard', 'moved_away', 'ill', 'tripped']);
export const isTrouble = (condition: Condition): boolean => TROUBLES.has(condition);

/** How it looks at a glance. */
export const moodOf = (condition: Condition): 'well' | 'trouble' | 'unclear' => (isTrouble(condition) ? 'trouble' : condition === 'well' ? 'well' : 'unclear');

export type What = 'camera' | 'zone' | 'sensor';

/** One thing on the plan, and how it is doing. */
export interface Item {
  /** What it is known by on this plan. */
  readonly key: string;
  readonly what: What;
  /** Null: a zone that only has a name. */
  readonly edge: string | null;
  readonly name: string;
  readonly condition: Condition;
  /** Of which kind what is wrong with it is, where that is known. */
  readonly cause: string | null;
  /** Open ones there: the gravest first, of those the newest. */
  readonly incidents: readonly Incident[];
}

/** What the page holds, and what its person may see of it. */
export interface Known {
  /** The boxes that stand at the site. */
  readonly edges: readonly string[];
  /** Null: the person sees no devices. */
  readonly devices: readonly Device[] | null;
  /** All of them are here. */
  readonly ready: boolean;
  readonly incidents: readonly Incident[];
  readonly alerts: readonly Alert[];
  readonly now: Time;
}

export interface Told {
  readonly cameras: readonly Item[];
  readonly zones: readonly Item[];
  readonly sensors: readonly Item[];
  /** Open at boxes of the site, at nothing that is on the plan. */
  readonly elsewhere: readonly Incident[];
}

export const keyOf = {
  camera: ({ edge, camera }: Pick<PlacedCamera, 'edge' | 'camera'>): string => `camera ${edge} ${camera}`,
  sensor: ({ edge, sensor }: Pick<PlacedSensor, 'edge' | 'sensor'>): string => `sensor ${edge} ${sensor}`,
  zone: (index: number): string => `zone ${index}`,
};

const gravestFirst = (a: Incident, b: Incident): number => a.severity - b.severity || b.opened - a.opened || (a.id < b.id ? 1 : -1);

/** How the box stands; null: what it says of its cameras and sensors counts. */
function boxCondition(edge: string, device: Device | undefined, { edges, devices, ready, now }: Known): Condition | null {
  if (!edges.includes(edge)) return 'moved_away';
  if (devices === null) return 'untold';
  if (!device) return ready ? 'unheard' : 'loading';
  const { offline, silent } = condition(device, now);
  if (offline) return 'offline';
  if (silent) return 'silent';
  return device.health === null ? 'unheard' : null;
}

/**
 * An alarm says that its picture does not show the scene: covered, blurred, moved, frozen. It is heard before the next report of the box, and
 * by those who see no devices.
 */
function tampering(edge: string, camera: string, { incidents, alerts }: Known): string | null {
  const here = (one: Alert | Incident): boolean => one.kind === 'camera_tamper' && one.edge === edge && one.camera === camera && one.cause !== 'signal_lost';
  const found = alerts.find((one) => here(one) && isOngoing(one)) ?? incidents.find((one) => here(one) && one.ongoing && isOpen(one));
  return found ? (found.cause ?? 'covered') : null;
}

function cameraItem(placed: PlacedCamera, device: Device | undefined, known: Known, open: readonly Incident[]): Item {
  const { edge, camera } = placed;
  const told = device?.health?.cameras.find((one) => one.camera === camera);
  const incidents = open.filter((one) => one.edge === edge && one.camera === camera);
  const base = { key: keyOf.camera(placed), what: 'camera', edge, name: told?.label ?? incidents[0]?.cameraLabel ?? camera, incidents } as const;
  const box = boxCondition(edge, device, known);
  if (box === 'moved_away') return { ...base, condition: box, cause: null };
  const alarmed = tampering(edge, camera, known);
  if (box === 'untold' && alarmed !== null) return { ...base, condition: 'covered', cause: alarmed };
  if (box !== null) return { ...base, condition: box, cause: null };
  const ill = told ? illnesses(told) : [];
  if (told?.state.name === 'faulted') return { ...base, condition: 'faulted', cause: ill.find(({ fault }) => !isTampered(fault))?.fault ?? null };
  const cause = ill.find(({ fault }) => isTampered(fault))?.fault ?? alarmed;
  if (cause !== null) return { ...base, condition: 'covered', cause };
  if (!told) return { ...base, condition: 'absent', cause: null };
  const conditions = { streaming: 'well', connecting: 'connecting', unknown: 'unread' } as const;
  return { ...base, condition: conditions[told.state.name], cause: null };
}

function sensorItem(placed: PlacedSensor, device: Device | undefined, known: Known, open: readonly Incident[]): Item {
  const { edge, sensor } = placed;
  const told = device?.health?.sensors.find((one) => one.sensor === sensor);
  const incidents = open.filter((one) => one.edge === edge && one.sensor === sensor);
  const base = { key: keyOf.sensor(placed), what: 'sensor', edge, name: told?.label ?? incidents[0]?.sensorLabel ?? sensor, incidents } as const;
  const box = boxCondition(edge, device, known);
  if (box !== null) return { ...base, condition: box, cause: null };
  if (!told) return { ...base, condition: 'absent', cause: null };
  const [fault] = told.faults;
  if (fault) return { ...base, condition: 'ill', cause: fault.fault };
  const conditions = { rest: 'well', tripped: 'tripped', unknown: 'unread' } as const;
  return { ...base, condition: conditions[told.state], cause: null };
}

function zoneItem({ label, shows }: PlacedZone, index: number, known: Known, open: readonly Incident[]): Item {
  const base = { key: keyOf.zone(index), what: 'zone', edge: shows?.edge ?? null, name: label, cause: null } as const;
  if (shows === null) return { ...base, condition: 'named', incidents: [] };
  const incidents = open.filter((one) => one.edge === shows.edge && one.camera === shows.camera && one.zone === shows.zone);
  if (!known.edges.includes(shows.edge)) return { ...base, condition: 'moved_away', incidents };
  return { ...base, condition: incidents.length > 0 ? 'alarmed' : 'quiet', incidents };
}

export function tellPlan({ cameras, zones, sensors }: Placements, known: Known): Told {
  const here = new Set(known.edges);
  const boxes = new Map((known.devices ?? []).filter(({ edge }) => here.has(edge)).map((device) => [device.edge, device]));
  const open = known.incidents.filter((one) => here.has(one.edge) && isOpen(one)).sort(gravestFirst);
  const told = {
    cameras: cameras.map((one) => cameraItem(one, boxes.get(one.edge), known, open)),
    zones: zones.map((one, index) => zoneItem(one, index, known, open)),
    sensors: sensors.map((one) => sensorItem(one, boxes.get(one.edge), known, open)),
  };
  const shown = new Set([...told.cameras, ...told.zones, ...told.sensors].flatMap(({ incidents }) => incidents));
  return { ...told, elsewhere: open.filter((one) => !shown.has(one)) };
}

export const gravest = ({ incidents }: Pick<Item, 'incidents'>): Severity | null => incidents[0]?.severity ?? null;

/** Those that ask for somebody first: by the gravest incident, then trouble, then as they stand on the plan. */
export function askingFirst(items: readonly Item[]): Item[] {
  const rank = (item: Item): number => gravest(item) ?? (isTrouble(item.condition) ? 5 : 6);
  return [...items].sort((a, b) => rank(a) - rank(b));
}

/** Where one gets to from it: its gravest incident, or its box, as far as the person may go. */
export function addressOf(item: Pick<Item, 'incidents' | 'edge'>, seesDevices: boolean): string | null {
  const [first] = item.incidents;
  if (first) return incidentAddress(first);
  return item.edge !== null && seesDevices ? `#/device?${new URLSearchParams({ edge: item.edge })}` : null;
}

export const incidentAddress = ({ id }: Pick<Incident, 'id'>): string => `#/?${new URLSearchParams({ incident: id })}`;
