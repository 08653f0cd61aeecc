// A box says in a technician's words why a camera gives no picture. The usual ones are known here, so that an operator
// reads them in plain words; the original text is always shown beside them.

import type { Time } from './api';
import type { Trouble } from './devices';
import type { Dictionary, Language } from './i18n/dictionaries';
import { duration, integer, moment } from './time';

export type Diagnosis = 'refused' | 'login' | 'silent' | 'keyFrames' | 'undecodable' | 'crashes' | 'address' | 'stream' | 'stopped' | 'format';

const PATTERNS: readonly (readonly [RegExp, Diagnosis])[] = [
  // What the box itself writes (edge/src/source), before what else may stand in a text.
  [/no key frame/i, 'keyFrames'],
  [/nothing that can be decoded|the video is damaged/i, 'undecodable'],
  [/ended the process that takes it apart/i, 'crashes'],
  [/refuses the login/i, 'login'],
  [/cannot be reached/i, 'refused'],
  [/does not know this path/i, 'stream'],
  [/the connection broke|the video stopped/i, 'stopped'],
  [/\b40[13]\b|unauthori[sz]ed|forbidden|authenticat|not authori[sz]ed|credential/i, 'login'],
  [/refused|unreachable|no route|could not connect|failed to connect|cannot connect/i, 'refused'],
  [/resolv|unknown host|name or service|no such host/i, 'address'],
  [/\b404\b|not found|no such (?:stream|path)/i, 'stream'],
  [/codec|no decoder|not negotiated|unsupported|not a video|no video|wrong type|missing plug-?in/i, 'format'],
  [/time(?:d)?[ -]?out|no (?:frame|picture|data|answer|response)|stalled|silent/i, 'silent'],
  [/end of stream|\beos\b|closed|disconnected|reset by peer|ended/i, 'stopped'],
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
    case 'camera': {
      const found = diagnose(trouble.reason);
      const why = found === null ? trouble.reason || t.devices.camera.faulted : t.devices.diagnosis[found];
      return t.devices.about(trouble.name, from(why, trouble.since));
    }
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
