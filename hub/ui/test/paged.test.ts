import { describe, expect, it } from 'vitest';
import type { Page } from '../src/lib/page';
import { Paged } from '../src/lib/paged.svelte';

/** Seven things, three to a page. */
function things(fail: () => boolean) {
  return async (before: string | null): Promise<Page<number>> => {
    if (fail()) throw new Error('no hub');
    const from = before === null ? 7 : Number(before) - 1;
    const items = [from, from - 1, from - 2].filter((item) => item > 0);
    return { items, next: from > 3 ? String(items.at(-1)) : null };
  };
}

describe('a list that is longer than a page', () => {
  it('is read to its end, keeps what it has when the hub is away, and begins anew', async () => {
    let away = false;
    const list = new Paged(things(() => away));
    await list.refresh();
    expect([list.items, list.next]).toEqual([[7, 6, 5], '5']);
    away = true;
    await list.loadMore();
    expect([list.items, list.more]).toEqual([[7, 6, 5], 'failed']);
    away = false;
    await list.loadMore();
    await list.loadMore();
    await list.loadMore();
    expect([list.items, list.next, list.more]).toEqual([[7, 6, 5, 4, 3, 2, 1], null, 'idle']);
    await list.refresh();
    expect([list.items, list.next]).toEqual([[7, 6, 5], '5']);
  });
});
