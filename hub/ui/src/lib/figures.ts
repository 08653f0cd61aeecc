// How much the operators are asked to look at, and how well the loop is closed (EEMUA 191).

import { get } from './http';
import { REASONS, parseIncident, type Incident, type Reason } from './incidents';
import { count, each, fields, optionalText, text, time, type Time } from './shape';

export const SPANS = [1, 7, 30] as const;
export type Span = (typeof SPANS)[number];

export interface Spread {
  readonly p50: number;
  readonly p90: number;
}

export interface WorstRule {
  readonly rule: string | null;
  readonly incidents: number;
  readonly falseAlarms: number;
  /** The most frequent first. */
  readonly reasons: readonly (readonly [Reason, number])[];
}

/** A camera; or a device as far as no camera of it is meant. */
export interface Worst {
  readonly edge: string;
  readonly camera: string | null;
  readonly cameraLabel: string | null;
  readonly incidents: number;
  readonly falseAlarms: number;
  /** Those that raised false alarms, the worst first. */
  readonly rules: readonly WorstRule[];
}

/** One kind of alarm, by one rule, of one camera or sensor, or of a device itself. */
export interface ChatteringSource {
  readonly kind: string;
  readonly edge: string;
  readonly camera: string | null;
  readonly cameraLabel: string | null;
  readonly sensor: string | null;
  readonly sensorLabel: string | null;
  readonly rule: string | null;
  /** At least the third of the source within a minute. */
  readonly alarms: number;
}

export interface Figures {
  readonly since: Time;
  readonly opened: number;
  readonly load: { readonly mean: number; readonly peak: number; readonly operators: number };
  /** Seconds; null: nothing to measure. */
  readonly acknowledge: Spread | null;
  readonly close: Spread | null;
  readonly falseAlarms: number;
  readonly worst: readonly Worst[];
  /** Sources that raised three alarms or more within a minute. */
  readonly chattering: { readonly sources: number; readonly alarms: number; readonly worst: readonly ChatteringSource[] };
  /** Open, or going on, for more than a day, now. */
  readonly stale: { readonly incidents: number; readonly alarms: number; readonly oldest: readonly Incident[] };
}

function spread(value: unknown): Spread | null {
  if (value === null || value === undefined) return null;
  const { p50, p90 } = fields(value, 'spread');
  return { p50: count(p50), p90: count(p90) };
}

function parseWorstRule(value: unknown): WorstRule {
  const rule = fields(value, 'rule');
  const reasons = new Map<Reason, number>();
  for (const [name, n] of Object.entries(fields(rule.reasons ?? {}, 'rule.reasons'))) {
    const reason = REASONS.find((one) => one === name) ?? 'other';
    reasons.set(reason, (reasons.get(reason) ?? 0) + count(n));
  }
  return {
    rule: optionalText(rule.rule),
    incidents: count(rule.incidents),
    falseAlarms: count(rule.false_alarms),
    reasons: [...reasons].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]),
  };
}

export function parseWorst(value: unknown): Worst {
  const worst = fields(value, 'worst');
  return {
    edge: text(worst.edge, 'worst.edge'),
    camera: optionalText(worst.camera),
    cameraLabel: optionalText(worst.camera_label),
    incidents: count(worst.incidents),
    falseAlarms: count(worst.false_alarms),
    rules: each(worst.rules ?? [], 'worst.rules', parseWorstRule),
  };
}

function parseChattering(value: unknown): ChatteringSource {
  const source = fields(value, 'source');
  return {
    kind: text(source.kind, 'source.kind'),
    edge: text(source.edge, 'source.edge'),
    camera: optionalText(source.camera),
    cameraLabel: optionalText(source.camera_label),
    sensor: optionalText(source.sensor),
    sensorLabel: optionalText(source.sensor_label),
    rule: optionalText(source.rule),
    alarms: count(source.alarms),
  };
}

export function parseFigures(value: unknown): Figures {
  const figures = fields(value, 'figures');
  const load = fields(figures.per_operator_10_min, 'per_operator_10_min');
  const chattering = fields(figures.chattering ?? {}, 'chattering');
  const stale = fields(figures.stale ?? {}, 'stale');
  return {
    since: time(figures.since, 'since'),
    opened: count(figures.opened),
    load: { mean: count(load.mean), peak: count(load.peak), operators: count(load.operators) },
    acknowledge: spread(figures.acknowledge_s),
    close: spread(figures.close_s),
    falseAlarms: count(figures.false_alarms),
    worst: each(figures.worst ?? [], 'worst', parseWorst),
    chattering: {
      sources: count(chattering.sources),
      alarms: count(chattering.alarms),
      worst: each(chattering.worst ?? [], 'chattering', parseChattering),
    },
    stale: { incidents: count(stale.incidents), alarms: count(stale.alarms), oldest: each(stale.oldest ?? [], 'stale', parseIncident) },
  };
}

export async function fetchFigures(days: Span): Promise<Figures> {
  return parseFigures(await get(`/api/v1/incident-figures?days=${days}`));
}

export function spanAt(query: URLSearchParams): Span {
  return SPANS.find((span) => String(span) === query.get('days')) ?? 7;
}

/** How many stale ones there may be on any day (ISA-18.2), and how many sources that chatter. */
export const FEW_STALE = 5;

/** What EEMUA 191 says of so many alarms for one operator in ten minutes. */
export const VERDICTS = ['acceptable', 'manageable', 'demanding', 'unacceptable'] as const;
export type Verdict = (typeof VERDICTS)[number];

export function verdict(perTenMinutes: number): Verdict {
  if (perTenMinutes <= 1) return 'acceptable';
  if (perTenMinutes <= 2) return 'manageable';
  return perTenMinutes <= 5 ? 'demanding' : 'unacceptable';
}

/** 0 to 1; null: of nothing. */
export const share = (part: number, whole: number): number | null => (whole === 0 ? null : Math.min(1, part / whole));
