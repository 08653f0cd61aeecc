// The stand-in hub's viewing register: nothing an alarm shows is handed out before its purpose is written down.

import { isReason } from './incidents.mjs';
import { problem } from './people.mjs';

const LASTS_MS = 15 * 60_000;
const iso = (time) => new Date(time).toISOString();

const viewings = [];
/** By session, the alarms that are open to it. */
const openings = new WeakMap();

function open(session, { alarm, incident = null, reason = null, text = null }, alerts) {
  const alert = alerts.find((one) => one.id === alarm);
  if (!alert) return problem(404, `there is no alarm ${alarm}`);
  if (incident === null && (reason === null || !text?.trim())) return problem(400, 'a reason is needed', reason === null ? 'reason' : 'text');
  if (incident !== null && !isReason(incident, alarm)) return problem(409, 'the incident is no reason', 'incident');
  const { name, display_name, roles, sites } = session.person;
  const now = Date.now();
  const viewing = {
    number: viewings.length + 1, id: String(viewings.length + 1).padStart(26, '0'), time: iso(now), until: iso(now + LASTS_MS),
    person: name, display_name, roles, sites: sites ?? null, address: '127.0.0.1',
    edge: alert.edge, alarm, kind: alert.kind, camera: alert.camera, incident, reason, text: text?.trim() ?? null, pieces: [], attachments: [],
  };
  viewings.unshift(viewing);
  if (!openings.has(session)) openings.set(session, new Map());
  openings.get(session).set(alarm, viewing);
  return [201, viewing];
}

/** May the session see this piece? What it sees is written down. */
export function looks(session, event, sha256, mediaType, alerts) {
  const alert = alerts.find((one) => one.first_event === event || one.evidence.some((piece) => piece.event === event));
  const viewing = alert && openings.get(session)?.get(alert.id);
  if (!viewing) return false;
  if (!viewing.pieces.some((piece) => piece.event === event && piece.sha256 === sha256)) {
    viewing.pieces.push({ event, sha256, media_type: mediaType, time: iso(Date.now()) });
  }
  return true;
}

/** May the session see this attachment? It may while an alarm of its incident is open to it. */
export function looksAtAttachment(session, incident, { number, sha256, media_type }) {
  const viewing = [...incident.ids.keys()].map((alarm) => openings.get(session)?.get(alarm)).find(Boolean);
  if (!viewing) return false;
  if (!viewing.attachments.some((one) => one.incident === incident.id && one.number === number)) {
    viewing.attachments.push({ incident: incident.id, number, sha256, media_type, time: iso(Date.now()) });
  }
  return true;
}

export const closed = () => problem(403, 'first say what you look at it for');

/** What is asked of the register; undefined: something else is asked. */
export function answer(method, url, session, body, alerts) {
  if (url.pathname !== '/api/v1/viewings') return undefined;
  if (method === 'POST') return open(session, body, alerts);
  const limit = Number(url.searchParams.get('limit') ?? 50);
  const before = url.searchParams.get('before');
  const from = before === null ? 0 : viewings.findIndex((one) => one.number === Number(before)) + 1;
  const some = viewings.slice(from, from + limit);
  return [200, { viewings: some, next: from + limit < viewings.length ? String(some[some.length - 1].number) : null }];
}
