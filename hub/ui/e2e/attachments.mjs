// The stand-in hub's attachments: kept in memory as they come, opened for a purpose.

import { createHash } from 'node:crypto';
import { attached, incidentFor } from './incidents.mjs';
import { problem } from './people.mjs';
import { closed, looksAtAttachment } from './viewings.mjs';

const PATH = /^\/api\/v1\/incidents\/([0-9A-Z]{26})\/attachments(?:\/(\d+))?$/;
const MOST = 20;
const MAX_BYTES = 10 * 1024 * 1024;

/** By its bytes, as the hub tells it. */
function typeOf(bytes) {
  if (bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'image/jpeg';
  if (bytes.subarray(0, 4).equals(Buffer.from('\x89PNG', 'latin1'))) return 'image/png';
  if (bytes.subarray(8, 12).toString() === 'WEBP') return 'image/webp';
  return bytes.subarray(0, 5).toString() === '%PDF-' ? 'application/pdf' : null;
}

export const isUpload = (method, path) => method === 'POST' && PATH.test(path);

const shown = ({ bytes, person, ...file }, name, may) => ({
  ...file,
  bytes: bytes.length,
  held: false,
  may_withdraw: file.gone === null && (person === name || may.includes('verify_incidents')),
});

async function add(request, url, { incident, attaches }, { name, display_name }, may) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (!attaches) return problem(403, 'your account does not have the permission `work_incidents`');
  if (bytes.length > MAX_BYTES) return problem(413, 'a file of at most 10 MiB can be attached');
  const media_type = typeOf(bytes);
  if (media_type === null) return problem(415, 'not a JPEG, PNG, WebP or PDF file');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const here = incident.files.filter(({ gone }) => gone === null);
  if (here.length >= MOST || here.some((file) => file.sha256 === sha256)) return problem(409, 'it is attached already');
  const number = incident.files.length + 1;
  const who = `${display_name} (${name})`;
  const file = { number, name: url.searchParams.get('name'), media_type, bytes, sha256, time: new Date().toISOString(), who, person: name, gone: null };
  incident.files.push(file);
  attached(incident, who, { attachment: number, name: file.name, media_type, bytes: bytes.length, sha256 });
  return [201, shown(file, name, may)];
}

/** What is asked of attachments: status and body, or a file; undefined: something else is asked. */
export async function answer(request, url, session, may) {
  const found = PATH.exec(url.pathname);
  if (!found) return undefined;
  if (!session) return problem(401, 'sign in first');
  const { person } = session;
  const known = incidentFor(found[1], person.name, may);
  if (!known) return problem(404, 'there is no such incident');
  if (request.method === 'POST') return add(request, url, known, person, may);
  const { files } = known.incident;
  if (found[2] === undefined) return [200, { attachments: files.map((file) => shown(file, person.name, may)) }];
  const file = files.find(({ number }) => number === Number(found[2]));
  if (!file) return problem(404, 'there is no such attachment');
  if (file.gone !== null) return problem(410, 'it was withdrawn');
  return looksAtAttachment(session, known.incident, file) ? file : closed();
}
