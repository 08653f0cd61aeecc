import { describe, expect, it } from 'vitest';
import type { CameraHealth } from '../src/lib/api';
import { troubles } from '../src/lib/devices';
import { troubleWords } from '../src/lib/diagnosis';
import { en } from '../src/lib/i18n/en';
import { byStage, parseShift, spanAt } from '../src/lib/shift';
import { T0, device, health, incident } from './samples';

const HOUR = 3_600_000;
const at = (text: string) => spanAt(new URLSearchParams(text), T0);

describe('the span of a report', () => {
  it.each([
    ['', 8],
    ['hours=12', 12],
    ['hours=7', 8],
    ['from=x&until=y&hours=24', 24],
    ['from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 8],
    ['from=2026-01-01T00:00:00Z&until=2026-01-09T00:00:00Z', 8],
  ])('%j is the last %d hours', (query, hours) => {
    expect(at(query)).toEqual({ hours, span: { from: T0 - hours * HOUR, until: T0 } });
  });
  it('is what was chosen', () => {
    const { hours, span } = at('from=2026-01-01T06:00:00Z&until=2026-01-01T14:00:00Z');
    expect([hours, span.until - span.from]).toEqual([null, 8 * HOUR]);
  });
});

describe('a report', () => {
  const told = { id: 'I', number: 3, kind: 'loitering', edge: 'gate-1', severity: 2, opened: '2026-01-01T06:00:00Z', stage: 'triaged' };
  const step = { version: 2, time: '2026-01-01T06:10:00Z', who: 'wang', action: 'note', text: 'x' };
  const empty = { from: '2026-01-01T06:00:00Z', until: '2026-01-01T14:00:00Z', now: '2026-01-01T14:00:00Z', opened: 5, closed: 2, false_alarms: 1 };
  it('is read from what the hub writes', () => {
    const shift = parseShift({ ...empty, worst: [], open: [{ incident: told, said: step }, { incident: told, said: null }], dealt_with: [], notes: [{ incident: 'I', number: 3, step }] });
    expect(shift.open.map(({ said }) => said?.text ?? null)).toEqual(['x', null]);
    expect(shift.notes[0]?.step.who).toBe('wang');
    expect([shift.opened, shift.closed, shift.falseAlarms]).toEqual([5, 2, 1]);
  });
  it('has what is open in the order of its way, without stages nobody is in', () => {
    const open = (['handling', 'reported', 'reported'] as const).map((stage, n) => ({ incident: incident(String(n), { stage }), said: null }));
    expect(byStage(open).map(([stage, some]) => [stage, some.length])).toEqual([['reported', 2], ['handling', 1]]);
  });
});

describe('what is wrong with a device', () => {
  const camera: CameraHealth = {
    camera: 'east', label: null, zones: [], state: { name: 'faulted', reason: '401 Unauthorized' }, faults: [], decoder: null, attention: null,
    framesSampled: 0, framesAnalysed: 0, framesStill: 0, framesDropped: 0, lastFrame: null,
  };
  const words = (one: ReturnType<typeof device>, now = T0) => troubles(one, now).map((trouble) => troubleWords(trouble, now, 'en', en));
  it('is nothing when it is well', () => expect(words(device('a'))).toEqual([]));
  it('is said in plain words', () => {
    expect(words(device('a', { health: health({ cameras: [camera] }) }))).toEqual([`east: ${en.devices.diagnosis.login_refused}`]);
    expect(words(device('a', { presence: 'offline', missing: [{ boot: 'B', first: 1, last: 2 }] }))).toEqual([expect.stringMatching(/^Offline \(since .*:31\)$/), en.devices.missing('2')]);
    expect(words(device('a'), T0 + 200_000)).toEqual([en.devices.silent('3 min 20 s')]);
  });
});
