// Whether backends have room for one request, and whether it was for want of room that it went nowhere.

import type { ConcurrencyLimits } from '../balancing/concurrency.ts';
import type { Backend } from '../config/snapshot.ts';

/** What is asked of the limits. */
export type RoomLimits = Pick<ConcurrencyLimits, 'fullUntil'>;

/** Whether backends may be sent one more, and whether that has ever been the reason not to send this request. */
export class Room {
  /** A backend was passed over because it is at its limit. */
  lacking = false;
  readonly #limits: RoomLimits | undefined;

  constructor(limits: RoomLimits | undefined) {
    this.#limits = limits;
  }

  /** 0: there is room. Else Unix milliseconds at which to ask again. */
  lackingUntil({ id }: Backend): number {
    const until = this.#limits?.fullUntil(id) ?? 0;
    if (until > 0) this.lacking = true;
    return until;
  }
}
