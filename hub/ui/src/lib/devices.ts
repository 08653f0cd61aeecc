// The list of devices as pure functions.

import type { Device, SensorHealth, Time } from './api';

export function mergeDevices(current: readonly Device[], incoming: readonly Device[]): readonly Device[] {
  const byEdge = new Map(current.map((device) => [device.edge, device]));
  for (const device of incoming) {
    const known = byEdge.get(device.edge);
    if (known && (known.lastSeen ?? 0) > (device.lastSeen ?? 0)) continue;
    byEdge.set(device.edge, device);
  }
  return [...byEdge.values()].sort((a, b) => a.edge.localeCompare(b.edge, 'en', { numeric: true }));
}

/** Boxes report every half minute; three missed reports are no chance. */
const SILENT_MS = 100_000;
const LITTLE_DISK_BYTES = 1_000_000_000;
/** The detector hardly rests: frames wait, and those that waited too long are thrown away. */
const FULL_LOAD = 0.9;

export interface Condition {
  /** Not connected. */
  readonly offline: boolean;
  /** Connected, but its reports stopped. */
  readonly silent: boolean;
  /** What it reported is from before it went away. */
  readonly outdated: boolean;
  readonly camerasFaulted: number;
  readonly camerasStreaming: number;
  readonly cameras: number;
  readonly sensorsIll: number;
  readonly missing: number;
  readonly diskLow: boolean;
  readonly detectorFailed: boolean;
  /** The box has more to look at than it can. */
  readonly overloaded: boolean;
  /** The model's file is not what was loaded. */
  readonly modelFile: 'replaced' | 'missing' | null;
  /** Somebody should look: the reason the box stands above the others. */
  readonly troubled: boolean;
}

export function condition(device: Device, now: Time): Condition {
  const cameras = device.health?.cameras ?? [];
  const offline = device.presence === 'offline';
  const silent = device.presence === 'online' && device.health !== null && now - device.health.time > SILENT_MS;
  const camerasFaulted = cameras.filter((camera) => camera.state.name === 'faulted').length;
  const sensorsIll = (device.health?.sensors ?? []).filter((sensor) => sensor.faults.length > 0).length;
  const missing = device.missing.reduce((sum, gap) => sum + Math.max(0, gap.last - gap.first + 1), 0);
  const diskLow = device.health !== null && device.health.diskFreeBytes < LITTLE_DISK_BYTES;
  const inference = device.health?.inference;
  const detectorFailed = inference?.failing ?? false;
  const modelFile = inference?.modelFile ?? null;
  // Of the last half minute, so an old report says nothing.
  const overloaded = device.presence === 'online' && !silent && (inference?.load ?? 0) >= FULL_LOAD;
  return {
    offline,
    silent,
    outdated: device.health !== null && (silent || device.presence !== 'online'),
    camerasFaulted,
    camerasStreaming: cameras.filter((camera) => camera.state.name === 'streaming').length,
    cameras: cameras.length,
    sensorsIll,
    missing,
    diskLow,
    detectorFailed,
    overloaded,
    modelFile,
    troubled: offline || silent || camerasFaulted > 0 || sensorsIll > 0 || missing > 0 || diskLow || detectorFailed || overloaded || modelFile !== null,
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
