import type { Alert, CameraHealth, Device, Health, SensorHealth } from '../src/lib/api';
import type { ReleaseCommand } from '../src/lib/commands';
import type { Evidence } from '../src/lib/evidence';
import type { Incident } from '../src/lib/incidents';

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
    sensor: null,
    sensorLabel: null,
    input: null,
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
    evidence: [],
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
    sensors: [],
    inference: { model: 'centernet-512', meanMs: 80, failures: 0, load: 0.3, failing: false, workers: 2, modelFile: null },
    key: null,
    areas: [],
    diskFreeBytes: 50_000_000_000,
    temperature: 51.5,
    certificate: null,
    ...more,
  };
}

export function camera(name: string, more: Partial<CameraHealth> = {}): CameraHealth {
  return {
    camera: name,
    label: null,
    zones: [],
    state: { name: 'streaming' },
    faults: [],
    decoder: null,
    attention: null,
    framesSampled: 0,
    framesAnalysed: 0,
    framesStill: 0,
    framesDropped: 0,
    lastFrame: T0,
    ...more,
  };
}

export function sensor(name: string, more: Partial<SensorHealth> = {}): SensorHealth {
  return { sensor: name, label: null, input: 'fence', state: 'rest', faults: [], lastSeen: T0, readings: 3, errors: 0, ...more };
}

export function device(edge: string, more: Partial<Device> = {}): Device {
  return { edge, presence: 'online', lastSeen: T0, health: health(), missing: [], refused: 0, ...more };
}

export function evidence(sha256: string, more: Partial<Evidence> = {}): Evidence {
  return {
    event: 'E',
    sha256,
    role: 'clip',
    mediaType: 'video/mp4',
    bytes: 1_000_000,
    time: T0,
    state: 'here',
    url: `/api/v1/events/E/evidence/${sha256}`,
    originalKept: false,
    command: null,
    until: null,
    deleted: null,
    ...more,
  };
}

export function release(id: string, more: Partial<ReleaseCommand> = {}): ReleaseCommand {
  return {
    id,
    edge: 'gate-1',
    who: '王丽',
    person: 'wang.li',
    approval: null,
    why: 'police report 17',
    issued: T0,
    expires: T0 + 86_400_000,
    event: 'E',
    until: T0 + 3 * 86_400_000,
    alarm: 'A',
    state: 'waiting',
    answered: null,
    reason: null,
    detail: null,
    ...more,
  };
}

export function incident(id: string, more: Partial<Incident> = {}): Incident {
  const opened = more.opened ?? T0;
  return {
    id,
    number: 1,
    kind: 'zone_intrusion',
    severity: 2,
    edge: 'gate-1',
    camera: 'east-gate',
    cameraLabel: '东门',
    zone: 'lawn',
    zoneLabel: '草坪',
    sensor: null,
    sensorLabel: null,
    cause: null,
    object: 'person',
    input: null,
    alarms: 1,
    attachments: 0,
    ongoing: false,
    first: opened,
    last: opened,
    opened,
    stage: 'reported',
    outcome: null,
    mergedInto: null,
    reason: null,
    assignee: null,
    shelvedUntil: null,
    due: null,
    overdue: false,
    escalated: false,
    extension: null,
    version: 1,
    may: null,
    ...more,
  };
}
