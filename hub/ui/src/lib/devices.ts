// The list of devices as pure functions.

import type { Device, Health, SensorHealth, Time } from './api';
import { illnesses, type Illness } from './diagnosis';

const byName = new Intl.Collator('en', { numeric: true }).compare;

/** By name. There may be ten thousand, and hundreds of them say something every second: they are put in order only when one is new. */
export function mergeDevices(current: readonly Device[], incoming: readonly Device[]): readonly Device[] {
  const byEdge = new Map(current.map((device) => [device.edge, device]));
  for (const device of incoming) {
    const known = byEdge.get(device.edge);
    if (known && (known.lastSeen ?? 0) > (device.lastSeen ?? 0)) continue;
    byEdge.set(device.edge, device);
  }
  const devices = [...byEdge.values()];
  return devices.length === current.length ? devices : devices.sort((a, b) => byName(a.edge, b.edge));
}

/** Boxes report every half minute; three missed reports are no chance. */
const SILENT_MS = 100_000;
const LITTLE_DISK_BYTES = 1_000_000_000;
/** The detector hardly rests: frames wait, and those that waited too long are thrown away. */
const FULL_LOAD = 0.9;
/** °C: most boards slow down from here on. */
const HOT = 80;
/** A certificate is renewed when a third of its time is left: at a sixth that has failed for a while. */
const RENEWED_LATE = 1 / 6;

export interface Condition {
  /** Not connected. */
  readonly offline: boolean;
  /** Connected, but its reports stopped. */
  readonly silent: boolean;
  /** What it reported is from before it went away. */
  readonly outdated: boolean;
  readonly camerasFaulted: number;
  /** There is a picture, and it does not show the scene. */
  readonly camerasTampered: number;
  readonly camerasStreaming: number;
  readonly cameras: number;
  readonly sensorsIll: number;
  readonly missing: number;
  readonly diskLow: boolean;
  readonly detectorFailed: boolean;
  /** The box has more to look at than it can. */
  readonly overloaded: boolean;
  /** It slows down, or soon will. */
  readonly hot: boolean;
  /** The certificate it proves itself with is not renewed. */
  readonly certificate: 'ending' | 'ended' | null;
  /** The model's file is not what was loaded. */
  readonly modelFile: 'replaced' | 'missing' | null;
  /** Somebody should look: the reason the box stands above the others. */
  readonly troubled: boolean;
}

function certificateState(health: Health | null, now: Time): Condition['certificate'] {
  const certificate = health?.certificate ?? null;
  if (certificate === null) return null;
  const left = certificate.until - now;
  if (left <= 0) return 'ended';
  return left < (certificate.until - certificate.from) * RENEWED_LATE ? 'ending' : null;
}

const isSilent = ({ presence, health }: Device, now: Time): boolean => presence === 'online' && health !== null && now - health.time > SILENT_MS;

/** A device never changes, a later state is another one; only its silence and the end of its certificate come with time. */
const judged = new WeakMap<Device, Condition>();

export function condition(device: Device, now: Time): Condition {
  const silent = isSilent(device, now);
  const known = judged.get(device);
  const certificate = certificateState(device.health, now);
  if (known?.silent === silent && known.certificate === certificate) return known;
  const made = judge(device, silent, certificate);
  judged.set(device, made);
  return made;
}

function judge(device: Device, silent: boolean, certificate: Condition['certificate']): Condition {
  const cameras = device.health?.cameras ?? [];
  const offline = device.presence === 'offline';
  const camerasFaulted = cameras.filter((camera) => camera.state.name === 'faulted').length;
  const camerasTampered = cameras.filter((camera) => camera.state.name !== 'faulted' && camera.faults.length > 0).length;
  const sensorsIll = (device.health?.sensors ?? []).filter((sensor) => sensor.faults.length > 0).length;
  const missing = device.missing.reduce((sum, gap) => sum + Math.max(0, gap.last - gap.first + 1), 0);
  const diskLow = device.health !== null && device.health.diskFreeBytes < LITTLE_DISK_BYTES;
  const inference = device.health?.inference;
  const detectorFailed = inference?.failing ?? false;
  const modelFile = inference?.modelFile ?? null;
  // Of the last half minute, so an old report says nothing.
  const hot = device.presence === 'online' && !silent && (device.health?.temperature ?? 0) >= HOT;
  const overloaded = device.presence === 'online' && !silent && (inference?.load ?? 0) >= FULL_LOAD;
  return {
    offline,
    silent,
    outdated: device.health !== null && (silent || device.presence !== 'online'),
    camerasFaulted,
    camerasTampered,
    camerasStreaming: cameras.filter((camera) => camera.state.name === 'streaming').length,
    cameras: cameras.length,
    sensorsIll,
    missing,
    diskLow,
    detectorFailed,
    overloaded,
    hot,
    certificate,
    modelFile,
    troubled:
      offline || silent || camerasFaulted > 0 || camerasTampered > 0 || sensorsIll > 0 || missing > 0 || diskLow || detectorFailed || overloaded || hot || certificate !== null || modelFile !== null,
  };
}

/** Sensors that need a look: the ill ones, then those that tripped or were not heard yet. There may be hundreds that rest. */
export function sensorsToShow(sensors: readonly SensorHealth[]): readonly SensorHealth[] {
  const rank = (sensor: SensorHealth): number => (sensor.faults.length > 0 ? 0 : sensor.state === 'tripped' ? 1 : 2);
  return sensors
    .filter((sensor) => sensor.faults.length > 0 || sensor.state !== 'rest')
    .sort((a, b) => rank(a) - rank(b) || a.sensor.localeCompare(b.sensor, 'en', { numeric: true }));
}

export interface Summary {
  readonly devices: number;
  readonly online: number;
  readonly offline: number;
  readonly troubled: number;
}

export function summarise(devices: readonly Device[], now: Time): Summary {
  return {
    devices: devices.length,
    online: devices.filter((device) => device.presence === 'online').length,
    offline: devices.filter((device) => device.presence === 'offline').length,
    troubled: devices.filter((device) => condition(device, now).troubled).length,
  };
}

/** Those that need a look first, each part by name. */
export function troubledFirst(devices: readonly Device[], now: Time): readonly Device[] {
  const well: Device[] = [];
  const troubled: Device[] = [];
  for (const device of devices) (condition(device, now).troubled ? troubled : well).push(device);
  return [...troubled, ...well];
}

/** Those whose name, or the name of one of whose cameras, has these words in it. */
export function named(devices: readonly Device[], words: string): readonly Device[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return devices;
  const has = (text: string | null): boolean => text !== null && text.toLowerCase().includes(wanted);
  return devices.filter(({ edge, health }) => has(edge) || (health?.cameras.some(({ camera, label }) => has(camera) || has(label)) ?? false));
}

/** Why a device needs a look, the gravest first. */
export type Trouble =
  | { readonly what: 'diskLow' | 'detectorFailed' | 'overloaded' }
  | { readonly what: 'offline'; readonly since: Time | null }
  | { readonly what: 'silent'; readonly since: Time }
  | { readonly what: 'camera'; readonly name: string; readonly illness: Illness }
  | { readonly what: 'hot'; readonly celsius: number }
  | { readonly what: 'certificate'; readonly state: 'ending' | 'ended'; readonly until: Time }
  | { readonly what: 'sensor'; readonly name: string; readonly fault: string }
  | { readonly what: 'missing'; readonly count: number }
  | { readonly what: 'modelFile'; readonly state: 'replaced' | 'missing' };

/** `since`: what is known of when the box (null) or a camera became as it is, where the box does not say; else its last sign of life is. */
export function troubles(device: Device, now: Time, since: (camera: string | null) => Time | null = () => null): readonly Trouble[] {
  const state = condition(device, now);
  const { health } = device;
  const cameras = (health?.cameras ?? []).flatMap((camera): Trouble[] =>
    illnesses(camera).map((illness) => {
      const known = camera.faults.length > 0 ? illness.since : (since(camera.camera) ?? illness.since);
      return { what: 'camera', name: camera.label ?? camera.camera, illness: { ...illness, since: known } };
    }),
  );
  const sensors = (health?.sensors ?? []).flatMap(({ sensor, label, faults: [first] }): Trouble[] =>
    first ? [{ what: 'sensor', name: label ?? sensor, fault: first.fault }] : [],
  );
  return [
    ...(state.offline ? [{ what: 'offline', since: since(null) ?? device.lastSeen } as const] : []),
    ...(state.silent && health !== null ? [{ what: 'silent', since: health.time } as const] : []),
    ...(state.detectorFailed ? [{ what: 'detectorFailed' } as const] : []),
    ...cameras,
    ...sensors,
    ...(state.missing > 0 ? [{ what: 'missing', count: state.missing } as const] : []),
    ...(state.diskLow ? [{ what: 'diskLow' } as const] : []),
    ...(state.hot && health !== null ? [{ what: 'hot', celsius: health.temperature ?? 0 } as const] : []),
    ...(state.overloaded ? [{ what: 'overloaded' } as const] : []),
    ...(state.certificate !== null && health?.certificate ? [{ what: 'certificate', state: state.certificate, until: health.certificate.until } as const] : []),
    ...(state.modelFile !== null ? [{ what: 'modelFile', state: state.modelFile } as const] : []),
  ];
}
