// What an alert is called.

import type { Alert } from './api';
import type { Dictionary } from './i18n/dictionaries';

export function kindName(alert: Alert, t: Dictionary): string {
  switch (alert.kind) {
    case 'zone_intrusion':
      return t.kind.zoneIntrusion;
    case 'camera_tamper':
      return t.kind.cameraTamper;
    case 'device_fault':
      return t.kind.deviceFault;
    default:
      return t.kind.unknown(alert.kind);
  }
}

export const cameraName = (alert: Alert): string | null => alert.cameraLabel ?? alert.camera;
export const zoneName = (alert: Alert): string | null => alert.zoneLabel ?? alert.zone;

/** The one thing to read from the far side of the room. */
export function headline(alert: Alert, t: Dictionary): string {
  if (alert.kind !== 'zone_intrusion') return (alert.cause && t.cause(alert.cause)) ?? kindName(alert, t);
  return t.headline.intrusion(alert.object === null ? null : t.object(alert.object), zoneName(alert));
}

/** Where: the camera, or the box when no camera is meant. */
export const place = (alert: Alert): string => cameraName(alert) ?? alert.edge;
