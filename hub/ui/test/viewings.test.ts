import { describe, expect, it } from 'vitest';
import { inOpening, parseViewing } from '../src/lib/viewings';
import { viewsFor } from '../src/lib/views';

const LINE = {
  number: 41, id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', time: '2026-01-31T08:30:00Z', until: '2026-01-31T08:45:00Z',
  person: 'wang.li', display_name: '王丽', roles: ['operator'], sites: ['school-3'], address: '10.0.0.7',
  edge: 'gate-1', alarm: '01ARZ3NDEKTSV4RRFFQ69G5FAX', kind: 'zone_intrusion', camera: 'east-gate',
  incident: null, reason: 'request', text: 'police report 17',
  pieces: [{ event: '01ARZ3NDEKTSV4RRFFQ69G5FAX', sha256: 'ab', media_type: 'image/jpeg', time: '2026-01-31T08:30:01Z' }, { event: 'x' }],
};

describe('a line of the viewing register', () => {
  it('is read with who, what for and what', () => {
    const line = parseViewing(LINE);
    expect([line.person, line.displayName, line.sites, line.reason, line.text]).toEqual(['wang.li', '王丽', ['school-3'], 'request', 'police report 17']);
    expect(line.until - line.time).toBe(15 * 60_000);
    expect(line.pieces.map((piece) => piece.sha256)).toEqual(['ab']);
  });
  it('may be of every site, and of an incident', () => {
    const line = parseViewing({ ...LINE, sites: null, incident: '01ARZ3NDEKTSV4RRFFQ69G5FA1', reason: null, text: null });
    expect([line.sites, line.incident, line.reason, line.text]).toEqual([null, '01ARZ3NDEKTSV4RRFFQ69G5FA1', null, null]);
  });
  it('without a person is none', () => {
    expect(() => parseViewing({ ...LINE, person: '' })).toThrow('viewing.person');
  });
  it('is for who may read it', () => {
    expect(viewsFor(new Set(['see_register']))).toContain('register');
    expect(viewsFor(new Set(['see_evidence', 'see_alerts']))).not.toContain('register');
  });
});

it('each opening asks anew for what the browser kept of the last one', () => {
  const url = '/api/v1/events/E/snapshot';
  expect(inOpening(url, 'A')).not.toBe(inOpening(url, 'B'));
  expect(inOpening(url, 'A', 2)).toBe(`${url}?viewing=A&attempt=2`);
});
