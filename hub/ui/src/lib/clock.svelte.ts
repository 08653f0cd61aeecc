import { watchHubClock } from './http';
import type { Time } from './shape';

/** Below this the difference is noise of the measurement (whole seconds, way there and back). */
const TOLERANCE_MS = 2_000;

/** The hub's time, ticking every second: a wall computer's clock may be wrong, and ages must not be. */
class Clock {
  now = $state<Time>(Date.now());
  #skew = 0;

  constructor() {
    watchHubClock((skew) => {
      this.#skew = Math.abs(skew) > TOLERANCE_MS ? skew : 0;
      this.now = this.read();
    });
    const tick = () => {
      this.now = this.read();
      setTimeout(tick, 1000 - (this.now % 1000));
    };
    tick();
  }

  read(): Time {
    return Date.now() + this.#skew;
  }
}

export const clock = new Clock();
