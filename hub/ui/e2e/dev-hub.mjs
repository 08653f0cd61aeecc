// A small stand-in for the hub, for work on the page only: serves dist/, the API and the live stream with invented
// data. Never part of the product.
//
//   node e2e/dev-hub.mjs [--port 8090] [--alerts 120] [--every 20] [--empty] [--kinds] [--snapshots DIR]
//
//   --kinds: one alert of every kind and cause there is, and one of none that is known
//
//   POST /dev/alert   publishes a new alert (a JSON body overrides its fields); its picture follows 1.5 s later
//   POST /dev/cut     breaks every live stream
//   POST /dev/end     ends every session
//   POST /dev/webhook says that the receiver takes what it refused
//
// People sign in with the password that people.mjs names: wang.li sees and does what an operator does.
// Asking for an original of gate-1 is granted after 2 s, of gate-3 refused; gate-2 is offline and never answers.

import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answer as answerOfAccounts, endAll, mayOf, sessionOf, watchEnds } from './accounts.mjs';
import { answer as answerOfAttachments, isUpload } from './attachments.mjs';
import { answer as answerOfDeletions, clear as clearDeletions } from './deletions.mjs';
import { answer as answerOfExports } from './exports.mjs';
import { answer as answerOfHolds } from './holds.mjs';
import { clear as clearWebhooks, mend as mendWebhook } from './webhooks.mjs';
import { answer as answerOfIncidents, begin, listFor, report, watchIncidents } from './incidents.mjs';
import { answer as answerOfPlans } from './plans.mjs';
import { problem } from './people.mjs';
import { history } from './telemetry.mjs';
import { answer as answerOfViewings, closed, looks } from './viewings.mjs';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    alerts: { type: 'string', default: '120' },
    every: { type: 'string', default: '0' },
    snapshots: { type: 'string' },
    empty: { type: 'boolean', default: false },
    kinds: { type: 'boolean', default: false },
  },
});

if (options.empty) {
  clearDeletions();
  clearWebhooks();
}

const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const PICTURES = options.snapshots
  ? readdirSync(options.snapshots).filter((name) => /\.jpe?g$/.test(name)).sort().map((name) => readFileSync(join(options.snapshots, name)))
  : [];

/** Ten seconds of a ball, in the format a box makes. */
function makeClip() {
  const folder = mkdtempSync(join(tmpdir(), 'gatepost-clip-'));
  const file = join(folder, 'clip.mp4');
  const pipeline =
    'videotestsrc pattern=ball num-buffers=100 ! video/x-raw,width=640,height=360,framerate=10/1 ! openh264enc ! h264parse ! mp4mux faststart=true ! filesink';
  try {
    execFileSync('gst-launch-1.0', ['-q', ...pipeline.split(' '), `location=${file}`], { stdio: 'ignore' });
    return readFileSync(file);
  } catch {
    console.warn('no clip can be made: gst-launch-1.0 with openh264enc is needed; clips show as broken');
    return Buffer.alloc(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const CLIP = makeClip();

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
let counter = 0;
function ulid(time) {
  let head = '';
  for (let i = 0, rest = time; i < 10; i += 1, rest = Math.floor(rest / 32)) head = CROCKFORD[rest % 32] + head;
  let tail = '';
  for (let i = 0, rest = (counter += 7919); i < 16; i += 1, rest = Math.floor(rest / 32)) tail = CROCKFORD[rest % 32] + tail;
  return head + tail;
}

const start = Date.now();
const iso = (time) => new Date(time).toISOString();

const PLACES = [
  { edge: 'gate-1', camera: 'east-gate', camera_label: '东门', zone: 'lawn', zone_label: '草坪' },
  { edge: 'gate-1', camera: 'east-gate', camera_label: '东门', zone: 'fire-lane', zone_label: '消防通道' },
  { edge: 'gate-2', camera: 'north-gate', camera_label: '北门', zone: 'fence', zone_label: '围栏内侧' },
  { edge: 'gate-3', camera: 'kindergarten', camera_label: '幼儿园正门', zone: 'forecourt', zone_label: '门前缓冲区' },
  { edge: 'gate-3', camera: 'bus-bay', camera_label: null, zone: 'bay', zone_label: null },
];
const OBJECTS = ['person', 'person', 'person', 'motorcycle', 'person', 'car', 'bicycle', 'truck'];

/** A picture and a clip, in every state there is. */
function shown(alert, n) {
  const piece = (role, media_type, event, time, more = {}) => ({
    event,
    sha256: `${event.toLowerCase()}${role}`,
    role,
    media_type,
    bytes: role === 'clip' ? CLIP.length : 48_213,
    time,
    state: 'here',
    url: `/api/v1/events/${event}/evidence/${role}`,
    original_kept: n % 3 !== 1,
    command: null,
    until: null,
    deleted: null,
    ...more,
  });
  const state = [{}, {}, { state: 'awaited', url: null }, { state: 'deleted', url: null, deleted: iso(start - 3_600_000) }][n % 4];
  return [
    piece('snapshot', 'image/jpeg', alert.first_event, alert.began),
    piece('clip', 'video/mp4', ulid(Date.parse(alert.began) + 10_000), alert.last, state),
  ];
}

function makeAlert(began, n, overrides = {}, varied = true) {
  const where = PLACES[n % PLACES.length];
  const length = 4_000 + ((n * 7_919) % 60_000);
  const first = ulid(began);
  const alert = {
    id: ulid(began),
    kind: 'zone_intrusion',
    severity: [2, 3, 1, 2, 4][n % 5],
    ...where,
    rule: `${where.zone}-closed`,
    object: OBJECTS[n % OBJECTS.length],
    direction: null,
    count: null,
    limit: null,
    phase: 'ended',
    began: iso(began),
    last: iso(began + length),
    ended: iso(began + length),
    received: iso(began + 240),
    events: 2 + (n % 4),
    first_event: first,
    snapshot: `/api/v1/events/${first}/snapshot`,
    cause: null,
    detail: null,
    evidence: [],
  };
  if (!('snapshot' in overrides)) alert.evidence = shown(alert, n);
  if (!varied) return Object.assign(alert, overrides);
  if (n % 9 === 4) {
    Object.assign(alert, { kind: 'camera_tamper', zone: null, zone_label: null, object: null, severity: 2, snapshot: null, evidence: [] });
    Object.assign(alert, { cause: 'signal_lost', detail: 'no frame for 15 s from the RTSP source' });
  } else if (n % 13 === 6) {
    Object.assign(alert, { kind: 'device_fault', camera: null, camera_label: null, zone: null, zone_label: null, rule: null });
    Object.assign(alert, { object: null, severity: 3, snapshot: null, evidence: [], cause: 'disk_low', detail: '0.8 GB free, the reserve is 1 GB' });
  } else if (n % 17 === 8) {
    Object.assign(alert, { kind: 'line_crossing', direction: 'left_to_right', zone: 'fence', zone_label: '围墙线', events: 2 });
    Object.assign(alert, { last: iso(began), ended: iso(began), received: iso(began + 45 * 60_000) });
  }
  return Object.assign(alert, overrides);
}

const ONGOING = { phase: 'updated', ended: null };
const NOWHERE = { zone: null, zone_label: null, rule: null, object: null, snapshot: null };
const tamper = (cause, detail) => ({ kind: 'camera_tamper', ...NOWHERE, cause, detail });
const fault = (cause, detail) => ({ kind: 'device_fault', ...NOWHERE, camera: null, camera_label: null, severity: 3, cause, detail });
const KINDS = [
  { kind: 'overcrowding', object: null, zone: 'stairs', zone_label: '楼梯口', camera: 'hall', camera_label: '教学楼大厅', count: 14, limit: 10, ...ONGOING },
  { kind: 'line_crossing', object: 'person', zone: 'fence', zone_label: '北围墙线', direction: 'left_to_right' },
  { kind: 'loitering', object: 'person', zone: 'forecourt', zone_label: '门前缓冲区', ...ONGOING },
  { kind: 'vehicle_stopped', object: 'truck', zone: 'fire-lane', zone_label: '消防通道', ...ONGOING },
  { kind: 'object_left', object: null, zone: 'bay', zone_label: '校车停靠区' },
  { kind: 'zone_intrusion', object: 'person', zone: 'lawn', zone_label: '草坪' },
  tamper('signal_lost', 'no frame for 15 s from the RTSP source'),
  tamper('covered', 'one dark surface for 12 s: mean 9, deviation 3'),
  tamper('blurred', 'edges 4 % of what they were'),
  tamper('moved', 'the scene is shifted by 18 % of its width'),
  tamper('frozen', 'the same picture for 60 s'),
  fault('inference_failed', 'onnxruntime: out of memory, 3 runs in a row'),
  fault('disk_low', '0.8 GB free, the reserve is 1 GB'),
  fault('retention_short', 'clips are kept for 9 days, configured are 30'),
  { kind: 'smoke', object: null, zone: 'kitchen', zone_label: '厨房', snapshot: null },
  { ...tamper('lens_cracked', 'a cause of a newer version'), severity: 2 },
];

const alerts = [];
if (options.kinds) {
  KINDS.forEach((kind, n) => {
    const at = start - 20_000 - n * 400_000;
    const moment = kind.kind === 'line_crossing' ? { last: iso(at), ended: iso(at) } : {};
    alerts.push(makeAlert(at, n * 5, { severity: 1 + (n % 4), ...moment, ...kind }, false));
  });
} else if (!options.empty) {
  let at = start - 40_000;
  for (let n = 0; n < Number(options.alerts); n += 1) {
    const ongoing = n === 0 || n === 3;
    alerts.push(
      makeAlert(at, n, ongoing ? { phase: 'updated', ended: null, last: iso(at + 20_000) } : {}),
    );
    at -= 180_000 + ((n * 104_729) % 1_500_000);
  }
}

begin(alerts);

function health(edge, cameras, more = {}) {
  return {
    edge,
    time: iso(Date.now() - 9_000),
    boot: ulid(start - 90_000_000),
    uptime_ms: 90_000_000 + (Date.now() - start),
    version: '0.1.0',
    recorded: [],
    outbox: { queued: 0, disk_bytes: 524_288 },
    cameras,
    inference: { model: 'centernet-512', mean_ms: 84.3, failures: 0, load: 0.31 },
    key: 'tpm',
    disk_free_bytes: 48_300_000_000,
    temperature_celsius: 51.5,
    certificate: { from: iso(start - 40 * 86_400_000), until: iso(start + 50 * 86_400_000) },
    ...more,
  };
}

function camera(id, label, state, more = {}) {
  const frames = 412_000 + Math.floor((Date.now() - start) / 200);
  return {
    camera: id,
    ...(label ? { label } : {}),
    zones: [],
    state,
    decoder: 'avdec_h264',
    frames_sampled: frames,
    attention: 'idle',
    frames_analysed: 91_031,
    frames_still: frames - 91_062,
    frames_dropped: 31,
    last_frame: iso(Date.now() - 400),
    ...more,
  };
}

/** The areas of the first box. Somebody left the gate open. */
const areas = [
  { area: 'yard', label: '校园', mode: 'armed_away', stage: 'entry_delay', delay: 25_000, bypassed: [], open: [], passed: 0 },
  { area: 'store', label: null, mode: 'disarmed', stage: 'set', bypassed: [], open: [{ sensor: 'gate-contact' }, { camera: 'hall', zone: 'stairs' }], passed: 3 },
];
const told = ({ delay, ...area }) => ({ ...area, ...(delay ? { until: iso(Date.now() + delay) } : {}) });

/** Orders to arm and disarm, the latest first, with what the box answered. */
const orders = [];
function carryOut({ order }) {
  const area = areas.find((area) => area.area === order.area);
  const bypass = (order.mode.bypass ?? []).map((input) => JSON.stringify(input));
  const open = area.open.filter((input) => !bypass.includes(JSON.stringify(input)));
  if (order.mode.name.startsWith('armed') && open.length > 0)
    return { state: 'refused', reason: 'not_ready', detail: `not closed: ${open.map((it) => it.sensor ?? it.zone).join(', ')}` };
  Object.assign(area, { mode: order.mode.name, stage: 'set', delay: (order.mode.for_s ?? 0) * 1000, bypassed: order.mode.bypass ?? [], passed: 0 });
  setTimeout(() => devices().forEach((device) => send('device', device)), 100);
  return { state: 'done' };
}

const streaming = { name: 'streaming' };
function devices() {
  if (options.empty) return [];
  return [
    {
      edge: 'gate-1',
      presence: 'online',
      last_seen: iso(Date.now() - 2_000),
      health: health('gate-1', [camera('east-gate', '东门', streaming, { attention: 'awake' }), camera('hall', '教学楼大厅', streaming)], { areas: areas.map(told) }),
      missing: [],
      refused: 0,
    },
    {
      edge: 'gate-2',
      presence: 'offline',
      last_seen: iso(start - 26 * 60_000),
      health: health('gate-2', [camera('north-gate', '北门', streaming)], {
        time: iso(start - 26 * 60_000),
        outbox: { queued: 14, disk_bytes: 3_400_000 },
      }),
      missing: [{ boot: ulid(start - 5_000_000), first: 118, last: 121 }],
      refused: 0,
    },
    {
      edge: 'gate-3',
      presence: 'online',
      last_seen: iso(Date.now() - 5_000),
      health: health('gate-3', [
        camera('kindergarten', '幼儿园正门', streaming, { attention: 'awake' }),
        camera('bus-bay', null, { name: 'faulted', reason: 'rtsp: 401 Unauthorized from 192.0.2.17:554' }, {
          last_frame: iso(start - 8 * 60_000),
          faults: [{ fault: 'login_refused', since: iso(start - 8 * 60_000), detail: 'rtsp: 401 Unauthorized from 192.0.2.17:554' }],
        }),
      ], { inference: { model: 'centernet-512', mean_ms: 212.4, failures: 0, load: 0.97 } }),
      missing: [],
      refused: 0,
    },
    { edge: 'gate-4', presence: 'unknown', last_seen: iso(start - 3 * 86_400_000), health: null, missing: [], refused: 0 },
  ];
}

/** Each with whose it is. */
const streams = new Map();
watchEnds((session) => streams.forEach((whose, stream) => whose === session && stream.end()));
const NEEDED = { alert: 'see_alerts', device: 'see_devices', command: 'see_commands' };
let eventId = 0;
function send(name, data, hears = (session) => mayOf(session).includes(NEEDED[name])) {
  eventId += 1;
  const message = `id: ${eventId}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  for (const [stream, session] of streams) if (hears(session)) stream.write(message);
}
watchIncidents((incident, sees) => send('incident', incident, (session) => sees(session.person.name, mayOf(session))));

const hues = [28, 200, 150, 95];
function drawing(id) {
  const n = [...id].reduce((sum, c) => sum + c.charCodeAt(0), 0);
  const hue = hues[n % hues.length];
  const x = 250 + (n % 5) * 60;
  const blocks = Array.from({ length: 24 }, (_, i) => {
    const shade = 30 + ((n * (i + 3) * 37) % 45);
    return `<rect x="${x + (i % 4) * 14}" y="${150 + Math.floor(i / 4) * 22}" width="14" height="22" fill="hsl(${hue} 22% ${shade}%)"/>`;
  }).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" width="640" height="360">
<rect width="640" height="360" fill="hsl(${hue} 14% 62%)"/><path d="M0 190h640v170H0z" fill="hsl(${hue} 12% 44%)"/>
<path d="M120 210h390l90 150H40z" fill="hsl(100 24% 36%)"/><path d="M60 190V70h10v120zM560 190V70h10v120z" fill="#333"/>
<path d="M70 120h490v8H70z" fill="#c33"/>${blocks}
<path d="M120 210h390l90 150H40z" fill="none" stroke="#ffcf3f" stroke-width="3" stroke-dasharray="12 8"/></svg>`;
}

let published = 0;
function publish(overrides) {
  const now = Date.now();
  const alert = makeAlert(now, (published += 1) * 5, {
    kind: 'zone_intrusion',
    severity: 1,
    object: 'person',
    phase: 'began',
    last: iso(now),
    ended: null,
    received: iso(now + 120),
    events: 1,
    detail: null,
    ...overrides,
  });
  const picture = alert.snapshot ?? `/api/v1/events/${alert.first_event}/snapshot`;
  const put = (state) => {
    const index = alerts.findIndex((one) => one.id === state.id);
    if (index >= 0) alerts[index] = state;
    else alerts.unshift(state);
    send('alert', state);
    report(state);
  };
  put({ ...alert, snapshot: null });
  setTimeout(() => put({ ...alert, snapshot: picture }), 1_500);
  setTimeout(() => put({ ...alert, snapshot: picture, phase: 'ended', ended: iso(now + 20_000), last: iso(now + 20_000), events: 2 }), 20_000).unref();
  return alert.id;
}

const commands = [];
const DAY = 86_400_000;
function give(wanted, who, person) {
  const alert = alerts.find((one) => one.evidence.some((piece) => piece.event === wanted.order.event));
  const now = Date.now();
  const command = {
    id: ulid(now),
    who,
    ...wanted,
    issued: iso(now),
    expires: iso(now + DAY),
    alarm: alert?.id ?? null,
    person,
    approval: null,
    state: 'proposed',
    answered: null,
    reason: null,
    detail: null,
  };
  commands.unshift(command);
  send('command', command);
  return command;
}

function decide(command, { outcome, text = null }, person) {
  if (!command) return [404, { detail: 'no such command' }];
  if (command.person === person.name) return [403, { detail: 'another person has to' }];
  if (command.state !== 'proposed') return [409, { detail: 'it was decided already' }];
  command.approval = { who: `${person.display_name} (${person.name})`, time: iso(Date.now()), outcome, text };
  command.state = outcome === 'approved' ? 'waiting' : 'declined';
  send('command', command);
  const alert = alerts.find((one) => one.id === command.alarm);
  if (command.state === 'waiting' && command.edge !== 'gate-2') setTimeout(() => answer(command, alert), 2_000).unref();
  return [200, command];
}

function answer(command, alert) {
  const granted = command.edge === 'gate-1';
  const refusal = { state: 'refused', reason: 'not_found', detail: 'the original was deleted on 2026-01-30' };
  Object.assign(command, { answered: iso(Date.now()) }, granted ? { state: 'done' } : refusal);
  send('command', command);
  if (!granted || !alert) return;
  const asked = alert.evidence.find((piece) => piece.event === command.order.event);
  const event = ulid(Date.now());
  const original = {
    ...asked,
    event,
    sha256: `${event.toLowerCase()}original`,
    role: 'original',
    state: 'here',
    time: iso(Date.now()),
    url: `/api/v1/events/${event}/evidence/original`,
    original_kept: false,
    command: command.id,
    until: command.order.until,
  };
  alert.evidence = [...alert.evidence, original];
  send('alert', alert);
}

/** Whole, or the range that was asked for. */
function clip(request, response) {
  const head = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes' };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (!range) {
    response.writeHead(200, { ...head, 'content-length': CLIP.length });
    return response.end(CLIP);
  }
  const first = Number(range[1]);
  const last = range[2] === '' ? CLIP.length - 1 : Math.min(Number(range[2]), CLIP.length - 1);
  response.writeHead(206, { ...head, 'content-length': last - first + 1, 'content-range': `bytes ${first}-${last}/${CLIP.length}` });
  return response.end(CLIP.subarray(first, last + 1));
}

function json(response, status, body, headers = {}) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers });
  response.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (/^image\//.test(request.headers['content-type'] ?? '')) return body;
  return body.length === 0 ? {} : JSON.parse(body.toString());
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = url.pathname;
  response.setHeader('content-security-policy', POLICY);
  response.setHeader('x-content-type-options', 'nosniff');
  if (isUpload(request.method, path)) {
    const session = sessionOf(request);
    return json(response, ...(await answerOfAttachments(request, url, session, session ? mayOf(session) : [])));
  }
  const body = await bodyOf(request);
  if (request.method === 'POST' && path === '/dev/alert') return json(response, 200, { id: publish(body) });
  if (request.method === 'POST' && path === '/dev/cut') {
    for (const stream of streams.keys()) stream.destroy();
    return json(response, 200, {});
  }
  if (request.method === 'POST' && path === '/dev/end') {
    endAll();
    return json(response, 200, {});
  }
  if (request.method === 'POST' && path === '/dev/webhook') {
    mendWebhook(body.takes ?? true);
    return json(response, 200, {});
  }
  const session = sessionOf(request);
  if (path.startsWith('/api/')) {
    const told =
      answerOfPlans(request.method, url, session, body) ??
      answerOfAccounts(request.method, url, session, body) ??
      answerOfDeletions(url) ??
      answerOfExports(url, session, mayOf(session), { alerts: () => alerts, incidents: () => listFor(session.person.name, mayOf(session)) }) ??
      answerOfHolds(request.method, url, session, body, alerts) ??
      answerOfViewings(request.method, url, session, body, alerts) ??
      answerOfIncidents(request.method, url, session, mayOf(session), body, alerts);
    if (told) return json(response, ...told);
    const file = session && (await answerOfAttachments(request, url, session, mayOf(session)));
    if (file?.bytes) {
      const headers = { 'content-type': file.media_type, 'content-disposition': 'attachment', 'cache-control': 'no-store' };
      response.writeHead(200, headers);
      return response.end(file.bytes);
    }
    if (file) return json(response, ...file);
  }
  if (request.method === 'POST' && path === '/api/v1/commands') {
    if ('who' in body) return json(response, 400, { detail: 'unknown field `who`' });
    const who = `${session.person.display_name} (${session.person.name})`;
    if (body.order.kind === 'release_original') return json(response, 201, give(body, who, session.person.name));
    if (!mayOf(session).includes('set_mode')) return json(response, ...problem(403, 'your account does not have the permission `set_mode`'));
    const given = { id: ulid(Date.now()), who, ...body, issued: iso(Date.now()), state: 'waiting' };
    orders.unshift({ ...given, ...carryOut(body) });
    return json(response, 201, given);
  }
  const decided = /^\/api\/v1\/commands\/([0-9A-Z]{26})\/decision$/.exec(path);
  if (decided && request.method === 'POST') return json(response, ...decide(commands.find((one) => one.id === decided[1]), body, session.person));
  if (path === '/api/v1/commands') return json(response, 200, { commands: url.searchParams.get('kind') === 'set_mode' ? orders : commands, next: null });
  const command = /^\/api\/v1\/commands\/([0-9A-Z]{26})$/.exec(path);
  const ordered = command && orders.find(({ id }) => id === command[1]);
  if (ordered) return json(response, 200, ordered);
  const piece = /^\/api\/v1\/events\/([0-9A-Z]{26})\/(snapshot|evidence\/(?:clip|original))$/.exec(path);
  if (piece) {
    const role = piece[2].split('/').pop();
    const mediaType = { snapshot: 'image/jpeg', clip: 'video/mp4', original: 'application/vnd.age' }[role];
    if (!looks(session, piece[1], `${piece[1].toLowerCase()}${role}`, mediaType, alerts)) return json(response, ...closed());
  }
  if (/\/evidence\/clip$/.test(path)) return clip(request, response);
  if (/\/evidence\/original$/.test(path)) {
    response.writeHead(200, { 'content-type': 'application/vnd.age' });
    return response.end('age-encryption.org/v1\n-> X25519 invented\n--- invented\n');
  }
  if (path === '/api/v1/alerts') {
    const limit = Math.min(Number(url.searchParams.get('limit') ?? 50), 200);
    const before = url.searchParams.get('before');
    const from = before === null ? 0 : alerts.findIndex((alert) => alert.id === before) + 1;
    const page = alerts.slice(from, from + limit);
    return json(response, 200, { alerts: page, next: from + limit < alerts.length ? page[page.length - 1].id : null });
  }
  const fared = /^\/api\/v1\/devices\/([a-z0-9-]{1,64})\/history$/.exec(path);
  if (fared) {
    const device = devices().find((one) => one.edge === fared[1]);
    return device ? json(response, 200, history(device, url.searchParams)) : json(response, 403, { detail: 'no such box' });
  }
  if (path === '/api/v1/devices') return json(response, 200, { devices: devices(), next: null });
  if (path === '/api/v1/live') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': welcome\n\n');
    streams.set(response, session);
    response.on('close', () => streams.delete(response));
    return;
  }
  const snapshot = /^\/api\/v1\/events\/([0-9A-Z]{26})\/snapshot$/.exec(path);
  if (snapshot) {
    if (PICTURES.length > 0) {
      const n = [...snapshot[1]].reduce((sum, c) => sum + c.charCodeAt(0), 0);
      response.writeHead(200, { 'content-type': 'image/jpeg' });
      return response.end(PICTURES[n % PICTURES.length]);
    }
    response.writeHead(200, { 'content-type': 'image/svg+xml' });
    return response.end(drawing(snapshot[1]));
  }
  if (path.startsWith('/api/')) return json(response, 404, { error: 'not found' });
  const file = join(DIST, normalize(path === '/' ? '/index.html' : path));
  if (!file.startsWith(DIST) || !existsSync(file)) return json(response, 404, { error: 'not found' });
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
});

setInterval(() => devices().forEach((device) => send('device', device)), 30_000).unref();
setInterval(() => streams.forEach((_, stream) => stream.write(': still here\n\n')), 15_000).unref();
const every = Number(options.every);
if (every > 0) setInterval(() => publish({ severity: 1 + (published % 4) }), every * 1_000).unref();

server.listen(Number(options.port), '127.0.0.1', () => {
  console.log(`dev hub on http://127.0.0.1:${server.address().port}`);
});
