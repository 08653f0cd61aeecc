import { beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../src/lib/plan';
import { PlanDrafts } from '../src/lib/plan-drafts.svelte';

const plan = (site: string, version = 4): Plan => ({
  site, label: site, version, size: { width: 100, height: 100 }, sha256: 'a'.repeat(64), placed: { cameras: [], zones: [], sensors: [] },
});
const offer = { edge: 'gate-1', name: 'east', label: '东门' };

describe('drafts of plans', () => {
  let drafts: PlanDrafts;
  beforeEach(() => (drafts = new PlanDrafts()));
  const change = (site: string) => drafts.open(plan(site)).add('camera', offer, { x: 0.5, y: 0.5 });

  it('go on where somebody left, each of its own site', () => {
    change('school-3');
    expect([drafts.any, drafts.has('school-3'), drafts.has('school-4')]).toEqual([true, true, false]);
    expect(drafts.open(plan('school-4')).draft.cameras).toHaveLength(0);
    const again = drafts.open(plan('school-3'));
    expect([again.draft.cameras.length, again.conflict]).toEqual([1, false]);
  });
  it('a zone that is half drawn is one', () => {
    const editing = drafts.open(plan('school-3'));
    editing.beginZone({ x: 0.1, y: 0.1 });
    expect(drafts.any).toBe(false);
    editing.place({ x: 0.2, y: 0.2 });
    expect([drafts.any, editing.isChanged]).toEqual([true, false]);
    expect(drafts.open(plan('school-3')).tool).toMatchObject({ name: 'draw', outline: [{ x: 0.2, y: 0.2 }] });
  });
  it('what is as it was begins anew, on the plan as it is now', () => {
    drafts.open(plan('school-3'));
    expect([drafts.any, drafts.open(plan('school-3', 5)).version]).toEqual([false, 5]);
  });
  it('it is said at once when somebody else saved meanwhile', () => {
    change('school-3');
    const again = drafts.open(plan('school-3', 5));
    expect([again.conflict, again.version, again.draft.cameras.length]).toEqual([true, 4, 1]);
  });
  it('are gone once they are saved, their site is gone, or the person is', () => {
    for (const site of ['a', 'b', 'c']) change(site);
    drafts.forget('a');
    drafts.keepOnly(['c']);
    expect(['a', 'b', 'c'].map((site) => drafts.has(site))).toEqual([false, false, true]);
    drafts.clear();
    expect(drafts.any).toBe(false);
  });
});
