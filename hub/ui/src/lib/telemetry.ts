// How a box fared: what the hub keeps of its reports, step by step, and when box and cameras came and went.

import { get } from './http';
import { count, each, fields, optionalText, text, time, type Fields, type Time } from './shape';

/** Hours that can be looked at. */
export const SPANS = [1, 24, 168, 720] as const;
export type Span = (typeof SPANS)[number];

/** One for each step; null where the box said nothing. */
export type Values = readonly (number | null)[];

export interface Course {
  readonly min: Values;
  readonly mean: Values;
  readonly max: Values;
}

export interface CameraCourse {
  readonly camera: string;
  /** Share of the reports in which there was a picture. */
  readonly picture: Values;
  readonly framesPerS: Values;
  readonly lookedAtPerS: Values;
}

export type State = 'online' | 'offline' | 'connecting' | 'streaming' | 'faulted';
const STATES: readonly State[] = ['online', 'offline', 'connecting', 'streaming', 'faulted'];

export interface StateChange {
  readonly time: Time;
  /** Null: the box itself. */
  readonly camera: string | null;
  readonly state: State;
  readonly reason: string | null;
}

export interface DeviceHistory {
  readonly from: Time;
  readonly stepMs: number;
  readonly reports: readonly number[];
  readonly temperature: Course;
  readonly disk: Course;
  readonly queued: Course;
  readonly inference: Course;
  readonly load: Course;
  readonly cameras: readonly CameraCourse[];
  /** In the order they happened. */
  readonly changes: readonly StateChange[];
  readonly standing: readonly StateChange[];
}

const DEFAULT_SPAN: Span = 24;

/** The span and box an address names. */
export const spanAt = (query: URLSearchParams): Span => SPANS.find((hours) => String(hours) === query.get('hours')) ?? DEFAULT_SPAN;
export const edgeAt = (query: URLSearchParams): string => query.get('edge') ?? '';

export function historyAddress(edge: string, hours: Span = DEFAULT_SPAN): string {
  const query = new URLSearchParams({ edge });
  if (hours !== DEFAULT_SPAN) query.set('hours', String(hours));
  return `#/device?${query}`;
}

/** As many as there are steps, whatever comes. */
function parseValues(value: unknown, steps: number): Values {
  const given: readonly unknown[] = Array.isArray(value) ? value : [];
  return Array.from({ length: steps }, (_, index) => {
    const one = given[index];
    return typeof one === 'number' && Number.isFinite(one) ? one : null;
  });
}

function parseCourse(value: unknown, steps: number): Course {
  const { min, mean, max } = fields(value ?? {}, 'course');
  return { min: parseValues(min, steps), mean: parseValues(mean, steps), max: parseValues(max, steps) };
}

function parseChange(value: unknown): StateChange {
  const change: Fields = fields(value, 'change');
  const state = STATES.find((one) => one === change.state);
  // What this page does not know is told as what needs a look.
  return {
    time: time(change.time, 'change.time'),
    camera: optionalText(change.camera),
    state: state ?? (optionalText(change.camera) === null ? 'offline' : 'faulted'),
    reason: optionalText(change.reason),
  };
}

export function parseHistory(value: unknown): DeviceHistory {
  const history = fields(value, 'history');
  const reports = each(history.reports, 'reports', count);
  const steps = reports.length;
  const course = (told: unknown): Course => parseCourse(told, steps);
  return {
    from: time(history.from, 'history.from'),
    stepMs: Math.max(1, count(history.step_s)) * 1000,
    reports,
    temperature: course(history.temperature_celsius),
    disk: course(history.disk_free_bytes),
    queued: course(history.queued),
    inference: course(history.inference_ms),
    load: course(history.load),
    cameras: each(history.cameras ?? [], 'cameras', (told) => {
      const camera = fields(told, 'camera');
      return {
        camera: text(camera.camera, 'camera.camera'),
        picture: parseValues(camera.picture, steps),
        framesPerS: parseValues(camera.frames_per_s, steps),
        lookedAtPerS: parseValues(camera.looked_at_per_s, steps),
      };
    }),
    changes: each(history.changes ?? [], 'changes', parseChange),
    standing: each(history.standing ?? [], 'standing', parseChange),
  };
}

export async function fetchHistory(edge: string, hours: Span, now: Time): Promise<DeviceHistory> {
  const from = new Date(now - hours * 3_600_000).toISOString();
  const query = new URLSearchParams({ from, until: new Date(now).toISOString() });
  return parseHistory(await get(`/api/v1/devices/${encodeURIComponent(edge)}/history?${query}`));
}

export interface Extent {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** The last one there is. */
  readonly last: number;
}

/** A course in four numbers; null when there is nothing. Steps count alike in the mean, however many reports there are in each. */
export function extent({ min, mean, max }: Course): Extent | null {
  const some = mean.filter((value) => value !== null);
  const last = some.at(-1);
  if (last === undefined) return null;
  const lowest = Math.min(...min.filter((value) => value !== null), ...some);
  const highest = Math.max(...max.filter((value) => value !== null), ...some);
  return { min: lowest, mean: some.reduce((sum, value) => sum + value, 0) / some.length, max: highest, last };
}

/** A line alone. */
export const alone = (values: Values): Course => ({ min: values, mean: values, max: values });

/** Is there anything to see? */
export const isEmpty = (history: DeviceHistory): boolean => history.reports.every((reports) => reports === 0);

/** Share of the steps between the first report and the end in which none came: the box may be younger than the span. */
export function silentShare(history: DeviceHistory): number {
  const first = history.reports.findIndex((reports) => reports > 0);
  if (first < 0) return 0;
  // The last step is under way.
  const lived = history.reports.slice(first, -1);
  return lived.length === 0 ? 0 : lived.filter((reports) => reports === 0).length / lived.length;
}

/** Since when the box (null) or a camera stands as it does now. */
export const since = (history: DeviceHistory | null, camera: string | null): StateChange | null =>
  history?.standing.find((one) => one.camera === camera) ?? null;
