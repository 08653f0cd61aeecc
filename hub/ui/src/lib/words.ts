// What an alert is called, and the shape that stands for it.

import type { Alert, Happening } from './api';
import type { Dictionary } from './i18n/dictionaries';
import type { IconName } from './icons';

interface Kind {
  readonly name: Exclude<keyof Dictionary['kind'], 'unknown'>;
  readonly icon: IconName;
  /** A camera saw it, so a picture is to be expected. */
  readonly pictured: boolean;
}

/** A map, not an object: what comes from a device may be called `constructor`. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['zone_intrusion', { name: 'zoneIntrusion', icon: 'enter', pictured: true }],
  ['line_crossing', { name: 'lineCrossing', icon: 'over', pictured: true }],
  ['loitering', { name: 'loitering', icon: 'linger', pictured: true }],
  ['vehicle_stopped', { name: 'vehicleStopped', icon: 'car', pictured: true }],
  ['object_left', { name: 'objectLeft', icon: 'bag', pictured: true }],
  ['overcrowding', { name: 'overcrowding', icon: 'people', pictured: true }],
  ['camera_tamper', { name: 'cameraTamper', icon: 'camera', pictured: false }],
  ['sensor_alarm', { name: 'sensorAlarm', icon: 'sensor', pictured: false }],
  ['sensor_fault', { name: 'sensorFault', icon: 'sensor', pictured: false }],
  ['device_fault', { name: 'deviceFault', icon: 'box', pictured: false }],
] satisfies [string, Kind][]);

const CAUSE_ICONS: ReadonlyMap<string, IconName> = new Map([
  ['signal_lost', 'cut'],
  ['covered', 'covered'],
  ['blurred', 'blur'],
  ['moved', 'moved'],
  ['frozen', 'pause'],
  ['inference_failed', 'blind'],
  ['disk_low', 'disk'],
  ['retention_short', 'short'],
  ['model_replaced', 'swap'],
  ['outbox_damaged', 'disk'],
  ['events_dropped', 'cut'],
  ['tamper', 'unguarded'],
  ['open', 'cut'],
  ['short', 'bolt'],
  ['power', 'plug'],
  ['comms', 'question'],
] satisfies [string, IconName][]);

/** Kinds of alarms this page has a name for. */
export const KIND_NAMES: readonly string[] = [...KINDS.keys()];

export function kindName(alert: Pick<Alert, 'kind'>, t: Dictionary): string {
  const kind = KINDS.get(alert.kind);
  return kind ? t.kind[kind.name] : t.kind.unknown(alert.kind);
}

export function kindIcon(alert: Pick<Alert, 'kind' | 'cause'>): IconName {
  return CAUSE_ICONS.get(alert.cause ?? '') ?? KINDS.get(alert.kind)?.icon ?? 'bell';
}

/** It has a picture, or should have one soon. */
export const pictured = (alert: Alert): boolean => alert.snapshot !== null || (KINDS.get(alert.kind)?.pictured ?? false);

export const cameraName = (alert: Happening): string | null => alert.cameraLabel ?? alert.camera;
export const sensorName = (alert: Happening): string | null => alert.sensorLabel ?? alert.sensor;
export const zoneName = (alert: Happening): string | null => alert.zoneLabel ?? alert.zone;

/** The one thing to read from the far side of the room. */
export function headline(alert: Happening, t: Dictionary): string {
  const object = alert.object ? t.object(alert.object) : null;
  const zone = zoneName(alert);
  switch (alert.kind) {
    case 'zone_intrusion':
      return t.headline.intrusion(object, zone);
    case 'line_crossing':
      return t.headline.crossing(object, zone);
    case 'loitering':
      return t.headline.loitering(object, zone);
    case 'vehicle_stopped':
      return t.headline.stopped(object, zone);
    case 'object_left':
      return t.headline.left(zone);
    case 'overcrowding':
      return t.headline.crowded(zone);
    case 'sensor_alarm':
      return t.headline.sensed(alert.input ? t.input(alert.input) : null);
    default:
      return (alert.cause && t.cause(alert.cause)) ?? kindName(alert, t);
  }
}

/** What belongs right below the headline, where there is something to say. */
export function fact(alert: Alert, t: Dictionary): string | null {
  if (alert.count !== null) return t.fact.counted(alert.count, alert.limit);
  return alert.direction === null ? null : t.fact.direction[alert.direction];
}

/** Where: the camera, the sensor, or the box when neither is meant. */
export const place = (alert: Happening): string => cameraName(alert) ?? sensorName(alert) ?? alert.edge;

export const placeIcon = (alert: Happening): IconName => (alert.camera ? 'camera' : alert.sensor ? 'sensor' : 'box');
