// Why the hub did not do what was asked, in words.

import { HubError } from './http';
import type { Dictionary } from './i18n/dictionaries';

/** `known` has words for statuses (0: no answer) and parameters that a form can say more about. */
export function refusal(error: unknown, t: Dictionary, known: ReadonlyMap<string | number, string> = new Map()): string {
  if (!(error instanceof HubError) || error.status === 0) return known.get(0) ?? t.refused.unreachable;
  const special = known.get(error.parameter ?? '') ?? known.get(error.status);
  if (special !== undefined) return special;
  if (error.status === 403) return t.refused.denied;
  return error.status === 429 ? t.signIn.failed.wait : t.signIn.failed.status(error.status);
}
