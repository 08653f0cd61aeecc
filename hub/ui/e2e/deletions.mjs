// What the stand-in hub deleted: a past, so that there is something to page through.

import { createHash } from 'node:crypto';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.now();
const iso = (time) => new Date(time).toISOString();
const hash = (of) => createHash('sha256').update(of).digest('hex');
/** Made-up, but of the form. */
const ulid = (of) => `01K${hash(of).toUpperCase().replace(/[^0-9A-F]/g, '').slice(0, 23)}`;

const KINDS = [
  { media_type: 'image/jpeg', bytes: 48_213 },
  { media_type: 'video/mp4', bytes: 3_412_608 },
  { media_type: 'image/jpeg', bytes: 61_870 },
  { media_type: 'video/mp4', bytes: 2_098_176 },
];

/** Every fifteenth is an original, every nineteenth an attachment; the rest is what boxes send by themselves. */
function deletion(n) {
  const time = START - 40 * 60_000 - n * 3.1 * HOUR;
  const common = { time: iso(time), sha256: hash(`file ${n}`), edge: ['gate-1', 'gate-2', 'gate-3'][n % 3], command: null };
  const ofEvent = { event: ulid(`event ${n}`), incident: null, attachment: null };
  if (n % 15 === 4) {
    const released = { media_type: 'application/vnd.age', bytes: 9_730_112, received: iso(time - 7 * DAY), cause: 'released_until' };
    return { ...common, ...ofEvent, ...released, command: ulid(`command ${n}`) };
  }
  if (n % 19 === 7) {
    const taken = n % 2 === 1;
    return {
      ...common, event: null, incident: ulid(`incident ${n}`), attachment: 1 + (n % 3), media_type: taken ? 'application/pdf' : 'image/jpeg',
      bytes: 812_044, received: iso(time - (taken ? 2 * HOUR : 34 * DAY)), cause: taken ? 'withdrawn' : 'age',
    };
  }
  return { ...common, ...ofEvent, ...KINDS[n % KINDS.length], received: iso(time - 30 * DAY - n * 1_000), cause: 'age' };
}

/** A sweep each night, that of a holiday with little to do. */
function disposal(n) {
  const began = START - 5 * HOUR - n * DAY;
  const much = 4 + ((n * 37) % 41);
  const idle = n % 7 === 3;
  return {
    horizon: iso(began - 365 * DAY), began: iso(began), alarms: idle ? 0 : much, events: idle ? 2 : much * 3 + (n === 12 ? 18_400 : 0),
    incidents: idle ? 0 : Math.ceil(much / 2), steps: idle ? 0 : much * 2, register: (n * 5) % 9, commands: n % 4, holds: n % 20 === 9 ? 1 : 0, records: 30 + (n % 13),
  };
}

let deletions = Array.from({ length: 130 }, (_, n) => deletion(n));
let disposals = Array.from({ length: 70 }, (_, n) => disposal(n));

/** Nothing was deleted yet. */
export const clear = () => ([deletions, disposals] = [[], []]);

/** A page of a list, the latest first; the number to go on before is where the page ended. */
function page(name, list, query) {
  const [limit, from] = [Number(query.get('limit') ?? 100), Number(query.get('before') ?? 0)];
  return { [name]: list.slice(from, from + limit), next: from + limit < list.length ? String(from + limit) : null };
}

/** What is asked of them; undefined: something else is asked. */
export function answer({ pathname, searchParams }) {
  if (pathname === '/api/v1/deletions') return [200, page('deletions', deletions, searchParams)];
  if (pathname === '/api/v1/disposals') return [200, page('disposals', disposals, searchParams)];
  return undefined;
}
