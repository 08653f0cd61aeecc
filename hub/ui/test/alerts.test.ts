import { describe, expect, it } from 'vitest';
import { isMomentary, isOngoing, isOver, later, lateness, mergeAlerts, unexpected } from '../src/lib/alerts';
import { T0, alert } from './samples';

const ids = (alerts: readonly { id: string }[]) => alerts.map((one) => one.id);

describe('mergeAlerts', () => {
  it('puts the newest first, by id when two began together', () => {
    const { alerts } = mergeAlerts([], [alert('A', { began: T0 }), alert('C', { began: T0 }), alert('B', { began: T0 + 1 })]);
    expect(ids(alerts)).toEqual(['B', 'C', 'A']);
  });

  it('has each alert once, whether it came by the stream or by paging', () => {
    const page = [alert('B', { began: T0 + 1 }), alert('A')];
    const { alerts, added } = mergeAlerts(page, [alert('B', { began: T0 + 1, events: 2, phase: 'updated' }), alert('C', { began: T0 + 2 })]);
    expect(ids(alerts)).toEqual(['C', 'B', 'A']);
    expect(alerts[1]?.phase).toBe('updated');
    expect(added).toEqual(['C']);
  });

  it('places an alert that came late where it belongs', () => {
    const { alerts, added } = mergeAlerts([alert('C', { began: T0 + 9 }), alert('A')], [alert('B', { began: T0 + 5 })]);
    expect(ids(alerts)).toEqual(['C', 'B', 'A']);
    expect(added).toEqual(['B']);
  });

  it('is bounded, and does not call new what fell off the end', () => {
    const current = Array.from({ length: 5 }, (_, n) => alert(`N${n}`, { began: T0 + 10 + n }));
    const { alerts, added } = mergeAlerts(current, [alert('OLD', { began: T0 }), alert('NEW', { began: T0 + 99 })], 5);
    expect(alerts).toHaveLength(5);
    expect(alerts[0]?.id).toBe('NEW');
    expect(added).toEqual(['NEW']);
  });

  it('reports an alert that became graver', () => {
    expect(mergeAlerts([alert('A', { severity: 3 })], [alert('A', { severity: 1, events: 2 })]).raised).toEqual(['A']);
    expect(mergeAlerts([alert('A', { severity: 1 })], [alert('A', { severity: 3, events: 2 })]).raised).toEqual([]);
  });

  it('does not let a clock that runs ahead pin an alert to the top', () => {
    const ahead = alert('AHEAD', { began: T0 + 3_600_000, received: T0 });
    expect(ids(mergeAlerts([ahead], [alert('B', { began: T0 + 1 })]).alerts)).toEqual(['B', 'AHEAD']);
  });

  it('gives the same list in whatever order things come', () => {
    const states = [
      alert('A', { events: 1 }),
      alert('A', { events: 2, phase: 'updated', snapshot: '/api/v1/events/X/snapshot' }),
      alert('A', { events: 3, phase: 'ended', ended: T0 + 5, snapshot: '/api/v1/events/X/snapshot' }),
      alert('B', { began: T0 - 5 }),
    ];
    const expected = mergeAlerts([], states).alerts;
    for (let n = 0; n < 24; n += 1) {
      const shuffled = [...states].sort((a, b) => ((a.events * 7 + n * 3) % 5) - ((b.events * 7 + n) % 5));
      expect(mergeAlerts([], shuffled).alerts).toEqual(expected);
    }
  });
});

describe('later', () => {
  it('keeps what is known when an older state comes', () => {
    const known = alert('A', { events: 3, phase: 'ended' });
    expect(later(known, alert('A', { events: 2, phase: 'updated' }))).toEqual(known);
    expect(later(known, alert('A', { events: 3, phase: 'updated' })).phase).toBe('ended');
  });

  it('takes the picture that came after the alert, and keeps it', () => {
    const pictured = alert('A', { snapshot: '/api/v1/events/X/snapshot' });
    expect(later(alert('A'), pictured).snapshot).toBe(pictured.snapshot);
    expect(later(pictured, alert('A', { events: 2 })).snapshot).toBe(pictured.snapshot);
  });
});

describe('unexpected', () => {
  const list = [alert('D', { began: T0 + 40 }), alert('B', { began: T0 + 20 })];
  it('finds what the stream should have said', () => {
    const page = [alert('E', { began: T0 + 50 }), ...list, alert('C', { began: T0 + 30 }), alert('A', { began: T0 })];
    expect(ids(unexpected(list, page))).toEqual(['E', 'C']);
  });
  it('finds everything when nothing was known', () => {
    expect(unexpected([], list)).toHaveLength(2);
  });
});

describe('isOngoing', () => {
  it('a crossing is over at once, whichever of its moments came', () => {
    for (const phase of ['began', 'updated', 'ended'] as const) {
      const crossing = alert('A', { kind: 'line_crossing', phase, ended: phase === 'ended' ? T0 : null });
      expect([isMomentary(crossing), isOngoing(crossing)]).toEqual([true, false]);
    }
    const crossing = alert('A', { kind: 'line_crossing', phase: 'ended', ended: T0 });
    expect([isOver(crossing, T0 + 60_000), isOver(crossing, T0 + 600_000)]).toEqual([false, true]);
    expect([isOver(alert('A'), T0 + 600_000), isOver(alert('A', { phase: 'ended', ended: T0 }), T0)]).toEqual([false, true]);
    expect([isMomentary(alert('A')), isOngoing(alert('A'))]).toEqual([false, true]);
    expect(isOngoing(alert('A', { phase: 'ended', ended: T0 }))).toBe(false);
  });
});

describe('lateness', () => {
  it('is silent about the usual way and tells the delay otherwise', () => {
    expect(lateness(alert('A'))).toBeNull();
    expect(lateness(alert('A', { received: T0 + 600_000 }))).toBe(600_000);
  });
});
