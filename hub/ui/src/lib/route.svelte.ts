// Which view the address names, and what of it.

import { queryAt, viewAt, type View } from './views';

class Route {
  #fragment = $state.raw(location.hash);
  view = $derived<View | null>(viewAt(this.#fragment));
  query = $derived(queryAt(this.#fragment));

  constructor() {
    addEventListener('hashchange', () => (this.#fragment = location.hash));
  }
}

export const route = new Route();
