import { describe, expect, it } from 'vitest';
import { needsWords, parseHold, stands } from '../src/lib/legal-holds';

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
  it('stands in the way of another one while it may come to something', () => {
    const standing = ['proposed', 'declined', 'lapsed', 'held', 'lift_proposed', 'lifted', 'over'].filter((state) => stands(parseHold({ ...HOLD, state })));
    expect(standing).toEqual(['proposed', 'held', 'lift_proposed']);
  });
  it('takes words for whatever is not an agreement', () => {
    expect((['confirm', 'decline', 'lift', 'confirm_lift', 'keep'] as const).filter(needsWords)).toEqual(['decline', 'lift', 'keep']);
  });
});
