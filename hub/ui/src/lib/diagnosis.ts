// What a camera is ill with. A box says of which kind that is (wire/src/health.rs), so that an operator reads it in plain words; what the
// box saw, in a technician's words, is always shown beside them.

import type { CameraHealth, Time } from './api';
import type { Trouble } from './devices';
import type { Dictionary, Language } from './i18n/dictionaries';
import { duration, integer, moment } from './time';

/** Why there is no picture; `address` is known of older boxes only, by their words. */
export const BLIND = ['unreachable', 'login_refused', 'unknown_path', 'busy', 'silent', 'no_key_frames', 'undecodable', 'unsupported', 'excessive', 'ended', 'crashes', 'box_failed', 'address'] as const;
/** A picture that does not show the scene. */
export const TAMPERED = ['covered', 'blurred', 'moved', 'frozen'] as const;
export type Diagnosis = (typeof BLIND)[number] | (typeof TAMPERED)[number];

const ALL: readonly Diagnosis[] = [...BLIND, ...TAMPERED];
export const asDiagnosis = (fault: string | null): Diagnosis | null => ALL.find((one) => one === fault) ?? null;
export const isTampered = (fault: Diagnosis | null): boolean => TAMPERED.some((one) => one === fault);

export interface Illness {
  /** Null: of a kind this page does not know. */
  readonly fault: Diagnosis | null;
  readonly since: Time | null;
  readonly detail: string;
}

/** What a camera is ill with. Of a box that says no kinds, what its words say. */
export function illnesses({ state, faults, lastFrame }: Pick<CameraHealth, 'state' | 'faults' | 'lastFrame'>): readonly Illness[] {
  if (faults.length > 0) return faults.map(({ fault, since, detail }) => ({ fault: asDiagnosis(fault), since, detail }));
  return state.name === 'faulted' ? [{ fault: diagnose(state.reason), since: lastFrame, detail: state.reason }] : [];
}

/** In one line, without the name of the camera. */
export function illnessWords({ fault, since, detail }: Illness, now: Time, language: Language, t: Dictionary): string {
  const why = fault === null ? detail || t.devices.camera.faulted : t.devices.diagnosis[fault];
  return since === null ? why : t.devices.since(why, moment(since, now, language, t));
}

/** What older boxes write, and what the hub notes of the past, which has no kinds. */
const PATTERNS: readonly (readonly [RegExp, Diagnosis])[] = [
  // What the box itself writes (edge/src/source), before what else may stand in a text.
  [/no key frame/i, 'no_key_frames'],
  [/nothing that can be decoded|the video is damaged/i, 'undecodable'],
  [/ended the process that takes it apart/i, 'crashes'],
  [/refuses the login/i, 'login_refused'],
  [/cannot be reached/i, 'unreachable'],
  [/does not know this path/i, 'unknown_path'],
  [/the connection broke|the video stopped/i, 'ended'],
  [/\b40[13]\b|unauthori[sz]ed|forbidden|authenticat|not authori[sz]ed|credential/i, 'login_refused'],
  [/refused|unreachable|no route|could not connect|failed to connect|cannot connect/i, 'unreachable'],
  [/resolv|unknown host|name or service|no such host/i, 'address'],
  [/\b404\b|not found|no such (?:stream|path)/i, 'unknown_path'],
  [/codec|no decoder|not negotiated|unsupported|not a video|no video|wrong type|missing plug-?in/i, 'unsupported'],
  [/time(?:d)?[ -]?out|no (?:frame|picture|data|answer|response)|stalled|silent/i, 'silent'],
  [/end of stream|\beos\b|closed|disconnected|reset by peer|ended/i, 'ended'],
];

export function diagnose(reason: string): Diagnosis | null {
  return PATTERNS.find(([pattern]) => pattern.test(reason))?.[1] ?? null;
}

/** What is wrong with a device, in one line. */
export function troubleWords(trouble: Trouble, now: Time, language: Language, t: Dictionary): string {
  const from = (what: string, since: Time | null): string => (since === null ? what : t.devices.since(what, moment(since, now, language, t)));
  switch (trouble.what) {
    case 'offline':
      return from(t.devices.presence.offline, trouble.since);
    case 'silent':
      return t.devices.silent(duration(now - trouble.since, t));
    case 'camera':
      return t.devices.about(trouble.name, illnessWords(trouble.illness, now, language, t));
    case 'hot':
      return t.devices.hot(integer(trouble.celsius, language));
    case 'certificate':
      return t.devices.certificate[trouble.state](moment(trouble.until, now, language, t));
    case 'sensor':
      return t.devices.about(trouble.name, t.cause(trouble.fault) ?? trouble.fault);
    case 'missing':
      return t.devices.missing(integer(trouble.count, language));
    case 'modelFile':
      return t.devices.modelFile[trouble.state];
    case 'diskLow':
    case 'detectorFailed':
    case 'overloaded':
      return t.devices[trouble.what];
  }
}
