// Other programs that are told of incidents, what they did not take, and having it sent again. Neither secrets nor paths of addresses
// come here.

import { get, post } from './http';
import { fetchPage, type Page } from './page';
import { count, each, fields, text, time, type Time } from './shape';

export const TELLS = ['opened', 'stage_changed', 'escalated', 'closed'] as const;
export type Tells = (typeof TELLS)[number];

export interface Receiver {
  /** Host and port. */
  readonly host: string;
  readonly tells: readonly Tells[];
  /** Null: of every site. */
  readonly sites: readonly string[] | null;
}

export interface Failure {
  readonly since: Time;
  readonly time: Time;
  readonly reason: string;
}

export interface Webhook {
  readonly name: string;
  /** Null: it left the configuration. */
  readonly receiver: Receiver | null;
  readonly waiting: number;
  readonly dead: number;
  /** Null: what was sent last was taken. */
  readonly failure: Failure | null;
}

export interface DeadLetter {
  readonly step: number;
  /** What the receiver knows it by. */
  readonly message: string;
  /** Null: something this page does not know. */
  readonly tells: Tells | null;
  readonly incident: number;
  readonly happened: Time;
  readonly tried: Time;
  readonly attempts: number;
  readonly reason: string;
  /** It will be sent once more. */
  readonly again: boolean;
}

const tellsOf = (value: unknown): Tells | null => TELLS.find((one) => one === value) ?? null;

function parseReceiver(value: unknown): Receiver {
  const receiver = fields(value, 'receiver');
  const sites = receiver.sites ?? null;
  return {
    host: text(receiver.host, 'receiver.host'),
    tells: each(receiver.tells, 'receiver.tells', tellsOf).filter((one) => one !== null),
    sites: sites === null ? null : each(sites, 'receiver.sites', (site) => text(site, 'site')),
  };
}

function parseFailure(value: unknown): Failure {
  const failure = fields(value, 'failure');
  return { since: time(failure.since, 'failure.since'), time: time(failure.time, 'failure.time'), reason: text(failure.reason, 'failure.reason') };
}

export function parseWebhook(value: unknown): Webhook {
  const webhook = fields(value, 'webhook');
  const [receiver, failure] = [webhook.receiver ?? null, webhook.failure ?? null];
  return {
    name: text(webhook.name, 'webhook.name'),
    receiver: receiver === null ? null : parseReceiver(receiver),
    waiting: count(webhook.waiting),
    dead: count(webhook.dead),
    failure: failure === null ? null : parseFailure(failure),
  };
}

export function parseLetter(value: unknown): DeadLetter {
  const letter = fields(value, 'letter');
  return {
    step: count(letter.step),
    message: text(letter.message, 'letter.message'),
    tells: tellsOf(letter.tells),
    incident: count(letter.incident),
    happened: time(letter.happened, 'letter.happened'),
    tried: time(letter.tried, 'letter.tried'),
    attempts: count(letter.attempts),
    reason: text(letter.reason, 'letter.reason'),
    again: letter.again === true,
  };
}

export async function fetchWebhooks(): Promise<readonly Webhook[]> {
  return each(fields(await get('/api/v1/webhooks'), 'webhooks').webhooks, 'webhooks', parseWebhook);
}

const deadOf = (name: string): string => `/api/v1/webhooks/${encodeURIComponent(name)}/dead`;

export const fetchLetters = (name: string, before: string | null): Promise<Page<DeadLetter>> => fetchPage(deadOf(name), 'letters', before, parseLetter);

/** Has one sent once more. */
export async function retryLetter(name: string, step: number): Promise<void> {
  await post(`${deadOf(name)}/${step}/retry`, undefined);
}

/** Has all of them sent once more. */
export async function retryLetters(name: string): Promise<void> {
  await post(`${deadOf(name)}/retry`, undefined);
}
