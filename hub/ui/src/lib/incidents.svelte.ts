// The incidents the page knows of. The live stream brings changes (live.svelte.ts), the lists are loaded here.

import type { Load } from './live.svelte';
import { HubError } from './http';
import { MAX_CLOSED, matches, mergeIncidents, type Filter } from './incident-list';
import { fetchIncidents, type Incident, type IncidentPage } from './incidents';
import { session } from './session.svelte';
import type { Time } from './shape';

const FRESH_MS = 8_000;
const NEWS_MS = 700;
/** More open ones than this are beyond anybody's reach anyway. */
const MAX_OPEN = 1_000;
const AT_ONCE = 200;

/** How far back closed ones are loaded, and for which stage and box. */
interface Past {
  readonly key: string;
  readonly next: string | null;
  /** Nothing older is shown: between it and what is known otherwise some may be missing. */
  readonly floor: Time;
}

/** It came to be a supervisor's business, and this is one: it was escalated, or somebody else asks for more time. */
const callsSupervisor = (incident: Incident, before: Incident | undefined): boolean =>
  session.may('verify_incidents') &&
  ((incident.escalated && before?.escalated !== true) ||
    (incident.extension !== null && (before?.extension ?? null) === null && incident.extension.by.name !== session.person?.name));
const isMine = ({ assignee }: Incident): boolean => assignee !== null && assignee.name === session.person?.name;
const keyOf = ({ stage, edge }: Filter): string => JSON.stringify([stage, edge]);

class IncidentStore {
  known = $state.raw<readonly Incident[]>([]);
  load = $state.raw<Load>({ state: 'loading' });
  /** Arrived a few seconds ago. */
  fresh = $state.raw<ReadonlySet<string>>(new Set());
  /** What a screen reader is told. */
  news = $state.raw<readonly Incident[]>([]);
  more = $state.raw<'idle' | 'loading' | 'failed'>('idle');
  /** Counts the loads: whoever shows one incident asks for it anew. */
  loads = $state.raw(0);

  #past = $state.raw<Past | null>(null);
  #filter: Filter | null = null;
  #generation = 0;
  #browsing = 0;
  #loading = false;
  /** What the stream said while the list was on its way. */
  #during: Incident[] = [];
  #collected: string[] = [];
  #newsTimer: ReturnType<typeof setTimeout> | undefined;

  find(id: string | null): Incident | undefined {
    return this.known.find((incident) => incident.id === id);
  }

  visible(filter: Filter, me: string | null, now: Time): Incident[] {
    const floor = filter.show === 'all' ? (this.#past?.floor ?? Infinity) : -Infinity;
    return this.known.filter((incident) => incident.opened >= floor && matches(incident, filter, me, now));
  }

  /** Everything is here that the address asks for. */
  isReady(filter: Filter): boolean {
    return this.load.state === 'ready' && (filter.show !== 'all' || this.#past?.key === keyOf(filter));
  }

  get hasMore(): boolean {
    return this.#past !== null && this.#past.next !== null;
  }

  /** What the stream, or the hub's answer to a step, says. */
  take(incident: Incident): void {
    if (this.#loading) this.#during.push(incident);
    if (this.load.state !== 'ready') return;
    const before = this.find(incident.id);
    const { incidents, added, raised } = mergeIncidents(this.known, [incident]);
    this.known = incidents;
    // Of old ones the page hears when something is done with them; they are no news, unless they are given to this person.
    if (callsSupervisor(incident, before)) this.#noteNew([incident.id]);
    else if (incident.stage === 'reported') this.#noteNew([...added, ...raised]);
    else if (incident.stage === 'assigned' && isMine(incident) && !(before?.stage === 'assigned' && isMine(before))) this.#noteNew([incident.id]);
  }

  /** All that are open, and of the past as much as is looked at. */
  async reload(): Promise<void> {
    const generation = ++this.#generation;
    this.#loading = true;
    this.#during = [];
    try {
      const loaded: Incident[] = [];
      let next: string | null = null;
      do {
        const page = await fetchIncidents({ open: true, before: next, limit: AT_ONCE });
        if (generation !== this.#generation) return;
        loaded.push(...page.incidents);
        next = page.next;
      } while (next !== null && loaded.length < MAX_OPEN);
      const first = this.load.state !== 'ready';
      const before = new Map(this.known.map((one) => [one.id, one]));
      // Only what is fetched now and what came meanwhile: what was known may have been closed while the stream was away.
      const fetched = mergeIncidents(loaded, this.#during).incidents;
      this.known = fetched;
      this.load = { state: 'ready' };
      this.loads += 1;
      const isNews = (one: Incident) =>
        callsSupervisor(one, before.get(one.id)) || (!before.has(one.id) && (one.stage === 'reported' || (one.stage === 'assigned' && isMine(one))));
      const arrived = fetched.filter(isNews).map(({ id }) => id);
      if (!first) this.#noteNew(arrived);
      if (this.#filter !== null) await this.browse(this.#filter);
    } catch (error) {
      if (generation === this.#generation && this.load.state !== 'ready') {
        this.load = { state: 'failed', status: error instanceof HubError ? error.status : 0 };
      }
      throw error;
    } finally {
      if (generation === this.#generation) this.#loading = false;
    }
  }

  /** Closed ones too, from the newest; as many as were shown, so that nothing jumps under the reader. */
  async browse(filter: Filter): Promise<void> {
    this.#filter = filter;
    const shown = this.#past?.key === keyOf(filter) ? this.#past : null;
    if (shown === null) this.#past = null;
    await this.#page(filter, null, shown?.floor ?? Infinity);
  }

  /** Nobody looks at the past any more. */
  leavePast(): void {
    this.#filter = this.#past = null;
    this.#browsing += 1;
    this.more = 'idle';
  }

  async loadMore(): Promise<void> {
    if (this.more === 'loading' || this.#filter === null || !this.#past?.next) return;
    await this.#page(this.#filter, this.#past.next, Infinity);
  }

  /** One page, or as many as it takes to come down to a moment. */
  async #page(filter: Filter, before: string | null, downTo: Time): Promise<void> {
    const browsing = ++this.#browsing;
    this.more = 'loading';
    try {
      const { stage, edge } = filter;
      const loaded: Incident[] = [];
      let next = before;
      let floor: Time;
      do {
        const page: IncidentPage = await fetchIncidents({ stage, edge, before: next });
        if (browsing !== this.#browsing) return;
        loaded.push(...page.incidents);
        next = page.next;
        const oldest = page.incidents.at(-1);
        floor = next === null || !oldest ? -Infinity : oldest.opened;
      } while (next !== null && floor > downTo && loaded.length < MAX_CLOSED);
      this.known = mergeIncidents(this.known, loaded).incidents;
      this.#past = { key: keyOf(filter), next, floor };
      this.more = 'idle';
    } catch {
      if (browsing === this.#browsing) this.more = 'failed';
    }
  }

  #noteNew(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.fresh = new Set([...this.fresh, ...ids]);
    setTimeout(() => {
      const gone = new Set(ids);
      this.fresh = new Set([...this.fresh].filter((id) => !gone.has(id)));
    }, FRESH_MS);
    this.#collected.push(...ids);
    clearTimeout(this.#newsTimer);
    this.#newsTimer = setTimeout(() => {
      const wanted = new Set(this.#collected);
      this.news = this.known.filter(({ id }) => wanted.has(id));
      this.#collected = [];
    }, NEWS_MS);
  }

  forget(): void {
    this.#generation += 1;
    this.leavePast();
    clearTimeout(this.#newsTimer);
    this.#collected = [];
    this.#during = [];
    this.#loading = false;
    this.known = this.news = [];
    this.fresh = new Set();
    this.load = { state: 'loading' };
  }
}

export const incidents = new IncidentStore();
