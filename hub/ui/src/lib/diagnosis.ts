// A box says in a technician's words why a camera gives no picture. The usual ones are known here, so that an operator
// reads them in plain words; the original text is always shown beside them.

export type Diagnosis = 'refused' | 'login' | 'silent' | 'address' | 'stream' | 'stopped' | 'format';

const PATTERNS: readonly (readonly [RegExp, Diagnosis])[] = [
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
