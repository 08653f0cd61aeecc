// Where things of a plan are on the screen, as pure functions. A plan is drawn in the pixels of its picture; how much of it is seen is the
// `viewBox` of one SVG, so nothing else has to be moved.

import type { Point, Sight, Size } from './plan';

/** What of the picture is looked at: the middle, in fractions of it, and how much closer than all of it. */
export interface Look {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export const WHOLE: Look = { x: 0.5, y: 0.5, zoom: 1 };
export const CLOSEST = 12;
/** Fingers that are closer to each other than this say nothing of how close to look. */
const NEAREST_FINGERS_PX = 20;

const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Pixels of the screen for one of the picture, with all of it in sight. */
const fitting = (picture: Size, screen: Size): number => Math.min(screen.width / picture.width, screen.height / picture.height) || 1;

/** Pixels of the screen for one of the picture. */
export const scaleOf = (look: Look, picture: Size, screen: Size): number => fitting(picture, screen) * look.zoom;

/** The part of the picture, and of what is around it, that the screen shows. */
export function viewBox(look: Look, picture: Size, screen: Size): { x: number; y: number; width: number; height: number } {
  const scale = scaleOf(look, picture, screen);
  const [width, height] = [screen.width / scale, screen.height / scale];
  return { x: look.x * picture.width - width / 2, y: look.y * picture.height - height / 2, width, height };
}

/** Some of the picture is always in the middle; what fits is in the middle whole. */
export function held(look: Look, picture: Size, screen: Size): Look {
  const zoom = within(look.zoom, 1, CLOSEST);
  const scale = scaleOf({ ...look, zoom }, picture, screen);
  const along = (at: number, pixels: number, shown: number): number => {
    const half = Math.min(0.5, shown / scale / pixels / 2);
    return within(at, half, 1 - half);
  };
  return { x: along(look.x, picture.width, screen.width), y: along(look.y, picture.height, screen.height), zoom };
}

/** What is at this place of the screen, in fractions of the picture; beyond its edge they are less than 0 or more than 1. */
export function placeAt(onScreen: Point, look: Look, picture: Size, screen: Size): Point {
  const box = viewBox(look, picture, screen);
  return {
    x: (box.x + (onScreen.x / screen.width) * box.width) / picture.width,
    y: (box.y + (onScreen.y / screen.height) * box.height) / picture.height,
  };
}

/** The same, kept on the picture. */
export function onPicture({ x, y }: Point): Point {
  return { x: within(x, 0, 1), y: within(y, 0, 1) };
}

/** Closer or further by a factor; what is at `onScreen` stays there. */
export function zoomed(look: Look, factor: number, onScreen: Point, picture: Size, screen: Size): Look {
  const zoom = within(look.zoom * factor, 1, CLOSEST);
  const before = placeAt(onScreen, look, picture, screen);
  const after = placeAt(onScreen, { ...look, zoom }, picture, screen);
  return held({ x: look.x + before.x - after.x, y: look.y + before.y - after.y, zoom }, picture, screen);
}

/** Moved by so many pixels of the screen, as a hand moves a sheet of paper. */
export function dragged(look: Look, by: Point, picture: Size, screen: Size): Look {
  const scale = scaleOf(look, picture, screen);
  return held({ ...look, x: look.x - by.x / scale / picture.width, y: look.y - by.y / scale / picture.height }, picture, screen);
}

/** Closer, further and moved, as one of two fingers went `from` here `to` there: what was below each of them stays below it, as far as it can. */
export function pinched(look: Look, from: Point, to: Point, other: Point, picture: Size, screen: Size): Look {
  const apart = (at: Point): number => Math.max(NEAREST_FINGERS_PX, Math.hypot(at.x - other.x, at.y - other.y));
  const moved = dragged(look, { x: (to.x - from.x) / 2, y: (to.y - from.y) / 2 }, picture, screen);
  return zoomed(moved, apart(to) / apart(from), { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 }, picture, screen);
}

/** In the pixels of the picture. */
export const toPixels = ({ x, y }: Point, picture: Size): Point => ({ x: x * picture.width, y: y * picture.height });

/** `x,y x,y …`, as SVG wants the corners of a shape. */
export const corners = (outline: readonly Point[], picture: Size): string =>
  outline.map((point) => toPixels(point, picture)).map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');

/** What a camera sees, as the path of a sector around it. */
export function sector(at: Point, { direction, angle }: Sight, radius: number): string {
  const rim = (degrees: number): string => {
    const turned = ((degrees - 90) * Math.PI) / 180;
    return `${(at.x + radius * Math.cos(turned)).toFixed(1)} ${(at.y + radius * Math.sin(turned)).toFixed(1)}`;
  };
  const arc = `A${radius.toFixed(1)} ${radius.toFixed(1)} 0`;
  if (angle >= 360) {
    const [up, down] = [rim(0), rim(180)];
    return `M${up}${arc} 1 1 ${down}${arc} 1 1 ${up}Z`;
  }
  return `M${at.x.toFixed(1)} ${at.y.toFixed(1)}L${rim(direction - angle / 2)}${arc} ${angle > 180 ? 1 : 0} 1 ${rim(direction + angle / 2)}Z`;
}

/** How far what a camera sees is drawn, in pixels of the picture: on a small screen far enough to come out from under its mark. */
export const sightReach = (picture: Size, unit: number): number => Math.max(0.09 * Math.max(picture.width, picture.height), 40 * unit);

/** Where the words of a mark belong, in units: below it and in the middle, unless the picture ends there. */
export interface Caption {
  readonly above: boolean;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly x: number;
}

/** `half` is half of what the words are wide, `below` how far down they reach; `unit` is pixels of the picture for one of them. */
export function captionAt(at: Point, picture: Size, unit: number, { half, below }: { half: number; below: number }): Caption {
  const [left, right, under] = [at.x * picture.width, (1 - at.x) * picture.width, (1 - at.y) * picture.height].map((pixels) => pixels / unit) as [number, number, number];
  const above = under < below;
  if (left < half && left <= right) return { above, anchor: 'start', x: -Math.min(left, 16) };
  if (right < half) return { above, anchor: 'end', x: Math.min(right, 16) };
  return { above, anchor: 'middle', x: 0 };
}

/** Where the name of a zone belongs: the centre of its area, or the middle of its corners where it has none. */
export function centre(outline: readonly Point[]): Point {
  const next = (index: number): Point => outline[(index + 1) % outline.length] as Point;
  const crosses = outline.map((a, index) => a.x * next(index).y - next(index).x * a.y);
  const area = crosses.reduce((sum, cross) => sum + cross, 0) / 2;
  const mean = (pick: (point: Point) => number): number => outline.reduce((sum, point) => sum + pick(point), 0) / Math.max(1, outline.length);
  if (Math.abs(area) < 1e-6) return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
  const weighed = (pick: (point: Point) => number): number =>
    outline.reduce((sum, a, index) => sum + (pick(a) + pick(next(index))) * (crosses[index] ?? 0), 0) / (6 * area);
  return onPicture({ x: weighed(({ x }) => x), y: weighed(({ y }) => y) });
}

/** From one place towards another: whole degrees, 0 is up. */
export function directionTo(from: Point, to: Point, picture: Size): number {
  const [a, b] = [toPixels(from, picture), toPixels(to, picture)];
  return Math.round((Math.atan2(b.x - a.x, a.y - b.y) * 180) / Math.PI + 360) % 360;
}
