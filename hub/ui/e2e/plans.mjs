// The stand-in hub's plans of sites: one of a made-up school, and what somebody draws meanwhile.

import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { problem, sitesOf } from './people.mjs';

const [WIDTH, HEIGHT] = [1280, 800];

/** Rectangles on white, as fractions: x, y, width, height, colour. */
const WALLS = [
  [0.03, 0.05, 0.94, 0.9, 0xf4f6f2],
  [0.1, 0.14, 0.34, 0.18, 0xdfe5ea],
  [0.1, 0.42, 0.12, 0.42, 0xdfe5ea],
  [0.54, 0.12, 0.3, 0.2, 0xdfe5ea],
  [0.3, 0.42, 0.36, 0.42, 0xd7e6d0],
  [0.74, 0.46, 0.13, 0.16, 0xe9e0d0],
  [0.94, 0.66, 0.06, 0.12, 0xc3cdd5],
];

/** Of PNG (ISO 3309). */
function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

function madePng() {
  const rows = Buffer.alloc(HEIGHT * (1 + 3 * WIDTH), 0xff);
  const put = (x, y, colour) => rows.writeUIntBE(colour, y * (1 + 3 * WIDTH) + 1 + 3 * x, 3);
  for (let y = 0; y < HEIGHT; y += 1) rows[y * (1 + 3 * WIDTH)] = 0;
  for (const [x, y, width, height, colour] of WALLS) {
    const [left, top, right, bottom] = [x * WIDTH, y * HEIGHT, (x + width) * WIDTH, (y + height) * HEIGHT].map(Math.round);
    for (let at = top; at < Math.min(bottom, HEIGHT); at += 1) {
      for (let across = left; across < Math.min(right, WIDTH); across += 1) {
        const edge = at - top < 3 || bottom - at <= 3 || across - left < 3 || right - across <= 3;
        put(across, at, edge ? 0x8b98a3 : colour);
      }
    }
  }
  const chunk = (kind, body) => {
    const named = Buffer.concat([Buffer.from(kind), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(HEIGHT, 4);
  head.set([8, 2], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

const at = (x, y) => ({ x, y });
const camera = (edge, name, x, y, direction_deg, angle_deg = 75) => ({ edge, camera: name, at: at(x, y), view: { direction_deg, angle_deg } });
let version = 4211;
const plans = new Map();
const PLACED = {
  cameras: [
    camera('gate-1', 'east-gate', 0.93, 0.38, 245),
    camera('gate-3', 'kindergarten', 0.3, 0.4, 150),
    { edge: 'gate-3', camera: 'bus-bay', at: at(0.68, 0.88), view: null },
  ],
  zones: [
    { label: '草坪', outline: [at(0.31, 0.44), at(0.64, 0.44), at(0.64, 0.82), at(0.31, 0.82)], shows: { edge: 'gate-1', camera: 'east-gate', zone: 'lawn' } },
    { label: '门前缓冲区', outline: [at(0.72, 0.68), at(0.92, 0.68), at(0.92, 0.84), at(0.72, 0.84)], shows: { edge: 'gate-3', camera: 'kindergarten', zone: 'forecourt' } },
    { label: '北围墙', outline: [at(0.04, 0.06), at(0.96, 0.06)], shows: null },
  ],
  sensors: [],
};

function keep(site, content, placed) {
  const picture = { kind: 'png', width_px: content.readUInt32BE(16), height_px: content.readUInt32BE(20), bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  plans.set(site, { site, version: (version += 1), changed: new Date().toISOString(), picture, placed, content });
}
keep('school-3', madePng(), PLACED);

const told = ({ content: _, ...plan }, label) => ({ ...plan, label });

/** What is asked of plans; undefined: something else is asked, or by nobody. */
export function answer(method, url, session, body) {
  if (!session || !/^\/api\/v1\/(plans$|sites\/[a-z0-9-]+\/plan)/.test(url.pathname)) return undefined;
  if (method !== 'GET' && !session.person.roles.some((role) => role === 'technician' || role === 'administrator')) return problem(403, 'you may not draw plans');
  const sites = sitesOf(session.person);
  if (url.pathname === '/api/v1/plans') {
    return [200, { sites: sites.map(({ site, label, edges }) => ({ site, label, edges, version: plans.get(site)?.version ?? null })) }];
  }
  const asked = /^\/api\/v1\/sites\/([a-z0-9-]{1,64})\/plan(\/picture)?$/.exec(url.pathname);
  if (!asked) return undefined;
  const site = sites.find((one) => one.site === asked[1]);
  const plan = plans.get(asked[1]);
  if (!site || (!plan && !(asked[2] && method === 'PUT'))) return problem(404, 'there is no such plan');
  if (method === 'GET') return asked[2] ? [200, plan.content, { 'content-type': 'image/png' }] : [200, told(plan, site.label)];
  const named = Number(url.searchParams.get('version') ?? body.version);
  if (named !== (plan?.version ?? 0)) return problem(409, 'somebody changed the plan meanwhile');
  if (method === 'DELETE') return [plans.delete(site.site) ? 204 : 404];
  if (!asked[2]) plans.set(site.site, { ...plan, version: (version += 1), placed: body.placed });
  else if (!Buffer.isBuffer(body) || body.subarray(1, 4).toString() !== 'PNG') return problem(415, 'the stand-in takes PNG only');
  else keep(site.site, body, plan?.placed ?? { cameras: [], zones: [], sensors: [] });
  return [200, told(plans.get(site.site), site.label)];
}
