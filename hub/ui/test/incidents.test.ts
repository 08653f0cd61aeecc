import { afterEach, describe, expect, it, vi } from 'vitest';
import { CHOICES, byKey, needsText, offered, pauseMs } from '../src/lib/deeds';
import { parseFigures, share, spanAt, verdict } from '../src/lib/figures';
import { LANGUAGES, dictionaries } from '../src/lib/i18n/dictionaries';
import { addressOfFilter, alarmOf, asksForTime, awaits, awaitsSupervisor, filterAt, isOverdue, isWaiting, later, marks, matches, mergeIncidents, showsFor, unlisted } from '../src/lib/incident-list';
import { STEP_ICONS, outcomeWords, stepWords } from '../src/lib/incident-words';
import { ACTIONS, REASONS, STAGES, act, parseIncident, parseStep, type Stage } from '../src/lib/incidents';
import { addressOf, queryAt, viewAt, viewsFor } from '../src/lib/views';
import { T0, alert, incident } from './samples';

afterEach(() => vi.unstubAllGlobals());
const ids = (all: readonly { id: string }[]) => all.map(({ id }) => id);

const TOLD = {
  id: '01ARZ', number: 17, kind: 'zone_intrusion', severity: 2, edge: 'gate-1', camera: 'east-gate', camera_label: '东门', zone: 'lawn',
  zone_label: '草坪', sensor: null, sensor_label: null, cause: null, object: 'person', input: null, alarms: 3, ongoing: true, first: '2025-11-23T06:02:31Z',
  last: '2025-11-23T06:03:31Z', opened: '2025-11-23T06:02:32Z', stage: 'assigned', outcome: 'real', reason: null,
  assignee: { name: 'zhao.min', display_name: '赵敏' }, shelved_until: null, due: '2025-11-23T06:12:31Z', overdue: false, escalated: true, version: 5,
  may: ['assign', 'note', 'teleport'],
};

describe('parseIncident', () => {
  it('reads what the hub writes', () => {
    const read = parseIncident(TOLD);
    expect(read).toMatchObject({ number: 17, first: T0, stage: 'assigned', assignee: { name: 'zhao.min', displayName: '赵敏' }, escalated: true, version: 5 });
    expect([...(read.may ?? [])]).toEqual(['assign', 'note']);
  });
  it('knows that the stream does not say what may be done', () => {
    const { may: _, ...rest } = TOLD;
    expect(parseIncident(rest).may).toBeNull();
  });
  it('would rather show a stage and a level it does not know than not', () => {
    expect(parseIncident({ ...TOLD, stage: 'escalated', severity: 9, reason: 'ghost' })).toMatchObject({ stage: 'reported', severity: 1, reason: 'other' });
  });
});

describe('the alarms of an incident', () => {
  it.each([[1, 1, 0], [200, 200, 0], [201, 200, 1], [10_000, 200, 9_800], [12, 11, 0]])('of %d, %d told leave %d unlisted', (alarms, told, left) => {
    expect(unlisted(alarms, told)).toBe(left);
  });
});

describe('act', () => {
  it('sends the version of what was seen, and a time as the hub writes it', async () => {
    const fetched = vi.fn(async () => new Response(JSON.stringify(TOLD)));
    vi.stubGlobal('fetch', fetched);
    await act('01ARZ', 5, { action: 'shelve', until: T0, text: 'why' });
    const [path, init] = fetched.mock.calls[0] as unknown as [string, RequestInit];
    expect([path, JSON.parse(String(init.body))]).toEqual([
      '/api/v1/incidents/01ARZ/steps',
      { version: 5, action: 'shelve', until: '2025-11-23T06:02:31.000Z', text: 'why' },
    ]);
  });
});

describe('mergeIncidents', () => {
  it('has each once, the newest first, in its latest state', () => {
    const { incidents, added } = mergeIncidents([incident('A'), incident('B', { opened: T0 + 9 })], [incident('C', { opened: T0 + 5 }), incident('A', { version: 2 })]);
    expect(ids(incidents)).toEqual(['B', 'C', 'A']);
    expect(incidents[2]?.version).toBe(2);
    expect(added).toEqual(['C']);
  });
  it('keeps what is known when an older state comes', () => {
    const known = incident('A', { version: 4, stage: 'assigned' });
    expect(later(known, incident('A', { version: 3, stage: 'triaged' }))).toBe(known);
  });
  it('keeps what may be done while nothing was done', () => {
    const known = incident('A', { may: new Set(['note']), ongoing: true });
    expect(later(known, incident('A', { ongoing: false }))).toMatchObject({ ongoing: false, may: new Set(['note']) });
    expect(later(known, incident('A', { version: 2 })).may).toBeNull();
  });
  it('says what became graver', () => {
    expect(mergeIncidents([incident('A', { severity: 3 })], [incident('A', { severity: 1, version: 2 })]).raised).toEqual(['A']);
  });
  it('bounds the closed ones, never the open ones', () => {
    const many = Array.from({ length: 6 }, (_, n) => incident(`N${n}`, { opened: T0 + n, stage: n % 2 ? 'closed' : 'reported' }));
    expect(ids(mergeIncidents([], many, 1).incidents)).toEqual(['N5', 'N4', 'N2', 'N0']);
  });
});

describe('waiting', () => {
  it('is over when somebody looked, and rests on the shelf', () => {
    expect(isWaiting(incident('A'), T0)).toBe(true);
    expect(isWaiting(incident('A', { stage: 'triaged' }), T0)).toBe(false);
    expect([T0, T0 + 2_000].map((now) => isWaiting(incident('A', { shelvedUntil: T0 + 1_000 }), now))).toEqual([false, true]);
  });
  it('is for the one it was given to, until they take it', () => {
    const assignee = { name: 'zhao.min', displayName: '赵敏' };
    const given = incident('A', { stage: 'assigned', assignee });
    expect([awaits(given, 'zhao.min', T0), awaits(given, 'wang.li', T0), awaits({ ...given, stage: 'accepted' }, 'zhao.min', T0)]).toEqual([true, false, false]);
    expect(awaits(incident('A', { stage: 'assigned' }), null, T0)).toBe(false);
  });
  it('runs out of time before the hub says so, and never when closed', () => {
    expect([T0, T0 + 60_000].map((now) => isOverdue(incident('A', { due: T0 + 30_000 }), now))).toEqual([false, true]);
    expect(isOverdue(incident('A', { stage: 'closed', due: T0, overdue: true }), T0 + 1)).toBe(false);
  });
});

describe('filter', () => {
  const at = (fragment: string) => filterAt(queryAt(fragment), 'open');
  it.each(['#/', '#/?show=mine', '#/?show=all&stage=closed', '#/?stage=handling&edge=gate-1'])('%s says what is shown, there and back', (fragment) => {
    expect(addressOfFilter(at(fragment), 'open')).toBe(fragment);
    expect(viewAt(fragment)).toBe('watch');
  });
  it('makes nothing of what it does not know', () => {
    expect(at('#/?show=constructor&stage=nowhere&edge=')).toEqual({ show: 'open', stage: null, edge: null });
    expect(filterAt(queryAt('#/'), 'mine').show).toBe('mine');
  });
  it('matches', () => {
    const assignee = { name: 'zhao.min', displayName: '赵敏' };
    const one = incident('A', { stage: 'assigned', assignee });
    expect([at('#/'), at('#/?show=mine'), at('#/?stage=assigned'), at('#/?stage=closed'), at('#/?edge=gate-2')].map((it) => matches(one, it, 'zhao.min', T0)))
      .toEqual([true, true, true, false, false]);
    expect(matches(one, at('#/?show=mine'), 'wang.li', T0)).toBe(false);
    const closed = { ...one, stage: 'closed' as const };
    expect([at('#/'), at('#/?show=mine'), at('#/?show=all')].map((it) => matches(closed, it, 'zhao.min', T0))).toEqual([false, false, true]);
  });
});

describe('more time', () => {
  const extension = { by: { name: 'zhao.min', displayName: '赵敏' }, until: T0 + 60_000, reason: 'waiting for the key' };
  it('is read as the hub writes it', () => {
    const told = { ...TOLD, extension: { by: { name: 'zhao.min', display_name: '赵敏' }, until: '2025-11-23T06:03:31Z', reason: 'waiting for the key' } };
    expect([parseIncident(told).extension, parseIncident(TOLD).extension]).toEqual([extension, null]);
  });
  it('waits for a supervisor who neither asks nor handles it, until its time has come', () => {
    const one = incident('A', { stage: 'handling', assignee: { name: 'chen', displayName: '陈' }, extension });
    expect(['li.na', 'zhao.min', 'chen'].map((me) => awaitsSupervisor(one, me, T0))).toEqual([true, false, false]);
    expect([asksForTime(one, T0), asksForTime(one, T0 + 60_000), asksForTime({ ...one, stage: 'closed' }, T0)]).toEqual([true, false, false]);
  });
});

describe('what waits for a supervisor', () => {
  it('is what was escalated and is open, and nobody else is offered it', () => {
    const late = incident('A', { escalated: true });
    const show = filterAt(queryAt('#/?show=supervise'), 'open', showsFor(true));
    expect([late, incident('B'), { ...late, stage: 'closed' as const }].map((one) => matches(one, show, null, T0))).toEqual([true, false, false]);
    expect(addressOfFilter(show, 'open')).toBe('#/?show=supervise');
    expect(filterAt(queryAt('#/?show=supervise'), 'open', showsFor(false)).show).toBe('open');
  });
});

describe('views', () => {
  it('gives single alarms a page of their own only beside incidents', () => {
    expect(viewsFor(new Set(['see_alerts']))).toEqual(['watch', 'account']);
    expect(viewsFor(new Set(['see_alerts', 'see_incidents']))).toEqual(['watch', 'history', 'alerts', 'account']);
    expect(viewsFor(new Set(['see_incidents', 'see_all_incidents']))).toEqual(['watch', 'history', 'report', 'figures', 'account']);
    expect(viewAt(`${addressOf('alerts')}?alert=A`)).toBe('alerts');
  });
});

describe('alarmOf', () => {
  it('finds the earliest alert at hand, and none of another place or time', () => {
    const one = incident('I', { first: T0, last: T0 + 60_000 });
    const alerts = [alert('LATE', { began: T0 + 60_001 }), alert('B', { began: T0 + 9 }), alert('A'), alert('X', { zone: 'yard' }), alert('OLD', { began: T0 - 1 })];
    expect(alarmOf(one, alerts)?.id).toBe('A');
    expect(alarmOf(one, [])).toBeUndefined();
  });
});

describe('marks', () => {
  it('shows the way of a real one', () => {
    expect(marks({ stage: 'handling', outcome: 'real' }, new Set(['reported', 'triaged', 'assigned', 'accepted', 'handling']))).toEqual([
      'done', 'done', 'done', 'done', 'here', 'ahead', 'ahead', 'ahead', 'ahead',
    ]);
  });
  it('stands at what it waits for', () => {
    const here = (stage: Stage) => STAGES[marks({ stage, outcome: 'real' }, new Set()).indexOf('here')] ?? null;
    expect(STAGES.map(here)).toEqual(['triaged', 'assigned', 'accepted', 'handling', 'handling', 'verified', 'closed', null, null]);
    expect(marks({ stage: 'evaluated', outcome: 'real' }, new Set(STAGES))).toEqual(STAGES.map(() => 'done'));
  });
  it('shows what a false alarm left out', () => {
    expect(marks({ stage: 'closed', outcome: 'false_alarm' }, new Set(['reported', 'closed'])).slice(0, 9)).toEqual([
      'done', 'done', 'passed_over', 'passed_over', 'passed_over', 'passed_over', 'passed_over', 'done', 'ahead',
    ]);
  });
  it('does not call done what was sent back', () => {
    expect(marks({ stage: 'handling', outcome: 'real' }, new Set(STAGES)).slice(4, 6)).toEqual(['here', 'ahead']);
  });
});

describe('choices', () => {
  it('have a key each, none of which moves through the list', () => {
    const keys = Object.values(CHOICES).map(({ key }) => key);
    expect(new Set([...keys, 'j', 'k']).size).toBe(keys.length + 2);
  });
  it('cover everything the hub allows but what is done with files', () => {
    expect(new Set(Object.values(CHOICES).map(({ action }) => action))).toEqual(new Set(ACTIONS.filter((action) => action !== 'attach' && action !== 'withdraw')));
  });
  it('are offered as they make sense', () => {
    expect(offered({ may: new Set(['triage']), stage: 'reported' })).toEqual(['acknowledge', 'false_alarm', 'test']);
    expect(offered({ may: new Set(['triage']), stage: 'triaged' })).toEqual(['false_alarm', 'test']);
    expect(offered({ may: new Set(['accept', 'return']), stage: 'assigned' })).toEqual(['accept', 'begin', 'return']);
    expect(offered({ may: null, stage: 'reported' })).toEqual([]);
    expect([byKey('A', ['acknowledge']), byKey('q', ['acknowledge']), byKey('a', [])]).toEqual(['acknowledge', null, null]);
  });
  it('want a word for what nobody handled', () => {
    expect([needsText('close', { stage: 'triaged' }), needsText('close', { stage: 'verified' }), needsText('note', { stage: 'closed' })]).toEqual([true, false, true]);
  });
  it('stay within a day', () => {
    expect([pauseMs(60), pauseMs(1440) < 86_400_000]).toEqual([3_600_000, true]);
  });
});

describe.each(LANGUAGES)('words in %s', (language) => {
  const t = dictionaries[language];
  const step = (action: string, more = {}) => parseStep({ version: 1, time: '2025-11-23T06:02:31Z', who: null, action, to: 'reported', text: null, detail: {}, ...more });
  const words = (action: string, more = {}) => stepWords(step(action, more), T0, language, t);
  it('tell every step apart', () => {
    const all = [...STEP_ICONS.keys()];
    expect(new Set(all.map((action) => words(action))).size).toBe(all.length);
    for (const action of all) expect(words(action)).not.toMatch(/null|undefined/);
  });
  it('tell what was found', () => {
    const [real, wrong, test] = [
      words('triage', { to: 'triaged', detail: { outcome: 'real' } }),
      words('triage', { to: 'closed', detail: { outcome: 'false_alarm', reason: 'plant' } }),
      words('triage', { to: 'closed', detail: { outcome: 'test' } }),
    ];
    expect(new Set([real, wrong, test]).size).toBe(3);
    expect(wrong).toContain(t.incidents.reason.plant);
    expect(outcomeWords(incident('A', { outcome: 'false_alarm', reason: 'plant' }), t)).toContain(t.incidents.reason.plant);
    expect(outcomeWords(incident('A'), t)).toBeNull();
  });
  it('tell what became one', () => {
    const [gone, left] = [words('merge', { to: 'closed', detail: { into: 'B', number: 12 } }), words('merge', { detail: { from: 'A', number: 17 } })];
    expect(gone).toContain('#12');
    expect(left).toContain('#17');
    expect(outcomeWords(incident('A', { mergedInto: 12 }), t)).toContain('#12');
  });
  it('tell to whom, however the hub says it', () => {
    for (const detail of [{ to: '赵敏' }, { to: { name: 'zhao.min', display_name: '赵敏' } }, { to: 'zhao.min', display_name: '赵敏' }]) {
      expect(words('assign', { detail })).toContain('赵敏');
    }
  });
  it('show an action of a newer hub by its name', () => {
    expect(words('teleport')).toBe('teleport');
    expect(STEP_ICONS.get('constructor')).toBeUndefined();
  });
  it('have a name of its own for every stage and reason', () => {
    for (const all of [STAGES.map((stage) => t.incidents.stage[stage]), STAGES.map((stage) => t.incidents.way[stage]), REASONS.map((reason) => t.incidents.reason[reason])]) {
      expect(new Set(all).size).toBe(all.length);
    }
  });
});

describe('figures', () => {
  const TOLD_INCIDENT = TOLD;
  const FIGURES = {
    since: '2025-11-23T06:02:31Z', opened: 123, per_operator_10_min: { mean: 0.4, peak: 7, operators: 2 }, acknowledge_s: { p50: 34, p90: 120 },
    close_s: null, false_alarms: 40,
    chattering: {
      sources: 12, alarms: 40,
      worst: [{ kind: 'sensor_alarm', edge: 'gate-1', camera: null, camera_label: null, sensor: 'fence-3', sensor_label: '北围栏', rule: null, alarms: 30 }, {}],
    },
    stale: { incidents: 2, alarms: 1, oldest: [TOLD_INCIDENT, {}] },
    worst: [
      { edge: 'gate-1', camera: null, camera_label: null, incidents: 20, false_alarms: 18,
        rules: [{ rule: null, incidents: 19, false_alarms: 18, reasons: { light: 3, plant: 14, ghost: 1 } }] },
      {},
    ],
  };
  it('reads what the hub writes, the most frequent reason first', () => {
    const figures = parseFigures(FIGURES);
    expect(figures).toMatchObject({ since: T0, opened: 123, load: { mean: 0.4, peak: 7, operators: 2 }, acknowledge: { p50: 34, p90: 120 }, close: null });
    expect(figures.chattering).toMatchObject({ sources: 12, alarms: 40, worst: [{ sensor: 'fence-3', sensorLabel: '北围栏', alarms: 30 }] });
    expect([figures.stale.incidents, figures.stale.alarms, ids(figures.stale.oldest)]).toEqual([2, 1, ['01ARZ']]);
    expect(figures.worst).toHaveLength(1);
    expect(figures.worst[0]?.rules[0]?.reasons).toEqual([['plant', 14], ['light', 3], ['other', 1]]);
  });
  it('finds nothing to complain of where a hub does not say', () => {
    const { chattering: _, stale: __, ...older } = FIGURES;
    expect(parseFigures(older)).toMatchObject({ chattering: { sources: 0, worst: [] }, stale: { incidents: 0, oldest: [] } });
  });
  it.each([[0, 'acceptable'], [1, 'acceptable'], [1.1, 'manageable'], [2, 'manageable'], [5, 'demanding'], [5.1, 'unacceptable']] as const)('%d is %s', (n, expected) => {
    expect(verdict(n)).toBe(expected);
  });
  it('takes only the spans there are', () => {
    expect([spanAt(queryAt('#/figures?days=30')), spanAt(queryAt('#/figures?days=365')), spanAt(queryAt('#/figures'))]).toEqual([30, 7, 7]);
    expect([share(1, 4), share(0, 0)]).toEqual([0.25, null]);
  });
});
