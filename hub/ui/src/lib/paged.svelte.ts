// A list that is longer than a page: the newest page, and what was asked for behind it.

import { Fetched } from './fetched.svelte';
import type { Page } from './page';

type Join<T> = (known: readonly T[], more: readonly T[]) => readonly T[];

export class Paged<T> {
  readonly newest: Fetched<Page<T>>;
  /** Whether more is on its way. */
  more = $state<'idle' | 'loading' | 'failed'>('idle');

  #earlier = $state.raw<Page<T> | null>(null);
  #fetch: (before: string | null) => Promise<Page<T>>;
  #join: Join<T>;

  readonly items: readonly T[] = $derived.by(() => this.#join(this.newest.value?.items ?? [], this.#earlier?.items ?? []));
  /** Null: there is nothing behind what is here. */
  readonly next: string | null = $derived.by(() => (this.#earlier === null ? (this.newest.value?.next ?? null) : this.#earlier.next));

  constructor(fetch: (before: string | null) => Promise<Page<T>>, join: Join<T> = (known, more) => [...known, ...more]) {
    this.#fetch = fetch;
    this.#join = join;
    this.newest = new Fetched(() => fetch(null));
  }

  /** Whole again from the newest: between two pages of different times something might be missing. */
  async refresh(): Promise<void> {
    await this.newest.refresh();
    if (this.newest.failed === null) this.#earlier = null;
  }

  async loadMore(): Promise<void> {
    if (this.more === 'loading' || this.next === null) return;
    this.more = 'loading';
    const [before, known] = [this.newest.value, this.#earlier?.items ?? []];
    try {
      const page = await this.#fetch(this.next);
      if (this.newest.value === before) this.#earlier = { items: [...known, ...page.items], next: page.next };
      this.more = 'idle';
    } catch {
      this.more = 'failed';
    }
  }
}
