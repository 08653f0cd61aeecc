// What a search has found so far.

import type { Time } from './api';
import { searchIncidents, type Search } from './history';
import { HubError } from './http';
import type { Incident, IncidentPage } from './incidents';
import { untilFound } from './page';

/** Whoever has read so many asks for less. */
export const MAX_FOUND = 2_000;
const RETRY_MS = 5_000;

export class Found {
  incidents = $state.raw<readonly Incident[]>([]);
  /** A first answer is here, of which more may follow. */
  ready = $state(false);
  loading = $state(false);
  /** How far back it has looked, while there is more to look at than was found. */
  lookedBackTo = $state.raw<Time | null>(null);
  /** The last error, 0 when the hub did not answer. */
  failed = $state.raw<number | null>(null);
  #next = $state.raw<string | null>(null);
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly search: Search) {}

  /** For an effect: what it returns ends it. */
  start = (): (() => void) => {
    void this.more();
    return () => {
      this.#over = true;
      clearTimeout(this.#timer);
    };
  };

  get hasMore(): boolean {
    return this.#next !== null && !this.full;
  }

  get full(): boolean {
    return this.incidents.length >= MAX_FOUND;
  }

  #look = async (before: string | null): Promise<IncidentPage> => {
    const page = await searchIncidents(this.search, before);
    if (!this.#over) [this.#next, this.lookedBackTo] = [page.next, page.lookedBackTo];
    return page;
  };

  /** Looks back until something is found. */
  async more(): Promise<void> {
    if (this.loading || (this.ready && !this.hasMore)) return;
    clearTimeout(this.#timer);
    this.loading = true;
    this.failed = null;
    try {
      const page = await untilFound(this.#next, this.#look, ({ incidents }) => this.#over || incidents.length > 0);
      if (this.#over) return;
      this.incidents = [...this.incidents, ...page.incidents];
      this.ready = true;
    } catch (error) {
      if (this.#over) return;
      this.failed = error instanceof HubError ? error.status : 0;
      // Further pages are asked for by whoever reads on.
      if (!this.ready) this.#timer = setTimeout(() => void this.more(), RETRY_MS);
    } finally {
      this.loading = false;
    }
  }
}
