// Areas of a box: what is armed together, and ordering another mode.

import { get, post } from './http';
import { ShapeError, type Time } from './shape';

export type Mode = 'disarmed' | 'armed_stay' | 'armed_away' | 'maintenance';
export type Stage = 'set' | 'exit_delay' | 'entry_delay';

/** Whatever can raise an alarm and can be armed. */
export type Input =
  | { readonly sensor: string }
  | { readonly camera: string; readonly zone: string }
  | { readonly camera: string };

export interface Area {
  readonly area: string;
  readonly label: string | null;
  readonly mode: Mode;
  readonly stage: Stage;
  /** When a delay or maintenance will be over. */
  readonly until: Time | null;
  readonly bypassed: readonly Input[];
  /** Open or faulty: arming needs them closed or bypassed. */
  readonly open: readonly Input[];
  /** Alarms that did not count since the mode last changed. */
  readonly passed: number;
}

export const MODES: readonly Mode[] = ['disarmed', 'armed_stay', 'armed_away', 'maintenance'];
export const isArmed = (mode: Mode): boolean => mode === 'armed_stay' || mode === 'armed_away';

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const word = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

function inputs(value: unknown): Input[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Input[] => {
    const { sensor, camera, zone } = record(item);
    const names = { sensor: word(sensor), camera: word(camera), zone: word(zone) };
    if (names.sensor !== null) return [{ sensor: names.sensor }];
    if (names.camera === null) return [];
    return [names.zone === null ? { camera: names.camera } : { camera: names.camera, zone: names.zone }];
  });
}

/** An area whose mode this page does not know is left out: it could not be told rightly. */
export function parseArea(value: unknown): Area {
  const area = record(value);
  const name = word(area.area);
  const mode = MODES.find((mode) => mode === area.mode);
  if (name === null || mode === undefined) throw new ShapeError('area has no name or no known mode');
  const until = typeof area.until === 'string' ? Date.parse(area.until) : NaN;
  return {
    area: name,
    label: word(area.label),
    mode,
    stage: area.stage === 'exit_delay' || area.stage === 'entry_delay' ? area.stage : 'set',
    until: Number.isNaN(until) ? null : until,
    bypassed: inputs(area.bypassed),
    open: inputs(area.open),
    passed: typeof area.passed === 'number' && area.passed > 0 ? area.passed : 0,
  };
}

/** What an operator wants. */
export interface Wish {
  readonly mode: Mode;
  readonly bypass: readonly Input[];
  readonly minutes: number;
}

/** The mode as the contract writes it. */
export function wanted(wish: Wish): Readonly<Record<string, unknown>> {
  if (wish.mode === 'maintenance') return { name: wish.mode, for_s: Math.round(wish.minutes * 60) };
  return isArmed(wish.mode) && wish.bypass.length > 0 ? { name: wish.mode, bypass: wish.bypass } : { name: wish.mode };
}

/** How far an order got. */
export type Progress =
  | { readonly state: 'waiting' | 'done' | 'expired' }
  | { readonly state: 'refused'; readonly reason: string; readonly detail: string };

export function parseProgress(value: unknown): Progress {
  const { state, reason, detail } = record(value);
  if (state === 'refused') return { state, reason: word(reason) ?? 'failed', detail: word(detail) ?? '' };
  return { state: state === 'done' || state === 'expired' ? state : 'waiting' };
}

/** A mode ordered now is not wanted any more when the box comes back tomorrow. */
const VALID_MS = 5 * 60_000;

/** Gives the order; resolves with its number at the hub. */
export async function orderMode(edge: string, area: string, wish: Wish, why: string, now: Time): Promise<string> {
  const order = { kind: 'set_mode', area, mode: wanted(wish) };
  const body = { edge, why, expires: new Date(now + VALID_MS).toISOString(), order };
  const given = record(await post('/api/v1/commands', body));
  const id = word(given.id);
  if (id === null) throw new ShapeError('the command has no number');
  return id;
}

export async function progressOf(id: string): Promise<Progress> {
  return parseProgress(await get(`/api/v1/commands/${encodeURIComponent(id)}`));
}
