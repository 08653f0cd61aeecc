// Changes of plans that are not saved yet. They stay while somebody looks at something else, an incident above all, and go with the
// session.

import { SvelteMap } from 'svelte/reactivity';
import type { Plan } from './plan';
import { PlanEditing } from './plan-editing.svelte';

export class PlanDrafts {
  /** By site; of each the latest that was opened. */
  #drafts = new SvelteMap<string, PlanEditing>();

  /** Goes on with what was begun, or begins. */
  open(plan: Plan): PlanEditing {
    const begun = this.#drafts.get(plan.site);
    if (begun?.isUnsaved) {
      // What is said against it when it is saved is better known before.
      if (begun.version !== plan.version) begun.conflict = true;
      return begun;
    }
    const fresh = new PlanEditing(plan);
    this.#drafts.set(plan.site, fresh);
    return fresh;
  }

  /** Is there something of this site that would be lost? */
  has(site: string): boolean {
    return this.#drafts.get(site)?.isUnsaved ?? false;
  }

  /** Of any site? */
  get any(): boolean {
    return [...this.#drafts.values()].some((draft) => draft.isUnsaved);
  }

  /** It is saved, or not wanted any more. */
  forget(site: string): void {
    this.#drafts.delete(site);
  }

  /** Sites that are gone, or that somebody sees no more, have no plans to be saved. */
  keepOnly(sites: readonly string[]): void {
    for (const site of this.#drafts.keys()) if (!sites.includes(site)) this.#drafts.delete(site);
  }

  clear(): void {
    this.#drafts.clear();
  }
}

export const planDrafts = new PlanDrafts();
