import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_CORNERS, type Plan, type Placements } from '../src/lib/plan';
import { around, isLabel, moved, offeredCameras, offeredZones, unnamed, withCorner } from '../src/lib/plan-draft';
import { PlanEditing } from '../src/lib/plan-editing.svelte';
import { camera, device, health } from './samples';

const at = (x: number, y: number) => ({ x, y });
const empty: Placements = { cameras: [], zones: [], sensors: [] };
const plan: Plan = { site: 'school-3', label: '第三小学', version: 4, size: { width: 100, height: 100 }, sha256: 'a'.repeat(64), placed: empty };
const offer = { edge: 'gate-1', name: 'east', label: '东门' };

describe('what can be placed', () => {
  const boxes = ['gate-1', 'gate-2'].map((edge) =>
    device(edge, { health: health({ cameras: [camera('east', { label: '东门', zones: [{ zone: 'lawn', label: '草坪' }] }), camera('west')] }) }),
  );
  it('is of the boxes of the site, and not on the plan yet', () => {
    const placed = { ...empty, cameras: [{ edge: 'gate-1', camera: 'east', at: at(0, 0), sight: null }] };
    expect(offeredCameras(boxes, ['gate-1'], placed)).toEqual([{ edge: 'gate-1', name: 'west', label: 'west' }]);
  });
  it('a zone can stand for one of a camera', () => {
    expect(offeredZones(boxes, ['gate-2'])).toEqual([{ edge: 'gate-2', camera: 'east', zone: 'lawn', label: '东门 · 草坪' }]);
  });
});

describe('moving', () => {
  it('ends at the edge of the picture', () => {
    const placed = { ...empty, cameras: [{ edge: 'a', camera: 'b', at: at(0.99, 0.5), sight: null }] };
    expect(moved(placed, { what: 'camera', index: 0 }, at(0.05, -0.1)).cameras[0]?.at).toEqual(at(1, 0.4));
  });
  it('keeps the shape of a zone', () => {
    const placed = { ...empty, zones: [{ label: 'x', outline: [at(0.5, 0), at(1, 0.5)], shows: null }] };
    expect(moved(placed, { what: 'zone', index: 0 }, at(0.2, 0.25)).zones[0]?.outline).toEqual([at(0.5, 0.25), at(1, 0.75)]);
  });
});

it('corners are places of their own, and there is an end to them', () => {
  expect(withCorner([at(0.5, 0.5)], at(0.5, 0.5))).toHaveLength(1);
  expect(withCorner([at(0.5, 0.5)], at(2, -1))).toEqual([at(0.5, 0.5), at(1, 0)]);
  const many = Array.from({ length: MAX_CORNERS }, (_, n) => at(n / 100, 0));
  expect(withCorner(many, at(1, 1))).toHaveLength(MAX_CORNERS);
});

it('degrees come round', () => expect([-1, 0, 359.6, 725].map(around)).toEqual([359, 0, 0, 5]));

it('a name is one line of at most 100 characters', () => {
  expect(['草坪', ' a ', '𠮷'.repeat(100)].map(isLabel)).toEqual([true, true, true]);
  expect(['', '  ', 'a\nb', '𠮷'.repeat(101)].map(isLabel)).toEqual([false, false, false, false]);
  expect(unnamed({ ...empty, zones: [{ label: 'x', outline: [], shows: null }, { label: ' ', outline: [], shows: null }] })).toEqual([1]);
});

describe('editing', () => {
  let editing: PlanEditing;
  beforeEach(() => {
    editing = new PlanEditing(plan);
    vi.unstubAllGlobals();
  });
  const keys = (...all: string[]) => all.map((key) => editing.key(key, 'New'));

  it('puts a camera where somebody clicks, once', () => {
    editing.add('camera', offer, at(0.5, 0.5));
    expect([editing.chosen, editing.tool.name]).toEqual([{ what: 'camera', index: 0 }, 'put']);
    editing.place(at(0.25, 0.75));
    expect(editing.draft.cameras[0]?.at).toEqual(at(0.25, 0.75));
    editing.place(at(0.9, 0.9));
    expect(editing.draft.cameras[0]?.at, 'the second click only lets it go').toEqual(at(0.25, 0.75));
    expect([editing.chosen, editing.isChanged]).toEqual([null, true]);
  });
  it('puts it by keys, a hundredth at a time', () => {
    editing.add('camera', offer, at(0.5, 0.5));
    expect(keys('ArrowLeft', 'ArrowUp', 'ArrowUp', 'Enter')).toEqual([true, true, true, true]);
    expect(editing.draft.cameras[0]?.at.x).toBeCloseTo(0.49, 9);
    expect(editing.draft.cameras[0]?.at.y).toBeCloseTo(0.48, 9);
    expect([editing.tool.name, editing.chosen]).toEqual(['choose', { what: 'camera', index: 0 }]);
    expect(keys('+', 'x')).toEqual([false, false]);
    keys('Delete');
    expect(editing.draft).toEqual(empty);
    expect(keys('ArrowLeft', 'Delete'), 'with nothing chosen they are the plan’s').toEqual([false, false]);
  });
  it('draws a zone by clicks; Backspace takes the last corner back, Enter closes', () => {
    editing.beginZone(at(0.5, 0.5));
    for (const [x, y] of [[0, 0], [0.4, 0], [0.4, 0.4], [0.9, 0.9]] as const) editing.place(at(x, y));
    keys('Backspace', 'Enter');
    expect(editing.draft.zones).toEqual([{ label: 'New', outline: [at(0, 0), at(0.4, 0), at(0.4, 0.4)], shows: null }]);
    editing.name(0, '草坪');
    editing.show(0, { edge: 'gate-1', camera: 'east', zone: 'lawn' });
    expect(editing.draft.zones[0]).toMatchObject({ label: '草坪', shows: { zone: 'lawn' } });
  });
  it('draws a zone by keys alone', () => {
    editing.beginZone(at(0.5, 0.5));
    keys(' ', 'ArrowRight', ' ', 'ArrowDown', ' ', 'Enter');
    expect(editing.draft.zones[0]?.outline).toHaveLength(3);
    editing.beginZone(at(0.5, 0.5));
    keys(' ', 'Enter');
    expect(editing.draft.zones, 'one corner is no zone').toHaveLength(1);
    editing.beginZone(at(0.5, 0.5));
    keys(' ', 'Escape');
    expect([editing.draft.zones.length, editing.tool.name]).toEqual([1, 'choose']);
  });
  it('turns a camera to where it looks', () => {
    editing.add('camera', offer, at(0.5, 0.5));
    editing.turnTo(0, at(0.9, 0.5), plan.size);
    expect(editing.draft.cameras[0]?.sight).toEqual({ direction: 90, angle: 80 });
    editing.turn(0, { direction: -10, angle: 900 });
    expect(editing.draft.cameras[0]?.sight).toEqual({ direction: 350, angle: 360 });
    editing.turn(0, null);
    expect(editing.draft.cameras[0]?.sight).toBeNull();
  });
  it('names the version it changed, and keeps the draft when somebody was faster', async () => {
    editing.add('camera', offer, at(0.5, 0.5));
    const sent: unknown[] = [];
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      sent.push(JSON.parse(String(init.body)));
      return new Response(JSON.stringify({ status: 409, detail: 'li.na changed the plan' }), { status: 409 });
    });
    expect(await editing.save()).toBeNull();
    expect(sent).toMatchObject([{ version: 4, placed: { cameras: [{ camera: 'east', view: { direction_deg: 0, angle_deg: 80 } }] } }]);
    expect([editing.conflict, editing.draft.cameras.length, editing.problem]).toEqual([true, 1, null]);
    editing.begin({ ...plan, version: 9 });
    expect([editing.conflict, editing.draft, editing.version]).toEqual([false, empty, 9]);
  });
  it('is as the hub has it once that took it', async () => {
    editing.add('camera', offer, at(0.5, 0.5));
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      const { placed } = JSON.parse(String(init.body)) as { placed: unknown };
      const picture = { width_px: 100, height_px: 100, sha256: plan.sha256 };
      return new Response(JSON.stringify({ site: 'school-3', label: 'x', version: 5, picture, placed }), { status: 200 });
    });
    expect((await editing.save())?.version).toBe(5);
    expect([editing.isChanged, editing.version, editing.saving]).toEqual([false, 5, false]);
  });
});
