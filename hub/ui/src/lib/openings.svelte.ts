// Which alarms' pictures are open to this session, and until when. The hub keeps to it; this only spares the page asking in vain.

import { SvelteMap } from 'svelte/reactivity';
import { clock } from './clock.svelte';
import { openViewing, type Purpose, type Viewing } from './viewings';

class Openings {
  #known = new SvelteMap<string, Viewing>();

  /** For `onMount`: what one person opened is not open to the next. */
  start(): () => void {
    this.#known.clear();
    return () => this.#known.clear();
  }

  /** Null: it has to be said first what the pictures are looked at for. */
  of(alarm: string): Viewing | null {
    const viewing = this.#known.get(alarm);
    return viewing !== undefined && clock.now < viewing.until ? viewing : null;
  }

  /** It was open and is not any more: whoever still looks says so. */
  isOver(alarm: string): boolean {
    return this.#known.has(alarm) && this.of(alarm) === null;
  }

  /** Rejects with what the hub said. */
  async open(alarm: string, purpose: Purpose): Promise<void> {
    this.#known.set(alarm, await openViewing(alarm, purpose));
  }
}

export const openings = new Openings();
