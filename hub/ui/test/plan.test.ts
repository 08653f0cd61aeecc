import { describe, expect, it } from 'vitest';
import { parsePlan, pictureOf, planAddress, told, type Placements } from '../src/lib/plan';
import { WHOLE, captionAt, centre, corners, directionTo, dragged, held, pinched, placeAt, sector, sightReach, toPixels, viewBox, zoomed } from '../src/lib/plan-geometry';
import { brief, columns } from '../src/lib/plan-words';
import { viewAt, queryAt } from '../src/lib/views';

const plan = (placed: unknown = { cameras: [], zones: [], sensors: [] }) => ({
  site: 'school-3',
  label: '第三小学',
  version: 42,
  changed: '2026-01-31T08:30:00Z',
  picture: { kind: 'png', width_px: 1600, height_px: 1000, bytes: 4, sha256: 'a'.repeat(64) },
  placed,
});

describe('a plan from the hub', () => {
  it('is told back as it came', () => {
    const placed = {
      cameras: [
        { edge: 'gate-1', camera: 'east', at: { x: 0.5, y: 0.25 }, view: { direction_deg: 90, angle_deg: 70 } },
        { edge: 'gate-1', camera: 'west', at: { x: 0, y: 1 }, view: null },
      ],
      zones: [{ label: '草坪', outline: [{ x: 0, y: 0 }, { x: 1, y: 1 }], shows: { edge: 'gate-1', camera: 'east', zone: 'lawn' } }],
      sensors: [{ edge: 'gate-1', sensor: 'fence', at: { x: 0.125, y: 0.5 } }],
    };
    const parsed = parsePlan(plan(placed));
    expect([parsed.version, parsed.size]).toEqual([42, { width: 1600, height: 1000 }]);
    expect(told(parsed.placed)).toEqual(placed);
  });
  it('leaves out what makes no sense, and nothing else', () => {
    const parsed = parsePlan(
      plan({
        cameras: [{ edge: 'a', camera: 'b', at: { x: 2, y: 0 } }, { edge: 'a', camera: 'c', at: { x: 1, y: 0 } }],
        zones: [{ label: 'x', outline: [{ x: 0, y: 0 }], shows: null }],
        sensors: ['nonsense'],
      }),
    );
    expect(parsed.placed.cameras.map((one) => one.camera)).toEqual(['c']);
    expect([parsed.placed.zones, parsed.placed.sensors]).toEqual([[], []]);
  });
  it('has a picture only of the hub', () => {
    expect(pictureOf(parsePlan(plan()))).toBe(`/api/v1/sites/school-3/plan/picture?sha256=${'a'.repeat(64)}`);
    expect(() => parsePlan({ ...plan(), picture: { sha256: '../../evil' } })).toThrow();
  });
  it('is told with as many digits as a picture has pixels', () => {
    const placed: Placements = { cameras: [], zones: [], sensors: [{ edge: 'a', sensor: 'b', at: { x: 1 / 3, y: 2 / 3 } }] };
    expect(told(placed)).toMatchObject({ sensors: [{ at: { x: 0.3333, y: 0.6667 } }] });
  });
  it('has an address of its own', () => {
    const address = planAddress('school-3');
    expect([viewAt(address), queryAt(address).get('site')]).toEqual(['plan', 'school-3']);
  });
});

const picture = { width: 1600, height: 1000 };
const wide = { width: 800, height: 400 };

describe('what of a plan is seen', () => {
  it('is all of it at first, in the middle', () => {
    // 0.4 pixels of the screen for one of the picture: 2000 by 1000 around its middle.
    expect(viewBox(WHOLE, picture, wide)).toEqual({ x: -200, y: 0, width: 2000, height: 1000 });
    expect(placeAt({ x: 400, y: 200 }, WHOLE, picture, wide)).toEqual({ x: 0.5, y: 0.5 });
  });
  it('comes closer around the place that is pointed at', () => {
    const at = { x: 200, y: 100 };
    const before = placeAt(at, WHOLE, picture, wide);
    const look = zoomed(WHOLE, 3, at, picture, wide);
    const after = placeAt(at, look, picture, wide);
    expect(look.zoom).toBe(3);
    expect(after.x).toBeCloseTo(before.x, 9);
    expect(after.y).toBeCloseTo(before.y, 9);
  });
  it('never loses the picture', () => {
    let look = zoomed(WHOLE, 4, { x: 0, y: 0 }, picture, wide);
    for (let n = 0; n < 50; n += 1) look = dragged(look, { x: 300, y: 300 }, picture, wide);
    const box = viewBox(look, picture, wide);
    expect([box.x, box.y]).toEqual([0, 0]);
    expect(held({ x: 9, y: -9, zoom: 1e9 }, picture, wide).zoom).toBeLessThanOrEqual(12);
    expect(zoomed(look, 1e-9, { x: 0, y: 0 }, picture, wide)).toEqual(WHOLE);
  });
  it('follows the hand', () => {
    const look = zoomed(WHOLE, 4, { x: 400, y: 200 }, picture, wide);
    const held = placeAt({ x: 300, y: 150 }, look, picture, wide);
    const moved = dragged(look, { x: 40, y: -20 }, picture, wide);
    const now = placeAt({ x: 340, y: 130 }, moved, picture, wide);
    expect(now.x).toBeCloseTo(held.x, 9);
    expect(now.y).toBeCloseTo(held.y, 9);
  });
});

describe('shapes', () => {
  it('are drawn in pixels of the picture', () => {
    expect(corners([{ x: 0, y: 0 }, { x: 0.5, y: 1 }], picture)).toBe('0.0,0.0 800.0,1000.0');
    expect(toPixels({ x: 0.25, y: 0.1 }, picture)).toEqual({ x: 400, y: 100 });
  });
  it('a sector looks up at 0 and right at 90', () => {
    expect(sector({ x: 100, y: 100 }, { direction: 90, angle: 90 }, 10)).toBe('M100.0 100.0L107.1 92.9A10.0 10.0 0 0 1 107.1 107.1Z');
    expect(sector({ x: 100, y: 100 }, { direction: 0, angle: 180 }, 10)).toBe('M100.0 100.0L90.0 100.0A10.0 10.0 0 0 1 110.0 100.0Z');
    expect(sector({ x: 100, y: 100 }, { direction: 0, angle: 270 }, 10)).toContain('0 1 1');
    expect(sector({ x: 100, y: 100 }, { direction: 0, angle: 360 }, 10)).toBe('M100.0 90.0A10.0 10.0 0 1 1 100.0 110.0A10.0 10.0 0 1 1 100.0 90.0Z');
  });
  it('a direction is what the eye sees, not what fractions say', () => {
    expect(directionTo({ x: 0.5, y: 0.5 }, { x: 0.5, y: 0.1 }, picture)).toBe(0);
    expect(directionTo({ x: 0.5, y: 0.5 }, { x: 0.9, y: 0.5 }, picture)).toBe(90);
    expect(directionTo({ x: 0.5, y: 0.5 }, { x: 0.1, y: 0.5 }, picture)).toBe(270);
    // 160 pixels to the right and 160 down.
    expect(directionTo({ x: 0.5, y: 0.5 }, { x: 0.6, y: 0.66 }, picture)).toBe(135);
  });
  it('a name stands in the middle of its area', () => {
    const square = [{ x: 0.2, y: 0.2 }, { x: 0.4, y: 0.2 }, { x: 0.4, y: 0.6 }, { x: 0.2, y: 0.6 }];
    const middle = centre(square);
    expect(middle.x).toBeCloseTo(0.3, 9);
    expect(middle.y).toBeCloseTo(0.4, 9);
    expect(centre([...square].reverse()).x).toBeCloseTo(0.3, 9);
    expect(centre([{ x: 0, y: 0 }, { x: 1, y: 0.5 }])).toEqual({ x: 0.5, y: 0.25 });
  });
});

describe('two fingers', () => {
  const look = { x: 0.4, y: 0.6, zoom: 3 };
  const [left, right] = [{ x: 300, y: 200 }, { x: 400, y: 200 }];
  it('leave below them what was there', () => {
    const first = pinched(look, right, { x: 500, y: 200 }, left, picture, wide);
    expect(first.zoom).toBeCloseTo(6);
    const both = pinched(first, left, { x: 200, y: 200 }, { x: 500, y: 200 }, picture, wide);
    expect(both.zoom).toBeCloseTo(9);
    // Halfway between the two is what was halfway between them.
    const [before, after] = [placeAt({ x: 350, y: 200 }, look, picture, wide), placeAt({ x: 350, y: 200 }, both, picture, wide)];
    expect([after.x, after.y]).toEqual([expect.closeTo(before.x, 5), expect.closeTo(before.y, 5)]);
  });
  it('move it together', () => {
    const first = pinched(look, left, { x: 300, y: 150 }, right, picture, wide);
    const both = pinched(first, right, { x: 400, y: 150 }, { x: 300, y: 150 }, picture, wide);
    expect(both.zoom).toBeCloseTo(3);
    const [before, after] = [placeAt({ x: 350, y: 200 }, look, picture, wide), placeAt({ x: 350, y: 150 }, both, picture, wide)];
    expect([after.x, after.y]).toEqual([expect.closeTo(before.x, 5), expect.closeTo(before.y, 5)]);
  });
  it('on one place say nothing of how close', () => {
    expect(pinched(look, left, { x: 301, y: 200 }, { x: 299, y: 200 }, picture, wide).zoom).toBeCloseTo(3);
  });
});

describe('what is written on a plan', () => {
  const words = { half: 50, below: 51 };
  it('stands below a mark, in the middle', () => {
    expect(captionAt({ x: 0.5, y: 0.5 }, picture, 2, words)).toEqual({ above: false, anchor: 'middle', x: 0 });
  });
  it('does not leave the picture', () => {
    // Two pixels of the picture for one of the words: 80 are 40 of them.
    expect(captionAt({ x: 0.05, y: 0.96 }, picture, 2, words)).toEqual({ above: true, anchor: 'start', x: -16 });
    expect(captionAt({ x: 0.95, y: 0.5 }, picture, 2, words)).toEqual({ above: false, anchor: 'end', x: 16 });
    expect(captionAt({ x: 0, y: 0 }, picture, 2, words)).toEqual({ above: false, anchor: 'start', x: -0 });
  });
  it('moves back when there is room', () => {
    expect(captionAt({ x: 0.05, y: 0.96 }, picture, 0.5, words)).toEqual({ above: false, anchor: 'middle', x: 0 });
  });
  it('is as long in either language', () => {
    expect([columns('东门'), columns('East gate'), columns('🚪1')]).toEqual([4, 9, 3]);
    expect([brief('摄像机拒绝登录', 14), brief('摄像机拒绝登录了', 14), brief('The camera rejects', 14)]).toEqual(['摄像机拒绝登录', '摄像机拒绝登…', 'The camera re…']);
  });
  it('shows where a camera looks on a small screen too', () => {
    expect([sightReach(picture, 1), sightReach(picture, 5)]).toEqual([144, 200]);
  });
});
