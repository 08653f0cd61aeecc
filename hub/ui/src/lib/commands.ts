// Commands to boxes: asking for an uncovered original, and what became of it.

import type { Evidence } from './evidence';
import { get, post } from './http';
import { each, fields, optionalText, optionalTime, text, time, type Fields, type Time } from './shape';

export type CommandState = 'proposed' | 'declined' | 'lapsed' | 'waiting' | 'done' | 'refused' | 'expired';

/** What a second person said. */
export interface Approval {
  readonly who: string;
  readonly time: Time;
  readonly approved: boolean;
  readonly text: string | null;
}

/** A command that asks for the original of what one event shows. */
export interface ReleaseCommand {
  readonly id: string;
  readonly edge: string;
  readonly who: string;
  /** By what who asked signs in; null: an older hub did not keep it. */
  readonly person: string | null;
  /** Null: nobody has decided, or nobody had to. */
  readonly approval: Approval | null;
  readonly why: string;
  readonly issued: Time;
  readonly expires: Time;
  readonly event: string;
  readonly until: Time;
  readonly alarm: string | null;
  readonly state: CommandState;
  readonly answered: Time | null;
  readonly reason: string | null;
  readonly detail: string | null;
}

const RELEASE = 'release_original';

/** Further down means later. */
const STATES: readonly (readonly CommandState[])[] = [['proposed'], ['waiting'], ['declined', 'lapsed', 'done', 'refused', 'expired']];

const rank = (state: CommandState): number => STATES.findIndex((states) => states.includes(state));

function state(value: unknown): CommandState {
  return STATES.flat().find((known) => known === value) ?? 'waiting';
}

function parseApproval(value: unknown): Approval | null {
  if (value === null || value === undefined) return null;
  const approval = fields(value, 'command.approval');
  return {
    who: text(approval.who, 'command.approval.who'),
    time: time(approval.time, 'command.approval.time'),
    approved: approval.outcome === 'approved',
    text: optionalText(approval.text),
  };
}

/** Null: a command of another kind, which is shown elsewhere. */
export function parseRelease(value: unknown): ReleaseCommand | null {
  const command = fields(value, 'command');
  const order: Fields = fields(command.order, 'command.order');
  if (order.kind !== RELEASE) return null;
  return {
    id: text(command.id, 'command.id'),
    edge: text(command.edge, 'command.edge'),
    who: text(command.who, 'command.who'),
    person: optionalText(command.person),
    approval: parseApproval(command.approval),
    why: text(command.why, 'command.why'),
    issued: time(command.issued, 'command.issued'),
    expires: time(command.expires, 'command.expires'),
    event: text(order.event, 'command.order.event'),
    until: time(order.until, 'command.order.until'),
    alarm: optionalText(command.alarm),
    state: state(command.state),
    answered: optionalTime(command.answered),
    reason: optionalText(command.reason),
    detail: optionalText(command.detail),
  };
}

export async function fetchReleases(): Promise<ReleaseCommand[]> {
  const page = fields(await get(`/api/v1/commands?kind=${RELEASE}&limit=200`), 'commands');
  return each(page.commands, 'commands', parseRelease).filter((command) => command !== null);
}

export interface Wish {
  readonly edge: string;
  readonly event: string;
  readonly why: string;
  readonly until: Time;
}

/** Who asks is known to the hub. */
export async function askForOriginal(wish: Wish): Promise<ReleaseCommand | null> {
  const { edge, event, why } = wish;
  const order = { kind: RELEASE, event, until: new Date(wish.until).toISOString() };
  return parseRelease(await post('/api/v1/commands', { edge, why, order }));
}

/** Another person than who asked says whether the box is to be asked. */
export async function decide(id: string, approved: boolean, words: string | null): Promise<ReleaseCommand | null> {
  const outcome = approved ? 'approved' : 'declined';
  return parseRelease(await post(`/api/v1/commands/${id}/decision`, words === null ? { outcome } : { outcome, text: words }));
}

/** The latest first; of two states of one command the later one. */
export function mergeReleases(
  current: readonly ReleaseCommand[],
  incoming: readonly ReleaseCommand[],
): readonly ReleaseCommand[] {
  const byId = new Map(current.map((command) => [command.id, command]));
  for (const command of incoming) {
    const known = byId.get(command.id);
    if (!known || rank(command.state) >= rank(known.state)) byId.set(command.id, command);
  }
  return [...byId.values()].sort((a, b) => b.issued - a.issued || (a.id < b.id ? 1 : -1));
}

/** What a person sees of it. Whether it is over is a matter of the hub's clock, not of the last message. */
export type Progress =
  /** A second person has to agree. */
  | { readonly step: 'proposed' }
  /** They did not. */
  | { readonly step: 'declined' }
  /** Nobody did in time. */
  | { readonly step: 'lapsed' }
  | { readonly step: 'waiting' }
  /** The box released it; the file is still on its way. */
  | { readonly step: 'coming' }
  | { readonly step: 'here'; readonly originals: readonly Evidence[] }
  /** Its end has come. */
  | { readonly step: 'over' }
  | { readonly step: 'refused' }
  | { readonly step: 'expired' };

/** `evidence` is that of the command's alert; null when the page does not have that alert. */
export function progress(command: ReleaseCommand, evidence: readonly Evidence[] | null, now: Time): Progress {
  if (command.state === 'declined') return { step: 'declined' };
  if (command.state === 'lapsed' || (command.state === 'proposed' && now >= command.expires)) return { step: 'lapsed' };
  if (command.state === 'proposed') return { step: 'proposed' };
  if (command.state === 'refused') return { step: 'refused' };
  if (command.state === 'expired' || (command.state === 'waiting' && now >= command.expires)) return { step: 'expired' };
  if (command.state === 'waiting') return { step: 'waiting' };
  if (now >= command.until) return { step: 'over' };
  if (evidence === null) return { step: 'here', originals: [] };
  const mine = evidence.filter((piece) => piece.role === 'original' && piece.command === command.id);
  const originals = mine.filter((piece) => piece.state === 'here');
  if (originals.length > 0) return { step: 'here', originals };
  return mine.some((piece) => piece.state === 'deleted') ? { step: 'over' } : { step: 'coming' };
}
