// A plan while somebody changes it: the draft, what of it is chosen, and what the next click or key does.

import { HubError } from './http';
import {
  STEP, addCamera, addSensor, addZone, around, isFull, isSame, moved, named, standingFor, turned, unnamed, withCorner, without, type Chosen, type Offer,
} from './plan-draft';
import { directionTo } from './plan-geometry';
import { savePlacements, type Placements, type Plan, type Point, type Sight, type Size, type ZoneSource } from './plan';

/** What a click on the plan does. */
export type Tool =
  | { readonly name: 'choose' }
  /** Puts the chosen thing there. */
  | { readonly name: 'put' }
  /** Adds a corner. */
  | { readonly name: 'draw'; readonly outline: readonly Point[]; readonly cursor: Point };

const CHOOSE: Tool = { name: 'choose' };
const ARROWS: ReadonlyMap<string, Point> = new Map([
  ['ArrowLeft', { x: -STEP, y: 0 }],
  ['ArrowRight', { x: STEP, y: 0 }],
  ['ArrowUp', { x: 0, y: -STEP }],
  ['ArrowDown', { x: 0, y: STEP }],
]);

export class PlanEditing {
  draft = $state.raw<Placements>({ cameras: [], zones: [], sensors: [] });
  chosen = $state.raw<Chosen | null>(null);
  tool = $state.raw<Tool>(CHOOSE);
  saving = $state(false);
  /** What the hub said against it. */
  problem = $state.raw<unknown>(null);
  /** Somebody else changed the plan meanwhile. */
  conflict = $state(false);

  #plan = $state.raw<Plan>() as Plan;

  constructor(plan: Plan) {
    this.begin(plan);
  }

  /** Another draft, of this plan. */
  begin(plan: Plan): void {
    this.#plan = plan;
    this.draft = plan.placed;
    this.chosen = null;
    this.tool = CHOOSE;
    this.problem = null;
    this.conflict = false;
  }

  /** Its picture is another now; what is drafted stays. */
  rebase(plan: Plan): void {
    this.#plan = plan;
  }

  get version(): number {
    return this.#plan.version;
  }

  get isChanged(): boolean {
    return !isSame(this.draft, this.#plan.placed);
  }

  /** Something would be lost: a change, or a zone that is being drawn. */
  get isUnsaved(): boolean {
    return this.isChanged || (this.tool.name === 'draw' && this.tool.outline.length > 0);
  }

  /** The first zone without a proper name, or null. */
  get nameless(): number | null {
    return unnamed(this.draft)[0] ?? null;
  }

  choose(chosen: Chosen | null): void {
    this.chosen = chosen;
    if (this.tool.name === 'put') this.tool = CHOOSE;
  }

  /** Stands in the middle of what is looked at, until a click or keys put it elsewhere. */
  add(what: 'camera' | 'sensor', offer: Offer, at: Point): void {
    if (isFull(this.draft, what)) return;
    [this.draft, this.chosen] = what === 'camera' ? addCamera(this.draft, offer, at) : addSensor(this.draft, offer, at);
    this.tool = { name: 'put' };
  }

  beginZone(cursor: Point): void {
    if (isFull(this.draft, 'zone')) return;
    this.chosen = null;
    this.tool = { name: 'draw', outline: [], cursor };
  }

  /** Somebody clicked there. */
  place(at: Point): void {
    if (this.tool.name === 'draw') {
      this.tool = { ...this.tool, outline: withCorner(this.tool.outline, at), cursor: at };
    } else if (this.tool.name === 'put' && this.chosen !== null) {
      this.moveTo(this.chosen, at);
      this.tool = CHOOSE;
    } else {
      this.chosen = null;
    }
  }

  /** The mouse is there. */
  hover(at: Point): void {
    if (this.tool.name === 'draw') this.tool = { ...this.tool, cursor: { x: clamp(at.x), y: clamp(at.y) } };
  }

  /** The zone is as it was drawn; too few corners are none. */
  close(label: string): void {
    if (this.tool.name !== 'draw') return;
    const added = addZone(this.draft, this.tool.outline, label);
    this.tool = CHOOSE;
    if (added) [this.draft, this.chosen] = added;
  }

  moveTo(chosen: Chosen, at: Point): void {
    const from = this.#at(chosen);
    if (from) this.draft = moved(this.draft, chosen, { x: at.x - from.x, y: at.y - from.y });
  }

  moveBy(chosen: Chosen, by: Point): void {
    this.draft = moved(this.draft, chosen, by);
  }

  turn(index: number, sight: Sight | null): void {
    this.draft = turned(this.draft, index, sight && { direction: around(sight.direction), angle: Math.min(360, Math.max(1, Math.round(sight.angle) || 1)) });
  }

  /** The camera looks towards that place. */
  turnTo(index: number, to: Point, size: Size): void {
    const camera = this.draft.cameras[index];
    if (camera?.sight) this.turn(index, { ...camera.sight, direction: directionTo(camera.at, to, size) });
  }

  name(index: number, label: string): void {
    this.draft = named(this.draft, index, label);
  }

  show(index: number, shows: ZoneSource | null): void {
    this.draft = standingFor(this.draft, index, shows);
  }

  remove(chosen: Chosen): void {
    this.draft = without(this.draft, chosen);
    this.choose(null);
  }

  /** True: the key meant something. `label`: what a zone is called until somebody names it. */
  key(key: string, label: string): boolean {
    const step = ARROWS.get(key);
    const { tool, chosen } = this;
    if (tool.name === 'draw') {
      if (step) this.tool = { ...tool, cursor: { x: clamp(tool.cursor.x + step.x), y: clamp(tool.cursor.y + step.y) } };
      else if (key === ' ') this.tool = { ...tool, outline: withCorner(tool.outline, tool.cursor) };
      else if (key === 'Backspace') this.tool = { ...tool, outline: tool.outline.slice(0, -1) };
      else if (key === 'Enter') this.close(label);
      else if (key === 'Escape') this.tool = CHOOSE;
      else return false;
      return true;
    }
    if (chosen === null) return false;
    if (step) this.moveBy(chosen, step);
    else if (key === 'Delete') this.remove(chosen);
    else if (key === 'Escape' || (key === 'Enter' && tool.name === 'put')) this.choose(tool.name === 'put' ? chosen : null);
    else return false;
    return true;
  }

  /** The plan as it is then; null when the hub did not take it. */
  async save(): Promise<Plan | null> {
    if (this.saving) return null;
    [this.saving, this.problem, this.conflict] = [true, null, false];
    try {
      const zones = this.draft.zones.map((zone) => ({ ...zone, label: zone.label.trim() }));
      const plan = await savePlacements(this.#plan.site, this.version, { ...this.draft, zones });
      this.begin(plan);
      return plan;
    } catch (error) {
      this.conflict = error instanceof HubError && error.status === 409;
      this.problem = this.conflict ? null : error;
      return null;
    } finally {
      this.saving = false;
    }
  }

  #at({ what, index }: Chosen): Point | null {
    if (what === 'camera') return this.draft.cameras[index]?.at ?? null;
    return (what === 'sensor' ? this.draft.sensors[index]?.at : this.draft.zones[index]?.outline[0]) ?? null;
  }
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
