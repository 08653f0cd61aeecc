import { describe, expect, it } from 'vitest';
import { mergeReleases, parseRelease, progress } from '../src/lib/commands';
import { T0, evidence, release } from './samples';

const COMMAND = {
  id: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  edge: 'gate-1',
  who: '王丽',
  why: 'police report 17',
  issued: '2026-01-31T08:30:00Z',
  expires: '2026-02-01T08:30:00Z',
  order: { kind: 'release_original', event: '01ARZ3NDEKTSV4RRFFQ69G5FAW', until: '2026-02-03T00:00:00Z' },
  alarm: null,
  state: 'refused',
  answered: '2026-01-31T08:30:02Z',
  reason: 'asleep',
  detail: '',
};

describe('commands', () => {
  it('reads what the hub writes', () => {
    expect(parseRelease(COMMAND)).toMatchObject({
      event: '01ARZ3NDEKTSV4RRFFQ69G5FAW',
      until: Date.UTC(2026, 1, 3),
      state: 'refused',
      reason: 'asleep',
      detail: null,
    });
  });

  it('leaves commands of other kinds to others', () => {
    expect(parseRelease({ ...COMMAND, order: { kind: 'self_test' } })).toBeNull();
  });

  it('believes an answer, in whatever order it comes', () => {
    const [waiting, done] = [release('C'), release('C', { state: 'done' })];
    expect(mergeReleases([waiting], [done])[0]?.state).toBe('done');
    expect(mergeReleases([done], [waiting])[0]?.state).toBe('done');
  });

  it('believes a decision, and an answer after it, in whatever order they come', () => {
    const states = ['proposed', 'waiting', 'done'] as const;
    const told = states.map((state) => release('C', { state }));
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]]) {
      const known = order.reduce<readonly ReturnType<typeof release>[]>((all, at) => mergeReleases(all, told.slice(at, at + 1)), []);
      expect(known[0]?.state).toBe('done');
    }
  });

  it('reads what a second person said', () => {
    const approval = { who: '李娜 (li.na)', time: '2026-01-31T08:31:00Z', outcome: 'declined', text: 'no report' };
    const read = parseRelease({ ...COMMAND, state: 'declined', person: 'wang.li', approval });
    expect(read).toMatchObject({ state: 'declined', person: 'wang.li', approval: { who: '李娜 (li.na)', approved: false, text: 'no report' } });
    expect(parseRelease(COMMAND)?.approval).toBeNull();
  });

  it('puts the latest first', () => {
    const all = mergeReleases([release('A')], [release('B', { issued: T0 + 1 })]);
    expect(all.map((one) => one.id)).toEqual(['B', 'A']);
  });
});

describe('progress', () => {
  const released = (more = {}) => evidence('S', { role: 'original', command: 'C', until: T0 + 9, ...more });

  it('waits until the box answers or the command expires, by the clock alone', () => {
    expect(progress(release('C'), [], T0).step).toBe('waiting');
    expect(progress(release('C'), [], T0 + 86_400_000).step).toBe('expired');
  });

  it('has the original only once its file is here, and not after its end', () => {
    const done = release('C', { state: 'done' });
    expect(progress(done, [], T0).step).toBe('coming');
    expect(progress(done, [released({ command: 'D' })], T0).step).toBe('coming');
    expect(progress(done, [released({ state: 'awaited' })], T0).step).toBe('coming');
    expect(progress(done, [released()], T0)).toEqual({ step: 'here', originals: [released()] });
    expect(progress(done, [released()], done.until).step).toBe('over');
    expect(progress(done, [released({ state: 'deleted' })], T0).step).toBe('over');
    expect(progress(done, null, T0)).toEqual({ step: 'here', originals: [] });
  });

  it('waits for a second person, who may decline, until it lapses by the clock alone', () => {
    const proposed = release('C', { state: 'proposed' });
    expect(progress(proposed, [], T0).step).toBe('proposed');
    expect(progress(proposed, [], proposed.expires).step).toBe('lapsed');
    expect(progress(release('C', { state: 'declined' }), [], T0 + 9e9).step).toBe('declined');
  });

  it('says so when the box refused', () => {
    expect(progress(release('C', { state: 'refused' }), [], T0 + 9e9).step).toBe('refused');
  });
});
