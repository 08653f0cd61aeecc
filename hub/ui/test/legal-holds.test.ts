import { describe, expect, it } from 'vitest';
import { heldAlarm, needsWords, parseHold, stands } from '../src/lib/legal-holds';

const HOLD = {
  number: 3, id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', alarm: '01ARZ3NDEKTSV4RRFFQ69G5FAX', edge: 'gate-1', reason: 'police report 17',
  until: '2026-07-31T00:00:00Z', time: '2026-01-31T08:30:00Z', person: 'wang.li', who: '王丽 (wang.li)', state: 'held', may: ['lift', 'burn'],
  steps: [{ time: '2026-01-31T09:00:00Z', person: 'li.na', who: '李娜 (li.na)', step: 'confirm', text: null }],
};

describe('a legal hold', () => {
  it('is read with its steps, and offers only what the page knows', () => {
    const hold = parseHold(HOLD);
    expect([hold.who, hold.reason, hold.state, hold.may]).toEqual(['王丽 (wang.li)', 'police report 17', 'held', ['lift']]);
    expect(hold.steps).toEqual([{ time: Date.UTC(2026, 0, 31, 9), who: '李娜 (li.na)', step: 'confirm', text: null }]);
  });
  it('says what its box keeps, and claims nothing it does not know', () => {
    const custody = (value: unknown) => parseHold({ ...HOLD, custody: value }).custody;
    const held = { state: 'held', answered: '2026-01-31T09:00:01Z', reason: null, detail: null };
    expect(custody(held)).toEqual({ state: 'held', answered: Date.UTC(2026, 0, 31, 9, 0, 1), detail: null });
    expect(custody({ ...held, state: 'nothing', detail: 'deleted' })).toMatchObject({ state: 'nothing', detail: 'deleted' });
    expect(custody({ ...held, state: 'moved_to_the_moon' })?.state).toBe('waiting');
    expect([custody(null), custody(undefined)]).toEqual([null, null]);
  });
  it('hears what a box answers to it, and nothing else', () => {
    expect(heldAlarm({ order: { kind: 'hold_evidence', alarm: HOLD.alarm, until: HOLD.until } })).toBe(HOLD.alarm);
    expect(heldAlarm({ order: { kind: 'set_mode', area: 'yard' } })).toBeNull();
  });
  it('stands in the way of another one while it may come to something', () => {
    const standing = ['proposed', 'declined', 'lapsed', 'held', 'lift_proposed', 'lifted', 'over'].filter((state) => stands(parseHold({ ...HOLD, state })));
    expect(standing).toEqual(['proposed', 'held', 'lift_proposed']);
  });
  it('takes words for whatever is not an agreement', () => {
    expect((['confirm', 'decline', 'lift', 'confirm_lift', 'keep'] as const).filter(needsWords)).toEqual(['decline', 'lift', 'keep']);
  });
});
