// Alerts and devices as the hub tells of them. Everything that comes in is checked here, once: past this file the types are
// true.

import { parseArea, type Area } from './areas';
import { parseEvidence, type Evidence } from './evidence';
import { get } from './http';
import { untilFound } from './page';
import { count, each, fields, hubPath, optionalCount, optionalText, optionalTime, text, time } from './shape';
import type { Fields, Time } from './shape';

export type { Time } from './shape';

export type Severity = 1 | 2 | 3 | 4;
export type Phase = 'began' | 'updated' | 'ended';
export type Direction = 'left_to_right' | 'right_to_left';
export type Presence = 'online' | 'offline' | 'unknown';

/** What an alert and an incident have in common: what, where, how grave. */
export interface Happening {
  readonly id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly edge: string;
  readonly camera: string | null;
  readonly cameraLabel: string | null;
  readonly zone: string | null;
  readonly zoneLabel: string | null;
  readonly sensor: string | null;
  readonly sensorLabel: string | null;
  /** What that sensor senses, e.g. `fence`. */
  readonly input: string | null;
  readonly object: string | null;
  /** Why, where the kind alone does not say it, e.g. `signal_lost`. */
  readonly cause: string | null;
}

export interface Alert extends Happening {
  readonly rule: string | null;
  /** Which way over the line, for who looks from its first point to its second. */
  readonly direction: Direction | null;
  /** The most that were counted at once, and how many are allowed. */
  readonly count: number | null;
  readonly limit: number | null;
  readonly phase: Phase;
  readonly began: Time;
  readonly last: Time;
  readonly ended: Time | null;
  readonly received: Time;
  readonly events: number;
  readonly snapshot: string | null;
  /** Pictures, clips, released originals, come or not, in the order they were made. */
  readonly evidence: readonly Evidence[];
  readonly detail: string | null;
}

export type CameraState =
  | { readonly name: 'connecting' }
  | { readonly name: 'streaming' }
  | { readonly name: 'faulted'; readonly reason: string }
  | { readonly name: 'unknown' };

export interface CameraHealth {
  readonly camera: string;
  readonly label: string | null;
  /** Areas and lines in its picture. */
  readonly zones: readonly { readonly zone: string; readonly label: string | null }[];
  readonly state: CameraState;
  /** What it is ill with: why there is no picture, then what is wrong with it. None from boxes that tell only `state`. */
  readonly faults: readonly { readonly fault: string; readonly since: Time | null; readonly detail: string }[];
  readonly decoder: string | null;
  /** How closely it is watched: `idle` while nothing moves. */
  readonly attention: 'idle' | 'awake' | null;
  readonly framesSampled: number;
  readonly framesAnalysed: number;
  /** Nothing had moved in them, so the detector was spared. */
  readonly framesStill: number;
  readonly framesDropped: number;
  readonly lastFrame: Time | null;
}

export interface SensorHealth {
  readonly sensor: string;
  readonly label: string | null;
  readonly input: string;
  readonly state: 'rest' | 'tripped' | 'unknown';
  /** What it is ill with, the gravest first: `tamper`, `open`, `short`, `power`, `comms`. */
  readonly faults: readonly { readonly fault: string; readonly detail: string }[];
  readonly lastSeen: Time | null;
  readonly readings: number;
  readonly errors: number;
}

export interface Health {
  readonly time: Time;
  readonly uptimeMs: number;
  readonly version: string;
  readonly outbox: { readonly queued: number; readonly diskBytes: number };
  readonly cameras: readonly CameraHealth[];
  readonly sensors: readonly SensorHealth[];
  readonly areas: readonly Area[];
  readonly inference: {
    readonly model: string;
    readonly meanMs: number | null;
    readonly failures: number;
    /** Share of the time the detector was at work, 0 to 1. */
    readonly load: number | null;
    /** The frames of at least one camera cannot be looked at. */
    readonly failing: boolean;
    /** How many frames are looked at side by side. */
    readonly workers: number | null;
    /** What became of the model's file since it was loaded, if that needs somebody. */
    readonly modelFile: 'replaced' | 'missing' | null;
  };
  /** Where the box's private key is; none before it has enrolled, or if an older version does not say. */
  readonly key: 'tpm' | 'file' | null;
  readonly diskFreeBytes: number;
  /** °C; null where its system does not know. */
  readonly temperature: number | null;
  /** What it proves with who it is, if it does. */
  readonly certificate: { readonly from: Time; readonly until: Time } | null;
}

/** Sequence numbers of one start of a box that never arrived, both ends included. */
export interface Missing {
  readonly boot: string;
  readonly first: number;
  readonly last: number;
}

export interface Device {
  readonly edge: string;
  readonly presence: Presence;
  readonly lastSeen: Time | null;
  readonly health: Health | null;
  readonly missing: readonly Missing[];
  readonly refused: number;
}

export interface AlertPage {
  readonly alerts: readonly Alert[];
  readonly next: string | null;
}

/** A level this page does not know is shown as the gravest: better too loud than unseen. */
const parseSeverity = (value: unknown): Severity => (value === 2 || value === 3 || value === 4 ? value : 1);

export function parseHappening(told: Fields, name: string): Happening {
  return {
    id: text(told.id, `${name}.id`),
    kind: text(told.kind, `${name}.kind`),
    severity: parseSeverity(told.severity),
    edge: text(told.edge, `${name}.edge`),
    camera: optionalText(told.camera),
    cameraLabel: optionalText(told.camera_label),
    zone: optionalText(told.zone),
    zoneLabel: optionalText(told.zone_label),
    sensor: optionalText(told.sensor),
    sensorLabel: optionalText(told.sensor_label),
    input: optionalText(told.input),
    object: optionalText(told.object),
    cause: optionalText(told.cause),
  };
}

export function parseAlert(value: unknown): Alert {
  const alert = fields(value, 'alert');
  const began = time(alert.began, 'alert.began');
  const last = optionalTime(alert.last) ?? began;
  return {
    ...parseHappening(alert, 'alert'),
    rule: optionalText(alert.rule),
    direction: alert.direction === 'left_to_right' || alert.direction === 'right_to_left' ? alert.direction : null,
    count: optionalCount(alert.count),
    limit: optionalCount(alert.limit),
    phase: alert.phase === 'began' || alert.phase === 'ended' ? alert.phase : 'updated',
    began,
    last,
    ended: optionalTime(alert.ended),
    received: optionalTime(alert.received) ?? last,
    events: count(alert.events),
    snapshot: hubPath(alert.snapshot),
    evidence: each(alert.evidence ?? [], 'alert.evidence', parseEvidence),
    detail: optionalText(alert.detail),
  };
}

function parseCameraState(value: unknown): CameraState {
  const state = typeof value === 'object' && value !== null ? (value as Fields) : {};
  switch (state.name) {
    case 'connecting':
    case 'streaming':
      return { name: state.name };
    case 'faulted':
      return { name: 'faulted', reason: optionalText(state.reason) ?? '' };
    default:
      return { name: 'unknown' };
  }
}

function parseCamera(value: unknown): CameraHealth {
  const camera = fields(value, 'camera');
  return {
    camera: text(camera.camera, 'camera.camera'),
    label: optionalText(camera.label),
    zones: each(camera.zones ?? [], 'camera.zones', (value) => {
      const zone = fields(value, 'zone');
      return { zone: text(zone.zone, 'zone.zone'), label: optionalText(zone.label) };
    }),
    state: parseCameraState(camera.state),
    faults: each(camera.faults ?? [], 'camera.faults', (value) => {
      const ill = fields(value, 'fault');
      return { fault: text(ill.fault, 'fault.fault'), since: optionalTime(ill.since), detail: optionalText(ill.detail) ?? '' };
    }),
    decoder: optionalText(camera.decoder),
    attention: camera.attention === 'idle' || camera.attention === 'awake' ? camera.attention : null,
    framesSampled: count(camera.frames_sampled),
    framesAnalysed: count(camera.frames_analysed),
    framesStill: count(camera.frames_still),
    framesDropped: count(camera.frames_dropped),
    lastFrame: optionalTime(camera.last_frame),
  };
}

function parseSensor(value: unknown): SensorHealth {
  const sensor = fields(value, 'sensor');
  return {
    sensor: text(sensor.sensor, 'sensor.sensor'),
    label: optionalText(sensor.label),
    input: optionalText(sensor.input) ?? '',
    state: sensor.state === 'rest' || sensor.state === 'tripped' ? sensor.state : 'unknown',
    faults: each(sensor.faults ?? [], 'sensor.faults', (value) => {
      const ill = fields(value, 'fault');
      return { fault: text(ill.fault, 'fault.fault'), detail: optionalText(ill.detail) ?? '' };
    }),
    lastSeen: optionalTime(sensor.last_seen),
    readings: count(sensor.readings),
    errors: count(sensor.errors),
  };
}

function parseCertificate(value: unknown): Health['certificate'] {
  const told = typeof value === 'object' && value !== null ? (value as Fields) : {};
  const [from, until] = [optionalTime(told.from), optionalTime(told.until)];
  return from === null || until === null ? null : { from, until };
}

function parseHealth(value: unknown): Health {
  const health = fields(value, 'health');
  const outbox = fields(health.outbox ?? {}, 'health.outbox');
  const inference = fields(health.inference ?? {}, 'health.inference');
  return {
    time: time(health.time, 'health.time'),
    uptimeMs: count(health.uptime_ms),
    version: optionalText(health.version) ?? '',
    outbox: { queued: count(outbox.queued), diskBytes: count(outbox.disk_bytes) },
    cameras: each(health.cameras ?? [], 'health.cameras', parseCamera),
    sensors: each(health.sensors ?? [], 'health.sensors', parseSensor),
    areas: each(health.areas ?? [], 'health.areas', parseArea),
    inference: {
      model: optionalText(inference.model) ?? '',
      meanMs: typeof inference.mean_ms === 'number' ? count(inference.mean_ms) : null,
      failures: count(inference.failures),
      load: typeof inference.load === 'number' ? Math.min(1, count(inference.load)) : null,
      failing: inference.failing === true,
      workers: optionalCount(inference.workers),
      modelFile: inference.model_file === 'replaced' || inference.model_file === 'missing' ? inference.model_file : null,
    },
    key: health.key === 'tpm' || health.key === 'file' ? health.key : null,
    diskFreeBytes: count(health.disk_free_bytes),
    temperature: typeof health.temperature_celsius === 'number' ? health.temperature_celsius : null,
    certificate: parseCertificate(health.certificate),
  };
}

function parseMissing(value: unknown): Missing {
  const missing = fields(value, 'missing');
  return { boot: text(missing.boot, 'missing.boot'), first: count(missing.first), last: count(missing.last) };
}

export function parseDevice(value: unknown): Device {
  const device = fields(value, 'device');
  return {
    edge: text(device.edge, 'device.edge'),
    presence: device.presence === 'online' || device.presence === 'offline' ? device.presence : 'unknown',
    lastSeen: optionalTime(device.last_seen),
    health: device.health === null || device.health === undefined ? null : parseHealth(device.health),
    missing: each(device.missing ?? [], 'device.missing', parseMissing),
    refused: count(device.refused),
  };
}

export function parseAlertPage(value: unknown): AlertPage {
  const page = fields(value, 'page');
  return { alerts: each(page.alerts, 'alerts', parseAlert), next: optionalText(page.next) };
}

export interface DevicePage {
  readonly devices: readonly Device[];
  readonly next: string | null;
}

export function parseDevicePage(value: unknown): DevicePage {
  const page = fields(value, 'devices');
  return { devices: each(page.devices, 'devices', parseDevice), next: optionalText(page.next) };
}

export const PAGE_SIZE = 50;

export async function fetchAlerts(before: string | null = null): Promise<AlertPage> {
  const ask = async (behind: string | null): Promise<AlertPage> => {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
    if (behind !== null) query.set('before', behind);
    return parseAlertPage(await get(`/api/v1/alerts?${query}`));
  };
  return untilFound(before, ask, ({ alerts }) => alerts.length > 0);
}

/** A box says about 2 kB of itself: so many are taken in at once without the page standing still. */
const DEVICES_AT_ONCE = 200;

/** By name, those that follow `after`. */
export async function fetchDevices(after: string | null = null): Promise<DevicePage> {
  const query = new URLSearchParams({ limit: String(DEVICES_AT_ONCE) });
  if (after !== null) query.set('after', after);
  return parseDevicePage(await get(`/api/v1/devices?${query}`));
}

export const LIVE_PATH = '/api/v1/live';
