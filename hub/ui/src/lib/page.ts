// One page of a list that the hub gives out fifty at a time, the newest first.

import { get } from './http';
import { each, fields, optionalText } from './shape';

export interface Page<T> {
  readonly items: readonly T[];
  /** Given as `before` it brings the page behind this one; null: there is none. */
  readonly next: string | null;
}

/** The hub looks at so many entries for a page: one without anything may have more behind it. Those are passed over. */
export async function untilFound<P extends { readonly next: string | null }>(
  before: string | null,
  ask: (before: string | null) => Promise<P>,
  isEnough: (page: P) => boolean,
): Promise<P> {
  for (;;) {
    const page = await ask(before);
    if (isEnough(page) || page.next === null) return page;
    before = page.next;
  }
}

/** The page behind `before`, or the newest; `list`: what the hub calls the items, `only`: which of them are asked for. */
export async function fetchPage<T>(address: string, list: string, before: string | null, parse: (value: unknown) => T, only: Record<string, string> = {}): Promise<Page<T>> {
  const ask = async (behind: string | null): Promise<Page<T>> => {
    const query = new URLSearchParams({ limit: '50', ...only });
    if (behind !== null) query.set('before', behind);
    const page = fields(await get(`${address}?${query}`), list);
    return { items: each(page[list], list, parse), next: optionalText(page.next) };
  };
  return untilFound(before, ask, ({ items }) => items.length > 0);
}
