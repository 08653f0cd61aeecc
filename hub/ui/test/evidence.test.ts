import { describe, expect, it } from 'vitest';
import { later } from '../src/lib/alerts';
import { laterEvidence, parseEvidence } from '../src/lib/evidence';
import { alert, evidence } from './samples';

const CLIP = {
  event: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  sha256: 'ab',
  role: 'clip',
  media_type: 'video/mp4',
  bytes: 7,
  time: '2026-01-31T08:30:00Z',
  state: 'here',
  url: '/api/v1/events/01ARZ3NDEKTSV4RRFFQ69G5FAV/evidence/ab',
  original_kept: true,
  command: null,
  until: null,
  deleted: null,
};

describe('evidence', () => {
  it('reads what the hub writes', () => {
    expect(parseEvidence(CLIP)).toMatchObject({ role: 'clip', state: 'here', originalKept: true, url: CLIP.url });
  });

  it('fetches from this hub only', () => {
    expect(parseEvidence({ ...CLIP, url: 'https://evil.example/x' })).toMatchObject({ url: null, state: 'awaited' });
  });

  it('does not know what a newer hub may add, and says so', () => {
    expect(parseEvidence({ ...CLIP, role: 'hologram' }).role).toBe('other');
  });

  it('goes from awaited over here to deleted and never back', () => {
    const awaited = evidence('S', { state: 'awaited', url: null });
    const here = evidence('S');
    const deleted = evidence('S', { state: 'deleted', url: null });
    const states = (a: typeof here, b: typeof here) => laterEvidence([a], [b]).map((piece) => piece.state);
    expect(states(awaited, here)).toEqual(['here']);
    expect(states(here, awaited)).toEqual(['here']);
    expect(states(deleted, here)).toEqual(['deleted']);
  });

  it('shows no picture that was deleted', () => {
    const picture = evidence('P', { role: 'snapshot' });
    const before = alert('A', { snapshot: '/api/v1/events/E/snapshot', evidence: [picture] });
    const after = alert('A', { evidence: [{ ...picture, state: 'deleted', url: null }] });
    expect(later(before, after).snapshot).toBeNull();
    expect(later(before, alert('A')).snapshot).toBe(before.snapshot);
  });
});
