// Which view the address names.

import { viewAt, type View } from './views';

class Route {
  view = $state.raw<View | null>(viewAt(location.hash));

  constructor() {
    addEventListener('hashchange', () => (this.view = viewAt(location.hash)));
  }
}

export const route = new Route();
