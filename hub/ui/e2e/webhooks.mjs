// The stand-in hub's webhooks: one refuses, one is well. What is sent again is refused once more until `/dev/webhook` says that it is taken;
// with `{"takes": false}` all is as it was at first.

import { note } from './access-log.mjs';
import { problem } from './people.mjs';

const iso = (time) => new Date(time).toISOString();
const AGAIN_MS = 1_000;

const letter = (step, minutes) => ({
  step, message: `01ARZ3NDEKTSV4RRFFQ69G5FA${step % 10}-1`, tells: 'opened', incident: step, happened: iso(Date.now() - minutes * 60_000),
  tried: iso(Date.now() - minutes * 60_000), attempts: 1, reason: 'refused: HTTP 410 Gone', again: false,
});

let takes;
let failure;
let letters;

/** Whether the receiver is well. */
export function mend(well) {
  takes = well;
  if (well) return;
  failure = { since: iso(Date.now() - 3_600_000), time: iso(Date.now() - 60_000), reason: 'refused: HTTP 410 Gone' };
  letters = [letter(18, 20), letter(17, 60)];
}
mend(false);

let none = false;
/** Nobody is told of anything. */
export const clear = () => (none = true);

const told = () => none ? [] : [
  { name: 'canteen', receiver: { host: '127.0.0.1:8099', tells: ['opened', 'closed'], sites: ['school-3'] }, waiting: 0, dead: 0, failure: null },
  {
    name: 'district', receiver: { host: 'hooks.example', tells: ['opened', 'stage_changed', 'escalated', 'closed'], sites: null },
    waiting: 0, dead: letters.length, failure,
  },
];

function retry(which, by) {
  if (which.length === 0) return problem(404, 'no such letter');
  for (const one of which) one.again = true;
  note(null, 'webhook_retried', { by, detail: `district: ${which.length}` });
  setTimeout(() => {
    if (takes) {
      letters = letters.filter((one) => !which.includes(one));
      failure = null;
      return;
    }
    for (const one of which) Object.assign(one, { again: false, attempts: one.attempts + 1, tried: iso(Date.now()) });
  }, AGAIN_MS).unref();
  return [202, { count: which.length }];
}

/** What is asked of the webhooks; undefined: something else is asked. */
export function answer(method, url, by) {
  const path = url.pathname;
  if (path === '/api/v1/webhooks') return [200, { webhooks: told() }];
  if (path === '/api/v1/webhooks/district/dead') return [200, { letters, next: null }];
  if (path === '/api/v1/webhooks/district/dead/retry' && method === 'POST') return retry(letters, by);
  const one = /^\/api\/v1\/webhooks\/district\/dead\/(\d+)\/retry$/.exec(path);
  if (one && method === 'POST') return retry(letters.filter(({ step }) => step === Number(one[1])), by);
  return undefined;
}
