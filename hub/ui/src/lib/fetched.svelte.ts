// Something a view shows that the hub has to be asked for.

import { HubError } from './http';

const RETRY_MS = 5_000;

export class Fetched<T> {
  /** Null: not here yet. */
  value = $state.raw<T | null>(null);
  /** The last error, 0 when the hub did not answer. What came before it is still shown. */
  failed = $state.raw<number | null>(null);

  #fetch: () => Promise<T>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
  }

  /** For `onMount`: asks until there is an answer, or until the view is gone. */
  start(): () => void {
    void this.refresh();
    return () => {
      this.#generation += 1;
      clearTimeout(this.#timer);
    };
  }

  async refresh(): Promise<void> {
    const generation = ++this.#generation;
    clearTimeout(this.#timer);
    try {
      const value = await this.#fetch();
      if (generation !== this.#generation) return;
      this.value = value;
      this.failed = null;
    } catch (error) {
      if (generation !== this.#generation) return;
      this.failed = error instanceof HubError ? error.status : 0;
      this.#timer = setTimeout(() => void this.refresh(), RETRY_MS);
    }
  }
}
