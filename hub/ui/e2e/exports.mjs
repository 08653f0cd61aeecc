// The stand-in hub's lists as files. Columns, quotes and names of files are the hub's (hub/src/export.rs).

import { note } from './access-log.mjs';
import { problem } from './people.mjs';

const COLUMNS = {
  incidents: [
    'number', 'id', 'kind', 'severity', 'edge', 'camera', 'camera_label', 'zone', 'zone_label', 'sensor', 'sensor_label', 'cause', 'object', 'alarms',
    'attachments', 'opened', 'first', 'last', 'stage', 'outcome', 'reason', 'assignee', 'due', 'overdue',
  ],
  alerts: [
    'id', 'kind', 'severity', 'edge', 'camera', 'camera_label', 'zone', 'zone_label', 'rule', 'sensor', 'sensor_label', 'input', 'object', 'direction',
    'count', 'cause', 'detail', 'phase', 'began', 'last', 'ended', 'received', 'events',
  ],
};
const DAY_MS = 86_400_000;
const TYPES = { csv: 'text/csv; charset=utf-8', json: 'application/json' };

function cell(value) {
  const text = value === null || value === undefined ? '' : String(value.name ?? value);
  const safe = /^[=+\-@\t\r\n＝＋－＠]/u.test(text) ? `'${text}` : text;
  return /[,"\r\n;\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
const csv = (columns, lines) => `\ufeff${[columns, ...lines.map((line) => columns.map((column) => line[column]))].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')}`;

/** What is asked of the lists: status, body and headers; undefined: something else is asked. `lists` gives what somebody sees. */
export function answer(url, session, may, lists) {
  const list = /^\/api\/v1\/exports\/(alerts|incidents)$/.exec(url.pathname)?.[1];
  if (!list) return undefined;
  if (!may.includes('export')) return problem(403, 'your account does not have the permission `export`');
  const format = url.searchParams.get('format') ?? 'csv';
  const lines = lists[list]();
  const body = format === 'csv' ? csv(COLUMNS[list], lines) : JSON.stringify(lines);
  note(session.person.name, 'exported', { detail: `${list}.${format}` });
  const [from, until] = [Date.now() - 30 * DAY_MS, Date.now()].map((time) => new Date(time).toISOString().slice(0, 10));
  return [200, Buffer.from(body), { 'content-type': TYPES[format], 'content-disposition': `attachment; filename="gatepost-${list}-${from}-${until}.${format}"` }];
}
