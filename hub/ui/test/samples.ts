import type { Alert, Device, Health } from '../src/lib/api';

export const T0 = Date.parse('2025-11-23T06:02:31Z');

export function alert(id: string, more: Partial<Alert> = {}): Alert {
  const began = more.began ?? T0;
  return {
    id,
    kind: 'zone_intrusion',
    severity: 2,
    edge: 'gate-1',
    camera: 'east-gate',
    cameraLabel: '东门',
    zone: 'lawn',
    zoneLabel: '草坪',
    rule: 'lawn-closed',
    object: 'person',
    direction: null,
    count: null,
    limit: null,
    phase: 'began',
    began,
    last: began,
    ended: null,
    received: began + 100,
    events: 1,
    snapshot: null,
    cause: null,
    detail: null,
    ...more,
  };
}

export function health(more: Partial<Health> = {}): Health {
  return {
    time: T0,
    uptimeMs: 1_000,
    version: '0.1.0',
    outbox: { queued: 0, diskBytes: 0 },
    cameras: [],
    inference: { model: 'centernet-512', meanMs: 80, failures: 0, load: 0.3, failing: false, workers: 2, modelFile: null },
    areas: [],
    diskFreeBytes: 50_000_000_000,
    ...more,
  };
}

export function device(edge: string, more: Partial<Device> = {}): Device {
  return { edge, presence: 'online', lastSeen: T0, health: health(), missing: [], refused: 0, ...more };
}
