// The operator's clock under the control of a test.

import type { Clock } from '../../../operator/clock.ts';
import { TestClock } from '../../support/clock.ts';

/** A clock that only moves when told to. Its two times have nothing to do with each other. */
export class TurnedClock extends TestClock implements Clock {
  readonly #startMs = this.now() - 5000;

  // By itself, as what needs no more of a clock takes it.
  readonly monotonic = (): number => this.now() - this.#startMs;
}
